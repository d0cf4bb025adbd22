//! Certificates of a system in the integrator's corner: the list with its ends, handing in a signing request, downloading
//! what was issued, revoking, and whether a credential must show one.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use base::clock::Timestamp;
use base::error::FieldError;
use base::i18n::{Lang, Text};
use http::{HeaderValue, StatusCode, header};
use kernel::identity::certificates::{self, Certificate, CertificateId, State as Stands};
use kernel::identity::clients::{Client, ClientId, ClientState};
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Confirm, Empty, Facts, Field, Form as Fields, Head, Help, Html, Icon,
    Notice, Row, Section, Table, Tone,
};
use web::{Cx, Form, Page, Path, Redirect};

use super::{Tab, frame, head, home_path};
use crate::corner::certificates as acts;
use crate::corner::credentials;
use crate::corner::reach::{self, Own};
use crate::ids::SubsystemId;
use crate::{Exchange, t};

fn list_path(own: &Own) -> String {
    format!("{}/certificates", home_path(own))
}

async fn active(k: &Kernel, own: &Own) -> Result<Vec<Client>> {
    let now = k.clock.now();
    let all = credentials::of(k, own).await?;
    Ok(all.into_iter().filter(|c| c.state(now) == ClientState::Active).collect())
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Path(id): Path<SubsystemId>) -> web::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let own = reach::system(&k, &cx, id).await?;
    let here = list_path(&own);
    let all = acts::of(&k, &own).await?;
    let mut table = Table::new(l, t::corner_tab_certificates(l))
        .column(Column::text(t::credential_name(l)))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::credential_ends(l)))
        .column(Column::text(t::certificate_key(l)))
        .column(Column::text(t::certificate_fingerprint(l)))
        .column(Column::end(t::credential_acts(l)))
        .empty(Empty::new(Icon::Certificate, t::certificate_none(l), t::certificate_none_text(l)));
    for c in &all {
        let acts = web::body![
            Action::link(t::certificate_see(l), format!("{here}/{}", c.id)).small(),
            revoking(l, &here, c, now),
        ];
        table = table.row(Row::new([
            Cell::with_sub(&c.client_name, &c.client_id),
            Cell::badge(badge(l, c.state(now))),
            Cell::time(c.not_after),
            Cell::text(&c.key),
            Cell::code(short(&c.thumbprint)),
            Cell::end(Html::trusted(format!(
                "<div class=\"d-flex flex-wrap gap-2\">{}</div>",
                acts.as_str()
            ))),
        ]));
    }
    let new = Action::link(t::certificate_new(l), format!("{here}/new")).icon(Icon::Plus).primary();
    let section = Section::new(t::corner_tab_certificates(l), table).action(new).flush();
    let mut body = web::body![head(l, &own, Tab::Certificates), section];
    if let Some(rules) = rules(&k, &cx, &own, &all).await? {
        body.push(rules);
    }
    body.push(Help::new(t::certificate_help_title(l), t::certificate_help(l)));
    Ok(web::page(&frame(&cx, &own, t::corner_tab_certificates(l)), body))
}

/// Which credentials need a certificate, with the switch; nothing before there is a certificate at all.
async fn rules(k: &Kernel, cx: &Cx, own: &Own, all: &[Certificate]) -> Result<Option<Section>> {
    let l = cx.lang;
    if all.is_empty() {
        return Ok(None);
    }
    let mut table = Table::new(l, t::certificate_rules(l))
        .column(Column::text(t::credential_name(l)))
        .column(Column::text(t::certificate_rule(l)))
        .column(Column::end(t::credential_acts(l)));
    for c in active(k, own).await? {
        let (rule, label) = match c.certificate_only {
            true => (Badge::new(Tone::Good, t::certificate_only(l)), t::certificate_relax(l)),
            false => (Badge::new(Tone::Neutral, t::certificate_or_secret(l)), t::certificate_require(l)),
        };
        let change = Action::link(label, format!("{}/require/{}", list_path(own), c.id)).small();
        table = table.row(Row::new([
            Cell::with_sub(&c.name, &c.client_id),
            Cell::badge(rule),
            Cell::end(change),
        ]));
    }
    Ok(Some(Section::new(t::certificate_rules(l), table).help(t::certificate_rules_help(l)).flush()))
}

