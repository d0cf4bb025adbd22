//! Records as rows: plain translation, merged by call so that a statement touches each row once.

use std::collections::BTreeMap;

use base::clock::Timestamp;
use evidence::{Call, Closed, Kind, Opened, Outcome, Private, Record};
use kernel::db::Value;
use kernel::params;
use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::traffic::{Ended, Side, provider};

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Directory of its log.
    pub origin: String,
    /// Its index there.
    pub index: u64,
}

/// What a batch of entries means for the tables.
#[derive(Default)]
pub(super) struct Batch {
    /// Calls by request number.
    pub calls: BTreeMap<String, Row>,
    /// Values that open commitments, by request number and kind.
    pub private: BTreeMap<(String, &'static str), PrivateRow>,
    /// The first record of a log, if it is among the entries: directory and record.
    pub origins: Vec<(String, evidence::Origin)>,
}

/// One row of `exchange_call`.
pub(super) struct Row {
    call: Call,
    opened: Option<Place>,
    closed: Option<(Place, Closed)>,
}

/// One row of `exchange_private`.
pub(super) struct PrivateRow {
    personal: Vec<Private>,
    digests: Vec<Private>,
    recorded: i64,
}

impl Batch {
    /// Takes in one entry with what opens its commitments, if that is known.
    pub(super) fn take(&mut self, place: Place, record: Record, private: Vec<Private>) {
        let kind = record.kind();
        match record {
            Record::Origin(origin) => self.origins.push((place.origin, origin)),
            Record::Opened(Opened { call, recorded, .. }) => {
                self.keep(&call.request_id, kind, recorded, private);
                self.row(call).opened = Some(place);
            }
            Record::Closed(closed) => {
                self.keep(&closed.call.request_id, kind, closed.recorded, private);
                let row = self.row(closed.call.clone());
                row.closed = Some((place, closed));
            }
        }
    }

    fn row(&mut self, call: Call) -> &mut Row {
        let id = call.request_id.clone();
        self.calls.entry(id).or_insert_with(|| Row { call, opened: None, closed: None })
    }

    fn keep(&mut self, request_id: &str, kind: Kind, recorded: i64, private: Vec<Private>) {
        if private.is_empty() {
            return;
        }
        let (digests, personal) = private.into_iter().partition(|p| p.field.digest_digits().is_some());
        self.private.insert((request_id.to_owned(), kind.name()), PrivateRow { personal, digests, recorded });
    }
}

/// Columns of `exchange_call`, in the order of [`Row::params`].
pub(super) const COLUMNS: [&str; 29] = [
    "request_id",
    "message_id",
    "client",
    "provider",
    "service",
    "agreement",
    "agreement_version",
    "snapshot",
    "consumer_auth",
    "method",
    "endpoint",
    "request_in",
    "environment",
    "request_out",
    "response_in",
    "closed_at",
    "request_size",
    "response_size",
    "status",
    "outcome",
    "fault",
    "filter",
    "removed_fields",
    "opened_origin",
    "opened_index",
    "closed_origin",
    "closed_index",
    "side",
    "monitored_at",
];
/// How many of the columns say what was called; the others become known in the course of a call.
pub(super) const FIXED: usize = 13;
/// Which column says when the record entered monitoring. It is known only when the row is written.
pub(super) const MONITORED: usize = COLUMNS.len() - 1;

impl Row {
    /// Whether it is known how the call ended.
    pub(super) fn has_ended(&self) -> bool {
        self.closed.is_some()
    }

    /// When its request arrived.
    pub(super) fn arrived(&self) -> Timestamp {
        Timestamp::from_micros(self.call.request_in)
    }

    /// The smallest index of its records among the entries.
    pub(super) fn first_index(&self) -> u64 {
        let opened = self.opened.as_ref().map(|place| place.index);
        let closed = self.closed.as_ref().map(|(place, _)| place.index);
        opened.into_iter().chain(closed).min().unwrap_or(u64::MAX)
    }

