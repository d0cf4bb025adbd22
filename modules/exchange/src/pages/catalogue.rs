//! Members, subsystems and services: lists and the page of each.

use axum::extract::State;
use base::i18n::Lang;
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Empty, Facts, Filters, Head, Help, Html, Icon, Notice, Row, Section,
    Table, Tabs, Thing, Tone,
};
use web::{Cx, Page, Path, Query, fmt};

use super::{agreements, announcements, connection, outages, parts, zones};
use crate::ids::{MemberId, ServiceId, SubsystemId};
use crate::store::lists::{
    self, AgreementFilter, CatalogueFilter, EndpointRow, MemberRow, PAGE, ServiceRow, SubsystemRow,
};
use crate::viewer::Viewer;
use crate::{actions, store, t};

/// Rows of a list on the page of something else.
const BESIDE: u32 = 100;

/// What a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    reach: Option<String>,
    at: Option<String>,
    after: Option<String>,
}

impl Asked {
    pub(super) fn filter(&self) -> CatalogueFilter {
        let known = self.after.as_ref().filter(|a| base::ids::parse_hyphenated(a).is_some());
        CatalogueFilter {
            search: self.q.clone(),
            reach: self.reach.as_deref().and_then(lists::Reach::from_word),
            at: self.at.as_deref().and_then(|at| at.parse().ok()),
            after: known.cloned(),
            limit: PAGE + 1,
            ..CatalogueFilter::default()
        }
    }
}

/// Cuts the one row more that tells whether there is a next page.
fn cut<T>(rows: &mut Vec<T>) -> bool {
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    more
}

fn nothing(l: Lang, asked: &Asked, icon: Icon, title: &str, text: &str) -> Empty {
    if asked.q.is_empty() {
        Empty::new(icon, title, text)
    } else {
        Empty::new(Icon::Search, t::empty_search(l), t::empty_search_text(l))
    }
}

pub(super) async fn members(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let mut rows = lists::members(&k.db, &viewer, &asked.filter()).await?;
    let more = cut(&mut rows);
    let next = parts::next(&cx, more, || rows.last().map(|r| r.id.to_string()).unwrap_or_default());
    let table = member_table(l, &rows)
        .next(next)
        .export(cx.address())
        .previous(parts::first(&cx))
        .empty(nothing(l, &asked, Icon::BuildingBank, t::members_empty(l), t::members_empty_text(l)));
    let mut body = Html::of(Head::new(l, t::members_title(l)).sub(t::members_sub(l)));
    body.push(Filters::new(&cx).search("q", t::search_catalogue(l)));
    body.push(table);
    body.push(Help::new(t::members_help_title(l), t::members_help(l)));
    Ok(web::page(&cx.frame(t::members_title(l)), body))
}

fn member_table(l: Lang, rows: &[MemberRow]) -> Table {
    Table::new(l, t::members_title(l))
        .column(Column::text(t::column_member(l)))
        .column(Column::number(t::column_subsystems(l)))
        .column(Column::number(t::column_services(l)))
        .column(Column::text(t::column_changed(l)))
        .rows(rows.iter().map(|m| {
            Row::new([
                Cell::titled(
                    format!("/exchange/members/{}", m.id),
                    &m.name,
                    format!("{}/{}", m.class, m.code),
                ),
                Cell::number(l, m.subsystems),
                Cell::number(l, m.services),
                Cell::time(m.changed_at),
            ])
        }))
}

