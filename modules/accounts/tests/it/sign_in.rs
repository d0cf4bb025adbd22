//! Signing in and out: what works, what is refused and how, and that nothing tells which accounts exist.

use std::time::Duration;

use accounts::actions::links::create_first_operator_link;
use accounts::actions::officials;
use http::{Method, StatusCode};
use kernel::Error;

use crate::place::{PASSWORD, encode, on_both};

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

#[tokio::test]
async fn the_first_operator_comes_by_a_link_that_serves_once() {
    on_both(async |p| {
        let link = create_first_operator_link(p.k(), false).await.unwrap();
        let path = link.path.expose();
        let mut first = p.browser();
        assert_eq!(first.get(path).await.status, StatusCode::OK);
        assert_eq!(first.get(path).await.status, StatusCode::OK, "opening does not use it");
        let weak = [("full_name", "Lê Vận Hành"), ("post", "Quản trị"), ("username", "vanhanh")];
        let with = |password: &'static str| {
            let mut all = weak.to_vec();
            all.extend([("password", password), ("again", password)]);
            all
        };
        let refused = first.post(path, &with("ngắn")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("12"), "the rule is said");
        assert_eq!(refused.field("username"), "vanhanh", "nothing typed is lost");
        assert!(!refused.text().contains("ngắn\""), "but no password is sent back");

        let made = first.post(path, &with(PASSWORD)).await;
        assert_eq!((made.status, made.location()), (StatusCode::SEE_OTHER, "/"));
        assert!(first.is_in().await);
        assert_eq!(
            first.get("/accounts/officials").await.status,
            StatusCode::OK,
            "with the operator's rights"
        );

        let mut second = p.browser();
        assert_eq!(second.get(path).await.status, StatusCode::GONE);
        let again = second.post(path, &with(PASSWORD)).await;
        assert_eq!(again.status, StatusCode::GONE);
        assert!(!second.is_in().await);

        let exists = create_first_operator_link(p.k(), false).await.unwrap_err();
        assert!(matches!(exists, Error::Refused(r) if r.code == "operator-exists"));
        let recovery = create_first_operator_link(p.k(), true).await.unwrap();
        assert_eq!(p.browser().get(recovery.path.expose()).await.status, StatusCode::OK);
        p.t.clock.advance(Duration::from_secs(24 * 3_600));
        assert_eq!(p.browser().get(recovery.path.expose()).await.status, StatusCode::GONE, "after a day");
    })
    .await;
}

#[tokio::test]
async fn a_first_operator_s_link_is_worthless_once_there_is_an_operator() {
    on_both(async |p| {
        let link = create_first_operator_link(p.k(), false).await.unwrap();
        p.operator().await;
        let fields = [
            ("full_name", "Kẻ Đến Sau"),
            ("post", "Quản trị"),
            ("username", "densau"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        let mut late = p.browser();
        assert_eq!(late.post(link.path.expose(), &fields).await.status, StatusCode::GONE);
        assert!(!late.is_in().await);
    })
    .await;
}

#[tokio::test]
async fn signing_in_goes_where_one_wanted_and_out_again() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let mut b = p.browser();
        let sent = b.get("/accounts/officials?q=x").await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER);
        assert!(sent.location().starts_with("/login?next="), "{}", sent.location());
        let page = b.get(sent.location()).await;
        assert!(page.text().contains("Đăng nhập"));
        let next = page.field("next").replace("&#38;", "&");
        let signed =
            b.post("/login", &[("username", " Binh.TT "), ("password", PASSWORD), ("next", &next)]).await;
        assert_eq!(signed.location(), "/accounts/officials?q=x");
        let cookie = signed.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"));
        assert!(b.is_in().await);
        assert_eq!(b.get("/login").await.status, StatusCode::SEE_OTHER, "who is in need not sign in");

        let held = b.clone();
        assert_eq!(b.post("/logout", &[]).await.location(), "/login");
        assert!(b.cookie.is_none() && !held.clone().is_in().await, "the session is over on the server too");
        let outside = [("username", "binh.tt"), ("password", PASSWORD), ("next", "//evil.example/x")];
        assert_eq!(b.post("/login", &outside).await.location(), "/");
    })
    .await;
}

