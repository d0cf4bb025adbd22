//! The population registry: one person by number, and a comparison that reveals nothing but agreement.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base::clock::Date;
use http::HeaderMap;
use serde::Deserialize;

use crate::person::{self, Population};
use crate::problem::Problem;
use crate::reply;
use crate::server::{self, Latency, Running};

/// The service's OpenAPI 3.1 document, also answered at `/openapi.json`.
pub const OPENAPI: &str = include_str!("../openapi/population.json");

/// Starts the registry on `listen` (port 0 picks a free one).
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(
    listen: SocketAddr,
    people: Arc<Population>,
    latency: Latency,
    seed: u64,
) -> std::io::Result<Running> {
    server::start(listen, router(people), latency, seed).await
}

fn router(people: Arc<Population>) -> Router {
    Router::new()
        .route("/persons/{so_dinh_danh}", get(one))
        .route("/persons/verify", post(verify))
        .route("/openapi.json", get(|headers: HeaderMap| async move { reply::json_text(&headers, OPENAPI) }))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .with_state(people)
}

async fn one(
    State(people): State<Arc<Population>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !person::is_number(&number) {
        return Problem::invalid("Số định danh cá nhân gồm đúng 12 chữ số.").into_response();
    }
    match people.get(&number) {
        Some(found) => reply::json(&headers, found),
        None => Problem::not_found("Không tìm thấy công dân có số định danh này", "No such person")
            .into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    so_dinh_danh: String,
    ho_ten: String,
    ngay_sinh: String,
}

async fn verify(State(people): State<Arc<Population>>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        let detail = "Cần một đối tượng JSON có đúng ba trường so_dinh_danh, ho_ten, ngay_sinh.";
        return Problem::invalid(detail).into_response();
    };
    if !person::is_number(&question.so_dinh_danh) {
        return Problem::invalid("Số định danh cá nhân gồm đúng 12 chữ số.").into_response();
    }
    if question.ho_ten.trim().is_empty() || question.ho_ten.chars().count() > 120 {
        return Problem::invalid("Họ và tên không được để trống và không quá 120 ký tự.").into_response();
    }
    let Ok(born) = question.ngay_sinh.parse::<Date>() else {
        return Problem::invalid("Ngày sinh viết theo dạng năm-tháng-ngày, ví dụ 1987-03-21.")
            .into_response();
    };
    reply::json(&headers, &people.verify(&question.so_dinh_danh, &question.ho_ten, born))
}
