//! What there is, when the next one is due, what happened lately, and the two acts.

use axum::extract::State;
use kernel::clock::Timestamp;
use kernel::{Kernel, Scope};
use web::ui::{
    Action, Badge, Cell, Code, Column, Empty, Facts, Head, Help, Html, Icon, Notice, Row, Section, Table,
    Tone,
};
use web::{Cx, Page};

use super::drill_path;
use crate::keep::blocking;
use crate::permissions::{RUN, may_read};
use crate::report::{by, took};
use crate::shelf::Shelved;
use crate::store::{self, Kind, Run};
use crate::{Backups, Far, Kept, Sent, Status, t};

/// Runs on the page.
const RUNS: u32 = 20;
/// Backups on the page.
const SHELVED: usize = 50;

/// How a configuration begins.
const EXAMPLE: &str = "[backup]\ndirectory = \"/var/backups/lienthong\"\ntimes = [\"01:30\", \"13:30\"]\ncopy_to = \"/mnt/may-khac/lienthong\"\n";

pub(super) async fn page(backups: Backups, State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    may_read(&cx)?;
    let l = cx.lang;
    let runs = store::newest(&k, None, RUNS).await?;
    let mut head = Head::new(l, t::home_title(l)).sub(t::home_sub(l));
    let Some(shelf) = backups.shelf() else {
        let empty = Empty::new(Icon::Archive, t::not_configured(l), t::not_configured_text(l));
        let example = Section::new(t::example_title(l), Code::new(l, EXAMPLE).title("lienthong.toml"));
        let mut body = web::body![head, empty, example];
        if !runs.is_empty() {
            body.push(Section::new(t::runs_title(l), run_list(&cx, &runs)).flush());
        }
        return Ok(web::page(&cx.frame(t::home_title(l)), body));
    };
    if cx.holds(RUN, &Scope::province()) {
        head = head
            .primary(Action::post(&cx, t::act_run(l), "/backups/run").icon(Icon::DeviceFloppy))
            .action(Action::post(&cx, t::act_drill(l), "/backups/drill"));
    }
    let status = backups.status(&k).await?;
    let keys = k.keys.clone();
    let listed = blocking(move || shelf.list(&keys)).await;
    let mut body = web::body![head, standing(&cx, &status)];
    body.push(Section::new(t::rules_title(l), rules(&cx, &backups, &status)));
    match listed {
        Ok(mut all) => {
            let more = all.len().saturating_sub(SHELVED);
            all.truncate(SHELVED);
            let mut list = Html::of(shelf_list(&cx, &all));
            if more > 0 {
                list.push(Notice::new(
                    Tone::Neutral,
                    t::older_too(l, i64::try_from(more).unwrap_or(i64::MAX)),
                ));
            }
            body.push(Section::new(t::shelf_title(l), list).help(t::shelf_help(l)).flush());
        }
        Err(e) => body.push(Notice::new(Tone::Bad, e.chain()).title(t::shelf_unreadable(l))),
    }
    body.push(Section::new(t::runs_title(l), run_list(&cx, &runs)).flush());
    body.push(Help::new(t::help_title(l), t::help_text(l)));
    Ok(web::page(&cx.frame(t::home_title(l)), body))
}

/// How it stands, in one sentence.
fn standing(cx: &Cx, status: &Status) -> Notice {
    let l = cx.lang;
    if let Some(why) = status.failure() {
        return Notice::new(Tone::Bad, why).title(t::standing_failed(l));
    }
    if let Some(since) = status.late_since {
        return Notice::new(Tone::Bad, t::check_backup_late(l, since.vn())).title(t::standing_late(l));
    }
    match &status.last_backup {
        Some(run) => {
            Notice::new(Tone::Good, t::standing_last(l, run.started_at.vn())).title(t::standing_good(l))
        }
        None => Notice::new(Tone::Info, t::standing_first(l)).title(t::standing_none(l)),
    }
}

fn rules(cx: &Cx, backups: &Backups, status: &Status) -> Facts {
    let (l, s) = (cx.lang, backups.settings());
    let keep = t::KeepRule {
        daily: s.keep_daily,
        last: s.keep_last,
        monthly: s.keep_monthly,
        weekly: s.keep_weekly,
    };
    let path = |p: &std::path::PathBuf| Cell::code(p.display().to_string());
    let drill = status.last_drill.as_ref().map_or_else(
        || Cell::text(t::drill_never(l)),
        |run| Cell::link(drill_path(run.id), run.started_at.vn()),
    );
    Facts::new()
        .maybe(t::rule_directory(l), s.directory.as_ref().map(path))
        .row(t::rule_copy(l), s.copy_to.as_ref().map_or_else(|| Cell::text(t::copy_none(l)), path))
        .maybe(t::rule_offsite(l), backups.far().map(|far| offsite(cx, far, status)))
        .row(t::rule_times(l), Cell::text(s.times.join(", ")))
        .row(t::rule_next(l), Cell::opt_time(status.next))
        .row(t::rule_keep(l), Cell::text(t::keep_rule(l, keep)))
        .row(t::rule_drill(l), drill)
}

