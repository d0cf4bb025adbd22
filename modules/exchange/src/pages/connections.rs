//! Requests for connections: whose turn it is, the request with its checklist and files, and what the consumer does with
//! it. The provider decides on the agreement's own pages.

use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use base::clock::Date;
use base::error::FieldError;
use base::i18n::{Lang, Text};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use kernel::{Error, Kernel, Result, Scope as Over};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Column, Count, Diff, Empty, Facts, Field, Form, Head, Help, Html, Icon, Notice, Row,
    Section, StepState, Steps, Table, Tabs, Thing, Tone,
};
use web::{Answers, Cx, Page, Path, Query, Redirect, fmt};

use super::{agreements as agreement_pages, parts};
use crate::actions::{self, Decision, Request as Sent};
use crate::agreement::{State as Stands, Step, Terms};
use crate::connection::deadline::{self, Due};
use crate::connection::file::MAX_BYTES;
use crate::connection::store::{self, Attachment, Request};
use crate::connection::{Beside, Draft, Kind, Turn, actions as verbs};
use crate::environment::Environment;
use crate::ids::{AgreementId, AttachmentId, EndpointId, ServiceId, SubsystemId};
use crate::quota::Quota;
use crate::schema::{self, SchemaField};
use crate::store::agreements::{self, HistoryEntry};
use crate::store::lists;
use crate::viewer::Viewer;
use crate::{listen, permissions, proposal, t};

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    tab: String,
}

fn over(agency: Option<kernel::orgs::UnitId>) -> Over {
    agency.map_or_else(Over::province, Over::agency)
}

