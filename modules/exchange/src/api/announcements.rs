//! What providers announce of their services, in the interface: announce, read, acknowledge, confirm, take back.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::Date;
use base::error::FieldError;
use base::i18n::Text;
use http::StatusCode;
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Access, Cx, Path, Routes};

use crate::announcement::actions::{self, Part};
use crate::announcement::{self, Announcement, Kind, Said, Told};
use crate::ids::{AnnouncementId, ServiceId, SubsystemId};
use crate::permissions::{ASK, DECIDE, INTEGRATE};
use crate::t;
use crate::viewer::Viewer;

pub(super) fn routes() -> Routes {
    let decides = Access::Needs(DECIDE);
    Routes::new()
        .get("/api/exchange/v1/announcements", Access::SignedIn, list)
        .get("/api/exchange/v1/announcements/{id}", Access::SignedIn, get)
        .post("/api/exchange/v1/services/{id}/announcements", decides, announce)
        .post("/api/exchange/v1/announcements/{id}/acknowledge", Access::SignedIn, acknowledge)
        .post("/api/exchange/v1/announcements/{id}/confirm", decides, confirm)
        .post("/api/exchange/v1/announcements/{id}/withdraw", decides, withdraw)
}

/// What a provider says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SaidBody {
    /// `change`, `deprecation` or `end`.
    kind: String,
    /// The day of the change, or from which on it is deprecated (ISO 8601); today when absent.
    effective: Option<String>,
    /// The first day without the service (ISO 8601); needed for an `end`.
    ends: Option<String>,
    /// What happens and why; at most 2,000 characters.
    what: String,
    /// Identifier of the service that replaces it.
    successor: Option<String>,
}

/// An announcement in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Listed {
    id: String,
    /// Identifier of the service.
    service: String,
    service_name: String,
    provider: String,
    /// `change`, `deprecation` or `end`.
    kind: &'static str,
    /// ISO 8601.
    effective: String,
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
    what: String,
    /// Identifier of the service that replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    successor: Option<String>,
    /// RFC 3339.
    told_at: String,
    /// Whether the provider has confirmed that calls after the end are refused.
    refuses: bool,
    withdrawn: bool,
}

impl From<&Announcement> for Listed {
    fn from(a: &Announcement) -> Self {
        Self {
            id: a.id.to_string(),
            service: a.service.to_string(),
            service_name: a.service_name.clone(),
            provider: a.provider_member.clone(),
            kind: a.said.kind.as_str(),
            effective: a.said.effective.to_string(),
            ends: a.said.ends.map(|d| d.to_string()),
            what: a.said.what.clone(),
            successor: a.said.successor.map(|id| id.to_string()),
            told_at: a.told_at.rfc3339(),
            refuses: a.refuses.is_some(),
            withdrawn: a.withdrawn.is_some(),
        }
    }
}

/// A consumer that was told.
#[derive(Serialize, ToSchema)]
pub(super) struct ToldBody {
    /// Identifier of the subsystem.
    system: String,
    name: String,
    member: String,
    /// RFC 3339.
    told_at: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
}

impl From<&Told> for ToldBody {
    fn from(c: &Told) -> Self {
        Self {
            system: c.subsystem.to_string(),
            name: c.name.clone(),
            member: c.member.clone(),
            told_at: c.told_at.rfc3339(),
            acknowledged_at: c.acknowledged.as_ref().map(|(at, _)| at.rfc3339()),
        }
    }
}

/// An announcement with the consumers the caller may know of.
#[derive(Serialize, ToSchema)]
pub(super) struct Full {
    #[serde(flatten)]
    listed: Listed,
    consumers: Vec<ToldBody>,
}

impl From<&Part> for Full {
    fn from(part: &Part) -> Self {
        Self {
            listed: Listed::from(&part.announcement),
            consumers: part.consumers.iter().map(ToldBody::from).collect(),
        }
    }
}

/// What stands and concerns the caller, the nearest day first.
#[utoipa::path(get, path = "/api/exchange/v1/announcements", tag = "exchange", responses((status = 200, body = Vec<Listed>)))]
pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Json<Vec<Listed>>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let all = announcement::concerning(&k.db, &viewer, k.clock.now().date()).await?;
    Ok(Json(all.iter().map(Listed::from).collect()))
}

/// One announcement.
#[utoipa::path(get, path = "/api/exchange/v1/announcements/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Full)))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
) -> web::Result<Json<Full>> {
    Ok(Json(Full::from(&actions::find(&k, &cx, id).await?)))
}

