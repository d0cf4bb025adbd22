//! Makes records durable. It knows what a record looks like and nothing of logs, tables or the network: it
//! works while the database is away.

use std::sync::Arc;

use base::clock::Clock;
use base::random::Random;
use evidence::{Closed, Commitments, Field, Kind, LeafError, Opened, Private, Record, commit_all};
use stream::{Position, Stream};
use tlog::{Hash, leaf_hash};

use super::payload::{MAX_VALUE_BYTES, Payload};

/// Appends records. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    stream: Stream,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

/// A record that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Its leaf hash, which the closed record of a call names for the opened one.
    pub leaf: Hash,
    /// Its place in the stream.
    pub position: Position,
}

/// Announces a record that will follow soon, so that others wait for it a little and share its flush.
pub type Expected = stream::Expected;

/// Why a record is not durable. Whatever depends on it must not happen.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A text is empty, too long or holds control characters, or a number is out of bounds.
    #[error("the record cannot be written")]
    Record(#[from] LeafError),
    /// A value is too long, not of the form its field asks for, there twice, or does not belong to the record.
    #[error("the value of {} cannot be recorded", .0.name())]
    Value(Field),
    /// The stream did not take it.
    #[error("the evidence stream does not take records")]
    Stream(#[from] stream::Error),
}

type Made = (Payload, Hash);

impl Recorder {
    pub(super) fn new(stream: Stream, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { stream, clock, random }
    }

    /// Announces a record; append it with this, or drop it if none comes.
    pub fn expect(&self) -> Expected {
        self.stream.expect()
    }

    /// Records that a call begins. `recorded` and `commitments` of the given record are filled in here. The
    /// record is made at once; the future resolves when it is durable. Dropping it may withdraw the record.
    pub fn opened(
        &self,
        opened: Opened,
        values: Vec<(Field, String)>,
    ) -> impl Future<Output = Result<Recorded, RecordError>> + Send + 'static {
        let made = self.make(Kind::Opened, values, |recorded, commitments| {
            Record::Opened(Opened { recorded, commitments, ..opened })
        });
        append(self.stream.clone(), made, None)
    }

    /// Records that a call has ended, or was refused. As [`Recorder::opened`].
    pub fn closed(
        &self,
        closed: Closed,
        values: Vec<(Field, String)>,
        expected: Option<Expected>,
    ) -> impl Future<Output = Result<Recorded, RecordError>> + Send + 'static {
        let made = self.make(Kind::Closed, values, |recorded, commitments| {
            Record::Closed(Closed { recorded, commitments, ..closed })
        });
        append(self.stream.clone(), made, expected)
    }

    fn make(
        &self,
        kind: Kind,
        values: Vec<(Field, String)>,
        record: impl FnOnce(i64, Commitments) -> Record,
    ) -> Result<Made, RecordError> {
        check(kind, &values)?;
        let (commitments, private): (_, Vec<Private>) =
            commit_all(kind, values, |salts| self.random.fill(salts));
        let leaf = record(self.clock.now().micros(), commitments).to_leaf()?;
        let hash = leaf_hash(&leaf);
        Ok((Payload { leaf, private }, hash))
    }
}

fn check(kind: Kind, values: &[(Field, String)]) -> Result<(), RecordError> {
    for (i, (field, value)) in values.iter().enumerate() {
        let twice = values[..i].iter().any(|(other, _)| other == field);
        let fits = value.len() <= MAX_VALUE_BYTES && field.accepts(value) && field.belongs_to(kind);
        if twice || !fits {
            return Err(RecordError::Value(*field));
        }
    }
    Ok(())
}

async fn append(
    stream: Stream,
    made: Result<Made, RecordError>,
    expected: Option<Expected>,
) -> Result<Recorded, RecordError> {
    let (payload, leaf) = made?;
    let position = match expected {
        Some(expected) => expected.append(payload.encode()).await?,
        None => stream.append(payload.encode()).await?,
    };
    Ok(Recorded { leaf, position })
}
