//! The report of a month: its figures are those of the rows, it is closed once, and what comes later stands beside it.

use std::time::Duration;

use base::i18n::Text;
use evidence::Outcome;
use exchange::report::{self, Month};
use exchange::viewer::Viewer;
use http::StatusCode;
use kernel::alerts::{Alert, Severity};
use kernel::{Cx, params};

use crate::site::{Site, on_both};
use crate::traffic::{exported, figures};
use crate::world::{NUMBER, agreement};

async fn call(s: &Site, n: usize, outcome: Outcome, fault: Option<&str>) {
    s.record(&format!("00000000-0000-4000-8000-{n:012}"), outcome, fault).await;
    s.calls(n as i64).await;
}

fn alert(key: &str) -> Alert {
    let text = |t: &str| Text { vi: t.into(), en: t.into() };
    Alert {
        key: key.into(),
        severity: Severity::Critical,
        title: text("Hệ thống dân cư không trả lời"),
        cause: text("x"),
        todo: text("x"),
        affected: Vec::new(),
        since: None,
    }
}

/// An outage of the provider that lasts so long.
async fn outage(s: &Site, key: &str, lasts: Duration) {
    let cx = || Cx::kernel("test", s.k().clock.now());
    let mut tx = s.k().begin(&cx()).await.unwrap();
    tx.raise(&alert(key)).await.unwrap();
    tx.commit().await.unwrap();
    s.app.t.clock.advance(lasts);
    let mut tx = s.k().begin(&cx()).await.unwrap();
    tx.clear(key).await.unwrap();
    tx.commit().await.unwrap();
}