    /// As figures need it, once it has ended.
    pub(super) fn ended(&self) -> Option<Ended> {
        let (call, (_, closed)) = (&self.call, self.closed.as_ref()?);
        let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Some(Ended {
            request_id: call.request_id.clone(),
            client: call.client.clone(),
            service: call.service.clone(),
            agreement: call.agreement.as_ref().map(|a| a.id.clone()),
            method: call.method.clone(),
            endpoint: call.endpoint.clone(),
            at: self.arrived(),
            side: side(closed),
            refused: closed.outcome == Outcome::Refused,
            fault: closed.fault.clone(),
            request_bytes: bytes(closed.request.size),
            response_bytes: bytes(closed.response.map_or(0, |r| r.size)),
            took: closed.request_out.map(|_| closed.recorded - call.request_in),
            in_production: call.environment.is_none(),
        })
    }

    pub(super) fn params(&self) -> Vec<Value> {
        let call = &self.call;
        let agreement = call.agreement.as_ref();
        let mut all = params![
            &call.request_id,
            &call.message_id,
            &call.client,
            provider(&call.service),
            &call.service,
            agreement.map(|a| a.id.clone()),
            agreement.map(|a| a.version as i64),
            call.snapshot as i64,
            &call.consumer_auth,
            &call.method,
            call.endpoint.clone(),
            call.request_in,
            call.environment.map(evidence::Environment::name),
        ];
        let closed = self.closed.as_ref().map(|(_, closed)| closed);
        let response = closed.and_then(|closed| closed.response);
        let filter = closed.and_then(|closed| closed.filter);
        all.extend(params![
            closed.and_then(|c| c.request_out),
            closed.and_then(|c| c.response_in),
            closed.map(|c| c.recorded),
            closed.map(|c| c.request.size as i64),
            response.map(|r| r.size as i64),
            response.map(|r| r.status),
            closed.map(|c| c.outcome.name()),
            closed.and_then(|c| c.fault.clone()),
            filter.map(|f| f.fields.to_string()),
            filter.map(|f| f.removed as i64),
            self.opened.as_ref().map(|place| place.origin.clone()),
            self.opened.as_ref().map(|place| place.index as i64),
            self.closed.as_ref().map(|(place, _)| place.origin.clone()),
            self.closed.as_ref().map(|(place, _)| place.index as i64),
            closed.map(|c| side(c).number()),
            None::<i64>,
        ]);
        all
    }
}

/// Whose side the end of a call speaks of.
fn side(closed: &Closed) -> Side {
    Side::of(closed.outcome, closed.response.map(|r| r.status), closed.fault.as_deref())
}

impl PrivateRow {
    /// Parameters after request number and kind.
    pub(super) fn params(&self, settings: &Settings) -> Vec<Value> {
        let until = |values: &[Private], keep| {
            (!values.is_empty()).then(|| Timestamp::from_micros(self.recorded).plus(keep))
        };
        params![
            write(&self.personal),
            write(&self.digests),
            until(&self.personal, settings.personal()),
            until(&self.digests, settings.digests()),
        ]
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    field: String,
    salt: String,
    value: String,
}

fn write(values: &[Private]) -> Option<String> {
    let stored = |p: &Private| Stored {
        field: p.field.name().to_owned(),
        salt: hex::encode(p.salt),
        value: p.value.clone(),
    };
    let all: Vec<Stored> = values.iter().map(stored).collect();
    if all.is_empty() { None } else { serde_json::to_string(&all).ok() }
}

/// Reads what [`PrivateRow::params`] wrote.
pub(super) fn read(text: &str) -> kernel::Result<Vec<Private>> {
    let stored: Vec<Stored> = serde_json::from_str(text)?;
    let private = |s: Stored| {
        let field = evidence::Field::from_name(&s.field)?;
        let salt = hex::decode(s.salt).ok()?.try_into().ok()?;
        Some(Private { field, salt, value: s.value })
    };
    let all: Option<Vec<Private>> = stored.into_iter().map(private).collect();
    all.ok_or_else(|| kernel::Error::internal("a row of exchange_private is damaged"))
}
