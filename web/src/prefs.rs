//! Wishes kept on the browser: language, light or dark. Nothing personal; the account keeps its own.

use axum::response::{IntoResponse, Response};
use base::i18n::Lang;
use http::{HeaderValue, header};
use serde::Deserialize;

use crate::access::Access;
use crate::cx::{Cx, Look};
use crate::extract::{Path, Query};
use crate::failure::Failure;
use crate::language;
use crate::redirect::Redirect;
use crate::routes::Routes;

/// The cookie for light or dark.
pub(crate) const LOOK: &str = "lt-look";
/// The cookie for the bar of the desk; set by the script of the desk.
pub(crate) const BAR: &str = "lt-bar";
const YEAR: u32 = 31_536_000;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/language/{lang}", Access::Public, language)
        .door(None)
        .get("/appearance/{look}", Access::Public, appearance)
        .door(None)
}

#[derive(Debug, Deserialize)]
struct Back {
    #[serde(default)]
    back: String,
}

async fn language(cx: Cx, Path(name): Path<String>, Query(to): Query<Back>) -> Result<Response, Failure> {
    let lang = Lang::ALL.into_iter().find(|l| l.tag() == name).ok_or_else(Failure::no_page)?;
    Ok(remember(&cx, language::COOKIE, lang.tag(), &to.back))
}

async fn appearance(cx: Cx, Path(name): Path<String>, Query(to): Query<Back>) -> Result<Response, Failure> {
    let _known = Look::from_name(&name).ok_or_else(Failure::no_page)?;
    Ok(remember(&cx, LOOK, &name, &to.back))
}

fn remember(cx: &Cx, cookie: &str, value: &str, back: &str) -> Response {
    let mut answer = Redirect::to(back).into_response();
    let mark = if cx.site().secure() { "; Secure" } else { "" };
    let text = format!("{cookie}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={YEAR}{mark}");
    if let Ok(text) = HeaderValue::from_str(&text) {
        answer.headers_mut().append(header::SET_COOKIE, text);
    }
    answer
}
