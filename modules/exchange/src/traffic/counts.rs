//! Calls added up: how many, whose fault, how many bytes, how long. Where they are kept belongs to `write` and `read`.

use evidence::Outcome;
use serde::{Deserialize, Serialize};

use super::Histogram;

/// Whose side the end of a call speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// It went well: the provider's complete answer reached the consumer, whatever it said short of an inner fault.
    Ok,
    /// The consumer: a rule refused the call, or the consumer went away.
    Consumer,
    /// The provider: no answer, half an answer, a fault of its own (5xx), or switched off by it.
    Provider,
    /// This platform: too many calls at once, a configuration out of date, a record not written, an end unknown.
    Ours,
}

impl Side {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Consumer, Self::Provider, Self::Ours];

    /// The side of a call that has ended. `fault` is `type/rule` as recorded.
    pub fn of(outcome: Outcome, status: Option<u16>, fault: Option<&str>) -> Self {
        let rule = fault.and_then(|f| f.split_once('/')).map_or("", |(_, rule)| rule);
        match outcome {
            Outcome::Answered if status.is_some_and(|s| s >= 500) => Self::Provider,
            Outcome::Answered => Self::Ok,
            Outcome::Refused if rule == "service-disabled" => Self::Provider,
            Outcome::Refused if matches!(rule, "snapshot-stale" | "too-many-calls" | "openapi-missing") => {
                Self::Ours
            }
            Outcome::UpstreamFailed | Outcome::UpstreamIncomplete => Self::Provider,
            Outcome::GatewayFailed => Self::Ours,
            Outcome::Refused | Outcome::ConsumerGone | Outcome::RequestIncomplete | Outcome::Stopped => {
                Self::Consumer
            }
        }
    }

    /// As kept in the tables.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// As written in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Consumer => "consumer",
            Self::Provider => "provider",
            Self::Ours => "ours",
        }
    }

    /// The side written so.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// Calls added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that ended.
    pub calls: i64,
    /// Of these, those that did not go well by the consumer's side, refusals included.
    pub consumer: i64,
    /// Of these, those that did not go well by the provider's side.
    pub provider: i64,
    /// Of these, those that did not go well by this platform's.
    pub ours: i64,
    /// Of these, those that a rule refused, on whatever side.
    pub refused: i64,
    /// Bytes of the requests' bodies.
    pub request_bytes: i64,
    /// Bytes of the answers' bodies.
    pub response_bytes: i64,
    /// Time from the request's arrival to the record of its end, of the calls that reached the provider.
    pub latency: Histogram,
}

impl Counts {
    /// Those that went well.
    pub fn ok(&self) -> i64 {
        self.calls - self.consumer - self.provider - self.ours
    }

    /// Those of one side.
    pub fn of(&self, side: Side) -> i64 {
        match side {
            Side::Ok => self.ok(),
            Side::Consumer => self.consumer,
            Side::Provider => self.provider,
            Side::Ours => self.ours,
        }
    }

    /// Takes in one call that ended on this side.
    pub fn take(&mut self, side: Side) {
        self.calls += 1;
        match side {
            Side::Ok => {}
            Side::Consumer => self.consumer += 1,
            Side::Provider => self.provider += 1,
            Side::Ours => self.ours += 1,
        }
    }

    /// Adds what others have counted.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.consumer += other.consumer;
        self.provider += other.provider;
        self.ours += other.ours;
        self.refused += other.refused;
        self.request_bytes += other.request_bytes;
        self.response_bytes += other.response_bytes;
        self.latency.add(&other.latency);
    }

    /// Of a hundred calls that a provider had to answer, so many it answered; `None` when there were none.
    pub fn answered_percent(&self) -> Option<f64> {
        let asked = self.ok() + self.provider;
        #[expect(clippy::cast_precision_loss, reason = "calls of a province stay far below 2^52")]
        (asked > 0).then(|| self.ok() as f64 * 100.0 / asked as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_side() {
        for (outcome, status, fault, side) in [
            (Outcome::Answered, Some(200), None, Side::Ok),
            (Outcome::Answered, Some(404), None, Side::Ok),
            (Outcome::Answered, Some(503), None, Side::Provider),
            (Outcome::Refused, Some(500), Some("server.x/no-agreement"), Side::Consumer),
            (Outcome::Refused, Some(500), Some("server.x/service-disabled"), Side::Provider),
            (Outcome::Refused, Some(503), Some("client.x/too-many-calls"), Side::Ours),
            (Outcome::UpstreamFailed, Some(500), Some("x/provider-timeout"), Side::Provider),
            (Outcome::ConsumerGone, None, None, Side::Consumer),
            (Outcome::GatewayFailed, None, None, Side::Ours),
        ] {
            assert_eq!(Side::of(outcome, status, fault), side, "{outcome:?} {fault:?}");
        }
        for (n, side) in (0..).zip(Side::ALL) {
            assert_eq!((side.number(), Side::from_word(side.as_str())), (n, Some(side)));
        }
    }

    #[test]
    fn what_is_added_stays_whole() {
        let mut counts = Counts::default();
        Side::ALL.into_iter().chain([Side::Ok, Side::Provider]).for_each(|s| counts.take(s));
        let mut twice = counts.clone();
        twice.add(&counts);
        assert_eq!((twice.calls, twice.ok(), twice.of(Side::Provider)), (12, 4, 4));
        assert_eq!(counts.answered_percent(), Some(50.0));
        assert_eq!(Counts::default().answered_percent(), None);
    }
}
