//! Records as bytes.

use evidence::{
    Agreement, Body, Call, Closed, Commitments, Environment, Field, Filter, LeafError, Opened, Outcome,
    Record, Request, Response,
};
use proptest::prelude::*;
use tlog::Hash;

use crate::log::{call, closed};

#[test]
fn a_record_has_this_form() {
    let mut record = closed(call(7, "POST"));
    record.opened = Some(Hash([0xab; 32]));
    record.commitments.insert(Field::Path, [0x0c; 32]);
    let expected = concat!(
        r#"{"agreement":{"id":"CT-2026-0012","version":3},"client":"VN/GOV/H56.01/motcua","#,
        r#""commitments":{"path":"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"},"#,
        r#""consumer_auth":"oauth2","endpoint":"/v1/people/*","kind":"closed","message_id":"LT-DEMO-7","#,
        r#""method":"POST","opened":"abababababababababababababababababababababababababababababababab","#,
        r#""outcome":"answered","recorded":1795000100005407,"request":{"body":"complete","size":218},"#,
        r#""request_id":"018f3b6e-0000-7000-8000-000000000007","request_in":1795000100000007,"#,
        r#""request_out":1795000100000307,"response":{"size":1031,"status":200},"#,
        r#""response_in":1795000100005107,"service":"VN/GOV/H56.05/dancu/population","snapshot":41,"v":1}"#,
    );
    assert_eq!(String::from_utf8(Record::Closed(record).to_leaf().unwrap()).unwrap(), expected);
}

