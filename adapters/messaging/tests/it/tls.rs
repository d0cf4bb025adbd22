//! Mail over TLS: STARTTLS and TLS from the first byte, with a password; nothing and no password leaves for a server that
//! cannot prove its name, has an old certificate, or of which somebody on the way says it knows no TLS.

use std::path::Path;
use std::sync::Arc;

use kernel::clock::SystemClock;
use kernel::notices::Gateway;
use messages::{Door, MailServer};
use messaging::{Email, Mail, Security};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{later, message};

/// A certificate of an authority of its own, for a name and until a year; the authority goes into a file.
fn certificate(name: &str, until: i32, authority: &Path) -> Arc<ServerConfig> {
    let mut own = CertificateParams::new(Vec::<String>::new()).unwrap();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(authority, issuer.pem()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config)
}

struct Stage {
    _dir: tempfile::TempDir,
    server: MailServer,
    email: Email,
}

/// A server with this certificate and a password, and the section that fits it.
async fn stage(name: &str, until: i32, change: impl FnOnce(&mut Door)) -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let (authority, password) = (dir.path().join("ca.pem"), dir.path().join("password"));
    std::fs::write(&password, "mật khẩu: $1\n").unwrap();
    let mut door = Door {
        tls: Some(certificate(name, until, &authority)),
        login: Some(("lienthong".into(), "mật khẩu: $1".into())),
        ..Door::default()
    };
    change(&mut door);
    let server = messages::start_mail(door, Arc::new(SystemClock)).await.unwrap();
    let email = Email {
        host: "localhost".into(),
        port: Some(server.address.port()),
        security: Security::Starttls,
        from: "Liên Thông <khong-tra-loi@tinh.example>".into(),
        username: Some("lienthong".into()),
        password_file: Some(password),
        ca_file: Some(authority),
        seconds: 10,
    };
    Stage { _dir: dir, server, email }
}

/// What was said when nothing was to arrive.
async fn fails(stage: &Stage) -> String {
    let mail = Mail::new(&stage.email).unwrap();
    let reached = mail.reach().await.unwrap_err();
    let said = later(mail.send(message("a@xa.example", "s", "bí mật")).await).0;
    assert!(stage.server.mailbox.all().is_empty());
    assert!(!said.contains("$1") && !reached.contains("$1"), "{said} / {reached}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_arrives_over_starttls_and_over_tls_with_a_password() {
    for wrapped in [false, true] {
        let mut stage = stage("localhost", 2090, |door| door.wrapped = wrapped).await;
        if wrapped {
            stage.email.security = Security::Tls;
        }
        let mail = Mail::new(&stage.email).unwrap();
        assert!(mail.standing().encrypted);
        mail.reach().await.unwrap();
        mail.send(message("a@xa.example", "Sự cố", "Cổng không trả lời")).await.unwrap();
        let arrived = stage.server.mailbox.at("a@xa.example");
        assert_eq!((arrived.len(), arrived[0].subject.as_str()), (1, "Sự cố"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_for_a_server_that_does_not_prove_itself() {
    let other_name = stage("mail.ke-gian.example", 2090, |_| {}).await;
    let said = fails(&other_name).await;
    assert!(said.contains("not valid for") || said.contains("NotValidForName"), "{said}");
    let old = stage("localhost", 2021, |_| {}).await;
    let said = fails(&old).await;
    assert!(said.to_lowercase().contains("expired"), "{said}");
    let mut unknown = stage("localhost", 2090, |_| {}).await;
    unknown.email.ca_file = None;
    fails(&unknown).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_gets_nothing() {
    let hidden = stage("localhost", 2090, |door| door.stripped = true).await;
    fails(&hidden).await;
    let plain = stage("localhost", 2090, |door| (door.tls, door.login) = (None, None)).await;
    fails(&plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_our_fault_and_tried_again() {
    let stage = stage("localhost", 2090, |door| {
        door.login = Some(("lienthong".into(), "khác".into()));
    })
    .await;
    let said = fails(&stage).await;
    assert!(said.contains("535") || said.contains("password is wrong"), "{said}");
}
