//! Actions commit as a whole, share their COMMIT, and leave nothing behind when they are dropped.

use std::time::Duration;

use kernel::db::{Db, Migration, Value, migrate};
use kernel::{Cx, Ref, params};
use testkit::{TestKernel, on_both};

const TABLE: &str = "INSERT INTO kernel_setting (name, value) VALUES ($1, $2)";

async fn count(t: &TestKernel) -> i64 {
    t.kernel.db.query_one("SELECT COUNT(*) AS n FROM kernel_setting", vec![]).await.unwrap().int("n").unwrap()
}

fn cx(t: &TestKernel) -> Cx {
    Cx::kernel("test", t.kernel.clock.now())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_come_back_as_they_went() {
    on_both(&[], |t| async move {
        let sql = "SELECT $1 AS a, CAST($2 AS TEXT) AS b, $3 AS c, CAST($4 AS TEXT) AS d, 1 = 1 AS e";
        let sql = match t.backend {
            "postgres" => sql.replace("$1", "CAST($1 AS BIGINT)").replace("$3", "CAST($3 AS BYTEA)"),
            _ => sql.to_owned(),
        };
        let p = params![i64::MIN, "Hà Trung — đặc khu", vec![0_u8, 255], None::<String>];
        let row = t.kernel.db.query_one(&sql, p).await.unwrap();
        assert_eq!(row.int("a").unwrap(), i64::MIN);
        assert_eq!(row.text("b").unwrap(), "Hà Trung — đặc khu");
        assert_eq!(row.blob("c").unwrap(), [0, 255]);
        assert_eq!(*row.value("d").unwrap(), Value::Null);
        assert!(row.bool("e").unwrap());
        assert!(row.int("b").is_err() && row.int("nothing").is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn null_goes_into_columns_of_every_type() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let table =
            Migration { name: "0001", sql: "CREATE TABLE t_null (a INTEGER, b TEXT, c BLOB) STRICT;" };
        let steps: &'static [Migration] = Box::leak(Box::new([table]));
        migrate(&k.db, &*k.clock, &[("t", steps)]).await.unwrap();
        let mut tx = k.begin(&cx(&t)).await.unwrap();
        let p = params![None::<i64>, None::<String>, None::<Vec<u8>>];
        tx.execute("INSERT INTO t_null (a, b, c) VALUES ($1, $2, $3)", p).await.unwrap();
        tx.execute("INSERT INTO t_null (a, b, c) VALUES ($1, $2, $3)", params![1_i64, "x", vec![1_u8]])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let n = k.db.query_one(
            "SELECT COUNT(*) AS n FROM t_null WHERE a IS NULL AND b IS NULL AND c IS NULL",
            vec![],
        );
        assert_eq!(n.await.unwrap().int("n").unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_visible_after_commit_and_gone_when_dropped() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let before = count(&t).await;
        let mut dropped = k.begin(&cx(&t)).await.unwrap();
        dropped.execute(TABLE, params!["dropped", "1"]).await.unwrap();
        assert_eq!(count(&t).await, before, "readers see committed data only");
        drop(dropped);
        let mut kept = k.begin(&cx(&t)).await.unwrap();
        kept.execute(TABLE, params!["kept", "1"]).await.unwrap();
        kept.commit().await.unwrap();
        assert_eq!(count(&t).await, before + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_action_does_not_touch_its_neighbours_in_the_batch() {
    on_both(&[], |t| async move {
        let before = count(&t).await;
        let mut all = tokio::task::JoinSet::new();
        for i in 0..200 {
            let t = t.clone();
            all.spawn(async move {
                let mut tx = t.kernel.begin(&cx(&t)).await.unwrap();
                tx.execute(TABLE, params![format!("row {i}"), "1"]).await.unwrap();
                match i % 4 {
                    0 => tx.commit().await.map(|_| 1).unwrap(),
                    1 => {
                        // A duplicate fails this action alone.
                        assert!(tx.execute(TABLE, params![format!("row {i}"), "2"]).await.is_err());
                        0
                    }
                    2 => 0,
                    _ => {
                        // A caller that goes away in the middle of its own commit or work.
                        let work = async {
                            tx.execute(TABLE, params![format!("more {i}"), "1"]).await.unwrap();
                            tokio::time::sleep(Duration::from_secs(60)).await;
                            drop(tx);
                        };
                        let _ = tokio::time::timeout(Duration::from_millis(5), work).await;
                        0
                    }
                }
            });
        }
        let committed: i64 = all.join_all().await.into_iter().sum();
        assert_eq!(committed, 50);
        assert_eq!(count(&t).await, before + committed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_while_committing_does_not_stop_the_writer() {
    on_both(&[], |t| async move {
        for i in 0..50 {
            let mut tx = t.kernel.begin(&cx(&t)).await.unwrap();
            tx.execute(TABLE, params![format!("left {i}"), "1"]).await.unwrap();
            let _ = tokio::time::timeout(Duration::from_micros(i * 20), tx.commit()).await;
        }
        let mut tx = t.kernel.begin(&cx(&t)).await.unwrap();
        tx.execute(TABLE, params!["after", "1"]).await.unwrap();
        tx.commit().await.unwrap();
        let found = t.kernel.setting("after").await.unwrap();
        assert_eq!(found.as_deref(), Some("1"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_cannot_change_anything_without_an_audit_row() {
    on_both(&[], |t| async move {
        let mut cx = cx(&t);
        cx.actor = kernel::Actor::System { subsystem: "VN/GOV/1/a".into() };
        let mut tx = t.kernel.begin(&cx).await.unwrap();
        tx.execute(TABLE, params!["secret", "1"]).await.unwrap();
        assert!(tx.commit().await.is_err());
        assert_eq!(t.kernel.setting("secret").await.unwrap(), None);
        let mut tx = t.kernel.begin(&cx).await.unwrap();
        tx.execute(TABLE, params!["open", "1"]).await.unwrap();
        tx.audit("test.set", &Ref::new("setting", "open"), serde_json::json!({"to": "1"})).await.unwrap();
        tx.commit().await.unwrap();
        let rows = kernel::audit::about(&t.kernel.db, &Ref::new("setting", "open"), 10).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].actor.as_str(), rows[0].action.as_str()), ("system:VN/GOV/1/a", "test.set"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_something_else_inside_a_transaction_is_noticed() {
    on_both(&[], |t| async move {
        let mut tx = t.kernel.begin(&cx(&t)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(80)).await;
        tx.execute(TABLE, params!["slow", "1"]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(t.kernel.db.idle_violations() >= 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_database_is_whole_while_work_goes_on() {
    let t = TestKernel::new("sqlite", &[]).await;
    let copy = t.dir.path().join("copy.db");
    let k = t.kernel.clone();
    let writer = tokio::spawn(async move {
        for i in 0..200 {
            let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
            // Two rows an action: a copy may hold any number of actions, but no half one.
            tx.execute(TABLE, params![format!("a{i}"), "1"]).await.unwrap();
            tx.execute(TABLE, params![format!("b{i}"), "1"]).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    t.kernel.db.copy_to(&copy).await.unwrap();
    writer.await.unwrap();
    let copied = Db::sqlite(&copy).await.unwrap();
    let n =
        copied.query_one("SELECT COUNT(*) AS n FROM kernel_setting", vec![]).await.unwrap().int("n").unwrap();
    assert_eq!(n % 2, 0);
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_apply_once_and_in_order() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        const STEPS: &[Migration] = &[
            Migration { name: "0001_a", sql: "CREATE TABLE m_a (id TEXT PRIMARY KEY) STRICT;" },
            Migration {
                name: "0002_b",
                sql: "ALTER TABLE m_a ADD COLUMN n INTEGER; CREATE INDEX m_a_n ON m_a (n);",
            },
        ];
        assert_eq!(kernel::db::pending(&k.db, &[("m", STEPS)]).await.unwrap(), ["m/0001_a", "m/0002_b"]);
        assert_eq!(migrate(&k.db, &*k.clock, &[("m", STEPS)]).await.unwrap().len(), 2);
        assert!(migrate(&k.db, &*k.clock, &[("m", STEPS)]).await.unwrap().is_empty());
        const BAD: &[Migration] =
            &[Migration { name: "0001_x", sql: "CREATE TABLE m_x (id TEXT) STRICT; NONSENSE;" }];
        assert!(migrate(&k.db, &*k.clock, &[("x", BAD)]).await.is_err());
        assert!(
            k.db.query("SELECT id FROM m_x", vec![]).await.is_err(),
            "a failed step leaves nothing behind"
        );
    })
    .await;
}

#[tokio::test]
async fn a_postgresql_that_may_lose_work_is_refused() {
    let Ok(server) = std::env::var("LIENTHONG_TEST_PG") else {
        return testkit::skip("PostgreSQL: LIENTHONG_TEST_PG is not set");
    };
    let unsafe_url = format!("{server}?options=-c%20synchronous_commit%3Doff");
    let refused = Db::postgres(&unsafe_url, 1).await;
    let said = refused.err().map(|e| e.chain()).unwrap_or_default();
    assert!(said.contains("synchronous_commit=off"), "{said}");
}
