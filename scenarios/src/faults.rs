//! Kill rounds: run the platform, call it from several sides, kill it at a moment chosen by the seed, start it again
//! on what the disk holds, and compare. Every call that was answered must have its evidence, once, and it must hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base::clock::Stopwatch;
use evidence::{Outcome, Record};
use registries::dice::Dice;
use registries::{Latency, Population, population};
use serde_json::json;

use crate::call::{Answer, Caller};
use crate::extra_service::Consumer;
use crate::log;
use crate::platform::{self, Options, Platform};

/// What to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Kills.
    pub rounds: usize,
    /// Decides the moments and the calls.
    pub seed: u64,
    /// Consumers that call at once.
    pub callers: usize,
    /// Between the first call and the kill at least this long.
    pub shortest: Duration,
    /// Between the first call and the kill at most this long.
    pub longest: Duration,
}

impl Plan {
    /// The few quick rounds that belong into every run of the tests.
    pub fn quick(seed: u64) -> Self {
        let (shortest, longest) = (Duration::from_millis(100), Duration::from_millis(1_500));
        Self { rounds: 3, seed, callers: 6, shortest, longest }
    }
}

/// A call whose answer arrived whole.
#[derive(Debug, Clone)]
struct Answered {
    request_id: String,
    message_id: String,
    changes: bool,
    status: u16,
}

/// What one round found.
#[derive(Debug, Clone)]
pub struct Round {
    /// Kill after this time, milliseconds after the first call.
    pub killed_after_ms: u64,
    /// Calls answered whole before the kill.
    pub answered: usize,
    /// Of these, calls that change something.
    pub changing: usize,
    /// Calls cut off by the kill.
    pub cut_off: u64,
    /// From restart to ready, milliseconds.
    pub ready_ms: u128,
    /// What should not be, in words.
    pub wrong: Vec<String>,
}

/// What all rounds found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The rounds.
    pub rounds: Vec<Round>,
    /// What the checks after the last round found wrong.
    pub wrong_at_the_end: Vec<String>,
}

impl Report {
    /// Everything wrong, of all rounds.
    pub fn wrong(&self) -> Vec<&str> {
        self.rounds.iter().flat_map(|r| &r.wrong).chain(&self.wrong_at_the_end).map(String::as_str).collect()
    }

    /// Calls answered over all rounds.
    pub fn answered(&self) -> usize {
        self.rounds.iter().map(|r| r.answered).sum()
    }

    /// A table that can be committed.
    pub fn table(&self) -> String {
        let mut out =
            String::from("round  killed after  answered  of these changing  cut off  ready again  wrong\n");
        for (n, r) in self.rounds.iter().enumerate() {
            let _ = writeln!(
                out,
                "{:5}  {:9} ms  {:8}  {:17}  {:7}  {:8} ms  {:5}",
                n + 1,
                r.killed_after_ms,
                r.answered,
                r.changing,
                r.cut_off,
                r.ready_ms,
                r.wrong.len()
            );
        }
        let wrong = self.wrong();
        let _ = writeln!(
            out,
            "answered {} calls in {} rounds; wrong: {}",
            self.answered(),
            self.rounds.len(),
            wrong.len()
        );
        for line in wrong.iter().take(50) {
            let _ = writeln!(out, "  {line}");
        }
        out
    }
}

/// Runs the rounds on a new demonstration in `options.data`.
///
/// # Errors
/// When the platform cannot be started or prepared at all; what it loses is in the report.
pub async fn run(plan: &Plan, mut options: Options) -> Result<Report> {
    options.listen = Some(platform::free_port()?);
    let dice = Dice::new(plan.seed);
    let people = Arc::new(Population::invent(plan.seed, 200, &[]));
    let loopback = ([127, 0, 0, 1], 0).into();
    let provider = population::start(loopback, people.clone(), Latency::realistic(), plan.seed).await?;
    let path = prepare(&options, &provider.base_url()).await?;

    let mut report = Report::default();
    let mut all = vec![];
    let mut platform = Platform::start(options.clone()).await?;
    for number in 1..=plan.rounds {
        let spread = plan.longest.saturating_sub(plan.shortest).as_millis() as u64;
        let moment = plan.shortest + Duration::from_millis(dice.below(spread + 1));
        let caller = Caller::new(platform.contract()).await?;
        let load =
            Load { caller, path: path.clone(), people: people.clone(), round: number, seed: plan.seed };
        let (answered, cut_off) = load.run_until_killed(plan.callers, moment, platform).await?;
        let watch = Stopwatch::start();
        platform = Platform::start(options.clone()).await.context("after a kill")?;
        let ready_ms = watch.elapsed().as_millis();
        let wrong = check(&platform, &answered, options.data.as_path()).await?;
        report.rounds.push(Round {
            killed_after_ms: moment.as_millis() as u64,
            answered: answered.len(),
            changing: answered.iter().filter(|a| a.changes).count(),
            cut_off,
            ready_ms,
            wrong,
        });
        all.extend(answered);
    }
    platform.stop().await?;
    report.wrong_at_the_end = at_rest(&options, &all).await?;
    provider.shutdown().await;
    Ok(report)
}

