//! Small pieces the pages share: states, periods, the day box, links to the next page of a list.

use base::clock::Date;
use base::error::FieldError;
use base::i18n::Lang;
use kernel::{Cx as Context, Error, Kernel, Scope};
use web::ui::{Action, Address, Badge, Tone};
use web::{Cx, Frame};

use crate::catalogue::{Catalogue, field};
use crate::pair::Relation;
use crate::permissions::{EDIT, PUBLISH};
use crate::version::{Period, State, Version};
use crate::{t, table};

/// The page of a catalogue.
pub(super) fn path(code: &str) -> String {
    format!("/catalogues/{code}")
}

/// The page of one of its versions.
pub(super) fn version_path(code: &str, number: i64) -> String {
    format!("/catalogues/{code}/versions/{number}")
}

pub(super) fn state(l: Lang, state: State) -> Badge {
    let tone = match state {
        State::Draft => Tone::Info,
        State::Published => Tone::Good,
        State::Superseded => Tone::Neutral,
    };
    Badge::new(tone, state.label(l))
}

pub(super) fn relation(l: Lang, relation: Relation) -> Badge {
    let tone = match relation {
        Relation::Equal => Tone::Good,
        Relation::Narrower | Relation::Broader => Tone::Info,
        Relation::Overlaps => Tone::Warn,
        Relation::None => Tone::Neutral,
    };
    Badge::new(tone, relation.label(l))
}

/// "từ 01/07/2025 đến hết 29/04/2026".
pub(super) fn period(l: Lang, p: &Period) -> String {
    match p.to {
        None => t::period_open(l, p.from.vn()),
        Some(to) => t::period_closed(l, t::PeriodClosed { from: p.from.vn(), to: to.vn() }),
    }
}

/// The days on which a version answers.
pub(super) fn answers(l: Lang, v: &Version) -> String {
    match (v.state, v.answers()) {
        (State::Draft, _) => period(l, &v.outline.period),
        (_, Some(p)) => period(l, &p),
        (_, None) => t::answers_never(l).to_owned(),
    }
}

/// The day of the address, today when there is none.
pub(super) fn day(k: &Kernel, typed: &str) -> Result<Date, Error> {
    let wrong = |text| Error::Invalid(vec![field("on", text)]);
    Ok(table::date(typed).map_err(wrong)?.unwrap_or_else(|| k.clock.now().date()))
}

/// A day typed into a form; notes what is wrong.
pub(super) fn typed(name: &str, text: &str, errors: &mut Vec<FieldError>) -> Option<Date> {
    table::date(text).unwrap_or_else(|reason| {
        errors.push(field(name, reason));
        None
    })
}

/// The link to the next page of a list, if there is one.
pub(super) fn next(cx: &Cx, more: bool, after: impl FnOnce() -> String) -> Option<Address> {
    more.then(|| cx.address().with("after", after()))
}

/// The link back to the beginning of a list, on every page but the first.
pub(super) fn first(cx: &Cx) -> Option<Address> {
    cx.address().get("after").map(|_| cx.address().without("after"))
}

/// Cuts the one row more that tells whether there is a next page.
pub(super) fn cut<T>(rows: &mut Vec<T>, limit: u32) -> bool {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    more
}

pub(super) fn may_edit(cx: &Context, c: &Catalogue) -> bool {
    cx.holds(EDIT, &Scope::agency(c.owner))
}

pub(super) fn may_publish(cx: &Context, c: &Catalogue) -> bool {
    cx.holds(PUBLISH, &Scope::agency(c.owner))
}

/// The frame of a page below a catalogue.
pub(super) fn frame(cx: &Cx, title: &str, c: Option<&Catalogue>) -> Frame {
    let l = cx.lang;
    let frame = cx.frame(title).crumb(t::catalogues_title(l), "/catalogues").wide();
    match c {
        Some(c) => frame.crumb(c.about.name(l), path(&c.code)),
        None => frame,
    }
}

/// A link that is shown only to who may follow it.
pub(super) fn offered(may: bool, label: &str, href: String) -> Option<Action> {
    may.then(|| Action::link(label, href))
}
