//! Records as bytes and back: README.md §3. The bytes are what the log hashes.

use tlog::Hash;

use crate::bounds::check;
use crate::commitment::{Commitments, Field};
use crate::json::{JsonError, Value};
use crate::json_write::ObjectWriter;
use crate::members::{Members, read_hash};
use crate::record::{
    Agreement, Body, Call, Closed, Environment, Filter, Kind, Opened, Origin, Outcome, Previous, Reason,
    Record, Request, Response,
};

/// Longest record.
pub const MAX_LEAF_BYTES: usize = 16_384;
/// Longest single text in a record.
pub const MAX_TEXT_BYTES: usize = 1024;
/// Records that hold nothing newer are written as they always were.
const VERSION: i64 = 1;
/// Records with an environment or a filter.
const VERSION_2: i64 = 2;

/// Why bytes are not a record, or a record cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Longer than [`MAX_LEAF_BYTES`].
    #[error("the record is longer than {MAX_LEAF_BYTES} bytes")]
    TooLong,
    /// Not canonical JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing, has the wrong type, or is out of its bounds.
    #[error("the member {0:?} of the record is missing or wrong")]
    Member(&'static str),
    /// A member that this version of the format does not know.
    #[error("the record holds an unknown member")]
    Unknown,
}

impl Record {
    /// The bytes of the record.
    ///
    /// # Errors
    /// When a text is empty, too long or holds a control character, or a number is out of bounds.
    pub fn to_leaf(&self) -> Result<Vec<u8>, LeafError> {
        check(self)?;
        let mut out = Vec::with_capacity(1024);
        let mut object = ObjectWriter::begin(&mut out);
        match self {
            Record::Opened(opened) => write_opened(&mut object, opened),
            Record::Closed(closed) => write_closed(&mut object, closed),
            Record::Origin(origin) => write_origin(&mut object, origin),
        }
        object.int("v", self.version());
        object.end();
        if out.len() > MAX_LEAF_BYTES { Err(LeafError::TooLong) } else { Ok(out) }
    }

    /// Reads a record; whatever it accepts, [`Record::to_leaf`] writes byte for byte.
    pub fn parse(leaf: &[u8]) -> Result<Record, LeafError> {
        if leaf.len() > MAX_LEAF_BYTES {
            return Err(LeafError::TooLong);
        }
        Record::from_value(Value::parse(leaf)?)
    }

    pub(crate) fn from_value(value: Value) -> Result<Record, LeafError> {
        let mut members = Members::of(value, "leaf")?;
        let version = members.int("v")?;
        let record = match members.text("kind")?.as_str() {
            "opened" => Record::Opened(read_opened(&mut members)?),
            "closed" => Record::Closed(read_closed(&mut members)?),
            "origin" => Record::Origin(read_origin(&mut members)?),
            _ => return Err(LeafError::Member("kind")),
        };
        members.end()?;
        if version != record.version() {
            return Err(LeafError::Member("v"));
        }
        check(&record)?;
        Ok(record)
    }

    /// The version follows from what is in the record, so that it has one spelling.
    fn version(&self) -> i64 {
        let filtered = matches!(self, Record::Closed(closed) if closed.filter.is_some());
        let elsewhere = self.call().is_some_and(|call| call.environment.is_some());
        if filtered || elsewhere { VERSION_2 } else { VERSION }
    }
}

fn write_opened(object: &mut ObjectWriter<'_>, opened: &Opened) {
    let call = &opened.call;
    write_agreement(object, call);
    object.text("client", &call.client);
    write_commitments(object, &opened.commitments);
    object.text("consumer_auth", &call.consumer_auth);
    object.opt_text("endpoint", call.endpoint.as_deref());
    object.opt_text("environment", call.environment.map(Environment::name));
    object.text("kind", Kind::Opened.name());
    object.text("message_id", &call.message_id);
    object.text("method", &call.method);
    object.int("recorded", opened.recorded);
    object.text("request_id", &call.request_id);
    object.int("request_in", call.request_in);
    object.text("service", &call.service);
    object.int("snapshot", call.snapshot as i64);
}

fn write_closed(object: &mut ObjectWriter<'_>, closed: &Closed) {
    let call = &closed.call;
    write_agreement(object, call);
    object.text("client", &call.client);
    write_commitments(object, &closed.commitments);
    object.text("consumer_auth", &call.consumer_auth);
    object.opt_text("endpoint", call.endpoint.as_deref());
    object.opt_text("environment", call.environment.map(Environment::name));
    object.opt_text("fault", closed.fault.as_deref());
    if let Some(filter) = &closed.filter {
        object.object("filter", |object| {
            object.text("fields", &filter.fields.to_string());
            object.int("removed", filter.removed as i64);
        });
    }
    object.text("kind", Kind::Closed.name());
    object.text("message_id", &call.message_id);
    object.text("method", &call.method);
    object.opt_text("opened", closed.opened.map(|hash| hash.to_string()).as_deref());
    object.text("outcome", closed.outcome.name());
    object.int("recorded", closed.recorded);
    object.object("request", |request| {
        request.text("body", closed.request.body.name());
        request.int("size", closed.request.size as i64);
    });
    object.text("request_id", &call.request_id);
    object.int("request_in", call.request_in);
    object.opt_int("request_out", closed.request_out);
    if let Some(response) = &closed.response {
        object.object("response", |object| {
            object.int("size", response.size as i64);
            object.int("status", i64::from(response.status));
        });
    }
    object.opt_int("response_in", closed.response_in);
    object.text("service", &call.service);
    object.int("snapshot", call.snapshot as i64);
}

