//! Pairs of versions of mappings.

use base::text;
use kernel::db::{Row, Value};
use kernel::orgs::Ask;
use kernel::{Result, Tx, params};

use super::{BATCH, marks, matching};
use crate::ids::VersionId;
use crate::pair::{Pair, Relation};

const COLUMNS: &str = "source_code, target_code, relation, reason";

fn pair(row: &Row) -> Result<Pair> {
    Ok(Pair {
        source: row.text("source_code")?,
        relation: row.id("relation")?,
        target: row.text("target_code")?,
        reason: row.text("reason")?,
    })
}

/// Which pairs of a version.
#[derive(Debug, Clone, Default)]
pub struct PairFilter {
    /// Words in codes or reason.
    pub search: String,
    /// Only this relation.
    pub relation: Option<Relation>,
    /// Codes of the last row before.
    pub after: Option<(String, String)>,
    /// Most rows.
    pub limit: u32,
}

/// Pairs of a version, by code.
///
/// # Errors
/// When the database is away.
pub async fn list(mut q: impl Ask, version: VersionId, f: &PairFilter) -> Result<Vec<Pair>> {
    let mut p = params![version, f.limit];
    let mut wanted = vec![matching(&f.search, "search_key", &mut p)];
    if let Some(relation) = f.relation {
        p.push(Value::from(relation.as_str()));
        wanted.push(format!("relation = ${}", p.len()));
    }
    if let Some((source, target)) = &f.after {
        p.extend(params![source, target]);
        wanted.push(format!("(source_code, target_code) > (${}, ${})", p.len() - 1, p.len()));
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM catalogues_pair WHERE version_id = $1 AND {} ORDER BY source_code, target_code LIMIT $2",
        wanted.join(" AND ")
    );
    q.ask(&sql, p).await?.iter().map(pair).collect()
}

/// All pairs of a version, by code.
///
/// # Errors
/// When the database is away.
pub async fn all(mut q: impl Ask, version: VersionId) -> Result<Vec<Pair>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM catalogues_pair WHERE version_id = $1 ORDER BY source_code, target_code"
    );
    q.ask(&sql, params![version]).await?.iter().map(pair).collect()
}

/// Pairs of a version with one of these codes on the source's side, or on the target's when `back`.
///
/// # Errors
/// When the database is away.
pub async fn of_codes(
    mut q: impl Ask,
    version: VersionId,
    codes: &[String],
    back: bool,
) -> Result<Vec<Pair>> {
    let side = if back { "target_code" } else { "source_code" };
    let mut found = Vec::new();
    for some in codes.chunks(BATCH) {
        let mut p = params![version];
        p.extend(some.iter().map(Value::from));
        let sql = format!(
            "SELECT {COLUMNS} FROM catalogues_pair WHERE version_id = $1 AND {side} IN ({})
             ORDER BY source_code, target_code",
            marks(2, some.len())
        );
        for row in q.ask(&sql, p).await? {
            found.push(pair(&row)?);
        }
    }
    Ok(found)
}

/// Writes the pairs of a draft, in place of those there.
///
/// # Errors
/// When the database is away.
pub async fn replace(tx: &mut Tx, version: VersionId, rows: &[Pair]) -> Result<()> {
    const WIDTH: usize = 6;
    tx.execute("DELETE FROM catalogues_pair WHERE version_id = $1", params![version]).await?;
    for some in rows.chunks(BATCH) {
        let mut p = Vec::with_capacity(some.len() * WIDTH);
        let mut tuples = Vec::with_capacity(some.len());
        for pair in some {
            tuples.push(format!("({})", marks(p.len() + 1, WIDTH)));
            let search = text::fold(&format!("{} {} {}", pair.source, pair.target, pair.reason));
            p.extend(params![
                version,
                &pair.source,
                &pair.target,
                pair.relation.as_str(),
                &pair.reason,
                search
            ]);
        }
        let sql = format!(
            "INSERT INTO catalogues_pair (version_id, {COLUMNS}, search_key) VALUES {}",
            tuples.join(", ")
        );
        tx.execute(&sql, p).await?;
    }
    Ok(())
}
