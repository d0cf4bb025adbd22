//! System clients: the list, the form for a new one, its page, a new secret, the end.

use std::time::Duration;

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::audit;
use kernel::clock::Timestamp;
use kernel::error::FieldError;
use kernel::i18n::Lang;
use kernel::identity::Secret;
use kernel::identity::clients::{Client, ClientId, ClientQuery, ClientState};
use kernel::{Error, Kernel, Scope};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Confirm, Empty, Entry, Facts, Field, Filters, Form as Fields, Head,
    Help, Icon, Notice, Row, Section, Table, Thing, Timeline, Tone,
};
use web::{Cx, Form, Page, Path, Query, Redirect};

use super::{client_path, dates, official};
use crate::actions::clients::{self as acts, NewClient};
use crate::permissions::CLIENT_MANAGE;
use crate::{Accounts, t};

const PER_PAGE: u32 = 50;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    state: String,
    after: Option<ClientId>,
}

impl ListQuery {
    pub(super) fn clients(&self, now: Timestamp, limit: u32) -> ClientQuery {
        let active_at = (self.state == "active").then_some(now);
        ClientQuery { search: self.q.clone(), active_at, after: self.after, limit }
    }
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Query(q): Query<ListQuery>) -> web::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let mut found = acts::list(&k, &cx, &q.clients(now, PER_PAGE + 1)).await?;
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|c| cx.address().with("after", c.id));
    let mut head = Head::new(l, t::clients(l)).sub(t::clients_sub(l));
    let manage = cx.holds(CLIENT_MANAGE, &Scope::province());
    let add = Action::link(t::client_new(l), "/accounts/clients/new").icon(Icon::Plus).primary();
    let mut empty = Empty::new(Icon::Key, t::clients_empty(l), t::clients_empty_text(l));
    if manage {
        head = head.primary(add.clone());
        empty = empty.action(add);
    }
    let states = vec![("active".to_owned(), t::client_active(l).to_owned())];
    let filters = Filters::new(&cx).search("q", t::clients_search(l)).select("state", t::state(l), states);
    let mut table = Table::new(l, t::clients(l))
        .column(Column::text(t::client_name(l)))
        .column(Column::text(t::client_id(l)))
        .column(Column::text(t::subsystem(l)))
        .column(Column::text(t::state(l)))
        .column(Column::text(t::secret_set_at(l)))
        .next(next)
        .export(cx.address())
        .empty(empty);
    for c in &found {
        let href = client_path(c.id);
        table = table.row(
            Row::new([
                Cell::link(&href, &c.name),
                Cell::code(&c.client_id),
                Cell::code(&c.subsystem),
                Cell::badge(state(l, c, now)),
                Cell::time(c.secret_set_at),
            ])
            .href(href),
        );
    }
    let body = web::body![head, filters, table];
    Ok(web::page(&cx.frame(t::clients(l)), body))
}

fn state(l: Lang, c: &Client, now: Timestamp) -> Badge {
    let tone = match c.state(now) {
        ClientState::Active => Tone::Good,
        ClientState::Expired => Tone::Warn,
        ClientState::Revoked => Tone::Bad,
    };
    Badge::new(tone, state_word(l, c, now))
}

