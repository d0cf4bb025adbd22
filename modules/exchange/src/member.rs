//! Members (cơ quan, đơn vị kết nối): the organisations whose systems are connected. Which agency stands
//! behind a member is a pointer into the kernel's `orgs`.

use base::i18n::Text;
use kernel::orgs::UnitId;

use crate::ids::MemberId;
use crate::key::MemberKey;
use crate::t;

/// Longest name of a member, subsystem or service, in characters. The longest real agency names reach 90.
pub const MAX_NAME: usize = 250;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which one.
    pub id: MemberId,
    /// What it is called on the wire.
    pub key: MemberKey,
    /// Its name in Vietnamese.
    pub name: String,
    /// The agency behind it; without one only operators act for it.
    pub agency: Option<UnitId>,
}

/// Checks a name: not empty, bounded, without control characters.
///
/// # Errors
/// The sentence that says what is wrong.
pub fn check_name(name: &str) -> Result<(), Text> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Text::both(|l| t::name_form(l, MAX_NAME)));
    }
    Ok(())
}
