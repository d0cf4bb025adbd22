//! Fills a new demonstration: somebody on duty, and addresses of invented people that count without a code. Never used
//! on data that belongs to anybody.

use std::time::Duration;

use base::error::{Error, Result};
use kernel::notices::Channel;
use kernel::{Cx, Kernel, PersonId};
use serde_json::json;

use crate::duty::{Shift, ShiftId, week_of};
use crate::store::ways::NewWay;
use crate::store::{duty, ways};
use crate::tell::ADDRESS;
use crate::way::{self, WayId};

/// Days of duty of a demonstration: whoever opens it later still finds somebody.
const DAYS: u64 = 14;

/// Who is on duty in a demonstration, and where they are reached.
pub struct Duty {
    /// The first and second person of every period.
    pub people: [PersonId; 2],
    /// Addresses with their owners.
    pub addresses: Vec<(PersonId, Channel, String)>,
}

/// Fills the rota for two weeks from Monday on and adds the addresses, unless there is a rota.
///
/// # Errors
/// When an address is none, or the database is away.
pub async fn seed(k: &Kernel, cx: &Cx, d: &Duty) -> Result<()> {
    if duty::is_kept(&k.db).await? {
        return Ok(());
    }
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    let [first, second] = d.people;
    let monday = week_of(now.date());
    for day in 0..DAYS {
        let begins = monday.plus(Duration::from_secs(day * 86_400));
        let ends = begins.plus(Duration::from_secs(86_400));
        let id = ShiftId::new(&*k.clock, &*k.random);
        duty::insert(&mut tx, &Shift { id, begins, ends, first, second: Some(second) }).await?;
    }
    for (person, channel, typed) in &d.addresses {
        let address = way::address(*channel, typed).ok_or_else(|| Error::internal("not an address"))?;
        let id = WayId::new(&*k.clock, &*k.random);
        let new = NewWay {
            id,
            person: *person,
            channel: *channel,
            address: k.keys.seal(ADDRESS, address.as_bytes(), &*k.random)?,
            digest: k.keys.digest("notices-way", address.as_bytes()),
            masked: &way::masked(*channel, &address),
            code: [0; 32],
            code_until: now,
        };
        if ways::insert(&mut tx, new).await? {
            ways::verify(&mut tx, id).await?;
        }
    }
    tx.audit("notices.seed", &kernel::Ref::new("notices.rota", "demo"), json!({"days": DAYS})).await?;
    tx.commit().await?;
    Ok(())
}
