//! The examination: one step after the other, as a call goes, until one fails; then the verdict.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::clock::{Stopwatch, Timestamp};
use tokio::net::TcpStream;

use super::clock::{Judged, judge, ours_by_others};
use super::http::{self, Wire};
use super::report::{Found, Report, Stage, Step, StepState, Tried};
use super::{Fault, Parts, names, secure};
use crate::openapi::Document;
use crate::service::BaseUrl;

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// Other providers asked for the time.
const MOST_WITNESSES: usize = 4;
/// Time for one of them, all of it.
const WITNESS_PATIENCE: Duration = Duration::from_secs(4);
/// Longest wait for the first byte of an answer, whatever the service's own limit.
const MOST_PATIENCE: Duration = Duration::from_secs(30);

/// What is examined.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its base address, from the registry.
    pub url: BaseUrl,
    /// The path below it that tells of its health, if its document has one.
    pub health: Option<String>,
    /// Time it has to begin its answer.
    pub timeout: Duration,
    /// Addresses of other providers of the registry, who may be asked for the time.
    pub others: Vec<BaseUrl>,
}

/// The report as far as it has come, for whoever watches.
pub type Progress = Arc<Mutex<Report>>;

/// The path of an operation that tells of the service's health: a `GET` without parameters, named as is usual.
pub fn health_path(document: &Document) -> Option<String> {
    const NAMES: [&str; 8] = ["health", "healthz", "readyz", "ready", "livez", "live", "ping", "status"];
    let is_health = |template: &str| {
        let last = template.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        !template.contains('{') && NAMES.contains(&last.as_str())
    };
    let gets = document.operations.iter().filter(|o| o.route.method.as_str() == "GET");
    gets.map(|o| &o.template).find(|t| is_health(t)).cloned()
}

pub(super) fn micros(took: Duration) -> i64 {
    i64::try_from(took.as_micros()).unwrap_or(i64::MAX)
}

/// Examines a provider; `progress` is written after every step.
pub async fn examine(parts: &Parts, target: &Target, at: Timestamp, progress: &Progress) -> Report {
    let mut run =
        Walk { parts, target, report: Report::new(target.url.to_string(), at), progress, ahead: None };
    run.walk().await;
    run.report
}

struct Walk<'a> {
    parts: &'a Parts,
    target: &'a Target,
    report: Report,
    progress: &'a Progress,
    ahead: Option<i64>,
}

