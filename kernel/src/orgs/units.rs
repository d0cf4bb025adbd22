//! One unit on a day, by identifier or by code; its history; what it came from and what it became.

use base::clock::Date;
use base::error::Result;

use super::ask::Ask;
use super::model::{Act, CodeUse, Succession, Version, canonical};
use super::store::{self, SUCCESSION, VERSION};
use super::{Orgs, UnitId};
use crate::db::Value;
use crate::params;

/// Most units named in one statement.
const CHUNK: usize = 500;

impl<Q: Ask> Orgs<Q> {
    pub(super) async fn ask(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<crate::db::Row>> {
        self.0.ask(sql, params).await
    }

    /// The unit as it is on a day; `None` when it does not exist on that day.
    pub async fn version_at(&mut self, unit: UnitId, on: Date) -> Result<Option<Version>> {
        let sql = format!(
            "SELECT {VERSION} FROM orgs_version v
             WHERE v.unit = $1 AND v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2"
        );
        self.ask(&sql, params![unit, on]).await?.first().map(store::version).transpose()
    }

    /// Many units as they are on a day; those that do not exist on that day are left out.
    pub async fn versions_at(&mut self, units: &[UnitId], on: Date) -> Result<Vec<Version>> {
        let mut out = Vec::with_capacity(units.len());
        for chunk in units.chunks(CHUNK) {
            let sql = format!(
                "SELECT {VERSION} FROM orgs_version v
                 WHERE v.unit IN ({}) AND v.superseded_at IS NULL AND v.valid_from <= $1 AND v.valid_to > $1
                 ORDER BY v.rank, v.sort_key, v.unit",
                marks(2, chunk.len())
            );
            let mut params = params![on];
            params.extend(chunk.iter().map(Value::from));
            out.extend(store::versions(&self.ask(&sql, params).await?)?);
        }
        Ok(out)
    }

    /// The unit that has a code on a day. Takes a statistics code of a territory (2, 3 or 5 digits) or an
    /// identification code of an agency in either style (`H56.06`, `000.00.06.H56`) or any of its aliases.
    pub async fn by_code(&mut self, code: &str, on: Date) -> Result<Option<Version>> {
        let code = code.trim();
        let sql = format!(
            "SELECT {VERSION} FROM orgs_version v
             WHERE v.tree = 'territory' AND v.code = $1
               AND v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2"
        );
        if let Some(row) = self.ask(&sql, params![code, on]).await?.first() {
            return Ok(Some(store::version(row)?));
        }
        let sql = format!(
            "SELECT {VERSION} FROM orgs_code c JOIN orgs_version v ON v.unit = c.unit
             WHERE c.canonical = $1 AND c.valid_from <= $2 AND c.valid_to > $2
               AND v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2
             ORDER BY c.main DESC LIMIT 1"
        );
        self.ask(&sql, params![canonical(code), on]).await?.first().map(store::version).transpose()
    }

    /// Every version of every territory that ever had a code, in order of time: the same code names different units.
    pub async fn code_uses(&mut self, code: &str) -> Result<Vec<Version>> {
        let sql = format!(
            "SELECT {VERSION} FROM orgs_version v
             WHERE v.tree = 'territory' AND v.code = $1 AND v.superseded_at IS NULL ORDER BY v.valid_from"
        );
        store::versions(&self.ask(&sql, params![code.trim()]).await?)
    }

    /// The codes of an agency, old and new.
    pub async fn codes(&mut self, unit: UnitId) -> Result<Vec<CodeUse>> {
        let sql = "SELECT unit, system, code, valid_from, valid_to FROM orgs_code
                   WHERE unit = $1 ORDER BY main DESC, valid_from, code";
        self.ask(sql, params![unit]).await?.iter().map(store::code_use).collect()
    }

    /// The versions of a unit in order of time, as believed now.
    pub async fn history(&mut self, unit: UnitId) -> Result<Vec<Version>> {
        let sql = format!(
            "SELECT {VERSION} FROM orgs_version v
             WHERE v.unit = $1 AND v.superseded_at IS NULL ORDER BY v.valid_from"
        );
        store::versions(&self.ask(&sql, params![unit]).await?)
    }

    /// What a unit was formed from, oldest first.
    pub async fn predecessors(&mut self, unit: UnitId) -> Result<Vec<Succession>> {
        self.successions(&format!("SELECT {SUCCESSION} FROM orgs_succession s WHERE s.successor = $1"), unit)
            .await
    }

    /// What a unit passed into, oldest first.
    pub async fn successors(&mut self, unit: UnitId) -> Result<Vec<Succession>> {
        self.successions(
            &format!("SELECT {SUCCESSION} FROM orgs_succession s WHERE s.predecessor = $1"),
            unit,
        )
        .await
    }

    async fn successions(&mut self, sql: &str, unit: UnitId) -> Result<Vec<Succession>> {
        let sql = format!("{sql} ORDER BY s.on_date, s.predecessor, s.successor");
        self.ask(&sql, params![unit]).await?.iter().map(store::succession).collect()
    }

    /// Successions out of many units.
    pub(super) async fn successors_of(&mut self, units: &[UnitId]) -> Result<Vec<Succession>> {
        let mut out = Vec::new();
        for chunk in units.chunks(CHUNK) {
            let sql = format!(
                "SELECT {SUCCESSION} FROM orgs_succession s WHERE s.predecessor IN ({})
                 ORDER BY s.on_date, s.predecessor, s.successor",
                marks(1, chunk.len())
            );
            let rows = self.ask(&sql, chunk.iter().map(Value::from).collect()).await?;
            for row in &rows {
                out.push(store::succession(row)?);
            }
        }
        Ok(out)
    }

    /// Resolutions by number; unknown numbers are left out.
    pub async fn acts(&mut self, numbers: &[String]) -> Result<Vec<Act>> {
        let mut out = Vec::new();
        for chunk in numbers.chunks(CHUNK) {
            let sql = format!(
                "SELECT number, issuer, issued_on, applies_from, title FROM orgs_act
                 WHERE number IN ({}) ORDER BY applies_from, number",
                marks(1, chunk.len())
            );
            let rows = self.ask(&sql, chunk.iter().map(Value::from).collect()).await?;
            for row in &rows {
                out.push(store::act(row)?);
            }
        }
        Ok(out)
    }

    /// The first days of the states of the territories: the earliest attested day, then every day of change.
    pub async fn states(&mut self) -> Result<Vec<Date>> {
        let sql = "SELECT DISTINCT v.valid_from FROM orgs_version v
                   WHERE v.tree = 'territory' AND v.superseded_at IS NULL ORDER BY v.valid_from";
        self.ask(sql, vec![]).await?.iter().map(|r| r.date("valid_from")).collect()
    }
}

/// `$2, $3, $4` for three values from the second on.
pub(super) fn marks(first: usize, count: usize) -> String {
    (first..first + count).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
}
