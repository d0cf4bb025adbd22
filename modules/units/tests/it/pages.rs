//! The page that answers "what was this unit on that day, and what became of it".

use http::StatusCode;
use testkit::on_both;

use crate::door::{get, get_as, imported, modules, router};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_code_before_and_after_1_july_2025() {
    on_both(&modules(), |t| async move {
        imported(&t).await;
        let app = router(&t);
        let (status, before) = get(&app, "/units?q=14797&on=30/06/2025").await;
        assert_eq!(status, StatusCode::OK);
        for text in [
            "Phường Đông Hải",
            "Thành phố Thanh Hóa, Tỉnh Thanh Hóa",
            "toàn bộ phường Đông Hải nhập vào phường Hạc Thành (mã 14797), tỉnh Thanh Hóa",
            "Mã 14797 chỉ nhiều đơn vị theo thời gian",
            "Nghị quyết số 1686/NQ-UBTVQH15 ngày 16/06/2025 của Ủy ban Thường vụ Quốc hội về việc",
            "Nay không còn",
        ] {
            assert!(before.contains(text), "{text}");
        }
        assert_eq!(before.matches("<h1").count(), 1);
        let (_, after) = get(&app, "/units?q=14797&on=2025-07-01").await;
        for text in [
            "Phường Hạc Thành",
            "Hình thành từ",
            "Phường Đông Hải",
            "Toàn bộ nhập vào",
            "vẫn giữ nguyên đến ngày",
        ] {
            assert!(after.contains(text), "{text}");
        }
        let (_, divided) = get(&app, "/units?q=14758&on=30/06/2025").await;
        assert!(divided.contains("được chia vào 2 đơn vị"), "{divided}");
        assert!(divided.contains("không coi đây là lý do từ chối"));

        let (_, found) = get(&app, "/units?q=hac+thanh&on=01/07/2025").await;
        assert!(found.contains("Phường Hạc Thành"));
        let (_, nothing) = get(&app, "/units?q=phuong+hac+thanh&on=30/06/2025").await;
        assert!(
            nothing.contains("Bạch Hạc") && nothing.contains("Có vào ngày khác"),
            "named with the units above"
        );
        let (_, nothing) = get(&app, "/units?q=nguyet+vien&on=30/06/2025").await;
        assert!(nothing.contains("Không có đơn vị nào khớp") && nothing.contains("Phường Nguyệt Viên"));
        let (_, nothing) = get(&app, "/units?q=khong+co+xa+nay&on=30/06/2025").await;
        assert!(nothing.contains("Không có đơn vị nào khớp") && !nothing.contains("Có vào ngày khác"));
        let (_, several) = get(&app, "/units?q=tan+tien&on=01/07/2025").await;
        assert_eq!(several.matches("Xã Tân Tiến").count(), 7);
        let (_, english) = get_as(&app, "/units?q=14758&on=2025-06-30", "en").await;
        assert!(english.contains("is divided among 2 units") && english.contains("lang=\"vi\""));

        // From the page to each of its links.
        let mut links: Vec<&str> =
            before.split("href=\"/units/").skip(1).filter_map(|s| s.split('"').next()).collect();
        links.sort_unstable();
        links.dedup();
        assert!(links.len() > 3);
        for link in links {
            let (status, _) = get(&app, &format!("/units/{link}").replace("&#38;", "&")).await;
            assert_eq!(status, StatusCode::OK, "{link}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn provinces_districts_and_days_without_data() {
    on_both(&modules(), |t| async move {
        let app = router(&t);
        let (status, empty) = get(&app, "/units").await;
        assert_eq!(status, StatusCode::OK);
        assert!(empty.contains("lienthong import units"), "{empty}");
        let (_, none) = get(&app, "/units/data").await;
        assert!(none.contains("Chưa nhập danh mục"));
        imported(&t).await;

        let (_, old) = get(&app, "/units?on=30/06/2025").await;
        assert!(old.contains("10.035") && old.contains("696") && old.contains("Tỉnh Yên Bái"));
        let (_, new) = get(&app, "/units?on=01/07/2025").await;
        assert!(new.contains("3.321") && !new.contains("Tỉnh Yên Bái") && new.contains("Tỉnh Đồng Nai"));
        let (_, city) = get(&app, "/units?on=30/04/2026").await;
        assert!(city.contains("Thành phố Đồng Nai"));
        let (_, early) = get(&app, "/units?q=14797&on=01/01/2020").await;
        assert!(early.contains("Chưa có dữ liệu trước ngày 01/03/2025"));
        let (_, district) = get(&app, "/units?q=380&on=30/06/2025").await;
        assert!(district.contains("Cấp huyện kết thúc hoạt động từ ngày 01/07/2025"), "{district}");
        let (_, ward) = get(&app, "/units?q=26368&on=01/07/2025").await;
        assert!(ward.contains("xã Long Thành là phường Long Thành"), "{ward}");
        let (status, wrong) = get(&app, "/units?on=31/06/2025&q=14797").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.contains("Không có ngày “31/06/2025”") && wrong.contains("value=\"14797\""));
        for odd in ["/units?q=%25%25&on=01/07/2025", "/units?q=%3Cscript%3E&on=", "/units?q=%F0%9F%98%80"] {
            let (status, page) = get(&app, odd).await;
            assert_eq!(status, StatusCode::OK, "{odd}");
            assert!(!page.contains("<script>alert") && !page.contains("<script></"), "{odd}");
        }
        let (_, data) = get(&app, "/units/data").await;
        assert!(data.contains("Thang Le Quoc") && data.contains("Không có dòng nào bị từ chối"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_asked_for_on_a_day_it_does_not_exist() {
    on_both(&modules(), |t| async move {
        imported(&t).await;
        let app = router(&t);
        let day = "2025-06-30".parse().unwrap();
        let old = t.kernel.orgs().by_code("14797", day).await.unwrap().unwrap();
        let (status, page) = get(&app, &format!("/units/{}?on=2026-01-01", old.unit)).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            page.contains("không tồn tại vào ngày 01/01/2026. Dưới đây là tình hình vào ngày 30/06/2025"),
            "{page}"
        );
        let nobody = "/units/01990000-0000-7000-8000-000000000000";
        assert_eq!(get(&app, nobody).await.0, StatusCode::NOT_FOUND);
        assert_eq!(get(&app, "/units/khong-co").await.0, StatusCode::NOT_FOUND);
    })
    .await;
}
