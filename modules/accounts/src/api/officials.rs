//! Officials and appointments as JSON.

use axum::Json;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use kernel::clock::{Date, Timestamp};
use kernel::identity::people::PeopleQuery;
use kernel::identity::{Appointment, Holding, Standing, posts};
use kernel::orgs::UnitId;
use kernel::{AppointmentId, Kernel, PersonId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Cx, Json as Body, Path, Query};

use super::{Items, page_size};
use crate::actions::officials::{self as acts, End, NewAppointment, NewOfficial, Official};
use crate::actions::{Done, links};
use crate::{Accounts, agencies};

/// An official.
#[derive(Serialize, ToSchema)]
pub(super) struct OfficialView {
    /// Identifier.
    #[schema(value_type = String)]
    id: PersonId,
    /// Sign-in name.
    username: String,
    /// Full name.
    full_name: String,
    /// Whether the account is locked.
    locked: bool,
    /// Whether a password was ever set.
    has_password: bool,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The last sign-in.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in_at: Option<Timestamp>,
    /// Appointments, newest first.
    appointments: Vec<AppointmentView>,
}

/// An appointment.
#[derive(Serialize, ToSchema)]
pub(super) struct AppointmentView {
    /// Identifier.
    #[schema(value_type = String)]
    id: AppointmentId,
    /// The post.
    post: String,
    /// The agency.
    #[schema(value_type = Option<String>)]
    agency: Option<UnitId>,
    /// The agency's name as of today, or of the appointment's last day.
    agency_name: Option<String>,
    /// The field of work, if limited to one.
    field: Option<String>,
    /// `substantive`, `acting` or `deputy`.
    #[schema(value_type = String)]
    holding: Holding,
    /// First day.
    #[schema(value_type = String, format = Date)]
    valid_from: Date,
    /// Last day.
    #[schema(value_type = Option<String>, format = Date)]
    valid_until: Option<Date>,
    /// Ended early.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// `future`, `current` or `ended`.
    standing: &'static str,
    /// Codes of roles.
    roles: Vec<String>,
}

pub(super) async fn view(k: &Kernel, a: &Appointment) -> kernel::Result<AppointmentView> {
    let now = k.clock.now();
    Ok(AppointmentView {
        id: a.id,
        post: a.post.clone(),
        agency: a.agency,
        agency_name: agencies::of(k, a, now.date()).await?,
        field: a.field.clone(),
        holding: a.holding,
        valid_from: a.period.from,
        valid_until: a.period.until,
        ended_at: a.ended_at,
        standing: match a.standing(now) {
            Standing::Future => "future",
            Standing::Current => "current",
            Standing::Ended => "ended",
        },
        roles: a.roles.clone(),
    })
}

async fn official_view(k: &Kernel, o: Official) -> kernel::Result<OfficialView> {
    let mut appointments = Vec::with_capacity(o.appointments.len());
    for a in &o.appointments {
        appointments.push(view(k, a).await?);
    }
    Ok(OfficialView {
        id: o.person.id,
        username: o.person.username,
        full_name: o.person.full_name,
        locked: o.person.locked_at.is_some(),
        has_password: o.person.password_set_at.is_some(),
        created_at: o.person.created_at,
        last_sign_in_at: o.person.last_sign_in_at,
        appointments,
    })
}

/// Filters of the list.
#[derive(Deserialize, IntoParams, Default)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Words of the name or sign-in name, with or without accents.
    q: String,
    /// Only locked, or only unlocked accounts.
    locked: Option<bool>,
    /// Continue after this one.
    #[param(value_type = Option<String>)]
    after: Option<PersonId>,
    /// Rows, at most 200.
    limit: Option<u32>,
}

/// Officials by given name, those within the reader's reach.
#[utoipa::path(get, path = "/api/accounts/v1/officials", tag = "officials", params(ListQuery),
    responses((status = 200, body = Items<OfficialView>)))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Query(q): Query<ListQuery>,
) -> web::Result<Json<Items<OfficialView>>> {
    let limit = page_size(q.limit);
    let query = PeopleQuery { search: q.q, locked: q.locked, after: q.after, limit: limit + 1 };
    let mut views = Vec::new();
    for official in acts::list(&k, &cx, &query).await? {
        views.push(official_view(&k, official).await?);
    }
    Ok(Json(Items::new(views, limit, |v| v.id.to_string())))
}

/// One official.
#[utoipa::path(get, path = "/api/accounts/v1/officials/{person}", tag = "officials",
    params(("person" = String, Path, description = "identifier")),
    responses((status = 200, body = OfficialView), (status = 404, description = "unknown, or out of reach")))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Json<OfficialView>> {
    Ok(Json(official_view(&k, acts::get(&k, &cx, id).await?).await?))
}

/// A new official.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfficialInput {
    /// Sign-in name.
    username: String,
    /// Full name.
    full_name: String,
    /// The first appointment.
    appointment: AppointmentInput,
}

/// A new appointment.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AppointmentInput {
    /// The post.
    post: String,
    /// The agency; leave out only for those who operate the platform.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    agency: Option<UnitId>,
    /// The field of work, if limited to one.
    #[serde(default)]
    field: Option<String>,
    /// `substantive` (default), `acting` or `deputy`.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    holding: Option<Holding>,
    /// First day.
    #[schema(value_type = String, format = Date)]
    valid_from: Date,
    /// Last day.
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(default)]
    valid_until: Option<Date>,
    /// Codes of roles.
    roles: Vec<String>,
}

