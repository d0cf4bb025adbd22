//! A consistent view of all committed data while work goes on, read row by row: for backups and exports.

use base::error::Result;
use futures_util::TryStreamExt;
use sqlx::AssertSqlSafe;

use super::driver;
use super::value::{Row, Value};

/// Everything as it was at one moment. Keep it short on SQLite: the WAL cannot shrink meanwhile.
pub struct Snapshot {
    inner: Inner,
}

enum Inner {
    Lite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
    Pg(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// A table as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<String>,
}

impl Snapshot {
    pub(super) async fn lite(pool: &sqlx::SqlitePool) -> Result<Self> {
        let mut conn = pool.acquire().await.map_err(driver::fault)?;
        driver::lite_execute(&mut conn, "BEGIN", vec![]).await?;
        // A deferred transaction fixes its view with the first read.
        driver::lite_query(&mut conn, "SELECT COUNT(*) AS n FROM sqlite_master", vec![]).await?;
        // The connection carries an open transaction: it must not go back to the pool as it is.
        Ok(Self { inner: Inner::Lite(conn) })
    }

    pub(super) async fn pg(pool: &sqlx::PgPool) -> Result<Self> {
        let mut tx = pool.begin().await.map_err(driver::fault)?;
        driver::pg_execute(&mut tx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", vec![])
            .await?;
        Ok(Self { inner: Inner::Pg(tx) })
    }

    /// Reads rows of a small result.
    pub async fn query(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
        match &mut self.inner {
            Inner::Lite(c) => driver::lite_query(c, sql, params).await,
            Inner::Pg(t) => driver::pg_query(t, sql, params).await,
        }
    }

    /// Hands every row of a result of any size to `each`.
    pub async fn each(&mut self, sql: &str, mut each: impl FnMut(Row) -> Result<()>) -> Result<u64> {
        let (mut names, mut n) = (None, 0);
        match &mut self.inner {
            Inner::Lite(c) => {
                let mut rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch(&mut **c);
                while let Some(row) = rows.try_next().await.map_err(driver::fault)? {
                    each(driver::lite_row(&row, &mut names)?)?;
                    n += 1;
                }
            }
            Inner::Pg(t) => {
                let mut rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch(&mut **t);
                while let Some(row) = rows.try_next().await.map_err(driver::fault)? {
                    each(driver::pg_row(&row, &mut names)?)?;
                    n += 1;
                }
            }
        }
        Ok(n)
    }

    /// All tables in the order in which they were made, so that a referenced table comes first.
    pub async fn tables(&mut self) -> Result<Vec<Table>> {
        let sql = match self.inner {
            Inner::Lite(_) => {
                "SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.rowid, p.cid"
            }
            Inner::Pg(_) => {
                "SELECT c.relname AS t, a.attname AS c FROM pg_class c
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 WHERE c.relkind = 'r' AND c.relnamespace = CAST('public' AS regnamespace)
                 ORDER BY c.oid, a.attnum"
            }
        };
        let mut tables: Vec<Table> = Vec::new();
        for row in self.query(sql, vec![]).await? {
            let (name, column) = (row.text("t")?, row.text("c")?);
            match tables.last_mut() {
                Some(t) if t.name == name => t.columns.push(column),
                _ => tables.push(Table { name, columns: vec![column] }),
            }
        }
        Ok(tables)
    }

    /// Ends the view.
    pub async fn close(self) -> Result<()> {
        match self.inner {
            Inner::Lite(mut c) => driver::lite_execute(&mut c, "ROLLBACK", vec![]).await.map(|_| ()),
            Inner::Pg(t) => t.rollback().await.map_err(driver::fault),
        }
    }
}