pub(super) async fn member(State(k): State<Kernel>, cx: Cx, Path(id): Path<MemberId>) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let m = lists::member(&k.db, &viewer, id).await?.ok_or(Error::NotFound { kind: MemberId::KIND })?;
    let of = CatalogueFilter { member: Some(id), limit: BESIDE, ..CatalogueFilter::default() };
    let subsystems = lists::subsystems(&k.db, &viewer, &of).await?;
    let services = lists::services(&k.db, &viewer, &of).await?;
    let filter = AgreementFilter { member: Some(id), limit: BESIDE, ..AgreementFilter::default() };
    let asked = lists::agreements(&k.db, &viewer, k.clock.now().date(), &filter).await?;
    let agency = agency_name(&k, &m).await?;
    let facts = Facts::new()
        .row(t::fact_class(l), Cell::code(&m.class))
        .row(t::fact_code(l), Cell::code(&m.code))
        .row(t::fact_agency(l), agency.map_or_else(Cell::none, Cell::legal))
        .row(t::column_changed(l), Cell::time(m.changed_at));
    let mut content = Html::of(
        Section::new(t::subsystems_title(l), subsystem_table(l, &subsystems, false).empty(no_subsystems(l)))
            .flush(),
    );
    content.push(
        Section::new(t::services_provided(l), service_table(l, &services, false).empty(no_services(l)))
            .flush(),
    );
    content.push(
        Section::new(t::agreements_title(l), agreements::table(l, &asked).empty(no_agreements(l))).flush(),
    );
    let head = Head::new(l, &m.name).legal_name().code(format!("{}/{}", m.class, m.code));
    let mut body = Html::of(head);
    body.push(Thing::new(content).side(t::facts_title(l), facts));
    let frame = cx.frame(&m.name).crumb(t::members_title(l), "/exchange/members");
    Ok(web::page(&frame, body))
}

async fn agency_name(k: &Kernel, m: &MemberRow) -> Result<Option<String>> {
    let Some(unit) = m.agency else { return Ok(None) };
    Ok(k.orgs().version_at(unit, k.clock.now().date()).await?.map(|v| v.full_name))
}

pub(super) async fn subsystems(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let mut rows = lists::subsystems(&k.db, &viewer, &asked.filter()).await?;
    let more = cut(&mut rows);
    let next = parts::next(&cx, more, || rows.last().map(|r| r.id.to_string()).unwrap_or_default());
    let table = subsystem_table(l, &rows, true)
        .next(next)
        .export(cx.address())
        .previous(parts::first(&cx))
        .empty(nothing(l, &asked, Icon::Server, t::subsystems_empty(l), t::subsystems_empty_text(l)));
    let mut body = Html::of(Head::new(l, t::subsystems_title(l)).sub(t::subsystems_sub(l)));
    body.push(Filters::new(&cx).search("q", t::search_catalogue(l)));
    body.push(table);
    Ok(web::page(&cx.frame(t::subsystems_title(l)), body))
}

fn subsystem_table(l: Lang, rows: &[SubsystemRow], with_member: bool) -> Table {
    let mut table = Table::new(l, t::subsystems_title(l)).column(Column::text(t::column_subsystem(l)));
    if with_member {
        table = table.column(Column::text(t::column_member(l)));
    }
    table.column(Column::number(t::column_services(l))).column(Column::number(t::column_consumes(l))).rows(
        rows.iter().map(|s| {
            let mut cells = vec![Cell::titled(format!("/exchange/subsystems/{}", s.id), &s.name, &s.key)];
            if with_member {
                cells.push(Cell::legal(&s.member_name));
            }
            cells.extend([Cell::number(l, s.services), Cell::number(l, s.consumes)]);
            Row::new(cells)
        }),
    )
}

fn no_subsystems(l: Lang) -> Empty {
    Empty::new(Icon::Server, t::subsystems_empty(l), t::subsystems_empty_text(l))
}

pub(super) async fn subsystem(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let s = lists::subsystem(&k.db, &viewer, id).await?.ok_or(Error::NotFound { kind: SubsystemId::KIND })?;
    let of = CatalogueFilter { subsystem: Some(id), limit: BESIDE, ..CatalogueFilter::default() };
    let services = lists::services(&k.db, &viewer, &of).await?;
    let filter = AgreementFilter { consumer: Some(id), limit: BESIDE, ..AgreementFilter::default() };
    let consumes = lists::agreements(&k.db, &viewer, k.clock.now().date(), &filter).await?;
    let instance = store::registry::serial(&k.db).await?.1;
    let path = format!("{instance}/{}", s.key);
    let calls = format!("/exchange/calls?client={}", web::encoded(&path));
    let facts = Facts::new()
        .row(t::fact_client_header(l), Cell::code(&path))
        .row(t::column_member(l), Cell::link(format!("/exchange/members/{}", s.member), &s.member_name));
    let mut content = Html::of(
        Section::new(t::services_provided(l), service_table(l, &services, false).empty(no_services(l)))
            .flush(),
    );
    content.push(
        Section::new(t::subsystem_consumes(l), agreements::table(l, &consumes).empty(no_agreements(l)))
            .flush(),
    );
    content.push(outages::contacts(&k, &cx, id).await?);
    let head = Head::new(l, &s.name)
        .legal_name()
        .code(&s.key)
        .action(
            Action::link(t::nav_traffic(l), format!("/exchange/subsystems/{id}/traffic"))
                .icon(Icon::ChartLine),
        )
        .action(Action::link(t::calls_of_subsystem(l), calls).icon(Icon::Activity));
    let mut body = Html::of(head);
    body.push(Thing::new(content).side(t::facts_title(l), facts));
    let frame = cx.frame(&s.name).crumb(t::subsystems_title(l), "/exchange/subsystems");
    Ok(web::page(&frame, body))
}

