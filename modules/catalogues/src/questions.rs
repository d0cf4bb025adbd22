//! Questions about catalogues and mappings, each for a reader and a day: which one, what it holds, what a code is in
//! the other list, and what a mapping leaves open.

use std::collections::{BTreeSet, HashMap, HashSet};

use base::clock::Date;
use base::i18n::{Lang, Text};
use kernel::db::Db;
use kernel::orgs::{UnitId, Version as Unit};
use kernel::{Cx, Error, Kernel, Result};

use crate::catalogue::Catalogue;
use crate::content::{Changes, Content};
use crate::entry::Entry;
use crate::ids::{CatalogueId, VersionId};
use crate::pair::{Known, Pair, Relation};
use crate::store::{self, catalogues, entries, pairs, versions};
use crate::t;
use crate::version::{State, Version};
use crate::viewer::Viewer;

/// Most codes of one translation.
pub const MAX_CODES: usize = 10_000;

/// The catalogue or mapping with this code, if the reader may know of it.
///
/// # Errors
/// `NotFound` otherwise.
pub async fn find(k: &Kernel, cx: &Cx, code: &str) -> Result<Catalogue> {
    let viewer = Viewer::of(cx);
    let absent = || Error::NotFound { kind: CatalogueId::KIND };
    let found = catalogues::by_code(&k.db, code).await?.filter(|c| viewer.sees(c)).ok_or_else(absent)?;
    if let Some(ends) = found.ends {
        for end in [ends.source, ends.target] {
            if !viewer.sees(&catalogues::by_id(&k.db, end).await?) {
                return Err(absent());
            }
        }
    }
    Ok(found)
}

/// The versions of a catalogue the reader may see, newest first.
///
/// # Errors
/// When the database is away.
pub async fn versions_of(k: &Kernel, cx: &Cx, c: &Catalogue) -> Result<Vec<Version>> {
    let drafts = Viewer::of(cx).sees_drafts(c);
    let mut all = versions::of(&k.db, c.id).await?;
    all.retain(|v| drafts || v.state != State::Draft);
    Ok(all)
}

/// One version of a catalogue, if the reader may see it.
///
/// # Errors
/// `NotFound` otherwise.
pub async fn version(k: &Kernel, cx: &Cx, c: &Catalogue, number: i64) -> Result<Version> {
    let found = versions::numbered(&k.db, c.id, number).await?;
    if found.state == State::Draft && !Viewer::of(cx).sees_drafts(c) {
        return Err(Error::NotFound { kind: VersionId::KIND });
    }
    Ok(found)
}

/// The agency that owns a catalogue, as it was last on or before a day.
///
/// # Errors
/// When the database is away.
pub async fn owner(k: &Kernel, owner: UnitId, on: Date) -> Result<Option<Unit>> {
    match k.orgs().version_at(owner, on).await? {
        Some(there) => Ok(Some(there)),
        None => Ok(k.orgs().history(owner).await?.into_iter().next_back()),
    }
}

/// What a catalogue holds on a day; nothing on days without a version.
///
/// # Errors
/// When the database is away.
pub async fn content_on(k: &Kernel, c: &Catalogue, on: Date) -> Result<Content> {
    let Some(version) = versions::at(&k.db, c.id, on).await? else { return Ok(Content::none(c.kind)) };
    Ok(match store::content(&k.db, c.kind, version.id).await? {
        Content::Entries(rows) => Content::Entries(rows.into_iter().filter(|e| e.covers(on)).collect()),
        pairs => pairs,
    })
}

/// What differs between two days.
///
/// # Errors
/// When the database is away.
pub async fn changes(k: &Kernel, c: &Catalogue, from: Date, to: Date) -> Result<Changes> {
    Ok(content_on(k, c, to).await?.since(&content_on(k, c, from).await?))
}

/// The version a given one follows or replaces: that with which it is compared.
pub fn before<'a>(all: &'a [Version], v: &Version) -> Option<&'a Version> {
    let published = all.iter().filter(|o| o.state != State::Draft && o.number < v.number);
    published.filter(|o| o.from() <= v.from()).max_by_key(|o| (o.from(), o.number))
}

/// The codes a mapping that is asked for a day may name.
///
/// # Errors
/// `Refused` when one of its catalogues has no version on that day.
pub async fn known(k: &Kernel, c: &Catalogue, on: Date) -> Result<Known> {
    let Some(ends) = c.ends else { return Ok(Known::default()) };
    Ok(Known {
        source: codes(&k.db, ends.source, c.source_day(on)).await?,
        target: codes(&k.db, ends.target, c.target_day(on)).await?,
    })
}

