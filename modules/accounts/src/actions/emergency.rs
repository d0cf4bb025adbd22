//! Rights for a few hours: asking, the second person's answer, ending, reviewing. The rules are the kernel's; here they
//! meet people, the audit, notices and the alert that stands while one runs.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::alerts::{Alert, Severity};
use kernel::audit;
use kernel::clock::Timestamp;
use kernel::error::{Error, FieldError};
use kernel::i18n::{Lang, Text};
use kernel::identity::emergency::{
    Bar, Decided, Emergency, LEAST_MINUTES, MOST_MINUTES, Reviewed, Second, Standing, may_decide, may_review,
};
use kernel::identity::{Appointment, emergencies, people, posts};
use kernel::jobs::JobBody;
use kernel::notices::{Notice, Recipient};
use kernel::orgs::UnitId;
use kernel::{Actor, AppointmentId, Cx, EmergencyId, Kernel, Permission, PersonId, Result, Scope, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{check, refused, wrong};
use crate::permissions::{EMERGENCY_ASK, EMERGENCY_GRANT, EMERGENCY_READ, EMERGENCY_REVIEW};
use crate::{Accounts, agencies, events, t};

/// Longest reason, answer or finding, in characters.
pub const MAX_WORDS: usize = 1_000;
/// Shortest reason or finding: a word is none.
pub const MIN_WORDS: usize = 10;
/// The role whose people at an agency are told of an emergency over it.
const UNIT_ADMIN: &str = "unit-admin";

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// Code of the right.
    pub right: String,
    /// Over which agency, where the right is over one.
    pub agency: Option<UnitId>,
    /// Why.
    pub reason: String,
    /// For how many minutes.
    pub minutes: u32,
}

/// Tidies up after one that has ended by itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub emergency: EmergencyId,
}

impl JobBody for Ended {
    const KIND: &'static str = "accounts.emergency-ended";
}

/// The key of the alert that stands while one runs.
fn alert_key(id: EmergencyId) -> String {
    format!("accounts.emergency:{id}")
}

/// The official who acts, with the post they act through.
fn official(cx: &Cx) -> Result<(PersonId, AppointmentId)> {
    match cx.actor {
        Actor::Official { person, appointment: Some(through) } => Ok((person, through)),
        Actor::Official { .. } => Err(Error::Denied { permission: EMERGENCY_ASK.name }),
        _ => Err(Error::SignIn),
    }
}

/// Asks for a right. It is worth nothing until somebody else grants it.
///
/// # Errors
/// `Denied` without the right to ask, over that agency; `Invalid` with what is wrong; a refusal while another request of
/// the same person for the same right waits or runs.
pub async fn ask(a: &Accounts, k: &Kernel, cx: &Cx, asking: &Asking) -> Result<EmergencyId> {
    cx.may_somewhere(EMERGENCY_ASK)?;
    let (person, appointment) = official(cx)?;
    check(flaws(a, k, asking).await?)?;
    if let Some(agency) = asking.agency {
        cx.may(EMERGENCY_ASK, &Scope::agency(agency))?;
    }
    let now = k.clock.now();
    let e = Emergency {
        id: EmergencyId::new(&*k.clock, &*k.random),
        person,
        appointment,
        right: asking.right.clone(),
        agency: asking.agency,
        reason: asking.reason.trim().to_owned(),
        minutes: asking.minutes,
        asked_at: now,
        withdrawn_at: None,
        decided: None,
        ends_at: None,
        ended_at: None,
        reviewed: None,
    };
    let mut tx = k.begin(cx).await?;
    // One request at a time: the person's row is held until the commit.
    people::lock(&mut tx, person).await?;
    let open = |other: &Emergency| {
        let stands = matches!(other.standing(now), Standing::Asked | Standing::Running);
        stands && other.right == e.right && other.agency == e.agency
    };
    if emergencies::list(&k.db, Some(person), None, 50).await?.iter().any(open) {
        return refused("emergency-open", |l| t::emergency_open_already(l).to_owned());
    }
    emergencies::add(&mut tx, &e).await?;
    let to = holders(a, &[EMERGENCY_GRANT]);
    changed(a, &mut tx, &e, "asked", t::emergency_told_asked, &e.reason, to).await?;
    tx.commit().await?;
    Ok(e.id)
}