pub(super) async fn services(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let mut rows = lists::services(&k.db, &viewer, &asked.filter()).await?;
    let more = cut(&mut rows);
    let next = parts::next(&cx, more, || rows.last().map(|r| r.id.to_string()).unwrap_or_default());
    let table = service_table(l, &rows, true)
        .next(next)
        .export(cx.address())
        .previous(parts::first(&cx))
        .empty(nothing(l, &asked, Icon::Api, t::services_empty(l), t::services_empty_text(l)));
    let mut body = Html::of(Head::new(l, t::services_title(l)).sub(t::services_sub(l)));
    let reach = [lists::Reach::Internal, lists::Reach::National];
    let reach = reach.map(|r| (r.as_str().to_owned(), parts::reach(l, r).to_owned())).to_vec();
    let mut filters =
        Filters::new(&cx).search("q", t::search_catalogue(l)).select("reach", t::column_reach(l), reach);
    if let Some(at) = asked.filter().at {
        filters = filters.chip(t::services_at(l), at.vn(), cx.address().without("after").without("at"));
    }
    body.push(filters);
    body.push(table);
    Ok(web::page(&cx.frame(t::services_title(l)), body))
}

fn service_table(l: Lang, rows: &[ServiceRow], with_provider: bool) -> Table {
    let mut table = Table::new(l, t::services_title(l)).column(Column::text(t::column_service(l)));
    if with_provider {
        table = table.column(Column::text(t::column_provider(l)));
    }
    table
        .column(Column::text(t::column_kind(l)))
        .column(Column::number(t::column_endpoints(l)))
        .column(Column::number(t::column_agreements(l)))
        .column(Column::text(t::column_state(l)))
        .rows(rows.iter().map(|s| {
            let mut cells = vec![Cell::titled(format!("/exchange/services/{}", s.id), &s.name, &s.key)];
            if with_provider {
                cells.push(Cell::named(&s.subsystem_name, &s.member_name));
            }
            cells.extend([
                Cell::code(s.kind),
                Cell::number(l, s.endpoints),
                Cell::number(l, s.agreements),
                Cell::badge(parts::service(l, &s.state)),
            ]);
            Row::new(cells)
        }))
}

fn no_services(l: Lang) -> Empty {
    Empty::new(Icon::Api, t::services_empty(l), t::services_empty_text(l))
}

fn no_agreements(l: Lang) -> Empty {
    Empty::new(Icon::FileCertificate, t::agreements_empty(l), t::agreements_empty_text(l))
}

/// Which tab of a service.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Tab {
    #[serde(default)]
    tab: String,
}

