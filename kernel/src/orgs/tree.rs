//! Above and below a unit on a day, and whose records passed to it.

use base::clock::Date;
use base::error::Result;

use super::ask::Ask;
use super::kind::{Kind, Tree};
use super::model::Version;
use super::store::{self, VERSION};
use super::{Orgs, UnitId};
use crate::params;

/// No real tree is deeper; guards against a circle.
const DEPTH: usize = 16;

impl<Q: Ask> Orgs<Q> {
    /// The units at the top of a tree on a day, in Vietnamese order.
    pub async fn roots(&mut self, tree: Tree, on: Date) -> Result<Vec<Version>> {
        let sql = format!(
            "SELECT {VERSION} FROM orgs_version v
             WHERE v.tree = $1 AND v.parent IS NULL AND v.superseded_at IS NULL
               AND v.valid_from <= $2 AND v.valid_to > $2
             ORDER BY v.rank, v.sort_key, v.unit"
        );
        store::versions(&self.ask(&sql, params![tree.key(), on]).await?)
    }

    /// The units directly below one on a day, in Vietnamese order.
    pub async fn children(&mut self, unit: UnitId, on: Date) -> Result<Vec<Version>> {
        let sql = format!(
            "SELECT {VERSION} FROM orgs_version v
             WHERE v.parent = $1 AND v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2
             ORDER BY v.rank, v.sort_key, v.unit"
        );
        store::versions(&self.ask(&sql, params![unit, on]).await?)
    }

    /// The units above one on a day, nearest first.
    pub async fn ancestors(&mut self, unit: UnitId, on: Date) -> Result<Vec<Version>> {
        let mut out: Vec<Version> = Vec::new();
        let mut next = self.version_at(unit, on).await?.and_then(|v| v.parent);
        while let Some(parent) = next.filter(|_| out.len() < DEPTH) {
            let Some(version) = self.version_at(parent, on).await? else { break };
            next = version.parent;
            out.push(version);
        }
        Ok(out)
    }

    /// The unit and all below it on a day; empty when it does not exist on that day.
    pub async fn subtree(&mut self, unit: UnitId, on: Date) -> Result<Vec<UnitId>> {
        let sql = "WITH RECURSIVE below (unit) AS (
                       SELECT v.unit FROM orgs_version v
                       WHERE v.unit = $1 AND v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2
                       UNION
                       SELECT v.unit FROM below b JOIN orgs_version v ON v.parent = b.unit
                       WHERE v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2
                   )
                   SELECT unit FROM below ORDER BY unit";
        self.ask(sql, params![unit, on]).await?.iter().map(|r| r.id("unit")).collect()
    }

    /// Every predecessor, however many acts ago, whose functions and records passed to one of these units by an act
    /// in force on a day.
    pub async fn transferred_to(&mut self, units: &[UnitId], on: Date) -> Result<Vec<UnitId>> {
        let mut found: Vec<UnitId> = Vec::new();
        let mut open: Vec<UnitId> = units.to_vec();
        while !open.is_empty() {
            let mut next = Vec::new();
            for chunk in open.chunks(500) {
                let sql = format!(
                    "SELECT DISTINCT s.predecessor FROM orgs_succession s
                     WHERE s.transfers = 1 AND s.on_date <= $1 AND s.successor IN ({})",
                    super::units::marks(2, chunk.len())
                );
                let mut params = params![on];
                params.extend(chunk.iter().map(crate::db::Value::from));
                for row in self.ask(&sql, params).await? {
                    let unit: UnitId = row.id("predecessor")?;
                    if !found.contains(&unit) && !units.contains(&unit) {
                        found.push(unit);
                        next.push(unit);
                    }
                }
            }
            open = next;
        }
        Ok(found)
    }

    /// How many territories of each type there are below a unit, or in the whole country, on a day.
    pub async fn counts(&mut self, below: Option<UnitId>, on: Date) -> Result<Vec<(Kind, i64)>> {
        let sql = "SELECT v.kind, v.rank, COUNT(*) AS n FROM orgs_version v
                   WHERE v.tree = 'territory' AND v.superseded_at IS NULL
                     AND v.valid_from <= $1 AND v.valid_to > $1
                     AND ($2 = '' OR v.parent = $2
                          OR v.parent IN (SELECT d.unit FROM orgs_version d
                                          WHERE d.parent = $2 AND d.superseded_at IS NULL
                                            AND d.valid_from <= $1 AND d.valid_to > $1))
                   GROUP BY v.kind, v.rank ORDER BY v.rank, v.kind";
        let unit = below.map(|u| u.to_string()).unwrap_or_default();
        let mut out = Vec::new();
        for row in self.ask(sql, params![on, unit]).await? {
            if let Some(kind) = Kind::from_key(Tree::Territory, &row.text("kind")?) {
                out.push((kind, row.int("n")?));
            }
        }
        Ok(out)
    }

    /// How many territories of each type below the top there are, by the unit at the top, on a day.
    pub async fn counts_by_root(&mut self, on: Date) -> Result<Vec<(UnitId, Kind, i64)>> {
        let sql = "SELECT COALESCE(p.parent, v.parent) AS root, v.kind, COUNT(*) AS n
                   FROM orgs_version v
                   LEFT JOIN orgs_version p ON p.unit = v.parent AND p.superseded_at IS NULL
                        AND p.valid_from <= $1 AND p.valid_to > $1
                   WHERE v.tree = 'territory' AND v.parent IS NOT NULL AND v.superseded_at IS NULL
                     AND v.valid_from <= $1 AND v.valid_to > $1
                   GROUP BY COALESCE(p.parent, v.parent), v.kind";
        let mut out = Vec::new();
        for row in self.ask(sql, params![on]).await? {
            if let Some(kind) = Kind::from_key(Tree::Territory, &row.text("kind")?) {
                out.push((row.id("root")?, kind, row.int("n")?));
            }
        }
        Ok(out)
    }
}
