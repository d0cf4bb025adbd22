//! The request for a connection before and beside its agreement: what the consumer writes, what it attaches, what is still
//! missing, and whose turn it is. Once sent, its terms are those of the agreement, whose steps are in `agreement`.

pub mod actions;
pub mod deadline;
pub mod file;
pub mod store;

use std::collections::BTreeSet;

use base::clock::Date;
use base::error::FieldError;
use base::i18n::{Lang, Text};
use serde::{Deserialize, Serialize};

use crate::agreement::{Letter, MAX_TEXT, Scope, SecurityLevel, State, Terms};
use crate::environment::Environment;
use crate::ids::EndpointId;
use crate::quota::Quota;
use crate::t;

/// What the consumer has written so far; everything may still be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// The endpoints asked for; none means the whole service.
    pub endpoints: BTreeSet<EndpointId>,
    /// Paths of the fields asked for.
    pub fields: Vec<String>,
    /// What the data is for.
    pub purpose: String,
    /// The legal acts it rests on.
    pub legal_basis: Vec<String>,
    /// How many calls.
    pub quota: Quota,
    /// First day.
    pub valid_from: Option<Date>,
    /// Last day.
    pub valid_to: Option<Date>,
    /// Number of the official letter.
    pub letter_number: String,
    /// Its date.
    pub letter_date: Option<Date>,
    /// The consumer system's security level.
    pub security_level: Option<u8>,
    /// The decision that approved it.
    pub security_decision: String,
    /// Who answers technical questions.
    pub contact_name: String,
    /// How to reach them.
    pub contact_phone: String,
    /// Whether data of people is among what is asked for, as the consumer says.
    pub personal: bool,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The official letter.
    Letter,
    /// The proposal of the system's security level with its decision (hồ sơ đề xuất cấp độ).
    Security,
    /// The assessment of the impact on personal data.
    Personal,
    /// Anything else.
    Other,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Letter, Self::Security, Self::Personal, Self::Other];

    /// As stored and written in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Security => "security",
            Self::Personal => "personal",
            Self::Other => "other",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }

    /// The words people read.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Letter => t::file_letter(l),
            Self::Security => t::file_security(l),
            Self::Personal => t::file_personal(l),
            Self::Other => t::file_other(l),
        }
    }
}

/// A line of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// What the data is for.
    Purpose,
    /// The legal acts.
    LegalBasis,
    /// At least one field, where the service names any.
    Fields,
    /// First and last day, in this order and not over.
    Validity,
    /// Number and date of the letter.
    Letter,
    /// The letter itself.
    LetterFile,
    /// The security level with its decision.
    Security,
    /// The file of the security level.
    SecurityFile,
    /// The technical contact.
    Contact,
    /// The file on personal data, when there is any.
    PersonalFile,
}

impl Item {
    /// The words people read.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Purpose => t::item_purpose(l),
            Self::LegalBasis => t::item_legal_basis(l),
            Self::Fields => t::item_fields(l),
            Self::Validity => t::item_validity(l),
            Self::Letter => t::item_letter(l),
            Self::LetterFile => t::item_letter_file(l),
            Self::Security => t::item_security(l),
            Self::SecurityFile => t::item_security_file(l),
            Self::Contact => t::item_contact(l),
            Self::PersonalFile => t::item_personal_file(l),
        }
    }
}

/// What the service and the files say about a draft.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Kinds of the attached files.
    pub attached: BTreeSet<Kind>,
    /// Whether the service's description names fields.
    pub names_fields: bool,
    /// Those of them that are personal.
    pub personal_fields: BTreeSet<String>,
}

impl Draft {
    /// Whether data of people is asked for: the consumer says so, or a field is marked, or all fields are asked for of a
    /// service that has such.
    pub fn is_personal(&self, beside: &Beside) -> bool {
        let marked = |f: &String| {
            beside
                .personal_fields
                .iter()
                .any(|p| p == f || p.starts_with(&format!("{f}.")) || p.starts_with(&format!("{f}[]")))
        };
        self.personal || self.fields.iter().any(marked)
    }

