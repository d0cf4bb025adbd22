//! A provider hands in a new service: read with its faults, seen before it is sent, decided by the operator, in force at
//! once; fetched only from where the operator lets it be.

use exchange::permissions::{ASK, READ};
use exchange::proposal::fetch;
use http::{Method, StatusCode};
use kernel::{Kernel, Reach, params};
use serde_json::json;
use testkit::{Answer, Client};

use crate::site::{Site, on_both};

const YAML: &str = "openapi: 3.0.3\ninfo:\n  title: Hộ tịch\n  version: '1'\nservers:\n  - url: https://ht.example.vn/api\n  - url: https://ht2.example.vn/api\npaths:\n  /khai-sinh/{so}:\n    get:\n      summary: Một giấy khai sinh\n      responses:\n        '200':\n          description: Có\n          content:\n            application/json:\n              schema:\n                type: object\n                properties:\n                  ho_ten: {type: string}\n                  so: {type: string}\n";

async fn upload(client: &Client, system: &str, text: &str) -> Answer {
    let part = |name: &str, value: &str| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [part("subsystem", system), part("code", "ho-tich"), part("name", "Tra cứu hộ tịch")].concat()
        + &format!(
            "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.yaml\"\r\n\r\n{text}\r\n--x--\r\n"
        );
    client.send(Method::POST, "/exchange/proposals/new", Some("multipart/form-data; boundary=x"), &body).await
}

async fn system(k: &Kernel, code: &str) -> String {
    let sql = "SELECT id FROM exchange_subsystem WHERE code = $1";
    k.db.query_one(sql, params![code]).await.unwrap().text("id").unwrap()
}