/// Whether it is the reader's own turn.
fn is_mine(cx: &Cx, r: &Request) -> bool {
    match r.turn() {
        Turn::Consumer => cx.holds(permissions::ASK, &over(r.consumer_agency)),
        Turn::Provider => cx.holds(permissions::DECIDE, &over(r.provider_agency)),
        Turn::Nobody => false,
    }
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let all = store::list(&k.db, &viewer, k.clock.now()).await?;
    let (mut mine, mut others, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for r in all {
        match r.turn() {
            Turn::Nobody => done.push(r),
            _ if is_mine(&cx, &r) => mine.push(r),
            _ => others.push(r),
        }
    }
    let count = |rows: &[Request]| Some(Count::exact(rows.len() as u64));
    let at = |tab: &str| format!("/exchange/connections?tab={tab}");
    let tab = match asked.tab.as_str() {
        "others" | "done" => asked.tab.as_str(),
        _ => "mine",
    };
    let tabs = Tabs::new(l)
        .tab(t::connections_mine(l), "/exchange/connections", count(&mine), tab == "mine")
        .tab(t::connections_others(l), at("others"), count(&others), tab == "others")
        .tab(t::connections_done(l), at("done"), count(&done), tab == "done");
    let rows = match tab {
        "others" => &others,
        "done" => &done,
        _ => &mine,
    };
    let mut head = Head::new(l, t::connections_title(l)).sub(t::connections_sub(l));
    if cx.may_somewhere(permissions::ASK).is_ok() {
        head = head.primary(Action::link(t::connection_new(l), "/exchange/connections/new").icon(Icon::Plus));
    }
    let mut body = Html::of(head);
    body.push(tabs);
    let due = deadline::of(&k, rows).await?;
    let mut rows: Vec<_> = rows.iter().zip(due).collect();
    // What is due first, first; then what has no term, the newest first.
    rows.sort_by_key(|(_, due)| due.map_or((true, None), |d| (false, Some(d.at))));
    body.push(table(l, &rows, k.clock.now().date()));
    body.push(Help::new(t::connections_help_title(l), t::connections_help(l)));
    Ok(web::page(&cx.frame(t::connections_title(l)), body))
}

fn table(l: Lang, rows: &[(&Request, Option<Due>)], today: Date) -> Table {
    let waits = |r: &Request| {
        let days = today.days_since_epoch() - r.changed_at.date().days_since_epoch();
        t::waiting_days(l, days)
    };
    Table::new(l, t::connections_title(l))
        .column(Column::text(t::column_number(l)))
        .column(Column::text(t::column_service(l)))
        .column(Column::text(t::column_stage(l)))
        .column(Column::text(t::column_turn(l)))
        .column(Column::text(t::column_due(l)))
        .column(Column::text(t::column_changed(l)))
        .rows(rows.iter().map(|(r, due)| {
            let since = if r.turn() == Turn::Nobody { String::new() } else { waits(r) };
            Row::new([
                Cell::titled(format!("/exchange/connections/{}", r.id), &r.number, &r.consumer_name),
                Cell::named(&r.service_name, &r.provider_member),
                Cell::badge(stage(l, r)),
                Cell::text(whose(l, r)),
                due.as_ref().map_or_else(Cell::none, |d| Cell::html(due_shown(l, d))),
                Cell::with_sub(r.changed_at.vn(), since),
            ])
        }))
        .empty(Empty::new(Icon::Inbox, t::connections_empty(l), t::connections_empty_text(l)))
}

/// Until when, and what is left of it.
fn due_shown(l: Lang, due: &Due) -> Html {
    let days = i64::from(due.left.days);
    let badge = match (due.left.late, days) {
        (true, _) => Badge::new(Tone::Bad, t::due_late(l, days)),
        (false, 0) => Badge::new(Tone::Warn, t::due_today(l)),
        (false, _) => Badge::new(Tone::Neutral, t::due_left(l, days)),
    };
    let mut out = Html::escaped(due.at.vn());
    out.push(Html::trusted(" "));
    out.push(badge);
    out
}

/// Where a request stands, in a word.
fn stage(l: Lang, r: &Request) -> Badge {
    match r.stands {
        _ if r.discarded_at.is_some() => Badge::new(Tone::Neutral, t::stage_discarded(l)),
        None => Badge::new(Tone::Neutral, t::stage_draft(l)),
        Some((Stands::Approved, _, true)) => Badge::new(Tone::Good, t::stage_published(l)),
        Some((Stands::Approved, Environment::Production, _)) => {
            Badge::new(Tone::Good, Environment::Production.label(l))
        }
        Some((Stands::Approved, place, _)) => Badge::new(Tone::Info, place.label(l)),
        Some((state, ..)) => parts::state(l, state),
    }
}

fn whose(l: Lang, r: &Request) -> String {
    match r.turn() {
        Turn::Consumer => r.consumer_member.clone(),
        Turn::Provider => r.provider_member.clone(),
        Turn::Nobody => t::turn_nobody(l).to_owned(),
    }
}

// --- a new request ---------------------------------------------------------------------------------------

/// Which service a new request begins with.
#[derive(Debug, Default, Deserialize)]
pub(super) struct For {
    #[serde(default)]
    service: String,
}

pub(super) async fn new(State(k): State<Kernel>, cx: Cx, Query(asked): Query<For>) -> web::Result<Page> {
    new_page(&k, &cx, "", &asked.service, &[]).await
}

async fn new_page(
    k: &Kernel,
    cx: &Cx,
    consumer: &str,
    service: &str,
    errors: &[FieldError],
) -> web::Result<Page> {
    let l = cx.lang;
    let askers = Viewer::under(cx, permissions::ASK)?;
    let (systems, services) = store::choices(&k.db, &askers).await?;
    let options = |list: Vec<[String; 3]>| {
        let first = (String::new(), t::choose(l).to_owned());
        let rest = list.into_iter().map(|[id, name, member]| (id, format!("{name} – {member}")));
        std::iter::once(first).chain(rest).collect::<Vec<_>>()
    };
    let form = Form::post(cx, "/exchange/connections/new")
        .errors(errors)
        .field(
            Field::select("consumer", t::field_consumer(l), options(systems))
                .value(consumer)
                .help(t::field_consumer_help(l))
                .required(),
        )
        .field(Field::select("service", t::column_service(l), options(services)).value(service).required())
        .submit(t::connection_begin(l))
        .cancel("/exchange/connections");
    let head = Head::new(l, t::connection_new(l)).sub(t::connection_new_sub(l));
    let frame = cx.frame(t::connection_new(l)).crumb(t::connections_title(l), "/exchange/connections");
    Ok(web::page(&frame, web::body![head, form]))
}

pub(super) async fn begin(State(k): State<Kernel>, cx: Cx, answers: Answers) -> web::Result<Response> {
    let (consumer, service) = (answers.get("consumer"), answers.get("service"));
    let mut wrong = Vec::new();
    let mut need = |field: &str, found: bool| {
        if !found {
            wrong.push(FieldError {
                field: field.to_owned(),
                text: Text::both(|l| t::choose_one(l).to_owned()),
            });
        }
    };
    let parsed = (consumer.parse::<SubsystemId>(), service.parse::<ServiceId>());
    need("consumer", parsed.0.is_ok());
    need("service", parsed.1.is_ok());
    let (Ok(c), Ok(s)) = parsed else {
        let page = new_page(&k, &cx, consumer, service, &wrong).await?;
        return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    };
    let id = verbs::begin(&k, &cx, c, s, Draft::default(), None).await?;
    Ok(Redirect::to(format!("/exchange/connections/{id}")).into_response())
}

// --- one request -------------------------------------------------------------------------------------------

/// What the page of a request shows.
struct Found {
    r: Request,
    files: Vec<Attachment>,
    fields: Vec<SchemaField>,
    beside: Beside,
    endpoints: Vec<lists::EndpointRow>,
    history: Vec<HistoryEntry>,
    asks: bool,
    due: Option<Due>,
}

async fn find(k: &Kernel, cx: &Cx, id: AgreementId) -> Result<Found> {
    let viewer = Viewer::of(k, cx).await?;
    let r = store::find(&k.db, &viewer, k.clock.now(), id).await?;
    let files = store::attachments(&k.db, id).await?;
    let fields = match &r.document {
        None => Vec::new(),
        Some(sha256) => {
            let document = crate::store::document(k, sha256).await?.unwrap_or_default();
            tokio::task::spawn_blocking(move || schema::fields(&document)).await.map_err(Error::internal)?
        }
    };
    let mut fields = fields;
    let marked = proposal::personal(&k.db, r.service).await?;
    fields.iter_mut().for_each(|f| f.personal |= marked.contains(&f.path));
    let beside = verbs::beside(k, &r, &files).await?;
    let endpoints = lists::endpoints(&k.db, r.service).await?;
    let history = if r.submitted_at.is_some() { agreements::history(&k.db, id).await? } else { Vec::new() };
    let asks = cx.holds(permissions::ASK, &over(r.consumer_agency));
    let due = deadline::of(k, std::slice::from_ref(&r)).await?.into_iter().next().flatten();
    Ok(Found { r, files, fields, beside, endpoints, history, asks, due })
}

pub(super) async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<AgreementId>) -> web::Result<Page> {
    let found = find(&k, &cx, id).await?;
    let draft = found.r.draft.clone();
    Ok(page(&k, &cx, &found, &draft, &[]))
}

