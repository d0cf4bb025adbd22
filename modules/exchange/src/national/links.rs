//! How the links to national systems do now: which registered services lead there, whether the watch over providers has
//! found them down, when a call last succeeded. Read with the reader's rights.

use base::clock::Timestamp;
use kernel::db::Db;
use kernel::{Kernel, Result, alerts, params};

use super::{Route, Settings, System, Systems};
use crate::store::lists::{self, CatalogueFilter, MAX_PAGE, ServiceRow};
use crate::store::registry;
use crate::viewer::Viewer;
use crate::watch;

/// How a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// No service of the registry leads there.
    NotConnected,
    /// A service leads there, but no call has succeeded yet.
    Unused,
    /// Nothing is known to be wrong.
    Works,
    /// The watch has found one of its services down or failing.
    Broken,
}

/// A service that leads to a national system.
#[derive(Debug, Clone)]
pub struct LinkedService {
    /// The service.
    pub service: ServiceRow,
    /// Whether the watch has found it down or failing.
    pub broken: bool,
    /// When a call of it last succeeded.
    pub last_success: Option<Timestamp>,
}

/// One system with its links.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// The system.
    pub system: System,
    /// The route taken here.
    pub route: Route,
    /// The services that the reader may see.
    pub services: Vec<LinkedService>,
    /// Configured services that are not in the registry, or not for the reader.
    pub missing: Vec<String>,
    /// Agreements for them, whatever their state.
    pub agreements: i64,
}

impl LinkRow {
    /// How it does.
    pub fn standing(&self) -> Standing {
        if self.services.is_empty() {
            Standing::NotConnected
        } else if self.services.iter().any(|s| s.broken) {
            Standing::Broken
        } else if self.last_success().is_none() {
            Standing::Unused
        } else {
            Standing::Works
        }
    }

    /// When a call of any of its services last succeeded.
    pub fn last_success(&self) -> Option<Timestamp> {
        self.services.iter().filter_map(|s| s.last_success).max()
    }
}

/// Every system of the list with its links.
///
/// # Errors
/// When the database is away.
pub async fn read(
    k: &Kernel,
    viewer: &Viewer,
    settings: &Settings,
    systems: &Systems,
) -> Result<Vec<LinkRow>> {
    let filter = CatalogueFilter { limit: MAX_PAGE, ..CatalogueFilter::default() };
    let seen = match settings.link.is_empty() {
        true => Vec::new(),
        false => all(&k.db, viewer, filter).await?,
    };
    let instance = registry::serial(&k.db).await?.1;
    let mut open = alerts::open_keys(&k.db, watch::DOWN).await?;
    open.extend(alerts::open_keys(&k.db, watch::FAILING).await?);
    let mut rows = Vec::with_capacity(systems.systems.len());
    for system in &systems.systems {
        let wanted = settings.link(&system.code).map(|l| l.services.as_slice()).unwrap_or_default();
        let mut row = LinkRow {
            system: system.clone(),
            route: settings.route(system),
            services: Vec::new(),
            missing: Vec::new(),
            agreements: 0,
        };
        for key in wanted {
            let Some(service) = seen.iter().find(|s| s.key == *key) else {
                row.missing.push(key.clone());
                continue;
            };
            let path = format!("{instance}/{}", service.key);
            row.agreements += service.agreements;
            row.services.push(LinkedService {
                broken: is_broken(&open, &path, service.base_url.authority()),
                last_success: last_success(&k.db, &path).await?,
                service: service.clone(),
            });
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Every service the reader sees, page by page.
async fn all(db: &Db, viewer: &Viewer, mut filter: CatalogueFilter) -> Result<Vec<ServiceRow>> {
    let mut found = Vec::new();
    loop {
        let page = lists::services(db, viewer, &filter).await?;
        let full = page.len() == filter.limit as usize;
        filter.after = page.last().map(|s| s.id.to_string());
        found.extend(page);
        if !full {
            return Ok(found);
        }
    }
}

/// Whether the watch has an open alert over a service or over the address of its provider.
fn is_broken(open: &[String], path: &str, authority: &str) -> bool {
    let provider = path.rsplit_once('/').map_or("", |(provider, _)| provider);
    let down = format!("{}{provider}@{authority}", watch::DOWN);
    let failing = format!("{}{path}", watch::FAILING);
    open.iter().any(|key| *key == down || *key == failing)
}

async fn last_success(db: &Db, path: &str) -> Result<Option<Timestamp>> {
    let sql = "SELECT request_in FROM exchange_call WHERE service = $1 AND outcome = 'answered'
               ORDER BY request_in DESC LIMIT 1";
    db.query_opt(sql, params![path]).await?.map(|r| r.time("request_in")).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_watch_says_of_a_provider_is_said_of_its_link() {
        let path = "VN/GOV/C06/dancu/tra-cuu";
        let down = ["exchange.provider.down:VN/GOV/C06/dancu@10.0.0.1:80".to_owned()];
        assert!(is_broken(&down, path, "10.0.0.1:80"));
        assert!(!is_broken(&down, path, "10.0.0.2:80"));
        assert!(is_broken(&["exchange.service.failing:VN/GOV/C06/dancu/tra-cuu".to_owned()], path, "x"));
        assert!(!is_broken(&["exchange.service.failing:VN/GOV/C06/dancu/khac".to_owned()], path, "x"));
    }
}
