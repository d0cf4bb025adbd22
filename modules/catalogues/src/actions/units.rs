//! The first catalogues of a province, out of the units the platform knows: types of units, provinces, the units of the
//! own province, and mappings of the codes before 1 July 2025 to those since. Derived, not written by hand: each day on
//! which the units changed becomes a version.

use std::collections::{BTreeMap, BTreeSet};

use base::clock::Date;
use base::i18n::Lang;
use kernel::orgs::{Kind as UnitKind, Succession, Tree, UnitId, Version as Unit};
use kernel::{Cx, Error, Kernel, Result};
use serde_json::{Map, Value};

use super::{New, NewEnds, create, draft, import, publish};
use crate::catalogue::{Description, Kind};
use crate::content::{Content, Given};
use crate::entry::Entry;
use crate::label::Label;
use crate::pair::{Pair, Relation};
use crate::store::catalogues;
use crate::t;
use crate::table::Reading;
use crate::version::{Outline, Period};

/// Types of units.
const TYPES: &str = "LOAI-DVHC";
/// Provinces of the country.
const PROVINCES: &str = "DVHC-TINH";
/// The attribute that says of which type a unit is.
const TYPE: &str = "type";
/// The attribute that names the act a unit rests on.
const ACT: &str = "act";
/// Since when there are two levels.
const TWO_LEVELS: (i16, i8, i8) = (2025, 7, 1);

/// What the catalogues are made for, and as whom.
struct Maker<'a> {
    k: &'a Kernel,
    cx: &'a Cx,
    owner: UnitId,
}

/// Makes and publishes the catalogues of units and the mappings of old to new codes for a province, by its code of
/// today. What is there already stays as it is. Returns the codes of what was made.
///
/// # Errors
/// `NotFound` when no units were imported or there is no such province; what making and publishing may meet.
pub async fn publish_units(k: &Kernel, cx: &Cx, owner: UnitId, province: &str) -> Result<Vec<String>> {
    let states = k.orgs().states().await?;
    let absent = || Error::NotFound { kind: "unit" };
    let last = *states.last().ok_or_else(absent)?;
    let own = k.orgs().by_code(province, last).await?.filter(|v| v.tree == Tree::Territory);
    let own = own.ok_or_else(absent)?;
    let maker = Maker { k, cx, owner };
    let (y, m, d) = TWO_LEVELS;
    let since = Date::new(y, m, d).ok_or_else(|| Error::internal("a day of the calendar"))?;
    let eve = since.plus_days(-1).ok_or_else(|| Error::internal("a day of the calendar"))?;
    let mut made = Vec::new();

    let mut types = Vec::new();
    let mut provinces = Vec::new();
    let mut units = Vec::new();
    for on in &states {
        let kinds: BTreeSet<UnitKind> =
            k.orgs().counts(None, *on).await?.into_iter().map(|(kind, _)| kind).collect();
        types.push((*on, kinds.into_iter().map(of_kind).collect()));
        let roots = k.orgs().roots(Tree::Territory, *on).await?;
        provinces.push((*on, roots.iter().map(|v| of_unit(v, "")).collect()));
        units.push((*on, below(k, &own, &roots, *on).await?));
    }
    let about = |name: [String; 2], text: &str, act: &str| {
        let [name_vi, name_en] = name;
        let (about, act) = (text.to_owned(), act.to_owned());
        Description { name_vi, name_en, about, act, public: true, ..Description::default() }
    };
    let labelled = |about: Description| Description { labels: labels(), ..about };
    let both = |say: fn(Lang) -> &'static str| Lang::ALL.map(|l| say(l).to_owned());
    let act = t::units_act(Lang::Vi);
    let text = t::types_about(Lang::Vi);
    made.extend(maker.catalogue(TYPES, about(both(t::types_name), text, ""), types).await?);
    let text = t::provinces_about(Lang::Vi);
    let description = labelled(about(both(t::provinces_name), text, act));
    made.extend(maker.catalogue(PROVINCES, description, provinces).await?);
    let code = format!("DVHC-{province}");
    let name = Lang::ALL.map(|l| t::own_units_name(l, &own.full_name));
    let description = labelled(about(name, t::own_units_about(Lang::Vi), act));
    made.extend(maker.catalogue(&code, description, units).await?);

    if states.first().is_some_and(|first| *first < since) {
        let roots = k.orgs().roots(Tree::Territory, eve).await?;
        let pairs = pairs(k, &roots, since).await?;
        let text = t::provinces_mapping_about(Lang::Vi);
        let description = about(both(t::provinces_mapping_name), text, "");
        made.extend(maker.mapping(&format!("{PROVINCES}-2025"), PROVINCES, description, since, pairs).await?);
        let old: Vec<Unit> = old_units(k, &own, &roots, eve).await?;
        let pairs = self::pairs(k, &old, since).await?;
        let name = Lang::ALL.map(|l| t::own_mapping_name(l, &own.full_name));
        let description = about(name, t::own_mapping_about(Lang::Vi), "");
        made.extend(maker.mapping(&format!("{code}-2025"), &code, description, since, pairs).await?);
    }
    Ok(made)
}

