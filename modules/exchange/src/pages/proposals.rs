//! New services: the provider hands in a description as a file or by its address, sees what is in it, chooses the address
//! behind it and marks personal fields; the operator decides.

use std::collections::BTreeSet;

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use base::i18n::{Lang, Text};
use http::StatusCode;
use kernel::{Error, Kernel, Result, Scope};
use web::ui::{
    Action, Badge, Cell, Column, Confirm, Empty, Facts, Field, Form, Head, Help, Html, Icon, Notice, Row,
    Section, Table, Tone,
};
use web::{Answers, Cx, Page, Path, Redirect};

use crate::agreement::Reason;
use crate::ids::{ProposalId, SubsystemId};
use crate::openapi::MAX_BYTES;
use crate::permissions::{DECIDE, OPERATE};
use crate::proposal::document::{self, Found};
use crate::proposal::{self, New, Proposal, State as Stands, actions, fetch};
use crate::viewer::Viewer;
use crate::{listen, t};

const LIST: &str = "/exchange/proposals";
const NEW: &str = "/exchange/proposals/new";

fn path(id: ProposalId) -> String {
    format!("{LIST}/{id}")
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let all = proposal::list(&k.db, &Viewer::of(&k, &cx).await?).await?;
    let mut head = Head::new(l, t::proposals_title(l)).sub(t::proposals_sub(l));
    if cx.may_somewhere(DECIDE).is_ok() {
        head = head.primary(Action::link(t::proposal_new(l), NEW).icon(Icon::Plus));
    }
    let table = Table::new(l, t::proposals_title(l))
        .column(Column::text(t::column_service(l)))
        .column(Column::text(t::column_provider(l)))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::proposal_proposed(l)))
        .rows(all.iter().map(|p| {
            Row::new([
                Cell::titled(path(p.id), &p.name, format!("{}/{}", p.subsystem_key, p.code)),
                Cell::named(&p.subsystem_name, &p.member),
                Cell::badge(badge(l, p.state)),
                Cell::with_sub(p.proposed.0.vn(), p.proposed.1.clone().unwrap_or_default()),
            ])
        }))
        .empty(Empty::new(Icon::Api, t::proposals_empty(l), t::proposals_empty_text(l)));
    let help = Help::new(t::proposal_help_title(l), t::proposal_help(l));
    Ok(web::page(&cx.frame(t::proposals_title(l)), web::body![head, table, help]))
}

fn badge(l: Lang, state: Stands) -> Badge {
    let tone = match state {
        Stands::Waiting => Tone::Info,
        Stands::Approved => Tone::Good,
        Stands::Refused => Tone::Bad,
        Stands::Withdrawn => Tone::Neutral,
    };
    Badge::new(tone, state.label(l))
}

// --- handing in ---------------------------------------------------------------------------------------------

/// What was typed first.
#[derive(Default)]
struct Typed {
    subsystem: String,
    code: String,
    name: String,
    url: String,
}

pub(super) async fn new(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    Ok(form_page(&k, &cx, &Typed::default(), &[]).await?)
}

async fn form_page(k: &Kernel, cx: &Cx, typed: &Typed, errors: &[FieldError]) -> Result<Page> {
    let l = cx.lang;
    let systems = proposal::own_systems(&k.db, &Viewer::under(cx, DECIDE)?).await?;
    let accept = ".json,.yaml,.yml,application/json,application/yaml";
    let first = (String::new(), t::choose(l).to_owned());
    let systems = std::iter::once(first).chain(systems).collect::<Vec<_>>();
    let listed = !fetch::settings(k)?.allow.is_empty();
    let mut form = Form::post(cx, NEW)
        .errors(errors)
        .field(Field::select("subsystem", t::column_subsystem(l), systems).value(&typed.subsystem).required())
        .field(
            Field::text("code", t::proposal_code(l))
                .help(t::proposal_code_help(l))
                .value(&typed.code)
                .max(64)
                .mono()
                .required(),
        )
        .field(Field::text("name", t::proposal_name_label(l)).value(&typed.name).max(300).required())
        .field(Field::file("file", t::description_file(l), accept).help(t::proposal_file_help(l)));
    if listed {
        form = form.field(
            Field::text("url", t::proposal_url(l))
                .help(t::proposal_url_help(l))
                .value(&typed.url)
                .max(1_000)
                .mono()
                .optional(),
        );
    }
    let form = form.submit(t::proposal_read(l)).cancel(LIST);
    let head = Head::new(l, t::proposal_new(l)).sub(t::proposal_new_sub(l));
    let frame = cx.frame(t::proposal_new(l)).crumb(t::proposals_title(l), LIST);
    Ok(web::page(&frame, web::body![head, form, Help::new(t::proposal_help_title(l), t::proposal_help(l))]))
}

