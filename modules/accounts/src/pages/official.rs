//! One official: appointments, what happened, and the acts upon the account.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::audit;
use kernel::clock::Timestamp;
use kernel::error::FieldError;
use kernel::i18n::Lang;
use kernel::identity::links::{self, LIFE};
use kernel::identity::people::{self, Person};
use kernel::identity::{Appointment, Secret, Standing, posts};
use kernel::{AppointmentId, Error, Kernel, PersonId};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Confirm, Entry, Facts, Field, Form as Fields, Head, Icon, Notice, Row,
    Section, Table, Thing, Timeline, Tone,
};
use web::{Cx, Form, Page, Path, Redirect};

use super::{account, dates, official_path, officials};
use crate::actions::officials::{self as acts, End, Official};
use crate::{Accounts, agencies, t};

const SHOWN_ACTS: u32 = 30;

pub(super) async fn page(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let official = acts::get(&k, &cx, id).await?;
    let now = k.clock.now();
    let manage = acts::may_manage(&a, &cx, &official, now);
    let table = appointments(&a, &k, &cx, &official, manage).await?;
    let content = Section::new(t::appointments(l), table).flush();
    let mut body = Thing::new(content).side(t::account_facts(l), facts(&k, l, &official.person, now).await?);
    body = body.timeline(t::what_happened(l), timeline(&k, l, id).await?);
    let head = head(l, &official, now, manage);
    let frame = cx.frame(&official.person.full_name).crumb(t::officials(l), "/accounts/officials");
    Ok(web::page(&frame, web::body![head, body]))
}

fn head(l: Lang, official: &Official, now: Timestamp, manage: bool) -> Head {
    let person = &official.person;
    let here = official_path(person.id);
    let current: Vec<&Appointment> = official.appointments.iter().filter(|p| p.valid_at(now)).collect();
    let head = Head::new(l, &person.full_name)
        .code(&person.username)
        .badge(officials::state_badge(l, person, &current));
    if !manage {
        return head;
    }
    let link = Action::link(t::link_make(l), format!("{here}/password-link")).icon(Icon::Key);
    let appoint = Action::link(t::appoint(l), format!("{here}/appoint")).icon(Icon::Plus);
    let rename = Action::link(t::rename(l), format!("{here}/rename"));
    let lock = match person.locked_at {
        None => Action::link(t::lock(l), format!("{here}/lock")),
        Some(_) => Action::link(t::unlock(l), format!("{here}/lock")),
    };
    match (person.locked_at, person.password_set_at) {
        (None, None) => head.primary(link.primary()).action(appoint).action(rename).action(lock),
        (None, Some(_)) => head.primary(appoint.primary()).action(link).action(rename).action(lock),
        (Some(_), _) => head.primary(lock.primary()).action(appoint).action(rename),
    }
}

async fn facts(k: &Kernel, l: Lang, person: &Person, now: Timestamp) -> web::Result<Facts> {
    let waiting = links::waiting_for(&k.db, person.id, now).await?;
    Ok(Facts::new()
        .row(t::created_at(l), Cell::time(person.created_at))
        .row(t::last_sign_in(l), account::or_never(l, person.last_sign_in_at))
        .row(t::password_set_at(l), account::or_never(l, person.password_set_at))
        .maybe(t::link_waits_until(l), waiting.map(Cell::time))
        .maybe(t::locked_since(l), person.locked_at.map(Cell::time)))
}

async fn appointments(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    official: &Official,
    manage: bool,
) -> web::Result<Table> {
    let (l, now) = (cx.lang, k.clock.now());
    let mut table = Table::new(l, t::appointments(l))
        .column(Column::text(t::post(l)))
        .column(Column::text(t::agency(l)))
        .column(Column::text(t::role(l)))
        .column(Column::text(t::period(l)))
        .column(Column::text(t::state(l)))
        .column(Column::end(""));
    for p in &official.appointments {
        let agency = agencies::of(k, p, now.date()).await?;
        let act = match manage && p.standing(now) != Standing::Ended {
            true => Cell::end(
                Action::link(t::appointment_end(l), format!("/accounts/appointments/{}/end", p.id)).small(),
            ),
            false => Cell::none(),
        };
        table = table.row(Row::new([
            Cell::with_sub(&p.post, held(l, p)),
            agency.map_or_else(|| Cell::text(t::agency_none(l)), Cell::legal),
            Cell::text(roles(a, l, p)),
            Cell::text(period(l, p)),
            Cell::badge(standing(l, p.standing(now))),
            act,
        ]));
    }
    Ok(table)
}

/// How the post is held, and its field of work.
fn held(l: Lang, p: &Appointment) -> String {
    let holding = officials::holding(l, p.holding);
    match &p.field {
        None => holding.to_owned(),
        Some(field) => format!("{holding} · {}", t::field_is(l, field)),
    }
}