fn page(k: &Kernel, cx: &Cx, found: &Found, draft: &Draft, errors: &[FieldError]) -> Page {
    let (l, r) = (cx.lang, &found.r);
    let title = t::connection_title(l, &r.number);
    let mut body = Html::of(head(cx, found, &title));
    body.push(path(l, found));
    body.push(parts::apart(turn_notice(l, found)));
    let list = draft.checklist(&found.beside, k.clock.now().date());
    let missing = list.iter().filter(|(_, done)| !done).count();
    let writes = found.asks && r.is_open();
    let mut content = Html::of(checklist(l, found, &list));
    if writes {
        content.push(form(cx, found, draft).errors(errors));
    } else if let Some(change) = narrowed(l, &found.history) {
        content.push(change);
    }
    content.push(files(cx, found, writes));
    if writes {
        let send = format!("/exchange/connections/{}/submit", r.id);
        let send = Action::post(cx, t::connection_submit(l), send).hidden("version", r.version).primary();
        let send = if missing == 0 { send } else { send.denied(t::connection_not_yet(l, missing as i64)) };
        content.push(Section::new(
            t::connection_submit(l),
            Notice::new(Tone::Neutral, t::connection_submit_help(l)).action(send),
        ));
    }
    let facts = Facts::new()
        .row(t::column_consumer(l), Cell::named(&r.consumer_name, &r.consumer_member))
        .row(t::column_provider(l), Cell::named(&r.service_name, &r.provider_member))
        .row(t::column_stage(l), Cell::badge(stage(l, r)))
        .row(t::fact_begun(l), Cell::time(r.created_at))
        .row(t::fact_sent(l), Cell::opt_time(r.submitted_at))
        .row(t::column_changed(l), Cell::time(r.changed_at))
        .maybe(t::column_due(l), found.due.as_ref().map(|due| Cell::html(due_shown(l, due))));
    let mut thing = Thing::new(content).side(t::parties_title(l), facts);
    if !found.history.is_empty() {
        thing = thing.timeline(t::history_title(l), agreement_pages::timeline(l, &found.history));
    }
    body.push(thing);
    web::page(&cx.frame(&title).crumb(t::connections_title(l), "/exchange/connections"), body)
}

