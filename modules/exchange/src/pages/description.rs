//! A new description of a service: the file or text, what it changes, then the same text again to be put in place.

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use base::i18n::{Lang, Text};
use http::StatusCode;
use kernel::{Error, Kernel, params};
use serde::Deserialize;
use web::ui::{
    Badge, Cell, Column, Empty, Field, Form as Fields, Head, Help, Icon, Notice, Row, Section, Table, Tone,
};
use web::{Cx, Form, Page, Path, Redirect};

use crate::description::compare::{self, Change};
use crate::description::{self, Seen};
use crate::ids::ServiceId;
use crate::listen::LISTENER;
use crate::openapi::MAX_BYTES;
use crate::proposal::{document, fetch as fetching};
use crate::store::lists::{self, ServiceRow};
use crate::t;
use crate::viewer::Viewer;

async fn found(k: &Kernel, cx: &Cx, id: ServiceId) -> Result<(ServiceRow, Seen), Error> {
    let seen = description::standing(k, cx, id).await?;
    let row = lists::service(&k.db, &Viewer::All, id).await?;
    Ok((row.ok_or(Error::NotFound { kind: ServiceId::KIND })?, seen))
}

pub(super) async fn form(State(k): State<Kernel>, cx: Cx, Path(id): Path<ServiceId>) -> web::Result<Page> {
    let (service, _) = found(&k, &cx, id).await?;
    let source = source(&k, id).await?;
    Ok(form_page(&cx, &service, source.as_deref(), &[]))
}

fn at(service: &ServiceRow) -> String {
    format!("/exchange/services/{}/description", service.id)
}

/// Where it was fetched last; `None` where nothing may be fetched.
async fn source(k: &Kernel, id: ServiceId) -> Result<Option<String>, Error> {
    if fetching::settings(k)?.allow.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT source FROM exchange_service WHERE id = $1";
    let row = k.db.query_opt(sql, params![id]).await?;
    Ok(Some(row.map(|r| r.opt_text("source")).transpose()?.flatten().unwrap_or_default()))
}

fn form_page(cx: &Cx, service: &ServiceRow, source: Option<&str>, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let accept = ".json,.yaml,.yml,application/json,application/yaml";
    let form = Fields::post(cx, at(service))
        .errors(errors)
        .field(Field::file("file", t::description_file(l), accept).help(t::description_file_help(l)))
        .submit(t::description_compare(l))
        .cancel(format!("/exchange/services/{}", service.id));
    let head =
        Head::new(l, t::description_title(l)).code(&service.key).sub(t::description_sub(l, &service.name));
    let help = Help::new(t::description_help_title(l), t::description_help(l));
    let mut body = web::body![head, form];
    if let Some(source) = source {
        let form = Fields::post(cx, format!("{}/fetch", at(service)))
            .errors(errors)
            .field(
                Field::text("url", t::proposal_url(l))
                    .help(t::proposal_url_help(l))
                    .value(source)
                    .max(1_000)
                    .mono()
                    .required(),
            )
            .submit(t::description_fetch(l));
        body.push(Section::new(t::description_by_url(l), form));
    }
    body.push(help);
    web::page(&cx.frame(t::description_title(l)), body)
}

/// Reads and compares; writes nothing.
pub(super) async fn check(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    upload: Result<Multipart, MultipartRejection>,
) -> web::Result<Response> {
    let (service, seen) = found(&k, &cx, id).await?;
    let source = source(&k, id).await?;
    let unread = |text: Text| {
        let errors = [FieldError { field: "file".into(), text }];
        form_page(&cx, &service, source.as_deref(), &errors)
            .status(StatusCode::UNPROCESSABLE_ENTITY)
            .into_response()
    };
    let Ok(upload) = upload else { return Ok(unread(Text::both(t::description_missing))) };
    let bytes = file(upload).await?;
    if bytes.is_empty() {
        return Ok(unread(Text::both(t::description_missing)));
    }
    match compared(&k, &seen, bytes).await? {
        Ok((changes, json)) => Ok(preview(&cx, &service, &seen, &changes, &json).into_response()),
        Err(fault) => Ok(unread(fault.sentence())),
    }
}

