//! 1 July 2025: provinces merge, districts end, communes merge, divide or stay.

use std::collections::{HashMap, HashSet};

use super::build::{Builder, Named, version};
use super::{Certainty, Finding, Link, LinkKind, UnitNo};
use crate::code::Code;
use crate::kind::{Level, UnitType};
use crate::lists::is_untouched;
use crate::name::{same_spelling, spelling_key};
use crate::rows::{ActScope, NewCommune, NewProvince, WardMapping};

const MAPPING: &str = "ward_mapping_old_new";

pub(super) struct Reform<'b, 'a> {
    b: &'b mut Builder<'a>,
    /// Rows of the mapping by new commune.
    into: HashMap<Code, Vec<&'a WardMapping>>,
    /// How many successors each old commune has.
    parts: HashMap<Code, usize>,
}

impl<'b, 'a> Reform<'b, 'a> {
    pub(super) fn of(b: &'b mut Builder<'a>) -> Self {
        let mut into: HashMap<Code, Vec<&WardMapping>> = HashMap::new();
        let mut parts: HashMap<Code, usize> = HashMap::new();
        for row in &b.lists.ward_mapping {
            into.entry(row.new).or_default().push(row);
            if let Some(old) = row.old {
                *parts.entry(old).or_default() += 1;
            }
        }
        Self { b, into, parts }
    }

    pub(super) fn carry_out(mut self) {
        let lists = self.b.lists;
        for province in &lists.new_provinces {
            self.province(province);
        }
        for commune in &lists.new_communes {
            self.commune(commune);
        }
        self.end_districts();
        self.end_what_has_no_successor();
        self.old_spellings();
    }

    fn province(&mut self, province: &'a NewProvince) {
        let lists = self.b.lists;
        let rows: Vec<_> = lists.province_mapping.iter().filter(|m| m.new == province.code).collect();
        let listed = Named { full_name: &province.full_name, source: "new34_provinces" };
        let mapped = rows
            .first()
            .map(|m| Named { full_name: m.new_name.as_str(), source: "province_mapping_old_new" });
        let named = self.b.name_at_reform(province.code, listed, mapped);
        let Some((kind, _)) = UnitType::of_full_name(named.full_name, Level::Province) else { return };
        let mut next = version(self.b.reform, province.code, kind, named.full_name, None);
        next.act = lists.act(ActScope::Provinces, None);
        next.source = named.source.to_owned();
        let facts = lists.facts.iter().find(|f| f.code == province.code).map(|f| f.formed_from.clone());
        next.formed_from = facts.filter(|f| !is_untouched(f));
        let olds: Vec<UnitNo> = rows.iter().filter_map(|m| self.b.old.get(&m.old)).copied().collect();
        let no = match olds[..] {
            [only] => self.keep_province(only, next),
            _ => self.merge_provinces(&olds, next),
        };
        self.b.new.insert(province.code, no);
    }

    /// A province that was not merged goes on; only another name or type would make a version.
    fn keep_province(&mut self, unit: UnitNo, next: super::Version) -> UnitNo {
        let unchanged = self.b.last(unit).is_some_and(|last| same_spelling(&last.full_name, &next.full_name));
        if !unchanged {
            self.b.append(unit, next);
        }
        unit
    }

    fn merge_provinces(&mut self, olds: &[UnitNo], next: super::Version) -> UnitNo {
        let act = next.act.clone();
        if olds.is_empty() {
            let (code, name) = (next.code, next.full_name.clone());
            self.b.findings.push(Finding::NoPredecessor { code, name });
        }
        let no = self.b.begin_new(next);
        for old in olds {
            self.b.end(*old, self.b.reform, act.clone());
            self.link(*old, no, LinkKind::Merge, act.clone(), "province_mapping_old_new");
        }
        no
    }

    fn commune(&mut self, commune: &'a NewCommune) {
        let lists = self.b.lists;
        let rows = self.into.get(&commune.code).cloned().unwrap_or_default();
        let listed = Named { full_name: &commune.full_name, source: "new34_wards" };
        let mapped = rows.first().map(|m| Named { full_name: m.new_name.as_str(), source: "new34_wards" });
        let named = self.b.name_at_reform(commune.code, listed, mapped);
        let Some((kind, _)) = UnitType::of_full_name(named.full_name, Level::Commune) else { return };
        let parent = self.b.new.get(&commune.province).copied();
        let mut next = version(self.b.reform, commune.code, kind, named.full_name, parent);
        next.act = lists.act(ActScope::Communes, Some(commune.province));
        next.source = named.source.to_owned();
        next.seat = commune.seat.clone();
        next.formed_from = commune.formed_from.clone();
        next.spellings = spellings(named.full_name, [commune.full_name.as_str()]);
        let no = match self.kept(commune, &rows) {
            Some((unit, certainty)) => {
                next.certainty = certainty;
                self.b.append(unit, next);
                unit
            }
            None => self.merge_communes(&rows, next),
        };
        self.b.new.insert(commune.code, no);
    }

