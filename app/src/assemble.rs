//! Puts the platform together: kernel, modules by name, pages, gateway. The only place that knows them all.

use std::sync::{Arc, OnceLock};

use accounts::Accounts;
use anyhow::{Context, bail};
use backups::Backups;
use catalogues::Catalogues;
use exchange::Exchange;
use kernel::clock::{Clock, SystemClock, Timestamp};
use kernel::db::Db;
use kernel::keys::Keys;
use kernel::random::SystemRandom;
use kernel::sealed::AuditSeal;
use kernel::tokens::TokenIssuer;
use kernel::{Kernel, Module, Parts, backup, blobs};
use notices::Notices;
use support::Support;
use units::Units;
use upkeep::Upkeep;
use web::{Pages, Site};

use crate::operations::Operations;
use crate::renewal::{self, Renewal};
use crate::settings::{Log, Settings};

/// The assembled platform. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// The settings it was built from.
    pub settings: Arc<Settings>,
    /// The kernel.
    pub kernel: Kernel,
    /// The exchange, whose gateway the server needs.
    pub exchange: Arc<Exchange>,
    /// The accounts, who answer for sessions.
    pub accounts: Arc<Accounts>,
    /// The checks and alerts, which `check --live` asks for.
    pub upkeep: Arc<Upkeep>,
    /// The backups, for the commands.
    pub backups: Backups,
    copy_of: Option<Timestamp>,
    pages: Arc<Vec<Arc<dyn Pages>>>,
}

