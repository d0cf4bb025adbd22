//! What leaves as an answer was durable before: the running program is watched from outside by `strace`. For every
//! answered call, the write that carries its record to the evidence stream and the fdatasync after it must both have
//! ended before the first byte of the answer's end was handed to the network.

use std::collections::HashMap;
use std::path::Path;

use scenarios::{Caller, Options, Platform};

/// One system call as strace wrote it down, in the order in which the calls ended.
struct Ended {
    name: String,
    file: String,
    data: String,
    ok: bool,
}

const CALLS: &str = "pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,fdatasync,fsync,sync_file_range";

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_leaves_before_its_evidence_is_on_disk() {
    let Some(strace) =
        scenarios::tools::tool("LIENTHONG_TEST_STRACE", "no_answer_leaves_before_its_evidence_is_on_disk")
    else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let mut options = Options::new(&scratch.path().join("data")).unwrap();
    let trace = scratch.path().join("trace");
    let wrapper = scratch.path().join("traced");
    write_wrapper(&wrapper, Path::new(&strace), &trace, &options.binary);
    options.binary = wrapper;
    options.patience = std::time::Duration::from_secs(120);
    let platform = Platform::start(options).await.unwrap();
    let caller = Caller::new(platform.contract()).await.unwrap();
    let mut ids = Vec::new();
    for n in 0..10 {
        let answer = caller.call(&format!("traced-{n}")).await.unwrap();
        assert!(answer.status.is_success(), "{answer:?}");
        ids.push(answer.request_id.expect("every relayed answer names its request"));
    }
    let pid: i32 = std::fs::read_to_string(platform.data().join("lock")).unwrap().trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    drop(platform);

    let text = std::fs::read_to_string(&trace).unwrap();
    let calls = ended(&text);
    assert!(calls.iter().any(|c| c.name == "fdatasync" && c.ok), "strace saw the program at work");
    for id in &ids {
        check(&calls, id);
    }
}

/// The record's write, then a sync of the same file, then the answer.
fn check(calls: &[Ended], id: &str) {
    let answer = calls
        .iter()
        .position(|c| c.is_network() && c.data.contains(id) && c.data.contains("x-road-request-hash"))
        .unwrap_or_else(|| panic!("the answer {id} was sent"));
    let record = calls
        .iter()
        .position(|c| c.name.starts_with("pwrite") && c.file.contains("/evidence/") && c.data.contains(id))
        .unwrap_or_else(|| panic!("the record of {id} was written"));
    let file = &calls[record].file;
    let synced = calls[record..]
        .iter()
        .position(|c| matches!(c.name.as_str(), "fdatasync" | "fsync") && c.file == *file && c.ok)
        .map(|n| n + record)
        .unwrap_or_else(|| panic!("the record of {id} was synced"));
    assert!(record < synced && synced < answer, "{id}: written {record}, synced {synced}, answered {answer}");
}

impl Ended {
    fn is_network(&self) -> bool {
        matches!(self.name.as_str(), "write" | "writev" | "sendto" | "sendmsg")
            && self.file.starts_with("socket:")
    }
}

/// The calls of a trace in the order in which they ended. A line reads `12 pwrite64(7</path>, "data", 512, 0) = 512`;
/// a call that another thread interrupted comes in two halves and counts where the second one stands.
fn ended(trace: &str) -> Vec<Ended> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(first) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, first);
        } else if let Some(second) = rest.strip_prefix("<... ").and_then(|r| r.split_once(" resumed>")) {
            let first = begun.remove(thread).unwrap_or_default();
            calls.extend(parse(&format!("{first}{}", second.1)));
        } else {
            calls.extend(parse(rest));
        }
    }
    calls
}

fn parse(call: &str) -> Option<Ended> {
    let (name, arguments) = call.split_once('(')?;
    let file = arguments.split_once('<').and_then(|(_, f)| f.split_once('>')).map_or("", |(f, _)| f);
    let ok = arguments.rsplit_once("= ").is_some_and(|(_, r)| !r.starts_with('-'));
    Some(Ended { name: name.to_owned(), file: file.to_owned(), data: arguments.to_owned(), ok })
}

fn write_wrapper(wrapper: &Path, strace: &Path, trace: &Path, binary: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let (strace, trace, binary) = (strace.display(), trace.display(), binary.display());
    let script = format!(
        "#!/bin/sh\nexec {strace} -f -qq -y -s 1000000 -e trace={CALLS} -o {trace} {binary} \"$@\"\n"
    );
    std::fs::write(wrapper, script).unwrap();
    std::fs::set_permissions(wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
}
