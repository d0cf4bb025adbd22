//! A child process appends under load, says what was acknowledged, and is killed without warning.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use stream::{RealDisk, Stream};

use crate::{id_of, options, payload, records};

const DIR: &str = "STREAM_TEST_CHILD_DIR";

fn open(dir: &str) -> (Stream, stream::Recovered) {
    let mut options = options();
    options.segment_bytes = 32 << 10;
    Stream::open(Arc::new(RealDisk), dir, options).unwrap()
}

/// Not a test of its own: the child's work.
#[test]
#[ignore = "run by the test below"]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let (stream, recovered) = open(&dir);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let stream = stream.clone();
            std::thread::spawn(move || {
                for i in 0.. {
                    let id = recovered.next as u32 * 7 + thread * 1_000_000 + i;
                    let position = stream.append_blocking(payload(id, (i % 700) as usize)).unwrap();
                    let line = format!("ack {position} {id}\n");
                    std::io::stderr().write_all(line.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn what_a_killed_process_acknowledged_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..5u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--ignored", "--nocapture"])
            .env(DIR, path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            let acks = lines.map_while(Result::ok).filter_map(|line| {
                let mut parts = line.strip_prefix("ack ")?.split(' ');
                Some((parts.next()?.parse::<u64>().ok()?, parts.next()?.parse::<u32>().ok()?))
            });
            acks.collect::<Vec<_>>()
        });
        std::thread::sleep(Duration::from_millis(150 + 37 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let acks = reader.join().unwrap();
        assert!(!acks.is_empty(), "the child worked");
        acknowledged.extend(acks);

        let (stream, _) = open(path);
        let found = records(&stream, 0);
        for (position, id) in &acknowledged {
            let record = found.get(*position as usize).expect("acknowledged and gone");
            assert_eq!(id_of(&record.1), *id);
        }
    }
}