fn head(cx: &Cx, found: &Found, title: &str) -> Head {
    let (l, r) = (cx.lang, &found.r);
    let sub = t::agreement_sub(l, t::AgreementSub { consumer: &r.consumer_name, service: &r.service_name });
    let mut head = Head::new(l, title).badge(stage(l, r)).sub(sub);
    if r.submitted_at.is_some() {
        let at = format!("/exchange/agreements/{}", r.id);
        head = head.action(Action::link(t::open_agreement(l), at).icon(Icon::FileCertificate));
    }
    let undecided = matches!(r.stands, None | Some((Stands::Waiting | Stands::Returned, ..)));
    if found.asks && undecided && r.discarded_at.is_none() {
        let label =
            if r.submitted_at.is_some() { t::connection_withdraw(l) } else { t::connection_discard(l) };
        let at = format!("/exchange/connections/{}/withdraw", r.id);
        head = head.action(Action::post(cx, label, at).icon(Icon::Trash).danger());
    }
    if found.asks && matches!(r.stands, Some((Stands::Approved, Environment::Sandbox, _))) {
        let at = format!("/exchange/connections/{}/test", r.id);
        head = head.primary(Action::post(cx, t::act_test(l), at).icon(Icon::ArrowRight));
    }
    head
}

/// The whole way: how far it is, and of each step that was taken when and by whom.
fn path(l: Lang, found: &Found) -> Steps {
    let r = &found.r;
    let reached = match r.stands {
        None => 0,
        Some((Stands::Waiting | Stands::Returned | Stands::Refused | Stands::Withdrawn, ..)) => 1,
        Some((_, Environment::Sandbox, _)) => 2,
        Some((_, Environment::Test, _)) => 3,
        Some((_, Environment::Production, false)) => 4,
        Some((_, Environment::Production, true)) => 6,
    };
    // Each place is left by the step that leads to the next one.
    let names = [
        (t::stage_draft(l), Step::Ask),
        (t::stage_decision(l), Step::Approve),
        (Environment::Sandbox.label(l), Step::Test),
        (Environment::Test.label(l), Step::Produce),
        (Environment::Production.label(l), Step::Publish),
        (t::stage_published(l), Step::Publish),
    ];
    names.iter().enumerate().fold(Steps::new(), |steps, (n, (name, left_by))| {
        let state = match n.cmp(&reached) {
            std::cmp::Ordering::Less => StepState::Done,
            std::cmp::Ordering::Equal => StepState::Now,
            std::cmp::Ordering::Greater => StepState::Later,
        };
        let taken = found.history.iter().rev().find(|h| h.step == *left_by && state == StepState::Done);
        steps.step(*name, state, taken.map(|h| step_note(l, h)))
    })
}

