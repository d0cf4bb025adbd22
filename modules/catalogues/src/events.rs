//! The fact this module publishes. It carries which days are concerned, not the rows: who keeps a copy reads them.

use base::clock::Date;
use kernel::Ref;
use kernel::journal::Fact;
use serde::{Deserialize, Serialize};

use crate::ids::{CatalogueId, VersionId};

/// A version of a catalogue or mapping was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionPublished {
    /// Which catalogue.
    pub catalogue: CatalogueId,
    /// Its code.
    pub code: String,
    /// `shared`, `local` or `mapping`.
    pub kind: String,
    /// Which version.
    pub version: VersionId,
    /// Its number.
    pub number: i64,
    /// First day on which it answers.
    pub valid_from: Date,
    /// Last day, included; none while without end.
    pub valid_to: Option<Date>,
    /// Rows in it.
    pub rows: i64,
    /// Numbers of the versions it replaces, wholly or from its first day on.
    pub replaces: Vec<i64>,
}

impl Fact for VersionPublished {
    const KIND: &'static str = "catalogues.version.published";

    fn subject(&self) -> Ref {
        self.catalogue.to_ref()
    }
}
