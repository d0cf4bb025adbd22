//! What each endpoint answers to those who come near to a right: a stranger, an officer of another agency in the same
//! role, one whose appointment has ended, and one at the agency that took over the function.

use kernel::Kernel;
use kernel::orgs::{AgencyKind, Merger, NewAgency, UnitId};
use testkit::Expect::{Acts, Denied, Empty, Hidden, Shown, SignIn};
use testkit::{Expect, Ground, Line};
use web::Endpoint;

use crate::world::{Site, cx, on_both};

/// The things in question are not public: who has no right to them is told that there are none.
const LISTED: [Expect; 4] = [Empty, Empty, Empty, Shown];
const SINGLE: [Expect; 4] = [Hidden, Hidden, Hidden, Shown];
/// The same through the interface, which answers questions about codes with those it was asked about.
const ASKED: [Expect; 4] = [Hidden, Hidden, Hidden, Acts];
/// Behind a door that asks for a right.
const FORM: [Expect; 4] = [SignIn, Hidden, Denied, Acts];
const ACTION: [Expect; 4] = [SignIn, Hidden, Denied, Acts];
/// Anybody with the right may make one of their own agency.
const OWN: [Expect; 4] = [SignIn, Acts, Denied, Acts];

const ENDPOINTS: &[Line] = &[
    ("GET /catalogues", LISTED),
    ("POST /catalogues", OWN),
    ("GET /catalogues/export", LISTED),
    ("GET /catalogues/new", OWN),
    ("GET /catalogues/{code}", SINGLE),
    ("GET /catalogues/{code}/export", SINGLE),
    ("GET /catalogues/{code}/edit", FORM),
    ("POST /catalogues/{code}/edit", ACTION),
    ("GET /catalogues/{code}/draft", FORM),
    ("POST /catalogues/{code}/draft", ACTION),
    ("GET /catalogues/{code}/versions/{number}", SINGLE),
    ("GET /catalogues/{code}/versions/{number}/import", FORM),
    ("POST /catalogues/{code}/versions/{number}/import", ACTION),
    ("POST /catalogues/{code}/versions/{number}/rows", ACTION),
    ("GET /catalogues/{code}/versions/{number}/publish", FORM),
    ("POST /catalogues/{code}/versions/{number}/publish", ACTION),
    ("GET /catalogues/{code}/versions/{number}/discard", FORM),
    ("POST /catalogues/{code}/versions/{number}/discard", ACTION),
    ("GET /api/catalogues/v1/catalogues", LISTED),
    ("POST /api/catalogues/v1/catalogues", OWN),
    ("GET /api/catalogues/v1/catalogues/{code}", SINGLE),
    ("PUT /api/catalogues/v1/catalogues/{code}", ACTION),
    ("GET /api/catalogues/v1/catalogues/{code}/changes", ASKED),
    ("GET /api/catalogues/v1/catalogues/{code}/document", SINGLE),
    ("GET /api/catalogues/v1/catalogues/{code}/entries", SINGLE),
    ("GET /api/catalogues/v1/catalogues/{code}/entries/{entry}", SINGLE),
    // Of a catalogue that has entries, there are none.
    ("GET /api/catalogues/v1/catalogues/{code}/pairs", ASKED),
    ("GET /api/catalogues/v1/catalogues/{code}/versions", ASKED),
    ("POST /api/catalogues/v1/catalogues/{code}/versions", ACTION),
    ("GET /api/catalogues/v1/catalogues/{code}/versions/{number}", ASKED),
    ("DELETE /api/catalogues/v1/catalogues/{code}/versions/{number}", ACTION),
    ("PUT /api/catalogues/v1/catalogues/{code}/versions/{number}/rows", ACTION),
    ("POST /api/catalogues/v1/catalogues/{code}/versions/{number}/publish", ACTION),
    // The catalogue in question is no mapping: nobody is told more than that.
    ("GET /api/catalogues/v1/mappings/{code}/translate", [Hidden, Hidden, Hidden, Hidden]),
    ("POST /api/catalogues/v1/mappings/{code}/translate", [Hidden, Hidden, Hidden, Hidden]),
    ("GET /api/catalogues/v1/mappings/{code}/completeness", [Hidden, Hidden, Hidden, Hidden]),
];

/// By these the things of the agency are recognised; none of them is in an address.
const MARKS: &[&str] = &["Mục kín", "Danh mục nội bộ"];

/// Merges the agency into a new one, to which its functions pass, a few days ago.
async fn merged(k: &Kernel, old: UnitId) -> UnitId {
    let on = k.clock.now().date().plus_days(-5).unwrap();
    let merger = Merger {
        predecessors: vec![old],
        into: NewAgency {
            kind: AgencyKind::Department,
            full_name: "Sở hợp nhất (thử nghiệm)".into(),
            code: Some("H99.09".into()),
            parent: None,
            act: None,
        },
        transfers: true,
    };
    let mut tx = k.begin(&cx(k)).await.unwrap();
    let unit = tx.merge_agencies(&merger, on).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_answers_each_as_it_says() {
    on_both(async |s: &Site| {
        let successor = merged(s.k(), s.owner).await;
        let cast = s.app.cast("catalogue-publisher", successor, s.neighbour).await;
        let path = |e: &Endpoint| {
            let path = e.path.replace("{code}", "NOI-BO").replace("{number}", "1").replace("{entry}", "X1");
            match path.rsplit('/').next() {
                Some("export") => path + "?as=csv&on=2026-01-01",
                Some("changes") => path + "?from=2025-06-30&to=2025-07-01",
                Some("translate") if e.method == http::Method::GET => path + "?on=2026-01-01&code=X1",
                _ if e.path.starts_with("/api/") => path + "?on=2026-01-01",
                _ => path,
            }
        };
        let body = |e: &Endpoint| {
            let json = match (e.path.rsplit('/').next(), e.method.as_str()) {
                (Some("versions"), _) => r#"{"valid_from": "2027-01-01"}"#,
                (Some("rows"), _) => r#"{"entries": []}"#,
                (Some("translate"), _) => r#"{"codes": ["X1"], "on": "2026-01-01"}"#,
                (Some("catalogues"), _) => {
                    r#"{"code": "M", "kind": "khong-co", "owner": "x", "description": {"name": "x"}}"#
                }
                (_, "PUT") => r#"{"name": ""}"#,
                _ => "{}",
            };
            match e.path.starts_with("/api/") {
                true => json.to_owned(),
                false => "revision=9&csv=x&valid_from=hom+nay".to_owned(),
            }
        };
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = s.app.unlike("catalogues", &cast, ENDPOINTS, &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stands_open() {
    let s = Site::new("sqlite").await;
    assert_eq!(s.app.wrongly_open().await, Vec::<String>::new());
    s.app.t.close().await;
}
