//! The catalogue an integrator reads: every published service, its operations as its OpenAPI document describes them, code
//! samples, and the way to try one under an agreement of one's own system.

use axum::extract::{Extension, State};
use base::i18n::Lang;
use kernel::identity::clients::Client;
use kernel::{Error, Kernel};
use serde::Deserialize;
use serde_json::Value;
use web::docs::{Operation, groups};
use web::ui::{
    Action, Badge, Cell, Code, Column, Empty, Facts, Filters, Head, Help, Html, Icon, Notice, Row, Section,
    Table, Tone,
};
use web::{Cx, Page, Path, Query};

use super::{home_path, system};
use crate::corner::example;
use crate::corner::reach::{self, Own};
use crate::corner::{credentials, samples};
use crate::ids::ServiceId;
use crate::pages::{announcements, parts, zones};
use crate::permissions::INTEGRATE;
use crate::snapshot::ServiceEntry;
use crate::store::lists::{self, CatalogueFilter, PAGE};
use crate::viewer::Viewer;
use crate::{Exchange, t};

/// Operations a page describes at most; the whole document can be downloaded.
const DESCRIBED: usize = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    after: Option<String>,
}

/// Every service: that it exists and how it is called is known to whoever may ask for an agreement; inner addresses are
/// not shown.
pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Page> {
    let l = cx.lang;
    cx.may_somewhere(INTEGRATE)?;
    let filter = CatalogueFilter {
        search: asked.q.clone(),
        after: asked.after.clone(),
        limit: PAGE + 1,
        ..CatalogueFilter::default()
    };
    let mut rows = lists::services(&k.db, &Viewer::All, &filter).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let next = parts::next(&cx, more, || rows.last().map(|s| s.id.to_string()).unwrap_or_default());
    let empty = Empty::new(Icon::Search, t::empty_search(l), t::empty_search_text(l));
    let table = Table::new(l, t::nav_corner_catalogue(l))
        .column(Column::text(t::column_service(l)))
        .column(Column::text(t::column_provider(l)))
        .column(Column::text(t::corner_described(l)))
        .column(Column::text(t::column_state(l)))
        .rows(rows.iter().map(|s| {
            let described = match &s.document {
                Some(_) => Badge::new(Tone::Good, "OpenAPI"),
                None => Badge::new(Tone::Neutral, t::corner_undescribed(l)),
            };
            Row::new([
                Cell::titled(format!("/exchange/corner/catalogue/{}", s.id), &s.name, &s.key),
                Cell::named(&s.subsystem_name, &s.member_name),
                Cell::badge(described),
                Cell::badge(parts::service(l, &s.state)),
            ])
        }))
        .next(next)
        .previous(parts::first(&cx))
        .empty(empty);
    let head = Head::new(l, t::nav_corner_catalogue(l)).sub(t::corner_catalogue_sub(l));
    let filters = Filters::new(&cx).search("q", t::corner_catalogue_search(l));
    let frame = cx.frame(t::nav_corner_catalogue(l)).crumb(t::nav_corner(l), "/exchange/corner");
    Ok(web::page(&frame, web::body![head, filters, table]))
}

pub(super) async fn one(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let systems = reach::systems(&k, &cx).await?;
    let service = published(&exchange, id)?;
    let row =
        lists::service(&k.db, &Viewer::All, id).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
    let document = system::document(&k, &service).await?;
    let may_call: Vec<&Own> = systems.iter().filter(|own| calls(&exchange, own, &service, &cx)).collect();
    let facts = Facts::new()
        .row(t::column_provider(l), Cell::named(&row.subsystem_name, &row.member_name))
        .row(t::corner_path(l), Cell::code(samples::service_path(&service.path)))
        .row(t::column_state(l), Cell::badge(parts::service_open(l, service.disabled.is_none())))
        .row(t::fact_zones(l), zones::cell(l, &k, service.dedicated_only))
        .maybe(
            t::corner_version(l),
            document.as_ref().and_then(|d| d["info"]["version"].as_str()).map(Cell::text),
        );
    let mut body = Html::of(Head::new(l, &service.name).legal_name().code(&service.path));
    body.push(announcements::notices(&k, &cx, id).await?);
    body.push(Section::new(t::facts_title(l), facts));
    if may_call.is_empty() {
        body.push(Notice::new(Tone::Info, t::corner_not_agreed(l)));
    }
    let clients = match may_call.first() {
        Some(own) => credentials::of(&k, own).await?,
        None => Vec::new(),
    };
    let shown =
        Shown { exchange: &exchange, cx: &cx, service: &service, may_call: &may_call, clients: &clients };
    match &document {
        Some(document) => shown.describe(document, &mut body),
        None => {
            body.push(Empty::new(Icon::Api, t::corner_undescribed(l), t::corner_undescribed_text(l)));
            shown.try_buttons(&mut body, None);
        }
    }
    let frame = cx
        .frame(&service.name)
        .crumb(t::nav_corner(l), "/exchange/corner")
        .crumb(t::nav_corner_catalogue(l), "/exchange/corner/catalogue");
    Ok(web::page(&frame, body))
}

