//! Tables as lines of JSON, the same for both databases: a backup of one can be restored into the other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Lines, Read, Write};

use base::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::db::{Backend, Db, Migration, Value, migrate_where};
use crate::{Kernel, audit, journal};

/// Rows put into one INSERT while restoring, as far as the parameter limit allows.
const BATCH_PARAMETERS: usize = 900;
const LEDGER: &str = "kernel_migration";

/// Writes all tables as they are at one moment; returns the rows of each.
pub async fn write<W: Write>(db: &Db, mut out: W) -> Result<(BTreeMap<String, u64>, W)> {
    let mut view = db.snapshot().await?;
    let mut counts = BTreeMap::new();
    for table in view.tables().await? {
        serde_json::to_writer(&mut out, &json!({"table": table.name, "columns": table.columns}))?;
        out.write_all(b"\n")?;
        let sql = format!("SELECT {} FROM {}", table.columns.join(", "), table.name);
        let rows = view.each(&sql, |row| {
            let cells: Vec<Json> = row.values().iter().map(to_json).collect();
            serde_json::to_writer(&mut out, &cells)?;
            out.write_all(b"\n")?;
            Ok(())
        });
        let n = rows.await?;
        counts.insert(table.name, n);
    }
    view.close().await?;
    Ok((counts, out))
}

/// Reads tables row by row.
pub struct Rows<R> {
    lines: Lines<BufReader<R>>,
    /// The table of the row read last.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
}

impl<R: Read> Rows<R> {
    /// Begins to read.
    pub fn new(input: R) -> Self {
        Self { lines: BufReader::new(input).lines(), table: String::new(), columns: Vec::new() }
    }

    /// The next row; `None` after the last.
    pub fn next(&mut self) -> Result<Option<Vec<Value>>> {
        while let Some(line) = self.lines.next() {
            match serde_json::from_str(&line?)? {
                Json::Object(head) => self.begin_table(&head)?,
                Json::Array(cells) if cells.len() == self.columns.len() => {
                    return cells.into_iter().map(from_json).collect::<Result<_>>().map(Some);
                }
                _ => return Err(bad()),
            }
        }
        Ok(None)
    }

    fn begin_table(&mut self, head: &serde_json::Map<String, Json>) -> Result<()> {
        let names = head.get("columns").and_then(Json::as_array).ok_or_else(bad)?;
        self.table = head.get("table").and_then(Json::as_str).ok_or_else(bad)?.to_owned();
        self.columns =
            names.iter().map(|c| c.as_str().map(str::to_owned).ok_or_else(bad)).collect::<Result<_>>()?;
        let plain = |s: &String| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if plain(&self.table) && self.columns.iter().all(plain) { Ok(()) } else { Err(bad()) }
    }
}

/// Makes the schema the backup was written under and fills it, all in one transaction. `open` is called twice.
pub async fn restore<R: Read>(
    k: &Kernel,
    schema: &[(&'static str, &'static [Migration])],
    open: impl Fn() -> Result<R>,
) -> Result<BTreeMap<String, u64>> {
    let mut steps = BTreeSet::new();
    let mut rows = Rows::new(open()?);
    while let Some(values) = rows.next()? {
        if let (LEDGER, [Value::Text(module), Value::Text(name), ..]) =
            (rows.table.as_str(), values.as_slice())
        {
            steps.insert((module.clone(), name.clone()));
        }
    }
    let known = |m: &str, n: &str| {
        schema.iter().any(|(module, list)| *module == m && list.iter().any(|s| s.name == n))
    };
    if let Some((m, n)) = steps.iter().find(|(m, n)| !known(m, n)) {
        return Err(Error::internal(format!(
            "the backup is of a newer release: this one does not know {m}/{n}"
        )));
    }
    migrate_where(&k.db, &*k.clock, schema, |m, n| steps.contains(&(m.to_owned(), n.to_owned()))).await?;
    fill(k, open()?).await?;
    count(k).await
}

/// Refuses a database that holds tables.
pub async fn refuse_filled(k: &Kernel) -> Result<()> {
    let mut view = k.db.snapshot().await?;
    let any = view.tables().await?.into_iter().next();
    view.close().await?;
    match any {
        None => Ok(()),
        Some(t) => Err(Error::internal(format!("the database is not empty: it has table {}", t.name))),
    }
}

