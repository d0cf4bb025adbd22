//! Telling the consumers of a service that it is interrupted, and that it is back: one notice for each consumer with an
//! agreement in force, to the people and technical contacts behind it.

use std::collections::BTreeMap;

use base::clock::{Date, Timestamp};
use base::error::{Error, FieldError, Refusal, Result};
use base::i18n::{Lang, Text};
use kernel::alerts::Severity;
use kernel::notices::{self, Channel, Notice, Recipient};
use kernel::orgs::UnitId;
use kernel::{Cx, Kernel, Scope, Tx};
use serde_json::json;

use crate::ids::{ServiceId, SubsystemId};
use crate::permissions::OPERATE;
use crate::store::lists::{self, ServiceRow};
use crate::store::outages;
use crate::t;
use crate::viewer::Viewer;

base::id_type!(
    /// An interruption of which consumers were told.
    OutageId,
    "exchange.outage"
);
base::id_type!(
    /// An address at which a system's technical people are reached.
    ContactId,
    "exchange.contact"
);
kernel::id_value!(OutageId, ContactId);

/// What addresses are sealed for.
const ADDRESS: &str = "exchange-contact";
/// The role whose people at the consumer's agency are told.
const ROLE: &str = "consumer-officer";
/// Contacts one system may have.
pub(crate) const MOST_CONTACTS: usize = 10;
/// Longest text, in characters.
pub(crate) const MAX_TEXT: usize = 1_000;
/// Consumers told at once. More is a matter for the province's own website.
const MOST_CONSUMERS: u32 = 1_000;

/// The page on which the consumers of a service are told.
pub(crate) fn path(service: ServiceId) -> String {
    format!("/exchange/services/{service}/outage")
}

/// A system that may call the service.
#[derive(Debug, Clone)]
pub(crate) struct Consumer {
    pub subsystem: SubsystemId,
    pub name: String,
    pub member: String,
    pub agency: Option<UnitId>,
    /// Its contacts as they are shown.
    pub contacts: Vec<Contact>,
}

/// A technical contact. The address itself stays sealed until somebody is told.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub id: ContactId,
    pub channel: Channel,
    pub masked: String,
    pub sealed: Vec<u8>,
}

/// An interruption.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    pub id: OutageId,
    pub service: ServiceId,
    pub service_name: String,
    pub since: Timestamp,
    pub known: String,
    pub expected: String,
    pub told_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// What the operator says of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Typed {
    pub since_date: String,
    pub since_time: String,
    pub known: String,
    pub expected: String,
}

impl Typed {
    fn check(&self, now: Timestamp) -> Result<Timestamp, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, text: Text| errors.push(FieldError { field: field.to_owned(), text });
        let since = moment(&self.since_date, &self.since_time).filter(|at| *at <= now);
        if since.is_none() {
            wrong("since_date", Text::both(t::outage_bad_since));
        }
        if self.known.trim().is_empty() {
            wrong("known", Text::both(t::outage_needed));
        }
        for (field, text) in [("known", &self.known), ("expected", &self.expected)] {
            if text.chars().count() > MAX_TEXT {
                wrong(field, Text::both(|l| t::outage_too_long(l, MAX_TEXT)));
            }
        }
        match since {
            Some(since) if errors.is_empty() => Ok(since),
            _ => Err(errors),
        }
    }
}

/// `22/11/2026` and `08:14`.
fn moment(date: &str, time: &str) -> Option<Timestamp> {
    let day = Date::parse_vn(date.trim()).or_else(|| date.trim().parse().ok())?;
    let (hours, minutes) = time.trim().split_once(':')?;
    let number = |s: &str, below: i64| s.parse::<i64>().ok().filter(|n| (0..below).contains(n));
    let minutes = number(hours, 24)? * 60 + number(minutes, 60)?;
    Some(Timestamp::from_micros(Timestamp::start_of(day).micros().checked_add(minutes * 60_000_000)?))
}

