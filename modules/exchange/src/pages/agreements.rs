//! Agreements: the list by state, and the page of one with its terms, history and next step.

use axum::extract::State;
use base::i18n::Lang;
use kernel::orgs::UnitId;
use kernel::{Error, Kernel, Result, Scope as Over};
use serde::Deserialize;
use web::ui::{
    Action, Cell, Column, Count, Empty, Entry, Facts, Filters, Head, Help, Html, Icon, Notice, Row, Section,
    Table, Tabs, Thing, Timeline, Tone,
};
use web::{Cx, Page, Path, Query, fmt};

use super::{parts, zones};
use crate::agreement::{Agreement, Scope, State as Stands, Step, Terms};
use crate::environment::Environment;
use crate::ids::{AgreementId, MemberId};
use crate::store::agreements::{self, HistoryEntry};
use crate::store::lists::{self, After, AgreementFilter, AgreementRow, COUNTED, EndpointRow, PAGE};
use crate::viewer::Viewer;
use crate::{permissions, store, t};

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    member: Option<String>,
    after: Option<String>,
}

impl Asked {
    pub(super) fn filter(&self) -> AgreementFilter {
        AgreementFilter {
            state: self.state.parse::<Stands>().ok(),
            member: self.member.as_deref().and_then(|m| m.parse::<MemberId>().ok()),
            search: self.q.clone(),
            after: self.after.as_deref().and_then(|a| a.parse().ok()),
            limit: PAGE + 1,
            ..AgreementFilter::default()
        }
    }
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let today = k.clock.now().date();
    let filter = asked.filter();
    let state = filter.state;
    let mut rows = lists::agreements(&k.db, &viewer, today, &filter).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let counts = lists::agreement_counts(&k.db, &viewer, today, &filter).await?;
    let next = parts::next(&cx, more, || {
        rows.last().map(|r| After { at: r.changed_at, id: r.id }.to_string()).unwrap_or_default()
    });
    let empty = if asked.q.is_empty() {
        Empty::new(Icon::FileCertificate, t::agreements_empty(l), t::agreements_empty_text(l))
    } else {
        Empty::new(Icon::Search, t::empty_search(l), t::empty_search_text(l))
    };
    let mut body = Html::of(Head::new(l, t::agreements_title(l)).sub(t::agreements_sub(l)));
    body.push(tabs(&cx, state, &counts));
    body.push(Filters::new(&cx).search("q", t::search_agreements(l)));
    body.push(table(l, &rows).next(next).export(cx.address()).previous(parts::first(&cx)).empty(empty));
    body.push(Help::new(t::agreements_help_title(l), t::agreements_help(l)));
    Ok(web::page(&cx.frame(t::agreements_title(l)), body))
}

fn tabs(cx: &Cx, state: Option<Stands>, counts: &[(Stands, i64)]) -> Tabs {
    let l = cx.lang;
    let address = cx.address().without("after").without("state");
    let total: i64 = counts.iter().map(|(_, n)| n).sum();
    let count = |n: i64| Count::upto(u64::try_from(n).unwrap_or(0), u64::from(COUNTED));
    let all = Tabs::new(l).tab(t::tab_all(l), &address, Some(count(total)), state.is_none());
    counts.iter().fold(all, |tabs, (s, n)| {
        tabs.tab(s.label(l), address.with("state", s), Some(count(*n)), state == Some(*s))
    })
}

/// Agreements as rows.
pub(super) fn table(l: Lang, rows: &[AgreementRow]) -> Table {
    Table::new(l, t::agreements_title(l))
        .column(Column::text(t::column_number(l)))
        .column(Column::text(t::column_consumer(l)))
        .column(Column::text(t::column_service(l)))
        .column(Column::text(t::column_validity(l)))
        .column(Column::text(t::fact_environment(l)))
        .column(Column::text(t::column_state(l)))
        .rows(rows.iter().map(|a| {
            let published = a.published_at.map(|at| t::published_on(l, at.date().vn())).unwrap_or_default();
            Row::new([
                Cell::titled(format!("/exchange/agreements/{}", a.id), &a.number, clipped(&a.purpose)),
                Cell::named(&a.consumer_name, &a.consumer_member),
                Cell::named(&a.service_name, &a.provider_member),
                Cell::text(t::validity(l, t::Validity { first: a.valid_from.vn(), last: a.valid_to.vn() })),
                Cell::with_sub(a.environment.label(l), published),
                Cell::badge(parts::state(l, a.state)),
            ])
        }))
}

fn clipped(text: &str) -> String {
    const SHOWN: usize = 90;
    let mut out: String = text.chars().take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        out.push('…');
    }
    out
}

/// What the page of an agreement and its decisions need.
pub(super) struct Found {
    pub row: AgreementRow,
    pub agreement: Agreement,
    pub endpoints: Vec<EndpointRow>,
    pub may_decide: bool,
}

