//! What is told about one fault: at once to who is on duty; to the next when nobody takes it on; that it is over to who
//! was told. A fault that comes and goes is told once as such, then only when it has kept still; many at once are put
//! together in one message.

use std::collections::BTreeMap;
use std::time::Duration;

use base::clock::Timestamp;
use base::error::Result;
use base::i18n::{Lang, Text};
use kernel::alerts::{self, AlertId, Occurrence, Severity};
use kernel::identity::people;
use kernel::{Kernel, PersonId, Ref, Tx};

use crate::jobs::{Escalate, Settle, TellTogether};
use crate::message::CaseId;
use crate::office::Office;
use crate::store::cases::{self, Case};
use crate::store::duty;
use crate::t;
use crate::tell::{self, Draft};

/// A fault has begun.
pub(crate) const OPENED: &str = "alert-opened";
/// A fault that was just over is back.
pub(crate) const UNSTABLE: &str = "alert-unstable";
/// A fault is over.
pub(crate) const CLEARED: &str = "alert-cleared";
/// Many at once.
pub(crate) const DIGEST: &str = "alert-digest";

/// Everybody of the role.
const ALL: i64 = 3;
/// People of a role told in the end.
const MOST_PEOPLE: u32 = 200;
/// What is counted as "at once".
const AT_ONCE: Duration = Duration::from_secs(60);
/// How long is collected for one message.
const COLLECT: Duration = Duration::from_secs(20);
/// Faults named in one message; the others are counted.
const NAMED: usize = 20;
/// Names of those hurt in a message.
const HURT: usize = 5;

/// An alert was raised.
pub(crate) async fn opened(o: &Office, tx: &mut Tx, id: AlertId) -> Result<()> {
    let k = tx.kernel().clone();
    // Heard late, after a stop: what is over already is nobody's worry.
    let Some(alert) = alerts::one(&k.db, id).await?.filter(|a| a.cleared_at.is_none()) else { return Ok(()) };
    let now = k.clock.now();
    let last = cases::last_of(tx, &alert.key).await?;
    let recent = last.filter(|c| c.is_open || now.since(c.changed_at) < o.settings.regroup());
    let Some(mut case) = recent else {
        let mut case = cases::insert(tx, &alert.key, id, alert.severity).await?;
        return tell_next(o, tx, &mut case, &alert, 1, OPENED).await;
    };
    let was_unstable = case.unstable;
    case.alert = id;
    case.severity = alert.severity;
    (case.is_open, case.unstable, case.changed_at) = (true, true, now);
    case.times += 1;
    cases::save(tx, &case).await?;
    tx.enqueue_at(&Settle { case: case.id, changed_at: now }, now.plus(o.settings.regroup())).await?;
    if !was_unstable {
        let people = cases::told(tx, case.id).await?;
        announce(o, tx, &case, &alert, UNSTABLE, &people).await?;
        if !case.acknowledged {
            tx.enqueue_at(
                &Escalate { case: case.id, stage: case.stage + 1 },
                now.plus(o.settings.acknowledge()),
            )
            .await?;
        }
    }
    Ok(())
}

/// An alert was cleared.
pub(crate) async fn cleared(o: &Office, tx: &mut Tx, id: AlertId) -> Result<()> {
    let k = tx.kernel().clone();
    let Some(mut case) = cases::of_alert(tx, id).await?.filter(|c| c.is_open) else { return Ok(()) };
    let Some(alert) = alerts::one(&k.db, id).await? else { return Ok(()) };
    let now = k.clock.now();
    (case.is_open, case.changed_at) = (false, now);
    cases::save(tx, &case).await?;
    if case.unstable {
        tx.enqueue_at(&Settle { case: case.id, changed_at: now }, now.plus(o.settings.regroup())).await?;
        return Ok(());
    }
    cases::withdraw(tx, case.id).await?;
    let people = cases::told(tx, case.id).await?;
    announce(o, tx, &case, &alert, CLEARED, &people).await
}

