//! The acts upon an official's account: each asks first, says the consequence, and leads back to the official.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::error::FieldError;
use kernel::identity::links::LIFE;
use kernel::identity::{Appointment, Person, Secret, posts};
use kernel::{AppointmentId, Error, Kernel, PersonId};
use serde::Deserialize;
use web::ui::{Action, Code, Confirm, Field, Form as Fields, Head, Notice, Tone};
use web::{Cx, Form, Page, Path, Redirect};

use super::{dates, official_path};
use crate::actions::officials::{self as acts, End, Official};
use crate::{Accounts, t};

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
    let consequence = t::appointment_end_consequence(
        l,
        t::AppointmentEndConsequence { name: &person.full_name, post: &post.post },
    );
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
