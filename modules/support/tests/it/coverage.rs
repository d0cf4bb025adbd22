//! What each endpoint answers to a stranger, the administrator of another agency, a former one, and the one at the agency
//! that took over the function.

use std::sync::Arc;

use kernel::Cx;
use kernel::orgs::{AgencyKind, Merger, NewAgency};
use testkit::Expect::{Acts, Denied, Empty, Hidden, Public, Shown, SignIn};
use testkit::{Expect, Ground, Line};
use web::Endpoint;

use crate::Site;

const OPEN: [Expect; 4] = [Public, Public, Public, Public];
const LISTED: [Expect; 4] = [SignIn, Empty, Denied, Shown];
const SINGLE: [Expect; 4] = [SignIn, Hidden, Denied, Shown];
const ACTION: [Expect; 4] = [SignIn, Hidden, Denied, Acts];
/// One's own, whoever one is.
const OWN: [Expect; 4] = [SignIn, Empty, Empty, Empty];
/// Somebody else's.
const NOT_OWN: [Expect; 4] = [SignIn, Hidden, Hidden, Hidden];

const ENDPOINTS: &[Line] = &[
    ("GET /support/report", OPEN),
    ("POST /support/report", OPEN),
    ("GET /support/mine", OWN),
    ("GET /support/mine/{report}", NOT_OWN),
    ("POST /support/mine/{report}/file", NOT_OWN),
    ("GET /support/files/{report}", NOT_OWN),
    ("GET /support/followed/{case}", [SignIn, Acts, Acts, Acts]),
    ("GET /support", LISTED),
    ("GET /support/cases/{case}", SINGLE),
    ("POST /support/cases/{case}/{act}", ACTION),
    ("POST /api/support/v1/reports", OPEN),
    ("GET /api/support/v1/reports/mine", OWN),
    ("GET /api/support/v1/cases", LISTED),
    ("GET /api/support/v1/cases/{case}", SINGLE),
    ("POST /api/support/v1/cases/{case}/{act}", ACTION),
];

const MARKS: &[&str] = &["/trang-rieng", "việc riêng"];

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_answers_each_as_it_says() {
    for backend in testkit::backends() {
        let s = Site::new(backend).await;
        let k = &s.app.t.kernel;
        s.somebody("unit-admin", s.own).await;
        let reporter = s.somebody("consumer-officer", s.own).await;
        let fields = [("page", "/trang-rieng"), ("words", "việc riêng")];
        let sent = reporter.post_form("/support/report", &fields).await;
        let report = sent.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
        let row = k.db.query_one("SELECT id FROM support_case", vec![]).await.unwrap();
        let case = row.text("id").unwrap();
        let into = NewAgency {
            kind: AgencyKind::Department,
            full_name: "Sở hợp nhất (thử nghiệm)".into(),
            code: None,
            parent: None,
            act: None,
        };
        let merger = Merger { predecessors: vec![s.own], into, transfers: true };
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        let successor =
            tx.merge_agencies(&merger, k.clock.now().date().plus_days(-5).unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        let cast = s.app.cast("unit-admin", successor, s.other).await;
        let path = |e: &Endpoint| {
            let path = e.path.replace("{report}", &report).replace("{case}", &case);
            path.replace("{act}", "answer")
        };
        let body = |e: &Endpoint| match e.path.starts_with("/api/") {
            true => "{\"words\": \"\"}".to_owned(),
            false => "words=".to_owned(),
        };
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = s.app.unlike("support", &cast, ENDPOINTS, &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
        s.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_name_no_right_of_this_module_that_it_does_not_have() {
    let declared: Vec<&str> = support::permissions::ALL.iter().map(|p| p.name).collect();
    let roles = kernel::identity::Roles::standard().unwrap();
    let unknown: Vec<_> = roles.undeclared(&declared).filter(|(_, p)| p.starts_with("support.")).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let _: Arc<dyn kernel::Module> = Arc::new(support::Support::new());
}