async fn flaws(a: &Accounts, k: &Kernel, asking: &Asking) -> Result<Vec<FieldError>> {
    let mut errors = Vec::new();
    match a.identity.emergencies().get(&asking.right) {
        None => errors.push(wrong("right", t::emergency_bad_right)),
        Some(right) => match asking.agency {
            Some(_) if right.over_province => errors.push(wrong("agency", t::emergency_no_agency)),
            None if !right.over_province => errors.push(wrong("agency", t::emergency_needs_agency)),
            Some(unit) if agencies::name(k, unit, k.clock.now().date()).await?.is_none() => {
                errors.push(wrong("agency", t::emergency_needs_agency));
            }
            _ => {}
        },
    }
    if !(LEAST_MINUTES..=MOST_MINUTES).contains(&asking.minutes) {
        errors.push(wrong("minutes", t::emergency_bad_minutes));
    }
    errors.extend(words("reason", &asking.reason, MIN_WORDS));
    Ok(errors)
}

fn words(field: &str, text: &str, least: usize) -> Option<FieldError> {
    let fits = (least..=MAX_WORDS).contains(&text.trim().chars().count());
    (!fits)
        .then(|| wrong(field, |l| t::emergency_bad_words(l, t::EmergencyBadWords { least, most: MAX_WORDS })))
}

/// Grants a request: in force at once.
///
/// # Errors
/// `Denied` without the right; a refusal when it does not wait, or when the actor may not be its second person.
pub async fn grant(a: &Accounts, k: &Kernel, cx: &Cx, id: EmergencyId, said: &str) -> Result<()> {
    decide(a, k, cx, id, said, true).await
}

/// Refuses a request.
///
/// # Errors
/// As [`grant`].
pub async fn refuse(a: &Accounts, k: &Kernel, cx: &Cx, id: EmergencyId, said: &str) -> Result<()> {
    decide(a, k, cx, id, said, false).await
}

