//! SQL only: catalogues, versions, rows. Domain types in, domain types out.

pub mod catalogues;
pub mod entries;
pub mod pairs;
pub mod versions;

use base::clock::Date;
use base::text;
use kernel::Result;
use kernel::db::{Migration, Row, Value};
use kernel::orgs::Ask;

use crate::catalogue::Kind;
use crate::content::Content;
use crate::ids::VersionId;

/// The tables.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_catalogues", sql: include_str!("../../migrations/0001_catalogues.sql") },
    Migration { name: "0002_labels", sql: include_str!("../../migrations/0002_labels.sql") },
];

/// Rows shown at once unless asked otherwise.
pub const PAGE: u32 = 50;
/// Most rows given at once.
pub const MAX_PAGE: u32 = 200;
/// Rows written or looked up by one statement.
const BATCH: usize = 500;

/// Written where there is no last day.
const OPEN: &str = "9999-12-31";

fn end(day: Option<Date>) -> Value {
    day.map_or_else(|| Value::from(OPEN), Value::from)
}

fn read_end(row: &Row, column: &str) -> Result<Option<Date>> {
    let text = row.text(column)?;
    if text == OPEN { Ok(None) } else { row.date(column).map(Some) }
}

/// Adds a condition for each word of a search; all must occur in `column`, folded.
fn matching(search: &str, column: &str, p: &mut Vec<Value>) -> String {
    const MOST: usize = 8;
    let mut out = String::from("1 = 1");
    for word in text::fold(search).split_whitespace().take(MOST) {
        let escaped: String =
            word.chars().flat_map(|c| if "%_!".contains(c) { vec!['!', c] } else { vec![c] }).collect();
        p.push(Value::Text(format!("%{escaped}%")));
        out.push_str(&format!(" AND {column} LIKE ${} ESCAPE '!'", p.len()));
    }
    out
}

/// `$3, $4, $5` for `n` values from `first`.
fn marks(first: usize, n: usize) -> String {
    (first..first + n).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
}

/// All rows of a version.
///
/// # Errors
/// When the database is away.
pub async fn content(q: impl Ask, kind: Kind, version: VersionId) -> Result<Content> {
    Ok(match kind {
        Kind::Mapping => Content::Pairs(pairs::all(q, version).await?),
        Kind::Shared | Kind::Local => Content::Entries(entries::all(q, version).await?),
    })
}