/// One agreement with what it opens, if the reader takes part in it.
pub(super) async fn find(k: &Kernel, cx: &Cx, id: AgreementId) -> Result<Found> {
    let viewer = Viewer::of(k, cx).await?;
    let row = lists::agreement_row(&k.db, &viewer, k.clock.now().date(), id).await?;
    let row = row.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
    let agreement = agreements::get(&k.db, id).await?.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
    let endpoints = lists::endpoints(&k.db, agreement.service).await?;
    let may_decide = cx.holds(permissions::DECIDE, &over(row.provider_agency));
    Ok(Found { row, agreement, endpoints, may_decide })
}

fn over(agency: Option<UnitId>) -> Over {
    agency.map_or_else(Over::province, Over::agency)
}

pub(super) async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<AgreementId>) -> web::Result<Page> {
    let l = cx.lang;
    let found = find(&k, &cx, id).await?;
    let history = agreements::history(&k.db, id).await?;
    let Found { row, agreement, endpoints, .. } = &found;
    let title = t::agreement_title(l, &row.number);
    let mut head = head(&cx, &found, &title);
    let only = store::zones::dedicated_only(&k.db, &id.to_ref()).await?;
    if found.may_decide
        && let Some(action) = zones::action(l, &k, &format!("/exchange/agreements/{id}"), only)
    {
        head = head.action(action);
    }
    let mut body = Html::of(head);
    if let Some(notice) = next_step(l, &found) {
        body.push(notice);
    }
    let mut content = Html::of(Section::new(t::terms_title(l), terms(l, &agreement.terms)));
    content.push(scope(l, &agreement.terms, endpoints));
    let calls = Action::link(t::calls_under_agreement(l), format!("/exchange/calls?agreement={id}"))
        .icon(Icon::Activity);
    let traffic =
        Action::link(t::nav_traffic(l), format!("/exchange/agreements/{id}/traffic")).icon(Icon::ChartLine);
    let statement = Action::link(t::statement_link(l), format!("/exchange/agreements/{id}/statement"))
        .icon(Icon::FileText);
    let parties = Facts::new()
        .row(t::column_consumer(l), Cell::named(&row.consumer_name, &row.consumer_member))
        .row(t::column_provider(l), Cell::named(&row.service_name, &row.provider_member))
        .row(t::fact_environment(l), Cell::text(agreement.environment.label(l)))
        .maybe(t::fact_published(l), agreement.published_at.map(Cell::time))
        .row(t::fact_zones(l), zones::cell(l, &k, only))
        .row(t::fact_version(l), Cell::text(row.version))
        .row(t::fact_asked(l), Cell::time(agreement.asked_at))
        .row(t::column_changed(l), Cell::time(row.changed_at))
        .row(t::nav_calls(l), Cell::html(calls.small()))
        .row(t::nav_traffic(l), Cell::html(traffic.small()))
        .row(t::statement_link(l), Cell::html(statement.small()));
    let page = Thing::new(content)
        .side(t::parties_title(l), parties)
        .timeline(t::history_title(l), timeline(l, &history));
    body.push(page);
    let frame = cx.frame(&title).crumb(t::agreements_title(l), "/exchange/agreements");
    Ok(web::page(&frame, body))
}

fn head(cx: &Cx, found: &Found, title: &str) -> Head {
    let l = cx.lang;
    let row = &found.row;
    let head = Head::new(l, title).code(&row.service_key).badge(parts::state(l, row.state)).sub(
        t::agreement_sub(l, t::AgreementSub { consumer: &row.consumer_name, service: &row.service_name }),
    );
    if !found.may_decide {
        return head;
    }
    let link = |step: Step, label: &str, icon| {
        Action::link(label, format!("/exchange/agreements/{}/{}", row.id, step.as_str())).icon(icon)
    };
    match row.state {
        Stands::Waiting => head
            .primary(link(Step::Approve, t::act_approve(l), Icon::Check))
            .action(link(Step::Return, t::act_return(l), Icon::FileText))
            .action(link(Step::Refuse, t::act_refuse(l), Icon::X)),
        Stands::Approved => onward(head, found, &link, l)
            .action(link(Step::Suspend, t::act_suspend(l), Icon::PlayerPause))
            .action(link(Step::Revoke, t::act_revoke(l), Icon::Ban).danger()),
        Stands::Suspended => head
            .primary(link(Step::Resume, t::act_resume(l), Icon::PlayerPlay))
            .action(link(Step::Revoke, t::act_revoke(l), Icon::Ban).danger()),
        Stands::Returned | Stands::Withdrawn | Stands::Expired | Stands::Revoked | Stands::Refused => head,
    }
}

/// The step that leads one place further.
fn onward(head: Head, found: &Found, link: &dyn Fn(Step, &str, Icon) -> Action, l: Lang) -> Head {
    match (found.agreement.environment, found.agreement.published_at) {
        (Environment::Sandbox, _) => head.primary(link(Step::Test, t::act_test(l), Icon::ArrowRight)),
        (Environment::Test, _) => head.primary(link(Step::Produce, t::act_produce(l), Icon::ArrowRight)),
        (Environment::Production, None) => head.primary(link(Step::Publish, t::act_publish(l), Icon::Check)),
        (Environment::Production, Some(_)) => head,
    }
}