async fn down_key(s: &Site) -> String {
    let sql = "SELECT base_url FROM exchange_service WHERE code = 'tra-cuu'";
    let url = s.k().db.query_one(sql, params![]).await.unwrap().text("base_url").unwrap();
    let address = url.split("://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    format!("exchange.provider.down:VN/GOV/C06/dancu@{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_of_the_report_opens_to_as_many_rows() {
    on_both(async |s| {
        // Not at the end of a month, whenever the test runs.
        let next = Month::of(s.k().clock.now().date()).after();
        s.app.t.clock.set(next.from().plus(Duration::from_secs(10 * 86_400)));
        for n in 1..=7 {
            let (outcome, fault) = match n {
                3 => (Outcome::Refused, Some("server.serverproxy.access_denied/no-agreement")),
                5 => (Outcome::UpstreamFailed, Some("x/provider-timeout")),
                _ => (Outcome::Answered, None),
            };
            call(s, n, outcome, fault).await;
        }
        let month = Month::of(s.k().clock.now().date());
        outage(s, &down_key(s).await, Duration::from_secs(90 * 60)).await;
        let at = format!("/exchange/reports/{month}");
        for client in [s.operator(), s.officer(s.w.provider), s.officer(s.w.consumer)] {
            let page = client.get(&at).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text());
            let text = page.text();
            let found = figures(&text);
            assert!(found.len() >= 13, "{found:?}");
            for (href, n) in found {
                assert_eq!(exported(&client, &href).await.len(), n, "{href}");
            }
            assert!(
                text.contains("7 lượt giao dịch")
                    && text.contains("1 lần gián đoạn, tổng cộng 1 giờ 30 phút"),
                "{text}"
            );
        }
        let text = s.operator().get(&at).await.text();
        assert!(text.contains("chưa được chấp thuận khai thác"), "why calls were refused");
        let neighbour = s.officer(s.w.neighbour).get(&at).await.text();
        assert!(neighbour.contains("0 lượt giao dịch") && !neighbour.contains("dân cư"), "{neighbour}");
        let file = s.operator().get(&format!("{at}/export?as=csv")).await.text();
        // The clock goes on while it is moved.
        let mut lasted = file.split([',', '\r', '\n']).filter_map(|v| v.parse::<i64>().ok());
        assert!(file.contains("Lượt giao dịch,7,") && lasted.any(|n| (5_400..5_460).contains(&n)), "{file}");
        assert!(s.operator().get(&format!("{at}/export?as=xlsx")).await.body.starts_with(b"PK"));
        for bad in ["2026-13", "x", "2026", "1000-01"] {
            let answer = s.operator().get(&format!("/exchange/reports/{bad}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{bad}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn availability_is_what_incidents_leave() {
    let s = Site::new("sqlite").await;
    let start = Month::of(s.k().clock.now().date()).after();
    s.app.t.clock.set(start.from());
    let key = down_key(&s).await;
    s.app.t.clock.advance(Duration::from_secs(3600));
    outage(&s, &key, Duration::from_secs(3600)).await;
    outage(&s, "exchange.service.failing:VN/GOV/C06/dancu/tra-cuu", Duration::from_secs(1800)).await;
    s.app.t.clock.advance(Duration::from_secs(8 * 3600 - 1800));
    let figures = report::compute(s.k(), &Viewer::All, start).await.unwrap();
    let service = figures.services.iter().find(|line| line.path.ends_with("/tra-cuu")).unwrap();
    assert_eq!(figures.incident_count, 2);
    // The clock goes on while it is moved.
    assert!(
        (5_400..5_460).contains(&service.down_seconds) && (5_400..5_460).contains(&figures.outage_seconds)
    );
    let whole = figures.until.since(start.from()).as_secs_f64();
    assert!((service.available - (100.0 - 540_000.0 / whole)).abs() < 0.2, "{}", service.available);
    s.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_month_stays_as_it_was() {
    on_both(async |s| {
        call(s, 1, Outcome::Answered, None).await;
        let month = Month::of(s.k().clock.now().date());
        let at = format!("/exchange/reports/{month}");
        let close =
            async |client: testkit::Client| client.post_form(&format!("{at}/close"), &[]).await.status;
        assert_eq!(close(s.operator()).await, StatusCode::CONFLICT, "the month is not over");
        let early = s.k().clock.now();
        s.app.t.clock.set(month.until());
        assert_eq!(close(s.officer(s.w.provider)).await, StatusCode::FORBIDDEN);
        assert_eq!(close(s.operator()).await, StatusCode::SEE_OTHER);
        assert_eq!(close(s.operator()).await, StatusCode::CONFLICT, "once");
        let closed = report::closed(s.k(), month).await.unwrap().unwrap();
        assert_eq!(closed.figures.totals.calls, 1);
        assert!(closed.at >= month.until());
        let page = s.operator().get(&at).await.text();
        assert!(page.contains("Người chốt số liệu") && !page.contains("Điều chỉnh sau khi chốt"), "{page}");

        // A record of that month that reaches the tables only now.
        s.app.t.clock.set(early);
        call(s, 2, Outcome::Answered, None).await;
        s.app.t.clock.set(month.until());
        let page = s.operator().get(&at).await.text();
        assert!(page.contains("Điều chỉnh sau khi chốt") && page.contains("1 lượt giao dịch"), "{page}");
        assert_eq!(report::closed(s.k(), month).await.unwrap().unwrap(), closed);
        let sql = "SELECT COUNT(*) AS n FROM kernel_audit WHERE action = 'exchange.month.close'";
        assert_eq!(s.k().db.query_one(sql, params![]).await.unwrap().int("n").unwrap(), 1);
        let list = s.operator().get("/exchange/reports").await.text();
        assert!(list.contains(&at) && list.contains("Đã chốt"), "{list}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_is_for_both_parties_and_nobody_else() {
    on_both(async |s| {
        let id = agreement(s.k(), NUMBER).await;
        let at = format!("/exchange/agreements/{id}/statement");
        for client in [s.operator(), s.officer(s.w.provider), s.officer(s.w.consumer)] {
            let page = client.get(&at).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text());
            assert!(page.text().contains("Sở Nội vụ (thử nghiệm)"), "the agency as the law writes it");
            assert_eq!(client.get(&format!("{at}/export?as=csv&month=2026-10")).await.status, StatusCode::OK);
        }
        assert_eq!(s.officer(s.w.neighbour).get(&at).await.status, StatusCode::NOT_FOUND);
        assert_eq!(s.operator().get(&format!("{at}?month=x")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trials_are_listed_and_counted_nowhere() {
    on_both(async |s| {
        let number = |n: usize| format!("00000000-0000-4000-8000-{n:012}");
        call(s, 1, Outcome::Answered, None).await;
        for (n, place) in [(2, evidence::Environment::Sandbox), (3, evidence::Environment::Test)] {
            s.record_in(Some(place), &number(n), Outcome::Answered, None).await;
            s.calls(n as i64).await;
        }
        // Later than the trials, so that their turn has come when it is counted.
        call(s, 4, Outcome::Answered, None).await;
        let month = Month::of(s.k().clock.now().date());
        let figures = report::compute(s.k(), &Viewer::All, month).await.unwrap();
        assert_eq!((figures.totals.calls, figures.called_services), (2, 1));
        let operator = s.operator();
        let page = operator.get(&format!("/exchange/reports/{month}")).await.text();
        for (href, n) in crate::traffic::figures(&page) {
            assert_eq!(exported(&operator, &href).await.len(), n, "{href}");
        }
        assert_eq!(exported(&operator, "/exchange/calls").await.len(), 4, "the list shows the trials too");
        // Addresses hold whole seconds.
        s.app.t.clock.advance(Duration::from_secs(60));
        let hour = operator.get("/exchange/traffic?period=hour").await.text();
        for (href, n) in crate::traffic::figures(&hour) {
            assert_eq!(exported(&operator, &href).await.len(), n, "{href}");
        }
    })
    .await;
}
