//! “Các lời gọi của tôi”: the calls of one system with their reasons, what to do, a report to copy, the evidence.

use axum::extract::{Extension, State};
use axum::response::Response;
use base::i18n::Lang;
use evidence::Field as Committed;
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Count, Empty, Facts, Filters, Head, Help, Html, Icon, Notice, Row,
    Section, Table, Tabs, Thing, Tone,
};
use web::{Cx, Page, Path, Query};

use super::{Tab, frame, head, home_path};
use crate::corner::advice::{self, Side};
use crate::corner::reach::{self, Own};
use crate::corner::report;
use crate::disclosure::CALL;
use crate::ids::SubsystemId;
use crate::pages::{calls::since, parts};
use crate::proof::Proof;
use crate::snapshot::Snapshot;
use crate::store::lists::{self, COUNTED, CallAfter, CallFilter, CallRow, Ending, PAGE};
use crate::{Exchange, bundle as issuing, t, words};

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    period: String,
    ending: String,
    number: String,
    service: String,
    direction: String,
    after: Option<String>,
}

impl Asked {
    fn filter(&self, own: &Own, now: base::clock::Timestamp) -> CallFilter {
        let given = |v: &str| Some(v.trim().to_owned()).filter(|v| !v.is_empty());
        CallFilter {
            from: since(&self.period, now),
            client: (self.direction != "received").then(|| own.path.clone()),
            service: given(&self.service),
            ending: Ending::from_word(&self.ending),
            number: given(&self.number),
            after: self.after.as_deref().and_then(|a| a.parse().ok()),
            limit: PAGE + 1,
            ..CallFilter::default()
        }
    }
}

pub(super) async fn list(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let own = reach::system(&k, &cx, id).await?;
    let paths = std::slice::from_ref(&own.path);
    let filter = asked.filter(&own, k.clock.now());
    let mut rows = lists::calls(&k.db, Some(paths), &filter).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let counts = lists::call_counts(&k.db, Some(paths), &filter).await?;
    let next = parts::next(&cx, more, || {
        let after =
            |r: &CallRow| CallAfter { at: r.request_in, request_id: r.request_id.clone() }.to_string();
        rows.last().map(after).unwrap_or_default()
    });
    let snapshot = exchange.keeper().current().load_full();
    let empty = Empty::new(Icon::Activity, t::calls_empty(l), t::corner_calls_empty_text(l));
    let mut body = head(l, &own, Tab::Calls);
    body.push(tabs(&cx, filter.ending, &counts));
    body.push(filters(&cx, &snapshot, &asked));
    body.push(table(l, &own, &snapshot, &rows).next(next).previous(parts::first(&cx)).empty(empty));
    body.push(Help::new(t::corner_calls_help_title(l), t::corner_calls_help(l)));
    Ok(web::page(&frame(&cx, &own, t::corner_tab_calls(l)), body))
}

fn tabs(cx: &Cx, ending: Option<Ending>, counts: &[(Ending, i64)]) -> Tabs {
    let l = cx.lang;
    let address = cx.address().without("after").without("ending");
    let total: i64 = counts.iter().map(|(_, n)| n).sum();
    let count = |n: i64| Count::upto(u64::try_from(n).unwrap_or(0), u64::from(COUNTED));
    let all = Tabs::new(l).label(t::endings_label(l)).tab(
        t::tab_all(l),
        &address,
        Some(count(total)),
        ending.is_none(),
    );
    counts.iter().filter(|(_, n)| *n > 0).fold(all, |tabs, (e, n)| {
        let href = address.with("ending", e.as_str());
        tabs.tab(parts::ending_label(l, *e), href, Some(count(*n)), ending == Some(*e))
    })
}

fn filters(cx: &Cx, snapshot: &Snapshot, asked: &Asked) -> Filters {
    let l = cx.lang;
    let periods = [
        ("hour", t::period_hour(l)),
        ("today", t::period_today(l)),
        ("week", t::period_week(l)),
        ("month", t::period_month(l)),
    ];
    let options = |of: &[(&str, &str)]| of.iter().map(|(v, w)| ((*v).to_owned(), (*w).to_owned())).collect();
    let mut filters = Filters::new(cx)
        .search("number", t::search_calls(l))
        .select("period", t::filter_period(l), options(&periods))
        .select("direction", t::corner_direction(l), options(&[("received", t::corner_received(l))]));
    if !asked.service.is_empty() {
        let name = snapshot.service(&asked.service).map_or(asked.service.as_str(), |s| s.name.as_str());
        let without = cx.address().without("after").without("service");
        filters = filters.chip(t::column_service(l), name, without);
    }
    filters
}

/// Calls as rows, each with its reason.
pub(super) fn table(l: Lang, own: &Own, snapshot: &Snapshot, rows: &[CallRow]) -> Table {
    let here = home_path(own);
    Table::new(l, t::corner_tab_calls(l))
        .column(Column::text(t::column_time(l)))
        .column(Column::text(t::column_service(l)))
        .column(Column::number(t::column_status(l)))
        .column(Column::number(t::column_took(l)))
        .column(Column::text(t::column_ending(l)))
        .column(Column::text(t::corner_reason(l)))
        .rows(rows.iter().map(|c| {
            let what = format!("{} {}", c.method, c.endpoint.as_deref().unwrap_or("–"));
            let name = snapshot.service(&c.service).map_or(c.service.as_str(), |s| s.name.as_str());
            Row::new([
                Cell::titled(
                    format!("{here}/calls/{}", c.request_id),
                    c.request_in.vn_seconds(),
                    &c.request_id,
                ),
                Cell::named(name, what),
                c.status.map_or_else(Cell::none, Cell::figure),
                c.took_micros().map_or_else(Cell::none, |m| Cell::figure(parts::millis(l, m))),
                Cell::badge(parts::ending(l, c.ending())),
                reason(l, c),
            ])
        }))
}

