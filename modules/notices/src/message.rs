//! A message as it is kept, and the states it goes through.

use base::clock::Timestamp;
use base::i18n::Lang;
use kernel::alerts::Severity;
use kernel::notices::{Channel, NoticeId};
use kernel::{PersonId, Ref};

base::id_type!(
    /// A message to one address.
    MessageId,
    "notices.message"
);
base::id_type!(
    /// What is told about one fault.
    CaseId,
    "notices.case"
);
kernel::id_value!(MessageId, CaseId);

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Will be sent, or tried again.
    Waiting,
    /// Taken by the gateway.
    Sent,
    /// Arrived, as the gateway reports.
    Delivered,
    /// Refused for good, by the gateway or in its report.
    Refused,
    /// Given up after many attempts.
    Dead,
    /// No longer needed before it was sent.
    Withdrawn,
    /// There is no address to send it to.
    Unreached,
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Sent,
        Self::Delivered,
        Self::Refused,
        Self::Dead,
        Self::Withdrawn,
        Self::Unreached,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Dead => "dead",
            Self::Withdrawn => "withdrawn",
            Self::Unreached => "unreached",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// Whether sending again may help.
    pub const fn may_be_retried(self) -> bool {
        matches!(self, Self::Refused | Self::Dead)
    }
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub id: MessageId,
    pub template: String,
    pub severity: Severity,
    pub person: Option<PersonId>,
    /// Of a body or system; empty for a person, whose name is looked up.
    pub recipient: String,
    pub channel: Option<Channel>,
    pub masked: String,
    pub lang: Lang,
    pub subject: String,
    pub body: String,
    pub state: State,
    pub reason: Option<String>,
    pub attempts: i64,
    pub not_before: Timestamp,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// What sending a message takes.
pub(crate) struct Sealed {
    pub address: Option<Vec<u8>>,
    pub secret: Option<Vec<u8>>,
}

/// A message that is being written.
pub(crate) struct NewMessage<'a> {
    pub template: &'a str,
    pub case: Option<CaseId>,
    pub notice: Option<NoticeId>,
    pub about: Option<&'a Ref>,
    pub severity: Severity,
    pub person: Option<PersonId>,
    pub recipient: &'a str,
    pub channel: Option<Channel>,
    pub address: Option<Vec<u8>>,
    pub masked: &'a str,
    pub lang: Lang,
    pub subject: &'a str,
    pub body: &'a str,
    pub secret: Option<Vec<u8>>,
    pub state: State,
    pub not_before: Timestamp,
}

/// One attempt at a message.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub number: i64,
    pub at: Timestamp,
    pub outcome: String,
    pub reason: Option<String>,
}
