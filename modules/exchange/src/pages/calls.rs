//! Calls: the list by ending, and the story of one call with its evidence. Personal values are shown only on
//! request, to those with the right, after the look has been recorded.

use axum::extract::State;
use axum::response::Response;
use base::clock::Timestamp;
use base::i18n::Lang;
use evidence::{Field as Committed, verify};
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use web::ui::{
    Action, Cell, Column, Count, Empty, Entry, Facts, Filters, Head, Help, Html, Icon, Live, Notice, Row,
    Section, Table, Tabs, Thing, Timeline, Tone,
};
use web::{Cx, Page, Path, Query};

use super::parts;
use crate::disclosure::{self, Standing};
use crate::ids::AgreementId;
use crate::proof::Proof;
use crate::snapshot::Snapshot;
use crate::store::lists::{self, COUNTED, CallAfter, CallFilter, CallRow, Ending, PAGE, Reach};
use crate::traffic::{self, Side};
use crate::viewer::Viewer;
use crate::{Exchange, bundle as issuing, t, words};

/// Seconds after which the first page of the list is fetched anew.
const REFRESH: u32 = 5;

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    period: String,
    #[serde(default)]
    ending: String,
    #[serde(default)]
    number: String,
    client: Option<String>,
    service: Option<String>,
    agreement: Option<String>,
    provider: Option<String>,
    endpoint: Option<String>,
    fault: Option<String>,
    side: Option<String>,
    reach: Option<String>,
    ended: Option<String>,
    from: Option<String>,
    until: Option<String>,
    after: Option<String>,
}

impl Asked {
    /// As [`Asked::filter`], with what takes a look into the registry.
    pub(super) async fn resolved(&self, k: &Kernel) -> Result<CallFilter> {
        let filter = self.filter(k.clock.now());
        let Some(reach) = self.reach.as_deref().and_then(Reach::from_word) else { return Ok(filter) };
        let national = lists::national_providers(&k.db).await?;
        Ok(CallFilter { providers: Some((national, reach == Reach::Internal)), ..filter })
    }

    fn filter(&self, now: Timestamp) -> CallFilter {
        let given = |v: &Option<String>| v.clone().filter(|v| !v.is_empty());
        let number = self.number.trim();
        let moment = |at: &Option<String>| at.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
        let endpoint = self.endpoint.as_deref().and_then(|e| e.split_once(' '));
        CallFilter {
            from: moment(&self.from).or_else(|| since(&self.period, now)),
            until: moment(&self.until),
            provider: given(&self.provider),
            endpoint: endpoint.map(|(method, path)| (method.to_owned(), path.to_owned())),
            fault: given(&self.fault),
            side: self.side.as_deref().and_then(Side::from_word),
            providers: None,
            ended: self.ended.is_some(),
            client: given(&self.client),
            service: given(&self.service),
            agreement: self.agreement.as_deref().and_then(|a| a.parse::<AgreementId>().ok()),
            ending: Ending::from_word(&self.ending),
            number: (!number.is_empty()).then(|| number.to_owned()),
            after: self.after.as_deref().and_then(|a| a.parse().ok()),
            limit: PAGE + 1,
        }
    }
}

/// The beginning of a period named in the address; no period is everything.
pub(super) fn since(period: &str, now: Timestamp) -> Option<Timestamp> {
    let hours = |n: i64| Some(Timestamp::from_micros(now.micros() - n * 3_600_000_000));
    match period {
        "hour" => hours(1),
        "today" => Some(Timestamp::start_of(now.date())),
        "week" => hours(24 * 7),
        "month" => hours(24 * 30),
        _ => None,
    }
}

