//! Levels and types of units, as the law on the organisation of local government names them.

/// Level in the tree. The district level ended on 1 July 2025.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Tỉnh, thành phố trực thuộc trung ương.
    Province,
    /// Quận, huyện, thị xã, thành phố thuộc tỉnh.
    District,
    /// Xã, phường, thị trấn, đặc khu.
    Commune,
}

impl Level {
    /// Stable word for keys and lists.
    pub fn key(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::District => "district",
            Self::Commune => "commune",
        }
    }

    /// Reads what [`Level::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Province, Self::District, Self::Commune].into_iter().find(|l| l.key() == key)
    }
}

/// Type of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitType {
    /// Tỉnh.
    Province,
    /// Thành phố trực thuộc trung ương.
    CentralCity,
    /// Quận.
    UrbanDistrict,
    /// Huyện.
    RuralDistrict,
    /// Thị xã.
    Town,
    /// Thành phố thuộc tỉnh.
    ProvincialCity,
    /// Xã.
    Commune,
    /// Phường.
    Ward,
    /// Thị trấn.
    Township,
    /// Đặc khu.
    SpecialZone,
}

impl UnitType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::Province,
        Self::CentralCity,
        Self::UrbanDistrict,
        Self::RuralDistrict,
        Self::Town,
        Self::ProvincialCity,
        Self::Commune,
        Self::Ward,
        Self::Township,
        Self::SpecialZone,
    ];

    /// The level it belongs to.
    pub fn level(self) -> Level {
        match self {
            Self::Province | Self::CentralCity => Level::Province,
            Self::UrbanDistrict | Self::RuralDistrict | Self::Town | Self::ProvincialCity => Level::District,
            Self::Commune | Self::Ward | Self::Township | Self::SpecialZone => Level::Commune,
        }
    }

    /// Stable word for storage and interfaces.
    pub fn key(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::CentralCity => "central-city",
            Self::UrbanDistrict => "urban-district",
            Self::RuralDistrict => "rural-district",
            Self::Town => "town",
            Self::ProvincialCity => "provincial-city",
            Self::Commune => "commune",
            Self::Ward => "ward",
            Self::Township => "township",
            Self::SpecialZone => "special-zone",
        }
    }

    /// Reads what [`UnitType::key`] writes.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.key() == key)
    }

    /// The word before the name in a full name: "Phường" in "Phường Hạc Thành".
    pub fn word(self) -> &'static str {
        match self {
            Self::Province => "Tỉnh",
            Self::CentralCity | Self::ProvincialCity => "Thành phố",
            Self::UrbanDistrict => "Quận",
            Self::RuralDistrict => "Huyện",
            Self::Town => "Thị xã",
            Self::Commune => "Xã",
            Self::Ward => "Phường",
            Self::Township => "Thị trấn",
            Self::SpecialZone => "Đặc khu",
        }
    }

    /// The type that a full name of this level begins with, whatever its letter case, and the rest of the name.
    pub fn of_full_name(full_name: &str, level: Level) -> Option<(Self, &str)> {
        Self::ALL.into_iter().filter(|t| t.level() == level).find_map(|t| {
            let mut rest = full_name.chars();
            let same =
                t.word().chars().all(|w| rest.next().is_some_and(|c| c.to_lowercase().eq(w.to_lowercase())));
            let name = rest.as_str();
            (same && name.starts_with(' ')).then(|| (t, name.trim_start())).filter(|(_, n)| !n.is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back() {
        for t in UnitType::ALL {
            assert_eq!(UnitType::from_key(t.key()), Some(t));
            assert_eq!(Level::from_key(t.level().key()), Some(t.level()));
        }
    }

    #[test]
    fn the_type_stands_before_the_name() {
        let commune = |s| UnitType::of_full_name(s, Level::Commune);
        assert_eq!(commune("xã Bắc Sơn"), Some((UnitType::Commune, "Bắc Sơn")));
        assert_eq!(commune("Thị Trấn Prao"), Some((UnitType::Township, "Prao")));
        assert_eq!(commune("Đặc khu Lý Sơn"), Some((UnitType::SpecialZone, "Lý Sơn")));
        assert_eq!(commune("Thành phố Huế"), None);
        assert_eq!(commune("Xãm"), None);
        assert_eq!(commune("Xã "), None);
        assert_eq!(
            UnitType::of_full_name("Thành phố Huế", Level::Province),
            Some((UnitType::CentralCity, "Huế"))
        );
        assert_eq!(
            UnitType::of_full_name("Thành phố Thanh Hóa", Level::District),
            Some((UnitType::ProvincialCity, "Thanh Hóa"))
        );
    }
}
