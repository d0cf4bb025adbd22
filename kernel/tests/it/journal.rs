//! Facts reach every listener once and in commit order; one that keeps failing stops nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kernel::journal::{Event, Fact};
use kernel::listeners::{Listener, parked, retry_parked};
use kernel::{Cx, Error, Kernel, Ref, Result, Tx, params};
use serde::{Deserialize, Serialize};
use testkit::{TestKernel, on_both};

#[derive(Serialize, Deserialize)]
struct Happened {
    thing: String,
    n: i64,
}

impl Fact for Happened {
    const KIND: &'static str = "test.happened";
    fn subject(&self) -> Ref {
        Ref::new("thing", &self.thing)
    }
}

/// Writes down what it hears, in its own transaction; fails on the thing named "poison" while told to.
#[derive(Default)]
struct Scribe {
    well: AtomicBool,
}

#[async_trait]
impl Listener for Scribe {
    fn name(&self) -> &'static str {
        "test.scribe"
    }
    fn hears(&self) -> &'static [&'static str] {
        &["test.happened"]
    }
    async fn hear(&self, _: &Kernel, tx: &mut Tx, event: &Event) -> Result<()> {
        let fact: Happened = event.fact()?;
        if fact.thing == "poison" && !self.well.load(Ordering::SeqCst) {
            return Err(Error::internal("cannot take this in"));
        }
        let sql = "INSERT INTO kernel_setting (name, value) VALUES ($1, $2)";
        tx.execute(sql, params![format!("{:06}", event.position), format!("{}/{}", fact.thing, fact.n)])
            .await?;
        Ok(())
    }
}

async fn say(k: &Kernel, thing: &str, n: i64) -> kernel::Committed {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    tx.publish(&Happened { thing: thing.into(), n }).await.unwrap();
    tx.commit().await.unwrap()
}

async fn heard(t: &TestKernel) -> Vec<String> {
    let rows = t.kernel.db.query("SELECT value FROM kernel_setting ORDER BY name", vec![]).await.unwrap();
    rows.iter().map(|r| r.text("value").unwrap()).collect()
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
async fn a_transaction_that_begins_first_and_commits_last_is_not_missed() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        k.listen(Arc::new(Scribe::default()));
        if t.backend == "postgres" {
            // T1 takes its number first, T2 commits first: T2's fact must wait, T1's must not be missed.
            let mut t1 = k.begin(&Cx::kernel("t1", k.clock.now())).await.unwrap();
            t1.publish(&Happened { thing: "first".into(), n: 1 }).await.unwrap();
            say(k, "second", 2).await;
            tokio::time::sleep(Duration::from_millis(600)).await;
            assert!(heard(&t).await.is_empty(), "nothing is read above the oldest running transaction");
            t1.commit().await.unwrap();
            // And the other way round: a transaction with an early number publishes after a later one did.
            let mut t3 = k.begin(&Cx::kernel("t3", k.clock.now())).await.unwrap();
            t3.execute("UPDATE kernel_listener SET position = position WHERE name = 'none'", vec![])
                .await
                .unwrap();
            t3.set_setting("zzz", "early").await.unwrap();
            say(k, "fourth", 4).await;
            t3.publish(&Happened { thing: "third".into(), n: 3 }).await.unwrap();
            t3.commit().await.unwrap();
            until(async || heard(&t).await.len() == 5).await;
            assert_eq!(heard(&t).await, ["first/1", "second/2", "third/3", "fourth/4", "early"]);
        } else {
            say(k, "first", 1).await;
            say(k, "second", 2).await;
            until(async || heard(&t).await.len() == 2).await;
            assert_eq!(heard(&t).await, ["first/1", "second/2"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_are_all_heard_once() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        k.listen(Arc::new(Scribe::default()));
        let mut all = tokio::task::JoinSet::new();
        for w in 0..8 {
            let k = k.clone();
            all.spawn(async move {
                for n in 0..25 {
                    say(&k, &format!("w{w}"), n).await;
                }
            });
        }
        all.join_all().await;
        until(async || heard(&t).await.len() >= 200).await;
        let all = heard(&t).await;
        assert_eq!(all.len(), 200);
        for w in 0..8 {
            let own: Vec<_> = all.iter().filter(|s| s.starts_with(&format!("w{w}/"))).collect();
            let expected: Vec<_> = (0..25).map(|n| format!("w{w}/{n}")).collect();
            assert_eq!(own, expected.iter().collect::<Vec<_>>(), "facts of one writer keep their order");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_fact_parks_its_subject_and_the_rest_goes_on() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let scribe = Arc::new(Scribe::default());
        k.listen(scribe.clone());
        say(k, "poison", 1).await;
        say(k, "other", 1).await;
        say(k, "poison", 2).await;
        let last = say(k, "other", 2).await;
        until(async || heard(&t).await.len() == 2).await;
        assert!(k.wait_for("test.scribe", &last).await);
        assert_eq!(heard(&t).await, ["other/1", "other/2"]);
        let waiting = parked(k).await.unwrap();
        assert_eq!(waiting.len(), 2, "the later fact waits behind the earlier one");
        assert!(waiting[0].error.contains("cannot take this in"));
        scribe.well.store(true, Ordering::SeqCst);
        assert_eq!(retry_parked(k, &*scribe).await.unwrap(), 2);
        assert!(parked(k).await.unwrap().is_empty());
        assert_eq!(heard(&t).await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_started_again_hears_only_what_is_new() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        say(k, "a", 1).await;
        k.listen(Arc::new(Scribe::default()));
        until(async || heard(&t).await.len() == 1).await;
        // A second runner of the same listener, as in another process, repeats nothing.
        k.listen(Arc::new(Scribe::default()));
        let last = say(k, "a", 2).await;
        assert!(k.wait_for("test.scribe", &last).await);
        until(async || heard(&t).await.len() == 2).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(heard(&t).await, ["a/1", "a/2"]);
        assert!(parked(k).await.unwrap().is_empty());
    })
    .await;
}
