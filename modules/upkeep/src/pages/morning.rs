//! "Sáng nay": what is down, since when, whom it hurts; every check; what ended lately. Follows by itself.

use axum::extract::State;
use base::i18n::Text;
use kernel::alerts::{self, Occurrence};
use kernel::{Error, Kernel};
use web::ui::{
    Action, Cell, Column, Empty, Facts, Fresh, Head, Help, Html, Icon, Live, Notice, Row, Section, Table,
    Tone,
};
use web::{Cx, Page, Path};

use super::{HOME, alert_path, severity, state};
use crate::check::{Check, MOST_ALERTS, State as Stands};
use crate::permissions::may_read;
use crate::{Upkeep, t};

/// Seconds between two looks of an open page.
const FOLLOW: u32 = 5;
/// Ended alerts shown.
const ENDED: u32 = 10;

pub(super) async fn page(upkeep: Upkeep, State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    may_read(&cx)?;
    let l = cx.lang;
    let (at, checks) = upkeep.checks(&k).await;
    let open = alerts::open(&k.db, MOST_ALERTS).await?;
    let ended = alerts::cleared(&k.db, None, ENDED).await?;
    let mut live = Html::default();
    live.push(standing(&cx, &open, &checks, &at.vn_seconds()));
    if !open.is_empty() {
        live.push(Section::new(t::open_title(l), open_alerts(&cx, &k, &open)).flush());
    }
    live.push(Section::new(t::checks_title(l), check_list(&cx, checks)).help(t::checks_help(l)).flush());
    let mut body = Html::of(Head::new(l, t::morning_title(l)).sub(t::morning_sub(l)));
    body.push(Live::new(l, "morning", HOME, FOLLOW, live));
    body.push(Section::new(t::ended_title(l), ended_alerts(&cx, &ended)).flush());
    body.push(Help::new(t::help_title(l), t::help_text(l)));
    Ok(web::page(&cx.frame(t::morning_title(l)), body))
}

/// How everything stands, in one sentence.
fn standing(cx: &Cx, open: &[Occurrence], checks: &[Check], at: &str) -> Notice {
    let l = cx.lang;
    let wrong = checks.iter().filter(|c| c.state != Stands::Good).count();
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    if open.is_empty() && wrong == 0 {
        let text = t::all_well(l, t::AllWell { at, count: number(checks.len()) });
        return Notice::new(Tone::Good, text).title(t::all_well_title(l));
    }
    let is_bad = checks.iter().any(|c| c.state == Stands::Bad)
        || open.iter().any(|a| a.severity == alerts::Severity::Critical);
    let tone = if is_bad { Tone::Bad } else { Tone::Warn };
    let said = [t::open_count(l, number(open.len())), t::wrong_count(l, number(wrong)), t::checked_at(l, at)];
    Notice::new(tone, said.join(" ")).title(if is_bad { t::trouble_title(l) } else { t::watch_title(l) })
}

fn open_alerts(cx: &Cx, k: &Kernel, open: &[Occurrence]) -> Table {
    let (l, now) = (cx.lang, k.clock.now());
    Table::new(l, t::open_title(l))
        .column(Column::text(t::col_alert(l)))
        .column(Column::text(t::col_severity(l)))
        .column(Column::text(t::col_since(l)))
        .column(Column::text(t::col_affected(l)))
        .column(Column::text(t::col_acknowledged(l)))
        .rows(open.iter().map(|a| {
            Row::new([
                Cell::text(a.title.get(l)),
                Cell::badge(severity(cx, a.severity)),
                Cell::fresh(Fresh::new(l, now, a.since)),
                affected(cx, a),
                a.acknowledged.as_ref().map_or_else(
                    || Cell::text(t::not_acknowledged(l)),
                    |by| Cell::text(by.name.as_deref().unwrap_or(&by.by)),
                ),
            ])
            .href(alert_path(a.id))
        }))
}

/// The first of those hurt, and how many there are.
fn affected(cx: &Cx, a: &Occurrence) -> Cell {
    let Some(first) = a.affected.first() else { return Cell::none() };
    match a.affected_count - 1 {
        0 => Cell::text(&first.name),
        more => Cell::with_sub(&first.name, t::and_more(cx.lang, more)),
    }
}

fn check_list(cx: &Cx, mut checks: Vec<Check>) -> Table {
    let l = cx.lang;
    checks.sort_by_key(|c| std::cmp::Reverse(c.state));
    Table::new(l, t::checks_title(l))
        .column(Column::text(t::col_check(l)))
        .column(Column::text(t::col_state(l)))
        .column(Column::text(t::col_found(l)))
        .rows(checks.iter().map(|c| {
            let badge = Cell::badge(state(cx, c.state));
            Row::new([Cell::text(c.title.get(l)), badge, Cell::text(c.text.get(l))])
                .href(format!("/upkeep/checks/{}", web::encoded(&c.name)))
        }))
}

fn ended_alerts(cx: &Cx, ended: &[Occurrence]) -> Table {
    let l = cx.lang;
    Table::new(l, t::ended_title(l))
        .column(Column::text(t::col_alert(l)))
        .column(Column::text(t::col_since(l)))
        .column(Column::text(t::col_until(l)))
        .rows(ended.iter().map(|a| {
            Row::new([Cell::text(a.title.get(l)), Cell::time(a.since), Cell::opt_time(a.cleared_at)])
                .href(alert_path(a.id))
        }))
        .empty(Empty::new(Icon::CircleCheck, t::ended_none(l), t::ended_none_text(l)))
}

/// One check: what was found, and the next step.
pub(super) async fn check(
    upkeep: Upkeep,
    State(k): State<Kernel>,
    cx: Cx,
    Path(name): Path<String>,
) -> web::Result<Page> {
    may_read(&cx)?;
    let l = cx.lang;
    let (_, checks) = upkeep.checks(&k).await;
    let found = checks.into_iter().find(|c| c.name == name).ok_or(Error::NotFound { kind: "check" })?;
    let title = found.title.get(l).to_owned();
    let todo = found.todo.unwrap_or_else(|| match found.state {
        Stands::Good => Text::both(t::todo_nothing),
        _ => Text::both(t::todo_as_said),
    });
    let facts = Facts::new()
        .row(t::col_found(l), Cell::text(found.text.get(l)))
        .row(t::col_todo(l), Cell::text(todo.get(l)))
        .row(t::col_name(l), Cell::code(&found.name));
    let head =
        Head::new(l, &title).badge(state(&cx, found.state)).action(Action::link(t::again(l), cx.address()));
    let body = web::body![head, Section::new(t::check_title(l), facts)];
    Ok(web::page(&cx.frame(title).crumb(t::morning_title(l), HOME), body))
}
