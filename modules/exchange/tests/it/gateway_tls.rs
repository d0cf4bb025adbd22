//! TLS on both sides: a consumer's connection and the gateway's own to a provider.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use evidence::Outcome;
use exchange::gateway::Policy;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::gateway_rig::*;

/// One DER element.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        n @ 0..=127 => out.push(n as u8),
        n @ 128..=255 => out.extend([0x81, n as u8]),
        n => out.extend([0x82, (n >> 8) as u8, n as u8]),
    }
    out.extend(content);
    out
}

/// A certificate for 127.0.0.1, signed with its own key, and the key.
fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    certificate_for([127, 0, 0, 1], "20991231235959Z")
}

/// A certificate for an address until a moment, signed with its own key (RFC 5280), and the key.
pub(crate) fn certificate_for(
    address: [u8; 4],
    until: &str,
) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    const SEQUENCE: u8 = 0x30;
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    let oid = |bytes: &[u8]| der(0x06, &[bytes]);
    let algorithm = der(SEQUENCE, &[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])]);
    let attribute = der(SEQUENCE, &[&oid(&[0x55, 0x04, 0x03]), &der(0x0c, &[b"test"])]);
    let name = der(SEQUENCE, &[&der(0x31, &[&attribute])]);
    let validity = der(SEQUENCE, &[&der(0x17, &[b"200101000000Z"]), &der(0x18, &[until.as_bytes()])]);
    let curve = der(
        SEQUENCE,
        &[
            &oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
            &oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
        ],
    );
    let public = der(SEQUENCE, &[&curve, &der(0x03, &[&[0], key.public_key().as_ref()])]);
    let names = der(SEQUENCE, &[&der(0x87, &[&address])]);
    let extension = der(SEQUENCE, &[&oid(&[0x55, 0x1d, 0x11]), &der(0x04, &[&names])]);
    let extensions = der(0xa3, &[&der(SEQUENCE, &[&extension])]);
    let version = der(0xa0, &[&der(0x02, &[&[2]])]);
    let serial = der(0x02, &[&[1]]);
    let body = der(SEQUENCE, &[&version, &serial, &algorithm, &name, &validity, &name, &public, &extensions]);
    let signature = key.sign(&random, &body).unwrap();
    let whole = der(SEQUENCE, &[&body, &algorithm, &der(0x03, &[&[0], signature.as_ref()])]);
    (whole.into(), PrivateKeyDer::Pkcs8(pkcs8.as_ref().to_vec().into()))
}

pub(crate) fn server(
    certificate: &CertificateDer<'static>,
    key: &PrivateKeyDer<'static>,
) -> Arc<rustls::ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(
        builder.with_no_client_auth().with_single_cert(vec![certificate.clone()], key.clone_key()).unwrap(),
    )
}

async fn connect(rig: &Rig, trusted: &CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let tcp = TcpStream::connect(rig.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}

#[tokio::test]
async fn calls_pass_encrypted_on_both_sides_and_only_to_who_is_trusted() {
    let (certificate, key) = certificate();
    let acceptor = TlsAcceptor::from(server(&certificate, &key));
    let provider = provider(move |tcp| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut tls) = acceptor.accept(tcp).await else { return };
            let mut head = Vec::new();
            while !head.ends_with(b"abc") {
                if tls.read_buf(&mut head).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let text = base64::engine::general_purpose::STANDARD.encode(&certificate);
    std::fs::write(&file, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
        .unwrap();
    for (ca, status) in [(Some(file), 200), (None, 500)] {
        let mut contents = contents(provider);
        contents.services[0].base_url = format!("https://{provider}").parse().unwrap();
        let policy = Policy { provider_ca_file: ca, ..Policy::default() };
        let rig = Rig::with_door(contents, policy, None, Some(server(&certificate, &key))).await;
        let mut stream = connect(&rig, &certificate).await;
        stream.write_all(&post("", b"abc")).await.unwrap();
        let answer = read_answer(&mut stream, "POST").await;
        assert_eq!((answer.status, answer.whole), (status, true), "{answer:?}");
        let closed = rig.ledger.only().await;
        match status {
            200 => assert_eq!(ending(&closed), (Outcome::Answered, "")),
            _ => assert_eq!(
                ending(&closed),
                (
                    Outcome::UpstreamFailed,
                    "server.serverproxy.service_failed.network_error/provider-unreachable"
                )
            ),
        }
    }
}

#[tokio::test]
async fn a_broken_answer_does_not_end_in_an_orderly_goodbye() {
    let provider = provider(|mut stream| async move {
        read_request(&mut stream).await;
        let body = "x".repeat(100_000);
        let answer =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let (certificate, key) = certificate();
    let rig =
        Rig::with_door(contents(provider), Policy::default(), None, Some(server(&certificate, &key))).await;
    let mut stream = connect(&rig, &certificate).await;
    stream.write_all(get("").replace("HTTP/1.1", "HTTP/1.0").as_bytes()).await.unwrap();
    let mut all = Vec::new();
    assert!(stream.read_to_end(&mut all).await.is_err(), "no close_notify, but a reset");
    assert_eq!(rig.ledger.only().await.outcome, Outcome::UpstreamIncomplete);
}

#[tokio::test]
async fn plain_bytes_to_an_encrypted_address_get_nothing() {
    let (certificate, key) = certificate();
    let rig =
        Rig::with_door(contents(nobody().await), Policy::default(), None, Some(server(&certificate, &key)))
            .await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    assert!(!all.starts_with(b"HTTP"));
    assert!(rig.ledger.entries().is_empty());
}
