//! Over which ways the platform is reached and reaches others: its addresses and TLS, the database, mail, the store.

use std::net::IpAddr;
use std::path::PathBuf;

use kernel::certificate::{Described, describe};
use kernel::clock::{Clock, SystemClock};
use kernel::entrance::Listening;
use kernel::i18n::Text;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Line;
use crate::settings::Settings;
use crate::t;

pub(super) fn lines(settings: &Settings) -> Vec<Line> {
    vec![addresses(settings), tls(settings), database(settings), mail(settings), store(settings)]
}

/// What listens; a configuration with faults is `check`'s to explain.
fn listeners(settings: &Settings) -> Vec<Listening> {
    settings.server.listeners().unwrap_or_default()
}

fn addresses(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("server.addresses", t::h_addresses_title);
    let all = listeners(settings);
    let named = |of: &[&Listening]| of.iter().map(|l| l.address.to_string()).collect::<Vec<_>>().join(", ");
    let open: Vec<&Listening> = all.iter().filter(|l| !l.address.ip().is_loopback()).collect();
    if open.is_empty() {
        let local = named(&all.iter().collect::<Vec<_>>());
        return Line::passed(check, title, Text::both(|l| t::h_addresses_local(l, &local)));
    }
    let plain: Vec<&Listening> = open.iter().copied().filter(|l| l.tls.is_none()).collect();
    if plain.is_empty() {
        return Line::passed(check, title, Text::both(|l| t::h_addresses_tls(l, named(&open))));
    }
    let why = Text::both(|l| t::h_addresses_plain(l, named(&plain)));
    Line::failed(check, title, why, t::h_addresses_remedy)
}

/// The worst of the listeners: without TLS where it can be reached, else whose certificate cannot be read or ends first.
fn tls(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("server.tls", t::h_tls_title);
    let all = listeners(settings);
    if all.iter().any(|l| l.tls.is_none() && !l.address.ip().is_loopback()) {
        return Line::failed(check, title, Text::both(t::h_tls_none), t::h_addresses_remedy);
    }
    let files: Vec<PathBuf> = all.into_iter().filter_map(|l| l.tls).map(|tls| tls.certificate).collect();
    let mut first_to_end: Option<Described> = None;
    for file in &files {
        let leaf =
            CertificateDer::pem_file_iter(file).ok().and_then(|mut all| all.next()).and_then(|c| c.ok());
        let Some(found) = leaf.and_then(|der| describe(&der)) else {
            let why = Text::both(|l| t::h_tls_unreadable(l, file.display()));
            return Line::unknown(check, title, why, t::h_tls_remedy);
        };
        if first_to_end.as_ref().is_none_or(|first| found.not_after < first.not_after) {
            first_to_end = Some(found);
        }
    }
    match first_to_end {
        None => Line::unknown(check, title, Text::both(t::h_tls_front), t::h_tls_front_remedy),
        Some(c) if c.not_after > SystemClock.now() => {
            let (end, issuer) = (c.not_after.vn(), c.issuer);
            let why = Text::both(|l| t::h_tls_good(l, t::HTlsGood { end: &end, issuer: &issuer }));
            Line::passed(check, title, why)
        }
        Some(c) => {
            let why = Text::both(|l| t::h_tls_ended(l, c.not_after.vn()));
            Line::failed(check, title, why, t::h_tls_remedy)
        }
    }
}

fn database(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("database.local", t::h_database_title);
    let url = settings.database_url();
    if url.starts_with("sqlite:") {
        return Line::passed(check, title, Text::both(t::h_database_file));
    }
    let Some((host, port)) = host_and_port(&url) else {
        return Line::passed(check, title, Text::both(t::h_database_socket));
    };
    if !is_local(&host) {
        let encrypted = ["sslmode=verify-full", "sslmode=verify-ca"].iter().any(|mode| url.contains(mode));
        return match encrypted {
            true => {
                let why = Text::both(|l| t::h_database_remote_tls(l, &host));
                Line::unknown(check, title, why, t::h_database_remote_remedy)
            }
            false => {
                let why = Text::both(|l| t::h_database_remote(l, &host));
                Line::failed(check, title, why, t::h_database_remote_tls_remedy)
            }
        };
    }
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|f| std::fs::read_to_string(f).unwrap_or_default());
    match tables.iter().any(|table| listens_openly(table, port)) {
        true => {
            let why = Text::both(|l| t::h_database_open(l, port));
            Line::failed(check, title, why, t::h_database_open_remedy)
        }
        false => Line::passed(check, title, Text::both(|l| t::h_database_local(l, port))),
    }
}

