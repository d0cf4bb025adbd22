//! The JSON interface `/api/accounts/v1`: the same acts as the pages, described in OpenAPI.

mod clients;
mod emergencies;
mod officials;

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use kernel::identity::{people, posts};
use kernel::once::{self, Once};
use kernel::{Actor, Error, Kernel};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use web::{Access, Cx};

use crate::mount::Mount;
use crate::{Accounts, permissions as may};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tài khoản – Accounts",
        version = "1",
        description = "Cán bộ, vị trí công tác và tài khoản hệ thống. Officials, appointments and system clients."
    ),
    paths(
        me,
        roles,
        officials::list,
        officials::create,
        officials::get,
        officials::appoint,
        officials::end,
        officials::lock,
        officials::unlock,
        officials::password_link,
        clients::list,
        clients::create,
        clients::get,
        clients::rotate,
        clients::revoke,
        emergencies::list,
        emergencies::ask,
        emergencies::get,
        emergencies::grant,
        emergencies::refuse,
        emergencies::withdraw,
        emergencies::end,
        emergencies::review
    )
)]
struct Document;

/// The description of this interface.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(crate) fn routes(a: &Accounts) -> web::Routes {
    let (read, manage) = (Access::Needs(may::OFFICIAL_READ), Access::Needs(may::OFFICIAL_MANAGE));
    let (see, issue) = (Access::Needs(may::CLIENT_READ), Access::Needs(may::CLIENT_MANAGE));
    let (know, ask) = (Access::Needs(may::EMERGENCY_READ), Access::Needs(may::EMERGENCY_ASK));
    let grant = Access::Needs(may::EMERGENCY_GRANT);
    let review = Access::Needs(may::EMERGENCY_REVIEW);
    Mount::new(a)
        .get("/api/accounts/v1/me", Access::SignedIn, me)
        .get("/api/accounts/v1/roles", read, roles)
        .get("/api/accounts/v1/officials", read, officials::list)
        .post("/api/accounts/v1/officials", manage, officials::create)
        .get("/api/accounts/v1/officials/{person}", read, officials::get)
        .post("/api/accounts/v1/officials/{person}/appointments", manage, officials::appoint)
        .post("/api/accounts/v1/officials/{person}/lock", manage, officials::lock)
        .post("/api/accounts/v1/officials/{person}/unlock", manage, officials::unlock)
        .post("/api/accounts/v1/officials/{person}/password-link", manage, officials::password_link)
        .post("/api/accounts/v1/appointments/{appointment}/end", manage, officials::end)
        .get("/api/accounts/v1/emergencies", know, emergencies::list)
        .post("/api/accounts/v1/emergencies", ask, emergencies::ask)
        .get("/api/accounts/v1/emergencies/{emergency}", know, emergencies::get)
        .post("/api/accounts/v1/emergencies/{emergency}/grant", grant, emergencies::grant)
        .post("/api/accounts/v1/emergencies/{emergency}/refuse", grant, emergencies::refuse)
        .post("/api/accounts/v1/emergencies/{emergency}/withdraw", ask, emergencies::withdraw)
        .post("/api/accounts/v1/emergencies/{emergency}/end", know, emergencies::end)
        .post("/api/accounts/v1/emergencies/{emergency}/review", review, emergencies::review)
        .get("/api/accounts/v1/clients", see, clients::list)
        .post("/api/accounts/v1/clients", issue, clients::create)
        .get("/api/accounts/v1/clients/{client}", see, clients::get)
        .post("/api/accounts/v1/clients/{client}/secret", issue, clients::rotate)
        .post("/api/accounts/v1/clients/{client}/revoke", issue, clients::revoke)
        .done()
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
struct Items<T> {
    /// The things.
    items: Vec<T>,
    /// Pass as `after` to continue; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<T> Items<T> {
    /// From one row more than fits: that there is one says the list goes on.
    fn new(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = (items.len() > limit).then(|| items.get(limit.saturating_sub(1)).map(id)).flatten();
        items.truncate(limit);
        Self { items, next }
    }
}

/// How many rows a page has: 50 unless asked otherwise, at most 200.
fn page_size(asked: Option<u32>) -> u32 {
    asked.unwrap_or(50).clamp(1, 200)
}

