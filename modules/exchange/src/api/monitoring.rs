//! Operational monitoring in the interface, with the names of PR-OPMON: records of calls by the time at which they
//! entered monitoring, and the health of services on the answering node. Paths, users and represented parties are in
//! neither. Records are read with the reader's rights; health is that of services they provide.

use axum::Json;
use axum::extract::State;
use kernel::{Error, Kernel};
use serde::Serialize;
use utoipa::IntoParams;
use web::{Access, Cx, Query, Routes};
use xroad::health::{HealthData, ServiceEvents, ServiceKey};
use xroad::id::{ClientId, ServiceId};
use xroad::opmon::{FIELDS, OperationalData};

use super::page::{parsed, wrong};
use crate::health::PERIOD_SECONDS;
use crate::monitoring::{cut, last_settled, record, second};
use crate::plane::Plane;
use crate::store::lists::{self, CallAfter, RecordFilter};
use crate::viewer::Viewer;
use crate::{Exchange, snapshot::Snapshot};

/// Most records in one answer, about a megabyte.
const MOST: u32 = 2_000;
/// The last second that can be asked for: the end of the year 9999.
const LAST: i64 = 253_402_300_799;

pub(super) fn routes(exchange: &Exchange) -> Routes {
    let (e1, e2) = (exchange.clone(), exchange.clone());
    Routes::new()
        .get(
            "/api/exchange/v1/operational-data",
            Access::SignedIn,
            move |k: State<Kernel>, cx: Cx, q: Query<_>| operational_data(e1.clone(), k, cx, q),
        )
        .get(
            "/api/exchange/v1/health-data",
            Access::SignedIn,
            move |k: State<Kernel>, cx: Cx, q: Query<_>| health_data(e2.clone(), k, cx, q),
        )
}

/// Parameters as pairs: `outputField` may be given several times.
type Pairs = Vec<(String, String)>;

/// Which records are asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[allow(dead_code, reason = "read from pairs; here for the description")]
pub(super) struct Asked {
    /// Only records from this second on (since 1970); from the first one unless given.
    records_from: Option<i64>,
    /// Only records up to and including this second; shifted to the last one to which nothing can be added any more,
    /// about five seconds ago.
    records_to: Option<i64>,
    /// `nextRecordsAfter` of the answer before, with its `nextRecordsFrom`.
    records_after: Option<String>,
    /// Only calls with this member or subsystem (`instance/class/member[/subsystem]`) as consumer or provider.
    client: Option<String>,
    /// Only these fields of each record; may be given several times.
    output_field: Option<Vec<String>>,
    /// Most records in one answer, at most 2000.
    limit: Option<u32>,
}

/// Records, and where the next question begins.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Records {
    #[serde(flatten)]
    data: OperationalData,
    /// To be sent as `recordsAfter` beside `recordsFrom`, when one second alone holds more than an answer may.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_records_after: Option<String>,
}

/// Records of calls in which the caller takes part, oldest first, with the names of the X-Road operational monitoring
/// protocol: `recordsCount`, `records`, `nextRecordsFrom`. Asking again with `recordsFrom` = `nextRecordsFrom` gives
/// every record once. Never in a record: `restPath`, `messageUserId`, `messageIssue`, `representedPartyCode`.
#[utoipa::path(get, path = "/api/exchange/v1/operational-data", tag = "exchange", params(Asked),
    responses((status = 200, content_type = "application/json", description = "recordsCount, records, nextRecordsFrom")))]
pub(super) async fn operational_data(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Query(pairs): Query<Pairs>,
) -> web::Result<Json<Records>> {
    let paths = Viewer::of(&k, &cx).await?.paths(&k).await?;
    let fields = fields(&pairs)?;
    let limit = parsed::<u32>("limit", last(&pairs, "limit"))?.unwrap_or(MOST).clamp(1, MOST);
    let from = instant(&pairs, "recordsFrom")?.unwrap_or(0);
    let until = instant(&pairs, "recordsTo")?;
    if let Some(until) = until.filter(|until| *until < from) {
        return Err(wrong("recordsTo", &until.to_string()).into());
    }
    // The clock before the state of the writer: what enters after this moment lies beyond it.
    let now = k.clock.now();
    let settled = last_settled(now, exchange.plane().and_then(|plane| plane.evidence.entering()));
    let shifted = until.is_none_or(|until| until > settled);
    let filter = RecordFilter {
        from: second(from),
        until: second(until.unwrap_or(LAST).min(settled) + 1),
        after: parsed::<CallAfter>("recordsAfter", last(&pairs, "recordsAfter"))?,
        partner: parsed::<ClientId>("client", last(&pairs, "client"))?,
        limit: limit + 1,
    };
    let mut rows = lists::monitored(&k.db, paths.as_deref(), &filter).await?;
    let (kept, next) = cut(&rows, limit as usize);
    rows.truncate(kept);
    let current = exchange.keeper().current();
    let snapshot = current.load();
    let kind = |service: &str| snapshot.service(service).map(|s| s.kind.as_str());
    let records: Vec<_> = rows
        .iter()
        .filter_map(|row| record(row, kind(&row.service), cx.lang))
        .map(|record| record.only(&fields))
        .collect();
    let next_records_from = match &next {
        Some(next) => Some(next.from),
        None if shifted => Some(from.max(settled + 1)),
        None => None,
    };
    let next_records_after = next.and_then(|next| next.after).map(|after| after.to_string());
    let data = OperationalData { records_count: records.len(), records, next_records_from };
    Ok(Json(Records { data, next_records_after }))
}

