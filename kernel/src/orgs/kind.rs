//! The two trees and the types of their units, with the words people read.

use adminunits::{Level, UnitType};
use base::i18n::Lang;
use serde::{Deserialize, Serialize};

/// Which of the two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tree {
    /// Đơn vị hành chính: tỉnh, huyện (until 30 June 2025), xã.
    Territory,
    /// Cơ quan, tổ chức.
    Agency,
}

impl Tree {
    /// Stable word.
    pub fn key(self) -> &'static str {
        match self {
            Self::Territory => "territory",
            Self::Agency => "agency",
        }
    }

    /// Reads what [`Tree::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Territory, Self::Agency].into_iter().find(|t| t.key() == key)
    }
}

/// Type of an agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgencyKind {
    /// Ủy ban nhân dân.
    PeoplesCommittee,
    /// Hội đồng nhân dân.
    PeoplesCouncil,
    /// Cơ quan Đảng.
    Party,
    /// Mặt trận Tổ quốc, tổ chức chính trị - xã hội.
    Front,
    /// Bộ, cơ quan ngang bộ, cơ quan thuộc Chính phủ.
    Ministry,
    /// Sở, ban, ngành cấp tỉnh.
    Department,
    /// Phòng, ban chuyên môn.
    Division,
    /// Công an.
    Police,
    /// Trung tâm, đơn vị sự nghiệp.
    Centre,
    /// Doanh nghiệp.
    Enterprise,
    /// Tổ chức khác.
    Other,
}

impl AgencyKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::PeoplesCommittee,
        Self::PeoplesCouncil,
        Self::Party,
        Self::Front,
        Self::Ministry,
        Self::Department,
        Self::Division,
        Self::Police,
        Self::Centre,
        Self::Enterprise,
        Self::Other,
    ];

    /// Stable word, Vietnamese, English.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::PeoplesCommittee => ("peoples-committee", "Ủy ban nhân dân", "People's Committee"),
            Self::PeoplesCouncil => ("peoples-council", "Hội đồng nhân dân", "People's Council"),
            Self::Party => ("party", "Cơ quan Đảng", "Party body"),
            Self::Front => ("front", "Mặt trận, tổ chức chính trị - xã hội", "Front or mass organisation"),
            Self::Ministry => ("ministry", "Bộ, cơ quan trung ương", "Ministry or central agency"),
            Self::Department => ("department", "Sở, ban, ngành", "Provincial department"),
            Self::Division => ("division", "Phòng, ban chuyên môn", "Division"),
            Self::Police => ("police", "Công an", "Police"),
            Self::Centre => ("centre", "Trung tâm, đơn vị sự nghiệp", "Centre or public service unit"),
            Self::Enterprise => ("enterprise", "Doanh nghiệp", "Enterprise"),
            Self::Other => ("other", "Tổ chức khác", "Other organisation"),
        }
    }
}

/// Type of a unit of either tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Of a territory.
    Territory(UnitType),
    /// Of an agency.
    Agency(AgencyKind),
}

impl Kind {
    /// Stable word.
    pub fn key(self) -> &'static str {
        match self {
            Self::Territory(t) => t.key(),
            Self::Agency(a) => a.words().0,
        }
    }

    /// Reads what [`Kind::key`] writes.
    pub fn from_key(tree: Tree, key: &str) -> Option<Self> {
        match tree {
            Tree::Territory => UnitType::from_key(key).map(Self::Territory),
            Tree::Agency => AgencyKind::ALL.into_iter().find(|a| a.words().0 == key).map(Self::Agency),
        }
    }

    /// The type's name. Vietnamese words of the law; English as the statistics office translates them.
    pub fn label(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Agency(a), Lang::Vi) => a.words().1,
            (Self::Agency(a), Lang::En) => a.words().2,
            (Self::Territory(UnitType::CentralCity), Lang::Vi) => "Thành phố trực thuộc trung ương",
            (Self::Territory(UnitType::ProvincialCity), Lang::Vi) => "Thành phố thuộc tỉnh",
            (Self::Territory(t), Lang::Vi) => t.word(),
            (Self::Territory(t), Lang::En) => match t {
                UnitType::Province => "Province",
                UnitType::CentralCity => "Centrally run city",
                UnitType::UrbanDistrict => "Urban district",
                UnitType::RuralDistrict => "District",
                UnitType::Town => "Town",
                UnitType::ProvincialCity => "Provincial city",
                UnitType::Commune => "Commune",
                UnitType::Ward => "Ward",
                UnitType::Township => "Township",
                UnitType::SpecialZone => "Special zone",
            },
        }
    }

    /// The level of a territory.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::Territory(t) => Some(t.level()),
            Self::Agency(_) => None,
        }
    }

    /// Place in lists: provinces, then districts, then communes.
    pub(super) fn rank(self) -> i64 {
        match self.level() {
            None | Some(Level::Province) => 0,
            Some(Level::District) => 1,
            Some(Level::Commune) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back() {
        for kind in AgencyKind::ALL.map(Kind::Agency) {
            assert_eq!(Kind::from_key(Tree::Agency, kind.key()), Some(kind));
        }
        for kind in UnitType::ALL.map(Kind::Territory) {
            assert_eq!(Kind::from_key(Tree::Territory, kind.key()), Some(kind));
        }
    }
}