async fn codes(db: &Db, catalogue: CatalogueId, on: Date) -> Result<HashSet<String>> {
    match versions::at(db, catalogue, on).await? {
        Some(version) => entries::codes(db, version.id, on).await,
        None => {
            let code = catalogues::by_id(db, catalogue).await?.code;
            let say = |l| t::no_version_on(l, t::NoVersionOn { code: &code, on: on.vn() });
            Err(base::error::Refusal::new("catalogue-without-version", Text::both(say)).into())
        }
    }
}

/// How a translation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is at least one counterpart.
    Translated,
    /// The mapping says that there is none.
    NoCounterpart,
    /// The code is known, the mapping does not say anything about it.
    Unmapped,
    /// The code is not in the list on that day.
    UnknownCode,
    /// No version of the mapping answers on that day.
    NoVersion,
}

impl Outcome {
    /// As sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Translated => "translated",
            Self::NoCounterpart => "no-counterpart",
            Self::Unmapped => "unmapped",
            Self::UnknownCode => "unknown-code",
            Self::NoVersion => "no-version",
        }
    }

    /// In a sentence.
    pub fn say(self, l: Lang) -> &'static str {
        match self {
            Self::Translated => t::outcome_translated(l),
            Self::NoCounterpart => t::outcome_no_counterpart(l),
            Self::Unmapped => t::outcome_unmapped(l),
            Self::UnknownCode => t::outcome_unknown_code(l),
            Self::NoVersion => t::outcome_no_version(l),
        }
    }
}

/// A counterpart of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterpart {
    /// Its code.
    pub code: String,
    /// How the asked code relates to it.
    pub relation: Relation,
    /// The entry as on the day; none when the list has lost it since the mapping was published.
    pub entry: Option<Entry>,
    /// The note of the pair.
    pub note: String,
}

/// The answer for one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// The code asked for.
    pub code: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The counterparts.
    pub to: Vec<Counterpart>,
    /// Why there is none, as the mapping states it.
    pub reason: String,
}

/// Translates codes by the version of a mapping that answers on a day, back from the target when `back`. Answers come
/// in the order of the codes; the number of the version used stands beside them.
///
/// # Errors
/// When the database is away.
pub async fn translate(
    k: &Kernel,
    c: &Catalogue,
    asked: &[String],
    on: Date,
    back: bool,
) -> Result<(Option<i64>, Vec<Translated>)> {
    let blank = |code: &String, outcome| Translated {
        code: code.clone(),
        outcome,
        to: vec![],
        reason: String::new(),
    };
    let (Some(ends), Some(version)) = (c.ends, versions::at(&k.db, c.id, on).await?) else {
        return Ok((None, asked.iter().map(|code| blank(code, Outcome::NoVersion)).collect()));
    };
    let (source, target) = ((ends.source, c.source_day(on)), (ends.target, c.target_day(on)));
    let (from, into) = if back { (target, source) } else { (source, target) };
    let found = pairs::of_codes(&k.db, version.id, asked, back).await?;
    let others: BTreeSet<String> = found.iter().map(|p| far(p, back).to_owned()).collect();
    let others: Vec<String> = others.into_iter().collect();
    let own = named(&k.db, from, asked).await?;
    let named = named(&k.db, into, &others).await?;
    let mut of: HashMap<&str, Vec<&Pair>> = HashMap::new();
    for pair in &found {
        of.entry(if back { &pair.target } else { &pair.source }).or_default().push(pair);
    }
    let answer = |code: &String| {
        let pairs = of.get(code.as_str()).map_or(&[][..], Vec::as_slice);
        match pairs {
            _ if code.is_empty() => blank(code, Outcome::UnknownCode),
            // What the mapping states holds, also of a code that left its list after the mapping was published.
            [none] if none.relation == Relation::None => {
                Translated { reason: none.reason.clone(), ..blank(code, Outcome::NoCounterpart) }
            }
            [] if own.contains_key(code) => blank(code, Outcome::Unmapped),
            [] => blank(code, Outcome::UnknownCode),
            some => {
                let to = some.iter().map(|p| Counterpart {
                    code: far(p, back).to_owned(),
                    relation: if back { p.relation.turned() } else { p.relation },
                    entry: named.get(far(p, back)).cloned(),
                    note: p.reason.clone(),
                });
                Translated { to: to.collect(), ..blank(code, Outcome::Translated) }
            }
        }
    };
    Ok((Some(version.number), asked.iter().map(answer).collect()))
}

