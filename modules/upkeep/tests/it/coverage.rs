//! What each endpoint answers to whom: the operation of the platform is for who runs or checks it.

use testkit::App;

use crate::morning::{module, raise};

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_refuses_strangers_and_people_without_the_right() {
    for backend in testkit::backends() {
        let app = App::new(backend, vec![module()]).await;
        raise(&app.t.kernel).await;
        let open = app.wrongly_open().await;
        assert!(open.is_empty(), "{open:#?}");
        assert!(
            app.endpoints().iter().filter(|e| e.module == "upkeep").all(|e| e.access != web::Access::Public)
        );
        app.t.close().await;
    }
}
