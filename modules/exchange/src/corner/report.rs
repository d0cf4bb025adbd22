//! The text an integrator copies and sends to support: what is needed to find the call, and nothing personal — no path,
//! no parameters, no number the consumer chose, no person.

use base::i18n::Lang;

use super::advice;
use crate::store::lists::CallRow;
use crate::{t, words};

/// The report of one call.
pub fn of(call: &CallRow, l: Lang) -> String {
    let (kind, rule) = call.fault.as_deref().map_or(("", ""), advice::split);
    let mut lines = vec![
        (t::fact_request_id(l), call.request_id.clone()),
        (t::column_time(l), call.request_in.rfc3339_vn()),
        (t::column_consumer(l), call.client.clone()),
        (t::column_service(l), call.service.clone()),
        (t::report_operation(l), format!("{} {}", call.method, call.endpoint.as_deref().unwrap_or("–"))),
        (t::column_status(l), call.status.map_or_else(|| "–".to_owned(), |s| s.to_string())),
        (t::report_outcome(l), call.outcome.clone().unwrap_or_else(|| "–".to_owned())),
    ];
    if !kind.is_empty() {
        lines.push((t::report_code(l), kind.to_owned()));
    }
    if !rule.is_empty() {
        lines.push((t::report_rule(l), rule.to_owned()));
        lines.push((t::report_reason(l), words::rule(rule, l)));
        lines.push((t::report_side(l), advice::of(rule, l).0.label(l).to_owned()));
    }
    lines.push((t::fact_snapshot(l), call.snapshot.to_string()));
    lines.into_iter().map(|(label, value)| format!("{label}: {value}\n")).collect()
}
