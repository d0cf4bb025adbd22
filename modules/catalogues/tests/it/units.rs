//! Catalogues derived from the shipped lists of units: 63 and 34 provinces, what became of old codes, and the city of
//! 30 April 2026.

use adminunits::{History, Lists, shipped};
use catalogues::actions::publish_units;
use catalogues::content::Content;
use catalogues::pair::Relation;
use catalogues::questions::{self, Outcome};
use kernel::Kernel;
use kernel::orgs::import::{self, Reading};
use testkit::on_both;

use crate::world::{agency, cx, day, modules};

async fn imported(k: &Kernel) {
    let (lists, report) = Lists::read(&shipped::inputs());
    let (history, findings) = History::build(&lists).unwrap();
    import::import(k, &cx(k), &history, &Reading::of(&report, &findings)).await.unwrap();
}

async fn names(k: &Kernel, code: &str, on: &str) -> Vec<(String, String)> {
    let c = questions::find(k, &cx(k), code).await.unwrap();
    match questions::content_on(k, &c, day(on)).await.unwrap() {
        Content::Entries(rows) => rows.into_iter().map(|e| (e.code, e.name_vi)).collect(),
        Content::Pairs(_) => unreachable!(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_units_become_catalogues_and_mappings() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        imported(k).await;
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        let made = publish_units(k, &cx(k), owner, "15").await.unwrap();
        assert_eq!(made, ["LOAI-DVHC", "DVHC-TINH", "DVHC-15", "DVHC-TINH-2025", "DVHC-15-2025"]);
        assert!(publish_units(k, &cx(k), owner, "15").await.unwrap().is_empty(), "what is there stays");

        assert_eq!(names(k, "DVHC-TINH", "2025-06-30").await.len(), 63);
        assert_eq!(names(k, "DVHC-TINH", "2025-07-01").await.len(), 34);
        let dong_nai = |all: Vec<(String, String)>| all.into_iter().find(|(c, _)| c == "75").unwrap().1;
        assert_eq!(dong_nai(names(k, "DVHC-TINH", "2026-04-29").await), "Tỉnh Đồng Nai");
        assert_eq!(dong_nai(names(k, "DVHC-TINH", "2026-04-30").await), "Thành phố Đồng Nai");
        let types = |all: Vec<(String, String)>| all.into_iter().map(|(c, _)| c).collect::<Vec<_>>();
        assert!(types(names(k, "LOAI-DVHC", "2025-06-30").await).contains(&"rural-district".to_owned()));
        let now = types(names(k, "LOAI-DVHC", "2025-07-01").await);
        assert!(now.contains(&"special-zone".to_owned()) && !now.contains(&"rural-district".to_owned()));

        // The code 15 was Yên Bái's and is Lào Cai's; both are parts of the new province.
        assert_eq!(names(k, "DVHC-15", "2025-07-01").await.len(), 100, "99 communes and the province");
        let before = names(k, "DVHC-15", "2025-06-30").await;
        assert!(before.contains(&("15".into(), "Tỉnh Yên Bái".into())));
        assert!(before.contains(&("10".into(), "Tỉnh Lào Cai".into())));

        let c = questions::find(k, &cx(k), "DVHC-TINH-2025").await.unwrap();
        let asked = ["15", "10", "38", "01"].map(str::to_owned);
        let (_, answers) = questions::translate(k, &c, &asked, day("2026-04-30"), false).await.unwrap();
        let one: Vec<(&str, Relation)> =
            answers.iter().map(|a| (a.to[0].code.as_str(), a.to[0].relation)).collect();
        use Relation::{Equal, Narrower};
        assert_eq!(one, [("15", Narrower), ("15", Narrower), ("38", Equal), ("01", Equal)]);
        assert_eq!(answers[0].to[0].entry.as_ref().unwrap().name_vi, "Tỉnh Lào Cai");
        let whole = questions::completeness(k, &c, day("2025-07-01")).await.unwrap();
        assert!(whole.whole() && whole.unreached.is_empty(), "{whole:?}");
        assert_eq!((whole.source, whole.target, whole.none), (63, 34, 0));

        let c = questions::find(k, &cx(k), "DVHC-15-2025").await.unwrap();
        let whole = questions::completeness(k, &c, day("2025-07-01")).await.unwrap();
        assert!(whole.whole(), "every old code is answered for: {whole:?}");
        assert!(whole.none > 0, "districts have no successor");
        let (_, answers) =
            questions::translate(k, &c, &["080".to_owned()], day("2025-07-01"), false).await.unwrap();
        assert_eq!(answers[0].outcome, Outcome::NoCounterpart);
    })
    .await;
}