pub(super) async fn list(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let paths = Viewer::of(&k, &cx).await?.paths(&k).await?;
    let filter = asked.resolved(&k).await?;
    let mut rows = lists::calls(&k.db, paths.as_deref(), &filter).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let counts = lists::call_counts(&k.db, paths.as_deref(), &filter).await?;
    let next = parts::next(&cx, more, || {
        rows.last()
            .map(|r| CallAfter { at: r.request_in, request_id: r.request_id.clone() }.to_string())
            .unwrap_or_default()
    });
    let current = exchange.keeper().current();
    let names = Names(&current.load());
    let empty = Empty::new(Icon::Activity, t::calls_empty(l), t::calls_empty_text(l));
    let table =
        table(&cx, &names, &rows).next(next).export(cx.address()).previous(parts::first(&cx)).empty(empty);
    let mut body = Html::of(Head::new(l, t::calls_title(l)).sub(t::calls_sub(l)));
    if filter.ending == Some(Ending::Unknown) {
        body.push(Notice::new(Tone::Info, t::unknown_explained(l)).title(t::ending_unknown(l)));
    }
    // Figures outlive their rows: whoever opens an old one is told where the calls are.
    if let Some(kept_from) = traffic::kept_from(&k).await?
        && filter.from.is_some_and(|from| from < kept_from)
    {
        body.push(Notice::new(Tone::Info, t::calls_removed(l, kept_from.date().vn())));
    }
    let mut live = Html::of(tabs(&cx, filter.ending, &counts));
    live.push(filters(&cx, &names, &asked));
    live.push(table);
    if filter.after.is_none() && asked.number.is_empty() {
        body.push(Live::new(l, "calls", cx.address(), REFRESH, live));
    } else {
        body.push(live);
    }
    body.push(Help::new(t::calls_help_title(l), t::calls_help(l)));
    Ok(web::page(&cx.frame(t::calls_title(l)), body))
}

/// The Vietnamese names behind the paths in records, as the present configuration has them.
pub(super) struct Names<'s>(pub(super) &'s Snapshot);

impl Names<'_> {
    pub(super) fn system(&self, path: &str) -> String {
        self.0.consumer(path).map_or_else(|| path.to_owned(), |s| s.name.clone())
    }

    pub(super) fn service(&self, path: &str) -> String {
        self.0.service(path).map_or_else(|| path.to_owned(), |s| s.name.clone())
    }
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
    counts.iter().fold(all, |tabs, (e, n)| {
        tabs.tab(
            parts::ending_label(l, *e),
            address.with("ending", e.as_str()),
            Some(count(*n)),
            ending == Some(*e),
        )
    })
}

fn filters(cx: &Cx, names: &Names<'_>, asked: &Asked) -> Filters {
    let l = cx.lang;
    let periods = [
        ("hour", t::period_hour(l)),
        ("today", t::period_today(l)),
        ("week", t::period_week(l)),
        ("month", t::period_month(l)),
    ];
    let periods = periods.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
    let mut filters =
        Filters::new(cx).search("number", t::search_calls(l)).select("period", t::filter_period(l), periods);
    let address = cx.address().without("after");
    if let Some(client) = asked.client.as_deref().filter(|c| !c.is_empty()) {
        filters = filters.chip(t::column_consumer(l), names.system(client), address.without("client"));
    }
    if let Some(service) = asked.service.as_deref().filter(|s| !s.is_empty()) {
        filters = filters.chip(t::column_service(l), names.service(service), address.without("service"));
    }
    for (name, label, value) in [
        ("provider", t::column_provider(l), asked.provider.as_deref().map(|p| names.system(p))),
        ("endpoint", t::column_path(l), asked.endpoint.clone()),
        ("fault", t::column_reason(l), asked.fault.as_deref().map(|f| reason(f, l))),
        (
            "side",
            t::column_side(l),
            asked.side.as_deref().and_then(Side::from_word).map(|s| parts::side(l, s).to_owned()),
        ),
        (
            "reach",
            t::column_reach(l),
            asked.reach.as_deref().and_then(Reach::from_word).map(|r| parts::reach(l, r).to_owned()),
        ),
        ("from", t::filter_from(l), moment(&asked.from)),
        ("until", t::filter_until(l), moment(&asked.until)),
    ] {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            filters = filters.chip(label, value, address.without(name));
        }
    }
    if asked.agreement.as_deref().is_some_and(|a| !a.is_empty()) {
        filters = filters.chip(t::thing_agreement(l), t::filter_one(l), address.without("agreement"));
    }
    filters
}

/// A moment of the address, as people write it.
fn moment(at: &Option<String>) -> Option<String> {
    Some(at.as_deref()?.parse::<Timestamp>().ok()?.vn_seconds())
}

