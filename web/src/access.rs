//! Who may come through the door of a route. The door is not the data: actions check again beside it.

use kernel::entrance::FrontDoor;
use kernel::{Actor, Cx, Error, Permission, Result};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Anybody signed in: a person or a system.
    SignedIn,
    /// Whoever holds this permission over anything at all.
    Needs(Permission),
    /// An information system with its access token.
    System,
}

impl Access {
    /// Whether the actor may come in.
    ///
    /// # Errors
    ///
    /// [`Error::SignIn`] for a stranger, [`Error::Denied`] without the right.
    pub fn check(self, cx: &Cx) -> Result<()> {
        match self {
            Self::Public => Ok(()),
            Self::SignedIn if cx.signed_in() => Ok(()),
            Self::SignedIn => Err(Error::SignIn),
            Self::Needs(permission) => cx.may_somewhere(permission),
            Self::System if matches!(cx.actor, Actor::System { .. }) => Ok(()),
            Self::System if cx.signed_in() => Err(Error::Denied { permission: "system" }),
            Self::System => Err(Error::SignIn),
        }
    }

    /// The front door such routes belong to unless they say otherwise. What people and systems share counts as the
    /// console; systems come in where calls do.
    pub fn door(self) -> FrontDoor {
        match self {
            Self::Public => FrontDoor::Public,
            Self::SignedIn | Self::Needs(_) => FrontDoor::Console,
            Self::System => FrontDoor::Calls,
        }
    }

    /// As written in lists of endpoints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::SignedIn => "signed-in",
            Self::Needs(permission) => permission.name,
            Self::System => "system",
        }
    }
}
