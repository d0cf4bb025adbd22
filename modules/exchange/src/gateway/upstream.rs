//! Connections to providers: pooled, with time limits, TLS where the registry says so. The address comes from the
//! registry's snapshot only; nothing of a request can change its host, and redirects are passed on, never followed.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::body_in::ProviderBody;
use super::connector::{self, Connector};
use super::policy::Policy;
use super::refusal::Trouble;
use super::stream::Stream;
use crate::service::BaseUrl;

/// What goes to a provider.
pub(super) type OutBody = Either<Full<Bytes>, ProviderBody>;

/// Why a provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The connection, or what came over it.
    #[error(transparent)]
    Client(Error),
    /// No token of the national platform in between.
    #[error("{}", .0.rule())]
    Token(Trouble),
}

/// Kept connections, all secured in the same way.
#[derive(Clone)]
pub(super) struct Pool(Client<Connection, OutBody>);

impl Pool {
    fn new(policy: &Policy, tls: rustls::ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(policy.connect_timeout()));
        let tls = TlsConnector::from(Arc::new(tls));
        let connector = Connection { http, tls, handshake: policy.connect_timeout() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(policy.pool_idle_timeout())
            .pool_max_idle_per_host(policy.pool_max_idle)
            .http1_max_buf_size(64 * 1024)
            .http1_max_headers(policy.max_headers)
            .build(connector);
        Self(client)
    }

    /// Sends a request; resolves when the head of the answer is there.
    pub(super) async fn request(&self, request: Request<OutBody>) -> Result<Response<Incoming>, Failure> {
        self.0.request(request).await.map_err(Failure::Client)
    }
}

/// The client for all providers, some of them behind a national platform.
#[derive(Clone)]
pub(super) struct Upstream {
    pool: Pool,
    connectors: Arc<[Arc<Connector>]>,
}

impl Upstream {
    /// Builds the client.
    ///
    /// # Errors
    /// When a configured file cannot be read.
    pub(super) fn new(policy: &Policy) -> io::Result<Self> {
        let roots = authorities(policy.provider_ca_file.as_deref())?;
        let pool = Pool::new(policy, secured_by(roots.clone(), None)?);
        let connector = |settings: &connector::Settings| {
            let own = match (&settings.client_certificate, &settings.client_key) {
                (Some(certificate), Some(key)) => {
                    Pool::new(policy, secured_by(roots.clone(), Some((certificate, key)))?)
                }
                _ => pool.clone(),
            };
            Connector::new(settings.clone(), own)
        };
        let connectors = policy.connector.iter().map(connector).collect::<io::Result<_>>()?;
        Ok(Self { pool, connectors })
    }

    /// Sends a request; resolves when the head of the answer is there.
    pub(super) async fn send(&self, request: Request<OutBody>) -> Result<Response<Incoming>, Failure> {
        let through = self.connectors.iter().filter_map(|c| Some((c.covers(request.uri())?, c)));
        match through.max_by_key(|(length, _)| *length) {
            None => self.pool.request(request).await,
            Some((_, connector)) => connector.send(request).await,
        }
    }
}

/// The address of a call: the base address, the path below the service as sent, the query as sent.
pub(super) fn address(base: &BaseUrl, service_path: &str, query: Option<&str>) -> Option<Uri> {
    let base: Uri = base.as_str().parse().ok()?;
    let (scheme, authority) = (base.scheme()?.clone(), base.authority()?.clone());
    let prefix = base.path().trim_end_matches('/');
    let mut text =
        String::with_capacity(prefix.len() + service_path.len() + query.map_or(0, |q| q.len() + 1) + 1);
    text.push_str(prefix);
    text.push_str(service_path);
    if text.is_empty() {
        text.push('/');
    }
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    let path = PathAndQuery::try_from(text).ok()?;
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().ok()
}

/// What a failure means.
pub(super) fn trouble(e: &Failure) -> Trouble {
    let e = match e {
        Failure::Token(trouble) => return *trouble,
        Failure::Client(e) => e,
    };
    if e.is_connect() {
        return if chain_has(e, |text| text.starts_with("dns error")) {
            Trouble::UnknownHost
        } else {
            Trouble::Unreachable
        };
    }
    let mut cause = std::error::Error::source(e);
    while let Some(inner) = cause {
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>() {
            return if hyper.is_parse() { Trouble::Garbage } else { Trouble::Closed };
        }
        cause = inner.source();
    }
    Trouble::Closed
}

