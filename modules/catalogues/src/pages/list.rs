//! The list of catalogues and mappings on a day.

use axum::extract::State;
use axum::response::Response;
use base::i18n::Lang;
use kernel::Kernel;
use serde::Deserialize;
use web::export::{As, BATCH, Batch, Export, Value};
use web::ui::{
    Action, Address, Badge, Cell, Column, Empty, Filters, Head, Help, Icon, Row, Table, Tabs, Tone,
};
use web::{Cx, Page, Query};

use super::parts;
use crate::ids::CatalogueId;
use crate::permissions::EDIT;
use crate::store::PAGE;
use crate::store::catalogues::{self, ListFilter, Listed};
use crate::viewer::Viewer;
use crate::{questions, t};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    on: String,
    only: String,
    after: String,
}

impl Asked {
    fn filter(&self, limit: u32) -> ListFilter {
        ListFilter {
            mappings: Some(self.only == "mappings"),
            end: None,
            search: self.q.chars().take(200).collect(),
            after: self.after.parse().ok(),
            limit,
        }
    }
}

pub(super) async fn page(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Page> {
    let l = cx.lang;
    let on = parts::day(&k, &asked.on)?;
    let mappings = asked.only == "mappings";
    let mut rows = catalogues::list(&k.db, &Viewer::of(&cx), on, &asked.filter(PAGE + 1)).await?;
    let more = parts::cut(&mut rows, PAGE);
    let mut head = Head::new(l, t::catalogues_title(l)).sub(t::catalogues_sub(l));
    if cx.may_somewhere(EDIT).is_ok() {
        head = head.primary(Action::link(t::catalogue_new(l), "/catalogues/new").icon(Icon::Plus));
    }
    let tab = |only: &str| Address::path("/catalogues").with("on", &asked.on).with("only", only);
    let tabs = Tabs::new(l).tab(t::tab_catalogues(l), tab(""), None, !mappings).tab(
        t::tab_mappings(l),
        tab("mappings"),
        None,
        mappings,
    );
    let filters = Filters::new(&cx).search("q", t::search_label(l));
    let mut table = Table::new(l, t::catalogues_title(l))
        .column(Column::text(t::col_catalogue(l)))
        .column(Column::text(t::col_owner(l)))
        .column(Column::text(t::col_version_on(l, on.vn())))
        .column(Column::number(t::col_rows(l)))
        .column(Column::text(t::col_open(l)))
        .next(parts::next(&cx, more, || last(&rows)))
        .previous(parts::first(&cx))
        .export(cx.address())
        .empty(nothing(l, &asked));
    for row in &rows {
        table = table.row(line(&k, l, row, on).await?);
    }
    let help = Help::new(t::help_title(l), t::help_text(l));
    let frame = cx.frame(t::catalogues_title(l)).wide();
    Ok(web::page(&frame, web::body![head, tabs, filters, table, help]))
}

fn last(rows: &[Listed]) -> String {
    rows.last().map(|r| r.catalogue.id.to_string()).unwrap_or_default()
}

fn nothing(l: Lang, asked: &Asked) -> Empty {
    match asked.q.is_empty() {
        true => Empty::new(Icon::ListDetails, t::list_empty(l), t::list_empty_text(l)),
        false => Empty::new(Icon::Search, t::search_empty(l), t::search_empty_text(l)),
    }
}

async fn line(k: &Kernel, l: Lang, row: &Listed, on: base::clock::Date) -> web::Result<Row> {
    let c = &row.catalogue;
    let owner = questions::owner(k, c.owner, on).await?;
    let (version, rows) = match row.version {
        Some((number, period, rows)) => {
            let text = t::version_n(l, number);
            (Cell::with_sub(text, parts::period(l, &period)), Cell::number(l, rows))
        }
        None => (Cell::badge(Badge::new(Tone::Warn, t::no_version(l))), Cell::none()),
    };
    let open = match (c.about.public, row.draft) {
        (_, true) => Cell::badge(Badge::new(Tone::Info, t::draft_open_short(l))),
        (true, _) => Cell::text(t::open_public(l)),
        (false, _) => Cell::text(t::open_inside(l)),
    };
    Ok(Row::new([
        Cell::titled(
            Address::path(parts::path(&c.code)).with("on", on),
            c.about.name(l),
            format!("{} · {}", c.code, c.kind.label(l)),
        ),
        owner.map_or_else(Cell::none, |v| Cell::legal(v.full_name)),
        version,
        rows,
        open,
    ]))
}

/// The list as a file.
pub(super) async fn export(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let on = parts::day(&k, &asked.on)?;
    let viewer = Viewer::of(&cx);
    let export = Export::new(&cx, "danh-muc", t::catalogues_title(l)).columns([
        t::col_code(l),
        t::col_name(l),
        t::col_name_en(l),
        t::col_kind(l),
        t::col_owner(l),
        t::fact_act(l),
        t::col_version(l),
        t::col_from(l),
        t::col_to(l),
        t::col_rows(l),
    ]);
    let read = move |after: Option<CatalogueId>| {
        let (k, viewer, filter) = (k.clone(), viewer.clone(), ListFilter { after, ..asked.filter(BATCH) });
        async move {
            let rows = catalogues::list(&k.db, &viewer, on, &filter).await?;
            let mut owners = Vec::with_capacity(rows.len());
            for row in &rows {
                owners.push(questions::owner(&k, row.catalogue.owner, on).await?.map(|v| v.full_name));
            }
            let mut owners = owners.into_iter();
            let next = (rows.len() >= BATCH as usize).then(|| rows.last().map(|r| r.catalogue.id));
            let rows = rows.iter().map(|r| record(l, r, owners.next().flatten())).collect();
            Ok(Batch { rows, next: next.flatten() })
        }
    };
    export.answer(file.kind, read).await
}

fn record(l: Lang, row: &Listed, owner: Option<String>) -> Vec<Value> {
    let c = &row.catalogue;
    let version = row.version;
    vec![
        (&c.code).into(),
        (&c.about.name_vi).into(),
        (&c.about.name_en).into(),
        c.kind.label(l).into(),
        owner.into(),
        (&c.about.act).into(),
        version.map(|(number, _, _)| number).into(),
        version.map(|(_, period, _)| period.from).into(),
        version.and_then(|(_, period, _)| period.to).into(),
        version.map(|(_, _, rows)| rows).into(),
    ]
}