/// When and by whom a step was taken; of the test, the conformance run that passed it.
fn step_note(l: Lang, h: &HistoryEntry) -> String {
    let who = |name: &Option<String>| name.clone().unwrap_or_else(|| t::actor_platform(l).to_owned());
    match (&h.tested, h.step) {
        (Some(run), _) => {
            let (at, who) = (run.at.vn(), who(&run.by));
            t::tested_by(l, t::TestedBy { at: &at, who: &who })
        }
        (None, Step::Produce) => format!("{} · {} {}", h.at.vn(), who(&h.actor_name), t::tested_not(l)),
        (None, _) => format!("{} · {}", h.at.vn(), who(&h.actor_name)),
    }
}

fn turn_notice(l: Lang, found: &Found) -> Notice {
    let r = &found.r;
    let wanted =
        found.history.iter().rev().find(|h| h.step == Step::Return).and_then(|h| h.reason.as_deref());
    match (r.stands, wanted) {
        (Some((Stands::Returned, ..)), Some(wanted)) => {
            Notice::new(Tone::Warn, wanted).title(t::connection_wanted(l, &r.provider_member))
        }
        _ => match &found.due {
            None if r.turn() == Turn::Nobody => Notice::new(Tone::Neutral, whose(l, r)),
            None => Notice::new(Tone::Info, t::turn_of(l, whose(l, r))),
            Some(due) => {
                let tone = if due.left.late { Tone::Bad } else { Tone::Info };
                let (who, day) = (whose(l, r), due.at.vn());
                Notice::new(tone, t::turn_until(l, t::TurnUntil { day: &day, who: &who }))
            }
        },
    }
}

fn checklist(l: Lang, found: &Found, list: &[(crate::connection::Item, bool)]) -> Section {
    let rows = list.iter().map(|(item, done)| {
        let (tone, word) =
            if *done { (Tone::Good, t::item_done(l)) } else { (Tone::Warn, t::item_missing(l)) };
        let who = if *done { Cell::none() } else { Cell::text(&found.r.consumer_member) };
        Row::new([Cell::text(item.label(l)), Cell::badge(Badge::new(tone, word)), who])
    });
    let table = Table::new(l, t::checklist_title(l))
        .column(Column::text(t::column_item(l)))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::column_who(l)))
        .rows(rows);
    Section::new(t::checklist_title(l), table).flush()
}