/// The last value of a parameter; empty ones count as not given.
fn last<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    let named = pairs.iter().rev().find(|(n, _)| n == name);
    named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn instant(pairs: &Pairs, name: &str) -> Result<Option<i64>, Error> {
    let at = parsed::<i64>(name, last(pairs, name))?;
    match at.filter(|at| !(0..=LAST).contains(at)) {
        Some(at) => Err(wrong(name, &at.to_string())),
        None => Ok(at),
    }
}

/// The fields asked for, each known to the protocol.
fn fields(pairs: &Pairs) -> Result<Vec<&str>, Error> {
    let asked = pairs.iter().filter(|(name, value)| name == "outputField" && !value.is_empty());
    let asked: Vec<&str> = asked.map(|(_, value)| value.as_str()).collect();
    match asked.iter().find(|field| !FIELDS.contains(field)) {
        Some(unknown) => Err(wrong("outputField", unknown)),
        None => Ok(asked),
    }
}

/// Whose services are asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read from pairs; here for the description")]
pub(super) struct OfWhom {
    /// Only services of this member or subsystem (`instance/class/member[/subsystem]`).
    client: Option<String>,
}

/// The health of services.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HealthOf {
    #[serde(flatten)]
    data: HealthData,
    /// For operators: refusals since the start that left no record, because who called what could not be read or
    /// because strangers called too often.
    #[serde(skip_serializing_if = "Option::is_none")]
    unrecorded_request_count: Option<u64>,
}

/// How the services that the caller provides do on the answering node: last successful and unsuccessful calls, and the
/// figures of the last ten minutes. Operators see those of all.
#[utoipa::path(get, path = "/api/exchange/v1/health-data", tag = "exchange", params(OfWhom),
    responses((status = 200, content_type = "application/json",
        description = "monitoringStartupTimestamp, statisticsPeriodSeconds, servicesEvents")))]
pub(super) async fn health_data(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Query(pairs): Query<Pairs>,
) -> web::Result<Json<HealthOf>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let paths = viewer.paths(&k).await?;
    let partner = parsed::<ClientId>("client", last(&pairs, "client"))?;
    let plane = exchange.plane().ok_or(Error::Unavailable { what: "gateway", source: None })?;
    let current = exchange.keeper().current();
    let snapshot = current.load();
    let provides = |provider: &str| {
        let own = paths.as_ref().is_none_or(|own| own.iter().any(|path| path == provider));
        own && partner.as_ref().is_none_or(|of| is_of(of, provider))
    };
    let data = HealthData {
        monitoring_startup_timestamp: plane.health.since().millis(),
        statistics_period_seconds: PERIOD_SECONDS,
        services_events: events(plane, &snapshot, &k, provides),
    };
    let unrecorded_request_count = (viewer == Viewer::All).then(|| plane.health.unrecorded_count());
    Ok(Json(HealthOf { data, unrecorded_request_count }))
}

/// Whether a subsystem is the one named, or one of the member named.
fn is_of(of: &ClientId, subsystem: &str) -> bool {
    match of {
        ClientId::Subsystem(id) => subsystem == id.path(),
        ClientId::Member(id) => subsystem.strip_prefix(id.path()).is_some_and(|rest| rest.starts_with('/')),
    }
}

fn events(
    plane: &Plane,
    snapshot: &Snapshot,
    k: &Kernel,
    provides: impl Fn(&str) -> bool,
) -> Vec<ServiceEvents> {
    let now = k.clock.now();
    let mut events = Vec::new();
    for service in &snapshot.contents().services {
        let provider = snapshot.provider_of(service);
        if !provides(&provider.path) {
            continue;
        }
        let member = snapshot.member_of(provider);
        let parts = [snapshot.instance(), &member.class, &member.code, &provider.code, &service.code];
        // The registry holds no codes that identifiers may not have.
        let Ok(id) = ServiceId::new(parts) else { continue };
        let report = plane.health.report(&service.path, now);
        events.push(ServiceEvents {
            service: ServiceKey::from(&id),
            last_successful_request_timestamp: report.last_success,
            last_unsuccessful_request_timestamp: report.last_failure,
            service_type: Some(service.kind.as_str().to_owned()),
            last_period_statistics: report.period,
        });
    }
    events
}