fn revoking(l: Lang, here: &str, c: &Certificate, now: Timestamp) -> Html {
    if !c.serves(now) {
        return Html::default();
    }
    Html::of(Action::link(t::credential_revoke(l), format!("{here}/{}/revoke", c.id)).small())
}

fn badge(l: Lang, state: Stands) -> Badge {
    match state {
        Stands::Valid => Badge::new(Tone::Good, t::certificate_valid(l)),
        Stands::Ending => Badge::new(Tone::Warn, t::credential_ending(l)),
        Stands::Ended => Badge::new(Tone::Neutral, t::credential_expired(l)),
        Stands::Revoked => Badge::new(Tone::Bad, t::credential_revoked(l)),
    }
}

/// The beginning of a fingerprint; the whole one is on the certificate's page.
fn short(thumbprint: &str) -> String {
    thumbprint.chars().take(16).collect()
}

fn under(cx: &Cx, own: &Own, title: &str) -> web::Frame {
    frame(cx, own, title).crumb(t::corner_tab_certificates(cx.lang), list_path(own))
}

pub(super) async fn new(State(k): State<Kernel>, cx: Cx, Path(id): Path<SubsystemId>) -> web::Result<Page> {
    let own = reach::system(&k, &cx, id).await?;
    let clients = active(&k, &own).await?;
    Ok(new_page(&cx, &own, &clients, &Input::default(), &[]))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    client: String,
    csr: String,
}

fn new_page(cx: &Cx, own: &Own, clients: &[Client], v: &Input, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let head = Head::new(l, t::certificate_new(l)).sub(&own.path);
    let Some(first) = clients.first() else {
        let new = Action::link(t::credential_new(l), format!("{}/credentials/new", home_path(own))).primary();
        let empty =
            Empty::new(Icon::Key, t::corner_no_credential(l), t::certificate_needs_credential(l)).action(new);
        return web::page(&under(cx, own, t::certificate_new(l)), web::body![head, empty]);
    };
    let options =
        clients.iter().map(|c| (c.id.to_string(), format!("{} ({})", c.name, c.client_id))).collect();
    let chosen = if v.client.is_empty() { first.id.to_string() } else { v.client.clone() };
    let form = Fields::post(cx, list_path(own))
        .errors(errors)
        .field(Field::select("client", t::certificate_client(l), options).value(chosen).required())
        .field(
            Field::textarea("csr", t::certificate_csr(l))
                .help(t::certificate_csr_help(l))
                .value(&v.csr)
                .rows(12)
                .mono()
                .required(),
        )
        .submit(t::certificate_issue(l))
        .cancel(list_path(own));
    let made = format!(
        "openssl ecparam -name prime256v1 -genkey -noout -out {code}.key\n\
         openssl req -new -key {code}.key -subj /CN={code} -out {code}.csr\ncat {code}.csr\n",
        code = own.code
    );
    let how = Section::new(t::certificate_how(l), Code::new(l, made).title("openssl"))
        .help(t::certificate_how_help(l));
    web::page(&under(cx, own, t::certificate_new(l)), web::body![head, form, how])
}