impl Walk<'_> {
    /// Writes a step down. The first fault is the verdict.
    fn took(&mut self, stage: Stage, watch: &Stopwatch, found: Found, fault: Option<Fault>) {
        let state = match &fault {
            None => StepState::Good,
            Some(fault) if fault.is_warning() => StepState::Warning,
            Some(_) => StepState::Bad,
        };
        self.report.steps.push(Step { stage, state, took: micros(watch.elapsed()), found });
        if self.report.fault.as_ref().is_none_or(|known| known.is_warning()) && fault.is_some() {
            self.report.fault = fault;
        }
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.report);
    }

    async fn walk(&mut self) {
        let (host, port) = self.target.url.host_and_port();
        let Some(addresses) = self.name(host, port).await else { return };
        let Some(tcp) = self.connect(&addresses).await else { return };
        if self.target.url.is_https() {
            match self.secure(host, tcp).await {
                Some(mut tls) => self.http(&mut *tls).await,
                // A clock that is wrong here makes good certificates look bad.
                None => return self.own_clock().await,
            }
        } else {
            let mut tcp = tcp;
            self.http(&mut tcp).await;
        }
        self.clock().await;
    }

    async fn name(&mut self, host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let watch = Stopwatch::start();
        let looked = names::look_up(host, port, &self.parts.name_servers, &*self.parts.random).await;
        let found = Found::Name {
            host: host.to_owned(),
            addresses: looked.addresses.iter().map(|a| a.ip().to_string()).collect(),
            servers: looked.servers,
        };
        let failed = looked.fault.is_some();
        self.took(Stage::Name, &watch, found, looked.fault);
        (!failed).then_some(looked.addresses)
    }

    async fn connect(&mut self, addresses: &[SocketAddr]) -> Option<TcpStream> {
        let (watch, mut tried, mut fault) = (Stopwatch::start(), Vec::new(), None);
        for address in addresses.iter().take(MOST_ADDRESSES) {
            match self.one(*address).await {
                Ok(tcp) => {
                    tried.push(Tried { address: address.to_string(), error: None });
                    self.took(Stage::Connection, &watch, Found::Connection { tried }, None);
                    return Some(tcp);
                }
                Err((error, why)) => {
                    tried.push(Tried { address: address.to_string(), error: Some(error) });
                    // Of several addresses the one that refuses tells most.
                    if fault.is_none() || matches!(why, Fault::Refused { .. }) {
                        fault = Some(why);
                    }
                }
            }
        }
        self.took(Stage::Connection, &watch, Found::Connection { tried }, fault);
        None
    }

    async fn one(&self, at: SocketAddr) -> Result<TcpStream, (String, Fault)> {
        let (patience, address) = (self.parts.connect, at.to_string());
        let filtered = || Fault::Filtered { address: address.clone(), seconds: patience.as_secs().max(1) };
        match tokio::time::timeout(patience, TcpStream::connect(at)).await {
            Ok(Ok(tcp)) => Ok(tcp),
            Err(_) => Err(("timeout".into(), filtered())),
            Ok(Err(e)) => Err((
                e.to_string(),
                match e.kind() {
                    std::io::ErrorKind::ConnectionRefused => Fault::Refused { address: address.clone() },
                    std::io::ErrorKind::TimedOut => filtered(),
                    _ => Fault::NoRoute { address: address.clone() },
                },
            )),
        }
    }

    async fn secure(&mut self, host: &str, tcp: TcpStream) -> Option<Box<dyn Wire>> {
        let watch = Stopwatch::start();
        let shaken =
            secure::shake(&self.parts.roots, host, tcp, self.parts.connect, &*self.parts.clock).await;
        self.took(Stage::Tls, &watch, shaken.found, shaken.fault);
        Some(shaken.stream? as Box<dyn Wire>)
    }

    async fn http(&mut self, wire: &mut dyn Wire) {
        let (watch, target) = (Stopwatch::start(), self.target);
        let path = path(&target.url, target.health.as_deref());
        let patience = target.timeout.min(MOST_PATIENCE);
        let seen = http::ask(wire, target.url.authority(), &path, patience, &*self.parts.clock).await;
        let limit = self.parts.settings.slow_ms;
        let took_ms = seen.first_byte.map(|t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX));
        let fault = seen.fault.or(match (seen.status, took_ms) {
            (Some(status @ 502..=504), _) => Some(Fault::Unavailable { status }),
            (Some(status @ 500..), _) if target.health.is_some() => Some(Fault::Unhealthy { status }),
            (_, Some(took_ms)) if took_ms > limit => Some(Fault::Slow { took_ms, limit_ms: limit }),
            _ => None,
        });
        let found = Found::Http {
            asked: format!("GET {path}"),
            status: seen.status,
            first_byte: seen.first_byte.map(micros),
            framing: seen.framing.map(ToOwned::to_owned),
        };
        self.ahead = seen.ahead;
        self.took(Stage::Http, &watch, found, fault);
    }

    /// Compares the clocks, with witnesses if they differ.
    async fn clock(&mut self) {
        if self.report.step(Stage::Http).is_none_or(|http| http.state == StepState::Bad) {
            return;
        }
        let watch = Stopwatch::start();
        let tolerated = i64::from(self.parts.settings.clock_seconds);
        let Some(ahead) = self.ahead else {
            return self.took(Stage::Clock, &watch, Found::Clock { ahead: None, others: Vec::new() }, None);
        };
        let others = if ahead.abs() > tolerated { self.witnesses().await } else { Vec::new() };
        let seconds: Vec<i64> = others.iter().map(|(_, s)| *s).collect();
        let fault = judge(ahead, &seconds, tolerated).map(|judged| match judged {
            Judged::Theirs => Fault::ProviderClock { seconds: ahead },
            Judged::Unclear => Fault::ClocksDiffer { seconds: ahead },
            Judged::Ours => {
                let agree = seconds.iter().filter(|s| (**s - ahead).abs() <= tolerated).count() + 1;
                Fault::OurClock { seconds: -ahead, providers: i64::try_from(agree).unwrap_or(i64::MAX) }
            }
        });
        self.took(Stage::Clock, &watch, Found::Clock { ahead: Some(ahead), others }, fault);
    }

    /// After a certificate that is over or not yet valid: is it this machine's clock?
    async fn own_clock(&mut self) {
        let doubtful = matches!(
            self.report.fault,
            Some(Fault::CertificateExpired { .. } | Fault::CertificateNotYet { .. })
        );
        if !doubtful {
            return;
        }
        let watch = Stopwatch::start();
        let others = self.witnesses().await;
        let seconds: Vec<i64> = others.iter().map(|(_, s)| *s).collect();
        let behind = ours_by_others(&seconds, i64::from(self.parts.settings.clock_seconds));
        let fault = behind.map(|behind| Fault::OurClock {
            seconds: -behind,
            providers: i64::try_from(seconds.len()).unwrap_or(i64::MAX),
        });
        if fault.is_some() {
            self.report.fault = None;
        }
        self.took(Stage::Clock, &watch, Found::Clock { ahead: None, others }, fault);
    }

    /// What other providers say of the time, each asked once.
    async fn witnesses(&self) -> Vec<(String, i64)> {
        let own = self.target.url.authority();
        let mut asked: Vec<&BaseUrl> = Vec::new();
        for other in &self.target.others {
            let known = other.authority() == own || asked.iter().any(|a| a.authority() == other.authority());
            if !known && asked.len() < MOST_WITNESSES {
                asked.push(other);
            }
        }
        let asking = asked.iter().map(|url| async move {
            let said = tokio::time::timeout(WITNESS_PATIENCE, self.witness(url)).await.ok().flatten();
            said.map(|ahead| (url.authority().to_owned(), ahead))
        });
        futures_util::future::join_all(asking).await.into_iter().flatten().collect()
    }

    async fn witness(&self, url: &BaseUrl) -> Option<i64> {
        let (host, port) = url.host_and_port();
        let address = *names::look_up(host, port, &[], &*self.parts.random).await.addresses.first()?;
        let mut tcp = TcpStream::connect(address).await.ok()?;
        let (clock, path) = (&*self.parts.clock, path(url, None));
        let seen = if url.is_https() {
            let shaken = secure::shake(&self.parts.roots, host, tcp, WITNESS_PATIENCE, clock).await;
            http::ask(&mut *shaken.stream?, url.authority(), &path, WITNESS_PATIENCE, clock).await
        } else {
            http::ask(&mut tcp, url.authority(), &path, WITNESS_PATIENCE, clock).await
        };
        seen.ahead
    }
}

