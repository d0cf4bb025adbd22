//! Rows into a draft from a CSV file: first the comparison, then the same text again to be written.

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use base::i18n::Text;
use http::StatusCode;
use kernel::{Error, Kernel, Scope};
use serde::Deserialize;
use web::ui::{Action, Field, Form as Fields, Head, Help, Icon, Notice, Tone};
use web::{Cx, Form, Page, Path, Redirect};

use super::words::{self, Words};
use super::{changes, parts};
use crate::actions::{self, Imported};
use crate::catalogue::{Catalogue, field};
use crate::content::Given;
use crate::permissions::EDIT;
use crate::table::MAX_BYTES;
use crate::version::Version;
use crate::{questions, t};

pub(super) async fn form(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
) -> web::Result<Page> {
    let (c, v) = editable(&k, &cx, &code, number).await?;
    Ok(form_page(&cx, &c, &v, &[]))
}

async fn editable(k: &Kernel, cx: &Cx, code: &str, number: i64) -> Result<(Catalogue, Version), Error> {
    let c = questions::find(k, cx, code).await?;
    let v = questions::version(k, cx, &c, number).await?;
    cx.may(EDIT, &Scope::agency(c.owner))?;
    Ok((c, v))
}

fn form_page(cx: &Cx, c: &Catalogue, v: &Version, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let here = parts::version_path(&c.code, v.number);
    let help = if c.is_mapping() { t::import_pairs_help(l) } else { t::import_entries_help(l) };
    let form = Fields::post(cx, format!("{here}/import"))
        .errors(errors)
        .field(Field::file("file", t::import_file(l), ".csv,.txt,text/csv").help(help))
        .submit(t::import_compare(l))
        .cancel(&here);
    let head = Head::new(l, t::import_title(l, v.number)).code(&c.code).sub(t::import_sub(l));
    let note = Help::new(t::import_help_title(l), t::import_help(l));
    let frame =
        parts::frame(cx, &t::import_title(l, v.number), Some(c)).crumb(t::version_n(l, v.number), &here);
    web::page(&frame, web::body![head, form, note])
}

/// Compares a file with the draft; writes nothing.
pub(super) async fn compare(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    upload: Result<Multipart, MultipartRejection>,
) -> web::Result<Response> {
    let (c, v) = editable(&k, &cx, &code, number).await?;
    let unread = |text: Text| {
        let page = form_page(&cx, &c, &v, &[field("file", text)]);
        Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
    };
    let Ok(upload) = upload else { return unread(Text::both(t::file_missing)) };
    let bytes = file(upload).await?;
    if bytes.is_empty() {
        return unread(Text::both(t::file_missing));
    }
    let given = match Given::from_csv(c.kind, &bytes) {
        Ok(given) => given,
        Err(text) => return unread(text),
    };
    let seen = actions::import(&k, &cx, &code, number, given, None, true).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(preview(&k, &cx, &c, &seen, &text).await?.into_response())
}

/// The content of the file field.
async fn file(mut upload: Multipart) -> Result<Vec<u8>, Error> {
    while let Some(part) = upload.next_field().await.map_err(broken)? {
        if part.name() == Some("file") {
            return Ok(part.bytes().await.map_err(broken)?.to_vec());
        }
    }
    Ok(Vec::new())
}

fn broken(e: axum::extract::multipart::MultipartError) -> Error {
    if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Error::TooLarge { limit: MAX_BYTES };
    }
    Error::field("file", Text::both(|l| t::file_unreadable(l, e.body_text())))
}

async fn preview(k: &Kernel, cx: &Cx, c: &Catalogue, seen: &Imported, text: &str) -> web::Result<Page> {
    let l = cx.lang;
    let v = &seen.version;
    let words = Words::of(k, cx, c, v.from(), words::differing(&seen.changes)).await?;
    let here = parts::version_path(&c.code, v.number);
    let count = i64::try_from(seen.refused.len()).unwrap_or(i64::MAX);
    let again = Action::link(t::import_again(l), format!("{here}/import")).icon(Icon::Upload);
    let mut body = web::body![Head::new(l, t::preview_title(l)).code(&c.code).sub(t::preview_sub(l))];
    if count > 0 {
        body.push(Notice::new(Tone::Bad, t::preview_refused(l, count)).action(again));
        body.push(changes::refused(l, &seen.refused));
    } else if seen.changes.none() {
        body.push(Notice::new(Tone::Info, t::preview_same(l)).action(again));
    } else {
        let form = Fields::post(cx, format!("{here}/rows"))
            .field(Field::hidden("csv", text))
            .field(Field::hidden("revision", v.revision))
            .submit(t::import_apply(l))
            .cancel(format!("{here}/import"));
        body.push(Notice::new(Tone::Warn, t::preview_consequence(l, v.number)));
        body.push(form);
    }
    body.push(changes::sections(l, t::preview_changes(l), &seen.changes, &words));
    let frame = parts::frame(cx, t::preview_title(l), Some(c)).crumb(t::version_n(l, v.number), &here);
    Ok(web::page(&frame, body))
}

#[derive(Debug, Deserialize)]
pub(super) struct Compared {
    csv: String,
    revision: i64,
}

/// Writes what was compared.
pub(super) async fn apply(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    Form(seen): Form<Compared>,
) -> web::Result<Response> {
    let (c, _) = editable(&k, &cx, &code, number).await?;
    let given = Given::from_csv(c.kind, seen.csv.as_bytes()).map_err(|text| Error::field("csv", text))?;
    let done = actions::import(&k, &cx, &code, number, given, Some(seen.revision), false).await?;
    if !done.refused.is_empty() {
        // One of the lists of a mapping changed between comparing and writing.
        let page = preview(&k, &cx, &c, &done, &seen.csv).await?;
        return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    let said = t::imported(cx.lang, done.version.rows);
    Ok(Redirect::to(parts::version_path(&code, number)).saying(said).into_response())
}