async fn prepare(options: &Options, provider: &str) -> Result<String> {
    let platform = Platform::start(options.clone()).await?;
    let consumer = Consumer::of(&Caller::new(platform.contract()).await?).await?;
    platform.stop().await?;
    consumer.register(&options.binary, &options.data, provider).await?;
    Ok(consumer.service_path())
}

/// Consumers at work in one round.
#[derive(Clone)]
struct Load {
    caller: Caller,
    path: String,
    people: Arc<Population>,
    round: usize,
    seed: u64,
}

impl Load {
    async fn run_until_killed(
        self,
        callers: usize,
        moment: Duration,
        platform: Platform,
    ) -> Result<(Vec<Answered>, u64)> {
        let over = Arc::new(AtomicBool::new(false));
        let cut_off = Arc::new(AtomicU64::new(0));
        let mut tasks = vec![];
        for number in 0..callers {
            let (load, over, cut_off) = (self.clone(), over.clone(), cut_off.clone());
            tasks.push(tokio::spawn(async move { load.consumer(number, &over, &cut_off).await }));
        }
        tokio::time::sleep(moment).await;
        platform.kill().await?;
        over.store(true, Ordering::SeqCst);
        let mut answered = vec![];
        for task in tasks {
            answered.extend(task.await?);
        }
        Ok((answered, cut_off.load(Ordering::SeqCst)))
    }

    /// Calls one after the other until the platform is gone.
    async fn consumer(self, number: usize, over: &AtomicBool, cut_off: &AtomicU64) -> Vec<Answered> {
        let dice = Dice::new(self.seed ^ ((self.round as u64) << 32) ^ number as u64);
        let mut answered = vec![];
        for call in 0u64.. {
            if over.load(Ordering::SeqCst) {
                break;
            }
            let message_id = format!("kill-{:x}-{}-{number}-{call}", self.seed, self.round);
            let changes = dice.chance(1, 3);
            match self.one(&dice, changes, &message_id).await {
                Ok(Answer { status, request_id: Some(request_id), .. }) => {
                    answered.push(Answered { request_id, message_id, changes, status: status.as_u16() });
                }
                Ok(Answer { request_id: None, .. }) => {
                    answered.push(Answered { request_id: String::new(), message_id, changes, status: 0 });
                }
                Err(_) => {
                    cut_off.fetch_add(1, Ordering::SeqCst);
                    break;
                }
            }
        }
        answered
    }

    async fn one(&self, dice: &Dice, changes: bool, message_id: &str) -> Result<Answer> {
        let person = self.people.iter().nth(dice.index(self.people.len())).context("nobody")?;
        let path = &self.path;
        if changes {
            let body = json!({
                "so_dinh_danh": person.so_dinh_danh, "ho_ten": person.ho_ten, "ngay_sinh": person.ngay_sinh,
            });
            self.caller.call_at(&format!("{path}/persons/verify"), Some(&body), message_id).await
        } else {
            let url = format!("{path}/persons/{}", person.so_dinh_danh);
            self.caller.call_at(&url, None, message_id).await
        }
    }
}

/// After a restart: each answered call has a bundle that holds and says what was answered.
async fn check(platform: &Platform, answered: &[Answered], scratch: &Path) -> Result<Vec<String>> {
    let caller = Caller::new(platform.contract()).await?;
    let mut wrong = vec![];
    let mut seen = BTreeMap::new();
    for call in answered {
        if call.request_id.is_empty() {
            wrong.push(format!("{}: answered without x-road-request-id", call.message_id));
            continue;
        }
        if let Some(other) = seen.insert(&call.request_id, &call.message_id) {
            wrong.push(format!(
                "{other} and {} share the request number {}",
                call.message_id, call.request_id
            ));
        }
        match caller.bundle(&call.request_id).await? {
            None => wrong.push(format!("{}: answered, but without evidence", call.message_id)),
            Some(bundle) => wrong.extend(judge(call, &bundle)),
        }
    }
    if let Some(last) = answered.last().filter(|a| !a.request_id.is_empty())
        && let Some(bundle) = caller.bundle(&last.request_id).await?
    {
        let file = scratch.with_extension("bundle");
        std::fs::write(&file, bundle)?;
        let verify =
            tokio::process::Command::new(platform.binary()).arg("verify").arg(&file).output().await?;
        if !verify.status.success() {
            let said = String::from_utf8_lossy(&verify.stdout).into_owned();
            wrong.push(format!("{}: lienthong verify refuses the bundle: {said}", last.message_id));
        }
    }
    Ok(wrong)
}

