//! Agreements in tables: one row each, their endpoints, and the history of their steps.

use std::collections::{BTreeSet, HashMap};

use base::clock::Timestamp;
use kernel::db::{Db, Row};
use kernel::orgs::UnitId;
use kernel::{Error, Result, Tx, params};

use crate::agreement::{Agreement, Letter, Scope, SecurityLevel, State, Step, Terms};
use crate::environment::Environment;
use crate::ids::{AgreementId, ConformanceId, EndpointId};
use crate::quota::Quota;

const COLUMNS: &str = "a.id, a.number, a.consumer_id, a.service_id, a.whole, a.purpose, a.legal_basis, a.fields, \
    a.per_minute, a.per_day, a.valid_from, a.valid_to, a.letter_number, a.letter_date, a.security_level, \
    a.security_decision, a.state, a.version, a.asked_at, a.changed_at, a.environment, a.published_at";

fn from_row(r: &Row, scope: BTreeSet<EndpointId>) -> Result<Agreement> {
    let letter = match (r.opt_text("letter_number")?, r.opt_date("letter_date")?) {
        (Some(number), Some(date)) => Some(Letter { number, date }),
        _ => None,
    };
    let security = match (r.opt_int("security_level")?, r.opt_text("security_decision")?) {
        (Some(level), Some(decision)) => {
            Some(SecurityLevel { level: u8::try_from(level).unwrap_or(0), decision })
        }
        _ => None,
    };
    let calls = |column| Ok::<_, Error>(r.opt_int(column)?.map(|n| u32::try_from(n).unwrap_or(u32::MAX)));
    Ok(Agreement {
        id: r.id("id")?,
        number: r.text("number")?,
        version: u32::try_from(r.int("version")?).unwrap_or(u32::MAX),
        consumer: r.id("consumer_id")?,
        service: r.id("service_id")?,
        terms: Terms {
            scope: if r.bool("whole")? { Scope::Whole } else { Scope::Endpoints(scope) },
            purpose: r.text("purpose")?,
            legal_basis: r.json("legal_basis")?,
            fields: r.json("fields")?,
            quota: Quota { per_minute: calls("per_minute")?, per_day: calls("per_day")? },
            valid_from: r.date("valid_from")?,
            valid_to: r.date("valid_to")?,
            letter,
            security,
        },
        state: r.id::<State>("state")?,
        environment: r.id::<Environment>("environment")?,
        published_at: r.opt_time("published_at")?,
        asked_at: r.time("asked_at")?,
        changed_at: r.time("changed_at")?,
    })
}

/// All agreements.
///
/// # Errors
/// When the database is away or a row cannot be understood.
pub async fn all(db: &Db) -> Result<Vec<Agreement>> {
    let mut scopes: HashMap<AgreementId, BTreeSet<EndpointId>> = HashMap::new();
    for r in db.query("SELECT agreement_id, endpoint_id FROM exchange_scope", params![]).await? {
        scopes.entry(r.id("agreement_id")?).or_default().insert(r.id("endpoint_id")?);
    }
    let rows = db.query(&format!("SELECT {COLUMNS} FROM exchange_agreement a"), params![]).await?;
    rows.iter().map(|r| from_row(r, scopes.remove(&r.id("id")?).unwrap_or_default())).collect()
}

const SCOPE: &str = "SELECT endpoint_id FROM exchange_scope WHERE agreement_id = $1";

fn scope_from(rows: &[Row]) -> Result<BTreeSet<EndpointId>> {
    rows.iter().map(|r| r.id("endpoint_id")).collect()
}

/// One agreement as committed, or `None`.
///
/// # Errors
/// When the database is away.
pub async fn get(db: &Db, id: AgreementId) -> Result<Option<Agreement>> {
    let sql = format!("SELECT {COLUMNS} FROM exchange_agreement a WHERE a.id = $1");
    let Some(row) = db.query_opt(&sql, params![id]).await? else { return Ok(None) };
    let scope = scope_from(&db.query(SCOPE, params![id]).await?)?;
    from_row(&row, scope).map(Some)
}

