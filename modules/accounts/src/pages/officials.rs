//! The list of officials, the form for a new one and the form for a further appointment.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::clock::Timestamp;
use kernel::error::FieldError;
use kernel::i18n::Lang;
use kernel::identity::people::PeopleQuery;
use kernel::identity::{Appointment, Holding, Person};
use kernel::orgs::UnitId;
use kernel::{Error, Kernel, PersonId};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Column, Count, Empty, Field, Filters, Form as Fields, Head, Icon, Row, Table, Tone,
};
use web::{Cx, Form, Page, Path, Query, Redirect};

use super::{account, dates, official_acts, official_path};
use crate::actions::officials::{self, NewAppointment, NewOfficial, Official};
use crate::actions::wrong;
use crate::permissions::OFFICIAL_MANAGE;
use crate::{Accounts, agencies, t};

const PER_PAGE: u32 = 50;
const COUNTED_TO: u32 = 1_000;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    state: String,
    after: Option<PersonId>,
}

impl ListQuery {
    pub(super) fn people(&self, limit: u32) -> PeopleQuery {
        let locked = match self.state.as_str() {
            "locked" => Some(true),
            "active" => Some(false),
            _ => None,
        };
        PeopleQuery { search: self.q.clone(), locked, after: self.after, limit }
    }
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Query(q): Query<ListQuery>) -> web::Result<Page> {
    let l = cx.lang;
    let mut found = officials::list(&k, &cx, &q.people(PER_PAGE + 1)).await?;
    let total = officials::count(&k, &cx, &q.people(0), COUNTED_TO + 1).await?;
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|o| cx.address().with("after", o.person.id));
    let mut head = Head::new(l, t::officials(l)).sub(t::officials_sub(l));
    let add = Action::link(t::official_new(l), "/accounts/officials/new").icon(Icon::UserPlus);
    if cx.may_somewhere(OFFICIAL_MANAGE).is_ok() {
        head = head.primary(add.clone());
    }
    let states = [("active", t::state_active(l)), ("locked", t::state_locked(l))];
    let states = states.map(|(v, w)| (v.to_owned(), w.to_owned())).to_vec();
    let filters = Filters::new(&cx).search("q", t::officials_search(l)).select("state", t::state(l), states);
    let now = k.clock.now();
    let mut table = Table::new(l, t::officials(l))
        .column(Column::text(t::full_name(l)))
        .column(Column::text(t::post(l)))
        .column(Column::text(t::agency(l)))
        .column(Column::text(t::state(l)))
        .column(Column::text(t::last_sign_in(l)))
        .next(next)
        .export(cx.address())
        .total(Count::upto(u64::try_from(total).unwrap_or(0), u64::from(COUNTED_TO)))
        .empty(Empty::new(Icon::Users, t::officials_empty(l), t::officials_empty_text(l)));
    for o in &found {
        table = table.row(row(&k, l, o, now).await?);
    }
    let frame = cx.frame(t::officials(l));
    Ok(web::page(&frame, web::body![head, filters, table]))
}

/// Appointments valid now, the substantive one first.
pub(super) fn current(o: &Official, now: Timestamp) -> Vec<&Appointment> {
    let mut current: Vec<&Appointment> = o.appointments.iter().filter(|a| a.valid_at(now)).collect();
    current.sort_by_key(|a| a.holding);
    current
}

async fn row(k: &Kernel, l: Lang, o: &Official, now: Timestamp) -> web::Result<Row> {
    let current = current(o, now);
    let (post, agency) = match current.first().or(o.appointments.first().as_ref()) {
        None => (Cell::none(), Cell::none()),
        Some(a) => {
            let others = i64::try_from(current.len().saturating_sub(1)).unwrap_or(0);
            let post = match others {
                0 => Cell::text(&a.post),
                n => Cell::with_sub(&a.post, t::and_more_posts(l, n)),
            };
            (post, agencies::of(k, a, now.date()).await?.map_or_else(Cell::none, Cell::legal))
        }
    };
    let href = official_path(o.person.id);
    Ok(Row::new([
        Cell::titled(&href, &o.person.full_name, &o.person.username),
        post,
        agency,
        Cell::badge(state_badge(l, &o.person, &current)),
        account::or_never(l, o.person.last_sign_in_at),
    ])
    .href(href))
}

/// Locked, without a password, without a valid appointment, or active.
pub(super) fn state(l: Lang, person: &Person, current: &[&Appointment]) -> (Tone, &'static str) {
    if person.locked_at.is_some() {
        (Tone::Bad, t::state_locked(l))
    } else if person.password_set_at.is_none() {
        (Tone::Warn, t::state_no_password(l))
    } else if current.is_empty() {
        (Tone::Neutral, t::state_no_appointment(l))
    } else {
        (Tone::Good, t::state_active(l))
    }
}

/// The same as a badge.
pub(super) fn state_badge(l: Lang, person: &Person, current: &[&Appointment]) -> Badge {
    let (tone, word) = state(l, person, current);
    Badge::new(tone, word)
}

/// A new official's form, and the appointment's part of it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Input {
    username: String,
    full_name: String,
    post: String,
    agency: String,
    field: String,
    holding: String,
    from: String,
    until: String,
    role: String,
}