    /// The old commune that goes on as this one: its only predecessor, undivided, with nothing added. Either the mapping
    /// says so, or nothing but the code, name or type changed and the text on its origin names one unit only.
    fn kept(&self, commune: &NewCommune, rows: &[&WardMapping]) -> Option<(UnitNo, Certainty)> {
        let [row] = rows else { return None };
        let old = row.old.filter(|old| self.parts.get(old) == Some(&1) && !row.divided)?;
        let unit = self.b.old.get(&old).copied()?;
        if !row.merged {
            return Some((unit, Certainty::Listed));
        }
        let single =
            commune.formed_from.as_deref().is_some_and(|t| !t.contains([',', ';']) && !t.contains(" và "));
        single.then_some((unit, Certainty::Inferred))
    }

    fn merge_communes(&mut self, rows: &[&WardMapping], next: super::Version) -> UnitNo {
        let act = next.act.clone();
        if rows.is_empty() {
            let (code, name) = (next.code, next.full_name.clone());
            self.b.findings.push(Finding::NoPredecessor { code, name });
        }
        let no = self.b.begin_new(next);
        for row in rows {
            let (old, kind) = match row.old {
                Some(old) if self.parts.get(&old).is_some_and(|n| *n > 1) => (old, LinkKind::Split),
                Some(old) => (old, LinkKind::Merge),
                None => (row.old_district, LinkKind::Convert),
            };
            if let Some(from) = self.b.old.get(&old).copied() {
                self.b.end(from, self.b.reform, act.clone());
                self.link(from, no, kind, act.clone(), MAPPING);
            }
        }
        no
    }

    fn link(&mut self, from: UnitNo, to: UnitNo, kind: LinkKind, act: Option<String>, source: &str) {
        let transfers = (kind != LinkKind::Split).then_some(true);
        let (on, certainty, source) = (self.b.reform, Certainty::Listed, source.to_owned());
        self.b.links.push(Link { from, to, kind, on, transfers, act, certainty, source });
    }

    /// The district level ended everywhere.
    fn end_districts(&mut self) {
        let act = self.b.lists.act(ActScope::Districts, None);
        for district in &self.b.lists.old_districts {
            if let Some(unit) = self.b.old.get(&district.code).copied() {
                self.b.end(unit, self.b.reform, act.clone());
            }
        }
    }

    /// Old provinces and communes of which no list says what they became: their old state ended with the districts.
    fn end_what_has_no_successor(&mut self) {
        let lists = self.b.lists;
        let codes =
            lists.old_provinces.iter().map(|p| p.code).chain(lists.old_communes.iter().map(|c| c.code));
        for code in codes {
            let Some(unit) = self.b.old.get(&code).copied() else { continue };
            let kept = self.b.new.values().any(|n| *n == unit);
            let Some(last) = self.b.last(unit) else { continue };
            if last.valid_to.is_none() && !kept {
                let name = last.full_name.clone();
                self.b.findings.push(Finding::NoSuccessor { code, name });
                self.b.end(unit, self.b.reform, None);
            }
        }
    }

    /// The mapping's spellings of old names, for search.
    fn old_spellings(&mut self) {
        let mut seen = HashSet::new();
        for row in &self.b.lists.ward_mapping {
            let Some(unit) = row.old.filter(|old| seen.insert(*old)).and_then(|old| self.b.old.get(&old))
            else {
                continue;
            };
            if let Some(first) = self.b.units.get_mut(unit.0).and_then(|u| u.versions.first_mut()) {
                first.spellings = spellings(&first.full_name, [row.old_name.as_str()]);
            }
        }
    }
}

/// The spellings whose name, the type aside, is not the same in other dress.
fn spellings<const N: usize>(full_name: &str, others: [&str; N]) -> Vec<String> {
    let key =
        |full: &str| spelling_key(UnitType::of_full_name(full, Level::Commune).map_or(full, |(_, n)| n));
    let own = key(full_name);
    others.into_iter().filter(|o| !o.is_empty() && key(o) != own).map(str::to_owned).collect()
}