/// One agreement, locked until the action ends, with the agencies of its provider and its consumer.
///
/// # Errors
/// [`Error::NotFound`], or the database is away.
pub async fn lock(tx: &mut Tx, id: AgreementId) -> Result<Locked> {
    let sql = format!("SELECT {COLUMNS} FROM exchange_agreement a WHERE a.id = $1 {{for_update}}");
    let row = tx.query_opt(&sql, params![id]).await?.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
    let scope = scope_from(&tx.query(SCOPE, params![id]).await?)?;
    let agencies = "SELECT pm.agency_id AS provider, cm.agency_id AS consumer FROM exchange_agreement a
        JOIN exchange_service s ON s.id = a.service_id JOIN exchange_subsystem p ON p.id = s.subsystem_id
        JOIN exchange_member pm ON pm.id = p.member_id
        JOIN exchange_subsystem c ON c.id = a.consumer_id JOIN exchange_member cm ON cm.id = c.member_id
        WHERE a.id = $1";
    let parties =
        tx.query_opt(agencies, params![id]).await?.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
    Ok(Locked {
        agreement: from_row(&row, scope)?,
        provider: parties.opt_id("provider")?,
        consumer: parties.opt_id("consumer")?,
    })
}

/// An agreement under lock.
#[derive(Debug, Clone)]
pub struct Locked {
    /// The agreement.
    pub agreement: Agreement,
    /// The agency that provides; `None` when the member is no known agency.
    pub provider: Option<UnitId>,
    /// The agency that consumes; `None` when the member is no known agency.
    pub consumer: Option<UnitId>,
}

/// Writes an agreement, new or changed.
///
/// # Errors
/// When the database is away.
pub async fn save(tx: &mut Tx, a: &Agreement) -> Result<()> {
    let sql = "INSERT INTO exchange_agreement (id, number, search_key, consumer_id, service_id, whole, purpose,
                   legal_basis, fields, per_minute, per_day, valid_from, valid_to, letter_number, letter_date,
                   security_level, security_decision, state, version, asked_at, changed_at, environment, published_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                   $22, $23)
               ON CONFLICT (id) DO UPDATE SET search_key = EXCLUDED.search_key, whole = EXCLUDED.whole,
                   purpose = EXCLUDED.purpose, legal_basis = EXCLUDED.legal_basis, fields = EXCLUDED.fields,
                   per_minute = EXCLUDED.per_minute, per_day = EXCLUDED.per_day, valid_from = EXCLUDED.valid_from,
                   valid_to = EXCLUDED.valid_to, letter_number = EXCLUDED.letter_number,
                   letter_date = EXCLUDED.letter_date, security_level = EXCLUDED.security_level,
                   security_decision = EXCLUDED.security_decision, state = EXCLUDED.state,
                   version = EXCLUDED.version, changed_at = EXCLUDED.changed_at, environment = EXCLUDED.environment,
                   published_at = EXCLUDED.published_at";
    let t = &a.terms;
    let p = params![
        a.id,
        &a.number,
        base::text::fold(&format!("{} {}", a.number, t.purpose)),
        a.consumer,
        a.service,
        t.scope == Scope::Whole,
        &t.purpose,
        serde_json::to_string(&t.legal_basis)?,
        serde_json::to_string(&t.fields)?,
        t.quota.per_minute,
        t.quota.per_day,
        t.valid_from,
        t.valid_to,
        t.letter.as_ref().map(|l| l.number.as_str()),
        t.letter.as_ref().map(|l| l.date),
        t.security.as_ref().map(|s| i64::from(s.level)),
        t.security.as_ref().map(|s| s.decision.as_str()),
        a.state.as_str(),
        a.version,
        a.asked_at,
        a.changed_at,
        a.environment.as_str(),
        a.published_at,
    ];
    tx.execute(sql, p).await?;
    let Scope::Endpoints(endpoints) = &t.scope else { return Ok(()) };
    tx.execute("DELETE FROM exchange_scope WHERE agreement_id = $1", params![a.id]).await?;
    for endpoint in endpoints {
        let sql = "INSERT INTO exchange_scope (agreement_id, endpoint_id) VALUES ($1, $2)";
        tx.execute(sql, params![a.id, endpoint]).await?;
    }
    Ok(())
}

/// A step as the history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HistoryEntry {
    /// The agreement's version after the step.
    pub version: u32,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub step: Step,
    /// Where the agreement stood; `None` for the first step.
    pub from: Option<State>,
    /// Where it stood afterwards.
    pub to: State,
    /// Who, as recorded for audit.
    pub actor: String,
    /// The name shown for them at the time.
    pub actor_name: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// The terms after the step.
    pub terms: Terms,
    /// The conformance run on which it rests.
    pub tested: Option<Tested>,
}

