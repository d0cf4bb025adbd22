//! The JSON interface at `/api/catalogues/v1`: translation only. What is public is read by everybody; the rest is
//! decided by the reader's rights in the questions themselves. The wire format of the national catalogues is not known
//! publicly, so this one is our own and imitates none.

mod catalogues;
mod mappings;
mod rows;
mod versions;

use axum::Json;
use axum::response::{IntoResponse, Response};
use base::clock::Date;
use base::i18n::Text;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kernel::Error;
use kernel::once::{self, Once};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use web::{Access, Routes};

use crate::catalogue::{clip, field};
use crate::permissions::{EDIT, PUBLISH};
use crate::store::{MAX_PAGE, PAGE};
use crate::t;
use crate::table::{self, MAX_BYTES};

/// The routes.
pub(crate) fn routes() -> Routes {
    let (edits, publishes) = (Access::Needs(EDIT), Access::Needs(PUBLISH));
    Routes::new()
        .get("/api/catalogues/v1/catalogues", Access::Public, catalogues::list)
        .post("/api/catalogues/v1/catalogues", edits, catalogues::create)
        .get("/api/catalogues/v1/catalogues/{code}", Access::Public, catalogues::get)
        .put("/api/catalogues/v1/catalogues/{code}", edits, catalogues::update)
        .get("/api/catalogues/v1/catalogues/{code}/changes", Access::Public, catalogues::changes)
        .get("/api/catalogues/v1/catalogues/{code}/document", Access::Public, rows::document)
        .get("/api/catalogues/v1/catalogues/{code}/entries", Access::Public, rows::entries)
        .get("/api/catalogues/v1/catalogues/{code}/entries/{entry}", Access::Public, rows::entry)
        .get("/api/catalogues/v1/catalogues/{code}/pairs", Access::Public, rows::pairs)
        .get("/api/catalogues/v1/catalogues/{code}/versions", Access::Public, versions::list)
        .post("/api/catalogues/v1/catalogues/{code}/versions", edits, versions::draft)
        .get("/api/catalogues/v1/catalogues/{code}/versions/{number}", Access::Public, versions::get)
        .delete("/api/catalogues/v1/catalogues/{code}/versions/{number}", edits, versions::discard)
        .put("/api/catalogues/v1/catalogues/{code}/versions/{number}/rows", edits, rows::replace)
        .limit(MAX_BYTES)
        .post("/api/catalogues/v1/catalogues/{code}/versions/{number}/publish", publishes, versions::publish)
        .get("/api/catalogues/v1/mappings/{code}/translate", Access::Public, mappings::translate)
        .post("/api/catalogues/v1/mappings/{code}/translate", Access::Public, mappings::translate_many)
        .get("/api/catalogues/v1/mappings/{code}/completeness", Access::Public, mappings::completeness)
}

/// The description of the interface.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Danh mục dùng chung / Shared catalogues",
        description = "Catalogues with dated versions, mappings of codes, translation.",
        version = "1"
    ),
    paths(
        catalogues::list,
        catalogues::create,
        catalogues::get,
        catalogues::update,
        catalogues::changes,
        rows::document,
        rows::entries,
        rows::entry,
        rows::pairs,
        rows::replace,
        versions::list,
        versions::draft,
        versions::get,
        versions::discard,
        versions::publish,
        mappings::translate,
        mappings::translate_many,
        mappings::completeness
    )
)]
pub(crate) struct ApiDoc;

/// One page of a list.
#[derive(Serialize, ToSchema)]
struct Items<T> {
    /// The rows.
    items: Vec<T>,
    /// What to send as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<T> Items<T> {
    /// Makes a page of at most `limit` rows of one row more than was asked for.
    fn of<R>(mut rows: Vec<R>, limit: u32, next: impl Fn(&R) -> String, item: impl Fn(R) -> T) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(next) } else { None };
        Self { items: rows.into_iter().map(item).collect(), next }
    }
}

/// The number of rows asked for, within bounds.
fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}

/// A parameter as its type; a wrong one is told, not ignored.
fn parsed<T: std::str::FromStr>(name: &str, value: Option<&str>) -> Result<Option<T>, Error> {
    let Some(value) = value.filter(|v| !v.is_empty()) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| wrong(name, value))
}

fn wrong(name: &str, value: &str) -> Error {
    Error::Invalid(vec![field(name, Text::both(|l| t::parameter_wrong(l, clip(value))))])
}

/// A day that may be left out.
fn day(name: &str, value: Option<&str>) -> Result<Option<Date>, Error> {
    table::date(value.unwrap_or_default()).map_err(|text| Error::Invalid(vec![field(name, text)]))
}

/// A day that must be given.
fn required_day(name: &str, value: Option<&str>) -> Result<Date, Error> {
    day(name, value)?
        .ok_or_else(|| Error::Invalid(vec![field(name, Text::both(|l| t::date_required(l, name)))]))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|v| v.to_str().unwrap_or_default().trim())
}

/// The revision a change was made upon.
fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Error> {
    match text(headers, header::IF_MATCH) {
        None | Some("*") => Ok(None),
        Some(tag) => {
            let revision =
                tag.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| t.parse().ok());
            // A tag we never gave cannot match.
            revision.map(Some).ok_or(Error::Conflict)
        }
    }
}

/// The key under which a request may be repeated.
fn repeatable(headers: &HeaderMap, verb: &str, body: &impl Serialize) -> Result<Option<Once>, Error> {
    let Some(key) = text(headers, HeaderName::from_static(once::HEADER)) else { return Ok(None) };
    Once::new(key, &format!("{verb}\n{}", serde_json::to_string(body)?)).map(Some)
}

fn tagged(tag: &str) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("\"{tag}\""));
    [(header::ETAG, value.unwrap_or_else(|_| HeaderValue::from_static("\"0\"")))]
}

/// The answer with its tag; nothing but the tag when the reader has it already.
async fn answer<T: Serialize>(
    headers: &HeaderMap,
    tag: &str,
    body: impl Future<Output = Result<T, Error>>,
) -> web::Result<Response> {
    let quoted = format!("\"{tag}\"");
    let known = text(headers, header::IF_NONE_MATCH).is_some_and(|known| {
        known.split(',').any(|t| t.trim().trim_start_matches("W/") == quoted || t.trim() == "*")
    });
    if known {
        return Ok((StatusCode::NOT_MODIFIED, tagged(tag)).into_response());
    }
    Ok((tagged(tag), Json(body.await?)).into_response())
}