fn as_json(yaml: &str) -> String {
    String::from_utf8(exchange::description::text::as_json(yaml.as_bytes()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_handed_in_and_registered_by_the_operator() {
    on_both(async |s: &Site| {
        let k = s.k();
        let dancu = system(k, "dancu").await;
        let provider = s.officer(s.w.provider);
        assert_eq!(provider.get("/exchange/proposals/new").await.status, StatusCode::OK);
        let bad = upload(&provider, &dancu, &YAML.replace("    get:", "    lay:")).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(bad.text().contains("Dòng 10") && bad.text().contains("Tra cứu hộ tịch"), "{}", bad.text());
        let outside = YAML.replace("type: object\n", "$ref: 'file:///etc/passwd'\n");
        assert_eq!(upload(&provider, &dancu, &outside).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let foreign = upload(&s.officer(s.w.consumer), &dancu, YAML).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);

        let seen = upload(&provider, &dancu, YAML).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.text());
        for word in ["/khai-sinh/{so}", "https://ht.example.vn/api", "https://ht2.example.vn/api", "ho_ten"] {
            assert!(seen.text().contains(word), "{word}");
        }
        let rows = k.db.query("SELECT id FROM exchange_proposal", params![]).await.unwrap();
        assert!(rows.is_empty(), "reading keeps nothing");

        let document = as_json(YAML);
        let sent = |base_url: &'static str| {
            let document = document.clone();
            let dancu = dancu.clone();
            vec![
                ("subsystem".to_owned(), dancu),
                ("code".to_owned(), "ho-tich".to_owned()),
                ("name".to_owned(), "Tra cứu hộ tịch".to_owned()),
                ("document".to_owned(), document),
                ("server".to_owned(), base_url.to_owned()),
                ("base_url".to_owned(), String::new()),
                ("personal".to_owned(), "ho_ten".to_owned()),
                ("personal".to_owned(), "khong_co".to_owned()),
            ]
        };
        let post = async |client: &Client, fields: Vec<(String, String)>| {
            let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            client.post_form("/exchange/proposals/new/send", &fields).await
        };
        assert_eq!(post(&provider, sent("file:///x")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let done = post(&provider, sent("https://ht2.example.vn/api")).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let at = done.header("location").unwrap().to_owned();
        assert_eq!(post(&provider, sent("https://ht2.example.vn/api")).await.status, StatusCode::CONFLICT, "waits once");
        let asked = k.db.query("SELECT id FROM kernel_notice", params![]).await.unwrap();
        assert_eq!(asked.len(), 1, "operators are told");

        assert_eq!(s.officer(s.w.neighbour).get(&at).await.status, StatusCode::NOT_FOUND);
        assert_eq!(provider.post_form(&format!("{at}/approve"), &[]).await.status, StatusCode::FORBIDDEN);
        let operator = s.operator();
        let page = operator.get(&at).await.text();
        assert!(page.contains("/khai-sinh/{so}") && page.contains("ho_ten"), "{page}");
        let silent = operator.post_form(&format!("{at}/refuse"), &[("reason", " ")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        let yes = operator.post_form(&format!("{at}/approve"), &[]).await;
        assert_eq!(yes.status, StatusCode::SEE_OTHER, "{}", yes.text());
        assert_eq!(operator.post_form(&format!("{at}/approve"), &[]).await.status, StatusCode::CONFLICT);
        let snapshot = s.exchange.keeper().current().load_full();
        let service = snapshot.service("VN/GOV/C06/dancu/ho-tich").expect("in force before the page says so");
        assert_eq!(service.base_url.as_str(), "https://ht2.example.vn/api");
        assert_eq!(service.endpoints[0].route.to_string(), "GET /khai-sinh/*");
        let marked = exchange::proposal::personal(&k.db, service.id).await.unwrap();
        assert_eq!(marked.into_iter().collect::<Vec<_>>(), ["ho_ten"], "only fields that are there");
        assert_eq!(post(&provider, sent("https://ht2.example.vn/api")).await.status, StatusCode::CONFLICT, "it is there");

        // Who asks for the marked field needs the assessment.
        let asker = s.app.log_in_as(&[READ, ASK], &Reach::Agencies([s.w.consumer].into()));
        let new = json!({"consumer": system(k, "motcua").await, "service": service.id, "draft": {"fields": ["ho_ten"]}});
        let request = asker.post_json("/api/exchange/v1/connections", &new).await.json();
        assert!(request["missing"].as_array().unwrap().contains(&json!("personal-file")), "{request}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_hands_in_refuses_and_takes_back() {
    on_both(async |s: &Site| {
        let k = s.k();
        let (provider, operator) = (s.officer(s.w.provider), s.operator());
        let at = "/api/exchange/v1/proposals";
        let new = |document: &str| {
            json!({"code": "ho-tich", "name": "Tra cứu hộ tịch", "base_url": "https://ht.example.vn/api", "document": document})
        };
        let dancu = system(k, "dancu").await;
        let with = |mut body: serde_json::Value| {
            body["system"] = json!(dancu);
            body
        };
        let bad = provider.post_json(at, &with(new("openapi: ["))).await;
        assert_eq!((bad.status, bad.json()["errors"][0]["field"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some("document")));
        let fetched = json!({"code": "ho-tich", "name": "x", "base_url": "https://ht.example.vn", "url": "http://169.254.169.254/"});
        let refused = provider.post_json(at, &with(fetched)).await;
        assert_eq!(refused.json()["errors"][0]["field"], "url", "nothing is listed, nothing is fetched");

        let made = provider.post_json(at, &with(new(YAML))).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let one = format!("{at}/{}", made.json()["id"].as_str().unwrap());
        let no = operator.post_json(&format!("{one}/refuse"), &json!({"reason": "Thiếu văn bản của đơn vị."})).await;
        assert_eq!((no.status, no.json()["state"].as_str()), (StatusCode::OK, Some("refused")), "{}", no.text());
        assert_eq!(provider.get(&one).await.json()["reason"], "Thiếu văn bản của đơn vị.");
        let again = provider.post_json(at, &with(new(YAML))).await;
        assert_eq!(again.status, StatusCode::CREATED, "after a refusal it may be handed in again");
        let one = format!("{at}/{}", again.json()["id"].as_str().unwrap());
        let back = provider.post_json(&format!("{one}/withdraw"), &json!({})).await;
        assert_eq!(back.json()["state"], "withdrawn", "{}", back.text());
        assert_eq!(operator.post_json(&format!("{one}/approve"), &json!({})).await.status, StatusCode::CONFLICT);
        assert_eq!(provider.get(at).await.json().as_array().unwrap().len(), 2);
        let own = fetch::settings(k).unwrap();
        assert!(own.allow.is_empty() && own.private.is_empty());
    })
    .await;
}
