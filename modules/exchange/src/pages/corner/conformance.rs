//! Conformance of a system and its services: what can be tested, the runs so far, one run with what to do.

use axum::extract::{Extension, State};
use base::i18n::Lang;
use kernel::{Error, Kernel};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Column, Empty, Facts, Head, Help, Icon, Notice, Row, Section, Table, Tone,
};
use web::{Cx, Form, Page, Path, Redirect};

use super::{Tab, frame, head, home_path};
use crate::conformance::{self, Outcome, Run, code_label, code_todo};
use crate::corner::reach::{self, Own};
use crate::ids::{ConformanceId, ServiceId, SubsystemId};
use crate::snapshot::Snapshot;
use crate::{Exchange, t};

fn list_path(own: &Own) -> String {
    format!("{}/conformance", home_path(own))
}

pub(super) async fn list(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let own = reach::system(&k, &cx, id).await?;
    let snapshot = exchange.keeper().current().load_full();
    let mut offered = Table::new(l, t::conf_offered(l))
        .column(Column::text(t::conf_what(l)))
        .column(Column::text(t::conf_latest(l)))
        .column(Column::end(t::credential_acts(l)));
    let own_services = snapshot.contents().services.iter().filter(|s| s.provider == own.id);
    for service in std::iter::once(None).chain(own_services.map(|s| Some(s.id))) {
        let latest = conformance::latest(&k.db, own.id, service).await?;
        let start = Action::post(&cx, t::conf_run(l), list_path(&own)).icon(Icon::TestPipe).small();
        let start = service.iter().fold(start, |start, id| start.hidden("service", id));
        let latest = latest.map_or_else(Cell::none, |run| Cell::badge(verdict(l, &run)));
        offered = offered.row(Row::new([Cell::text(what(l, &snapshot, service)), latest, Cell::end(start)]));
    }
    let mut history = Table::new(l, t::conf_history(l))
        .column(Column::text(t::column_time(l)))
        .column(Column::text(t::conf_what(l)))
        .column(Column::text(t::column_ending(l)))
        .column(Column::text(t::conf_by(l)))
        .empty(Empty::new(Icon::TestPipe, t::conf_none(l), t::conf_none_text(l)));
    for run in conformance::runs(&k.db, own.id).await? {
        history = history.row(Row::new([
            Cell::link(format!("{}/{}", list_path(&own), run.id), run.at.vn_seconds()),
            Cell::text(what(l, &snapshot, run.service)),
            Cell::badge(verdict(l, &run)),
            run.by.as_ref().map_or_else(Cell::none, Cell::legal),
        ]));
    }
    let body = web::body![
        head(l, &own, Tab::Conformance),
        Section::new(t::conf_offered(l), offered).help(t::conf_offered_help(l)).flush(),
        Section::new(t::conf_history(l), history).flush(),
        Help::new(t::conf_help_title(l), t::conf_help(l)),
    ];
    Ok(web::page(&frame(&cx, &own, t::corner_tab_conformance(l)), body))
}

fn what(l: Lang, snapshot: &Snapshot, service: Option<ServiceId>) -> String {
    let Some(id) = service else { return t::conf_as_consumer(l).to_owned() };
    let name = snapshot.contents().services.iter().find(|s| s.id == id).map(|s| s.name.as_str());
    t::conf_service(l, name.unwrap_or("–"))
}

fn verdict(l: Lang, run: &Run) -> Badge {
    if run.passed {
        Badge::new(Tone::Good, t::conf_passed(l))
    } else {
        Badge::new(Tone::Bad, t::conf_failed(l))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    service: Option<ServiceId>,
}

pub(super) async fn run(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
    Form(v): Form<Input>,
) -> web::Result<Redirect> {
    let own = reach::system(&k, &cx, id).await?;
    let run = conformance::run(&exchange, &k, &cx, &own, v.service).await?;
    Ok(Redirect::to(format!("{}/{run}", list_path(&own))))
}

pub(super) async fn one(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, run)): Path<(SubsystemId, ConformanceId)>,
) -> web::Result<Page> {
    let l = cx.lang;
    let own = reach::system(&k, &cx, id).await?;
    let run =
        conformance::one(&k.db, own.id, run).await?.ok_or(Error::NotFound { kind: ConformanceId::KIND })?;
    let snapshot = exchange.keeper().current().load_full();
    let title = what(l, &snapshot, run.service);
    let table = Table::new(l, t::conf_checks(l))
        .column(Column::text(t::column_ending(l)))
        .column(Column::text(t::conf_check(l)))
        .column(Column::text(t::conf_seen(l)))
        .rows(run.checks.iter().map(|c| {
            let label = code_label(&c.code, l);
            let bad = matches!(c.outcome, Outcome::Failed | Outcome::Warned);
            let asked = if bad { Cell::with_sub(label, code_todo(&c.code, l)) } else { Cell::text(label) };
            let seen = if c.seen.is_empty() { Cell::none() } else { Cell::code(&c.seen) };
            Row::new([Cell::badge(outcome(l, c.outcome)), asked, seen])
        }));
    let facts = Facts::new()
        .row(t::column_time(l), Cell::text(run.at.vn_seconds()))
        .row(t::column_subsystem(l), Cell::code(&own.path))
        .row(t::conf_by(l), run.by.as_ref().map_or_else(Cell::none, Cell::legal));
    let (tone, text) = match run.passed {
        true => (Tone::Good, t::conf_passed_text(l)),
        false => (Tone::Bad, t::conf_failed_text(l)),
    };
    let json = format!("/api/exchange/v1/corner/systems/{}/conformance/{}", own.id, run.id);
    let head = Head::new(l, &title)
        .badge(verdict(l, &run))
        .action(Action::link(t::conf_json(l), json).icon(Icon::FileDownload));
    let body = web::body![
        head,
        Notice::new(tone, text),
        Section::new(t::conf_checks(l), table).flush(),
        Section::new(t::facts_title(l), facts),
    ];
    let frame = frame(&cx, &own, &title).crumb(t::corner_tab_conformance(l), list_path(&own));
    Ok(web::page(&frame, body))
}

fn outcome(l: Lang, outcome: Outcome) -> Badge {
    match outcome {
        Outcome::Passed => Badge::new(Tone::Good, t::conf_outcome_passed(l)),
        Outcome::Warned => Badge::new(Tone::Warn, t::conf_outcome_warned(l)),
        Outcome::Failed => Badge::new(Tone::Bad, t::conf_outcome_failed(l)),
        Outcome::Skipped => Badge::new(Tone::Neutral, t::conf_outcome_skipped(l)),
    }
}
