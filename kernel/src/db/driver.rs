//! Binding values and reading rows on either driver. SQL text is the same for both; `{for_update}` becomes
//! `FOR UPDATE` on PostgreSQL and nothing on SQLite, whose single writer needs no row locks.

use std::borrow::Cow;
use std::sync::Arc;

use base::error::{Error, Result};
use futures_util::TryStreamExt;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgConnection, PgRow, PgTypeInfo};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Column, Executor, Row as _, TypeInfo, ValueRef};

use super::value::{Row, Value};

const ROW_LOCK: &str = "{for_update}";

/// The text as SQLite takes it.
pub fn lite_sql(sql: &str) -> Cow<'_, str> {
    if sql.contains(ROW_LOCK) { Cow::Owned(sql.replace(ROW_LOCK, "")) } else { Cow::Borrowed(sql) }
}

/// The text as PostgreSQL takes it.
pub fn pg_sql(sql: &str) -> Cow<'_, str> {
    if sql.contains(ROW_LOCK) { Cow::Owned(sql.replace(ROW_LOCK, "FOR UPDATE")) } else { Cow::Borrowed(sql) }
}

/// A database fault: retryable ones (serialization, deadlock, busy, connection lost) are `Unavailable`.
pub fn fault(e: sqlx::Error) -> Error {
    match &e {
        sqlx::Error::Database(d) => match d.code().as_deref() {
            Some("40001" | "40P01" | "55P03" | "57P01" | "57P03" | "53300" | "5" | "6" | "261" | "517") => {
                Error::unavailable("database", e)
            }
            _ => Error::internal(e),
        },
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Error::unavailable("database", e),
        _ => Error::internal(e),
    }
}

fn lite_args(params: Vec<Value>) -> Result<SqliteArguments> {
    let mut args = SqliteArguments::default();
    for p in params {
        let added = match p {
            Value::Null => args.add(None::<i64>),
            Value::Int(v) => args.add(v),
            Value::Text(v) => args.add(v),
            Value::Blob(v) => args.add(v),
        };
        added.map_err(Error::Internal)?;
    }
    Ok(args)
}

/// NULL without a type, so that PostgreSQL infers it from the statement.
struct UntypedNull;

impl sqlx::Type<sqlx::Postgres> for UntypedNull {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for UntypedNull {
    fn encode_by_ref(
        &self,
        _: &mut PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, Box<dyn std::error::Error + Send + Sync>> {
        Ok(sqlx::encode::IsNull::Yes)
    }
}

fn pg_args(params: Vec<Value>) -> Result<PgArguments> {
    let mut args = PgArguments::default();
    for p in params {
        let added = match p {
            Value::Null => args.add(UntypedNull),
            Value::Int(v) => args.add(v),
            Value::Text(v) => args.add(v),
            Value::Blob(v) => args.add(v),
        };
        added.map_err(Error::Internal)?;
    }
    Ok(args)
}

pub async fn lite_execute(c: &mut SqliteConnection, sql: &str, params: Vec<Value>) -> Result<u64> {
    let sql = lite_sql(sql).into_owned();
    let done = sqlx::query_with(AssertSqlSafe(sql), lite_args(params)?).execute(c).await.map_err(fault)?;
    Ok(done.rows_affected())
}

pub async fn lite_query(c: &mut SqliteConnection, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
    let sql = lite_sql(sql).into_owned();
    let rows = sqlx::query_with(AssertSqlSafe(sql), lite_args(params)?).fetch_all(c).await.map_err(fault)?;
    let mut names: Option<Arc<[String]>> = None;
    rows.iter().map(|r| lite_row(r, &mut names)).collect()
}

pub async fn pg_execute(c: &mut PgConnection, sql: &str, params: Vec<Value>) -> Result<u64> {
    let sql = pg_sql(sql).into_owned();
    let done = sqlx::query_with(AssertSqlSafe(sql), pg_args(params)?).execute(c).await.map_err(fault)?;
    Ok(done.rows_affected())
}

pub async fn pg_query(c: &mut PgConnection, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
    let sql = pg_sql(sql).into_owned();
    let rows = sqlx::query_with(AssertSqlSafe(sql), pg_args(params)?).fetch_all(c).await.map_err(fault)?;
    let mut names: Option<Arc<[String]>> = None;
    rows.iter().map(|r| pg_row(r, &mut names)).collect()
}

/// Runs a script of several statements without parameters (migrations only).
pub async fn lite_script(c: &mut SqliteConnection, sql: String) -> Result<()> {
    c.execute_many(sqlx::raw_sql(AssertSqlSafe(sql))).try_collect::<Vec<_>>().await.map_err(fault)?;
    Ok(())
}

/// As [`lite_script`].
pub async fn pg_script(c: &mut PgConnection, sql: String) -> Result<()> {
    c.execute_many(sqlx::raw_sql(AssertSqlSafe(sql))).try_collect::<Vec<_>>().await.map_err(fault)?;
    Ok(())
}

pub fn lite_row(row: &SqliteRow, names: &mut Option<Arc<[String]>>) -> Result<Row> {
    let columns = names.get_or_insert_with(|| row.columns().iter().map(|c| c.name().to_owned()).collect());
    let mut values = Vec::with_capacity(columns.len());
    for i in 0..columns.len() {
        let raw = row.try_get_raw(i).map_err(fault)?;
        values.push(if raw.is_null() {
            Value::Null
        } else {
            match raw.type_info().name() {
                "INTEGER" | "BOOLEAN" | "INT4" | "INT8" => Value::Int(row.try_get(i).map_err(fault)?),
                "TEXT" => Value::Text(row.try_get(i).map_err(fault)?),
                "BLOB" => Value::Blob(row.try_get(i).map_err(fault)?),
                other => return Err(unknown_type(&columns[i], other)),
            }
        });
    }
    Ok(Row { columns: columns.clone(), values })
}

pub fn pg_row(row: &PgRow, names: &mut Option<Arc<[String]>>) -> Result<Row> {
    let columns = names.get_or_insert_with(|| row.columns().iter().map(|c| c.name().to_owned()).collect());
    let mut values = Vec::with_capacity(columns.len());
    for i in 0..columns.len() {
        let raw = row.try_get_raw(i).map_err(fault)?;
        values.push(if raw.is_null() {
            Value::Null
        } else {
            match raw.type_info().name() {
                "INT8" => Value::Int(row.try_get(i).map_err(fault)?),
                "INT4" => Value::Int(i64::from(row.try_get::<i32, _>(i).map_err(fault)?)),
                "INT2" => Value::Int(i64::from(row.try_get::<i16, _>(i).map_err(fault)?)),
                "BOOL" => Value::Int(i64::from(row.try_get::<bool, _>(i).map_err(fault)?)),
                "TEXT" | "VARCHAR" | "NAME" | "CHAR" | "UNKNOWN" => {
                    Value::Text(row.try_get(i).map_err(fault)?)
                }
                "BYTEA" => Value::Blob(row.try_get(i).map_err(fault)?),
                other => return Err(unknown_type(&columns[i], other)),
            }
        });
    }
    Ok(Row { columns: columns.clone(), values })
}

/// For instance NUMERIC from `SUM` on PostgreSQL: write `CAST(SUM(x) AS BIGINT)`.
fn unknown_type(column: &str, kind: &str) -> Error {
    Error::internal(format!(
        "column `{column}` has type {kind}; cast it to BIGINT, TEXT or bytes in the statement"
    ))
}
