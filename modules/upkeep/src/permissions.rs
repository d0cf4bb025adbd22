//! The rights over the operation of the platform. Acknowledging an alert is the kernel's, declared here with its page.

use kernel::{Cx, Permission, Result, Scope};

pub use kernel::alerts::ACKNOWLEDGE;

/// Sees how the platform and the connected systems do.
pub const READ: Permission = Permission {
    name: "upkeep.read",
    vi: "Xem tình hình vận hành: sự cố, kiểm tra, hàng đợi, sao lưu",
    en: "See how the platform does: alerts, checks, queues, backups",
};

/// Whether somebody may see how the whole platform does: it belongs to no agency.
///
/// # Errors
/// Denied without [`READ`] over the province.
pub(crate) fn may_read(cx: &Cx) -> Result<()> {
    cx.may(READ, &Scope::province())
}

/// All of them.
pub const ALL: &[Permission] = &[READ, ACKNOWLEDGE];
