//! The rights over messages: reading them, running them, sending.

use kernel::Permission;

/// Sees messages, the rota and templates.
pub const READ: Permission = Permission {
    name: "notices.read",
    vi: "Xem tin báo, lịch trực và mẫu tin",
    en: "See messages, the rota and templates",
};

/// Keeps the rota and the templates, sends failed messages again.
pub const OPERATE: Permission = Permission {
    name: "notices.operate",
    vi: "Lập lịch trực, sửa mẫu tin, gửi lại tin báo",
    en: "Keep the rota, edit templates, send messages again",
};

/// Has messages sent, as a person or an information system.
pub const SEND: Permission = Permission {
    name: "notices.send",
    vi: "Gửi tin báo đến người giữ vai trò trên nền tảng",
    en: "Send messages to those who hold a role on the platform",
};

/// All of them.
pub const ALL: &[Permission] = &[READ, OPERATE, SEND];
