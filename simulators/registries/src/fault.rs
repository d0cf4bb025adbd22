//! The ways a provider may fail, and the switch that decides which request meets which failure.
//! Leaves putting a failure on the wire to [`crate::server`].

use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::dice::Dice;

/// One way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The right answer, this much later.
    Slow(Duration),
    /// No answer at all; the connection stays open until the caller or the server gives up.
    Hang,
    /// Status 500 with a problem document.
    Fail,
    /// `Content-Length` promises more bytes than come before the connection closes.
    TooShort,
    /// `Content-Length` promises fewer bytes than are sent.
    TooLong,
    /// Two `Content-Length` headers that disagree.
    TwoLengths,
    /// Bytes that are not HTTP.
    Garbage,
    /// A chunked answer that ends in the middle, without its last chunk.
    CloseMidBody,
    /// The connection closes before any answer.
    CloseBeforeAnswer,
}

/// All faults, for tests that must meet each one. `Slow` is half a second here.
pub const ALL: [Fault; 9] = [
    Fault::Slow(Duration::from_millis(500)),
    Fault::Hang,
    Fault::Fail,
    Fault::TooShort,
    Fault::TooLong,
    Fault::TwoLengths,
    Fault::Garbage,
    Fault::CloseMidBody,
    Fault::CloseBeforeAnswer,
];

/// The request header by which a caller asks for a fault, so that an integrator can practise: its value is a
/// [`Fault`] as text (`slow`, `hang`, `fail`, `too-short`, `too-long`, `two-lengths`, `garbage`, `close-mid-body`,
/// `close-before-answer`).
pub const HEADER: &str = "x-simulated-fault";

impl FromStr for Fault {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Ok(match s {
            "slow" => Self::Slow(Duration::from_millis(500)),
            "hang" => Self::Hang,
            "fail" => Self::Fail,
            "too-short" => Self::TooShort,
            "too-long" => Self::TooLong,
            "two-lengths" => Self::TwoLengths,
            "garbage" => Self::Garbage,
            "close-mid-body" => Self::CloseMidBody,
            "close-before-answer" => Self::CloseBeforeAnswer,
            _ => return Err(()),
        })
    }
}

#[derive(Debug)]
enum Plan {
    None,
    Always(Fault),
    Next(u32, Fault),
    Share(u32, Vec<Fault>),
}

/// The switch. Clones share it.
#[derive(Debug, Clone)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
    dice: Arc<Dice>,
}

impl Faults {
    /// No faults; `seed` decides which requests meet one under [`Faults::share`].
    pub fn none(seed: u64) -> Self {
        Self { plan: Arc::new(Mutex::new(Plan::None)), dice: Arc::new(Dice::new(seed)) }
    }

    /// Every request from now on fails like this.
    pub fn always(&self, fault: Fault) {
        *self.plan() = Plan::Always(fault);
    }

    /// The next `count` requests fail like this, later ones do not.
    pub fn next(&self, count: u32, fault: Fault) {
        *self.plan() = Plan::Next(count, fault);
    }

    /// `per_mille` of a thousand requests fail, each in one of the given ways.
    pub fn share(&self, per_mille: u32, faults: &[Fault]) {
        *self.plan() =
            if faults.is_empty() { Plan::None } else { Plan::Share(per_mille.min(1_000), faults.to_vec()) };
    }

    /// No more faults.
    pub fn clear(&self) {
        *self.plan() = Plan::None;
    }

    /// Decides for one request.
    pub(crate) fn draw(&self) -> Option<Fault> {
        let mut plan = self.plan();
        match &mut *plan {
            Plan::None => None,
            Plan::Always(fault) => Some(*fault),
            Plan::Next(0, _) => None,
            Plan::Next(left, fault) => {
                *left -= 1;
                Some(*fault)
            }
            Plan::Share(per_mille, faults) => {
                self.dice.chance(u64::from(*per_mille), 1_000).then(|| faults[self.dice.index(faults.len())])
            }
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_does_what_it_says() {
        let faults = Faults::none(1);
        assert_eq!(faults.draw(), None);
        faults.next(2, Fault::Fail);
        assert_eq!(
            [faults.draw(), faults.draw(), faults.draw()],
            [Some(Fault::Fail), Some(Fault::Fail), None]
        );
        faults.always(Fault::Hang);
        assert_eq!([faults.draw(), faults.draw()], [Some(Fault::Hang); 2]);
        faults.share(50, &[Fault::Fail, Fault::Garbage]);
        let met = (0..10_000).filter(|_| faults.draw().is_some()).count();
        assert!((400..600).contains(&met), "{met} of 10,000 instead of about 500");
        faults.clear();
        assert_eq!(faults.draw(), None);
    }
}
