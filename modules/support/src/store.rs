//! The tables; SQL only.

use base::clock::Timestamp;
use base::error::{Error, Result};
use kernel::blobs::BlobId;
use kernel::db::{Db, Migration, Row, Value};
use kernel::{AgencyFilter, PersonId, Tx, params};

use crate::case::{Case, CaseId, Level, Report, ReportId, State, Step, StepId};

/// The module's tables.
pub(crate) const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_support", sql: include_str!("../migrations/0001_support.sql") }];

const CASE: &str =
    "id, code, agency, level, state, verified, page, screen, fault, reports, opened_at, changed_at";
const REPORT: &str =
    "id, case_id, person, request, browser, seen_at, sent_at, words, file_name, file_type, file_blob";

fn case(r: &Row) -> Result<Case> {
    let (level, state) = (r.text("level")?, r.text("state")?);
    let agency = r.text("agency")?;
    Ok(Case {
        id: r.id("id")?,
        code: r.text("code")?,
        agency: if agency.is_empty() { None } else { Some(r.id("agency")?) },
        level: Level::from_name(&level).ok_or_else(|| Error::internal(format!("level `{level}`")))?,
        state: State::from_name(&state).ok_or_else(|| Error::internal(format!("state `{state}`")))?,
        verified: r.bool("verified")?,
        page: r.text("page")?,
        screen: r.text("screen")?,
        fault: r.text("fault")?,
        reports: r.int("reports")?,
        opened_at: r.time("opened_at")?,
        changed_at: r.time("changed_at")?,
    })
}

fn report(r: &Row) -> Result<Report> {
    Ok(Report {
        id: r.id("id")?,
        case: r.id("case_id")?,
        person: r.opt_id("person")?,
        request: r.text("request")?,
        browser: r.text("browser")?,
        seen_at: r.time("seen_at")?,
        sent_at: r.time("sent_at")?,
        words: r.text("words")?,
        file: r.opt_text("file_name")?.zip(r.opt_text("file_type")?),
    })
}

/// The waiting case of the same fault of the same page, locked.
pub(crate) async fn same(tx: &mut Tx, c: &Case) -> Result<Option<Case>> {
    if c.fault.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {CASE} FROM support_case
         WHERE agency = $1 AND page = $2 AND fault = $3 AND verified = $4 AND state = 'waiting' {{for_update}}"
    );
    let p = params![agency(c), &c.page, &c.fault, c.verified];
    tx.query_opt(&sql, p).await?.as_ref().map(case).transpose()
}

fn agency(c: &Case) -> String {
    c.agency.map(|unit| unit.to_string()).unwrap_or_default()
}

/// Opens a case. `false` when another report of the same has just done so.
pub(crate) async fn open(tx: &mut Tx, c: &Case, search: &str) -> Result<bool> {
    let sql = "INSERT INTO support_case (id, code, agency, level, state, verified, page, screen, fault, reports,
                   opened_at, changed_at, search)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10, $11)
               ON CONFLICT (agency, page, fault, verified) WHERE state = 'waiting' AND fault <> '' DO NOTHING";
    let p = params![
        c.id,
        &c.code,
        agency(c),
        c.level.name(),
        c.state.name(),
        c.verified,
        &c.page,
        &c.screen,
        &c.fault,
        c.opened_at,
        search
    ];
    Ok(tx.execute(sql, p).await? == 1)
}

/// Puts one more report to a case.
pub(crate) async fn join(tx: &mut Tx, id: CaseId, search: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE support_case SET reports = reports + 1, changed_at = $2,
                   search = SUBSTR(search || ' ' || $3, 1, 16000) WHERE id = $1";
    tx.execute(sql, params![id, now, search]).await.map(|_| ())
}

/// Keeps a report.
pub(crate) async fn add(tx: &mut Tx, r: &Report) -> Result<()> {
    let sql = "INSERT INTO support_report (id, case_id, person, request, browser, seen_at, sent_at, words)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let p = params![r.id, r.case, r.person, &r.request, &r.browser, r.seen_at, r.sent_at, &r.words];
    tx.execute(sql, p).await.map(|_| ())
}

/// Puts a file to a report.
pub(crate) async fn attach(
    tx: &mut Tx,
    id: ReportId,
    (name, kind): (&str, &str),
    blob: &BlobId,
) -> Result<()> {
    let sql = "UPDATE support_report SET file_name = $2, file_type = $3, file_blob = $4 WHERE id = $1";
    tx.execute(sql, params![id, name, kind, blob.to_string()]).await.map(|_| ())
}

/// Where the file of a report is kept.
pub(crate) async fn blob(db: &Db, id: ReportId) -> Result<Option<BlobId>> {
    let row = db.query_opt("SELECT file_blob FROM support_report WHERE id = $1", params![id]).await?;
    let text = row.map(|r| r.opt_text("file_blob")).transpose()?.flatten();
    text.map(|t| t.parse().map_err(|_| Error::internal("a file's address is not one"))).transpose()
}

/// Notes what was done.
pub(crate) async fn step(
    tx: &mut Tx,
    id: CaseId,
    person: Option<PersonId>,
    kind: &str,
    words: &str,
) -> Result<()> {
    let (step, now) = {
        let k = tx.kernel();
        (StepId::new(&*k.clock, &*k.random), k.clock.now())
    };
    let sql =
        "INSERT INTO support_step (id, case_id, at, person, kind, words) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(sql, params![step, id, now, person, kind, words]).await.map(|_| ())
}

/// Moves a case.
pub(crate) async fn moved(tx: &mut Tx, id: CaseId, level: Level, state: State) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "UPDATE support_case SET level = $2, state = $3, changed_at = $4 WHERE id = $1";
    tx.execute(sql, params![id, level.name(), state.name(), now]).await.map(|_| ())
}

