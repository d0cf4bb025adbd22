//! Work after the commit: sending a message, telling the next when nobody takes an alert on, telling how a restless
//! fault stands, telling much in one message.

use std::sync::Arc;

use async_trait::async_trait;
use base::clock::Timestamp;
use base::error::{Error, Result};
use kernel::jobs::{ATTEMPTS, Job, JobBody, JobHandler};
use kernel::notices::{Failure, Outgoing};
use kernel::{Cx, Kernel};
use serde::{Deserialize, Serialize};

use crate::message::{CaseId, Message, MessageId, State};
use crate::office::Office;
use crate::store::messages::{self, Ended};
use crate::tell::{ADDRESS, SECRET};
use crate::{cases, way};

/// Sends a message.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SendMessage {
    pub message: MessageId,
}

impl JobBody for SendMessage {
    const KIND: &'static str = "notices.send";
}

/// Tells the next who are to be told, unless somebody has taken the alert on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Escalate {
    pub case: CaseId,
    pub stage: i64,
}

impl JobBody for Escalate {
    const KIND: &'static str = "notices.escalate";
}

/// Tells how a fault stands that came and went, unless it has changed since.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Settle {
    pub case: CaseId,
    pub changed_at: Timestamp,
}

impl JobBody for Settle {
    const KIND: &'static str = "notices.settle";
}

/// Tells in one message what has been collected.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellTogether {}

impl JobBody for TellTogether {
    const KIND: &'static str = "notices.together";
}

/// Hands messages to the gateways.
pub(crate) struct Sender(pub Arc<Office>);

#[async_trait]
impl JobHandler for Sender {
    fn kind(&self) -> &'static str {
        SendMessage::KIND
    }

    async fn run(&self, k: &Kernel, job: &Job) -> Result<()> {
        let id = job.body::<SendMessage>()?.message;
        let Some(m) = messages::one(&k.db, id).await?.filter(|m| m.state == State::Waiting) else {
            return Ok(());
        };
        let sent = hand_over(&self.0, k, job, &m).await?;
        let (state, outcome) = match &sent {
            Ok(_) => (State::Sent, "sent"),
            Err(Failure::Refused(_)) => (State::Refused, "refused"),
            Err(Failure::Later { .. }) if job.attempt >= ATTEMPTS => (State::Dead, "dead"),
            Err(Failure::Later { .. }) => (State::Waiting, "later"),
        };
        let (reason, after) = match &sent {
            Ok(_) => (None, None),
            Err(Failure::Refused(reason)) => (Some(reason.as_str()), None),
            Err(Failure::Later { reason, after }) => (Some(reason.as_str()), *after),
        };
        let reference = sent.as_ref().ok().and_then(|r| r.reference.as_deref());
        let mut tx = k.begin(&Cx::kernel("notices", k.clock.now())).await?;
        messages::attempted(&mut tx, id, Ended { state, outcome, reason, reference }).await?;
        tx.commit().await?;
        match (state, after) {
            (State::Waiting, Some(after)) => Err(Error::TooMany { retry_after: after.as_secs() }),
            (State::Waiting, None) => {
                Err(Error::unavailable("the message gateway", reason.unwrap_or_default().to_owned()))
            }
            _ => Ok(()),
        }
    }
}

type Handed = std::result::Result<kernel::notices::Receipt, Failure>;

/// One attempt. What the gateway says is cleared of the address before anybody else sees it.
async fn hand_over(o: &Office, k: &Kernel, job: &Job, m: &Message) -> Result<Handed> {
    let Some(gateway) = m.channel.and_then(|c| o.gateway(c)) else {
        let reason = "the channel is not configured (any more)".to_owned();
        return Ok(Err(Failure::Later { reason, after: None }));
    };
    let sealed = messages::sealed(&k.db, m.id).await?;
    let open = |purpose, sealed: Option<Vec<u8>>| -> Result<Option<String>> {
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = k.keys.open(purpose, &sealed)?;
        Ok(Some(String::from_utf8_lossy(&plain).into_owned()))
    };
    let Some(to) = open(ADDRESS, sealed.address)? else {
        return Ok(Err(Failure::Refused("there is no address".to_owned())));
    };
    let text = match open(SECRET, sealed.secret)? {
        Some(code) => m.body.replace("{code}", &code),
        None => m.body.clone(),
    };
    let key = job.id.to_string();
    let sent = gateway.send(Outgoing { key: &key, to: &to, subject: &m.subject, text: &text }).await;
    Ok(sent.map_err(|failure| match failure {
        Failure::Refused(reason) => Failure::Refused(way::without(&reason, &to)),
        Failure::Later { reason, after } => Failure::Later { reason: way::without(&reason, &to), after },
    }))
}

/// Does [`Escalate`].
pub(crate) struct Escalator(pub Arc<Office>);

#[async_trait]
impl JobHandler for Escalator {
    fn kind(&self) -> &'static str {
        Escalate::KIND
    }

    async fn run(&self, k: &Kernel, job: &Job) -> Result<()> {
        let wanted: Escalate = job.body()?;
        let mut tx = k.begin(&Cx::kernel("notices", k.clock.now())).await?;
        cases::escalate(&self.0, &mut tx, wanted.case, wanted.stage).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Does [`Settle`].
pub(crate) struct Settler(pub Arc<Office>);

#[async_trait]
impl JobHandler for Settler {
    fn kind(&self) -> &'static str {
        Settle::KIND
    }

    async fn run(&self, k: &Kernel, job: &Job) -> Result<()> {
        let wanted: Settle = job.body()?;
        let mut tx = k.begin(&Cx::kernel("notices", k.clock.now())).await?;
        cases::settle(&self.0, &mut tx, wanted.case, wanted.changed_at).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Does [`TellTogether`].
pub(crate) struct Collector(pub Arc<Office>);

#[async_trait]
impl JobHandler for Collector {
    fn kind(&self) -> &'static str {
        TellTogether::KIND
    }

    async fn run(&self, k: &Kernel, _: &Job) -> Result<()> {
        let mut tx = k.begin(&Cx::kernel("notices", k.clock.now())).await?;
        cases::together(&self.0, &mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}
