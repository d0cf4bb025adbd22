//! SQL of the exchange: domain types in, domain types out. The registry as a whole is in `registry`,
//! agreements in `agreements`, what pages and interfaces list in `lists`, repeated requests in `once`.

pub mod agreements;
pub mod lists;
pub mod once;
pub mod registry;
pub mod snapshot;

use kernel::db::Migration;
use kernel::{Kernel, Result, params};

/// Tables of the registry.
pub const REGISTRY: Migration =
    Migration { name: "0001_registry", sql: include_str!("../../migrations/0001_registry.sql") };

/// Indexes for the lists of calls; after the tables of the evidence.
pub const LISTS: Migration =
    Migration { name: "0003_lists", sql: include_str!("../../migrations/0003_lists.sql") };

/// The bytes of an OpenAPI document by its SHA-256, as services name it; `None` when there is none.
///
/// # Errors
/// When the database is away.
pub async fn document(k: &Kernel, sha256: &str) -> Result<Option<Vec<u8>>> {
    let row =
        k.db.query_opt("SELECT bytes FROM exchange_document WHERE sha256 = $1", params![sha256]).await?;
    row.map(|r| r.blob("bytes")).transpose()
}
