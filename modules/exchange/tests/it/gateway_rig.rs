//! A gateway on a real socket, between a consumer that writes raw bytes and a provider that is scripted; its evidence
//! is kept in memory, where a test can delay it, fail it and look at it.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use base::clock::{SystemClock, Timestamp};
use base::error::Error;
use base::ids::Uuid;
use base::random::SystemRandom;
use bytes::Bytes;
use evidence::{Field, Outcome};
use exchange::gateway::ports::{
    Authenticator, BadCredential, ClosedCall, Documents, Evidence, EvidenceFailed, Expected, Monitor,
    OpenedCall, Parts, Principal,
};
use exchange::gateway::{Door, Gateway, Policy, serve};
use exchange::ids::{AgreementId, EndpointId, MemberId, ServiceId, SubsystemId};
use exchange::quota::{Meters, Quota};
use exchange::service::ServiceKind;
use exchange::snapshot::{
    AgreementEntry, Contents, EndpointEntry, MemberEntry, ScopeEntry, ServiceEntry, Snapshot, Standing,
    SubsystemEntry,
};
use futures_util::future::BoxFuture;
use kernel::entrance::{Entrance, PeerCertificate};
use tlog::Hash;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The consumer and its service, as most tests use them.
pub(crate) const CLIENT: &str = "VN/GOV/H38/mot-cua";
pub(crate) const SERVICE: &str = "/r1/VN/GOV/H38/dan-cu/tra-cuu";
pub(crate) const TOKEN: &str = "token-mot-cua";

// --- evidence ------------------------------------------------------------------------------------

#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Opened(OpenedCall),
    Closed(ClosedCall),
}

/// Evidence in memory. An entry is there when it is "durable".
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Mutex<Vec<Entry>>,
    pub(crate) fail_opened: Mutex<bool>,
    pub(crate) fail_closed: Mutex<bool>,
    /// While present, nothing becomes durable before the gate is opened.
    gate: Mutex<Option<watch::Receiver<bool>>>,
    pub(crate) expected: Arc<Mutex<i64>>,
}

struct Guard(Arc<Mutex<i64>>);

impl Drop for Guard {
    fn drop(&mut self) {
        *self.0.lock().unwrap() -= 1;
    }
}

impl Ledger {
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().clone()
    }

    pub(crate) fn closed(&self) -> Vec<ClosedCall> {
        let closed = |e| if let Entry::Closed(c) = e { Some(c) } else { None };
        self.entries().into_iter().filter_map(closed).collect()
    }

    pub(crate) fn opened(&self) -> Vec<OpenedCall> {
        let opened = |e| if let Entry::Opened(o) = e { Some(o) } else { None };
        self.entries().into_iter().filter_map(opened).collect()
    }

    /// Waits for so many closed records.
    pub(crate) async fn wait_closed(&self, count: usize) -> Vec<ClosedCall> {
        for _ in 0..1000 {
            let closed = self.closed();
            if closed.len() >= count {
                return closed;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{count} closed records did not come; there are {:?}", self.entries());
    }

    /// The one closed record.
    pub(crate) async fn only(&self) -> ClosedCall {
        let mut closed = self.wait_closed(1).await;
        // Were there to be a second one, it would come soon.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(self.closed().len(), 1, "exactly one closed record");
        closed.remove(0)
    }

    /// Holds everything back until the sender says `true`.
    pub(crate) fn hold(&self) -> watch::Sender<bool> {
        let (open, gate) = watch::channel(false);
        *self.gate.lock().unwrap() = Some(gate);
        open
    }

    async fn pass(&self) {
        let gate = self.gate.lock().unwrap().clone();
        if let Some(mut gate) = gate {
            let _ = gate.wait_for(|open| *open).await;
        }
    }
}

#[derive(Clone)]
struct LedgerPort(Arc<Ledger>);

impl Evidence for LedgerPort {
    fn expect(&self) -> Expected {
        *self.0.expected.lock().unwrap() += 1;
        Box::new(Guard(Arc::clone(&self.0.expected)))
    }

    fn opened(&self, call: OpenedCall) -> BoxFuture<'static, Result<Hash, EvidenceFailed>> {
        let ledger = Arc::clone(&self.0);
        Box::pin(async move {
            ledger.pass().await;
            if *ledger.fail_opened.lock().unwrap() {
                return Err(EvidenceFailed("disk full".into()));
            }
            let mut entries = ledger.entries.lock().unwrap();
            entries.push(Entry::Opened(call));
            Ok(Hash([u8::try_from(entries.len()).unwrap(); 32]))
        })
    }

    fn closed(
        &self,
        call: ClosedCall,
        _: Option<Expected>,
    ) -> BoxFuture<'static, Result<(), EvidenceFailed>> {
        let ledger = Arc::clone(&self.0);
        Box::pin(async move {
            ledger.pass().await;
            if *ledger.fail_closed.lock().unwrap() {
                return Err(EvidenceFailed("disk full".into()));
            }
            ledger.entries.lock().unwrap().push(Entry::Closed(call));
            Ok(())
        })
    }
}