#[test]
fn what_is_newer_makes_a_record_of_version_2_and_nothing_else_does() {
    let mut record = closed(call(7, "GET"));
    record.filter = Some(Filter { fields: Hash([0xee; 32]), removed: 8 });
    let leaf = String::from_utf8(Record::Closed(record.clone()).to_leaf().unwrap()).unwrap();
    let filter = format!(r#","filter":{{"fields":"{}","removed":8}},"kind":"closed""#, "ee".repeat(32));
    assert!(leaf.contains(&filter) && leaf.ends_with(r#","v":2}"#), "{leaf}");
    assert_eq!(Record::parse(leaf.as_bytes()), Ok(Record::Closed(record)));
    let old = leaf.replace(r#""v":2"#, r#""v":1"#);
    assert_eq!(Record::parse(old.as_bytes()), Err(LeafError::Member("v")));
    let opened = Opened {
        call: Call { environment: Some(Environment::Test), ..call(7, "POST") },
        recorded: 1,
        commitments: [].into(),
    };
    let leaf = String::from_utf8(Record::Opened(opened).to_leaf().unwrap()).unwrap();
    assert!(leaf.contains(r#""environment":"test""#) && leaf.ends_with(r#","v":2}"#), "{leaf}");
    let plain = String::from_utf8(Record::Closed(closed(call(7, "GET"))).to_leaf().unwrap()).unwrap();
    let newer = plain.replace(r#""v":1"#, r#""v":2"#);
    assert_eq!(Record::parse(newer.as_bytes()), Err(LeafError::Member("v")));
}

#[test]
fn bounds_hold_for_writing() {
    let refuse = |member, change: &dyn Fn(&mut Closed)| {
        let mut record = closed(call(1, "POST"));
        change(&mut record);
        assert_eq!(Record::Closed(record).to_leaf(), Err(LeafError::Member(member)));
    };
    refuse("client", &|r| r.call.client.clear());
    refuse("service", &|r| r.call.service = "x".repeat(1025));
    refuse("method", &|r| r.call.method = "GET\n".into());
    refuse("message_id", &|r| r.call.message_id = "a\u{7f}".into());
    refuse("endpoint", &|r| r.call.endpoint = Some(String::new()));
    refuse("fault", &|r| r.fault = Some("\0".into()));
    refuse("agreement", &|r| r.call.agreement.as_mut().unwrap().version = 1 << 53);
    refuse("snapshot", &|r| r.call.snapshot = u64::MAX);
    refuse("request_in", &|r| r.call.request_in = -1);
    refuse("recorded", &|r| r.recorded = 1 << 53);
    refuse("status", &|r| r.response = Some(Response { status: 99, size: 0 }));
    refuse("response", &|r| r.response = None);
    refuse("request", &|r| r.request = Request { body: Body::None, size: 1 });
    refuse("filter", &|r| r.filter = Some(Filter { fields: Hash([0; 32]), removed: 1 << 53 }));
    refuse("request", &|r| {
        r.request = Request { body: Body::None, size: 0 };
        r.commitments.insert(Field::RequestBody, [0; 32]);
    });
    let mut opened = Opened { call: call(1, "POST"), recorded: 1, commitments: [].into() };
    opened.commitments.insert(Field::ResponseBody, [0; 32]);
    assert_eq!(Record::Opened(opened).to_leaf(), Err(LeafError::Member("commitments")));
}

#[test]
fn an_entry_of_the_log_is_never_longer_than_it_may_be() {
    let long = "x".repeat(1024);
    let mut record = closed(call(1, "POST"));
    let c = &mut record.call;
    for text in [&mut c.request_id, &mut c.message_id, &mut c.client, &mut c.service, &mut c.consumer_auth] {
        text.clone_from(&long);
    }
    (c.method, c.endpoint, record.fault) = (long.clone(), Some(long.clone()), Some(long.clone()));
    c.agreement = Some(Agreement { id: long, version: 1 });
    record.commitments = Field::ALL.map(|field| (field, [1; 32])).into();
    assert!(Record::Closed(record).to_leaf().is_ok_and(|leaf| leaf.len() < evidence::MAX_LEAF_BYTES));
    assert_eq!(Record::parse(&vec![b' '; 16_385]), Err(LeafError::TooLong));
}

fn text() -> impl Strategy<Value = String> {
    "[ -~À-ỹ\u{80}-\u{9f}😀\"\\\\]{1,40}"
}

fn count() -> impl Strategy<Value = u64> {
    0..1u64 << 53
}

fn time() -> impl Strategy<Value = i64> {
    0..1i64 << 53
}

fn environments() -> impl Strategy<Value = Option<Environment>> {
    proptest::sample::select(&[None, Some(Environment::Sandbox), Some(Environment::Test)][..])
}

fn filters() -> impl Strategy<Value = Option<Filter>> {
    let filter =
        (any::<[u8; 32]>(), count()).prop_map(|(fields, removed)| Filter { fields: Hash(fields), removed });
    proptest::option::of(filter)
}

prop_compose! {
    fn calls()(
        texts in proptest::array::uniform6(text()),
        agreement in proptest::option::of((text(), count()).prop_map(|(id, version)| Agreement { id, version })),
        snapshot in count(),
        endpoint in proptest::option::of(text()),
        request_in in time(),
        environment in environments(),
    ) -> Call {
        let [request_id, message_id, client, service, consumer_auth, method] = texts;
        Call {
            request_id, message_id, client, service, agreement, snapshot, consumer_auth, method, endpoint, request_in,
            environment,
        }
    }
}

fn commitments(fields: &'static [Field]) -> impl Strategy<Value = Commitments> {
    proptest::collection::btree_map(proptest::sample::select(fields), any::<[u8; 32]>(), 0..9)
}

prop_compose! {
    fn closed_records()(
        call in calls(),
        times in (time(), proptest::option::of(time()), proptest::option::of(time())),
        request in prop_oneof![
            Just(Request { body: Body::None, size: 0 }),
            count().prop_map(|size| Request { body: Body::Complete, size }),
            count().prop_map(|size| Request { body: Body::Partial, size }),
        ],
        response in (100u16..=999, count()).prop_map(|(status, size)| Response { status, size }),
        has_response in any::<bool>(),
        outcome in proptest::sample::select(&Outcome::ALL[..]),
        fault in proptest::option::of(text()),
        filter in filters(),
        opened in proptest::option::of(any::<[u8; 32]>()),
        mut commitments in commitments(&Field::ALL),
    ) -> Record {
        if request.body == Body::None {
            commitments.remove(&Field::RequestBody);
        }
        Record::Closed(Closed {
            call, recorded: times.0, request_out: times.1, response_in: times.2, request,
            response: (has_response || outcome == Outcome::Answered).then_some(response),
            outcome, fault, filter, opened: opened.map(Hash), commitments,
        })
    }
}

fn opened_records() -> impl Strategy<Value = Record> {
    let fields = &[Field::Issue, Field::Path, Field::Query, Field::RequestHead, Field::UserId];
    (calls(), time(), commitments(fields))
        .prop_map(|(call, recorded, commitments)| Record::Opened(Opened { call, recorded, commitments }))
}

proptest! {
    #[test]
    fn what_is_written_is_read(record in prop_oneof![closed_records(), opened_records()]) {
        let leaf = record.to_leaf().unwrap();
        prop_assert_eq!(Record::parse(&leaf), Ok(record));
    }
}
