//! Client certificates of information systems: issued by the platform's own authority for the key of a signing request,
//! or of another authority and named in the configuration. Each belongs to one client. The handshake and which
//! connections ask for certificates are the application's; tokens bound to them are in `tokens` (RFC 8705).

mod authority;
mod configured;
mod request;
mod store;

use std::time::Duration;

use base::clock::Timestamp;
use base::error::Result;

pub use authority::{ensure, trusted};
pub use configured::{Registered, Settings};
pub use request::{Fault, MAX_BYTES, Requested, read};
pub use store::{Signed, add, ending, get, lock, of_client, of_subsystem, pem, revoke, sign};

use super::clients::Client;
use crate::entrance::PeerCertificate;
use crate::kernel::Kernel;

base::id_type!(
    /// A certificate the platform issued.
    CertificateId, "certificate");
crate::id_value!(CertificateId);

/// Certificates of one client that can be valid side by side: one in use, one to change to, and some slack.
pub const MOST_VALID: usize = 5;
/// A certificate that ends within so many days is called ending.
pub const ENDING: Duration = Duration::from_secs(30 * 86_400);

/// A certificate the platform issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The identifier.
    pub id: CertificateId,
    /// The client's name on the wire.
    pub client_id: String,
    /// What people call the client.
    pub client_name: String,
    /// The subsystem the client acts for.
    pub subsystem: String,
    /// SHA-256 of its DER encoding, in lower-case hexadecimal.
    pub thumbprint: String,
    /// Its serial number, in lower-case hexadecimal.
    pub serial: String,
    /// The kind of its key, for example `EC P-256`.
    pub key: String,
    /// When it begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
    /// Revoked since. Final.
    pub revoked_at: Option<Timestamp>,
}

/// Where a certificate is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Proves its client.
    Valid,
    /// As [`State::Valid`], but it ends soon.
    Ending,
    /// Its time is over.
    Ended,
    /// Revoked for good.
    Revoked,
}

impl Certificate {
    /// Its state at a moment.
    pub fn state(&self, now: Timestamp) -> State {
        match () {
            () if self.revoked_at.is_some() => State::Revoked,
            () if self.not_after <= now => State::Ended,
            () if self.not_after <= now.plus(ENDING) => State::Ending,
            () => State::Valid,
        }
    }

    /// Whether it proves its client at a moment.
    pub fn serves(&self, now: Timestamp) -> bool {
        matches!(self.state(now), State::Valid | State::Ending)
    }
}

/// Until when a certificate proves this client: one the platform issued for it, or one the configuration names for it.
/// `None` when it does not.
///
/// # Errors
/// When the database is away, or the section `[certificates]` is wrong.
pub async fn proves(k: &Kernel, client: &Client, shown: &PeerCertificate) -> Result<Option<Timestamp>> {
    let now = k.clock.now();
    if let Some(known) = store::by_thumbprint(&k.db, &hex::encode(shown.thumbprint())).await? {
        let own = known.client_id == client.client_id && known.serves(now);
        return Ok(own.then_some(known.not_after));
    }
    let until = Settings::read(&k.config)?.names(&client.client_id, shown);
    Ok(until.filter(|end| now < *end))
}
