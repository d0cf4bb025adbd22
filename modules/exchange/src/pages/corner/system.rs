//! One system: what it may call with a call that can be pasted, credentials that end, the last refusals.

use std::sync::Arc;

use axum::extract::{Extension, State};
use base::clock::Timestamp;
use base::i18n::Lang;
use kernel::identity::clients::{Client, ClientState};
use kernel::{Kernel, Result};
use serde_json::Value;
use web::ui::{
    Action, Badge, Cell, Code, Column, Empty, Facts, Html, Icon, Notice, Row, Section, Table, Tone,
};
use web::{Cx, Page, Path};

use super::{Tab, calls, frame, head, home_path};
use crate::corner::credentials::{self, ends_soon};
use crate::corner::example::{self, Example};
use crate::corner::reach::{self, Own};
use crate::corner::samples;
use crate::endpoint::Route;
use crate::environment::Environment;
use crate::ids::SubsystemId;
use crate::pages::{announcements, parts};
use crate::quota::Quota;
use crate::snapshot::{AgreementEntry, ServiceEntry, Snapshot};
use crate::store::lists::{self, CallFilter, Ending};
use crate::{Exchange, announcement, t};

/// Refusals shown on the overview.
const LAST: u32 = 5;

/// An agreement in force with what it opens.
pub(super) struct Open {
    pub(super) service: ServiceEntry,
    agreement: AgreementEntry,
    pub(super) routes: Vec<Route>,
    /// The environment to name, when calls do not go there unasked.
    named: Option<Environment>,
}

/// What a system may call now, by the configuration in force.
pub(super) fn open(exchange: &Exchange, own: &Own, now: Timestamp) -> Vec<Open> {
    let snapshot: Arc<Snapshot> = exchange.keeper().current().load_full();
    let Some(consumer) = snapshot.consumer(&own.path) else { return Vec::new() };
    let held = snapshot.contents().agreements.iter();
    let held = held.filter(|a| a.consumer == own.id && a.valid_from <= now && now < a.valid_until);
    held.filter_map(|a| {
        let service = snapshot.contents().services.iter().find(|s| s.id == a.service)?;
        let routes = snapshot.allowed(consumer, service, now)?.into_iter().cloned().collect();
        let unasked = snapshot.unasked(consumer, service);
        let named = Some(a.environment).filter(|e| Some(*e) != unasked);
        Some(Open { service: service.clone(), agreement: a.clone(), routes, named })
    })
    .collect()
}

/// The description of a service, when it has one that can be read.
pub(super) async fn document(k: &Kernel, service: &ServiceEntry) -> Result<Option<Value>> {
    let Some(sha256) = &service.openapi else { return Ok(None) };
    let bytes = crate::store::document(k, sha256).await?;
    Ok(bytes.and_then(|b| serde_json::from_slice(&b).ok()))
}

pub(super) async fn page(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
) -> web::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let own = reach::system(&k, &cx, id).await?;
    let clients = credentials::of(&k, &own).await?;
    let mut body = head(l, &own, Tab::Overview);
    attention(l, &own, &clients, now, &mut body);
    announced(&k, &cx, &own, &mut body).await?;
    refusals(&exchange, &k, &cx, &own, &mut body).await?;
    let found = open(&exchange, &own, now);
    if found.is_empty() {
        body.push(Section::new(
            t::corner_open_services(l),
            Empty::new(Icon::Api, t::corner_no_service(l), t::corner_no_service_text(l)),
        ));
    }
    for one in found {
        let document = document(&k, &one.service).await?;
        body.push(service(&exchange, &cx, &own, &clients, &one, document.as_ref(), now));
    }
    provided(&exchange, l, &own, &mut body);
    Ok(web::page(&frame(&cx, &own, &own.name), body))
}

/// The services it provides itself, with the way to a new description.
fn provided(exchange: &Exchange, l: Lang, own: &Own, body: &mut Html) {
    let snapshot = exchange.keeper().current().load_full();
    let mut services = snapshot.contents().services.iter().filter(|s| s.provider == own.id).peekable();
    if services.peek().is_none() {
        return;
    }
    let table = services.fold(
        Table::new(l, t::corner_own_services(l))
            .column(Column::text(t::column_service(l)))
            .column(Column::end(t::credential_acts(l))),
        |table, s| {
            let renew = format!("/exchange/services/{}/description", s.id);
            table.row(Row::new([
                Cell::titled(format!("/exchange/corner/catalogue/{}", s.id), &s.name, &s.path),
                Cell::end(Action::link(t::description_title(l), renew).small()),
            ]))
        },
    );
    body.push(Section::new(t::corner_own_services(l), table).flush());
}

/// What must be done about credentials.
fn attention(l: Lang, own: &Own, clients: &[Client], now: Timestamp, body: &mut Html) {
    let here = format!("{}/credentials", home_path(own));
    let active = clients.iter().filter(|c| c.state(now) == ClientState::Active).count();
    if active == 0 {
        let new = Action::link(t::credential_new(l), format!("{here}/new")).icon(Icon::Plus);
        body.push(Notice::new(Tone::Info, t::corner_no_credential(l)).action(new));
    }
    for client in clients.iter().filter(|c| ends_soon(c, now)) {
        let end = client.expires_at.map_or_else(String::new, Timestamp::vn);
        let text = t::corner_credential_ends(l, t::CornerCredentialEnds { end, name: &client.name });
        body.push(Notice::new(Tone::Warn, text).action(Action::link(t::credential_see(l), &here)));
    }
}

