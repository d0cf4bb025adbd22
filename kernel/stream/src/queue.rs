//! Between callers and the writer: the bounded queue, the adaptive cut, and how a stream ends. No files here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::clock::Stopwatch;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

use crate::reply::{Distributors, Reply};
use crate::{Error, Options, Result, frame};

/// Waiting bytes that are worth a flush of their own even if more records are expected.
const CUT_BYTES: usize = 1 << 20;

/// One accepted record.
#[derive(Debug)]
pub(crate) struct Pending {
    pub payload: Bytes,
    pub reply: Reply,
    cost: usize,
}

/// What the writer is to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Flush the records taken.
    Flush,
    /// Nothing came for a while: prove the last flush complete.
    Mark,
    /// The stream was closed and everything accepted has been taken.
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parked {
    No,
    Idle,
    ForNeighbours,
}

#[derive(Debug)]
struct State {
    pending: Vec<Pending>,
    bytes: usize,
    oldest: Option<Stopwatch>,
    parked: Parked,
    stopping: bool,
    ended: Option<Error>,
}

#[derive(Debug)]
pub(crate) struct Queue {
    name: String,
    state: Mutex<State>,
    work: Condvar,
    distributors: Distributors,
    expected: AtomicUsize,
    room_bytes: Semaphore,
    room_records: Semaphore,
    max_bytes: usize,
    cut_records: usize,
    max_delay: Duration,
    mark_after: Duration,
    largest_payload: usize,
}

/// Says that a record is on its way, so that the writer waits for it a little. Becomes the record by
/// [`crate::Expected::append`]; dropping it takes the promise back.
#[derive(Debug)]
pub(crate) struct Promise(Option<Arc<Queue>>);

impl Promise {
    /// Counts the promise off without waking the writer.
    fn keep(mut self) {
        if let Some(queue) = self.0.take() {
            queue.expected.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let Some(queue) = self.0.take() else { return };
        if queue.expected.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Taking the lock orders this with the writer's look at the counter: it cannot miss the wake.
            if queue.state().parked == Parked::ForNeighbours {
                queue.work.notify_one();
            }
        }
    }
}

impl Queue {
    pub fn new(options: &Options) -> Self {
        Self {
            name: options.name.clone(),
            state: Mutex::new(State {
                pending: Vec::new(),
                bytes: 0,
                oldest: None,
                parked: Parked::No,
                stopping: false,
                ended: None,
            }),
            work: Condvar::new(),
            distributors: Distributors::default(),
            expected: AtomicUsize::new(0),
            room_bytes: Semaphore::new(options.max_pending_bytes.min(Semaphore::MAX_PERMITS)),
            room_records: Semaphore::new(options.max_pending_records.min(Semaphore::MAX_PERMITS)),
            max_bytes: options.max_pending_bytes,
            cut_records: options.max_pending_records.div_ceil(2),
            max_delay: options.max_delay,
            mark_after: options.mark_after,
            largest_payload: options.largest_payload(),
        }
    }

    pub fn promise(self: &Arc<Self>) -> Promise {
        self.expected.fetch_add(1, Ordering::AcqRel);
        Promise(Some(Arc::clone(self)))
    }

