//! Hears that alerts begin, end and are taken on, and that modules ask for notices; writes the messages that follow.

use std::sync::Arc;

use async_trait::async_trait;
use base::error::Result;
use kernel::alerts::{AlertAcknowledged, AlertCleared, AlertRaised};
use kernel::identity::people;
use kernel::journal::{Event, Fact};
use kernel::listeners::Listener;
use kernel::notices::{self, Notice, NoticeAsked, NoticeId, Recipient};
use kernel::{Kernel, Tx};

use crate::cases;
use crate::office::Office;
use crate::tell::{self, Addressee, Draft};

/// Writes messages.
pub(crate) struct Writer(pub Arc<Office>);

/// People of a role at an agency told by one notice.
const MOST_HOLDERS: u32 = 200;

#[async_trait]
impl Listener for Writer {
    fn name(&self) -> &'static str {
        "notices.writer"
    }

    fn hears(&self) -> &'static [&'static str] {
        &[AlertRaised::KIND, AlertCleared::KIND, AlertAcknowledged::KIND, NoticeAsked::KIND]
    }

    async fn hear(&self, k: &Kernel, tx: &mut Tx, event: &Event) -> Result<()> {
        match event.kind.as_str() {
            AlertRaised::KIND => cases::opened(&self.0, tx, event.fact::<AlertRaised>()?.alert).await,
            AlertCleared::KIND => cases::cleared(&self.0, tx, event.fact::<AlertCleared>()?.alert).await,
            AlertAcknowledged::KIND => {
                cases::acknowledged(tx, event.fact::<AlertAcknowledged>()?.alert).await
            }
            _ => {
                let id = event.fact::<NoticeAsked>()?.notice;
                let notice = notices::one(k, &k.db, id).await?;
                write(&self.0, k, tx, id, &notice).await
            }
        }
    }
}

async fn write(o: &Office, k: &Kernel, tx: &mut Tx, id: NoticeId, notice: &Notice) -> Result<()> {
    let draft = Draft {
        template: &notice.template,
        case: None,
        notice: Some(id),
        about: notice.about.as_ref(),
        covers: &[],
        severity: notice.severity,
        arguments: notice.arguments.clone(),
    };
    // Somebody may be named in more than one way; they are told once.
    let mut told = Vec::new();
    for to in &notice.to {
        let people = match to {
            Recipient::Person(person) => vec![*person],
            Recipient::Holders { role, agency } => {
                let all = people::holders(&k.db, role, *agency, k.clock.now(), MOST_HOLDERS).await?;
                all.into_iter().map(|p| p.id).collect()
            }
            Recipient::Address { channel, address, name, lang } => {
                let to = Addressee { channel: *channel, address, name, lang: *lang };
                tell::address(o, tx, &draft, &to).await?;
                continue;
            }
        };
        for who in people {
            if !told.contains(&who) {
                told.push(who);
                tell::person(o, tx, &draft, who).await?;
            }
        }
    }
    Ok(())
}