impl Maker<'_> {
    async fn there(&self, code: &str) -> Result<bool> {
        Ok(catalogues::by_code(&self.k.db, code).await?.is_some())
    }

    async fn catalogue(
        &self,
        code: &str,
        about: Description,
        states: Vec<(Date, Vec<Entry>)>,
    ) -> Result<Option<String>> {
        if self.there(code).await? {
            return Ok(None);
        }
        let new = New { kind: Kind::Shared, code: code.to_owned(), about, owner: self.owner, ends: None };
        create(self.k, self.cx, new, None).await?;
        let mut before: Vec<Entry> = Vec::new();
        for (from, entries) in states {
            if entries == before {
                continue;
            }
            self.version(code, from, Content::Entries(entries.clone())).await?;
            before = entries;
        }
        Ok(Some(code.to_owned()))
    }

    async fn mapping(
        &self,
        code: &str,
        of: &str,
        about: Description,
        since: Date,
        pairs: Vec<Pair>,
    ) -> Result<Option<String>> {
        if self.there(code).await? {
            return Ok(None);
        }
        let ends = NewEnds {
            source: of.to_owned(),
            target: of.to_owned(),
            source_on: since.plus_days(-1),
            target_on: None,
        };
        let new =
            New { kind: Kind::Mapping, code: code.to_owned(), about, owner: self.owner, ends: Some(ends) };
        create(self.k, self.cx, new, None).await?;
        self.version(code, since, Content::Pairs(pairs)).await?;
        Ok(Some(code.to_owned()))
    }

    async fn version(&self, code: &str, from: Date, content: Content) -> Result<()> {
        let period = Period { from, to: None };
        let note = t::units_note(Lang::Vi).to_owned();
        let outline = Outline { period, act: String::new(), note };
        let (version, _) = draft(self.k, self.cx, code, outline, false, None).await?;
        let given = match content {
            Content::Entries(rows) => Given::Entries(Reading::of(rows)),
            Content::Pairs(rows) => Given::Pairs(Reading::of(rows)),
        };
        let done = import(self.k, self.cx, code, version.number, given, None, false).await?;
        if let Some(first) = done.refused.first() {
            return Err(Error::internal(format!("{code}, row {}: {}", first.line, first.reason.en)));
        }
        publish(self.k, self.cx, code, version.number, None).await?;
        Ok(())
    }
}

fn of_kind(kind: UnitKind) -> Entry {
    Entry {
        code: kind.key().to_owned(),
        name_vi: kind.label(Lang::Vi).to_owned(),
        name_en: kind.label(Lang::En).to_owned(),
        order: kind.level().map(order),
        ..Entry::default()
    }
}

/// Higher levels first.
fn order(level: adminunits::Level) -> i64 {
    match level {
        adminunits::Level::Province => 1,
        adminunits::Level::District => 2,
        adminunits::Level::Commune => 3,
    }
}

/// What the attributes of units are called.
fn labels() -> Vec<Label> {
    let label = |key: &str, name: fn(Lang) -> &'static str, values: &str| Label {
        key: key.to_owned(),
        name_vi: name(Lang::Vi).to_owned(),
        name_en: name(Lang::En).to_owned(),
        values: values.to_owned(),
    };
    vec![label(TYPE, t::label_type, TYPES), label(ACT, t::label_act, "")]
}

