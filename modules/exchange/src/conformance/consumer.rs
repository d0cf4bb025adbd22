//! How a system uses the exchange, read from its calls of the last days: nothing is sent.

use std::collections::HashMap;
use std::time::Duration;

use base::clock::Timestamp;
use kernel::{Kernel, Result};

use super::{Check, Outcome};
use crate::Exchange;
use crate::corner::advice;
use crate::corner::reach::Own;
use crate::plane::TRY_OUT;
use crate::proof::Proof;
use crate::store::lists::{self, CallFilter, CallRow, Ending};

/// Days looked back.
const DAYS: u64 = 7;
/// Calls looked at, newest first.
const CALLS: u32 = 500;
/// Failures in a row with hardly a pause between them that count as hammering.
const HAMMERED: usize = 5;
/// A pause shorter than this is hardly one.
const PAUSE_MICROS: i64 = 1_000_000;

pub(super) async fn checks(exchange: &Exchange, k: &Kernel, own: &Own) -> Result<Vec<Check>> {
    let from = k.clock.now().minus(Duration::from_secs(DAYS * 86_400));
    let filter = CallFilter {
        from: Some(from),
        client: Some(own.path.clone()),
        limit: CALLS,
        ..CallFilter::default()
    };
    let rows = lists::calls(&k.db, Some(std::slice::from_ref(&own.path)), &filter).await?;
    let instance = exchange.keeper().current().load().instance().to_owned();
    let mut checks = judged(&rows, &instance);
    checks.push(deprecated(exchange, k, &rows).await?);
    Ok(checks)
}

/// What the calls themselves say; newest first.
fn judged(rows: &[CallRow], instance: &str) -> Vec<Check> {
    let own: Vec<&CallRow> =
        rows.iter().filter(|c| Proof::read(&c.consumer_auth).method != TRY_OUT).collect();
    let answered = own.iter().filter(|c| c.ending() == Ending::Answered).count();
    let by_rule = |rules: &[&str]| own.iter().filter(|c| rules.contains(&rule(c))).count();
    let few = |n: usize| n * 20 <= own.len();
    let of = |n: usize| format!("{n}/{}", own.len());
    if own.is_empty() {
        return vec![
            Check::new("calls", Outcome::Failed, "0"),
            Check::new("own-token", Outcome::Skipped, ""),
        ];
    }
    let tokens =
        by_rule(&["token-missing", "token-invalid", "token-expired", "token-revoked", "token-scope"]);
    let headers = by_rule(&[
        "header",
        "environment",
        "client-member",
        "client-mismatch",
        "target",
        "protocol-version",
        "method",
    ]);
    let scope = by_rule(&[
        "out-of-scope",
        "no-agreement",
        "no-agreement-environment",
        "unknown-service",
        "unknown-member",
        "ambiguous-path",
    ]);
    let made = own.iter().filter(|c| c.message_id.starts_with(&format!("{instance}-"))).count();
    let gone = own.iter().filter(|c| c.ending() == Ending::Broken).count();
    let row = hammered(&own);
    vec![
        Check::judged("calls", answered > 0, Outcome::Failed, of(answered)),
        Check::judged(
            "own-token",
            own.iter().any(|c| Proof::read(&c.consumer_auth).is_token()),
            Outcome::Failed,
            "",
        ),
        Check::judged("token-errors", few(tokens), Outcome::Failed, of(tokens)),
        Check::judged("headers", headers == 0, worse(few(headers)), of(headers)),
        Check::judged("own-number", made == 0, Outcome::Warned, of(made)),
        Check::judged("within-agreement", scope == 0, worse(few(scope)), of(scope)),
        Check::judged("back-off", row < HAMMERED, Outcome::Failed, row.to_string()),
        Check::judged("reads-whole", few(gone), Outcome::Failed, of(gone)),
    ]
}

/// A few slips are a warning, many are a failure.
fn worse(few: bool) -> Outcome {
    if few { Outcome::Warned } else { Outcome::Failed }
}

fn rule(c: &CallRow) -> &str {
    c.fault.as_deref().map_or("", |f| advice::split(f).1)
}

/// The longest row of calls to one service that all met 429, 503 or a provider in trouble, each begun within a second of the
/// end of the one before. `rows` newest first.
fn hammered(rows: &[&CallRow]) -> usize {
    let waits = |c: &CallRow| {
        matches!(rule(c), "quota-used" | "too-many-calls" | "service-disabled")
            || rule(c).starts_with("provider-")
    };
    let (mut run, mut longest): (HashMap<&str, (usize, Timestamp)>, usize) = (HashMap::new(), 0);
    for c in rows.iter().rev() {
        let end = c.closed_at.unwrap_or(c.request_in);
        let entry = run.entry(c.service.as_str()).or_insert((0, c.request_in));
        let at_once = c.request_in.micros() - entry.1.micros() < PAUSE_MICROS;
        let length = match (waits(c), at_once) {
            (true, true) => entry.0 + 1,
            (true, false) => 1,
            (false, _) => 0,
        };
        *entry = (length, end);
        longest = longest.max(length);
    }
    longest
}

