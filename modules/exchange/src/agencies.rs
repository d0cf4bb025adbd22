//! Which agency a code of the declarative file means, asked of the kernel's `orgs`.

use base::clock::Date;
use kernel::orgs::{Tree, UnitId};
use kernel::{Kernel, Result};

/// The agency that carries `code` on a day.
///
/// # Errors
/// When the database is away.
pub async fn by_code(k: &Kernel, code: &str, on: Date) -> Result<Option<UnitId>> {
    let found = k.orgs().by_code(code, on).await?;
    Ok(found.filter(|v| v.tree == Tree::Agency).map(|v| v.unit))
}
