//! The record of one call for operational monitoring, and how questions for records are cut into answers so that none
//! comes twice and none is missed. Reading the rows is left to `store::lists`, rights to `viewer`.

use std::time::Duration;

use base::clock::Timestamp;
use base::i18n::Lang;
use xroad::opmon::{MAX_STRING, Record, ServerType, clip};

use crate::store::lists::{CallAfter, CallRow};
use crate::words;

/// Records younger than this are not given out yet: another node may have written one that is not visible so far.
pub(crate) const SETTLING: Duration = Duration::from_secs(5);

/// The last whole second (since 1970) to which nothing can be added any more. `entering` is the moment from which on
/// records of this node may still be on their way.
pub(crate) fn last_settled(now: Timestamp, entering: Option<Timestamp>) -> i64 {
    let settled = now.minus(SETTLING);
    entering.map_or(settled, |at| at.min(settled)).seconds() - 1
}

/// The beginning of a second.
pub(crate) fn second(at: i64) -> Timestamp {
    Timestamp::from_micros(at.saturating_mul(1_000_000))
}

/// Where the next question begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    /// The second.
    pub from: i64,
    /// The last record given of that second, when a single second holds more than one answer may.
    pub after: Option<CallAfter>,
}

/// How many of the rows belong into this answer of at most `limit`, and where the next one begins; `rows` are one more
/// than that when there are more. Seconds are not divided, so that `from` alone continues rightly, unless a single
/// one is too large.
pub(crate) fn cut(rows: &[CallRow], limit: usize) -> (usize, Option<Next>) {
    let entered = |row: &CallRow| row.monitored_at.unwrap_or_default();
    let Some(over) = rows.get(limit).map(entered) else { return (rows.len(), None) };
    let from = over.seconds();
    let whole = rows.iter().take_while(|row| entered(row).seconds() < from).count();
    if whole > 0 {
        return (whole, Some(Next { from, after: None }));
    }
    let last = rows.get(limit.saturating_sub(1));
    let after = last.map(|row| CallAfter { at: entered(row), request_id: row.request_id.clone() });
    (limit, Some(Next { from, after }))
}

