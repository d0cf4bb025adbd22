//! What an examination saw and found, in words: the verdict with its side, the next step, the lines of each step, and
//! the report that is copied to a vendor.

use base::i18n::Lang;

use super::report::{Asked, Found, NameAnswer, Report, Stage, Step, StepState};
use super::{Fault, Side};
use crate::t;

impl Side {
    /// Stable, as kept and told to programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Platform => "platform",
            Self::Line => "line",
            Self::Unclear => "unclear",
        }
    }

    /// Its name.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Provider => t::fault_side_provider(l),
            Self::Platform => t::fault_side_platform(l),
            Self::Line => t::fault_side_line(l),
            Self::Unclear => t::fault_side_unclear(l),
        }
    }
}

/// How long, roughly: hours and minutes, or less.
fn long(l: Lang, seconds: i64) -> String {
    let s = seconds.unsigned_abs();
    match s {
        3_600.. => t::time_hours(l, t::TimeHours { hours: s / 3_600, minutes: s % 3_600 / 60 }),
        60.. => t::time_minutes(l, t::TimeMinutes { minutes: s / 60, seconds: s % 60 }),
        _ => t::time_seconds(l, s),
    }
}

/// How far a clock is off, and in which direction.
fn off(l: Lang, ahead: i64) -> String {
    let time = long(l, ahead);
    if ahead < 0 { t::clock_behind(l, time) } else { t::clock_ahead(l, time) }
}

fn millis(l: Lang, micros: i64) -> String {
    web::fmt::millis(l, micros as f64 / 1000.0)
}

impl Fault {
    /// What is wrong, in one sentence that begins with the side.
    pub fn verdict(&self, l: Lang) -> String {
        t::verdict(l, t::Verdict { side: self.side().label(l), what: self.text(l) })
    }

    /// What is wrong.
    pub fn text(&self, l: Lang) -> String {
        match self {
            Self::UnknownName { host, server } => {
                t::fault_unknown_name(l, t::FaultUnknownName { host, server })
            }
            Self::NameServers { host } => t::fault_name_servers(l, host),
            Self::Refused { address } => t::fault_refused(l, address),
            Self::Filtered { address, seconds } => {
                t::fault_filtered(l, t::FaultFiltered { address, seconds })
            }
            Self::NoRoute { address } => t::fault_no_route(l, address),
            Self::CertificateExpired { since, subject } => {
                t::fault_certificate_expired(l, t::FaultCertificateExpired { since: since.vn(), subject })
            }
            Self::CertificateNotYet { from } => t::fault_certificate_not_yet(l, from.vn()),
            Self::CertificateName { wanted, names } => {
                t::fault_certificate_name(l, t::FaultCertificateName { names, wanted })
            }
            Self::CertificateUntrusted { issuer } => t::fault_certificate_untrusted(l, issuer),
            Self::CertificateBad { why } => t::fault_certificate_bad(l, why),
            Self::NoTls => t::fault_no_tls(l).to_owned(),
            Self::TlsRefused { why } => t::fault_tls_refused(l, why),
            Self::SpeaksTls => t::fault_speaks_tls(l).to_owned(),
            Self::Garbage => t::fault_garbage(l).to_owned(),
            Self::Broken => t::fault_broken(l).to_owned(),
            Self::Silent { seconds } => t::fault_silent(l, seconds),
            Self::Unavailable { status } => t::fault_unavailable(l, status),
            Self::Unhealthy { status } => t::fault_unhealthy(l, status),
            Self::Slow { took_ms, limit_ms } => {
                let time = |ms: &u64| web::fmt::millis(l, *ms as f64);
                t::fault_slow(l, t::FaultSlow { limit: time(limit_ms), took: time(took_ms) })
            }
            Self::ProviderClock { seconds } => t::fault_provider_clock(l, off(l, *seconds)),
            Self::OurClock { seconds, providers } => {
                t::fault_our_clock(l, t::FaultOurClock { by: off(l, *seconds), providers })
            }
            Self::ClocksDiffer { seconds } => t::fault_clocks_differ(l, long(l, *seconds)),
        }
    }

    /// What to do about it.
    pub fn next_step(&self, l: Lang) -> &'static str {
        match self {
            Self::UnknownName { .. } => t::next_unknown_name(l),
            Self::NameServers { .. } => t::next_name_servers(l),
            Self::Refused { .. } => t::next_refused(l),
            Self::Filtered { .. } => t::next_filtered(l),
            Self::NoRoute { .. } => t::next_no_route(l),
            Self::CertificateExpired { .. }
            | Self::CertificateNotYet { .. }
            | Self::CertificateName { .. }
            | Self::CertificateBad { .. } => t::next_certificate(l),
            Self::CertificateUntrusted { .. } => t::next_untrusted(l),
            Self::TlsRefused { .. } => t::next_tls_refused(l),
            Self::NoTls | Self::SpeaksTls => t::next_scheme(l),
            Self::Garbage => t::next_protocol(l),
            Self::Broken
            | Self::Silent { .. }
            | Self::Unavailable { .. }
            | Self::Unhealthy { .. }
            | Self::Slow { .. } => t::next_service(l),
            Self::ProviderClock { .. } => t::next_provider_clock(l),
            Self::OurClock { .. } => t::next_our_clock(l),
            Self::ClocksDiffer { .. } => t::next_clocks(l),
        }
    }
}

