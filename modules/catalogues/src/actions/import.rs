//! Rows into a draft: compared first, then put in place of those there, all or none. What is refused is told with its
//! line and reason, and then nothing is changed.

use base::error::Refusal;
use base::i18n::Text;
use kernel::{Cx, Error, Kernel, Result};
use serde_json::json;

use super::may;
use crate::catalogue::Catalogue;
use crate::content::{Changes, Content, Given, Incoming};
use crate::permissions::EDIT;
use crate::store::{self, catalogues, entries, pairs, versions};
use crate::table::Refused;
use crate::version::{State, Version};
use crate::{entry, pair, questions, t};

/// What an import did or would do.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The draft afterwards, or as it is when nothing was written.
    pub version: Version,
    /// What differs from the rows there were.
    pub changes: Changes,
    /// Rows that are not taken.
    pub refused: Vec<Refused>,
    /// Whether the rows were written.
    pub applied: bool,
}

/// Puts rows into a draft, in place of those there; only compares them when `dry`.
///
/// # Errors
/// `NotFound`, `Denied`, `Conflict` when the draft changed since `expected`, `Refused` when it is not a draft.
pub async fn import(
    k: &Kernel,
    cx: &Cx,
    code: &str,
    number: i64,
    given: Given,
    expected: Option<i64>,
    dry: bool,
) -> Result<Imported> {
    let c = questions::find(k, cx, code).await?;
    may(cx, EDIT, &c)?;
    let draft = questions::version(k, cx, &c, number).await?;
    editable(&draft, expected)?;
    let before = store::content(&k.db, c.kind, draft.id).await?;
    let (incoming, changes) = compared(k, &c, &draft, before, given).await?;
    let refused = incoming.refused;
    if dry || !refused.is_empty() || changes.none() {
        return Ok(Imported { version: draft, changes, refused, applied: false });
    }
    let rows = i64::try_from(incoming.content.len()).map_err(Error::internal)?;
    let mut tx = k.begin(cx).await?;
    let c = catalogues::lock(&mut tx, code).await?;
    may(cx, EDIT, &c)?;
    let now = versions::numbered(&mut tx, c.id, number).await?;
    editable(&now, Some(draft.revision))?;
    match &incoming.content {
        Content::Entries(rows) => entries::replace(&mut tx, now.id, rows).await?,
        Content::Pairs(rows) => pairs::replace(&mut tx, now.id, rows).await?,
    }
    let version = Version { rows, revision: now.revision + 1, ..now };
    versions::save(&mut tx, &version).await?;
    let detail = json!({
        "code": c.code, "number": number, "rows": rows, "added": changes.added.len(),
        "changed": changes.changed.len(), "removed": changes.removed.len(),
    });
    tx.audit("catalogues.version.import", &c.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(Imported { version, changes, refused, applied: true })
}

fn editable(v: &Version, expected: Option<i64>) -> Result<()> {
    if v.state != State::Draft {
        return Err(Refusal::new("version-not-draft", Text::both(t::version_not_draft)).into());
    }
    if expected.is_some_and(|seen| seen != v.revision) {
        return Err(Error::Conflict);
    }
    Ok(())
}

/// Checks rows against their version and compares them with those there. Away from the threads that answer requests:
/// fifty thousand rows take a while.
async fn compared(
    k: &Kernel,
    c: &Catalogue,
    draft: &Version,
    before: Content,
    given: Given,
) -> Result<(Incoming, Changes)> {
    let period = draft.outline.period;
    let known = questions::known(k, c, draft.from()).await?;
    let work = move || {
        let (content, refused) = match given {
            Given::Entries(rows) => {
                let checked = entry::check(rows, &period);
                (Content::Entries(checked.rows.into_iter().map(|l| l.row).collect()), checked.refused)
            }
            Given::Pairs(rows) => {
                let checked = pair::check(rows, &known);
                (Content::Pairs(checked.rows.into_iter().map(|l| l.row).collect()), checked.refused)
            }
        };
        let changes = content.since(&before);
        (Incoming { content, refused }, changes)
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