/// Somebody looks after an alert.
pub(crate) async fn acknowledged(tx: &mut Tx, id: AlertId) -> Result<()> {
    let Some(mut case) = cases::of_alert(tx, id).await? else { return Ok(()) };
    case.acknowledged = true;
    cases::save(tx, &case).await
}

/// Nobody has taken it on in time: the next are told.
pub(crate) async fn escalate(o: &Office, tx: &mut Tx, id: CaseId, stage: i64) -> Result<()> {
    let k = tx.kernel().clone();
    let Some(mut case) = cases::one(tx, id).await? else { return Ok(()) };
    if !case.is_open || case.acknowledged || case.stage >= stage {
        return Ok(());
    }
    let Some(alert) = alerts::one(&k.db, case.alert).await? else { return Ok(()) };
    tell_next(o, tx, &mut case, &alert, stage, OPENED).await
}

/// A fault that came and went has kept still since `changed_at`: people are told how it stands.
pub(crate) async fn settle(o: &Office, tx: &mut Tx, id: CaseId, changed_at: Timestamp) -> Result<()> {
    let k = tx.kernel().clone();
    let Some(mut case) = cases::one(tx, id).await? else { return Ok(()) };
    if !case.unstable || case.changed_at != changed_at {
        return Ok(());
    }
    case.unstable = false;
    cases::save(tx, &case).await?;
    let Some(alert) = alerts::one(&k.db, case.alert).await? else { return Ok(()) };
    let people = cases::told(tx, case.id).await?;
    let template = if case.is_open { OPENED } else { CLEARED };
    announce(o, tx, &case, &alert, template, &people).await
}

/// Tells those of a stage, or of the next one when nobody of it can be reached, and sees to it that the stage after
/// has its turn.
async fn tell_next(
    o: &Office,
    tx: &mut Tx,
    case: &mut Case,
    alert: &Occurrence,
    from: i64,
    template: &str,
) -> Result<()> {
    let k = tx.kernel().clone();
    let now = k.clock.now();
    let (mut stage, mut people) = (from, Vec::new());
    loop {
        let mut reached = false;
        for who in on_stage(o, &k, stage, now).await? {
            if cases::tell(tx, case.id, who).await? {
                reached |= tell::reachable(o, &k, who).await?;
                people.push(who);
            }
        }
        if reached || stage >= ALL {
            break;
        }
        stage += 1;
    }
    case.stage = stage;
    cases::save(tx, case).await?;
    announce(o, tx, case, alert, template, &people).await?;
    if stage < ALL {
        let next = Escalate { case: case.id, stage: stage + 1 };
        tx.enqueue_at(&next, now.plus(o.settings.acknowledge())).await?;
    }
    Ok(())
}

/// Who is told at a stage: the first on duty, the second, everybody of the role.
async fn on_stage(o: &Office, k: &Kernel, stage: i64, now: Timestamp) -> Result<Vec<PersonId>> {
    if stage >= ALL {
        let all = people::holders(&k.db, &o.settings.role, None, now, MOST_PEOPLE).await?;
        return Ok(all.into_iter().map(|p| p.id).collect());
    }
    let shift = duty::at(&k.db, now).await?;
    let who = shift.and_then(|s| if stage == 1 { Some(s.first) } else { s.second });
    Ok(who.into_iter().collect())
}

/// Tells these people of a case: by itself, or together with others when too much happens at once.
async fn announce(
    o: &Office,
    tx: &mut Tx,
    case: &Case,
    alert: &Occurrence,
    template: &str,
    people: &[PersonId],
) -> Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let now = tx.kernel().clock.now();
    let waiting = cases::any_pending(tx).await?;
    let lately = cases::told_since(tx, now.minus(AT_ONCE), case.id).await?;
    if waiting || lately >= i64::from(o.settings.storm) {
        if !waiting {
            tx.enqueue_at(&TellTogether {}, now.plus(COLLECT)).await?;
        }
        return cases::pend(tx, case.id, template).await;
    }
    cases::told_now(tx, case.id).await?;
    let about = case.alert.to_ref();
    let draft = Draft {
        template,
        case: Some(case.id),
        notice: None,
        about: Some(&about),
        covers: &[],
        severity: case.severity,
        arguments: arguments(o, case, alert),
    };
    for who in people {
        tell::person(o, tx, &draft, *who).await?;
    }
    Ok(())
}

