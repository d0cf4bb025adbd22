//! Territories and agencies with their history: every question takes a date, there is no "current".

base::id_type!(
    /// A territory or agency, opaque: names, types, parents and codes are its dated versions.
    UnitId, "unit");
crate::id_value!(UnitId);