/// Reads the description and shows what is in it; keeps nothing.
pub(super) async fn read(
    State(k): State<Kernel>,
    cx: Cx,
    upload: std::result::Result<Multipart, MultipartRejection>,
) -> web::Result<Response> {
    cx.may_somewhere(DECIDE)?;
    let (typed, bytes) = match upload {
        Ok(upload) => sent(upload).await?,
        Err(_) => (Typed::default(), Vec::new()),
    };
    match found(&k, &cx, &typed, bytes).await {
        Ok((system, found)) => Ok(preview(&cx, system, &typed, &found, &[]).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = form_page(&k, &cx, &typed, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

async fn sent(mut upload: Multipart) -> Result<(Typed, Vec<u8>)> {
    let broken = |e: axum::extract::multipart::MultipartError| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: MAX_BYTES as u64 },
        _ => Error::field("file", Text::both(t::description_missing)),
    };
    let (mut typed, mut bytes) = (Typed::default(), Vec::new());
    while let Some(part) = upload.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" {
            bytes = part.bytes().await.map_err(broken)?.to_vec();
            continue;
        }
        let text = part.text().await.map_err(broken)?.trim().to_owned();
        match name.as_str() {
            "subsystem" => typed.subsystem = text,
            "code" => typed.code = text,
            "name" => typed.name = text,
            "url" => typed.url = text,
            _ => {}
        }
    }
    Ok((typed, bytes))
}

async fn found(k: &Kernel, cx: &Cx, typed: &Typed, bytes: Vec<u8>) -> Result<(SubsystemId, Found)> {
    let system: SubsystemId = typed
        .subsystem
        .parse()
        .map_err(|_| Error::field("subsystem", Text::both(|l| t::choose_one(l).to_owned())))?;
    actions::may_propose(k, cx, system).await?;
    let from = if bytes.is_empty() { "url" } else { "file" };
    let bytes = match (bytes.is_empty(), typed.url.is_empty()) {
        (false, _) => bytes,
        (true, false) => fetch::fetch(k, &typed.url).await?,
        (true, true) => return Err(Error::field("file", Text::both(t::description_missing))),
    };
    let read = tokio::task::spawn_blocking(move || document::read(&bytes)).await.map_err(Error::internal)?;
    read.map(|found| (system, found)).map_err(|fault| Error::field(from, fault.sentence()))
}

/// What is in the description, and what the provider still chooses.
fn preview(cx: &Cx, system: SubsystemId, typed: &Typed, found: &Found, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let mut form = Form::post(cx, format!("{NEW}/send"))
        .errors(errors)
        .field(Field::hidden("subsystem", system))
        .field(Field::hidden("code", &typed.code))
        .field(Field::hidden("name", &typed.name))
        .field(Field::hidden("url", &typed.url))
        .field(Field::hidden("document", String::from_utf8_lossy(&found.json)));
    let first = found.servers.first().map(|s| s.as_str().to_owned()).unwrap_or_default();
    if found.servers.len() > 1 {
        let mut options: Vec<(String, String)> =
            found.servers.iter().map(|s| (s.as_str().to_owned(), s.as_str().to_owned())).collect();
        options.push((String::new(), t::proposal_other_url(l).to_owned()));
        form = form.field(Field::radios("server", t::proposal_server(l), options).value(&first));
        form = form.field(Field::text("base_url", t::proposal_own_url(l)).max(1_000).mono().optional());
    } else {
        form = form.field(
            Field::text("base_url", t::proposal_server(l))
                .help(t::proposal_server_help(l))
                .value(&first)
                .max(1_000)
                .mono()
                .required(),
        );
    }
    if !found.fields.is_empty() {
        let options = found.fields.iter().map(|f| {
            let said =
                if f.description.is_empty() { String::new() } else { format!(" – {}", f.description) };
            (f.path.clone(), format!("{}{said}", f.path))
        });
        let marked = found.fields.iter().filter(|f| f.personal).map(|f| &f.path);
        form = form.field(
            Field::checks("personal", t::proposal_personal(l), options.collect())
                .values(marked)
                .help(t::proposal_personal_help(l)),
        );
    }
    let form = form.submit(t::proposal_send(l)).cancel(NEW);
    let head = Head::new(l, t::proposal_preview(l)).code(&typed.code).sub(&typed.name);
    let mut body = Html::of(head);
    body.push(Notice::new(Tone::Info, t::proposal_consequence(l)));
    body.push(form);
    body.push(operations(l, found));
    let frame =
        cx.frame(t::proposal_preview(l)).crumb(t::proposals_title(l), LIST).crumb(t::proposal_new(l), NEW);
    web::page(&frame, body)
}

