//! The public face of the evidence: which logs there are, their keys and checkpoints, and the tiles by which
//! anyone can follow them (C2SP tlog-tiles). Holds nothing personal.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use kernel::{Error, Result};
use web::ui::{Cell, Code, Empty, Facts, Head, Help, Html, Icon, Section};
use web::{Cx, Page, Path};

use super::parts;
use crate::{Exchange, bundle, t};

/// A log as shown.
struct Shown {
    dir: String,
    vkey: String,
    checkpoint: Option<String>,
}

pub(super) async fn page(exchange: Exchange, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let files = bundle::running(&exchange).map(|e| e.files().clone()).ok();
    let logs = match files {
        Some(files) => blocking(move || read(&files)).await?,
        None => Vec::new(),
    };
    let mut body = Html::of(Head::new(l, t::logs_title(l)).sub(t::logs_sub(l)));
    if logs.is_empty() {
        body.push(Empty::new(Icon::ShieldCheck, t::logs_empty(l), t::logs_empty_text(l)));
    }
    // The newest first: it is the one that grows.
    for (at, log) in logs.iter().rev().enumerate() {
        let title = if at == 0 { t::log_current(l) } else { t::log_earlier(l) };
        body.push(section(&cx, title, log));
    }
    body.push(
        Code::new(l, "lienthong verify --key KEY chung-cu-….lienthong-evidence.json").title(t::logs_check(l)),
    );
    body.push(Help::new(t::logs_help_title(l), t::logs_help(l)));
    Ok(web::page(&cx.frame(t::logs_title(l)), body))
}

fn section(cx: &Cx, title: &str, log: &Shown) -> Section {
    let l = cx.lang;
    let name = log.vkey.split('+').next().unwrap_or_default();
    let at = format!("/evidence/{}/checkpoint", log.dir);
    let facts = Facts::new()
        .row(t::evidence_log(l), Cell::code(name))
        .row(t::log_address(l), Cell::link(&at, format!("{}{at}", cx.site().origin())));
    let mut body = Html::of(facts);
    body.push(parts::apart(Code::new(l, log.vkey.as_str()).title(t::log_key(l)).wrapped()));
    if let Some(checkpoint) = &log.checkpoint {
        body.push(Code::new(l, checkpoint.as_str()).title(t::log_checkpoint(l)).wrapped());
    }
    Section::new(title, body)
}

fn read(files: &kernel::sealed::LogReader) -> Result<Vec<Shown>> {
    let text = |dir: &str, name: &str| -> Result<Option<String>> {
        Ok(files.file(dir, name)?.map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned()))
    };
    let mut out = Vec::new();
    for dir in files.origins()? {
        let (vkey, checkpoint) = (text(&dir, "vkey")?, text(&dir, "checkpoint")?);
        out.extend(vkey.map(|vkey| Shown { dir, vkey, checkpoint }));
    }
    Ok(out)
}

pub(super) async fn file(
    exchange: Exchange,
    Path((origin, path)): Path<(String, String)>,
) -> web::Result<Response> {
    let files = bundle::running(&exchange)?.files().clone();
    let (dir, name) = (origin, path.clone());
    let bytes = blocking(move || files.file(&dir, &name)).await?.ok_or(Error::NotFound { kind: "page" })?;
    let (kind, cache) = if path.starts_with("tile/") {
        // A full tile never changes; a partial one grows under another name.
        ("application/octet-stream", "public, max-age=31536000, immutable")
    } else {
        ("text/plain; charset=utf-8", "no-cache")
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    Ok((headers, bytes).into_response())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
