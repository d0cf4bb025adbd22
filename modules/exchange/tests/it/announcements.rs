//! A provider announces changes and ends: consumers are told, reminded and acknowledge, answers carry the dates, calls are
//! refused after the end once it was confirmed; nobody else learns of it or may say it.

use std::time::Duration;

use base::clock::Date;
use exchange::announcement::{self, remind_due};
use exchange::deny::DenyReason;
use exchange::permissions::{ASK, INTEGRATE, READ};
use http::StatusCode;
use kernel::notices::{self, NoticeId};
use kernel::{Kernel, Reach, params};
use serde_json::json;
use testkit::Client;

use crate::site::{CONSUMER, SERVICE, Site, on_both};
use crate::world::{NUMBER, agreement};

const DAYS: &[u16] = &[90, 30, 7];

async fn id(k: &Kernel, table: &str, code: &str) -> String {
    let sql = format!("SELECT id FROM {table} WHERE code = $1");
    k.db.query_one(&sql, params![code]).await.unwrap().text("id").unwrap()
}

/// Templates of the notices asked for so far.
async fn asked(k: &Kernel) -> Vec<String> {
    let rows = k.db.query("SELECT id FROM kernel_notice ORDER BY at, id", vec![]).await.unwrap();
    let mut out = Vec::new();
    for row in rows {
        out.push(notices::one(k, &k.db, row.id::<NoticeId>("id").unwrap()).await.unwrap().template);
    }
    out
}

async fn approved(s: &Site) {
    let at = format!("/api/exchange/v1/agreements/{}/approve", agreement(s.k(), NUMBER).await);
    let done = s.officer(s.w.provider).post_json(&at, &json!({})).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
}

fn asker(s: &Site) -> Client {
    s.app.log_in_as(&[READ, ASK], &Reach::Agencies([s.w.consumer].into()))
}

