//! What the operator sees when all is well and when it is not, in both languages, and as programs see it.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use kernel::alerts::{self, ACKNOWLEDGE, Act, Affected, Alert, AlertId, Severity};
use kernel::i18n::Text;
use kernel::{Cx, Kernel, Module, Reach, Ref};
use testkit::{App, Client};
use upkeep::{Modules, Standing, Upkeep, permissions};

pub(crate) fn module() -> Arc<Upkeep> {
    let named: Modules = Arc::default();
    let upkeep = Arc::new(Upkeep::new(named.clone()));
    assert!(named.set(vec![upkeep.clone() as Arc<dyn Module>]).is_ok());
    upkeep
}

pub(crate) async fn raise(k: &Kernel) -> AlertId {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let alert = Alert {
        key: "test.down:1".into(),
        severity: Severity::Critical,
        title: Text {
            vi: "Hệ thống mẫu không trả lời".into(),
            en: "The sample system does not answer".into(),
        },
        cause: Text { vi: "máy chủ mẫu từ chối".into(), en: "the sample host refuses".into() },
        todo: Text { vi: "Gọi đơn vị mẫu".into(), en: "Call the sample body".into() },
        affected: vec![Affected {
            of: Ref::new("exchange.subsystem", "1"), name: "Một cửa tỉnh Mẫu".into()
        }],
        since: None,
    };
    let id = tx.raise(&alert).await.unwrap();
    let label = Text { vi: "Báo cho bên mẫu".into(), en: "Tell the sample".into() };
    tx.offer(id, &Act { label: label.clone(), href: "/sample/tell".into() }).await.unwrap();
    assert!(tx.offer(id, &Act { label, href: "//elsewhere.example/".into() }).await.is_err());
    tx.commit().await.unwrap();
    id
}

