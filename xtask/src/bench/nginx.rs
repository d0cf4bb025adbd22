//! nginx with a committed configuration: as the upstream that both proxies share, and as the plain proxy beside
//! the gateway.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const PROXY: &str = include_str!("../../bench/nginx.conf.in");
const UPSTREAM: &str = include_str!("../../bench/upstream.conf.in");

/// A running nginx (master and one worker). Dropping it kills the master; the worker follows.
pub struct Nginx {
    child: Child,
    /// Where it listens.
    pub addr: SocketAddr,
}

/// Where nginx is.
///
/// # Errors
/// When it is not installed.
pub fn find() -> Result<PathBuf> {
    let named = std::env::var_os("LIENTHONG_TEST_NGINX").map(PathBuf::from);
    let usual = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from);
    named
        .into_iter()
        .chain(usual)
        .find(|p| p.is_file())
        .context("nginx is not installed (apt-get install nginx-light)")
}

impl Nginx {
    /// The upstream: one kilobyte of text for whatever is asked, no log.
    ///
    /// # Errors
    /// When nginx does not start.
    pub async fn upstream(scratch: &Path, core: usize) -> Result<Self> {
        let folder = scratch.join("upstream");
        std::fs::create_dir_all(folder.join("www"))?;
        std::fs::write(folder.join("www/1k"), "x".repeat(1_024))?;
        Self::start(&folder, UPSTREAM, core, None).await
    }

    /// The plain proxy: forwards everything to `upstream`, keeps connections, writes an access log.
    ///
    /// # Errors
    /// When nginx does not start.
    pub async fn proxy(scratch: &Path, core: usize, upstream: SocketAddr) -> Result<Self> {
        let folder = scratch.join("proxy");
        std::fs::create_dir_all(&folder)?;
        Self::start(&folder, PROXY, core, Some(upstream)).await
    }

    /// Its master process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("nginx has ended")
    }

    async fn start(folder: &Path, template: &str, core: usize, upstream: Option<SocketAddr>) -> Result<Self> {
        let addr = scenarios::platform::free_port()?;
        let text = template
            .replace("@DIR@", &folder.to_string_lossy())
            .replace("@LISTEN@", &addr.to_string())
            .replace("@UPSTREAM@", &upstream.map(|u| u.to_string()).unwrap_or_default());
        let configuration = folder.join("nginx.conf");
        std::fs::write(&configuration, text)?;
        let mut child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(find()?)
            .args(["-e", "stderr", "-p"])
            .arg(folder)
            .arg("-c")
            .arg(&configuration)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("taskset or nginx cannot be run")?;
        for _ in 0..200 {
            if TcpStream::connect(addr).await.is_ok() {
                return Ok(Self { child, addr });
            }
            if let Some(status) = child.try_wait()? {
                bail!("nginx ended with {status}; its configuration is {}", configuration.display());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("nginx does not listen on {addr}")
    }
}

impl Drop for Nginx {
    /// Asks the master to end at once: killed, it would leave its worker behind.
    fn drop(&mut self) {
        let pid =
            self.child.id().and_then(|p| i32::try_from(p).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid
            && rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok()
        {
            for _ in 0..100 {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
