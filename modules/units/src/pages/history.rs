//! The life of a unit as a line of days.

use askama::Template;
use kernel::clock::Date;
use kernel::i18n::Lang;
use kernel::orgs::{SuccessionKind, Version};
use web::ui::{Html, Tone};

use super::view::View;
use crate::t;
use crate::words::running;

/// How many successors one entry names.
const NAMED: usize = 6;

struct Entry {
    on: Date,
    what: String,
    act: Option<String>,
    tone: Tone,
}

#[derive(Template)]
#[template(path = "history.html")]
struct History {
    entries: Vec<Entry>,
}

/// Oldest first.
pub(super) fn timeline(l: Lang, view: &View) -> Html {
    let mut entries: Vec<Entry> = Vec::new();
    let mut before: Option<&Version> = None;
    for version in &view.history {
        let what = said(l, view, before, version);
        entries.push(Entry { on: version.valid_from, what, act: version.act.clone(), tone: Tone::Info });
        before = Some(version);
    }
    if let Some((end, act)) = before.and_then(|v| v.valid_to.map(|end| (end, v.ended_by.clone()))) {
        entries.push(Entry { on: end, what: ended(l, view), act, tone: Tone::Neutral });
    }
    Html::of(History { entries })
}

fn said(l: Lang, view: &View, before: Option<&Version>, v: &Version) -> String {
    let above = view.above.get(&v.valid_from).map_or("", String::as_str);
    let name = if above.is_empty() { v.full_name.clone() } else { format!("{}, {above}", v.full_name) };
    match before {
        None if v.from_known => t::history_began(l, name),
        None => t::history_attested(l, name),
        Some(before) if before.full_name == v.full_name => t::history_moved(l, running(l, v.tree, above)),
        Some(_) => t::history_changed(l, running(l, v.tree, &name)),
    }
}

fn ended(l: Lang, view: &View) -> String {
    let own = view.became.steps.iter().filter(|s| s.succession.predecessor == view.became.asked.unit);
    let own: Vec<_> = own.filter(|s| s.succession.kind != SuccessionKind::Transfer).collect();
    let names: Vec<String> =
        own.iter().filter_map(|s| s.into.as_ref()).map(|v| running(l, v.tree, &v.full_name)).collect();
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text.push_str(", …");
    }
    match own.first().map(|s| s.succession.kind) {
        None => t::history_ended(l).to_owned(),
        Some(SuccessionKind::Split) => t::history_divided(l, text),
        Some(_) => t::history_merged(l, text),
    }
}
