//! Notices: a module asks, in its own transaction, that people be told something. Nothing leaves before the commit; who
//! is reached over which channel, and whether it arrived, is the work of the module `notices`. Also the port of the
//! gateways over which messages leave.

mod address;
mod gateway;

use std::collections::BTreeMap;

use base::error::{Error, Result};
use base::i18n::{Lang, Text};
use base::ids::Ref;
use serde::{Deserialize, Serialize};

pub use address::{address, masked};
pub use gateway::{Channel, Failure, Gateway, Outgoing, Receipt, Standing};

use crate::alerts::Severity;
use crate::cx::PersonId;
use crate::db::{Db, Migration};
use crate::journal::Fact;
use crate::kernel::{Kernel, Tx};
use crate::orgs::UnitId;
use crate::params;

base::id_type!(
    /// A notice that was asked for.
    NoticeId,
    "kernel.notice"
);
crate::id_value!(NoticeId);

/// The table.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_notices",
    sql: "
CREATE TABLE kernel_notice (
    id TEXT PRIMARY KEY,
    template TEXT NOT NULL,
    arguments TEXT NOT NULL,
    severity INTEGER NOT NULL,
    about_kind TEXT,
    about_id TEXT,
    recipients BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX kernel_notice_about ON kernel_notice (about_kind, about_id, at);
",
}];

/// Recipients one notice may name.
pub const MOST_RECIPIENTS: usize = 500;
/// Largest arguments of one notice, in bytes of JSON.
pub const MOST_ARGUMENTS: usize = 64 << 10;
/// What recipients are sealed for.
const PURPOSE: &str = "notice-recipients";

/// Who is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A person with an account, over the ways they have named.
    Person(PersonId),
    /// Everybody who holds a role now: at this agency, or anywhere.
    Holders {
        /// Code of the role.
        role: String,
        /// At which agency.
        agency: Option<UnitId>,
    },
    /// An address that the asking module keeps, such as the technical contact of a system.
    Address {
        /// Over which channel.
        channel: Channel,
        /// The address there.
        address: String,
        /// Whose it is, as shown to operators: a body or a system.
        name: String,
        /// In which language.
        lang: Lang,
    },
}

/// What people are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which template of the module `notices`.
    pub template: String,
    /// Its arguments, in both languages.
    pub arguments: BTreeMap<String, Text>,
    /// How urgent. What is critical is told at any hour.
    pub severity: Severity,
    /// What it is about.
    pub about: Option<Ref>,
    /// Who is to be told.
    pub to: Vec<Recipient>,
}

/// Somebody is to be told something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeAsked {
    /// Which notice.
    pub notice: NoticeId,
}

impl Fact for NoticeAsked {
    const KIND: &'static str = "kernel.notice.asked";

    fn subject(&self) -> Ref {
        self.notice.to_ref()
    }
}

impl Tx {
    /// Asks that people be told something once this action is committed.
    ///
    /// # Errors
    /// When there are more recipients or larger arguments than a notice may have.
    pub async fn notify(&mut self, notice: &Notice) -> Result<NoticeId> {
        let arguments = serde_json::to_string(&notice.arguments)?;
        if arguments.len() > MOST_ARGUMENTS {
            return Err(Error::TooLarge { limit: MOST_ARGUMENTS as u64 });
        }
        if notice.to.len() > MOST_RECIPIENTS {
            return Err(Error::internal(format!("a notice has at most {MOST_RECIPIENTS} recipients")));
        }
        let k = self.kernel().clone();
        let id = NoticeId::new(&*k.clock, &*k.random);
        let sealed = k.keys.seal(PURPOSE, &serde_json::to_vec(&notice.to)?, &*k.random)?;
        let (kind, about) = notice.about.clone().map(|r| (r.kind, r.id)).unzip();
        let urgent = i64::from(notice.severity == Severity::Critical);
        let sql = "INSERT INTO kernel_notice (id, template, arguments, severity, about_kind, about_id, recipients, at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let now = k.clock.now();
        self.execute(sql, params![id, &notice.template, arguments, urgent + 1, kind, about, sealed, now])
            .await?;
        self.publish(&NoticeAsked { notice: id }).await?;
        Ok(id)
    }
}

/// A notice as it was asked for.
///
/// # Errors
/// When there is none, or its recipients cannot be opened under the present master key.
pub async fn one(k: &Kernel, db: &Db, id: NoticeId) -> Result<Notice> {
    let sql = "SELECT template, arguments, severity, about_kind, about_id, recipients FROM kernel_notice
               WHERE id = $1";
    let r = db.query_opt(sql, params![id]).await?.ok_or(Error::NotFound { kind: NoticeId::KIND })?;
    let about = r.opt_text("about_kind")?.zip(r.opt_text("about_id")?);
    Ok(Notice {
        template: r.text("template")?,
        arguments: r.json("arguments")?,
        severity: if r.int("severity")? >= 2 { Severity::Critical } else { Severity::Warning },
        about: about.map(|(kind, id)| Ref::new(kind, id)),
        to: serde_json::from_slice(&k.keys.open(PURPOSE, &r.blob("recipients")?)?)?,
    })
}
