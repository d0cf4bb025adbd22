//! What differs between two sets of rows, as tables: for versions and for the preview of an import.

use base::i18n::Lang;
use web::ui::{Badge, Cell, Column, Html, Notice, Row, Section, Table, Tone};

use super::words::Words;
use crate::content::{Changes, Field, Record};
use crate::pair::Relation;
use crate::t;
use crate::table::Refused;

/// Rows named of each kind; the interface gives all.
const SHOWN: usize = 200;

/// Everything that differs, with the numbers first.
pub(super) fn sections(l: Lang, title: &str, found: &Changes, words: &Words) -> Html {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let mut html = Html::default();
    if found.none() {
        html.push(Section::new(title, Notice::new(Tone::Info, t::changes_none(l))));
        return html;
    }
    let said = [
        t::count_added(l, count(found.added.len())),
        t::count_changed(l, count(found.changed.len())),
        t::count_removed(l, count(found.removed.len())),
        t::count_same(l, count(found.same)),
    ];
    let mut table = Table::new(l, title)
        .column(Column::text(t::col_change(l)))
        .column(Column::text(t::col_code(l)))
        .column(Column::text(t::col_what(l)))
        .column(Column::text(t::col_before(l)))
        .column(Column::text(t::col_after(l)));
    for row in found.removed.iter().take(SHOWN) {
        let badge = Badge::new(Tone::Warn, t::change_removed(l));
        table = table.row(Row::new([
            Cell::badge(badge),
            Cell::code(&row.key),
            Cell::none(),
            Cell::legal(title_of(l, row)),
            Cell::none(),
        ]));
    }
    for row in found.changed.iter().take(SHOWN) {
        for (field, before, after) in &row.fields {
            table = table.row(Row::new([
                Cell::badge(Badge::new(Tone::Info, t::change_changed(l))),
                Cell::code(&row.key),
                label(l, field, words),
                value(l, field, before, words),
                value(l, field, after, words),
            ]));
        }
    }
    for row in found.added.iter().take(SHOWN) {
        table = table.row(Row::new([
            Cell::badge(Badge::new(Tone::Good, t::change_added(l))),
            Cell::code(&row.key),
            Cell::none(),
            Cell::none(),
            Cell::legal(title_of(l, row)),
        ]));
    }
    let most = [found.added.len(), found.changed.len(), found.removed.len()].into_iter().max();
    let mut help = said.join(" · ");
    if most.is_some_and(|n| n > SHOWN) {
        help = format!("{help} · {}", t::shown_only(l, SHOWN));
    }
    html.push(Section::new(title, table).flush().help(help));
    html
}

fn title_of(l: Lang, row: &Record) -> String {
    relation(l, row.title()).unwrap_or_else(|| row.title().to_owned())
}

/// A relation in words, if the text is one.
fn relation(l: Lang, text: &str) -> Option<String> {
    text.parse::<Relation>().ok().map(|r| r.label(l).to_owned())
}

fn label(l: Lang, field: &Field, words: &Words) -> Cell {
    match field {
        Field::Attribute(key) => Cell::text(words.label(key)),
        other => Cell::text(other.label(l)),
    }
}

fn value(l: Lang, field: &Field, text: &str, words: &Words) -> Cell {
    match (field, text) {
        (_, "") => Cell::none(),
        (Field::Relation, text) => Cell::text(relation(l, text).unwrap_or_default()),
        (Field::Attribute(key), text) => words.cell(key, text),
        (_, text) => Cell::legal(text),
    }
}

/// Rows that are not taken, each with its line and reason.
pub(super) fn refused(l: Lang, rows: &[Refused]) -> Html {
    if rows.is_empty() {
        return Html::default();
    }
    let mut table = Table::new(l, t::refused_title(l))
        .column(Column::number(t::col_line(l)))
        .column(Column::text(t::col_reason_refused(l)))
        .column(Column::text(t::col_given(l)));
    for row in rows.iter().take(SHOWN) {
        table = table.row(Row::new([
            Cell::number(l, i64::try_from(row.line).unwrap_or(i64::MAX)),
            Cell::text(row.reason.get(l)),
            Cell::text(&row.given),
        ]));
    }
    let mut section = Section::new(t::refused_title(l), table).flush();
    if rows.len() > SHOWN {
        section = section.help(t::shown_only(l, SHOWN));
    }
    Html::of(section)
}
