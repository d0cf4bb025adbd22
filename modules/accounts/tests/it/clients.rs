//! System clients end to end: made on a page, tokens at the endpoint, rotated, revoked.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;

use crate::place::{Browser, Place, encode, on_both};

struct Client {
    id: String,
    page: String,
    secret: String,
}

async fn make(operator: &mut Browser) -> Client {
    let fields =
        [("name", "Hệ thống một cửa"), ("subsystem", "VN/GOV/38/mot-cua"), ("client_id", ""), ("until", "")];
    let made = operator.post("/accounts/clients", &fields).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    assert_eq!(made.header("cache-control"), "no-store");
    Client {
        id: made.find("he-thong-mot-cua-"),
        page: made.find("/accounts/clients/0"),
        secret: made.find("lts_"),
    }
}

async fn ask(p: &Place, id: &str, secret: &str) -> (StatusCode, serde_json::Value) {
    let body = encode(&[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)]);
    let form = Some("application/x-www-form-urlencoded");
    let answer = p.browser().send(Method::POST, "/oauth2/token", form, body, &[]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    (answer.status, answer.json())
}

async fn me(p: &Place, token: &str) -> (StatusCode, serde_json::Value) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = p.browser().send(Method::GET, "/api/accounts/v1/me", None, String::new(), &headers).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_system_gets_a_token_and_is_known_by_it_until_it_is_revoked() {
    on_both(async |p| {
        let (mut operator, _) = p.operator().await;
        let c = make(&mut operator).await;
        let (status, given) = ask(p, &c.id, &c.secret).await;
        assert_eq!((status, &given["token_type"]), (StatusCode::OK, &json!("Bearer")));
        let token = given["access_token"].as_str().unwrap();
        let (status, who) = me(p, token).await;
        assert_eq!((status, &who["id"]), (StatusCode::OK, &json!("VN/GOV/38/mot-cua")));
        assert_eq!(who["permissions"], json!([]), "a token carries no rights over pages");

        let page = operator.get(&c.page).await.text();
        assert!(page.contains("VN/GOV/38/mot-cua") && !page.contains("lts_"), "the secret is shown once");
        let version = operator.get(&format!("{}/revoke", c.page)).await.field("version");
        let revoked = operator.post(&format!("{}/revoke", c.page), &[("version", &version)]).await;
        assert_eq!(revoked.status, StatusCode::SEE_OTHER);
        assert_eq!(me(p, token).await.0, StatusCode::UNAUTHORIZED, "at once");
        let (status, refused) = ask(p, &c.id, &c.secret).await;
        assert_eq!((status, &refused["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
        let again = operator.post(&format!("{}/revoke", c.page), &[("version", "2")]).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
    })
    .await;
}

#[tokio::test]
async fn a_new_secret_takes_over_with_or_without_an_overlap() {
    on_both(async |p| {
        let (mut operator, _) = p.operator().await;
        let c = make(&mut operator).await;
        let (_, given) = ask(p, &c.id, &c.secret).await;
        let token = given["access_token"].as_str().unwrap().to_owned();
        let rotate = format!("{}/rotate", c.page);
        let gently = operator.post(&rotate, &[("overlap_hours", "24"), ("version", "1")]).await;
        let second = gently.find("lts_");
        assert_ne!(second, c.secret);
        assert_eq!(ask(p, &c.id, &c.secret).await.0, StatusCode::OK, "the old one serves on");
        assert_eq!(ask(p, &c.id, &second).await.0, StatusCode::OK);
        assert_eq!(me(p, &token).await.0, StatusCode::OK);
        let stale = operator.post(&rotate, &[("overlap_hours", "0"), ("version", "1")]).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "somebody else was faster");
        let long = operator.post(&rotate, &[("overlap_hours", "100000"), ("version", "2")]).await;
        assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);

        let at_once = operator.post(&rotate, &[("overlap_hours", "0"), ("version", "2")]).await;
        let third = at_once.find("lts_");
        for old in [&c.secret, &second] {
            assert_eq!(ask(p, &c.id, old).await.0, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(me(p, &token).await.0, StatusCode::UNAUTHORIZED, "tokens of a leaked secret as well");
        let (status, given) = ask(p, &c.id, &third).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            me(p, given["access_token"].as_str().unwrap()).await.0,
            StatusCode::OK,
            "even in that second"
        );
        p.t.clock.advance(Duration::from_secs(1_802));
        assert_eq!(
            me(p, given["access_token"].as_str().unwrap()).await.0,
            StatusCode::UNAUTHORIZED,
            "expired"
        );
    })
    .await;
}

#[tokio::test]
async fn the_endpoint_speaks_the_rfc_to_whoever_knocks_wrongly() {
    on_both(async |p| {
        let (mut operator, _) = p.operator().await;
        let c = make(&mut operator).await;
        let form = Some("application/x-www-form-urlencoded");
        let basic = |secret: &str| {
            use base64::Engine;
            let pair = format!("{}:{secret}", c.id);
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        };
        let post = async |kind: Option<&str>, body: &str, headers: &[(&str, &str)]| {
            let answer = p.browser().send(Method::POST, "/oauth2/token", kind, body.into(), headers).await;
            let challenge = answer.header("www-authenticate").to_owned();
            let code = answer.json()["error"].as_str().unwrap_or_default().to_owned();
            (answer.status.as_u16(), code, challenge)
        };
        let good = basic(&c.secret);
        let by_header = post(form, "grant_type=client_credentials", &[("authorization", &good)]).await;
        assert_eq!((by_header.0, by_header.1.as_str()), (200, ""));
        let (status, code, challenge) =
            post(form, "grant_type=client_credentials", &[("authorization", &basic("wrong"))]).await;
        assert_eq!((status, code.as_str()), (401, "invalid_client"));
        assert!(challenge.starts_with("Basic"));
        for (kind, body, expected) in [
            (form, "grant_type=password", "unsupported_grant_type"),
            (form, "", "invalid_request"),
            (Some("application/json"), "{}", "invalid_request"),
            (None, "grant_type=client_credentials", "invalid_request"),
            (form, "grant_type=client_credentials&scope=admin", "invalid_scope"),
        ] {
            let (status, code, _) = post(kind, body, &[("authorization", &good)]).await;
            assert_eq!((status, code.as_str()), (400, expected), "{body}");
        }
        let in_query = format!("/oauth2/token?client_id={}&client_secret={}", c.id, c.secret);
        let answer = p
            .browser()
            .send(Method::POST, &in_query, form, "grant_type=client_credentials".into(), &[])
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "secrets in an address are not read");
        let huge = "x".repeat(64 << 10);
        let answer = p.browser().send(Method::POST, "/oauth2/token", form, huge, &[]).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    })
    .await;
}

#[tokio::test]
async fn keys_and_metadata_are_public_and_point_at_each_other() {
    on_both(async |p| {
        let meta = p.browser().get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(meta["issuer"], "http://127.0.0.1:8080");
        assert_eq!(meta["token_endpoint"], "http://127.0.0.1:8080/oauth2/token");
        let keys = meta["jwks_uri"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap();
        let jwks = p.browser().get(keys).await;
        assert!(jwks.header("cache-control").contains("max-age"));
        let keys = jwks.json();
        assert!(keys["keys"].as_array().unwrap().iter().all(|k| k["alg"] == "ES256" && k.get("d").is_none()));
    })
    .await;
}

#[tokio::test]
async fn clients_are_the_operator_s_business_and_wrong_ones_are_refused() {
    on_both(async |p| {
        let (mut operator, _) = p.operator().await;
        for (field, value) in [
            ("name", ""),
            ("subsystem", "mot-cua"),
            ("subsystem", "VN/GOV/../mot-cua"),
            ("client_id", "Một Cửa"),
            ("until", "01/01/2020"),
        ] {
            let mut fields = vec![
                ("name", "Một cửa"),
                ("subsystem", "VN/GOV/38/mot-cua"),
                ("client_id", ""),
                ("until", ""),
            ];
            fields.iter_mut().filter(|f| f.0 == field).for_each(|f| f.1 = value);
            let answer = operator.post("/accounts/clients", &fields).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}={value}");
        }
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        p.person("binh.tt", Some(agency), "provider-officer").await;
        let mut officer = p.signed_in("binh.tt").await;
        assert_eq!(officer.get("/accounts/clients").await.status, StatusCode::FORBIDDEN);
        p.person("kiem.tra", None, "auditor").await;
        let mut auditor = p.signed_in("kiem.tra").await;
        assert_eq!(auditor.get("/accounts/clients").await.status, StatusCode::OK);
        assert_eq!(auditor.get("/accounts/clients/new").await.status, StatusCode::FORBIDDEN);
    })
    .await;
}
