//! The JSON interface.

use http::StatusCode;
use serde_json::json;

use crate::place::on_both;

const API: &str = "/api/accounts/v1";

#[tokio::test]
async fn officials_are_made_listed_appointed_and_ended() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (mut b, operator) = p.operator().await;
        let me = b.get(&format!("{API}/me")).await.json();
        assert_eq!((&me["kind"], &me["id"]), (&json!("official"), &json!(operator.to_string())));
        assert!(me["permissions"].as_array().unwrap().contains(&json!("accounts.official.manage")));

        let today = p.k().clock.now().date().to_string();
        let appointment = json!({"post": "Chuyên viên", "agency": agency, "valid_from": today, "roles": ["provider-officer"]});
        let new = json!({"username": "binh.tt", "full_name": "Trần Thị Bình", "appointment": appointment});
        let made = b.post_json(&format!("{API}/officials"), new.clone(), &[]).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let place = made.location().to_owned();
        let made = made.json();
        assert!(made["password_link"].as_str().unwrap().starts_with("http://127.0.0.1:8080/welcome/"));
        assert_eq!(made["official"]["appointments"][0]["agency_name"], "Sở Tư pháp tỉnh Mẫu");
        assert_eq!(b.get(&place).await.json()["username"], "binh.tt");

        let twice = b.post_json(&format!("{API}/officials"), new, &[]).await;
        assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
        let problem = twice.json();
        assert_eq!(problem["type"], "urn:lienthong:problem:invalid");
        assert_eq!(problem["errors"][0]["field"], "username");
        let unknown = json!({"username": "x", "full_name": "y", "appointment": appointment, "admin": true});
        assert_eq!(b.post_json(&format!("{API}/officials"), unknown, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);

        let deputy = json!({"post": "Phó Giám đốc", "agency": agency, "holding": "deputy", "valid_from": today,
            "valid_until": today, "roles": ["consumer-officer"]});
        let appointed = b.post_json(&format!("{place}/appointments"), deputy, &[]).await;
        assert_eq!(appointed.status, StatusCode::CREATED, "{}", appointed.text());
        let id = appointed.json()["id"].as_str().unwrap().to_owned();
        let end = format!("{API}/appointments/{id}/end");
        assert_eq!(b.post_json(&end, json!({}), &[]).await.status, StatusCode::NO_CONTENT);
        let over = b.post_json(&end, json!({}), &[]).await;
        assert_eq!((over.status, over.json()["type"].clone()), (StatusCode::CONFLICT, json!("urn:lienthong:problem:appointment-over")));
        let standing = b.get(&place).await.json()["appointments"].clone();
        let ended = standing.as_array().unwrap().iter().find(|a| a["id"] == id).unwrap().clone();
        assert_eq!(ended["standing"], "ended");

        assert_eq!(b.post_json(&format!("{place}/lock"), json!({}), &[]).await.status, StatusCode::NO_CONTENT);
        assert_eq!(b.get(&place).await.json()["locked"], true);
        let link = b.post_json(&format!("{place}/password-link"), json!({}), &[]).await;
        assert_eq!(link.status, StatusCode::CONFLICT);
        assert_eq!(b.post_json(&format!("{place}/unlock"), json!({}), &[]).await.status, StatusCode::NO_CONTENT);
    })
    .await;
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    on_both(async |p| {
        let (mut b, _) = p.operator().await;
        for i in 0..5 {
            p.person(&format!("can.bo{i}"), None, "auditor").await;
        }
        let mut seen = Vec::new();
        let mut after = String::new();
        loop {
            let page = b.get(&format!("{API}/officials?limit=2{after}")).await.json();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            seen.extend(items.iter().map(|i| i["username"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        seen.sort();
        assert_eq!(seen, ["can.bo0", "can.bo1", "can.bo2", "can.bo3", "can.bo4", "operator1"]);
        assert_eq!(b.get(&format!("{API}/officials?limit=x")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test]
async fn clients_carry_their_version() {
    on_both(async |p| {
        let (mut b, _) = p.operator().await;
        let new = json!({"name": "Một cửa", "subsystem": "VN/GOV/38/mot-cua", "client_id": "mot-cua"});
        let made = b.post_json(&format!("{API}/clients"), new.clone(), &[]).await;
        assert_eq!(made.status, StatusCode::CREATED);
        let place = made.location().to_owned();
        let made = made.json();
        assert!(made["client_secret"].as_str().unwrap().starts_with("lts_"));
        assert_eq!(made["token_url"], "http://127.0.0.1:8080/oauth2/token");
        let read = b.get(&place).await;
        assert_eq!((read.header("etag"), &read.json()["state"]), ("\"1\"", &json!("active")));
        assert!(!read.text().contains("lts_"));
        let taken = b.post_json(&format!("{API}/clients"), new, &[]).await;
        assert_eq!(taken.json()["errors"][0]["field"], "client_id");

        let rotate = format!("{place}/secret");
        let stale = b.post_json(&rotate, json!({"overlap_hours": 1}), &[("if-match", "\"7\"")]).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let fresh = b.post_json(&rotate, json!({"overlap_hours": 1}), &[("if-match", "\"1\"")]).await;
        assert_eq!((fresh.status, fresh.header("etag")), (StatusCode::OK, "\"2\""));
        assert_ne!(fresh.json()["client_secret"], made["client_secret"]);
        let revoke = format!("{place}/revoke");
        assert_eq!(
            b.post_json(&revoke, json!({}), &[("if-match", "\"2\"")]).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(b.get(&place).await.json()["state"], "revoked");
        let list = b.get(&format!("{API}/clients?active=true")).await.json();
        assert_eq!(list["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn strangers_are_told_to_sign_in() {
    on_both(async |p| {
        let answer = p.browser().get(&format!("{API}/officials")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["type"], "urn:lienthong:problem:sign-in");
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_makes_nothing_twice() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (mut b, _) = p.operator().await;
        let today = p.k().clock.now().date().to_string();
        let appointment =
            json!({"post": "Chuyên viên", "agency": agency, "valid_from": today, "roles": ["provider-officer"]});
        let official = json!({"username": "binh.tt", "full_name": "Trần Thị Bình", "appointment": appointment});
        let client = json!({"name": "Một cửa", "subsystem": "VN/GOV/38/mot-cua", "client_id": "mot-cua"});
        for (list, body, other, secret) in [
            ("officials", official, json!({"username": "x.y", "full_name": "Trần Văn Khác", "appointment": appointment}), "password_link"),
            ("clients", client, json!({"name": "Khác", "subsystem": "VN/GOV/38/khac"}), "client_secret"),
        ] {
            let path = format!("{API}/{list}");
            let key = format!("key-{list}");
            let keyed = [("idempotency-key", key.as_str())];
            let first = b.post_json(&path, body.clone(), &keyed).await;
            assert_eq!(first.status, StatusCode::CREATED, "{list}: {}", first.text());
            assert!(first.json()[secret].is_string(), "{list}");
            let again = b.post_json(&path, body.clone(), &keyed).await;
            assert_eq!(again.status, StatusCode::OK, "{list}: {}", again.text());
            assert_eq!(again.location(), first.location(), "{list}");
            assert!(again.json()[secret].is_null(), "{list}: secrets are shown once");
            let clash = b.post_json(&path, other, &keyed).await;
            assert_eq!(clash.status, StatusCode::CONFLICT, "{list}: {}", clash.text());
            assert_eq!(clash.json()["type"], "urn:lienthong:problem:idempotency-key-reused");
            let long = "k".repeat(129);
            let odd = b.post_json(&path, body, &[("idempotency-key", long.as_str())]).await;
            assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "{list}");
        }
        let person = b.get(&format!("{API}/officials?q=binh")).await.json()["items"][0]["id"].clone();
        let path = format!("{API}/officials/{}/appointments", person.as_str().unwrap());
        let deputy = json!({"post": "Phó Giám đốc", "agency": agency, "holding": "deputy", "valid_from": today,
            "valid_until": today, "roles": ["consumer-officer"]});
        let keyed = [("idempotency-key", "appointing")];
        let first = b.post_json(&path, deputy.clone(), &keyed).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
        let again = b.post_json(&path, deputy, &keyed).await;
        assert_eq!((again.status, &again.json()["id"]), (StatusCode::OK, &first.json()["id"]));
        assert_eq!(p.audited("accounts.official.created").await.len(), 2, "the operator and one more");
        assert_eq!(p.audited("accounts.client.created").await.len(), 1);
        assert_eq!(p.audited("accounts.appointment.made").await.len(), 3);
    })
    .await;
}
