//! The facts about alerts. They carry identifiers and keys; texts and names are in the occurrence.

use base::ids::Ref;
use serde::{Deserialize, Serialize};

use super::{AlertId, Severity};
use crate::journal::Fact;

/// Something is wrong since now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRaised {
    /// Which occurrence.
    pub alert: AlertId,
    /// Under which key.
    pub key: String,
    /// How urgent.
    pub severity: Severity,
}

/// It is well again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCleared {
    /// Which occurrence.
    pub alert: AlertId,
    /// Under which key.
    pub key: String,
}

/// Somebody looks after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertAcknowledged {
    /// Which occurrence.
    pub alert: AlertId,
    /// Under which key.
    pub key: String,
}

impl Fact for AlertRaised {
    const KIND: &'static str = "kernel.alert.raised";

    fn subject(&self) -> Ref {
        self.alert.to_ref()
    }
}

impl Fact for AlertCleared {
    const KIND: &'static str = "kernel.alert.cleared";

    fn subject(&self) -> Ref {
        self.alert.to_ref()
    }
}

impl Fact for AlertAcknowledged {
    const KIND: &'static str = "kernel.alert.acknowledged";

    fn subject(&self) -> Ref {
        self.alert.to_ref()
    }
}
