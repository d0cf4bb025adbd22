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

/// All of them.
pub const ALL: &[Permission] = &[OFFICIAL_READ, OFFICIAL_MANAGE, CLIENT_READ, CLIENT_MANAGE];
