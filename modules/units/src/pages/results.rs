//! What was found for a code or name on a day: the unit itself when it is one, a list when there are several, and units
//! of other days when there is none.

use kernel::Kernel;
use kernel::clock::Date;
use kernel::i18n::Lang;
use kernel::orgs::{Hit, Tree, Version};
use web::Cx;
use web::ui::{Cell, Column, Count, Empty, Html, Icon, Notice, Row, Section, Table, Tone};

use super::{unit, unit_path};
use crate::{t, when, words};

/// Units shown of a search.
const SHOWN: u32 = 50;

/// What was found.
pub(super) enum Found {
    /// One unit: its page, with a head of its own.
    Unit(Html),
    /// Several, or none.
    List(Html),
}

pub(super) async fn found(k: &Kernel, cx: &Cx, q: &str, on: Date) -> web::Result<Found> {
    if let Some(version) = k.orgs().by_code(q, on).await?.filter(|v| v.tree == Tree::Territory) {
        return unit::answer(k, cx, &version, on).await.map(Found::Unit);
    }
    let mut hits = k.orgs().search(Tree::Territory, q, on, SHOWN + 1).await?;
    if let [only] = &hits[..]
        && only.own
    {
        return unit::answer(k, cx, &only.version, on).await.map(Found::Unit);
    }
    let more = hits.len() > SHOWN as usize;
    hits.truncate(SHOWN as usize);
    let mut html = match hits.is_empty() {
        true => Html::of(Empty::new(
            Icon::Search,
            t::none_title(cx.lang, t::NoneTitle { on: on.vn(), query: q }),
            t::none_text(cx.lang),
        )),
        false => list(cx, &hits, on, more),
    };
    // Found only with the help of names above, or not at all: perhaps it is another day's name.
    if !hits.iter().any(|h| h.own) {
        html.push(elsewhere(k, cx, q, on).await?);
    }
    Ok(Found::List(html))
}

fn list(cx: &Cx, hits: &[Hit], on: Date, more: bool) -> Html {
    let l = cx.lang;
    let count = u64::try_from(hits.len()).unwrap_or(0);
    let mut table = Table::new(l, t::results_caption(l, on.vn()))
        .column(Column::text(t::col_unit(l)))
        .column(Column::text(t::col_code(l)))
        .column(Column::text(t::col_above(l)))
        .column(Column::text(t::col_valid(l)))
        .export(cx.address())
        .total(if more { Count::upto(count + 1, count) } else { Count::exact(count) });
    for hit in hits {
        table = table.row(row(l, &hit.version, &hit.above.join(", "), on));
    }
    match more {
        true => web::body![Notice::new(Tone::Info, t::results_more(l, SHOWN)), table],
        false => Html::of(table),
    }
}

fn row(l: Lang, v: &Version, above: &str, on: Date) -> Row {
    Row::new([
        Cell::legal(&v.full_name),
        Cell::code(v.code.as_deref().unwrap_or("–")),
        if above.is_empty() { Cell::none() } else { Cell::legal(above) },
        Cell::text(words::period(l, v)),
    ])
    .href(unit_path(v.unit, on))
}

/// Units of other days with this code or name.
async fn elsewhere(k: &Kernel, cx: &Cx, q: &str, on: Date) -> web::Result<Html> {
    let l = cx.lang;
    let found = k.orgs().search_any_day(Tree::Territory, q, SHOWN).await?;
    if found.is_empty() {
        return Ok(Html::default());
    }
    let mut table = Table::new(l, t::other_days(l))
        .column(Column::text(t::col_unit(l)))
        .column(Column::text(t::col_code(l)))
        .column(Column::text(t::col_above(l)))
        .column(Column::text(t::col_valid(l)));
    for version in &found {
        let day = when::shown(version, on);
        let above = words::above(&k.orgs().ancestors(version.unit, day).await?);
        table = table.row(row(l, version, &above, day));
    }
    Ok(Html::of(Section::new(t::other_days(l), table).help(t::other_days_help(l)).flush()))
}