/// Calls of operations that their description calls deprecated.
async fn deprecated(exchange: &Exchange, k: &Kernel, rows: &[CallRow]) -> Result<Check> {
    let snapshot = exchange.keeper().current().load_full();
    let mut old: HashMap<&str, Vec<String>> = HashMap::new();
    let mut found = Vec::new();
    for c in rows {
        let Some(service) = snapshot.service(&c.service) else { continue };
        if !old.contains_key(c.service.as_str()) {
            let routes = match &service.openapi {
                Some(sha256) => {
                    crate::store::document(k, sha256).await?.map(|b| super::described::deprecated(&b))
                }
                None => None,
            };
            old.insert(&c.service, routes.unwrap_or_default());
        }
        let route = format!("{} {}", c.method, c.endpoint.as_deref().unwrap_or(""));
        if old[c.service.as_str()].contains(&route) && !found.contains(&route) {
            found.push(route);
        }
    }
    Ok(Check::judged("deprecated", found.is_empty(), Outcome::Warned, found.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(at_ms: i64, fault: Option<&str>) -> CallRow {
        let at = Timestamp::from_micros(at_ms * 1_000);
        CallRow {
            request_id: at_ms.to_string(),
            message_id: format!("x-{at_ms}"),
            client: "VN/GOV/H38/motcua".into(),
            service: "VN/GOV/C06/dancu/tra-cuu".into(),
            agreement: None,
            agreement_version: None,
            snapshot: 1,
            consumer_auth: "oauth2".into(),
            method: "GET".into(),
            endpoint: Some("/cong-dan/*".into()),
            request_in: at,
            request_out: None,
            response_in: None,
            closed_at: Some(at),
            monitored_at: None,
            request_size: None,
            response_size: None,
            status: None,
            outcome: Some(if fault.is_some() { "refused" } else { "answered" }.into()),
            fault: fault.map(|f| format!("type/{f}")),
            environment: None,
            filter: None,
            opened: None,
            closed: None,
        }
    }

    fn outcome(checks: &[Check], code: &str) -> Outcome {
        checks.iter().find(|c| c.code == code).unwrap().outcome
    }

    #[test]
    fn a_system_that_waits_passes_and_one_that_hammers_does_not() {
        let quota = Some("quota-used");
        let patient: Vec<_> =
            (0..10).rev().map(|n| call(n * 2_000, if n < 6 { quota } else { None })).collect();
        assert_eq!(outcome(&judged(&patient, "VN"), "back-off"), Outcome::Passed);
        let hasty: Vec<_> = (0..10).rev().map(|n| call(n * 100, if n < 6 { quota } else { None })).collect();
        assert_eq!(outcome(&judged(&hasty, "VN"), "back-off"), Outcome::Failed);
        let mixed: Vec<_> =
            (0..10).rev().map(|n| call(n * 100, if n % 2 == 0 { quota } else { None })).collect();
        assert_eq!(
            outcome(&judged(&mixed, "VN"), "back-off"),
            Outcome::Passed,
            "an answer between ends the row"
        );
    }

    #[test]
    fn what_is_wrong_is_named_and_without_calls_nothing_passes() {
        let none = judged(&[], "VN");
        assert_eq!(outcome(&none, "calls"), Outcome::Failed);
        let mut tried = call(1, None);
        tried.consumer_auth = TRY_OUT.into();
        assert_eq!(outcome(&judged(&[tried], "VN"), "calls"), Outcome::Failed, "a try-out is not the system");
        let mut rows: Vec<_> = (0..40).map(|n| call(n * 2_000, None)).collect();
        assert!(judged(&rows, "VN").iter().all(|c| c.outcome == Outcome::Passed));
        rows[0] = call(0, Some("header"));
        assert_eq!(outcome(&judged(&rows, "VN"), "headers"), Outcome::Warned, "one slip of forty");
        rows.truncate(4);
        assert_eq!(outcome(&judged(&rows, "VN"), "headers"), Outcome::Failed);
        rows[1].message_id = "VN-0000".into();
        assert_eq!(outcome(&judged(&rows, "VN"), "own-number"), Outcome::Warned);
    }
}