/// The state in words.
pub(super) fn state_word(l: Lang, c: &Client, now: Timestamp) -> &'static str {
    match c.state(now) {
        ClientState::Active => t::client_active(l),
        ClientState::Expired => t::client_expired(l),
        ClientState::Revoked => t::client_revoked(l),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Input {
    name: String,
    subsystem: String,
    client_id: String,
    until: String,
}

pub(super) async fn new(cx: Cx, Query(v): Query<Input>) -> web::Result<Page> {
    // Nobody fills in a form that will be refused.
    cx.may(CLIENT_MANAGE, &Scope::province())?;
    Ok(new_page(&cx, &v, &[]))
}

fn new_page(cx: &Cx, v: &Input, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let form = Fields::post(cx, "/accounts/clients")
        .errors(errors)
        .field(
            Field::text("name", t::client_name(l))
                .help(t::client_name_help(l))
                .value(&v.name)
                .max(150)
                .required(),
        )
        .field(
            Field::text("subsystem", t::subsystem(l))
                .help(t::subsystem_help(l))
                .value(&v.subsystem)
                .max(255)
                .mono()
                .required(),
        )
        .field(
            Field::text("client_id", t::client_id(l))
                .help(t::client_id_help(l))
                .value(&v.client_id)
                .max(64)
                .mono()
                .optional(),
        )
        .field(Field::date("until", t::last_day(l)).help(t::client_until_help(l)).value(&v.until).optional())
        .submit(t::client_create(l))
        .cancel("/accounts/clients");
    let head = Head::new(l, t::client_new(l)).sub(t::client_new_sub(l));
    let frame = cx.frame(t::client_new(l)).crumb(t::clients(l), "/accounts/clients");
    web::page(&frame, web::body![head, form])
}

pub(super) async fn create(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let made = async {
        let mut errors = Vec::new();
        let until = dates::optional("until", &v.until, &mut errors);
        crate::actions::check(errors)?;
        let client_id = Some(v.client_id.clone()).filter(|c| !c.trim().is_empty());
        let (name, subsystem) = (v.name.clone(), v.subsystem.clone());
        acts::create(&k, &cx, &NewClient { name, subsystem, client_id, scopes: vec![], until }).await
    };
    match made.await {
        Ok(made) => Ok(secret_page(&a, &cx, &made.client, &made.secret).into_response()),
        Err(Error::Invalid(errors)) => {
            Ok(new_page(&cx, &v, &errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

/// The page that shows a secret, once, with a call that can be pasted.
fn secret_page(a: &Accounts, cx: &Cx, client: &Client, secret: &Secret) -> Page {
    let l = cx.lang;
    let call = format!(
        "curl -u '{}:{}' -d grant_type=client_credentials {}",
        client.client_id,
        secret.expose(),
        a.issuer.token_url()
    );
    let head = Head::new(l, t::secret_title(l, &client.name))
        .primary(Action::link(t::secret_stored(l), client_path(client.id)).primary());
    let notice = Notice::new(Tone::Warn, t::secret_once(l)).title(t::secret_once_title(l));
    let id = Code::new(l, &client.client_id).title(t::client_id(l)).wrapped();
    let key = Code::new(l, secret.expose()).title(t::secret(l)).wrapped();
    let try_it = Section::new(t::secret_try(l), Code::new(l, call).title("curl")).help(t::secret_try_help(l));
    let frame = cx
        .frame(t::secret_title(l, &client.name))
        .crumb(t::clients(l), "/accounts/clients")
        .crumb(&client.name, client_path(client.id));
    web::page(&frame, web::body![head, notice, id, key, try_it])
}

pub(super) async fn page(State(k): State<Kernel>, cx: Cx, Path(id): Path<ClientId>) -> web::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let c = acts::get(&k, &cx, id).await?;
    let here = client_path(id);
    let mut head = Head::new(l, &c.name).code(&c.client_id).badge(state(l, &c, now));
    if cx.holds(CLIENT_MANAGE, &Scope::province()) && c.state(now) == ClientState::Active {
        head = head
            .primary(Action::link(t::rotate(l), format!("{here}/rotate")).icon(Icon::Refresh).primary())
            .action(Action::link(t::revoke(l), format!("{here}/revoke")));
    }
    let scopes = c.scopes.iter().cloned().collect::<Vec<_>>().join(" ");
    let facts = Facts::new()
        .row(t::subsystem(l), Cell::code(&c.subsystem))
        .row(t::client_id(l), Cell::code(&c.client_id))
        .row(t::scopes(l), Cell::code(scopes))
        .row(t::created_at(l), Cell::time(c.created_at))
        .row(t::secret_set_at(l), Cell::time(c.secret_set_at))
        .maybe(t::previous_until(l), c.previous_until.filter(|u| now < *u).map(Cell::time))
        .maybe(t::client_expires(l), c.expires_at.map(Cell::time))
        .maybe(t::client_revoked_at(l), c.revoked_at.map(Cell::time));
    let content = web::body![
        Section::new(t::client_facts(l), facts),
        Help::new(t::client_help(l), t::client_help_text(l)),
    ];
    let body = Thing::new(content).timeline(t::what_happened(l), timeline(&k, l, id, &c.client_id).await?);
    let frame = cx.frame(&c.name).crumb(t::clients(l), "/accounts/clients");
    Ok(web::page(&frame, web::body![head, body]))
}

async fn timeline(k: &Kernel, l: Lang, id: ClientId, wire: &str) -> web::Result<Timeline> {
    let mut rows = audit::about(&k.db, &id.to_ref(), 30).await?;
    // Refused token requests are recorded under the name the caller gave.
    rows.extend(audit::about(&k.db, &kernel::Ref::new(ClientId::KIND, wire), 30).await?);
    rows.sort_by_key(|r| std::cmp::Reverse(r.at));
    let mut timeline = Timeline::new(l);
    for row in rows.iter().take(30) {
        let count = row.detail.get("count").and_then(serde_json::Value::as_i64).unwrap_or(1);
        let (what, tone) = match row.action.as_str() {
            "accounts.client.created" => (t::act_client_created(l).to_owned(), Tone::Neutral),
            "accounts.client.rotated" => (t::act_client_rotated(l).to_owned(), Tone::Info),
            "accounts.client.revoked" => (t::act_client_revoked(l).to_owned(), Tone::Bad),
            "accounts.client.refused" => (t::act_client_refused(l, count), Tone::Warn),
            _ => continue,
        };
        timeline =
            timeline.entry(Entry::new(row.at, official::who(k, l, &row.actor).await?, what).tone(tone));
    }
    Ok(timeline)
}

fn ask(cx: &Cx, c: &Client, title: &str, confirm: &Confirm) -> Page {
    let frame =
        cx.frame(title).crumb(t::clients(cx.lang), "/accounts/clients").crumb(&c.name, client_path(c.id));
    web::page(&frame, web::body![Head::new(cx.lang, title), confirm])
}

pub(super) async fn rotate_form(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ClientId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let c = acts::get(&k, &cx, id).await?;
    let here = client_path(id);
    let overlaps = [("24", t::overlap_day(l)), ("168", t::overlap_week(l)), ("0", t::overlap_none(l))];
    let overlaps = overlaps.map(|(v, w)| (v.to_owned(), w.to_owned())).to_vec();
    let confirm = Confirm::post(&cx, format!("{here}/rotate"), t::rotate_consequence(l), t::rotate(l))
        .hidden("version", c.version)
        .field(Field::radios("overlap_hours", t::overlap(l), overlaps).value("24").required())
        .cancel(&here);
    Ok(ask(&cx, &c, &t::rotate_title(l, &c.name), &confirm))
}

#[derive(Deserialize)]
pub(super) struct Rotation {
    overlap_hours: u64,
    version: i64,
}

pub(super) async fn rotate(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<ClientId>,
    Form(v): Form<Rotation>,
) -> web::Result<Page> {
    let overlap = Duration::from_secs(v.overlap_hours.saturating_mul(3_600));
    let made = acts::rotate(&a, &k, &cx, id, overlap, Some(v.version)).await?;
    Ok(secret_page(&a, &cx, &made.client, &made.secret))
}

pub(super) async fn revoke_form(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ClientId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let c = acts::get(&k, &cx, id).await?;
    let here = client_path(id);
    let confirm =
        Confirm::post(&cx, format!("{here}/revoke"), t::revoke_consequence(l, &c.name), t::revoke(l))
            .danger()
            .hidden("version", c.version)
            .cancel(&here);
    Ok(ask(&cx, &c, &t::revoke_title(l, &c.name), &confirm))
}

#[derive(Deserialize)]
pub(super) struct Version {
    version: i64,
}

pub(super) async fn revoke(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<ClientId>,
    Form(v): Form<Version>,
) -> web::Result<Redirect> {
    acts::revoke(&a, &k, &cx, id, Some(v.version)).await?;
    Ok(Redirect::to(client_path(id)).saying(t::client_was_revoked(cx.lang)))
}
