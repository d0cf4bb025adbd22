//! Appointments and names across the two days on which the province changed, 1 July 2025 and 30 April 2026.

use std::time::Duration;

use accounts::actions::officials::{self, NewAppointment};
use http::StatusCode;
use kernel::clock::{Date, Timestamp};
use kernel::identity::Holding;
use kernel::orgs::{AgencyChange, AgencyKind, Merger, NewAgency, UnitId};

use crate::place::{Place, on_both};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// The last second of the day before in Vietnam, and the first moment of the day.
fn around(day: &str) -> [Timestamp; 2] {
    let first = Timestamp::start_of(date(day));
    [first.minus(Duration::from_secs(1)), first]
}

fn post(agency: UnitId, from: &str, until: Option<&str>) -> NewAppointment {
    NewAppointment {
        post: "Chuyên viên".into(),
        agency: Some(agency),
        field: None,
        holding: Holding::Substantive,
        from: date(from),
        until: until.map(date),
        roles: vec!["provider-officer".into()],
    }
}

async fn merged(p: &Place, old: UnitId, name: &str, on: &str) -> UnitId {
    let into = NewAgency {
        kind: AgencyKind::Department,
        full_name: name.into(),
        code: None,
        parent: None,
        act: None,
    };
    let merger = Merger { predecessors: vec![old], into, transfers: true };
    let mut tx = p.k().begin(&p.cx()).await.unwrap();
    let unit = tx.merge_agencies(&merger, date(on)).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

#[tokio::test]
async fn one_acts_for_the_agency_of_the_day() {
    on_both(async |p| {
        p.t.clock.set(Timestamp::start_of(date("2025-05-15")));
        let first = p.agency("Sở Thông tin và Truyền thông tỉnh Mẫu").await;
        let second = merged(p, first, "Sở Khoa học và Công nghệ tỉnh Mẫu", "2025-07-01").await;
        let mut tx = p.k().begin(&p.cx()).await.unwrap();
        let renamed = AgencyChange {
            full_name: Some("Sở Khoa học và Công nghệ thành phố Mẫu".into()),
            ..Default::default()
        };
        tx.change_agency(second, &renamed, date("2026-04-30")).await.unwrap();
        tx.commit().await.unwrap();

        let (id, _) = p.person("binh.tt", Some(first), "provider-officer").await;
        let held = officials::get(p.k(), &p.cx(), id).await.unwrap().appointments[0].id;
        let last = officials::End::After(date("2025-06-30"));
        officials::end_appointment(&p.accounts, p.k(), &p.cx(), held, last).await.unwrap();
        let next = post(second, "2025-07-01", None);
        officials::appoint(&p.accounts, p.k(), &p.cx(), id, &next).await.unwrap();

        let [before, on] = around("2025-07-01");
        p.t.clock.set(before);
        let mut early = p.signed_in("binh.tt").await;
        let page = early.get("/account").await.text();
        assert!(page.contains("Sở Thông tin và Truyền thông tỉnh Mẫu"), "{page}");
        p.t.clock.set(on);
        assert!(!early.is_in().await, "the session ended with the appointment it acted through");
        let mut later = p.signed_in("binh.tt").await;
        let me = later.get("/api/accounts/v1/me").await.json();
        assert_eq!(me["appointment"]["agency_name"], "Sở Khoa học và Công nghệ tỉnh Mẫu");

        let [before, on] = around("2026-04-30");
        for (moment, name) in
            [(before, "Sở Khoa học và Công nghệ tỉnh Mẫu"), (on, "Sở Khoa học và Công nghệ thành phố Mẫu")]
        {
            p.t.clock.set(moment);
            let mut b = p.signed_in("binh.tt").await;
            let me = b.get("/api/accounts/v1/me").await.json();
            assert_eq!(me["appointment"]["agency_name"], name, "{moment:?}");
        }
        // The appointment that is over is named as its agency was then.
        let (mut operator, _) = p.operator().await;
        let page = operator.get(&format!("/accounts/officials/{id}")).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(text.contains("Sở Thông tin và Truyền thông tỉnh Mẫu"), "{text}");
        assert!(text.contains("Sở Khoa học và Công nghệ thành phố Mẫu"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn an_appointment_at_a_merged_agency_permits_nothing_more() {
    on_both(async |p| {
        p.t.clock.set(Timestamp::start_of(date("2026-04-01")));
        let old = p.agency("Sở Giao thông vận tải tỉnh Mẫu").await;
        merged(p, old, "Sở Xây dựng tỉnh Mẫu", "2026-04-30").await;
        // Nobody thought of ending this one.
        p.person("dung.l", Some(old), "provider-officer").await;
        let [before, on] = around("2026-04-30");
        let mut permits = Vec::new();
        for moment in [before, on] {
            p.t.clock.set(moment);
            let mut b = p.signed_in("dung.l").await;
            let me = b.get("/api/accounts/v1/me").await.json();
            permits.push(me["permissions"].as_array().unwrap().len());
        }
        assert!(permits[0] > 0, "{permits:?}");
        assert_eq!(permits[1], 0, "{permits:?}");
    })
    .await;
}
