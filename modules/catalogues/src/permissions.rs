//! The rights over catalogues. Which role carries which is written in the kernel's roles. What is marked public needs
//! no right to be read; information systems read everything published.

use kernel::Permission;

/// Sees published catalogues of the reader's agencies that are not public.
pub const READ: Permission = Permission {
    name: "catalogues.read",
    vi: "Xem danh mục dùng chung chưa công khai",
    en: "See shared catalogues that are not public",
};

/// Makes catalogues and mappings of an agency and prepares drafts of their versions.
pub const EDIT: Permission = Permission {
    name: "catalogues.edit",
    vi: "Lập danh mục dùng chung, ánh xạ mã và dự thảo phiên bản",
    en: "Make catalogues, mappings of codes and drafts of their versions",
};

/// Publishes a drafted version on behalf of the agency that owns the catalogue.
pub const PUBLISH: Permission = Permission {
    name: "catalogues.publish",
    vi: "Ban hành phiên bản danh mục dùng chung và ánh xạ mã",
    en: "Publish versions of catalogues and mappings of codes",
};

/// All of them.
pub const ALL: &[Permission] = &[READ, EDIT, PUBLISH];
