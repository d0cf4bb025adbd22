//! The interface: what is public and what is not, days, tags, pages of lists, requests sent twice, translation.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::Client;

use crate::world::on_both;

const V1: &str = "/api/catalogues/v1";

async fn got(client: &Client, path: &str) -> (StatusCode, Value) {
    let answer = client.get(&format!("{V1}{path}")).await;
    (answer.status, answer.json())
}

fn codes(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|i| i["code"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_reads_what_is_public_systems_what_is_published() {
    on_both(async |s| {
        let all = "/catalogues?on=2026-04-30";
        let (_, public) = got(&s.app.stranger(), all).await;
        assert_eq!(codes(&public), ["KHU-2025", "KHU"]);
        let (_, system) = got(&s.app.log_in_as_system("VN/GOV/H99/mot-cua"), all).await;
        assert_eq!(
            codes(&system),
            ["KHU-2025", "KHU", "NOI-BO"],
            "by name; drafts are nobody's but the editors'"
        );
        let (_, own) = got(&s.officer(s.owner), all).await;
        assert_eq!(codes(&own).len(), 4);
        assert_eq!(codes(&got(&s.officer(s.neighbour), all).await.1).len(), 2);
        let khu = &public["items"][1];
        assert_eq!((&khu["version"]["number"], &khu["owner"]["name"]), (&json!(2), &json!("Sở Thử nghiệm")));
        let (_, found) =
            got(&s.app.stranger(), "/catalogues?on=2026-04-30&q=danh+muc+KHU&only=catalogues").await;
        assert_eq!(codes(&found), ["KHU"]);
        let (_, first) = got(&s.app.stranger(), "/catalogues?on=2026-04-30&limit=1").await;
        let next = format!("/catalogues?on=2026-04-30&limit=1&after={}", first["next"].as_str().unwrap());
        let (_, second) = got(&s.app.stranger(), &next).await;
        assert_eq!((codes(&first), codes(&second)), (vec!["KHU-2025"], vec!["KHU"]));
        assert!(second["next"].is_null());
        for hidden in ["NOI-BO", "NHAP", "KHONG-CO"] {
            assert_eq!(
                got(&s.app.stranger(), &format!("/catalogues/{hidden}")).await.0,
                StatusCode::NOT_FOUND
            );
        }
        for bad in [
            "/catalogues",
            "/catalogues?on=mai",
            "/catalogues/KHU/entries",
            "/catalogues?on=2026-01-01&after=x",
        ] {
            assert_eq!(got(&s.app.stranger(), bad).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_as_of_a_day_with_tags_and_pages() {
    on_both(async |s| {
        let c = s.app.stranger();
        let (_, old) = got(&c, "/catalogues/KHU/entries?on=2025-06-30").await;
        assert_eq!(codes(&old), ["A2", "A1", "A", "B"]);
        let (_, new) = got(&c, "/catalogues/KHU/entries?on=2025-07-01").await;
        assert_eq!(codes(&new), ["M", "M1", "N"]);
        assert_eq!(got(&c, "/catalogues/KHU/entries?on=2025-02-28").await.0, StatusCode::NOT_FOUND);
        let (_, top) = got(&c, "/catalogues/KHU/entries?on=2025-06-30&parent=").await;
        assert_eq!(codes(&top), ["A", "B"]);
        let (_, found) = got(&c, "/catalogues/KHU/entries?on=2025-06-30&q=bo+de").await;
        assert_eq!(codes(&found), ["B"], "without tones");
        let (_, first) = got(&c, "/catalogues/KHU/entries?on=2025-06-30&limit=3").await;
        let next = first["next"].as_str().unwrap();
        let (_, rest) = got(&c, &format!("/catalogues/KHU/entries?on=2025-06-30&limit=3&after={next}")).await;
        assert_eq!((codes(&first).len(), codes(&rest)), (3, vec!["B"]));
        let (_, one) = got(&c, "/catalogues/KHU/entries/A1?on=2025-06-30").await;
        assert_eq!((&one["name"], &one["parent"], &one["order"]), (&json!("Khu A1"), &json!("A"), &json!(2)));
        assert_eq!(got(&c, "/catalogues/KHU/entries/A1?on=2025-07-01").await.0, StatusCode::NOT_FOUND);

        for path in ["entries?on=2025-06-30", "document?on=2025-06-30", "versions/1"] {
            let path = format!("{V1}/catalogues/KHU/{path}");
            let seen = c.get(&path).await;
            let tag = seen.header("etag").unwrap().to_owned();
            let again = c.send_with(Method::GET, &path, None, "", &[("if-none-match", &tag)]).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        }
        let (_, whole) = got(&c, "/catalogues/KHU/document?on=2025-06-30").await;
        assert_eq!(
            (whole["entries"].as_array().unwrap().len(), &whole["answers_to"]),
            (4, &json!("2025-06-30"))
        );
        let (_, changes) = got(&c, "/catalogues/KHU/changes?from=2025-06-30&to=2025-07-01").await;
        assert_eq!(
            (changes["added"].as_array().unwrap().len(), changes["removed"].as_array().unwrap().len()),
            (3, 4)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_is_made_filled_and_published_once() {
    on_both(async |s| {
        let c = s.officer(s.owner);
        let body = json!({"code": "MOI", "kind": "shared", "owner": "H99.01",
            "description": {"name": "Danh mục mới", "public": true}})
        .to_string();
        let send = async |method, path: &str, body: &str, headers: &[(&str, &str)]| {
            let kind = (!body.is_empty()).then_some("application/json");
            c.send_with(method, &format!("{V1}{path}"), kind, body, headers).await
        };
        let key = [("idempotency-key", "k-1")];
        let made = send(Method::POST, "/catalogues", &body, &key).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        assert_eq!(made.header("location"), Some("/api/catalogues/v1/catalogues/MOI"));
        assert_eq!(send(Method::POST, "/catalogues", &body, &key).await.status, StatusCode::OK, "once");
        assert_eq!(send(Method::POST, "/catalogues", &body, &[]).await.status, StatusCode::CONFLICT, "taken");
        let other = body.replace("MOI", "MOI2");
        assert_eq!(send(Method::POST, "/catalogues", &other, &key).await.status, StatusCode::CONFLICT);

        let put = r#"{"name": "Danh mục mới", "act": "1/QĐ", "public": true}"#;
        let ok = send(Method::PUT, "/catalogues/MOI", put, &[("if-match", "\"1\"")]).await;
        assert_eq!((ok.status, ok.header("etag")), (StatusCode::OK, Some("\"2\"")));
        let stale = send(Method::PUT, "/catalogues/MOI", put, &[("if-match", "\"1\"")]).await;
        assert_eq!(stale.status, http::StatusCode::from_u16(kernel::problem::Problem::from(&kernel::Error::Conflict).status).unwrap());

        let draft = r#"{"valid_from": "2026-04-30"}"#;
        let versions = "/catalogues/MOI/versions";
        assert_eq!(send(Method::POST, versions, draft, &key2()).await.status, StatusCode::CREATED);
        assert_eq!(send(Method::POST, versions, draft, &key2()).await.status, StatusCode::OK);
        let rows = "/catalogues/MOI/versions/1/rows";
        let bad = r#"{"entries": [{"code": "1", "name": "Một"}, {"code": "1", "name": "Lại"}, {"code": "2", "name": "Hai", "valid_from": "mai"}]}"#;
        let refused = send(Method::PUT, rows, bad, &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let lines: Vec<i64> =
            refused.json()["refused"].as_array().unwrap().iter().map(|r| r["line"].as_i64().unwrap()).collect();
        assert_eq!(lines, [2, 3]);
        let csv = json!({"csv": "\u{feff}mã;tên\n1;Một\n2;Hai\n"}).to_string();
        let seen = send(Method::PUT, &format!("{rows}?dry_run=true"), &csv, &[]).await.json();
        assert_eq!((&seen["applied"], seen["changes"]["added"].as_array().unwrap().len()), (&json!(false), 2));
        let done = send(Method::PUT, rows, &csv, &[("if-match", "\"1\"")]).await;
        assert_eq!((&done.json()["applied"], done.header("etag")), (&json!(true), Some("\"2\"")));
        let one_form = send(Method::PUT, rows, r#"{"pairs": []}"#, &[]).await;
        assert_eq!(one_form.status, StatusCode::UNPROCESSABLE_ENTITY);

        let publish = "/catalogues/MOI/versions/1/publish";
        let stale = send(Method::POST, publish, "", &[("if-match", "\"1\"")]).await;
        assert_ne!(stale.status, StatusCode::OK, "the approver saw other rows");
        assert_eq!(got(&s.app.stranger(), "/catalogues/MOI").await.0, StatusCode::NOT_FOUND, "not yet published");
        let done = send(Method::POST, publish, "", &[("if-match", "\"2\"")]).await;
        assert_eq!((done.status, &done.json()["state"]), (StatusCode::OK, &json!("published")));
        assert_eq!(send(Method::POST, publish, "", &[]).await.status, StatusCode::CONFLICT, "once");
        assert_eq!(send(Method::DELETE, "/catalogues/MOI/versions/1", "", &[]).await.status, StatusCode::CONFLICT);
        let (_, rows) = got(&s.app.stranger(), "/catalogues/MOI/entries?on=2026-04-30").await;
        assert_eq!(codes(&rows), ["2", "1"], "Hai before Một");
        assert_eq!(got(&s.app.stranger(), "/catalogues/MOI/entries?on=2026-04-29").await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

fn key2() -> [(&'static str, &'static str); 1] {
    [("idempotency-key", "k-2")]
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_translated_one_by_one_and_in_bulk() {
    on_both(async |s| {
        let c = s.app.stranger();
        let (_, one) = got(&c, "/mappings/KHU-2025/translate?code=A&on=2026-04-30").await;
        assert_eq!((&one["version"], &one["answers"][0]["outcome"]), (&json!(1), &json!("translated")));
        assert_eq!(
            one["answers"][0]["to"][0],
            json!({"code": "M", "relation": "narrower", "name": "Khu Mới"})
        );
        let body = json!({"codes": ["A1", "B", "Q", "A2"], "on": "2025-07-01"});
        let many = c.post_json(&format!("{V1}/mappings/KHU-2025/translate"), &body).await.json();
        let outcomes: Vec<&str> =
            many["answers"].as_array().unwrap().iter().map(|a| a["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["translated", "no-counterpart", "unknown-code", "unmapped"]);
        assert_eq!(many["answers"][1]["reason"], "bỏ khu B");
        let (_, early) = got(&c, "/mappings/KHU-2025/translate?code=A&on=2025-06-30").await;
        assert_eq!(
            (&early["answers"][0]["outcome"], early["version"].is_null()),
            (&json!("no-version"), true)
        );
        let (_, back) = got(&c, "/mappings/KHU-2025/translate?code=M1&on=2025-07-01&back=true").await;
        assert_eq!(back["answers"][0]["to"][0]["code"], "A1");
        let (_, whole) = got(&c, "/mappings/KHU-2025/completeness?on=2025-07-01").await;
        assert_eq!(
            (&whole["whole"], &whole["unmapped"], &whole["unreached"]),
            (&json!(false), &json!(["A2"]), &json!(["N"]))
        );
        let (_, pairs) = got(&c, "/catalogues/KHU-2025/pairs?on=2025-07-01&limit=2").await;
        let next = pairs["next"].as_str().unwrap().replace('\t', "%09");
        let (_, rest) =
            got(&c, &format!("/catalogues/KHU-2025/pairs?on=2025-07-01&limit=2&after={next}")).await;
        assert_eq!(rest["items"].as_array().unwrap().len(), 2);
        let many = json!({"codes": vec!["A"; 10_001], "on": "2025-07-01"});
        let refused = c.post_json(&format!("{V1}/mappings/KHU-2025/translate"), &many).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(got(&c, "/mappings/KHU/translate?code=A&on=2025-07-01").await.0, StatusCode::NOT_FOUND);
    })
    .await;
}

#[test]
fn every_route_of_the_interface_is_described() {
    use web::Pages;
    let document = serde_json::to_value(catalogues::Catalogues.openapi().unwrap()).unwrap();
    let described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let modules: Vec<std::sync::Arc<dyn Pages>> = vec![std::sync::Arc::new(catalogues::Catalogues)];
    let mut routes: Vec<&str> = web::endpoints(&modules)
        .iter()
        .map(|e| e.path)
        .filter(|p| p.starts_with("/api/catalogues/"))
        .collect();
    routes.sort_unstable();
    routes.dedup();
    assert_eq!(routes.len(), described.len());
    assert!(routes.iter().all(|r| described.iter().any(|d| d == r)), "{described:?}");
}
