//! A module's addresses, each with who may use it and how much may be sent.

use axum::handler::Handler;
use axum::routing::{self, MethodFilter, MethodRouter};
use http::Method;
use kernel::Kernel;
use kernel::entrance::FrontDoor;

use crate::access::Access;

/// Enough for forms and JSON documents.
const USUAL_LIMIT: u64 = 1 << 20;

/// A list of routes.
#[derive(Default)]
pub struct Routes(pub(crate) Vec<Route>);

/// How a body is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Bytes(u64),
    /// Passed on as it comes.
    Streaming,
}

pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) limit: Limit,
    pub(crate) door: Option<FrontDoor>,
    pub(crate) handler: MethodRouter<Kernel>,
}

/// A route as listed for the coverage of endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The module, or `web`.
    pub module: &'static str,
    /// The method.
    pub method: Method,
    /// The path with its placeholders.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// The front door it belongs to; `None` for what is open wherever anything is.
    pub door: Option<FrontDoor>,
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident $method:ident),+) => { $(
        $(#[$doc])*
        pub fn $name<H: Handler<T, Kernel>, T: 'static>(self, path: &'static str, access: Access, handler: H) -> Self {
            self.route(Method::$method, path, access, routing::on(MethodFilter::$method, handler))
        }
    )+ };
}

impl Routes {
    /// No route yet.
    pub fn new() -> Self {
        Self::default()
    }

    verbs! {
        /// Reads.
        get GET,
        /// Does something, or makes a thing.
        post POST,
        /// Replaces a thing.
        put PUT,
        /// Changes parts of a thing.
        patch PATCH,
        /// Takes a thing away.
        delete DELETE
    }

    fn route(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        handler: MethodRouter<Kernel>,
    ) -> Self {
        let door = Some(access.door());
        self.0.push(Route { method, path, access, limit: Limit::Bytes(USUAL_LIMIT), door, handler });
        self
    }

    /// The route just added belongs to another front door than its access says ([`Access::door`]); `None` for one that
    /// is open at every listener.
    pub fn door(mut self, door: Option<FrontDoor>) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.door = door;
        }
        self
    }

    /// The largest body of the route just added, in bytes.
    pub fn limit(mut self, bytes: u64) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.limit = Limit::Bytes(bytes);
        }
        self
    }

    /// The route just added takes and gives bodies as they come: no limit, no compression.
    pub fn streaming(mut self) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.limit = Limit::Streaming;
        }
        self
    }

    /// Adds another list.
    pub fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn endpoints(&self, module: &'static str) -> impl Iterator<Item = Endpoint> {
        self.0.iter().map(move |r| Endpoint {
            module,
            method: r.method.clone(),
            path: r.path,
            access: r.access,
            door: r.door,
        })
    }
}
