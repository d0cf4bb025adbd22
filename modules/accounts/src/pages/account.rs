//! One's own account: appointments to act through, sessions, password.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::clock::Timestamp;
use kernel::error::FieldError;
use kernel::identity::sessions::{self, Session, SessionId};
use kernel::identity::{Appointment, Person, Secret, people, posts};
use kernel::{AppointmentId, Error, Kernel};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Column, Facts, Field, Form as Fields, Head, Row, Section, Table, Thing, Tone,
};
use web::{Cx, Form, Page, Path, Query, Redirect, ui};

use super::request::{self, Came};
use crate::actions::own::{self, Change};
use crate::actions::own_person;
use crate::{Accounts, agencies, t};

pub(super) async fn page(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    came: Came,
) -> web::Result<Page> {
    let l = cx.lang;
    let person = people::get(&k.db, own_person(&cx)?).await?;
    let here = request::session(&k, &came).await?;
    let head = Head::new(l, &person.full_name)
        .code(&person.username)
        .primary(Action::link(t::password_change(l), "/account/password"));
    let held = Section::new(t::my_appointments(l), appointments(&k, &cx, &person, &here).await?)
        .help(t::my_appointments_help(l))
        .flush();
    let limits = a.identity.settings().limits();
    let open = sessions::of_person(&k.db, person.id, limits, k.clock.now()).await?;
    let open = Section::new(t::my_sessions(l), session_table(&cx, &open, &here))
        .help(t::my_sessions_help(l))
        .flush();
    let facts = Facts::new()
        .row(t::last_sign_in(l), Cell::opt_time(person.last_sign_in_at))
        .row(t::password_set_at(l), Cell::opt_time(person.password_set_at));
    let body = Thing::new(web::body![held, open]).side(t::account_facts(l), facts);
    Ok(web::page(&cx.frame(t::my_account(l)), web::body![head, body]))
}

async fn valid(k: &Kernel, person: &Person) -> web::Result<Vec<Appointment>> {
    let now = k.clock.now();
    let mut held = posts::of_person(&k.db, person.id).await?;
    held.retain(|p| p.valid_at(now));
    held.sort_by_key(|p| p.holding);
    Ok(held)
}

async fn appointments(k: &Kernel, cx: &Cx, person: &Person, here: &Session) -> web::Result<Table> {
    let l = cx.lang;
    let mut table = Table::new(l, t::my_appointments(l))
        .column(Column::text(t::post(l)))
        .column(Column::text(t::agency(l)))
        .column(Column::text(t::until(l)))
        .column(Column::end(t::column_actions(l)))
        .empty(ui::Empty::new(ui::Icon::UserCircle, t::no_appointment(l), t::no_appointment_text(l)));
    for held in valid(k, person).await? {
        let agency = agencies::of(k, &held, k.clock.now().date()).await?;
        let act = match here.appointment == Some(held.id) {
            true => Cell::badge(Badge::new(Tone::Good, t::acting_now(l))),
            false => Cell::end(
                Action::post(cx, t::choose(l), "/account/appointment").hidden("appointment", held.id).small(),
            ),
        };
        let row = [Cell::text(&held.post), agency.map_or_else(Cell::none, Cell::legal), end_day(&held), act];
        table = table.row(Row::new(row));
    }
    Ok(table)
}

fn end_day(held: &Appointment) -> Cell {
    Cell::opt_date(held.period.until)
}

fn session_table(cx: &Cx, open: &[Session], here: &Session) -> Table {
    let l = cx.lang;
    let mut table = Table::new(l, t::my_sessions(l))
        .column(Column::text(t::device(l)))
        .column(Column::text(t::session_from(l)))
        .column(Column::text(t::session_since(l)))
        .column(Column::text(t::session_seen(l)))
        .column(Column::end(t::column_actions(l)));
    for s in open {
        let act = match s.id == here.id {
            true => Cell::badge(Badge::new(Tone::Info, t::this_session(l))),
            false => Cell::end(
                Action::post(cx, t::session_end(l), format!("/account/sessions/{}/end", s.id))
                    .danger()
                    .small(),
            ),
        };
        let agent =
            if s.user_agent.is_empty() { t::unknown_device(l).to_owned() } else { browser(&s.user_agent) };
        table = table.row(Row::new([
            Cell::text(agent),
            address(l, s),
            Cell::time(s.created_at),
            Cell::time(s.last_seen_at),
            act,
        ]));
    }
    table
}

fn address(l: kernel::i18n::Lang, s: &Session) -> Cell {
    if s.address.is_empty() { Cell::text(t::unknown_device(l)) } else { Cell::code(&s.address) }
}

