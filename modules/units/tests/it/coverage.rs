//! What each endpoint of units answers to whom: territories are public law, agencies are for people who are signed in,
//! whatever their agency; what is open to everybody shows no agency.

use std::sync::Arc;

use kernel::orgs::{AgencyKind, Merger, NewAgency, UnitId};
use kernel::{Cx, Kernel};
use testkit::Expect::{Public, Shown, SignIn};
use testkit::{App, Ground, Line};
use units::Units;
use web::Endpoint;

const OPEN: [testkit::Expect; 4] = [Public, Public, Public, Public];
const SIGNED_IN: [testkit::Expect; 4] = [SignIn, Shown, Shown, Shown];

const ENDPOINTS: &[Line] = &[
    ("GET /units", OPEN),
    ("GET /units/data", OPEN),
    ("GET /units/export", OPEN),
    ("GET /units/{unit}", OPEN),
    ("GET /units/{unit}/export", OPEN),
    ("GET /agencies", SIGNED_IN),
    ("GET /agencies/export", SIGNED_IN),
    ("GET /agencies/{unit}", SIGNED_IN),
    ("GET /agencies/{unit}/export", SIGNED_IN),
    ("GET /api/units/v1/states", OPEN),
    ("GET /api/units/v1/units", OPEN),
    ("GET /api/units/v1/units/{unit}", OPEN),
    ("GET /api/units/v1/units/{unit}/children", OPEN),
    ("GET /api/units/v1/codes/{code}", OPEN),
    ("GET /api/units/v1/codes/{code}/became", OPEN),
];

fn department(name: &str, code: Option<&str>, parent: Option<UnitId>) -> NewAgency {
    NewAgency {
        kind: AgencyKind::Department,
        full_name: name.into(),
        code: code.map(Into::into),
        parent,
        act: None,
    }
}

/// An agency merged into a new one a few days ago, one below the new one, and a neighbour.
async fn agencies(k: &Kernel) -> (UnitId, UnitId) {
    let today = k.clock.now().date();
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let since = today.plus_days(-400).unwrap();
    let old = tx.create_agency(&department("Sở Tư pháp tỉnh Mẫu", None, None), since).await.unwrap();
    let neighbour = tx.create_agency(&department("Sở Tài chính tỉnh Khác", None, None), since).await.unwrap();
    let into = department("Sở hợp nhất tỉnh Mẫu", Some("H38.09"), None);
    let on = today.plus_days(-5).unwrap();
    let merger = Merger { predecessors: vec![old], into, transfers: true };
    let successor = tx.merge_agencies(&merger, on).await.unwrap();
    tx.create_agency(&department("Phòng Một tỉnh Mẫu", None, Some(successor)), on).await.unwrap();
    tx.commit().await.unwrap();
    (successor, neighbour)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_answers_each_as_it_says() {
    for backend in testkit::backends() {
        eprintln!("— on {backend}");
        let app = App::new(backend, vec![Arc::new(Units)]).await;
        let k = &app.t.kernel;
        let (successor, neighbour) = agencies(k).await;
        let cast = app.cast("provider-officer", successor, neighbour).await;
        let today = k.clock.now().date();
        let path = |e: &Endpoint| {
            let path = e.path.replace("{unit}", &successor.to_string()).replace("{code}", "H38.09");
            format!("{path}?as=csv&q=mau&on={today}")
        };
        let ground = Ground { path: &path, body: &|_| String::new(), marks: &["tỉnh Mẫu"] };
        let faults = app.unlike("units", &cast, ENDPOINTS, &ground).await;
        assert!(faults.is_empty(), "{faults:#?}");
        app.t.close().await;
    }
}
