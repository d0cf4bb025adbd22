//! Months whose figures are fixed: once somebody has closed a month, its report says what it said then; what the logs
//! tell later stands beside it.

use base::clock::Timestamp;
use base::error::Refusal;
use base::i18n::Text;
use kernel::cx::Scope;
use kernel::{Cx, Kernel, Ref, Result, params};

use super::{Figures, Month, compute};
use crate::viewer::Viewer;
use crate::{permissions, t};

/// A month as it was closed.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// Its figures.
    pub figures: Figures,
    /// When it was closed.
    pub at: Timestamp,
    /// By whom, as in the audit.
    pub by: String,
    /// Their name at that time.
    pub name: Option<String>,
}

/// The closed figures of a month, if it is closed.
///
/// # Errors
/// When the database is away or the row is damaged.
pub async fn closed(k: &Kernel, month: Month) -> Result<Option<Closed>> {
    let sql = "SELECT figures, closed_at, closed_by, closed_name FROM exchange_month WHERE month = $1";
    let Some(row) = k.db.query_opt(sql, params![month.to_string()]).await? else { return Ok(None) };
    Ok(Some(Closed {
        figures: serde_json::from_str(&row.text("figures")?)?,
        at: row.time("closed_at")?,
        by: row.text("closed_by")?,
        name: row.opt_text("closed_name")?,
    }))
}

/// The closed months, newest first, with when.
///
/// # Errors
/// When the database is away.
pub async fn closed_months(k: &Kernel) -> Result<Vec<(Month, Timestamp)>> {
    let sql = "SELECT month, closed_at FROM exchange_month ORDER BY month DESC LIMIT 600";
    let mut out = Vec::new();
    for row in k.db.query(sql, params![]).await? {
        if let Ok(month) = row.text("month")?.parse() {
            out.push((month, row.time("closed_at")?));
        }
    }
    Ok(out)
}

/// Closes a month.
///
/// # Errors
/// Denied without the right to run the exchange; refused while the month lasts, or when it is closed already.
pub async fn close(k: &Kernel, cx: &Cx, month: Month) -> Result<()> {
    cx.may(permissions::OPERATE, &Scope::province())?;
    let now = k.clock.now();
    if now < month.until() {
        return Err(Refusal::new("month-not-over", Text::both(|l| t::report_not_over(l, month.vn()))).into());
    }
    let figures = compute(k, &Viewer::All, month).await?;
    let text = serde_json::to_string(&figures)?;
    let mut tx = k.begin(cx).await?;
    let sql = "INSERT INTO exchange_month (month, figures, closed_at, closed_by, closed_name)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (month) DO NOTHING";
    let values = params![month.to_string(), text, now, cx.actor.to_string(), cx.name.clone()];
    if tx.execute(sql, values).await? == 0 {
        return Err(
            Refusal::new("month-closed", Text::both(|l| t::report_closed_already(l, month.vn()))).into()
        );
    }
    let detail = serde_json::json!({"calls": figures.totals.calls});
    tx.audit("exchange.month.close", &Ref::new("exchange.month", month.to_string()), detail).await?;
    tx.commit().await?;
    Ok(())
}