/// One case.
pub(crate) async fn one(db: &Db, id: CaseId) -> Result<Option<Case>> {
    let sql = format!("SELECT {CASE} FROM support_case WHERE id = $1");
    db.query_opt(&sql, params![id]).await?.as_ref().map(case).transpose()
}

/// As [`one`], locked.
pub(crate) async fn lock(tx: &mut Tx, id: CaseId) -> Result<Option<Case>> {
    let sql = format!("SELECT {CASE} FROM support_case WHERE id = $1 {{for_update}}");
    tx.query_opt(&sql, params![id]).await?.as_ref().map(case).transpose()
}

/// Which cases are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub state: Option<State>,
    pub level: Option<Level>,
    pub words: Vec<String>,
    pub after: Option<CaseId>,
    pub limit: u32,
}

impl Filter {
    fn conditions(&self, visible: &AgencyFilter, p: &mut Vec<Value>) -> String {
        let (own, values) = visible.sql("agency", p.len() + 1);
        p.extend(values);
        let mut out = vec![own];
        let mut add = |condition: &str, value: Value| {
            p.push(value);
            out.push(condition.replace('?', &format!("${}", p.len())));
        };
        if let Some(state) = self.state {
            add("state = ?", state.name().into());
        }
        if let Some(level) = self.level {
            add("level = ?", level.name().into());
        }
        for word in &self.words {
            let escaped = word.replace('!', "!!").replace('%', "!%").replace('_', "!_");
            add("search LIKE ? ESCAPE '!'", format!("%{escaped}%").into());
        }
        // Identifiers are given out in the order of time.
        if let Some(after) = self.after {
            add("id < ?", after.into());
        }
        out.join(" AND ")
    }
}

/// Cases of agencies, the last one first.
pub(crate) async fn list(db: &Db, visible: &AgencyFilter, f: &Filter) -> Result<Vec<Case>> {
    let mut p = Vec::new();
    let conditions = f.conditions(visible, &mut p);
    p.extend(params![f.limit]);
    let sql =
        format!("SELECT {CASE} FROM support_case WHERE {conditions} ORDER BY id DESC LIMIT ${}", p.len());
    db.query(&sql, p).await?.iter().map(case).collect()
}

/// How many [`list`] would show, counted up to the filter's limit.
pub(crate) async fn count(db: &Db, visible: &AgencyFilter, f: &Filter) -> Result<i64> {
    let mut p = Vec::new();
    let conditions = f.conditions(visible, &mut p);
    p.extend(params![f.limit]);
    let sql = format!(
        "SELECT COUNT(*) AS n FROM (SELECT id FROM support_case WHERE {conditions} LIMIT ${}) AS found",
        p.len()
    );
    db.query_one(&sql, p).await?.int("n")
}

/// The reports of a case, the first one first.
pub(crate) async fn reports(db: &Db, id: CaseId, limit: u32) -> Result<Vec<Report>> {
    let sql = format!("SELECT {REPORT} FROM support_report WHERE case_id = $1 ORDER BY id LIMIT $2");
    db.query(&sql, params![id, limit]).await?.iter().map(report).collect()
}

/// One report.
pub(crate) async fn report_of(db: &Db, id: ReportId) -> Result<Option<Report>> {
    let sql = format!("SELECT {REPORT} FROM support_report WHERE id = $1");
    db.query_opt(&sql, params![id]).await?.as_ref().map(report).transpose()
}

/// Somebody's own reports with their cases, the last one first.
pub(crate) async fn own(db: &Db, person: PersonId, limit: u32) -> Result<Vec<(Report, Case)>> {
    let sql = format!("SELECT {REPORT} FROM support_report WHERE person = $1 ORDER BY id DESC LIMIT $2");
    let mut out = Vec::new();
    for row in db.query(&sql, params![person, limit]).await? {
        let own = report(&row)?;
        if let Some(case) = one(db, own.case).await? {
            out.push((own, case));
        }
    }
    Ok(out)
}

/// Who reported a case, each once.
pub(crate) async fn reporters(tx: &mut Tx, id: CaseId) -> Result<Vec<PersonId>> {
    let sql = "SELECT DISTINCT person FROM support_report WHERE case_id = $1 AND person IS NOT NULL
               ORDER BY person LIMIT 400";
    tx.query(sql, params![id]).await?.iter().map(|r| r.id("person")).collect()
}

/// What was done about a case, the last one first.
pub(crate) async fn steps(db: &Db, id: CaseId, limit: u32) -> Result<Vec<Step>> {
    let sql = "SELECT at, person, kind, words FROM support_step WHERE case_id = $1 ORDER BY id DESC LIMIT $2";
    let read = |r: &Row| {
        Ok(Step {
            at: r.time("at")?,
            person: r.opt_id("person")?,
            kind: r.text("kind")?,
            words: r.text("words")?,
        })
    };
    db.query(sql, params![id, limit]).await?.iter().map(read).collect()
}

/// How many cases wait with the province, and since when the oldest does.
pub(crate) async fn waiting(db: &Db) -> Result<(i64, Option<Timestamp>)> {
    let sql = "SELECT COUNT(*) AS n, MIN(changed_at) AS since FROM support_case
               WHERE state = 'waiting' AND level <> 'unit'";
    let r = db.query_one(sql, vec![]).await?;
    Ok((r.int("n")?, r.opt_time("since")?))
}

/// How many cases wait with agencies.
pub(crate) async fn waiting_with_units(db: &Db) -> Result<i64> {
    let sql = "SELECT COUNT(*) AS n FROM support_case WHERE state = 'waiting' AND level = 'unit'";
    db.query_one(sql, vec![]).await?.int("n")
}
