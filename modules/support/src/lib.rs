//! "Báo lỗi": somebody says that a page does not work. The own unit's administrator answers first, passes up to the
//! province's operator with one click, who may write to a vendor; the reporter sees every step. Finding faults by
//! itself is left to `upkeep`, sending messages to `notices`.

mod actions;
mod api;
mod case;
mod pages;
pub mod permissions;
mod store;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::i18n::Text;
use kernel::{Card, Cx, Finding, Kernel, Module, Permission, Ref, Result};

pub use actions::{OPERATOR, UNIT_ADMIN};
pub use pages::REPORT;

use case::Strangers;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// The name of the check.
const CHECK: &str = "support.waiting";
/// Says nothing of whether the platform serves: readiness leaves it out.
pub const ADVISORY: &[&str] = &[CHECK];
/// A report that waits longer with the province is late.
const LATE: Duration = Duration::from_secs(24 * 3_600);

/// The module.
#[derive(Clone, Default)]
pub struct Support {
    strangers: Arc<Strangers>,
}

impl Support {
    /// Nobody has reported anything yet.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Module for Support {
    fn name(&self) -> &'static str {
        "support"
    }

    fn migrations(&self) -> &'static [kernel::db::Migration] {
        store::MIGRATIONS
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    async fn describe(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
        let Some(id) = actions::case_of(of) else { return Ok(None) };
        let card = |c: case::Case, href| Card { title: c.code, text: c.page, href };
        if let kernel::Actor::Kernel { .. } = cx.actor {
            // A message leads everybody to a page that shows them what they may see.
            return Ok(store::one(&k.db, id).await?.map(|c| card(c, pages::followed(id))));
        }
        match actions::get(k, cx, id).await {
            Ok(found) => Ok(Some(card(found, pages::case_path(id)))),
            Err(kernel::Error::NotFound { .. } | kernel::Error::Denied { .. } | kernel::Error::SignIn) => {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        let (ok, text) = match waiting(k).await {
            Ok(found) => found,
            Err(e) => (false, Text::both(|l| t::check_error(l, e.to_string()))),
        };
        vec![Finding { check: CHECK, title: Text::both(t::check_title), ok, text }]
    }
}

/// What waits: with the province, and with the agencies.
async fn waiting(k: &Kernel) -> Result<(bool, Text)> {
    let (province, since) = store::waiting(&k.db).await?;
    let units = store::waiting_with_units(&k.db).await?;
    match since.filter(|at| k.clock.now().since(*at) > LATE) {
        Some(at) => {
            Ok((false, Text::both(|l| t::check_late(l, t::CheckLate { province, since: at.vn(), units }))))
        }
        None => Ok((true, Text::both(|l| t::check_waiting(l, t::CheckWaiting { province, units })))),
    }
}

impl web::Pages for Support {
    fn routes(&self) -> web::Routes {
        pages::routes(self).merge(api::routes(self))
    }

    fn nav(&self) -> Vec<web::Nav> {
        pages::nav()
    }

    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        Some(api::document())
    }
}