/// What one person is told in one message.
struct Together {
    who: PersonId,
    severity: Severity,
    lines: Vec<Text>,
    covers: Vec<Ref>,
}

impl Together {
    fn of(who: PersonId) -> Self {
        Self { who, severity: Severity::Warning, lines: Vec::new(), covers: Vec::new() }
    }
}

/// Tells everything that has been collected, one message for each person.
pub(crate) async fn together(o: &Office, tx: &mut Tx) -> Result<()> {
    let k = tx.kernel().clone();
    let mut by_person: BTreeMap<String, Together> = BTreeMap::new();
    for (id, template) in cases::take_pending(tx).await? {
        let Some(case) = cases::one(tx, id).await? else { continue };
        let Some(alert) = alerts::one(&k.db, case.alert).await? else { continue };
        for who in cases::told(tx, id).await? {
            let entry = by_person.entry(who.to_string()).or_insert_with(|| Together::of(who));
            entry.severity = entry.severity.max(case.severity);
            entry.lines.push(Text::both(|l| line(l, &template, &alert)));
            if !entry.covers.contains(&alert.id.to_ref()) {
                entry.covers.push(alert.id.to_ref());
            }
        }
    }
    for Together { who, severity, lines, covers } in by_person.into_values() {
        let mut arguments = BTreeMap::new();
        arguments.insert("count".to_owned(), Text::both(|_| lines.len().to_string()));
        arguments.insert("list".to_owned(), Text::both(|l| listed(l, &lines)));
        let draft = Draft {
            template: DIGEST,
            case: None,
            notice: None,
            about: None,
            covers: &covers,
            severity,
            arguments,
        };
        tell::person(o, tx, &draft, who).await?;
    }
    Ok(())
}

fn listed(l: Lang, lines: &[Text]) -> String {
    let mut out: Vec<String> = lines.iter().take(NAMED).map(|t| format!("- {}", t.get(l))).collect();
    if lines.len() > NAMED {
        out.push(t::and_more(l, i64::try_from(lines.len() - NAMED).unwrap_or(i64::MAX)));
    }
    out.join("\n")
}

fn line(l: Lang, template: &str, alert: &Occurrence) -> String {
    let state = match template {
        CLEARED => t::word_over(l),
        _ => severity(l, alert.severity),
    };
    format!("[{state}] {} ({})", alert.title.get(l), alert.since.vn())
}

/// The word of a severity.
pub(crate) fn severity(l: Lang, severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => t::severity_critical(l),
        Severity::Warning => t::severity_warning(l),
    }
}

fn arguments(o: &Office, case: &Case, alert: &Occurrence) -> BTreeMap<String, Text> {
    let same = |s: String| Text { vi: s.clone(), en: s };
    let mut out = BTreeMap::new();
    let mut add = |name: &str, text: Text| out.insert(name.to_owned(), text);
    add("title", alert.title.clone());
    add("cause", alert.cause.clone());
    add("todo", alert.todo.clone());
    add("since", same(alert.since.vn()));
    add("until", same(alert.cleared_at.map(Timestamp::vn).unwrap_or_default()));
    add("severity", Text::both(|l| severity(l, case.severity)));
    add("affected", Text::both(|l| affected(l, alert)));
    add("times", same(case.times.to_string()));
    add("minutes", same(o.settings.regroup_minutes.to_string()));
    out
}

fn affected(l: Lang, alert: &Occurrence) -> String {
    if alert.affected.is_empty() {
        return t::affects_nobody(l).to_owned();
    }
    let names: Vec<&str> = alert.affected.iter().take(HURT).map(|a| a.name.as_str()).collect();
    let more = alert.affected_count - i64::try_from(names.len()).unwrap_or(i64::MAX);
    let mut out = names.join("; ");
    if more > 0 {
        out.push_str("; ");
        out.push_str(&t::and_more(l, more));
    }
    out
}