/// The private value of a field.
pub(crate) fn private(values: &[(Field, String)], field: Field) -> Option<&str> {
    let found: Vec<_> = values.iter().filter(|(f, _)| *f == field).collect();
    assert!(found.len() <= 1, "{field:?} stands once");
    found.first().map(|(_, v)| v.as_str())
}

// --- callers, documents, monitoring ----------------------------------------------------------------

#[derive(Default)]
pub(crate) struct Tokens {
    known: Mutex<HashMap<String, String>>,
    pub(crate) revoked: Mutex<HashSet<String>>,
    /// Issued for something else than calls.
    pub(crate) other: Mutex<HashSet<String>>,
}

impl Tokens {
    pub(crate) fn add(&self, token: &str, subsystem: &str) {
        self.known.lock().unwrap().insert(token.into(), subsystem.into());
    }
}

#[derive(Clone)]
struct TokensPort(Arc<Tokens>);

impl Authenticator for TokensPort {
    fn authenticate(
        &self,
        bearer: &str,
        _: Option<&PeerCertificate>,
        _: Timestamp,
    ) -> Result<Principal, BadCredential> {
        if self.0.revoked.lock().unwrap().contains(bearer) {
            return Err(BadCredential("revoked"));
        }
        match self.0.known.lock().unwrap().get(bearer) {
            Some(subsystem) => {
                let may_call = !self.0.other.lock().unwrap().contains(bearer);
                Ok(Principal { subsystem: subsystem.clone(), method: "oauth2", may_call, bound: false })
            }
            None => Err(BadCredential("bad-signature")),
        }
    }
}

struct Shelf(HashMap<String, Bytes>);

impl Documents for Shelf {
    fn document(&self, reference: &str) -> BoxFuture<'static, Result<Option<Bytes>, Error>> {
        let document = self.0.get(reference).cloned();
        Box::pin(async move { Ok(document) })
    }
}

#[derive(Default)]
pub(crate) struct Meter(pub(crate) Mutex<Vec<xroad::opmon::Record>>, pub(crate) Mutex<usize>);

struct MeterPort(Arc<Meter>);

impl Monitor for MeterPort {
    fn record(&self, record: xroad::opmon::Record) {
        self.0.0.lock().unwrap().push(record);
    }

    fn unrecorded(&self) {
        *self.0.1.lock().unwrap() += 1;
    }
}

// --- configuration -----------------------------------------------------------------------------------

pub(crate) fn route(text: &str) -> exchange::endpoint::Route {
    text.parse().unwrap()
}

