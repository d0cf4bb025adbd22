//! Calls in the order in which their records entered operational monitoring, oldest first. Nothing personal is read.

use base::clock::Timestamp;
use kernel::db::{Db, Value};
use kernel::{Result, params};
use xroad::id::ClientId;

use super::calls::{CallAfter, CallRow, Paths, select};

/// Which records are asked for.
#[derive(Debug, Clone)]
pub struct RecordFilter {
    /// Only records that entered from this moment on.
    pub from: Timestamp,
    /// Only records that entered before this moment.
    pub until: Timestamp,
    /// Continue after this record: when it entered, and its number.
    pub after: Option<CallAfter>,
    /// Only calls with this subsystem, or any of this member, as consumer or provider.
    pub partner: Option<ClientId>,
    /// At most this many rows.
    pub limit: u32,
}

/// Calls whose records entered monitoring within a time.
///
/// # Errors
/// When the database is away.
pub async fn monitored(db: &Db, paths: Paths<'_>, f: &RecordFilter) -> Result<Vec<CallRow>> {
    let mut p = params![f.from, f.until];
    let mut wanted = "monitored_at >= $1 AND monitored_at < $2".to_owned();
    if let Some(after) = &f.after {
        p.extend(params![after.at, &after.request_id]);
        wanted.push_str(" AND (monitored_at > $3 OR (monitored_at = $3 AND request_id > $4))");
    }
    let order = "ORDER BY monitored_at, request_id";
    match (&f.partner, paths) {
        // One subsystem of all: read by its own index, as its own reader would.
        (Some(ClientId::Subsystem(id)), None) => {
            let own = [id.path().to_owned()];
            select(db, Some(&own), &wanted, order, f.limit, p).await
        }
        (Some(partner), _) => {
            wanted.push_str(&with_partner(partner, &mut p));
            select(db, paths, &wanted, order, f.limit, p).await
        }
        (None, _) => select(db, paths, &wanted, order, f.limit, p).await,
    }
}

fn with_partner(partner: &ClientId, p: &mut Vec<Value>) -> String {
    let path = partner.path();
    match partner {
        ClientId::Subsystem(_) => {
            p.extend(params![path]);
            format!(" AND (client = ${0} OR provider = ${0})", p.len())
        }
        ClientId::Member(_) => {
            // Texts compare by bytes, and `0` follows `/`: between the two lies everything below the member.
            p.extend(params![path, format!("{path}/"), format!("{path}0")]);
            let (own, from, to) = (p.len() - 2, p.len() - 1, p.len());
            format!(
                " AND (client = ${own} OR (client >= ${from} AND client < ${to})
                   OR (provider >= ${from} AND provider < ${to}))"
            )
        }
    }
}
