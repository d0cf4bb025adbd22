//! Tells people: who is on duty when an alert begins, the next when nobody takes it on, those whom other modules name.
//! Keeps the rota, how people are reached, the words, and every message with its attempts. Handing a message to the
//! outside is the work of gateways, which `app` connects; finding faults is the work of who raises alerts.

mod actions;
mod api;
mod cases;
mod config;
mod diagnose;
mod duty;
mod jobs;
mod listen;
mod message;
mod office;
mod pages;
pub mod permissions;
mod quiet;
mod seed;
mod store;
mod tell;
mod template;
mod way;

use std::sync::Arc;

use async_trait::async_trait;
use base::error::Error;
use kernel::jobs::JobHandler;
use kernel::listeners::Listener;
use kernel::notices::Gateway;
use kernel::{Card, Cx, Finding, Kernel, Module, Permission, Ref, Result, Scope, Told};

pub use config::Settings;
pub use diagnose::ADVISORY;
pub use office::Modules;
pub use seed::{Duty, seed};

use message::MessageId;
use office::Office;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// The module.
#[derive(Clone)]
pub struct Notices {
    office: Arc<Office>,
}

impl Notices {
    /// With the section `[notices]` of the configuration, the configured gateways, and the modules whose things
    /// messages link to.
    ///
    /// # Errors
    /// When the section is not understood.
    pub fn new(k: &Kernel, gateways: Vec<Arc<dyn Gateway>>, modules: Modules) -> Result<Self> {
        let settings: Settings = k.config.section("notices").map_err(Error::internal)?;
        settings.check().map_err(|text| Error::internal(format!("[notices] {}", text.en)))?;
        let site = web::Site::from_config(&k.config).map_err(Error::internal)?;
        let (origin, platform) = (site.origin().to_owned(), site.name().to_owned());
        Ok(Self { office: Arc::new(Office { settings, origin, platform, gateways, modules }) })
    }

    /// Without a configuration and without gateways: to be described, not to be run.
    pub fn described(modules: Modules) -> Self {
        let (settings, origin, platform) = (Settings::default(), String::new(), String::new());
        Self { office: Arc::new(Office { settings, origin, platform, gateways: vec![], modules }) }
    }
}

#[async_trait]
impl Module for Notices {
    fn name(&self) -> &'static str {
        "notices"
    }

    fn migrations(&self) -> &'static [kernel::db::Migration] {
        store::MIGRATIONS
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        let o = &self.office;
        vec![
            Arc::new(jobs::Sender(o.clone())),
            Arc::new(jobs::Escalator(o.clone())),
            Arc::new(jobs::Settler(o.clone())),
            Arc::new(jobs::Collector(o.clone())),
        ]
    }

    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        vec![Arc::new(listen::Writer(self.office.clone()))]
    }

    async fn describe(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
        if of.kind != MessageId::KIND || !cx.holds(permissions::READ, &Scope::province()) {
            return Ok(None);
        }
        let Ok(id) = of.id.parse::<MessageId>() else { return Ok(None) };
        let found = store::messages::one(&k.db, id).await?;
        Ok(found.map(|m| Card { title: m.subject, text: m.masked, href: pages::message_path(id) }))
    }

    async fn told(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Vec<Told>> {
        if !cx.holds(permissions::READ, &Scope::province()) {
            return Ok(Vec::new());
        }
        pages::told(k, of).await
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        diagnose::all(&self.office, k).await
    }
}

impl web::Pages for Notices {
    fn routes(&self) -> web::Routes {
        pages::routes(&self.office).merge(api::routes(&self.office))
    }

    fn nav(&self) -> Vec<web::Nav> {
        pages::nav()
    }

    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        Some(api::document())
    }
}
