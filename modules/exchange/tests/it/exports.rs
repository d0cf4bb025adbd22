//! The lists of the console as files: what the page shows, for whom it shows it.

use evidence::Outcome;
use http::StatusCode;

use crate::site::{CONSUMER, on_both};
use crate::world::NUMBER;

/// Number of rows below the headings.
fn rows(text: &str) -> usize {
    assert!(text.starts_with('\u{feff}'), "{text}");
    text.matches("\r\n").count() - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn files_hold_what_the_reader_may_see() {
    on_both(async |s| {
        let operator = s.operator();
        let neighbour = s.officer(s.w.neighbour);
        for (list, has) in [
            ("members", "H38"),
            ("subsystems", "GOV/H38/motcua"),
            ("services", "GOV/C06/dancu/tra-cuu"),
            ("agreements", NUMBER),
        ] {
            let path = format!("/exchange/{list}/export?as=csv");
            let all = operator.get(&path).await;
            assert_eq!(all.status, StatusCode::OK, "{list}: {}", all.text());
            assert!(all.header("content-disposition").unwrap().ends_with(".csv\""), "{list}");
            assert!(all.text().contains(has) && rows(&all.text()) > 0, "{list}: {}", all.text());
            let page = operator.get(&format!("/exchange/{list}")).await.text();
            assert!(page.contains(&format!("/exchange/{list}/export?as=csv")), "{list} leads to its file");
            assert_eq!(rows(&neighbour.get(&path).await.text()), 0, "{list} of a neighbour");
            let workbook = operator.get(&format!("/exchange/{list}/export?as=xlsx")).await;
            assert!(workbook.body.starts_with(b"PK"), "{list}");
        }
        let none = operator.get("/exchange/members/export?as=csv&q=khong+co+dau").await.text();
        assert_eq!(rows(&none), 0, "the filter of the page holds");
        let state = operator.get("/exchange/agreements/export?as=csv&state=revoked").await.text();
        assert_eq!(rows(&state), 0);
        let odd = operator.get("/exchange/members/export").await;
        assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY, "a file of no kind");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_exported_with_their_filters() {
    on_both(async |s| {
        s.record("00000000-0000-4000-8000-000000000001", Outcome::Answered, None).await;
        s.record("00000000-0000-4000-8000-000000000002", Outcome::Refused, Some("x/no-agreement")).await;
        s.calls(2).await;
        let operator = s.operator();
        let all = operator.get("/exchange/calls/export?as=csv").await.text();
        assert_eq!(rows(&all), 2, "{all}");
        assert!(all.contains(CONSUMER) && all.contains("/cong-dan/*"), "{all}");
        assert!(!all.contains("038099"), "nothing personal leaves with a list");
        let refused = operator.get("/exchange/calls/export?as=csv&ending=refused").await.text();
        assert!(rows(&refused) == 1 && refused.contains("000000000002"), "{refused}");
        let neighbour = s.officer(s.w.neighbour).get("/exchange/calls/export?as=csv").await.text();
        assert_eq!(rows(&neighbour), 0);
    })
    .await;
}
