//! `bench start`: how long a fresh demonstration takes until it is ready, and what it holds in memory at rest.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use kernel::clock::Stopwatch;

const PATIENCE: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(10);

/// Starts this program's demonstration on a scratch directory and measures it.
pub fn start() -> anyhow::Result<ExitCode> {
    let scratch = std::env::temp_dir().join(format!("lienthong-bench-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let outcome = measure(&scratch);
    std::fs::remove_dir_all(&scratch)?;
    outcome.map(|()| ExitCode::SUCCESS)
}

fn measure(scratch: &std::path::Path) -> anyhow::Result<()> {
    for round in ["first start (empty directory)", "second start (data kept)"] {
        let listen: SocketAddr = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let watch = Stopwatch::start();
        let mut child = Command::new(std::env::current_exe()?)
            .arg("demo")
            .arg("--data")
            .arg(scratch.join("data"))
            .args(["--listen", &listen.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .context("the demonstration cannot be started")?;
        let ready = wait_ready(listen, &watch);
        let measured = ready.and_then(|ready| {
            std::thread::sleep(REST);
            Ok((ready, resident_kib(child.id())?))
        });
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        child.wait()?;
        let (ready, kib) = measured?;
        println!(
            "{round}: ready after {:.2} s, {:.1} MiB resident at rest",
            ready.as_secs_f64(),
            kib as f64 / 1024.0
        );
    }
    Ok(())
}

fn wait_ready(listen: SocketAddr, watch: &Stopwatch) -> anyhow::Result<Duration> {
    use std::io::{Read, Write};
    while watch.elapsed() < PATIENCE {
        if let Ok(mut stream) = std::net::TcpStream::connect(listen) {
            let request = format!("GET /readyz HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n");
            let mut answer = String::new();
            let read = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
            if read.is_ok() && answer.starts_with("HTTP/1.1 200") {
                return Ok(watch.elapsed());
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("not ready within {} s", PATIENCE.as_secs())
}

fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
