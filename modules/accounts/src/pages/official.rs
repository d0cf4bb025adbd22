//! One official: appointments, the state of the account, what happened. The acts upon it are in `official_acts`.

use axum::extract::{Extension, State};
use kernel::audit;
use kernel::clock::Timestamp;
use kernel::i18n::Lang;
use kernel::identity::links;
use kernel::identity::people::{self, Person};
use kernel::identity::{Appointment, Standing};
use kernel::{Error, Kernel, PersonId};
use web::ui::{
    Action, Badge, Cell, Column, Entry, Facts, Head, Icon, Row, Section, Table, Thing, Timeline, Tone,
};
use web::{Cx, Page, Path};

use super::{account, official_path, officials};
use crate::actions::officials::{self as acts, Official};
use crate::{Accounts, agencies, t};

const SHOWN_ACTS: u32 = 30;

pub(super) async fn page(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<PersonId>,
) -> web::Result<Page> {
    let l = cx.lang;
    let official = acts::get(&k, &cx, id).await?;
    let now = k.clock.now();
    let manage = acts::may_manage(&a, &cx, &official, now);
    let table = appointments(&a, &k, &cx, &official, manage).await?;
    let content = Section::new(t::appointments(l), table).flush();
    let mut body = Thing::new(content).side(t::account_facts(l), facts(&k, l, &official.person, now).await?);
    body = body.timeline(t::what_happened(l), timeline(&k, l, id).await?);
    let head = head(l, &official, now, manage);
    let frame = cx.frame(&official.person.full_name).crumb(t::officials(l), "/accounts/officials");
    Ok(web::page(&frame, web::body![head, body]))
}

fn head(l: Lang, official: &Official, now: Timestamp, manage: bool) -> Head {
    let person = &official.person;
    let here = official_path(person.id);
    let current: Vec<&Appointment> = official.appointments.iter().filter(|p| p.valid_at(now)).collect();
    let head = Head::new(l, &person.full_name)
        .code(&person.username)
        .badge(officials::state_badge(l, person, &current));
    if !manage {
        return head;
    }
    let link = Action::link(t::link_make(l), format!("{here}/password-link")).icon(Icon::Key);
    let appoint = Action::link(t::appoint(l), format!("{here}/appoint")).icon(Icon::Plus);
    let rename = Action::link(t::rename(l), format!("{here}/rename"));
    let lock = match person.locked_at {
        None => Action::link(t::lock(l), format!("{here}/lock")),
        Some(_) => Action::link(t::unlock(l), format!("{here}/lock")),
    };
    match (person.locked_at, person.password_set_at) {
        (None, None) => head.primary(link.primary()).action(appoint).action(rename).action(lock),
        (None, Some(_)) => head.primary(appoint.primary()).action(link).action(rename).action(lock),
        (Some(_), _) => head.primary(lock.primary()).action(appoint).action(rename),
    }
}

async fn facts(k: &Kernel, l: Lang, person: &Person, now: Timestamp) -> web::Result<Facts> {
    let waiting = links::waiting_for(&k.db, person.id, now).await?;
    Ok(Facts::new()
        .row(t::created_at(l), Cell::time(person.created_at))
        .row(t::last_sign_in(l), account::or_never(l, person.last_sign_in_at))
        .row(t::password_set_at(l), account::or_never(l, person.password_set_at))
        .maybe(t::link_waits_until(l), waiting.map(Cell::time))
        .maybe(t::locked_since(l), person.locked_at.map(Cell::time)))
}

async fn appointments(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    official: &Official,
    manage: bool,
) -> web::Result<Table> {
    let (l, now) = (cx.lang, k.clock.now());
    let mut table = Table::new(l, t::appointments(l))
        .column(Column::text(t::post(l)))
        .column(Column::text(t::agency(l)))
        .column(Column::text(t::period(l)))
        .column(Column::text(t::state(l)))
        .column(Column::end(t::column_actions(l)));
    for p in &official.appointments {
        let agency = agencies::of(k, p, now.date()).await?;
        let act = match manage && p.standing(now) != Standing::Ended {
            true => Cell::end(
                Action::link(t::appointment_end(l), format!("/accounts/appointments/{}/end", p.id)).small(),
            ),
            false => Cell::none(),
        };
        table = table.row(Row::new([
            Cell::with_sub(&p.post, held(a, l, p)),
            agency.map_or_else(|| Cell::text(t::agency_none(l)), Cell::legal),
            Cell::text(period(l, p)),
            Cell::badge(standing(l, p.standing(now))),
            act,
        ]));
    }
    Ok(table)
}