impl Platform {
    /// Opens everything, brings the schema up to date and starts the modules.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        Self::open_with_clock(settings, Arc::new(SystemClock), vec![]).await
    }

    /// As [`Platform::open`], on a clock that may be moved and with further modules: for the demonstration.
    pub async fn open_with_clock(
        settings: Settings,
        clock: Arc<dyn Clock>,
        more: Vec<Arc<dyn Pages>>,
    ) -> anyhow::Result<Self> {
        if settings.data().join(backup::UNFINISHED).exists() {
            bail!(
                "a restore into {} did not end: empty the directory and the database, then restore again",
                settings.data().display()
            );
        }
        let platform = Self::open_bare_with_clock(settings, clock, more).await?;
        let k = &platform.kernel;
        let modules = platform.modules();
        let steps = k.migrate(&modules).await.context("the database schema cannot be brought up to date")?;
        if !steps.is_empty() {
            tracing::info!(steps = steps.len(), "schema brought up to date");
        }
        blobs::erasures::settle(k).await.context("the list of erasures cannot be applied")?;
        k.blobs().await.context("the content store cannot be opened")?;
        let seal = AuditSeal::open(k, &platform.settings.platform.name)
            .await
            .context("the audit log cannot be opened")?;
        for module in &modules {
            module.start(k).await.with_context(|| format!("module {} cannot start", module.name()))?;
        }
        k.run(&modules);
        let kernel = k.clone();
        tokio::spawn(async move { seal.run(kernel).await });
        tokio::spawn(blobs::upkeep(k.clone()));
        Ok(platform)
    }

    /// Opens everything and brings the schema up to date, but starts nothing: for commands that make a backup.
    pub async fn open_idle(settings: Settings) -> anyhow::Result<Self> {
        if settings.data().join(backup::UNFINISHED).exists() {
            bail!("a restore into {} did not end: restore again", settings.data().display());
        }
        let platform = Self::open_bare(settings).await?;
        platform
            .kernel
            .migrate(&platform.modules())
            .await
            .context("the schema cannot be brought up to date")?;
        platform.kernel.blobs().await.context("the content store cannot be opened")?;
        Ok(platform)
    }

    /// Opens a restored copy to look at: pages only. No module starts, so nothing is called, sent, sealed or cleared.
    pub async fn open_copy(settings: Settings, backed_up: Timestamp) -> anyhow::Result<Self> {
        if settings.data().join(backup::UNFINISHED).exists() {
            bail!("the restore into {} did not end: remove it and restore again", settings.data().display());
        }
        let platform = Self::open_bare(settings).await?;
        platform.kernel.blobs().await.context("the content store cannot be opened")?;
        Ok(Self { copy_of: Some(backed_up), ..platform })
    }

    /// Opens keys and database without touching the schema: for upkeep.
    pub async fn open_bare(settings: Settings) -> anyhow::Result<Self> {
        Self::open_bare_with_clock(settings, Arc::new(SystemClock), vec![]).await
    }

    async fn open_bare_with_clock(
        settings: Settings,
        clock: Arc<dyn Clock>,
        more: Vec<Arc<dyn Pages>>,
    ) -> anyhow::Result<Self> {
        let random = Arc::new(SystemRandom);
        let key = settings.master_key();
        if let Some(dir) = key.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let keys = Arc::new(Keys::load(&key, Some(&*random))?);
        let db = Db::open(&settings.database_url()).await.context("the database cannot be opened")?;
        let kernel = Kernel::new(Parts {
            db,
            clock,
            random,
            keys,
            config: settings.config.clone(),
            data_dir: settings.data().to_path_buf(),
        });
        let issuer = issuer(&settings)?;
        let exchange_settings = settings.config.section("exchange")?;
        let exchange = Exchange::connected(exchange_settings, issuer.clone(), &settings.platform.name);
        let (exchange, accounts) = (Arc::new(exchange), Arc::new(Accounts::new(&kernel, issuer)?));
        let named: Arc<OnceLock<Vec<Arc<dyn Module>>>> = Arc::default();
        let operations = Arc::new(Operations::new(named.clone(), exchange.clone()));
        let upkeep = Arc::new(Upkeep::new(named.clone()));
        let gateways = messaging::gateways(&settings.config.section("channels")?)?;
        let notices = Arc::new(Notices::new(&kernel, gateways, named.clone())?);
        let store = objects::store(&settings.config.section("offsite")?)?;
        let backups = Backups::with_copies(backups::Settings::read(&settings.config)?, named.clone(), store);
        let mut pages: Vec<Arc<dyn Pages>> = vec![
            exchange.clone(),
            Arc::new(Units),
            Arc::new(Catalogues),
            accounts.clone(),
            upkeep.clone(),
            notices,
            Arc::new(backups.clone()),
            Arc::new(renewal(&settings)?),
            Arc::new(Support::new()),
            operations,
        ];
        pages.extend(more);
        let _ = named.set(pages.iter().map(|p| p.clone() as Arc<dyn Module>).collect());
        Ok(Self {
            settings: Arc::new(settings),
            kernel,
            exchange,
            accounts,
            upkeep,
            backups,
            copy_of: None,
            pages: Arc::new(pages),
        })
    }

    /// The modules as far as they can be known without data: for descriptions of this release.
    pub fn listed() -> anyhow::Result<Vec<Arc<dyn Module>>> {
        let nowhere: upkeep::Modules = Arc::default();
        Ok(vec![
            Arc::new(Exchange::new(exchange::config::Settings::default())),
            Arc::new(Units),
            Arc::new(Catalogues),
            Arc::new(Upkeep::new(nowhere.clone())),
            Arc::new(Notices::described(nowhere.clone())),
            Arc::new(Backups::new(backups::Settings::default(), nowhere)),
            Arc::new(Support::new()),
        ])
    }

    /// The modules, in the order in which they were named.
    pub fn modules(&self) -> Vec<Arc<dyn Module>> {
        self.pages.iter().map(|p| p.clone() as Arc<dyn Module>).collect()
    }

    /// All pages and interfaces as one router.
    pub fn router(&self) -> anyhow::Result<axum::Router> {
        let mut site = Site::from_config(&self.kernel.config)?.demo(self.settings.demo).search("/units");
        if let Some(backed_up) = self.copy_of {
            site = site.copy_of(backed_up);
        } else {
            site = site.report(support::REPORT);
        }
        Ok(web::router(self.kernel.clone(), site, self.accounts.sessions(), &self.pages))
    }

    /// A one-time address with which the first operator sets a password.
    pub async fn first_operator_link(&self) -> anyhow::Result<String> {
        let site = Site::from_config(&self.kernel.config)?;
        let handed = accounts::actions::links::create_first_operator_link(&self.kernel, false).await?;
        Ok(format!("{}{}", site.origin(), handed.path.expose()))
    }

    /// Reads every section of the configuration as its owner would, without opening anything.
    pub fn check_sections(settings: &Settings) -> anyhow::Result<()> {
        Site::from_config(&settings.config)?;
        settings.config.section::<kernel::tokens::Settings>("tokens")?;
        settings.config.section::<kernel::identity::Settings>("identity")?;
        let certificates = kernel::identity::certificates::Settings::read(&settings.config)?;
        for file in &certificates.authorities {
            crate::tls::read_authorities(file)?;
        }
        settings.config.section::<crate::operations::Settings>("operations")?;
        let exchange: exchange::config::Settings = settings.config.section("exchange")?;
        exchange.check().map_err(|text| anyhow::anyhow!("[exchange] {}", text.en))?;
        exchange::evidence::Settings::read(&settings.config)?;
        exchange::plane::policy(&settings.config)?;
        messaging::gateways(&settings.config.section("channels")?)?;
        let notices: notices::Settings = settings.config.section("notices")?;
        notices.check().map_err(|text| anyhow::anyhow!("[notices] {}", text.en))?;
        renewal(settings)?;
        let backup = backups::Settings::read(&settings.config)?;
        let store = objects::store(&settings.config.section("offsite")?)?;
        if store.is_some() && backup.directory.is_none() {
            anyhow::bail!("[offsite] copies the backups of [backup] directory, which is not set");
        }
        Ok(())
    }

    /// Stops background work and the modules, then closes content store and database.
    pub async fn close(&self) {
        self.kernel.stop();
        for module in self.modules() {
            if let Err(e) = module.stop(&self.kernel).await {
                tracing::error!(module = module.name(), error = e.chain(), "did not stop well");
            }
        }
        self.kernel.close().await;
    }
}