/// A province with one consumer and one provider at `provider`; change it before use.
pub(crate) fn contents(provider: SocketAddr) -> Contents {
    let id = Uuid::from_u128;
    let member =
        MemberEntry { id: MemberId(id(1)), class: "GOV".into(), code: "H38".into(), name: "Tỉnh".into() };
    let subsystem = |n, code: &str, name: &str| SubsystemEntry {
        id: SubsystemId(id(n)),
        member: MemberId(id(1)),
        code: code.into(),
        name: name.into(),
        path: String::new(),
        member_at: 0,
    };
    let service = |n, code: &str| ServiceEntry {
        id: ServiceId(id(n)),
        provider: SubsystemId(id(11)),
        code: code.into(),
        name: "Tra cứu".into(),
        kind: ServiceKind::OpenApi3,
        base_url: format!("http://{provider}/api").parse().unwrap(),
        sandbox_url: None,
        announced: None,
        timeout_ms: 2_000,
        disabled: None,
        dedicated_only: false,
        openapi: Some("doc-1".into()),
        endpoints: vec![EndpointEntry { id: EndpointId(id(31)), route: route("GET /nguoi/*") }],
        path: String::new(),
        provider_at: 0,
    };
    let agreement = |n, service, scope| AgreementEntry {
        id: AgreementId(id(n)),
        number: format!("CT-{n}"),
        version: 3,
        consumer: SubsystemId(id(10)),
        service: ServiceId(id(service)),
        scope,
        fields: Vec::new(),
        filter: Default::default(),
        environment: exchange::environment::Environment::Production,
        dedicated_only: false,
        quota: Quota::default(),
        valid_from: Timestamp::from_micros(0),
        valid_until: Timestamp::from_micros(i64::MAX),
        standing: Standing::InForce,
    };
    Contents {
        serial: 7,
        compiled_at: Timestamp::from_micros(0),
        not_after: Timestamp::from_micros(i64::MAX),
        instance: "VN".into(),
        members: vec![member],
        subsystems: vec![
            subsystem(10, "mot-cua", "Một cửa"),
            subsystem(11, "dan-cu", "Dân cư"),
            subsystem(12, "khac", "Hệ thống khác"),
        ],
        services: vec![service(20, "tra-cuu"), service(21, "han-che"), service(22, "chua-cap")],
        agreements: vec![
            agreement(40, 20, ScopeEntry::Whole),
            agreement(41, 21, ScopeEntry::Endpoints(vec![route("GET /nguoi/*"), route("GET /cong-khai/**")])),
        ],
    }
}

// --- the gateway ----------------------------------------------------------------------------------------

pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Gateway,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) snapshot: exchange::snapshot::Current,
    pub(crate) meter: Arc<Meter>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Rig {
    pub(crate) async fn new(provider: SocketAddr) -> Self {
        Self::with(contents(provider), Policy::default()).await
    }

    pub(crate) async fn with(contents: Contents, policy: Policy) -> Self {
        Self::with_pages(contents, policy, None).await
    }

    pub(crate) async fn with_pages(contents: Contents, policy: Policy, pages: Option<axum::Router>) -> Self {
        Self::with_door(contents, policy, pages, None).await
    }

    pub(crate) async fn with_door(
        contents: Contents,
        policy: Policy,
        pages: Option<axum::Router>,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Self {
        let document = r#"{"openapi":"3.1.0","servers":[{"url":"http://10.9.8.7/"}],"info":{"title":"T","version":"1"}}"#;
        Self::whole(contents, policy, pages, tls, &[("doc-1", document)]).await
    }

    pub(crate) async fn with_documents(contents: Contents, documents: &[(&str, &'static str)]) -> Self {
        Self::whole(contents, Policy::default(), None, None, documents).await
    }

    async fn whole(
        contents: Contents,
        policy: Policy,
        pages: Option<axum::Router>,
        tls: Option<Arc<rustls::ServerConfig>>,
        documents: &[(&str, &'static str)],
    ) -> Self {
        let (ledger, tokens, meter) =
            (Arc::new(Ledger::default()), Arc::new(Tokens::default()), Arc::new(Meter::default()));
        tokens.add(TOKEN, CLIENT);
        tokens.add("token-khac", "VN/GOV/H38/khac");
        tokens.add("token-la", "VN/GOV/H38/la");
        let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::compile(contents).unwrap()));
        let shelf = documents.iter().map(|(name, text)| ((*name).to_owned(), Bytes::from(*text))).collect();
        let gateway = Gateway::new(Parts {
            policy,
            snapshot: Arc::clone(&snapshot),
            meters: Arc::new(Meters::default()),
            authenticator: Arc::new(TokensPort(Arc::clone(&tokens))),
            evidence: Arc::new(LedgerPort(Arc::clone(&ledger))),
            documents: Arc::new(Shelf(shelf)),
            monitor: Arc::new(MeterPort(Arc::clone(&meter))),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let door = Door { gateway: gateway.clone(), pages, tls, entrance: Entrance::usual() };
        let serving = tokio::spawn(serve(listener, door, stopped));
        Self { address, gateway, ledger, tokens, snapshot, meter, stop, serving }
    }

    /// A further listener before the same gateway. Dropped with the runtime.
    pub(crate) async fn also(
        &self,
        entrance: Entrance,
        pages: Option<axum::Router>,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Door { gateway: self.gateway.clone(), pages, tls, entrance: Arc::new(entrance) };
        tokio::spawn(serve(listener, door, self.stop.subscribe()));
        address
    }

    /// Sends raw bytes and reads one answer.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        read_answer(&mut stream, "GET").await
    }

    /// A call of the usual consumer; `rest` follows the service's address.
    pub(crate) async fn get(&self, rest: &str) -> Answer {
        self.raw(get(rest)).await
    }

    /// The same with further headers.
    pub(crate) async fn get_with(&self, rest: &str, headers: &[(&str, &str)]) -> Answer {
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.raw(format!("GET {SERVICE}{rest} HTTP/1.1\r\n{}{more}\r\n", usual_headers())).await
    }

    pub(crate) async fn post(&self, rest: &str, body: &[u8]) -> Answer {
        self.raw(post(rest, body)).await
    }

    /// Lets calls in progress end and their records follow.
    pub(crate) async fn stop(self) {
        self.stop.send(true).unwrap();
        self.serving.await.unwrap().unwrap();
        self.gateway.finish().await;
    }

    /// Puts another configuration in force.
    pub(crate) fn configure(&self, contents: Contents) {
        self.snapshot.store(Arc::new(Snapshot::compile(contents).unwrap()));
    }
}

pub(crate) fn usual_headers() -> String {
    format!("Host: gw\r\nX-Road-Client: {CLIENT}\r\nAuthorization: Bearer {TOKEN}\r\n")
}

pub(crate) fn get(rest: &str) -> String {
    format!("GET {SERVICE}{rest} HTTP/1.1\r\n{}\r\n", usual_headers())
}

pub(crate) fn post(rest: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST {SERVICE}{rest} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n", usual_headers(), body.len());
    [head.as_bytes(), body].concat()
}

// --- answers ---------------------------------------------------------------------------------------------

/// An answer as a careful consumer sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the end of the body was seen.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, v)| v.as_str()).collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The type of an X-Road error, the same in header and body.
    pub(crate) fn error(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        assert_eq!(self.header("x-road-error"), Some(kind.as_str()), "{self:?}");
        assert_eq!(self.json()["detail"].as_str(), self.header("x-road-request-id"));
        kind
    }
}

/// Reads the head of an answer; bytes of the body that came with it are given back.
pub(crate) async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<(Answer, Vec<u8>)> {
    let mut buf = Vec::new();
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        if let Ok(httparse::Status::Complete(n)) = response.parse(&buf) {
            let text = |v: &[u8]| String::from_utf8_lossy(v).into_owned();
            let answer = Answer {
                status: response.code.unwrap(),
                headers: response.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect(),
                body: Vec::new(),
                whole: false,
            };
            return Some((answer, buf[n..].to_vec()));
        }
        if stream.read_buf(&mut buf).await.unwrap_or(0) == 0 {
            assert!(buf.is_empty(), "an answer broke off in its head: {}", String::from_utf8_lossy(&buf));
            return None;
        }
    }
}

/// Reads one answer with its body.
pub(crate) async fn read_answer(stream: &mut (impl AsyncReadExt + Unpin), method: &str) -> Answer {
    let (mut answer, mut buf) = read_head(stream).await.expect("an answer");
    let length = answer.header("content-length").map(|v| v.parse::<usize>().unwrap());
    let chunked = answer.header("transfer-encoding") == Some("chunked");
    if method == "HEAD" || matches!(answer.status, 204 | 304) {
        answer.whole = true;
        return answer;
    }
    loop {
        if let Some(length) = length {
            if buf.len() >= length {
                assert_eq!(buf.len(), length, "no byte too many");
                (answer.body, answer.whole) = (buf, true);
                return answer;
            }
        } else if let Some(body) = chunked.then(|| decode_chunks(&buf)).flatten() {
            (answer.body, answer.whole) = (body, true);
            return answer;
        }
        if stream.read_buf(&mut buf).await.unwrap_or(0) == 0 {
            answer.whole = length.is_none() && !chunked;
            answer.body = buf;
            return answer;
        }
    }
}

fn decode_chunks(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        bytes = &bytes[end + 2..];
        if bytes.len() < size + 2 {
            return None;
        }
        body.extend_from_slice(&bytes[..size]);
        bytes = &bytes[size + 2..];
        if size == 0 {
            return Some(body);
        }
    }
}

// --- providers --------------------------------------------------------------------------------------------

/// A request as the provider received it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Got {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let split =
            |line: &'_ str| line.split_once(':').map(|(n, _)| n.eq_ignore_ascii_case(name)) == Some(true);
        self.head
            .lines()
            .skip(1)
            .filter(|l| split(l))
            .filter_map(|l| l.split_once(':'))
            .map(|(_, v)| v.trim())
            .collect()
    }
}

