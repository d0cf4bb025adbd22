//! The lists that ship with the program, embedded so that a demonstration needs no files.

use crate::lists::Input;

macro_rules! inputs {
    ($($list:literal),* $(,)?) => {
        [$(Input { list: $list, bytes: include_bytes!(concat!("../../../data/admin/", $list, ".csv")) }),*]
    };
}

/// Every list in `data/admin`.
pub fn inputs() -> Vec<Input<'static>> {
    inputs![
        "lists",
        "acts",
        "old63_provinces",
        "old63_districts",
        "old63_wards",
        "new34_provinces",
        "new34_wards",
        "new34_province_facts",
        "province_mapping_old_new",
        "ward_mapping_old_new",
        "changes_2026-04-30",
        "changes_2026-09-01",
        "changes_2026-09-20",
    ]
    .to_vec()
}
