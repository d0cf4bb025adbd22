//! What an appointment permits at a moment: permission × agencies × field × time, nothing unless granted.
//! Pure; the tree of agencies and its history are asked through [`Lineage`].

use std::collections::BTreeSet;

use base::clock::{Date, Timestamp};

use super::appointment::Appointment;
use super::roles::{RoleReach, Roles};
use crate::cx::{Grant, Grants, Reach};
use crate::orgs::UnitId;

/// What the rules ask about agencies.
pub trait Lineage {
    /// The unit and all below it on that day; empty when it does not exist on that day.
    fn subtree(&self, unit: UnitId, on: Date) -> Vec<UnitId>;
    /// Units whose function an act in force on that day transferred directly to this one.
    fn transferred_to(&self, unit: UnitId, on: Date) -> Vec<UnitId>;
}

/// Everything the appointment permits at `at`.
///
/// Rights reach the agency, what is below it, and the records of predecessors whose function was transferred
/// to one of these, however many acts ago. An appointment at an agency that no longer exists permits nothing:
/// the people of a merged unit get new appointments at its successor.
pub fn grants(appointment: &Appointment, roles: &Roles, lineage: &dyn Lineage, at: Timestamp) -> Grants {
    if !appointment.valid_at(at) {
        return Grants::default();
    }
    let agencies = appointment.agency.map(|unit| agencies(unit, lineage, at.date()));
    if agencies.as_ref().is_some_and(BTreeSet::is_empty) {
        return Grants::default();
    }
    let mut out: Vec<Grant> = Vec::new();
    for role in appointment.roles.iter().filter_map(|code| roles.get(code)) {
        let reach = match (role.reach, &agencies) {
            (RoleReach::Province, _) => Reach::Province,
            (RoleReach::Agency, Some(units)) => Reach::Agencies(units.clone()),
            (RoleReach::Agency, None) => continue,
        };
        for permission in &role.permissions {
            let grant = Grant {
                permission: permission.clone(),
                reach: reach.clone(),
                field: appointment.field.clone(),
                valid_from: appointment.period.begins(),
                valid_to: appointment.over_at(),
            };
            if !out.contains(&grant) {
                out.push(grant);
            }
        }
    }
    Grants(out)
}