fn chain_has(e: &Error, wanted: impl Fn(&str) -> bool) -> bool {
    let mut cause = std::error::Error::source(e);
    while let Some(inner) = cause {
        if wanted(&inner.to_string()) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Where Debian and its relatives keep the authorities a machine trusts.
const MACHINE_CA: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whom providers' certificates may be by: the machine's authorities, and those of the province's own file.
pub(crate) fn authorities(extra: Option<&Path>) -> io::Result<rustls::RootCertStore> {
    let mut roots = rustls::RootCertStore::empty();
    if let Ok(certificates) = CertificateDer::pem_file_iter(MACHINE_CA) {
        // Single certificates the library cannot read do not spoil the rest of the machine's list.
        roots.add_parsable_certificates(certificates.flatten());
    }
    if let Some(path) = extra {
        let unreadable = |e: &dyn std::fmt::Display| io::Error::other(format!("{}: {e}", path.display()));
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| unreadable(&e))? {
            let certificate = certificate.map_err(|e| unreadable(&e))?;
            roots.add(certificate).map_err(|e| unreadable(&e))?;
        }
    }
    Ok(roots)
}

/// How connections to providers are secured.
pub(crate) fn tls_config(extra: Option<&Path>) -> io::Result<rustls::ClientConfig> {
    secured_by(authorities(extra)?, None)
}

/// With our own certificate, where a platform demands one.
fn secured_by(
    roots: rustls::RootCertStore,
    own: Option<(&PathBuf, &PathBuf)>,
) -> io::Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let Some((certificate, key)) = own else { return Ok(config.with_no_client_auth()) };
    let unreadable =
        |path: &Path, e: &dyn std::fmt::Display| io::Error::other(format!("{}: {e}", path.display()));
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| unreadable(certificate, &e))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| unreadable(key, &e))?;
    config.with_client_auth_cert(chain, key).map_err(|e| unreadable(certificate, &e))
}

/// Opens connections, with TLS for `https`.
#[derive(Clone)]
struct Connection {
    http: HttpConnector,
    tls: TlsConnector,
    handshake: std::time::Duration,
}

impl tower::Service<Uri> for Connection {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.http.poll_ready(cx).map_err(io::Error::other)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let tls = (address.scheme_str() == Some("https")).then(|| self.tls.clone());
        let host = address.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let (connecting, handshake) = (self.http.call(address), self.handshake);
        Box::pin(async move {
            let tcp = connecting.await.map_err(io::Error::other)?.into_inner();
            let stream = match tls {
                None => Stream::Plain(tcp),
                Some(tls) => secure(tls, host, tcp, handshake).await?,
            };
            Ok(TokioIo::new(stream))
        })
    }
}

async fn secure(
    tls: TlsConnector,
    host: String,
    tcp: TcpStream,
    time: std::time::Duration,
) -> io::Result<Stream> {
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let connected = tokio::time::timeout(time, tls.connect(name, tcp));
    let stream = connected.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(Stream::Tls(Box::new(stream.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_never_leaves_the_registered_host() {
        let base: BaseUrl = "http://10.0.0.1:9000/api/".parse().unwrap();
        for (path, query, expected) in [
            ("", None, "http://10.0.0.1:9000/api"),
            ("/", None, "http://10.0.0.1:9000/api/"),
            ("/a/b", Some("x=1?2"), "http://10.0.0.1:9000/api/a/b?x=1?2"),
            ("/@evil.example/", None, "http://10.0.0.1:9000/api/@evil.example/"),
            ("/http:", Some("@evil"), "http://10.0.0.1:9000/api/http:?@evil"),
        ] {
            assert_eq!(address(&base, path, query).unwrap().to_string(), expected);
        }
        let bare: BaseUrl = "https://[::1]:9000".parse().unwrap();
        assert_eq!(address(&bare, "", Some("q")).unwrap().to_string(), "https://[::1]:9000/?q");
        assert_eq!(address(&bare, "/@evil:80/", None).unwrap().host(), Some("[::1]"));
    }

    #[test]
    fn a_file_of_authorities_that_cannot_be_read_is_an_error() {
        let policy = Policy { provider_ca_file: Some("/nonexistent/ca.pem".into()), ..Policy::default() };
        assert!(Upstream::new(&policy).is_err());
    }
}
