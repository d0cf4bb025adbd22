//! Client certificates: what is issued for a request, whom it proves, tokens bound to it, and their end, on every backend.

use std::time::Duration;

use base::clock::Timestamp;
use base::i18n::Lang;
use kernel::entrance::PeerCertificate;
use kernel::identity::certificates::{self, CertificateId, State};
use kernel::identity::clients::{self, Client, ClientId, NewClient};
use kernel::tokens::oauth;
use kernel::tokens::{Confirmation, Door, Revocation, Revoked, Settings, TokenError, TokenIssuer};
use kernel::{Cx, Kernel};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SanType};
use testkit::on_both;
use x509_parser::prelude::{FromDer, X509Certificate};

fn cx(k: &Kernel) -> Cx {
    Cx::kernel("test", k.clock.now())
}

async fn client(k: &Kernel, name: &str) -> (Client, String) {
    let (id, secret) = (ClientId::new(&*k.clock, &*k.random), clients::new_secret(&*k.random));
    let scopes = ["exchange".to_owned()].into();
    let mut tx = k.begin(&cx(k)).await.unwrap();
    let new = NewClient {
        id,
        client_id: name,
        name,
        subsystem: "VN/GOV/H38/mot-cua",
        scopes: &scopes,
        secret: &secret,
        expires_at: None,
    };
    assert!(clients::add(&mut tx, k, &new).await.unwrap());
    tx.commit().await.unwrap();
    (clients::get(&k.db, id).await.unwrap(), secret.expose().to_owned())
}

/// A request that asks for far more than it gets.
fn greedy(key: &KeyPair) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.subject_alt_names = vec![SanType::DnsName("chinhphu.vn".try_into().unwrap())];
    params.serialize_request(key).unwrap().der().to_vec()
}

async fn issue(k: &Kernel, client: &Client) -> (CertificateId, PeerCertificate) {
    let key = KeyPair::generate().unwrap();
    let requested = certificates::read(&greedy(&key)).unwrap();
    let signed = certificates::sign(k, client, &requested).await.unwrap();
    let mut tx = k.begin(&cx(k)).await.unwrap();
    let (id, _) = certificates::add(&mut tx, client.id, signed).await.unwrap();
    tx.commit().await.unwrap();
    let pem = certificates::pem(&k.db, id).await.unwrap();
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    (id, PeerCertificate::new(block.contents))
}

#[tokio::test]
async fn what_is_issued_takes_the_key_and_nothing_else_from_the_request() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        certificates::ensure(k).await.unwrap();
        certificates::ensure(k).await.unwrap();
        let trusted = certificates::trusted(k).await.unwrap();
        assert_eq!(trusted.len(), 1, "made once");
        let (_, authority) = X509Certificate::from_der(&trusted[0]).unwrap();
        assert!(authority.is_ca());
        let (one, _) = client(k, "one-stop").await;
        let (id, shown) = issue(k, &one).await;
        let (_, made) = X509Certificate::from_der(shown.der()).unwrap();
        assert!(!made.is_ca());
        assert_eq!(made.subject().to_string(), "CN=one-stop");
        assert!(made.subject_alternative_name().unwrap().is_none(), "no foreign name");
        let usage = made.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth && !usage.any && !usage.code_signing);
        made.verify_signature(Some(authority.public_key())).unwrap();
        let known = certificates::get(&k.db, id).await.unwrap();
        assert_eq!(known.not_after.seconds(), made.validity().not_after.timestamp());
        assert_eq!((known.key.as_str(), known.state(k.clock.now())), ("EC P-256", State::Valid));
        let row = k.db.query_one("SELECT sealed FROM identity_authority", vec![]).await.unwrap();
        assert!(k.keys.open("identity/other", &row.blob("sealed").unwrap()).is_err(), "the key lies sealed");
    })
    .await;
}

/// Asks for a token; the error's code, or the token.
async fn token(
    k: &Kernel,
    issuer: &TokenIssuer,
    body: &str,
    shown: Option<&PeerCertificate>,
) -> Result<String, &'static str> {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let body = format!("grant_type=client_credentials&{body}");
    let request = oauth::parse(&headers, body.as_bytes()).map_err(|e| e.code.as_str())?;
    let stranger = Cx::stranger("r-1", Lang::Vi, k.clock.now());
    let given = Door::default().grant(k, issuer, &stranger, &request, "192.0.2.7", shown).await.unwrap();
    given.map(|t| t.access_token).map_err(|e| e.code.as_str())
}

