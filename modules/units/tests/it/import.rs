//! The import as the command line uses it.

use kernel::i18n::Lang;
use kernel::{Cx, Error};
use testkit::on_both;
use units::{Lists, import};

use crate::door::{imported, modules};

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_lists_and_an_operators_folder() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let cx = Cx::kernel("cli", k.clock.now());
        let dry = import(k, &cx, Lists::Shipped, true).await.unwrap();
        assert!(dry.outcome.units_added > 14_000);
        assert!(dry.text(Lang::Vi).contains("Chạy thử: chưa ghi gì."));
        assert!(k.orgs().states().await.unwrap().is_empty());
        let first = imported(&t).await;
        let text = first.text(Lang::Vi);
        assert!(text.contains("từ chối 0") && text.contains("01/07/2025, 30/04/2026"), "{text}");
        let again = imported(&t).await;
        assert!(again.text(Lang::Vi).contains("Không có gì thay đổi."));

        // A later resolution, in a file of its own; one of its rows names no unit.
        let dir = tempfile::tempdir().unwrap();
        let header = "code,level,change,from_full_name,to_full_name,on,act,certainty,evidence\n";
        let rows = "38,province,type,Tỉnh Thanh Hóa,Thành phố Thanh Hóa,2027-01-01,19/2025/QĐ-TTg,reported,thử\n\
                    99999,commune,type,Xã A,Phường A,2027-01-01,19/2025/QĐ-TTg,reported,thử\n";
        std::fs::write(dir.path().join("changes_2027-01-01.csv"), format!("{header}{rows}")).unwrap();
        std::fs::write(dir.path().join("ghi chú.txt"), "bỏ qua").unwrap();
        let later = import(k, &cx, Lists::With(dir.path().into()), false).await.unwrap();
        let text = later.text(Lang::Vi);
        assert!(text.contains("Từ chối changes_2027-01-01 dòng 3"), "{text}");
        assert_eq!((later.outcome.versions_added, later.outcome.versions_corrected), (1, 1));
        let on = "2027-01-02".parse().unwrap();
        let province = k.orgs().by_code("38", on).await.unwrap().unwrap();
        assert_eq!(province.full_name, "Thành phố Thanh Hóa");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_says_why() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let cx = Cx::kernel("cli", k.clock.now());
        let code = |e: Error| match e {
            Error::Refused(r) => r.code,
            other => panic!("{other:?}"),
        };
        let missing = Lists::With("/khong/co".into());
        assert_eq!(code(import(k, &cx, missing, false).await.unwrap_err()), "units-no-folder");
        let dir = tempfile::tempdir().unwrap();
        let empty = Lists::With(dir.path().into());
        assert_eq!(code(import(k, &cx, empty.clone(), false).await.unwrap_err()), "units-no-lists");
        std::fs::write(dir.path().join("acts.csv"), "number,issuer\n").unwrap();
        assert_eq!(code(import(k, &cx, empty, false).await.unwrap_err()), "units-not-built");
        let stranger = Cx::stranger("r", Lang::Vi, k.clock.now());
        assert!(matches!(import(k, &stranger, Lists::Shipped, false).await, Err(Error::SignIn)));
        assert!(k.orgs().states().await.unwrap().is_empty());
    })
    .await;
}
