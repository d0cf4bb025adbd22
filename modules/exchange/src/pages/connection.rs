//! The way to one service, examined: the verdict with its side, each step, what the last runs found and what has
//! changed since it was well.

use axum::extract::State;
use base::i18n::Lang;
use kernel::{Error, Kernel, Scope};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Diff, Empty, Head, Help, Html, Icon, Live, Notice, Row, Section,
    StepState as Path_, Steps, Table, Tone,
};
use web::{Cx, Page, Path, Query, Redirect};

use super::parts;
use crate::diagnose::{self, Report, Stage, Step, StepState};
use crate::ids::{DiagnosisId, ServiceId};
use crate::permissions::EXAMINE;
use crate::store::diagnoses::{self, DiagnosisRow};
use crate::store::lists;
use crate::viewer::Viewer;
use crate::{Exchange, t};

/// Seconds between two looks of an open page at a run in progress.
const FOLLOW: u32 = 2;
/// The part of the page that changes by itself.
const PART: &str = "examination";
/// Runs listed.
const LISTED: u32 = 20;

/// Which run is shown; the last one without it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    run: Option<String>,
}

/// Where the page of a service is.
pub(super) fn href(service: ServiceId) -> String {
    format!("/exchange/services/{service}/connection")
}

pub(super) async fn page(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let service = diagnose::concerned(&k, &Viewer::of(&k, &cx).await?, id).await?;
    let runs = diagnoses::of_service(&k.db, id, LISTED).await?;
    let running = exchange.runs().of(id);
    let mut head = Head::new(l, t::diagnose_title(l)).sub(&service.name).code(service.base_url.as_str());
    if running.is_none() {
        let label = if runs.is_empty() { t::diagnose_run(l) } else { t::diagnose_again(l) };
        let member = lists::member(&k.db, &Viewer::All, service.member).await?;
        let scope = member.and_then(|m| m.agency).map_or_else(Scope::province, Scope::agency);
        let run = Action::post(&cx, label, href(id)).icon(Icon::PlugConnected);
        let run = if cx.holds(EXAMINE, &scope) { run } else { run.denied(t::diagnose_denied(l)) };
        head = head.primary(run);
    }
    let shown = match asked.run.as_deref() {
        None => runs.first(),
        Some(run) => {
            let run = run.parse().map_err(|_| Error::NotFound { kind: DiagnosisId::KIND })?;
            let found = runs.iter().find(|r| r.id == run);
            Some(found.ok_or(Error::NotFound { kind: DiagnosisId::KIND })?)
        }
    };
    let mut body = Html::of(head);
    match (running, shown) {
        (Some(run), _) => body.push(Live::new(l, PART, href(id), FOLLOW, in_progress(l, &run.report()))),
        (None, None) => {
            body.push(still(Empty::new(Icon::PlugConnected, t::diagnose_never(l), t::diagnose_never_text(l))))
        }
        (None, Some(shown)) => body.push(still(result(l, shown, &runs))),
    }
    if !runs.is_empty() {
        let history = history(l, id, &runs, shown);
        body.push(Section::new(t::diagnose_history(l), history).help(t::diagnose_history_help(l)).flush());
    }
    body.push(Help::new(t::diagnose_help_title(l), t::diagnose_help(l)));
    let frame = cx
        .frame(t::diagnose_title(l))
        .crumb(t::services_title(l), "/exchange/services")
        .crumb(&service.name, format!("/exchange/services/{id}"));
    Ok(web::page(&frame, body))
}