/// A recorded fault in words.
pub(super) fn reason(fault: &str, l: Lang) -> String {
    let (kind, rule) = fault.split_once('/').unwrap_or((fault, ""));
    if rule.is_empty() { kind.to_owned() } else { words::rule(rule, l) }
}

fn table(cx: &Cx, names: &Names<'_>, rows: &[CallRow]) -> Table {
    let l = cx.lang;
    Table::new(l, t::calls_title(l))
        .column(Column::text(t::column_time(l)))
        .column(Column::text(t::column_consumer(l)))
        .column(Column::text(t::column_service(l)))
        .column(Column::number(t::column_status(l)))
        .column(Column::number(t::column_took(l)))
        .column(Column::text(t::column_ending(l)))
        .rows(rows.iter().map(|c| {
            let what = format!("{} {}", c.method, c.endpoint.as_deref().unwrap_or("–"));
            Row::new([
                Cell::titled(
                    format!("/exchange/calls/{}", c.request_id),
                    c.request_in.vn_seconds(),
                    &c.request_id,
                ),
                Cell::named(names.system(&c.client), &c.client),
                Cell::named(names.service(&c.service), what),
                c.status.map_or_else(Cell::none, Cell::figure),
                c.took_micros().map_or_else(Cell::none, |m| Cell::figure(parts::millis(l, m))),
                Cell::badge(parts::ending(l, c.ending())),
            ])
        }))
}

pub(super) async fn one(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(request_id): Path<String>,
) -> web::Result<Page> {
    let (call, standing) = disclosure::seen(&k, &cx, &request_id).await?;
    page(&exchange, &k, &cx, &call, standing, None).await.map_err(Into::into)
}

/// Shows the personal values of a call, after having recorded that they are shown.
pub(super) async fn personal(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(request_id): Path<String>,
) -> web::Result<Page> {
    let (call, standing) = disclosure::seen(&k, &cx, &request_id).await?;
    disclosure::fields(standing, true)?;
    disclosure::record(&k, &cx, &request_id, "page").await?;
    let wanted: Vec<_> = Committed::ALL.into_iter().filter(|f| f.digest_digits().is_none()).collect();
    let bundle = issuing::of_call(&exchange, &k, &request_id, &wanted).await?;
    let mut values: Vec<(Committed, String)> = Vec::new();
    for disclosed in bundle.disclosures {
        // Opened and closed record commit to the same values; each is shown once.
        if !values.iter().any(|(field, _)| *field == disclosed.private.field) {
            values.push((disclosed.private.field, disclosed.private.value));
        }
    }
    page(&exchange, &k, &cx, &call, standing, Some(values)).await.map_err(Into::into)
}

/// The file, for officers.
pub(super) async fn bundle(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(request_id): Path<String>,
) -> web::Result<Response> {
    let bundle = issuing::issue(&exchange, &k, &cx, &request_id, false).await?;
    Ok(issuing::file(&request_id, &bundle))
}

async fn page(
    exchange: &Exchange,
    k: &Kernel,
    cx: &Cx,
    call: &CallRow,
    standing: Standing,
    personal: Option<Vec<(Committed, String)>>,
) -> Result<Page> {
    let l = cx.lang;
    let agreement = match call.agreement {
        Some(id) => crate::store::agreements::get(&k.db, id).await?.map(|a| (id, a.number)),
        None => None,
    };
    let current = exchange.keeper().current();
    let story = {
        let snapshot = current.load();
        story(l, &Names(&snapshot), call, agreement.as_ref())
    };
    let mut content = Html::of(Section::new(t::story_title(l), story).help(t::story_help(l)));
    content.push(evidence_section(exchange, k, cx, call).await);
    content.push(personal_section(cx, call, standing, personal));
    let head = Head::new(
        l,
        t::call_title(
            l,
            t::CallTitle { endpoint: call.endpoint.as_deref().unwrap_or("–"), method: &call.method },
        ),
    )
    .code(&call.request_id)
    .badge(parts::ending(l, call.ending()))
    .sub(t::call_sub(l, call.request_in.vn_seconds()));
    let mut body = Html::of(head);
    if call.ending() == Ending::Unknown {
        body.push(Notice::new(Tone::Warn, t::unknown_explained(l)).title(t::ending_unknown(l)));
    }
    body.push(Thing::new(content).side(t::facts_title(l), facts(l, call, agreement.as_ref())));
    let frame = cx.frame(t::call_page_title(l)).crumb(t::calls_title(l), "/exchange/calls");
    Ok(web::page(&frame, body))
}