pub(super) async fn service(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    Query(tab): Query<Tab>,
) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let s = lists::service(&k.db, &viewer, id).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
    let instance = store::registry::serial(&k.db).await?.1;
    let path = format!("{instance}/{}", s.key);
    let endpoints = lists::endpoints(&k.db, id).await?;
    let content = match tab.tab.as_str() {
        "agreements" => {
            let filter = AgreementFilter { service: Some(id), limit: BESIDE, ..AgreementFilter::default() };
            let rows = lists::agreements(&k.db, &viewer, k.clock.now().date(), &filter).await?;
            Html::of(
                Section::new(t::service_callers(l), agreements::table(l, &rows).empty(no_agreements(l)))
                    .flush(),
            )
        }
        "openapi" => document(&k, &cx, &s).await?,
        "how" => how_to_call(&cx, &path, &endpoints),
        _ => endpoint_section(l, &endpoints),
    };
    let at = format!("/exchange/services/{id}");
    let shown = |name: &str| {
        tab.tab == name || name.is_empty() && !["agreements", "openapi", "how"].contains(&tab.tab.as_str())
    };
    let tabs = Tabs::new(l)
        .tab(t::tab_endpoints(l), &at, Some(web::ui::Count::exact(endpoints.len() as u64)), shown(""))
        .tab(t::tab_callers(l), format!("{at}?tab=agreements"), None, shown("agreements"))
        .tab(t::tab_openapi(l), format!("{at}?tab=openapi"), None, shown("openapi"))
        .tab(t::tab_how(l), format!("{at}?tab=how"), None, shown("how"));
    let calls = format!("/exchange/calls?service={}", web::encoded(&path));
    let head = Head::new(l, &s.name)
        .legal_name()
        .code(&s.key)
        .badge(parts::service(l, &s.state))
        .action(Action::link(t::nav_traffic(l), format!("{at}/traffic")).icon(Icon::ChartLine))
        .action(Action::link(t::calls_of_service(l), calls).icon(Icon::Activity));
    let head = match concerns(&k, &viewer, &s).await? {
        true => {
            head.action(Action::link(t::diagnose_link(l), connection::href(s.id)).icon(Icon::PlugConnected))
        }
        false => head,
    };
    let head = match announcements::action(&k, &cx, id).await {
        Some(action) => head.action(action),
        None => head,
    };
    let standing = actions::zones(&k, &cx, &id.to_ref()).await?;
    let head = match zones::action(l, &k, &at, standing.dedicated_only) {
        Some(action) if standing.may_change(&cx).is_ok() => head.action(action),
        _ => head,
    };
    let head = match outages::action(&cx, id) {
        Some(action) => head.action(action),
        None => head,
    };
    let mut body = Html::of(head);
    if let Some(outage) = store::outages::open(&k.db, id).await? {
        body.push(outages::notice(&cx, &outage));
    }
    body.push(announcements::notices(&k, &cx, id).await?);
    if let Some(notice) = s.state.notice() {
        let text =
            if notice.is_empty() { t::service_off(l).to_owned() } else { t::service_off_notice(l, notice) };
        body.push(Notice::new(Tone::Warn, text));
    }
    let facts = service_facts(&k, &cx, &viewer, &s, &path)
        .await?
        .row(t::fact_zones(l), zones::cell(l, &k, standing.dedicated_only));
    body.push(tabs);
    body.push(Thing::new(content).side(t::facts_title(l), facts));
    let frame = cx.frame(&s.name).crumb(t::services_title(l), "/exchange/services");
    Ok(web::page(&frame, body))
}

/// The provider's inner address concerns whoever runs or provides the service, not its callers.
async fn concerns(k: &Kernel, viewer: &Viewer, s: &ServiceRow) -> Result<bool> {
    Ok(*viewer == Viewer::All || lists::subsystem(&k.db, viewer, s.subsystem).await?.is_some())
}

async fn service_facts(k: &Kernel, cx: &Cx, viewer: &Viewer, s: &ServiceRow, path: &str) -> Result<Facts> {
    let l = cx.lang;
    let inner = concerns(k, viewer, s).await?;
    let seconds = fmt::decimal(l, s.timeout_ms as f64 / 1000.0, 1);
    Ok(Facts::new()
        .row(t::column_provider(l), Cell::named(&s.subsystem_name, &s.member_name))
        .row(t::fact_path(l), Cell::code(format!("/r1/{path}")))
        .row(t::column_kind(l), Cell::code(s.kind))
        .maybe(t::fact_base_url(l), inner.then(|| Cell::code(&s.base_url)))
        .maybe(
            t::fact_link(l),
            inner.then(|| match s.base_url.is_https() {
                true => Cell::badge(Badge::new(Tone::Good, t::link_encrypted(l))),
                false => Cell::badge(Badge::new(Tone::Neutral, t::link_plain(l))),
            }),
        )
        .row(t::fact_timeout(l), Cell::text(t::seconds(l, seconds)))
        .row(t::column_changed(l), Cell::time(s.changed_at)))
}

