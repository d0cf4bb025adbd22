//! Until when do the listeners' own certificates hold? As they lie on the disk: a new one is taken up by itself.

use std::path::PathBuf;

use base::clock::Timestamp;
use base::i18n::Text;
use kernel::entrance::Server;
use kernel::{Error, Kernel, certificate};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::impossible;
use crate::check::{Check, State};
use crate::t;

const NAME: &str = "server.certificate";
const DAY: i64 = 86_400_000_000;

/// The one that ends first. Nothing when no listener speaks TLS: then something else in front of it holds the certificate.
pub(super) async fn check(k: &Kernel) -> Option<Check> {
    let all = k.config.section::<Server>("server").unwrap_or_default().listeners().unwrap_or_default();
    let files: Vec<PathBuf> = all.into_iter().filter_map(|l| l.tls).map(|tls| tls.certificate).collect();
    if files.is_empty() {
        return None;
    }
    let title = Text::both(t::title_certificate);
    let first = tokio::task::spawn_blocking(move || first(&files)).await;
    Some(match first.map_err(Error::internal).and_then(|first| first) {
        Ok((end, file)) => judged(title, k.clock.now(), end, &file.display().to_string()),
        Err(e) => impossible(NAME, title, &e),
    })
}

/// The earliest end among files, with its file.
fn first(files: &[PathBuf]) -> kernel::Result<(Timestamp, PathBuf)> {
    let ends = files.iter().map(|file| Ok((end(file)?, file.clone()))).collect::<kernel::Result<Vec<_>>>()?;
    ends.into_iter().min().ok_or_else(|| Error::internal("there is no certificate"))
}

fn end(path: &std::path::Path) -> kernel::Result<Timestamp> {
    let chain = CertificateDer::pem_file_iter(path).map_err(Error::internal)?;
    let mut ends = Vec::new();
    for certificate in chain {
        let certificate = certificate.map_err(Error::internal)?;
        ends.extend(certificate::not_after(&certificate));
    }
    ends.into_iter().min().ok_or_else(|| Error::internal("the file holds no certificate"))
}

fn judged(title: Text, now: Timestamp, end: Timestamp, file: &str) -> Check {
    let days = (end.micros() - now.micros()).div_euclid(DAY);
    let text = Text::both(|l| t::certificate_ends(l, t::CertificateEnds { end: end.vn(), file }));
    let state = match days {
        ..7 => State::Bad,
        7..30 => State::Warning,
        _ => return Check::good(NAME, title, text),
    };
    Check::wrong(NAME, title, state, text, Text::both(t::todo_certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_of_a_month_before() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let title = || Text::both(|_| "x");
        let state = |days: i64| {
            judged(title(), now, Timestamp::from_micros(now.micros() + days * DAY), "a.pem").state
        };
        assert_eq!(
            [state(-1), state(6), state(7), state(29), state(30)],
            [State::Bad, State::Bad, State::Warning, State::Warning, State::Good]
        );
    }

    #[test]
    fn a_file_without_a_certificate_is_said_to_be_one() {
        assert!(end(std::path::Path::new("/nonexistent.pem")).is_err());
    }
}
