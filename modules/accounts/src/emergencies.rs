//! The job that tidies up after an emergency right that ended by itself, and what the morning page says of reviews.

use async_trait::async_trait;
use kernel::i18n::Text;
use kernel::identity::emergencies;
use kernel::identity::emergency::Standing;
use kernel::jobs::{Job, JobBody, JobHandler};
use kernel::{Finding, Kernel, Result};

use crate::actions::emergency::{self, Ended};
use crate::{Accounts, t};

/// The name of the check.
pub(crate) const CHECK: &str = "accounts.emergency";
/// Unreviewed ones looked at.
const MOST: u32 = 1_000;

/// See above.
pub(crate) struct Ender(pub Accounts);

#[async_trait]
impl JobHandler for Ender {
    fn kind(&self) -> &'static str {
        Ended::KIND
    }

    async fn run(&self, k: &Kernel, job: &Job) -> Result<()> {
        emergency::ended(&self.0, k, job.body::<Ended>()?.emergency).await
    }
}

/// Which run, which wait for a review, and which reviews are late.
pub(crate) async fn check(k: &Kernel) -> Finding {
    let (ok, text) = match counted(k).await {
        Ok(found) => found,
        Err(e) => (false, Text::both(|l| t::check_failed(l, e.to_string()))),
    };
    Finding { check: CHECK, title: Text::both(t::check_emergency), ok, text }
}

async fn counted(k: &Kernel) -> Result<(bool, Text)> {
    let now = k.clock.now();
    let all = emergencies::unreviewed(&k.db, MOST).await?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let late = count(all.iter().filter(|e| e.is_overdue(now)).count());
    if late > 0 {
        return Ok((false, Text::both(|l| t::check_emergency_late(l, late))));
    }
    let running = count(all.iter().filter(|e| e.standing(now) == Standing::Running).count());
    let waiting = count(all.iter().filter(|e| e.standing(now) == Standing::Over).count());
    if running + waiting == 0 {
        return Ok((true, Text::both(t::check_emergency_none)));
    }
    Ok((true, Text::both(|l| t::check_emergency_some(l, t::CheckEmergencySome { running, waiting }))))
}
