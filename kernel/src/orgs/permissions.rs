//! Rights over the trees. Reading units is open to everybody: they are public law.

use crate::cx::Permission;

/// Importing lists of territories.
pub const IMPORT: Permission = Permission {
    name: "orgs.territory.import",
    vi: "Nhập danh mục đơn vị hành chính",
    en: "Import lists of administrative units",
};

/// Creating, changing, merging and closing agencies.
pub const MANAGE_AGENCIES: Permission = Permission {
    name: "orgs.agency.manage",
    vi: "Quản lý cơ quan, tổ chức và lịch sử sắp xếp",
    en: "Manage agencies and their reorganisation",
};

/// All of them.
pub const ALL: &[Permission] = &[IMPORT, MANAGE_AGENCIES];
