//! The interface `/api/support/v1`: reporting, one's own reports, and the desk of who answers.

use axum::Json;
use axum::extract::State;
use base::clock::Timestamp;
use http::StatusCode;
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use crate::Support;
use crate::actions::{self, Act, Sent};
use crate::case::{Case, CaseId, Level, Report, Seen, State as Stands};
use crate::pages::Came;
use crate::permissions::{HANDLE, READ};
use crate::store::{self, Filter};

/// Rows of a page unless asked otherwise, and at most.
const PAGE: u32 = 50;
const MOST: u32 = 200;

pub(crate) fn routes(support: &Support) -> Routes {
    let s = support.clone();
    Routes::new()
        .post(
            "/api/support/v1/reports",
            Access::Public,
            move |k: State<Kernel>, cx: Cx, came: Came, b: web::Json<ReportBody>| {
                send(s.clone(), k, cx, came, b)
            },
        )
        .get("/api/support/v1/reports/mine", Access::SignedIn, mine)
        .get("/api/support/v1/cases", Access::Needs(READ), list)
        .get("/api/support/v1/cases/{case}", Access::Needs(READ), one)
        .post("/api/support/v1/cases/{case}/{act}", Access::Needs(HANDLE), act)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Báo lỗi / Support",
        description = "Reports of errors and what became of them.",
        version = "1"
    ),
    paths(send, mine, list, one, act)
)]
struct Document;

/// The description of the interface.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// A report.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportBody {
    /// What does not work, at most 2,000 characters.
    words: String,
    /// Path of the page; a query is cut off.
    #[serde(default)]
    page: String,
    /// The screen's code.
    #[serde(default)]
    screen: String,
    /// Number of the request that failed.
    #[serde(default)]
    request: String,
    /// `type` of the problem that was answered.
    #[serde(default)]
    fault: String,
}

/// What became of a report.
#[derive(Serialize, ToSchema)]
struct TakenView {
    /// What to quote.
    code: String,
    /// Identifier of the report.
    report: String,
    /// Whether it was put to a case of the same fault that waits.
    joined: bool,
}

/// A case.
#[derive(Serialize, ToSchema)]
struct CaseView {
    /// Identifier.
    id: String,
    /// What people quote.
    code: String,
    /// `waiting`, `answered` or `closed`.
    state: &'static str,
    /// With whom it lies: `unit`, `province` or `vendor`.
    level: &'static str,
    /// The reporter's agency, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    /// Whether who reported was signed in.
    verified: bool,
    /// Path of the page.
    page: String,
    /// The screen's code.
    screen: String,
    /// `type` of the problem that was answered.
    fault: String,
    /// How many reported it.
    reports: i64,
    /// When the first did (RFC 3339).
    opened_at: String,
    /// When anything was done last (RFC 3339).
    changed_at: String,
}

impl From<Case> for CaseView {
    fn from(c: Case) -> Self {
        Self {
            id: c.id.to_string(),
            code: c.code,
            state: c.state.name(),
            level: c.level.name(),
            agency: c.agency.map(|unit| unit.to_string()),
            verified: c.verified,
            page: c.page,
            screen: c.screen,
            fault: c.fault,
            reports: c.reports,
            opened_at: c.opened_at.rfc3339(),
            changed_at: c.changed_at.rfc3339(),
        }
    }
}

/// What one reporter said.
#[derive(Serialize, ToSchema)]
struct ReportView {
    id: String,
    /// Number of the request that failed.
    request: String,
    browser: String,
    /// When the page was shown (RFC 3339).
    seen_at: String,
    /// When it was sent (RFC 3339).
    sent_at: String,
    words: String,
}

impl From<Report> for ReportView {
    fn from(r: Report) -> Self {
        Self {
            id: r.id.to_string(),
            request: r.request,
            browser: r.browser,
            seen_at: r.seen_at.rfc3339(),
            sent_at: r.sent_at.rfc3339(),
            words: r.words,
        }
    }
}

/// Something that was done.
#[derive(Serialize, ToSchema)]
struct StepView {
    /// When (RFC 3339).
    at: String,
    /// `reported`, `answered`, `closed`, `passed-up` or `vendor`.
    step: String,
    /// What was said.
    words: String,
}

/// A case with its reports and steps.
#[derive(Serialize, ToSchema)]
struct WholeCase {
    #[serde(flatten)]
    case: CaseView,
    items: Vec<ReportView>,
    /// The last one first.
    steps: Vec<StepView>,
}