/// Where the store is, and how new what it has is.
fn offsite(cx: &Cx, far: &Far, status: &Status) -> Cell {
    let l = cx.lang;
    let newest = status.offsite_newest.map(Timestamp::vn);
    let sub = match (status.offsite_failure(), newest) {
        (Some(why), _) => why.to_owned(),
        (None, Some(newest)) => t::offsite_has(l, newest),
        (None, None) => t::offsite_nothing(l).to_owned(),
    };
    Cell::with_sub(far.place(), &sub)
}

fn shelf_list(cx: &Cx, all: &[Shelved]) -> Table {
    let l = cx.lang;
    Table::new(l, t::shelf_title(l))
        .column(Column::text(t::col_backup(l)))
        .column(Column::text(t::col_made(l)))
        .column(Column::number(t::col_rows(l)))
        .column(Column::number(t::col_size(l)))
        .column(Column::text(t::col_state(l)))
        .rows(all.iter().map(|one| {
            let size = Cell::figure(web::fmt::bytes(l, one.bytes));
            match &one.manifest {
                Ok(m) => {
                    let rows: u64 = m.rows.values().sum();
                    Row::new([
                        Cell::code(&one.name),
                        Cell::time(m.made_at),
                        Cell::number(l, i64::try_from(rows).unwrap_or(i64::MAX)),
                        size,
                        Cell::badge(Badge::new(Tone::Good, t::state_whole(l))),
                    ])
                }
                Err(why) => Row::new([
                    Cell::code(&one.name),
                    Cell::none(),
                    Cell::none(),
                    size,
                    Cell::with_sub(t::state_unusable(l), why),
                ]),
            }
        }))
        .empty(Empty::new(Icon::Archive, t::shelf_empty(l), t::standing_first(l)))
}

fn run_list(cx: &Cx, runs: &[Run]) -> Table {
    let l = cx.lang;
    Table::new(l, t::runs_title(l))
        .column(Column::text(t::col_what(l)))
        .column(Column::text(t::col_began(l)))
        .column(Column::text(t::col_by(l)))
        .column(Column::text(t::col_result(l)))
        .column(Column::text(t::col_told(l)))
        .rows(runs.iter().map(|run| {
            let what = match run.kind {
                Kind::Backup => t::kind_backup(l),
                Kind::Drill => t::kind_drill(l),
                Kind::Offsite => t::kind_offsite(l),
            };
            let row = Row::new([
                Cell::text(what),
                Cell::time(run.started_at),
                Cell::text(by(l, run)),
                Cell::badge(result(cx, run)),
                Cell::text(told(cx, run)),
            ]);
            if run.kind == Kind::Drill { row.href(drill_path(run.id)) } else { row }
        }))
        .empty(Empty::new(Icon::History, t::runs_none(l), t::standing_first(l)))
}

pub(super) fn result(cx: &Cx, run: &Run) -> Badge {
    let l = cx.lang;
    match run.ok {
        None => Badge::new(Tone::Info, t::result_running(l)),
        Some(true) => Badge::new(Tone::Good, t::result_good(l)),
        Some(false) => Badge::new(Tone::Bad, t::result_bad(l)),
    }
}

/// One line about a run.
fn told(cx: &Cx, run: &Run) -> String {
    let l = cx.lang;
    if let Some(error) = run.error() {
        return error.to_owned();
    }
    match run.kind {
        Kind::Backup => run.detail::<Kept>().map_or_else(
            |_| String::new(),
            |kept| {
                let (size, time) = (web::fmt::bytes(l, kept.bytes), took(l, kept.write_ms + kept.verify_ms));
                let line = t::told_backup(l, t::ToldBackup { size, took: time });
                std::iter::once(line).chain(kept.faults).collect::<Vec<_>>().join(" · ")
            },
        ),
        Kind::Offsite => run.detail::<Sent>().map_or_else(
            |_| String::new(),
            |sent| {
                let (size, place) = (web::fmt::bytes(l, sent.bytes), &sent.place);
                t::told_offsite(
                    l,
                    t::ToldOffsite { copies: sent.sent.len(), place, size, took: took(l, sent.ms) },
                )
            },
        ),
        Kind::Drill => run.detail::<crate::Drilled>().map_or_else(
            |_| String::new(),
            |drilled| {
                t::told_drill(l, t::ToldDrill { name: &drilled.name, took: took(l, drilled.restore_ms) })
            },
        ),
    }
}
