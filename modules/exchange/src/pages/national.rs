//! "Kết nối quốc gia": every national database and system with its route, its local services, how the link does and the
//! days left until the deadline.

use axum::extract::State;
use axum::response::Response;
use base::i18n::Lang;
use kernel::{Error, Kernel};
use serde::Deserialize;
use web::export::{As, Batch, Export, Value};
use web::ui::{
    Badge, Cell, Column, Empty, Facts, Figure, Filters, Fresh, Grid, Head, Help, Html, Icon, Notice, Row,
    Section, Source, Table, Thing, Tone,
};
use web::{Cx, Page, Path, Query};

use super::parts;
use crate::national::links::{self, LinkRow, LinkedService, Standing};
use crate::national::{Certainty, Route, Systems};
use crate::viewer::Viewer;
use crate::{Exchange, t};

const HOME: &str = "/exchange/national";
/// Days before the deadline from which on it is urgent.
const URGENT: i64 = 60;

/// Which part of the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    route: String,
    #[serde(default)]
    state: String,
}

impl Asked {
    fn takes(&self, row: &LinkRow) -> bool {
        let words = base::text::fold(&format!("{} {} {}", row.system.vi, row.system.en, row.system.agency));
        let found = base::text::fold(&self.q).split_whitespace().all(|w| words.contains(w));
        let route = self.route.is_empty() || self.route == row.route.as_str();
        let state = self.state.is_empty() || self.state == state_name(row.standing());
        found && route && state
    }
}

fn state_name(standing: Standing) -> &'static str {
    match standing {
        Standing::NotConnected => "none",
        Standing::Unused => "unused",
        Standing::Works => "works",
        Standing::Broken => "broken",
    }
}

fn state_label(l: Lang, standing: Standing) -> &'static str {
    match standing {
        Standing::NotConnected => t::link_not_connected(l),
        Standing::Unused => t::link_unused(l),
        Standing::Works => t::link_works(l),
        Standing::Broken => t::link_broken(l),
    }
}

fn state(l: Lang, standing: Standing) -> Badge {
    let tone = match standing {
        Standing::NotConnected => Tone::Neutral,
        Standing::Unused => Tone::Info,
        Standing::Works => Tone::Good,
        Standing::Broken => Tone::Bad,
    };
    Badge::new(tone, state_label(l, standing))
}

fn certainty(l: Lang, c: Certainty) -> Badge {
    let tone = match c {
        Certainty::Read => Tone::Good,
        Certainty::Secondary => Tone::Info,
        Certainty::Unverified => Tone::Warn,
    };
    Badge::new(tone, c.label(l))
}

fn systems(exchange: &Exchange) -> kernel::Result<Systems> {
    exchange.keeper().settings().national.systems().map_err(|e| Error::internal(e.en))
}

async fn rows(
    exchange: &Exchange,
    k: &Kernel,
    viewer: &Viewer,
    list: &Systems,
) -> kernel::Result<Vec<LinkRow>> {
    links::read(k, viewer, &exchange.keeper().settings().national, list).await
}