    /// Waits for room, queues the record and waits until it is durable. Dropping the future before the record
    /// is queued withdraws it; later the record stays and only the answer is lost.
    pub async fn append(
        &self,
        payload: Bytes,
        promise: Option<Promise>,
        home: Option<Handle>,
    ) -> Result<u64> {
        if payload.len() > self.largest_payload {
            return Err(Error::TooLarge { bytes: payload.len(), limit: self.largest_payload });
        }
        // A record larger than all the room may still pass, alone.
        let cost = frame::framed(payload.len()).min(self.max_bytes);
        let bytes = self.room_bytes.acquire_many(cost as u32).await.map_err(|_| self.ended())?;
        let record = self.room_records.acquire().await.map_err(|_| self.ended())?;
        let (to, answer) = oneshot::channel();
        let home = home.map(|runtime| self.distributors.ensure(&runtime));
        self.enqueue(Pending { payload, reply: Reply { to, home }, cost }, promise)?;
        bytes.forget();
        record.forget();
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    fn enqueue(&self, pending: Pending, promise: Option<Promise>) -> Result<()> {
        let mut state = self.state();
        if let Some(error) = &state.ended {
            let error = error.clone();
            drop(state); // the promise takes the lock when it drops
            return Err(error);
        }
        state.bytes += pending.cost;
        state.pending.push(pending);
        state.oldest.get_or_insert_with(Stopwatch::start);
        // Under the lock, so the count need not signal on its own: the wake below looks at it.
        if let Some(promise) = promise {
            promise.keep();
        }
        let wake = match state.parked {
            Parked::No => false,
            Parked::Idle => true,
            Parked::ForNeighbours => self.ripe(&state),
        };
        drop(state);
        if wake {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Whether the waiting records are to be flushed whatever their age.
    fn ripe(&self, state: &State) -> bool {
        state.stopping
            || self.expected.load(Ordering::Acquire) == 0
            || state.bytes >= CUT_BYTES.min(self.max_bytes / 2)
            || state.pending.len() >= self.cut_records
    }

    /// Blocks the writer until there is something to do; `taken` is empty and receives the records.
    pub fn wait(&self, taken: &mut Vec<Pending>, unmarked: bool) -> Work {
        let mut state = self.state();
        loop {
            if let Some(oldest) = state.oldest {
                let age = oldest.elapsed();
                if age >= self.max_delay || self.ripe(&state) {
                    std::mem::swap(&mut state.pending, taken);
                    state.bytes = 0;
                    state.oldest = None;
                    return Work::Flush;
                }
                state.parked = Parked::ForNeighbours;
                state = self.wait_at_most(state, self.max_delay - age).0;
            } else if state.stopping {
                state.ended = Some(Error::Closed(self.name.clone()));
                self.close_room();
                return Work::Stop;
            } else if unmarked {
                state.parked = Parked::Idle;
                let (later, timed_out) = self.wait_at_most(state, self.mark_after);
                state = later;
                if timed_out && state.oldest.is_none() && !state.stopping {
                    state.parked = Parked::No;
                    return Work::Mark;
                }
            } else {
                state.parked = Parked::Idle;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.parked = Parked::No;
        }
    }

    fn wait_at_most<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Duration,
    ) -> (MutexGuard<'a, State>, bool) {
        let (state, result) = self.work.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner);
        (state, result.timed_out())
    }

    /// Records became durable: answers their callers, the first of which got position `first`.
    pub fn complete(&self, first: u64, durable: &mut Vec<Pending>) {
        let (mut cost, records) = (0, durable.len());
        let outcomes = durable.drain(..).zip(first..).map(|(pending, position)| {
            cost += pending.cost;
            (pending.reply, Ok(position))
        });
        self.distributors.deliver(outcomes);
        self.room_bytes.add_permits(cost);
        self.room_records.add_permits(records);
    }

    /// Ends the stream for good: everything waiting, taken or coming gets `error`.
    pub fn fail(&self, error: &Error, taken: impl Iterator<Item = Pending>) {
        let mut state = self.state();
        state.ended = Some(error.clone());
        state.oldest = None;
        state.bytes = 0;
        let waiting = std::mem::take(&mut state.pending);
        drop(state);
        self.close_room();
        let all = taken.chain(waiting).map(|pending| (pending.reply, Err(error.clone())));
        self.distributors.deliver(all);
    }

    /// Asks the writer to flush what is waiting and stop.
    pub fn stop(&self) {
        self.state().stopping = true;
        self.work.notify_one();
    }

    /// Why the stream takes no more records; `None` while it does.
    pub fn end(&self) -> Option<Error> {
        self.state().ended.clone()
    }

    fn ended(&self) -> Error {
        self.end().unwrap_or_else(|| Error::Closed(self.name.clone()))
    }

    /// Records and bytes waiting.
    pub fn waiting(&self) -> (usize, usize) {
        let state = self.state();
        (state.pending.len(), state.bytes)
    }

    fn close_room(&self) {
        self.room_bytes.close();
        self.room_records.close();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