/// What a bundle must prove about a call that was answered.
fn judge(call: &Answered, bundle: &[u8]) -> Vec<String> {
    let verified = match evidence::verify(bundle, None) {
        Ok(verified) => verified,
        Err(refusal) => return vec![format!("{}: the bundle is refused: {refusal}", call.message_id)],
    };
    let mut wrong = vec![];
    let mut say = |what: String| wrong.push(format!("{}: {what}", call.message_id));
    let (mut opened, mut closed) = (0, 0);
    for proven in &verified.records {
        if let Some(recorded) = proven.record.call()
            && (recorded.request_id != call.request_id || recorded.message_id != call.message_id)
        {
            say(format!("the bundle is of {} {}", recorded.request_id, recorded.message_id));
        }
        match &proven.record {
            Record::Opened(_) => opened += 1,
            Record::Closed(record) => {
                closed += 1;
                if record.outcome != Outcome::Answered {
                    say(format!("recorded as {:?}", record.outcome));
                }
                let status = record.response.as_ref().map(|r| r.status);
                if status != Some(call.status) {
                    say(format!("answered {}, recorded {status:?}", call.status));
                }
            }
            Record::Origin(_) => say("an origin in the bundle of a call".to_owned()),
        }
    }
    if closed != 1 {
        say(format!("{closed} closed records"));
    }
    if opened != usize::from(call.changes) {
        say(format!("{opened} opened records for a call that changes: {}", call.changes));
    }
    wrong
}

/// When nothing runs: the platform's own check of database, streams and logs, and every entry of the evidence log.
async fn at_rest(options: &Options, answered: &[Answered]) -> Result<Vec<String>> {
    let check = tokio::process::Command::new(&options.binary)
        .arg("check")
        .arg("--data")
        .arg(&options.data)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&check.stdout).into_owned() + &String::from_utf8_lossy(&check.stderr);
    ensure!(check.status.code().is_some(), "lienthong check was killed");
    let mut wrong = if check.status.success() { vec![] } else { vec![format!("lienthong check: {said}")] };
    match log::read_all(&options.data) {
        Ok(logs) => wrong.extend(count(&logs, answered)),
        Err(e) => wrong.push(format!("the evidence log: {e:#}")),
    }
    Ok(wrong)
}

/// Over all logs: each answered call has one closed record, none has two, opened ones are named by at most one.
fn count(logs: &[log::Log], answered: &[Answered]) -> Vec<String> {
    let mut wrong = vec![];
    if logs.is_empty() {
        wrong.push("there is no evidence log".to_owned());
    }
    let mut closed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut opened: BTreeMap<&str, usize> = BTreeMap::new();
    for record in logs.iter().flat_map(|l| &l.records) {
        match record {
            Record::Closed(record) => *closed.entry(&record.call.request_id).or_default() += 1,
            Record::Opened(record) => *opened.entry(&record.call.request_id).or_default() += 1,
            Record::Origin(_) => {}
        }
    }
    for (what, counts) in [("closed", &closed), ("opened", &opened)] {
        for (request_id, n) in counts.iter().filter(|(_, n)| **n > 1) {
            wrong.push(format!("request {request_id} has {n} {what} records"));
        }
    }
    for call in answered {
        if !closed.contains_key(call.request_id.as_str()) {
            wrong.push(format!("{}: answered, but no closed record in the log", call.message_id));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::{Body, Call, Closed, Request};

    fn closed(request_id: &str) -> Record {
        let call = Call {
            request_id: request_id.to_owned(),
            message_id: "m".to_owned(),
            client: "c".to_owned(),
            service: "s".to_owned(),
            agreement: None,
            snapshot: 1,
            consumer_auth: "oauth2".to_owned(),
            method: "GET".to_owned(),
            endpoint: None,
            request_in: 1,
            environment: None,
        };
        let request = Request { body: Body::None, size: 0 };
        Record::Closed(Closed {
            call,
            recorded: 2,
            request_out: None,
            response_in: None,
            request,
            response: None,
            outcome: Outcome::Refused,
            fault: None,
            filter: None,
            opened: None,
            commitments: evidence::Commitments::default(),
        })
    }

    #[test]
    fn a_lost_and_a_doubled_call_are_noticed() {
        let call = |id: &str| Answered {
            request_id: id.to_owned(),
            message_id: format!("message-{id}"),
            changes: false,
            status: 200,
        };
        let log = |ids: &[&str]| {
            vec![log::Log { name: "n".to_owned(), records: ids.iter().map(|id| closed(id)).collect() }]
        };
        assert!(count(&log(&["a", "b"]), &[call("a")]).is_empty());
        assert_eq!(
            count(&log(&["b"]), &[call("a")]),
            ["message-a: answered, but no closed record in the log"]
        );
        assert_eq!(count(&log(&["a", "a"]), &[call("a")]), ["request a has 2 closed records"]);
        assert_eq!(count(&[], &[]).len(), 1);
    }
}