fn operator(app: &App) -> Client {
    app.log_in_as(&[permissions::READ, ACKNOWLEDGE], &Reach::Province)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_seen_opened_acknowledged_and_over() {
    for backend in testkit::backends() {
        let app = App::new(backend, vec![module()]).await;
        let k = &app.t.kernel;
        let operator = operator(&app);
        let id = raise(k).await;
        let page = operator.get("/upkeep").await.text();
        for part in
            ["Sáng nay", "Hệ thống mẫu không trả lời", "Một cửa tỉnh Mẫu", "Khẩn", "Chưa có người tiếp nhận"]
        {
            assert!(page.contains(part), "{part}");
        }
        let path = format!("/upkeep/alerts/{id}");
        assert!(page.contains(&path), "each line opens");
        let page = operator.get(&path).await.text();
        for part in ["máy chủ mẫu từ chối", "Gọi đơn vị mẫu", "Một cửa tỉnh Mẫu", "Tiếp nhận", "/sample/tell"]
        {
            assert!(page.contains(part), "{part}");
        }
        let long = "đ".repeat(alerts::MAX_NOTE + 1);
        let refused = operator.post_form(&format!("{path}/acknowledge"), &[("note", &long)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains(&long), "nothing typed is lost");
        let done = operator.post_form(&format!("{path}/acknowledge"), &[("note", "Đã gọi <b>họ</b>")]).await;
        assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, Some(path.as_str())));
        let page = operator.get(&path).await.text();
        assert!(page.contains("Đã gọi &lt;b&gt;họ") || page.contains("Đã gọi &#60;b&#62;họ"), "{page}");
        assert!(!page.contains("/acknowledge"), "nobody is offered what will be refused");

        let api = operator.get("/api/upkeep/v1/alerts").await.json();
        let only = &api["items"][0];
        assert_eq!(
            (only["alert"].as_str(), only["severity"].as_str()),
            (Some(id.to_string().as_str()), Some("critical"))
        );
        assert!(
            only["acknowledged_at"].is_string() && !api.to_string().contains("Kiểm Thử"),
            "no names of people"
        );
        let again = operator
            .post_json(&format!("/api/upkeep/v1/alerts/{id}/acknowledge"), &serde_json::json!({}))
            .await;
        assert_eq!(again.status, StatusCode::CONFLICT);

        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        tx.clear("test.down:1").await.unwrap();
        tx.commit().await.unwrap();
        let page = operator.get(&path).await.text();
        assert!(page.contains("Đã kết thúc") && page.contains("Hết sự cố"));
        let over = operator.get("/api/upkeep/v1/alerts?state=cleared&limit=1").await.json();
        assert_eq!(over["items"][0]["alert"], id.to_string());
        for bad in ["state=other", "limit=0", "state=cleared&after=x", "colour=red"] {
            let answer = operator.get(&format!("/api/upkeep/v1/alerts?{bad}")).await;
            assert!(answer.status.is_client_error(), "{bad}: {}", answer.status);
        }
        app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_read_is_offered_no_form() {
    let app = App::new(testkit::backends()[0], vec![module()]).await;
    let id = raise(&app.t.kernel).await;
    let auditor = app.log_in_as(&[permissions::READ], &Reach::Province);
    let page = auditor.get(&format!("/upkeep/alerts/{id}")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text().contains("/acknowledge") && !page.text().contains("/sample/tell"));
    let refused = auditor.post_form(&format!("/upkeep/alerts/{id}/acknowledge"), &[("note", "")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    app.t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_the_same_on_the_page_the_interface_and_for_the_command() {
    for backend in testkit::backends() {
        let app = App::new(backend, vec![module()]).await;
        let k = &app.t.kernel;
        let operator = operator(&app);
        let api = operator.get("/api/upkeep/v1/checks").await.json();
        let names: Vec<_> =
            api["checks"].as_array().unwrap().iter().map(|c| c["check"].as_str().unwrap()).collect();
        let own = [
            "kernel.database",
            "kernel.disk",
            "kernel.backup",
            "kernel.jobs",
            "kernel.listeners",
            "kernel.clock",
        ];
        assert_eq!(names, own);
        let page = operator.get("/upkeep").await.text();
        for name in own {
            assert!(page.contains(&format!("/upkeep/checks/{name}")), "{name}");
            assert_eq!(operator.get(&format!("/upkeep/checks/{name}")).await.status, StatusCode::OK);
        }
        assert_eq!(operator.get("/upkeep/checks/other").await.status, StatusCode::NOT_FOUND);
        let backup =
            api["checks"].as_array().unwrap().iter().find(|c| c["check"] == "kernel.backup").unwrap();
        assert_eq!(backup["state"], "warning", "there is none yet");
        assert!(backup["todo"].as_str().unwrap().contains("lienthong backup"));
        assert_ne!(module().overview(k).await.unwrap().standing(), Standing::Well);
        app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_backup_and_with_nothing_wrong_the_page_says_so_calmly() {
    for backend in testkit::backends() {
        let morning = module();
        let app = App::new(backend, vec![morning.clone()]).await;
        let k = &app.t.kernel;
        let dir = app.t.dir.path().join("backup");
        kernel::backup::make(k, &[], &dir).await.unwrap();
        assert!(kernel::backup::last(k).await.unwrap().is_some());
        let overview = after_the_backup(&morning, k).await;
        let wrong: Vec<_> = overview.checks.iter().filter(|c| c.state != upkeep::State::Good).collect();
        // A machine that is short of disk space is right to say so.
        if wrong.is_empty() {
            let page = operator(&app).get("/upkeep").await.text();
            assert!(page.contains("Mọi việc đều ổn"), "{page}");
        }
        assert!(wrong.iter().all(|c| c.name == "kernel.disk"), "{wrong:?}");
        t_old(&app).await;
        app.t.close().await;
    }
}

/// Days later the backup is old.
/// The first look whose checks were made after the backup: those of the start serve for some seconds.
async fn after_the_backup(morning: &Upkeep, k: &Kernel) -> upkeep::Overview {
    for _ in 0..200 {
        let overview = morning.overview(k).await.unwrap();
        let backup = overview.checks.iter().find(|c| c.name == "kernel.backup").unwrap();
        if backup.state == upkeep::State::Good {
            return overview;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the backup is never seen");
}

async fn t_old(app: &App) {
    app.t.clock.advance(Duration::from_secs(4 * 86_400));
    let overview = module().overview(&app.t.kernel).await.unwrap();
    let backup = overview.checks.iter().find(|c| c.name == "kernel.backup").unwrap();
    assert_eq!(backup.state, upkeep::State::Bad);
}
