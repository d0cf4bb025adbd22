//! Figures of calls: equal to their rows however often records are read, for whom they concern, and kept when the rows go.

use std::collections::BTreeMap;
use std::time::Duration;

use evidence::Outcome;
use exchange::traffic::{self, Of, Side, Span, What};
use http::StatusCode;
use kernel::{Cx, params};
use testkit::Client;

use crate::site::{CONSUMER, PROVIDER, SERVICE, Site, on_both};
use crate::world::{NUMBER, agreement};

fn number(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

const REFUSED: &str = "server.serverproxy.access_denied/no-agreement";

/// Twelve calls over three days: answered, refused, failed by the provider, broken off.
async fn some_calls(s: &Site) {
    for n in 0..12 {
        let (outcome, fault) = match n % 4 {
            0 | 1 => (Outcome::Answered, None),
            2 => (Outcome::Refused, Some(REFUSED)),
            _ if n == 3 => (Outcome::ConsumerGone, None),
            _ => (Outcome::UpstreamFailed, Some("x/provider-timeout")),
        };
        s.record(&number(n), outcome, fault).await;
        s.app.t.clock.advance(Duration::from_secs(6 * 3600));
    }
    s.calls(12).await;
}

/// Rows of a file under its headings.
pub(crate) async fn exported(client: &Client, href: &str) -> Vec<Vec<String>> {
    let href = href.replace("&#38;", "&").replace("&amp;", "&");
    let (path, query) = href.split_once('?').unwrap_or((href.as_str(), ""));
    let answer = client.get(&format!("{path}/export?as=csv&{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{href}: {}", answer.text());
    let text = answer.text();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

type Sums = BTreeMap<(i64, i64), (i64, i64, i64, i64)>;

/// Calls by span and beginning, counted from the rows themselves.
async fn from_rows(s: &Site) -> Sums {
    let rows =
        s.k().db.query("SELECT request_in, outcome, status FROM exchange_call", params![]).await.unwrap();
    let mut sums = Sums::new();
    for row in rows {
        let at = row.time("request_in").unwrap();
        let outcome = row.text("outcome").unwrap();
        for span in Span::ALL {
            let sum = sums.entry((span.number(), span.start(at).micros())).or_default();
            sum.0 += 1;
            sum.1 += i64::from(matches!(outcome.as_str(), "refused" | "consumer_gone"));
            sum.2 += i64::from(outcome == "upstream_failed");
            sum.3 += i64::from(outcome == "refused");
        }
    }
    sums
}

async fn from_figures(s: &Site) -> Sums {
    let sql = "SELECT span, start, calls, consumer, provider, refused FROM exchange_traffic WHERE series = 0";
    let rows = s.k().db.query(sql, params![]).await.unwrap();
    let int = |r: &kernel::db::Row, c| r.int(c).unwrap();
    let sums =
        |r: &kernel::db::Row| (int(r, "calls"), int(r, "consumer"), int(r, "provider"), int(r, "refused"));
    rows.iter().map(|r| ((int(r, "span"), int(r, "start")), sums(r))).collect()
}

async fn write(s: &Site, sql: &str) {
    let mut tx = s.k().begin(&Cx::kernel("test", s.k().clock.now())).await.unwrap();
    tx.execute(sql, params![]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_equal_their_rows_however_often_the_logs_are_read() {
    on_both(async |s| {
        some_calls(s).await;
        let counted = from_rows(s).await;
        assert_eq!(from_figures(s).await, counted);
        assert!(counted.len() > 10 && counted.values().map(|c| c.2).max() == Some(2), "{counted:?}");

        write(s, "UPDATE exchange_origin SET indexed = 0").await;
        s.record(&number(12), Outcome::Answered, None).await;
        s.calls(13).await;
        assert_eq!(from_figures(s).await, from_rows(s).await, "read again, counted once");

        // As a step to a new schema does: nothing is counted, everything is read again.
        write(s, "DELETE FROM exchange_traffic").await;
        write(s, "UPDATE exchange_call SET side = NULL").await;
        write(s, "UPDATE exchange_origin SET indexed = 0").await;
        s.record(&number(13), Outcome::Answered, None).await;
        s.calls(14).await;
        assert_eq!(from_figures(s).await, from_rows(s).await, "rebuilt from the logs");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_stays_counted_and_does_not_come_back() {
    on_both(async |s| {
        some_calls(s).await;
        let counted = from_figures(s).await;
        let now = s.k().clock.now();
        let cut = Span::Day.start(now.minus(Duration::from_secs(86_400)));
        // What the daily work does, with a short retention.
        let mut tx = s.k().begin(&Cx::kernel("test", now)).await.unwrap();
        tx.execute("DELETE FROM exchange_call WHERE request_in < $1", params![cut]).await.unwrap();
        tx.set_setting("exchange.calls.kept_from", &cut.micros().to_string()).await.unwrap();
        tx.execute("UPDATE exchange_origin SET indexed = 0", params![]).await.unwrap();
        tx.commit().await.unwrap();
        let left = s
            .k()
            .db
            .query_one("SELECT COUNT(*) AS n FROM exchange_call", params![])
            .await
            .unwrap()
            .int("n")
            .unwrap();
        assert!((1..12).contains(&left), "{left}");
        s.record(&number(20), Outcome::Answered, None).await;
        s.calls(left + 1).await;
        let mut after = from_figures(s).await;
        let new = Span::ALL.map(|span| (span.number(), span.start(now).micros()));
        for key in new {
            let sum = after.get_mut(&key).expect("counted");
            sum.0 -= 1;
            if sum.0 == 0 {
                after.remove(&key);
            }
        }
        assert_eq!(after, counted);
        let rows = s.k().db.query("SELECT request_id FROM exchange_call", params![]).await.unwrap();
        assert_eq!(rows.len() as i64, left + 1, "removed rows do not come back");
        let old = Span::Day.start(cut.minus(Duration::from_secs(1))).rfc3339_vn();
        let page = s.operator().get(&format!("/exchange/calls?from={}", web::encoded(&old))).await.text();
        assert!(page.contains("nhật ký chứng cứ đã niêm phong"), "the list says where the others are");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_counts_what_they_may_see() {
    on_both(async |s| {
        some_calls(s).await;
        let (from, until) = (base(0), s.k().clock.now());
        let sum = async |what: What, parties: Option<&[&str]>| {
            let parties = parties.map(|p| p.iter().map(|p| (*p).to_owned()).collect());
            traffic::sum(&s.k().db, &Of { what, parties }, Span::Day, from, until).await.unwrap()
        };
        let all = sum(What::All, None).await;
        assert_eq!((all.calls, all.ok(), all.refused), (12, 6, 3));
        assert_eq!([Side::Consumer, Side::Provider, Side::Ours].map(|side| all.of(side)), [4, 2, 0]);
        assert_eq!(all.latency.count(), 9, "what never left has no response time");
        for what in
            [What::Service(SERVICE.into()), What::Client(CONSUMER.into()), What::Provider(PROVIDER.into())]
        {
            assert_eq!(sum(what.clone(), None).await, all, "{what:?}");
            assert_eq!(sum(what.clone(), Some(&[CONSUMER])).await, all, "{what:?}");
            assert_eq!(sum(what, Some(&["VN/GOV/H38/khac"])).await.calls, 0);
        }
        assert_eq!(sum(What::All, Some(&[CONSUMER, PROVIDER])).await, all, "each call once");
        assert_eq!(sum(What::All, Some(&[])).await.calls, 0);
        assert_eq!(sum(What::Agreement("x".into()), None).await.calls, 0);

        let page = async |client: &Client| client.get("/exchange/traffic?period=week").await.text();
        assert!(page(&s.officer(s.w.provider)).await.contains("12 lượt gọi"), "the provider's");
        assert!(!page(&s.officer(s.w.neighbour)).await.contains("12 lượt gọi"), "nobody else's");
    })
    .await;
}

fn base(micros: i64) -> base::clock::Timestamp {
    base::clock::Timestamp::from_micros(micros)
}

/// Addresses of the list of calls that a page shows with a number as their text.
pub(crate) fn figures(page: &str) -> Vec<(String, usize)> {
    let mut out = Vec::new();
    for part in page.split("href=\"").skip(1) {
        let Some((href, rest)) = part.split_once('"') else { continue };
        let text =
            rest.split_once('>').and_then(|(_, r)| r.split_once('<')).map_or("", |(text, _)| text).trim();
        let plain: String = text.chars().filter(|c| *c != '.').collect();
        let list = href.starts_with("/exchange/calls?") || href.starts_with("/exchange/services?");
        if let (true, Ok(n)) = (list, plain.parse()) {
            out.push((href.to_owned(), n));
        }
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_of_a_page_opens_to_as_many_calls() {
    on_both(async |s| {
        some_calls(s).await;
        let today = s.k().clock.now().date();
        let first = today.plus_days(-20).unwrap();
        let id = agreement(s.k(), NUMBER).await;
        let of = async |table: &str, code: &str| {
            let sql = format!("SELECT id FROM {table} WHERE code = $1");
            s.k().db.query_one(&sql, params![code]).await.unwrap().text("id").unwrap()
        };
        let service = of("exchange_service", "tra-cuu").await;
        let (consumer, provider) =
            (of("exchange_subsystem", "motcua").await, of("exchange_subsystem", "dancu").await);
        for (client, least) in [(s.operator(), 8), (s.officer(s.w.provider), 8)] {
            let mut opened = 0;
            for path in [
                "/exchange/traffic?period=week".to_owned(),
                "/exchange/traffic".to_owned(),
                format!("/exchange/traffic?period=own&first={}&last={}", first.vn(), today.vn()),
                format!("/exchange/services/{service}/traffic?period=month"),
                format!("/exchange/subsystems/{provider}/traffic?period=month&role=provider"),
            ] {
                let page = client.get(&path).await;
                assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
                for (href, n) in figures(&page.text()) {
                    assert_eq!(exported(&client, &href).await.len(), n, "{path}: {href}");
                    opened += 1;
                }
            }
            assert!(opened > least * 4, "{opened} figures");
        }
        for path in [
            format!("/exchange/subsystems/{consumer}/traffic?period=hour"),
            format!("/exchange/agreements/{id}/traffic?period=week"),
        ] {
            assert_eq!(s.operator().get(&path).await.status, StatusCode::OK, "{path}");
        }
        let hour = s.operator().get("/exchange/traffic?period=hour").await.text();
        assert!(hour.contains("Không có lượt gọi nào"), "the clock went on for hours after the last call");
    })
    .await;
}