pub(super) async fn run(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<Redirect> {
    let parts = exchange.examining()?;
    let snapshot = exchange.keeper().current().load_full();
    diagnose::start(&k, &cx, exchange.runs(), parts, &snapshot, id).await?;
    Ok(Redirect::to(href(id)))
}

/// The same part when nothing changes any more: it no longer fetches itself.
fn still(content: impl web::ui::Markup) -> Html {
    Html::trusted(format!("<div id=\"{PART}\">{}</div>", Html::of(content).as_str()))
}

/// The path with what is done and what is being done.
fn in_progress(l: Lang, report: &Report) -> Html {
    let is_https = report.address.starts_with("https:");
    let mut steps = Steps::new();
    let mut now = true;
    for stage in Stage::ALL.into_iter().filter(|s| *s != Stage::Tls || is_https) {
        let (state, note) = match report.step(stage) {
            Some(done) => (Path_::Done, Some(done.state.label(l).to_owned())),
            None if std::mem::take(&mut now) => (Path_::Now, None),
            None => (Path_::Later, None),
        };
        steps = steps.step(stage.label(l), state, note);
    }
    let mut out = Html::of(Notice::new(Tone::Info, t::diagnose_running(l, &report.address)).live());
    out.push(steps);
    out.push(Section::new(t::diagnose_steps(l), steps_taken(l, &report.steps)).flush());
    out
}

fn result(l: Lang, shown: &DiagnosisRow, runs: &[DiagnosisRow]) -> Html {
    let report = &shown.report;
    let notice = Notice::new(tone(report), report.verdict(l)).title(shown.at.vn_seconds());
    let mut out = Html::of(notice);
    if let Some(fault) = &report.fault {
        out.push(Notice::new(Tone::Info, fault.next_step(l)).title(t::diagnose_next(l)));
    }
    out.push(Section::new(t::diagnose_steps(l), steps_taken(l, &report.steps)).flush());
    if let Some((title, before)) = compared_with(l, shown, runs) {
        out.push(Section::new(title, difference(l, &before.report, report)));
    }
    out.push(Section::new(
        t::diagnose_report(l),
        Code::new(l, report.plain(l)).title(t::diagnose_report(l)).wrapped(),
    ));
    out
}

fn tone(report: &Report) -> Tone {
    match &report.fault {
        None => Tone::Good,
        Some(fault) if fault.is_warning() => Tone::Warn,
        Some(_) => Tone::Bad,
    }
}

fn steps_taken(l: Lang, steps: &[Step]) -> Table {
    Table::new(l, t::diagnose_steps(l))
        .column(Column::text(t::diagnose_column_step(l)))
        .column(Column::text(t::diagnose_column_result(l)))
        .column(Column::number(t::diagnose_column_took(l)))
        .column(Column::text(t::diagnose_column_found(l)))
        .rows(steps.iter().map(|s| {
            let tone = match s.state {
                StepState::Good => Tone::Good,
                StepState::Warning => Tone::Warn,
                StepState::Bad => Tone::Bad,
            };
            let mut lines = Html::default();
            for line in s.lines(l, true) {
                lines.push(Html::trusted("<div>"));
                lines.push(Html::escaped(line));
                lines.push(Html::trusted("</div>"));
            }
            Row::new([
                Cell::text(s.stage.label(l)),
                Cell::badge(Badge::new(tone, s.state.label(l))),
                Cell::figure(parts::millis(l, s.took)),
                Cell::html(lines),
            ])
        }))
}

/// The last good run before this one; if there is none, the one before.
fn compared_with<'r>(
    l: Lang,
    shown: &DiagnosisRow,
    runs: &'r [DiagnosisRow],
) -> Option<(String, &'r DiagnosisRow)> {
    let mut earlier = runs.iter().skip_while(|r| r.id != shown.id).skip(1).peekable();
    let last = earlier.peek().copied()?;
    match earlier.find(|r| r.report.fault.is_none()) {
        Some(good) => Some((t::diagnose_compare(l, good.at.vn_seconds()), good)),
        None => Some((t::diagnose_compare_last(l, last.at.vn_seconds()), last)),
    }
}

fn difference(l: Lang, before: &Report, after: &Report) -> Diff {
    let mut diff = Diff::new(l).row(t::fact_base_url(l), &before.address, &after.address).row(
        t::diagnose_column_verdict(l),
        before.verdict(l),
        after.verdict(l),
    );
    for stage in Stage::ALL {
        let seen = |r: &Report| r.step(stage).map(|s| s.lines(l, false).join("; ")).unwrap_or_default();
        let took = |r: &Report| r.step(stage).map(|s| s.state.label(l)).unwrap_or_default();
        if before.step(stage).is_none() && after.step(stage).is_none() {
            continue;
        }
        diff = diff.row(
            format!("{} – {}", stage.label(l), t::diagnose_column_result(l)),
            took(before),
            took(after),
        );
        diff = diff.row(
            format!("{} – {}", stage.label(l), t::diagnose_column_found(l)),
            seen(before),
            seen(after),
        );
    }
    diff
}

fn history(l: Lang, id: ServiceId, runs: &[DiagnosisRow], shown: Option<&DiagnosisRow>) -> Table {
    let is_shown = |r: &DiagnosisRow| shown.is_some_and(|s| s.id == r.id);
    Table::new(l, t::diagnose_history(l))
        .column(Column::text(t::diagnose_column_at(l)))
        .column(Column::text(t::diagnose_column_verdict(l)))
        .column(Column::number(t::diagnose_column_took(l)))
        .rows(runs.iter().map(|r| {
            let word = match &r.report.fault {
                None => StepState::Good.label(l),
                Some(fault) => fault.side().label(l),
            };
            let at = match is_shown(r) {
                true => Cell::text(r.at.vn_seconds()),
                false => Cell::link(format!("{}?run={}", href(id), r.id), r.at.vn_seconds()),
            };
            let mut verdict = Html::of(Badge::new(tone(&r.report), word));
            verdict.push(Html::trusted(" "));
            verdict.push(Html::escaped(r.report.fault.as_ref().map(|f| f.text(l)).unwrap_or_default()));
            Row::new([at, Cell::html(verdict), Cell::figure(parts::millis(l, r.report.took()))])
        }))
}
