//! The page that examines the way to a service: run, followed, kept, compared with when it was well; and who may.

use std::time::Duration;

use exchange::ids::ServiceId;
use exchange::permissions;
use http::StatusCode;
use kernel::{Cx, Reach, params};
use testkit::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::site::{Site, on_both};

/// Points the sample's service at a provider of the test, which answers until it is dropped.
async fn provider(s: &Site) -> (tokio::task::JoinHandle<()>, ServiceId) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let k = s.k();
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let sql = "UPDATE exchange_service SET base_url = $1 WHERE code = 'tra-cuu'";
    assert_eq!(tx.execute(sql, params![url]).await.unwrap(), 1);
    let row =
        tx.query_opt("SELECT id FROM exchange_service WHERE code = 'tra-cuu'", params![]).await.unwrap();
    tx.commit().await.unwrap();
    let answering = tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _ = tcp.read(&mut asked).await;
            let _ = tcp.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    });
    (answering, row.unwrap().id("id").unwrap())
}

async fn kept(s: &Site) -> i64 {
    let row = s.k().db.query_one("SELECT COUNT(*) AS n FROM exchange_diagnosis", params![]).await.unwrap();
    row.int("n").unwrap()
}

/// Runs an examination and waits until so many are kept.
async fn run(s: &Site, who: &Client, path: &str, count: i64) {
    let answer = who.post_form(path, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some(path)));
    for _ in 0..1_000 {
        if kept(s).await >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the examination is never kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_well_yesterday_is_compared_with_today() {
    on_both(async |s: &Site| {
        let (answering, id) = provider(s).await;
        let path = format!("/exchange/services/{id}/connection");
        let operator = s.app.log_in_as(&[permissions::READ, permissions::EXAMINE], &Reach::Province);
        let service = operator.get(&format!("/exchange/services/{id}")).await.text();
        assert!(service.contains(&path), "the page of the service leads there");
        assert!(operator.get(&path).await.text().contains("Chưa kiểm tra lần nào"));
        run(s, &operator, &path, 1).await;
        let page = operator.get(&path).await.text();
        assert!(page.contains("Kết nối tốt: mọi bước đều đạt.") && page.contains("HTTP 204"), "{page}");
        assert!(!page.contains("hx-get"), "what is over does not fetch itself again");

        answering.abort();
        let _ = answering.await;
        s.app.t.clock.advance(Duration::from_secs(86_400));
        run(s, &operator, &path, 2).await;
        let page = operator.get(&path).await.text();
        for part in [
            "Bên cung cấp: máy chủ 127.0.0.1",
            "từ chối kết nối",
            "So với lần đạt lúc",
            "Báo cáo gửi nhà cung cấp",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let api = format!("/api/exchange/v1/services/{id}/examinations");
        let told = operator.get(&api).await.json();
        let last = &told["items"][0];
        assert_eq!((last["side"].as_str(), last["fault"].as_str()), (Some("provider"), Some("refused")));
        assert!(
            last["verdict"].as_str().unwrap().contains("từ chối kết nối") && last["next_step"].is_string()
        );
        assert_eq!((told["items"][1].get("fault"), told.get("running")), (None, None));
        let one = operator.get(&format!("{api}/{}", last["id"].as_str().unwrap())).await.json();
        assert_eq!((&one, one["steps"][1]["stage"].as_str()), (last, Some("connection")));
        let unknown = operator.get(&format!("{api}/00000000-0000-4000-8000-000000000009")).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        let first = page.split("?run=").nth(1).unwrap().split('"').next().unwrap();
        let old = operator.get(&format!("{path}?run={first}")).await.text();
        assert!(old.contains("Kết nối tốt"), "{old}");
        let unknown = operator.get(&format!("{path}?run=khong-co")).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        let audited = "SELECT COUNT(*) AS n FROM kernel_audit WHERE action = 'exchange.connection.examine'";
        assert_eq!(s.k().db.query_one(audited, params![]).await.unwrap().int("n").unwrap(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_and_readers_examine_nothing() {
    on_both(async |s: &Site| {
        let (answering, id) = provider(s).await;
        let path = format!("/exchange/services/{id}/connection");
        let with = |unit| {
            s.app.log_in_as(&[permissions::READ, permissions::EXAMINE], &Reach::Agencies([unit].into()))
        };
        // A consumer knows the service, but its inner address is none of its business.
        assert_eq!(with(s.w.consumer).get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(with(s.w.consumer).post_form(&path, &[]).await.status, StatusCode::NOT_FOUND);
        let reader = s.app.log_in_as(&[permissions::READ], &Reach::Agencies([s.w.provider].into()));
        let page = reader.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("không được chạy kiểm tra"), "the reason is said");
        assert_eq!(reader.post_form(&path, &[]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(kept(s).await, 0);
        let api = format!("/api/exchange/v1/services/{id}/examinations");
        let nothing = serde_json::json!({});
        assert_eq!(with(s.w.consumer).get(&api).await.status, StatusCode::NOT_FOUND);
        assert_eq!(reader.post_json(&api, &nothing).await.status, StatusCode::FORBIDDEN);
        assert_eq!(kept(s).await, 0);
        let provider = with(s.w.provider);
        run(s, &provider, &path, 1).await;
        let begun = provider.post_json(&api, &nothing).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
        answering.abort();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_last_runs_of_a_service_are_kept() {
    on_both(async |s: &Site| {
        use exchange::diagnose::Report;
        use exchange::ids::DiagnosisId;
        use exchange::store::diagnoses;
        let k = s.k();
        let services = [(); 2].map(|()| ServiceId::new(&*k.clock, &*k.random));
        for n in 0..5 {
            for service in services {
                let at = k.clock.now().plus(Duration::from_secs(n));
                let report = Report::new(format!("http://a.example/{n}"), at);
                let id = DiagnosisId::new(&*k.clock, &*k.random);
                let mut tx = k.begin(&Cx::kernel("test", at)).await.unwrap();
                diagnoses::add(&mut tx, id, service, &report, 3).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        for service in services {
            let left = diagnoses::of_service(&k.db, service, 10).await.unwrap();
            let urls: Vec<_> = left.iter().map(|r| r.report.address.as_str()).collect();
            assert_eq!(urls, ["http://a.example/4", "http://a.example/3", "http://a.example/2"]);
        }
    })
    .await;
}
