//! A new service as its provider hands it in: a description, the address behind it, the fields that are personal. What is
//! found in the description is told before anything is sent; the operator decides. Documents are read by `openapi`, their
//! fields by `schema`; fetching one by its address is `fetch`'s.

pub mod actions;
pub mod document;
pub mod fetch;
mod store;

use std::collections::BTreeSet;

use base::clock::Timestamp;
use base::i18n::Lang;
use kernel::orgs::UnitId;

use crate::ids::{ProposalId, ServiceId, SubsystemId};
use crate::service::BaseUrl;
use crate::t;

pub use store::{MIGRATION, find, list, own_systems, personal};

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The operator has not decided.
    Waiting,
    /// The service is registered.
    Approved,
    /// The operator said no.
    Refused,
    /// The provider took it back.
    Withdrawn,
}

impl State {
    const ALL: [Self; 4] = [Self::Waiting, Self::Approved, Self::Refused, Self::Withdrawn];

    /// As stored and written in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// The word people read.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Waiting => t::proposal_waiting(l),
            Self::Approved => t::proposal_approved(l),
            Self::Refused => t::proposal_refused(l),
            Self::Withdrawn => t::proposal_withdrawn(l),
        }
    }
}

/// What a provider hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// The system that provides it.
    pub subsystem: SubsystemId,
    /// Its code within the system.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Where it lives.
    pub base_url: BaseUrl,
    /// Its description, as JSON.
    pub document: Vec<u8>,
    /// Where that was fetched.
    pub source: Option<String>,
    /// Paths of the fields that are personal.
    pub personal: BTreeSet<String>,
}

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Which one.
    pub id: ProposalId,
    /// The system that provides it.
    pub subsystem: SubsystemId,
    /// The system's name.
    pub subsystem_name: String,
    /// `class/member/subsystem`.
    pub subsystem_key: String,
    /// The provider's member.
    pub member: String,
    /// The agency behind the member.
    pub agency: Option<UnitId>,
    /// Its code within the system.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Where it lives.
    pub base_url: BaseUrl,
    /// The description's content.
    pub blob: kernel::blobs::BlobId,
    /// SHA-256 of the description.
    pub sha256: String,
    /// Where that was fetched.
    pub source: Option<String>,
    /// Paths of the fields that are personal.
    pub personal: BTreeSet<String>,
    /// Where it stands.
    pub state: State,
    /// When it was handed in, and by whom.
    pub proposed: (Timestamp, Option<String>),
    /// When it was decided or taken back, and by whom.
    pub decided: Option<(Timestamp, Option<String>)>,
    /// Why it was refused.
    pub reason: Option<String>,
    /// The service it became.
    pub service: Option<ServiceId>,
}
