//! One running `lienthong demo`: started on a data directory, waited for until ready, stopped politely or killed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base::clock::Stopwatch;
use tokio::process::{Child, Command};

use crate::contract::Contract;
use crate::tools;

/// How to start it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program.
    pub binary: PathBuf,
    /// `--data`.
    pub data: PathBuf,
    /// `--listen`; `None` picks a free port of the loopback interface.
    pub listen: Option<SocketAddr>,
    /// Further arguments after `demo`.
    pub arguments: Vec<String>,
    /// Variables of its environment, which override settings (`LIENTHONG_<SECTION>__<KEY>`).
    pub environment: Vec<(String, String)>,
    /// Run on this core only (`taskset`).
    pub core: Option<usize>,
    /// How long it may take until ready.
    pub patience: Duration,
}

impl Options {
    /// The built program on this data directory, a free port, a minute of patience.
    ///
    /// # Errors
    /// When the program is not built.
    pub fn new(data: &Path) -> Result<Self> {
        Ok(Self {
            binary: tools::lienthong()?,
            data: data.to_owned(),
            listen: None,
            arguments: vec![],
            environment: vec![],
            core: None,
            patience: Duration::from_secs(60),
        })
    }
}

/// A running demonstration. Dropping it kills it.
#[derive(Debug)]
pub struct Platform {
    child: Child,
    options: Options,
    contract: Contract,
    ready_after: Duration,
}

/// A free port of the loopback interface. Another process may take it before it is used; starting then fails.
///
/// # Errors
/// When the machine has none.
pub fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Platform {
    /// Starts it and waits until `/readyz` answers 200 and the contract is there.
    ///
    /// # Errors
    /// When it ends, or is not ready in time; the message carries the end of its output.
    pub async fn start(options: Options) -> Result<Self> {
        let listen = options.listen.map_or_else(free_port, Ok)?;
        std::fs::create_dir_all(&options.data)?;
        let log_path = log_path(&options.data);
        let log = std::fs::File::create(&log_path)?;
        let mut command = match options.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(&options.binary);
                command
            }
            None => Command::new(&options.binary),
        };
        command
            .arg("demo")
            .arg("--data")
            .arg(&options.data)
            .args(["--listen", &listen.to_string()])
            .args(&options.arguments)
            .envs(options.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let watch = Stopwatch::start();
        let child = command.spawn().with_context(|| format!("{} cannot be run", options.binary.display()))?;
        let mut starting = Starting { child, log_path };
        let contract = starting.wait(listen, &options, watch).await?;
        Ok(Self { child: starting.child, options, contract, ready_after: watch.elapsed() })
    }

    /// Its contract.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.options.data
    }

    /// The program it runs.
    pub fn binary(&self) -> &Path {
        &self.options.binary
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the demonstration has ended")
    }

    /// From start of the process to ready.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(log_path(&self.options.data)).unwrap_or_default()
    }

    /// Ends it as a power cut ends a process: no signal handler, no farewell.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("the demonstration could not be killed")
    }

    /// Asks it to end and waits up to 20 s.
    ///
    /// # Errors
    /// When it does not end in time or ends badly.
    pub async fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.pid()?).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.context("a process number that is none")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let ended = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        let status = ended.context("the demonstration did not end within 20 s of being asked")??;
        anyhow::ensure!(status.success(), "the demonstration ended with {status}:\n{}", tail(&self.output()));
        Ok(())
    }
}

/// Beside the data directory, not in it: a backup or a check of the directory must not see it.
fn log_path(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".output.log");
    data.with_file_name(name)
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

struct Starting {
    child: Child,
    log_path: PathBuf,
}

impl Starting {
    async fn wait(&mut self, listen: SocketAddr, options: &Options, watch: Stopwatch) -> Result<Contract> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
        let ready = format!("http://{listen}/readyz");
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the demonstration ended with {status}:\n{}", self.output());
            }
            if watch.elapsed() > options.patience {
                bail!("not ready after {:?}:\n{}", options.patience, self.output());
            }
            let answer = http.get(&ready).send().await;
            if answer.is_ok_and(|a| a.status().is_success()) && options.data.join("demo.json").is_file() {
                return Contract::read(&options.data);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn output(&self) -> String {
        tail(&std::fs::read_to_string(&self.log_path).unwrap_or_default())
    }
}
