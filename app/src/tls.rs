//! The server's certificate: read from PEM files, read again when they change, never replaced by a broken one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use kernel::entrance::Tls;

/// The TLS configuration of a listener.
///
/// # Errors
/// When the files cannot be read or do not fit each other.
pub fn config(files: &Tls) -> anyhow::Result<Arc<ServerConfig>> {
    let Tls { certificate, key } = files.clone();
    let loaded = Loaded { changed: changed(&certificate), key: load(&certificate, &key)? };
    let resolver = Reloading { certificate, key, loaded: Mutex::new(loaded) };
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Reloading {
    certificate: PathBuf,
    key: PathBuf,
    loaded: Mutex<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    changed: Option<SystemTime>,
    key: Arc<CertifiedKey>,
}

fn changed(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}

fn load(certificate: &PathBuf, key: &PathBuf) -> anyhow::Result<Arc<CertifiedKey>> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("the certificate {} cannot be read", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("the TLS key {} cannot be read", key.display()))?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let certified =
        CertifiedKey::from_der(chain, key, &provider).context("certificate and TLS key do not fit")?;
    Ok(Arc::new(certified))
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = changed(&self.certificate);
        if now.is_some() && now != loaded.changed {
            match load(&self.certificate, &self.key) {
                Ok(key) => *loaded = Loaded { changed: now, key },
                Err(e) => {
                    loaded.changed = now;
                    tracing::error!(
                        error = crate::chain(&e),
                        "the new certificate is not usable; the old one stays"
                    );
                }
            }
        }
        Some(loaded.key.clone())
    }
}