impl Input {
    fn appointment(&self) -> Result<NewAppointment, Vec<FieldError>> {
        let mut errors = Vec::new();
        let from = dates::required("from", &self.from, &mut errors);
        let until = dates::optional("until", &self.until, &mut errors);
        let agency: Option<UnitId> = match self.agency.is_empty() {
            true => None,
            false => self.agency.parse().ok().or_else(|| {
                errors.push(wrong("agency", t::agency_unknown));
                None
            }),
        };
        let holding = Holding::from_code(&self.holding).unwrap_or(Holding::Substantive);
        let roles = if self.role.is_empty() { vec![] } else { vec![self.role.clone()] };
        match (from, errors.is_empty()) {
            (Some(from), true) => Ok(NewAppointment {
                post: self.post.clone(),
                agency,
                field: Some(self.field.clone()).filter(|f| !f.trim().is_empty()),
                holding,
                from,
                until,
                roles,
            }),
            _ => Err(errors),
        }
    }
}

async fn appointment_fields(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    form: Fields,
    v: &Input,
) -> web::Result<Fields> {
    let l = cx.lang;
    let today = k.clock.now().date();
    let mut places = vec![(String::new(), t::agency_choose(l).to_owned())];
    for version in agencies::all(k, &cx.agencies(OFFICIAL_MANAGE), today).await? {
        places.push((version.unit.to_string(), version.full_name));
    }
    let roles =
        a.identity.roles().iter().map(|(code, r)| (code.to_owned(), r.title().get(l).to_owned())).collect();
    let choice = |h| match h {
        Holding::Deputy => t::holding_deputy_rule(l),
        h => holding(l, h),
    };
    let holdings = Holding::ALL.map(|h| (h.code().to_owned(), choice(h).to_owned())).to_vec();
    let from = if v.from.is_empty() { today.vn() } else { v.from.clone() };
    let held = if v.holding.is_empty() { Holding::Substantive.code() } else { &v.holding };
    Ok(form
        .field(Field::text("post", t::post(l)).help(t::post_help(l)).value(&v.post).max(150).required())
        .field(Field::select("agency", t::agency(l), places).help(t::agency_help(l)).value(&v.agency))
        .field(Field::radios("role", t::role(l), roles).value(&v.role).required())
        .field(Field::text("field", t::field(l)).help(t::field_help(l)).value(&v.field).max(150).optional())
        .field(Field::radios("holding", t::holding(l), holdings).value(held).required())
        .field(Field::date("from", t::from(l)).value(from).required().half())
        .field(Field::date("until", t::until(l)).value(&v.until).optional().half()))
}

/// How a post is held, in words.
pub(super) fn holding(l: Lang, h: Holding) -> &'static str {
    match h {
        Holding::Substantive => t::holding_substantive(l),
        Holding::Acting => t::holding_acting(l),
        Holding::Deputy => t::holding_deputy(l),
    }
}

pub(super) async fn new(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
) -> web::Result<Page> {
    new_page(&a, &k, &cx, &Input::default(), &[]).await
}

async fn new_page(a: &Accounts, k: &Kernel, cx: &Cx, v: &Input, errors: &[FieldError]) -> web::Result<Page> {
    let l = cx.lang;
    let form = Fields::post(cx, "/accounts/officials")
        .errors(errors)
        .section(t::person(l), None)
        .field(Field::text("full_name", t::full_name(l)).value(&v.full_name).max(120).required())
        .field(
            Field::text("username", t::username(l))
                .help(t::username_help(l))
                .value(&v.username)
                .max(64)
                .required(),
        )
        .section(t::first_appointment(l), Some(t::appointment_help(l)));
    let form = appointment_fields(a, k, cx, form, v).await?;
    let form = form.submit(t::official_create(l)).cancel("/accounts/officials");
    let head = Head::new(l, t::official_new(l)).sub(t::official_new_sub(l));
    let frame = cx.frame(t::official_new(l)).crumb(t::officials(l), "/accounts/officials");
    Ok(web::page(&frame, web::body![head, form]))
}

pub(super) async fn create(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let made = async {
        let appointment = v.appointment().map_err(Error::Invalid)?;
        let (username, full_name) = (v.username.clone(), v.full_name.clone());
        let new = NewOfficial { username, full_name, appointment, password: None };
        officials::create(&a, &k, &cx, &new).await
    };
    match made.await {
        Ok(created) => {
            let official = officials::get(&k, &cx, created.person).await?;
            let secret = created.link.ok_or_else(|| Error::internal("a new account without a link"))?;
            Ok(official_acts::link_page(&cx, &official.person, &secret).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let page = new_page(&a, &k, &cx, &v, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn appoint_form(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Page> {
    appoint_page(&a, &k, &cx, id, &Input::default(), &[]).await
}

async fn appoint_page(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    id: PersonId,
    v: &Input,
    errors: &[FieldError],
) -> web::Result<Page> {
    let l = cx.lang;
    let official = officials::get(k, cx, id).await?;
    let (here, name) = (official_path(id), official.person.full_name);
    let form = Fields::post(cx, format!("{here}/appoint")).errors(errors);
    let form = appointment_fields(a, k, cx, form, v).await?.submit(t::appoint(l)).cancel(&here);
    let head = Head::new(l, t::appoint_title(l, &name)).sub(t::appointment_help(l));
    let frame = cx.frame(t::appoint(l)).crumb(t::officials(l), "/accounts/officials").crumb(&name, &here);
    Ok(web::page(&frame, web::body![head, form]))
}

pub(super) async fn appoint(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let made = async {
        let new = v.appointment().map_err(Error::Invalid)?;
        officials::appoint(&a, &k, &cx, id, &new).await
    };
    match made.await {
        Ok(_) => Ok(Redirect::to(official_path(id)).saying(t::appointed(cx.lang)).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = appoint_page(&a, &k, &cx, id, &v, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}