/// The roles, how the post is held, and its field of work.
fn held(a: &Accounts, l: Lang, p: &Appointment) -> String {
    let mut words = vec![roles(a, l, p), officials::holding(l, p.holding).to_owned()];
    words.extend(p.field.as_ref().map(|field| t::field_is(l, field)));
    words.join(" · ")
}

fn roles(a: &Accounts, l: Lang, p: &Appointment) -> String {
    let title =
        |code: &String| a.identity.roles().get(code).map_or(code.clone(), |r| r.title().get(l).to_owned());
    p.roles.iter().map(title).collect::<Vec<_>>().join(", ")
}

fn period(l: Lang, p: &Appointment) -> String {
    let last = match (p.ended_at, p.period.until) {
        (Some(at), until) if until.is_none_or(|u| at.date() <= u) => Some(at.date()),
        (_, until) => until,
    };
    match last {
        Some(day) => t::period_closed(l, t::PeriodClosed { from: p.period.from.vn(), until: day.vn() }),
        None => t::period_open(l, p.period.from.vn()),
    }
}

fn standing(l: Lang, s: Standing) -> Badge {
    match s {
        Standing::Future => Badge::new(Tone::Info, t::standing_future(l)),
        Standing::Current => Badge::new(Tone::Good, t::standing_current(l)),
        Standing::Ended => Badge::new(Tone::Neutral, t::standing_ended(l)),
    }
}

/// Acts upon the account and by its owner, newest first. Names of actors are looked up: the record holds ids.
async fn timeline(k: &Kernel, l: Lang, id: PersonId) -> web::Result<Timeline> {
    let mut timeline = Timeline::new(l);
    for row in audit::about(&k.db, &id.to_ref(), SHOWN_ACTS).await? {
        let Some((what, tone)) = said(l, &row.action) else { continue };
        timeline = timeline.entry(Entry::new(row.at, who(k, l, &row.actor).await?, what).tone(tone));
    }
    Ok(timeline)
}

fn said(l: Lang, action: &str) -> Option<(&'static str, Tone)> {
    Some(match action {
        "accounts.official.created" => (t::act_created(l), Tone::Neutral),
        "accounts.operator.made" => (t::act_operator_made(l), Tone::Neutral),
        "accounts.official.locked" => (t::act_locked(l), Tone::Bad),
        "accounts.official.unlocked" => (t::act_unlocked(l), Tone::Good),
        "accounts.official.renamed" => (t::act_renamed(l), Tone::Neutral),
        "accounts.password.link_made" => (t::act_link_made(l), Tone::Neutral),
        "accounts.password.set" => (t::act_password_set(l), Tone::Neutral),
        "accounts.password.changed" => (t::act_password_changed(l), Tone::Neutral),
        "accounts.password.refused" => (t::act_password_refused(l), Tone::Warn),
        "accounts.sign_in" => (t::act_signed_in(l), Tone::Neutral),
        "accounts.sign_in.failed" => (t::act_sign_in_failed(l), Tone::Warn),
        "accounts.session.ended" => (t::act_session_ended(l), Tone::Neutral),
        _ => return None,
    })
}

/// The actor of a record in words.
pub(super) async fn who(k: &Kernel, l: Lang, actor: &str) -> web::Result<String> {
    if let Some(rest) = actor.strip_prefix("official:") {
        let id = rest.split('/').next().unwrap_or_default();
        if let Ok(id) = id.parse::<PersonId>() {
            return match people::get(&k.db, id).await {
                Ok(person) => Ok(person.full_name),
                Err(Error::NotFound { .. }) => Ok(t::somebody(l).to_owned()),
                Err(e) => Err(e.into()),
            };
        }
    }
    Ok(match actor {
        "stranger" => t::somebody(l).to_owned(),
        a if a.starts_with("kernel:") => t::the_platform(l).to_owned(),
        a => a.strip_prefix("system:").unwrap_or(a).to_owned(),
    })
}
