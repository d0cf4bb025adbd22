//! One alert: cause, next step, whom it hurts, what has happened; and the form by which somebody takes it on.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use http::StatusCode;
use kernel::alerts::{self, Act, AlertId, MAX_NOTE, Occurrence};
use kernel::{Error, Kernel, Scope};
use web::ui::{
    Action, Badge, Cell, Column, Empty, Entry, Facts, Field, Form, Fresh, Head, Html, Icon, Row, Section,
    Table, Thing, Timeline, Tone,
};
use web::{Answers, Cx, Page, Path, Redirect};

use super::{HOME, alert_path, severity};
use crate::permissions::{ACKNOWLEDGE, may_read};
use crate::{Upkeep, t};

/// Everything the page tells.
struct Loaded {
    alert: Occurrence,
    acts: Vec<Act>,
    told: Vec<kernel::Told>,
}

async fn load(upkeep: &Upkeep, k: &Kernel, cx: &Cx, id: AlertId) -> kernel::Result<Loaded> {
    let alert = alerts::one(&k.db, id).await?.ok_or(Error::NotFound { kind: AlertId::KIND })?;
    Ok(Loaded { alert, acts: alerts::acts(&k.db, id).await?, told: upkeep.told(k, cx, id).await? })
}

pub(super) async fn page(
    upkeep: Upkeep,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AlertId>,
) -> web::Result<Page> {
    may_read(&cx)?;
    Ok(shown(&k, &cx, &load(&upkeep, &k, &cx, id).await?, "", &[]))
}

pub(super) async fn acknowledge(
    upkeep: Upkeep,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AlertId>,
    answers: Answers,
) -> web::Result<Response> {
    may_read(&cx)?;
    let note = answers.get("note");
    match alerts::acknowledge(&k, &cx, id, note).await {
        Ok(()) => Ok(Redirect::to(alert_path(id)).saying(t::acknowledged_said(cx.lang)).into_response()),
        Err(Error::Invalid(errors)) => {
            let all = load(&upkeep, &k, &cx, id).await?;
            Ok(shown(&k, &cx, &all, note, &errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

fn shown(k: &Kernel, cx: &Cx, all: &Loaded, note: &str, errors: &[FieldError]) -> Page {
    let (l, a) = (cx.lang, &all.alert);
    let title = a.title.get(l);
    let badge = match a.cleared_at {
        Some(_) => Badge::new(Tone::Good, t::state_over(l)),
        None => severity(cx, a.severity),
    };
    let found = Facts::new()
        .row(t::col_found(l), Cell::text(a.cause.get(l)))
        .row(t::col_todo(l), Cell::text(a.todo.get(l)));
    let mut content = Html::of(Section::new(t::alert_title(l), found));
    if a.cleared_at.is_none() && a.acknowledged.is_none() && cx.holds(ACKNOWLEDGE, &Scope::province()) {
        let field = Field::textarea("note", t::field_note(l))
            .help(t::field_note_help(l))
            .value(note)
            .rows(2)
            .optional();
        let form = Form::post(cx, format!("{}/acknowledge", alert_path(a.id)))
            .field(field.max(u32::try_from(MAX_NOTE).unwrap_or(u32::MAX)))
            .submit(t::acknowledge(l))
            .errors(errors);
        content.push(Section::new(t::acknowledge_title(l), form));
    }
    if !a.affected.is_empty() {
        content.push(Section::new(t::affected_title(l), affected(cx, a)).flush());
    }
    let told = Section::new(t::told_title(l), told(cx, &all.told)).help(t::told_help(l));
    content.push(told.flush());
    let now = k.clock.now();
    let facts = Facts::new()
        .row(t::col_since(l), Cell::time(a.since))
        .row(t::fact_seen(l), Cell::fresh(Fresh::new(l, now, a.seen_at)))
        .maybe(t::col_until(l), a.cleared_at.map(Cell::time))
        .row(t::col_name(l), Cell::code(&a.key));
    let thing =
        Thing::new(content).side(t::facts_title(l), facts).timeline(t::timeline_title(l), timeline(cx, a));
    let mut head = Head::new(l, title).badge(badge);
    // Who may take it on may do something about it.
    if a.cleared_at.is_none() && cx.holds(ACKNOWLEDGE, &Scope::province()) {
        for act in &all.acts {
            head = head.action(Action::link(act.label.get(l), &act.href));
        }
    }
    let body = web::body![head, thing];
    web::page(&cx.frame(title).crumb(t::morning_title(l), HOME), body)
}

/// Who was told when over which channel, and what came back.
fn told(cx: &Cx, told: &[kernel::Told]) -> Table {
    let l = cx.lang;
    Table::new(l, t::told_title(l))
        .column(Column::text(t::col_told_at(l)))
        .column(Column::text(t::col_told_whom(l)))
        .column(Column::text(t::col_told_over(l)))
        .column(Column::text(t::col_told_state(l)))
        .column(Column::text(t::col_told_changed(l)))
        .rows(told.iter().map(|one| {
            let tone = match one.arrived {
                Some(true) => Tone::Good,
                Some(false) => Tone::Bad,
                None => Tone::Neutral,
            };
            let mut state = Html::of(Badge::new(tone, one.state.get(l)));
            if let Some(reason) = one.reason.as_deref().filter(|_| one.arrived != Some(true)) {
                state.push(Html::trusted(" "));
                state.push(Html::escaped(reason));
            }
            let over = one.over.as_ref().map_or_else(Cell::none, |o| Cell::with_sub(o.get(l), &one.masked));
            Row::new([
                Cell::time(one.at),
                Cell::text(&one.whom),
                over,
                Cell::html(state),
                Cell::time(one.changed_at),
            ])
            .href(&one.href)
        }))
        .empty(Empty::new(Icon::Bell, t::told_nobody(l), t::told_nobody_text(l)))
}

fn affected(cx: &Cx, a: &Occurrence) -> Html {
    let l = cx.lang;
    let table = Table::new(l, t::affected_title(l))
        .column(Column::text(t::col_affected(l)))
        .rows(a.affected.iter().map(|one| Row::new([Cell::legal(&one.name)])));
    let mut html = Html::of(table);
    let more = a.affected_count - i64::try_from(a.affected.len()).unwrap_or(i64::MAX);
    if more > 0 {
        html.push(web::ui::Notice::new(Tone::Neutral, t::and_more(l, more)));
    }
    html
}

fn timeline(cx: &Cx, a: &Occurrence) -> Timeline {
    let l = cx.lang;
    let mut timeline = Timeline::new(l);
    if let Some(at) = a.cleared_at {
        timeline = timeline.entry(Entry::new(at, t::platform(l), t::happened_cleared(l)).tone(Tone::Good));
    }
    if let Some(by) = &a.acknowledged {
        let who = by.name.as_deref().unwrap_or(&by.by);
        let entry = Entry::new(by.at, who, t::happened_acknowledged(l));
        timeline = timeline.entry(if by.note.is_empty() { entry } else { entry.detail(&by.note) });
    }
    timeline.entry(Entry::new(a.since, t::platform(l), t::happened_raised(l)).tone(Tone::Bad))
}