/// Announces a change, a deprecation or an end, and tells the consumers.
#[utoipa::path(post, path = "/api/exchange/v1/services/{id}/announcements", tag = "exchange",
    params(("id" = String, Path)), request_body = SaidBody, responses((status = 201, body = Full)))]
pub(super) async fn announce(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    web::Json(body): web::Json<serde_json::Value>,
) -> web::Result<Response> {
    actions::may_announce(&k, &cx, id).await?;
    let body: SaidBody = typed(body)?;
    let said = said(body, k.clock.now().date())?;
    let (id, _, _) = actions::announce(&k, &cx, id, &said).await?;
    let full = Full::from(&actions::find(&k, &cx, id).await?);
    Ok((StatusCode::CREATED, Json(full)).into_response())
}

/// A body that is read once it is known that the caller may know of the thing.
fn typed<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T, Error> {
    serde_json::from_value(body).map_err(|e| super::page::wrong("body", &e.to_string()))
}

fn said(body: SaidBody, today: Date) -> Result<Said, Error> {
    let mut wrong = Vec::new();
    let mut say = |field: &str, given: &str| {
        let text = Text::both(|l| t::parameter_wrong(l, crate::code::clip(given)));
        wrong.push(FieldError { field: field.to_owned(), text });
    };
    let kind = Kind::from_word(&body.kind);
    if kind.is_none() {
        say("kind", &body.kind);
    }
    let mut date = |name: &str, text: Option<&String>| {
        let text = text?;
        let read = text.parse::<Date>().ok();
        if read.is_none() {
            say(name, text);
        }
        read
    };
    let effective = date("effective", body.effective.as_ref()).unwrap_or(today);
    let ends = date("ends", body.ends.as_ref());
    let successor = match &body.successor {
        None => None,
        Some(text) => match text.parse() {
            Ok(id) => Some(id),
            Err(_) => {
                say("successor", text);
                None
            }
        },
    };
    match kind {
        Some(kind) if wrong.is_empty() => {
            Ok(Said { kind, effective, ends, what: base::text::nfc(body.what.trim()), successor })
        }
        _ => Err(Error::Invalid(wrong)),
    }
}

/// For which system.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemBody {
    /// Identifier of the subsystem.
    system: String,
}

/// Acknowledges on behalf of a system.
#[utoipa::path(post, path = "/api/exchange/v1/announcements/{id}/acknowledge", tag = "exchange",
    params(("id" = String, Path)), request_body = SystemBody, responses((status = 200, body = Full)))]
pub(super) async fn acknowledge(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
    web::Json(body): web::Json<serde_json::Value>,
) -> web::Result<Json<Full>> {
    cx.may_somewhere(ASK).or_else(|_| cx.may_somewhere(INTEGRATE))?;
    actions::find(&k, &cx, id).await?;
    let body: SystemBody = typed(body)?;
    let system: SubsystemId = body.system.parse().map_err(|_| super::page::wrong("system", &body.system))?;
    actions::acknowledge(&k, &cx, id, system).await?;
    Ok(Json(Full::from(&actions::find(&k, &cx, id).await?)))
}

/// Whether calls after the end are refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmBody {
    refuses: bool,
}

/// Confirms, or takes back, that calls after the end are refused.
#[utoipa::path(post, path = "/api/exchange/v1/announcements/{id}/confirm", tag = "exchange",
    params(("id" = String, Path)), request_body = ConfirmBody, responses((status = 200, body = Full)))]
pub(super) async fn confirm(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
    web::Json(body): web::Json<serde_json::Value>,
) -> web::Result<Json<Full>> {
    actions::find(&k, &cx, id).await?;
    let body: ConfirmBody = typed(body)?;
    actions::confirm(&k, &cx, id, body.refuses).await?;
    Ok(Json(Full::from(&actions::find(&k, &cx, id).await?)))
}

/// Takes an announcement back; consumers are told.
#[utoipa::path(post, path = "/api/exchange/v1/announcements/{id}/withdraw", tag = "exchange",
    params(("id" = String, Path)), responses((status = 200, body = Full)))]
pub(super) async fn withdraw(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
) -> web::Result<Json<Full>> {
    actions::withdraw(&k, &cx, id).await?;
    Ok(Json(Full::from(&actions::find(&k, &cx, id).await?)))
}
