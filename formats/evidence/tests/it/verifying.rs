//! What holds, and the single reasons for which a bundle is refused.

use evidence::{
    Bundle, Field, Opened, Origin, Outcome, Previous, Private, Reason, Record, Refusal, commit, verify,
};
use tlog::{Signer, SigningKey, leaf_hash};

use crate::log::{LOG, Log, REQUEST_HASH, call, closed, origin};

#[test]
fn both_records_of_a_call() {
    let mut log = Log::new();
    log.fill_to(300);
    let indices = log.post(7);
    log.fill_to(700);
    let bytes = log.bundle(&indices, &Field::ALL).to_bytes();
    let verified = verify(&bytes, Some(log.verifying_key())).unwrap();
    assert!(verified.trusted);
    assert_eq!(verified.records.iter().map(|p| p.index).collect::<Vec<_>>(), indices);
    assert_eq!(verified.call(), Some(&call(7, "POST")));
    assert_eq!(verified.closed().unwrap().outcome, Outcome::Answered);
    assert_eq!(verified.value(Field::Path), Some("/v1/people/038099000001"));
    assert_eq!(verified.request_hash().as_deref(), Some(REQUEST_HASH));
    assert_eq!(verified.withheld(), []);
    assert_eq!(Bundle::parse(&bytes).unwrap().to_bytes(), bytes);
}

/// Bundles that were handed out once must hold for ever: this one is never to be written again.
#[test]
fn a_bundle_of_the_first_day_still_holds() {
    let bytes = include_bytes!("first-day.lienthong-evidence.json");
    let verified = verify(bytes, Some(Log::new().verifying_key())).unwrap();
    assert_eq!(verified.call(), Some(&call(7, "POST")));
    assert_eq!(verified.request_hash().as_deref(), Some(REQUEST_HASH));
}

#[test]
fn logs_of_all_small_sizes_and_around_the_tiles() {
    for size in (3..40).chain([255, 256, 257, 511, 513]) {
        let mut log = Log::new();
        let middle = log.get(1);
        log.fill_to(size - 1);
        let last = log.get(2);
        for index in [middle, last] {
            let bytes = log.bundle(&[index], &[Field::Path]).to_bytes();
            let verified = verify(&bytes, None).unwrap();
            assert_eq!(verified.checkpoint.size, size);
            assert!(!verified.trusted && verified.opened().is_none());
        }
    }
}

#[test]
fn an_opened_record_alone_says_nothing_about_the_outcome() {
    let mut log = Log::new();
    let [first, second] = log.post(1);
    let verified = verify(&log.bundle(&[first], &[]).to_bytes(), None).unwrap();
    assert!(verified.closed().is_none());
    assert_eq!(verified.withheld(), [Field::Path, Field::Query, Field::RequestHead, Field::UserId]);
    // The closed record names the opened one and does not stand without it.
    assert_eq!(verify(&log.bundle(&[second], &[]).to_bytes(), None), Err(Refusal::Entries));
}

#[test]
fn the_beginning_of_a_log_commits_to_the_log_before() {
    let mut old = Log::empty("evidence.lienthong.example/node-1/1", 3);
    old.append(&origin("evidence.lienthong.example/node-1/1"));
    old.fill_to(77);
    let previous = Previous { checkpoint: old.checkpoint(), log: old.verifying_key().to_string() };
    let next = Origin {
        origin: LOG.into(),
        reason: Reason::Restored,
        recorded: 5,
        previous: Some(previous.clone()),
    };
    let mut log = Log::empty(LOG, 1);
    log.append(&Record::Origin(next.clone()));
    log.fill_to(9);
    let verified = verify(&log.bundle(&[0], &[]).to_bytes(), Some(log.verifying_key())).unwrap();
    assert_eq!(verified.origin(), Some(&next));

    let changed = previous.checkpoint.replace("\n77\n", "\n78\n");
    for bad in [
        Origin { previous: Some(Previous { checkpoint: changed, ..previous.clone() }), ..next.clone() },
        Origin { reason: Reason::First, ..next.clone() },
        Origin { origin: old.verifying_key().name().into(), ..next.clone() },
        Origin { origin: "with blank".into(), previous: None, ..next },
    ] {
        assert!(Record::Origin(bad).to_leaf().is_err());
    }
}

#[test]
fn an_origin_counts_only_as_the_first_record_of_its_own_log() {
    let mut log = Log::new();
    let second = log.append(&origin(LOG));
    assert_eq!(verify(&log.bundle(&[second], &[]).to_bytes(), None), Err(Refusal::Entries));
    let mut log = Log::empty(LOG, 1);
    log.append(&origin("evidence.lienthong.example/node-2"));
    assert_eq!(verify(&log.bundle(&[0], &[]).to_bytes(), None), Err(Refusal::Entries));
}