fn endpoint_section(l: Lang, endpoints: &[EndpointRow]) -> Html {
    let table = Table::new(l, t::tab_endpoints(l))
        .column(Column::text(t::column_method(l)))
        .column(Column::text(t::column_path(l)))
        .column(Column::text(t::column_purpose(l)))
        .rows(endpoints.iter().map(|e| {
            let name = if e.name.is_empty() { Cell::none() } else { Cell::text(&e.name) };
            Row::new([Cell::code(e.route.method), Cell::code(e.route.path.as_str()), name])
        }))
        .empty(Empty::new(Icon::Route, t::endpoints_empty(l), t::endpoints_empty_text(l)));
    Html::of(Section::new(t::tab_endpoints(l), table).flush().help(t::endpoints_help(l)))
}

async fn document(k: &Kernel, cx: &Cx, s: &ServiceRow) -> Result<Html> {
    let l = cx.lang;
    let bytes = match &s.document {
        Some(sha256) => store::document(k, sha256).await?,
        None => None,
    };
    let Some(bytes) = bytes else {
        let empty = Empty::new(Icon::FileText, t::openapi_none(l), t::openapi_none_text(l));
        let may = crate::description::standing(k, cx, s.id).await.is_ok();
        return Ok(Html::of(if may { empty.action(renew(l, s)) } else { empty }));
    };
    let Ok(document) = crate::openapi::read(&bytes) else {
        return Err(Error::internal("a stored OpenAPI document cannot be read"));
    };
    let facts = Facts::new()
        .row(t::openapi_title_fact(l), Cell::text(&document.title))
        .row(t::openapi_version_fact(l), Cell::code(&document.version))
        .row("SHA-256", Cell::code(s.document.as_deref().unwrap_or_default()));
    let operations = Table::new(l, t::openapi_operations(l))
        .column(Column::text(t::column_method(l)))
        .column(Column::text(t::column_path(l)))
        .column(Column::text(t::column_purpose(l)))
        .rows(document.operations.iter().map(|o| {
            Row::new([Cell::code(o.route.method), Cell::code(&o.template), Cell::text(&o.summary)])
        }));
    let download =
        Action::link(t::openapi_download(l), format!("/api/exchange/v1/services/{}/openapi", s.id))
            .icon(Icon::Download);
    let mut section = Section::new(t::tab_openapi(l), facts).action(download);
    if crate::description::standing(k, cx, s.id).await.is_ok() {
        section = section.action(renew(l, s).icon(Icon::Upload));
    }
    let mut out = Html::of(section);
    out.push(Section::new(t::openapi_operations(l), operations).flush());
    Ok(out)
}

fn renew(l: Lang, s: &ServiceRow) -> Action {
    Action::link(t::description_title(l), format!("/exchange/services/{}/description", s.id))
}

/// What an integrator copies: a token, then a call.
fn how_to_call(cx: &Cx, path: &str, endpoints: &[EndpointRow]) -> Html {
    let l = cx.lang;
    let origin = cx.site().origin();
    let example =
        endpoints.first().map_or("", |e| e.route.path.as_str()).replace("**", "…").replace('*', "…");
    let token = format!(
        "TOKEN=$(curl -s {origin}/oauth2/token \\\n  -u \"$CLIENT_ID:$CLIENT_SECRET\" \\\n  -d grant_type=client_credentials -d scope=exchange \\\n  | sed -E 's/.*\"access_token\":\"([^\"]+)\".*/\\1/')"
    );
    let method = endpoints.first().map_or("GET", |e| e.route.method.as_str()).replace('*', "GET");
    let call = format!(
        "curl -i -X {method} {origin}/r1/{path}{example} \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  -H \"X-Road-Client: $CLIENT\" \\\n  -H \"X-Road-Id: $(uuidgen)\""
    );
    let evidence = format!(
        "curl -s {origin}/api/exchange/v1/calls/$REQUEST_ID/evidence \\\n  -H \"Authorization: Bearer $TOKEN\" -OJ\nlienthong verify chung-cu-$REQUEST_ID.lienthong-evidence.json"
    );
    let mut code = Html::of(Code::new(l, token).title(t::how_token(l)));
    code.push(Code::new(l, call).title(t::how_call(l)));
    code.push(Code::new(l, evidence).title(t::how_evidence(l)));
    Html::of(Section::new(t::tab_how(l), code).help(t::how_help(l)))
}
