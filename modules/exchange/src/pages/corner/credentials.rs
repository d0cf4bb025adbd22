//! Credentials of a system: the list with their last use, making one, a new secret beside the old, a last day, the end.

use std::time::Duration;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use base::clock::{Date, Timestamp};
use base::error::FieldError;
use base::i18n::{Lang, Text};
use http::StatusCode;
use kernel::identity::client_use;
use kernel::identity::clients::{Client, ClientId, ClientState};
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Confirm, Empty, Field, Form as Fields, Head, Help, Html, Icon, Notice,
    Row, Section, Table, Tone,
};
use web::{Cx, Form, Page, Path, Redirect};

use super::{Tab, frame, head, home_path};
use crate::corner::credentials::{self as acts, Shown};
use crate::corner::reach::{self, Own};
use crate::ids::SubsystemId;
use crate::{Exchange, t};

fn list_path(own: &Own) -> String {
    format!("{}/credentials", home_path(own))
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Path(id): Path<SubsystemId>) -> web::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let own = reach::system(&k, &cx, id).await?;
    let here = list_path(&own);
    let mut table = Table::new(l, t::corner_tab_credentials(l))
        .column(Column::text(t::credential_name(l)))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::credential_ends(l)))
        .column(Column::text(t::credential_last_used(l)))
        .column(Column::text(t::credential_previous(l)))
        .column(Column::end(t::credential_acts(l)))
        .empty(Empty::new(Icon::Key, t::credential_none(l), t::credential_none_text(l)));
    for c in acts::of(&k, &own).await? {
        let used = client_use::of(&k.db, c.id).await?;
        let last = used.last_at.map_or_else(Cell::none, |at| Cell::with_sub(at.vn(), &used.last_from));
        table = table.row(Row::new([
            Cell::with_sub(&c.name, &c.client_id),
            Cell::badge(state(l, &c, now)),
            Cell::opt_time(c.expires_at),
            last,
            previous(l, &c, used.previous_at, now),
            doing(l, &here, &c, now),
        ]));
    }
    let new = Action::link(t::credential_new(l), format!("{here}/new")).icon(Icon::Plus).primary();
    let section = Section::new(t::corner_tab_credentials(l), table).action(new).flush();
    let help = Help::new(t::credential_help_title(l), t::credential_help(l));
    let body = web::body![head(l, &own, Tab::Credentials), section, help];
    Ok(web::page(&frame(&cx, &own, t::corner_tab_credentials(l)), body))
}

fn state(l: Lang, c: &Client, now: Timestamp) -> Badge {
    match c.state(now) {
        ClientState::Active if acts::ends_soon(c, now) => Badge::new(Tone::Warn, t::credential_ending(l)),
        ClientState::Active => Badge::new(Tone::Good, t::credential_active(l)),
        ClientState::Expired => Badge::new(Tone::Neutral, t::credential_expired(l)),
        ClientState::Revoked => Badge::new(Tone::Bad, t::credential_revoked(l)),
    }
}

/// Until when the secret before serves, and whether somebody still uses it.
fn previous(l: Lang, c: &Client, used: Option<Timestamp>, now: Timestamp) -> Cell {
    let Some(until) = c.previous_until.filter(|until| now < *until) else { return Cell::none() };
    let used = used.filter(|at| *at >= c.secret_set_at);
    let sub = used.map_or_else(
        || t::credential_previous_idle(l).to_owned(),
        |at| t::credential_previous_used(l, at.vn()),
    );
    Cell::with_sub(t::credential_previous_until(l, until.vn()), sub)
}

fn doing(l: Lang, here: &str, c: &Client, now: Timestamp) -> Cell {
    if c.state(now) != ClientState::Active {
        return Cell::none();
    }
    let at = |act: &str| format!("{here}/{}/{act}", c.id);
    let acts = web::body![
        Action::link(t::credential_rotate(l), at("rotate")).small(),
        Action::link(t::credential_set_end(l), at("end")).small(),
        Action::link(t::credential_revoke(l), at("revoke")).small(),
    ];
    Cell::end(Html::trusted(format!("<div class=\"d-flex flex-wrap gap-2\">{}</div>", acts.as_str())))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    name: String,
    until: String,
}

pub(super) async fn new(State(k): State<Kernel>, cx: Cx, Path(id): Path<SubsystemId>) -> web::Result<Page> {
    let own = reach::system(&k, &cx, id).await?;
    Ok(new_page(&cx, &own, &Input::default(), &[]))
}

fn new_page(cx: &Cx, own: &Own, v: &Input, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let form = Fields::post(cx, list_path(own))
        .errors(errors)
        .field(
            Field::text("name", t::credential_name(l))
                .help(t::credential_name_help(l))
                .value(&v.name)
                .max(150)
                .required(),
        )
        .field(
            Field::date("until", t::credential_until(l))
                .help(t::credential_until_help(l))
                .value(&v.until)
                .optional(),
        )
        .submit(t::credential_create(l))
        .cancel(list_path(own));
    let head = Head::new(l, t::credential_new(l)).sub(&own.path);
    web::page(&under(cx, own, t::credential_new(l)), web::body![head, form])
}

fn under(cx: &Cx, own: &Own, title: &str) -> web::Frame {
    frame(cx, own, title).crumb(t::corner_tab_credentials(cx.lang), list_path(own))
}

