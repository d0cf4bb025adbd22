//! Every message: whom it was for, how far it is, each attempt with its reason; sending failed ones again.

use std::sync::Arc;

use axum::extract::State;
use base::error::Error;
use base::i18n::{Lang, Text};
use kernel::{Kernel, Ref, Scope, Told};
use serde::Deserialize;
use web::ui::{
    Action, Cell, Code, Column, Count, Empty, Entry, Facts, Filters, Fresh, Head, Help, Html, Icon, Notice,
    Row, Section, Table, Tabs, Thing, Timeline, Tone,
};
use web::{Cx, Page, Path, Query, Redirect};

use super::{DUTY, HOME, TEMPLATES, message_path, name, state, template_name};
use crate::actions::messages as acts;
use crate::cases::severity;
use crate::diagnose::channel;
use crate::message::{Attempt, Message, MessageId, State as Stands};
use crate::office::Office;
use crate::permissions::{OPERATE, READ};
use crate::store::messages::{self, Filter};
use crate::t;

const PAGE: u32 = 50;
/// Messages about one thing that are told of.
const MOST_TOLD: u32 = 200;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    channel: String,
    after: Option<String>,
}

pub(super) async fn list(
    o: Arc<Office>,
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    cx.may(READ, &Scope::province())?;
    let l = cx.lang;
    let wanted = Stands::from_name(&asked.state);
    let filter = Filter {
        state: wanted,
        channel: kernel::notices::Channel::from_name(&asked.channel),
        after: asked.after.as_deref().and_then(|a| a.parse().ok()),
        limit: PAGE + 1,
    };
    let mut rows = messages::list(&k.db, &filter).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    let counts = messages::counts(&k.db).await?;
    let count = |s: Stands| counts.iter().find(|(of, _)| *of == s).map_or(0, |(_, n)| *n);
    let mut body = Html::of(head(&cx, count(Stands::Dead)));
    body.push(channels(l, &o));
    body.push(tabs(&cx, wanted, &counts));
    let options =
        kernel::notices::Channel::ALL.iter().map(|c| (c.name().to_owned(), channel(l, *c).to_owned()));
    body.push(Filters::new(&cx).select("channel", t::col_channel(l), options.collect()));
    let next = rows.last().filter(|_| more).map(|m| cx.address().with("after", m.id));
    let mut table = Table::new(l, t::messages_title(l))
        .column(Column::text(t::col_message(l)))
        .column(Column::text(t::col_to(l)))
        .column(Column::text(t::col_channel(l)))
        .column(Column::text(t::col_state(l)))
        .column(Column::text(t::col_created(l)));
    for m in &rows {
        table = table.row(row(&k, l, m).await);
    }
    let empty = Empty::new(Icon::Bell, t::messages_empty(l), t::messages_empty_text(l));
    body.push(table.next(next).empty(empty));
    body.push(Help::new(t::messages_help_title(l), t::messages_help(l)));
    Ok(web::page(&cx.frame(t::messages_title(l)), body))
}

fn head(cx: &Cx, dead: i64) -> Head {
    let l = cx.lang;
    let mut head = Head::new(l, t::messages_title(l)).sub(t::messages_sub(l));
    if dead > 0 && cx.holds(OPERATE, &Scope::province()) {
        head =
            head.primary(Action::post(cx, t::retry_dead(l, dead), "/notices/retry-dead").icon(Icon::Refresh));
    }
    head.action(Action::link(t::duty_title(l), DUTY).icon(Icon::Calendar))
        .action(Action::link(t::templates_title(l), TEMPLATES).icon(Icon::Writing))
}

/// Which gateways there are. What is not configured is said.
fn channels(l: Lang, o: &Office) -> Section {
    let mut facts = Facts::new();
    for c in kernel::notices::Channel::ALL {
        let cell = match o.gateway(c).map(|g| g.standing()) {
            None => Cell::badge(web::ui::Badge::new(Tone::Warn, t::not_configured(l))),
            Some(s) if s.encrypted => Cell::with_sub(&s.host, t::way_encrypted(l)),
            Some(s) => Cell::with_sub(&s.host, t::way_plain(l)),
        };
        facts = facts.row(channel(l, c), cell);
    }
    Section::new(t::channels_title(l), facts)
}

fn tabs(cx: &Cx, wanted: Option<Stands>, counts: &[(Stands, i64)]) -> Tabs {
    let l = cx.lang;
    let number = |n: i64| Some(Count::exact(u64::try_from(n).unwrap_or_default()));
    let all = counts.iter().map(|(_, n)| n).sum();
    let mut tabs = Tabs::new(l).tab(t::tab_all(l), HOME, number(all), wanted.is_none());
    for s in Stands::ALL {
        let n = counts.iter().find(|(of, _)| *of == s).map_or(0, |(_, n)| *n);
        if n > 0 || wanted == Some(s) {
            tabs = tabs.tab(word(l, s), format!("{HOME}?state={}", s.name()), number(n), wanted == Some(s));
        }
    }
    tabs
}

fn word(l: Lang, s: Stands) -> &'static str {
    match s {
        Stands::Waiting => t::state_waiting(l),
        Stands::Sent => t::state_sent(l),
        Stands::Delivered => t::state_delivered(l),
        Stands::Refused => t::state_refused(l),
        Stands::Dead => t::state_dead(l),
        Stands::Withdrawn => t::state_withdrawn(l),
        Stands::Unreached => t::state_unreached(l),
    }
}