/// What providers announced to it.
async fn announced(k: &Kernel, cx: &Cx, own: &Own, body: &mut Html) -> Result<()> {
    let l = cx.lang;
    for (a, acknowledged) in announcement::mine(&k.db, own.id, k.clock.now().date()).await? {
        let label = if acknowledged { t::announce_open(l) } else { t::announce_read(l) };
        let more = Action::link(label, format!("/exchange/announcements/{}", a.id));
        body.push(announcements::notice(l, &a).action(more));
    }
    Ok(())
}

/// The last calls that did not succeed, with their reasons.
async fn refusals(exchange: &Exchange, k: &Kernel, cx: &Cx, own: &Own, body: &mut Html) -> Result<()> {
    let l = cx.lang;
    let mut rows = Vec::new();
    for ending in [Ending::Refused, Ending::Failed] {
        let filter = CallFilter {
            client: Some(own.path.clone()),
            ending: Some(ending),
            limit: LAST,
            ..CallFilter::default()
        };
        rows.extend(lists::calls(&k.db, Some(std::slice::from_ref(&own.path)), &filter).await?);
    }
    rows.sort_by_key(|c| std::cmp::Reverse(c.request_in));
    rows.truncate(LAST as usize);
    if rows.is_empty() {
        body.push(Notice::new(Tone::Good, t::corner_no_refusal(l)));
        return Ok(());
    }
    let snapshot = exchange.keeper().current().load_full();
    let all = Action::link(t::corner_all_calls(l), format!("{}/calls", home_path(own)));
    let table = calls::table(l, own, &snapshot, &rows);
    body.push(Section::new(t::corner_last_refusals(l), table).action(all).flush());
    Ok(())
}

/// One service it may call: the agreement, what is left of the quota, a call that can be pasted.
fn service(
    exchange: &Exchange,
    cx: &Cx,
    own: &Own,
    clients: &[Client],
    one: &Open,
    document: Option<&Value>,
    now: Timestamp,
) -> Section {
    let l = cx.lang;
    let a = &one.agreement;
    let last = Timestamp::from_micros(a.valid_until.micros() - 1).date();
    let validity = t::validity(l, t::Validity { first: a.valid_from.date().vn(), last: last.vn() });
    let standing = match one.routes.is_empty() && !one.service.endpoints.is_empty() {
        true => Badge::new(Tone::Warn, t::service_disabled(l)),
        false => parts::service_open(l, one.service.disabled.is_none()),
    };
    let facts = Facts::new()
        .row(t::thing_agreement(l), Cell::with_sub(&a.number, validity))
        .row(t::fact_environment(l), Cell::text(a.environment.label(l)))
        .row(
            t::corner_quota_left(l),
            Cell::text(quota(l, a.quota, exchange.keeper().meters().used(a.id, now))),
        )
        .row(t::column_state(l), Cell::badge(standing));
    let routes: Vec<&Route> = one.routes.iter().collect();
    let example = example::of(document, &routes);
    let mut body = Html::of(facts);
    if let Some(example) = &example {
        body.push(parts::apart(Code::new(l, curl(exchange, cx, own, clients, one, example)).title("curl")));
    }
    let here = format!("{}/try/{}", home_path(own), one.service.id);
    Section::new(&one.service.name, body)
        .help(&one.service.path)
        .action(Action::link(t::corner_try(l), here).icon(Icon::PlayerPlay))
        .action(Action::link(
            t::corner_description(l),
            format!("/exchange/corner/catalogue/{}", one.service.id),
        ))
}

/// What of a quota is left, in words.
fn quota(l: Lang, quota: Quota, (minute, day): (u32, u32)) -> String {
    let left = |limit: u32, used: u32| i64::from(limit.saturating_sub(used));
    let mut out = Vec::new();
    if let Some(limit) = quota.per_minute {
        let (left, limit) = (left(limit, minute), i64::from(limit));
        out.push(t::corner_left_minute(l, t::CornerLeftMinute { left, limit }));
    }
    if let Some(limit) = quota.per_day {
        let (left, limit) = (left(limit, day), i64::from(limit));
        out.push(t::corner_left_day(l, t::CornerLeftDay { left, limit }));
    }
    if out.is_empty() { t::corner_unlimited(l).to_owned() } else { out.join(" · ") }
}

/// A call to paste.
pub(super) fn curl(
    exchange: &Exchange,
    cx: &Cx,
    own: &Own,
    clients: &[Client],
    one: &Open,
    example: &Example,
) -> String {
    let token_url = exchange.issuer().map_or_else(|_| String::new(), kernel::tokens::TokenIssuer::token_url);
    let call = call(cx, own, clients, &one.service, example, &token_url);
    samples::Call { environment: one.named, ..call }.curl()
}

/// The values samples are written with.
pub(super) fn call<'a>(
    cx: &'a Cx,
    own: &'a Own,
    clients: &'a [Client],
    service: &'a ServiceEntry,
    example: &'a Example,
    token_url: &'a str,
) -> samples::Call<'a> {
    let active = clients.iter().find(|c| c.state(cx.at) == ClientState::Active);
    samples::Call {
        origin: cx.site().origin(),
        token_url,
        client_id: active.map_or("CLIENT_ID", |c| c.client_id.as_str()),
        client: &own.path,
        service: &service.path,
        method: &example.method,
        path: &example.path,
        body: example.body.as_deref().filter(|_| example.method != "GET"),
        environment: None,
    }
}
