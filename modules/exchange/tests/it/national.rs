//! The page of national connections: what leads where, how each link does, for whom.

use std::sync::Arc;

use evidence::Outcome;
use exchange::config::Settings;
use exchange::national::{Link, Route};
use exchange::{Exchange, permissions};
use http::StatusCode;
use kernel::alerts::{Alert, Severity};
use kernel::i18n::Text;
use kernel::tokens::TokenIssuer;
use kernel::{Cx, Reach};
use testkit::{App, TestKernel};
use web::Pages;

use crate::site::{SERVICE, Site};
use crate::world::World;

const CALL: &str = "00000000-0000-4000-8000-000000000001";

/// The usual site, whose service leads to the population database.
async fn linked(backend: &'static str) -> Site {
    let mut settings = Settings::default();
    settings.national.link = vec![
        Link {
            system: "population".into(),
            route: Some(Route::Ndop),
            services: vec!["GOV/C06/dancu/tra-cuu".into()],
        },
        Link { system: "land".into(), route: None, services: vec!["GOV/C06/dancu/khong-co".into()] },
    ];
    let issuer = TokenIssuer::new(Default::default());
    let exchange = Exchange::connected(settings, issuer.clone(), "thu-nghiem");
    let modules: Vec<Arc<dyn Pages>> = vec![Arc::new(exchange.clone())];
    let t = Arc::new(TestKernel::new(backend, &[Arc::new(exchange.clone())]).await);
    let w = World::new(&t).await;
    Site { app: App::on(t, modules).await, w, exchange, issuer }
}

async fn watch_says(s: &Site, down: bool) {
    let k = s.k();
    let sql = "SELECT base_url FROM exchange_service WHERE code = 'tra-cuu'";
    let url = k.db.query_one(sql, vec![]).await.unwrap().text("base_url").unwrap();
    let authority = url.split('/').nth(2).unwrap().to_owned();
    let key = format!("exchange.provider.down:VN/GOV/C06/dancu@{authority}");
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let text = || Text::both(|_| "x");
    let alert = Alert {
        key: key.clone(),
        severity: Severity::Critical,
        title: text(),
        cause: text(),
        todo: text(),
        affected: vec![],
        since: None,
    };
    if down {
        tx.raise(&alert).await.unwrap();
    } else {
        tx.clear(&key).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// The line of a system in the exported list.
async fn line(client: &testkit::Client, system: &str) -> String {
    let csv = client.get("/exchange/national/export?as=csv").await;
    assert_eq!(csv.status, StatusCode::OK);
    let text = csv.text();
    text.lines().find(|l| l.contains(system)).unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_shown_as_it_does() {
    for backend in testkit::backends() {
        let s = linked(backend).await;
        let operator = s.app.log_in_as(&[permissions::READ], &Reach::Province);
        watch_says(&s, false).await;
        assert!(line(&operator, "population").await.contains("Chưa có lượt gọi thành công"));
        s.record(CALL, Outcome::Answered, None).await;
        s.calls(1).await;
        let one = line(&operator, "population").await;
        assert!(one.contains("Hoạt động") && one.contains("(NDOP)"), "{one}");
        watch_says(&s, true).await;
        assert!(line(&operator, "population").await.contains("Gián đoạn"));
        assert!(line(&operator, "construction").await.contains("Chưa kết nối"));

        let page = operator.get("/exchange/national").await.text();
        for part in
            ["Kết nối quốc gia", "31/12/2026", "ngày đến hạn", "Nghị định 278/2025/NĐ-CP", "Chưa kiểm chứng"]
        {
            assert!(page.contains(part), "{part}");
        }
        let broken = operator.get("/exchange/national?state=broken").await.text();
        assert!(
            broken.contains("/exchange/national/population") && !broken.contains("/exchange/national/land\"")
        );
        let by_name = operator.get("/exchange/national?q=dat+dai").await.text();
        assert!(
            by_name.contains("/exchange/national/land") && !by_name.contains("/exchange/national/population")
        );

        let one = operator.get("/exchange/national/population").await.text();
        assert!(one.contains("Bộ Công an") && one.contains("GOV/C06/dancu/tra-cuu"), "{one}");
        let land = operator.get("/exchange/national/land").await.text();
        assert!(land.contains("khong-co"), "what is configured but not there is said");
        assert_eq!(operator.get("/exchange/national/khong-co").await.status, StatusCode::NOT_FOUND);
        assert!(SERVICE.ends_with("GOV/C06/dancu/tra-cuu"));
        s.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_part_sees_no_service_and_no_configuration() {
    let s = linked("sqlite").await;
    let neighbour = s.app.log_in_as(&[permissions::READ], &Reach::Agencies([s.w.neighbour].into()));
    let page = neighbour.get("/exchange/national/population").await.text();
    assert!(page.contains("Bộ Công an") && !page.contains("GOV/C06"), "{page}");
    assert!(!neighbour.get("/exchange/national/land").await.text().contains("khong-co"));
    let xlsx = neighbour.get("/exchange/national/export?as=xlsx").await;
    assert!(xlsx.body.starts_with(b"PK"), "a workbook");
    s.close().await;
}
