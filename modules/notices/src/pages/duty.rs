//! The rota: who is on duty now, this week and the next with their gaps; adding and copying for who keeps it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::Timestamp;
use base::error::{Error, FieldError};
use http::StatusCode;
use kernel::identity::people;
use kernel::{Kernel, Scope};
use web::ui::{
    Action, Cell, Column, Empty, Facts, Field, Form, Head, Help, Html, Icon, Notice, Row, Section, Table,
    Tone,
};
use web::{Cx, Page, Path, Redirect};

use super::{DUTY, HOME, OWN, name, period};
use crate::actions::duty::{self as acts, MOST_PEOPLE, Typed};
use crate::duty::{Shift, ShiftId, gaps, week_after, week_of};
use crate::office::Office;
use crate::permissions::{OPERATE, READ};
use crate::store::duty;
use crate::t;
use crate::tell;

pub(super) async fn page(o: Arc<Office>, State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let typed = empty(k.clock.now());
    Ok(shown(&o, &k, &cx, &typed, &[]).await?)
}

/// A form for the next working shift.
fn empty(now: Timestamp) -> Typed {
    let today = now.date();
    let tomorrow = today.plus_days(1).unwrap_or(today);
    Typed {
        from_date: today.vn(),
        from_time: "08:00".to_owned(),
        until_date: tomorrow.vn(),
        until_time: "08:00".to_owned(),
        ..Typed::default()
    }
}

async fn shown(
    o: &Office,
    k: &Kernel,
    cx: &Cx,
    typed: &Typed,
    errors: &[FieldError],
) -> kernel::Result<Page> {
    cx.may(READ, &Scope::province())?;
    let l = cx.lang;
    let now = k.clock.now();
    let monday = week_of(now.date());
    let (next, end) = (week_after(monday), week_after(week_after(monday)));
    let all = duty::between(&k.db, monday, end).await?;
    let open = gaps(&all, now, end);
    let may = cx.holds(OPERATE, &Scope::province());
    let head = Head::new(l, t::duty_title(l))
        .sub(t::duty_sub(l))
        .action(Action::link(t::own_title(l), OWN).icon(Icon::Mail));
    let mut body = Html::of(head);
    body.push(on_duty(o, k, cx, all.iter().find(|s| s.holds(now))).await?);
    if !open.is_empty() && !all.is_empty() {
        let list: Vec<String> = open.iter().take(5).map(|(from, until)| period(*from, *until)).collect();
        let count = i64::try_from(open.len()).unwrap_or(i64::MAX);
        let said = t::duty_gaps(l, t::DutyGaps { count, list: list.join("; ") });
        body.push(Notice::new(Tone::Warn, said).title(t::duty_gaps_title(l)));
    }
    for (title, from, until) in [(t::this_week(l), monday, next), (t::next_week(l), next, end)] {
        let rows =
            all.iter().filter(|s| s.begins < until && s.ends > from && (s.begins >= from || from == monday));
        let mut section =
            Section::new(title, table(k, cx, rows, &gaps(&all, from.max(now), until), may).await).flush();
        if may && from == monday && !all.is_empty() {
            let copy = Action::post(cx, t::copy_week(l), "/notices/duty/copy").hidden("day", monday.date());
            section = section.action(copy.icon(Icon::Copy));
        }
        body.push(section);
    }
    if may {
        body.push(Section::new(t::shift_add_title(l), form(o, k, cx, typed, errors).await?));
    }
    let help = t::DutyHelp { minutes: o.settings.acknowledge_minutes, role: &o.settings.role };
    body.push(Help::new(t::duty_help_title(l), &t::duty_help(l, help)));
    Ok(web::page(&cx.frame(t::duty_title(l)).crumb(t::messages_title(l), HOME), body))
}

async fn on_duty(o: &Office, k: &Kernel, cx: &Cx, shift: Option<&Shift>) -> kernel::Result<Section> {
    let l = cx.lang;
    let Some(s) = shift else {
        return Ok(Section::new(t::now_title(l), Notice::new(Tone::Warn, t::nobody_on_duty(l))));
    };
    let mut facts = Facts::new();
    for (label, who) in [(t::col_first(l), Some(s.first)), (t::col_second(l), s.second)] {
        let cell = match who {
            None => Cell::none(),
            Some(who) if tell::reachable(o, k, who).await? => Cell::text(name(k, who).await),
            Some(who) => Cell::with_sub(name(k, who).await, t::not_reachable(l)),
        };
        facts = facts.row(label, cell);
    }
    Ok(Section::new(t::now_title(l), facts.row(t::until(l), Cell::time(s.ends))))
}

