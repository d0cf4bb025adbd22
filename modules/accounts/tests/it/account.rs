//! One's own account: acting through another appointment, ending sessions, changing the password.

use accounts::actions::officials::{self, End};
use http::StatusCode;

use crate::place::{PASSWORD, on_both};

#[tokio::test]
async fn who_holds_several_appointments_chooses_and_switches() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (id, auditor) = p.person("binh.tt", None, "auditor").await;
        let more = p.appointment(Some(agency), "provider-officer");
        let officer = officials::appoint(&p.accounts, p.k(), &p.cx(), id, &more).await.unwrap();

        let mut b = p.browser();
        let signed = b.sign_in("binh.tt", PASSWORD).await;
        assert!(signed.location().starts_with("/account/choose"), "{}", signed.location());
        let page = b.get(signed.location()).await.text();
        assert!(page.contains("Sở Tư pháp tỉnh Mẫu") && page.contains(&auditor.to_string()));

        let before = b.clone();
        let chosen = b.post("/account/appointment", &[("appointment", &auditor.to_string())]).await;
        assert_eq!(chosen.status, StatusCode::SEE_OTHER);
        assert!(!before.clone().is_in().await, "what the session permits changed, so its number did");
        assert_eq!(b.get("/accounts/officials").await.status, StatusCode::OK);
        let switched = b.post("/account/appointment", &[("appointment", &officer.to_string())]).await;
        assert_eq!(switched.status, StatusCode::SEE_OTHER);
        assert_eq!(b.get("/accounts/officials").await.status, StatusCode::FORBIDDEN, "other rights");

        let again = p.browser().sign_in("binh.tt", PASSWORD).await;
        assert_eq!(again.location(), "/", "the one used last is taken without asking");
    })
    .await;
}

#[tokio::test]
async fn nobody_acts_through_somebody_else_s_or_an_ended_appointment() {
    on_both(async |p| {
        let (_, own) = p.person("binh.tt", None, "auditor").await;
        let (_, foreign) = p.person("dung.l", None, "operator").await;
        let mut b = p.signed_in("binh.tt").await;
        for id in [foreign.to_string(), "00000000-0000-7000-8000-000000000000".into()] {
            let answer = b.post("/account/appointment", &[("appointment", &id)]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
        }
        let garbage = b.post("/account/appointment", &[("appointment", "x")]).await;
        assert_eq!(garbage.status, StatusCode::UNPROCESSABLE_ENTITY);
        officials::end_appointment(&p.accounts, p.k(), &p.cx(), own, End::Now).await.unwrap();
        assert!(!b.is_in().await, "the session ended with its appointment");
        let mut anew = p.signed_in("binh.tt").await;
        let page = anew.get("/account").await;
        assert!(page.text().contains("Chưa có vị trí công tác"));
        let answer = anew.post("/account/appointment", &[("appointment", &own.to_string())]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn one_ends_one_s_own_sessions_and_nobody_else_s() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        p.person("dung.l", None, "auditor").await;
        let (mut here, mut there) = (p.signed_in("binh.tt").await, p.signed_in("binh.tt").await);
        let end = here.get("/account").await.find("/account/sessions/");
        let mut other = p.signed_in("dung.l").await;
        assert_eq!(other.post(&end, &[]).await.status, StatusCode::NOT_FOUND);
        assert!(there.is_in().await);
        assert_eq!(here.post(&end, &[]).await.status, StatusCode::SEE_OTHER);
        assert!(!there.is_in().await && here.is_in().await);
        assert_eq!(here.post(&end, &[]).await.status, StatusCode::NOT_FOUND, "it is over");
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let (mut here, mut there) = (p.signed_in("binh.tt").await, p.signed_in("binh.tt").await);
        let new = "đường làng sau cơn mưa rào";
        let fields =
            |present, password, again| [("present", present), ("password", password), ("again", again)];
        for (fields, why) in [
            (fields("không phải", new, new), "hiện tại"),
            (fields(PASSWORD, "ngắn", "ngắn"), "12"),
            (fields(PASSWORD, new, "khác nhau rồi nhé"), "giống nhau"),
            (fields(PASSWORD, "binh.tt nguyen", "binh.tt nguyen"), "tên"),
        ] {
            let answer = here.post("/account/password", &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(answer.text().contains(why), "{why}");
        }
        let before = here.clone();
        let changed = here.post("/account/password", &fields(PASSWORD, new, new)).await;
        assert_eq!(changed.status, StatusCode::SEE_OTHER);
        assert!(here.is_in().await && !there.is_in().await && !before.clone().is_in().await);
        let mut b = p.browser();
        assert_eq!(b.sign_in("binh.tt", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(b.sign_in("binh.tt", new).await.status, StatusCode::SEE_OTHER);
        assert_eq!(p.audited("accounts.password.changed").await.len(), 1);
        assert_eq!(p.audited("accounts.password.refused").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_letters_sign_in_from_every_keyboard() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let decomposed: String = PASSWORD
            .chars()
            .flat_map(|c| match c {
                'ợ' => vec!['o', '\u{31b}', '\u{323}'],
                'á' => vec!['a', '\u{301}'],
                other => vec![other],
            })
            .collect();
        assert_ne!(decomposed, PASSWORD);
        assert_eq!(p.browser().sign_in("binh.tt", &decomposed).await.status, StatusCode::SEE_OTHER);
    })
    .await;
}
