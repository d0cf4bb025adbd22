//! How somebody is reached: adding a way, giving back its code, taking it away; quiet hours. Each only one's own.

use std::time::Duration;

use base::error::{Error, Result};
use base::i18n::Text;
use kernel::notices::Channel;
use kernel::{Cx, Kernel, PersonId, Ref};
use serde_json::json;

use super::{person, refused};
use crate::office::Office;
use crate::quiet::Quiet;
use crate::store::messages;
use crate::store::ways::{self, NewWay};
use crate::t;
use crate::tell::{self, ADDRESS};
use crate::way::{self, CODE_MINUTES, MAX_TRIES, MOST, WayId};

/// Codes sent to one person within an hour: nobody else's mailbox is filled through us.
const CODES_AN_HOUR: i64 = 6;
/// Digits of a code.
const DIGITS: usize = 6;

fn of(person: PersonId) -> Ref {
    person.to_ref()
}

fn code(k: &Kernel) -> String {
    // Rejecting 250..=255 keeps all digits as likely.
    let mut digits = String::new();
    while digits.len() < DIGITS {
        let [byte] = base::random::bytes::<1>(&*k.random);
        if byte < 250 {
            digits.push(char::from(b'0' + byte % 10));
        }
    }
    digits
}

fn digest(k: &Kernel, id: WayId, code: &str) -> [u8; 32] {
    k.keys.digest("notices-code", format!("{id}/{code}").as_bytes())
}

async fn check_rate(k: &Kernel, who: PersonId) -> Result<()> {
    let since = k.clock.now().minus(Duration::from_secs(3_600));
    if messages::sent_to(&k.db, who, "way-code", since).await? >= CODES_AN_HOUR {
        return Err(Error::TooMany { retry_after: 3_600 });
    }
    Ok(())
}

/// Adds a way and sends a code to it.
pub(crate) async fn add(o: &Office, k: &Kernel, cx: &Cx, channel: Channel, typed: &str) -> Result<WayId> {
    let who = person(cx)?;
    let Some(address) = way::address(channel, typed) else {
        return Err(Error::field(
            "address",
            Text::both(|l| match channel {
                Channel::Email => t::bad_email(l),
                Channel::Sms => t::bad_phone(l),
                Channel::Chat => t::bad_chat(l),
            }),
        ));
    };
    if o.gateway(channel).is_none() {
        return Err(Error::field("channel", Text::both(t::channel_missing)));
    }
    if ways::of_person(&k.db, who).await?.len() >= MOST {
        return Err(refused("too-many-ways", Text::both(|l| t::too_many_ways(l, MOST))));
    }
    check_rate(k, who).await?;
    let id = WayId::new(&*k.clock, &*k.random);
    let (masked, code) = (way::masked(channel, &address), code(k));
    let sealed = k.keys.seal(ADDRESS, address.as_bytes(), &*k.random)?;
    let new = NewWay {
        id,
        person: who,
        channel,
        address: sealed.clone(),
        digest: k.keys.digest("notices-way", address.as_bytes()),
        masked: &masked,
        code: digest(k, id, &code),
        code_until: k.clock.now().plus(Duration::from_secs(CODE_MINUTES * 60)),
    };
    let mut tx = k.begin(cx).await?;
    if !ways::insert(&mut tx, new).await? {
        return Err(Error::field("address", Text::both(t::way_exists)));
    }
    tell::code(o, &mut tx, who, (channel, sealed, &masked), &code).await?;
    tx.audit("notices.way.add", &of(who), json!({"way": id.to_string(), "channel": channel.name()})).await?;
    tx.commit().await?;
    Ok(id)
}

/// Sends a new code to a way that is not confirmed yet.
pub(crate) async fn send_code(o: &Office, k: &Kernel, cx: &Cx, id: WayId) -> Result<()> {
    let who = person(cx)?;
    check_rate(k, who).await?;
    let code = code(k);
    let mut tx = k.begin(cx).await?;
    let proof = ways::lock(&mut tx, who, id).await?.ok_or(Error::NotFound { kind: WayId::KIND })?;
    if proof.verified {
        return Err(refused("way-confirmed", Text::both(t::way_confirmed_already)));
    }
    let until = k.clock.now().plus(Duration::from_secs(CODE_MINUTES * 60));
    ways::set_code(&mut tx, id, digest(k, id, &code), until).await?;
    tell::code(o, &mut tx, who, (proof.channel, proof.address, &proof.masked), &code).await?;
    tx.audit("notices.way.code", &of(who), json!({"way": id.to_string()})).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a code back: the way counts from now on.
pub(crate) async fn confirm(k: &Kernel, cx: &Cx, id: WayId, typed: &str) -> Result<()> {
    let who = person(cx)?;
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).take(20).collect();
    let mut tx = k.begin(cx).await?;
    let proof = ways::lock(&mut tx, who, id).await?.ok_or(Error::NotFound { kind: WayId::KIND })?;
    if proof.verified {
        return Err(refused("way-confirmed", Text::both(t::way_confirmed_already)));
    }
    let live = proof.code_until.is_some_and(|until| k.clock.now() < until) && proof.tries < MAX_TRIES;
    let Some(wanted) = proof.code.filter(|_| live) else {
        return Err(Error::field("code", Text::both(t::code_over)));
    };
    // The digest is keyed: comparing it by its bytes tells nothing of the code.
    if wanted != digest(k, id, &typed) {
        ways::wrong_code(&mut tx, id).await?;
        tx.audit("notices.way.wrong-code", &of(who), json!({"way": id.to_string()})).await?;
        tx.commit().await?;
        return Err(Error::field("code", Text::both(t::code_wrong)));
    }
    ways::verify(&mut tx, id).await?;
    tx.audit("notices.way.confirm", &of(who), json!({"way": id.to_string()})).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a way away.
pub(crate) async fn remove(k: &Kernel, cx: &Cx, id: WayId) -> Result<()> {
    let who = person(cx)?;
    let mut tx = k.begin(cx).await?;
    if !ways::remove(&mut tx, who, id).await? {
        return Err(Error::NotFound { kind: WayId::KIND });
    }
    tx.audit("notices.way.remove", &of(who), json!({"way": id.to_string()})).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets one's quiet hours; both empty ends them.
pub(crate) async fn set_quiet(k: &Kernel, cx: &Cx, from: &str, until: &str) -> Result<()> {
    let who = person(cx)?;
    let quiet = if from.trim().is_empty() && until.trim().is_empty() {
        None
    } else {
        let bad = || Error::field("from", Text::both(t::bad_quiet));
        Some(Quiet::parse(from, until).ok_or_else(bad)?)
    };
    let mut tx = k.begin(cx).await?;
    ways::set_quiet(&mut tx, who, quiet).await?;
    tx.audit("notices.quiet.set", &of(who), json!({"set": quiet.is_some()})).await?;
    tx.commit().await?;
    Ok(())
}
