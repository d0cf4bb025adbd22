//! Messages: sending failed ones again, having one sent, taking in what gateways report.

use std::collections::BTreeMap;

use base::error::{Error, FieldError, Result};
use base::i18n::Text;
use kernel::alerts::Severity;
use kernel::notices::{Channel, Notice, NoticeId, Recipient};
use kernel::once::{self, Once};
use kernel::orgs::UnitId;
use kernel::{Cx, Kernel, Ref, Scope};
use serde_json::json;

use super::refused;
use crate::jobs::SendMessage;
use crate::message::MessageId;
use crate::permissions::{OPERATE, SEND};
use crate::store::messages;
use crate::t;

/// Dead messages sent again in one go.
const MOST_AT_ONCE: u32 = 500;
/// Longest subject that may be sent, in characters.
pub(crate) const MAX_SUBJECT: usize = 150;
/// Longest text that may be sent, in characters.
pub(crate) const MAX_TEXT: usize = 5_000;

/// Sends a refused or dead message again.
pub(crate) async fn retry(k: &Kernel, cx: &Cx, id: MessageId) -> Result<()> {
    cx.may(OPERATE, &Scope::province())?;
    if messages::one(&k.db, id).await?.is_none() {
        return Err(Error::NotFound { kind: MessageId::KIND });
    }
    let mut tx = k.begin(cx).await?;
    if !messages::revive(&mut tx, id).await? {
        return Err(refused("message-not-failed", Text::both(t::not_failed)));
    }
    tx.enqueue(&SendMessage { message: id }).await?;
    tx.audit("notices.message.retry", &id.to_ref(), json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Sends all dead messages again, at most 500 at once. Returns how many.
pub(crate) async fn retry_dead(k: &Kernel, cx: &Cx) -> Result<i64> {
    cx.may(OPERATE, &Scope::province())?;
    let mut tx = k.begin(cx).await?;
    let mut count = 0;
    for id in messages::dead(&mut tx, MOST_AT_ONCE).await? {
        if messages::revive(&mut tx, id).await? {
            tx.enqueue(&SendMessage { message: id }).await?;
            count += 1;
        }
    }
    tx.audit("notices.message.retry-dead", &Ref::new("notices.messages", "dead"), json!({"count": count}))
        .await?;
    tx.commit().await?;
    Ok(count)
}

/// What somebody wants to have sent.
pub(crate) struct Wanted {
    pub role: String,
    pub agency: Option<UnitId>,
    pub subject: String,
    pub text: String,
    pub severity: Severity,
}

/// Has a message sent to everybody who holds a role. A repetition of the same request gives the first one's notice.
pub(crate) async fn send(k: &Kernel, cx: &Cx, w: &Wanted, once: Option<&Once>) -> Result<(NoticeId, bool)> {
    let scope = w.agency.map_or_else(Scope::province, Scope::agency);
    cx.may(SEND, &scope)?;
    let parse = |id: String| id.parse().map_err(Error::internal);
    if let Some(once) = once
        && let Some(before) = once::before(&k.db, cx, once).await?
    {
        return Ok((parse(before)?, false));
    }
    let mut errors = Vec::new();
    for (field, text, most) in
        [("subject", &w.subject, MAX_SUBJECT), ("text", &w.text, MAX_TEXT), ("role", &w.role, 64)]
    {
        let wrong = |text: Text| FieldError { field: field.to_owned(), text };
        if text.trim().is_empty() {
            errors.push(wrong(Text::both(t::needed)));
        } else if text.chars().count() > most {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            errors.push(wrong(Text::both(|l| t::too_long(l, most))));
        }
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let same = |s: &str| Text { vi: s.to_owned(), en: s.to_owned() };
    let sender = cx.name.clone().unwrap_or_else(|| match &cx.actor {
        kernel::Actor::System { subsystem } => subsystem.clone(),
        _ => "—".to_owned(),
    });
    let arguments: BTreeMap<String, Text> = [
        ("subject".to_owned(), same(&w.subject)),
        ("text".to_owned(), same(&w.text)),
        ("sender".to_owned(), same(&sender)),
    ]
    .into();
    let mut tx = k.begin(cx).await?;
    let to = vec![Recipient::Holders { role: w.role.clone(), agency: w.agency }];
    let notice = Notice { template: "plain".to_owned(), arguments, severity: w.severity, about: None, to };
    let id = tx.notify(&notice).await?;
    if let Some(once) = once
        && let Some(before) = once::claim(&mut tx, once, &id.to_string()).await?
    {
        return Ok((parse(before)?, false));
    }
    let detail = json!({"role": w.role, "agency": w.agency.map(|a| a.to_string())});
    tx.audit("notices.message.send", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok((id, true))
}

/// Takes in a delivery report that has proved to be the gateway's. A repetition changes nothing. Returns whether this one
/// has changed something.
pub(crate) async fn report(k: &Kernel, channel: Channel, reference: &str, delivered: bool) -> Result<bool> {
    let mut tx = k.begin(&Cx::kernel("notices.report", k.clock.now())).await?;
    let reason = (!delivered).then_some("the gateway reports that it could not be delivered");
    let changed = messages::reported(&mut tx, channel, reference, delivered, reason).await?;
    tx.commit().await?;
    Ok(changed)
}
