//! The page that answers "what was this unit on that day, and what became of it".

use std::sync::Arc;

use http::StatusCode;
use kernel::Cx;
use kernel::clock::Date;
use kernel::orgs::{AgencyKind, Merger, NewAgency};
use testkit::on_both;
use units::Units;

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

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_units_leave_as_files() {
    on_both(&modules(), |t| async move {
        imported(&t).await;
        let app = router(&t);
        let rows = |text: &str| text.matches("\r\n").count() - 1;
        let (status, provinces) = get(&app, "/units/export?as=csv&on=01/07/2025").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(rows(&provinces), 34, "{provinces}");
        let (_, page) = get(&app, "/units?q=tan+tien&on=01/07/2025").await;
        assert!(page.contains("/units/export?q=tan%20tien"), "{page}");
        let (_, found) = get(&app, "/units/export?q=tan%20tien&on=01/07/2025&as=csv").await;
        assert!(found.contains("Xã Tân Tiến") && rows(&found) >= 7, "{found}");
        let unit = page.split("href=\"/units/0").nth(1).and_then(|s| s.split('?').next()).unwrap();
        let (status, below) = get(&app, &format!("/units/0{unit}/export?as=csv&on=01/07/2025")).await;
        assert_eq!((status, rows(&below)), (StatusCode::OK, 0), "a commune has nothing below it");
        assert_eq!(get(&app, "/units/export?as=csv&on=32/01/2025").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_is_shown_as_it_was_on_a_day() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let day = |text: &str| text.parse::<Date>().unwrap();
        let agency = |name: &str, code: &str, parent| NewAgency {
            kind: AgencyKind::Department,
            full_name: name.into(),
            code: Some(code.into()),
            parent,
            act: None,
        };
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        let formed = day("2025-01-01");
        let top = tx.create_agency(&agency("Ủy ban nhân dân tỉnh Mẫu", "H99", None), formed).await.unwrap();
        let one = agency("Sở Xây dựng tỉnh Mẫu", "H99.07", Some(top));
        let other = agency("Sở Giao thông vận tải tỉnh Mẫu", "H99.08", Some(top));
        let predecessors = vec![
            tx.create_agency(&one, formed).await.unwrap(),
            tx.create_agency(&other, formed).await.unwrap(),
        ];
        let old = predecessors[1];
        let into = NewAgency { code: Some("H99.20".into()), ..one };
        let merger = Merger { predecessors, into, transfers: true };
        tx.merge_agencies(&merger, day("2025-07-01")).await.unwrap();
        tx.commit().await.unwrap();

        let official = testkit::App::on(t.clone(), vec![Arc::new(Units)]).await;
        let official = official.log_in_as(&[], &kernel::Reach::Province);
        let before = official.get("/agencies?on=30/06/2025").await.text();
        assert!(before.contains("Sở Giao thông vận tải tỉnh Mẫu") && before.contains("H99.08"), "{before}");
        let after = official.get("/agencies?on=01/07/2025").await.text();
        assert!(!after.contains("Giao thông vận tải") && after.contains("H99.20"), "{after}");
        let page = official.get(&format!("/agencies/{old}?on=30/06/2025")).await.text();
        for text in [
            "Sở Giao thông vận tải tỉnh Mẫu",
            "Đơn vị kế tiếp",
            "hợp nhất vào Sở Xây dựng tỉnh Mẫu (mã H99.20)",
            "Nay không còn",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        let export = official.get("/agencies/export?as=csv&on=30/06/2025").await.text();
        assert_eq!(export.matches("\r\n").count(), 4, "{export}");

        let app = router(&t);
        assert_eq!(get(&app, &format!("/units/{old}?on=30/06/2025")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(get(&app, "/agencies").await.0, StatusCode::SEE_OTHER, "for people who are signed in");
    })
    .await;
}
