//! Mutual TLS from end to end on real sockets: the integrator hands in a signing request, the system connects with what was
//! issued, and its token is worth nothing on any other connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use exchange::corner::ending;
use exchange::gateway::{Door, serve};
use exchange::permissions::INTEGRATE;
use http::StatusCode;
use kernel::entrance::{ClientCertificate, Entrance, PeerCertificate};
use kernel::identity::certificates::{self, CertificateId};
use kernel::identity::clients::{self, ClientId};
use kernel::{Kernel, Reach, params};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use testkit::Client;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use crate::gateway_rig::read_answer;
use crate::gateway_tls::certificate_for;
use crate::site::{CONSUMER, SERVICE, Site, on_both};

fn vendor(s: &Site) -> Client {
    s.app.log_in_as(&[INTEGRATE], &Reach::Agencies([s.w.consumer].into()))
}

async fn own(k: &Kernel) -> String {
    let sql = "SELECT id FROM exchange_subsystem WHERE code = 'motcua'";
    k.db.query_one(sql, params![]).await.unwrap().text("id").unwrap()
}

/// Makes a credential in the corner; its identifier.
async fn credential(s: &Site, vendor: &Client, name: &str) -> ClientId {
    let path = format!("/exchange/corner/systems/{}/credentials", own(s.k()).await);
    assert_eq!(vendor.post_form(&path, &[("name", name), ("until", "")]).await.status, StatusCode::OK);
    let all = clients::of_subsystem(&s.k().db, CONSUMER).await.unwrap();
    all.into_iter().find(|c| c.name == name).unwrap().id
}

fn request(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).unwrap().pem().unwrap()
}

/// Hands a request in; the identifier of the certificate.
async fn certified(s: &Site, vendor: &Client, client: ClientId, key: &KeyPair) -> CertificateId {
    let path = format!("/exchange/corner/systems/{}/certificates", own(s.k()).await);
    let made = vendor.post_form(&path, &[("client", &client.to_string()), ("csr", &request(key))]).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text());
    made.header("location").unwrap().rsplit('/').next().unwrap().parse().unwrap()
}

/// The certificate as the integrator downloads it.
async fn downloaded(s: &Site, vendor: &Client, id: CertificateId) -> CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    let path = format!("/exchange/corner/systems/{}/certificates/{id}/download", own(s.k()).await);
    let file = vendor.get(&path).await;
    assert_eq!(file.header("content-type"), Some("application/x-pem-file"));
    CertificateDer::from_pem_slice(&file.body).unwrap()
}

/// A listener of the real gateway that asks for certificates.
struct Outside {
    at: SocketAddr,
    server: CertificateDer<'static>,
    _stop: tokio::sync::watch::Sender<bool>,
}

