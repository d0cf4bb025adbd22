//! The box every page of this module begins with: a code or name, a day, and the days on which something changed.

use askama::Template;
use kernel::clock::Date;
use kernel::i18n::Lang;
use web::ui::{Address, Html, Icon, Tabs};

use crate::t;

#[derive(Template)]
#[template(path = "search.html")]
struct Search<'a> {
    action: &'static str,
    lang: Lang,
    q: &'a str,
    on: String,
    wrong: Option<&'a str>,
}

/// The box, filled with what was asked, for the lists at `action`.
pub(super) fn form(action: &'static str, lang: Lang, q: &str, on: &str, wrong: Option<&str>) -> Html {
    Html::of(Search { action, lang, q, on: on.to_owned(), wrong })
}

/// One tab for each state of the territories: the same question on another day.
pub(super) fn states(lang: Lang, states: &[Date], q: &str, on: Date) -> Tabs {
    let mut tabs = Tabs::new(lang).label(t::states_label(lang));
    for (at, first) in states.iter().enumerate() {
        let next = states.get(at + 1);
        let (label, day) = match (at, next.and_then(|n| n.plus_days(-1).map(|last| (n, last)))) {
            // The first state began at some unknown day: what is known of it is its end.
            (0, Some((next, last))) => (t::state_before(lang, next.vn()), last),
            _ => (t::state_from(lang, first.vn()), *first),
        };
        let active = *first <= on && next.is_none_or(|next| on < *next);
        let href = Address::path("/units").with("q", q).with("on", day);
        tabs = tabs.tab(label, href, None, active);
    }
    tabs
}
