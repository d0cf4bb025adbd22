//! Emergency rights: asking, the second person's answer, what was done meanwhile, the review.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::clock::Timestamp;
use kernel::error::FieldError;
use kernel::i18n::Lang;
use kernel::identity::emergency::{Emergency, LEAST_MINUTES, MOST_MINUTES, Standing};
use kernel::identity::people;
use kernel::{Actor, EmergencyId, Error, Kernel, PersonId, Scope, audit};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Confirm, Empty, Entry, Facts, Field, Form as Fields, Head, Help, Html,
    Icon, Notice, Row, Section, Table, Thing, Timeline, Tone,
};
use web::{Cx, Form, Page, Path, Query, Redirect};

use super::{EMERGENCIES, emergency_path};
use crate::actions::emergency::{self as acts, Asking, MAX_WORDS};
use crate::permissions::{EMERGENCY_ASK, EMERGENCY_GRANT, EMERGENCY_REVIEW};
use crate::{Accounts, agencies, t};

const PER_PAGE: u32 = 50;
/// Acts under one that are listed.
const MOST_ACTS: u32 = 200;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ListQuery {
    after: Option<EmergencyId>,
}

pub(super) async fn list(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Query(q): Query<ListQuery>,
) -> web::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let mut rows = acts::list(&k, &cx, q.after, PER_PAGE + 1).await?;
    let more = rows.len() > PER_PAGE as usize;
    rows.truncate(PER_PAGE as usize);
    let next = rows.last().filter(|_| more).map(|e| cx.address().with("after", e.id));
    let mut head = Head::new(l, t::emergencies(l)).sub(t::emergencies_sub(l));
    if cx.may_somewhere(EMERGENCY_ASK).is_ok() {
        let ask = Action::link(t::emergency_ask(l), format!("{EMERGENCIES}/new")).icon(Icon::Lock);
        head = head.primary(ask);
    }
    let mut table = Table::new(l, t::emergencies(l))
        .column(Column::text(t::emergency_right(l)))
        .column(Column::text(t::emergency_who(l)))
        .column(Column::text(t::state(l)))
        .column(Column::text(t::emergency_asked_at(l)))
        .column(Column::text(t::emergency_over_at(l)))
        .next(next)
        .empty(Empty::new(Icon::Lock, t::emergencies_empty(l), t::emergencies_empty_text(l)));
    for e in &rows {
        let href = emergency_path(e.id);
        table = table.row(
            Row::new([
                Cell::link(&href, acts::title(&a, e).get(l)),
                Cell::text(name(&k, e.person).await),
                Cell::badge(badge(l, e, now)),
                Cell::time(e.asked_at),
                Cell::opt_time(e.over_at()),
            ])
            .href(href),
        );
    }
    let help = Help::new(t::emergency_help_title(l), t::emergency_help(l));
    Ok(web::page(&cx.frame(t::emergencies(l)), web::body![head, table, help]))
}

async fn name(k: &Kernel, person: PersonId) -> String {
    people::get(&k.db, person).await.map_or_else(|_| person.to_string(), |p| p.full_name)
}

fn badge(l: Lang, e: &Emergency, now: Timestamp) -> Badge {
    match e.standing(now) {
        Standing::Asked => Badge::new(Tone::Warn, t::emergency_state_asked(l)),
        Standing::Lapsed => Badge::new(Tone::Neutral, t::emergency_state_lapsed(l)),
        Standing::Refused => Badge::new(Tone::Neutral, t::emergency_state_refused(l)),
        Standing::Withdrawn => Badge::new(Tone::Neutral, t::emergency_state_withdrawn(l)),
        Standing::Running => Badge::new(Tone::Bad, t::emergency_state_running(l)),
        Standing::Over if e.is_overdue(now) => Badge::new(Tone::Bad, t::emergency_state_overdue(l)),
        Standing::Over => Badge::new(Tone::Warn, t::emergency_state_over(l)),
        Standing::Reviewed => Badge::new(Tone::Good, t::emergency_state_reviewed(l)),
    }
}

