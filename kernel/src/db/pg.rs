//! PostgreSQL 15 or later: ordinary transactions on a pool; refuses servers that may lose acknowledged work.

use std::str::FromStr;
use std::time::Duration;

use base::error::{Error, Result};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::driver;

/// Connects and checks `fsync`, `full_page_writes`, `synchronous_commit` and the version.
pub async fn open(url: &str, connections: u32) -> Result<PgPool> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|e| Error::internal(format!("the database address is not valid: {e}")))?
        .application_name("lienthong")
        .statement_cache_capacity(512)
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(driver::fault)?;
    let mut conn = pool.acquire().await.map_err(driver::fault)?;
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let sql = "SELECT current_setting($1) AS value";
        let rows = driver::pg_query(&mut conn, sql, vec![setting.into()]).await?;
        let value = rows.first().map(|r| r.text("value")).transpose()?.unwrap_or_default();
        if value == "off" {
            return Err(Error::internal(format!(
                "PostgreSQL runs with {setting}=off and could lose acknowledged work; set {setting}=on"
            )));
        }
    }
    let rows = driver::pg_query(
        &mut conn,
        "SELECT CAST(current_setting('server_version_num') AS BIGINT) AS v",
        vec![],
    );
    let version = rows.await?.first().map(|r| r.int("v")).transpose()?.unwrap_or_default();
    if version < 150_000 {
        return Err(Error::internal(format!("PostgreSQL 15 or later is needed, found {}", version / 10_000)));
    }
    drop(conn);
    Ok(pool)
}
