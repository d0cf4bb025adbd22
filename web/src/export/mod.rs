//! Lists as files: all rows under the filters of the page, as CSV or as a workbook. Rows are read in batches, each
//! continuing after the last, so that no list stands whole in memory. Which rows, and who may see them, is the
//! module's query's business; it is the same as the page's.

mod csv;
mod xlsx;

use std::future::Future;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base::clock::{Date, Timestamp};
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderValue, header};
use serde::Deserialize;

use crate::cx::Cx;
use crate::failure::{Failure, Result};

/// Rows a module reads at once for a file.
pub const BATCH: u32 = 500;

/// Most rows of a workbook; a longer list is refused with the advice to take CSV.
pub const MOST_IN_WORKBOOK: u32 = 100_000;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Comma-separated values (RFC 4180) in UTF-8 with a byte order mark, by which spreadsheets know the encoding.
    Csv,
    /// An Office Open XML workbook.
    Xlsx,
}

/// `?as=csv` or `?as=xlsx`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct As {
    /// The form asked for.
    #[serde(rename = "as")]
    pub kind: Kind,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Words, codes, states.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// A moment, written in UTC+7.
    Time(Timestamp),
    /// A day.
    Date(Date),
    /// Nothing there.
    None,
}

macro_rules! from {
    ($($source:ty => $variant:ident),+) => { $( impl From<$source> for Value {
        fn from(v: $source) -> Self { Self::$variant(v.into()) }
    } )+ };
}
from!(&str => Text, String => Text, &String => Text, i64 => Whole, u32 => Whole, Timestamp => Time, Date => Date);

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::None, Into::into)
    }
}

/// Some rows, and where the list goes on.
#[derive(Debug, Clone)]
pub struct Batch<C> {
    /// The rows, each with a value for every column.
    pub rows: Vec<Vec<Value>>,
    /// What to continue after; `None` at the end.
    pub next: Option<C>,
}

impl<C> Batch<C> {
    /// From what was found when [`BATCH`] rows were asked for: fewer mean that the list has ended.
    pub fn of<R>(found: &[R], cursor: impl Fn(&R) -> C, row: impl Fn(&R) -> Vec<Value>) -> Self {
        let full = found.len() >= BATCH as usize;
        Self {
            next: if full { found.last().map(cursor) } else { None },
            rows: found.iter().map(row).collect(),
        }
    }

    /// A list that is read at once because it is short by its nature.
    pub fn whole(rows: Vec<Vec<Value>>) -> Self {
        Self { rows, next: None }
    }
}

/// A list about to become a file.
#[derive(Debug, Clone)]
pub struct Export {
    at: Timestamp,
    name: &'static str,
    title: String,
    columns: Vec<String>,
}

impl Export {
    /// A file called `name`, the day and the ending; the title names the sheet of a workbook.
    pub fn new(cx: &Cx, name: &'static str, title: impl Into<String>) -> Self {
        Self { at: cx.at, name, title: title.into(), columns: Vec::new() }
    }

    /// The headings, one for each value of a row.
    pub fn columns<T: Into<String>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.columns.extend(labels.into_iter().map(Into::into));
        self
    }

    /// Reads the list batch by batch and answers with the file. CSV leaves while it is read; a list that cannot be
    /// read to its end breaks off, so that nobody takes a part for the whole.
    ///
    /// # Errors
    /// What the first batch meets; for workbooks also a list that is too long.
    pub async fn answer<C, F, R>(self, kind: Kind, mut read: F) -> Result<Response>
    where
        C: Send + 'static,
        F: FnMut(Option<C>) -> R + Send + 'static,
        R: Future<Output = kernel::Result<Batch<C>>> + Send + 'static,
    {
        let first = read(None).await?;
        let (body, mime, ending) = match kind {
            Kind::Csv => {
                (Body::from_stream(self.lines(first, read)), "text/csv; charset=utf-8; header=present", "csv")
            }
            Kind::Xlsx => (
                Body::from(self.workbook(first, read).await?),
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "xlsx",
            ),
        };
        let mut answer = body.into_response();
        let name = format!("attachment; filename=\"{}-{}.{ending}\"", self.name, self.at.date());
        let name = HeaderValue::from_str(&name).map_err(kernel::Error::internal)?;
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        Ok(answer)
    }

    fn lines<C, F, R>(
        &self,
        first: Batch<C>,
        read: F,
    ) -> impl Stream<Item = kernel::Result<Vec<u8>>> + Send + 'static
    where
        C: Send + 'static,
        F: FnMut(Option<C>) -> R + Send + 'static,
        R: Future<Output = kernel::Result<Batch<C>>> + Send + 'static,
    {
        let heading = csv::begin(&self.columns);
        let name = self.name;
        let rest = stream::try_unfold((read, Next::Write(first)), move |(mut read, next)| async move {
            let batch = match next {
                Next::Write(batch) => batch,
                Next::Read(cursor) => read(Some(cursor)).await.inspect_err(|e| {
                    tracing::error!(error = e.chain(), list = name, "an export broke off");
                })?,
                Next::End => return Ok(None),
            };
            let lines = csv::lines(&batch.rows);
            Ok(Some((lines, (read, batch.next.map_or(Next::End, Next::Read)))))
        });
        stream::once(std::future::ready(Ok(heading))).chain(rest)
    }

    async fn workbook<C, F, R>(&self, first: Batch<C>, mut read: F) -> Result<Vec<u8>>
    where
        F: FnMut(Option<C>) -> R,
        R: Future<Output = kernel::Result<Batch<C>>>,
    {
        let _turn = xlsx::turn().await?;
        let mut sheet = xlsx::Sheet::new(&self.title, &self.columns, self.at).map_err(fault)?;
        let mut batch = first;
        loop {
            if !sheet.add(&batch.rows).map_err(fault)? {
                return Err(xlsx::too_long().into());
            }
            match batch.next {
                Some(cursor) => batch = read(Some(cursor)).await?,
                None => break,
            }
        }
        let finished = tokio::task::spawn_blocking(move || sheet.finish()).await;
        finished.map_err(kernel::Error::internal)?.map_err(fault)
    }
}

/// What a stream of lines does next.
enum Next<C> {
    Write(Batch<C>),
    Read(C),
    End,
}

fn fault(e: rust_xlsxwriter::XlsxError) -> Failure {
    kernel::Error::internal(e).into()
}
