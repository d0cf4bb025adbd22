//! Where invented people live: communes given by the caller, or two invented ones.
//! Leaves the real lists of units to whoever starts the simulator.

use serde::Serialize;

/// A commune-level unit as it is printed in a registry's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Commune {
    /// Five digits.
    #[serde(rename = "ma_don_vi")]
    pub code: String,
    /// With its type: "Xã …", "Phường …".
    #[serde(rename = "ten")]
    pub name: String,
}

impl Commune {
    /// A commune from code and full name.
    pub fn new(code: impl Into<String>, name: impl Into<String>) -> Self {
        Self { code: code.into(), name: name.into() }
    }
}

/// The caller's communes, or invented ones with codes nobody uses when there are none.
pub(crate) fn or_invented(communes: &[Commune]) -> Vec<Commune> {
    if communes.is_empty() {
        vec![Commune::new("99991", "Xã Minh Họa"), Commune::new("99992", "Phường Minh Họa")]
    } else {
        communes.to_vec()
    }
}