/// The record of a call that has ended; `kind` is the kind of its service in the present registry. Personal values are
/// not in it: of paths, users and represented parties the rows hold nothing.
pub(crate) fn record(call: &CallRow, kind: Option<&str>, lang: Lang) -> Option<Record> {
    let (entered, ended) = (call.monitored_at?, call.closed_at?);
    let mut record = Record::new(ServerType::Client, call.request_in.millis(), ended.millis());
    record.monitoring_data_ts = entered.seconds();
    record.parties(&call.client, &call.service);
    record.request_out_ts = call.request_out.map(Timestamp::millis);
    record.response_in_ts = call.response_in.map(Timestamp::millis);
    record.rest_method = Some(clip(&call.method, MAX_STRING));
    record.message_id = Some(clip(&call.message_id, MAX_STRING));
    record.message_protocol_version = Some("1".to_owned());
    record.request_size = call.request_size.and_then(|size| u64::try_from(size).ok());
    record.request_attachment_count = Some(0);
    record.response_size = call.response_size.and_then(|size| u64::try_from(size).ok());
    record.response_attachment_count = Some(0);
    record.status_code = call.status.and_then(|status| u16::try_from(status).ok());
    record.succeeded =
        call.outcome.as_deref() == Some("answered") && record.status_code.is_some_and(|s| s < 400);
    record.service_type = kind.map(str::to_owned);
    record.x_request_id = Some(call.request_id.clone());
    record.x_road_version = Some(concat!("lienthong-", env!("CARGO_PKG_VERSION")).to_owned());
    record.environment.clone_from(&call.environment);
    record.removed_field_count = call.filter.as_ref().and_then(|(_, removed)| u64::try_from(*removed).ok());
    if let Some(fault) = &call.fault {
        let (code, rule) = fault.split_once('/').unwrap_or((fault, ""));
        record.fault(code, &words::rule(rule, lang));
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(entered: i64, request_id: &str) -> CallRow {
        CallRow {
            request_id: request_id.to_owned(),
            message_id: "m-1".into(),
            client: "VN/GOV/H38/mot-cua".into(),
            service: "VN/GOV/H38/dan-cu/tra-cuu".into(),
            agreement: None,
            agreement_version: None,
            snapshot: 1,
            consumer_auth: "oauth2".into(),
            method: "GET".into(),
            endpoint: Some("/nguoi/*".into()),
            request_in: Timestamp::from_micros(1_000_000),
            request_out: Some(Timestamp::from_micros(1_001_000)),
            response_in: Some(Timestamp::from_micros(1_030_000)),
            closed_at: Some(Timestamp::from_micros(1_042_000)),
            monitored_at: Some(Timestamp::from_micros(entered)),
            request_size: Some(0),
            response_size: Some(512),
            status: Some(200),
            outcome: Some("answered".into()),
            fault: None,
            environment: None,
            filter: None,
            opened: None,
            closed: None,
        }
    }

    #[test]
    fn answers_end_with_a_whole_second_unless_one_alone_is_too_large() {
        let rows = |seconds: &[i64]| -> Vec<CallRow> {
            (0..).zip(seconds).map(|(n, s)| row(s * 1_000_000 + n, &format!("r-{n}"))).collect()
        };
        assert_eq!(cut(&rows(&[]), 3), (0, None));
        assert_eq!(cut(&rows(&[1, 1, 2]), 3), (3, None), "all there is");
        assert_eq!(cut(&rows(&[1, 1, 2, 3]), 3), (3, Some(Next { from: 3, after: None })));
        assert_eq!(cut(&rows(&[1, 2, 2, 2]), 3), (1, Some(Next { from: 2, after: None })));
        let after = CallAfter { at: Timestamp::from_micros(2_000_002), request_id: "r-2".into() };
        assert_eq!(cut(&rows(&[2, 2, 2, 2]), 3), (3, Some(Next { from: 2, after: Some(after) })));
    }

    #[test]
    fn only_seconds_that_nothing_can_be_added_to_are_given_out() {
        let now = Timestamp::from_micros(100_900_000);
        assert_eq!(last_settled(now, None), 94);
        assert_eq!(last_settled(now, Some(Timestamp::from_micros(99_000_000))), 94);
        assert_eq!(
            last_settled(now, Some(Timestamp::from_micros(90_999_999))),
            89,
            "a slow batch is waited for"
        );
    }

    #[test]
    fn the_record_tells_the_call_and_nothing_personal() {
        let call = row(7_900_000, "r-1");
        let json = serde_json::to_value(record(&call, Some("OPENAPI3"), Lang::Vi).unwrap()).unwrap();
        for (name, value) in [
            ("monitoringDataTs", serde_json::json!(7)),
            ("requestInTs", 1000.into()),
            ("requestOutTs", 1001.into()),
            ("responseInTs", 1030.into()),
            ("responseOutTs", 1042.into()),
            ("clientSubsystemCode", "mot-cua".into()),
            ("serviceCode", "tra-cuu".into()),
            ("restMethod", "GET".into()),
            ("messageId", "m-1".into()),
            ("xRequestId", "r-1".into()),
            ("responseSize", 512.into()),
            ("statusCode", 200.into()),
            ("succeeded", true.into()),
            ("serviceType", "OPENAPI3".into()),
        ] {
            assert_eq!(json[name], value, "{name}");
        }
        for absent in ["restPath", "messageUserId", "messageIssue", "representedPartyCode", "faultCode"] {
            assert!(json.get(absent).is_none(), "{absent}");
        }
        assert!(!json.to_string().contains("/nguoi/"), "not even the pattern of the path");
    }

    #[test]
    fn refusals_have_their_type_and_their_sentence_and_failures_of_the_provider_did_not_succeed() {
        let mut call = row(0, "r-1");
        call.outcome = Some("refused".into());
        call.fault = Some("server.serverproxy.access_denied/no-agreement".into());
        call.status = Some(500);
        let refused = record(&call, None, Lang::Vi).unwrap();
        assert_eq!(refused.fault_code.as_deref(), Some("server.serverproxy.access_denied"));
        assert_eq!(refused.fault_string, Some(words::rule("no-agreement", Lang::Vi)));
        assert!(!refused.succeeded);
        let mut call = row(0, "r-2");
        call.status = Some(404);
        let told = record(&call, None, Lang::Vi).unwrap();
        assert_eq!((told.succeeded, told.status_code, told.fault_code), (false, Some(404), None));
        call.closed_at = None;
        assert_eq!(record(&call, None, Lang::Vi), None, "a running call has no record");
    }
}
