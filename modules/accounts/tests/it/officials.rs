//! Administration of officials: making accounts, appointing, ending, locking, and who may do that to whom.

use std::sync::Arc;

use accounts::actions::officials::{self, End, NewOfficial};
use accounts::permissions::{OFFICIAL_MANAGE, OFFICIAL_READ};
use http::StatusCode;
use kernel::identity::people::PeopleQuery;
use kernel::orgs::UnitId;
use kernel::{Actor, Cx, Error, Grant, Grants, PersonId, Reach};

use crate::place::{PASSWORD, Place, on_both};

#[tokio::test]
async fn a_new_official_sets_a_password_by_a_link_and_signs_in() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (mut operator, _) = p.operator().await;
        let form = operator.get("/accounts/officials/new").await.text();
        assert!(form.contains("Sở Tư pháp tỉnh Mẫu") && form.contains("provider-officer"));
        let agency = agency.to_string();
        let today = p.k().clock.now().date().vn();
        let fields = [
            ("full_name", "Trần Thị Bình"),
            ("username", "Binh.TT"),
            ("post", "Phó Trưởng phòng"),
            ("agency", &agency),
            ("role", "provider-officer"),
            ("field", "hộ tịch"),
            ("holding", "substantive"),
            ("from", &today),
            ("until", ""),
        ];
        let made = operator.post("/accounts/officials", &fields).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let link = made.find("http://127.0.0.1:8080/welcome/");
        let path = link.strip_prefix("http://127.0.0.1:8080").unwrap();
        assert_eq!(made.header("cache-control"), "no-store");

        let mut b = p.browser();
        assert_eq!(b.sign_in("binh.tt", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(b.get(path).await.text().contains("Trần Thị Bình"));
        let set = b.post(path, &[("password", PASSWORD), ("again", PASSWORD)]).await;
        assert_eq!(set.location(), "/login");
        assert_eq!(
            b.post(path, &[("password", "kẻ khác đặt lại sau"), ("again", "kẻ khác đặt lại sau")])
                .await
                .status,
            StatusCode::GONE
        );
        let mut b = p.signed_in("binh.tt").await;
        assert!(b.get("/account").await.text().contains("Sở Tư pháp tỉnh Mẫu"));
        assert_eq!(b.get("/accounts/officials").await.status, StatusCode::FORBIDDEN);

        let list = operator.get("/accounts/officials?q=binh").await.text();
        assert!(list.contains("Trần Thị Bình") && list.contains("Phó Trưởng phòng"));
        assert!(!operator.get("/accounts/officials?q=khongai").await.text().contains("Trần Thị Bình"));
        let again = operator.post("/accounts/officials", &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.text().contains("đã có người dùng"));
        assert_eq!(again.field("full_name"), "Trần Thị Bình", "nothing typed is lost");
    })
    .await;
}

#[tokio::test]
async fn wrong_forms_name_every_fault() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await.to_string();
        let (mut operator, _) = p.operator().await;
        let ended = UnitId::new(&*p.k().clock, &*p.k().random).to_string();
        for (change, why) in [
            (("username", "Bình!"), "không dấu"),
            (("full_name", " "), "họ và tên"),
            (("post", ""), "chức vụ"),
            (("agency", ""), "Hãy chọn cơ quan"),
            (("agency", &*ended), "không tồn tại"),
            (("role", ""), "Hãy chọn vai trò"),
            (("role", "emperor"), "Hãy chọn vai trò"),
            (("holding", "deputy"), "phải có ngày kết thúc"),
            (("from", "31/02/2026"), "dd/mm/yyyy"),
            (("from", ""), "Hãy ghi ngày"),
            (("until", "01/01/2020"), "từ ngày bắt đầu"),
        ] {
            let mut fields = vec![
                ("full_name", "Trần Thị Bình"),
                ("username", "binh.tt"),
                ("post", "Chuyên viên"),
                ("agency", &*agency),
                ("role", "provider-officer"),
                ("holding", "substantive"),
                ("from", "01/07/2025"),
                ("until", ""),
            ];
            fields.iter_mut().filter(|f| f.0 == change.0).for_each(|f| f.1 = change.1);
            let answer = operator.post("/accounts/officials", &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{change:?}");
            assert!(answer.text().contains(why), "{change:?}: {}", answer.text());
        }
    })
    .await;
}

