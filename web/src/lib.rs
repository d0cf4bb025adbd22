//! What every page shares: routes with their doors, the frame, the components, errors in the reader's form. Knows no
//! module and no table; modules hand in their routes, navigation and descriptions.

mod access;
mod address;
mod asked;
pub mod assets;
pub mod colour;
mod csrf;
mod cx;
pub mod docs;
mod door;
pub mod export;
mod extract;
mod failure;
pub mod fmt;
mod frame;
mod gallery;
mod guard;
mod headers;
mod language;
mod nav;
mod pages;
mod prefs;
mod redirect;
mod routes;
mod session;
mod site;
pub mod ui;

/// The texts of this crate, generated from `messages.toml`.
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

pub use access::Access;
pub use address::{Address, encoded};
pub use cx::Cx;
pub use extract::{Answers, Form, Json, Path, Query};
pub use failure::{Failure, Result};
pub use frame::{Frame, Page, Shell, fragment, page};
pub use gallery::samples;
pub use nav::{Nav, Say};
pub use pages::{Pages, endpoints, router};
pub use redirect::{Redirect, local};
pub use routes::{Endpoint, Routes};
pub use session::{Account, Appointment, Sessions, Visitor};
pub use site::Site;
pub use ui::Markup;