/// A service of the configuration in force.
pub(super) fn published(exchange: &Exchange, id: ServiceId) -> kernel::Result<ServiceEntry> {
    let snapshot = exchange.keeper().current().load_full();
    let found = snapshot.contents().services.iter().find(|s| s.id == id);
    found.cloned().ok_or(Error::NotFound { kind: ServiceId::KIND })
}

/// Whether a system has an agreement in force for a service.
fn calls(exchange: &Exchange, own: &Own, service: &ServiceEntry, cx: &Cx) -> bool {
    system::open(exchange, own, cx.at).iter().any(|o| o.service.id == service.id)
}

/// What the description of a service is written with.
struct Shown<'a> {
    exchange: &'a Exchange,
    cx: &'a Cx,
    service: &'a ServiceEntry,
    may_call: &'a [&'a Own],
    clients: &'a [Client],
}

impl Shown<'_> {
    fn describe(&self, document: &Value, body: &mut Html) {
        let l = self.cx.lang;
        let groups = groups(document);
        let total: usize = groups.iter().map(|g| g.operations.len()).sum();
        for (n, operation) in groups.iter().flat_map(|g| &g.operations).take(DESCRIBED).enumerate() {
            body.push(self.operation(operation, n == 0));
        }
        if total > DESCRIBED {
            body.push(Notice::new(
                Tone::Info,
                t::corner_more_operations(l, i64::try_from(total - DESCRIBED).unwrap_or(i64::MAX)),
            ));
        }
        let schemas = document["components"]["schemas"].as_object();
        for (name, schema) in schemas.into_iter().flatten().take(DESCRIBED) {
            let text = serde_json::to_string_pretty(schema).unwrap_or_default();
            body.push(Help::new(t::corner_schema(l, name), &text));
        }
    }

    fn operation(&self, o: &Operation, first: bool) -> Section {
        let l = self.cx.lang;
        let mut body = Html::default();
        if !o.description.is_empty() {
            body.push(Notice::new(Tone::Neutral, &o.description));
        }
        if !o.parameters.is_empty() {
            body.push(parameters(l, o));
        }
        if let Some((mime, sample)) = &o.body {
            body.push(Code::new(l, sample).title(mime));
        }
        body.push(answers(l, o));
        let filled = example::filled(o);
        if let (true, Some(own)) = (first, self.may_call.first()) {
            let token_url =
                self.exchange.issuer().map_or_else(|_| String::new(), kernel::tokens::TokenIssuer::token_url);
            let call = system::call(self.cx, own, self.clients, self.service, &filled, &token_url);
            for (title, text) in [
                ("curl", call.curl()),
                ("Python", call.python()),
                ("Java", call.java()),
                ("C#", call.csharp()),
            ] {
                body.push(parts::apart(Code::new(l, text).title(title)));
            }
        }
        self.try_buttons(&mut body, Some(&filled));
        let words = if o.summary.is_empty() { o.path.as_str() } else { o.summary.as_str() };
        Section::new(words, body).help(format!("{} {}", o.method, o.path)).id(&o.id)
    }

    fn try_buttons(&self, body: &mut Html, filled: Option<&example::Example>) {
        for own in self.may_call {
            let at = format!("{}/try/{}", home_path(own), self.service.id);
            let mut address = web::ui::Address::path(at);
            if let Some(filled) = filled {
                address = address.with("method", &filled.method).with("path", &filled.path);
            }
            let label = t::corner_try_as(self.cx.lang, &own.name);
            body.push(parts::apart(Action::link(label, address).icon(Icon::PlayerPlay)));
        }
    }
}

fn parameters(l: Lang, o: &Operation) -> Table {
    Table::new(l, t::corner_parameters(l))
        .column(Column::text(t::corner_parameter(l)))
        .column(Column::text(t::corner_place(l)))
        .column(Column::text(t::corner_kind(l)))
        .column(Column::text(t::corner_example(l)))
        .rows(o.parameters.iter().map(|p| {
            let name = if p.required { format!("{} *", p.name) } else { p.name.clone() };
            Row::new([
                Cell::with_sub(name, &p.description),
                Cell::code(&p.place),
                Cell::code(&p.kind),
                if p.example.is_empty() { Cell::none() } else { Cell::code(&p.example) },
            ])
        }))
}

fn answers(l: Lang, o: &Operation) -> Table {
    Table::new(l, t::corner_answers(l))
        .column(Column::text(t::column_status(l)))
        .column(Column::text(t::corner_meaning(l)))
        .rows(o.answers.iter().map(|(code, words)| Row::new([Cell::code(code), Cell::text(words)])))
}