pub(super) async fn page(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let list = systems(&exchange)?;
    let all = rows(&exchange, &k, &viewer, &list).await?;
    let shown: Vec<_> = all.iter().filter(|r| asked.takes(r)).collect();
    let mut body = Html::of(Head::new(l, t::national_title(l)).sub(t::national_sub(l)));
    if let Some(notice) = deadline(l, &list, k.clock.now().date()) {
        body.push(notice);
    }
    body.push(figures(&cx, &all, &list));
    let routes = Route::ALL.map(|r| (r.as_str().to_owned(), r.label(l).to_owned()));
    let states = [Standing::Works, Standing::Broken, Standing::Unused, Standing::NotConnected]
        .map(|s| (state_name(s).to_owned(), state_label(l, s).to_owned()));
    body.push(
        Filters::new(&cx)
            .search("q", t::national_search(l))
            .select("route", t::national_column_route(l), routes.to_vec())
            .select("state", t::national_column_state(l), states.to_vec()),
    );
    let now = k.clock.now();
    body.push(
        Table::new(l, t::national_title(l))
            .column(Column::text(t::national_column_system(l)))
            .column(Column::text(t::national_column_route(l)))
            .column(Column::number(t::column_services(l)))
            .column(Column::number(t::column_agreements(l)))
            .column(Column::text(t::national_column_state(l)))
            .column(Column::text(t::national_column_success(l)))
            .column(Column::text(t::national_column_certainty(l)))
            .rows(shown.iter().map(|r| {
                Row::new([
                    Cell::titled(format!("{HOME}/{}", r.system.code), r.system.name(l), &r.system.agency),
                    Cell::text(r.route.label(l)),
                    Cell::number(l, count(r.services.len())),
                    Cell::number(l, r.agreements),
                    Cell::badge(state(l, r.standing())),
                    r.last_success().map_or_else(Cell::none, |at| Cell::fresh(Fresh::new(l, now, at))),
                    Cell::badge(certainty(l, r.system.certainty)),
                ])
            }))
            .export(cx.address())
            .empty(Empty::new(Icon::Search, t::empty_search(l), t::empty_search_text(l))),
    );
    body.push(Help::new(t::national_help_title(l), t::national_help(l)));
    Ok(web::page(&cx.frame(t::national_title(l)), body))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// How many days are left, from the dated list.
fn deadline(l: Lang, list: &Systems, today: base::clock::Date) -> Option<Notice> {
    let deadline = list.deadline.as_ref()?;
    let days = deadline.date.days_since_epoch() - today.days_since_epoch();
    let date = deadline.date.vn();
    let (tone, title) = match days {
        ..0 => (Tone::Bad, t::national_deadline_over(l, &date)),
        0..=URGENT => (Tone::Warn, t::national_deadline_left(l, days)),
        _ => (Tone::Info, t::national_deadline_left(l, days)),
    };
    let text = t::national_deadline_text(
        l,
        t::NationalDeadlineText {
            basis: &deadline.basis,
            certainty: deadline.certainty.label(l),
            date: &date,
            source: &deadline.source,
        },
    );
    Some(Notice::new(tone, text).title(title))
}

fn figures(cx: &Cx, all: &[LinkRow], list: &Systems) -> Grid {
    let l = cx.lang;
    let figure = |label: &str, standing: Option<Standing>, tone: Tone| {
        let of = |r: &&LinkRow| standing.is_none_or(|s| r.standing() == s);
        let n = count(all.iter().filter(of).count());
        let href = match standing {
            None => cx.address().without("state"),
            Some(s) => cx.address().with("state", state_name(s)),
        };
        let tone = if n == 0 { Tone::Neutral } else { tone };
        let source = t::national_source(l, list.as_of.vn());
        Figure::new(label, web::fmt::number(l, n), href).tone(tone).source(Source::new(l, source, cx.at))
    };
    Grid::new()
        .columns(4)
        .add(figure(t::national_figure_all(l), None, Tone::Neutral))
        .add(figure(t::link_works(l), Some(Standing::Works), Tone::Good))
        .add(figure(t::link_broken(l), Some(Standing::Broken), Tone::Bad))
        .add(figure(t::link_not_connected(l), Some(Standing::NotConnected), Tone::Neutral))
}

pub(super) async fn one(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let list = systems(&exchange)?;
    let found = rows(&exchange, &k, &viewer, &list).await?.into_iter().find(|r| r.system.code == code);
    let row = found.ok_or(Error::NotFound { kind: "national system" })?;
    let s = &row.system;
    let facts = Facts::new()
        .row(t::national_fact_agency(l), Cell::legal(&s.agency))
        .row(t::national_column_route(l), Cell::text(row.route.label(l)))
        .row(t::national_fact_basis(l), Cell::text(&s.basis))
        .row(t::national_fact_source(l), Cell::text(&s.source))
        .row(t::national_fact_as_of(l), Cell::date(list.as_of))
        .row(t::national_column_certainty(l), Cell::badge(certainty(l, s.certainty)))
        .maybe(
            t::national_fact_deadline(l),
            list.deadline.as_ref().map(|d| Cell::with_sub(d.date.vn(), &d.basis)),
        );
    let mut content = Html::default();
    if row.route == Route::None {
        content.push(Notice::new(Tone::Info, t::national_no_route(l)));
    }
    if viewer == Viewer::All && !row.missing.is_empty() {
        content.push(Notice::new(Tone::Warn, t::national_missing(l, row.missing.join(", "))));
    }
    content.push(Section::new(t::national_services(l), services(&cx, &k, &row.services)).flush());
    let head = Head::new(l, s.name(l)).legal_name().code(&s.code).badge(state(l, row.standing()));
    let mut body = Html::of(head);
    body.push(Thing::new(content).side(t::facts_title(l), facts));
    Ok(web::page(&cx.frame(s.name(l)).crumb(t::national_title(l), HOME), body))
}

fn services(cx: &Cx, k: &Kernel, linked: &[LinkedService]) -> Table {
    let (l, now) = (cx.lang, k.clock.now());
    Table::new(l, t::national_services(l))
        .column(Column::text(t::column_service(l)))
        .column(Column::text(t::column_provider(l)))
        .column(Column::number(t::column_agreements(l)))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::national_column_success(l)))
        .rows(linked.iter().map(|s| {
            let service = &s.service;
            let stands = match s.broken {
                true => state(l, Standing::Broken),
                false => parts::service(l, &service.state),
            };
            Row::new([
                Cell::titled(format!("/exchange/services/{}", service.id), &service.name, &service.key),
                Cell::named(&service.subsystem_name, &service.member_name),
                Cell::number(l, service.agreements),
                Cell::badge(stands),
                s.last_success.map_or_else(Cell::none, |at| Cell::fresh(Fresh::new(l, now, at))),
            ])
        }))
        .empty(Empty::new(Icon::PlugConnectedX, t::national_none(l), t::national_none_text(l)))
}

pub(super) async fn export(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
    Query(file): Query<As>,
) -> web::Result<Response> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let list = systems(&exchange)?;
    let mut all = rows(&exchange, &k, &viewer, &list).await?;
    all.retain(|r| asked.takes(r));
    let export = Export::new(&cx, "ket-noi-quoc-gia", t::national_title(l)).columns([
        t::national_column_system(l),
        t::fact_code(l),
        t::national_fact_agency(l),
        t::national_column_route(l),
        t::column_services(l),
        t::column_agreements(l),
        t::national_column_state(l),
        t::national_column_success(l),
        t::national_fact_basis(l),
        t::national_fact_source(l),
        t::national_column_certainty(l),
    ]);
    let row = move |r: &LinkRow| {
        let s = &r.system;
        vec![
            Value::from(s.name(l)),
            Value::from(&s.code),
            Value::from(&s.agency),
            Value::from(r.route.label(l)),
            Value::from(count(r.services.len())),
            Value::from(r.agreements),
            Value::from(state_label(l, r.standing())),
            r.last_success().map_or_else(|| Value::from(""), Value::from),
            Value::from(&s.basis),
            Value::from(&s.source),
            Value::from(s.certainty.label(l)),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let read = move |_: Option<String>| {
        let rows = rows.clone();
        async move { Ok(Batch::whole(rows)) }
    };
    export.answer(file.kind, read).await
}
