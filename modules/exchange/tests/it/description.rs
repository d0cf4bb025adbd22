//! A new description of a service: compared before it is written, put in place with its endpoints, refused where it would
//! break consumers or take away what an agreement names.

use exchange::permissions::{DECIDE, INTEGRATE, READ};
use http::{Method, StatusCode};
use kernel::{Kernel, Reach, params};
use testkit::{Answer, Client};

use crate::site::{SERVICE, Site, on_both};

const MORE: &str = "openapi: 3.0.3\ninfo:\n  title: Dân cư\n  version: '2'\npaths:\n  /cong-dan/{so}:\n    get:\n      summary: Một công dân\n      responses: {}\n  /tim-kiem:\n    post:\n      responses: {}\n";

async fn upload(client: &Client, path: &str, text: &str) -> Answer {
    let body = format!(
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.yaml\"\r\n\r\n{text}\r\n--x--\r\n"
    );
    client.send(Method::POST, path, Some("multipart/form-data; boundary=x"), &body).await
}

async fn service(k: &Kernel) -> (String, String) {
    let sql = "SELECT id, document FROM exchange_service WHERE code = 'tra-cuu'";
    let row = k.db.query_one(sql, params![]).await.unwrap();
    (row.text("id").unwrap(), row.text("document").unwrap())
}

fn json(yaml: &str) -> String {
    String::from_utf8(exchange::description::text::as_json(yaml.as_bytes()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compatible_description_is_compared_and_put_in_place() {
    on_both(async |s: &Site| {
        let k = s.k();
        let (id, before) = service(k).await;
        let at = format!("/exchange/services/{id}/description");
        let engineer = s.app.log_in_as(&[INTEGRATE], &Reach::Agencies([s.w.provider].into()));
        assert_eq!(engineer.get(&at).await.status, StatusCode::OK);
        let broken = upload(&engineer, &at, "openapi: 3.0.3\ninfo:\n  title: [a\n").await;
        assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(broken.text().contains("không đọc được YAML"), "{}", broken.text());
        let empty = upload(&engineer, &at, "").await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);

        let seen = upload(&engineer, &at, MORE).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.text());
        assert!(seen.text().contains("POST /tim-kiem") && seen.text().contains("Tương thích"));
        assert_eq!(service(k).await.1, before, "comparing writes nothing");
        let document = json(MORE);
        let sent = [("document", document.as_str()), ("seen", before.as_str())];
        let done = engineer.post_form(&format!("{at}/apply"), &sent).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        assert_ne!(service(k).await.1, before);
        let current = s.exchange.keeper().current().load_full();
        let routes: Vec<_> =
            current.service(SERVICE).unwrap().endpoints.iter().map(|e| e.route.to_string()).collect();
        assert!(
            routes.contains(&"POST /tim-kiem".to_owned()),
            "in force before the page says so: {routes:?}"
        );
        let stale = engineer.post_form(&format!("{at}/apply"), &sent).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "another was put in place meanwhile");
        let foreign = s.app.log_in_as(&[INTEGRATE, DECIDE], &Reach::Agencies([s.w.consumer].into()));
        assert_eq!(foreign.get(&at).await.status, StatusCode::NOT_FOUND);
        assert_eq!(foreign.post_form(&format!("{at}/apply"), &sent).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_consumers_needs_the_provider_and_never_takes_what_is_agreed() {
    on_both(async |s: &Site| {
        let k = s.k();
        let (id, before) = service(k).await;
        let at = format!("/exchange/services/{id}/description");
        let engineer = s.app.log_in_as(&[INTEGRATE], &Reach::Agencies([s.w.provider].into()));
        let officer = s.app.log_in_as(&[READ, DECIDE], &Reach::Agencies([s.w.provider].into()));
        let less = MORE.replace("/cong-dan/{so}", "/nguoi/{so}");
        let seen = upload(&engineer, &at, &less).await;
        assert!(seen.text().contains("Bỏ thao tác"), "{}", seen.text());
        assert!(!seen.text().contains(&format!("action=\"{at}/apply\"")), "the engineer is not offered it");
        let document = json(&less);
        let sent = [("document", document.as_str()), ("seen", before.as_str())];
        let refused = engineer.post_form(&format!("{at}/apply"), &sent).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        let agreed = officer.post_form(&format!("{at}/apply"), &sent).await;
        assert_eq!(agreed.status, StatusCode::CONFLICT);
        assert!(agreed.text().contains("CT-2026-001"), "which agreement: {}", agreed.text());
        assert_eq!(service(k).await.1, before, "nothing was written");

        // Once nothing is agreed any more the officer may.
        let sql = "UPDATE exchange_agreement SET state = 'revoked'";
        let mut tx = k.begin(&kernel::Cx::kernel("test", k.clock.now())).await.unwrap();
        tx.execute(sql, params![]).await.unwrap();
        tx.commit().await.unwrap();
        let done = officer.post_form(&format!("{at}/apply"), &sent).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let current = s.exchange.keeper().current().load_full();
        let routes: Vec<_> =
            current.service(SERVICE).unwrap().endpoints.iter().map(|e| e.route.to_string()).collect();
        assert!(!routes.iter().any(|r| r.contains("cong-dan")), "{routes:?}");
    })
    .await;
}