/// The renewal of the server's certificate, which must be the one the server reads.
fn renewal(settings: &Settings) -> anyhow::Result<Renewal> {
    let section: acme::Settings = settings.config.section("acme")?;
    section.check()?;
    let file = renewal::file(settings.data());
    let read = (settings.server.tls_certificate.as_ref(), settings.server.tls_key.as_ref());
    if section.is_on() && read != (Some(&file), Some(&file)) {
        bail!("[acme] writes {0}: set [server] tls_certificate = tls_key = \"{0}\"", file.display());
    }
    Ok(Renewal::new(section, Site::from_config(&settings.config)?.origin().to_owned()))
}

/// The token issuer, under the public address unless the configuration names another.
fn issuer(settings: &Settings) -> anyhow::Result<TokenIssuer> {
    let mut tokens: kernel::tokens::Settings = settings.config.section("tokens")?;
    if tokens.issuer.is_empty() {
        tokens.issuer = Site::from_config(&settings.config)?.origin().to_owned();
    }
    Ok(TokenIssuer::new(tokens))
}

/// Sends the program's own log to standard error, as text or JSON lines.
pub fn start_logging(log: &Log) -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_new(&log.filter).context("[log] filter is not understood")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format.as_str() {
        "json" => builder.json().try_init(),
        "text" => builder.try_init(),
        other => anyhow::bail!("[log] format is `text` or `json`, not `{other}`"),
    };
    started.map_err(|e| anyhow::anyhow!("logging cannot be started: {e}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kernel::config::Config;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_listed_without_data_is_what_runs() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::from_text(None, format!("[platform]\ndata = {:?}\n", dir.path()), []).unwrap();
        let platform = Platform::open_bare(Settings::from_config(config).unwrap()).await.unwrap();
        let steps = |modules: &[Arc<dyn Module>]| -> BTreeSet<String> {
            let schema = kernel::schema(modules);
            schema
                .iter()
                .flat_map(|(m, steps)| steps.iter().map(move |s| format!("{m}/{}", s.name)))
                .collect()
        };
        assert_eq!(steps(&Platform::listed().unwrap()), steps(&platform.modules()));
        platform.close().await;
    }
}
