//! Builds the history in three steps: the units before the reform, the reform, the dated changes after it; then checks
//! the result against the other source's counts.

use std::collections::HashMap;

use jiff::civil::Date;

use super::reform::Reform;
use super::{Certainty, Finding, History, Link, Unit, UnitNo, Version};
use crate::code::Code;
use crate::kind::UnitType;
use crate::lists::Lists;
use crate::name::same_spelling;
use crate::rows::{ActScope, Change};

/// The lists lack something without which no history can be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The list of lists names no date from which the old state is attested.
    #[error("lists: attested_from is missing for old63_provinces, old63_districts or old63_wards")]
    NoAttestedDate,
    /// The list of lists names no date for the new state.
    #[error("lists: as_of is missing for new34_wards")]
    NoListDate,
    /// The acts name no day of the reform, or different ones.
    #[error("acts: one common applies_from is needed for the scopes provinces, districts and communes")]
    NoReformDate,
}

/// A name that a unit bore, with where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) full_name: &'a str,
    pub(super) source: &'a str,
}

/// The history under construction.
pub(super) struct Builder<'a> {
    pub(super) lists: &'a Lists,
    pub(super) attested: Date,
    pub(super) reform: Date,
    pub(super) listed: Date,
    pub(super) units: Vec<Unit>,
    pub(super) links: Vec<Link>,
    pub(super) findings: Vec<Finding>,
    /// Units of the old state by code.
    pub(super) old: HashMap<Code, UnitNo>,
    /// Units of the new state by code.
    pub(super) new: HashMap<Code, UnitNo>,
}

pub(super) fn build(lists: &Lists) -> Result<(History, Vec<Finding>), BuildError> {
    let (attested, reform, listed) = dates(lists)?;
    let (old, new) = (HashMap::new(), HashMap::new());
    let (units, links, findings) = (Vec::new(), Vec::new(), Vec::new());
    let mut b = Builder { lists, attested, reform, listed, units, links, findings, old, new };
    b.old_state();
    Reform::of(&mut b).carry_out();
    b.later_changes();
    b.compare_counts();
    let states = b.states();
    let Builder { units, links, findings, .. } = b;
    Ok((History { units, links, acts: lists.acts.clone(), states }, findings))
}

/// The earliest attested day, the day of the reform, the day of the new list.
fn dates(lists: &Lists) -> Result<(Date, Date, Date), BuildError> {
    let old = ["old63_provinces", "old63_districts", "old63_wards"];
    let attested =
        old.iter().map(|l| lists.info(l).and_then(|i| i.attested_from)).collect::<Option<Vec<_>>>();
    let attested = attested.and_then(|d| d.into_iter().max()).ok_or(BuildError::NoAttestedDate)?;
    let listed = lists.info("new34_wards").map(|i| i.as_of).ok_or(BuildError::NoListDate)?;
    let scopes = [ActScope::Provinces, ActScope::Districts, ActScope::Communes];
    let mut days: Vec<Date> =
        lists.acts.iter().filter(|a| scopes.contains(&a.scope)).map(|a| a.applies_from).collect();
    days.sort();
    days.dedup();
    match days[..] {
        [reform] if attested < reform => Ok((attested, reform, listed)),
        _ => Err(BuildError::NoReformDate),
    }
}

impl<'a> Builder<'a> {
    fn old_state(&mut self) {
        let lists = self.lists;
        for p in &lists.old_provinces {
            self.begin_old(p.code, &p.full_name, p.kind, None, "old63_provinces");
        }
        for d in &lists.old_districts {
            let parent = self.old.get(&d.province).copied();
            self.begin_old(d.code, &d.full_name, d.kind, parent, "old63_districts");
        }
        for c in &lists.old_communes {
            let parent = self.old.get(&c.district).copied();
            self.begin_old(c.code, &c.full_name, c.kind, parent, "old63_wards");
        }
    }

    fn begin_old(&mut self, code: Code, name: &str, kind: UnitType, parent: Option<UnitNo>, source: &str) {
        let mut version = version(self.attested, code, kind, name, parent);
        version.from_known = false;
        version.source = source.to_owned();
        let key = format!("{}:{code}:old63", kind.level().key());
        let no = self.add(Unit { key, level: kind.level(), versions: vec![version] });
        self.old.insert(code, no);
    }

    pub(super) fn add(&mut self, unit: Unit) -> UnitNo {
        self.units.push(unit);
        UnitNo(self.units.len() - 1)
    }

    /// A new unit born on the day of the reform.
    pub(super) fn begin_new(&mut self, version: Version) -> UnitNo {
        let level = version.kind.level();
        let key = format!("{}:{}:{}", level.key(), version.code, version.valid_from);
        self.add(Unit { key, level, versions: vec![version] })
    }

    /// Ends a unit's last version.
    pub(super) fn end(&mut self, unit: UnitNo, on: Date, by: Option<String>) {
        if let Some(last) = self.last(unit) {
            last.valid_to = Some(on);
            last.ended_by = by;
        }
    }

    /// Appends a version to a unit, ending the one before.
    pub(super) fn append(&mut self, unit: UnitNo, version: Version) {
        if let Some(last) = self.last(unit) {
            last.valid_to = Some(version.valid_from);
        }
        if let Some(unit) = self.units.get_mut(unit.0) {
            unit.versions.push(version);
        }
    }

