//! How real calls end, as far as it tells of their providers: failures in a row per service. While nothing fails a
//! call costs one look at a counter.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::clock::Timestamp;
use xroad::opmon::Record;

use super::Cause;
use super::tally::Down;

/// Calls that must fail in a row.
const IN_A_ROW: u32 = 3;
/// A service that nobody calls any more is not called failing for ever.
const FORGOTTEN: Duration = Duration::from_secs(300);

/// The services whose last call failed.
#[derive(Debug, Default)]
pub struct Calls {
    troubled: AtomicUsize,
    services: Mutex<HashMap<String, Streak>>,
}

#[derive(Debug)]
struct Streak {
    failures: u32,
    first: Timestamp,
    last: Timestamp,
    cause: Cause,
    /// The address is worth a look before its turn.
    suspect: bool,
}

/// What a call says of its provider.
fn told(record: &Record) -> Option<Result<(), Cause>> {
    if let Some(rule) = record.fault_string.as_deref() {
        return Cause::of_rule(rule).map(Err);
    }
    match record.status_code? {
        502..=504 => Some(Err(Cause::Unavailable)),
        _ => Some(Ok(())),
    }
}

impl Calls {
    /// Takes in one call; `path` gives `instance/class/member/subsystem/service` when it is needed.
    pub fn take(&self, record: &Record, path: impl FnOnce() -> Option<String>) {
        let found = told(record);
        match found {
            None => {}
            Some(Ok(())) if self.troubled.load(Ordering::Relaxed) == 0 => {}
            Some(found) => {
                // Calls of what the registry does not know carry their callers' inventions.
                if let (Some(_), Some(path)) = (&record.service_type, path()) {
                    self.note(
                        path,
                        found,
                        Timestamp::from_micros(record.response_out_ts.saturating_mul(1000)),
                    );
                }
            }
        }
    }

    fn note(&self, path: String, found: Result<(), Cause>, at: Timestamp) {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(()) => {
                services.remove(&path);
            }
            Err(cause) => {
                let streak = services.entry(path).or_insert(Streak {
                    failures: 0,
                    first: at,
                    last: at,
                    cause,
                    suspect: true,
                });
                streak.failures = streak.failures.saturating_add(1);
                (streak.cause, streak.last) = (cause, at);
            }
        }
        self.troubled.store(services.len(), Ordering::Relaxed);
    }

    /// The services whose calls have begun to fail since this was last asked.
    pub(super) fn suspects(&self) -> Vec<String> {
        if self.troubled.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh =
            services.iter_mut().filter_map(|(path, s)| std::mem::take(&mut s.suspect).then(|| path.clone()));
        fresh.collect()
    }

    /// The services whose calls fail in a row.
    pub(super) fn failing(&self, now: Timestamp) -> Vec<(String, Down)> {
        if self.troubled.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.retain(|_, s| now.since(s.last) < FORGOTTEN);
        self.troubled.store(services.len(), Ordering::Relaxed);
        let failing = services.iter().filter(|(_, s)| s.failures >= IN_A_ROW);
        failing.map(|(path, s)| (path.clone(), Down { since: s.first, cause: s.cause })).collect()
    }
}

#[cfg(test)]
mod tests {
    use xroad::opmon::ServerType;

    use super::*;

    const PATH: &str = "VN/GOV/H38/dan-cu/tra-cuu";

    fn call(calls: &Calls, second: i64, status: Option<u16>, rule: Option<&str>) {
        let mut record = Record::new(ServerType::Client, second * 1000, second * 1000);
        record.service_type = Some("REST".into());
        record.status_code = status;
        if let Some(rule) = rule {
            record.fault("server.clientproxy", rule);
        }
        calls.take(&record, || Some(PATH.into()));
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn failures_in_a_row_are_the_providers_and_one_success_ends_them() {
        let calls = Calls::default();
        for second in 1..=3 {
            assert_eq!(calls.failing(at(second)), []);
            call(&calls, second, Some(500), Some("provider-garbage"));
        }
        let down = Down { since: at(1), cause: Cause::Garbage };
        assert_eq!(calls.failing(at(4)), [(PATH.to_owned(), down)]);
        assert_eq!(calls.suspects(), [PATH]);
        assert_eq!(calls.suspects(), Vec::<String>::new(), "once");
        call(&calls, 5, Some(404), None);
        assert_eq!(calls.failing(at(6)), []);
    }

    #[test]
    fn what_the_consumer_did_wrong_says_nothing_of_the_provider() {
        let calls = Calls::default();
        for second in 1..=9 {
            call(&calls, second, Some(503), None);
            call(&calls, second, Some(403), Some("no-agreement"));
        }
        assert_eq!(calls.failing(at(10))[0].1.cause, Cause::Unavailable);
        assert_eq!(calls.failing(at(9 + 301)), [], "forgotten when nobody calls");
        let other = Calls::default();
        (1..9).for_each(|second| call(&other, second, Some(500), None));
        assert_eq!(other.failing(at(10)), [], "a fault of the service itself is an answer");
    }
}
