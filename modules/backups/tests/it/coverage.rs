//! What each endpoint answers to whom: backups hold the whole province and are for who runs or checks the platform.

use std::sync::Arc;

use backups::permissions::{READ, RUN};
use http::{Method, StatusCode};
use kernel::Reach;
use testkit::{App, backends};

use crate::story::{module, settings};

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_refuses_strangers_and_people_without_the_right() {
    for backend in backends() {
        let place = tempfile::tempdir().unwrap();
        let app = App::new(backend, vec![Arc::new(module(settings(place.path())))]).await;
        let open = app.wrongly_open().await;
        assert!(open.is_empty(), "{open:#?}");
        assert!(
            app.endpoints().iter().filter(|e| e.module == "backups").all(|e| e.access != web::Access::Public)
        );
        let neighbour = app.log_in_as(&[READ, RUN], &Reach::Agencies(Default::default()));
        for (method, path) in [
            (Method::GET, "/backups"),
            (Method::POST, "/backups/run"),
            (Method::POST, "/backups/drill"),
            (Method::GET, "/backups/drills/018f0000-0000-7000-8000-000000000000"),
        ] {
            let form = "application/x-www-form-urlencoded";
            let answer = neighbour.send(method, path, Some(form), "").await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{path}: a right over some agencies is not over all"
            );
        }
        // What was due was made by the platform itself; nobody who asked began anything.
        let runs = backups::runs(&app.t.kernel, None, 10).await.unwrap();
        assert!(runs.iter().all(|run| run.by.is_empty()), "{runs:?}");
        app.t.close().await;
    }
}
