//! What the two ends of one HTTP/1 connection tell each other: the byte tap hands over the raw head of the request it
//! has let through, the service says when its answer is done. One request at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use http1::RequestHead;

/// Shared by tap and service of a connection.
#[derive(Debug, Default)]
pub struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    head: Option<Box<RequestHead>>,
    busy: bool,
    reset: bool,
    reader: Option<Waker>,
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tap has let a request through.
    pub(super) fn begin(&self, head: Box<RequestHead>) {
        let mut state = self.state();
        state.head = Some(head);
        state.busy = true;
    }

    /// Whether a request was let through whose answer is not done. Remembers the reader, to wake it then.
    pub(super) fn is_busy(&self, cx: &Context<'_>) -> bool {
        let mut state = self.state();
        if state.busy {
            state.reader = Some(cx.waker().clone());
        }
        state.busy
    }

    /// Whether the connection must end so that the peer sees it broken.
    pub(super) fn must_reset(&self) -> bool {
        self.state().reset
    }

    /// The raw head of the request being served, and the duty to say when its answer is done.
    pub(super) fn take(self: &Arc<Self>) -> Option<(Box<RequestHead>, Busy)> {
        let head = self.state().head.take()?;
        Some((head, Busy(Arc::clone(self))))
    }
}

/// Held until the answer of a request is done (or given up); dropping it lets the next request through.
#[derive(Debug)]
pub struct Busy(Arc<Slot>);

impl Busy {
    /// The answer broke off: no clean end of the connection may hide it.
    pub(super) fn reset(&self) {
        self.0.state().reset = true;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = false;
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}