pub(super) async fn issue(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let own = reach::system(&k, &cx, id).await?;
    let made = async {
        let none = |_| Error::field("client", Text::both(t::certificate_choose_client));
        let client: ClientId = v.client.parse().map_err(none)?;
        acts::issue(&k, &cx, &own, client, v.csr.trim().as_bytes()).await
    };
    match made.await {
        Ok(made) => {
            let to = Redirect::to(format!("{}/{made}", list_path(&own)));
            Ok(to.saying(t::certificate_issued(cx.lang)).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let page = new_page(&cx, &own, &active(&k, &own).await?, &v, &errors);
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn one(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, certificate)): Path<(SubsystemId, CertificateId)>,
) -> web::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let own = reach::system(&k, &cx, id).await?;
    let c = acts::one(&k, &own, certificate).await?;
    let here = list_path(&own);
    let download = Action::link(t::certificate_download(l), format!("{here}/{}/download", c.id))
        .icon(Icon::FileDownload);
    let mut head =
        Head::new(l, t::certificate_title(l, &c.client_name)).badge(badge(l, c.state(now))).sub(&c.client_id);
    head = if c.serves(now) {
        let revoke = Action::link(t::credential_revoke(l), format!("{here}/{}/revoke", c.id)).icon(Icon::Ban);
        head.primary(download.primary()).action(revoke)
    } else {
        head.action(download)
    };
    let facts = Facts::new()
        .row(t::certificate_from(l), Cell::time(c.not_before))
        .row(t::credential_ends(l), Cell::time(c.not_after))
        .row(t::certificate_key(l), Cell::text(&c.key))
        .row(t::certificate_serial(l), Cell::code(&c.serial))
        .row(t::certificate_fingerprint(l), Cell::code(&c.thumbprint))
        .maybe(t::credential_revoked(l), c.revoked_at.map(Cell::time));
    let mut body = web::body![head, Section::new(t::facts_title(l), facts)];
    if c.serves(now) {
        let token_url =
            exchange.issuer().map_or_else(|_| String::new(), kernel::tokens::TokenIssuer::token_url);
        let call = format!(
            "curl --cert {code}.pem --key {code}.key \\\n  -d grant_type=client_credentials -d client_id={client} \\\n  {token_url}\n",
            code = own.code,
            client = c.client_id,
        );
        body.push(
            Section::new(t::credential_try(l), Code::new(l, call).title("curl"))
                .help(t::certificate_try_help(l)),
        );
    }
    Ok(web::page(&under(&cx, &own, &c.client_name), body))
}

pub(super) async fn download(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, certificate)): Path<(SubsystemId, CertificateId)>,
) -> web::Result<Response> {
    let own = reach::system(&k, &cx, id).await?;
    let c = acts::one(&k, &own, certificate).await?;
    let mut answer = certificates::pem(&k.db, c.id).await?.into_response();
    let name = format!("attachment; filename=\"{}.pem\"", c.client_id);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-pem-file"));
    if let Ok(value) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(answer)
}

pub(super) async fn ask(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, certificate)): Path<(SubsystemId, CertificateId)>,
) -> web::Result<Page> {
    let l = cx.lang;
    let own = reach::system(&k, &cx, id).await?;
    let c = acts::one(&k, &own, certificate).await?;
    let here = list_path(&own);
    let confirm = Confirm::post(
        &cx,
        format!("{here}/{}/revoke", c.id),
        t::certificate_revoke_text(l),
        t::credential_revoke(l),
    )
    .danger()
    .cancel(&here);
    let title = t::certificate_revoke_title(l, &c.client_name);
    let head = Head::new(l, &title).code(short(&c.thumbprint));
    Ok(web::page(&under(&cx, &own, &title), web::body![head, confirm]))
}

pub(super) async fn revoke(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, certificate)): Path<(SubsystemId, CertificateId)>,
) -> web::Result<Redirect> {
    let own = reach::system(&k, &cx, id).await?;
    acts::revoke(exchange.issuer()?, &k, &cx, &own, certificate).await?;
    Ok(Redirect::to(list_path(&own)).saying(t::certificate_was_revoked(cx.lang)))
}

pub(super) async fn ask_require(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, client)): Path<(SubsystemId, ClientId)>,
) -> web::Result<Page> {
    let l = cx.lang;
    let own = reach::system(&k, &cx, id).await?;
    let client = credentials::one(&k, &own, client).await?;
    let (title, text, label) = match client.certificate_only {
        true => (t::certificate_relax(l), t::certificate_relax_text(l), t::certificate_relax(l)),
        false => (t::certificate_require(l), t::certificate_require_text(l), t::certificate_require(l)),
    };
    let confirm = Confirm::post(&cx, format!("{}/require/{}", list_path(&own), client.id), text, label)
        .hidden("only", !client.certificate_only)
        .cancel(list_path(&own));
    let head = Head::new(l, title).sub(&client.name).code(&client.client_id);
    let notice = Notice::new(Tone::Info, t::certificate_rules_help(l));
    Ok(web::page(&under(&cx, &own, title), web::body![head, notice, confirm]))
}

#[derive(Debug, Deserialize)]
pub(super) struct Rule {
    only: Option<bool>,
}

pub(super) async fn require(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, client)): Path<(SubsystemId, ClientId)>,
    Form(rule): Form<Rule>,
) -> web::Result<Redirect> {
    let own = reach::system(&k, &cx, id).await?;
    let only = rule.only.ok_or_else(|| Error::field("only", Text::both(t::certificate_choose)))?;
    acts::require(&k, &cx, &own, client, only).await?;
    let said = if only { t::certificate_now_required(cx.lang) } else { t::certificate_now_relaxed(cx.lang) };
    Ok(Redirect::to(list_path(&own)).saying(said))
}
