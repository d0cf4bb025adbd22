//! What a file would change, and what stands in the way.

use std::collections::BTreeMap;

use base::clock::Date;
use exchange::agreement::State;
use exchange::diff::{self, Diff, Kind, Stored, Thing};
use exchange::registry::Registry;
use exchange::registry_file;

use crate::registry_file::{GOOD, attachments, good};

const NUMBER: &str = "CT-2026-001";

fn today() -> Date {
    Date::new(2026, 11, 22).unwrap()
}

fn stored(state: State) -> Stored {
    Stored { registry: good(), states: BTreeMap::from([(NUMBER.to_owned(), state)]) }
}

fn edited(from: &str, to: &str) -> Registry {
    assert!(GOOD.contains(from), "{from:?}");
    registry_file::read(GOOD.replacen(from, to, 1).as_bytes(), &attachments)
        .expect("the edited sample is sound")
}

fn compare(file: &Registry, stored: &Stored) -> Diff {
    diff::compare(file, stored, today()).expect("nothing stands in the way")
}

#[track_caller]
fn blocked(file: &Registry, stored: &Stored, words: &str) {
    let faults = diff::compare(file, stored, today()).expect_err("must be refused");
    assert!(faults.iter().any(|f| f.text.en.contains(words)), "{faults:#?}");
}

#[test]
fn everything_is_new_on_an_empty_exchange() {
    let diff = compare(&good(), &Stored::default());
    // 2 members, 2 subsystems, 2 services, 2 endpoints, 1 agreement, 1 client
    assert_eq!((diff.count(Kind::Added), diff.changes.len()), (10, 10));
    let agreement = diff.changes.iter().find(|c| c.thing == Thing::Agreement).unwrap();
    assert!(agreement.fields.iter().any(|f| f.field == "state" && f.after.as_deref() == Some("approved")));
}

#[test]
fn the_same_file_again_changes_nothing() {
    let diff = compare(&good(), &stored(State::Approved));
    assert!(diff.is_empty() && diff.notes.is_empty(), "{diff:#?}");
}

#[test]
fn changed_fields_show_before_and_after() {
    let file = edited("timeout_seconds = 20", "timeout_seconds = 25");
    let diff = compare(&file, &stored(State::Approved));
    let [change] = diff.changes.as_slice() else { panic!("{diff:#?}") };
    assert_eq!(
        (change.thing, change.kind, change.key.as_str()),
        (Thing::Service, Kind::Changed, "GOV/C06/dancu/tra-cuu")
    );
    let [field] = change.fields.as_slice() else { panic!("{change:#?}") };
    assert_eq!(
        (field.field, field.before.as_deref(), field.after.as_deref()),
        ("timeout_seconds", Some("20"), Some("25"))
    );
}

#[test]
fn what_a_partial_file_leaves_out_stays() {
    let file = edited("[[client]]\nclient_id = \"motcua-demo\"\nsubsystem = \"GOV/H38/motcua\"\n", "");
    assert!(compare(&file, &stored(State::Approved)).is_empty());
    let mut complete = file;
    complete.complete = true;
    let diff = compare(&complete, &stored(State::Approved));
    assert!(diff.is_empty(), "a secret is taken away by a decision, not by a file: {diff:#?}");
    assert!(diff.notes[0].en.contains("motcua-demo"));
    complete.services.remove(&"GOV/C06/dancu/bien-dong".parse().unwrap());
    let diff = compare(&complete, &stored(State::Approved));
    assert_eq!((diff.changes.len(), diff.count(Kind::Removed)), (1, 1));
}

#[test]
fn a_client_is_not_moved_to_another_system() {
    let mut file = good();
    file.clients.get_mut("motcua-demo").unwrap().subsystem = "GOV/C06/dancu".parse().unwrap();
    blocked(&file, &stored(State::Approved), "belongs to GOV/H38/motcua");
}

#[test]
fn a_decision_is_never_undone_by_a_file() {
    let diff = compare(&good(), &stored(State::Revoked));
    assert!(diff.is_empty());
    assert!(diff.notes[0].en.contains("stays “Revoked”"), "{:?}", diff.notes);
    blocked(&edited("per_minute = 600", "per_minute = 900"), &stored(State::Revoked), "can no longer change");
    let amended = compare(&edited("per_minute = 600", "per_minute = 900"), &stored(State::Suspended));
    assert_eq!(amended.changes[0].thing, Thing::Agreement);
}

#[test]
fn an_agreement_outside_its_validity_is_not_entered_as_in_force() {
    let file = edited("valid_to = \"31/12/2027\"", "valid_to = 2026-11-21");
    blocked(&file, &Stored::default(), "ended on 21/11/2026");
    let last_day = edited("valid_to = \"31/12/2027\"", "valid_to = 2026-11-22");
    assert_eq!(compare(&last_day, &Stored::default()).count(Kind::Added), 10, "the last day is included");
}

#[test]
fn nothing_is_taken_from_under_a_standing_agreement() {
    let mut empty = Registry { instance: "VN".into(), complete: true, ..Registry::default() };
    blocked(&empty, &stored(State::Approved), "leaves out agreement");
    assert_eq!(
        compare(&empty, &stored(State::Revoked)).count(Kind::Removed),
        6,
        "members, subsystems, services"
    );
    empty.instance = "EE".into();
    blocked(&empty, &stored(State::Revoked), "instance");

    let mut file = good();
    let key = "GOV/C06/dancu/tra-cuu".parse().unwrap();
    file.services.get_mut(&key).unwrap().endpoints.clear();
    file.agreements.clear();
    blocked(&file, &stored(State::Approved), "still used");
}

#[test]
fn an_agreement_keeps_its_parties() {
    let mut file = good();
    file.agreements.get_mut(NUMBER).unwrap().service = "GOV/C06/dancu/bien-dong".parse().unwrap();
    blocked(&file, &stored(State::Approved), "another consumer or service");
}