fn roles(a: &Accounts, l: Lang, p: &Appointment) -> String {
    let title =
        |code: &String| a.identity.roles().get(code).map_or(code.clone(), |r| r.title().get(l).to_owned());
    p.roles.iter().map(title).collect::<Vec<_>>().join(", ")
}

fn period(l: Lang, p: &Appointment) -> String {
    let last = match (p.ended_at, p.period.until) {
        (Some(at), until) if until.is_none_or(|u| at.date() <= u) => Some(at.date()),
        (_, until) => until,
    };
    match last {
        Some(day) => t::period_closed(l, p.period.from.vn(), day.vn()),
        None => t::period_open(l, p.period.from.vn()),
    }
}

fn standing(l: Lang, s: Standing) -> Badge {
    match s {
        Standing::Future => Badge::new(Tone::Info, t::standing_future(l)),
        Standing::Current => Badge::new(Tone::Good, t::standing_current(l)),
        Standing::Ended => Badge::new(Tone::Neutral, t::standing_ended(l)),
    }
}

/// Acts upon the account and by its owner, newest first. Names of actors are looked up: the record holds ids.
async fn timeline(k: &Kernel, l: Lang, id: PersonId) -> web::Result<Timeline> {
    let mut timeline = Timeline::new(l);
    for row in audit::about(&k.db, &id.to_ref(), SHOWN_ACTS).await? {
        let Some((what, tone)) = said(l, &row.action) else { continue };
        timeline = timeline.entry(Entry::new(row.at, who(k, l, &row.actor).await?, what).tone(tone));
    }
    Ok(timeline)
}

fn said(l: Lang, action: &str) -> Option<(&'static str, Tone)> {
    Some(match action {
        "accounts.official.created" => (t::act_created(l), Tone::Neutral),
        "accounts.operator.made" => (t::act_operator_made(l), Tone::Neutral),
        "accounts.official.locked" => (t::act_locked(l), Tone::Bad),
        "accounts.official.unlocked" => (t::act_unlocked(l), Tone::Good),
        "accounts.official.renamed" => (t::act_renamed(l), Tone::Neutral),
        "accounts.password.link_made" => (t::act_link_made(l), Tone::Neutral),
        "accounts.password.set" => (t::act_password_set(l), Tone::Neutral),
        "accounts.password.changed" => (t::act_password_changed(l), Tone::Neutral),
        "accounts.password.refused" => (t::act_password_refused(l), Tone::Warn),
        "accounts.sign_in" => (t::act_signed_in(l), Tone::Neutral),
        "accounts.sign_in.failed" => (t::act_sign_in_failed(l), Tone::Warn),
        "accounts.session.ended" => (t::act_session_ended(l), Tone::Neutral),
        _ => return None,
    })
}

/// The actor of a record in words.
pub(super) async fn who(k: &Kernel, l: Lang, actor: &str) -> web::Result<String> {
    if let Some(rest) = actor.strip_prefix("official:") {
        let id = rest.split('/').next().unwrap_or_default();
        if let Ok(id) = id.parse::<PersonId>() {
            return match people::get(&k.db, id).await {
                Ok(person) => Ok(person.full_name),
                Err(Error::NotFound { .. }) => Ok(t::somebody(l).to_owned()),
                Err(e) => Err(e.into()),
            };
        }
    }
    Ok(match actor {
        "stranger" => t::somebody(l).to_owned(),
        a if a.starts_with("kernel:") => t::the_platform(l).to_owned(),
        a => a.strip_prefix("system:").unwrap_or(a).to_owned(),
    })
}

/// The page that shows a password link, once.
pub(super) fn link_page(cx: &Cx, person: &Person, secret: &Secret) -> Page {
    let l = cx.lang;
    let address = format!("{}{}", cx.site().origin(), crate::actions::links::path(secret).expose());
    let hours = i64::try_from(LIFE.as_secs() / 3_600).unwrap_or(24);
    let notice = Notice::new(Tone::Warn, t::link_once(l, hours)).title(t::link_once_title(l));
    let code = Code::new(l, address).title(t::link_for(l, &person.full_name)).wrapped();
    let head = Head::new(l, t::link_title(l, &person.full_name))
        .primary(Action::link(t::back_to_official(l), official_path(person.id)).primary());
    let frame = cx
        .frame(t::link_title(l, &person.full_name))
        .crumb(t::officials(l), "/accounts/officials")
        .crumb(&person.full_name, official_path(person.id));
    web::page(&frame, web::body![head, notice, code])
}

async fn managed(a: &Accounts, k: &Kernel, cx: &Cx, id: PersonId) -> web::Result<Official> {
    let official = acts::get(k, cx, id).await?;
    if !acts::may_manage(a, cx, &official, k.clock.now()) {
        return Err(Error::Denied { permission: crate::permissions::OFFICIAL_MANAGE.name }.into());
    }
    Ok(official)
}

