//! A certificate from Pebble, the test authority of RFC 8555 (`apt install pebble`): it verifies signatures and nonces and
//! really fetches the proof. It refuses one nonce in twenty on purpose.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use acme::{Proofs, Settings, obtain};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::process::{Child, Command};
use tokio::sync::watch;

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The authority, and the port at which it looks for proofs.
struct Pebble {
    _child: Child,
    settings: Settings,
}

/// Starts it in `dir`; nothing where it is not installed.
async fn pebble(dir: &Path) -> Option<Pebble> {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (certificate, key_file) = (dir.join("own.pem"), dir.join("own.key"));
    std::fs::write(&certificate, own.pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    let (listen, manage, proofs) = (port(), port(), port());
    let config = format!(
        r#"{{"pebble": {{"listenAddress": "127.0.0.1:{listen}", "managementListenAddress": "127.0.0.1:{manage}",
        "certificate": {certificate:?}, "privateKey": {key_file:?}, "httpPort": {proofs}, "tlsPort": {},
        "ocspResponderURL": "", "externalAccountBindingRequired": false}}}}"#,
        port()
    );
    std::fs::write(dir.join("pebble.json"), config).unwrap();
    let child = Command::new("pebble")
        .arg("-config")
        .arg(dir.join("pebble.json"))
        .env("PEBBLE_VA_NOSLEEP", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let child = match child {
        Ok(child) => child,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            testkit::skip("pebble is not installed");
            return None;
        }
        Err(e) => panic!("{e}"),
    };
    for _ in 0..600 {
        if tokio::net::TcpStream::connect(("127.0.0.1", listen)).await.is_ok() {
            let settings = Settings {
                directory: format!("https://localhost:{listen}/dir"),
                names: vec!["localhost".into()],
                contact: "van-hanh@tinhmau.example".into(),
                agree_to_terms: true,
                listen: SocketAddr::from(([127, 0, 0, 1], proofs)),
                ca_file: Some(certificate),
                ..Settings::default()
            };
            return Some(Pebble { _child: child, settings });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("pebble does not listen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_issued_for_the_names_that_were_proved() {
    let dir = tempfile::tempdir().unwrap();
    let Some(pebble) = pebble(dir.path()).await else { return };
    let (_stop, stopping) = watch::channel(false);
    let proofs = Proofs::default();
    let settings = &pebble.settings;

    // Nobody shows the proof: the authority says what it found.
    let e = obtain(settings, dir.path(), &proofs).await.err().unwrap().chain();
    assert!(e.contains("acme-challenge") && e.contains("refused"), "{e}");
    let account = dir.path().join("account.json");
    assert_eq!(std::fs::metadata(&account).unwrap().permissions().mode() & 0o777, 0o600);
    let first = std::fs::read(&account).unwrap();

    let origin = "https://localhost:8443".to_owned();
    proofs.serve(settings.listen, origin, stopping).await.unwrap();
    let issued = obtain(settings, dir.path(), &proofs).await.unwrap();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).map(Result::unwrap).collect();
    assert!(chain.len() > 1, "with what stands above it");
    let said = kernel::certificate::describe(&chain[0]).unwrap();
    assert_eq!(said.names, ["localhost"]);
    assert!(said.issuer.contains("Pebble"), "{said:?}");
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    assert!(rustls::sign::CertifiedKey::from_der(chain, key, &provider).is_ok(), "the key fits");
    assert_eq!(std::fs::read(&account).unwrap(), first, "one account");

    let again = obtain(settings, dir.path(), &proofs).await.unwrap();
    assert_ne!(again.key, issued.key, "a new key each time");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_away_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        directory: format!("https://localhost:{}/dir", port()),
        names: vec!["localhost".into()],
        agree_to_terms: true,
        ..Settings::default()
    };
    let e = obtain(&settings, dir.path(), &Proofs::default()).await.err().unwrap().chain();
    assert!(e.contains(&settings.directory), "{e}");
    assert!(!dir.path().join("account.json").exists());
}
