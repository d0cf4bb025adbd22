//! Rows of versions as tables and files.

use axum::extract::State;
use axum::response::Response;
use base::clock::Date;
use base::i18n::Lang;
use kernel::Kernel;
use serde::Deserialize;
use web::export::{As, BATCH, Batch, Export, Value};
use web::ui::{Cell, Column, Empty, Icon, Row, Table};
use web::{Cx, Path, Query};

use super::parts;
use super::words::{self, Words};
use crate::catalogue::Catalogue;
use crate::content::plain;
use crate::entry::Entry;
use crate::pair::Pair;
use crate::store::PAGE;
use crate::store::entries::{self, EntryFilter};
use crate::store::pairs::{self, PairFilter};
use crate::version::Version;
use crate::{questions, store, t};

/// What is shown of the rows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) on: String,
    pub(super) q: String,
    pub(super) parent: String,
    pub(super) relation: String,
    pub(super) after: String,
    pub(super) version: Option<i64>,
}

impl Asked {
    fn words(&self) -> String {
        self.q.chars().take(200).collect()
    }

    fn entries(&self, on: Option<Date>, limit: u32) -> EntryFilter {
        EntryFilter {
            on,
            search: self.words(),
            parent: Some(self.parent.clone()).filter(|p| !p.is_empty()),
            after: Some(self.after.clone()).filter(|a| !a.is_empty()),
            limit,
        }
    }

    fn pairs(&self, limit: u32) -> PairFilter {
        let after = self.after.split_once('\t').map(|(s, t)| (s.to_owned(), t.to_owned()));
        PairFilter { search: self.words(), relation: self.relation.parse().ok(), after, limit }
    }
}

/// A page of rows of a version, as on a day or whole.
pub(super) async fn table(
    k: &Kernel,
    cx: &Cx,
    c: &Catalogue,
    v: &Version,
    on: Option<Date>,
    asked: &Asked,
) -> web::Result<Table> {
    let l = cx.lang;
    let empty = match asked.q.is_empty() {
        true => Empty::new(Icon::ListDetails, t::rows_empty(l), t::rows_empty_text(l)),
        false => Empty::new(Icon::Search, t::search_empty(l), t::search_empty_text(l)),
    };
    let (table, more, after) = if c.is_mapping() {
        let mut rows = pairs::list(&k.db, v.id, &asked.pairs(PAGE + 1)).await?;
        let more = parts::cut(&mut rows, PAGE);
        let after = rows.last().map(|p| format!("{}\t{}", p.source, p.target));
        (of_pairs(l, &rows, &named(k, c, on.unwrap_or(v.from()), &rows).await?), more, after)
    } else {
        let mut rows = entries::list(&k.db, v.id, &asked.entries(on, PAGE + 1)).await?;
        let more = parts::cut(&mut rows, PAGE);
        let after = rows.last().map(|e| e.code.clone());
        let words = Words::of(k, cx, c, on.unwrap_or(v.from()), words::attributes(&rows)).await?;
        (of_entries(cx, &rows, &words), more, after)
    };
    // The same rows as a file, from the catalogue's own address.
    let files = cx.address().at(parts::path(&c.code));
    let files = if on.is_none() { files.with("version", v.number) } else { files };
    Ok(table
        .next(parts::next(cx, more, || after.unwrap_or_default()))
        .previous(parts::first(cx))
        .export(&files)
        .empty(empty))
}

fn of_entries(cx: &Cx, rows: &[Entry], words: &Words) -> Table {
    let l = cx.lang;
    // A column nothing stands in only takes room.
    let parents = rows.iter().any(|e| !e.parent.is_empty());
    let dated = rows.iter().any(|e| e.from.is_some() || e.to.is_some());
    let labelled = words.columns(rows);
    let described = rows.iter().any(|e| !words.others(e).is_empty());
    let mut table = Table::new(l, t::tab_rows(l))
        .column(Column::text(t::col_name(l)))
        .column(Column::text(t::col_code(l)));
    let columns = labelled.iter().map(|label| (true, words.label(&label.key)));
    let columns = [(parents, t::col_parent(l)), (dated, t::col_days(l))].into_iter().chain(columns);
    for (_, label) in columns.chain([(described, t::col_attributes(l))]).filter(|(there, _)| *there) {
        table = table.column(Column::text(label));
    }
    for e in rows {
        let name = match (l, e.name_en.is_empty()) {
            (_, true) => Cell::legal(&e.name_vi),
            (Lang::Vi, false) => Cell::with_sub(&e.name_vi, &e.name_en),
            (Lang::En, false) => Cell::named(&e.name_vi, &e.name_en),
        };
        let parent = match e.parent.is_empty() {
            true => Cell::none(),
            false => Cell::link(cx.address().without("after").with("parent", &e.parent), &e.parent),
        };
        let others = words.others(e);
        let others = if others.is_empty() { Cell::none() } else { Cell::legal(others) };
        let values = labelled.iter().map(|label| match e.attributes.get(&label.key) {
            Some(value) => (true, words.cell(&label.key, &plain(value))),
            None => (true, Cell::none()),
        });
        let more = [(parents, parent), (dated, days(l, e))].into_iter().chain(values);
        let more = more.chain([(described, others)]).filter(|(there, _)| *there).map(|(_, cell)| cell);
        table = table.row(Row::new([name, Cell::code(&e.code)].into_iter().chain(more)));
    }
    table
}

