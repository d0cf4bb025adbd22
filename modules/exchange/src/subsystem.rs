//! Subsystems (hệ thống thông tin): the systems of a member that call services or provide them.

use crate::ids::{MemberId, SubsystemId};
use crate::key::SubsystemKey;

/// A subsystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subsystem {
    /// Which one.
    pub id: SubsystemId,
    /// Whose it is.
    pub member: MemberId,
    /// What it is called on the wire.
    pub key: SubsystemKey,
    /// Its name in Vietnamese.
    pub name: String,
}