async fn whose(k: &Kernel, m: &Message) -> String {
    match m.person {
        Some(person) => name(k, person).await,
        None => m.recipient.clone(),
    }
}

/// Who was told of a thing, over what, and what came back.
pub(crate) async fn told(k: &Kernel, of: &Ref) -> kernel::Result<Vec<Told>> {
    let mut out = Vec::new();
    for m in messages::about(&k.db, of, MOST_TOLD).await? {
        let arrived = match m.state {
            Stands::Waiting | Stands::Withdrawn => None,
            Stands::Sent | Stands::Delivered => Some(true),
            Stands::Refused | Stands::Dead | Stands::Unreached => Some(false),
        };
        out.push(Told {
            at: m.created_at,
            changed_at: m.changed_at,
            whom: whose(k, &m).await,
            over: m.channel.map(|c| Text::both(|l| channel(l, c))),
            state: Text::both(|l| word(l, m.state)),
            arrived,
            href: message_path(m.id),
            masked: m.masked,
            reason: m.reason,
        });
    }
    Ok(out)
}

async fn row(k: &Kernel, l: Lang, m: &Message) -> Row {
    Row::new([
        Cell::with_sub(&m.subject, template_name(l, &m.template)),
        Cell::with_sub(whose(k, m).await, &m.masked),
        m.channel.map_or_else(Cell::none, |c| Cell::text(channel(l, c))),
        Cell::badge(state(l, m.state)),
        Cell::fresh(Fresh::new(l, k.clock.now(), m.created_at)),
    ])
    .href(message_path(m.id))
}

pub(super) async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<MessageId>) -> web::Result<Page> {
    cx.may(READ, &Scope::province())?;
    let l = cx.lang;
    let m = messages::one(&k.db, id).await?.ok_or(Error::NotFound { kind: MessageId::KIND })?;
    let attempts = messages::attempts(&k.db, id).await?;
    let mut head = Head::new(l, &m.subject).badge(state(l, m.state));
    if m.state.may_be_retried() && cx.holds(OPERATE, &Scope::province()) {
        let path = format!("{}/retry", message_path(id));
        head = head.primary(Action::post(&cx, t::retry(l), path).icon(Icon::Refresh));
    }
    let mut content = Html::default();
    if let Some(reason) =
        m.reason.as_deref().filter(|_| m.state != Stands::Sent && m.state != Stands::Delivered)
    {
        let tone = if m.state == Stands::Waiting { Tone::Warn } else { Tone::Bad };
        content.push(Notice::new(tone, reason).title(t::reason_title(l)));
    }
    if m.state == Stands::Unreached {
        content.push(Notice::new(Tone::Warn, t::unreached_text(l)));
    }
    // A code is its owner's only.
    let text = m.body.replace("{code}", "••••••");
    content.push(Section::new(t::text_title(l), Code::new(l, text).wrapped()));
    let waits =
        (m.state == Stands::Waiting && m.not_before > k.clock.now()).then(|| Cell::time(m.not_before));
    let facts = Facts::new()
        .row(t::col_to(l), Cell::with_sub(whose(&k, &m).await, &m.masked))
        .row(t::col_channel(l), m.channel.map_or_else(Cell::none, |c| Cell::text(channel(l, c))))
        .row(t::fact_severity(l), Cell::text(severity(l, m.severity)))
        .row(t::fact_template(l), Cell::text(template_name(l, &m.template)))
        .row(t::fact_lang(l), Cell::text(m.lang.tag()))
        .row(t::fact_attempts(l), Cell::number(l, m.attempts))
        .maybe(t::fact_not_before(l), waits)
        .row(t::col_created(l), Cell::time(m.created_at));
    let thing = Thing::new(content)
        .side(t::facts_title(l), facts)
        .timeline(t::attempts_title(l), timeline(l, &m, &attempts));
    let frame = cx.frame(&m.subject).crumb(t::messages_title(l), HOME);
    Ok(web::page(&frame, web::body![head, thing]))
}

fn timeline(l: Lang, m: &Message, attempts: &[Attempt]) -> Timeline {
    let mut out = Timeline::new(l);
    for a in attempts {
        let (word, tone) = match a.outcome.as_str() {
            "sent" => (t::happened_sent(l), Tone::Good),
            "delivered" => (t::happened_delivered(l), Tone::Good),
            "later" => (t::happened_later(l), Tone::Warn),
            "dead" => (t::happened_dead(l), Tone::Bad),
            _ => (t::happened_refused(l), Tone::Bad),
        };
        let entry = Entry::new(a.at, t::attempt_number(l, a.number), word).tone(tone);
        out = out.entry(match &a.reason {
            Some(reason) => entry.detail(reason),
            None => entry,
        });
    }
    out.entry(Entry::new(m.created_at, t::platform(l), t::happened_written(l)))
}

pub(super) async fn retry(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<MessageId>,
) -> web::Result<Redirect> {
    acts::retry(&k, &cx, id).await?;
    Ok(Redirect::to(message_path(id)).saying(t::retried_said(cx.lang)))
}

pub(super) async fn retry_dead(State(k): State<Kernel>, cx: Cx) -> web::Result<Redirect> {
    let count = acts::retry_dead(&k, &cx).await?;
    Ok(Redirect::to(HOME).saying(t::retried_dead_said(cx.lang, count)))
}