#[tokio::test]
async fn an_appointment_ends_at_once_or_after_a_day() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (mut operator, _) = p.operator().await;
        let (_, now) = p.person("binh.tt", Some(agency), "provider-officer").await;
        let (_, later) = p.person("dung.l", Some(agency), "provider-officer").await;
        let (mut binh, mut dung) = (p.signed_in("binh.tt").await, p.signed_in("dung.l").await);

        let form = operator.get(&format!("/accounts/appointments/{now}/end")).await;
        assert!(form.text().contains("Nguyễn Kiểm Thử"));
        let done = operator.post(&format!("/accounts/appointments/{now}/end"), &[("until", "")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        assert!(!binh.is_in().await, "at once");
        let again = operator.post(&format!("/accounts/appointments/{now}/end"), &[("until", "")]).await;
        assert_eq!(again.status, StatusCode::CONFLICT);

        let today = p.k().clock.now().date();
        let past =
            operator.post(&format!("/accounts/appointments/{later}/end"), &[("until", "01/01/2021")]).await;
        assert_eq!(past.status, StatusCode::UNPROCESSABLE_ENTITY);
        let done =
            operator.post(&format!("/accounts/appointments/{later}/end"), &[("until", &today.vn())]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        assert!(dung.is_in().await, "until the end of the day");
        p.t.clock.set(kernel::clock::Timestamp::start_of(today.plus_days(1).unwrap()));
        assert!(!dung.is_in().await);
    })
    .await;
}

#[tokio::test]
async fn the_last_operator_stays_and_nobody_locks_themselves_out() {
    on_both(async |p| {
        let (mut operator, id) = p.operator().await;
        let lock = format!("/accounts/officials/{id}/lock");
        assert_eq!(operator.post(&lock, &[]).await.status, StatusCode::CONFLICT, "oneself");
        let official = officials::get(p.k(), &p.cx(), id).await.unwrap();
        let post = official.appointments[0].id;
        let end = officials::end_appointment(&p.accounts, p.k(), &p.cx(), post, End::Now).await;
        assert!(matches!(end, Err(Error::Refused(r)) if r.code == "last-operator"));
        let locked = officials::lock(&p.accounts, p.k(), &p.cx(), id).await;
        assert!(matches!(locked, Err(Error::Refused(r)) if r.code == "last-operator"));
        assert!(operator.is_in().await, "and nothing of it happened");
        let (second, _) = p.person("operator2", None, "operator").await;
        officials::end_appointment(&p.accounts, p.k(), &p.cx(), post, End::Now).await.unwrap();
        assert!(matches!(
            officials::lock(&p.accounts, p.k(), &p.cx(), second).await,
            Err(Error::Refused(r)) if r.code == "last-operator"
        ));
    })
    .await;
}

/// An administrator whose rights reach one agency only, as a province may define in its configuration.
fn local_admin(p: &Place, agency: UnitId) -> Cx {
    let mut cx = p.cx();
    let k = p.k();
    cx.actor = Actor::Official { person: PersonId::new(&*k.clock, &*k.random), appointment: None };
    let grant = |permission: kernel::Permission| Grant {
        permission: permission.name.into(),
        reach: Reach::Agencies([agency].into()),
        field: None,
        valid_from: kernel::clock::Timestamp::from_micros(0),
        valid_to: None,
        emergency: None,
    };
    cx.grants = Arc::new(Grants(vec![grant(OFFICIAL_READ), grant(OFFICIAL_MANAGE)]));
    cx
}