/// Who is asking.
#[derive(Serialize, ToSchema)]
struct Me {
    /// `official` or `system`.
    kind: &'static str,
    /// The person's identifier, or the subsystem's path.
    id: String,
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The appointment acted through.
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment: Option<officials::AppointmentView>,
    /// Names of the permissions held, over whatever they reach.
    permissions: Vec<String>,
}

/// Who am I, and what may I do?
#[utoipa::path(get, path = "/api/accounts/v1/me", tag = "accounts",
    responses((status = 200, body = Me), (status = 401, description = "not signed in")))]
async fn me(State(k): State<Kernel>, cx: Cx) -> web::Result<Json<Me>> {
    let mut permissions: Vec<String> = cx.grants.0.iter().map(|g| g.permission.clone()).collect();
    permissions.sort();
    permissions.dedup();
    let (kind, id, name, appointment) = match &cx.actor {
        Actor::Official { person, appointment } => {
            let name = people::get(&k.db, *person).await?.full_name;
            let through = match appointment {
                Some(id) => Some(officials::view(&k, &posts::get(&k.db, *id).await?).await?),
                None => None,
            };
            ("official", person.to_string(), Some(name), through)
        }
        Actor::System { subsystem } => ("system", subsystem.clone(), None, None),
        _ => return Err(Error::SignIn.into()),
    };
    Ok(Json(Me { kind, id, name, appointment, permissions }))
}

/// A role and the permissions it carries.
#[derive(Serialize, ToSchema)]
struct RoleView {
    /// The code, as appointments name it.
    code: String,
    /// Vietnamese name.
    title: String,
    /// English name.
    title_en: String,
    /// Names of permissions.
    permissions: Vec<String>,
}

/// All roles.
#[utoipa::path(get, path = "/api/accounts/v1/roles", tag = "accounts",
    responses((status = 200, body = Vec<RoleView>)))]
async fn roles(Extension(a): Extension<Accounts>) -> Json<Vec<RoleView>> {
    let all = a.identity.roles().iter().map(|(code, role)| {
        let title = role.title();
        let permissions = role.permissions.clone();
        RoleView { code: code.to_owned(), title: title.vi, title_en: title.en, permissions }
    });
    Json(all.collect())
}

/// The `Idempotency-Key` of a request with what it asks for.
///
/// # Errors
/// [`Error::Invalid`] for a key that is none.
fn once(headers: &http::HeaderMap, what: &str, asked: &impl Serialize) -> kernel::Result<Option<Once>> {
    let Some(key) = headers.get(once::HEADER) else { return Ok(None) };
    let asked = format!("{what}\n{}", serde_json::to_string(asked)?);
    Once::new(key.to_str().unwrap_or_default(), &asked).map(Some)
}

/// An answer with its version as `ETag`.
fn tagged<T: Serialize>(version: i64, body: T) -> Response {
    let mut response = Json(body).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The version an `If-Match` names; `None` without the header or for `*`.
///
/// # Errors
/// [`Error::Conflict`] for a tag that is none of ours: it cannot match.
fn if_match(headers: &http::HeaderMap) -> kernel::Result<Option<i64>> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Error::Conflict)?.trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).ok_or(Error::Conflict)?;
    tag.parse().map(Some).map_err(|_| Error::Conflict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_begins() {
        let page = Items::new(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!((page.items, page.next), (vec![1, 2], Some("2".into())));
        let last = Items::new(vec![1, 2], 2, ToString::to_string);
        assert_eq!((last.items.len(), last.next), (2, None));
        assert_eq!((page_size(None), page_size(Some(0)), page_size(Some(9_999))), (50, 1, 200));
    }

    #[test]
    fn versions_are_compared_exactly() {
        let mut headers = http::HeaderMap::new();
        assert_eq!(if_match(&headers).unwrap(), None);
        for (text, expected) in
            [("*", Some(None)), ("\"3\"", Some(Some(3))), ("3", None), ("W/\"3\"", None), ("\"x\"", None)]
        {
            headers.insert(header::IF_MATCH, text.parse().unwrap());
            assert_eq!(if_match(&headers).ok(), expected, "{text}");
        }
    }

    #[test]
    fn every_route_is_described() {
        let document = document();
        let described: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        for path in ["/api/accounts/v1/me", "/api/accounts/v1/clients/{client}/secret"] {
            assert!(described.contains(&path), "{path}: {described:?}");
        }
    }
}
