//! What each endpoint answers to whom: the operation of the platform is for who runs or checks it. It belongs to the
//! province as a whole, so the same rights over one agency open nothing.

use kernel::alerts::ACKNOWLEDGE;
use kernel::orgs::{AgencyKind, NewAgency};
use kernel::{Cx, Reach};
use testkit::Expect::{Acts, Denied, Shown, SignIn};
use testkit::{App, Cast, Expect, Ground, Line};
use upkeep::permissions;
use web::Endpoint;

use crate::morning::{module, raise};

const SEEN: [Expect; 4] = [SignIn, Denied, Denied, Shown];
const ACTION: [Expect; 4] = [SignIn, Denied, Denied, Acts];
/// Checks of the platform name nothing of the alert by which answers are recognised.
const CHECKS: [Expect; 4] = [SignIn, Denied, Denied, Acts];

const ENDPOINTS: &[Line] = &[
    ("GET /upkeep", SEEN),
    ("GET /upkeep/checks/{check}", CHECKS),
    ("GET /upkeep/alerts/{alert}", SEEN),
    ("POST /upkeep/alerts/{alert}/acknowledge", ACTION),
    ("GET /api/upkeep/v1/checks", CHECKS),
    ("GET /api/upkeep/v1/alerts", SEEN),
    ("GET /api/upkeep/v1/alerts/{alert}", SEEN),
    ("GET /api/upkeep/v1/alerts/{alert}/told", CHECKS),
    ("POST /api/upkeep/v1/alerts/{alert}/acknowledge", ACTION),
];

const MARKS: &[&str] = &["Hệ thống mẫu không trả lời", "The sample system does not answer"];

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_answers_each_as_it_says() {
    for backend in testkit::backends() {
        let app = App::new(backend, vec![module()]).await;
        let k = &app.t.kernel;
        let alert = raise(k).await.to_string();
        let new = NewAgency {
            kind: AgencyKind::Department,
            full_name: "Sở Thử nghiệm".into(),
            code: Some("H99.01".into()),
            parent: None,
            act: None,
        };
        let today = k.clock.now().date();
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        let agency = tx.create_agency(&new, today.plus_days(-60).unwrap()).await.unwrap();
        tx.commit().await.unwrap();

        let rights = [permissions::READ, ACKNOWLEDGE];
        let ended = (today.plus_days(-30).unwrap(), today.plus_days(-1));
        let cast = Cast {
            stranger: app.stranger(),
            neighbour: app.log_in_as(&rights, &Reach::Agencies([agency].into())),
            former: app.appointed("operator", agency, ended.0, ended.1).await,
            successor: app.appointed("operator", agency, ended.0, None).await,
        };
        let path = |e: &Endpoint| e.path.replace("{alert}", &alert).replace("{check}", "kernel.disk");
        let body = |e: &Endpoint| {
            if e.path.starts_with("/api/") { "{}".to_owned() } else { "note=x".to_owned() }
        };
        let ground = Ground { path: &path, body: &body, marks: MARKS };
        let faults = app.unlike("upkeep", &cast, ENDPOINTS, &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
        let open = app.wrongly_open().await;
        assert!(open.is_empty(), "{open:#?}");
        app.t.close().await;
    }
}
