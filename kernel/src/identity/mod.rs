//! People, the appointments through which they act, sessions, one-time links and the clients of systems. Fills
//! the grants of [`crate::cx::Cx`]; what a permission protects is checked next to the data by its module.
//! Pages, sentences and facts are in the module `accounts`.

pub mod appointment;
pub mod certificates;
pub mod client_use;
pub mod clients;
mod directory;
pub mod emergencies;
pub mod emergency;
mod hashing;
mod lineage;
pub mod links;
pub mod password;
pub mod people;
pub mod posts;
pub mod rights;
pub mod roles;
mod secret;
pub mod sessions;
mod throttle;

pub use appointment::{Appointment, Holding, Period, Standing};
pub use directory::{Identity, Settings, Visitor};
pub use hashing::{Passwords, Verdict};
pub use people::Person;
pub use roles::{Role, Roles};
pub use secret::Secret;
pub use throttle::{Attempt, Throttle};

use crate::db::Migration;

/// Tables of this part.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_identity", sql: include_str!("schema.sql") },
    Migration {
        name: "0002_client_use",
        sql: "CREATE TABLE identity_client_use (
                  client TEXT PRIMARY KEY REFERENCES identity_client (id),
                  last_at INTEGER NOT NULL,
                  last_from TEXT NOT NULL,
                  previous_at INTEGER
              ) STRICT;",
    },
    Migration {
        name: "0003_emergency",
        sql: "CREATE TABLE identity_emergency (
                  id TEXT PRIMARY KEY,
                  person TEXT NOT NULL REFERENCES identity_person (id),
                  appointment TEXT NOT NULL REFERENCES identity_appointment (id),
                  right_code TEXT NOT NULL,
                  agency TEXT,
                  reason TEXT NOT NULL,
                  minutes INTEGER NOT NULL,
                  asked_at INTEGER NOT NULL,
                  withdrawn_at INTEGER,
                  decided_by TEXT,
                  decided_at INTEGER,
                  granted INTEGER,
                  decided_words TEXT,
                  ends_at INTEGER,
                  ended_at INTEGER,
                  ended_by TEXT,
                  reviewed_by TEXT,
                  reviewed_at INTEGER,
                  justified INTEGER,
                  review_words TEXT
              ) STRICT;
              CREATE INDEX identity_emergency_person ON identity_emergency (person, id);
              CREATE INDEX identity_emergency_running ON identity_emergency (appointment, ends_at);
              CREATE INDEX identity_emergency_unreviewed ON identity_emergency (id)
                  WHERE granted = 1 AND reviewed_at IS NULL;",
    },
    Migration { name: "0004_certificates", sql: include_str!("certificates/schema.sql") },
];
