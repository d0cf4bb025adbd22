//! A local service that lies behind a national platform is served by configuration alone: the platform's token is
//! fetched, kept, renewed, refused; other headers and paths; what fails names its side. The platform is a simulator with
//! its own idea of tokens and faults that can be switched on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use evidence::Outcome;
use exchange::gateway::Policy;
use exchange::gateway::connector::Settings;
use exchange::snapshot::Contents;
use rustls::pki_types::pem::PemObject;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::gateway_rig::*;

const SECRET: &str = "bí mật & khoá/+";

/// What the platform is to do wrong.
#[derive(Debug, Default)]
struct Faults {
    /// Tokens already issued are worth nothing any more.
    forget_tokens: bool,
    /// The secret is not accepted.
    unknown_client: bool,
    /// The token endpoint never answers.
    silent: bool,
    /// The token endpoint is down.
    down: bool,
    /// Data is refused whatever the token.
    refuse_always: bool,
    /// Seconds a token is said to live.
    life: u64,
}

/// The platform.
#[derive(Default)]
struct National {
    faults: Mutex<Faults>,
    /// Tokens that are good.
    good: Mutex<Vec<String>>,
    /// How many tokens were asked for.
    issued: Mutex<u32>,
    data: Mutex<Vec<Got>>,
}

impl National {
    async fn new() -> (Arc<Self>, SocketAddr) {
        let national = Arc::new(Self::default());
        national.faults.lock().unwrap().life = 3_600;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let serving = national.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(tcp));
            }
        });
        (national, at)
    }

    async fn serve(self: Arc<Self>, mut tcp: TcpStream) {
        while let Some(got) = read_request(&mut tcp).await {
            if got.line().starts_with("POST /token ") && self.faults.lock().unwrap().silent {
                return std::future::pending().await;
            }
            let (status, body) =
                if got.line().starts_with("POST /token ") { self.token(&got) } else { self.answer(got) };
            let text = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            if tcp.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn token(&self, got: &Got) -> (u16, String) {
        *self.issued.lock().unwrap() += 1;
        let faults = self.faults.lock().unwrap();
        if faults.down {
            return (503, String::new());
        }
        let encoded =
            |s: &str| {
                s.bytes()
                    .map(|b| {
                        if b.is_ascii_alphanumeric() {
                            char::from(b).to_string()
                        } else {
                            format!("%{b:02X}")
                        }
                    })
                    .collect::<String>()
            };
        let both = format!("{}:{}", encoded("truc-h38"), encoded(SECRET));
        let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both));
        let form = String::from_utf8(got.body.clone()).unwrap();
        let known = got.header("authorization") == [basic.as_str()]
            || form.contains(&format!("client_secret={}", encoded(SECRET)));
        if faults.unknown_client || !known || !form.starts_with("grant_type=client_credentials") {
            return (401, r#"{"error":"invalid_client"}"#.into());
        }
        let token = format!("quoc-gia-{}", self.issued.lock().unwrap());
        self.good.lock().unwrap().push(token.clone());
        (200, format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{}}}"#, faults.life))
    }

    fn answer(&self, got: Got) -> (u16, String) {
        let mut faults = self.faults.lock().unwrap();
        if std::mem::take(&mut faults.forget_tokens) {
            self.good.lock().unwrap().clear();
        }
        let good = self.good.lock().unwrap();
        let known = good.iter().any(|t| got.header("authorization") == [format!("Bearer {t}").as_str()]);
        self.data.lock().unwrap().push(got);
        if faults.refuse_always || !known {
            return (401, r#"{"fault":"invalid token"}"#.into());
        }
        (200, r#"{"hoTen":"Nguyễn Giả Định"}"#.into())
    }

    fn issued(&self) -> u32 {
        *self.issued.lock().unwrap()
    }

    fn last(&self) -> Got {
        self.data.lock().unwrap().last().unwrap().clone()
    }
}

/// A gateway whose provider is the platform, with this connector.
struct Through {
    rig: Rig,
    national: Arc<National>,
    _dir: tempfile::TempDir,
}

fn below(at: SocketAddr) -> Contents {
    let mut contents = contents(at);
    for service in &mut contents.services {
        service.base_url = format!("http://{at}/dan-cu").parse().unwrap();
    }
    contents
}

impl Through {
    async fn new(more: &str) -> Self {
        let (national, at) = National::new().await;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("khoa");
        std::fs::write(&file, format!("{SECRET}\n")).unwrap();
        let text = format!(
            "name = \"ndop\"\nbase_url = \"http://{at}/dan-cu\"\n{more}\n[token]\nurl = \"http://{at}/token\"\n\
             client_id = \"truc-h38\"\nclient_secret_file = \"{}\"\ntimeout_ms = 1000\n",
            file.display()
        );
        let connector: Settings = toml::from_str(&text).unwrap();
        let policy = Policy { connector: vec![connector], ..Policy::default() };
        let rig = Rig::with(below(at), policy).await;
        Self { rig, national, _dir: dir }
    }
}

#[tokio::test]
async fn calls_carry_the_platforms_token_which_is_fetched_once() {
    let t = Through::new(
        "headers = { X-Co-Quan = \"H38\" }\npath = [{ from = \"/nguoi\", to = \"/1.0/chiTiet\" }]",
    )
    .await;
    for _ in 0..3 {
        assert_eq!(t.rig.get("/nguoi/7?a=b").await.status, 200);
    }
    assert_eq!(t.national.issued(), 1, "kept");
    let got = t.national.last();
    assert_eq!(got.line(), "GET /dan-cu/1.0/chiTiet/7?a=b HTTP/1.1");
    assert_eq!(got.header("authorization"), ["Bearer quoc-gia-1"], "and not what the consumer sent");
    assert_eq!(got.header("x-co-quan"), ["H38"]);
    assert_eq!(t.rig.get("/khac").await.status, 200);
    assert_eq!(t.national.last().line(), "GET /dan-cu/khac HTTP/1.1");
    assert_eq!(t.rig.get("/nguoi-khac").await.status, 200);
    assert_eq!(t.national.last().line(), "GET /dan-cu/nguoi-khac HTTP/1.1", "whole segments only");
}

#[tokio::test]
async fn many_calls_at_once_fetch_one_token() {
    let t = Through::new("").await;
    let calls = (0..20).map(|_| t.rig.get("/a"));
    let all = futures_util::future::join_all(calls).await;
    assert!(all.iter().all(|a| a.status == 200));
    assert_eq!(t.national.issued(), 1);
}

#[tokio::test]
async fn a_token_that_ends_early_is_fetched_anew_and_the_call_succeeds() {
    let t = Through::new("").await;
    assert_eq!(t.rig.get("/a").await.status, 200);
    // It was said to live an hour; the platform's clock has run ahead of ours.
    t.national.faults.lock().unwrap().forget_tokens = true;
    assert_eq!(t.rig.post("/a", b"xyz").await.status, 200);
    assert_eq!(t.national.issued(), 2);
    assert_eq!(t.national.last().body, b"xyz", "the body goes along once more");
    assert_eq!(t.national.last().header("authorization"), ["Bearer quoc-gia-2"]);
    let closed = t.rig.ledger.wait_closed(2).await;
    assert!(closed.iter().all(|c| c.outcome == Outcome::Answered));
}

#[tokio::test]
async fn a_short_token_is_renewed_before_its_end() {
    let t = Through::new("").await;
    t.national.faults.lock().unwrap().life = 1;
    assert_eq!(t.rig.get("/a").await.status, 200);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(t.rig.get("/a").await.status, 200);
        if t.national.issued() > 1 {
            return;
        }
    }
    panic!("the token is never renewed");
}