/// What a description changes, with the description as JSON.
async fn compared(
    k: &Kernel,
    seen: &Seen,
    bytes: Vec<u8>,
) -> Result<Result<(Vec<Change>, Vec<u8>), document::Located>, Error> {
    let old = match &seen.present {
        Some(sha256) => crate::store::document(k, sha256).await?,
        None => None,
    };
    let work = move || {
        let found = document::read(&bytes)?;
        let none = |fault| document::Located { line: None, fault };
        let changes = compare::compare(old.as_deref(), &found.json).map_err(none)?;
        Ok((changes, found.json))
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// Fetches the description from its address and shows what it changes; puts nothing in place.
pub(super) async fn fetch(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    Form(v): Form<Fetched>,
) -> web::Result<Response> {
    let (service, seen) = found(&k, &cx, id).await?;
    let wrong = match fetching::fetch(&k, v.url.trim()).await {
        Ok(bytes) => match compared(&k, &seen, bytes).await? {
            Ok((changes, json)) => {
                return Ok(preview(&cx, &service, &seen, &changes, &json).into_response());
            }
            Err(fault) => vec![FieldError { field: "url".into(), text: fault.sentence() }],
        },
        Err(Error::Invalid(wrong)) => wrong,
        Err(e) => return Err(e.into()),
    };
    let page = form_page(&cx, &service, Some(&v.url), &wrong);
    Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fetched {
    url: String,
}

async fn file(mut upload: Multipart) -> Result<Vec<u8>, Error> {
    let broken = |e: axum::extract::multipart::MultipartError| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: MAX_BYTES as u64 },
        _ => Error::field("file", Text::both(t::description_missing)),
    };
    while let Some(part) = upload.next_field().await.map_err(broken)? {
        if part.name() == Some("file") {
            return Ok(part.bytes().await.map_err(broken)?.to_vec());
        }
    }
    Ok(Vec::new())
}

fn preview(cx: &Cx, service: &ServiceRow, seen: &Seen, changes: &[Change], json: &[u8]) -> Page {
    let l = cx.lang;
    let breaking = i64::try_from(changes.iter().filter(|c| c.what.breaks()).count()).unwrap_or(i64::MAX);
    let mut body = web::body![Head::new(l, t::description_preview(l)).code(&service.key).sub(&service.name)];
    if breaking > 0 {
        body.push(Notice::new(Tone::Bad, t::description_breaking(l, breaking)));
    }
    if breaking > 0 && !seen.decides {
        body.push(Notice::new(Tone::Warn, t::description_breaks(l)));
    } else {
        let form = Fields::post(cx, format!("{}/apply", at(service)))
            .field(Field::hidden("document", String::from_utf8_lossy(json)))
            .field(Field::hidden("seen", seen.present.as_deref().unwrap_or("")))
            .submit(t::description_apply(l))
            .cancel(at(service));
        body.push(Notice::new(Tone::Info, t::description_consequence(l)));
        body.push(form);
    }
    body.push(Section::new(t::description_changes(l), table(l, changes)).flush());
    web::page(&cx.frame(t::description_preview(l)).crumb(t::description_title(l), at(service)), body)
}

fn table(l: Lang, changes: &[Change]) -> Table {
    Table::new(l, t::description_changes(l))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::description_change(l)))
        .column(Column::text(t::thing_endpoint(l)))
        .column(Column::text(t::corner_place(l)))
        .rows(changes.iter().map(|c| {
            let badge = match c.what.breaks() {
                true => Badge::new(Tone::Bad, t::description_breaks_word(l)),
                false => Badge::new(Tone::Good, t::description_fits_word(l)),
            };
            let place = if c.place.is_empty() { Cell::none() } else { Cell::with_sub(&c.place, &c.detail) };
            Row::new([Cell::badge(badge), Cell::text(c.what.label(l)), Cell::code(&c.operation), place])
        }))
        .empty(Empty::new(Icon::FileDiff, t::description_same(l), t::description_same_text(l)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Compared {
    document: String,
    seen: String,
}

/// Puts in place what was compared.
pub(super) async fn apply(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    Form(v): Form<Compared>,
) -> web::Result<Redirect> {
    let seen = Some(v.seen.as_str()).filter(|s| !s.is_empty());
    let (_, committed) = description::replace(&k, &cx, id, v.document.into_bytes(), seen).await?;
    k.wait_for(LISTENER, &committed).await;
    Ok(Redirect::to(at_id(id)).saying(t::description_done(cx.lang)))
}

fn at_id(id: ServiceId) -> String {
    format!("/exchange/services/{id}/description")
}
