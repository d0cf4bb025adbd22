//! Examinations of the way to a service in the interface: begin one, follow it, read the last ones. The same runs as on
//! the page; what they find is decided in `diagnose`.

use axum::Json;
use axum::extract::State;
use base::i18n::Lang;
use http::StatusCode;
use kernel::{Error, Kernel};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Access, Cx, Path, Routes};

use crate::Exchange;
use crate::diagnose::{self, Report, Step};
use crate::ids::{DiagnosisId, ServiceId};
use crate::permissions::EXAMINE;
use crate::store::diagnoses;
use crate::viewer::Viewer;

/// Runs told at most.
const LISTED: u32 = 100;

pub(super) fn routes(exchange: &Exchange) -> Routes {
    let (e1, e2) = (exchange.clone(), exchange.clone());
    Routes::new()
        .get(
            "/api/exchange/v1/services/{id}/examinations",
            Access::SignedIn,
            move |k: State<Kernel>, cx: Cx, p: Path<ServiceId>| list(e1.clone(), k, cx, p),
        )
        .post(
            "/api/exchange/v1/services/{id}/examinations",
            Access::Needs(EXAMINE),
            move |k: State<Kernel>, cx: Cx, p: Path<ServiceId>| start(e2.clone(), k, cx, p),
        )
        .get("/api/exchange/v1/services/{id}/examinations/{examination}", Access::SignedIn, get)
}

/// One step of an examination.
#[derive(Serialize, ToSchema)]
pub(super) struct StepView {
    /// `name`, `connection`, `tls`, `http` or `clock`.
    #[schema(value_type = String)]
    stage: diagnose::Stage,
    /// `good`, `warning` or `bad`.
    #[schema(value_type = String)]
    state: diagnose::StepState,
    /// Microseconds it took.
    took: i64,
    /// What was seen, one thing a line.
    lines: Vec<String>,
}

impl StepView {
    fn of(step: &Step, l: Lang) -> Self {
        Self { stage: step.stage, state: step.state, took: step.took, lines: step.lines(l, true) }
    }
}

/// One examination.
#[derive(Serialize, ToSchema)]
pub(super) struct ExaminationView {
    /// Identifier; absent while it is in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// `running` or `done`.
    state: &'static str,
    /// The base address examined.
    address: String,
    /// When it began (RFC 3339).
    at: String,
    /// Whose side is wrong: `provider`, `platform`, `line` or `unclear`; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    /// Stable name of what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    /// One sentence that names the side.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'static str>,
    /// The steps taken so far.
    steps: Vec<StepView>,
}

impl ExaminationView {
    fn of(id: Option<DiagnosisId>, r: &Report, l: Lang) -> Self {
        let done = id.is_some();
        let fault = r.fault.as_ref().filter(|_| done);
        Self {
            id: id.map(|id| id.to_string()),
            state: if done { "done" } else { "running" },
            address: r.address.clone(),
            at: r.at.rfc3339(),
            side: fault.map(|f| f.side().name()),
            fault: fault.map(diagnose::Fault::name),
            verdict: done.then(|| r.verdict(l)),
            next_step: fault.map(|f| f.next_step(l)),
            steps: r.steps.iter().map(|s| StepView::of(s, l)).collect(),
        }
    }
}

/// The one in progress, and those that were made.
#[derive(Serialize, ToSchema)]
pub(super) struct Examinations {
    /// As far as it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<ExaminationView>,
    /// The last ones, newest first; `[exchange.diagnose] keep` of each service are kept.
    items: Vec<ExaminationView>,
}

/// Examinations of the way to a service: the one in progress and the last ones.
#[utoipa::path(get, path = "/api/exchange/v1/services/{id}/examinations", tag = "exchange",
    params(("id" = String, Path, description = "service")), responses((status = 200, body = Examinations)))]
pub(super) async fn list(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<Json<Examinations>> {
    diagnose::concerned(&k, &Viewer::of(&k, &cx).await?, id).await?;
    let running = exchange.runs().of(id).map(|run| ExaminationView::of(None, &run.report(), cx.lang));
    let rows = diagnoses::of_service(&k.db, id, LISTED).await?;
    let items = rows.iter().map(|r| ExaminationView::of(Some(r.id), &r.report, cx.lang)).collect();
    Ok(Json(Examinations { running, items }))
}

/// Begins an examination in the background; one that is in progress is enough.
#[utoipa::path(post, path = "/api/exchange/v1/services/{id}/examinations", tag = "exchange",
    params(("id" = String, Path, description = "service")),
    responses((status = 202, body = Examinations), (status = 429, description = "all places are taken")))]
pub(super) async fn start(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<(StatusCode, Json<Examinations>)> {
    let parts = exchange.examining()?;
    let snapshot = exchange.keeper().current().load_full();
    diagnose::start(&k, &cx, exchange.runs(), parts, &snapshot, id).await?;
    Ok((StatusCode::ACCEPTED, list(exchange, State(k), cx, Path(id)).await?))
}

/// One examination that was made.
#[utoipa::path(get, path = "/api/exchange/v1/services/{id}/examinations/{examination}", tag = "exchange",
    params(("id" = String, Path, description = "service"), ("examination" = String, Path, description = "which")),
    responses((status = 200, body = ExaminationView), (status = 404, description = "unknown, or forgotten")))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, which)): Path<(ServiceId, DiagnosisId)>,
) -> web::Result<Json<ExaminationView>> {
    diagnose::concerned(&k, &Viewer::of(&k, &cx).await?, id).await?;
    let rows = diagnoses::of_service(&k.db, id, u32::MAX).await?;
    let found = rows.iter().find(|r| r.id == which).ok_or(Error::NotFound { kind: DiagnosisId::KIND })?;
    Ok(Json(ExaminationView::of(Some(found.id), &found.report, cx.lang)))
}
