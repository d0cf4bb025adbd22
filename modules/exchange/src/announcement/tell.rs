//! Telling consumers of an announcement, those too that get an agreement later, and reminding them before its day.

use std::collections::BTreeMap;

use base::clock::Date;
use base::i18n::Text;
use kernel::alerts::Severity;
use kernel::{Cx, Kernel, Result, Tx};
use serde_json::json;

use super::store::{self, MOST_CONSUMERS};
use super::{Announcement, reminder};
use crate::outage::{Consumer, recipients};
use crate::store::outages;
use crate::t;

/// Tells one consumer; `template` is one of the module `notices`.
pub(super) async fn tell(
    tx: &mut Tx,
    template: &str,
    a: &Announcement,
    consumer: &Consumer,
    today: Date,
) -> Result<()> {
    let same = |s: String| Text { vi: s.clone(), en: s };
    let left = a.due().days_since_epoch() - today.days_since_epoch();
    let none = || Text::both(t::announce_no_successor);
    let arguments: BTreeMap<String, Text> = [
        ("service", same(a.service_name.clone())),
        ("provider", same(a.provider_member.clone())),
        ("consumer", same(consumer.name.clone())),
        ("kind", Text::both(|l| a.said.kind.label(l).to_owned())),
        ("day", same(a.due().vn())),
        ("left", same(left.max(0).to_string())),
        ("what", same(a.said.what.clone())),
        ("successor", a.successor_name.clone().map_or_else(none, same)),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect();
    let (template, about) = (template.to_owned(), Some(a.id.to_ref()));
    let to = recipients(tx, consumer)?;
    tx.notify(&kernel::notices::Notice { template, arguments, severity: Severity::Warning, about, to })
        .await?;
    Ok(())
}

/// Tells consumers that were not told yet, and reminds those whose day has come. Returns how many messages were asked for.
/// Safe to repeat and to run on several nodes.
///
/// # Errors
/// When the database is away.
pub async fn remind_due(k: &Kernel, days: &[u16]) -> Result<usize> {
    let today = k.clock.now().date();
    let mut sent = 0;
    for a in store::standing(&k.db, today).await? {
        let there = store::consumers(&k.db, a.id).await?;
        for consumer in outages::consumers(&k.db, a.service, today, MOST_CONSUMERS).await? {
            let row = there.iter().find(|c| c.subsystem == consumer.subsystem);
            let due = match row {
                None => None,
                Some(c) => match reminder(days, today, a.due(), c.told_at.date(), c.reminded) {
                    Some(days) => Some(days),
                    None => continue,
                },
            };
            sent += usize::from(message(k, &a, &consumer, due, today).await?);
        }
    }
    Ok(sent)
}

/// The first message (`days` is `None`) or a reminder, in a transaction of its own.
async fn message(
    k: &Kernel,
    a: &Announcement,
    consumer: &Consumer,
    days: Option<i64>,
    today: Date,
) -> Result<bool> {
    let cx = Cx::kernel("exchange.announcements", k.clock.now());
    let mut tx = k.begin(&cx).await?;
    // Whoever writes the row sends the message.
    let mine = match days {
        None => store::told(&mut tx, a.id, consumer.subsystem).await?,
        Some(days) => store::reminded(&mut tx, a.id, consumer.subsystem, days).await?,
    };
    if !mine {
        return Ok(false);
    }
    let template = if days.is_none() { "service-announced" } else { "service-reminder" };
    tell(&mut tx, template, a, consumer, today).await?;
    let detail = json!({ "consumer": consumer.subsystem, "days": days });
    tx.audit("exchange.announcement.told", &a.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(true)
}
