//! Where a question is asked: committed data, or an open action that sees its own changes.

use base::error::Result;

use crate::db::{Db, Row, Value};
use crate::kernel::Tx;

/// Something that answers SQL.
pub trait Ask: Send {
    /// Reads rows.
    fn ask(&mut self, sql: &str, params: Vec<Value>) -> impl Future<Output = Result<Vec<Row>>> + Send;
}

impl Ask for &Db {
    async fn ask(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
        self.query(sql, params).await
    }
}

impl Ask for &mut Tx {
    async fn ask(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
        self.query(sql, params).await
    }
}