#[test]
fn another_key_than_the_trusted_one() {
    let mut log = Log::new();
    let index = log.get(1);
    let bytes = log.bundle(&[index], &[]).to_bytes();
    let other = SigningKey::from_seed(LOG, &[2; 32]).unwrap();
    assert_eq!(verify(&bytes, Some(other.verifying_key())), Err(Refusal::Untrusted));
}

#[test]
fn records_that_do_not_belong_together() {
    let mut log = Log::new();
    let [a, b] = log.post(1);
    let [c, d] = log.post(2);
    let e = log.get(3);
    for indices in [&[a, d][..], &[c, b]] {
        assert!(matches!(
            verify(&log.bundle(indices, &[]).to_bytes(), None),
            Err(Refusal::Mismatch | Refusal::Entries)
        ));
    }
    for indices in [&[][..], &[b, a], &[a, a], &[a, c], &[e, e], &[a, b, e], &[0, e], &[e, 0]] {
        assert_eq!(verify(&log.bundle(indices, &[]).to_bytes(), None), Err(Refusal::Entries), "{indices:?}");
    }
    // A closed record that names the right opened record, but tells of another call.
    let opened = Opened { call: call(4, "POST"), recorded: 1, commitments: [].into() };
    let first = log.append(&Record::Opened(opened.clone()));
    let mut other = closed(call(4, "PUT"));
    other.opened = Some(leaf_hash(&Record::Opened(opened).to_leaf().unwrap()));
    let second = log.append(&Record::Closed(other));
    assert_eq!(verify(&log.bundle(&[first, second], &[]).to_bytes(), None), Err(Refusal::Mismatch));
}

#[test]
fn disclosures_that_were_not_committed_to() {
    let mut log = Log::new();
    let indices = log.post(1);
    let good = log.bundle(&indices, &[Field::Path, Field::UserId]);
    verify(&good.to_bytes(), None).unwrap();
    let refuse = |change: &dyn Fn(&mut Bundle), refusal: Refusal| {
        let mut bundle = good.clone();
        change(&mut bundle);
        assert_eq!(verify(&bundle.to_bytes(), None), Err(refusal));
    };
    refuse(&|b| b.disclosures[0].private.value.push('x'), Refusal::Disclosure);
    refuse(&|b| b.disclosures[0].private.salt[31] ^= 1, Refusal::Disclosure);
    refuse(&|b| b.disclosures[0].private.field = Field::Query, Refusal::Disclosure);
    refuse(&|b| b.disclosures[0].private.field = Field::Issue, Refusal::Disclosure);
    refuse(&|b| b.disclosures[3].entry = 9, Refusal::Disclosure);
    let moved = |b: &mut Bundle| {
        b.disclosures.truncate(3);
        b.disclosures[1].entry = 1;
    };
    refuse(&moved, Refusal::Disclosure);
    refuse(&|b| b.disclosures.push(b.disclosures[0].clone()), Refusal::Order);
    let mut fewer = good.clone();
    fewer.keep_only(&[Field::UserId]);
    assert_eq!(verify(&fewer.to_bytes(), None).unwrap().disclosed.len(), 2);
}

/// A node that would commit to one path when the call begins and to another when it ends is found out.
#[test]
fn two_values_of_one_field() {
    let mut log = Log::new();
    let opened = Opened { call: call(1, "POST"), recorded: 1, commitments: [].into() };
    let first = log.append_with(Record::Opened(opened), &[(Field::Path, "/a")]);
    let mut second = closed(call(1, "POST"));
    second.opened = Some(leaf_hash(&log.bundle(&[first], &[]).entries[0].leaf));
    let second = log.append_with(Record::Closed(second), &[(Field::Path, "/b")]);
    verify(&log.bundle(&[first, second], &[]).to_bytes(), None).unwrap();
    let bytes = log.bundle(&[first, second], &[Field::Path]).to_bytes();
    assert_eq!(verify(&bytes, None), Err(Refusal::Mismatch));
}

#[test]
fn a_digest_has_the_length_of_its_kind() {
    let mut log = Log::new();
    for (value, holds) in [("ab".repeat(64), true), ("ab".repeat(32), false), ("AB".repeat(64), false)] {
        let index = log.append_with(Record::Closed(closed(call(1, "PUT"))), &[(Field::RequestBody, &value)]);
        assert_eq!(verify(&log.bundle(&[index], &Field::ALL).to_bytes(), None).is_ok(), holds);
    }
}

/// The same salt in both records must not make the number of the record exchangeable.
#[test]
fn a_commitment_belongs_to_one_kind_of_record() {
    let private = Private { field: Field::Path, salt: [9; 32], value: "/a".into() };
    let of = |kind| commit(kind, private.field, &private.salt, &private.value);
    assert_ne!(of(evidence::Kind::Opened), of(evidence::Kind::Closed));
}
