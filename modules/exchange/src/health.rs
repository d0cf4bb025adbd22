//! How services do on this node: when a call last succeeded and failed, and the figures of the last ten minutes. Kept
//! in memory and begun anew with the process, as the protocol has it; what lasts is in the records of calls.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use base::clock::Timestamp;
use xroad::health::{Figures, LastPeriod};
use xroad::opmon::Record;

/// How far the figures reach back.
pub const PERIOD_SECONDS: u64 = 600;
/// Calls of so many milliseconds are added up together.
const SLOT: i64 = 10_000;
const SLOTS: i64 = PERIOD_SECONDS as i64 * 1000 / SLOT;

/// The services called since the process started.
pub struct Health {
    since: Timestamp,
    services: Mutex<HashMap<String, Service>>,
    unrecorded: AtomicU64,
}

/// What is known of one service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// When a call last succeeded, milliseconds since 1970.
    pub last_success: Option<i64>,
    /// When a call last failed, milliseconds since 1970.
    pub last_failure: Option<i64>,
    /// The last period.
    pub period: LastPeriod,
}

#[derive(Default)]
struct Service {
    last_success: Option<i64>,
    last_failure: Option<i64>,
    /// Oldest first.
    slots: VecDeque<Slot>,
}

#[derive(Default)]
struct Slot {
    at: i64,
    successes: u64,
    failures: u64,
    durations: Figures,
    requests: Figures,
    answers: Figures,
}

impl Health {
    /// Nothing is known as yet.
    pub fn new(since: Timestamp) -> Self {
        Self { since, services: Mutex::default(), unrecorded: AtomicU64::new(0) }
    }

    /// When counting began.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Takes in one call. Calls of what the registry does not know are left out: their names are the callers'
    /// inventions, and there is no end to them.
    pub fn take(&self, record: &Record) {
        let (Some(_), Some(path)) = (&record.service_type, path(record)) else { return };
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.entry(path).or_default().take(record);
    }

    /// A refusal that leaves no record.
    pub fn unrecorded(&self) {
        self.unrecorded.fetch_add(1, Ordering::Relaxed);
    }

    /// Refusals since the start that left no record.
    pub fn unrecorded_count(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    /// What is known of the service at `instance/class/member/subsystem/service`.
    pub fn report(&self, path: &str, now: Timestamp) -> Report {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        services.get(path).map(|service| service.report(now)).unwrap_or_default()
    }
}

/// The service a record is about, as `instance/class/member/subsystem/service`.
pub(crate) fn path(r: &Record) -> Option<String> {
    let parts = [
        r.service_x_road_instance.as_deref()?,
        r.service_member_class.as_deref()?,
        r.service_member_code.as_deref()?,
        r.service_subsystem_code.as_deref()?,
        r.service_code.as_deref()?,
    ];
    Some(parts.join("/"))
}

impl Service {
    fn take(&mut self, record: &Record) {
        let last = if record.succeeded { &mut self.last_success } else { &mut self.last_failure };
        *last = Some(record.response_out_ts);
        let slot = self.slot(record.response_out_ts.div_euclid(SLOT));
        if !record.succeeded {
            slot.failures += 1;
            return;
        }
        slot.successes += 1;
        let took = record.response_out_ts.saturating_sub(record.request_in_ts);
        slot.durations.take(u64::try_from(took).unwrap_or(0));
        record.request_size.into_iter().for_each(|size| slot.requests.take(size));
        record.response_size.into_iter().for_each(|size| slot.answers.take(size));
    }

    fn slot(&mut self, at: i64) -> &mut Slot {
        // Calls that end together are taken in any order; a clock set back begins the period anew.
        if self.slots.back().is_some_and(|last| last.at > at + 1) {
            self.slots.clear();
        }
        if self.slots.back().is_none_or(|last| last.at < at) {
            self.slots.retain(|slot| slot.at > at - SLOTS);
            self.slots.push_back(Slot { at, ..Slot::default() });
        }
        let last = self.slots.len() - 1;
        &mut self.slots[last]
    }