/// What happened, in the order in which it happened, with the time each leg took.
fn story(l: Lang, names: &Names<'_>, c: &CallRow, agreement: Option<&(AgreementId, String)>) -> Timeline {
    let (client, service) = (names.system(&c.client), names.service(&c.service));
    let after = |at: Timestamp, from: Timestamp| parts::millis(l, at.micros() - from.micros());
    let mut entries = vec![Entry::new(c.request_in, client, t::story_request(l, &service)).detail(&c.client)];
    let (kind, rule) = c.fault.as_deref().map_or(("", ""), |f| f.split_once('/').unwrap_or((f, "")));
    if c.ending() == Ending::Refused {
        let why = if rule.is_empty() { kind.to_owned() } else { words::rule(rule, l) };
        let at = c.closed_at.unwrap_or(c.request_in);
        entries.push(Entry::new(at, t::actor_gateway(l), t::story_refused(l)).detail(why).tone(Tone::Info));
    } else if let Some((id, number)) = agreement {
        let version = c.agreement_version.unwrap_or(0);
        let entry = Entry::new(
            c.request_in,
            t::actor_gateway(l),
            t::story_permitted(l, t::StoryPermitted { number, version }),
        );
        entries.push(entry.link(t::open_agreement(l), format!("/exchange/agreements/{id}")).tone(Tone::Good));
    }
    if let Some(environment) = &c.environment {
        let place = if environment == "test" { t::environment_test(l) } else { t::environment_sandbox(l) };
        entries.push(Entry::new(c.request_in, t::actor_gateway(l), t::story_environment(l, place)));
    }
    if let Some(out) = c.request_out {
        entries.push(Entry::new(out, t::actor_gateway(l), t::story_forwarded(l, after(out, c.request_in))));
    }
    if let Some(back) = c.response_in {
        let waited = after(back, c.request_out.unwrap_or(c.request_in));
        entries.push(Entry::new(back, service, t::story_answered(l, waited)));
    }
    if let (Some((_, removed)), Some(back)) = (&c.filter, c.response_in) {
        entries.push(Entry::new(back, t::actor_gateway(l), t::story_filtered(l, *removed)).tone(Tone::Good));
    }
    match (c.closed_at, c.ending()) {
        (_, Ending::Refused) => {}
        (Some(end), Ending::Answered) => {
            let size = parts::bytes(l, c.response_size).unwrap_or_else(|| "–".to_owned());
            let said = t::story_delivered(
                l,
                t::StoryDelivered { size, status: c.status.unwrap_or(0), time: after(end, c.request_in) },
            );
            entries.push(Entry::new(end, t::actor_gateway(l), said).tone(Tone::Good));
        }
        (Some(end), ending) => {
            let entry =
                Entry::new(end, t::actor_gateway(l), t::story_ended(l, parts::ending_label(l, ending)));
            let why = if rule.is_empty() { kind.to_owned() } else { words::rule(rule, l) };
            entries.push(entry.detail(why).tone(Tone::Bad));
        }
        (None, Ending::Unknown) => {
            entries
                .push(Entry::new(c.request_in, t::actor_platform(l), t::story_unknown(l)).tone(Tone::Warn));
        }
        (None, _) => {
            entries.push(Entry::new(c.request_in, t::actor_gateway(l), t::story_running(l)));
        }
    }
    entries.into_iter().fold(Timeline::new(l), Timeline::entry)
}

