//! The figures of a month and how they come about.

use std::collections::{BTreeMap, BTreeSet};

use base::clock::Timestamp;
use base::i18n::Text;
use kernel::alerts::{self, Severity};
use kernel::db::Row;
use kernel::{Kernel, Result, params};
use serde::{Deserialize, Serialize};

use super::{Month, incidents};
use crate::service::BaseUrl;
use crate::store::lists::{self, CatalogueFilter, Reach};
use crate::traffic::{self, By, Counts, Kind, Of, Side, Span, provider};
use crate::viewer::Viewer;
use crate::watch::{DOWN, FAILING};

/// Services, consumers and refusals named in a report; the others are in the totals.
const SERVICES: usize = 10;
const CONSUMERS: usize = 6;
const REFUSALS: usize = 6;
/// Incidents named; the others are counted.
const INCIDENTS: usize = 8;
/// More alerts than a month could have; what is beyond is not counted.
const MOST_ALERTS: u32 = 5_000;
/// More services than an agency takes part in.
const MOST_SERVICES: usize = 50_000;

/// Calls of a month, added up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// All that ended.
    pub calls: i64,
    /// Those that went well.
    pub ok: i64,
    /// Those that did not, by the consumer's side, refusals included.
    pub consumer: i64,
    /// By the provider's side.
    pub provider: i64,
    /// By this platform's side.
    pub ours: i64,
    /// Those that a rule refused.
    pub refused: i64,
    /// Milliseconds within which half of the calls ended.
    pub p50: Option<f64>,
    /// Milliseconds within which 95 of a hundred did.
    pub p95: Option<f64>,
}

impl Totals {
    fn of(c: &Counts) -> Self {
        Self {
            calls: c.calls,
            ok: c.ok(),
            consumer: c.consumer,
            provider: c.provider,
            ours: c.ours,
            refused: c.refused,
            p50: c.latency.percentile(50),
            p95: c.latency.percentile(95),
        }
    }

    /// Of a hundred calls, so many went well or were answered by a rule as they should be.
    pub fn ok_percent(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "calls of a province stay far below 2^52")]
        (self.calls > 0).then(|| self.ok as f64 * 100.0 / self.calls as f64)
    }
}

/// A service in the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceLine {
    /// Its path.
    pub path: String,
    /// Its name when the figures were made.
    pub name: String,
    /// Its figures.
    pub totals: Totals,
    /// Seconds for which the watch found it out of reach.
    pub down_seconds: i64,
    /// Of a hundred parts of the time it was registered in this month, so many it was in reach.
    pub available: f64,
    /// Of a hundred calls a provider had to answer, so many it answered.
    pub answered: Option<f64>,
}

/// A consumer or a fault, with its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Path of the consumer, or the fault as recorded.
    pub key: String,
    /// Its name when the figures were made; empty for faults.
    pub name: String,
    /// Its calls.
    pub calls: i64,
}

