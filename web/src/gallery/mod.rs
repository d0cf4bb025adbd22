//! Every component with believable values, and whole pages made of them: to look at, to photograph, to test. Served in
//! the demonstration only; all names are invented.

mod data;
mod parts;
mod whole;

use axum::response::{IntoResponse, Response};
use base::error::{Error, Refusal};
use base::i18n::Text;

use crate::access::Access;
use crate::cx::Cx;
use crate::export::As;
use crate::extract::{Path, Query};
use crate::failure::Failure;
use crate::frame::Page;
use crate::routes::Routes;
use crate::t;
use crate::ui::{Html, Section};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/gallery", Access::Public, async |cx: Cx| all(&data::desk(&cx)))
        .get("/gallery/list", Access::Public, async |cx: Cx| whole::list(&data::desk(&cx)))
        .get("/gallery/list/export", Access::Public, async |cx: Cx, Query(file): Query<As>| {
            whole::list_as_file(&cx, file.kind).await
        })
        .get("/gallery/none", Access::Public, async |cx: Cx| whole::none(&data::desk(&cx)))
        .get("/gallery/thing", Access::Public, async |cx: Cx| whole::thing(&data::desk(&cx)))
        .get("/gallery/form", Access::Public, async |cx: Cx| whole::form(&data::desk(&cx)))
        .get("/gallery/figures", Access::Public, async |cx: Cx| whole::figures(&data::desk(&cx)))
        .get("/gallery/sign-in", Access::Public, async |cx: Cx| whole::sign_in(&cx))
        .get("/gallery/verify", Access::Public, async |cx: Cx| whole::verify(&cx))
        .get("/gallery/apis", Access::Public, async |cx: Cx| {
            crate::docs::sample(&data::desk(&cx), &data::apis())
        })
        .get("/gallery/errors/{kind}", Access::Public, error)
}

/// A component with values, and what it shows.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Component and case.
    pub name: &'static str,
    /// The component rendered.
    pub html: Html,
}

/// Every component: none, one, many, longest names, denied, stale.
pub fn samples(cx: &Cx) -> Vec<Sample> {
    parts::all(cx)
}

fn all(cx: &Cx) -> Page {
    let mut body = Html::of(crate::ui::Head::new(cx.lang, t::g_title(cx.lang)).sub(t::g_sub(cx.lang)));
    for sample in samples(cx) {
        body.push(Section::new(sample.name, sample.html));
    }
    crate::frame::page(&cx.frame(t::g_title(cx.lang)), body)
}

/// One error of each kind, through the real door.
async fn error(Path(kind): Path<String>) -> Response {
    let away = std::io::Error::other("connection refused");
    let error = match kind.as_str() {
        "denied" => Error::Denied { permission: "exchange.agreement.decide" },
        "refused" => Refusal::new("agreement-not-waiting", Text::both(t::g_refusal)).into(),
        "conflict" => Error::Conflict,
        "too-many" => Error::TooMany { retry_after: 30 },
        "too-large" => Error::TooLarge { limit: 1 << 20 },
        "unavailable" => Error::unavailable("database", away),
        "internal" => Error::internal(away),
        _ => Error::NotFound { kind: "page" },
    };
    Failure::from(error).into_response()
}
