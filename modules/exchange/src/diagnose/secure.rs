//! The TLS handshake, carried through even when the certificate may not be trusted, so that all of it can be told.
//! Nothing is sent over a connection whose certificate was not trusted: the caller gets no stream then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::clock::Clock;
use kernel::certificate::{self, Described};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Fault;
use super::report::Found;

/// Certificates of a chain that are told.
const MOST_CERTIFICATES: usize = 8;

/// What came of a handshake.
pub(super) struct Secured {
    /// The connection; only of a trusted provider.
    pub stream: Option<Box<TlsStream<TcpStream>>>,
    pub found: Found,
    pub fault: Option<Fault>,
}

/// What the verifier of one handshake saw.
#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Described>,
    refused: Option<rustls::Error>,
}

/// Asks the usual verifier, writes down what it says, and lets the handshake go on. Signatures are still required:
/// whoever answers holds the key of the certificate.
#[derive(Debug)]
struct Witness {
    usual: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    seen: Arc<Mutex<Seen>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let untrusted = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let said = match &self.usual {
            Some(usual) => usual.verify_server_cert(own, others, name, ocsp, now).err(),
            None => Some(untrusted()),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let all = std::iter::once(own).chain(others).take(MOST_CERTIFICATES);
        seen.chain = all.filter_map(|c| certificate::describe(c)).collect();
        seen.refused = said;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, own, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, own, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Shakes hands with the host at the other end of a connection.
pub(super) async fn shake(
    roots: &Arc<RootCertStore>,
    host: &str,
    tcp: TcpStream,
    patience: Duration,
    clock: &dyn Clock,
) -> Secured {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let provider = Arc::new(aws_lc_rs::default_provider());
    // Without any authority there is no usual verifier, and nobody is trusted.
    let usual = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone()).build().ok();
    let witness = Witness { usual, provider: provider.clone(), seen: seen.clone() };
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let (Ok(config), Ok(name)) = (config, ServerName::try_from(host.to_owned())) else {
        return none(Fault::NoTls, None);
    };
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(witness)).with_no_client_auth();
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, tcp);
    let stream = match tokio::time::timeout(patience, shaking).await {
        Err(_) => return none(Fault::Silent { seconds: patience.as_secs() }, None),
        Ok(Err(e)) => return none(of_error(&e), Some(e.to_string())),
        Ok(Ok(stream)) => stream,
    };
    let Seen { chain, refused } = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let session = stream.get_ref().1;
    let found = Found::Tls {
        version: session.protocol_version().and_then(|v| v.as_str()).map(ToOwned::to_owned),
        suite: session.negotiated_cipher_suite().and_then(|s| s.suite().as_str()).map(ToOwned::to_owned),
        trusted: refused.is_none(),
        error: refused.as_ref().map(ToString::to_string),
        chain: chain.clone(),
    };
    let fault = refused.map(|e| of_certificate(&e, host, &chain, clock));
    Secured { stream: fault.is_none().then(|| Box::new(stream)), found, fault }
}

fn none(fault: Fault, error: Option<String>) -> Secured {
    let found = Found::Tls { version: None, suite: None, chain: Vec::new(), trusted: false, error };
    Secured { stream: None, found, fault: Some(fault) }
}

/// A handshake that did not come to its end.
pub(super) fn of_error(e: &std::io::Error) -> Fault {
    match e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_)) => {
            Fault::TlsRefused { why: e.to_string() }
        }
        _ => Fault::NoTls,
    }
}

/// A certificate the usual verifier refused.
fn of_certificate(e: &rustls::Error, host: &str, chain: &[Described], clock: &dyn Clock) -> Fault {
    let own = chain.first();
    let rustls::Error::InvalidCertificate(why) = e else {
        return Fault::CertificateBad { why: e.to_string() };
    };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Fault::CertificateExpired {
            // Any of the chain may be the one that ended first.
            since: chain.iter().map(|c| c.not_after).min().unwrap_or_else(|| clock.now()),
            subject: own.map(|c| c.subject.clone()).unwrap_or_default(),
        },
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Fault::CertificateNotYet {
                from: chain.iter().map(|c| c.not_before).max().unwrap_or_else(|| clock.now()),
            }
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = own.map(|c| c.names.join(", ")).unwrap_or_default();
            let names = if names.is_empty() { own.map_or("", |c| &c.subject).to_owned() } else { names };
            Fault::CertificateName { wanted: host.to_owned(), names }
        }
        CertificateError::UnknownIssuer => {
            Fault::CertificateUntrusted { issuer: chain.last().map(|c| c.issuer.clone()).unwrap_or_default() }
        }
        other => Fault::CertificateBad { why: format!("{other:?}").chars().take(200).collect() },
    }
}
