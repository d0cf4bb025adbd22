//! Jobs run after the commit, are tried again, and an attempt that lost its lease cannot end another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kernel::jobs::{Job, JobBody, JobHandler, counts, revive};
use kernel::{Cx, Error, Kernel, Module, Result, params};
use serde::{Deserialize, Serialize};
use testkit::on_both;

#[derive(Serialize, Deserialize)]
struct Send {
    to: String,
}

impl JobBody for Send {
    const KIND: &'static str = "test.send";
}

#[derive(Default)]
struct Sender {
    done: AtomicI64,
    fail_first: i64,
}

struct Handler(Arc<Sender>);

#[async_trait]
impl JobHandler for Handler {
    fn kind(&self) -> &'static str {
        "test.send"
    }
    async fn run(&self, _: &Kernel, job: &Job) -> Result<()> {
        let body: Send = job.body()?;
        assert_eq!(body.to, "somebody");
        if job.attempt <= self.0.fail_first {
            return Err(Error::internal("the other side is away"));
        }
        self.0.done.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

struct Post(Arc<Sender>);

impl Module for Post {
    fn name(&self) -> &'static str {
        "post"
    }
    fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(Handler(self.0.clone()))]
    }
}

async fn order(k: &Kernel) -> kernel::jobs::JobId {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let id = tx.enqueue(&Send { to: "somebody".into() }).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn until(mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_an_action_that_was_undone_never_runs() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let sender = Arc::new(Sender::default());
        k.run(&[Arc::new(Post(sender.clone()))]);
        let mut undone = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        undone.enqueue(&Send { to: "nobody".into() }).await.unwrap();
        drop(undone);
        for _ in 0..20 {
            order(k).await;
        }
        until(async || counts(k).await.unwrap().waiting == 0 && sender.done.load(Ordering::SeqCst) >= 20)
            .await;
        assert_eq!(sender.done.load(Ordering::SeqCst), 20, "each once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_is_tried_again_then_dies_visibly_and_can_be_revived() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let sender = Arc::new(Sender { done: AtomicI64::new(0), fail_first: 12 });
        k.run(&[Arc::new(Post(sender.clone()))]);
        let id = order(k).await;
        // Back-off is by the kernel's clock, so it can be moved.
        until(async || {
            t.clock.advance(Duration::from_secs(3_600));
            order_nothing(k).await;
            counts(k).await.unwrap().dead == 1
        })
        .await;
        let sql = "SELECT last_error, attempts FROM kernel_job WHERE id = $1";
        let row = k.db.query_one(sql, params![id]).await.unwrap();
        assert!(row.text("last_error").unwrap().contains("the other side is away"));
        assert_eq!(row.int("attempts").unwrap(), 12);
        assert!(revive(k, &Cx::kernel("test", k.clock.now()), id).await.unwrap());
        assert_eq!(counts(k).await.unwrap().dead, 0);
    })
    .await;
}

/// Wakes the workers, which otherwise look twice a second.
async fn order_nothing(k: &Kernel) {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let far = k.clock.now().plus(Duration::from_secs(10 * 365 * 86_400));
    tx.enqueue_at(&Send { to: "later".into() }, far).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lease_cannot_end_another_attempt() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let id = order(k).await;
        // An attempt that was taken by a process which then died: its lease has run out.
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        tx.execute(
            "UPDATE kernel_job SET state = 'running', fence = 1, attempts = 1, lease_until = 1 WHERE id = $1",
            params![id],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let sender = Arc::new(Sender::default());
        k.run(&[Arc::new(Post(sender.clone()))]);
        until(async || sender.done.load(Ordering::SeqCst) == 1).await;
        until(async || {
            let row =
                k.db.query_one("SELECT state, fence FROM kernel_job WHERE id = $1", params![id])
                    .await
                    .unwrap();
            row.text("state").unwrap() == "done" && row.int("fence").unwrap() == 2
        })
        .await;
    })
    .await;
}
