//! Writes down each statement that ran, once, with the values of that time: what a release says to the database. Compiled
//! in only with the feature `record`, for tests; the file is named by `LIENTHONG_RECORD`.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Backend, Value};

/// Notes a statement that ran well.
pub(super) fn note(backend: Backend, sql: &str, params: &[Value]) {
    static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    static OUT: OnceLock<Option<File>> = OnceLock::new();
    let out = OUT.get_or_init(|| {
        let path = std::env::var_os("LIENTHONG_RECORD")?;
        File::options().create(true).append(true).open(path).ok()
    });
    let Some(mut out) = out.as_ref() else { return };
    let on = if backend == Backend::Sqlite { "sqlite" } else { "postgres" };
    // Without its values it would not be known what may stand there.
    let kinds: String = params.iter().map(kind).collect();
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if !seen.get_or_insert_default().insert(format!("{on}{kinds}{sql}")) {
        return;
    }
    let values: Vec<_> = params.iter().map(value).collect();
    let line = serde_json::json!({"on": on, "sql": sql, "params": values});
    // One write: several processes append to one file.
    let _ = out.write_all(format!("{line}\n").as_bytes());
}

fn kind(value: &Value) -> char {
    match value {
        Value::Null => 'n',
        Value::Int(_) => 'i',
        Value::Text(_) => 't',
        Value::Blob(_) => 'b',
    }
}

fn value(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(n) => (*n).into(),
        Value::Text(text) => text.clone().into(),
        Value::Blob(bytes) => serde_json::json!({"hex": hex::encode(bytes)}),
    }
}
