//! How waiting callers learn the outcome: the writer's thread sends one message per batch and runtime, and a
//! task on that runtime wakes the callers. Waking each of them from the writer's thread would cost a system
//! call per record.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Handle, Id};
use tokio::sync::{mpsc, oneshot};

use crate::Result;

/// The caller's end of one record.
#[derive(Debug)]
pub(crate) struct Reply {
    pub to: oneshot::Sender<Result<u64>>,
    /// The runtime the caller waits on; none if it blocks a thread or runs elsewhere.
    pub home: Option<Id>,
}

type Outcome = (oneshot::Sender<Result<u64>>, Result<u64>);

/// One distributing task per runtime that ever appended.
#[derive(Debug, Default)]
pub(crate) struct Distributors(Mutex<Vec<(Id, mpsc::UnboundedSender<Vec<Outcome>>)>>);

impl Distributors {
    /// Makes sure the runtime has its task.
    pub fn ensure(&self, runtime: &Handle) -> Id {
        let id = runtime.id();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|(of, to)| *of == id && !to.is_closed()) {
            known.retain(|(_, to)| !to.is_closed());
            known.push((id, distribute_on(runtime)));
        }
        id
    }

    /// Answers every caller of a batch.
    pub fn deliver(&self, outcomes: impl Iterator<Item = (Reply, Result<u64>)>) {
        let mut groups: Vec<(Option<Id>, Vec<Outcome>)> = Vec::with_capacity(1);
        for (reply, result) in outcomes {
            match groups.iter_mut().find(|g| g.0 == reply.home) {
                Some(group) => group.1.push((reply.to, result)),
                None => groups.push((reply.home, vec![(reply.to, result)])),
            }
        }
        for (home, batch) in groups {
            // Without a runtime, or when it has ended, whoever still waits does so elsewhere.
            match self.distributor(home) {
                Some(to) => {
                    if let Err(mpsc::error::SendError(batch)) = to.send(batch) {
                        answer(batch);
                    }
                }
                None => answer(batch),
            }
        }
    }

    fn distributor(&self, home: Option<Id>) -> Option<mpsc::UnboundedSender<Vec<Outcome>>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(of, _)| Some(*of) == home).map(|(_, to)| to.clone())
    }
}

fn distribute_on(runtime: &Handle) -> mpsc::UnboundedSender<Vec<Outcome>> {
    // Bounded by the callers waiting: each entry answers one of them.
    let (to, mut from) = mpsc::unbounded_channel::<Vec<Outcome>>();
    runtime.spawn(async move {
        while let Some(batch) = from.recv().await {
            answer(batch);
        }
    });
    to
}

fn answer(batch: Vec<Outcome>) {
    for (to, result) in batch {
        let _ = to.send(result); // the caller may have gone; the record stays
    }
}
