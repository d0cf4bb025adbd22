//! The rights over backups. They cover the whole province's data, so neither belongs to an agency.

use kernel::{Cx, Permission, Result, Scope};

/// Sees which backups there are and how drills went.
pub const READ: Permission = Permission {
    name: "backups.read",
    vi: "Xem các bản sao lưu và kết quả diễn tập khôi phục",
    en: "See the backups and how drills of restores went",
};

/// Makes a backup or begins a drill out of turn.
pub const RUN: Permission = Permission {
    name: "backups.run",
    vi: "Sao lưu và diễn tập khôi phục ngoài lịch",
    en: "Make a backup or drill a restore out of turn",
};

/// Whether somebody may see the backups.
///
/// # Errors
/// Denied without [`READ`] over the province.
pub(crate) fn may_read(cx: &Cx) -> Result<()> {
    cx.may(READ, &Scope::province())
}

/// All of them.
pub const ALL: &[Permission] = &[READ, RUN];