async fn fill(k: &Kernel, input: impl Read) -> Result<()> {
    let mut view = k.db.snapshot().await?;
    let tables = view.tables().await?;
    view.close().await?;
    let mut tx = k.db.begin().await?;
    // Steps of the schema leave rows of their own; the backup has them, perhaps changed since.
    for table in tables {
        tx.execute(&format!("DELETE FROM {}", table.name), vec![]).await?;
    }
    let mut rows = Rows::new(input);
    let mut batch = Batch::default();
    while let Some(values) = rows.next()? {
        if batch.table != rows.table || batch.values.len() + values.len() > BATCH_PARAMETERS {
            let next = Batch { table: rows.table.clone(), columns: rows.columns.clone(), values: Vec::new() };
            std::mem::replace(&mut batch, next).insert(&mut tx).await?;
        }
        batch.values.extend(values);
    }
    batch.insert(&mut tx).await?;
    for table in [journal::ORDER.table, audit::ORDER.table] {
        place_rest(&mut tx, table).await?;
    }
    if tx.backend() == Backend::Postgres {
        restart_sequences(&mut tx).await?;
    }
    tx.commit().await
}

/// Rows whose place in the order of commits was not known when the backup was made follow the others, without a
/// gap: the sealing of audit rows counts on it.
async fn place_rest(tx: &mut crate::db::Transaction, table: &str) -> Result<()> {
    // The base of each position is fixed before any row changes: engines differ in what an UPDATE sees of itself.
    let highest = format!("SELECT COALESCE(MAX(position), 0) AS last FROM {table}");
    let mut last = tx.query(&highest, vec![]).await?.first().map_or(Ok(0), |r| r.int("last"))?;
    let open = format!("SELECT seq FROM {table} WHERE position IS NULL ORDER BY xid, seq");
    let place = format!("UPDATE {table} SET position = $1 WHERE seq = $2");
    for row in tx.query(&open, vec![]).await? {
        last += 1;
        tx.execute(&place, vec![last.into(), row.int("seq")?.into()]).await?;
    }
    let head = format!(
        "UPDATE kernel_ordered_head SET last = (SELECT COALESCE(MAX(position), 0) FROM {table}) WHERE name = '{table}'"
    );
    tx.execute(&head, vec![]).await?;
    Ok(())
}

#[derive(Default)]
struct Batch {
    table: String,
    columns: Vec<String>,
    values: Vec<Value>,
}

impl Batch {
    async fn insert(self, tx: &mut crate::db::Transaction) -> Result<()> {
        if self.values.is_empty() {
            return Ok(());
        }
        let n = self.columns.len();
        let tuples: Vec<String> = (0..self.values.len() / n)
            .map(|row| {
                format!("({})", (1..=n).map(|i| format!("${}", row * n + i)).collect::<Vec<_>>().join(", "))
            })
            .collect();
        let sql =
            format!("INSERT INTO {} ({}) VALUES {}", self.table, self.columns.join(", "), tuples.join(", "));
        tx.execute(&sql, self.values).await.map(|_| ())
    }
}

async fn restart_sequences(tx: &mut crate::db::Transaction) -> Result<()> {
    let sql =
        "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c FROM information_schema.columns
               WHERE table_schema = 'public' AND is_identity = 'YES'";
    for row in tx.query(sql, vec![]).await? {
        let (t, c) = (row.text("t")?, row.text("c")?);
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{t}', '{c}'), (SELECT COALESCE(MAX({c}), 0) + 1 FROM {t}), false) AS v"
        );
        tx.query(&sql, vec![]).await?;
    }
    Ok(())
}

async fn count(k: &Kernel) -> Result<BTreeMap<String, u64>> {
    let mut view = k.db.snapshot().await?;
    let mut counts = BTreeMap::new();
    for table in view.tables().await? {
        let rows = view.query(&format!("SELECT COUNT(*) AS n FROM {}", table.name), vec![]).await?;
        let n = rows.first().map_or(Ok(0), |r| r.int("n"))?;
        counts.insert(table.name, u64::try_from(n).unwrap_or(0));
    }
    view.close().await?;
    Ok(counts)
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(i) => json!(i),
        Value::Text(t) => json!(t),
        Value::Blob(b) => json!({"b": STANDARD.encode(b)}),
    }
}

fn from_json(json: Json) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Number(n) => Value::Int(n.as_i64().ok_or_else(bad)?),
        Json::String(s) => Value::Text(s),
        Json::Object(o) => {
            let text = o.get("b").and_then(Json::as_str).ok_or_else(bad)?;
            Value::Blob(STANDARD.decode(text).map_err(Error::internal)?)
        }
        _ => return Err(bad()),
    })
}

fn bad() -> Error {
    Error::internal("the tables in the backup are not in the expected form")
}