fn far(pair: &Pair, back: bool) -> &str {
    if back { &pair.source } else { &pair.target }
}

async fn named(
    db: &Db,
    (catalogue, on): (CatalogueId, Date),
    codes: &[String],
) -> Result<HashMap<String, Entry>> {
    match versions::at(db, catalogue, on).await? {
        Some(version) => entries::by_codes(db, version.id, on, codes).await,
        None => Ok(HashMap::new()),
    }
}

/// What a mapping covers and leaves open on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    /// The version of the mapping that answers.
    pub version: Option<i64>,
    /// Codes in the source's list.
    pub source: usize,
    /// Codes in the target's list.
    pub target: usize,
    /// Source codes with a counterpart.
    pub mapped: usize,
    /// Source codes for which the mapping states that there is none.
    pub none: usize,
    /// Source codes the mapping says nothing about.
    pub unmapped: Vec<String>,
    /// Target codes no source code leads to.
    pub unreached: Vec<String>,
    /// Codes in the mapping that are not in the source's list on the day.
    pub lost_source: Vec<String>,
    /// Codes in the mapping that are not in the target's list on the day.
    pub lost_target: Vec<String>,
}

impl Completeness {
    /// Whether every code of the source is answered for and none leads nowhere.
    pub fn whole(&self) -> bool {
        self.version.is_some() && self.unmapped.is_empty() && self.lost_target.is_empty()
    }
}

/// Compares a mapping with its two lists as on a day.
///
/// # Errors
/// `Refused` when one of its catalogues has no version on that day.
pub async fn completeness(k: &Kernel, c: &Catalogue, on: Date) -> Result<Completeness> {
    let known = known(k, c, on).await?;
    let version = versions::at(&k.db, c.id, on).await?;
    let rows = match &version {
        Some(v) => pairs::all(&k.db, v.id).await?,
        None => Vec::new(),
    };
    Ok(Completeness { version: version.map(|v| v.number), ..compare(&known, &rows) })
}

fn compare(known: &Known, rows: &[Pair]) -> Completeness {
    let said: HashSet<&str> = rows.iter().map(|p| p.source.as_str()).collect();
    let none: HashSet<&str> =
        rows.iter().filter(|p| p.relation == Relation::None).map(|p| p.source.as_str()).collect();
    let reached: HashSet<&str> =
        rows.iter().filter(|p| p.relation != Relation::None).map(|p| p.target.as_str()).collect();
    let missing = |all: &HashSet<String>, among: &HashSet<&str>| {
        sorted(all.iter().filter(|c| !among.contains(c.as_str())).cloned())
    };
    let lost = |among: &HashSet<&str>, all: &HashSet<String>| {
        sorted(among.iter().filter(|c| !all.contains(**c)).map(|c| (*c).to_owned()))
    };
    let in_source = |c: &&&str| known.source.contains(**c);
    Completeness {
        version: None,
        source: known.source.len(),
        target: known.target.len(),
        none: none.iter().filter(in_source).count(),
        mapped: said.iter().filter(in_source).filter(|c| !none.contains(**c)).count(),
        unmapped: missing(&known.source, &said),
        unreached: missing(&known.target, &reached),
        lost_source: lost(&said, &known.source),
        lost_target: lost(&reached, &known.target),
    }
}

fn sorted(codes: impl Iterator<Item = String>) -> Vec<String> {
    let mut codes: Vec<String> = codes.collect();
    codes.sort();
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mapping_leaves_open_is_told_both_ways() {
        let set = |s: &str| s.split(' ').map(str::to_owned).collect();
        let pair = |source: &str, relation, target: &str| Pair {
            source: source.into(),
            relation,
            target: target.into(),
            reason: String::new(),
        };
        let rows = [
            pair("a", Relation::Equal, "1"),
            pair("b", Relation::Broader, "2"),
            pair("b", Relation::Broader, "9"),
            pair("c", Relation::None, ""),
            pair("z", Relation::Narrower, "1"),
        ];
        let found = compare(&Known { source: set("a b c d"), target: set("1 2 3") }, &rows);
        assert_eq!((found.source, found.target, found.mapped, found.none), (4, 3, 2, 1));
        assert_eq!((found.unmapped.join(" "), found.unreached.join(" ")), ("d".into(), "3".into()));
        assert_eq!((found.lost_source.join(" "), found.lost_target.join(" ")), ("z".into(), "9".into()));
    }
}
