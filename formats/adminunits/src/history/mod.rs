//! The dated history of every unit, built from the lists. A merger always makes a new unit, even where the code is
//! used again; a change of name, type or parent keeps the unit. What the lists do not say stays unknown.

mod build;
mod finding;
mod reform;

use std::collections::HashMap;

use jiff::civil::Date;

use crate::code::Code;
use crate::kind::{Level, UnitType};
use crate::lists::Lists;
use crate::rows::Act;

pub use build::BuildError;
pub use finding::Finding;

/// How sure a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Stands in a published list.
    Listed,
    /// Reported by change logs or the press; the list shipped here is older.
    Reported,
    /// Concluded from several lists; no list says so itself.
    Inferred,
}

impl Certainty {
    /// Stable word for storage and interfaces.
    pub fn key(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Reported => "reported",
            Self::Inferred => "inferred",
        }
    }

    /// Reads what [`Certainty::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Listed, Self::Reported, Self::Inferred].into_iter().find(|c| c.key() == key)
    }
}

/// A unit's place in [`History::units`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitNo(pub usize);

/// One unit through its whole life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Stable between imports: level, code and birth, for example `commune:14797:2025-07-01`; `old63` for
    /// units whose birth lies before the lists.
    pub key: String,
    /// Level; it never changes.
    pub level: Level,
    /// In order of time, without gaps or overlaps.
    pub versions: Vec<Version>,
}

/// A unit between two dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// First day.
    pub valid_from: Date,
    /// Whether the version began on that day; `false`: it is attested from then, and began earlier.
    pub from_known: bool,
    /// First day on which it is no longer valid; `None` while open.
    pub valid_to: Option<Date>,
    /// The statistics office's code.
    pub code: Code,
    /// Type.
    pub kind: UnitType,
    /// "Hạc Thành".
    pub name: String,
    /// "Phường Hạc Thành", for print.
    pub full_name: String,
    /// Other spellings of the full name in the lists, for search.
    pub spellings: Vec<String>,
    /// The unit above it.
    pub parent: Option<UnitNo>,
    /// Number of the act that brought this version; unknown for the oldest.
    pub act: Option<String>,
    /// Number of the act that ended it, if it ended with the unit.
    pub ended_by: Option<String>,
    /// How sure.
    pub certainty: Certainty,
    /// The list that says so, or the evidence.
    pub source: String,
    /// What it was formed from, in the words of the source.
    pub formed_from: Option<String>,
    /// Seat of its offices, in the words of the source.
    pub seat: Option<String>,
}

impl Version {
    /// Whether it is valid on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|end| day < end)
    }
}

/// How a unit passed into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// The whole of it became (part of) the successor.
    Merge,
    /// It was divided; this successor has one part.
    Split,
    /// A district without communes became a special zone.
    Convert,
}

impl LinkKind {
    /// Stable word for storage and interfaces.
    pub fn key(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Convert => "convert",
        }
    }
}

/// A predecessor and a successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The predecessor.
    pub from: UnitNo,
    /// The successor.
    pub to: UnitNo,
    /// How.
    pub kind: LinkKind,
    /// First day of the successor.
    pub on: Date,
    /// Whether the predecessor's functions and records passed on; `None` for parts, where only the act could tell.
    pub transfers: Option<bool>,
    /// Number of the act.
    pub act: Option<String>,
    /// How sure.
    pub certainty: Certainty,
    /// The list that says so.
    pub source: String,
}

/// Every unit and how they follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// All units.
    pub units: Vec<Unit>,
    /// All successions.
    pub links: Vec<Link>,
    /// The acts named in versions and links.
    pub acts: Vec<Act>,
    /// First days of the states: the earliest attested day, then every day on which something changed.
    pub states: Vec<Date>,
}

/// How many units of each type there are on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(pub HashMap<UnitType, usize>);

impl Counts {
    /// Units of one type.
    pub fn of(&self, kind: UnitType) -> usize {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    /// Units of one level.
    pub fn level(&self, level: Level) -> usize {
        self.0.iter().filter(|(k, _)| k.level() == level).map(|(_, n)| n).sum()
    }
}

impl History {
    /// Builds the history, with everything in which the lists disagree or leave a gap.
    ///
    /// # Errors
    /// When the lists lack the dates without which nothing can be said.
    pub fn build(lists: &Lists) -> Result<(Self, Vec<Finding>), BuildError> {
        build::build(lists)
    }

    /// A unit.
    pub fn unit(&self, no: UnitNo) -> Option<&Unit> {
        self.units.get(no.0)
    }

    /// Versions valid on a day, with their units.
    pub fn on(&self, day: Date) -> impl Iterator<Item = (UnitNo, &Version)> {
        let valid = move |u: &'_ Unit| u.versions.iter().position(|v| v.covers(day));
        (0..).zip(&self.units).filter_map(move |(i, u)| Some((UnitNo(i), u.versions.get(valid(u)?)?)))
    }

    /// The unit that has a code on a day.
    pub fn valid(&self, code: &str, day: Date) -> Option<(UnitNo, &Version)> {
        self.on(day).find(|(_, v)| v.code.as_str() == code)
    }

    /// What a unit passed into.
    pub fn successors(&self, unit: UnitNo) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |l| l.from == unit)
    }

    /// What a unit was formed from.
    pub fn predecessors(&self, unit: UnitNo) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(move |l| l.to == unit)
    }

    /// How many units there are on a day.
    pub fn counts(&self, day: Date) -> Counts {
        let mut counts = Counts::default();
        self.on(day).for_each(|(_, v)| *counts.0.entry(v.kind).or_default() += 1);
        counts
    }
}

/// Names of what each new commune was formed from: old communes, by their own list and by the mapping, without type.
pub(crate) fn predecessor_names(lists: &Lists) -> HashMap<Code, Vec<String>> {
    let mut names: HashMap<Code, Vec<String>> = HashMap::new();
    for row in lists.ward_mapping.iter().filter(|r| r.old.is_some()) {
        let name = UnitType::of_full_name(&row.old_name, Level::Commune).map_or("", |(_, n)| n);
        names.entry(row.new).or_default().push(name.to_owned());
    }
    names
}