/// A page that asks before an act upon an account.
fn ask(cx: &Cx, person: &Person, title: &str, confirm: &Confirm) -> Page {
    let l = cx.lang;
    let here = official_path(person.id);
    let frame = cx.frame(title).crumb(t::officials(l), "/accounts/officials").crumb(&person.full_name, here);
    web::page(&frame, web::body![Head::new(l, title), confirm])
}

pub(super) async fn link_form(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let person = managed(&a, &k, &cx, id).await?.person;
    let here = official_path(id);
    let confirm =
        Confirm::post(&cx, format!("{here}/password-link"), t::link_consequence(l), t::link_make(l))
            .cancel(&here);
    Ok(ask(&cx, &person, &t::link_title(l, &person.full_name), &confirm))
}

pub(super) async fn link(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Page> {
    let secret = acts::password_link(&a, &k, &cx, id).await?;
    let official = acts::get(&k, &cx, id).await?;
    Ok(link_page(&cx, &official.person, &secret))
}

pub(super) async fn lock_form(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let person = managed(&a, &k, &cx, id).await?.person;
    let here = official_path(id);
    let (title, confirm) = match person.locked_at {
        None => {
            let confirm =
                Confirm::post(&cx, format!("{here}/lock"), t::lock_consequence(l), t::lock(l)).danger();
            (t::lock_title(l, &person.full_name), confirm)
        }
        Some(_) => {
            let confirm =
                Confirm::post(&cx, format!("{here}/unlock"), t::unlock_consequence(l), t::unlock(l));
            (t::unlock_title(l, &person.full_name), confirm)
        }
    };
    Ok(ask(&cx, &person, &title, &confirm.cancel(&here)))
}

pub(super) async fn lock(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Redirect> {
    acts::lock(&a, &k, &cx, id).await?;
    Ok(Redirect::to(official_path(id)).saying(t::locked(cx.lang)))
}

pub(super) async fn unlock(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Redirect> {
    acts::unlock(&a, &k, &cx, id).await?;
    Ok(Redirect::to(official_path(id)).saying(t::unlocked(cx.lang)))
}

#[derive(Deserialize)]
pub(super) struct Name {
    full_name: String,
}

pub(super) async fn rename_form(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Page> {
    let person = managed(&a, &k, &cx, id).await?.person;
    Ok(rename_page(&cx, &person, &person.full_name, &[]))
}

fn rename_page(cx: &Cx, person: &Person, typed: &str, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let here = official_path(person.id);
    let form = Fields::post(cx, format!("{here}/rename"))
        .errors(errors)
        .field(Field::text("full_name", t::full_name(l)).value(typed).max(120).required())
        .submit(t::save(l))
        .cancel(&here);
    let frame =
        cx.frame(t::rename(l)).crumb(t::officials(l), "/accounts/officials").crumb(&person.full_name, &here);
    web::page(&frame, web::body![Head::new(l, t::rename(l)), form])
}

pub(super) async fn rename(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
    Form(v): Form<Name>,
) -> web::Result<Response> {
    match acts::rename(&a, &k, &cx, id, &v.full_name).await {
        Ok(()) => Ok(Redirect::to(official_path(id)).saying(t::saved(cx.lang)).into_response()),
        Err(Error::Invalid(errors)) => {
            let person = acts::get(&k, &cx, id).await?.person;
            let page = rename_page(&cx, &person, &v.full_name, &errors);
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Ending {
    until: String,
}

pub(super) async fn end_form(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AppointmentId>,
) -> web::Result<Page> {
    let post = posts::get(&k.db, id).await?;
    let person = acts::get(&k, &cx, post.person).await?.person;
    Ok(end_page(&cx, &post, &person, "", &[]))
}

fn end_page(cx: &Cx, post: &Appointment, person: &Person, typed: &str, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let to = format!("/accounts/appointments/{}/end", post.id);
    let consequence = t::appointment_end_consequence(l, &person.full_name, &post.post);
    let confirm = Confirm::post(cx, to, consequence, t::appointment_end(l))
        .danger()
        .errors(errors)
        .field(Field::date("until", t::last_day(l)).help(t::last_day_help(l)).value(typed).optional())
        .cancel(official_path(person.id));
    ask(cx, person, t::appointment_end(l), &confirm)
}

pub(super) async fn end(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<AppointmentId>,
    Form(v): Form<Ending>,
) -> web::Result<Response> {
    let done = async {
        let mut errors = Vec::new();
        let until = dates::optional("until", &v.until, &mut errors);
        crate::actions::check(errors)?;
        acts::end_appointment(&a, &k, &cx, id, until.map_or(End::Now, End::After)).await
    };
    let (done, post) = (done.await, posts::get(&k.db, id).await?);
    match done {
        Ok(()) => {
            Ok(Redirect::to(official_path(post.person)).saying(t::appointment_ended(cx.lang)).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let person = acts::get(&k, &cx, post.person).await?.person;
            let page = end_page(&cx, &post, &person, &v.until, &errors);
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}
