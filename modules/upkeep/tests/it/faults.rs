//! Deliberate faults of the platform itself, each made for real and named by its check: a disk that is full, a database
//! that is stopped, a listener that is stuck, a job that is dead.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::clock::SystemClock;
use base::i18n::Lang;
use base::random::SystemRandom;
use kernel::config::Config;
use kernel::db::Db;
use kernel::jobs::{Job, JobBody, JobHandler};
use kernel::journal::{Event, Fact};
use kernel::keys::Keys;
use kernel::listeners::Listener;
use kernel::{Cx, Error, Kernel, Module, Parts, Ref, Result, Tx, params};
use serde::{Deserialize, Serialize};
use testkit::TestKernel;
use upkeep::{Check, State, Upkeep};

use crate::morning::module;

async fn check(upkeep: &Upkeep, k: &Kernel, name: &str) -> Check {
    let overview = upkeep.overview(k).await.unwrap();
    overview.checks.into_iter().find(|c| c.name == name).unwrap()
}

/// Looks until a check is bad; each look is anew.
async fn until_bad(k: &Kernel, name: &str) -> Check {
    for _ in 0..600 {
        let found = check(&module(), k, name).await;
        if found.state == State::Bad {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} is never bad");
}

#[derive(Serialize, Deserialize)]
struct Post;

impl JobBody for Post {
    const KIND: &'static str = "test.send";
}

#[derive(Serialize, Deserialize)]
struct Happened;

impl Fact for Happened {
    const KIND: &'static str = "test.happened";
    fn subject(&self) -> Ref {
        Ref::new("test", "1")
    }
}

struct Faulty;

#[async_trait]
impl JobHandler for Faulty {
    fn kind(&self) -> &'static str {
        Post::KIND
    }
    async fn run(&self, _: &Kernel, _: &Job) -> Result<()> {
        Err(Error::internal("bên nhận từ chối"))
    }
}

#[async_trait]
impl Listener for Faulty {
    fn name(&self) -> &'static str {
        "test.faulty"
    }
    fn hears(&self) -> &'static [&'static str] {
        &[Happened::KIND]
    }
    async fn hear(&self, _: &Kernel, _: &mut Tx, _: &Event) -> Result<()> {
        Err(Error::internal("không đọc được sự kiện"))
    }
}

impl Module for Faulty {
    fn name(&self) -> &'static str {
        "test"
    }
    fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![Arc::new(Faulty)]
    }
    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        vec![Arc::new(Faulty)]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_and_a_stuck_listener_are_named() {
    for backend in testkit::backends() {
        let t = TestKernel::new(backend, &[]).await;
        let k = &t.kernel;
        assert_eq!(check(&module(), k, "kernel.jobs").await.state, State::Good);
        assert_eq!(check(&module(), k, "kernel.listeners").await.state, State::Good);
        k.run(&[Arc::new(Faulty)]);
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        tx.enqueue(&Post).await.unwrap();
        // All attempts but the last are behind it.
        tx.execute("UPDATE kernel_job SET attempts = 11", params![]).await.unwrap();
        tx.publish(&Happened).await.unwrap();
        tx.commit().await.unwrap();
        let dead = until_bad(k, "kernel.jobs").await;
        assert!(dead.text.get(Lang::Vi).contains("bên nhận từ chối"), "{dead:?}");
        let stuck = until_bad(k, "kernel.listeners").await;
        assert!(stuck.text.get(Lang::Vi).contains("test.faulty"), "{stuck:?}");
        assert!(stuck.todo.is_some() && dead.todo.is_some());
        t.close().await;
    }
}

/// A PostgreSQL of this test's own, stopped at its end.
struct Server {
    data: tempfile::TempDir,
    port: u16,
}

/// Runs a program of PostgreSQL, which refuses to be the administrator.
fn postgres(program: &str, args: &[&str]) -> Option<Output> {
    let is_root = Command::new("id").arg("-u").output().ok()?.stdout == b"0\n";
    let mut command = match is_root {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
            command
        }
        false => Command::new(program),
    };
    command.args(args).output().ok()
}

impl Server {
    fn start() -> Option<Self> {
        let data = tempfile::tempdir().ok()?;
        let _ = Command::new("chown").arg("postgres").arg(data.path()).status();
        let dir = data.path().join("db");
        let at = dir.to_str()?.to_owned();
        let made =
            postgres("initdb", &["-D", &at, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"])?;
        if !made.status.success() {
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=");
        let log = data.path().join("db/log");
        let args = ["-D", &at, "-w", "-l", log.to_str()?, "-o", &options, "start"];
        postgres("pg_ctl", &args)?.status.success().then_some(Self { data, port })
    }

    fn stop(&self) {
        let at = self.data.path().join("db");
        let _ = postgres("pg_ctl", &["-D", at.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn kernel(db: Db, data_dir: PathBuf) -> Kernel {
    Kernel::new(Parts {
        db,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        keys: Arc::new(Keys::from_bytes([42; 32])),
        config: Config::from_text(None, String::new(), []).unwrap(),
        data_dir,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_stopped_is_named_and_the_other_checks_go_on() {
    let Some(server) = Server::start() else {
        return testkit::skip("a PostgreSQL of one's own: initdb or pg_ctl cannot be run");
    };
    let dir = tempfile::tempdir().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port);
    let k = kernel(Db::open(&url).await.unwrap(), dir.path().to_path_buf());
    k.migrate(&[]).await.unwrap();
    assert_eq!(check(&module(), &k, "kernel.database").await.state, State::Good);
    server.stop();
    let away = until_bad(&k, "kernel.database").await;
    let text = away.text.get(Lang::Vi);
    assert!(text.starts_with("Nền tảng: cơ sở dữ liệu PostgreSQL không trả lời"), "{text}");
    assert!(away.todo.unwrap().get(Lang::En).contains("see whether the service runs"));
    let overview = module().overview(&k).await.unwrap();
    assert!(overview.checks.iter().any(|c| c.name == "kernel.disk"), "what needs no database is still told");
    assert_eq!(overview.standing(), upkeep::Standing::Trouble);
}

const FULL: &str = "LIENTHONG_TEST_FULL_DISK";

/// Run by the test below, in a name space of its own, with a small disk that is full.
#[tokio::test]
#[ignore = "needs the full disk that the test beside it makes"]
async fn on_the_full_disk() {
    let full = PathBuf::from(std::env::var(FULL).unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", elsewhere.path().join("test.db").display());
    let k = kernel(Db::open(&url).await.unwrap(), full);
    k.migrate(&[]).await.unwrap();
    let found = check(&module(), &k, "kernel.disk").await;
    println!("FOUND {:?} {}", found.state, found.text.get(Lang::Vi));
    k.close().await;
}

#[test]
fn a_full_disk_is_named() {
    let place = tempfile::tempdir().unwrap();
    let at: &Path = place.path();
    let script = "mount -t tmpfs -o size=64k none \"$0\" && { head -c 1000000 /dev/zero > \"$0/filled\" 2>/dev/null; \
                  exec \"$1\" --exact faults::on_the_full_disk --ignored --nocapture; }";
    let me = std::env::current_exe().unwrap();
    let run =
        Command::new("unshare").args(["-rm", "sh", "-c", script]).arg(at).arg(me).env(FULL, at).output();
    let said = match run {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => String::new(),
    };
    let Some(found) = said.lines().find(|l| l.contains("FOUND ")) else {
        return testkit::skip("a small disk: name spaces cannot be made here");
    };
    assert!(found.contains("FOUND Bad Nền tảng: không ghi được vào"), "{found}");
}