fn form(cx: &Cx, found: &Found, d: &Draft) -> Form {
    let l = cx.lang;
    let r = &found.r;
    let number = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
    let date = |d: Option<Date>| d.map(|d| d.vn()).unwrap_or_default();
    let mut form = Form::post(cx, format!("/exchange/connections/{}", r.id))
        .field(Field::hidden("version", r.version))
        .field(Field::textarea("purpose", t::fact_purpose(l)).value(&d.purpose).rows(3).max(2_000))
        .field(
            Field::textarea("legal_basis", t::fact_legal_basis(l))
                .value(d.legal_basis.join("\n"))
                .help(t::one_per_line(l))
                .rows(3),
        );
    if !found.endpoints.is_empty() {
        let options = found.endpoints.iter().map(|e| {
            let name = if e.name.is_empty() { String::new() } else { format!(" – {}", e.name) };
            (e.id.to_string(), format!("{}{name}", e.route))
        });
        let field = Field::checks("endpoints", t::scope_title(l), options.collect());
        form = form.field(field.values(d.endpoints.iter()).help(t::endpoints_none_help(l)));
    }
    if found.fields.is_empty() {
        let field =
            Field::textarea("field_list", t::fact_fields(l)).value(d.fields.join("\n")).rows(3).mono();
        form = form.field(field.help(t::fields_by_hand_help(l)));
    } else {
        let field = Field::checks(
            "fields",
            t::fact_fields(l),
            found.fields.iter().map(|f| field_option(l, f)).collect(),
        );
        form = form.field(field.values(d.fields.iter()).help(t::fields_tree_help(l)));
    }
    form.field(
        Field::number("per_minute", t::field_per_minute(l))
            .value(number(d.quota.per_minute))
            .optional()
            .half(),
    )
    .field(Field::number("per_day", t::field_per_day(l)).value(number(d.quota.per_day)).optional().half())
    .field(Field::date("valid_from", t::field_valid_from(l)).value(date(d.valid_from)).half())
    .field(Field::date("valid_to", t::field_valid_to(l)).value(date(d.valid_to)).half())
    .section(t::letter_section(l), None)
    .field(Field::text("letter_number", t::field_letter_number(l)).value(&d.letter_number).max(200).half())
    .field(Field::date("letter_date", t::field_letter_date(l)).value(date(d.letter_date)).half())
    .section(t::security_section(l), None)
    .field(
        Field::number("security_level", t::field_security_level(l))
            .value(d.security_level.map(|n| n.to_string()).unwrap_or_default())
            .half(),
    )
    .field(
        Field::text("security_decision", t::field_security_decision(l))
            .value(&d.security_decision)
            .max(200)
            .half(),
    )
    .section(t::item_contact(l), None)
    .field(Field::text("contact_name", t::field_contact_name(l)).value(&d.contact_name).max(200).half())
    .field(Field::text("contact_phone", t::field_contact_phone(l)).value(&d.contact_phone).max(200).half())
    .field(Field::checkbox("personal", t::field_personal(l)).value(if d.personal { "on" } else { "" }))
    .submit(t::connection_save(l))
}

/// A field as people choose it: indented by its depth, with what the service says it is.
fn field_option(l: Lang, f: &SchemaField) -> (String, String) {
    let indent = "\u{2003}".repeat(f.depth);
    let mut label = format!("{indent}{}", f.path);
    if !f.description.is_empty() {
        label.push_str(&format!(" – {}", f.description));
    }
    if f.personal {
        label.push_str(&format!(" ({})", t::field_is_personal(l)));
    }
    (f.path.clone(), label)
}

fn files(cx: &Cx, found: &Found, writes: bool) -> Html {
    let (l, r) = (cx.lang, &found.r);
    let mut table = Table::new(l, t::files_title(l))
        .column(Column::text(t::column_file(l)))
        .column(Column::text(t::column_kind(l)))
        .column(Column::text(t::column_size(l)))
        .column(Column::text(t::column_added(l)));
    let removable = writes && r.submitted_at.is_none();
    if removable {
        table = table.column(Column::text(t::column_action(l)));
    }
    let table = table
        .rows(found.files.iter().map(|f| {
            let at = format!("/exchange/connections/{}/files/{}", r.id, f.id);
            let mut cells = vec![
                Cell::link(&at, &f.name),
                Cell::text(f.kind.label(l)),
                Cell::text(fmt::bytes(l, u64::try_from(f.size).unwrap_or(0))),
                Cell::time(f.added_at),
            ];
            if removable {
                let away = format!("/exchange/connections/{}/detach", r.id);
                cells
                    .push(Cell::html(Action::post(cx, t::file_remove(l), away).hidden("file", f.id).small()));
            }
            Row::new(cells)
        }))
        .empty(Empty::new(Icon::FileText, t::files_empty(l), t::files_empty_text(l)));
    let mut out = Html::of(Section::new(t::files_title(l), table).flush());
    if writes {
        let options = Kind::ALL.map(|kind| (kind.as_str().to_owned(), kind.label(l).to_owned()));
        let form = Form::post(cx, format!("/exchange/connections/{}/attach", r.id))
            .field(Field::select("kind", t::column_kind(l), options.to_vec()))
            .field(Field::file("file", t::column_file(l), ".pdf,.png,.jpg,.jpeg,.docx").help(t::file_help(l)))
            .submit(t::file_attach(l));
        out.push(form);
    }
    out
}