/// The path of a base address, with that of the health below it.
fn path(url: &BaseUrl, health: Option<&str>) -> String {
    match (health, url.path()) {
        (Some(health), base) => format!("{base}{health}"),
        (None, "") => "/".to_owned(),
        (None, base) => base.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_stands_below_the_base_address() {
        let url = |s: &str| s.parse::<BaseUrl>().unwrap();
        assert_eq!(path(&url("http://a.example"), None), "/");
        assert_eq!(path(&url("http://a.example:81/x/y"), None), "/x/y");
        assert_eq!(path(&url("http://a.example/x"), Some("/health")), "/x/health");
    }

    #[test]
    fn a_health_address_is_a_plain_get() {
        let document = |paths: &str| {
            let text =
                format!(r#"{{"openapi":"3.1.0","info":{{"title":"x","version":"1"}},"paths":{{{paths}}}}}"#);
            health_path(&crate::openapi::read(text.as_bytes()).unwrap())
        };
        let op = r#"{"responses":{}}"#;
        let get = |path: &str| format!(r#""{path}":{{"get":{op}}}"#);
        assert_eq!(document(&[get("/a"), get("/sys/health")].join(",")).as_deref(), Some("/sys/health"));
        assert_eq!(document(&get("/{id}/status")), None);
        assert_eq!(document(&format!(r#""/status":{{"post":{op}}}"#)), None);
    }
}
