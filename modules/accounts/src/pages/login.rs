//! Signing in and out. Works without script; says nothing about which accounts exist.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::Kernel;
use kernel::identity::Secret;
use serde::Deserialize;
use web::ui::{Field, Form as Fields, Head, Help, Notice, Tone};
use web::{Cx, Form, Page, Query, Redirect, Shell};

use super::request::{self, Came};
use crate::actions::sign_in::{self, Outcome, Typed};
use crate::{Accounts, t};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Next {
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Input {
    #[serde(default)]
    username: String,
    password: Secret,
    #[serde(default)]
    next: String,
}

pub(super) async fn form(cx: Cx, Query(q): Query<Next>) -> Response {
    if cx.signed_in() {
        return Redirect::to(request::local(&q.next)).into_response();
    }
    page(&cx, "", &q.next, None).into_response()
}

fn page(cx: &Cx, username: &str, next: &str, refused: Option<&str>) -> Page {
    let l = cx.lang;
    let mut fields = Fields::post(cx, "/login")
        .field(
            Field::text("username", t::username(l))
                .value(username)
                .max(64)
                .required()
                .autocomplete("username"),
        )
        .field(Field::password("password", t::password(l)).max(512).required())
        .field(Field::hidden("next", request::local(next)))
        .submit(t::sign_in(l));
    if let Some(text) = refused {
        fields = fields.error(text);
    }
    let head = Head::new(l, t::sign_in_title(l)).sub(t::sign_in_sub(l));
    let help = Help::new(t::sign_in_help(l), t::sign_in_help_text(l));
    let frame = cx.frame(t::sign_in_title(l)).shell(Shell::Plain);
    if cx.site().is_demo() {
        let demo = Notice::new(Tone::Info, t::sign_in_demo_text(l)).title(t::sign_in_demo(l));
        return web::page(&frame, web::body![head, demo, fields, help]);
    }
    web::page(&frame, web::body![head, fields, help])
}

pub(super) async fn sign_in(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    came: Came,
    Form(input): Form<Input>,
) -> web::Result<Response> {
    let password = Secret::password(input.password.expose());
    let typed = Typed { username: &input.username, password: &password, origin: &came.origin };
    let l = cx.lang;
    let again = |status, text: &str| page(&cx, &input.username, &input.next, Some(text)).status(status);
    Ok(match sign_in::sign_in(&a, &k, &cx, &typed).await? {
        Outcome::In(signed) => {
            let next = request::local(&input.next);
            let to =
                if signed.choose { format!("/account/choose?next={}", web::encoded(&next)) } else { next };
            request::with_cookie(Redirect::to(to).into_response(), cx.session_cookie(signed.token.expose()))
        }
        Outcome::Wrong => again(StatusCode::UNPROCESSABLE_ENTITY, t::sign_in_wrong(l)).into_response(),
        Outcome::Locked => again(StatusCode::FORBIDDEN, t::sign_in_locked(l)).into_response(),
        Outcome::Wait(seconds) => {
            let text = t::sign_in_wait(l, request::wait(l, seconds));
            let mut response = again(StatusCode::TOO_MANY_REQUESTS, &text).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
    })
}

pub(super) async fn sign_out(State(k): State<Kernel>, cx: Cx, came: Came) -> web::Result<Response> {
    if let Some(token) = &came.token {
        sign_in::sign_out(&k, &cx, token).await?;
    }
    let response = Redirect::to("/login").saying(t::signed_out(cx.lang)).into_response();
    Ok(request::with_cookie(response, cx.no_session_cookie()))
}
