//! The operator's morning: every check of the platform in one list, the alerts that are open, what to do next. Finds
//! faults of the platform itself; faults of providers are found by who knows them and told as the kernel's alerts.

mod api;
mod check;
mod checks;
mod pages;
pub mod permissions;
mod runner;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use base::clock::Timestamp;
use kernel::alerts::{self, AlertId};
use kernel::{Card, Cx, Kernel, Module, Permission, Ref, Result, Scope, Told};

pub use check::{Check, Overview, Standing, State, Trouble};

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// The modules whose checks are asked, named once all are built.
pub type Modules = Arc<OnceLock<Vec<Arc<dyn Module>>>>;

/// The module.
#[derive(Clone)]
pub struct Upkeep {
    runner: Arc<runner::Runner>,
}

impl Upkeep {
    /// Asks the checks of `modules` beside the platform's own.
    pub fn new(modules: Modules) -> Self {
        Self { runner: Arc::new(runner::Runner::new(modules)) }
    }

    /// Every check and every open alert; checks are made anew when they are older than a few seconds.
    ///
    /// # Errors
    /// When the alerts cannot be read though the database is well. A check that cannot be made is not an error but a
    /// finding: while the database is away, the checks say so.
    pub async fn overview(&self, k: &Kernel) -> Result<Overview> {
        let (at, checks) = self.runner.look(k).await;
        let is_away = checks.iter().any(|c| c.name == checks::DATABASE && c.state == State::Bad);
        let open = match is_away {
            true => Vec::new(),
            false => alerts::open(&k.db, check::MOST_ALERTS).await?,
        };
        Ok(Overview { at, checks, alerts: open.into_iter().map(Trouble::from).collect() })
    }

    /// Who was told of an alert, over what, and what came back.
    pub(crate) async fn told(&self, k: &Kernel, cx: &Cx, alert: AlertId) -> Result<Vec<Told>> {
        self.runner.told(k, &alert.to_ref(), cx).await
    }

    /// Every check, and when it was made.
    pub(crate) async fn checks(&self, k: &Kernel) -> (Timestamp, Vec<Check>) {
        self.runner.look(k).await
    }
}

#[async_trait]
impl Module for Upkeep {
    fn name(&self) -> &'static str {
        "upkeep"
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    async fn start(&self, k: &Kernel) -> Result<()> {
        tokio::spawn(Arc::clone(&self.runner).run(k.clone()));
        Ok(())
    }

    async fn describe(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
        if of.kind != AlertId::KIND || !cx.holds(permissions::READ, &Scope::province()) {
            return Ok(None);
        }
        let Ok(id) = of.id.parse::<AlertId>() else { return Ok(None) };
        let found = alerts::one(&k.db, id).await?;
        Ok(found.map(|a| Card {
            title: a.title.get(cx.lang).to_owned(),
            text: a.cause.get(cx.lang).to_owned(),
            href: pages::alert_path(id),
        }))
    }
}

impl web::Pages for Upkeep {
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