fn agencies(unit: UnitId, lineage: &dyn Lineage, on: Date) -> BTreeSet<UnitId> {
    let mut reached = BTreeSet::new();
    let mut open = lineage.subtree(unit, on);
    while let Some(unit) = open.pop() {
        // Histories are read from imported data: a circle in them must not hang us.
        if reached.insert(unit) {
            open.extend(lineage.transferred_to(unit, on));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use base::ids::Uuid;

    use super::super::appointment::tests::{day, sample};
    use super::*;
    use crate::cx::{Actor, Cx, Permission, Scope};

    const READ: Permission = Permission { name: "thing.read", vi: "đọc", en: "read" };
    const WRITE: Permission = Permission { name: "thing.write", vi: "sửa", en: "write" };

    const PROVINCE: u128 = 1;
    const DEPARTMENT: u128 = 2;
    const NEIGHBOUR: u128 = 3;
    /// Two old communes, ended on 1 July 2025, and the new one. Only OLD_A's function was transferred.
    const OLD_A: u128 = 11;
    const OLD_B: u128 = 12;
    const OLDER: u128 = 13;
    const NEW: u128 = 20;

    fn unit(n: u128) -> UnitId {
        UnitId(Uuid::from_u128(n))
    }

    struct Tree;

    impl Lineage for Tree {
        fn subtree(&self, u: UnitId, on: Date) -> Vec<UnitId> {
            let merged = on >= day("2025-07-01");
            let exists = |n: u128| match n {
                OLD_A | OLD_B => !merged,
                NEW => merged,
                OLDER => false,
                _ => true,
            };
            let below: &[u128] = if u == unit(PROVINCE) {
                &[PROVINCE, DEPARTMENT, NEIGHBOUR, OLD_A, OLD_B, NEW]
            } else {
                &[u.0.as_u128()]
            };
            if !exists(u.0.as_u128()) {
                return vec![];
            }
            below.iter().filter(|n| exists(**n)).map(|n| unit(*n)).collect()
        }

        fn transferred_to(&self, u: UnitId, on: Date) -> Vec<UnitId> {
            match u.0.as_u128() {
                NEW if on >= day("2025-07-01") => vec![unit(OLD_A)],
                // A circle, as damaged data might hold.
                OLD_A => vec![unit(OLDER)],
                OLDER => vec![unit(OLD_A)],
                _ => vec![],
            }
        }
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

    /// A person's view, holding `role` at `agency` with an appointment without end.
    fn view(agency: Option<u128>, role: &str, moment: &str) -> Cx {
        let mut a = sample(agency.map(unit), &[role]);
        a.period.from = day("2020-01-01");
        a.period.until = None;
        view_of(&a, moment)
    }

    fn view_of(a: &Appointment, moment: &str) -> Cx {
        let mut cx = Cx::kernel("test", at(moment));
        cx.actor = Actor::Official { person: a.person, appointment: Some(a.id) };
        cx.grants = grants(a, &roles(), &Tree, at(moment)).into();
        cx
    }

    fn over(n: u128) -> Scope {
        Scope::agency(unit(n))
    }

    const BEFORE: &str = "2025-06-01T00:00:00Z";
    const AFTER: &str = "2025-08-01T00:00:00Z";

    #[test]
    fn the_holder_may_and_the_neighbour_may_not() {
        let holder = view(Some(DEPARTMENT), "officer", AFTER);
        assert!(holder.holds(WRITE, &over(DEPARTMENT)));
        let neighbour = view(Some(NEIGHBOUR), "officer", AFTER);
        assert!(!neighbour.holds(WRITE, &over(DEPARTMENT)) && !neighbour.holds(READ, &over(DEPARTMENT)));
    }

    #[test]
    fn rights_reach_down_the_tree_and_not_up() {
        assert!(view(Some(PROVINCE), "officer", AFTER).holds(READ, &over(DEPARTMENT)));
        assert!(!view(Some(DEPARTMENT), "officer", AFTER).holds(READ, &over(PROVINCE)));
        assert!(!view(Some(PROVINCE), "officer", AFTER).holds(READ, &Scope::province()));
        assert!(view(None, "watcher", AFTER).holds(READ, &Scope::province()));
        assert!(!view(None, "watcher", AFTER).holds(WRITE, &Scope::province()));
    }

    #[test]
    fn after_the_merger_the_successor_reads_what_was_transferred_and_only_that() {
        let successor = view(Some(NEW), "officer", AFTER);
        assert!(successor.holds(READ, &over(OLD_A)));
        assert!(successor.holds(READ, &over(OLDER)), "also what had been transferred before");
        assert!(!successor.holds(READ, &over(OLD_B)), "the act did not transfer this function");
        assert!(view(Some(PROVINCE), "officer", AFTER).holds(READ, &over(OLD_A)), "as does the level above");
    }

    #[test]
    fn a_former_holder_at_the_merged_unit_has_nothing_left() {
        let before = view(Some(OLD_A), "officer", BEFORE);
        assert!(before.holds(WRITE, &over(OLD_A)));
        let after = view(Some(OLD_A), "officer", AFTER);
        assert!(!after.holds(READ, &over(OLD_A)) && !after.holds(READ, &over(NEW)));
        assert!(view(Some(OLD_A), "watcher", AFTER).grants.0.is_empty(), "not even rights over the province");
        assert!(view(Some(NEW), "officer", BEFORE).grants.0.is_empty(), "nor the successor before the day");
    }

    #[test]
    fn an_ended_or_future_appointment_permits_nothing_and_grants_end_with_it() {
        let mut a = sample(Some(unit(DEPARTMENT)), &["officer"]);
        assert!(grants(&a, &roles(), &Tree, at("2025-06-30T16:59:59Z")).0.is_empty());
        assert!(grants(&a, &roles(), &Tree, at("2026-04-29T17:00:00Z")).0.is_empty());
        a.ended_at = Some(at("2025-10-01T00:00:00Z"));
        let mut cx = view_of(&a, "2025-09-30T23:59:59Z");
        assert!(cx.holds(READ, &over(DEPARTMENT)));
        cx.at = at("2025-10-01T00:00:00Z");
        assert!(!cx.holds(READ, &over(DEPARTMENT)), "a grant computed earlier ends by itself");
    }

    #[test]
    fn a_field_of_work_limits_every_grant() {
        let mut a = sample(Some(unit(DEPARTMENT)), &["officer"]);
        a.field = Some("ho-tich".into());
        let cx = view_of(&a, AFTER);
        let civil_status = Scope { field: Some("ho-tich".into()), ..over(DEPARTMENT) };
        let land = Scope { field: Some("dat-dai".into()), ..over(DEPARTMENT) };
        assert!(cx.holds(WRITE, &civil_status));
        assert!(!cx.holds(WRITE, &land) && !cx.holds(WRITE, &over(DEPARTMENT)));
    }

    #[test]
    fn roles_add_up_without_doubling_and_unknown_ones_give_nothing() {
        let a = sample(Some(unit(DEPARTMENT)), &["viewer", "officer", "no-such-role"]);
        let both = grants(&a, &roles(), &Tree, at(AFTER));
        assert_eq!(both.0.len(), 2);
        let nothing = sample(Some(unit(DEPARTMENT)), &["no-such-role"]);
        assert!(grants(&nothing, &roles(), &Tree, at(AFTER)).0.is_empty());
    }
}
