//! Roles are named sets of permissions, written as data (`roles.toml`), which a province may add to or replace
//! in its configuration. Permissions themselves are declared by the modules.

use std::collections::BTreeMap;

use base::error::{Error, Result};
use base::i18n::Text;
use serde::Deserialize;

use super::appointment::{Appointment, Flaw, Holding};

/// How far a role's permissions reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleReach {
    /// The whole province.
    Province,
    /// The appointment's agency and what is below it.
    Agency,
}

/// One role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name, Vietnamese.
    vi: String,
    /// Its name, English.
    en: String,
    /// How far it reaches.
    pub reach: RoleReach,
    /// Names of the permissions it carries.
    pub permissions: Vec<String>,
}

impl Role {
    /// Its name.
    pub fn title(&self) -> Text {
        Text { vi: self.vi.clone(), en: self.en.clone() }
    }
}

/// All roles by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<String, Role>);

impl Roles {
    /// The roles that come with the platform.
    pub fn standard() -> Result<Self> {
        Self::parse(include_str!("roles.toml"))
    }

    /// Reads roles from TOML.
    pub fn parse(toml: &str) -> Result<Self> {
        Ok(Self(toml::from_str(toml).map_err(Error::internal)?))
    }

    /// These roles, with those of the configuration added or in place of them.
    pub fn with(mut self, more: BTreeMap<String, Role>) -> Self {
        self.0.extend(more);
        self
    }

    /// The role with this code.
    pub fn get(&self, code: &str) -> Option<&Role> {
        self.0.get(code)
    }

    /// Code and role, in order of code.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Role)> {
        self.0.iter().map(|(code, role)| (code.as_str(), role))
    }

    /// Permission names that no module in `declared` knows: misspelt, or of a module not mounted.
    pub fn undeclared<'a>(&'a self, declared: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self.iter().flat_map(|(code, r)| r.permissions.iter().map(move |p| (code, p.as_str())));
        pairs.filter(|(_, p)| !declared.contains(p))
    }

    /// What is wrong with an appointment as asked for; empty when nothing is.
    pub fn flaws(&self, a: &Appointment) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if a.holding == Holding::Deputy && a.period.until.is_none() {
            flaws.push(Flaw::DeputyWithoutEnd);
        }
        let roles: Vec<&Role> = a.roles.iter().filter_map(|code| self.get(code)).collect();
        if roles.is_empty() || roles.len() < a.roles.len() {
            flaws.push(Flaw::NoRole);
        }
        if a.agency.is_none() && roles.iter().any(|r| r.reach == RoleReach::Agency) {
            flaws.push(Flaw::AgencyMissing);
        }
        flaws
    }
}

#[cfg(test)]
mod tests {
    use base::ids::Uuid;

    use super::super::appointment::tests::sample;
    use super::*;
    use crate::orgs::UnitId;

    #[test]
    fn the_standard_roles_are_readable_and_complete() {
        let roles = Roles::standard().unwrap();
        for code in ["operator", "provider-officer", "consumer-officer", "auditor"] {
            let role = roles.get(code).unwrap_or_else(|| panic!("{code}"));
            assert!(
                !role.permissions.is_empty() && !role.title().vi.is_empty() && !role.title().en.is_empty()
            );
        }
        let writes = |code: &str| {
            let all = &roles.get(code).unwrap().permissions;
            all.iter().any(|p| !p.ends_with(".read") && p != "accounts.emergency.review")
        };
        assert!(!writes("auditor"), "an auditor changes nothing but what was found of an emergency");
        let decides =
            |code: &str| roles.get(code).unwrap().permissions.iter().any(|p| p.ends_with(".decide"));
        assert!(decides("provider-officer"));
        assert!(
            !decides("operator"),
            "agreements are decided by the provider, not by whoever runs the machine"
        );
    }

    #[test]
    fn a_province_may_replace_a_role() {
        let own =
            "[auditor]\nvi = 'Thanh tra'\nen = 'Inspector'\nreach = 'agency'\npermissions = ['x.read']\n";
        let roles = Roles::standard().unwrap().with(Roles::parse(own).unwrap().0);
        assert_eq!(roles.get("auditor").unwrap().permissions, ["x.read"]);
        assert_eq!(
            roles.undeclared(&["y.read"]).find(|(code, _)| *code == "auditor"),
            Some(("auditor", "x.read"))
        );
        assert!(Roles::parse("[a]\nvi='x'\nen='x'\nreach='everywhere'\npermissions=[]").is_err());
    }

    #[test]
    fn flawed_appointments_are_named() {
        let roles = Roles::standard().unwrap();
        let unit = Some(UnitId(Uuid::from_u128(7)));
        assert_eq!(roles.flaws(&sample(unit, &["provider-officer"])), []);
        assert_eq!(roles.flaws(&sample(None, &["operator"])), []);
        assert_eq!(roles.flaws(&sample(None, &["provider-officer"])), [Flaw::AgencyMissing]);
        assert_eq!(roles.flaws(&sample(unit, &["no-such-role"])), [Flaw::NoRole]);
        assert_eq!(roles.flaws(&sample(unit, &[])), [Flaw::NoRole]);
        let mut deputy = sample(unit, &["auditor"]);
        deputy.holding = Holding::Deputy;
        deputy.period.until = None;
        assert_eq!(roles.flaws(&deputy), [Flaw::DeputyWithoutEnd]);
    }
}
