//! SQL of the exchange: domain types in, domain types out. The registry as a whole is in `registry`, agreements in
//! `agreements`, documents in `documents`, what pages and interfaces list in `lists`.

pub mod agreements;
pub mod diagnoses;
pub mod documents;
pub mod lists;
pub(crate) mod outages;
pub mod registry;
pub mod snapshot;
pub mod zones;

use kernel::db::Migration;

pub use documents::read as document;

/// Tables of the registry.
pub const REGISTRY: Migration =
    Migration { name: "0001_registry", sql: include_str!("../../migrations/0001_registry.sql") };

/// Indexes for the lists of calls; after the tables of the evidence.
pub const LISTS: Migration =
    Migration { name: "0003_lists", sql: include_str!("../../migrations/0003_lists.sql") };

/// Where the text of documents lies.
pub const DOCUMENTS: Migration =
    Migration { name: "0004_documents", sql: include_str!("../../migrations/0004_documents.sql") };

/// Where calls go.
pub const ENVIRONMENTS: Migration =
    Migration { name: "0011_environments", sql: include_str!("../../migrations/0011_environments.sql") };

/// Requests for connections.
pub const CONNECTIONS: Migration =
    Migration { name: "0012_connections", sql: include_str!("../../migrations/0012_connections.sql") };

/// On which conformance run a step rests.
pub const TESTED: Migration =
    Migration { name: "0031_tested", sql: include_str!("../../migrations/0031_tested.sql") };

/// Repeated requests are the kernel's now.
pub const ONCE: Migration =
    Migration { name: "0006_once", sql: include_str!("../../migrations/0006_once.sql") };