#[tokio::test]
async fn a_local_administrator_manages_own_people_and_grants_nothing_beyond() {
    on_both(async |p| {
        let (own, other) = (p.agency("Sở Tư pháp tỉnh Mẫu").await, p.agency("Sở Tài chính tỉnh Mẫu").await);
        let (colleague, held) = p.person("binh.tt", Some(own), "provider-officer").await;
        let (neighbour, foreign) = p.person("dung.l", Some(other), "provider-officer").await;
        let (above, _) = p.person("lan.h", Some(own), "operator").await;
        let (a, k, cx) = (&p.accounts, p.k(), local_admin(p, own));

        let seen =
            officials::list(k, &cx, &PeopleQuery { limit: 10, ..PeopleQuery::default() }).await.unwrap();
        let mut seen: Vec<_> = seen.iter().map(|o| o.person.username.as_str()).collect();
        seen.sort_unstable();
        assert_eq!(seen, ["binh.tt", "lan.h"], "lists show the own agency only");
        assert_eq!(officials::count(k, &cx, &PeopleQuery::default(), 100).await.unwrap(), 2, "as do counts");
        assert!(matches!(officials::get(k, &cx, neighbour).await, Err(Error::NotFound { .. })));

        let new = |agency, role: &str, username: &str| NewOfficial {
            username: username.into(),
            full_name: "Nguyễn Người Mới".into(),
            appointment: p.appointment(agency, role),
            password: None,
        };
        let denied = async |new: NewOfficial| {
            matches!(officials::create(a, k, &cx, &new).await, Err(Error::Denied { .. }))
        };
        assert!(denied(new(Some(other), "provider-officer", "moi.a")).await, "another agency");
        assert!(denied(new(Some(own), "operator", "moi.b")).await, "a right beyond one's own");
        assert!(denied(new(None, "auditor", "moi.c")).await);
        officials::create(a, k, &cx, &new(Some(own), "consumer-officer", "moi.d")).await.unwrap();

        let not_found = |e| matches!(e, Error::NotFound { .. });
        let denied = |e| matches!(e, Error::Denied { .. });
        assert!(officials::lock(a, k, &cx, neighbour).await.is_err_and(not_found));
        assert!(officials::end_appointment(a, k, &cx, foreign, End::Now).await.is_err_and(not_found));
        assert!(
            officials::password_link(a, k, &cx, above).await.is_err_and(denied),
            "no way up through a link"
        );
        assert!(officials::lock(a, k, &cx, above).await.is_err_and(denied));
        let operator = p.appointment(Some(own), "operator");
        assert!(officials::appoint(a, k, &cx, colleague, &operator).await.is_err_and(denied));
        officials::end_appointment(a, k, &cx, held, End::Now).await.unwrap();
        assert!(
            officials::lock(a, k, &cx, colleague).await.is_err_and(denied),
            "nobody's people are the province's"
        );
    })
    .await;
}

#[tokio::test]
async fn two_who_take_the_same_name_at_once_do_not_both_get_it() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (cx, new) = (p.cx(), |n: u32| NewOfficial {
            username: "binh.tt".into(),
            full_name: format!("Nguyễn Thứ {}", ["Nhất", "Nhì", "Ba", "Tư"][n as usize]),
            appointment: p.appointment(Some(agency), "provider-officer"),
            password: None,
        });
        let news: Vec<_> = (0..4).map(new).collect();
        let made = futures_util::future::join_all(
            news.iter().map(|n| officials::create(&p.accounts, p.k(), &cx, n)),
        )
        .await;
        assert_eq!(made.iter().filter(|m| m.is_ok()).count(), 1);
        let all =
            officials::list(p.k(), &cx, &PeopleQuery { limit: 10, ..PeopleQuery::default() }).await.unwrap();
        assert_eq!((all.len(), all[0].appointments.len()), (1, 1), "and the losers leave nothing behind");
    })
    .await;
}