/// What was typed into the form of a request.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Typed {
    right: String,
    agency: String,
    minutes: String,
    reason: String,
}

pub(super) async fn new(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
) -> web::Result<Page> {
    let typed = Typed { minutes: "60".into(), ..Typed::default() };
    Ok(form(&a, &k, &cx, &typed, &[]).await?)
}

async fn form(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    typed: &Typed,
    errors: &[FieldError],
) -> kernel::Result<Page> {
    let l = cx.lang;
    let rights = a.identity.emergencies().iter();
    let rights = rights.map(|(code, r)| (code.to_owned(), r.title.get(l).to_owned())).collect();
    let units = agencies::all(k, &cx.agencies(EMERGENCY_ASK), k.clock.now().date()).await?;
    let none = (String::new(), t::emergency_whole_province(l).to_owned());
    let units = std::iter::once(none).chain(units.into_iter().map(|v| (v.unit.to_string(), v.full_name)));
    let most = u32::try_from(MAX_WORDS).unwrap_or(u32::MAX);
    let fields = Fields::post(cx, EMERGENCIES)
        .errors(errors)
        .field(Field::select("right", t::emergency_right(l), rights).value(&typed.right).required())
        .field(
            Field::select("agency", t::agency(l), units.collect())
                .value(&typed.agency)
                .help(t::emergency_agency_help(l))
                .optional(),
        )
        .field(
            Field::number("minutes", t::emergency_minutes(l))
                .value(&typed.minutes)
                .help(t::emergency_minutes_help(
                    l,
                    t::EmergencyMinutesHelp { least: LEAST_MINUTES, most: MOST_MINUTES },
                ))
                .required(),
        )
        .field(
            Field::textarea("reason", t::emergency_reason(l))
                .value(&typed.reason)
                .help(t::emergency_reason_help(l))
                .rows(4)
                .max(most)
                .required(),
        )
        .submit(t::emergency_send(l))
        .cancel(EMERGENCIES);
    let head = Head::new(l, t::emergency_ask(l)).sub(t::emergency_ask_sub(l));
    let frame = cx.frame(t::emergency_ask(l)).crumb(t::emergencies(l), EMERGENCIES);
    Ok(web::page(&frame, web::body![head, fields]))
}

