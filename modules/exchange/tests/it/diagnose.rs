//! Each deliberate fault, made with real sockets, is named with the side that has to mend it. The table of what is
//! expected is [`TABLE`]; every line of it is made by [`Broken::make`].

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base::clock::{Clock, MovableClock, SystemClock};
use base::i18n::Lang;
use base::random::SystemRandom;
use exchange::diagnose::{Fault, Found, Parts, Report, Settings, Side, Stage, StepState, Target, examine};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::gateway_tls::{certificate_for, server};

const LONG: &str = "20991231235959Z";
const HOST: [u8; 4] = [127, 0, 0, 1];

/// A fault, and what is to be said of it.
const TABLE: &[(&str, &str, Side)] = &[
    ("well", "", Side::Unclear),
    ("wrong-name", "unknown-name", Side::Provider),
    ("name-servers-silent", "name-servers", Side::Platform),
    ("dead-address", "refused", Side::Provider),
    ("port-filtered", "filtered", Side::Line),
    ("certificate-expired", "certificate-expired", Side::Provider),
    ("certificate-of-another", "certificate-name", Side::Provider),
    ("certificate-untrusted", "certificate-untrusted", Side::Provider),
    ("https-without-tls", "no-tls", Side::Provider),
    ("http-with-tls", "speaks-tls", Side::Platform),
    ("not-http", "garbage", Side::Provider),
    ("cut-off", "broken", Side::Provider),
    ("silent", "silent", Side::Provider),
    ("slow", "slow", Side::Provider),
    ("unavailable", "unavailable", Side::Provider),
    ("unhealthy", "unhealthy", Side::Provider),
    ("provider-clock", "provider-clock", Side::Provider),
    ("our-clock", "our-clock", Side::Platform),
    ("our-clock-and-certificate", "our-clock", Side::Platform),
    ("clocks-alone", "clocks-differ", Side::Unclear),
];

/// What lives as long as an examination.
struct Broken {
    parts: Parts,
    target: Target,
    _held: Vec<TcpStream>,
    _listener: Option<TcpListener>,
    _dns: Option<UdpSocket>,
}

pub(crate) fn parts(clock: Arc<dyn Clock>) -> Parts {
    Parts {
        settings: Settings::default(),
        roots: Arc::new(RootCertStore::empty()),
        name_servers: vec![],
        clock,
        random: Arc::new(SystemRandom),
        connect: Duration::from_secs(5),
    }
}

fn target(url: impl AsRef<str>) -> Target {
    Target {
        url: url.as_ref().parse().unwrap(),
        health: None,
        timeout: Duration::from_secs(20),
        others: vec![],
    }
}

fn trusting(certificate: &CertificateDer<'static>) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    Arc::new(roots)
}

/// Answers every request with this text; `{date}` in it is the time, `ahead` seconds later.
async fn saying(text: &'static str, ahead: i64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                let _ = tcp.read(&mut asked).await;
                let _ = tcp.write_all(text.replace("{date}", &date(ahead)).as_bytes()).await;
            });
        }
    });
    at
}

/// What a provider's own clock says, seconds ahead of ours.
fn date(ahead: i64) -> String {
    let micros = u64::try_from(SystemClock.now().micros()).unwrap();
    let (now, by) = (Duration::from_micros(micros), Duration::from_secs(ahead.unsigned_abs()));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + if ahead < 0 { now - by } else { now + by })
}

const OK: &str = "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\n\r\nok";

/// A TLS server that answers as [`saying`] does.
async fn secured(address: [u8; 4], until: &str) -> (SocketAddr, CertificateDer<'static>, Arc<AtomicUsize>) {
    let (certificate, key) = certificate_for(address, until);
    let acceptor = TlsAcceptor::from(server(&certificate, &key));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, count) = (acceptor.clone(), count.clone());
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                let mut bytes = [0; 4096];
                let n = tls.read(&mut bytes).await.unwrap_or(0);
                count.fetch_add(n, Ordering::SeqCst);
                let _ = tls.write_all(OK.replace("{date}", &date(0)).as_bytes()).await;
                let _ = tls.shutdown().await;
            });
        }
    });
    (at, certificate, asked)
}

/// A name server that knows no name, or says nothing at all.
async fn name_server(speaks: bool) -> (SocketAddr, Option<UdpSocket>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    if !speaks {
        return (at, Some(socket));
    }
    tokio::spawn(async move {
        let mut bytes = [0; 512];
        while let Ok((n, from)) = socket.recv_from(&mut bytes).await {
            let mut answer = bytes[..n].to_vec();
            (answer[2], answer[3]) = (0x81, 0x83);
            let _ = socket.send_to(&answer, from).await;
        }
    });
    (at, None)
}

