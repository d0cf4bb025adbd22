//! The types of this part: dated versions, successions, codes. No I/O.

use adminunits::agency_code::AgencyCode;
use base::clock::{Date, Timestamp};
use base::text;
use serde::{Deserialize, Serialize};

use super::UnitId;
use super::kind::{Kind, Tree};

/// The day that stands for "open" in storage; later than any act.
pub(super) const OPEN: &str = "9999-12-31";

/// How sure a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Recorded here by an act.
    Decided,
    /// Stands in a published list.
    Listed,
    /// Reported by change logs or the press.
    Reported,
    /// Concluded from several lists.
    Inferred,
}

impl Certainty {
    /// Stable word.
    pub fn key(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Listed => "listed",
            Self::Reported => "reported",
            Self::Inferred => "inferred",
        }
    }

    /// Reads what [`Certainty::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Decided, Self::Listed, Self::Reported, Self::Inferred].into_iter().find(|c| c.key() == key)
    }
}

/// What a source says beyond names and codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// What the unit was formed from, in the words of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formed_from: Option<String>,
    /// Seat of its offices, in the words of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<String>,
    /// Other spellings in official lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spellings: Vec<String>,
}

/// A unit between two dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The unit.
    pub unit: UnitId,
    /// Its tree.
    pub tree: Tree,
    /// First day.
    pub valid_from: Date,
    /// `false`: attested from that day, began earlier.
    pub from_known: bool,
    /// First day on which it is no longer valid; `None` while open.
    pub valid_to: Option<Date>,
    /// When this was recorded here.
    pub recorded_at: Timestamp,
    /// Type.
    pub kind: Kind,
    /// "Hạc Thành".
    pub name: String,
    /// "Phường Hạc Thành": the official string, for print.
    pub full_name: String,
    /// The statistics office's code of a territory, the identification code of an agency.
    pub code: Option<String>,
    /// The unit above it.
    pub parent: Option<UnitId>,
    /// Number of the act that brought this version.
    pub act: Option<String>,
    /// Number of the act that ended the unit.
    pub ended_by: Option<String>,
    /// How sure.
    pub certainty: Certainty,
    /// Where it was read.
    pub source: String,
    /// What else the source says.
    pub details: Details,
}

impl Version {
    /// Whether it is valid on a day.
    pub fn covers(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|end| day < end)
    }
}

/// How a unit passed into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuccessionKind {
    /// The whole of it became (part of) the successor.
    Merge,
    /// It was divided; the successor has one part.
    Split,
    /// It became a unit of another level.
    Convert,
    /// Only functions passed; the predecessor goes on.
    Transfer,
}

impl SuccessionKind {
    /// Stable word.
    pub fn key(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Convert => "convert",
            Self::Transfer => "transfer",
        }
    }

    /// Reads what [`SuccessionKind::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Merge, Self::Split, Self::Convert, Self::Transfer].into_iter().find(|k| k.key() == key)
    }
}

/// A predecessor and a successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The predecessor.
    pub predecessor: UnitId,
    /// The successor.
    pub successor: UnitId,
    /// How.
    pub kind: SuccessionKind,
    /// First day of the new state.
    pub on: Date,
    /// The part that passed, in hundredths of a percent; `None` where no source says.
    pub share: Option<i64>,
    /// Whether functions and records passed with it; `None` where only the act could tell.
    pub transfers: Option<bool>,
    /// Number of the act.
    pub act: Option<String>,
    /// How sure.
    pub certainty: Certainty,
    /// Where it was read.
    pub source: String,
}

/// Who gave a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeSystem {
    /// The statistics office (QĐ 124/2004/QĐ-TTg, QĐ 19/2025/QĐ-TTg).
    Statistics,
    /// Identification codes (QĐ 20/2020/QĐ-TTg; padded form QCVN 102:2016/BTTTT).
    Identification,
    /// A code of some information system.
    Local,
}

impl CodeSystem {
    /// Stable word.
    pub fn key(self) -> &'static str {
        match self {
            Self::Statistics => "statistics",
            Self::Identification => "identification",
            Self::Local => "local",
        }
    }

    /// Reads what [`CodeSystem::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Statistics, Self::Identification, Self::Local].into_iter().find(|s| s.key() == key)
    }
}

/// One code of a unit, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeUse {
    /// The unit.
    pub unit: UnitId,
    /// Who gave it.
    pub system: CodeSystem,
    /// As written.
    pub code: String,
    /// First day.
    pub valid_from: Date,
    /// First day on which it is no longer valid; `None` while open.
    pub valid_to: Option<Date>,
}

/// A resolution or decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// "1686/NQ-UBTVQH15".
    pub number: String,
    /// Who issued it.
    pub issuer: String,
    /// Date of issue, if known.
    pub issued_on: Option<Date>,
    /// First day of the state that it brings.
    pub applies_from: Date,
    /// Its title.
    pub title: String,
}

/// The form of a code by which look-ups compare: identification codes of either style become one; others are taken as
/// they are.
pub(super) fn canonical(code: &str) -> String {
    AgencyCode::parse(code).map_or_else(|_| code.trim().to_owned(), |(c, _)| c.as_str().to_owned())
}

/// Folded syllables joined by single blanks, with one before the first: `LIKE '% x%'` finds beginnings of syllables.
/// Names with apostrophes are found with and without them.
pub(super) fn search_text(names: &[&str]) -> String {
    let mut out = String::from(" ");
    for name in names {
        let folded = text::fold(name);
        push_tokens(&mut out, &folded);
        if folded.contains(['\'', '’']) {
            push_tokens(&mut out, &folded.replace(['\'', '’'], ""));
        }
    }
    out
}

/// The folded syllables of one name, joined by single blanks.
pub(super) fn name_fold(name: &str) -> String {
    let mut out = String::new();
    push_tokens(&mut out, &text::fold(name));
    out.trim_end().to_owned()
}

fn push_tokens(out: &mut String, folded: &str) {
    for token in folded.split(|c: char| !c.is_alphanumeric()).filter(|t| !t.is_empty()) {
        out.push_str(token);
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back() {
        for c in [Certainty::Decided, Certainty::Listed, Certainty::Reported, Certainty::Inferred] {
            assert_eq!(Certainty::from_key(c.key()), Some(c));
        }
    }

    #[test]
    fn names_are_found_with_and_without_apostrophes() {
        assert_eq!(search_text(&["Xã Ea H'leo"]), " xa ea h leo xa ea hleo ");
        assert_eq!(name_fold("Văn Miếu - Quốc Tử Giám"), "van mieu quoc tu giam");
    }

    #[test]
    fn both_styles_of_identification_codes_are_one() {
        assert_eq!(canonical("000.00.00.H56"), canonical("H56"));
        assert_eq!(canonical(" vxp.saas.03 "), "vxp.saas.03");
    }
}