/// The consumers whose agreement is in force today, by name.
pub(crate) async fn consumers(k: &Kernel, service: ServiceId) -> Result<Vec<Consumer>> {
    outages::consumers(&k.db, service, k.clock.now().date(), MOST_CONSUMERS).await
}

/// Tells the consumers that the service is interrupted. Returns how many there are.
pub(crate) async fn announce(k: &Kernel, cx: &Cx, service: ServiceId, typed: &Typed) -> Result<i64> {
    cx.may(OPERATE, &Scope::province())?;
    let s = find(k, cx, service).await?;
    let since = typed.check(k.clock.now()).map_err(Error::Invalid)?;
    let consumers = consumers(k, service).await?;
    if consumers.is_empty() {
        return Err(refused("no-consumers", t::outage_no_consumers));
    }
    let id = OutageId::new(&*k.clock, &*k.random);
    let known = typed.known.trim().to_owned();
    let expected = Some(typed.expected.trim()).filter(|e| !e.is_empty()).map(str::to_owned);
    let mut tx = k.begin(cx).await?;
    let shown = expected.clone().unwrap_or_default();
    if !outages::insert(&mut tx, id, service, since, (&known, &shown)).await? {
        return Err(refused("outage-open", t::outage_open_already));
    }
    let same = |s: &str| Text { vi: s.to_owned(), en: s.to_owned() };
    let mut arguments = arguments(&s, since, &known);
    arguments.insert(
        "expected".to_owned(),
        expected.map_or_else(|| Text::both(t::outage_expected_unknown), |e| same(&e)),
    );
    for consumer in &consumers {
        outages::concerns(&mut tx, id, consumer.subsystem).await?;
        tell(&mut tx, "service-outage", &s, consumer, arguments.clone()).await?;
    }
    let count = i64::try_from(consumers.len()).unwrap_or(i64::MAX);
    let detail = json!({"service": service.to_string(), "since": since.rfc3339(), "consumers": count});
    tx.audit("exchange.outage.announce", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(count)
}

/// Tells those who were told that the service is back. Returns how many they are.
pub(crate) async fn end(k: &Kernel, cx: &Cx, service: ServiceId) -> Result<i64> {
    cx.may(OPERATE, &Scope::province())?;
    let s = find(k, cx, service).await?;
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    let Some(outage) = outages::lock_open(&mut tx, service).await? else {
        return Err(refused("outage-not-open", t::outage_not_open));
    };
    outages::end(&mut tx, outage.id).await?;
    let same = |s: String| Text { vi: s.clone(), en: s };
    let mut arguments = arguments(&s, outage.since, &outage.known);
    arguments.insert("until".to_owned(), same(now.vn()));
    let told = outages::told(&k.db, outage.id).await?;
    for consumer in &told {
        tell(&mut tx, "service-restored", &s, consumer, arguments.clone()).await?;
    }
    let count = i64::try_from(told.len()).unwrap_or(i64::MAX);
    let detail = json!({"service": service.to_string(), "consumers": count});
    tx.audit("exchange.outage.end", &outage.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(count)
}

async fn find(k: &Kernel, cx: &Cx, service: ServiceId) -> Result<ServiceRow> {
    let viewer = Viewer::of(k, cx).await?;
    lists::service(&k.db, &viewer, service).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })
}

fn arguments(s: &ServiceRow, since: Timestamp, known: &str) -> BTreeMap<String, Text> {
    let same = |s: String| Text { vi: s.clone(), en: s };
    [
        ("service".to_owned(), same(s.name.clone())),
        ("provider".to_owned(), same(s.member_name.clone())),
        ("since".to_owned(), same(since.vn())),
        ("known".to_owned(), same(known.to_owned())),
    ]
    .into()
}

/// One notice for one consumer.
async fn tell(
    tx: &mut Tx,
    template: &str,
    s: &ServiceRow,
    consumer: &Consumer,
    arguments: BTreeMap<String, Text>,
) -> Result<()> {
    let to = recipients(tx, consumer)?;
    let (template, about) = (template.to_owned(), Some(s.id.to_ref()));
    tx.notify(&Notice { template, arguments, severity: Severity::Critical, about, to }).await?;
    Ok(())
}

