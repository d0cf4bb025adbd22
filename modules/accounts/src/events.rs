//! The facts this module publishes: who and when by identifier, never names, addresses or secrets.

use kernel::clock::Timestamp;
use kernel::identity::clients::ClientId;
use kernel::journal::Fact;
use kernel::orgs::UnitId;
use kernel::{AppointmentId, EmergencyId, PersonId, Ref};
use serde::{Deserialize, Serialize};

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $kind:literal about $subject:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl Fact for $name {
            const KIND: &'static str = $kind;
            fn subject(&self) -> Ref {
                self.$subject.to_ref()
            }
        }
    )* };
}

facts! {
    /// An account was made.
    OfficialCreated = "accounts.official.created" about person {
        /// Whose.
        person: PersonId,
    }

    /// An account was locked: its sessions ended.
    OfficialLocked = "accounts.official.locked" about person {
        /// Whose.
        person: PersonId,
    }

    /// An account was unlocked.
    OfficialUnlocked = "accounts.official.unlocked" about person {
        /// Whose.
        person: PersonId,
    }

    /// Somebody was appointed.
    AppointmentMade = "accounts.appointment.made" about appointment {
        /// Which.
        appointment: AppointmentId,
        /// Who.
        person: PersonId,
        /// Where.
        agency: Option<UnitId>,
        /// With which roles.
        roles: Vec<String>,
    }

    /// An appointment was ended early: sessions through it ended.
    AppointmentEnded = "accounts.appointment.ended" about appointment {
        /// Which.
        appointment: AppointmentId,
        /// Whose.
        person: PersonId,
        /// Where.
        agency: Option<UnitId>,
        /// When.
        at: Timestamp,
    }

    /// An emergency right was asked for, granted, refused, withdrawn, ended or reviewed.
    EmergencyChanged = "accounts.emergency.changed" about emergency {
        /// Which.
        emergency: EmergencyId,
        /// Whose.
        person: PersonId,
        /// `asked`, `granted`, `refused`, `withdrawn`, `ended` or `reviewed`.
        step: String,
    }

    /// A client was made for a system.
    ClientCreated = "accounts.client.created" about client {
        /// Which.
        client: ClientId,
        /// Its name on the wire.
        client_id: String,
        /// The subsystem it acts for.
        subsystem: String,
    }

    /// A client got a new secret.
    ClientRotated = "accounts.client.rotated" about client {
        /// Which.
        client: ClientId,
        /// Its name on the wire.
        client_id: String,
        /// Until when the previous secret serves; `None`: it is worthless already, and so are its tokens.
        previous_until: Option<Timestamp>,
    }

    /// A client was revoked: it gets no tokens, and those it has are refused.
    ClientRevoked = "accounts.client.revoked" about client {
        /// Which.
        client: ClientId,
        /// Its name on the wire.
        client_id: String,
        /// The subsystem it acted for.
        subsystem: String,
        /// When.
        at: Timestamp,
    }
}