#[tokio::test]
async fn a_certificate_proves_its_own_client_and_binds_the_token_to_itself() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let issuer =
            TokenIssuer::new(Settings { issuer: "https://lt.example".into(), ..Settings::default() });
        issuer.start(k).await.unwrap();
        certificates::ensure(k).await.unwrap();
        let ((one, secret), (other, _)) = (client(k, "one-stop").await, client(k, "other-one").await);
        let ((first, shown), (_, foreign)) = (issue(k, &one).await, issue(k, &other).await);
        let (_, second) = issue(k, &one).await;
        let own = "client_id=one-stop";
        let with_secret = format!("{own}&client_secret={secret}");

        assert_eq!(token(k, &issuer, own, None).await, Err("invalid_client"), "a name alone proves nothing");
        assert_eq!(token(k, &issuer, own, Some(&foreign)).await, Err("invalid_client"));
        let unknown = PeerCertificate::new(vec![0x30, 0]);
        assert_eq!(token(k, &issuer, own, Some(&unknown)).await, Err("invalid_client"));
        let plain = token(k, &issuer, &with_secret, Some(&foreign)).await.unwrap();
        let claims = issuer.verify(&plain, k.clock.now()).unwrap();
        assert_eq!(claims.cnf, None, "a certificate of somebody else binds nothing");

        for (body, held) in [(own, &shown), (own, &second), (with_secret.as_str(), &shown)] {
            let bound = token(k, &issuer, body, Some(held)).await.unwrap();
            let claims = issuer.verify(&bound, k.clock.now()).unwrap();
            assert_eq!(claims.confirmed(Some(held)), Ok(()));
            assert_eq!(claims.confirmed(None), Err(TokenError::CertificateMissing));
            assert_eq!(claims.confirmed(Some(&foreign)), Err(TokenError::CertificateOther));
        }

        // Where a certificate is required, the secret alone is not enough any more.
        let mut tx = k.begin(&cx(k)).await.unwrap();
        clients::set_certificate_only(&mut tx, one.id, true).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(token(k, &issuer, &with_secret, None).await, Err("invalid_client"));
        assert_eq!(token(k, &issuer, &with_secret, Some(&foreign)).await, Err("invalid_client"));
        assert!(token(k, &issuer, own, Some(&shown)).await.is_ok());

        // Revoked: no new token, and those bound to it end; the other certificate goes on serving.
        let (dead, alive) = (
            token(k, &issuer, own, Some(&shown)).await.unwrap(),
            token(k, &issuer, own, Some(&second)).await.unwrap(),
        );
        let now = k.clock.now();
        let mut tx = k.begin(&cx(k)).await.unwrap();
        certificates::revoke(&mut tx, first, now).await.unwrap();
        let revocation =
            Revocation { what: Revoked::Certificate(Confirmation::of(&shown).certificate), at: now };
        issuer.revoke(&mut tx, &revocation).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(token(k, &issuer, own, Some(&shown)).await, Err("invalid_client"));
        issuer.learn([revocation], now);
        assert_eq!(issuer.verify(&dead, k.clock.now()).unwrap_err(), TokenError::Revoked);
        assert!(issuer.verify(&alive, k.clock.now()).is_ok());
        // Another process reads the revocation from the table.
        let elsewhere =
            TokenIssuer::new(Settings { issuer: "https://lt.example".into(), ..Settings::default() });
        elsewhere.start(k).await.unwrap();
        assert_eq!(elsewhere.verify(&dead, k.clock.now()).unwrap_err(), TokenError::Revoked);
    })
    .await;
}

#[tokio::test]
async fn a_certificate_ends_and_takes_its_tokens_with_it() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let issuer =
            TokenIssuer::new(Settings { issuer: "https://lt.example".into(), ..Settings::default() });
        issuer.start(k).await.unwrap();
        certificates::ensure(k).await.unwrap();
        let (one, _) = client(k, "one-stop").await;
        let (id, shown) = issue(k, &one).await;
        let known = certificates::get(&k.db, id).await.unwrap();
        let ending = async |at: Timestamp| {
            certificates::ending(&k.db, at, at.plus(certificates::ENDING)).await.unwrap().len()
        };
        assert_eq!(ending(k.clock.now()).await, 0);
        t.clock.advance(Duration::from_secs(360 * 86_400));
        assert_eq!((ending(k.clock.now()).await, known.state(k.clock.now())), (1, State::Ending));
        t.clock.advance(Duration::from_secs(5 * 86_400 - 60));
        let last = token(k, &issuer, "client_id=one-stop", Some(&shown)).await.unwrap();
        let claims = issuer.verify(&last, k.clock.now()).unwrap();
        assert_eq!(claims.exp, known.not_after.seconds(), "the token ends with its certificate");
        t.clock.advance(Duration::from_secs(61));
        assert_eq!(token(k, &issuer, "client_id=one-stop", Some(&shown)).await, Err("invalid_client"));
        assert_eq!(issuer.verify(&last, k.clock.now()).unwrap_err(), TokenError::Expired);
        assert_eq!((ending(k.clock.now()).await, known.state(k.clock.now())), (0, State::Ended));
    })
    .await;
}