pub(super) async fn ask(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Form(typed): Form<Typed>,
) -> web::Result<Response> {
    let agency = Some(typed.agency.as_str()).filter(|unit| !unit.is_empty()).map(str::parse).transpose();
    let asked = match agency {
        Err(_) => Err(Error::Invalid(vec![crate::actions::wrong("agency", t::emergency_needs_agency)])),
        Ok(agency) => {
            let minutes = typed.minutes.trim().parse().unwrap_or(0);
            let asking = Asking { right: typed.right.clone(), agency, reason: typed.reason.clone(), minutes };
            acts::ask(&a, &k, &cx, &asking).await
        }
    };
    match asked {
        Ok(id) => {
            Ok(Redirect::to(emergency_path(id)).saying(t::emergency_asked_said(cx.lang)).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let page = form(&a, &k, &cx, &typed, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

/// What was typed as an answer or a finding.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Said {
    words: String,
    justified: String,
}

pub(super) async fn page(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
) -> web::Result<Page> {
    Ok(shown(&a, &k, &cx, id, &Said::default(), &[]).await?)
}

async fn shown(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    id: EmergencyId,
    said: &Said,
    errors: &[FieldError],
) -> kernel::Result<Page> {
    let (l, now) = (cx.lang, k.clock.now());
    let e = acts::get(k, cx, id).await?;
    let title = acts::title(a, &e).get(l).to_owned();
    let own = matches!(cx.actor, Actor::Official { person, .. } if person == e.person);
    let mut content = Html::of(Section::new(t::emergency_reason(l), Code::new(l, &e.reason).wrapped()));
    content.push(next_step(cx, &e, now, own, said, errors));
    let done = audit::under(&k.db, id, MOST_ACTS).await?;
    let acts_table = Table::new(l, t::emergency_acts(l))
        .column(Column::text(t::emergency_act_at(l)))
        .column(Column::text(t::emergency_act(l)))
        .column(Column::text(t::emergency_act_on(l)))
        .rows(done.iter().map(|row| {
            Row::new([
                Cell::time(row.at),
                Cell::code(&row.action),
                Cell::code(format!("{}:{}", row.subject.kind, row.subject.id)),
            ])
        }))
        .empty(Empty::new(Icon::Lock, t::emergency_acts_none(l), t::emergency_acts_none_text(l)));
    content.push(Section::new(t::emergency_acts(l), acts_table).help(t::emergency_acts_help(l)).flush());
    let agency = match e.agency {
        Some(unit) => agencies::name(k, unit, now.date()).await?.map_or_else(Cell::none, Cell::legal),
        None => Cell::text(t::emergency_whole_province(l)),
    };
    let facts = Facts::new()
        .row(t::emergency_who(l), Cell::text(name(k, e.person).await))
        .row(t::emergency_scope(l), agency)
        .row(t::emergency_minutes(l), Cell::number(l, i64::from(e.minutes)))
        .row(t::emergency_asked_at(l), Cell::time(e.asked_at))
        .maybe(t::emergency_over_at(l), e.over_at().map(Cell::time))
        .maybe(t::emergency_review_due(l), e.review_due().map(Cell::time));
    let thing = Thing::new(content)
        .side(t::emergency_facts(l), facts)
        .timeline(t::emergency_timeline(l), timeline(k, l, &e).await);
    let mut head = Head::new(l, &title).badge(badge(l, &e, now));
    let standing = e.standing(now);
    if standing == Standing::Asked && own {
        head = head.action(Action::post(
            cx,
            t::emergency_withdraw(l),
            format!("{}/withdraw", emergency_path(id)),
        ));
    }
    let frame = cx.frame(&title).crumb(t::emergencies(l), EMERGENCIES);
    Ok(web::page(&frame, web::body![head, thing]))
}

/// What the reader can do about it now.
fn next_step(cx: &Cx, e: &Emergency, now: Timestamp, own: bool, said: &Said, errors: &[FieldError]) -> Html {
    let (l, here, province) = (cx.lang, emergency_path(e.id), Scope::province());
    let most = u32::try_from(MAX_WORDS).unwrap_or(u32::MAX);
    let words = |label| Field::textarea("words", label).value(&said.words).rows(3).max(most);
    match e.standing(now) {
        Standing::Asked if own => Html::of(Notice::new(Tone::Info, t::emergency_waits(l))),
        Standing::Asked if cx.holds(EMERGENCY_GRANT, &province) => {
            let grant = Fields::post(cx, format!("{here}/grant"))
                .errors(errors)
                .field(words(t::emergency_answer(l)).optional())
                .submit(t::emergency_grant(l));
            let mut out =
                Html::of(Section::new(t::emergency_decide(l), grant).help(t::emergency_grant_consequence(l)));
            let refuse = Confirm::post(
                cx,
                format!("{here}/refuse"),
                t::emergency_refuse_consequence(l),
                t::emergency_refuse(l),
            );
            out.push(Section::new(t::emergency_refuse(l), refuse.reason("words", t::emergency_answer(l))));
            out
        }
        Standing::Running if own || cx.holds(EMERGENCY_GRANT, &province) => {
            let end = Confirm::post(
                cx,
                format!("{here}/end"),
                t::emergency_end_consequence(l),
                t::emergency_end(l),
            );
            Html::of(Section::new(t::emergency_end(l), end.danger()))
        }
        Standing::Over if !own && cx.holds(EMERGENCY_REVIEW, &province) => {
            let options = vec![
                ("yes".to_owned(), t::emergency_justified(l).to_owned()),
                ("no".to_owned(), t::emergency_unjustified(l).to_owned()),
            ];
            let form = Fields::post(cx, format!("{here}/review"))
                .errors(errors)
                .field(
                    Field::radios("justified", t::emergency_verdict(l), options)
                        .value(&said.justified)
                        .required(),
                )
                .field(words(t::emergency_finding(l)).required())
                .submit(t::emergency_review(l));
            Html::of(Section::new(t::emergency_review(l), form).help(t::emergency_review_help(l)))
        }
        Standing::Over => Html::of(Notice::new(Tone::Info, t::emergency_waits_review(l))),
        _ => Html::default(),
    }
}

async fn timeline(k: &Kernel, l: Lang, e: &Emergency) -> Timeline {
    let mut out = Timeline::new(l);
    if let Some(r) = &e.reviewed {
        let (word, tone) = match r.justified {
            true => (t::emergency_justified(l), Tone::Good),
            false => (t::emergency_unjustified(l), Tone::Bad),
        };
        out = out.entry(Entry::new(r.at, name(k, r.by).await, word).detail(&r.words).tone(tone));
    }
    if let Some(at) = e.over_at().filter(|at| *at <= k.clock.now()) {
        out = out.entry(Entry::new(at, t::emergency_platform(l), t::emergency_state_over(l)));
    }
    if let Some(d) = &e.decided {
        let word = if d.granted { t::emergency_happened_granted(l) } else { t::emergency_state_refused(l) };
        let entry = Entry::new(d.at, name(k, d.by).await, word);
        out = out.entry(if d.words.is_empty() { entry } else { entry.detail(&d.words) });
    }
    if let Some(at) = e.withdrawn_at {
        out = out.entry(Entry::new(at, name(k, e.person).await, t::emergency_state_withdrawn(l)));
    }
    out.entry(Entry::new(e.asked_at, name(k, e.person).await, t::emergency_happened_asked(l)))
}

/// Back to the page with what came of it; what was typed stays where something is wrong with it.
async fn answered(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    id: EmergencyId,
    said: &Said,
    done: kernel::Result<()>,
    text: &'static str,
) -> web::Result<Response> {
    match done {
        Ok(()) => Ok(Redirect::to(emergency_path(id)).saying(text).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = shown(a, k, cx, id, said, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn grant(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
    Form(said): Form<Said>,
) -> web::Result<Response> {
    let done = acts::grant(&a, &k, &cx, id, &said.words).await;
    answered(&a, &k, &cx, id, &said, done, t::emergency_granted_said(cx.lang)).await
}

pub(super) async fn refuse(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
    Form(said): Form<Said>,
) -> web::Result<Response> {
    let done = acts::refuse(&a, &k, &cx, id, &said.words).await;
    answered(&a, &k, &cx, id, &said, done, t::emergency_refused_said(cx.lang)).await
}

pub(super) async fn withdraw(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
) -> web::Result<Redirect> {
    acts::withdraw(&a, &k, &cx, id).await?;
    Ok(Redirect::to(emergency_path(id)).saying(t::emergency_withdrawn_said(cx.lang)))
}

pub(super) async fn end(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
) -> web::Result<Redirect> {
    acts::end(&a, &k, &cx, id).await?;
    Ok(Redirect::to(emergency_path(id)).saying(t::emergency_ended_said(cx.lang)))
}

pub(super) async fn review(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
    Form(said): Form<Said>,
) -> web::Result<Response> {
    let done = match said.justified.as_str() {
        "yes" | "no" => acts::review(&a, &k, &cx, id, said.justified == "yes", &said.words).await,
        _ => Err(Error::Invalid(vec![crate::actions::wrong("justified", t::emergency_needs_verdict)])),
    };
    answered(&a, &k, &cx, id, &said, done, t::emergency_reviewed_said(cx.lang)).await
}