impl From<AppointmentInput> for NewAppointment {
    fn from(i: AppointmentInput) -> Self {
        Self {
            post: i.post,
            agency: i.agency,
            field: i.field,
            holding: i.holding.unwrap_or(Holding::Substantive),
            from: i.valid_from,
            until: i.valid_until,
            roles: i.roles,
        }
    }
}

/// A made account.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedOfficial {
    /// The official.
    official: OfficialView,
    /// The one-time address by which the person sets a password. Shown once, serves 24 hours; absent when the request
    /// was done before.
    #[serde(skip_serializing_if = "Option::is_none")]
    password_link: Option<String>,
}

fn link_address(cx: &Cx, secret: &kernel::identity::Secret) -> String {
    format!("{}{}", cx.site().origin(), links::path(secret).expose())
}

/// Makes an account with its first appointment. Honours `Idempotency-Key`: a repetition makes nothing.
#[utoipa::path(post, path = "/api/accounts/v1/officials", tag = "officials", request_body = OfficialInput,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CreatedOfficial),
        (status = 200, body = CreatedOfficial, description = "done before; the link was shown then"),
        (status = 409, description = "the key was used for another request"),
        (status = 422, description = "some values are not valid")))]
pub(super) async fn create(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    headers: HeaderMap,
    Body(input): Body<OfficialInput>,
) -> web::Result<Response> {
    let once = super::once(&headers, "officials", &input)?;
    let (username, full_name, appointment) = (input.username, input.full_name, input.appointment.into());
    let new = NewOfficial { username, full_name, appointment, password: None };
    let made = match once {
        None => Done::Now(acts::create(&a, &k, &cx, &new).await?),
        Some(once) => acts::create_once(&a, &k, &cx, &new, &once).await?,
    };
    let (status, person, link) = match made {
        Done::Now(made) => (StatusCode::CREATED, made.person, made.link),
        Done::Before(person) => (StatusCode::OK, person, None),
    };
    let official = official_view(&k, acts::get(&k, &cx, person).await?).await?;
    let password_link = link.map(|s| link_address(&cx, &s));
    let place = format!("/api/accounts/v1/officials/{person}");
    let body = Json(CreatedOfficial { official, password_link });
    Ok((status, [(header::LOCATION, place)], body).into_response())
}

/// Appoints somebody who has an account. Honours `Idempotency-Key`: a repetition makes nothing.
#[utoipa::path(post, path = "/api/accounts/v1/officials/{person}/appointments", tag = "officials",
    params(("person" = String, Path, description = "identifier"), ("Idempotency-Key" = Option<String>, Header)),
    request_body = AppointmentInput,
    responses((status = 201, body = AppointmentView),
        (status = 200, body = AppointmentView, description = "done before"),
        (status = 409, description = "the key was used for another request"),
        (status = 422, description = "some values are not valid")))]
pub(super) async fn appoint(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
    headers: HeaderMap,
    Body(input): Body<AppointmentInput>,
) -> web::Result<Response> {
    let once = super::once(&headers, &format!("appointments of {id}"), &input)?;
    let made = match once {
        None => Done::Now(acts::appoint(&a, &k, &cx, id, &input.into()).await?),
        Some(once) => acts::appoint_once(&a, &k, &cx, id, &input.into(), &once).await?,
    };
    let (status, made) = match made {
        Done::Now(made) => (StatusCode::CREATED, made),
        Done::Before(made) => (StatusCode::OK, made),
    };
    let view = view(&k, &posts::get(&k.db, made).await?).await?;
    Ok((status, Json(view)).into_response())
}

/// When an appointment ends.
#[derive(Deserialize, ToSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct EndInput {
    /// The last day; leave out to end it at once.
    #[schema(value_type = Option<String>, format = Date)]
    last_day: Option<Date>,
}

/// Ends an appointment, at once or after a day.
#[utoipa::path(post, path = "/api/accounts/v1/appointments/{appointment}/end", tag = "officials",
    params(("appointment" = String, Path, description = "identifier")), request_body = EndInput,
    responses((status = 204), (status = 409, description = "over already, or the last operator's")))]
pub(super) async fn end(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<AppointmentId>,
    Body(input): Body<EndInput>,
) -> web::Result<StatusCode> {
    acts::end_appointment(&a, &k, &cx, id, input.last_day.map_or(End::Now, End::After)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Locks an account: its sessions end at once.
#[utoipa::path(post, path = "/api/accounts/v1/officials/{person}/lock", tag = "officials",
    params(("person" = String, Path, description = "identifier")),
    responses((status = 204), (status = 409, description = "one's own, or the last operator's")))]
pub(super) async fn lock(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<StatusCode> {
    acts::lock(&a, &k, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlocks an account.
#[utoipa::path(post, path = "/api/accounts/v1/officials/{person}/unlock", tag = "officials",
    params(("person" = String, Path, description = "identifier")), responses((status = 204)))]
pub(super) async fn unlock(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<StatusCode> {
    acts::unlock(&a, &k, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A one-time address.
#[derive(Serialize, ToSchema)]
pub(super) struct PasswordLink {
    /// Shown once, serves 24 hours.
    password_link: String,
}

/// Makes a one-time address by which the person sets a password.
#[utoipa::path(post, path = "/api/accounts/v1/officials/{person}/password-link", tag = "officials",
    params(("person" = String, Path, description = "identifier")),
    responses((status = 201, body = PasswordLink), (status = 409, description = "the account is locked")))]
pub(super) async fn password_link(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Response> {
    let secret = acts::password_link(&a, &k, &cx, id).await?;
    let body = PasswordLink { password_link: link_address(&cx, &secret) };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}