#[tokio::test]
async fn nothing_tells_whether_an_account_exists() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let waiting = officials::NewOfficial {
            username: "chua.dat".into(),
            full_name: "Nguyễn Chưa Đặt".into(),
            appointment: p.appointment(None, "auditor"),
            password: None,
        };
        officials::create(&p.accounts, p.k(), &p.cx(), &waiting).await.unwrap();
        let mut pages = Vec::new();
        for name in ["binh.tt", "khong.co", "chua.dat", "Không Thể Là Tên", ""] {
            let body = encode(&[("username", name), ("password", "một mật khẩu sai nào đó")]);
            let headers = [("sec-fetch-site", "same-origin"), ("x-request-id", "the-same-number")];
            let answer = p.browser().send(Method::POST, "/login", FORM, body, &headers).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
            assert!(answer.headers.get("set-cookie").is_none());
            // The name typed is shown again; everything else must be equal.
            pages.push(answer.text().replace(&format!("value=\"{name}\""), "value=\"\""));
        }
        for pair in pages.windows(2) {
            assert_eq!(pair[0], pair[1]);
        }
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_and_the_right_password_does_not_help_meanwhile() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let mut b = p.browser();
        for _ in 0..5 {
            assert_eq!(
                b.sign_in("binh.tt", "sai mật khẩu rồi").await.status,
                StatusCode::UNPROCESSABLE_ENTITY
            );
        }
        let slowed = b.sign_in("binh.tt", PASSWORD).await;
        assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = slowed.header("retry-after").parse().unwrap();
        assert!((25..=30).contains(&wait), "{wait}");
        assert!(slowed.text().contains("giây"));
        p.t.clock.advance(Duration::from_secs(31));
        assert_eq!(b.sign_in("binh.tt", PASSWORD).await.status, StatusCode::SEE_OTHER);
        let failed = p.audited("accounts.sign_in.failed").await;
        assert_eq!(failed.len(), 5);
        b.sign_in("binh.tt", "sai lần nữa").await;
        let failed = p.audited("accounts.sign_in.failed").await;
        assert_eq!(failed.last().unwrap()["why"], "wrong-password");
    })
    .await;
}

#[tokio::test]
async fn a_session_number_brought_along_is_never_used() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let planted = "A".repeat(43);
        let mut victim = p.browser();
        victim.cookie = Some(planted.clone());
        assert_eq!(victim.sign_in("binh.tt", PASSWORD).await.status, StatusCode::SEE_OTHER);
        assert_ne!(victim.cookie.as_deref(), Some(planted.as_str()));
        let mut attacker = p.browser();
        attacker.cookie = Some(planted);
        assert!(!attacker.is_in().await && victim.is_in().await);
        let first = victim.cookie.clone();
        victim.post("/logout", &[]).await;
        victim.sign_in("binh.tt", PASSWORD).await;
        assert_ne!(victim.cookie, first, "a new number each time");
    })
    .await;
}

#[tokio::test]
async fn other_sites_cannot_act_in_a_person_s_name() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let mut b = p.signed_in("binh.tt").await;
        let foreign: [&[(&str, &str)]; 3] = [
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
        ];
        for headers in foreign {
            let answer = b.send(Method::POST, "/logout", FORM, String::new(), headers).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        }
        let silent = b.send(Method::POST, "/logout", FORM, String::new(), &[]).await;
        assert_eq!(silent.status, StatusCode::FORBIDDEN, "a browser that says nothing needs the token");
        assert!(b.is_in().await);
        let token = b.get("/account/password").await.field("csrf");
        let fields = encode(&[("csrf", "invented")]);
        assert_eq!(b.send(Method::POST, "/logout", FORM, fields, &[]).await.status, StatusCode::FORBIDDEN);
        let fields = encode(&[("csrf", &token)]);
        assert_eq!(b.send(Method::POST, "/logout", FORM, fields, &[]).await.status, StatusCode::SEE_OTHER);

        let login = encode(&[("username", "binh.tt"), ("password", PASSWORD)]);
        let forced = p.browser().send(Method::POST, "/login", FORM, login, foreign[0]).await;
        assert_eq!(forced.status, StatusCode::FORBIDDEN, "nor sign somebody in as somebody else");
    })
    .await;
}

#[tokio::test]
async fn a_locked_account_is_told_so_only_with_the_right_password() {
    on_both(async |p| {
        let (id, _) = p.person("binh.tt", None, "auditor").await;
        let mut open = p.signed_in("binh.tt").await;
        officials::lock(&p.accounts, p.k(), &p.cx(), id).await.unwrap();
        assert!(!open.is_in().await, "open sessions end at once");
        let wrong = p.browser().sign_in("binh.tt", "sai mật khẩu rồi").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!wrong.text().contains("khóa"));
        let right = p.browser().sign_in("binh.tt", PASSWORD).await;
        assert_eq!(right.status, StatusCode::FORBIDDEN);
        assert!(right.text().contains("khóa"));
        officials::unlock(&p.accounts, p.k(), &p.cx(), id).await.unwrap();
        p.signed_in("binh.tt").await;
    })
    .await;
}

#[tokio::test]
async fn hostile_sign_ins_are_refused_and_harm_nothing() {
    on_both(async |p| {
        p.person("binh.tt", None, "auditor").await;
        let mut b = p.browser();
        let long = "x".repeat(100_000);
        for (name, password) in
            [("' OR 1=1 --", "' OR 1=1 --"), ("\0", "\0"), (&long, &long), ("binh.tt", &long)]
        {
            let status = b.sign_in(name, password).await.status;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let huge = format!("username=a&password={}", "x".repeat(3 << 20));
        let headers = [("sec-fetch-site", "same-origin")];
        let answer = b.send(Method::POST, "/login", FORM, huge, &headers).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let answer = b.send(Method::POST, "/login", FORM, "%ff=%00&&&=".into(), &headers).await;
        assert!(answer.status.is_client_error());
        b.cookie = Some("\u{1F}".repeat(0) + &"z".repeat(5_000));
        assert!(!b.is_in().await);
        p.signed_in("binh.tt").await;
    })
    .await;
}
