//! The national databases and systems, as shipped or as the province has corrected them: the route to each, which of
//! the registry's services lead there, and by when it must be done. Dated data, not code; how a link does at present is
//! in `links`.

pub mod links;

use std::collections::BTreeSet;
use std::path::PathBuf;

use base::clock::Date;
use base::i18n::{Lang, Text};
use serde::Deserialize;
use toml::value::Datetime;

use crate::t;

/// The list that comes with the program.
const SHIPPED: &str = include_str!("../../../../data/national/systems.toml");
/// Systems of one list.
const MOST: usize = 500;

/// By which way a system is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// The national data sharing and orchestration platform.
    Ndop,
    /// The national data exchange platform.
    Ndxp,
    /// Its own interface.
    Direct,
    /// No way yet.
    None,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ndop, Self::Ndxp, Self::Direct, Self::None];

    /// As in files and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndop => "ndop",
            Self::Ndxp => "ndxp",
            Self::Direct => "direct",
            Self::None => "none",
        }
    }

    /// Its name.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Ndop => t::route_ndop(l),
            Self::Ndxp => t::route_ndxp(l),
            Self::Direct => t::route_direct(l),
            Self::None => t::route_none(l),
        }
    }
}

/// How sure a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The named text was read.
    Read,
    /// Reported by others.
    Secondary,
    /// Expected from practice.
    Unverified,
}

impl Certainty {
    /// Its name.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Read => t::certainty_read(l),
            Self::Secondary => t::certainty_secondary(l),
            Self::Unverified => t::certainty_unverified(l),
        }
    }
}

/// One system.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Its code in addresses and configuration.
    pub code: String,
    /// Its name in Vietnamese.
    pub vi: String,
    /// Its name in English.
    pub en: String,
    /// Whom to ask.
    pub agency: String,
    /// The way that is known.
    pub route: Route,
    /// The legal basis.
    pub basis: String,
    /// Where this is from.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
}

impl System {
    /// Its name.
    pub fn name(&self, l: Lang) -> &str {
        match l {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeadline {
    date: Datetime,
    basis: String,
    source: String,
    certainty: Certainty,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    as_of: Datetime,
    deadline: Option<RawDeadline>,
    #[serde(default)]
    system: Vec<System>,
}

/// By when everything must be connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// The last day.
    pub date: Date,
    /// The legal basis.
    pub basis: String,
    /// Where this is from.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Systems {
    /// As of which day.
    pub as_of: Date,
    /// By when it must be done.
    pub deadline: Option<Deadline>,
    /// The systems, in the order of the file.
    pub systems: Vec<System>,
}

impl Systems {
    /// The list that comes with the program.
    ///
    /// # Errors
    /// Never, unless the program was built with a broken list.
    pub fn shipped() -> Result<Self, Text> {
        Self::read(SHIPPED)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// The sentence that says what is wrong.
    pub fn read(text: &str) -> Result<Self, Text> {
        let refuse = |why: &str| Text::both(|l| t::national_file_wrong(l, why));
        let file: File = toml::from_str(text).map_err(|e| refuse(e.message()))?;
        let date = |d: &Datetime| d.to_string().parse::<Date>().map_err(|_| refuse(&d.to_string()));
        if file.system.len() > MOST {
            return Err(refuse(&format!("> {MOST}")));
        }
        let mut codes = BTreeSet::new();
        for system in &file.system {
            let sound = !system.code.is_empty()
                && system.code.len() <= 64
                && system.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            let blank = [&system.vi, &system.en, &system.agency].iter().any(|t| t.trim().is_empty());
            if !sound || blank || !codes.insert(system.code.as_str()) {
                return Err(refuse(&system.code));
            }
        }
        let deadline = file.deadline.as_ref().map(|d| {
            let (basis, source) = (d.basis.clone(), d.source.clone());
            Ok::<_, Text>(Deadline { date: date(&d.date)?, basis, source, certainty: d.certainty })
        });
        Ok(Self { as_of: date(&file.as_of)?, deadline: deadline.transpose()?, systems: file.system })
    }

    /// The system with this code.
    pub fn get(&self, code: &str) -> Option<&System> {
        self.systems.iter().find(|s| s.code == code)
    }
}

/// `[exchange.national]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The province's own list in place of the shipped one.
    pub file: Option<PathBuf>,
    /// Which services lead where.
    pub link: Vec<Link>,
}

/// `[[exchange.national.link]]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Code of the system.
    pub system: String,
    /// The route taken here, if it is not that of the list.
    pub route: Option<Route>,
    /// Services of the registry that lead there, as `class/member/subsystem/service`.
    #[serde(default)]
    pub services: Vec<String>,
}

impl Settings {
    /// Reads the list in force.
    ///
    /// # Errors
    /// When the province's file cannot be read or is wrong, or a link names a system that is not in it.
    pub fn systems(&self) -> Result<Systems, Text> {
        let systems = match &self.file {
            None => Systems::shipped()?,
            Some(file) => {
                let text = std::fs::read_to_string(file).map_err(|e| {
                    Text::both(|l| t::national_file_wrong(l, format!("{}: {e}", file.display())))
                })?;
                Systems::read(&text)?
            }
        };
        let unknown = self.link.iter().find(|link| systems.get(&link.system).is_none());
        match unknown {
            Some(link) => Err(Text::both(|l| t::national_link_unknown(l, &link.system))),
            None => Ok(systems),
        }
    }

    /// The link of a system.
    pub fn link(&self, system: &str) -> Option<&Link> {
        self.link.iter().find(|l| l.system == system)
    }

    /// The route taken here.
    pub fn route(&self, system: &System) -> Route {
        self.link(&system.code).and_then(|l| l.route).unwrap_or(system.route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_sound_and_dated() {
        let list = Systems::shipped().unwrap();
        assert_eq!(list.deadline.as_ref().unwrap().date, Date::new(2026, 12, 31).unwrap());
        for code in ["population", "land", "business", "synthesis", "document-axis"] {
            assert!(list.get(code).is_some(), "{code}");
        }
        assert!(list.systems.iter().all(|s| !s.source.is_empty() && !s.basis.is_empty()));
    }

    #[test]
    fn a_wrong_list_or_link_is_refused_with_its_reason() {
        let head = "as_of = 2026-11-21\n[[system]]\ncode = \"a\"\nvi = \"A\"\nen = \"A\"\nagency = \"B\"\nroute = \"ndop\"\nbasis = \"\"\nsource = \"\"\ncertainty = \"read\"\n";
        assert!(Systems::read(head).is_ok());
        for (from, to) in
            [("ndop", "ftp"), ("\"a\"", "\"A b\""), ("2026-11-21", "2026-13-21"), ("basis", "bais")]
        {
            assert!(Systems::read(&head.replacen(from, to, 1)).is_err(), "{to}");
        }
        let twice = format!("{head}{}", &head[head.find('[').unwrap()..]);
        assert!(Systems::read(&twice).is_err());
        let link = |system: &str| Settings {
            link: vec![Link { system: system.into(), route: None, services: vec![] }],
            file: None,
        };
        assert!(link("population").systems().is_ok());
        assert!(link("khong-co").systems().unwrap_err().vi.contains("khong-co"));
    }
}
