//! The gateway's shared state: its ports, limits on calls at the same time, and the background work that must not be
//! lost when a connection goes away.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::clock::Clock;
use base::random::Random;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::policy::Policy;
use super::ports::{Authenticator, Documents, Evidence, EvidenceFailed, Monitor, Parts};
use super::upstream::Upstream;
use crate::quota::Meters;
use crate::snapshot::Current;

/// See [`super::Gateway`].
pub(super) struct Inner {
    pub policy: Policy,
    pub snapshot: Current,
    pub meters: Arc<Meters>,
    pub authenticator: Arc<dyn Authenticator>,
    pub evidence: Arc<dyn Evidence>,
    pub documents: Arc<dyn Documents>,
    pub monitor: Arc<dyn Monitor>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub upstream: Upstream,
    pub tracker: TaskTracker,
    pub strangers: Bucket,
    pub pace: Pace,
    handle: Handle,
    calls: AtomicUsize,
}

impl Inner {
    /// Needs a runtime: work that outlives its connection goes on there.
    pub(super) fn new(parts: Parts) -> io::Result<Self> {
        parts.policy.check().map_err(io::Error::other)?;
        let upstream = Upstream::new(&parts.policy)?;
        let handle = Handle::try_current().map_err(io::Error::other)?;
        Ok(Self {
            upstream,
            strangers: Bucket::new(parts.policy.stranger_records_per_second),
            policy: parts.policy,
            snapshot: parts.snapshot,
            meters: parts.meters,
            authenticator: parts.authenticator,
            evidence: parts.evidence,
            documents: parts.documents,
            monitor: parts.monitor,
            clock: parts.clock,
            random: parts.random,
            tracker: TaskTracker::new(),
            pace: Pace::default(),
            handle,
            calls: AtomicUsize::new(0),
        })
    }

    /// A place among the calls at the same time; `None` when all are taken.
    pub(super) fn permit(self: &Arc<Self>) -> Option<Permit> {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= self.policy.max_calls {
            self.calls.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        metrics::gauge!("lienthong_gateway_calls_in_progress").increment(1.0);
        Some(Permit(Arc::clone(self)))
    }

    /// How many calls are in progress.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Lets a record become durable without anybody waiting for it.
    pub(super) fn finish_alone(&self, record: BoxFuture<'static, Result<(), EvidenceFailed>>) {
        self.tracker.spawn_on(
            async move {
                if let Err(e) = record.await {
                    tracing::error!(error = %e, "the record of a call without a listener failed");
                    metrics::counter!("lienthong_gateway_records_lost_total").increment(1);
                }
            },
            &self.handle,
        );
    }
}

/// A place among the calls at the same time.
pub(super) struct Permit(Arc<Inner>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("lienthong_gateway_calls_in_progress").decrement(1.0);
    }
}

/// So many per second, saved up for at most ten seconds.
pub(super) struct Bucket {
    rate: f64,
    state: Mutex<(f64, Instant)>,
}

const SAVED_SECONDS: f64 = 10.0;

impl Bucket {
    pub(super) fn new(per_second: u32) -> Self {
        let rate = f64::from(per_second);
        Self { rate, state: Mutex::new((rate * SAVED_SECONDS, Instant::now())) }
    }

    /// Takes one, if there is one.
    pub(super) fn admit(&self) -> bool {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = state.0 + now.duration_since(state.1).as_secs_f64() * self.rate;
        *state = (grown.min(self.rate * SAVED_SECONDS), now);
        let admitted = state.0 >= 1.0;
        if admitted {
            state.0 -= 1.0;
        }
        admitted
    }
}

/// How quickly providers answer of late. When they are quick, a call's record is announced when the call arrives, and
/// the evidence writer forms larger groups; when they are slow, only when the answer is there, so that the records of
/// others need not wait for it.
#[derive(Default)]
pub(super) struct Pace(AtomicU64);

const QUICK: Duration = Duration::from_millis(1);

impl Pace {
    /// A provider has answered.
    pub(super) fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min(10_000_000);
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before - before / 8 + took / 8, Ordering::Relaxed);
    }

    /// Whether an answer is to be expected at once.
    pub(super) fn is_quick(&self) -> bool {
        self.0.load(Ordering::Relaxed) < QUICK.as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills() {
        let bucket = Bucket::new(2);
        let now = Instant::now();
        assert_eq!((0..100).filter(|_| bucket.admit_at(now)).count(), 20);
        let later = now + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| bucket.admit_at(later)).count(), 2);
        assert!(!Bucket::new(0).admit());
    }

    #[test]
    fn the_pace_follows_what_is_seen() {
        let pace = Pace::default();
        assert!(pace.is_quick());
        (0..20).for_each(|_| pace.note(Duration::from_millis(50)));
        assert!(!pace.is_quick());
        (0..60).for_each(|_| pace.note(Duration::from_micros(200)));
        assert!(pace.is_quick());
    }
}