    fn report(&self, now: Timestamp) -> Report {
        let current = now.millis().div_euclid(SLOT);
        let mut all = Slot::default();
        for slot in self.slots.iter().filter(|slot| slot.at > current - SLOTS) {
            all.successes += slot.successes;
            all.failures += slot.failures;
            all.durations.add(&slot.durations);
            all.requests.add(&slot.requests);
            all.answers.add(&slot.answers);
        }
        let period = LastPeriod {
            successful_request_count: all.successes,
            unsuccessful_request_count: all.failures,
            durations: all.durations.into(),
            request_sizes: all.requests.into(),
            response_sizes: all.answers.into(),
        };
        Report { last_success: self.last_success, last_failure: self.last_failure, period }
    }
}

#[cfg(test)]
mod tests {
    use xroad::opmon::ServerType;

    use super::*;

    const PATH: &str = "VN/GOV/H38/dan-cu/tra-cuu";

    fn call(ended: i64, took: i64, succeeded: bool) -> Record {
        let mut record = Record::new(ServerType::Client, ended - took, ended);
        record.parties("VN/GOV/H38/mot-cua", PATH);
        record.service_type = Some("REST".into());
        record.succeeded = succeeded;
        (record.request_size, record.response_size) = (Some(10), Some(took.unsigned_abs()));
        record
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1000)
    }

    #[test]
    fn figures_are_those_of_the_successful_calls_of_ten_minutes() {
        let health = Health::new(at(0));
        let start = 1_000_000_000;
        for (n, took) in [40, 44].into_iter().enumerate() {
            health.take(&call(start + 20_000 * n as i64, took, true));
        }
        health.take(&call(start + 21_000, 5_000, false));
        let report = health.report(PATH, at(start + 30_000));
        let p = &report.period;
        assert_eq!((p.successful_request_count, p.unsuccessful_request_count), (2, 1));
        assert_eq!((p.durations.min, p.durations.average, p.durations.max), (Some(40), Some(42.0), Some(44)));
        assert_eq!((p.durations.deviation, p.request_sizes.deviation), (Some(2.0), Some(0.0)));
        assert_eq!((report.last_success, report.last_failure), (Some(start + 20_000), Some(start + 21_000)));
        let later = health.report(PATH, at(start + 605_000));
        assert_eq!(later.period.successful_request_count, 1, "the first has passed out of the period");
        let much_later = health.report(PATH, at(start + 3_600_000));
        assert_eq!(much_later.period, LastPeriod::default());
        assert_eq!(much_later.last_success, Some(start + 20_000), "but is remembered");
    }

    #[test]
    fn memory_does_not_grow_with_time_or_with_invented_names() {
        let health = Health::new(at(0));
        for n in 0..10_000 {
            health.take(&call(n * SLOT, 1, true));
        }
        let mut invented = call(5, 1, false);
        invented.service_type = None;
        invented.service_code = Some("khong-co".into());
        health.take(&invented);
        let services = health.services.lock().unwrap();
        assert_eq!(services.len(), 1);
        assert!(services[PATH].slots.len() <= usize::try_from(SLOTS).unwrap());
    }

    #[test]
    fn a_clock_set_back_begins_the_period_anew() {
        let health = Health::new(at(0));
        health.take(&call(1_000_000_000, 1, true));
        health.take(&call(999_999_999, 1, true));
        assert_eq!(health.report(PATH, at(1_000_000_000)).period.successful_request_count, 2);
        health.take(&call(500_000_000, 1, true));
        assert_eq!(health.report(PATH, at(500_000_000)).period.successful_request_count, 1);
    }

    #[test]
    fn nothing_is_known_of_what_was_not_called() {
        let health = Health::new(at(7));
        assert_eq!((health.report(PATH, at(9)), health.since()), (Report::default(), at(7)));
        health.unrecorded();
        assert_eq!(health.unrecorded_count(), 1);
    }
}
