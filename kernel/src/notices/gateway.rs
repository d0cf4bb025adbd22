//! What a gateway to the outside does: takes one message, says whether it was taken. Implemented by adapters, used by
//! the module that holds the messages, connected in `app`.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Over what people are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// Text messages to telephones.
    Sms,
    /// A chat service (Zalo, Telegram and the like) by its incoming hook.
    Chat,
}

impl Channel {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Chat];

    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Chat => "chat",
        }
    }

    /// The channel of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}

/// A message on its way out.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The same for every attempt at this message: a gateway that sees it twice sends once.
    pub key: &'a str,
    /// The address on the channel.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// The text, plain.
    pub text: &'a str,
}

/// What a gateway says of a message it has taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Under which reference it will report the delivery.
    pub reference: Option<String>,
}

/// Why a gateway has not taken a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It never will: the address does not exist, the text is not allowed.
    Refused(String),
    /// It may later.
    Later {
        /// What was said.
        reason: String,
        /// Not before so long.
        after: Option<Duration>,
    },
}

/// Where a gateway leads, for people who run it; no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Host and port.
    pub host: String,
    /// Whether what is sent is encrypted on the way.
    pub encrypted: bool,
}

/// Takes messages of one channel to the outside, to the configured host and to no other.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Of which channel.
    fn channel(&self) -> Channel;
    /// Where it leads.
    fn standing(&self) -> Standing;
    /// Hands over one message within its own time limit.
    async fn send(&self, message: Outgoing<'_>) -> Result<Receipt, Failure>;
    /// Whether the gateway can be reached now; sends nothing to anybody.
    ///
    /// # Errors
    /// What is wrong, in a few words.
    async fn reach(&self) -> Result<(), String>;
    /// Whether this is the secret by which the gateway proves a delivery report to be its own. A gateway that has
    /// none gives no reports.
    fn proves(&self, secret: &[u8]) -> bool;
}