fn days(l: Lang, e: &Entry) -> Cell {
    match (e.from, e.to) {
        (None, None) => Cell::none(),
        (Some(from), None) => Cell::text(t::period_open(l, from.vn())),
        (None, Some(to)) => Cell::text(t::period_until(l, to.vn())),
        (Some(from), Some(to)) => {
            Cell::text(t::period_closed(l, t::PeriodClosed { from: from.vn(), to: to.vn() }))
        }
    }
}

/// Names of both sides of some pairs, as on the days on which the mapping reads them.
struct Names {
    source: std::collections::HashMap<String, Entry>,
    target: std::collections::HashMap<String, Entry>,
}

async fn named(k: &Kernel, c: &Catalogue, on: Date, rows: &[Pair]) -> kernel::Result<Names> {
    let codes = |side: fn(&Pair) -> &String| -> Vec<String> {
        rows.iter().map(side).filter(|code| !code.is_empty()).cloned().collect()
    };
    let of = async |catalogue, on, codes: Vec<String>| match store::versions::at(&k.db, catalogue, on).await?
    {
        Some(version) => entries::by_codes(&k.db, version.id, on, &codes).await,
        None => Ok(std::collections::HashMap::new()),
    };
    let Some(ends) = c.ends else {
        return Ok(Names { source: Default::default(), target: Default::default() });
    };
    Ok(Names {
        source: of(ends.source, c.source_day(on), codes(|p| &p.source)).await?,
        target: of(ends.target, c.target_day(on), codes(|p| &p.target)).await?,
    })
}

fn of_pairs(l: Lang, rows: &[Pair], names: &Names) -> Table {
    let mut table = Table::new(l, t::tab_pairs(l))
        .column(Column::text(t::col_source(l)))
        .column(Column::text(t::col_relation(l)))
        .column(Column::text(t::col_target(l)))
        .column(Column::text(t::col_reason(l)));
    let side = |code: &str, names: &std::collections::HashMap<String, Entry>| match names.get(code) {
        Some(entry) => Cell::named(&entry.name_vi, code),
        None if code.is_empty() => Cell::none(),
        None => Cell::with_sub(code, t::code_gone(l)),
    };
    for p in rows {
        table = table.row(Row::new([
            side(&p.source, &names.source),
            Cell::badge(parts::relation(l, p.relation)),
            side(&p.target, &names.target),
            if p.reason.is_empty() { Cell::none() } else { Cell::legal(&p.reason) },
        ]));
    }
    table
}

/// Rows as a file that can be imported again: the columns are those of an import, whatever the language.
pub(super) async fn export(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let c = questions::find(&k, &cx, &code).await?;
    let (v, on) = match asked.version {
        Some(number) => (questions::version(&k, &cx, &c, number).await?, None),
        None => {
            let on = parts::day(&k, &asked.on)?;
            let found = store::versions::at(&k.db, c.id, on).await?;
            (found.ok_or(kernel::Error::NotFound { kind: crate::ids::VersionId::KIND })?, Some(on))
        }
    };
    let export = Export::new(&cx, "danh-muc", c.about.name(cx.lang));
    if c.is_mapping() {
        let read = move |after: Option<(String, String)>| {
            let (k, filter) = (k.clone(), PairFilter { after, ..asked.pairs(BATCH) });
            async move {
                let rows = pairs::list(&k.db, v.id, &filter).await?;
                Ok(Batch::of(&rows, |p| (p.source.clone(), p.target.clone()), pair))
            }
        };
        return export.columns(["source", "relation", "target", "reason"]).answer(file.kind, read).await;
    }
    let columns = ["code", "name_vi", "name_en", "parent", "order", "valid_from", "valid_to", "attributes"];
    let read = move |after: Option<String>| {
        let (k, filter) = (k.clone(), EntryFilter { after, ..asked.entries(on, BATCH) });
        async move {
            let rows = entries::list(&k.db, v.id, &filter).await?;
            Ok(Batch::of(&rows, |e| e.code.clone(), entry))
        }
    };
    export.columns(columns).answer(file.kind, read).await
}

fn entry(e: &Entry) -> Vec<Value> {
    let attributes = match e.attributes.is_empty() {
        true => Value::None,
        false => serde_json::Value::Object(e.attributes.clone()).to_string().into(),
    };
    vec![
        (&e.code).into(),
        (&e.name_vi).into(),
        (&e.name_en).into(),
        (&e.parent).into(),
        e.order.into(),
        e.from.into(),
        e.to.into(),
        attributes,
    ]
}

fn pair(p: &Pair) -> Vec<Value> {
    vec![(&p.source).into(), p.relation.as_str().into(), (&p.target).into(), (&p.reason).into()]
}