    /// The checklist: every line that applies, and whether it is done.
    pub fn checklist(&self, beside: &Beside, today: Date) -> Vec<(Item, bool)> {
        let has = |kind| beside.attached.contains(&kind);
        let validity = self.valid_from.zip(self.valid_to).is_some_and(|(from, to)| from <= to && to >= today);
        let mut list = vec![
            (Item::Purpose, !self.purpose.trim().is_empty()),
            (Item::LegalBasis, !self.legal_basis.is_empty()),
        ];
        if beside.names_fields {
            list.push((Item::Fields, !self.fields.is_empty()));
        }
        list.extend([
            (Item::Validity, validity),
            (Item::Letter, !self.letter_number.trim().is_empty() && self.letter_date.is_some()),
            (Item::LetterFile, has(Kind::Letter)),
            (Item::Security, self.security_level.is_some() && !self.security_decision.trim().is_empty()),
            (Item::SecurityFile, has(Kind::Security)),
            (Item::Contact, !self.contact_name.trim().is_empty() && !self.contact_phone.trim().is_empty()),
        ]);
        if self.is_personal(beside) {
            list.push((Item::PersonalFile, has(Kind::Personal)));
        }
        list
    }

    /// The terms it asks for; `None` while something they need is missing.
    pub fn terms(&self) -> Option<Terms> {
        Some(Terms {
            scope: match self.endpoints.is_empty() {
                true => Scope::Whole,
                false => Scope::Endpoints(self.endpoints.clone()),
            },
            purpose: self.purpose.clone(),
            legal_basis: self.legal_basis.clone(),
            fields: self.fields.clone(),
            quota: self.quota,
            valid_from: self.valid_from?,
            valid_to: self.valid_to?,
            letter: Some(Letter { number: self.letter_number.clone(), date: self.letter_date? }),
            security: Some(SecurityLevel {
                level: self.security_level?,
                decision: self.security_decision.clone(),
            }),
        })
    }

    /// Puts the texts in order, and leaves out fields that stand in one already named.
    pub fn tidy(&mut self) {
        let texts = [
            &mut self.purpose,
            &mut self.letter_number,
            &mut self.security_decision,
            &mut self.contact_name,
            &mut self.contact_phone,
        ];
        for text in texts {
            *text = base::text::nfc(text.trim());
        }
        self.legal_basis = self.legal_basis.iter().map(|b| base::text::nfc(b.trim())).collect();
        self.legal_basis.retain(|b| !b.is_empty());
        let named: BTreeSet<String> = self.fields.iter().map(|f| f.trim().to_owned()).collect();
        let within = |f: &String| {
            named.iter().any(|n| {
                f.strip_prefix(n.as_str()).is_some_and(|r| r.starts_with('.') || r.starts_with("[]"))
            })
        };
        self.fields = named.iter().filter(|f| !f.is_empty() && !within(f)).cloned().collect();
    }

