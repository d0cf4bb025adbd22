//! The bounds of README.md §3: which values a record may hold. The same for writing and for reading.

use tlog::{Checkpoint, Note, VerifyingKey};

use crate::commitment::{Commitments, Field};
use crate::json::MAX_INTEGER;
use crate::leaf::{LeafError, MAX_TEXT_BYTES};
use crate::record::{Body, Call, Closed, Kind, Origin, Outcome, Reason, Record};

const MAX_CHECKPOINT_BYTES: usize = 4096;

/// Whether a record may be written as it is.
pub(crate) fn check(record: &Record) -> Result<(), LeafError> {
    match record {
        Record::Opened(opened) => {
            check_call(&opened.call)?;
            check_number(opened.recorded, "recorded")?;
            check_commitments(&opened.commitments, Kind::Opened)
        }
        Record::Closed(closed) => check_closed(closed),
        Record::Origin(origin) => check_origin(origin),
    }
}

fn check_closed(closed: &Closed) -> Result<(), LeafError> {
    check_call(&closed.call)?;
    check_number(closed.recorded, "recorded")?;
    check_number(closed.request_out.unwrap_or(0), "request_out")?;
    check_number(closed.response_in.unwrap_or(0), "response_in")?;
    check_count(closed.request.size, "request")?;
    let without = closed.request.size == 0 && !closed.commitments.contains_key(&Field::RequestBody);
    if closed.request.body == Body::None && !without {
        return Err(LeafError::Member("request"));
    }
    if let Some(response) = &closed.response {
        check_count(response.size, "response")?;
        if !(100..=999).contains(&response.status) {
            return Err(LeafError::Member("status"));
        }
    } else if closed.outcome == Outcome::Answered {
        return Err(LeafError::Member("response"));
    }
    check_count(closed.filter.map_or(0, |filter| filter.removed), "filter")?;
    closed.fault.as_deref().map_or(Ok(()), |fault| check_text(fault, "fault"))?;
    check_commitments(&closed.commitments, Kind::Closed)
}

fn check_call(call: &Call) -> Result<(), LeafError> {
    check_text(&call.request_id, "request_id")?;
    check_text(&call.message_id, "message_id")?;
    check_text(&call.client, "client")?;
    check_text(&call.service, "service")?;
    check_text(&call.consumer_auth, "consumer_auth")?;
    check_text(&call.method, "method")?;
    call.endpoint.as_deref().map_or(Ok(()), |endpoint| check_text(endpoint, "endpoint"))?;
    if let Some(agreement) = &call.agreement {
        check_text(&agreement.id, "agreement")?;
        check_count(agreement.version, "agreement")?;
    }
    check_count(call.snapshot, "snapshot")?;
    check_number(call.request_in, "request_in")
}

fn check_origin(origin: &Origin) -> Result<(), LeafError> {
    if !is_log_name(&origin.origin) {
        return Err(LeafError::Member("origin"));
    }
    check_number(origin.recorded, "recorded")?;
    let Some(previous) = &origin.previous else { return Ok(()) };
    let key = VerifyingKey::parse(&previous.log).ok().filter(|key| is_log_name(key.name()));
    let key = key.ok_or(LeafError::Member("log"))?;
    let checkpoint = open_checkpoint(&previous.checkpoint, &key);
    if checkpoint.is_none() || origin.reason == Reason::First || key.name() == origin.origin {
        return Err(LeafError::Member("previous"));
    }
    Ok(())
}

/// A checkpoint in the narrow form evidence uses: one signature, no extension line, at most 4 KiB.
pub(crate) fn open_checkpoint(note: &str, key: &VerifyingKey) -> Option<Checkpoint> {
    let single = note.len() <= MAX_CHECKPOINT_BYTES && Note::parse(note).ok()?.signatures().len() == 1;
    let checkpoint = Checkpoint::open(note, key).ok().filter(|_| single)?;
    let plain = checkpoint.extensions.is_empty() && checkpoint.size <= MAX_INTEGER as u64;
    plain.then_some(checkpoint)
}

/// Names of logs in evidence: printable ASCII without blank and `+`, at most 256 bytes.
pub(crate) fn is_log_name(name: &str) -> bool {
    (1..=256).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b'+')
}

fn check_commitments(commitments: &Commitments, kind: Kind) -> Result<(), LeafError> {
    let fit = commitments.keys().all(|field| field.belongs_to(kind));
    if fit { Ok(()) } else { Err(LeafError::Member("commitments")) }
}

fn check_text(text: &str, member: &'static str) -> Result<(), LeafError> {
    let fits = (1..=MAX_TEXT_BYTES).contains(&text.len()) && !text.bytes().any(|b| b < 0x20 || b == 0x7f);
    if fits { Ok(()) } else { Err(LeafError::Member(member)) }
}

fn check_count(number: u64, member: &'static str) -> Result<(), LeafError> {
    if number <= MAX_INTEGER as u64 { Ok(()) } else { Err(LeafError::Member(member)) }
}

fn check_number(number: i64, member: &'static str) -> Result<(), LeafError> {
    if (0..=MAX_INTEGER).contains(&number) { Ok(()) } else { Err(LeafError::Member(member)) }
}
