//! Where the data come from: the last import, rows refused with their reasons, and where the lists do not agree.

use axum::extract::State;
use kernel::Kernel;
use kernel::i18n::Lang;
use kernel::orgs::import::{self, Difference, Reading, Recorded};
use web::ui::{Cell, Column, Empty, Facts, Head, Html, Icon, Notice, Row, Section, Table, Tone};
use web::{Cx, Page};

use crate::{import as own, t};

/// Rows shown of each list; the rest is counted.
const SHOWN: usize = 200;

pub(super) async fn page(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let head = Head::new(l, t::data_title(l)).sub(t::data_sub(l));
    let mut body = web::body![head];
    match import::last(&k).await? {
        Some(last) => body.push(recorded(&cx, &last)),
        None => body.push(Empty::new(Icon::MapPin, t::nothing_imported(l), t::nothing_imported_text(l))),
    }
    body.push(Notice::new(Tone::Neutral, t::data_attribution(l)));
    let frame = cx.frame(t::data_title(l)).crumb(t::units_title(l), "/units").wide();
    Ok(web::page(&frame, body))
}

fn recorded(cx: &Cx, last: &Recorded) -> Html {
    let (l, r) = (cx.lang, &last.reading);
    // Strangers need not know who works here.
    let by = cx.signed_in().then(|| match last.actor.starts_with("kernel:") {
        true => Cell::text(t::data_by_platform(l)),
        false => Cell::code(&last.actor),
    });
    let number = |n: usize| Cell::number(l, i64::try_from(n).unwrap_or(i64::MAX));
    let facts = Facts::new()
        .row(t::data_at(l), Cell::time(last.at))
        .maybe(t::data_by(l), by)
        .row(t::data_rows(l), number(r.rows))
        .row(t::data_accepted(l), number(r.accepted))
        .row(t::data_repaired(l), number(r.repaired))
        .row(t::data_refused(l), number(r.refused))
        .row(t::data_changes(l), Cell::text(own::changes(l, &last.outcome)));
    let mut html = web::body![Section::new(t::data_last(l), facts), refused(l, r)];
    if !r.findings.is_empty() {
        html.push(findings(l, r));
    }
    if !last.outcome.differences.is_empty() {
        html.push(differences(l, &last.outcome.differences));
    }
    html.push(lists(l, r));
    html
}

fn refused(l: Lang, r: &Reading) -> Section {
    let mut table = Table::new(l, t::data_refused(l))
        .column(Column::text(t::data_list(l)))
        .column(Column::number(t::data_line(l)))
        .column(Column::text(t::data_reason(l)))
        .column(Column::text(t::data_text(l)))
        .empty(Empty::new(Icon::Checks, t::data_none_refused(l), t::data_none_refused_text(l)));
    for row in r.refusals.iter().take(SHOWN) {
        table = table.row(Row::new([
            Cell::code(&row.list),
            Cell::number(l, i64::try_from(row.line).unwrap_or(0)),
            Cell::text(row.reason(l)),
            Cell::code(&row.text),
        ]));
    }
    Section::new(t::data_refused(l), table).flush()
}

fn findings(l: Lang, r: &Reading) -> Section {
    let mut table = Table::new(l, t::data_findings(l)).column(Column::text(t::data_what(l)));
    for (vi, en) in r.findings.iter().take(SHOWN) {
        table = table.row(Row::new([Cell::text(if l == Lang::Vi { vi } else { en })]));
    }
    Section::new(t::data_findings(l), table).flush()
}

fn differences(l: Lang, found: &[Difference]) -> Section {
    let mut table = Table::new(l, t::data_differences(l))
        .column(Column::text(t::col_unit(l)))
        .column(Column::text(t::col_on(l)))
        .column(Column::text(t::data_what(l)))
        .column(Column::text(t::data_before(l)))
        .column(Column::text(t::data_after(l)));
    let or_none = |text: &String| if text.is_empty() { Cell::none() } else { Cell::text(text) };
    for d in found.iter().take(SHOWN) {
        table = table.row(Row::new([
            Cell::with_sub(&d.name, &d.code),
            Cell::date(d.valid_from),
            Cell::code(&d.what),
            or_none(&d.before),
            or_none(&d.after),
        ]));
    }
    Section::new(t::data_differences(l), table).flush()
}

fn lists(l: Lang, r: &Reading) -> Section {
    let mut table = Table::new(l, t::data_lists(l))
        .column(Column::text(t::data_list(l)))
        .column(Column::number(t::data_rows(l)))
        .column(Column::number(t::data_accepted(l)));
    for (list, rows, accepted) in &r.lists {
        let number = |n: &usize| Cell::number(l, i64::try_from(*n).unwrap_or(i64::MAX));
        table = table.row(Row::new([Cell::code(list), number(rows), number(accepted)]));
    }
    Section::new(t::data_lists(l), table).flush()
}
