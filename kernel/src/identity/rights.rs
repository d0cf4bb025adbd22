//! What an appointment permits at a moment: permission × agencies × field × time, nothing unless granted.
//! Pure; over which agencies an appointment reaches is read by `lineage`.

use std::collections::BTreeSet;

use base::clock::Timestamp;

use super::appointment::Appointment;
use super::roles::{RoleReach, Roles};
use crate::cx::{Grant, Grants, Reach};
use crate::orgs::UnitId;

/// Everything the appointment permits at `at`, given the agencies it reaches on that day.
///
/// An appointment at an agency that no longer exists reaches nothing and permits nothing, not even what its
/// roles permit over the province: the people of a merged unit get new appointments at its successor.
pub fn grants(appointment: &Appointment, roles: &Roles, reached: &BTreeSet<UnitId>, at: Timestamp) -> Grants {
    let placed = appointment.agency.is_none() || !reached.is_empty();
    if !appointment.valid_at(at) || !placed {
        return Grants::default();
    }
    let mut out: Vec<Grant> = Vec::new();
    for role in appointment.roles.iter().filter_map(|code| roles.get(code)) {
        let reach = match role.reach {
            RoleReach::Province => Reach::Province,
            RoleReach::Agency if appointment.agency.is_some() => Reach::Agencies(reached.clone()),
            RoleReach::Agency => continue,
        };
        for permission in &role.permissions {
            let grant = Grant {
                permission: permission.clone(),
                reach: reach.clone(),
                field: appointment.field.clone(),
                valid_from: appointment.period.begins(),
                valid_to: appointment.over_at(),
                emergency: None,
            };
            if !out.contains(&grant) {
                out.push(grant);
            }
        }
    }
    Grants(out)
}

#[cfg(test)]
mod tests {
    use base::ids::Uuid;

    use super::super::appointment::tests::sample;
    use super::*;
    use crate::cx::{Actor, Cx, Permission, Scope};

    const READ: Permission = Permission { name: "thing.read", vi: "đọc", en: "read" };
    const WRITE: Permission = Permission { name: "thing.write", vi: "sửa", en: "write" };

    const OWN: u128 = 1;
    const BELOW: u128 = 2;
    const NEIGHBOUR: u128 = 3;

    fn unit(n: u128) -> UnitId {
        UnitId(Uuid::from_u128(n))
    }

    fn over(n: u128) -> Scope {
        Scope::agency(unit(n))
    }

    fn roles() -> Roles {
        Roles::parse(
            "[officer]\nvi='x'\nen='x'\nreach='agency'\npermissions=['thing.read','thing.write']\n\
             [viewer]\nvi='x'\nen='x'\nreach='agency'\npermissions=['thing.read']\n\
             [watcher]\nvi='x'\nen='x'\nreach='province'\npermissions=['thing.read']\n",
        )
        .unwrap()
    }

    fn at(s: &str) -> Timestamp {
        s.parse().unwrap()
    }

    const DURING: &str = "2025-08-01T00:00:00Z";

    /// What the holder of `roles_held` at OWN sees, where OWN reaches `reached`.
    fn view(a: &Appointment, reached: &[u128], moment: &str) -> Cx {
        let reached = reached.iter().map(|n| unit(*n)).collect();
        let mut cx = Cx::kernel("test", at(moment));
        cx.actor = Actor::Official { person: a.person, appointment: Some(a.id) };
        cx.grants = grants(a, &roles(), &reached, at(moment)).into();
        cx
    }

    #[test]
    fn rights_reach_what_the_agency_reaches_and_no_neighbour() {
        let cx = view(&sample(Some(unit(OWN)), &["officer"]), &[OWN, BELOW], DURING);
        assert!(cx.holds(WRITE, &over(OWN)) && cx.holds(READ, &over(BELOW)));
        assert!(!cx.holds(READ, &over(NEIGHBOUR)) && !cx.holds(READ, &Scope::province()));
    }

    #[test]
    fn a_role_over_the_province_reaches_everything_with_its_own_permissions_only() {
        let cx = view(&sample(None, &["watcher"]), &[], DURING);
        assert!(cx.holds(READ, &Scope::province()) && cx.holds(READ, &over(NEIGHBOUR)));
        assert!(!cx.holds(WRITE, &over(OWN)));
        let nowhere = view(&sample(None, &["officer"]), &[], DURING);
        assert!(nowhere.grants.0.is_empty(), "a role over an agency needs one");
    }

    #[test]
    fn at_an_agency_that_no_longer_exists_nothing_is_left() {
        assert!(view(&sample(Some(unit(OWN)), &["officer"]), &[], DURING).grants.0.is_empty());
        assert!(view(&sample(Some(unit(OWN)), &["watcher"]), &[], DURING).grants.0.is_empty());
    }

    #[test]
    fn an_ended_or_future_appointment_permits_nothing_and_grants_end_with_it() {
        let mut a = sample(Some(unit(OWN)), &["officer"]);
        assert!(view(&a, &[OWN], "2025-06-30T16:59:59Z").grants.0.is_empty());
        assert!(view(&a, &[OWN], "2026-04-29T17:00:00Z").grants.0.is_empty());
        a.ended_at = Some(at("2025-10-01T00:00:00Z"));
        let mut cx = view(&a, &[OWN], "2025-09-30T23:59:59Z");
        assert!(cx.holds(READ, &over(OWN)));
        cx.at = at("2025-10-01T00:00:00Z");
        assert!(!cx.holds(READ, &over(OWN)), "a grant computed earlier ends by itself");
    }

    #[test]
    fn a_field_of_work_limits_every_grant() {
        let mut a = sample(Some(unit(OWN)), &["officer"]);
        a.field = Some("hộ tịch".into());
        let cx = view(&a, &[OWN], DURING);
        let of = |field: &str| Scope { field: Some(field.into()), ..over(OWN) };
        assert!(cx.holds(WRITE, &of("hộ tịch")));
        assert!(!cx.holds(WRITE, &of("đất đai")) && !cx.holds(WRITE, &over(OWN)));
    }

    #[test]
    fn roles_add_up_without_doubling_and_unknown_ones_give_nothing() {
        let both = view(&sample(Some(unit(OWN)), &["viewer", "officer", "no-such-role"]), &[OWN], DURING);
        assert_eq!(both.grants.0.len(), 2);
        assert!(view(&sample(Some(unit(OWN)), &["no-such-role"]), &[OWN], DURING).grants.0.is_empty());
    }
}