fn write_origin(object: &mut ObjectWriter<'_>, origin: &Origin) {
    object.text("kind", Kind::Origin.name());
    object.text("origin", &origin.origin);
    if let Some(previous) = &origin.previous {
        object.object("previous", |object| {
            object.text("checkpoint", &previous.checkpoint);
            object.text("log", &previous.log);
        });
    }
    object.text("reason", origin.reason.name());
    object.int("recorded", origin.recorded);
}

fn write_agreement(object: &mut ObjectWriter<'_>, call: &Call) {
    if let Some(agreement) = &call.agreement {
        object.object("agreement", |object| {
            object.text("id", &agreement.id);
            object.int("version", agreement.version as i64);
        });
    }
}

fn write_commitments(object: &mut ObjectWriter<'_>, commitments: &Commitments) {
    object.object("commitments", |object| {
        commitments.iter().for_each(|(field, value)| object.text(field.name(), &Hash(*value).to_string()));
    });
}

fn read_opened(members: &mut Members) -> Result<Opened, LeafError> {
    Ok(Opened {
        call: read_call(members)?,
        recorded: members.int("recorded")?,
        commitments: read_commitments(members)?,
    })
}

fn read_closed(members: &mut Members) -> Result<Closed, LeafError> {
    let mut request = members.object("request")?;
    let body = Body::from_name(&request.text("body")?).ok_or(LeafError::Member("body"))?;
    let size = request.count("size")?;
    request.end()?;
    let response = members.opt_object("response")?.map(|mut response| {
        let status = u16::try_from(response.int("status")?).map_err(|_| LeafError::Member("status"))?;
        let size = response.count("size")?;
        response.end().map(|()| Response { status, size })
    });
    let filter = members.opt_object("filter")?.map(|mut filter| {
        let fields = Hash(read_hash(&filter.text("fields")?, "filter")?);
        let removed = filter.count("removed")?;
        filter.end().map(|()| Filter { fields, removed })
    });
    Ok(Closed {
        call: read_call(members)?,
        recorded: members.int("recorded")?,
        request_out: members.opt_int("request_out")?,
        response_in: members.opt_int("response_in")?,
        request: Request { body, size },
        response: response.transpose()?,
        outcome: Outcome::from_name(&members.text("outcome")?).ok_or(LeafError::Member("outcome"))?,
        fault: members.opt_text("fault")?,
        filter: filter.transpose()?,
        opened: members.opt_text("opened")?.map(|text| read_hash(&text, "opened")).transpose()?.map(Hash),
        commitments: read_commitments(members)?,
    })
}

fn read_origin(members: &mut Members) -> Result<Origin, LeafError> {
    let previous = members.opt_object("previous")?.map(|mut previous| {
        let (checkpoint, log) = (previous.text("checkpoint")?, previous.text("log")?);
        previous.end().map(|()| Previous { checkpoint, log })
    });
    Ok(Origin {
        origin: members.text("origin")?,
        reason: Reason::from_name(&members.text("reason")?).ok_or(LeafError::Member("reason"))?,
        recorded: members.int("recorded")?,
        previous: previous.transpose()?,
    })
}

fn read_call(members: &mut Members) -> Result<Call, LeafError> {
    let agreement = members.opt_object("agreement")?.map(|mut agreement| {
        let (id, version) = (agreement.text("id")?, agreement.count("version")?);
        agreement.end().map(|()| Agreement { id, version })
    });
    let environment = members
        .opt_text("environment")?
        .map(|name| Environment::from_name(&name).ok_or(LeafError::Member("environment")));
    Ok(Call {
        request_id: members.text("request_id")?,
        message_id: members.text("message_id")?,
        client: members.text("client")?,
        service: members.text("service")?,
        agreement: agreement.transpose()?,
        snapshot: members.count("snapshot")?,
        consumer_auth: members.text("consumer_auth")?,
        method: members.text("method")?,
        endpoint: members.opt_text("endpoint")?,
        request_in: members.int("request_in")?,
        environment: environment.transpose()?,
    })
}

fn read_commitments(members: &mut Members) -> Result<Commitments, LeafError> {
    members.object("commitments")?.into_iter().map(read_commitment).collect()
}

fn read_commitment((name, value): (String, Value)) -> Result<(Field, [u8; 32]), LeafError> {
    match (Field::from_name(&name), value) {
        (Some(field), Value::Text(text)) => Ok((field, read_hash(&text, "commitments")?)),
        _ => Err(LeafError::Member("commitments")),
    }
}