fn in_days(k: &Kernel, days: i64) -> Date {
    k.clock.now().date().plus_days(days).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_acknowledged_reminded_and_enforced_only_when_confirmed() {
    on_both(async |s: &Site| {
        let k = s.k();
        approved(s).await;
        let provider = s.officer(s.w.provider);
        let service = id(k, "exchange_service", "tra-cuu").await;
        let at = format!("/exchange/services/{service}/announcements");
        assert_eq!(provider.get(&at).await.status, StatusCode::OK);
        let ends = in_days(k, 120);
        let ends_vn = ends.vn();
        let said = [
            ("kind", "end"),
            ("ends", ends_vn.as_str()),
            ("what", "Chuyển sang <b>v2</b>"),
            ("successor", ""),
        ];
        let wrong = provider.post_form(&at, &[("kind", "end"), ("what", "Chuyển sang v2")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text().contains("Chuyển sang v2"), "nothing typed is lost");
        let own =
            [("kind", "end"), ("ends", ends_vn.as_str()), ("what", "x"), ("successor", service.as_str())];
        assert_eq!(
            provider.post_form(&at, &own).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "not by itself"
        );
        assert!(asked(k).await.is_empty());

        let done = provider.post_form(&at, &said).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let page = done.header("location").unwrap().to_owned();
        assert_eq!(asked(k).await, ["service-announced"]);
        assert_eq!(provider.post_form(&at, &said).await.status, StatusCode::CONFLICT, "a service ends once");
        let current = s.exchange.keeper().current().load_full();
        let announced =
            current.service(SERVICE).unwrap().announced.clone().expect("in force before the page says so");
        assert_eq!(announced.ends_at.map(|at| at.date()), Some(ends));

        // The consumer finds it where it works, as text, and acknowledges once.
        let consumer = asker(s);
        let shown = consumer.get(&format!("/exchange/services/{service}")).await.text();
        assert!(shown.contains("ngừng cung cấp từ ngày") && !shown.contains("<b>v2</b>"), "{shown}");
        assert!(consumer.get("/exchange/announcements").await.text().contains(&page));
        let motcua = id(k, "exchange_subsystem", "motcua").await;
        let vendor = s.app.log_in_as(&[INTEGRATE], &Reach::Agencies([s.w.consumer].into()));
        let corner = vendor.get(&format!("/exchange/corner/systems/{motcua}")).await.text();
        assert!(corner.contains(&page) && corner.contains("xác nhận đã nắm"), "{corner}");
        assert_eq!(vendor.get(&page).await.status, StatusCode::OK);
        let acknowledge = format!("{page}/acknowledge");
        let system = [("system", motcua.as_str())];
        assert_eq!(provider.post_form(&acknowledge, &system).await.status, StatusCode::FORBIDDEN);
        assert!(provider.get(&page).await.text().contains("chưa xác nhận"));
        assert_eq!(vendor.post_form(&acknowledge, &system).await.status, StatusCode::SEE_OTHER);
        assert_eq!(
            consumer.post_form(&acknowledge, &system).await.status,
            StatusCode::SEE_OTHER,
            "again is nothing"
        );
        let rows = k
            .db
            .query("SELECT 1 FROM kernel_audit WHERE action = 'exchange.announcement.acknowledge'", vec![]);
        assert!(rows.await.unwrap().len() <= 1);
        assert!(!provider.get(&page).await.text().contains("chưa xác nhận"));

        // Somebody without a part learns nothing.
        let neighbour = s.officer(s.w.neighbour);
        assert_eq!(neighbour.get(&page).await.status, StatusCode::NOT_FOUND);
        assert!(!neighbour.get("/exchange/announcements").await.text().contains(&page));
        assert_eq!(neighbour.post_form(&acknowledge, &system).await.status, StatusCode::FORBIDDEN);
        for act in ["confirm", "withdraw"] {
            let answer = neighbour.post_form(&format!("{page}/{act}"), &system).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{act}");
        }
        assert_eq!(
            consumer.post_form(&format!("{page}/confirm"), &[("refuses", "1")]).await.status,
            StatusCode::FORBIDDEN
        );

        // Reminders by the calendar, each once.
        for (days, sent) in [(29, 0), (1, 1), (0, 1), (60, 2), (23, 3), (1, 3)] {
            s.app.t.clock.advance(Duration::from_secs(days * 86_400));
            remind_due(k, DAYS).await.unwrap();
            let reminders = asked(k).await.iter().filter(|t| *t == "service-reminder").count();
            assert_eq!(reminders, sent, "{days} days later");
        }

        // After the end calls pass until the provider has confirmed it.
        s.app.t.clock.advance(Duration::from_secs(10 * 86_400));
        s.exchange.keeper().refresh(k).await.unwrap();
        let decide = || {
            let snapshot = s.exchange.keeper().current().load_full();
            let (c, v) = (snapshot.consumer(CONSUMER).unwrap(), snapshot.service(SERVICE).unwrap());
            snapshot.decide(c, v, "GET", "/cong-dan/1", None, k.clock.now()).map(|a| a.number.clone())
        };
        assert_eq!(decide(), Ok(NUMBER.to_owned()));
        assert_eq!(
            provider.post_form(&format!("{page}/confirm"), &[("refuses", "1")]).await.status,
            StatusCode::SEE_OTHER
        );
        assert!(matches!(decide(), Err(DenyReason::Ended { successor: None, .. })), "{:?}", decide());
        assert_eq!(
            provider.post_form(&format!("{page}/confirm"), &[("refuses", "")]).await.status,
            StatusCode::SEE_OTHER
        );
        assert!(decide().is_ok(), "and again pass when that is taken back");
        assert_eq!(provider.post_form(&format!("{page}/withdraw"), &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(provider.post_form(&format!("{page}/withdraw"), &[]).await.status, StatusCode::CONFLICT);
        assert_eq!(asked(k).await.last().unwrap(), "service-withdrawn");
        let current = s.exchange.keeper().current().load_full();
        assert!(current.service(SERVICE).unwrap().announced.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_announces_and_who_comes_later_is_told() {
    on_both(async |s: &Site| {
        let k = s.k();
        let provider = s.officer(s.w.provider);
        let service = id(k, "exchange_service", "tra-cuu").await;
        let at = format!("/api/exchange/v1/services/{service}/announcements");
        let day = in_days(k, 40).to_string();
        for bad in [
            json!({}),
            json!({"kind": "x", "what": "a"}),
            json!({"kind": "change", "what": "a", "ends": day}),
        ] {
            let answer = provider.post_json(&at, &bad).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
        let said = json!({"kind": "change", "effective": day, "what": "Thêm trường quốc tịch."});
        let made = provider.post_json(&at, &said).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let page = format!("/api/exchange/v1/announcements/{}", made.json()["id"].as_str().unwrap());
        assert_eq!(made.json()["consumers"], json!([]), "nobody has an agreement in force");
        assert!(asked(k).await.is_empty());
        assert_eq!(s.officer(s.w.consumer).get(&page).await.status, StatusCode::NOT_FOUND);
        let snapshot = s.exchange.keeper().current().load_full();
        assert!(snapshot.service(SERVICE).unwrap().announced.is_none(), "a change deprecates nothing");

        approved(s).await;
        remind_due(k, DAYS).await.unwrap();
        assert_eq!(asked(k).await, ["service-announced"], "told as soon as it has an agreement");
        s.app.t.clock.advance(Duration::from_secs(12 * 86_400));
        remind_due(k, DAYS).await.unwrap();
        assert_eq!(asked(k).await, ["service-announced", "service-reminder"]);
        let seen = s.officer(s.w.consumer).get(&page).await;
        assert_eq!(seen.status, StatusCode::OK);
        assert_eq!(seen.json()["consumers"][0]["member"].as_str().map(|m| !m.is_empty()), Some(true));
        let list = asker(s).get("/api/exchange/v1/announcements").await.json();
        assert_eq!(list[0]["kind"], "change");
        let confirm = provider.post_json(&format!("{page}/confirm"), &json!({"refuses": true})).await;
        assert_eq!(confirm.status, StatusCode::CONFLICT, "there is no end to confirm");
        // Over for more than a month it is no longer listed.
        s.app.t.clock.advance(Duration::from_secs(80 * 86_400));
        let old = announcement::concerning(&k.db, &exchange::viewer::Viewer::All, k.clock.now().date())
            .await
            .unwrap();
        assert!(old.is_empty());
    })
    .await;
}
