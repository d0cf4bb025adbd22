//! The consumers of a service are told that it is interrupted, and that it is back: one notice each, shown on their
//! overview, and nobody else's.

use http::StatusCode;
use kernel::notices::{self, NoticeId, Recipient};
use kernel::{Kernel, params};

use crate::site::on_both;
use crate::world::{NUMBER, agreement};

async fn id(k: &Kernel, table: &str, code: &str) -> String {
    let sql = format!("SELECT id FROM {table} WHERE code = $1");
    k.db.query_one(&sql, params![code]).await.unwrap().text("id").unwrap()
}

async fn asked(k: &Kernel) -> Vec<(String, Vec<Recipient>)> {
    let rows = k.db.query("SELECT id FROM kernel_notice ORDER BY at, id", vec![]).await.unwrap();
    let mut out = Vec::new();
    for row in rows {
        let notice = notices::one(k, &k.db, row.id::<NoticeId>("id").unwrap()).await.unwrap();
        out.push((notice.template, notice.to));
    }
    out
}

fn said() -> Vec<(&'static str, &'static str)> {
    vec![
        ("since_date", "22/11/2025"),
        ("since_time", "08:14"),
        ("known", "Máy chủ <b>hỏng</b>"),
        ("expected", "trước 16:00"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_are_told_of_an_interruption_and_of_its_end() {
    on_both(async |s| {
        let k = s.k();
        let operator = s.operator();
        let at = format!("/api/exchange/v1/agreements/{}/approve", agreement(k, NUMBER).await);
        let approved = s.officer(s.w.provider).post_json(&at, &serde_json::json!({})).await;
        assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
        let service = id(k, "exchange_service", "tra-cuu").await;
        let system = id(k, "exchange_subsystem", "motcua").await;
        let contacts = format!("/exchange/subsystems/{system}/contacts");
        let add = [("channel", "email"), ("address", " Ky-Thuat@MotCua.example ")];
        assert_eq!(operator.post_form(&contacts, &add).await.status, StatusCode::SEE_OTHER);
        assert_eq!(
            operator.post_form(&contacts, &add).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "once"
        );
        let bad = [("channel", "email"), ("address", "a@b.vn\r\nBcc: c@d.vn")];
        assert_eq!(operator.post_form(&contacts, &bad).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = operator.get(&format!("/exchange/subsystems/{system}")).await.text();
        assert!(page.contains("K•••@motcua.example") && !page.contains("Ky-Thuat"), "{page}");

        let path = format!("/exchange/services/{service}/outage");
        let page = operator.get(&path).await.text();
        assert!(page.contains("K•••@motcua.example") && page.contains("Gửi báo gián đoạn"), "{page}");
        let mut empty = said();
        empty[2].1 = " ";
        let refused = operator.post_form(&path, &empty).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("trước 16:00"), "nothing typed is lost");
        assert!(asked(k).await.is_empty());
        assert_eq!(operator.post_form(&path, &said()).await.status, StatusCode::SEE_OTHER);
        assert_eq!(operator.post_form(&path, &said()).await.status, StatusCode::CONFLICT, "once");
        let notices = asked(k).await;
        let [(template, to)] = &notices[..] else { panic!("one for each consumer: {notices:?}") };
        assert_eq!(template, "service-outage");
        assert!(to.iter().any(
            |r| matches!(r, Recipient::Holders { role, agency: Some(_) } if role == "consumer-officer")
        ));
        assert!(to.iter().any(
            |r| matches!(r, Recipient::Address { address, .. } if address == "Ky-Thuat@motcua.example")
        ));

        let consumer = s.officer(s.w.consumer);
        let overview = consumer.get("/exchange").await.text();
        assert!(overview.contains("Gián đoạn:") && overview.contains("trước 16:00"), "{overview}");
        assert!(!overview.contains("<b>hỏng"), "shown as text");
        let neighbour = s.officer(s.w.neighbour);
        assert!(!neighbour.get("/exchange").await.text().contains("Gián đoạn:"));
        assert_eq!(consumer.post_form(&path, &said()).await.status, StatusCode::FORBIDDEN);
        let shown = consumer.get(&format!("/exchange/services/{service}")).await.text();
        assert!(shown.contains("Gián đoạn:") && !shown.contains("/outage\""), "{shown}");

        let all = "/api/exchange/v1/outages";
        let open = consumer.get(&format!("{all}?state=open")).await.json();
        let one = format!("{all}/{}", open["items"][0]["id"].as_str().unwrap());
        assert_eq!(open["items"][0]["known"], "Máy chủ <b>hỏng</b>");
        assert_eq!(consumer.get(&one).await.json()["service"], service);
        assert_eq!(
            s.officer(s.w.provider).get(&one).await.status,
            StatusCode::OK,
            "the provider's matter, too"
        );
        assert_eq!(neighbour.get(&one).await.status, StatusCode::NOT_FOUND);
        assert_eq!(neighbour.get(all).await.json()["items"], serde_json::json!([]));
        assert_eq!(
            operator.get(&format!("{all}?state=other")).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let of_service = format!("/api/exchange/v1/services/{service}/outage");
        let late = serde_json::json!({"since": "2099-01-01T00:00:00Z"});
        assert_eq!(operator.post_json(&of_service, &late).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let again = operator.post_json(&of_service, &serde_json::json!({})).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "told already");

        let end = format!("{path}/end");
        assert_eq!(operator.post_form(&end, &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(operator.post_form(&end, &[]).await.status, StatusCode::CONFLICT);
        assert_eq!(asked(k).await.last().unwrap().0, "service-restored");
        assert!(!consumer.get("/exchange").await.text().contains("Gián đoạn:"));
        assert_eq!(consumer.get(&format!("{all}?state=open")).await.json()["items"], serde_json::json!([]));
        assert!(consumer.get(&one).await.json()["ended_at"].is_string());
        let told = operator.post_json(&of_service, &serde_json::json!({})).await;
        assert_eq!((told.status, told.json()["consumers"].as_i64()), (StatusCode::CREATED, Some(1)));
        let over = operator.post_json(&format!("{of_service}/end"), &serde_json::json!({})).await;
        assert_eq!((over.status, over.json()["consumers"].as_i64()), (StatusCode::OK, Some(1)));
        let first = operator.get(&format!("{all}?limit=1")).await.json();
        let next = first["next"].as_str().unwrap();
        let rest = operator.get(&format!("{all}?limit=1&after={next}")).await.json();
        assert_eq!((rest["items"][0]["id"].as_str(), rest.get("next")), (one.rsplit('/').next(), None));
        let audit = "SELECT detail FROM kernel_audit WHERE action LIKE 'exchange.contact.%'";
        for row in k.db.query(audit, vec![]).await.unwrap() {
            assert!(!row.text("detail").unwrap().contains('@'), "no addresses in the audit");
        }
    })
    .await;
}