fn facts(l: Lang, c: &CallRow, agreement: Option<&(AgreementId, String)>) -> Facts {
    let bytes = |n| parts::bytes(l, n).map_or_else(Cell::none, Cell::text);
    let proof = Proof::read(&c.consumer_auth);
    Facts::new()
        .row(t::fact_request_id(l), Cell::code(&c.request_id))
        .row(t::fact_message_id(l), Cell::code(&c.message_id))
        .row(t::column_consumer(l), Cell::code(&c.client))
        .row(t::column_service(l), Cell::code(&c.service))
        .row(
            t::thing_agreement(l),
            agreement.map_or_else(Cell::none, |(id, number)| {
                Cell::link(format!("/exchange/agreements/{id}"), number)
            }),
        )
        .row(t::fact_auth(l), Cell::text(proof.label(l)))
        .row(t::fact_zone(l), Cell::text(proof.zone.label(l)))
        .row(t::column_status(l), c.status.map_or_else(Cell::none, Cell::text))
        .row(t::fact_request_size(l), bytes(c.request_size))
        .row(t::fact_response_size(l), bytes(c.response_size))
        .row(t::column_took(l), c.took_micros().map_or_else(Cell::none, |m| Cell::text(parts::millis(l, m))))
        .row(t::fact_snapshot(l), Cell::text(c.snapshot))
}

/// What the evidence proves, checked here as a stranger would check the file.
async fn evidence_section(exchange: &Exchange, k: &Kernel, cx: &Cx, call: &CallRow) -> Section {
    let l = cx.lang;
    let bundle = match issuing::of_call(exchange, k, &call.request_id, &[]).await {
        Ok(found) => found,
        Err(Error::Unavailable { .. } | Error::NotFound { .. }) => {
            return Section::new(t::evidence_title(l), Notice::new(Tone::Info, t::evidence_not_yet(l)));
        }
        Err(e) => {
            tracing::error!(
                error = e.chain(),
                request_id = call.request_id,
                "evidence of a call cannot be issued"
            );
            return Section::new(t::evidence_title(l), Notice::new(Tone::Bad, t::evidence_broken(l)));
        }
    };
    let Ok(verified) = verify(&bundle.to_bytes(), Some(&bundle.log)) else {
        return Section::new(t::evidence_title(l), Notice::new(Tone::Bad, t::evidence_broken(l)));
    };
    let report = verified.report(match l {
        Lang::Vi => evidence::Lang::Vi,
        Lang::En => evidence::Lang::En,
    });
    let indices: Vec<_> = bundle.entries.iter().map(|e| e.index.to_string()).collect();
    let facts = Facts::new()
        .row(t::evidence_log(l), Cell::code(bundle.log.name()))
        .row(t::evidence_leaf(l), Cell::text(indices.join(", ")))
        .row(
            t::evidence_checkpoint(l),
            Cell::text(t::evidence_checkpoint_size(
                l,
                i64::try_from(verified.checkpoint.size).unwrap_or(i64::MAX),
            )),
        );
    let mut body = Html::of(Notice::new(Tone::Good, report.verdict));
    body.push(facts);
    body.push(parts::apart(Help::new(t::evidence_proven(l), &report.proven.join("\n\n"))));
    body.push(Help::new(t::evidence_not_proven(l), &report.not_proven.join("\n\n")));
    let download =
        Action::link(t::evidence_download(l), format!("/exchange/calls/{}/evidence", call.request_id));
    Section::new(t::evidence_title(l), body)
        .help(t::evidence_help(l))
        .action(download.icon(Icon::FileDownload))
}

fn personal_section(
    cx: &Cx,
    call: &CallRow,
    standing: Standing,
    values: Option<Vec<(Committed, String)>>,
) -> Section {
    let l = cx.lang;
    let title = t::personal_title(l);
    let Some(values) = values else {
        let show =
            Action::post(cx, t::personal_show(l), format!("/exchange/calls/{}/personal", call.request_id))
                .icon(Icon::Eye);
        let show = if standing.discloses { show } else { show.denied(t::personal_denied(l)) };
        return Section::new(title, Notice::new(Tone::Neutral, t::personal_hidden(l)).action(show));
    };
    if values.is_empty() {
        return Section::new(title, Notice::new(Tone::Neutral, t::personal_none(l)));
    }
    let label = |field: Committed| match field {
        Committed::Path => t::personal_path(l),
        Committed::Query => t::personal_query(l),
        Committed::UserId => t::personal_user(l),
        Committed::Issue => t::personal_issue(l),
        Committed::RepresentedParty => t::personal_party(l),
        other => other.name(),
    };
    let facts =
        values.into_iter().fold(Facts::new(), |f, (field, value)| f.row(label(field), Cell::code(value)));
    Section::new(title, facts).help(t::personal_recorded(l))
}
