//! The rights over reports of errors. Reporting needs none.

use kernel::Permission;

/// Sees the reports of agencies.
pub const READ: Permission = Permission {
    name: "support.read",
    vi: "Xem báo lỗi của đơn vị",
    en: "See an agency's reports of errors",
};

/// Answers, closes and passes on the reports of agencies.
pub const HANDLE: Permission = Permission {
    name: "support.handle",
    vi: "Trả lời, đóng, chuyển báo lỗi của đơn vị",
    en: "Answer, close and pass on an agency's reports of errors",
};

/// All of them.
pub const ALL: &[Permission] = &[READ, HANDLE];
