//! What may go wrong, switched on for the next messages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One thing that goes wrong with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is no such mailbox (550), or the text is not allowed (HTTP 422).
    Refuse,
    /// Come back later (451, or HTTP 503).
    Greylist,
    /// Answers after so long.
    Slow(Duration),
    /// The connection ends in the middle of the message.
    Close,
    /// Too much at once: HTTP 429 with `Retry-After` in seconds. Mail: 421.
    TooMany(u64),
    /// HTTP 200 with a body that says it was not taken.
    FalseYes,
    /// The delivery is reported twice.
    ReportTwice,
    /// The delivery is reported as failed.
    ReportFailure,
}

/// The faults of the next messages, one each, in order.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Fault>>>);

impl Faults {
    /// The next message meets this fault, after those that are waiting.
    pub fn next(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    pub(crate) fn draw(&self) -> Option<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
