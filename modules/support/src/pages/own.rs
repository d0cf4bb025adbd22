//! What became of one's own reports, and a file to one of them.

use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use base::i18n::Text;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use kernel::{Error, Kernel};
use web::ui::{Cell, Code, Column, Empty, Facts, Field, Form, Head, Html, Icon, Row, Section, Table, Thing};
use web::{Cx, Page, Path, Redirect};

use super::{OWN, level, own_path, state, timeline};
use crate::actions::{self, MAX_FILE};
use crate::case::{CaseId, Report, ReportId, State as Stands};
use crate::{store, t};

/// Own reports listed.
const LISTED: u32 = 100;
/// Steps shown.
const STEPS: u32 = 200;

pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let rows = actions::own(&k, &cx, LISTED).await?;
    let table = Table::new(l, t::own_title(l))
        .column(Column::text(t::column_code(l)))
        .column(Column::text(t::fact_page(l)))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::column_level(l)))
        .column(Column::text(t::column_sent(l)))
        .rows(rows.iter().map(|(r, c)| {
            let href = own_path(r.id);
            Row::new([
                Cell::link(&href, &c.code),
                Cell::code(&c.page),
                Cell::badge(state(l, c)),
                Cell::text(level(l, c.level)),
                Cell::time(r.sent_at),
            ])
            .href(href)
        }))
        .empty(Empty::new(Icon::Flag, t::own_none(l), t::own_none_text(l)));
    let head = Head::new(l, t::own_title(l)).sub(t::own_sub(l));
    Ok(web::page(&cx.frame(t::own_title(l)), web::body![head, table]))
}

pub(super) async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<ReportId>) -> web::Result<Page> {
    let report = actions::own_report(&k, &cx, id).await?;
    Ok(shown(&k, &cx, &report, &[]).await?)
}

async fn shown(k: &Kernel, cx: &Cx, report: &Report, errors: &[FieldError]) -> kernel::Result<Page> {
    let l = cx.lang;
    let case = store::one(&k.db, report.case).await?.ok_or(Error::NotFound { kind: CaseId::KIND })?;
    let steps = store::steps(&k.db, case.id, STEPS).await?;
    let mut content = Html::of(Section::new(t::field_words(l), Code::new(l, &report.words).wrapped()));
    if report.file.is_none() && case.state != Stands::Closed {
        let form = Form::post(cx, format!("{}/file", own_path(report.id)))
            .errors(errors)
            .field(Field::file("file", t::field_file(l), ".pdf,.png,.jpg,.jpeg").help(t::field_file_help(l)))
            .submit(t::file_send(l));
        content.push(Section::new(t::field_file(l), form));
    }
    let file =
        report.file.as_ref().map(|(name, _)| Cell::link(format!("/support/files/{}", report.id), name));
    let facts = Facts::new()
        .row(t::column_level(l), Cell::text(level(l, case.level)))
        .row(t::fact_page(l), Cell::code(&case.page))
        .row(t::fact_request(l), Cell::code(&report.request))
        .row(t::column_sent(l), Cell::time(report.sent_at))
        .maybe(t::field_file(l), file);
    let thing = Thing::new(content)
        .side(t::facts_title(l), facts)
        .timeline(t::timeline_title(l), timeline(k, l, &steps, false).await);
    let head = Head::new(l, t::own_one(l)).code(&case.code).badge(state(l, &case));
    let frame = cx.frame(t::own_one(l)).crumb(t::own_title(l), OWN);
    Ok(web::page(&frame, web::body![head, thing]))
}

pub(super) async fn attach(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ReportId>,
    upload: Result<Multipart, MultipartRejection>,
) -> web::Result<Response> {
    // Rights first: content of others is not even read.
    let report = actions::own_report(&k, &cx, id).await?;
    let taken = match upload {
        Err(_) => Err(missing()),
        Ok(upload) => match read(upload).await {
            Ok((_, bytes)) if bytes.is_empty() => Err(missing()),
            Ok((name, bytes)) => actions::attach(&k, &cx, id, &name, bytes).await,
            Err(e) => Err(e),
        },
    };
    match taken {
        Ok(()) => Ok(Redirect::to(own_path(id)).saying(t::file_taken(cx.lang)).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = shown(&k, &cx, &report, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

fn missing() -> Error {
    Error::field("file", Text::both(t::file_none))
}

async fn read(mut upload: Multipart) -> kernel::Result<(String, Bytes)> {
    let broken = |e: axum::extract::multipart::MultipartError| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: MAX_FILE },
        _ => missing(),
    };
    while let Some(part) = upload.next_field().await.map_err(broken)? {
        if part.name() == Some("file") {
            let name = part.file_name().unwrap_or_default().to_owned();
            return Ok((name, part.bytes().await.map_err(broken)?));
        }
    }
    Err(missing())
}

/// A file is handed out to be saved, never shown in a page of ours.
pub(super) async fn file(State(k): State<Kernel>, cx: Cx, Path(id): Path<ReportId>) -> web::Result<Response> {
    let (name, kind, bytes) = actions::file(&k, &cx, id).await?;
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    let place = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", web::encoded(&name));
    let mut answer = bytes.into_response();
    let headers = answer.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).map_err(Error::internal);
    headers.insert(header::CONTENT_TYPE, value(&kind)?);
    headers.insert(header::CONTENT_DISPOSITION, value(&place)?);
    Ok(answer)
}
