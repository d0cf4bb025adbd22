//! What a one-time link opens: the page that makes the first operator, or the one that sets a password. Opening
//! the page does not use the link; sending the form does.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::error::FieldError;
use kernel::identity::links::{Link, Purpose};
use kernel::identity::{Person, Secret, people};
use kernel::{Error, Kernel};
use serde::Deserialize;
use web::ui::{Action, Empty, Field, Form as Fields, Head, Icon};
use web::{Cx, Form, Page, Path, Redirect, Shell};

use super::account;
use super::request::{self, Came};
use crate::actions::links::{self, FirstOperator};
use crate::{Accounts, t};

#[derive(Deserialize)]
pub(super) struct Input {
    #[serde(default)]
    username: String,
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    post: String,
    password: Secret,
    again: Secret,
}

pub(super) async fn form(
    State(k): State<Kernel>,
    cx: Cx,
    Path(secret): Path<String>,
) -> web::Result<Response> {
    let link = match links::look(&k, &secret).await {
        Ok(link) => link,
        Err(Error::Refused(_)) => return Ok(over(&cx).into_response()),
        Err(e) => return Err(e.into()),
    };
    Ok(page(&k, &cx, &secret, &link, None, &[]).await?.into_response())
}

/// A link that is used, withdrawn or expired looks like one that never was.
fn over(cx: &Cx) -> Page {
    let l = cx.lang;
    let body = Empty::new(Icon::Link, t::link_over_title(l), t::link_over(l))
        .action(Action::link(t::sign_in(l), "/login"));
    web::page(&cx.frame(t::link_over_title(l)).shell(Shell::Plain), &body).status(StatusCode::GONE)
}

async fn page(
    k: &Kernel,
    cx: &Cx,
    secret: &str,
    link: &Link,
    typed: Option<&Input>,
    errors: &[FieldError],
) -> web::Result<Page> {
    Ok(match link.purpose {
        Purpose::SetPassword(id) => password_page(cx, secret, &people::get(&k.db, id).await?, errors),
        Purpose::FirstOperator | Purpose::Recovery => operator_page(cx, secret, typed, errors),
    })
}

fn operator_page(cx: &Cx, secret: &str, typed: Option<&Input>, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let was = |get: fn(&Input) -> &str| typed.map(get).unwrap_or_default().to_owned();
    let fields = Fields::post(cx, format!("/welcome/{}", web::encoded(secret)))
        .errors(errors)
        .field(
            Field::text("full_name", t::full_name(l))
                .value(was(|i| &i.full_name))
                .required()
                .autocomplete("name"),
        )
        .field(
            Field::text("post", t::post(l))
                .value(typed.map_or_else(|| t::operator_post(l).to_owned(), |i| i.post.clone()))
                .required(),
        )
        .field(
            Field::text("username", t::username(l))
                .help(t::username_help(l))
                .value(was(|i| &i.username))
                .max(64)
                .required()
                .autocomplete("username"),
        )
        .field(account::new_password(l))
        .field(account::again(l))
        .submit(t::operator_make(l));
    let head = Head::new(l, t::operator_title(l)).sub(t::operator_sub(l));
    let frame = cx.frame(t::operator_title(l)).shell(Shell::Plain);
    web::page(&frame, web::body![head, fields])
}

fn password_page(cx: &Cx, secret: &str, person: &Person, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let fields = Fields::post(cx, format!("/welcome/{}", web::encoded(secret)))
        .errors(errors)
        // For password managers, which store the pair.
        .field(Field::hidden("username", &person.username).autocomplete("username"))
        .field(account::new_password(l))
        .field(account::again(l))
        .submit(t::password_set(l));
    let head = Head::new(l, t::password_set_title(l)).sub(t::password_set_sub(
        l,
        t::PasswordSetSub { name: &person.full_name, username: &person.username },
    ));
    let frame = cx.frame(t::password_set_title(l)).shell(Shell::Plain);
    web::page(&frame, web::body![head, fields])
}

pub(super) async fn submit(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    came: Came,
    Path(secret): Path<String>,
    Form(input): Form<Input>,
) -> web::Result<Response> {
    let done = async {
        let link = links::look(&k, &secret).await?;
        match link.purpose {
            Purpose::SetPassword(_) => set_password(&a, &k, &cx, &came, &secret, &input).await,
            _ => make_operator(&a, &k, &cx, &came, &secret, &input).await,
        }
    };
    match done.await {
        Ok(response) => Ok(response),
        Err(Error::Refused(r)) if r.code == "link-over" => Ok(over(&cx).into_response()),
        Err(Error::Invalid(errors)) => {
            let link = links::look(&k, &secret).await?;
            let page = page(&k, &cx, &secret, &link, Some(&input), &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

async fn make_operator(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    came: &Came,
    secret: &str,
    input: &Input,
) -> kernel::Result<Response> {
    let [password, again] = [&input.password, &input.again].map(|s| Secret::password(s.expose()));
    let who = FirstOperator {
        username: &input.username,
        full_name: &input.full_name,
        post: &input.post,
        password: &password,
        again: &again,
    };
    let token = links::make_operator(a, k, cx, secret, &who, &came.origin).await?;
    let response = Redirect::to("/").saying(t::operator_made(cx.lang)).into_response();
    Ok(request::with_cookie(response, cx.session_cookie(token.expose())))
}

async fn set_password(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    came: &Came,
    secret: &str,
    input: &Input,
) -> kernel::Result<Response> {
    let [password, again] = [&input.password, &input.again].map(|s| Secret::password(s.expose()));
    links::set_password(a, k, cx, secret, (&password, &again), &came.origin.address).await?;
    Ok(Redirect::to("/login").saying(t::password_was_set(cx.lang)).into_response())
}
