//! System clients as JSON.

use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use kernel::Kernel;
use kernel::clock::{Date, Timestamp};
use kernel::identity::Secret;
use kernel::identity::clients::{Client, ClientId, ClientQuery, ClientState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Cx, Json as Body, Path, Query};

use super::{Items, if_match, page_size, tagged};
use crate::Accounts;
use crate::actions::Done;
use crate::actions::clients::{self as acts, NewClient};

/// A system client. The secret is not part of it.
#[derive(Serialize, ToSchema)]
pub(super) struct ClientView {
    /// Identifier.
    #[schema(value_type = String)]
    id: ClientId,
    /// The name on the wire.
    client_id: String,
    /// What people call it.
    name: String,
    /// `instance/class/member/subsystem`.
    subsystem: String,
    /// Scopes it may have.
    scopes: Vec<String>,
    /// `active`, `expired` or `revoked`.
    state: &'static str,
    /// When the present secret was made.
    #[schema(value_type = String, format = DateTime)]
    secret_set_at: Timestamp,
    /// Until when the previous secret still serves.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_until: Option<Timestamp>,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Revoked since.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(c: &Client, now: Timestamp) -> ClientView {
    ClientView {
        id: c.id,
        client_id: c.client_id.clone(),
        name: c.name.clone(),
        subsystem: c.subsystem.clone(),
        scopes: c.scopes.iter().cloned().collect(),
        state: match c.state(now) {
            ClientState::Active => "active",
            ClientState::Expired => "expired",
            ClientState::Revoked => "revoked",
        },
        secret_set_at: c.secret_set_at,
        previous_until: c.previous_until,
        expires_at: c.expires_at,
        revoked_at: c.revoked_at,
        created_at: c.created_at,
    }
}

/// Filters of the list.
#[derive(Deserialize, IntoParams, Default)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Words of the name, wire name or subsystem.
    q: String,
    /// Only those that get tokens now.
    active: bool,
    /// Continue after this one.
    #[param(value_type = Option<String>)]
    after: Option<ClientId>,
    /// Rows, at most 200.
    limit: Option<u32>,
}

/// Clients by name.
#[utoipa::path(get, path = "/api/accounts/v1/clients", tag = "clients", params(ListQuery),
    responses((status = 200, body = Items<ClientView>)))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Query(q): Query<ListQuery>,
) -> web::Result<Json<Items<ClientView>>> {
    let (now, limit) = (k.clock.now(), page_size(q.limit));
    let active_at = q.active.then_some(now);
    let query = ClientQuery { search: q.q, active_at, after: q.after, limit: limit + 1 };
    let found = acts::list(&k, &cx, &query).await?;
    let views = found.iter().map(|c| view(c, now)).collect();
    Ok(Json(Items::new(views, limit, |v: &ClientView| v.id.to_string())))
}

/// One client. The `ETag` is its version.
#[utoipa::path(get, path = "/api/accounts/v1/clients/{client}", tag = "clients",
    params(("client" = String, Path, description = "identifier")),
    responses((status = 200, body = ClientView), (status = 404, description = "unknown")))]
pub(super) async fn get(State(k): State<Kernel>, cx: Cx, Path(id): Path<ClientId>) -> web::Result<Response> {
    let client = acts::get(&k, &cx, id).await?;
    Ok(tagged(client.version, view(&client, k.clock.now())))
}

/// A new client.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientInput {
    /// What people call it.
    name: String,
    /// `instance/class/member/subsystem`.
    subsystem: String,
    /// The name on the wire; made from the name when left out.
    #[serde(default)]
    client_id: Option<String>,
    /// Scopes; all when left out.
    #[serde(default)]
    scopes: Vec<String>,
    /// The last day.
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(default)]
    until: Option<Date>,
}

/// A client with its secret, which is shown once and kept nowhere.
#[derive(Serialize, ToSchema)]
pub(super) struct WithSecret {
    /// The client.
    client: ClientView,
    /// Its secret; absent when the request was done before.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// Where it gets tokens.
    token_url: String,
}

fn with_secret(a: &Accounts, k: &Kernel, client: &Client, secret: Option<&Secret>) -> WithSecret {
    WithSecret {
        client: view(client, k.clock.now()),
        client_secret: secret.map(|s| s.expose().to_owned()),
        token_url: a.issuer.token_url(),
    }
}

/// Makes a client. Honours `Idempotency-Key`: a repetition makes nothing and cannot show the secret again; who lost
/// it rotates it.
#[utoipa::path(post, path = "/api/accounts/v1/clients", tag = "clients", request_body = ClientInput,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = WithSecret),
        (status = 200, body = WithSecret, description = "done before; the secret was shown then"),
        (status = 409, description = "the key was used for another request"),
        (status = 422, description = "some values are not valid")))]
pub(super) async fn create(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    headers: HeaderMap,
    Body(i): Body<ClientInput>,
) -> web::Result<Response> {
    let once = super::once(&headers, "clients", &i)?;
    let new = NewClient {
        name: i.name,
        subsystem: i.subsystem,
        client_id: i.client_id,
        scopes: i.scopes,
        until: i.until,
    };
    let made = match once {
        None => Done::Now(acts::create(&k, &cx, &new).await?),
        Some(once) => acts::create_once(&k, &cx, &new, &once).await?,
    };
    let (status, client, secret) = match made {
        Done::Now(made) => (StatusCode::CREATED, made.client, Some(made.secret)),
        Done::Before(client) => (StatusCode::OK, client, None),
    };
    let place = format!("/api/accounts/v1/clients/{}", client.id);
    let body = Json(with_secret(&a, &k, &client, secret.as_ref()));
    Ok((status, [(header::LOCATION, place)], body).into_response())
}

/// How a secret is replaced.
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RotateInput {
    /// For how many hours the previous secret goes on serving, at most 168. Zero: it and all tokens issued so
    /// far are worthless at once.
    overlap_hours: u64,
}

/// Gives a client a new secret, shown once. Honours `If-Match`.
#[utoipa::path(post, path = "/api/accounts/v1/clients/{client}/secret", tag = "clients",
    params(("client" = String, Path, description = "identifier")), request_body = RotateInput,
    responses((status = 200, body = WithSecret), (status = 409, description = "revoked or expired"),
        (status = 412, description = "changed meanwhile")))]
pub(super) async fn rotate(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<ClientId>,
    headers: HeaderMap,
    Body(input): Body<RotateInput>,
) -> web::Result<Response> {
    let overlap = Duration::from_secs(input.overlap_hours.saturating_mul(3_600));
    let made = acts::rotate(&a, &k, &cx, id, overlap, if_match(&headers)?).await?;
    Ok(tagged(made.client.version, with_secret(&a, &k, &made.client, Some(&made.secret))))
}

/// Revokes a client for good. Honours `If-Match`.
#[utoipa::path(post, path = "/api/accounts/v1/clients/{client}/revoke", tag = "clients",
    params(("client" = String, Path, description = "identifier")),
    responses((status = 204), (status = 409, description = "revoked already"),
        (status = 412, description = "changed meanwhile")))]
pub(super) async fn revoke(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<ClientId>,
    headers: HeaderMap,
) -> web::Result<StatusCode> {
    acts::revoke(&a, &k, &cx, id, if_match(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