/// An address at which nothing listens any more.
async fn dead() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// An address whose queue is full: the kernel drops what comes, as a firewall does.
async fn full() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let at = socket.local_addr().unwrap();
    let listener = socket.listen(1).unwrap();
    let mut held = Vec::new();
    loop {
        assert!(held.len() < 64, "the queue of this machine never fills");
        match tokio::time::timeout(Duration::from_millis(700), TcpStream::connect(at)).await {
            Ok(Ok(tcp)) => held.push(tcp),
            _ => break,
        }
    }
    (at, listener, held)
}

impl Broken {
    fn new(parts: Parts, target: Target) -> Self {
        Self { parts, target, _held: vec![], _listener: None, _dns: None }
    }

    async fn make(fault: &str) -> Self {
        let mut parts = parts(Arc::new(SystemClock));
        let plain = |at: SocketAddr| target(format!("http://{at}"));
        let secure = |at: SocketAddr| target(format!("https://{at}"));
        match fault {
            "well" => Self::new(parts, plain(saying(OK, 0).await)),
            "wrong-name" | "name-servers-silent" => {
                let (at, dns) = name_server(fault == "wrong-name").await;
                parts.name_servers = vec![at];
                Self { _dns: dns, ..Self::new(parts, target("http://csdl.khong-co.invalid")) }
            }
            "dead-address" => {
                let port = dead().await.port();
                Self::new(parts, target(format!("http://localhost:{port}")))
            }
            "port-filtered" => {
                let (at, listener, held) = full().await;
                parts.connect = Duration::from_millis(1_500);
                Self { _held: held, _listener: Some(listener), ..Self::new(parts, plain(at)) }
            }
            "certificate-expired" => {
                let (at, certificate, _) = secured(HOST, "20200201000000Z").await;
                parts.roots = trusting(&certificate);
                Self::new(parts, secure(at))
            }
            "certificate-of-another" => {
                let (at, certificate, _) = secured([10, 0, 0, 9], LONG).await;
                parts.roots = trusting(&certificate);
                Self::new(parts, secure(at))
            }
            "certificate-untrusted" => Self::new(parts, secure(secured(HOST, LONG).await.0)),
            "https-without-tls" => Self::new(parts, secure(saying(OK, 0).await)),
            "http-with-tls" => Self::new(parts, plain(secured(HOST, LONG).await.0)),
            "not-http" => Self::new(parts, plain(saying("220 mail.example ESMTP\r\n", 0).await)),
            "cut-off" => {
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nok";
                Self::new(parts, plain(saying(answer, 0).await))
            }
            "silent" => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let at = listener.local_addr().unwrap();
                tokio::spawn(async move {
                    let mut held = Vec::new();
                    while let Ok((tcp, _)) = listener.accept().await {
                        held.push(tcp);
                    }
                });
                Self::new(parts, Target { timeout: Duration::from_secs(1), ..plain(at) })
            }
            "slow" => {
                parts.settings.slow_ms = 10;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let at = listener.local_addr().unwrap();
                tokio::spawn(async move {
                    let (mut tcp, _) = listener.accept().await.unwrap();
                    let mut asked = [0; 4096];
                    let _ = tcp.read(&mut asked).await;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    tcp.write_all(OK.replace("{date}", &date(0)).as_bytes()).await.unwrap();
                });
                Self::new(parts, plain(at))
            }
            "unavailable" => {
                let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
                Self::new(parts, plain(saying(answer, 0).await))
            }
            "unhealthy" => {
                let answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
                let at = saying(answer, 0).await;
                Self::new(parts, Target { health: Some("/health".into()), ..plain(at) })
            }
            "provider-clock" => {
                let mut target = plain(saying(OK, 3_600).await);
                for _ in 0..2 {
                    target.others.push(format!("http://{}", saying(OK, 0).await).parse().unwrap());
                }
                Self::new(parts, target)
            }
            "our-clock" | "our-clock-and-certificate" => {
                let clock = MovableClock::new();
                clock.advance(Duration::from_secs(3_600));
                parts.clock = Arc::new(clock);
                let mut target = match fault {
                    "our-clock" => plain(saying(OK, 0).await),
                    // As it looks to a machine whose clock has run ahead.
                    _ => {
                        let (at, certificate, _) = secured(HOST, "20200201000000Z").await;
                        parts.roots = trusting(&certificate);
                        secure(at)
                    }
                };
                for _ in 0..3 {
                    target.others.push(format!("http://{}", saying(OK, 0).await).parse().unwrap());
                }
                Self::new(parts, target)
            }
            "clocks-alone" => Self::new(parts, plain(saying(OK, -3_600).await)),
            other => panic!("{other} is not made"),
        }
    }

    async fn examine(&self) -> Report {
        let at = self.parts.clock.now();
        let progress = Arc::new(Mutex::new(Report::new(String::new(), at)));
        let report = examine(&self.parts, &self.target, at, &progress).await;
        assert_eq!(*progress.lock().unwrap(), report, "who watches sees all of it");
        report
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_deliberate_fault_is_named_with_its_side() {
    let all = TABLE.iter().map(|(made, named, side)| async move {
        let report = Broken::make(made).await.examine().await;
        let found = report.fault.as_ref().map(Fault::name).unwrap_or_default();
        assert_eq!(found, *named, "{made}: {report:#?}");
        let plain = report.plain(Lang::Vi);
        if let Some(fault) = &report.fault {
            assert_eq!(fault.side(), *side, "{made}");
            for l in Lang::ALL {
                assert!(fault.verdict(l).starts_with(fault.side().label(l)), "{made}");
                assert!(!fault.next_step(l).is_empty());
            }
            assert!(plain.contains(&fault.text(Lang::Vi)) && plain.contains(fault.next_step(Lang::Vi)));
        }
        assert!(plain.contains(report.address.as_str()), "{plain}");
        // What is stored is what was seen.
        let stored = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&stored).unwrap(), report);
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn the_verdict_says_what_the_vendor_needs() {
    let says = async |fault: &str, l: Lang| {
        Broken::make(fault).await.examine().await.fault.map(|f| f.verdict(l)).unwrap_or_default()
    };
    let expired = says("certificate-expired", Lang::Vi).await;
    assert_eq!(expired, "Bên cung cấp: chứng thư máy chủ (CN=test) hết hạn từ 01/02/2020 07:00.");
    let other = says("certificate-of-another", Lang::En).await;
    assert_eq!(other, "Provider: the server's certificate is for 10.0.0.9, not for 127.0.0.1.");
    let ours = says("our-clock", Lang::Vi).await;
    assert_eq!(
        ours,
        "Nền tảng: đồng hồ máy chạy trục sai 1 giờ 0 phút (nhanh); 4 hệ thống cung cấp cùng chỉ một giờ khác."
    );
}

#[tokio::test]
async fn a_provider_that_is_not_trusted_is_sent_nothing() {
    let (at, certificate, asked) = secured(HOST, LONG).await;
    let mut parts = parts(Arc::new(SystemClock));
    let broken = Broken::new(parts.clone(), target(format!("https://{at}")));
    let report = broken.examine().await;
    let step = report.step(Stage::Tls).unwrap();
    assert_eq!(step.state, StepState::Bad);
    let Found::Tls { version, chain, trusted, .. } = &step.found else { panic!("{step:?}") };
    assert_eq!((version.as_deref(), chain.len(), *trusted), (Some("TLSv1_3"), 1, false));
    assert!(report.step(Stage::Http).is_none());
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    parts.roots = trusting(&certificate);
    let report = Broken::new(parts, target(format!("https://{at}"))).examine().await;
    assert_eq!(report.fault, None, "{report:#?}");
    assert!(asked.load(Ordering::SeqCst) > 0, "the counter counts");
    assert_eq!(report.steps.len(), 5);
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away: &'static str = Box::leak(
        format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n",
            trap.local_addr().unwrap()
        )
        .into_boxed_str(),
    );
    let at = saying(away, 0).await;
    let report = Broken::new(parts(Arc::new(SystemClock)), target(format!("http://{at}/a"))).examine().await;
    assert_eq!(report.fault, None);
    let Some(Found::Http { status, asked, .. }) = report.step(Stage::Http).map(|s| &s.found) else {
        panic!()
    };
    assert_eq!((*status, asked.as_str()), (Some(302), "GET /a"));
    // Had it been followed, the connection would be waiting.
    let waiting = futures_util::FutureExt::now_or_never(trap.accept());
    assert!(waiting.is_none(), "{waiting:?}");
}
