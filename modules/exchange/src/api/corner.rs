//! The integrator's corner in the interface: own systems, their calls with reason and report, conformance runs.

use axum::Json;
use axum::extract::{Extension, State};
use axum::handler::Handler;
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Access, Cx, Path, Routes};

use crate::conformance::{self, Outcome, Run, code_label, code_todo};
use crate::corner::reach::{self, Own};
use crate::corner::{advice, report};
use crate::disclosure::CALL;
use crate::ids::{ConformanceId, ServiceId, SubsystemId};
use crate::permissions::INTEGRATE;
use crate::store::lists;
use crate::{Exchange, words};

pub(super) fn routes(exchange: &Exchange) -> Routes {
    let may = Access::Needs(INTEGRATE);
    Routes::new()
        .get("/api/exchange/v1/corner/systems", may, systems)
        .get("/api/exchange/v1/corner/systems/{id}/calls/{request_id}/reason", may, reason)
        .get("/api/exchange/v1/corner/systems/{id}/conformance", may, runs)
        .post("/api/exchange/v1/corner/systems/{id}/conformance", may, run.layer(Extension(exchange.clone())))
        .get("/api/exchange/v1/corner/systems/{id}/conformance/{run}", may, one)
}

/// A system of the caller's.
#[derive(Serialize, ToSchema)]
pub(super) struct System {
    id: String,
    /// `instance/class/member/subsystem`.
    path: String,
    name: String,
    member: String,
}

impl From<Own> for System {
    fn from(own: Own) -> Self {
        Self { id: own.id.to_string(), path: own.path, name: own.name, member: own.member }
    }
}

/// The systems the caller integrates.
#[utoipa::path(get, path = "/api/exchange/v1/corner/systems", tag = "exchange", responses((status = 200, body = Vec<System>)))]
pub(super) async fn systems(State(k): State<Kernel>, cx: Cx) -> web::Result<Json<Vec<System>>> {
    Ok(Json(reach::systems(&k, &cx).await?.into_iter().map(System::from).collect()))
}

/// Why a call did not succeed, and what to do.
#[derive(Serialize, ToSchema)]
pub(super) struct Reason {
    request_id: String,
    /// `answered`, `refused`, `failed`, `broken`, `unknown` or `running`.
    ending: &'static str,
    /// The rule that spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// The rule as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// On whose side the cause lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<&'static str>,
    /// For support: nothing personal.
    report: String,
}

/// Why a call of one's own system did not succeed, in the caller's language.
#[utoipa::path(get, path = "/api/exchange/v1/corner/systems/{id}/calls/{request_id}/reason", tag = "exchange",
    params(("id" = String, Path), ("request_id" = String, Path)), responses((status = 200, body = Reason)))]
pub(super) async fn reason(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, request_id)): Path<(SubsystemId, String)>,
) -> web::Result<Json<Reason>> {
    let own = reach::system(&k, &cx, id).await?;
    let call = lists::call(&k.db, Some(std::slice::from_ref(&own.path)), &request_id).await?;
    let call = call.ok_or(Error::NotFound { kind: CALL })?;
    let rule = call.fault.as_deref().map(|f| advice::split(f).1).filter(|r| !r.is_empty());
    let advice = rule.map(|r| advice::of(r, cx.lang));
    Ok(Json(Reason {
        ending: call.ending().as_str(),
        reason: rule.map(|r| words::rule(r, cx.lang)),
        side: advice.map(|(side, _)| side.label(cx.lang)),
        todo: advice.map(|(_, todo)| todo),
        report: report::of(&call, cx.lang),
        rule: rule.map(ToOwned::to_owned),
        request_id: call.request_id,
    }))
}

/// A conformance run.
#[derive(Serialize, ToSchema)]
pub(super) struct Conformance {
    id: String,
    /// When (RFC 3339).
    at: String,
    /// The service tested; absent when the system was tested as a consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// Nothing failed.
    passed: bool,
    checks: Vec<Checked>,
}

/// One check of a run.
#[derive(Serialize, ToSchema)]
pub(super) struct Checked {
    /// Stable.
    code: String,
    /// `passed`, `warned`, `failed` or `skipped`.
    outcome: &'static str,
    /// What is asked, in the caller's language.
    what: String,
    /// Figures, operations and codes.
    seen: String,
    /// What to do when it did not pass.
    todo: &'static str,
}

fn shown(run: Run, cx: &Cx) -> Conformance {
    let checks = run.checks.into_iter().map(|c| Checked {
        outcome: match c.outcome {
            Outcome::Passed => "passed",
            Outcome::Warned => "warned",
            Outcome::Failed => "failed",
            Outcome::Skipped => "skipped",
        },
        what: code_label(&c.code, cx.lang),
        todo: code_todo(&c.code, cx.lang),
        seen: c.seen,
        code: c.code,
    });
    Conformance {
        id: run.id.to_string(),
        at: run.at.rfc3339(),
        service: run.service.map(|s| s.to_string()),
        passed: run.passed,
        checks: checks.collect(),
    }
}

/// The last conformance runs of one's own system, newest first.
#[utoipa::path(get, path = "/api/exchange/v1/corner/systems/{id}/conformance", tag = "exchange",
    params(("id" = String, Path)), responses((status = 200, body = Vec<Conformance>)))]
pub(super) async fn runs(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
) -> web::Result<Json<Vec<Conformance>>> {
    let own = reach::system(&k, &cx, id).await?;
    Ok(Json(conformance::runs(&k.db, own.id).await?.into_iter().map(|r| shown(r, &cx)).collect()))
}

/// What is to be tested.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// A service of the system; without it the system is tested as a consumer.
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
}

/// Tests one's own system, or a service it provides.
#[utoipa::path(post, path = "/api/exchange/v1/corner/systems/{id}/conformance", tag = "exchange",
    params(("id" = String, Path)), request_body = Wanted, responses((status = 200, body = Conformance)))]
pub(super) async fn run(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
    web::Json(wanted): web::Json<Wanted>,
) -> web::Result<Json<Conformance>> {
    let own = reach::system(&k, &cx, id).await?;
    let run = conformance::run(&exchange, &k, &cx, &own, wanted.service).await?;
    found(&k, &cx, &own, run).await
}

/// One conformance run of one's own system.
#[utoipa::path(get, path = "/api/exchange/v1/corner/systems/{id}/conformance/{run}", tag = "exchange",
    params(("id" = String, Path), ("run" = String, Path)), responses((status = 200, body = Conformance)))]
pub(super) async fn one(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, run)): Path<(SubsystemId, ConformanceId)>,
) -> web::Result<Json<Conformance>> {
    let own = reach::system(&k, &cx, id).await?;
    found(&k, &cx, &own, run).await
}

async fn found(k: &Kernel, cx: &Cx, own: &Own, run: ConformanceId) -> web::Result<Json<Conformance>> {
    let run =
        conformance::one(&k.db, own.id, run).await?.ok_or(Error::NotFound { kind: ConformanceId::KIND })?;
    Ok(Json(shown(run, cx)))
}
