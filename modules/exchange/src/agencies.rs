//! Which agency a code of the declarative file means, asked of the kernel's `orgs`.

use base::clock::Date;
use kernel::orgs::UnitId;
use kernel::{Kernel, Result};

/// The agency that carries `code` on a day.
///
/// # Errors
/// When the database is away.
pub async fn by_code(_k: &Kernel, _code: &str, _on: Date) -> Result<Option<UnitId>> {
    Ok(None)
}