impl Stage {
    /// Its name.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Name => t::stage_name(l),
            Self::Connection => t::stage_connection(l),
            Self::Tls => t::stage_tls(l),
            Self::Http => t::stage_http(l),
            Self::Clock => t::stage_clock(l),
        }
    }
}

impl StepState {
    /// In a word.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Good => t::step_good(l),
            Self::Warning => t::step_warning(l),
            Self::Bad => t::step_bad(l),
        }
    }
}

fn server(l: Lang, asked: &Asked, took: bool) -> String {
    let answer = match &asked.answer {
        NameAnswer::Addresses(all) => all.join(", "),
        NameAnswer::NoSuchName => t::answer_none(l).to_owned(),
        NameAnswer::Failed(code) => t::answer_failed(l, code),
        NameAnswer::Silent => t::answer_silent(l).to_owned(),
    };
    if took {
        let took = millis(l, asked.took);
        t::found_server(l, t::FoundServer { answer, server: &asked.server, took })
    } else {
        t::found_tried(l, t::FoundTried { address: &asked.server, outcome: answer })
    }
}

impl Step {
    /// What was seen, one thing a line. Without `times` only what stays the same from run to run while nothing has
    /// changed, for comparisons.
    pub fn lines(&self, l: Lang, times: bool) -> Vec<String> {
        match &self.found {
            Found::Name { host, addresses, servers } => {
                if servers.is_empty() && addresses.first() == Some(host) {
                    return vec![t::found_address_given(l, host)];
                }
                let found = match addresses.is_empty() {
                    true => t::found_none(l).to_owned(),
                    false => t::found_addresses(l, addresses.join(", ")),
                };
                let mut lines = vec![t::found_host(l, host), found];
                lines.extend(servers.iter().map(|s| server(l, s, times)));
                lines
            }
            Found::Connection { tried } => {
                let outcome = |e: &Option<String>| match e.as_deref() {
                    None => t::found_connected(l).to_owned(),
                    Some("timeout") => t::found_timeout(l).to_owned(),
                    Some(other) => other.to_owned(),
                };
                let line = |a: &super::Tried| {
                    t::found_tried(l, t::FoundTried { address: &a.address, outcome: outcome(&a.error) })
                };
                tried.iter().map(line).collect()
            }
            Found::Tls { version: None, error, .. } => {
                vec![t::found_tls_none(l, error.as_deref().unwrap_or(t::answer_silent(l)))]
            }
            Found::Tls { version, suite, chain, trusted, error } => {
                let part = |p: &Option<String>| p.clone().unwrap_or_default();
                let mut lines =
                    vec![t::found_tls(l, t::FoundTls { suite: part(suite), version: part(version) })];
                lines.extend(chain.iter().map(|c| {
                    t::found_certificate(
                        l,
                        t::FoundCertificate {
                            from: c.not_before.vn(),
                            issuer: &c.issuer,
                            names: c.names.join(", "),
                            subject: &c.subject,
                            until: c.not_after.vn(),
                        },
                    )
                }));
                lines.push(match trusted {
                    true => t::found_trusted(l).to_owned(),
                    false => t::found_untrusted(l, error.as_deref().unwrap_or_default()),
                });
                lines
            }
            Found::Http { asked, status, first_byte, framing } => {
                let mut lines = vec![t::found_asked(l, asked)];
                lines
                    .push(status.map_or_else(|| t::found_no_answer(l).to_owned(), |s| t::found_status(l, s)));
                if let (true, Some(took)) = (times, first_byte) {
                    lines.push(t::found_first_byte(l, millis(l, *took)));
                }
                lines.extend(framing.as_ref().map(|f| t::found_framing(l, f)));
                lines
            }
            Found::Clock { ahead, others } => {
                let mut lines = vec![match ahead {
                    None => t::found_clock_none(l).to_owned(),
                    Some(0) => t::found_clock_same(l).to_owned(),
                    Some(seconds) => t::found_clock(l, off(l, *seconds)),
                }];
                lines.extend(others.iter().map(|(address, seconds)| {
                    t::found_witness(l, t::FoundWitness { address, by: off(l, *seconds) })
                }));
                lines
            }
        }
    }
}

impl Report {
    /// The verdict in one sentence.
    pub fn verdict(&self, l: Lang) -> String {
        self.fault.as_ref().map_or_else(|| t::verdict_good(l).to_owned(), |f| f.verdict(l))
    }

    /// All of it as plain text, to be sent to whoever has to mend something.
    pub fn plain(&self, l: Lang) -> String {
        let at = self.at.vn_seconds();
        let mut out = t::diagnose_report_text(l, t::DiagnoseReportText { address: &self.address, at }) + "\n";
        out.push_str(&format!("{}\n", self.verdict(l)));
        if let Some(fault) = &self.fault {
            out.push_str(&format!("{}: {}\n", t::diagnose_next(l), fault.next_step(l)));
        }
        for step in &self.steps {
            let (label, state) = (step.stage.label(l), step.state.label(l));
            out.push_str(&format!("\n[{state}] {label} ({})\n", millis(l, step.took)));
            for line in step.lines(l, true) {
                out.push_str(&format!("  - {line}\n"));
            }
        }
        out
    }
}
