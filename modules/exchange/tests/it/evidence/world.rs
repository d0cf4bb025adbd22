//! A node with evidence and nothing else, and calls of invented people.

#![allow(clippy::unwrap_used)] // helpers of tests stand outside #[test]

use std::sync::Arc;
use std::time::Duration;

use evidence::{Agreement, Body, Bundle, Call, Closed, Field, Opened, Outcome, Request, Response};
use exchange::evidence::{EVIDENCE, Evidence, FIELDS, MONITORING, Recorded};
use exchange::store::{LISTS, REGISTRY};
use exchange::traffic::TRAFFIC;
use kernel::db::Migration;
use kernel::db::Row;
use kernel::{Kernel, Module, Parts, params};
use stream::{Disk, RealDisk};
use testkit::TestKernel;

/// The tables of evidence, and those that figures need.
pub(super) struct Tables;

impl Module for Tables {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn migrations(&self) -> &'static [Migration] {
        const ALL: &[Migration] = &[REGISTRY, EVIDENCE, LISTS, MONITORING, FIELDS, TRAFFIC];
        ALL
    }
}

pub(super) fn tables() -> Vec<Arc<dyn Module>> {
    vec![Arc::new(Tables)]
}

/// One process on a data directory; another one may follow it on the same.
pub(super) struct Node {
    pub(super) k: Kernel,
    pub(super) evidence: Evidence,
}

impl Node {
    /// Starts a process.
    pub(super) async fn start(t: &TestKernel) -> Node {
        Node::start_on(t, Arc::new(RealDisk)).await
    }

    pub(super) async fn start_on(t: &TestKernel, disk: Arc<dyn Disk>) -> Node {
        let node = Node::open_on(t, disk).await;
        node.evidence.run(&node.k);
        node
    }

    /// Opens without sealing or indexing anything.
    pub(super) async fn open_on(t: &TestKernel, disk: Arc<dyn Disk>) -> Node {
        // A kernel of its own, as every process has: stopping it stops only this one.
        let k = Kernel::new(Parts {
            db: t.kernel.db.clone(),
            clock: t.kernel.clock.clone(),
            random: t.kernel.random.clone(),
            keys: t.kernel.keys.clone(),
            config: t.kernel.config.clone(),
            data_dir: t.kernel.data_dir.clone(),
        });
        let evidence = Evidence::open_on(&k, "test", disk).await.unwrap();
        Node { k, evidence }
    }

    pub(super) async fn stop(self) {
        self.k.stop();
        self.evidence.close().await;
    }

    /// A call that changes something.
    pub(super) async fn post(&self, id: &str) -> Recorded {
        let opened = self.open(id).await;
        let closed = Closed { opened: Some(opened.leaf), ..closed(id, "POST") };
        self.evidence.recorder().closed(closed, values(id), None).await.unwrap()
    }

    /// Its first half.
    pub(super) async fn open(&self, id: &str) -> Recorded {
        let opened = Opened { call: call(id, "POST"), recorded: 0, commitments: [].into() };
        self.evidence.recorder().opened(opened, personal(id)).await.unwrap()
    }

    /// A call that only reads.
    pub(super) async fn get(&self, id: &str) -> Recorded {
        self.evidence.recorder().closed(closed(id, "GET"), values(id), None).await.unwrap()
    }

    pub(super) async fn bundle(&self, id: &str) -> Bundle {
        self.evidence.bundles().for_request(id, &Field::ALL).await.unwrap()
    }

    pub(super) async fn row(&self, id: &str) -> Row {
        let sql = "SELECT * FROM exchange_call WHERE request_id = $1";
        self.k.db.query_one(sql, params![id]).await.unwrap()
    }

    pub(super) async fn outcome(&self, id: &str) -> Option<String> {
        self.row(id).await.opt_text("outcome").unwrap()
    }

    /// Waits until log and tables have everything that is durable.
    pub(super) async fn settle(&self) {
        for _ in 0..1000 {
            let progress = self.evidence.progress();
            if progress.unsealed == 0 && progress.unindexed == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the followers did not catch up: {:?}", self.evidence.progress());
    }

    /// Waits until the database knows the published checkpoint.
    pub(super) async fn checkpoint_noted(&self) {
        let progress = self.evidence.progress();
        let sql = "SELECT checkpoint FROM exchange_origin WHERE dir = $1";
        for _ in 0..500 {
            let row = self.k.db.query_opt(sql, params![&progress.origin]).await.unwrap();
            let noted = row.and_then(|row| row.opt_text("checkpoint").unwrap()).unwrap_or_default();
            if noted.lines().nth(1) == Some(&progress.size.to_string()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the checkpoint was not noted");
    }

    pub(super) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) AS n FROM {table}");
        self.k.db.query_one(&sql, params![]).await.unwrap().int("n").unwrap()
    }
}

pub(super) fn call(id: &str, method: &str) -> Call {
    Call {
        request_id: id.into(),
        message_id: format!("msg-{id}"),
        client: "VN/GOV/H56.01/motcua".into(),
        service: "VN/GOV/H56.05/dancu/population".into(),
        agreement: Some(Agreement { id: "CT-2026-0012".into(), version: 3 }),
        snapshot: 41,
        consumer_auth: "oauth2".into(),
        method: method.into(),
        endpoint: Some("/v1/people/*".into()),
        request_in: 1_795_000_100_000_000,
        environment: None,
    }
}

pub(super) fn closed(id: &str, method: &str) -> Closed {
    let call = call(id, method);
    Closed {
        recorded: 0,
        request_out: Some(call.request_in + 300),
        response_in: Some(call.request_in + 5100),
        call,
        request: Request { body: Body::Complete, size: 218 },
        response: Some(Response { status: 200, size: 1031 }),
        outcome: Outcome::Answered,
        fault: None,
        filter: None,
        opened: None,
        commitments: [].into(),
    }
}

pub(super) fn personal(id: &str) -> Vec<(Field, String)> {
    vec![(Field::Path, format!("/v1/people/038099{id}")), (Field::UserId, format!("VN{id}"))]
}

pub(super) fn values(id: &str) -> Vec<(Field, String)> {
    let digests = [
        (Field::RequestHead, "a1".repeat(64)),
        (Field::RequestBody, "b2".repeat(64)),
        (Field::ResponseHead, "c3".repeat(32)),
        (Field::ResponseBody, "d4".repeat(32)),
    ];
    [personal(id), digests.to_vec()].concat()
}
