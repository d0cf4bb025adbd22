//! What a catalogue is, apart from its versions: kind, code, names, owner, act. A mapping of codes is a catalogue whose
//! rows are pairs; it says between which two catalogues.

use base::clock::{Date, Timestamp};
use base::error::FieldError;
use base::i18n::{Lang, Text};
use base::text;
use kernel::orgs::UnitId;
use serde::{Deserialize, Serialize};

use crate::ids::CatalogueId;
use crate::label::{self, Label};
use crate::t;

/// Longest code of a catalogue or an entry, in characters.
pub const MAX_CODE: usize = 64;
/// Longest name, in characters.
pub const MAX_NAME: usize = 300;
/// Longest explanation, in characters.
pub const MAX_TEXT: usize = 2_000;

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Entries shared by all systems.
    Shared,
    /// Entries of one system's own list.
    Local,
    /// Pairs of codes between two catalogues.
    Mapping,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Shared, Self::Local, Self::Mapping];

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Local => "local",
            Self::Mapping => "mapping",
        }
    }

    /// In words.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Shared => t::kind_shared(lang),
            Self::Local => t::kind_local(lang),
            Self::Mapping => t::kind_mapping(lang),
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = base::ids::BadId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or(base::ids::BadId("catalogue kind"))
    }
}

/// The two catalogues of a mapping. A fixed day means that this side is always read as on that day: codes that are no
/// longer given out still lie in old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Whose codes are translated.
    pub source: CatalogueId,
    /// Into whose codes.
    pub target: CatalogueId,
    /// The source is read as on this day instead of the day asked for.
    pub source_on: Option<Date>,
    /// The target is read as on this day instead of the day asked for.
    pub target_on: Option<Date>,
}

/// What may be corrected at any time; content is changed by versions only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Vietnamese name.
    pub name_vi: String,
    /// English name; empty means that the Vietnamese one is shown.
    pub name_en: String,
    /// What it is for, where the data come from.
    pub about: String,
    /// The legal act it rests on.
    pub act: String,
    /// The system whose own list it is (`VN/GOV/…`), for local lists.
    pub system: String,
    /// Published versions may be read by everybody.
    pub public: bool,
    /// What the attributes of its entries are called.
    #[serde(default)]
    pub labels: Vec<Label>,
}

impl Description {
    /// Trimmed and checked.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn checked(self) -> Result<Self, Vec<FieldError>> {
        let clean = |s: &str| text::nfc(s.trim());
        let this = Self {
            name_vi: clean(&self.name_vi),
            name_en: clean(&self.name_en),
            about: clean(&self.about),
            act: clean(&self.act),
            system: clean(&self.system),
            public: self.public,
            labels: Vec::new(),
        };
        let mut wrong = Vec::new();
        if this.name_vi.is_empty() {
            wrong.push(field("name_vi", Text::both(t::name_missing)));
        }
        let bounded = [
            ("name_vi", &this.name_vi, MAX_NAME),
            ("name_en", &this.name_en, MAX_NAME),
            ("about", &this.about, MAX_TEXT),
            ("act", &this.act, MAX_NAME),
            ("system", &this.system, MAX_NAME),
        ];
        for (name, value, most) in bounded {
            if value.chars().count() > most {
                wrong.push(field(name, Text::both(|l| t::too_long(l, most))));
            }
        }
        match label::checked(&self.labels) {
            Ok(labels) if wrong.is_empty() => return Ok(Self { labels, ..this }),
            Ok(_) => {}
            Err(e) => wrong.push(e),
        }
        Err(wrong)
    }

    /// The name in a language; the Vietnamese one when there is no other.
    pub fn name(&self, lang: Lang) -> &str {
        if lang == Lang::En && !self.name_en.is_empty() { &self.name_en } else { &self.name_vi }
    }
}

/// A catalogue or mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Which.
    pub id: CatalogueId,
    /// What its rows are.
    pub kind: Kind,
    /// Its code, never changed.
    pub code: String,
    /// Names, act, whether public.
    pub about: Description,
    /// The agency that answers for it.
    pub owner: UnitId,
    /// Between what, for a mapping.
    pub ends: Option<Ends>,
    /// Whether any version was ever published.
    pub published: bool,
    /// Grows with every change of the description.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the description was last changed or a version published.
    pub changed_at: Timestamp,
}

impl Catalogue {
    /// Whether the rows are pairs.
    pub fn is_mapping(&self) -> bool {
        self.kind == Kind::Mapping
    }

    /// The day on which the source of this mapping is read when it is asked for `on`.
    pub fn source_day(&self, on: Date) -> Date {
        self.ends.and_then(|e| e.source_on).unwrap_or(on)
    }

    /// The day on which the target of this mapping is read when it is asked for `on`.
    pub fn target_day(&self, on: Date) -> Date {
        self.ends.and_then(|e| e.target_on).unwrap_or(on)
    }
}

/// A catalogue's code as given: letters without accents, digits, `-`, `_`, `.`; it stands in addresses.
///
/// # Errors
/// What is wrong with it.
pub fn checked_code(name: &str, given: &str) -> Result<String, FieldError> {
    let code = given.trim();
    let first = code.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let plain = code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    // `new` is the page on which catalogues are made.
    if first && plain && code.len() <= MAX_CODE && code != "new" && code != "export" {
        return Ok(code.to_owned());
    }
    Err(field(name, Text::both(|l| t::code_form(l, t::CodeForm { given: clip(given), max: MAX_CODE }))))
}

/// One wrong field.
pub(crate) fn field(name: &str, text: Text) -> FieldError {
    FieldError { field: name.to_owned(), text }
}

/// The beginning of a value for messages.
pub(crate) fn clip(text: &str) -> String {
    const MOST: usize = 80;
    let mut out: String = text.chars().take(MOST).collect();
    if text.chars().count() > MOST {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_addresses() {
        assert_eq!(checked_code("code", " DVHC-TINH "), Ok("DVHC-TINH".into()));
        for bad in ["", "-a", "mã", "a b", "a/b", "new", "export", &"x".repeat(65)] {
            assert!(checked_code("code", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_wrong_field_of_a_description_is_told() {
        let wrong = Description { about: "x".repeat(2_001), ..Description::default() }.checked().unwrap_err();
        assert_eq!(wrong.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["name_vi", "about"]);
        let good = Description { name_vi: " Tỉnh ".into(), ..Description::default() }.checked().unwrap();
        assert_eq!((good.name(Lang::En), good.name(Lang::Vi)), ("Tỉnh", "Tỉnh"));
    }
}
