//! Identifiers of catalogues and their versions. Codes, which people and programs write, live in `catalogue`.

use base::id_type;
use kernel::id_value;

id_type!(
    /// A catalogue (danh mục dùng chung) or a mapping of codes (ánh xạ mã).
    CatalogueId,
    "catalogues.catalogue"
);
id_type!(
    /// A dated version of a catalogue.
    VersionId,
    "catalogues.version"
);

id_value!(CatalogueId, VersionId);
