//! Every endpoint refuses whoever has no business there, and every page looks whole to who has.

use std::sync::Arc;

use accounts::Accounts;
use http::StatusCode;
use kernel::identity::Roles;
use kernel::tokens::{Settings, TokenIssuer};
use testkit::{App, TestKernel};

use crate::place::on_both;

#[tokio::test]
async fn every_endpoint_refuses_strangers_and_people_without_the_right() {
    for backend in testkit::backends() {
        let t = Arc::new(TestKernel::new(backend, &[]).await);
        let accounts = Accounts::new(&t.kernel, TokenIssuer::new(Settings::default())).unwrap();
        let app = App::on(t.clone(), vec![Arc::new(accounts)]).await;
        let open = app.wrongly_open().await;
        assert!(open.is_empty(), "{open:#?}");
        let public: Vec<_> = app
            .endpoints()
            .iter()
            .filter(|e| e.module == "accounts" && e.access == web::Access::Public)
            .collect();
        let mut public: Vec<_> = public.iter().map(|e| format!("{} {}", e.method, e.path)).collect();
        public.sort();
        assert_eq!(
            public,
            [
                "GET /.well-known/jwks.json",
                "GET /.well-known/oauth-authorization-server",
                "GET /login",
                "GET /welcome/{secret}",
                "POST /login",
                "POST /logout",
                "POST /oauth2/token",
                "POST /welcome/{secret}",
            ],
            "reviewed: nothing else of this module is open to everybody"
        );
        t.close().await;
    }
}

#[tokio::test]
async fn every_page_renders_in_both_languages() {
    on_both(async |p| {
        let agency =
            p.agency("Sở Nông nghiệp và Môi trường tỉnh có tên gọi dài nhất trong các sở của cả nước").await;
        let (mut operator, own) = p.operator().await;
        let (person, post) = p.person("binh.tt", Some(agency), "provider-officer").await;
        let fields =
            [("name", "Một cửa"), ("subsystem", "VN/GOV/38/mot-cua"), ("client_id", ""), ("until", "")];
        let client = operator.post("/accounts/clients", &fields).await.find("/accounts/clients/0");
        let pages = [
            "/account".to_owned(),
            "/account/choose".into(),
            "/account/password".into(),
            "/accounts/officials".into(),
            "/accounts/officials?state=locked".into(),
            "/accounts/officials/new".into(),
            format!("/accounts/officials/{own}"),
            format!("/accounts/officials/{person}"),
            format!("/accounts/officials/{person}/appoint"),
            format!("/accounts/officials/{person}/rename"),
            format!("/accounts/officials/{person}/lock"),
            format!("/accounts/officials/{person}/password-link"),
            format!("/accounts/appointments/{post}/end"),
            "/accounts/clients".into(),
            "/accounts/clients?q=khongco".into(),
            "/accounts/clients/new".into(),
            client.clone(),
            format!("{client}/rotate"),
            format!("{client}/revoke"),
        ];
        for page in &pages {
            for (lang, word) in [("vi", "lang=\"vi\""), ("en", "lang=\"en\"")] {
                let headers = [("accept-language", lang)];
                let answer = operator.send(http::Method::GET, page, None, String::new(), &headers).await;
                assert_eq!(answer.status, StatusCode::OK, "{page}");
                let text = answer.text();
                assert!(text.contains(&format!("<html {word}")) || text.contains(word), "{page} in {lang}");
                assert_eq!(text.matches("<h1").count(), 1, "{page}: one heading");
                assert_eq!(answer.header("cache-control"), "no-store", "{page}");
            }
        }
    })
    .await;
}

#[test]
fn the_roles_name_no_permission_of_this_module_that_it_does_not_have() {
    let declared: Vec<&str> = accounts::permissions::ALL.iter().map(|p| p.name).collect();
    let roles = Roles::standard().unwrap();
    let unknown: Vec<_> = roles.undeclared(&declared).filter(|(_, p)| p.starts_with("accounts.")).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for name in declared {
        assert!(roles.iter().any(|(_, r)| r.permissions.iter().any(|p| p == name)), "nobody can get {name}");
    }
}