fn operations(l: Lang, found: &Found) -> Section {
    let table = Table::new(l, t::openapi_operations(l))
        .column(Column::text(t::column_method(l)))
        .column(Column::text(t::column_path(l)))
        .column(Column::text(t::column_purpose(l)))
        .rows(found.document.operations.iter().map(|o| {
            Row::new([Cell::code(o.route.method), Cell::code(&o.template), Cell::text(&o.summary)])
        }));
    let said = t::proposal_described(
        l,
        t::ProposalDescribed { title: &found.document.title, version: &found.document.version },
    );
    Section::new(t::openapi_operations(l), table).help(said).flush()
}

/// Hands in what was shown.
pub(super) async fn send(State(k): State<Kernel>, cx: Cx, a: Answers) -> web::Result<Response> {
    cx.may_somewhere(DECIDE)?;
    let text = |name: &str| a.get(name).trim().to_owned();
    let typed =
        Typed { subsystem: text("subsystem"), code: text("code"), name: text("name"), url: text("url") };
    let document = a.get("document").as_bytes().to_vec();
    let handed = hand_in(&k, &cx, &typed, document.clone(), &a).await;
    match handed {
        Ok(id) => Ok(Redirect::to(path(id)).saying(t::proposal_sent(cx.lang)).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = match found(&k, &cx, &typed, document).await {
                Ok((system, found)) => preview(&cx, system, &typed, &found, &errors),
                Err(Error::Invalid(_)) => form_page(&k, &cx, &typed, &errors).await?,
                Err(e) => return Err(e.into()),
            };
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

async fn hand_in(k: &Kernel, cx: &Cx, typed: &Typed, document: Vec<u8>, a: &Answers) -> Result<ProposalId> {
    let choose = || Text::both(|l| t::choose_one(l).to_owned());
    let subsystem = typed.subsystem.parse().map_err(|_| Error::field("subsystem", choose()))?;
    let chosen = if a.get("base_url").trim().is_empty() { a.get("server") } else { a.get("base_url") };
    let base_url = chosen.trim().parse().map_err(|text| Error::field("base_url", text))?;
    let new = New {
        subsystem,
        code: typed.code.clone(),
        name: typed.name.clone(),
        base_url,
        document,
        source: Some(typed.url.clone()).filter(|u| !u.is_empty()),
        personal: a.all("personal").map(ToOwned::to_owned).collect(),
    };
    actions::propose(k, cx, new).await
}

// --- one proposal --------------------------------------------------------------------------------------------

pub(super) async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<ProposalId>) -> web::Result<Page> {
    Ok(page(&k, &cx, id, "", &[]).await?)
}

async fn page(k: &Kernel, cx: &Cx, id: ProposalId, reason: &str, errors: &[FieldError]) -> Result<Page> {
    let l = cx.lang;
    let p = proposal::find(&k.db, &Viewer::of(k, cx).await?, id).await?;
    let found = actions::found(k, &p).await?;
    let head = Head::new(l, &p.name).code(format!("{}/{}", p.subsystem_key, p.code)).badge(badge(l, p.state));
    let head = match p.service {
        Some(service) => {
            head.primary(Action::link(t::proposal_service(l), format!("/exchange/services/{service}")))
        }
        None => head,
    };
    let mut body = Html::of(head);
    if let Some(reason) = &p.reason {
        body.push(Notice::new(Tone::Bad, reason).title(t::proposal_why(l)));
    }
    body.push(Section::new(t::facts_title(l), facts(l, &p, found.as_ref())));
    if p.state == Stands::Waiting {
        body.push(acts(cx, &p, reason, errors));
    }
    if let Some(found) = &found {
        body.push(operations(l, found));
    }
    Ok(web::page(&cx.frame(&p.name).crumb(t::proposals_title(l), LIST), body))
}

fn facts(l: Lang, p: &Proposal, found: Option<&Found>) -> Facts {
    let marked: BTreeSet<&str> = p
        .personal
        .iter()
        .map(String::as_str)
        .chain(found.iter().flat_map(|f| &f.fields).filter(|f| f.personal).map(|f| f.path.as_str()))
        .collect();
    let marked = marked.into_iter().collect::<Vec<_>>().join(", ");
    Facts::new()
        .row(t::column_provider(l), Cell::named(&p.subsystem_name, &p.member))
        .row(t::fact_base_url(l), Cell::code(p.base_url.as_str()))
        .maybe(t::proposal_url(l), p.source.as_deref().map(Cell::code))
        .row(t::proposal_personal(l), if marked.is_empty() { Cell::none() } else { Cell::text(marked) })
        .row("SHA-256", Cell::code(&p.sha256))
        .row(
            t::proposal_proposed(l),
            Cell::with_sub(p.proposed.0.vn(), p.proposed.1.clone().unwrap_or_default()),
        )
        .maybe(
            t::proposal_decided_fact(l),
            p.decided.as_ref().map(|(at, name)| Cell::with_sub(at.vn(), name.clone().unwrap_or_default())),
        )
}

fn acts(cx: &Cx, p: &Proposal, reason: &str, errors: &[FieldError]) -> Html {
    let l = cx.lang;
    let mut out = Html::default();
    let at = path(p.id);
    if cx.holds(OPERATE, &Scope::province()) {
        let approve = Confirm::post(
            cx,
            format!("{at}/approve"),
            t::proposal_approve_consequence(l),
            t::proposal_approve(l),
        );
        out.push(Section::new(t::proposal_approve(l), approve));
        let refuse = Confirm::post(
            cx,
            format!("{at}/refuse"),
            t::proposal_refuse_consequence(l),
            t::proposal_refuse(l),
        )
        .danger()
        .field(Field::textarea("reason", t::field_reason(l)).value(reason).rows(3).max(1_000).required())
        .errors(errors);
        out.push(Section::new(t::proposal_refuse(l), refuse));
    }
    let own = p.agency.map_or_else(Scope::province, Scope::agency);
    if cx.holds(DECIDE, &own) {
        let withdraw = Confirm::post(
            cx,
            format!("{at}/withdraw"),
            t::proposal_withdraw_consequence(l),
            t::proposal_withdraw(l),
        );
        out.push(Section::new(t::proposal_withdraw(l), withdraw));
    }
    out
}

pub(super) async fn approve(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ProposalId>,
) -> web::Result<Redirect> {
    let (service, committed) = actions::approve(&k, &cx, id).await?;
    k.wait_for(listen::LISTENER, &committed).await;
    Ok(Redirect::to(format!("/exchange/services/{service}")).saying(t::proposal_approved_said(cx.lang)))
}

pub(super) async fn refuse(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ProposalId>,
    a: Answers,
) -> web::Result<Response> {
    let reason = match Reason::new(a.get("reason")) {
        Ok(reason) => reason,
        Err(wrong) => {
            let page = page(&k, &cx, id, a.get("reason"), &[wrong]).await?;
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    actions::refuse(&k, &cx, id, &reason).await?;
    Ok(Redirect::to(path(id)).saying(t::proposal_refused_said(cx.lang)).into_response())
}

pub(super) async fn withdraw(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ProposalId>,
) -> web::Result<Redirect> {
    actions::withdraw(&k, &cx, id).await?;
    Ok(Redirect::to(path(id)).saying(t::proposal_withdrawn_said(cx.lang)))
}