/// What the provider took away when it approved, next to what was asked.
fn narrowed(l: Lang, history: &[HistoryEntry]) -> Option<Section> {
    let approved = history.iter().rev().find(|h| h.step == Step::Approve)?;
    let asked = history.iter().rev().find(|h| h.version < approved.version)?;
    let rows = |t: &Terms| {
        let calls = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
        (t.fields.join(", "), calls(t.quota.per_minute), calls(t.quota.per_day), t.valid_to.vn())
    };
    let (before, after) = (rows(&asked.terms), rows(&approved.terms));
    let diff = Diff::new(l)
        .row(t::fact_fields(l), &before.0, &after.0)
        .row(t::field_per_minute(l), &before.1, &after.1)
        .row(t::field_per_day(l), &before.2, &after.2)
        .row(t::field_valid_to(l), &before.3, &after.3);
    Some(Section::new(t::narrowed_title(l), diff))
}

// --- what the consumer does --------------------------------------------------------------------------------

fn draft_of(answers: &Answers) -> std::result::Result<Draft, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut say = |field: &str, text: Text| wrong.push(FieldError { field: field.to_owned(), text });
    let mut date = |name: &str| {
        let text = answers.get(name);
        let read = Date::parse_vn(text);
        if read.is_none() && !text.is_empty() {
            say(name, Text::both(|l| t::field_date_wrong(l).to_owned()));
        }
        read
    };
    let (valid_from, valid_to, letter_date) = (date("valid_from"), date("valid_to"), date("letter_date"));
    let mut number = |name: &str| {
        let text = answers.get(name);
        let read = text.parse::<u32>().ok();
        if read.is_none() && !text.is_empty() {
            say(name, Text::both(|l| t::number_wrong(l).to_owned()));
        }
        read
    };
    let (per_minute, per_day, level) = (number("per_minute"), number("per_day"), number("security_level"));
    let mut fields: Vec<String> = answers.all("fields").map(ToOwned::to_owned).collect();
    fields.extend(answers.get("field_list").lines().map(ToOwned::to_owned));
    let draft = Draft {
        endpoints: answers.all("endpoints").filter_map(|id| id.parse::<EndpointId>().ok()).collect(),
        fields,
        purpose: answers.get("purpose").to_owned(),
        legal_basis: answers.get("legal_basis").lines().map(ToOwned::to_owned).collect(),
        quota: Quota { per_minute, per_day },
        valid_from,
        valid_to,
        letter_number: answers.get("letter_number").to_owned(),
        letter_date,
        security_level: level.map(|n| u8::try_from(n).unwrap_or(u8::MAX)),
        security_decision: answers.get("security_decision").to_owned(),
        contact_name: answers.get("contact_name").to_owned(),
        contact_phone: answers.get("contact_phone").to_owned(),
        personal: !answers.get("personal").is_empty(),
    };
    if wrong.is_empty() { Ok(draft) } else { Err(wrong) }
}