/// Something that was wrong for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Identifier of the alert.
    pub id: String,
    /// What was wrong, in Vietnamese.
    pub title_vi: String,
    /// What was wrong, in English.
    pub title_en: String,
    /// On whose side.
    pub side: Side,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None` while it lasts.
    pub until: Option<Timestamp>,
    /// Seconds of it within the month.
    pub seconds: i64,
    /// How many services it was about.
    pub services: i64,
}

impl Incident {
    /// What was wrong.
    pub fn title(&self, lang: base::i18n::Lang) -> String {
        Text { vi: self.title_vi.clone(), en: self.title_en.clone() }.get(lang).to_owned()
    }
}

/// The figures of one month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Up to which moment: the end of the month, or when they were made.
    pub until: Timestamp,
    /// Services of agencies of the province registered at that moment.
    pub internal_services: i64,
    /// Services of members without an agency in the province: ministries, national systems.
    pub national_services: i64,
    /// Services that were called.
    pub called_services: i64,
    /// All calls.
    pub totals: Totals,
    /// Of these, calls of national services.
    pub national_calls: i64,
    /// The most called services, and those with incidents.
    pub services: Vec<ServiceLine>,
    /// The consumers with the most calls.
    pub consumers: Vec<Line>,
    /// Why calls were refused or failed, the most frequent first; empty for who sees only a part of the exchange.
    pub refusals: Vec<Line>,
    /// How many incidents there were.
    pub incident_count: i64,
    /// The longest of them, in the order of their beginning.
    pub incidents: Vec<Incident>,
    /// Seconds in which at least one service was out of reach.
    pub outage_seconds: i64,
}

/// What of a registered service the report needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Registered {
    pub name: String,
    pub national: bool,
    /// Host and port.
    pub address: String,
    pub created: Timestamp,
    pub retired: Option<Timestamp>,
}

/// Providers in one statement.
const PROVIDERS: usize = 200;

/// Every service these subsystems (paths) ever had, by its path.
async fn registered(k: &Kernel, providers: &BTreeSet<String>) -> Result<BTreeMap<String, Registered>> {
    let read = |r: &Row| -> Result<(String, Registered)> {
        let parts = ["instance", "class", "member", "subsystem", "service"].map(|c| r.text(c));
        let path = parts.into_iter().collect::<Result<Vec<_>>>()?.join("/");
        let address = r
            .text("base_url")?
            .parse::<BaseUrl>()
            .map_or_else(|_| String::new(), |u| u.authority().to_owned());
        let found = Registered {
            name: r.text("name")?,
            national: r.opt_text("agency_id")?.is_none(),
            address,
            created: r.time("created_at")?,
            retired: r.opt_time("retired_at")?,
        };
        Ok((path, found))
    };
    let mut out = BTreeMap::new();
    let providers: Vec<_> = providers.iter().collect();
    for some in providers.chunks(PROVIDERS) {
        let marks: Vec<_> = (1..=some.len()).map(|n| format!("${n}")).collect();
        let sql = format!(
            "SELECT r.instance, m.class, m.code AS member, s.code AS subsystem, v.code AS service, v.name,
                 v.base_url, v.created_at, v.retired_at, m.agency_id
             FROM exchange_service v JOIN exchange_subsystem s ON s.id = v.subsystem_id
             JOIN exchange_member m ON m.id = s.member_id JOIN exchange_registry r ON r.one = 1
             WHERE s.id IN (SELECT ps.id FROM exchange_subsystem ps JOIN exchange_member pm ON pm.id = ps.member_id
                            JOIN exchange_registry pr ON pr.one = 1
                            WHERE pr.instance || '/' || pm.class || '/' || pm.code || '/' || ps.code IN ({}))",
            marks.join(", ")
        );
        let rows = k.db.query(&sql, some.iter().map(|p| (*p).into()).collect()).await?;
        out.extend(rows.iter().map(read).collect::<Result<Vec<_>>>()?);
    }
    Ok(out)
}

async fn consumer_names(k: &Kernel, paths: &[(String, Counts)]) -> Result<Vec<Line>> {
    let mut out = Vec::new();
    for (path, counts) in paths {
        let parts: Vec<_> = path.split('/').collect();
        let [_, class, member, code] = parts.as_slice() else { continue };
        let sql = "SELECT s.name FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
                   WHERE m.class = $1 AND m.code = $2 AND s.code = $3";
        let row = k.db.query_opt(sql, params![*class, *member, *code]).await?;
        let name = row.map(|r| r.text("name")).transpose()?.unwrap_or_else(|| path.clone());
        out.push(Line { key: path.clone(), name, calls: counts.calls });
    }
    Ok(out)
}

/// Makes the figures of a month as far as the reader sees them; of the present month, up to now.
///
/// # Errors
/// When the database is away.
pub async fn compute(k: &Kernel, viewer: &Viewer, month: Month) -> Result<Figures> {
    let until = month.until().min(k.clock.now());
    let (from, end) = (month.from(), month.until());
    let parties = viewer.paths(k).await?;
    let of = Of::all(parties.clone());
    let alerts: Vec<_> = alerts::within(&k.db, from, until, MOST_ALERTS)
        .await?
        .into_iter()
        .filter(|a| a.severity == Severity::Critical)
        .collect();
    let mut providers: BTreeSet<String> = alerts.iter().filter_map(|a| incidents::provider(&a.key)).collect();
    let (totals, mut called, by_client, refusals) = if parties.is_none() {
        // A province has ten thousand services: only those that are shown are read.
        let whole = traffic::sum(&k.db, &of, Span::Month, from, end).await?;
        let services = traffic::most(&k.db, Kind::Service, from, narrow(SERVICES)).await?;
        let clients = traffic::most(&k.db, Kind::Client, from, narrow(CONSUMERS)).await?;
        (whole, services, clients, traffic::most(&k.db, Kind::Fault, from, narrow(REFUSALS)).await?)
    } else {
        let whole = traffic::sum(&k.db, &of, Span::Day, from, end).await?;
        let services = traffic::parts(&k.db, &of, By::Service, from, end, MOST_SERVICES).await?;
        (whole, services, traffic::parts(&k.db, &of, By::Client, from, end, CONSUMERS).await?, Vec::new())
    };
    providers.extend(called.iter().map(|(path, _)| provider(path).to_owned()));
    let all = registered(k, &providers).await?;
    let (called_services, national_calls) = if parties.is_none() {
        traffic::called(&k.db, from, &lists::national_providers(&k.db).await?).await?
    } else {
        let of_nation = |path: &str| all.get(path).is_some_and(|r| r.national);
        let national = called.iter().filter(|(path, _)| of_nation(path)).map(|(_, c)| c.calls).sum();
        (i64::try_from(called.len()).unwrap_or(i64::MAX), national)
    };
    let count = async |reach| {
        let filter = CatalogueFilter { reach: Some(reach), at: Some(until), ..CatalogueFilter::default() };
        lists::service_count(&k.db, viewer, &filter).await
    };
    let seen = |path: &str| {
        parties.as_ref().is_none_or(|own| {
            own.iter().any(|p| p == provider(path)) || called.iter().any(|(s, _)| s == path)
        })
    };
    let found = Found::among(alerts, &all, &seen, parties.is_none(), from, until);
    if parties.is_none() {
        let read: BTreeSet<&String> = called.iter().map(|(path, _)| path).collect();
        let rest: Vec<_> =
            found.down.keys().filter(|path| !read.contains(path)).take(SERVICES).cloned().collect();
        called.extend(traffic::services(&k.db, from, &rest).await?);
    }
    Ok(Figures {
        until,
        internal_services: count(Reach::Internal).await?,
        national_services: count(Reach::National).await?,
        called_services,
        totals: Totals::of(&totals),
        national_calls,
        services: services(&all, &called, &found, from, until),
        consumers: consumer_names(k, &by_client).await?,
        refusals: refusals
            .into_iter()
            .map(|(key, c)| Line { key, name: String::new(), calls: c.calls })
            .collect(),
        incident_count: i64::try_from(found.incidents.len()).unwrap_or(i64::MAX),
        outage_seconds: found.outage / 1_000_000,
        incidents: longest(found.incidents),
    })
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What was wrong, and for how long each service was out of reach (microseconds).
struct Found {
    incidents: Vec<Incident>,
    down: BTreeMap<String, i64>,
    outage: i64,
}

impl Found {
    fn among(
        alerts: Vec<alerts::Occurrence>,
        all: &BTreeMap<String, Registered>,
        seen: &dyn Fn(&str) -> bool,
        whole: bool,
        from: Timestamp,
        until: Timestamp,
    ) -> Self {
        let mut stretches: BTreeMap<String, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
        let mut incidents = Vec::new();
        for a in alerts {
            let by_provider = a.key.starts_with(DOWN) || a.key.starts_with(FAILING);
            let about: Vec<_> =
                incidents::services(&a.key, all).into_iter().filter(|path| seen(path)).collect();
            // Of the platform's own faults the province hears; a part of it hears of those of its services.
            if about.is_empty() && !whole {
                continue;
            }
            let stretch = (a.since, a.cleared_at.unwrap_or(until));
            for path in &about {
                stretches.entry((*path).to_owned()).or_default().push(stretch);
            }
            incidents.push(Incident {
                id: a.id.to_string(),
                title_vi: a.title.vi,
                title_en: a.title.en,
                side: if by_provider { Side::Provider } else { Side::Ours },
                since: a.since,
                until: a.cleared_at,
                seconds: incidents::covered(&mut [stretch], from, until) / 1_000_000,
                services: i64::try_from(about.len()).unwrap_or(i64::MAX),
            });
        }
        let mut any: Vec<_> = stretches.values().flatten().copied().collect();
        let outage = incidents::covered(&mut any, from, until);
        let down = stretches
            .into_iter()
            .map(|(path, mut s)| (path, incidents::covered(&mut s, from, until)))
            .collect();
        Self { incidents, down, outage }
    }
}

/// The longest ones, in the order of their beginning.
fn longest(mut all: Vec<Incident>) -> Vec<Incident> {
    all.sort_by_key(|i| std::cmp::Reverse(i.seconds));
    all.truncate(INCIDENTS);
    all.sort_by_key(|i| i.since);
    all
}

fn services(
    all: &BTreeMap<String, Registered>,
    called: &[(String, Counts)],
    found: &Found,
    from: Timestamp,
    until: Timestamp,
) -> Vec<ServiceLine> {
    let none = Counts::default();
    let mut paths: Vec<(&str, &Counts)> =
        called.iter().take(SERVICES).map(|(path, c)| (path.as_str(), c)).collect();
    for path in found.down.keys() {
        if paths.len() < SERVICES * 2 && !paths.iter().any(|(p, _)| p == path) {
            let counts = called.iter().find(|(p, _)| p == path).map_or(&none, |(_, c)| c);
            paths.push((path, counts));
        }
    }
    let line = |(path, counts): (&str, &Counts)| {
        let registered = all.get(path);
        let down = found.down.get(path).copied().unwrap_or_default();
        let begins = registered.map_or(from, |r| r.created.max(from));
        let ends = registered.and_then(|r| r.retired).map_or(until, |at| at.min(until));
        ServiceLine {
            path: path.to_owned(),
            name: registered.map_or_else(|| path.to_owned(), |r| r.name.clone()),
            totals: Totals::of(counts),
            down_seconds: down / 1_000_000,
            available: share(down, ends.micros() - begins.micros()),
            answered: counts.answered_percent(),
        }
    };
    paths.into_iter().map(line).collect()
}

/// The part of a time that is left, in percent.
fn share(down: i64, whole: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a month stay below 2^52")]
    if whole <= 0 { 100.0 } else { (100.0 - down as f64 * 100.0 / whole as f64).clamp(0.0, 100.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_available_part_is_what_the_incidents_leave() {
        assert_eq!(share(0, 100), 100.0);
        assert_eq!(share(25, 100), 75.0);
        assert_eq!(share(200, 100), 0.0);
        assert_eq!(share(5, 0), 100.0, "registered and gone within the moment");
    }
}
