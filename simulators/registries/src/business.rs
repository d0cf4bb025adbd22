//! The business registry: one enterprise by number, search by name, and its extract as a larger document.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, header};
use serde::Deserialize;

use crate::enterprise::{self, Register};
use crate::extract;
use crate::problem::Problem;
use crate::reply;
use crate::server::{self, Latency, Running};

/// The service's OpenAPI 3.1 document, also answered at `/openapi.json`.
pub const OPENAPI: &str = include_str!("../openapi/business.json");

/// Enterprises on one page of a search.
const PAGE: usize = 20;

/// Starts the registry on `listen` (port 0 picks a free one).
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(
    listen: SocketAddr,
    register: Arc<Register>,
    latency: Latency,
    seed: u64,
) -> std::io::Result<Running> {
    server::start(listen, router(register), latency, seed).await
}

fn router(register: Arc<Register>) -> Router {
    Router::new()
        .route("/enterprises", get(search))
        .route("/enterprises/{ma_so}", get(one))
        .route("/enterprises/{ma_so}/extract", get(full_extract))
        .route("/openapi.json", get(|headers: HeaderMap| async move { reply::json_text(&headers, OPENAPI) }))
        .with_state(register)
}

fn find<'a>(register: &'a Register, number: &str) -> Result<&'a enterprise::Enterprise, Problem> {
    if !enterprise::is_number(number) {
        return Err(Problem::invalid("Mã số doanh nghiệp gồm đúng 10 chữ số."));
    }
    let missing = || Problem::not_found("Không tìm thấy doanh nghiệp có mã số này", "No such enterprise");
    register.get(number).ok_or_else(missing)
}

async fn one(
    State(register): State<Arc<Register>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    match find(&register, &number) {
        Ok(found) => reply::json(&headers, found),
        Err(problem) => problem.into_response(),
    }
}

#[derive(Deserialize)]
struct Search {
    name: Option<String>,
    #[serde(default)]
    sau: String,
}

async fn search(
    State(register): State<Arc<Register>>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Response {
    let name = search.name.unwrap_or_default();
    let letters = name.chars().filter(|c| c.is_alphanumeric()).count();
    if letters < 2 || name.chars().count() > 200 {
        return Problem::invalid("Tên cần tìm có từ 2 đến 200 ký tự.").into_response();
    }
    if !search.sau.is_empty() && !enterprise::is_number(&search.sau) {
        return Problem::invalid("Giá trị sau phải lấy từ tiep_theo của trang trước.").into_response();
    }
    reply::json(&headers, &register.search(&name, &search.sau, PAGE))
}

async fn full_extract(State(register): State<Arc<Register>>, Path(number): Path<String>) -> Response {
    match find(&register, &number) {
        Ok(found) => {
            let pieces = extract::pieces(found).map(Ok::<_, Infallible>);
            let name = format!("inline; filename=\"trich-luc-{number}.xml\"");
            let headers = [
                (header::CONTENT_TYPE, "application/xml; charset=utf-8"),
                (header::CONTENT_DISPOSITION, name.as_str()),
            ];
            (headers, Body::from_stream(futures_util::stream::iter(pieces))).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}
