//! Keys: what members, subsystems and services are called on the wire within their instance. They are how
//! the declarative file and the snapshot name things; the tables use identifiers.

use std::fmt;
use std::str::FromStr;

use base::i18n::Text;

use crate::code::{self, clip};
use crate::t;

/// A member: class and code (`GOV/H38`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberKey {
    /// Member class, for example `GOV`.
    pub class: String,
    /// Code within the class.
    pub code: String,
}

impl fmt::Display for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.class, self.code)
    }
}

impl FromStr for MemberKey {
    type Err = Text;

    fn from_str(s: &str) -> Result<Self, Text> {
        let form = || Text::both(|l| t::member_key_form(l, clip(s)));
        let (class, own) = s.split_once('/').ok_or_else(form)?;
        sound(&[class, own]).then(|| Self { class: class.to_owned(), code: own.to_owned() }).ok_or_else(form)
    }
}

/// A subsystem (`GOV/H38/motcua`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubsystemKey {
    /// Whose it is.
    pub member: MemberKey,
    /// Code within the member.
    pub code: String,
}

impl fmt::Display for SubsystemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.member, self.code)
    }
}

impl FromStr for SubsystemKey {
    type Err = Text;

    fn from_str(s: &str) -> Result<Self, Text> {
        let form = || Text::both(|l| t::subsystem_key_form(l, clip(s)));
        let (member, own) = s.rsplit_once('/').ok_or_else(form)?;
        let member = member.parse().map_err(|_: Text| form())?;
        sound(&[own]).then(|| Self { member, code: own.to_owned() }).ok_or_else(form)
    }
}

/// A service (`GOV/H38/motcua/tra-cuu`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// The subsystem that provides it.
    pub subsystem: SubsystemKey,
    /// Code within the subsystem.
    pub code: String,
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.subsystem, self.code)
    }
}

impl FromStr for ServiceKey {
    type Err = Text;

    fn from_str(s: &str) -> Result<Self, Text> {
        let form = || Text::both(|l| t::service_key_form(l, clip(s)));
        let (subsystem, own) = s.rsplit_once('/').ok_or_else(form)?;
        let subsystem = subsystem.parse().map_err(|_: Text| form())?;
        sound(&[own]).then(|| Self { subsystem, code: own.to_owned() }).ok_or_else(form)
    }
}

fn sound(codes: &[&str]) -> bool {
    codes.iter().all(|c| code::check(c).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_as_many_parts_as_they_should() {
        let key: ServiceKey = "GOV/H38/motcua/tra-cuu".parse().unwrap();
        assert_eq!(key.to_string(), "GOV/H38/motcua/tra-cuu");
        assert_eq!(key.subsystem.member.code, "H38");
        for bad in ["", "GOV/H38/motcua", "GOV/H38/motcua/tra-cuu/v1", "GOV//motcua/x", "GOV/H 38/a/b"] {
            assert!(bad.parse::<ServiceKey>().is_err(), "{bad:?}");
        }
        assert!("GOV/H38".parse::<SubsystemKey>().is_err() && "GOV".parse::<MemberKey>().is_err());
    }
}