/// Cases, with where the next page begins.
#[derive(Serialize, ToSchema)]
struct CaseList {
    items: Vec<CaseView>,
    /// `after` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Sends a report; without signing in it is marked as unverified, and few are taken.
#[utoipa::path(post, path = "/api/support/v1/reports", tag = "support", request_body = ReportBody,
    responses((status = 201, body = TakenView), (status = 429, description = "too many from strangers")))]
async fn send(
    support: Support,
    State(k): State<Kernel>,
    cx: Cx,
    came: Came,
    web::Json(b): web::Json<ReportBody>,
) -> web::Result<(StatusCode, Json<TakenView>)> {
    let seen = Seen { page: b.page, screen: b.screen, request: b.request, fault: b.fault, at: None };
    let sent = Sent { seen, browser: came.browser, words: b.words, address: came.address };
    let taken = actions::send(&k, &cx, &support.strangers, sent).await?;
    let view = TakenView { code: taken.code, report: taken.report.to_string(), joined: taken.joined };
    Ok((StatusCode::CREATED, Json(view)))
}

/// The cases of one's own reports, the last one first.
#[utoipa::path(get, path = "/api/support/v1/reports/mine", tag = "support", responses((status = 200, body = CaseList)))]
async fn mine(State(k): State<Kernel>, cx: Cx) -> web::Result<Json<CaseList>> {
    let own = actions::own(&k, &cx, MOST).await?;
    Ok(Json(CaseList { items: own.into_iter().map(|(_, c)| c.into()).collect(), next: None }))
}

/// Which cases are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct Asked {
    /// `waiting`, `answered` or `closed`.
    state: Option<String>,
    /// `unit`, `province` or `vendor`.
    level: Option<String>,
    /// Words that must occur, with or without tone marks.
    q: Option<String>,
    /// Rows, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<CaseId>,
}

/// Cases of one's agencies, the last one first.
#[utoipa::path(get, path = "/api/support/v1/cases", tag = "support", params(Asked),
    responses((status = 200, body = CaseList)))]
async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Json<CaseList>> {
    cx.may_somewhere(READ)?;
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, MOST);
    let words = base::text::fold(asked.q.as_deref().unwrap_or_default());
    let filter = Filter {
        state: asked.state.as_deref().and_then(Stands::from_name),
        level: asked.level.as_deref().and_then(Level::from_name),
        words: words.split_whitespace().take(8).map(str::to_owned).collect(),
        after: asked.after,
        limit: limit + 1,
    };
    let mut rows = store::list(&k.db, &cx.agencies(READ), &filter).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|c| c.id.to_string());
    Ok(Json(CaseList { items: rows.into_iter().map(CaseView::from).collect(), next }))
}

/// One case with its reports and what was done.
#[utoipa::path(get, path = "/api/support/v1/cases/{case}", tag = "support",
    params(("case" = String, Path, description = "identifier")),
    responses((status = 200, body = WholeCase), (status = 404, description = "unknown, or another agency's")))]
async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<CaseId>) -> web::Result<Json<WholeCase>> {
    let case = actions::get(&k, &cx, id).await?;
    let items = store::reports(&k.db, id, MOST).await?.into_iter().map(ReportView::from).collect();
    let steps = store::steps(&k.db, id, MOST).await?.into_iter();
    let steps = steps.map(|s| StepView { at: Timestamp::rfc3339(s.at), step: s.kind, words: s.words });
    Ok(Json(WholeCase { case: case.into(), items, steps: steps.collect() }))
}

/// What is said with a step.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct ActBody {
    /// At most 2,000 characters; may be empty when passing up.
    words: String,
    /// The vendor's name.
    vendor: String,
    /// The vendor's address.
    email: String,
}

/// Does something with a case: `answer`, `close`, `pass-up` or `vendor`.
#[utoipa::path(post, path = "/api/support/v1/cases/{case}/{act}", tag = "support",
    params(("case" = String, Path, description = "identifier"), ("act" = String, Path, description = "see above")),
    request_body = ActBody,
    responses((status = 200, body = CaseView), (status = 404, description = "unknown, or another agency's"),
        (status = 409, description = "closed, or it lies elsewhere")))]
async fn act(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, act)): Path<(CaseId, String)>,
    web::Json(b): web::Json<ActBody>,
) -> web::Result<Json<CaseView>> {
    let what = match act.as_str() {
        "answer" => Act::Answer,
        "close" => Act::Close,
        "pass-up" => Act::PassUp,
        "vendor" => Act::Vendor { name: b.vendor, email: b.email },
        _ => return Err(Error::NotFound { kind: "page" }.into()),
    };
    actions::act(&k, &cx, id, &what, &b.words).await?;
    Ok(Json(actions::get(&k, &cx, id).await?.into()))
}
