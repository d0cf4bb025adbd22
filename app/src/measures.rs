//! What is measured at the moment at which metrics are fetched: queues, delays, connections. What is counted while it
//! happens is counted where it happens. Labels are fixed words, names of listeners and of the registry's services: they
//! do not grow with traffic.

use std::time::Duration;

use exchange::Exchange;
use kernel::alerts::{self, Severity};
use kernel::{Kernel, Result, jobs, listeners};
use metrics::{describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};

/// Time for all of it: who fetches metrics must not hang on a database that is away.
const PATIENCE: Duration = Duration::from_secs(2);
/// Upper bounds of latencies, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Open alerts that are counted.
const MOST_ALERTS: u32 = 1_000;

/// How metrics are kept: latencies as histograms that can be added up over machines.
pub fn builder() -> std::result::Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
}

/// Says what the measures are.
pub fn describe() {
    describe_histogram!(
        "lienthong_gateway_call_seconds",
        "From the first byte of a call to the end of its answer"
    );
    describe_histogram!(
        "lienthong_gateway_provider_seconds",
        "From the call sent to a provider to its first byte"
    );
    describe_gauge!("lienthong_database_up", "1 when the database answers");
    describe_gauge!("lienthong_database_connections", "Open connections, by state");
    describe_gauge!("lienthong_jobs", "Jobs, by state");
    describe_gauge!("lienthong_listeners_parked", "Facts a listener could not take in");
    describe_gauge!("lienthong_listener_lag_seconds", "Age of the first fact a listener has not heard");
    describe_gauge!("lienthong_alerts_open", "Open alerts, by severity");
    describe_gauge!("lienthong_evidence_unsealed", "Records that wait to be sealed");
    describe_gauge!("lienthong_evidence_unindexed", "Records that wait for the tables");
    describe_gauge!("lienthong_evidence_sealer_up", "1 when the log of evidence can be extended");
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point")]
fn float(n: i64) -> f64 {
    n as f64
}

fn set(name: &'static str, value: i64) {
    gauge!(name).set(float(value));
}

/// Measures.
pub async fn observe(k: &Kernel, exchange: &Exchange) {
    let is_up = matches!(tokio::time::timeout(PATIENCE, tables(k)).await, Ok(Ok(())));
    set("lienthong_database_up", i64::from(is_up));
    let (open, idle) = k.db.connections();
    gauge!("lienthong_database_connections", "state" => "open").set(f64::from(open));
    gauge!("lienthong_database_connections", "state" => "idle").set(f64::from(idle));
    if let Some(plane) = exchange.plane() {
        let progress = plane.evidence.progress();
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        set("lienthong_evidence_unsealed", count(progress.unsealed));
        set("lienthong_evidence_unindexed", count(progress.unindexed));
        let works = progress.sealer.is_none() && progress.ended.is_none();
        set("lienthong_evidence_sealer_up", i64::from(works));
    }
}

/// What the tables know.
async fn tables(k: &Kernel) -> Result<()> {
    let counts = jobs::counts(k).await?;
    for (state, n) in [("waiting", counts.waiting), ("running", counts.running), ("dead", counts.dead)] {
        gauge!("lienthong_jobs", "state" => state).set(float(n));
    }
    let parked = listeners::parked(k).await?.len();
    set("lienthong_listeners_parked", i64::try_from(parked).unwrap_or(i64::MAX));
    let (behind, now) = (listeners::behind(k).await?, k.clock.now());
    for (listener, _) in k.heard() {
        let late = behind.iter().find(|b| b.listener == listener).map(|b| now.since(b.since));
        gauge!("lienthong_listener_lag_seconds", "listener" => listener)
            .set(late.unwrap_or_default().as_secs_f64());
    }
    let open = alerts::open(&k.db, MOST_ALERTS).await?;
    for (severity, name) in [(Severity::Warning, "warning"), (Severity::Critical, "critical")] {
        let n = open.iter().filter(|a| a.severity == severity).count();
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        gauge!("lienthong_alerts_open", "severity" => name).set(f64::from(n));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// A sample: its labels and its value.
    type Sample = (BTreeMap<String, String>, f64);

    /// Reads the text form (Prometheus exposition format 0.0.4) as strictly as a collector might.
    fn parse(text: &str) -> BTreeMap<String, Vec<Sample>> {
        let (mut kinds, mut ended) = (BTreeMap::new(), BTreeSet::new());
        let mut current = String::new();
        let mut samples: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
        assert!(text.ends_with('\n'));
        for line in text.lines().filter(|l| !l.is_empty()) {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram", "summary"].contains(&kind), "{line}");
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
                if !current.is_empty() {
                    ended.insert(std::mem::take(&mut current));
                }
                current = name.to_owned();
                continue;
            }
            if line.starts_with("# HELP ") {
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
            let (name, labels) = match series.split_once('{') {
                None => (series, BTreeMap::new()),
                Some((name, labels)) => {
                    let labels = labels.strip_suffix('}').unwrap();
                    let pair = |p: &str| {
                        let (k, v) = p.split_once('=').unwrap();
                        let v = v.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap();
                        (k.to_owned(), v.to_owned())
                    };
                    (name, labels.split(',').map(pair).collect())
                }
            };
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{line}");
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|s| name.strip_suffix(s).filter(|f| kinds.contains_key(*f)))
                .unwrap_or(name);
            assert_eq!(family, current, "stands below its type: {line}");
            assert!(!ended.contains(family), "in one block: {line}");
            samples.entry(name.to_owned()).or_default().push((labels, value));
        }
        samples
    }

    #[test]
    fn what_is_fetched_reads_strictly_and_latencies_are_histograms() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for millis in [0.4, 3.0, 3.0, 700.0] {
                metrics::histogram!("lienthong_gateway_call_seconds", "service" => "VN/GOV/H38/a/b")
                    .record(millis / 1_000.0);
            }
            metrics::counter!("lienthong_gateway_calls_total", "service" => "x", "outcome" => "answered")
                .increment(2);
            set("lienthong_database_up", 1);
        });
        let read = parse(&handle.render());
        let buckets = &read["lienthong_gateway_call_seconds_bucket"];
        let upto = |le: &str| buckets.iter().find(|(l, _)| l["le"] == le).map(|(_, n)| *n);
        assert_eq!(upto("0.001"), Some(1.0));
        assert_eq!(upto("0.005"), Some(3.0));
        assert_eq!(upto("+Inf"), Some(4.0));
        assert_eq!(read["lienthong_gateway_call_seconds_count"][0].1, 4.0);
        assert_eq!(read["lienthong_gateway_calls_total"][0].0["outcome"], "answered");
        assert_eq!(read["lienthong_database_up"][0].1, 1.0);
    }
}
