//! Commit order for rows of append-only tables. SQLite has one writer, so a row's position is known when it is
//! written. On PostgreSQL sequence numbers do not follow commit order: rows get their position afterwards, below
//! the oldest running transaction, in the order of transaction numbers; a reader that follows positions can
//! therefore never miss a row that commits late.

use base::error::Result;

use crate::db::{Backend, Db, Transaction};
use crate::params;

/// The columns every ordered table has, besides its own.
#[derive(Debug, Clone, Copy)]
pub struct Ordered {
    /// The table's name.
    pub table: &'static str,
}

impl Ordered {
    /// SQL for the `(position, xid)` values of a new row.
    pub fn values(self, backend: Backend) -> String {
        match backend {
            Backend::Sqlite => format!("(SELECT COALESCE(MAX(position), 0) + 1 FROM {}), 0", self.table),
            Backend::Postgres => "NULL, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)".into(),
        }
    }

    /// Gives positions to committed rows that have none. Does nothing on SQLite. Safe to run anywhere at once:
    /// the head row is locked.
    pub async fn assign(self, db: &Db) -> Result<u64> {
        if db.backend() == Backend::Sqlite {
            return Ok(0);
        }
        let open = format!("SELECT 1 AS one FROM {} WHERE position IS NULL LIMIT 1", self.table);
        if db.query(&open, vec![]).await?.is_empty() {
            return Ok(0);
        }
        let mut tx = db.begin().await?;
        let head = "SELECT last FROM kernel_ordered_head WHERE name = $1 {for_update}";
        let last = match tx.query(head, params![self.table]).await?.first() {
            Some(row) => row.int("last")?,
            None => self.first_head(&mut tx).await?,
        };
        let assign = format!(
            "UPDATE {t} SET position = $1 + o.n FROM (
                SELECT seq, ROW_NUMBER() OVER (ORDER BY xid, seq) AS n FROM {t}
                WHERE position IS NULL
                  AND xid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)
                ORDER BY xid, seq LIMIT 5000) o
             WHERE {t}.seq = o.seq",
            t = self.table
        );
        let n = tx.execute(&assign, params![last]).await?;
        let step = i64::try_from(n).unwrap_or(0);
        let note = "UPDATE kernel_ordered_head SET last = $2 WHERE name = $1";
        tx.execute(note, params![self.table, last + step]).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// After a restore the head continues above the highest position present.
    async fn first_head(self, tx: &mut Transaction) -> Result<i64> {
        let highest = format!("SELECT COALESCE(MAX(position), 0) AS last FROM {}", self.table);
        let rows = tx.query(&highest, vec![]).await?;
        let last = rows.first().map_or(Ok(0), |r| r.int("last"))?;
        let make =
            "INSERT INTO kernel_ordered_head (name, last) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        tx.execute(make, params![self.table, last]).await?;
        let head = "SELECT last FROM kernel_ordered_head WHERE name = $1 {for_update}";
        let rows = tx.query(head, params![self.table]).await?;
        rows.first().map_or(Ok(last), |r| r.int("last"))
    }
}