/// A conformance run as a step names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tested {
    /// The run.
    pub run: ConformanceId,
    /// When it was made.
    pub at: Timestamp,
    /// Who pressed.
    pub by: Option<String>,
}

/// Records a step.
///
/// # Errors
/// When the database is away.
pub async fn record(
    tx: &mut Tx,
    a: &Agreement,
    step: Step,
    from: Option<State>,
    reason: Option<&str>,
) -> Result<()> {
    record_on(tx, a, step, from, reason, None).await
}

/// As [`record`], for a step that rests on a conformance run.
///
/// # Errors
/// When the database is away.
pub async fn record_on(
    tx: &mut Tx,
    a: &Agreement,
    step: Step,
    from: Option<State>,
    reason: Option<&str>,
    tested: Option<ConformanceId>,
) -> Result<()> {
    let sql = "INSERT INTO exchange_history
                   (agreement_id, version, at, step, from_state, to_state, actor, actor_name, reason, terms,
                    conformance_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let (actor, name) = (tx.cx().actor.to_string(), tx.cx().name.clone());
    let terms = serde_json::to_string(&a.terms)?;
    let (from, to) = (from.map(State::as_str), a.state.as_str());
    let p =
        params![a.id, a.version, a.changed_at, step.as_str(), from, to, actor, name, reason, terms, tested];
    tx.execute(sql, p).await?;
    Ok(())
}

/// The steps of an agreement, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn history(db: &Db, id: AgreementId) -> Result<Vec<HistoryEntry>> {
    let sql =
        "SELECT h.version, h.at, h.step, h.from_state, h.to_state, h.actor, h.actor_name, h.reason, h.terms,
                   h.conformance_id, c.at AS tested_at, c.actor_name AS tested_by
               FROM exchange_history h LEFT JOIN exchange_conformance c ON c.id = h.conformance_id
               WHERE h.agreement_id = $1 ORDER BY h.version";
    let entry = |r: &Row| {
        let word = r.text("step")?;
        Ok(HistoryEntry {
            version: u32::try_from(r.int("version")?).unwrap_or(u32::MAX),
            at: r.time("at")?,
            step: Step::from_word(&word).ok_or_else(|| Error::internal(format!("unknown step {word}")))?,
            from: r.opt_id::<State>("from_state")?,
            to: r.id::<State>("to_state")?,
            actor: r.text("actor")?,
            actor_name: r.opt_text("actor_name")?,
            reason: r.opt_text("reason")?,
            terms: r.json("terms")?,
            tested: match r.opt_id("conformance_id")?.zip(r.opt_time("tested_at")?) {
                Some((run, at)) => Some(Tested { run, at, by: r.opt_text("tested_by")? }),
                None => None,
            },
        })
    };
    db.query(sql, params![id]).await?.iter().map(entry).collect()
}

/// Whether a call under an agreement was answered since a moment.
///
/// # Errors
/// When the database is away.
pub async fn answered_since(tx: &mut Tx, id: AgreementId, since: Timestamp) -> Result<bool> {
    let sql = "SELECT request_id FROM exchange_call WHERE agreement = $1 AND request_in >= $2 AND outcome = 'answered'
               LIMIT 1";
    Ok(tx.query_opt(sql, params![id.to_string(), since]).await?.is_some())
}

/// When an agreement last went to the test.
///
/// # Errors
/// When the database is away.
pub async fn in_test_since(tx: &mut Tx, id: AgreementId) -> Result<Option<Timestamp>> {
    let sql = "SELECT MAX(at) AS at FROM exchange_history WHERE agreement_id = $1 AND step = 'test'";
    Ok(tx.query_opt(sql, params![id]).await?.map(|r| r.opt_time("at")).transpose()?.flatten())
}

/// Agreements whose last day has passed without this having been recorded, at most `limit`.
///
/// # Errors
/// When the database is away.
pub async fn overdue(db: &Db, today: base::clock::Date, limit: u32) -> Result<Vec<AgreementId>> {
    let sql = "SELECT id FROM exchange_agreement WHERE state IN ('approved', 'suspended') AND valid_to < $1
               ORDER BY valid_to, id LIMIT $2";
    db.query(sql, params![today, limit]).await?.iter().map(|r| r.id("id")).collect()
}
