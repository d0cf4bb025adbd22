//! Officials and clients as files: within the reader's reach, without anything secret.

use http::StatusCode;

use crate::place::on_both;

#[tokio::test]
async fn officials_and_clients_leave_as_files() {
    on_both(async |p| {
        let agency = p.agency("Sở Tư pháp tỉnh Mẫu").await;
        let (mut operator, _) = p.operator().await;
        p.person("binh.tt", Some(agency), "provider-officer").await;
        let all = operator.get("/accounts/officials/export?as=csv").await;
        assert_eq!(all.status, StatusCode::OK, "{}", all.text());
        let text = all.text();
        assert!(text.starts_with('\u{feff}') && text.contains("Nguyễn Kiểm Thử,binh.tt,"), "{text}");
        assert!(text.contains("Sở Tư pháp tỉnh Mẫu"), "{text}");
        let found = operator.get("/accounts/officials/export?as=csv&q=binh").await.text();
        assert_eq!(found.matches("\r\n").count(), 2, "{found}");

        let fields = [("name", "=Một cửa"), ("subsystem", "VN/GOV/38/mot-cua"), ("client_id", "mot-cua")];
        assert_eq!(operator.post("/accounts/clients", &fields).await.status, StatusCode::OK);
        let clients = operator.get("/accounts/clients/export?as=csv").await.text();
        assert!(clients.contains("'=Một cửa,mot-cua,VN/GOV/38/mot-cua,"), "{clients}");
        assert!(!clients.contains("lts_"), "secrets stay");

        let mut officer = p.signed_in("binh.tt").await;
        for list in ["officials", "clients"] {
            let answer = officer.get(&format!("/accounts/{list}/export?as=csv")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{list}");
        }
    })
    .await;
}
