//! When and from where a client last got a token, and whether its previous secret still serves somebody: what people
//! look at before they end an old secret. Kept to the minute; tokens themselves are not counted here.

use base::clock::Timestamp;
use base::error::Result;

use super::clients::{ClientId, Which};
use crate::cx::Cx;
use crate::db::Db;
use crate::kernel::Kernel;
use crate::params;

/// What is known of a client's use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Use {
    /// When it last got a token.
    pub last_at: Option<Timestamp>,
    /// The address it came from; empty when the listener does not know.
    pub last_from: String,
    /// When the previous secret last got a token.
    pub previous_at: Option<Timestamp>,
}

/// Notes that a client got a token.
pub(crate) async fn note(k: &Kernel, id: ClientId, from: &str, which: Which) -> Result<()> {
    let now = k.clock.now();
    let previous = (which == Which::Previous).then_some(now);
    let mut tx = k.begin(&Cx::kernel("tokens", now)).await?;
    let sql =
        "INSERT INTO identity_client_use (client, last_at, last_from, previous_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (client) DO UPDATE SET last_at = EXCLUDED.last_at, last_from = EXCLUDED.last_from,
                   previous_at = COALESCE(EXCLUDED.previous_at, identity_client_use.previous_at)";
    tx.execute(sql, params![id, now, from, previous]).await?;
    tx.commit().await?;
    Ok(())
}

/// What is known of the use of one client.
pub async fn of(db: &Db, id: ClientId) -> Result<Use> {
    let sql = "SELECT last_at, last_from, previous_at FROM identity_client_use WHERE client = $1";
    let Some(row) = db.query_opt(sql, params![id]).await? else { return Ok(Use::default()) };
    Ok(Use {
        last_at: row.opt_time("last_at")?,
        last_from: row.text("last_from")?,
        previous_at: row.opt_time("previous_at")?,
    })
}
