//! What people do: one function per verb, one transaction each. The right is asked next to the data, on the agency that
//! owns the catalogue.

mod catalogues;
mod import;
mod units;
mod versions;

use kernel::{Cx, Error, Permission, Result, Scope};

use crate::catalogue::Catalogue;
use crate::ids::CatalogueId;
use crate::viewer::Viewer;

pub use catalogues::{New, NewEnds, create, update};
pub use import::{Imported, import};
pub use units::publish_units;
pub use versions::{discard, draft, plan, publish};

/// Who may not know of a catalogue is told that there is none; who sees it without the right, which right is missing.
fn may(cx: &Cx, permission: Permission, c: &Catalogue) -> Result<()> {
    match cx.may(permission, &Scope::agency(c.owner)) {
        Err(Error::Denied { .. }) if !Viewer::of(cx).sees(c) => {
            Err(Error::NotFound { kind: CatalogueId::KIND })
        }
        other => other,
    }
}
