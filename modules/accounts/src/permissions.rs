//! The rights this module declares. Roles (in the kernel's `roles.toml`) carry them by name.

use kernel::Permission;

/// See officials, their appointments and roles.
pub const OFFICIAL_READ: Permission = Permission {
    name: "accounts.official.read",
    vi: "Xem tài khoản cán bộ và các chức danh được giao",
    en: "See officials' accounts and appointments",
};

/// Create officials, appoint them, end appointments, lock accounts, send password links.
pub const OFFICIAL_MANAGE: Permission = Permission {
    name: "accounts.official.manage",
    vi: "Quản lý tài khoản cán bộ và việc giao chức danh",
    en: "Manage officials' accounts and appointments",
};

/// See the clients by which systems get tokens.
pub const CLIENT_READ: Permission = Permission {
    name: "accounts.client.read",
    vi: "Xem thông tin kết nối của các hệ thống thông tin",
    en: "See systems' clients",
};

/// Create clients, give them new secrets, revoke them.
pub const CLIENT_MANAGE: Permission = Permission {
    name: "accounts.client.manage",
    vi: "Cấp, đổi và thu hồi thông tin kết nối của các hệ thống thông tin",
    en: "Issue, rotate and revoke systems' clients",
};

/// See emergency rights: over the province all of them, otherwise one's own.
pub const EMERGENCY_READ: Permission = Permission {
    name: "accounts.emergency.read",
    vi: "Xem quyền khẩn cấp đã đề nghị, đã duyệt",
    en: "See emergency rights",
};

/// Ask for an emergency right.
pub const EMERGENCY_ASK: Permission = Permission {
    name: "accounts.emergency.ask",
    vi: "Đề nghị cấp quyền khẩn cấp cho mình",
    en: "Ask for an emergency right",
};

/// Grant one to somebody else, refuse it, end it.
pub const EMERGENCY_GRANT: Permission = Permission {
    name: "accounts.emergency.grant",
    vi: "Duyệt, từ chối, chấm dứt quyền khẩn cấp của người khác",
    en: "Grant, refuse and end somebody else's emergency right",
};

/// Review what was done under one.
pub const EMERGENCY_REVIEW: Permission = Permission {
    name: "accounts.emergency.review",
    vi: "Rà soát việc đã làm theo quyền khẩn cấp",
    en: "Review what was done under an emergency right",
};

/// All of them.
pub const ALL: &[Permission] = &[
    OFFICIAL_READ,
    OFFICIAL_MANAGE,
    CLIENT_READ,
    CLIENT_MANAGE,
    EMERGENCY_READ,
    EMERGENCY_ASK,
    EMERGENCY_GRANT,
    EMERGENCY_REVIEW,
];
