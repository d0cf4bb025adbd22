//! Writes messages: the words in the reader's language, one message for each way by which somebody is reached, and the
//! job that sends it. All within the transaction of what makes it necessary.

use std::collections::BTreeMap;

use base::clock::Timestamp;
use base::error::Result;
use base::i18n::{Lang, Text};
use kernel::alerts::Severity;
use kernel::identity::people;
use kernel::notices::{Channel, NoticeId};
use kernel::{Kernel, PersonId, Ref, Tx};

use crate::jobs::SendMessage;
use crate::message::{CaseId, MessageId, NewMessage, State};
use crate::office::Office;
use crate::store::{messages, templates, ways};
use crate::template::{self, Words};
use crate::way;

/// What addresses are sealed for.
pub(crate) const ADDRESS: &str = "notices-address";
/// What stands in a text that is put in only when it is sent.
pub(crate) const SECRET: &str = "notices-secret";

/// What is to be told, to whomever.
pub(crate) struct Draft<'a> {
    pub template: &'a str,
    pub case: Option<CaseId>,
    pub notice: Option<NoticeId>,
    pub about: Option<&'a Ref>,
    /// What one message tells together.
    pub covers: &'a [Ref],
    pub severity: Severity,
    /// Without `link` and `platform`, which are the same for every message.
    pub arguments: BTreeMap<String, Text>,
}

/// An address of a body or system.
pub(crate) struct Addressee<'a> {
    pub channel: Channel,
    pub address: &'a str,
    pub name: &'a str,
    pub lang: Lang,
}

/// In which language somebody reads.
async fn language(k: &Kernel, person: PersonId) -> Lang {
    people::get(&k.db, person).await.ok().and_then(|p| p.lang).unwrap_or(Lang::Vi)
}

/// Tells a person over every way they have; returns whether they have any. If not, that is kept as a message, too.
pub(crate) async fn person(o: &Office, tx: &mut Tx, d: &Draft<'_>, who: PersonId) -> Result<bool> {
    let k = tx.kernel().clone();
    let lang = language(&k, who).await;
    let words = written(o, &k, d, lang).await?;
    let not_before = match ways::quiet(&k.db, who).await? {
        Some(quiet) => quiet.earliest(d.severity, k.clock.now()),
        None => k.clock.now(),
    };
    let known = ways::verified(&k.db, who).await?;
    let known: Vec<_> = known.into_iter().filter(|(w, _)| o.gateway(w.channel).is_some()).collect();
    let to = To { person: Some(who), name: "", lang, not_before };
    if known.is_empty() {
        let id = messages::insert(tx, new(d, &to, &words.subject, &words.body, State::Unreached)).await?;
        messages::covers(tx, id, d.covers).await?;
        return Ok(false);
    }
    for (way, address) in known {
        let body = text_for(&words, way.channel);
        let mut m = new(d, &to, &words.subject, body, State::Waiting);
        (m.channel, m.address, m.masked) = (Some(way.channel), Some(address), &way.masked);
        let id = messages::insert(tx, m).await?;
        messages::covers(tx, id, d.covers).await?;
        tx.enqueue_at(&SendMessage { message: id }, not_before).await?;
    }
    Ok(true)
}

/// Whether a person can be reached over a way that is configured.
pub(crate) async fn reachable(o: &Office, k: &Kernel, who: PersonId) -> Result<bool> {
    Ok(ways::verified(&k.db, who).await?.iter().any(|(w, _)| o.gateway(w.channel).is_some()))
}

/// Tells a body or system at its address. A channel that is not configured leaves an unreached message.
pub(crate) async fn address(o: &Office, tx: &mut Tx, d: &Draft<'_>, to: &Addressee<'_>) -> Result<MessageId> {
    let k = tx.kernel().clone();
    let words = written(o, &k, d, to.lang).await?;
    let lawful = way::address(to.channel, to.address);
    let can = lawful.is_some() && o.gateway(to.channel).is_some();
    let address = lawful.unwrap_or_else(|| to.address.to_owned());
    let masked = way::masked(to.channel, &address);
    let person = To { person: None, name: to.name, lang: to.lang, not_before: k.clock.now() };
    let state = if can { State::Waiting } else { State::Unreached };
    let mut m = new(d, &person, &words.subject, text_for(&words, to.channel), state);
    (m.channel, m.masked) = (Some(to.channel), &masked);
    m.address = Some(k.keys.seal(ADDRESS, address.as_bytes(), &*k.random)?);
    let id = messages::insert(tx, m).await?;
    if can {
        tx.enqueue(&SendMessage { message: id }).await?;
    }
    Ok(id)
}

/// Sends a code to an address that is not confirmed yet. The code itself is sealed until it leaves.
pub(crate) async fn code(
    o: &Office,
    tx: &mut Tx,
    who: PersonId,
    (channel, sealed, masked): (Channel, Vec<u8>, &str),
    code: &str,
) -> Result<()> {
    let k = tx.kernel().clone();
    let lang = language(&k, who).await;
    let mut arguments = BTreeMap::new();
    arguments.insert("minutes".to_owned(), Text::both(|_| way::CODE_MINUTES.to_string()));
    let d = Draft {
        template: "way-code",
        case: None,
        notice: None,
        about: None,
        covers: &[],
        severity: Severity::Critical,
        arguments,
    };
    let words = written(o, &k, &d, lang).await?;
    let to = To { person: Some(who), name: "", lang, not_before: k.clock.now() };
    let mut m = new(&d, &to, &words.subject, text_for(&words, channel), State::Waiting);
    (m.channel, m.address, m.masked) = (Some(channel), Some(sealed), masked);
    m.secret = Some(k.keys.seal(SECRET, code.as_bytes(), &*k.random)?);
    let id = messages::insert(tx, m).await?;
    tx.enqueue(&SendMessage { message: id }).await?;
    Ok(())
}

/// Text messages and chats get the short text, mail the long one.
fn text_for(words: &Words, channel: Channel) -> &str {
    match channel {
        Channel::Email => &words.body,
        Channel::Sms | Channel::Chat => &words.short,
    }
}

async fn written(o: &Office, k: &Kernel, d: &Draft<'_>, lang: Lang) -> Result<Words> {
    let (words, _) = templates::words(&k.db, d.template, lang).await?;
    let mut arguments: template::Arguments =
        d.arguments.iter().map(|(name, text)| (name.clone(), text.get(lang).to_owned())).collect();
    arguments.insert("platform".to_owned(), o.platform.clone());
    if !arguments.contains_key("link") {
        arguments.insert("link".to_owned(), o.link(k, d.about).await);
    }
    Ok(template::render(&words, &arguments))
}

struct To<'a> {
    person: Option<PersonId>,
    name: &'a str,
    lang: Lang,
    not_before: Timestamp,
}

fn new<'a>(d: &'a Draft<'a>, to: &To<'a>, subject: &'a str, body: &'a str, state: State) -> NewMessage<'a> {
    NewMessage {
        template: d.template,
        case: d.case,
        notice: d.notice,
        about: d.about,
        severity: d.severity,
        person: to.person,
        recipient: to.name,
        channel: None,
        address: None,
        masked: "",
        lang: to.lang,
        subject,
        body,
        secret: None,
        state,
        not_before: to.not_before,
    }
}