fn reason(l: Lang, c: &CallRow) -> Cell {
    let rule = c.fault.as_deref().map_or("", |f| advice::split(f).1);
    if rule.is_empty() {
        Cell::none()
    } else {
        Cell::with_sub(words::rule(rule, l), advice::of(rule, l).0.label(l))
    }
}

/// One call in which the system takes part.
async fn seen(k: &Kernel, cx: &Cx, id: SubsystemId, request_id: &str) -> Result<(Own, CallRow)> {
    let own = reach::system(k, cx, id).await?;
    let found = lists::call(&k.db, Some(std::slice::from_ref(&own.path)), request_id).await?;
    Ok((own, found.ok_or(Error::NotFound { kind: CALL })?))
}

pub(super) async fn one(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, request_id)): Path<(SubsystemId, String)>,
) -> web::Result<Page> {
    let l = cx.lang;
    let (own, call) = seen(&k, &cx, id, &request_id).await?;
    let snapshot = exchange.keeper().current().load_full();
    let operation = format!("{} {}", call.method, call.endpoint.as_deref().unwrap_or("–"));
    let head = Head::new(l, operation)
        .code(&call.request_id)
        .badge(parts::ending(l, call.ending()))
        .sub(t::call_sub(l, call.request_in.vn_seconds()));
    let mut content = why(l, &call);
    let text = Code::new(l, report::of(&call, l)).title(t::report_title(l)).wrapped();
    content.push(Section::new(t::report_section(l), text).help(t::report_help(l)));
    let path = format!("{}/calls/{}/evidence", home_path(&own), call.request_id);
    let download = Action::link(t::evidence_download(l), path).icon(Icon::FileDownload);
    content.push(
        Section::new(t::evidence_title(l), Notice::new(Tone::Neutral, t::corner_evidence(l)))
            .action(download),
    );
    let body = web::body![head, Thing::new(content).side(t::facts_title(l), facts(l, &snapshot, &call))];
    let frame = frame(&cx, &own, t::call_page_title(l))
        .crumb(t::corner_tab_calls(l), format!("{}/calls", home_path(&own)));
    Ok(web::page(&frame, body))
}

/// What happened, the rule that said no, on whose side it lies and what to do.
fn why(l: Lang, call: &CallRow) -> Html {
    let (kind, rule) = call.fault.as_deref().map_or(("", ""), advice::split);
    if rule.is_empty() {
        let text = match call.ending() {
            Ending::Answered => t::corner_answered(l),
            Ending::Unknown => t::unknown_explained(l),
            Ending::Running => t::story_running(l),
            _ => t::corner_ended_without_rule(l),
        };
        let tone = if call.ending() == Ending::Answered { Tone::Good } else { Tone::Warn };
        return Html::of(Notice::new(tone, text).title(parts::ending_label(l, call.ending())));
    }
    let (side, todo) = advice::of(rule, l);
    let facts = Facts::new()
        .row(t::report_reason(l), Cell::text(words::rule(rule, l)))
        .row(t::corner_todo(l), Cell::text(todo))
        .row(t::report_side(l), Cell::badge(badge(l, side)))
        .row(t::report_rule(l), Cell::code(rule))
        .row(t::report_code(l), Cell::code(kind));
    Html::of(Section::new(t::corner_why(l), facts))
}

fn badge(l: Lang, side: Side) -> Badge {
    let tone = match side {
        Side::Caller => Tone::Warn,
        Side::Agreement => Tone::Info,
        Side::Provider | Side::Platform => Tone::Bad,
    };
    Badge::new(tone, side.label(l))
}

fn facts(l: Lang, snapshot: &Snapshot, c: &CallRow) -> Facts {
    let name = snapshot.service(&c.service).map_or(c.service.as_str(), |s| s.name.as_str());
    let number = snapshot.contents().agreements.iter().find(|a| Some(a.id) == c.agreement);
    let bytes = |n| parts::bytes(l, n).map_or_else(Cell::none, Cell::text);
    let proof = Proof::read(&c.consumer_auth);
    Facts::new()
        .row(t::column_service(l), Cell::named(name, &c.service))
        .row(t::column_consumer(l), Cell::code(&c.client))
        .row(t::thing_agreement(l), number.map_or_else(Cell::none, |a| Cell::text(&a.number)))
        .row(t::fact_auth(l), Cell::text(proof.label(l)))
        .row(t::fact_zone(l), Cell::text(proof.zone.label(l)))
        .row(t::column_status(l), c.status.map_or_else(Cell::none, Cell::text))
        .row(t::fact_request_size(l), bytes(c.request_size))
        .row(t::fact_response_size(l), bytes(c.response_size))
        .row(t::column_took(l), c.took_micros().map_or_else(Cell::none, |m| Cell::text(parts::millis(l, m))))
}

/// The evidence of a call: what a party may have, without the personal values.
pub(super) async fn evidence(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, request_id)): Path<(SubsystemId, String)>,
) -> web::Result<Response> {
    seen(&k, &cx, id, &request_id).await?;
    let digests: Vec<_> = Committed::ALL.into_iter().filter(|f| f.digest_digits().is_some()).collect();
    let bundle = issuing::running(&exchange)?.bundles().for_request(&request_id, &digests).await?;
    Ok(issuing::file(&request_id, &bundle))
}