pub(super) async fn create(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let own = reach::system(&k, &cx, id).await?;
    let made = async {
        let until = day(&v.until)?;
        acts::create(&k, &cx, &own, &v.name, until).await
    };
    match made.await {
        Ok(made) => Ok(secret_page(&exchange, &cx, &own, &made).into_response()),
        Err(Error::Invalid(errors)) => {
            Ok(new_page(&cx, &own, &v, &errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

/// A day as people write it; nothing when empty.
fn day(typed: &str) -> Result<Option<Date>> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let day =
        Date::parse_vn(typed).or_else(|| typed.parse().ok()).filter(|d| (2000..=2999).contains(&d.year()));
    day.map(Some).ok_or_else(|| Error::field("until", Text::both(t::credential_day_malformed)))
}

/// The page that shows a secret, once, with a call that can be pasted.
fn secret_page(exchange: &Exchange, cx: &Cx, own: &Own, made: &Shown) -> Page {
    let l = cx.lang;
    let (client, secret) = (&made.client, made.secret.expose());
    let token_url = exchange.issuer().map_or_else(|_| String::new(), kernel::tokens::TokenIssuer::token_url);
    let call =
        format!("curl -u '{}:{secret}' -d grant_type=client_credentials {token_url}", client.client_id);
    let title = t::credential_secret_title(l, &client.name);
    let head = Head::new(l, &title).primary(Action::link(t::credential_stored(l), list_path(own)).primary());
    let notice = Notice::new(Tone::Warn, t::credential_once(l)).title(t::credential_once_title(l));
    let id = Code::new(l, &client.client_id).title(t::credential_client_id(l)).wrapped();
    let key = Code::new(l, secret).title(t::credential_secret(l)).wrapped();
    let try_it = Section::new(t::credential_try(l), Code::new(l, call).title("curl"));
    let mut body = web::body![head, notice, id, key, try_it];
    if let Some(until) = client.previous_until {
        body.push(Notice::new(Tone::Info, t::credential_overlap_said(l, until.vn())));
    }
    web::page(&under(cx, own, &title), body)
}

/// What can be done to a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Act {
    Rotate,
    End,
    Revoke,
}

pub(super) async fn ask(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, client, act)): Path<(SubsystemId, ClientId, Act)>,
) -> web::Result<Page> {
    let own = reach::system(&k, &cx, id).await?;
    let client = acts::one(&k, &own, client).await?;
    Ok(ask_page(&cx, &own, &client, act, &[]))
}

fn ask_page(cx: &Cx, own: &Own, c: &Client, act: Act, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let list = list_path(own);
    let at = |word: &str| format!("{list}/{}/{word}", c.id);
    let (title, confirm) = match act {
        Act::Rotate => {
            let overlaps = [
                ("24", t::overlap_day(l)),
                ("72", t::overlap_three(l)),
                ("168", t::overlap_week(l)),
                ("0", t::overlap_none(l)),
            ];
            let overlaps = overlaps.map(|(v, w)| (v.to_owned(), w.to_owned())).to_vec();
            let field =
                Field::radios("overlap_hours", t::credential_overlap(l), overlaps).value("24").required();
            let confirm =
                Confirm::post(cx, at("rotate"), t::credential_rotate_text(l), t::credential_rotate(l));
            (t::credential_rotate_title(l, &c.name), confirm.field(field))
        }
        Act::End => {
            let last = c.expires_at.map(|end| Timestamp::from_micros(end.micros() - 1).date().vn());
            let field =
                Field::date("until", t::credential_until(l)).value(last.unwrap_or_default()).optional();
            let confirm = Confirm::post(cx, at("end"), t::credential_end_text(l), t::credential_set_end(l));
            (t::credential_end_title(l, &c.name), confirm.field(field))
        }
        Act::Revoke => {
            let confirm =
                Confirm::post(cx, at("revoke"), t::credential_revoke_text(l), t::credential_revoke(l));
            (t::credential_revoke_title(l, &c.name), confirm.danger())
        }
    };
    let confirm = confirm.hidden("version", c.version).errors(errors).cancel(&list);
    web::page(&under(cx, own, &title), web::body![Head::new(l, &title).code(&c.client_id), confirm])
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Doing {
    version: Option<i64>,
    overlap_hours: u64,
    until: String,
}

pub(super) async fn act(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, client, act)): Path<(SubsystemId, ClientId, Act)>,
    Form(v): Form<Doing>,
) -> web::Result<Response> {
    let l = cx.lang;
    let own = reach::system(&k, &cx, id).await?;
    let known = acts::one(&k, &own, client).await?;
    let list = list_path(&own);
    let done = match act {
        Act::Rotate => {
            let overlap = Duration::from_secs(v.overlap_hours.saturating_mul(3_600));
            let made = acts::rotate(exchange.issuer()?, &k, &cx, &own, client, overlap, v.version).await;
            made.map(|made| secret_page(&exchange, &cx, &own, &made).into_response())
        }
        Act::End => match day(&v.until) {
            Ok(until) => acts::set_end(&k, &cx, &own, client, until, v.version)
                .await
                .map(|()| Redirect::to(&list).saying(t::credential_end_saved(l)).into_response()),
            Err(e) => Err(e),
        },
        Act::Revoke => acts::revoke(exchange.issuer()?, &k, &cx, &own, client, v.version)
            .await
            .map(|()| Redirect::to(&list).saying(t::credential_was_revoked(l)).into_response()),
    };
    match done {
        Err(Error::Invalid(errors)) => {
            let page = ask_page(&cx, &own, &known, act, &errors).status(StatusCode::UNPROCESSABLE_ENTITY);
            Ok(page.into_response())
        }
        other => other.map_err(Into::into),
    }
}
