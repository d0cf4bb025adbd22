//! Drafting a version, publishing it, discarding a draft.

use base::error::Refusal;
use base::i18n::Text;
use kernel::db::Value;
use kernel::once::{self, Once};
use kernel::{Cx, Error, Kernel, Result, Tx};
use serde_json::json;

use super::may;
use crate::catalogue::{Catalogue, Kind};
use crate::content::Content;
use crate::events::VersionPublished;
use crate::ids::VersionId;
use crate::permissions::{EDIT, PUBLISH};
use crate::questions;
use crate::store::{self, catalogues, versions};
use crate::table::Reading;
use crate::version::{Cut, Outline, State, Version, publication};
use crate::{pair, t};

/// Begins a draft, with the rows of the version that answers on its first day (or the last one before), or empty.
/// `true` beside it when the same request began it before.
///
/// # Errors
/// `NotFound`, `Denied`, `Invalid`, `Refused` while another draft is open.
pub async fn draft(
    k: &Kernel,
    cx: &Cx,
    code: &str,
    outline: Outline,
    copy: bool,
    once: Option<&Once>,
) -> Result<(Version, bool)> {
    let mut tx = k.begin(cx).await?;
    let c = catalogues::lock(&mut tx, code).await?;
    may(cx, EDIT, &c)?;
    let outline = outline.checked().map_err(Error::Invalid)?;
    let all = versions::of(&mut tx, c.id).await?;
    let number = all.first().map_or(1, |v| v.number + 1);
    if let Some(once) = once
        && let Some(before) = once::claim(&mut tx, once, &number.to_string()).await?
    {
        let number = before.parse().map_err(Error::internal)?;
        return Ok((versions::numbered(&mut tx, c.id, number).await?, true));
    }
    if let Some(open) = all.iter().find(|v| v.state == State::Draft) {
        return Err(Refusal::new("draft-open", Text::both(|l| t::draft_open(l, open.number))).into());
    }
    let made = Version {
        id: VersionId::new(&*k.clock, &*k.random),
        catalogue: c.id,
        number,
        state: State::Draft,
        last_day: outline.period.to,
        outline,
        rows: 0,
        revision: 1,
        created_at: k.clock.now(),
        published_at: None,
        superseded_by: None,
    };
    versions::insert(&mut tx, &made).await?;
    let from = questions::before(&all, &made).filter(|_| copy);
    let rows = match from {
        Some(from) => copied(&mut tx, c.kind, from.id, made.id).await?,
        None => 0,
    };
    let made = Version { rows, ..made };
    versions::save(&mut tx, &made).await?;
    let period = made.outline.period;
    let detail = json!({
        "code": c.code, "number": number, "valid_from": period.from, "valid_to": period.to,
        "copied_from": from.map(|v| v.number),
    });
    tx.audit("catalogues.version.draft", &c.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok((made, false))
}

async fn copied(tx: &mut Tx, kind: Kind, from: VersionId, to: VersionId) -> Result<i64> {
    let (table, columns) = match kind {
        Kind::Mapping => ("catalogues_pair", "source_code, target_code, relation, reason, search_key"),
        Kind::Shared | Kind::Local => (
            "catalogues_entry",
            "code, name_vi, name_en, parent, position, attributes, valid_from, valid_to, sort_key, search_key",
        ),
    };
    let sql = format!(
        "INSERT INTO {table} (version_id, {columns}) SELECT $2, {columns} FROM {table} WHERE version_id = $1"
    );
    let to = Value::from(to);
    i64::try_from(tx.execute(&sql, vec![Value::from(from), to]).await?).map_err(Error::internal)
}

/// What publishing a draft would do to older versions; for the sentence before the act.
///
/// # Errors
/// As [`publish`], without the right to publish.
pub async fn plan(k: &Kernel, c: &Catalogue, draft: &Version) -> Result<Vec<Cut>> {
    sound(k, c, draft).await?;
    Ok(publication(draft, &versions::of(&k.db, c.id).await?)?)
}

/// Publishes a draft: from its first day on it answers, and what answered before gives way. Cannot be undone; a
/// correction is a new version.
///
/// # Errors
/// `NotFound`, `Denied`, `Conflict` when the draft changed since `expected`, `Refused` by the rules.
pub async fn publish(k: &Kernel, cx: &Cx, code: &str, number: i64, expected: Option<i64>) -> Result<Version> {
    let seen = questions::find(k, cx, code).await?;
    may(cx, PUBLISH, &seen)?;
    let draft = questions::version(k, cx, &seen, number).await?;
    let expected = expected.unwrap_or(draft.revision);
    // Compared with its two lists before the transaction: what is compared cannot change as long as the revision
    // stays, except by a publication of one of the lists, which diagnostics then report.
    sound(k, &seen, &draft).await?;
    let mut tx = k.begin(cx).await?;
    let c = catalogues::lock(&mut tx, code).await?;
    may(cx, PUBLISH, &c)?;
    let all = versions::of(&mut tx, c.id).await?;
    let found = all.iter().find(|v| v.number == number).cloned();
    let draft = found.ok_or(Error::NotFound { kind: VersionId::KIND })?;
    let cuts = publication(&draft, &all)?;
    if draft.revision != expected {
        return Err(Error::Conflict);
    }
    let now = k.clock.now();
    let made = Version { state: State::Published, published_at: Some(now), ..draft };
    for cut in &cuts {
        versions::cut(&mut tx, cut, &made).await?;
    }
    versions::save(&mut tx, &made).await?;
    let c = Catalogue { published: true, changed_at: now, ..c };
    catalogues::save(&mut tx, &c).await?;
    let period = made.outline.period;
    let fact = VersionPublished {
        catalogue: c.id,
        code: c.code.clone(),
        kind: c.kind.as_str().to_owned(),
        version: made.id,
        number,
        valid_from: period.from,
        valid_to: period.to,
        rows: made.rows,
        replaces: cuts.iter().map(|cut| cut.number).collect(),
    };
    tx.publish(&fact).await?;
    let detail = json!({
        "code": c.code, "number": number, "valid_from": period.from, "valid_to": period.to, "rows": made.rows,
        "replaces": fact.replaces,
    });
    tx.audit("catalogues.version.publish", &c.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(made)
}

/// Refuses a mapping that names codes its lists do not have on its first day.
async fn sound(k: &Kernel, c: &Catalogue, draft: &Version) -> Result<()> {
    let Content::Pairs(rows) = (match c.kind {
        Kind::Mapping => store::content(&k.db, c.kind, draft.id).await?,
        Kind::Shared | Kind::Local => return Ok(()),
    }) else {
        return Ok(());
    };
    let known = questions::known(k, c, draft.from()).await?;
    let refused = pair::check(Reading::of(rows), &known).refused;
    match refused.first() {
        None => Ok(()),
        Some(first) => {
            let count = i64::try_from(refused.len()).unwrap_or(i64::MAX);
            let say = |l| t::mapping_stale(l, t::MappingStale { count, first: first.reason.get(l) });
            Err(Refusal::new("mapping-stale", Text::both(say)).into())
        }
    }
}

/// Takes a draft away with its rows.
///
/// # Errors
/// `NotFound`, `Denied`, `Conflict` when it changed since `expected`, `Refused` when it is not a draft.
pub async fn discard(k: &Kernel, cx: &Cx, code: &str, number: i64, expected: Option<i64>) -> Result<()> {
    let mut tx = k.begin(cx).await?;
    let c = catalogues::lock(&mut tx, code).await?;
    may(cx, EDIT, &c)?;
    let draft = versions::numbered(&mut tx, c.id, number).await?;
    if draft.state != State::Draft {
        return Err(Refusal::new("version-not-draft", Text::both(t::version_not_draft)).into());
    }
    if expected.is_some_and(|seen| seen != draft.revision) {
        return Err(Error::Conflict);
    }
    versions::delete(&mut tx, draft.id).await?;
    let detail = json!({ "code": c.code, "number": number, "rows": draft.rows });
    tx.audit("catalogues.version.discard", &c.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(())
}
