//! Puts handlers that need the module itself behind web's routes.

use axum::extract::Extension;
use axum::handler::Handler;
use kernel::Kernel;
use kernel::entrance::FrontDoor;
use web::{Access, Routes};

use crate::Accounts;

/// Routes whose handlers may take `Extension<Accounts>`.
pub(crate) struct Mount<'a> {
    accounts: &'a Accounts,
    routes: Routes,
}

impl<'a> Mount<'a> {
    /// No route yet.
    pub(crate) fn new(accounts: &'a Accounts) -> Self {
        Self { accounts, routes: Routes::new() }
    }

    /// Reads.
    pub(crate) fn get<H: Handler<T, Kernel>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        h: H,
    ) -> Self {
        let handler = h.layer(Extension(self.accounts.clone()));
        Self { routes: self.routes.get(path, access, handler), ..self }
    }

    /// Does something, or makes a thing.
    pub(crate) fn post<H: Handler<T, Kernel>, T: 'static>(
        self,
        path: &'static str,
        access: Access,
        h: H,
    ) -> Self {
        let handler = h.layer(Extension(self.accounts.clone()));
        Self { routes: self.routes.post(path, access, handler), ..self }
    }

    /// The largest body of the route just added, in bytes.
    pub(crate) fn limit(self, bytes: u64) -> Self {
        Self { routes: self.routes.limit(bytes), ..self }
    }

    /// The front door of the route just added.
    pub(crate) fn door(self, door: FrontDoor) -> Self {
        Self { routes: self.routes.door(Some(door)), ..self }
    }

    /// The list.
    pub(crate) fn done(self) -> Routes {
        self.routes
    }
}