async fn table<'s>(
    k: &Kernel,
    cx: &Cx,
    shifts: impl Iterator<Item = &'s Shift>,
    gaps: &[(Timestamp, Timestamp)],
    may: bool,
) -> Table {
    let l = cx.lang;
    let now = k.clock.now();
    let mut rows = Vec::new();
    for s in shifts {
        let second = match s.second {
            Some(who) => Cell::text(name(k, who).await),
            None => Cell::none(),
        };
        let mut cells =
            vec![Cell::text(period(s.begins, s.ends)), Cell::text(name(k, s.first).await), second];
        if may {
            let path = format!("/notices/duty/{}/remove", s.id);
            let remove = Action::post(cx, t::remove(l), path).small().ghost().icon(Icon::Trash);
            cells.push(if s.ends > now { Cell::end(remove) } else { Cell::none() });
        }
        rows.push((s.begins, Row::new(cells)));
    }
    for (from, until) in gaps {
        let badge = web::ui::Badge::new(Tone::Warn, t::gap(l));
        let mut cells = vec![Cell::text(period(*from, *until)), Cell::badge(badge), Cell::none()];
        if may {
            cells.push(Cell::none());
        }
        rows.push((*from, Row::new(cells)));
    }
    rows.sort_by_key(|(at, _)| *at);
    let mut table = Table::new(l, t::duty_title(l))
        .column(Column::text(t::col_period(l)))
        .column(Column::text(t::col_first(l)))
        .column(Column::text(t::col_second(l)));
    if may {
        table = table.column(Column::end(t::col_action(l)));
    }
    table.rows(rows.into_iter().map(|(_, row)| row)).empty(Empty::new(
        Icon::Calendar,
        t::duty_empty(l),
        t::duty_empty_text(l),
    ))
}

async fn form(o: &Office, k: &Kernel, cx: &Cx, v: &Typed, errors: &[FieldError]) -> kernel::Result<Form> {
    let l = cx.lang;
    let holders = people::holders(&k.db, &o.settings.role, None, k.clock.now(), MOST_PEOPLE).await?;
    let people: Vec<(String, String)> =
        holders.into_iter().map(|p| (p.id.to_string(), p.full_name)).collect();
    let mut second = vec![(String::new(), t::nobody(l).to_owned())];
    second.extend(people.iter().cloned());
    Ok(Form::post(cx, DUTY)
        .errors(errors)
        .field(Field::date("from_date", t::field_from_date(l)).value(&v.from_date).required().half())
        .field(
            Field::text("from_time", t::field_time(l))
                .value(&v.from_time)
                .placeholder("08:00")
                .max(5)
                .required()
                .half(),
        )
        .field(Field::date("until_date", t::field_until_date(l)).value(&v.until_date).required().half())
        .field(
            Field::text("until_time", t::field_time(l))
                .value(&v.until_time)
                .placeholder("08:00")
                .max(5)
                .required()
                .half(),
        )
        .field(Field::select("first", t::col_first(l), people).value(&v.first).required().half())
        .field(Field::select("second", t::col_second(l), second).value(&v.second).optional().half())
        .submit(t::shift_add(l)))
}

pub(super) async fn add(
    o: Arc<Office>,
    State(k): State<Kernel>,
    cx: Cx,
    web::Form(typed): web::Form<Typed>,
) -> web::Result<Response> {
    match acts::add(&o, &k, &cx, &typed).await {
        Ok(_) => Ok(Redirect::to(DUTY).saying(t::shift_added(cx.lang)).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = shown(&o, &k, &cx, &typed, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn copy(State(k): State<Kernel>, cx: Cx, a: web::Answers) -> web::Result<Redirect> {
    let day = a.get("day").parse().unwrap_or_else(|_| k.clock.now().date());
    let copied = acts::copy_week(&k, &cx, day).await?;
    Ok(Redirect::to(DUTY).saying(t::week_copied(cx.lang, copied)))
}

pub(super) async fn remove(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ShiftId>,
) -> web::Result<Redirect> {
    acts::remove(&k, &cx, id).await?;
    Ok(Redirect::to(DUTY).saying(t::shift_removed(cx.lang)))
}