pub(super) async fn write(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    answers: Answers,
) -> web::Result<Response> {
    let version = answers.get("version").parse().ok();
    let result = match draft_of(&answers) {
        Ok(draft) => verbs::write(&k, &cx, id, draft, version).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match result {
        Ok(()) => Ok(Redirect::to(format!("/exchange/connections/{id}"))
            .saying(t::connection_saved(cx.lang))
            .into_response()),
        Err(Error::Invalid(errors)) => {
            let found = find(&k, &cx, id).await?;
            // What can be read of it stays in the form.
            let draft = draft_of(&answers).unwrap_or_else(|_| found.r.draft.clone());
            let page = page(&k, &cx, &found, &draft, &errors);
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn attach(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    upload: std::result::Result<Multipart, MultipartRejection>,
) -> web::Result<Response> {
    let missing = || Error::field("file", Text::both(|l| t::file_none(l).to_owned()));
    let Ok(upload) = upload else { return Err(missing().into()) };
    let (kind, name, bytes) = read(upload).await?;
    let sent = match bytes.is_empty() {
        true => Err(missing()),
        false => verbs::attach(&k, &cx, id, kind, &name, bytes).await,
    };
    match sent {
        Ok(_) => Ok(Redirect::to(format!("/exchange/connections/{id}"))
            .saying(t::file_attached(cx.lang))
            .into_response()),
        Err(Error::Invalid(errors)) => {
            let found = find(&k, &cx, id).await?;
            let draft = found.r.draft.clone();
            let page = page(&k, &cx, &found, &draft, &errors);
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

async fn read(mut upload: Multipart) -> Result<(Kind, String, Bytes)> {
    let broken = |e: axum::extract::multipart::MultipartError| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit: MAX_BYTES },
        _ => Error::field("file", Text::both(|l| t::file_none(l).to_owned())),
    };
    let (mut kind, mut name, mut bytes) = (Kind::Other, String::new(), Bytes::new());
    while let Some(part) = upload.next_field().await.map_err(broken)? {
        match part.name() {
            Some("kind") => {
                kind = Kind::from_word(part.text().await.map_err(broken)?.trim()).unwrap_or(Kind::Other);
            }
            Some("file") => {
                name = part.file_name().unwrap_or_default().to_owned();
                bytes = part.bytes().await.map_err(broken)?;
            }
            _ => {}
        }
    }
    Ok((kind, name, bytes))
}

pub(super) async fn detach(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    answers: Answers,
) -> web::Result<Response> {
    let file: AttachmentId =
        answers.get("file").parse().map_err(|_| Error::NotFound { kind: AttachmentId::KIND })?;
    verbs::detach(&k, &cx, id, file).await?;
    Ok(Redirect::to(format!("/exchange/connections/{id}")).saying(t::file_removed(cx.lang)).into_response())
}

pub(super) async fn submit(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    answers: Answers,
) -> web::Result<Response> {
    verbs::submit(&k, &cx, id, answers.get("version").parse().ok(), None).await?;
    Ok(Redirect::to(format!("/exchange/connections/{id}"))
        .saying(t::connection_sent(cx.lang))
        .into_response())
}

pub(super) async fn withdraw(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
) -> web::Result<Response> {
    verbs::withdraw(&k, &cx, id).await?;
    Ok(Redirect::to("/exchange/connections").saying(t::connection_withdrawn(cx.lang)).into_response())
}

/// The consumer has tried out enough.
pub(super) async fn test(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
) -> web::Result<Response> {
    let (_, committed) = actions::decide(&k, &cx, id, &Decision::Test, &Sent::default()).await?;
    k.wait_for(listen::LISTENER, &committed).await;
    Ok(Redirect::to(format!("/exchange/connections/{id}"))
        .saying(t::connection_moved(cx.lang))
        .into_response())
}

/// A file, to be saved and never shown by the browser itself.
pub(super) async fn file(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, file)): Path<(AgreementId, AttachmentId)>,
) -> web::Result<Response> {
    let viewer = Viewer::of(&k, &cx).await?;
    store::find(&k.db, &viewer, k.clock.now(), id).await?;
    let found = store::attachments(&k.db, id).await?.into_iter().find(|f| f.id == file);
    let found = found.ok_or(Error::NotFound { kind: AttachmentId::KIND })?;
    let bytes = k.blobs().await?.read(&found.blob, MAX_BYTES).await?;
    let name = percent_encoding::utf8_percent_encode(&found.name, percent_encoding::NON_ALPHANUMERIC);
    let disposition = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"));
    let kind = HeaderValue::from_str(&found.media_type);
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, disposition.map_err(Error::internal)?);
    headers.insert(header::CONTENT_TYPE, kind.map_err(Error::internal)?);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
