//! What may be called from the dedicated network only; SQL only.

use std::collections::HashSet;

use base::clock::Timestamp;
use kernel::db::{Db, Migration};
use kernel::{Ref, Result, Tx, params};

use crate::ids::{AgreementId, ServiceId};

/// The table.
pub const ZONES: Migration =
    Migration { name: "0032_zones", sql: include_str!("../../migrations/0032_zones.sql") };

/// Services and agreements that are marked.
#[derive(Debug, Default)]
pub struct Marked {
    /// Services.
    pub services: HashSet<ServiceId>,
    /// Agreements.
    pub agreements: HashSet<AgreementId>,
}

fn kind(of: &Ref) -> &'static str {
    if of.kind == ServiceId::KIND { "service" } else { "agreement" }
}

/// All that are marked.
///
/// # Errors
/// When the database is away.
pub async fn all(db: &Db) -> Result<Marked> {
    let mut marked = Marked::default();
    for row in db.query("SELECT kind, id FROM exchange_dedicated", params![]).await? {
        match row.text("kind")?.as_str() {
            "service" => drop(marked.services.insert(row.id("id")?)),
            _ => drop(marked.agreements.insert(row.id("id")?)),
        }
    }
    Ok(marked)
}

/// Whether a service or agreement is marked.
///
/// # Errors
/// When the database is away.
pub async fn dedicated_only(db: &Db, of: &Ref) -> Result<bool> {
    let sql = "SELECT id FROM exchange_dedicated WHERE kind = $1 AND id = $2";
    Ok(db.query_opt(sql, params![kind(of), &of.id]).await?.is_some())
}

/// Marks a service or agreement, or takes the mark away.
pub async fn mark(tx: &mut Tx, of: &Ref, only: bool, now: Timestamp) -> Result<()> {
    let (sql, p) = if only {
        let sql = "INSERT INTO exchange_dedicated (kind, id, since) VALUES ($1, $2, $3)
                   ON CONFLICT (kind, id) DO NOTHING";
        (sql, params![kind(of), &of.id, now])
    } else {
        ("DELETE FROM exchange_dedicated WHERE kind = $1 AND id = $2", params![kind(of), &of.id])
    };
    tx.execute(sql, p).await.map(|_| ())
}