/// A provider whose every connection runs `script`.
pub(crate) async fn provider<F, R>(script: F) -> SocketAddr
where
    F: Fn(TcpStream) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(stream));
        }
    });
    address
}

/// A provider that answers every request with the same bytes, and what it received.
pub(crate) async fn answering(answer: &'static str) -> (SocketAddr, Arc<Mutex<Vec<Got>>>) {
    let got: Arc<Mutex<Vec<Got>>> = Arc::default();
    let seen = Arc::clone(&got);
    let address = provider(move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            while let Some(request) = read_request(&mut stream).await {
                seen.lock().unwrap().push(request);
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (address, got)
}

/// Reads a request with its body; `None` when the connection ends.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<Got> {
    let mut buf = Vec::new();
    let end = loop {
        if let Some(at) = buf.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut buf).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let mut got = Got { head: String::from_utf8_lossy(&buf[..end]).into_owned(), body: Vec::new() };
    let mut rest = buf.split_off(end);
    let length = got.header("content-length").first().map(|v| v.parse::<usize>().unwrap());
    let chunked = got.header("transfer-encoding").first() == Some(&"chunked");
    loop {
        let whole = match length {
            Some(n) if rest.len() >= n => Some(std::mem::take(&mut rest)),
            None if chunked => decode_chunks(&rest),
            None => Some(Vec::new()),
            Some(_) => None,
        };
        if let Some(body) = whole {
            got.body = body;
            return Some(got);
        }
        if stream.read_buf(&mut rest).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// How a call ended, with its fault.
pub(crate) fn ending(closed: &ClosedCall) -> (Outcome, &str) {
    (closed.outcome, closed.fault.as_deref().unwrap_or_default())
}
