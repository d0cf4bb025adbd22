//! The server's certificate from an authority that speaks ACME: got at the first start, renewed long before its end, put
//! into the file the server reads anew by itself. Until the first one is there a temporary one of our own stands in it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acme::{Issued, Proofs, Settings};
use kernel::certificate::{Described, describe};
use kernel::clock::Timestamp;
use kernel::i18n::Text;
use kernel::{Error, Finding, Kernel, Module, Result};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::t;

/// What keeps nobody from being served.
pub const ADVISORY: &[&str] = &[CHECK];
const CHECK: &str = "server.acme";

/// Directory of account and certificate, in the data directory.
const DIR: &str = "acme";
/// Certificate and key, in one file so that they always fit each other.
const FILE: &str = "certificate.pem";
/// Issuer of the temporary certificate.
const TEMPORARY: &str = "Lien Thong (tam thoi)";
/// Days for which it holds: soon enough that the morning page speaks of it.
const STANDS_IN: i64 = 14;
const FIRST: Duration = Duration::from_secs(3);
const EVERY: Duration = Duration::from_secs(30);
/// How long to wait after a failure, doubled each time: authorities count failures by the hour.
const AGAIN: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(6 * 3_600);

/// The file of a data directory.
pub fn file(data: &Path) -> PathBuf {
    data.join(DIR).join(FILE)
}

/// The module.
#[derive(Clone)]
pub struct Renewal {
    settings: Settings,
    origin: String,
    proofs: Proofs,
    failed: Arc<Mutex<Option<Failed>>>,
}

#[derive(Debug, Clone)]
struct Failed {
    why: String,
    next: Timestamp,
    times: u32,
}

impl Renewal {
    /// By the section `[acme]`; who comes over plain HTTP is sent on to `origin`.
    pub fn new(settings: Settings, origin: String) -> Self {
        Self { settings, origin, proofs: Proofs::default(), failed: Arc::default() }
    }

    fn failed(&self) -> MutexGuard<'_, Option<Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the certificate there is should be replaced: at once when it is not one, is ours, or is for other names.
    fn due(&self, there: Option<&Described>) -> Timestamp {
        let Some(there) = there.filter(|c| !c.issuer.contains(TEMPORARY)) else {
            return Timestamp::from_micros(0);
        };
        let mut wanted = self.settings.names.clone();
        let mut has = there.names.clone();
        wanted.sort_unstable();
        has.sort_unstable();
        if wanted != has {
            return Timestamp::from_micros(0);
        }
        let before = match self.settings.renew_days {
            0 => there.not_after.since(there.not_before) / 3,
            days => Duration::from_secs(u64::from(days) * 86_400),
        };
        there.not_after.minus(before)
    }

    async fn watch(self, k: Kernel) {
        let mut stop = k.stopping();
        let mut listening = false;
        // A command that opens the platform for a moment is gone before anything is asked for.
        tokio::select! {
            () = tokio::time::sleep(FIRST) => {}
            _ = stop.changed() => return,
        }
        loop {
            if !listening {
                let served = self.proofs.serve(self.settings.listen, self.origin.clone(), k.stopping()).await;
                match served {
                    Ok(_) => listening = true,
                    Err(e) => self.note(&k, &format!("{} cannot be listened on: {e}", self.settings.listen)),
                }
            }
            let wait = self.failed().as_ref().is_some_and(|f| f.next > k.clock.now());
            if listening && !wait && self.due(read(&file(&k.data_dir)).as_ref()) <= k.clock.now() {
                let got = tokio::select! {
                    got = self.renew(&k) => got,
                    _ = stop.changed() => return,
                };
                match got {
                    Ok(()) => *self.failed() = None,
                    Err(e) => self.note(&k, e.chain().trim_start_matches("internal fault: ")),
                }
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => return,
            }
        }
    }

    fn note(&self, k: &Kernel, why: &str) {
        tracing::error!(error = why, "no certificate could be got");
        let mut failed = self.failed();
        let times = failed.as_ref().map_or(0, |f| f.times) + 1;
        let wait = (AGAIN * 2_u32.saturating_pow((times - 1).min(8))).min(LONGEST);
        *failed = Some(Failed { why: why.to_owned(), next: k.clock.now().plus(wait), times });
    }

    async fn renew(&self, k: &Kernel) -> Result<()> {
        let dir = k.data_dir.join(DIR);
        let issued = acme::obtain(&self.settings, &dir, &self.proofs).await?;
        let first = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).next();
        let first = first.and_then(std::result::Result::ok);
        let said = first.and_then(|der| describe(&der));
        let Some(said) = said.filter(|c| c.not_after > k.clock.now()) else {
            return Err(Error::internal("the authority gave a certificate that is none, or has ended"));
        };
        put(&file(&k.data_dir), &issued)?;
        tracing::info!(until = said.not_after.vn(), issuer = said.issuer, "a new certificate is in use");
        Ok(())
    }
}