    pub(super) fn last(&mut self, unit: UnitNo) -> Option<&mut Version> {
        self.units.get_mut(unit.0).and_then(|u| u.versions.last_mut())
    }

    /// The dated changes of one unit, in order.
    fn changes(&self, code: Code) -> Vec<&'a Change> {
        let mut changes: Vec<_> = self.lists.changes.iter().filter(|c| c.code == code).collect();
        changes.sort_by_key(|c| c.on);
        changes
    }

    /// What a unit was called on the day of the reform, seen from a list that shows a later day: the changes up to that
    /// day are undone. The mapping's spelling, nearest in time, is preferred where it is the same name.
    pub(super) fn name_at_reform(
        &mut self,
        code: Code,
        listed: Named<'a>,
        mapped: Option<Named<'a>>,
    ) -> Named<'a> {
        let changes = self.changes(code);
        let undone = changes
            .iter()
            .rfind(|c| c.on <= self.listed)
            .is_some_and(|c| same_spelling(&c.to, listed.full_name));
        let first = changes.first().filter(|c| c.on <= self.listed && undone);
        let name = first.map_or(listed, |c| Named { full_name: &c.from, source: listed.source });
        match mapped {
            Some(mapped) if same_spelling(mapped.full_name, name.full_name) => mapped,
            Some(mapped) => {
                let (used, other) = (name.full_name.to_owned(), mapped.full_name.to_owned());
                self.findings.push(Finding::NamesDiffer { code, used, other });
                name
            }
            None => name,
        }
    }

    /// Applies the dated changes of names and types: the unit stays.
    fn later_changes(&mut self) {
        let mut codes: Vec<Code> = self.lists.changes.iter().map(|c| c.code).collect();
        codes.sort();
        codes.dedup();
        for code in codes {
            for change in self.changes(code) {
                self.change(change);
            }
        }
    }

    fn change(&mut self, change: &Change) {
        let Some(unit) = self.new.get(&change.code).copied() else { return };
        let Some(last) = self.last(unit).cloned() else { return };
        let level = last.kind.level();
        let to = UnitType::of_full_name(&change.to, level);
        let fits = same_spelling(&last.full_name, &change.from) && last.valid_from < change.on;
        let (Some((kind, name)), true) = (to, fits) else {
            let (expected, found) = (change.from.clone(), last.full_name);
            self.findings.push(Finding::ChangeDoesNotFit {
                code: change.code,
                on: change.on,
                expected,
                found,
            });
            return;
        };
        // A change of type alone does not change how the name is spelt.
        let name = if same_spelling(name, &last.name) { last.name.clone() } else { name.to_owned() };
        let full_name = format!("{} {name}", kind.word());
        let mut next = version(change.on, change.code, kind, &full_name, last.parent);
        next.act = Some(change.act.clone());
        next.certainty = change.certainty;
        next.source = change.evidence.clone();
        next.seat = last.seat.clone();
        self.append(unit, next);
    }

    /// Compares the reconstructed state on the day of the reform with the other source's counts.
    fn compare_counts(&mut self) {
        for facts in &self.lists.facts {
            let mut here = [0; 3];
            for commune in self.lists.new_communes.iter().filter(|c| c.province == facts.code) {
                let unit = self.new.get(&commune.code).and_then(|no| self.units.get(no.0));
                let kind =
                    unit.and_then(|u| u.versions.iter().find(|v| v.covers(self.reform))).map(|v| v.kind);
                let at = match kind {
                    Some(UnitType::Commune) => 0,
                    Some(UnitType::Ward) => 1,
                    Some(UnitType::SpecialZone) => 2,
                    _ => continue,
                };
                if let Some(count) = here.get_mut(at) {
                    *count += 1;
                }
            }
            let there = [facts.communes, facts.wards, facts.special_zones];
            if here != there {
                self.findings.push(Finding::CountsDiffer { province: facts.code, here, there });
            }
        }
    }

    fn states(&self) -> Vec<Date> {
        let mut days: Vec<Date> = self.units.iter().flat_map(|u| &u.versions).map(|v| v.valid_from).collect();
        days.sort();
        days.dedup();
        days
    }
}

/// A version that stands in a list and is open at its end.
pub(super) fn version(
    valid_from: Date,
    code: Code,
    kind: UnitType,
    full_name: &str,
    parent: Option<UnitNo>,
) -> Version {
    let name = UnitType::of_full_name(full_name, kind.level()).map_or(full_name, |(_, n)| n).to_owned();
    Version {
        valid_from,
        from_known: true,
        valid_to: None,
        code,
        kind,
        name,
        full_name: full_name.to_owned(),
        spellings: Vec::new(),
        parent,
        act: None,
        ended_by: None,
        certainty: Certainty::Listed,
        source: String::new(),
        formed_from: None,
        seat: None,
    }
}

impl Lists {
    /// The number of the resolution of a scope, for one province if the scope has one per province.
    pub(super) fn act(&self, scope: ActScope, province: Option<Code>) -> Option<String> {
        self.acts.iter().find(|a| a.scope == scope && a.province == province).map(|a| a.number.clone())
    }
}