/// What happens next and who does it.
fn next_step(l: Lang, found: &Found) -> Option<Notice> {
    let row = &found.row;
    let text = match row.state {
        Stands::Waiting if found.may_decide => t::next_waiting_own(l).to_owned(),
        Stands::Waiting => t::next_waiting_other(l, &row.provider_member),
        Stands::Suspended => t::next_suspended(l).to_owned(),
        _ => return None,
    };
    let tone = if row.state == Stands::Suspended { Tone::Warn } else { Tone::Info };
    Some(Notice::new(tone, text))
}

/// The terms, without the scope.
pub(super) fn terms(l: Lang, terms: &Terms) -> Facts {
    let list = |items: &[String]| if items.is_empty() { Cell::none() } else { Cell::text(items.join("; ")) };
    let fields = if terms.fields.is_empty() {
        Cell::text(t::fields_all(l))
    } else {
        Cell::text(terms.fields.join(", "))
    };
    let calls = |n: Option<u32>| n.map(|n| fmt::number(l, i64::from(n)));
    let quota = match (calls(terms.quota.per_minute), calls(terms.quota.per_day)) {
        (None, None) => t::quota_none(l).to_owned(),
        (Some(m), None) => t::quota_minute(l, m),
        (None, Some(d)) => t::quota_day(l, d),
        (Some(m), Some(d)) => format!("{} · {}", t::quota_minute(l, m), t::quota_day(l, d)),
    };
    let letter = terms.letter.as_ref().map(|x| Cell::with_sub(&x.number, t::letter_date(l, x.date.vn())));
    let security =
        terms.security.as_ref().map(|s| Cell::with_sub(t::security_level(l, s.level), &s.decision));
    Facts::new()
        .row(t::fact_purpose(l), Cell::text(&terms.purpose))
        .row(t::fact_legal_basis(l), list(&terms.legal_basis))
        .row(t::fact_fields(l), fields)
        .row(t::fact_quota(l), Cell::text(quota))
        .row(
            t::column_validity(l),
            Cell::text(t::validity(
                l,
                t::Validity { first: terms.valid_from.vn(), last: terms.valid_to.vn() },
            )),
        )
        .row(t::fact_letter(l), letter.unwrap_or_else(Cell::none))
        .row(t::fact_security(l), security.unwrap_or_else(Cell::none))
}

fn scope(l: Lang, terms: &Terms, endpoints: &[EndpointRow]) -> Section {
    let Scope::Endpoints(open) = &terms.scope else {
        return Section::new(t::scope_title(l), Notice::new(Tone::Info, t::scope_whole(l)));
    };
    let table = Table::new(l, t::scope_title(l))
        .column(Column::text(t::column_method(l)))
        .column(Column::text(t::column_path(l)))
        .column(Column::text(t::column_purpose(l)))
        .rows(endpoints.iter().filter(|e| open.contains(&e.id)).map(|e| {
            let name = if e.name.is_empty() { Cell::none() } else { Cell::text(&e.name) };
            Row::new([Cell::code(e.route.method), Cell::code(e.route.path.as_str()), name])
        }));
    Section::new(t::scope_title(l), table).flush()
}

pub(super) fn timeline(l: Lang, history: &[HistoryEntry]) -> Timeline {
    history.iter().rev().fold(Timeline::new(l), |timeline, h| {
        let who = match &h.actor_name {
            Some(name) => name.clone(),
            None if h.actor.starts_with("kernel:") => t::actor_platform(l).to_owned(),
            None => h.actor.clone(),
        };
        let tone = match h.step {
            Step::Approve | Step::Resume | Step::Produce | Step::Publish => Tone::Good,
            Step::Refuse | Step::Revoke => Tone::Bad,
            Step::Suspend | Step::Return => Tone::Warn,
            Step::Ask | Step::Expire | Step::Amend | Step::Resubmit | Step::Withdraw | Step::Test => {
                Tone::Neutral
            }
        };
        let entry = Entry::new(
            h.at,
            who,
            t::history_entry(
                l,
                t::HistoryEntry { state: h.to.label(l), step: h.step.label(l), version: h.version },
            ),
        )
        .tone(tone);
        let tested = match (&h.tested, h.step) {
            (Some(run), _) => {
                let who = run.by.clone().unwrap_or_else(|| t::actor_platform(l).to_owned());
                Some(t::tested_by(l, t::TestedBy { at: run.at.vn(), who }))
            }
            (None, Step::Produce) => Some(t::tested_not(l).to_owned()),
            _ => None,
        };
        let said: Vec<String> = h.reason.iter().cloned().chain(tested).collect();
        timeline.entry(if said.is_empty() { entry } else { entry.detail(said.join(" – ")) })
    })
}