/// Host and port of `postgres://user:password@host:port/…`; none for a socket.
fn host_and_port(url: &str) -> Option<(String, u16)> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?']).next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (place, 5432),
    };
    let host = host.trim_matches(['[', ']']);
    (!host.is_empty() && !host.starts_with("%2F")).then(|| (host.to_owned(), port))
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a table of the kernel (`/proc/net/tcp`) has this port listening beyond the loopback interface.
fn listens_openly(table: &str, port: u16) -> bool {
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(local), _, Some(state)) = (fields.next(), fields.next(), fields.next()) else {
            return false;
        };
        let Some((address, at)) = local.split_once(':') else { return false };
        // In the machine's byte order, four bytes at a time: 127.0.0.1 and ::1 (also as ::ffff:127.0.0.1).
        let loopback = address == "0100007F"
            || address == "00000000000000000000000001000000"
            || address == "0000000000000000FFFF00000100007F";
        state == "0A" && u16::from_str_radix(at, 16) == Ok(port) && !loopback
    })
}

fn mail(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("channels.mail", t::h_mail_title);
    let section = settings.config.section::<messaging::Settings>("channels").unwrap_or_default();
    let Some(email) = section.email else {
        return Line::unknown(check, title, Text::both(t::h_mail_none), t::h_mail_none_remedy);
    };
    if email.security == messaging::Security::None && !is_local(&email.host) {
        let why = Text::both(|l| t::h_mail_plain(l, &email.host));
        return Line::failed(check, title, why, t::h_mail_remedy);
    }
    Line::passed(check, title, Text::both(|l| t::h_mail_good(l, &email.host)))
}

fn store(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("backups.elsewhere", t::h_elsewhere_title);
    let section: objects::Settings = settings.config.section("offsite").unwrap_or_default();
    let backup: backups::Settings = settings.config.section("backup").unwrap_or_default();
    if section.endpoint.starts_with("http://") && !section.bucket.is_empty() {
        let why = Text::both(|l| t::h_elsewhere_plain(l, &section.endpoint));
        return Line::failed(check, title, why, t::h_elsewhere_plain_remedy);
    }
    match (section.bucket.as_str(), &backup.copy_to) {
        ("", None) => Line::failed(check, title, Text::both(t::h_elsewhere_none), t::h_elsewhere_remedy),
        ("", Some(dir)) => Line::passed(check, title, Text::both(|l| t::h_elsewhere_good(l, dir.display()))),
        (bucket, _) => {
            let place = format!("s3://{bucket}/{}", section.prefix);
            Line::passed(check, title, Text::both(|l| t::h_elsewhere_good(l, &place)))
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::config::Config;

    use super::super::Result;
    use super::*;

    fn settings(text: &str) -> Settings {
        Settings::from_config(Config::from_text(None, text.to_owned(), []).unwrap()).unwrap()
    }

    #[test]
    fn an_open_port_without_tls_fails() {
        let result = |text: &str| addresses(&settings(text)).result;
        assert_eq!(result("[server]\nlisten = \"0.0.0.0:80\"\n"), Result::Failed);
        assert_eq!(result("[server]\nlisten = \"127.0.0.1:80\"\n"), Result::Passed);
        let tls = "tls_certificate = \"/nowhere.pem\"\ntls_key = \"/nowhere.pem\"\n";
        assert_eq!(result(&format!("[server]\nlisten = \"0.0.0.0:443\"\n{tls}")), Result::Passed);
        assert_eq!(super::tls(&settings(&format!("[server]\n{tls}"))).result, Result::Unknown);
    }

    #[test]
    fn a_database_is_told_by_its_address() {
        let result = |url: &str| database(&settings(&format!("[database]\nurl = {url:?}\n"))).result;
        assert_eq!(result("sqlite:/x.db"), Result::Passed);
        assert_eq!(result("postgres:///lt?host=/run/postgresql"), Result::Passed);
        assert_eq!(result("postgres://u:p@db.tinh.vn/lt"), Result::Failed);
        assert_eq!(result("postgres://u:p@db.tinh.vn/lt?sslmode=verify-full"), Result::Unknown);
        assert_eq!(host_and_port("postgres://u:p@[::1]:5433/lt"), Some(("::1".into(), 5433)));
        assert_eq!(host_and_port("postgres://u:p@127.0.0.1/lt"), Some(("127.0.0.1".into(), 5432)));
    }

    #[test]
    fn the_kernel_s_table_says_who_listens_openly() {
        let table = |address: &str, state: &str| {
            format!("  sl  local_address rem_address   st\n   0: {address} 00000000:0000 {state} 0 0\n")
        };
        assert!(listens_openly(&table("00000000:1538", "0A"), 5432));
        assert!(listens_openly(&table("00000000000000000000000000000000:1538", "0A"), 5432));
        assert!(!listens_openly(&table("0100007F:1538", "0A"), 5432));
        assert!(!listens_openly(&table("00000000000000000000000001000000:1538", "0A"), 5432));
        assert!(!listens_openly(&table("00000000:1538", "01"), 5432), "a connection, not a listener");
        assert!(!listens_openly(&table("00000000:0050", "0A"), 5432));
    }
}
