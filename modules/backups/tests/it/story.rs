//! Backups made because they are due, drilled, pruned; what fails is told and leaves what was there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backups::shelf::Shelf;
use backups::{Backups, Kind, Modules, Settings};
use http::StatusCode;
use kernel::{Cx, Kernel, Module, Reach, Ref};
use testkit::{App, TestKernel, backends};

const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn settings(dir: &Path) -> Settings {
    Settings { directory: Some(dir.to_path_buf()), leave_free_mb: 0, ..Settings::default() }
}

pub(crate) fn module(settings: Settings) -> Backups {
    let named: Modules = Arc::default();
    let backups = Backups::new(settings, named.clone());
    assert!(named.set(vec![Arc::new(backups.clone()) as Arc<dyn Module>]).is_ok());
    backups
}

fn cx(k: &Kernel) -> Cx {
    Cx::kernel("test", k.clock.now())
}

async fn one(backend: &'static str, backups: &Backups) -> TestKernel {
    TestKernel::new(backend, &[Arc::new(backups.clone()) as Arc<dyn Module>]).await
}

async fn act(k: &Kernel) {
    let mut tx = k.begin(&cx(k)).await.unwrap();
    tx.set_setting("test.act", "done").await.unwrap();
    tx.audit("test.act", &Ref::new("thing", "1"), serde_json::json!({})).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_verified_copied_listed_and_drilled() {
    for backend in backends() {
        let place = tempfile::tempdir().unwrap();
        let mut set = settings(&place.path().join("shelf"));
        set.copy_to = Some(place.path().join("second"));
        let backups = module(set);
        let t = one(backend, &backups).await;
        let k = &t.kernel;
        assert!(backups.drill(k, &cx(k), "Lê").await.is_err(), "there is nothing to restore yet");
        let kept = backups.back_up(k, &cx(k), "Trần").await.unwrap();
        assert!(kept.is_well() && kept.rows > 0 && kept.bytes > 0 && kept.copied == Some(true), "{kept:?}");
        for dir in ["shelf", "second"] {
            let shelf = Shelf::new(place.path().join(dir));
            let listed = shelf.list(&k.keys).unwrap();
            assert_eq!(listed.len(), 1, "{dir}");
            assert!(kernel::backup::verify(&k.keys, &shelf.path(&kept.name)).is_ok(), "{dir}");
        }
        assert!(kernel::backup::last(k).await.unwrap().is_some(), "the morning page knows");

        let (run, drilled) = backups.drill(k, &cx(k), "Lê").await.unwrap();
        assert!(drilled.is_well() && drilled.name == kept.name && drilled.rows == kept.rows, "{drilled:?}");
        let record = backups::report::text(kernel::i18n::Lang::Vi, "UBND tỉnh Mẫu", &run, &drilled);
        for part in ["UBND tỉnh Mẫu", "Người thực hiện: Lê", kept.name.as_str(), "Kết luận: Đạt"]
        {
            assert!(record.contains(part), "{part} in\n{record}");
        }
        let left: Vec<_> = std::fs::read_dir(place.path().join("shelf")).unwrap().collect();
        assert_eq!(left.len(), 2, "the backup and the lock; the drill left nothing: {left:?}");
        let runs = backups::runs(k, None, 10).await.unwrap();
        assert_eq!(runs.iter().map(|r| r.ok).collect::<Vec<_>>(), [Some(true), Some(true), Some(false)]);
        t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_made_and_what_is_late_is_told() {
    for backend in backends() {
        let place = tempfile::tempdir().unwrap();
        let backups = module(settings(place.path()));
        let t = one(backend, &backups).await;
        let k = &t.kernel;
        assert!(backups.status(k).await.unwrap().backup_due, "the first is due at once");
        backups.back_up(k, &cx(k), "").await.unwrap();
        let status = backups.status(k).await.unwrap();
        assert!(!status.backup_due && status.drill_due && status.late_since.is_none());
        backups.drill(k, &cx(k), "").await.unwrap();
        assert!(!backups.status(k).await.unwrap().drill_due, "not twice");
        assert!(backups.diagnose(k).await.iter().all(|f| f.ok));
        t.clock.advance(DAY + Duration::from_secs(3 * 3_600));
        let status = backups.status(k).await.unwrap();
        assert!(status.backup_due && status.late_since.is_some() && !status.drill_due);
        let found = backups.diagnose(k).await;
        assert!(found.iter().any(|f| f.check == "backups.schedule" && !f.ok), "{found:?}");
        t.clock.advance(DAY * 40);
        let status = backups.status(k).await.unwrap();
        assert!(status.drill_due && status.drill_late);
        t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_ones_go_the_newest_good_one_never_does_and_strangers_are_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let mut set = settings(place.path());
    (set.keep_last, set.keep_daily, set.keep_weekly, set.keep_monthly) = (2, 0, 0, 0);
    let backups = module(set);
    let t = one(backends()[0], &backups).await;
    let k = &t.kernel;
    let shelf = backups.shelf().unwrap();
    std::fs::write(place.path().join("notes.txt"), "mine").unwrap();
    let foreign = place.path().join("2020-01-01T000000Z");
    std::fs::create_dir(&foreign).unwrap();
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(backups.back_up(k, &cx(k), "").await.unwrap().name);
        t.clock.advance(Duration::from_secs(60));
    }
    let listed = shelf.list(&k.keys).unwrap();
    let good: Vec<_> = listed.iter().filter(|s| s.manifest.is_ok()).map(|s| s.name.as_str()).collect();
    assert_eq!(good, [names[3].as_str(), names[2].as_str()]);
    assert!(foreign.exists() && place.path().join("notes.txt").exists());
    std::fs::remove_file(shelf.path(&names[3]).join("tables.ltb")).unwrap();
    std::fs::write(shelf.path(&names[2]).join("manifest.json"), "{}").unwrap();
    assert!(shelf.list(&k.keys).unwrap().iter().all(|s| s.manifest.is_err()));
    assert!(shelf.prune(&k.keys, backups.settings()).unwrap().is_empty(), "what cannot be believed stays");
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_leaves_nothing_that_looks_whole_and_the_next_one_clears_it_away() {
    let place = tempfile::tempdir().unwrap();
    let backups = module(settings(place.path()));
    let t = one(backends()[0], &backups).await;
    let k = &t.kernel;
    let half = place.path().join(".making-2026-11-22T081428Z");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("tables.ltb"), "half").unwrap();
    let shelf = backups.shelf().unwrap();
    assert!(shelf.list(&k.keys).unwrap().is_empty());
    let held = shelf.hold().unwrap();
    assert!(!half.exists());
    let e = backups.back_up(k, &cx(k), "").await.unwrap_err();
    assert!(e.chain().contains("another process works on"), "{}", e.chain());
    drop(held);
    backups.back_up(k, &cx(k), "").await.unwrap();
    assert_eq!(shelf.list(&k.keys).unwrap().len(), 1);
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_does_not_fit_fails_clearly_and_breaks_nothing() {
    for backend in backends() {
        let place = tempfile::tempdir().unwrap();
        let mut set = settings(place.path());
        let backups = module(set.clone());
        let t = one(backend, &backups).await;
        let k = &t.kernel;
        let good = backups.back_up(k, &cx(k), "").await.unwrap();
        set.leave_free_mb = 1 << 40;
        let greedy = module(set);
        let e = greedy.back_up(k, &cx(k), "").await.unwrap_err();
        assert!(e.chain().contains("are to stay free"), "{}", e.chain());
        let found = greedy.diagnose(k).await;
        assert!(found.iter().any(|f| !f.ok && f.text.vi.contains("stay free")), "{found:?}");
        let shelf = backups.shelf().unwrap();
        let listed = shelf.list(&k.keys).unwrap();
        assert_eq!(listed.iter().map(|s| &s.name).collect::<Vec<_>>(), [&good.name]);
        act(k).await;
        t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_until_a_moment_is_found_and_what_it_lacks_is_told() {
    for backend in backends() {
        let place = tempfile::tempdir().unwrap();
        let backups = module(settings(place.path()));
        let t = one(backend, &backups).await;
        let k = &t.kernel;
        let shelf = backups.shelf().unwrap();
        let first = backups.back_up(k, &cx(k), "").await.unwrap().name;
        let made = shelf.list(&k.keys).unwrap()[0].made_at().unwrap();
        t.clock.advance(Duration::from_secs(600));
        act(k).await;
        t.clock.advance(Duration::from_secs(600));
        let moment = k.clock.now();
        t.clock.advance(Duration::from_secs(600));
        act(k).await;
        let second = backups.back_up(k, &cx(k), "").await.unwrap().name;
        let until = |at| shelf.newest_until(&k.keys, at).unwrap().map(|s| s.name);
        assert_eq!(until(moment), Some(first.clone()));
        assert_eq!(until(k.clock.now()), Some(second.clone()));
        assert_eq!(until(made.minus(Duration::from_secs(1))), None);
        let later = shelf.path(&second);
        let (rows, count) = kernel::backup::audited_between(&k.keys, &later, made, moment, 100).unwrap();
        let acts: Vec<_> = rows.iter().map(|r| r.action.as_str()).collect();
        assert_eq!((count, acts), (2, vec!["backups.end", "test.act"]), "of the second act nothing is told");
        t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_show_what_there_is_and_begin_what_is_asked_for() {
    for backend in backends() {
        let place = tempfile::tempdir().unwrap();
        let backups = module(Settings { drill_days: 0, ..settings(place.path()) });
        let app = App::new(backend, vec![Arc::new(backups.clone())]).await;
        let k = &app.t.kernel;
        let rights = [backups::permissions::READ, backups::permissions::RUN];
        let operator = app.log_in_as(&rights, &Reach::Province);
        // The first one is due at once, and made by the platform itself.
        ended(k, Kind::Backup, |by| by.is_empty()).await;
        assert!(operator.get("/backups").await.text().contains("/backups/run"));
        let asked = operator.post_form("/backups/run", &[]).await;
        assert_eq!((asked.status, asked.header("location")), (StatusCode::SEE_OTHER, Some("/backups")));
        ended(k, Kind::Backup, |by| !by.is_empty()).await;
        let name = backups.shelf().unwrap().list(&k.keys).unwrap()[0].name.clone();
        assert!(operator.get("/backups").await.text().contains(&name));
        operator.post_form("/backups/drill", &[]).await;
        let drill = ended(k, Kind::Drill, |by| !by.is_empty()).await;
        let path = format!("/backups/drills/{drill}");
        assert!(operator.get("/backups").await.text().contains(&path));
        let record = operator.get(&path).await.text();
        for part in ["Biên bản diễn tập khôi phục dữ liệu", "Kiểm Thử", &name, "khớp với bản sao lưu"]
        {
            assert!(record.contains(part), "{part} in {record}");
        }
        let reader = app.log_in_as(&[backups::permissions::READ], &Reach::Province);
        assert!(
            !reader.get("/backups").await.text().contains("/backups/run"),
            "no act is offered without the right"
        );
        app.t.close().await;
    }
}

/// Waits until the newest run of a kind is one begun by whom it should be, and has ended well.
async fn ended(k: &Kernel, kind: Kind, by: impl Fn(&str) -> bool) -> backups::RunId {
    for _ in 0..1_200 {
        let newest = backups::runs(k, Some(kind), 1).await.unwrap().into_iter().next();
        if let Some(run) = newest.filter(|run| by(&run.by) && run.ok.is_some()) {
            assert_eq!(run.ok, Some(true), "{run:?}");
            return run.id;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not end within a minute");
}
