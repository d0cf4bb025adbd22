//! How long rows of calls and figures by the hour are kept. What goes is in the sealed log and in the figures by day.

use std::time::Duration;

use base::clock::Timestamp;
use kernel::{Cx, Kernel, Result, params};

use super::write::KEPT_FROM;
use super::{Kind, Span};

/// Rows removed in one transaction.
const ROWS: i64 = 1000;
/// Transactions at once; what is left waits for the next time.
const ROUNDS: u32 = 200;
const DAY: u64 = 86_400;
/// Kinds of series.
const KINDS: i64 = Kind::Fault.number() + 1;

/// Removes what is old enough; returns how many rows of calls went.
///
/// # Errors
/// When the database is away.
pub(crate) async fn prune(k: &Kernel, call_days: u32, hour_days: u32) -> Result<u64> {
    let now = k.clock.now();
    let before = |days: u32| Span::Day.start(now.minus(Duration::from_secs(u64::from(days) * DAY)));
    let removed = calls(k, before(call_days)).await?;
    hours(k, before(hour_days)).await?;
    Ok(removed)
}

async fn calls(k: &Kernel, before: Timestamp) -> Result<u64> {
    let mut removed = 0;
    for _ in 0..ROUNDS {
        let mut tx = k.begin(&Cx::kernel("exchange-evidence", k.clock.now())).await?;
        let sql = "DELETE FROM exchange_call WHERE request_id IN
                   (SELECT request_id FROM exchange_call WHERE request_in < $1 AND side IS NOT NULL
                    ORDER BY request_in LIMIT $2)";
        let n = tx.execute(sql, params![before, ROWS]).await?;
        if n == 0 {
            break;
        }
        tx.set_setting(KEPT_FROM, &before.micros().to_string()).await?;
        tx.commit().await?;
        removed += n;
    }
    Ok(removed)
}

async fn hours(k: &Kernel, before: Timestamp) -> Result<()> {
    let mut rounds = 0;
    for kind in 0..KINDS {
        while rounds < ROUNDS {
            rounds += 1;
            let mut tx = k.begin(&Cx::kernel("exchange-evidence", k.clock.now())).await?;
            let sql = "DELETE FROM exchange_traffic WHERE (series, span, start) IN
                       (SELECT series, span, start FROM exchange_traffic
                        WHERE span = $1 AND kind = $2 AND start < $3 LIMIT $4)";
            if tx.execute(sql, params![Span::Hour.number(), kind, before, ROWS]).await? == 0 {
                break;
            }
            tx.commit().await?;
        }
    }
    Ok(())
}
