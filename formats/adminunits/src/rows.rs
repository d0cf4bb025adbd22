//! The rows of the lists, typed. What each file is and how sure its contents are: `data/README.md`.

use jiff::civil::Date;

use crate::code::Code;
use crate::history::Certainty;
use crate::kind::{Level, UnitType};

/// A province of the 63, as listed before 1 July 2025.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldProvince {
    /// Two digits.
    pub code: Code,
    /// "Tỉnh Thanh Hóa".
    pub full_name: String,
    /// Type, from the full name.
    pub kind: UnitType,
}

/// A district, until 30 June 2025.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldDistrict {
    /// Three digits.
    pub code: Code,
    /// "Thành phố Thanh Hóa".
    pub full_name: String,
    /// Type, from the full name.
    pub kind: UnitType,
    /// Its province.
    pub province: Code,
}

/// A commune of the 10,035, as listed before 1 July 2025.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldCommune {
    /// Five digits.
    pub code: Code,
    /// "Phường Đông Hải".
    pub full_name: String,
    /// Type, from the full name.
    pub kind: UnitType,
    /// Its district.
    pub district: Code,
}

/// A province of the 34, as listed at the date of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProvince {
    /// Two digits.
    pub code: Code,
    /// "Thành phố Đồng Nai".
    pub full_name: String,
    /// Type, from the full name.
    pub kind: UnitType,
}

/// A commune of the 3,321, as listed at the date of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommune {
    /// Five digits.
    pub code: Code,
    /// "Phường Hạc Thành".
    pub full_name: String,
    /// Type, from the full name.
    pub kind: UnitType,
    /// Its province.
    pub province: Code,
    /// Seat of its offices at the merger, as published.
    pub seat: Option<String>,
    /// What it was formed from, as published.
    pub formed_from: Option<String>,
    /// Its line in the list.
    pub line: usize,
}

/// One old commune, or one part of it, in one new commune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WardMapping {
    /// The old province.
    pub old_province: Code,
    /// The old district.
    pub old_district: Code,
    /// The old commune; `None` for island districts that had no communes.
    pub old: Option<Code>,
    /// The old name as this list spells it; empty with `old`.
    pub old_name: String,
    /// The new commune.
    pub new: Code,
    /// The new name as this list spells it.
    pub new_name: String,
    /// The list says that the new commune was put together from several, or changed.
    pub merged: bool,
    /// The list says that the old commune was divided.
    pub divided: bool,
}

/// One old province in one new province.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceMapping {
    /// The old province.
    pub old: Code,
    /// The new province.
    pub new: Code,
    /// The new name as this list spells it.
    pub new_name: String,
}

/// How many communes of which type a province had on 1 July 2025, by another source: a check on the reconstruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceFacts {
    /// The province.
    pub code: Code,
    /// "tỉnh Bình Phước và tỉnh Đồng Nai", or "không sáp nhập".
    pub formed_from: String,
    /// Xã.
    pub communes: usize,
    /// Phường.
    pub wards: usize,
    /// Đặc khu.
    pub special_zones: usize,
}

/// A dated change of name or type; the unit and its code stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The unit's code, before and after.
    pub code: Code,
    /// Full name before.
    pub from: String,
    /// Full name after.
    pub to: String,
    /// First day of the new state.
    pub on: Date,
    /// Number of the resolution.
    pub act: String,
    /// How sure.
    pub certainty: Certainty,
    /// Where it was read.
    pub evidence: String,
}

/// What an act is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActScope {
    /// The merger of provinces.
    Provinces,
    /// The end of the district level.
    Districts,
    /// The communes of one province.
    Communes,
    /// The code list.
    Codes,
    /// A later change.
    Change,
}

/// A resolution or decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// "1686/NQ-UBTVQH15".
    pub number: String,
    /// "Ủy ban Thường vụ Quốc hội".
    pub issuer: String,
    /// Date of issue, if a source gave one.
    pub issued_on: Option<Date>,
    /// First day of the state that it brings.
    pub applies_from: Date,
    /// What it is about.
    pub scope: ActScope,
    /// The (new) province concerned, if one.
    pub province: Option<Code>,
    /// Its title.
    pub title: String,
}

/// Date and source of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListInfo {
    /// Name of the list.
    pub list: String,
    /// The day whose state it shows.
    pub as_of: Date,
    /// The earliest day from which the same state is attested, where known.
    pub attested_from: Option<Date>,
    /// Where it came from.
    pub source: String,
}

impl ActScope {
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        Some(match key {
            "provinces" => Self::Provinces,
            "districts" => Self::Districts,
            "communes" => Self::Communes,
            "codes" => Self::Codes,
            "change" => Self::Change,
            _ => return None,
        })
    }
}

/// Full name with the type's letter case put right, the type, and whether anything was put right.
pub(crate) fn full_name(text: &str, level: Level) -> Option<(String, UnitType, bool)> {
    let (kind, name) = UnitType::of_full_name(text, level)?;
    let tidy = format!("{} {name}", kind.word());
    let repaired = tidy != text;
    Some((tidy, kind, repaired))
}
