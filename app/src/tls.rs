//! The server's certificate: read from PEM files, read again when they change, never replaced by a broken one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use kernel::entrance::{ClientCertificate, Tls};
use kernel::identity::certificates;

/// The TLS configuration of a listener.
///
/// # Errors
/// When the files cannot be read or do not fit each other.
pub fn config(
    files: &Tls,
    asks: ClientCertificate,
    roots: &Arc<RootCertStore>,
) -> anyhow::Result<Arc<ServerConfig>> {
    let Tls { certificate, key } = files.clone();
    let loaded = Loaded { changed: changed(&certificate), key: load(&certificate, &key)? };
    let resolver = Reloading { certificate, key, loaded: Mutex::new(loaded) };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = || WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider));
    let verifier = match asks {
        ClientCertificate::None => WebPkiClientVerifier::no_client_auth(),
        ClientCertificate::Optional => verifier().allow_unauthenticated().build()?,
        ClientCertificate::Required => verifier().build()?,
    };
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The authorities whose client certificates are accepted: the platform's own, and those of the configuration.
///
/// # Errors
/// When the database is away, or a file cannot be read.
pub async fn authorities(k: &kernel::Kernel) -> anyhow::Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    for own in certificates::trusted(k).await? {
        roots.add(own.into())?;
    }
    for file in &certificates::Settings::read(&k.config)?.authorities {
        for one in read_authorities(file)? {
            roots.add(one).with_context(|| format!("{} holds what is no authority", file.display()))?;
        }
    }
    Ok(Arc::new(roots))
}

/// The certificates of a file of authorities.
///
/// # Errors
/// When it cannot be read or holds none.
pub fn read_authorities(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("the authorities {} cannot be read", file.display()))?;
    anyhow::ensure!(!all.is_empty(), "{} holds no certificate", file.display());
    Ok(all)
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