#[tokio::test]
async fn what_fails_names_its_side_and_never_the_secret() {
    let t = Through::new("").await;
    for (fault, rule, says) in [
        ("unknown", "connector-token-refused", "từ chối mã truy cập của trục"),
        ("down", "connector-token-unavailable", "không cấp mã truy cập"),
        ("silent", "connector-token-unavailable", "không cấp mã truy cập"),
        ("refuse", "connector-token-refused", "từ chối mã truy cập của trục"),
    ] {
        *t.national.faults.lock().unwrap() = Faults {
            unknown_client: fault == "unknown",
            down: fault == "down",
            silent: fault == "silent",
            refuse_always: fault == "refuse",
            forget_tokens: true,
            life: 3_600,
        };
        // After a failure the endpoint is left alone for a moment; then it is asked again.
        let answer = loop {
            let answer = t.rig.raw(get("/a").replace("Host:", "Accept-Language: vi\r\nHost:")).await;
            let last = t.rig.ledger.closed().last().unwrap().fault.clone().unwrap_or_default();
            if last.ends_with(rule) {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(answer.status >= 500, "{fault}: {answer:?}");
        let text = answer.text();
        assert!(text.contains(says), "{fault}: {text}");
        assert!(!text.contains("bí mật") && !text.contains("quoc-gia-"), "{text}");
    }
    *t.national.faults.lock().unwrap() = Faults { life: 3_600, ..Faults::default() };
    loop {
        if t.rig.get("/a").await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn other_services_go_without_it() {
    let t = Through::new("").await;
    let (plain, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    t.rig.configure(contents(plain));
    assert_eq!(t.rig.get("/a").await.status, 200);
    assert_eq!(t.national.issued(), 0);
    let got = got.lock().unwrap();
    assert!(!got[0].head.contains("quoc-gia"), "{}", got[0].head);
}

#[tokio::test]
async fn a_platform_that_demands_our_certificate_gets_it() {
    use crate::gateway_tls::certificate_for;
    use tokio_rustls::TlsAcceptor;

    let pem = |label: &str, der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    let (own, own_key) = certificate_for([127, 0, 0, 1], "20991231235959Z");
    let (theirs, their_key) = certificate_for([127, 0, 0, 1], "20991231235959Z");
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = file("ca.pem", pem("CERTIFICATE", &theirs));
    let certificate = file("own.pem", pem("CERTIFICATE", &own));
    let key = file("own.key", pem("PRIVATE KEY", own_key.secret_der()));
    assert!(rustls::pki_types::CertificateDer::from_pem_file(&certificate).is_ok());

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.clone()).unwrap();
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![theirs], their_key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let at = crate::gateway_rig::provider(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            use tokio::io::AsyncReadExt;
            let Ok(mut tls) = acceptor.accept(tcp).await else { return };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if tls.read_buf(&mut head).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let text = format!(
        "name = \"ndop\"\nbase_url = \"https://{at}\"\nclient_certificate = \"{}\"\nclient_key = \"{}\"\n",
        certificate.display(),
        key.display()
    );
    let mut contents = contents(at);
    contents.services.iter_mut().for_each(|s| s.base_url = format!("https://{at}/api").parse().unwrap());
    let policy = Policy {
        connector: vec![toml::from_str(&text).unwrap()],
        provider_ca_file: Some(ca.clone()),
        ..Policy::default()
    };
    let rig = Rig::with(contents.clone(), policy).await;
    let answer = rig.get("/a").await;
    let without = Rig::with(contents, Policy { provider_ca_file: Some(ca), ..Policy::default() }).await;
    assert_ne!(without.get("/a").await.status, 200, "it really is demanded");
    // A certificate that signs itself is a client's only if the platform's library takes it as one.
    assert_eq!(answer.status, 200, "{}", answer.text());
}