/// A short name for the usual browsers; otherwise what it calls itself.
fn browser(agent: &str) -> String {
    // Order matters: Cốc Cốc and Edge also call themselves Chrome, and Chrome calls itself Safari.
    let kinds = [
        ("coc_coc_browser", "Cốc Cốc"),
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, n)| *n);
    match (find(&kinds), find(&systems)) {
        (Some(kind), Some(system)) => format!("{kind}, {system}"),
        (Some(kind), None) => kind.to_owned(),
        _ => agent.chars().take(60).collect(),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Next {
    next: String,
}

pub(super) async fn choose(State(k): State<Kernel>, cx: Cx, Query(q): Query<Next>) -> web::Result<Page> {
    let l = cx.lang;
    let person = people::get(&k.db, own_person(&cx)?).await?;
    let mut options = Vec::new();
    for held in valid(&k, &person).await? {
        let agency = agencies::of(&k, &held, k.clock.now().date()).await?;
        let label = agency.map_or_else(|| held.post.clone(), |a| format!("{} – {a}", held.post));
        options.push((held.id.to_string(), label));
    }
    let first = options.first().map(|(id, _)| id.clone()).unwrap_or_default();
    let form = Fields::post(&cx, "/account/appointment")
        .field(Field::radios("appointment", t::choose_question(l), options).value(first).required())
        .field(Field::hidden("next", request::local(&q.next)))
        .submit(t::choose_continue(l));
    let head = Head::new(l, t::choose_title(l)).sub(t::choose_sub(l));
    let frame = cx.frame(t::choose_title(l)).shell(web::Shell::Plain);
    Ok(web::page(&frame, web::body![head, form]))
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    appointment: AppointmentId,
    #[serde(default)]
    next: String,
}

pub(super) async fn chosen(
    State(k): State<Kernel>,
    cx: Cx,
    came: Came,
    Form(input): Form<Chosen>,
) -> web::Result<Response> {
    let session = request::session(&k, &came).await?;
    let token = own::choose(&k, &cx, &session, input.appointment).await?;
    let response = Redirect::to(request::local(&input.next)).saying(t::chosen(cx.lang)).into_response();
    Ok(request::with_cookie(response, cx.session_cookie(token.expose())))
}

pub(super) async fn end_session(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<SessionId>,
) -> web::Result<Redirect> {
    own::end_session(&k, &cx, id).await?;
    Ok(Redirect::to("/account").saying(t::session_ended(cx.lang)))
}

#[derive(Deserialize)]
pub(super) struct Passwords {
    present: Secret,
    password: Secret,
    again: Secret,
}

pub(super) async fn password(cx: Cx) -> Page {
    password_page(&cx, &[])
}

fn password_page(cx: &Cx, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let head = Head::new(l, t::password_change(l)).sub(t::password_change_sub(l));
    let form = Fields::post(cx, "/account/password")
        .errors(errors)
        .field(Field::password("present", t::password_present(l)).max(512).required())
        .field(new_password(l))
        .field(again(l))
        .submit(t::password_change(l))
        .cancel("/account");
    let frame = cx.frame(t::password_change(l)).crumb(t::my_account(l), "/account");
    web::page(&frame, web::body![head, form])
}

/// The field for a new password, with the rule said before it is broken.
pub(super) fn new_password(l: kernel::i18n::Lang) -> Field {
    Field::password("password", t::password_new(l))
        .help(t::password_help(l, kernel::identity::password::MIN_CHARS))
        .max(512)
        .required()
        .autocomplete("new-password")
}

/// The field for the same again.
pub(super) fn again(l: kernel::i18n::Lang) -> Field {
    Field::password("again", t::password_again(l)).max(512).required().autocomplete("new-password")
}

pub(super) async fn change_password(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    came: Came,
    Form(input): Form<Passwords>,
) -> web::Result<Response> {
    let session = request::session(&k, &came).await?;
    let [present, new, again] =
        [&input.present, &input.password, &input.again].map(|s| Secret::password(s.expose()));
    let change = Change { present: &present, new: &new, again: &again, address: &came.origin.address };
    match own::change_password(&a, &k, &cx, &session, &change).await {
        Ok(token) => {
            let response = Redirect::to("/account").saying(t::password_changed(cx.lang)).into_response();
            Ok(request::with_cookie(response, cx.session_cookie(token.expose())))
        }
        Err(Error::Invalid(errors)) => {
            Ok(password_page(&cx, &errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

/// For lists: when something happened, or that it never did.
pub(super) fn or_never(l: kernel::i18n::Lang, at: Option<Timestamp>) -> Cell {
    at.map_or_else(|| Cell::text(t::never(l)), Cell::time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_short_names() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(browser(edge), "Edge, Windows");
        assert_eq!(
            browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox, Linux"
        );
        assert_eq!(browser("curl/8.5.0"), "curl/8.5.0");
    }
}