impl Outside {
    async fn new(s: &Site, asks: ClientCertificate) -> Self {
        let (server, key) = certificate_for([127, 0, 0, 1], "20991231235959Z");
        let mut roots = rustls::RootCertStore::empty();
        for own in certificates::trusted(s.k()).await.unwrap() {
            roots.add(own.into()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::clone(&provider),
        );
        let verifier = match asks {
            ClientCertificate::Required => verifier.build().unwrap(),
            _ => verifier.allow_unauthenticated().build().unwrap(),
        };
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![server.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let entrance = Arc::new(Entrance { client_certificate: asks, ..Entrance::default() });
        let gateway = s.exchange.plane().unwrap().gateway.clone();
        tokio::spawn(serve(
            listener,
            Door { gateway, pages: None, tls: Some(Arc::new(config)), entrance },
            stopping,
        ));
        Self { at, server, _stop: stop }
    }

    /// Calls with a token over a connection that shows this certificate; the rule that said no, `None` when it was
    /// accepted, and an error when there was no connection.
    async fn call(
        &self,
        token: &str,
        held: Option<(&CertificateDer<'static>, &KeyPair)>,
    ) -> std::io::Result<(u16, String)> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.server.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match held {
            Some((certificate, key)) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                builder.with_client_auth_cert(vec![certificate.clone()], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let tcp = TcpStream::connect(self.at).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        let request = format!(
            "GET /r1/{SERVICE}/cong-dan/038 HTTP/1.1\r\nHost: gw\r\nX-Road-Client: {CONSUMER}\r\nAccept-Language: \
             en\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        // With TLS 1.3 a refused certificate shows with the first bytes that are read.
        let mut probe = [0; 1];
        let peeked = tokio::io::AsyncReadExt::read(&mut stream, &mut probe).await?;
        if peeked == 0 {
            return Err(std::io::Error::other("the connection was closed"));
        }
        let mut whole = tokio::io::AsyncReadExt::chain(&probe[..], stream);
        let answer = read_answer(&mut whole, "GET").await;
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }
}

/// A token of the system, bound to a certificate or to none.
fn token(s: &Site, held: Option<&CertificateDer<'static>>) -> String {
    let shown = held.map(|c| PeerCertificate::new(c.to_vec()));
    let scopes = ["exchange".to_owned()].into();
    s.issuer.issue_bound(s.k(), "mot-cua-1", CONSUMER, &scopes, None, shown.as_ref()).unwrap().token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_is_worth_nothing_without_its_certificate() {
    on_both(async |s: &Site| {
        let k = s.k();
        s.issuer.start(k).await.unwrap();
        certificates::ensure(k).await.unwrap();
        let vendor = vendor(s);
        let client = credential(s, &vendor, "Máy chủ chính").await;
        let (key, next_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let first = certified(s, &vendor, client, &key).await;
        let second = certified(s, &vendor, client, &next_key).await;
        let (own_cert, next) = (downloaded(s, &vendor, first).await, downloaded(s, &vendor, second).await);
        let (held, other) = ((&own_cert, &key), (&next, &next_key));
        let (bound, next_bound, plain) = (token(s, Some(&own_cert)), token(s, Some(&next)), token(s, None));

        let optional = Outside::new(s, ClientCertificate::Optional).await;
        let says = |answer: (u16, String), words: &str| {
            assert_eq!(answer.0, 401, "{}", answer.1);
            assert!(answer.1.contains(words), "{words}: {}", answer.1);
        };
        // Past authentication the sample has no agreement in force: any refusal but 401 means the proof was accepted.
        assert_ne!(optional.call(&bound, Some(held)).await.unwrap().0, 401);
        assert_ne!(optional.call(&next_bound, Some(other)).await.unwrap().0, 401, "two serve side by side");
        assert_ne!(
            optional.call(&plain, None).await.unwrap().0,
            401,
            "a plain token stays a bearer token here"
        );
        says(optional.call(&bound, None).await.unwrap(), "this connection showed none");
        says(optional.call(&bound, Some(other)).await.unwrap(), "another certificate");

        let required = Outside::new(s, ClientCertificate::Required).await;
        assert_ne!(required.call(&bound, Some(held)).await.unwrap().0, 401);
        says(required.call(&plain, Some(held)).await.unwrap(), "only access tokens bound to a certificate");
        assert!(required.call(&bound, None).await.is_err(), "no certificate, no connection");

        // Of another authority, and of ours but over.
        let (foreign, foreign_key) = {
            let key = KeyPair::generate().unwrap();
            (CertificateParams::default().self_signed(&key).unwrap().der().clone(), key)
        };
        assert!(optional.call(&bound, Some((&foreign, &foreign_key))).await.is_err());
        let over = expired(k).await;
        assert!(optional.call(&bound, Some((&over.0, &over.1))).await.is_err(), "an expired certificate");

        // Revoked in the corner: the very next call is refused, the other certificate serves on.
        let path = format!("/exchange/corner/systems/{}/certificates/{first}/revoke", own(k).await);
        assert!(vendor.get(&path).await.text().contains("trong vòng một giây"));
        assert_eq!(vendor.post_form(&path, &[]).await.status, StatusCode::SEE_OTHER);
        says(optional.call(&bound, Some(held)).await.unwrap(), "was revoked");
        assert_ne!(optional.call(&next_bound, Some(other)).await.unwrap().0, 401);
        assert_eq!(vendor.post_form(&path, &[]).await.status, StatusCode::CONFLICT, "once");
    })
    .await;
}

/// A certificate of our authority's making that ended years ago: made with the authority's own key.
async fn expired(k: &Kernel) -> (CertificateDer<'static>, KeyPair) {
    let row = k.db.query_one("SELECT der, sealed FROM identity_authority", params![]).await.unwrap();
    let sealed = k.keys.open("identity/certificate-authority", &row.blob("sealed").unwrap()).unwrap();
    let authority = KeyPair::try_from(sealed.as_slice()).unwrap();
    let der = row.blob("der").unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_der(&der.as_slice().into(), authority).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    (params.signed_by(&key, &issuer).unwrap().der().clone(), key)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corner_refuses_bad_requests_and_shows_what_was_issued() {
    on_both(async |s: &Site| {
        let k = s.k();
        certificates::ensure(k).await.unwrap();
        let vendor = vendor(s);
        let here = format!("/exchange/corner/systems/{}/certificates", own(k).await);
        assert!(vendor.get(&format!("{here}/new")).await.text().contains("BEGIN CERTIFICATE REQUEST"));
        let client = credential(s, &vendor, "Máy chủ chính").await.to_string();
        let key = KeyPair::generate().unwrap();
        let mut bent = request(&key).into_bytes();
        let at = bent.len() / 2;
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).unwrap();
        for csr in ["", "không phải CSR", &"x".repeat(20_000), &bent] {
            let refused = vendor.post_form(&here, &[("client", &client), ("csr", csr)]).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{csr:.40}");
            assert!(
                refused.text().contains("-----") || csr.len() < 30 || csr.starts_with('x'),
                "nothing typed is lost"
            );
        }
        let id = certified(s, &vendor, client.parse().unwrap(), &key).await;
        let list = vendor.get(&here).await.text();
        assert!(
            list.contains("Máy chủ chính") && list.contains("EC P-256") && list.contains("Có hiệu lực"),
            "{list}"
        );
        let page = vendor.get(&format!("{here}/{id}")).await.text();
        let thumbprint = certificates::get(&k.db, id).await.unwrap().thumbprint;
        assert!(page.contains(&thumbprint) && page.contains("--cert motcua.pem"), "{page}");

        // Required for one credential, and no longer; never for one without a certificate.
        let rule = format!("{here}/require/{client}");
        assert!(vendor.get(&rule).await.text().contains("Bắt buộc chứng thư"));
        assert_eq!(vendor.post_form(&rule, &[("only", "true")]).await.status, StatusCode::SEE_OTHER);
        assert!(clients::get(&k.db, client.parse().unwrap()).await.unwrap().certificate_only);
        assert_eq!(vendor.post_form(&rule, &[("only", "false")]).await.status, StatusCode::SEE_OTHER);
        let bare = credential(s, &vendor, "Máy chủ phụ").await;
        let refused = vendor.post_form(&format!("{here}/require/{bare}"), &[("only", "true")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);

        // Another vendor's certificates are not there.
        let other = s.app.log_in_as(&[INTEGRATE], &Reach::Agencies([s.w.provider].into()));
        for path in [here.clone(), format!("{here}/{id}"), format!("{here}/{id}/download"), rule] {
            assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in [here.clone(), format!("{here}/{id}/revoke")] {
            let sent = other.post_form(&path, &[("client", &client), ("csr", &request(&key))]).await;
            assert_eq!(sent.status, StatusCode::NOT_FOUND, "{path}");
        }
        // Five at most.
        for _ in 1..certificates::MOST_VALID {
            certified(s, &vendor, client.parse().unwrap(), &KeyPair::generate().unwrap()).await;
        }
        let many = vendor.post_form(&here, &[("client", &client), ("csr", &request(&key))]).await;
        assert_eq!(many.status, StatusCode::CONFLICT, "{}", many.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_without_a_successor_is_an_alert_until_there_is_one() {
    on_both(async |s: &Site| {
        let k = s.k();
        certificates::ensure(k).await.unwrap();
        let vendor = vendor(s);
        let client = credential(s, &vendor, "Máy chủ chính").await;
        certified(s, &vendor, client, &KeyPair::generate().unwrap()).await;
        let snapshot = s.exchange.keeper().current().load_full();
        let open = async || {
            kernel::alerts::open_keys(&k.db, "exchange.client_certificate.ending:").await.unwrap().len()
        };
        ending::look(k, &snapshot).await.unwrap();
        assert_eq!(open().await, 0);
        s.app.t.clock.advance(Duration::from_secs(340 * 86_400));
        ending::look(k, &snapshot).await.unwrap();
        ending::look(k, &snapshot).await.unwrap();
        assert_eq!(open().await, 1, "once");
        let alert = kernel::alerts::open(&k.db, 10).await.unwrap().remove(0);
        assert!(alert.cause.vi.contains("Máy chủ chính") && alert.since <= k.clock.now(), "{alert:?}");
        certified(s, &vendor, client, &KeyPair::generate().unwrap()).await;
        ending::look(k, &snapshot).await.unwrap();
        assert_eq!(open().await, 0, "renewed");
    })
    .await;
}
