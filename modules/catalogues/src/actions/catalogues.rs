//! Making a catalogue or mapping, and correcting its description.

use base::clock::Date;
use base::error::{FieldError, Refusal};
use base::i18n::Text;
use kernel::once::{self, Once};
use kernel::orgs::{Tree, UnitId};
use kernel::{Cx, Error, Kernel, Result, Scope};
use serde_json::json;

use super::may;
use crate::catalogue::{Catalogue, Description, Ends, Kind, checked_code, field};
use crate::ids::CatalogueId;
use crate::permissions::EDIT;
use crate::questions::find;
use crate::store::catalogues;
use crate::t;

/// A catalogue to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// What its rows are.
    pub kind: Kind,
    /// Its code.
    pub code: String,
    /// Names, act, whether public.
    pub about: Description,
    /// The agency that answers for it.
    pub owner: UnitId,
    /// Between what, for a mapping.
    pub ends: Option<NewEnds>,
}

/// Between what a new mapping stands.
#[derive(Debug, Clone, Default)]
pub struct NewEnds {
    /// Code of the catalogue whose codes are translated.
    pub source: String,
    /// Code of the catalogue into whose codes.
    pub target: String,
    /// Read the source as on this day, whatever day is asked for.
    pub source_on: Option<Date>,
    /// Read the target as on this day, whatever day is asked for.
    pub target_on: Option<Date>,
}

/// Makes a catalogue or mapping, without any version yet. `true` beside it when the same request made it before.
///
/// # Errors
/// `Denied`, `Invalid` for wrong values, `Refused` when the code is taken.
pub async fn create(k: &Kernel, cx: &Cx, new: New, once: Option<&Once>) -> Result<(Catalogue, bool)> {
    cx.may(EDIT, &Scope::agency(new.owner))?;
    if let Some(once) = once
        && let Some(code) = once::before(&k.db, cx, once).await?
    {
        return Ok((find(k, cx, &code).await?, true));
    }
    let now = k.clock.now();
    let made = Catalogue {
        id: CatalogueId::new(&*k.clock, &*k.random),
        ends: ends(k, cx, &new).await?,
        kind: new.kind,
        code: new.code,
        about: new.about,
        owner: new.owner,
        published: false,
        revision: 1,
        created_at: now,
        changed_at: now,
    };
    let made = checked(k, made).await?;
    let mut tx = k.begin(cx).await?;
    if let Some(once) = once
        && once::claim(&mut tx, once, &made.code).await?.is_some()
    {
        return Ok((find(k, cx, &made.code).await?, true));
    }
    if !catalogues::insert(&mut tx, &made).await? {
        return Err(Refusal::new("code-taken", Text::both(|l| t::code_taken(l, &made.code))).into());
    }
    let detail = json!({ "code": made.code, "kind": made.kind, "owner": made.owner.to_string() });
    tx.audit("catalogues.catalogue.create", &made.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok((made, false))
}

async fn checked(k: &Kernel, c: Catalogue) -> Result<Catalogue> {
    let mut wrong = Vec::new();
    let code = checked_code("code", &c.code).unwrap_or_else(|e| {
        wrong.push(e);
        String::new()
    });
    let about = c.about.clone().checked().unwrap_or_else(|e| {
        wrong.extend(e);
        Description::default()
    });
    let agency = k.orgs().version_at(c.owner, k.clock.now().date()).await?;
    if agency.is_none_or(|v| v.tree != Tree::Agency) {
        wrong.push(field("owner", Text::both(t::owner_unknown)));
    }
    if wrong.is_empty() { Ok(Catalogue { code, about, ..c }) } else { Err(Error::Invalid(wrong)) }
}

/// The two catalogues of a mapping, which its maker must be able to see.
async fn ends(k: &Kernel, cx: &Cx, new: &New) -> Result<Option<Ends>> {
    let given = match (&new.ends, new.kind) {
        (Some(given), Kind::Mapping) => given,
        (None, Kind::Shared | Kind::Local) => return Ok(None),
        _ => return Err(Error::field("kind", Text::both(t::ends_for_mappings))),
    };
    let source = end(k, cx, "source", &given.source).await?;
    let target = end(k, cx, "target", &given.target).await?;
    let (Ok(source), Ok(target)) = (&source, &target) else {
        return Err(Error::Invalid([source.err(), target.err()].into_iter().flatten().collect()));
    };
    if source.id == target.id && given.source_on == given.target_on {
        return Err(Error::field("target", Text::both(t::ends_same)));
    }
    let (source_on, target_on) = (given.source_on, given.target_on);
    Ok(Some(Ends { source: source.id, target: target.id, source_on, target_on }))
}

async fn end(k: &Kernel, cx: &Cx, name: &str, code: &str) -> Result<Result<Catalogue, FieldError>> {
    match find(k, cx, code.trim()).await {
        Ok(found) if !found.is_mapping() => Ok(Ok(found)),
        Ok(_) | Err(Error::NotFound { .. }) => Ok(Err(field(name, Text::both(|l| t::end_unknown(l, code))))),
        Err(e) => Err(e),
    }
}

/// Corrects names, act, explanation or whether it is public.
///
/// # Errors
/// `NotFound`, `Denied`, `Conflict` when it changed since `expected`, `Invalid`.
pub async fn update(
    k: &Kernel,
    cx: &Cx,
    code: &str,
    about: Description,
    expected: Option<i64>,
) -> Result<Catalogue> {
    let mut tx = k.begin(cx).await?;
    let before = catalogues::lock(&mut tx, code).await?;
    may(cx, EDIT, &before)?;
    let about = about.checked().map_err(Error::Invalid)?;
    if expected.is_some_and(|seen| seen != before.revision) {
        return Err(Error::Conflict);
    }
    let after =
        Catalogue { about, revision: before.revision + 1, changed_at: k.clock.now(), ..before.clone() };
    catalogues::save(&mut tx, &after).await?;
    let detail = json!({ "code": after.code, "before": before.about, "after": after.about });
    tx.audit("catalogues.catalogue.update", &after.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(after)
}