    /// Checks what is there; what is missing is the checklist's matter.
    ///
    /// # Errors
    /// Every wrong value.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut say = |field: &str, text: Text| wrong.push(FieldError { field: field.to_owned(), text });
        let too_long = |max: usize| Text::both(|l| t::text_too_long(l, max));
        for (name, text, max) in [
            ("purpose", &self.purpose, MAX_TEXT),
            ("letter_number", &self.letter_number, 200),
            ("security_decision", &self.security_decision, 200),
            ("contact_name", &self.contact_name, 200),
            ("contact_phone", &self.contact_phone, 200),
        ] {
            if text.chars().count() > max {
                say(name, too_long(max));
            }
        }
        if self.legal_basis.len() > 50 || self.legal_basis.iter().any(|b| b.chars().count() > 500) {
            say("legal_basis", too_long(500));
        }
        if self.fields.len() > crate::agreement::MAX_LIST {
            say("fields", Text::both(|l| t::list_form(l, t::ListForm { max_entries: 500, max_text: 512 })));
        }
        for text in self.fields.iter().filter_map(|f| crate::agreement::check_field(f).err()) {
            say("fields", text);
        }
        if let Err(text) = self.quota.check() {
            say("per_minute", text);
        }
        if self.security_level.is_some_and(|n| !(1..=5).contains(&n)) {
            say("security_level", Text::both(t::security_level_range));
        }
        if let (Some(first), Some(last)) = (self.valid_from, self.valid_to)
            && last < first
        {
            say(
                "valid_to",
                Text::both(|l| t::validity_order(l, t::ValidityOrder { first: first.vn(), last: last.vn() })),
            );
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// The agency that asks.
    Consumer,
    /// The agency that provides.
    Provider,
    /// Nobody's: it runs, or is over.
    Nobody,
}

/// Whose turn it is with a request; `None` for a draft.
pub fn turn(stands: Option<(State, Environment, bool)>) -> Turn {
    match stands {
        None | Some((State::Returned, ..)) | Some((State::Approved, Environment::Sandbox, _)) => {
            Turn::Consumer
        }
        Some((State::Waiting | State::Suspended, ..))
        | Some((State::Approved, Environment::Test, _))
        | Some((State::Approved, Environment::Production, false)) => Turn::Provider,
        _ => Turn::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn full() -> Draft {
        Draft {
            fields: vec!["ho_ten".into()],
            purpose: "Tra cứu".into(),
            legal_basis: vec!["Nghị định 278/2025/NĐ-CP".into()],
            valid_from: Some(day("2026-12-01")),
            valid_to: Some(day("2027-11-30")),
            letter_number: "12/UBND".into(),
            letter_date: Some(day("2026-11-20")),
            security_level: Some(2),
            security_decision: "5/QĐ".into(),
            contact_name: "Nguyễn Thử".into(),
            contact_phone: "0900".into(),
            ..Draft::default()
        }
    }

    fn open(draft: &Draft, beside: &Beside) -> Vec<Item> {
        let list = draft.checklist(beside, day("2026-11-22"));
        list.into_iter().filter(|(_, done)| !done).map(|(item, _)| item).collect()
    }

    #[test]
    fn the_checklist_names_what_is_missing_and_nothing_else() {
        let mut beside = Beside { names_fields: true, ..Beside::default() };
        assert_eq!(open(&Draft::default(), &beside).len(), 9);
        assert_eq!(open(&full(), &beside), [Item::LetterFile, Item::SecurityFile]);
        beside.attached = [Kind::Letter, Kind::Security].into();
        assert!(open(&full(), &beside).is_empty() && full().terms().is_some());
        beside.personal_fields = ["ho_ten".to_owned()].into();
        assert_eq!(open(&full(), &beside), [Item::PersonalFile]);
        assert_eq!(open(&Draft { valid_to: Some(day("2026-11-21")), ..full() }, &beside)[0], Item::Validity);
        let parent = Draft { fields: vec!["noi".into()], ..full() };
        beside.personal_fields = ["noi.thon".to_owned()].into();
        assert!(parent.is_personal(&beside), "a field with a personal one inside");
    }

    #[test]
    fn a_field_within_another_is_left_out() {
        let mut draft = Draft {
            fields: ["a.b", "a", "ab", "c[].d", "c[]", " "].map(Into::into).into(),
            ..Draft::default()
        };
        draft.tidy();
        assert_eq!(draft.fields, ["a", "ab", "c[]"]);
    }

    #[test]
    fn it_is_always_somebodys_turn_until_it_runs_or_is_over() {
        use Environment::{Production, Sandbox, Test};
        for state in State::ALL {
            for place in [Sandbox, Test, Production] {
                let nobody = state.is_final() || (state, place) == (State::Approved, Production);
                assert_eq!(turn(Some((state, place, true))) == Turn::Nobody, nobody, "{state} {place}");
            }
        }
        assert_eq!(turn(None), Turn::Consumer);
        assert_eq!(turn(Some((State::Approved, Production, false))), Turn::Provider);
    }
}