/// The people and technical contacts behind a consumer.
pub(crate) fn recipients(tx: &Tx, consumer: &Consumer) -> Result<Vec<Recipient>> {
    let mut to = Vec::new();
    if let Some(agency) = consumer.agency {
        to.push(Recipient::Holders { role: ROLE.to_owned(), agency: Some(agency) });
    }
    for contact in &consumer.contacts {
        let opened = tx.kernel().keys.open(ADDRESS, &contact.sealed)?;
        to.push(Recipient::Address {
            channel: contact.channel,
            address: String::from_utf8_lossy(&opened).into_owned(),
            name: consumer.name.clone(),
            lang: Lang::Vi,
        });
    }
    Ok(to)
}

/// Adds a technical contact to a system.
pub(crate) async fn add_contact(
    k: &Kernel,
    cx: &Cx,
    system: SubsystemId,
    channel: &str,
    typed: &str,
) -> Result<ContactId> {
    cx.may(OPERATE, &Scope::province())?;
    let channel = Channel::from_name(channel)
        .ok_or_else(|| Error::field("channel", Text::both(t::contact_bad_channel)))?;
    let address = notices::address(channel, typed)
        .ok_or_else(|| Error::field("address", Text::both(t::contact_bad_address)))?;
    let viewer = Viewer::of(k, cx).await?;
    if lists::subsystem(&k.db, &viewer, system).await?.is_none() {
        return Err(Error::NotFound { kind: SubsystemId::KIND });
    }
    if outages::contacts(&k.db, system).await?.len() >= MOST_CONTACTS {
        return Err(refused("too-many-contacts", t::contact_too_many));
    }
    let id = ContactId::new(&*k.clock, &*k.random);
    let contact = Contact {
        id,
        channel,
        masked: notices::masked(channel, &address),
        sealed: k.keys.seal(ADDRESS, address.as_bytes(), &*k.random)?,
    };
    let digest = k.keys.digest(ADDRESS, address.as_bytes());
    let mut tx = k.begin(cx).await?;
    if !outages::insert_contact(&mut tx, system, &contact, digest).await? {
        return Err(Error::field("address", Text::both(t::contact_there)));
    }
    let detail = json!({"contact": id.to_string(), "channel": channel.name()});
    tx.audit("exchange.contact.add", &system.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Takes a technical contact away.
pub(crate) async fn remove_contact(k: &Kernel, cx: &Cx, system: SubsystemId, id: ContactId) -> Result<()> {
    cx.may(OPERATE, &Scope::province())?;
    let mut tx = k.begin(cx).await?;
    if !outages::remove_contact(&mut tx, system, id).await? {
        return Err(Error::NotFound { kind: ContactId::KIND });
    }
    tx.audit("exchange.contact.remove", &system.to_ref(), json!({"contact": id.to_string()})).await?;
    tx.commit().await?;
    Ok(())
}

fn refused(code: &'static str, text: fn(Lang) -> &'static str) -> Error {
    Refusal::new(code, Text::both(text)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_an_outage_is_checked() {
        let now = moment("22/11/2026", "09:00").unwrap();
        let typed = |time: &str, known: &str| Typed {
            since_date: "22/11/2026".into(),
            since_time: time.into(),
            known: known.into(),
            expected: String::new(),
        };
        assert_eq!(typed("08:14", "x").check(now), Ok(moment("22/11/2026", "8:14").unwrap()));
        for (time, known) in [("09:01", "x"), ("24:00", "x"), ("-1:00", "x"), ("", "x"), ("08:14", " ")] {
            assert!(typed(time, known).check(now).is_err(), "{time} {known}");
        }
        assert!(typed("08:14", &"đ".repeat(MAX_TEXT + 1)).check(now).is_err());
    }
}