async fn decide(a: &Accounts, k: &Kernel, cx: &Cx, id: EmergencyId, said: &str, grant: bool) -> Result<()> {
    cx.may(EMERGENCY_GRANT, &Scope::province())?;
    check(words("words", said, 0).into_iter().collect())?;
    let (by, through) = official(cx)?;
    let mut tx = k.begin(cx).await?;
    let mut e = emergencies::lock(&mut tx, id).await?;
    let now = k.clock.now();
    if e.standing(now) != Standing::Asked {
        return refused("emergency-not-waiting", |l| t::emergency_not_waiting(l).to_owned());
    }
    let theirs = barred(k, cx, &e, (by, through), may_decide).await?;
    let acts = theirs.iter().any(|p| p.id == e.appointment && p.valid_at(now));
    if grant && !(acts && people::get(&k.db, e.person).await?.locked_at.is_none()) {
        return refused("emergency-nobody", |l| t::emergency_nobody(l).to_owned());
    }
    let decided = Decided { by, at: now, granted: grant, words: said.trim().to_owned() };
    let ends = grant.then(|| now.plus(Duration::from_secs(u64::from(e.minutes) * 60)));
    emergencies::decide(&mut tx, id, &decided, ends).await?;
    (e.ends_at, e.decided) = (ends, Some(decided));
    let mut to = vec![Recipient::Person(e.person)];
    if let Some(ends) = ends {
        people::touch_version(&mut tx, e.person).await?;
        tx.enqueue_at(&Ended { emergency: id }, ends).await?;
        tx.raise(&alert(a, k, &e, ends).await?).await?;
        to.extend(concerned(a, &e));
    }
    let (step, say): (_, fn(Lang) -> &'static str) = match grant {
        true => ("granted", t::emergency_told_granted),
        false => ("refused", t::emergency_told_refused),
    };
    changed(a, &mut tx, &e, step, say, said.trim(), to).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether the actor may be the second person or the reviewer; returns the appointments of who asked.
async fn barred(
    k: &Kernel,
    cx: &Cx,
    e: &Emergency,
    (by, through): (PersonId, AppointmentId),
    rule: fn(&Emergency, Second<'_>, &[Appointment]) -> Result<(), Bar>,
) -> Result<Vec<Appointment>> {
    let theirs = posts::of_person(&k.db, e.person).await?;
    let own = posts::get(&k.db, through).await?;
    let made = audit::did(&k.db, e.person, "accounts.appointment.made", &own.id.to_ref()).await?;
    let second = Second {
        person: by,
        appointment: &own,
        appointed_by_asker: made,
        under_emergency: cx.emergency().is_some(),
    };
    match rule(e, second, &theirs) {
        Ok(()) => Ok(theirs),
        Err(bar) => refused("emergency-second-person", |l| why(l, bar).to_owned()),
    }
}

fn why(l: Lang, bar: Bar) -> &'static str {
    match bar {
        Bar::SamePerson => t::emergency_bar_same(l),
        Bar::StandsIn => t::emergency_bar_stands_in(l),
        Bar::Appointed => t::emergency_bar_appointed(l),
        Bar::UnderEmergency => t::emergency_bar_under(l),
        Bar::Granted => t::emergency_bar_granted(l),
    }
}

/// Takes a request back that nobody has answered yet.
///
/// # Errors
/// `NotFound` for everybody but who asked; a refusal when it does not wait.
pub async fn withdraw(a: &Accounts, k: &Kernel, cx: &Cx, id: EmergencyId) -> Result<()> {
    cx.may_somewhere(EMERGENCY_ASK)?;
    let (by, _) = official(cx)?;
    let mut tx = k.begin(cx).await?;
    let e = emergencies::lock(&mut tx, id).await?;
    if e.person != by {
        return Err(Error::NotFound { kind: EmergencyId::KIND });
    }
    let now = k.clock.now();
    if e.standing(now) != Standing::Asked {
        return refused("emergency-not-waiting", |l| t::emergency_not_waiting(l).to_owned());
    }
    emergencies::withdraw(&mut tx, id, now).await?;
    let to = holders(a, &[EMERGENCY_GRANT]);
    changed(a, &mut tx, &e, "withdrawn", t::emergency_told_withdrawn, "", to).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends a running one early: who asked, or who may grant.
///
/// # Errors
/// `NotFound` for who may not know of it; `Denied`; a refusal when it does not run.
pub async fn end(a: &Accounts, k: &Kernel, cx: &Cx, id: EmergencyId) -> Result<()> {
    let (by, _) = official(cx)?;
    let e = get(k, cx, id).await?;
    if e.person != by {
        cx.may(EMERGENCY_GRANT, &Scope::province())?;
    }
    let mut tx = k.begin(cx).await?;
    let e = emergencies::lock(&mut tx, id).await?;
    let now = k.clock.now();
    if e.standing(now) != Standing::Running {
        return refused("emergency-not-running", |l| t::emergency_not_running(l).to_owned());
    }
    emergencies::end(&mut tx, id, by, now).await?;
    people::touch_version(&mut tx, e.person).await?;
    over(a, &mut tx, &e).await?;
    tx.commit().await?;
    Ok(())
}

/// What follows the end, whoever or whatever ended it: once.
async fn over(a: &Accounts, tx: &mut Tx, e: &Emergency) -> Result<()> {
    if !tx.clear(&alert_key(e.id)).await? {
        return Ok(());
    }
    let to = [Recipient::Person(e.person)].into_iter().chain(concerned(a, e)).collect();
    changed(a, tx, e, "ended", t::emergency_told_ended, "", to).await
}

/// The job at the end of one that was granted.
///
/// # Errors
/// When the database is away; tried again.
pub(crate) async fn ended(a: &Accounts, k: &Kernel, id: EmergencyId) -> Result<()> {
    let mut tx = k.begin(&Cx::kernel("accounts.emergency", k.clock.now())).await?;
    let e = emergencies::lock(&mut tx, id).await?;
    if e.standing(k.clock.now()) == Standing::Running {
        // The clock went back since the job was due.
        let at = e.over_at().unwrap_or_else(|| k.clock.now());
        tx.enqueue_at(&Ended { emergency: id }, at).await?;
    } else {
        over(a, &mut tx, &e).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Says what a third person found.
///
/// # Errors
/// `Denied` without the right; a refusal before its end, after a review, or for who asked for it or granted it.
pub async fn review(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    id: EmergencyId,
    justified: bool,
    found: &str,
) -> Result<()> {
    cx.may(EMERGENCY_REVIEW, &Scope::province())?;
    check(words("words", found, MIN_WORDS).into_iter().collect())?;
    let (by, through) = official(cx)?;
    let mut tx = k.begin(cx).await?;
    let e = emergencies::lock(&mut tx, id).await?;
    let now = k.clock.now();
    if e.standing(now) != Standing::Over {
        return refused("emergency-not-over", |l| t::emergency_not_over(l).to_owned());
    }
    barred(k, cx, &e, (by, through), may_review).await?;
    let reviewed = Reviewed { by, at: now, justified, words: found.trim().to_owned() };
    emergencies::review(&mut tx, id, &reviewed).await?;
    let mut to = vec![Recipient::Person(e.person)];
    to.extend(e.decided.as_ref().map(|d| Recipient::Person(d.by)));
    let say: fn(Lang) -> &'static str =
        if justified { t::emergency_told_justified } else { t::emergency_told_unjustified };
    changed(a, &mut tx, &e, "reviewed", say, found.trim(), to).await?;
    tx.commit().await?;
    Ok(())
}

/// Those a reader may know: all over the province, otherwise one's own; the last one first.
///
/// # Errors
/// `SignIn` or `Denied` without the right to read.
pub async fn list(k: &Kernel, cx: &Cx, before: Option<EmergencyId>, limit: u32) -> Result<Vec<Emergency>> {
    cx.may_somewhere(EMERGENCY_READ)?;
    let of = match cx.holds(EMERGENCY_READ, &Scope::province()) {
        true => None,
        false => Some(official(cx)?.0),
    };
    emergencies::list(&k.db, of, before, limit).await
}

/// One of them.
///
/// # Errors
/// `NotFound` for somebody else's, without the right over the province.
pub async fn get(k: &Kernel, cx: &Cx, id: EmergencyId) -> Result<Emergency> {
    cx.may_somewhere(EMERGENCY_READ)?;
    let e = emergencies::get(&k.db, id).await?;
    let own = matches!(cx.actor, Actor::Official { person, .. } if person == e.person);
    if own || cx.holds(EMERGENCY_READ, &Scope::province()) {
        return Ok(e);
    }
    Err(Error::NotFound { kind: EmergencyId::KIND })
}

/// Everybody whose role carries one of these rights.
fn holders(a: &Accounts, rights: &[Permission]) -> Vec<Recipient> {
    let carries = |p: &String| rights.iter().any(|r| r.name == p);
    let roles = a.identity.roles().iter().filter(|(_, role)| role.permissions.iter().any(carries));
    roles.map(|(code, _)| Recipient::Holders { role: code.to_owned(), agency: None }).collect()
}

/// Whom a granted one concerns besides who asked: who may grant, who reviews, the agency's own administrator.
fn concerned(a: &Accounts, e: &Emergency) -> Vec<Recipient> {
    let mut to = holders(a, &[EMERGENCY_GRANT, EMERGENCY_REVIEW]);
    let agency = e.agency.map(|unit| Recipient::Holders { role: UNIT_ADMIN.to_owned(), agency: Some(unit) });
    to.extend(agency);
    to
}

/// The right's name; its code when it is no longer configured.
pub(crate) fn title(a: &Accounts, e: &Emergency) -> Text {
    let same = || Text { vi: e.right.clone(), en: e.right.clone() };
    a.identity.emergencies().get(&e.right).map_or_else(same, |r| r.title.clone())
}

async fn alert(a: &Accounts, k: &Kernel, e: &Emergency, ends: Timestamp) -> Result<Alert> {
    let (what, who) = (title(a, e), people::get(&k.db, e.person).await?.full_name);
    Ok(Alert {
        key: alert_key(e.id),
        severity: Severity::Warning,
        title: Text::both(|l| t::emergency_alert_title(l, what.get(l))),
        cause: Text::both(|l| {
            t::emergency_alert_cause(
                l,
                t::EmergencyAlertCause { reason: &e.reason, until: ends.vn(), who: &who },
            )
        }),
        todo: Text::both(t::emergency_alert_todo),
        affected: vec![],
        since: None,
    })
}

/// The fact, the notice and the audit row of a step.
async fn changed(
    a: &Accounts,
    tx: &mut Tx,
    e: &Emergency,
    step: &'static str,
    say: fn(Lang) -> &'static str,
    said: &str,
    to: Vec<Recipient>,
) -> Result<()> {
    tx.publish(&events::EmergencyChanged { emergency: e.id, person: e.person, step: step.to_owned() })
        .await?;
    let who = people::get(&tx.kernel().db, e.person).await?.full_name;
    let what = title(a, e);
    let same = |s: &str| Text { vi: s.to_owned(), en: s.to_owned() };
    let until = e.ends_at.map(Timestamp::vn).unwrap_or_default();
    let arguments = BTreeMap::from([
        ("step".to_owned(), Text::both(say)),
        ("right".to_owned(), what),
        ("who".to_owned(), same(&who)),
        ("minutes".to_owned(), same(&e.minutes.to_string())),
        ("until".to_owned(), same(&until)),
        ("words".to_owned(), same(said)),
    ]);
    let about = Some(e.id.to_ref());
    let notice =
        Notice { template: "emergency".to_owned(), arguments, severity: Severity::Critical, about, to };
    tx.notify(&notice).await?;
    let detail = json!({"person": e.person, "right": e.right, "agency": e.agency, "minutes": e.minutes,
        "words": said});
    tx.audit(&format!("accounts.emergency.{step}"), &e.id.to_ref(), detail).await
}
