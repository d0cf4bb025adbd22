//! The rota and the templates through their pages.

use http::StatusCode;
use kernel::{Module, Reach};
use notices::permissions;

use crate::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_week_is_copied_once_and_gaps_are_said() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        let operator = d.app.log_in_as(permissions::ALL, &Reach::Province);
        let page = operator.get("/notices/duty").await.text();
        assert!(page.contains("Tuần này") && !page.contains("Lịch trực có khoảng trống"), "{page}");
        let copied = operator.post_form("/notices/duty/copy", &[]).await;
        assert_eq!(copied.status, StatusCode::CONFLICT, "next week is taken");
        d.advance(7 * 24 * 60);
        let page = operator.get("/notices/duty").await.text();
        assert!(page.contains("Lịch trực có khoảng trống"), "{page}");
        let copied = operator.post_form("/notices/duty/copy", &[]).await;
        assert_eq!(copied.status, StatusCode::SEE_OTHER);
        let page = operator.get("/notices/duty").await.text();
        assert!(!page.contains("Lịch trực có khoảng trống"), "{page}");
        let at = page.find("/notices/duty/0").expect("a period can be removed");
        let remove: String = page[at..].chars().take_while(|c| *c != '"').collect();
        assert_eq!(operator.post_form(&remove, &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(operator.post_form(&remove, &[]).await.status, StatusCode::NOT_FOUND);
        let bad = [("from_date", "31/02/2026"), ("from_time", "8"), ("until_date", ""), ("first", "x")];
        let refused = operator.post_form("/notices/duty", &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("31/02/2026"), "nothing typed is lost");
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_with_an_unknown_argument_is_refused_and_a_good_one_is_used() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        let operator = d.app.log_in_as(permissions::ALL, &Reach::Province);
        let path = "/notices/templates/alert-opened";
        let post = async |subject: &str, preview: &str| {
            let fields = [
                ("lang", "vi"),
                ("subject", subject),
                ("body", "{cause}"),
                ("short", "{title}"),
                ("preview", preview),
            ];
            operator.post_form(path, &fields).await
        };
        let refused = post("Tin {titel}", "").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("titel"), "{}", refused.text());
        let shown = post("TỈNH MẪU: {title}", "1").await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(shown.text().contains("TỈNH MẪU: Hệ thống Dữ liệu dân cư"), "{}", shown.text());
        d.count("SELECT COUNT(*) AS n FROM notices_template", 0).await;
        assert_eq!(post("TỈNH MẪU: {title}", "").await.status, StatusCode::SEE_OTHER);
        d.raise("a", kernel::alerts::Severity::Critical).await;
        assert_eq!(d.mails(crate::FIRST, 1).await[0].subject, "TỈNH MẪU: Hệ thống mẫu a không trả lời");
        assert_eq!(
            operator.post_form(&format!("{path}/reset"), &[("lang", "vi")]).await.status,
            StatusCode::SEE_OTHER
        );
        d.count("SELECT COUNT(*) AS n FROM notices_template", 0).await;
        for list in
            ["/notices/templates", "/notices/templates/way-code?lang=en", "/notices", "/notices?state=sent"]
        {
            assert_eq!(operator.get(list).await.status, StatusCode::OK, "{list}");
        }
        assert_eq!(operator.get("/notices/templates/other").await.status, StatusCode::NOT_FOUND);
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_name_what_is_not_configured_and_who_is_missing() {
    let d = Desk::bare(testkit::backends()[0]).await;
    let module = notices::Notices::new(d.k(), Vec::new(), Default::default()).unwrap();
    let found = module.diagnose(d.k()).await;
    assert_eq!(found.iter().map(|f| f.check).collect::<Vec<_>>(), notices::ADVISORY);
    assert!(!found[0].ok && found[0].text.vi.contains("Chưa cấu hình kênh nào"), "{found:?}");
    assert!(found[1].ok && found[2].ok, "{found:?}");
    let full = Desk::new(testkit::backends()[0]).await;
    full.advance(21 * 24 * 60);
    let found = module.diagnose(full.k()).await;
    assert!(!found[1].ok, "a rota with a gap now: {found:?}");
    d.app.t.close().await;
    full.app.t.close().await;
}