fn of_unit(v: &Unit, parent: &str) -> Entry {
    let mut attributes = Map::new();
    attributes.insert(TYPE.into(), Value::String(v.kind.key().to_owned()));
    if let Some(act) = &v.act {
        attributes.insert(ACT.into(), Value::String(act.clone()));
    }
    Entry {
        code: v.code.clone().unwrap_or_default(),
        name_vi: v.full_name.clone(),
        parent: parent.to_owned(),
        attributes,
        ..Entry::default()
    }
}

/// The provinces of a day that are the own province or became it.
async fn own_roots(k: &Kernel, own: &Unit, roots: &[Unit]) -> Result<Vec<Unit>> {
    let before: BTreeSet<UnitId> =
        k.orgs().predecessors(own.unit).await?.into_iter().map(|s| s.predecessor).collect();
    Ok(roots.iter().filter(|v| v.unit == own.unit || before.contains(&v.unit)).cloned().collect())
}

/// The units of the own province on a day, with their places in the tree.
async fn below(k: &Kernel, own: &Unit, roots: &[Unit], on: Date) -> Result<Vec<Entry>> {
    let mut out = Vec::new();
    let mut open: Vec<(Unit, String)> =
        own_roots(k, own, roots).await?.into_iter().map(|v| (v, String::new())).collect();
    while let Some((unit, parent)) = open.pop() {
        let entry = of_unit(&unit, &parent);
        for child in k.orgs().children(unit.unit, on).await? {
            open.push((child, entry.code.clone()));
        }
        out.push(entry);
    }
    out.sort_by(|a, b| a.code.cmp(&b.code));
    Ok(out)
}

async fn old_units(k: &Kernel, own: &Unit, roots: &[Unit], eve: Date) -> Result<Vec<Unit>> {
    let mut out = own_roots(k, own, roots).await?;
    let mut at = 0;
    while let Some(unit) = out.get(at).map(|v| v.unit) {
        out.extend(k.orgs().children(unit, eve).await?);
        at += 1;
    }
    Ok(out)
}

/// What became of units on a day, as pairs of codes.
async fn pairs(k: &Kernel, old: &[Unit], on: Date) -> Result<Vec<Pair>> {
    let mut steps: BTreeMap<UnitId, Vec<Succession>> = BTreeMap::new();
    let mut sources: BTreeMap<UnitId, usize> = BTreeMap::new();
    for unit in old {
        let mut found = k.orgs().successors(unit.unit).await?;
        found.retain(|s| s.on == on);
        steps.insert(unit.unit, found);
    }
    let into: BTreeSet<UnitId> = steps.values().flatten().map(|s| s.successor).collect();
    for unit in &into {
        let from = k.orgs().predecessors(*unit).await?;
        let from: BTreeSet<UnitId> = from.iter().filter(|s| s.on == on).map(|s| s.predecessor).collect();
        sources.insert(*unit, from.len());
    }
    let mut ids: Vec<UnitId> = into.into_iter().collect();
    ids.extend(old.iter().map(|v| v.unit));
    let now = k.orgs().versions_at(&ids, on).await?;
    let code = |unit: UnitId| now.iter().find(|v| v.unit == unit).and_then(|v| v.code.clone());
    let mut out = Vec::new();
    for unit in old {
        let source = unit.code.clone().unwrap_or_default();
        let found = steps.get(&unit.unit).map_or(&[][..], Vec::as_slice);
        let targets: BTreeMap<String, usize> = found
            .iter()
            .filter_map(|s| Some((code(s.successor)?, sources.get(&s.successor).copied().unwrap_or(1))))
            .collect();
        let several = targets.len() > 1;
        let before = out.len();
        out.extend(targets.into_iter().map(|(target, from)| {
            let relation = match (several, from > 1) {
                (true, true) => Relation::Overlaps,
                (true, false) => Relation::Broader,
                (false, true) => Relation::Narrower,
                (false, false) => Relation::Equal,
            };
            Pair { source: source.clone(), relation, target, reason: String::new() }
        }));
        if out.len() == before {
            out.push(match code(unit.unit) {
                Some(target) => Pair { source, relation: Relation::Equal, target, reason: String::new() },
                None => {
                    let reason = t::unit_without_successor(Lang::Vi, on.vn());
                    Pair { source, relation: Relation::None, target: String::new(), reason }
                }
            });
        }
    }
    Ok(out)
}
