//! The description of all APIs as one OpenAPI document, and a page to read and try them. Our own page: the usual one
//! is larger than all our other pages together.

mod operations;

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use base::i18n::Lang;
use http::header;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use crate::access::Access;
use crate::cx::Cx;
use crate::frame::Page;
use crate::pages::Pages;
use crate::routes::Routes;
use crate::ui::{Action, Empty, Head, Icon};
use crate::{assets, t};
pub use operations::{Group, Operation, Parameter, groups};

const DOCUMENT: &str = "/api/openapi.json";

pub(crate) fn routes(modules: &[Arc<dyn Pages>]) -> Routes {
    let described = Arc::new(Described::of(modules));
    let text = described.clone();
    Routes::new().get("/api/docs", Access::Public, async move |cx: Cx| page(&cx, &described)).get(
        DOCUMENT,
        Access::Public,
        async move || document(&text),
    )
}

/// Made once at start.
struct Described {
    json: String,
    groups: Vec<Group>,
}

impl Described {
    fn of(modules: &[Arc<dyn Pages>]) -> Self {
        let info = InfoBuilder::new().title("Liên Thông").version(env!("CARGO_PKG_VERSION")).build();
        let mut all: OpenApi = OpenApiBuilder::new().info(info).build();
        for module in modules {
            if let Some(mut one) = module.openapi() {
                name_group(&mut one, module.name());
                all.merge(one);
            }
        }
        // A document of strings and maps always serialises; an empty one is still a valid answer.
        let value = serde_json::to_value(&all).unwrap_or_default();
        Self::read(&value)
    }

    fn read(document: &serde_json::Value) -> Self {
        Self { json: document.to_string(), groups: operations::groups(document) }
    }
}

/// The page as it would describe another document: for the gallery.
pub(crate) fn sample(cx: &Cx, document: &serde_json::Value) -> Page {
    page(cx, &Described::read(document))
}

/// Operations without a tag stand under the name of their module.
fn name_group(api: &mut OpenApi, module: &str) {
    for item in api.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.tags.get_or_insert_with(|| vec![module.to_owned()]);
        }
    }
}

fn document(described: &Described) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], described.json.clone()).into_response()
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    lang: Lang,
    head: Head,
    empty: Empty,
    groups: &'a [Group],
}

fn page(cx: &Cx, described: &Described) -> Page {
    let lang = cx.lang;
    let download = Action::link(t::api_download(lang), DOCUMENT).icon(Icon::FileDownload);
    let body = Docs {
        lang,
        head: Head::new(lang, t::api_title(lang)).sub(t::api_sub(lang)).action(download),
        empty: Empty::new(Icon::Api, t::api_empty(lang), t::api_empty_text(lang)),
        groups: &described.groups,
    };
    crate::frame::page(&cx.frame(t::api_title(lang)).wide().script(assets::DOCS_JS), body)
}