#[async_trait::async_trait]
impl Module for Renewal {
    fn name(&self) -> &'static str {
        "renewal"
    }

    async fn start(&self, k: &Kernel) -> Result<()> {
        if self.settings.is_on() {
            stand_in(&file(&k.data_dir), &self.settings.names, k.clock.now())?;
            tokio::spawn(self.clone().watch(k.clone()));
        }
        Ok(())
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        if !self.settings.is_on() {
            return Vec::new();
        }
        let there = read(&file(&k.data_dir));
        let end = there.as_ref().map_or_else(String::new, |c| c.not_after.vn());
        let text = match (&*self.failed(), &there) {
            (Some(f), _) => {
                let (why, next, end) = (f.why.clone(), f.next.vn(), end.clone());
                Text::both(|l| t::acme_failed(l, t::AcmeFailed { end: &end, next: &next, why: &why }))
            }
            (None, Some(c)) if c.issuer.contains(TEMPORARY) => Text::both(|l| t::acme_begun(l).to_owned()),
            (None, _) => {
                let renew = self.due(there.as_ref()).vn();
                Text::both(|l| t::acme_good(l, t::AcmeGood { end: &end, renew: &renew }))
            }
        };
        let ok = self.failed().is_none();
        vec![Finding { check: CHECK, title: Text::both(|l| t::acme_title(l).to_owned()), ok, text }]
    }
}

impl web::Pages for Renewal {
    fn routes(&self) -> web::Routes {
        web::Routes::new()
    }
}

fn read(path: &Path) -> Option<Described> {
    let first = CertificateDer::pem_file_iter(path).ok()?.next()?.ok()?;
    describe(&first)
}

/// A certificate of our own for the time until the first one is there.
///
/// # Errors
/// Names that cannot stand in a certificate; faults of the disk.
pub fn stand_in(path: &Path, names: &[String], now: Timestamp) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    let key = KeyPair::generate().map_err(Error::internal)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(Error::internal)?;
    params.distinguished_name.push(DnType::CommonName, TEMPORARY);
    let ((y, m, d), (to_y, to_m, to_d)) = (day(now, -1)?, day(now, STANDS_IN)?);
    params.not_before = rcgen::date_time_ymd(y, m, d);
    params.not_after = rcgen::date_time_ymd(to_y, to_m, to_d);
    let own = params.self_signed(&key).map_err(Error::internal)?;
    put(path, &Issued { chain: own.pem(), key: key.serialize_pem() })
}

/// So many days from a moment: year, month, day.
fn day(now: Timestamp, days: i64) -> Result<(i32, u8, u8)> {
    let date = now.date().plus_days(days).ok_or_else(|| Error::internal("the clock is wrong"))?;
    let part = |n: i8| u8::try_from(n).map_err(Error::internal);
    Ok((i32::from(date.year()), part(date.month())?, part(date.day())?))
}

/// Puts certificate and key in place together: whole or not at all, for the owner alone.
fn put(path: &Path, issued: &Issued) -> Result<()> {
    let half = path.with_extension("half");
    let _ = fs::remove_file(&half);
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
    out.write_all(format!("{}\n{}", issued.chain.trim_end(), issued.key).as_bytes())?;
    out.sync_all()?;
    Ok(fs::rename(&half, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renewal(renew_days: u32) -> Renewal {
        let settings = Settings { names: vec!["lt.vn".into()], renew_days, ..Settings::default() };
        Renewal::new(settings, "https://lt.vn".into())
    }

    fn certificate(issuer: &str, name: &str) -> Described {
        Described {
            subject: String::new(),
            issuer: issuer.into(),
            names: vec![name.into()],
            not_before: "2026-09-01T00:00:00Z".parse().unwrap(),
            not_after: "2026-11-30T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn it_is_renewed_a_third_of_its_life_before_the_end() {
        let at = |r: &Renewal, c: Option<Described>| r.due(c.as_ref()).rfc3339();
        let now = "1970-01-01T00:00:00.000000Z";
        assert_eq!(at(&renewal(0), Some(certificate("CA", "lt.vn"))), "2026-10-31T00:00:00.000000Z");
        assert_eq!(at(&renewal(7), Some(certificate("CA", "lt.vn"))), "2026-11-23T00:00:00.000000Z");
        assert_eq!(at(&renewal(0), None), now);
        assert_eq!(at(&renewal(0), Some(certificate("CA", "other.vn"))), now);
        assert_eq!(at(&renewal(0), Some(certificate(&format!("CN={TEMPORARY}"), "lt.vn"))), now);
    }

    #[test]
    fn what_stands_in_serves_and_is_known_as_temporary() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path());
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        stand_in(&path, &["lt.vn".into()], now).unwrap();
        let said = read(&path).unwrap();
        assert!(said.issuer.contains(TEMPORARY) && said.names == ["lt.vn"], "{said:?}");
        assert!(said.not_before < now && said.not_after > now && said.not_after.vn().contains("12/2026"));
        let before = fs::read(&path).unwrap();
        stand_in(&path, &["lt.vn".into()], now).unwrap();
        assert_eq!(fs::read(&path).unwrap(), before, "what is there stays");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
