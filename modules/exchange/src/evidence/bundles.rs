//! Issues the evidence of one call. Who may have it, and which personal values with it, is decided by the
//! caller; values that were erased are withheld like those nobody asked for.

use std::sync::Arc;
use std::time::Duration;

use evidence::{Bundle, Disclosure, Entry, Field, Private};
use kernel::db::Row;
use kernel::sealed::LogReader;
use kernel::{Error, Kernel, Result, params};
use stream::Stream;
use tlog::VerifyingKey;
use tokio::time::timeout;

use super::rows::{self, Place};
use super::shared::Shared;

/// How long a reader waits for the log and the tables to cover a call that has just ended.
const PATIENCE: Duration = Duration::from_secs(2);
const KIND: &str = "evidence";

/// Issues bundles. Cheap to clone.
#[derive(Clone)]
pub struct Bundles {
    pub(super) k: Kernel,
    pub(super) reader: LogReader,
    pub(super) stream: Stream,
    pub(super) shared: Arc<Shared>,
}

/// Where the records of a call stand, in the order of the log.
struct Places {
    opened: Option<Place>,
    closed: Option<Place>,
}

impl Places {
    fn kinds(&self) -> impl Iterator<Item = (&'static str, &Place)> {
        let opened = self.opened.as_ref().map(|place| ("opened", place));
        opened.into_iter().chain(self.closed.as_ref().map(|place| ("closed", place)))
    }
}

impl Bundles {
    /// The evidence of a call, with the values of these fields disclosed. Waits up to two seconds for what was
    /// recorded when it was asked for. A call without a closed record gives a bundle whose outcome is unknown.
    ///
    /// # Errors
    /// `NotFound` when there is no such call; `Unavailable` when the evidence is not ready in time or the
    /// database is away; `Internal` when the log on disk no longer proves what the tables say.
    pub async fn for_request(&self, request_id: &str, disclose: &[Field]) -> Result<Bundle> {
        let places = self.places(request_id).await?;
        let first = places.kinds().next().ok_or(Error::NotFound { kind: KIND })?.1.origin.clone();
        if places.kinds().any(|(_, place)| place.origin != first) {
            return Err(Error::internal("the records of the call are in different logs"));
        }
        let indices: Vec<u64> = places.kinds().map(|(_, place)| place.index).collect();
        let bundle = self.proven(&first, &indices).await?;
        finished(&self.k, bundle, &places, request_id, disclose).await
    }

    /// Proof of entries of one log under one checkpoint.
    async fn proven(&self, dir: &str, indices: &[u64]) -> Result<Bundle> {
        let last = indices.iter().copied().max().unwrap_or(0);
        let mut tries = 0;
        loop {
            let note = self.published(dir, last).await?;
            let (reader, dir, wanted) = (self.reader.clone(), dir.to_owned(), indices.to_vec());
            let proving = tokio::task::spawn_blocking(move || prove(&reader, &dir, &wanted, note));
            match proving.await.map_err(Error::internal)? {
                // Much was published meanwhile and the tiles of that checkpoint were tidied away: take a newer one.
                Err(_) if tries < 3 => tries += 1,
                done => return done,
            }
        }
    }

    /// The first record of a log: why it began and what it commits to.
    ///
    /// # Errors
    /// `NotFound` when there is no such log.
    pub async fn for_origin(&self, dir: &str) -> Result<Bundle> {
        let (reader, dir) = (self.reader.clone(), dir.to_owned());
        let proving = tokio::task::spawn_blocking(move || {
            reader.file(&dir, "vkey")?.ok_or(Error::NotFound { kind: KIND })?;
            prove(&reader, &dir, &[0], None)
        });
        let bundle = proving.await.map_err(Error::internal)??;
        evidence::verify(&bundle.to_bytes(), Some(&bundle.log)).map_err(Error::internal)?;
        Ok(bundle)
    }

    /// Where the records stand, once everything recorded before now is in the tables.
    async fn places(&self, request_id: &str) -> Result<Places> {
        let target = self.stream.durable();
        if let Some(places) = look(&self.k, request_id).await?.filter(|places| places.closed.is_some()) {
            return Ok(places);
        }
        let mut indexed = self.shared.indexed.subscribe();
        self.shared.wanted_tables.notify_one();
        // The guard that waiting gives must not live across the next look.
        let waited = timeout(PATIENCE, indexed.wait_for(|position| *position >= target)).await;
        let covered = waited.is_ok_and(|reached| reached.is_ok());
        match (look(&self.k, request_id).await?, covered) {
            (Some(places), true) => Ok(places),
            (Some(places), _) if places.closed.is_some() => Ok(places),
            (None, true) => Err(Error::NotFound { kind: KIND }),
            _ => Err(not_yet()),
        }
    }

    /// A checkpoint of the log that covers the entry: of the current one when it is published, of an older one
    /// as it was left (`None`).
    async fn published(&self, dir: &str, index: u64) -> Result<Option<String>> {
        let mut published = self.shared.published.subscribe();
        if published.borrow().origin.dir != dir {
            return Ok(None);
        }
        let covers = |p: &super::shared::Published| p.origin.dir != dir || p.size > index;
        if !covers(&published.borrow()) {
            self.shared.wanted.notify_one();
        }
        let covering = timeout(PATIENCE, published.wait_for(covers)).await;
        let covering = covering.map_err(|_| not_yet())?.map_err(|_| not_yet())?;
        Ok((covering.origin.dir == dir).then(|| covering.checkpoint.clone()))
    }
}

/// Issues bundles from data on which no gateway runs: a restored copy. What its checkpoints do not cover has no proof.
pub(crate) struct AtRest<'k> {
    k: &'k Kernel,
    reader: LogReader,
}

impl<'k> AtRest<'k> {
    /// Over the data of `k`.
    pub(crate) fn new(k: &'k Kernel) -> Self {
        Self { k, reader: LogReader::new(k.data_dir.join(super::LOGS)) }
    }

    /// As [`Bundles::for_request`], without waiting.
    ///
    /// # Errors
    /// `NotFound` when there is no such call; `Unavailable` when the copy was made before the call was sealed;
    /// `Internal` when the log does not prove what the tables say.
    pub(crate) async fn for_request(&self, request_id: &str, disclose: &[Field]) -> Result<Bundle> {
        let places = look(self.k, request_id).await?.ok_or(Error::NotFound { kind: KIND })?;
        let first = places.kinds().next().ok_or(Error::NotFound { kind: KIND })?.1.origin.clone();
        if places.kinds().any(|(_, place)| place.origin != first) {
            return Err(Error::internal("the records of the call are in different logs"));
        }
        let indices: Vec<u64> = places.kinds().map(|(_, place)| place.index).collect();
        let reader = self.reader.clone();
        let proving = tokio::task::spawn_blocking(move || {
            let size = sealed_size(&reader, &first)?;
            if indices.iter().any(|index| *index >= size) {
                return Err(not_yet());
            }
            prove(&reader, &first, &indices, None)
        });
        let bundle = proving.await.map_err(Error::internal)??;
        finished(self.k, bundle, &places, request_id, disclose).await
    }

    /// Issues and checks bundles of `most` calls spread over all that ended. Returns how many held, and why others did
    /// not. Calls the copy has no checkpoint for are passed over.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub(crate) async fn sample(&self, most: u32) -> Result<(u64, Vec<String>)> {
        let sql = "SELECT COUNT(*) AS n FROM exchange_call WHERE closed_origin IS NOT NULL";
        let all = self.k.db.query_one(sql, vec![]).await?.int("n")?;
        let wanted = i64::from(most).min(all);
        let (mut held, mut faults) = (0, Vec::new());
        for n in 0..wanted {
            let sql = "SELECT request_id FROM exchange_call WHERE closed_origin IS NOT NULL
                       ORDER BY request_id LIMIT 1 OFFSET $1";
            let Some(row) = self.k.db.query_opt(sql, params![n * all / wanted]).await? else { break };
            let request_id = row.text("request_id")?;
            match self.for_request(&request_id, &[]).await {
                Ok(_) => held += 1,
                Err(Error::Unavailable { what: KIND, .. }) => {}
                Err(e) => faults.push(format!("{request_id}: {}", e.chain())),
            }
        }
        Ok((held, faults))
    }
}

/// Entries under the published checkpoint of a log.
fn sealed_size(reader: &LogReader, dir: &str) -> Result<u64> {
    let file = |name| reader.file(dir, name)?.ok_or(Error::NotFound { kind: KIND });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(Error::internal);
    let key = VerifyingKey::parse(text(file("vkey")?)?.trim()).map_err(Error::internal)?;
    Ok(tlog::Checkpoint::open(&text(file("checkpoint")?)?, &key).map_err(Error::internal)?.size)
}

/// The bundle with the values to disclose. Nothing leaves that a stranger would refuse.
async fn finished(
    k: &Kernel,
    mut bundle: Bundle,
    places: &Places,
    request_id: &str,
    disclose: &[Field],
) -> Result<Bundle> {
    for (entry, (kind, _)) in places.kinds().enumerate() {
        let private = private(k, request_id, kind).await?;
        let chosen = private.into_iter().filter(|private| disclose.contains(&private.field));
        bundle.disclosures.extend(chosen.map(|private| Disclosure { entry, private }));
    }
    evidence::verify(&bundle.to_bytes(), Some(&bundle.log)).map_err(Error::internal)?;
    Ok(bundle)
}

async fn look(k: &Kernel, request_id: &str) -> Result<Option<Places>> {
    let sql = "SELECT opened_origin, opened_index, closed_origin, closed_index FROM exchange_call
               WHERE request_id = $1";
    let row = k.db.query_opt(sql, params![request_id]).await?;
    row.map(|row| {
        let opened = place(&row, "opened_origin", "opened_index")?;
        Ok(Places { opened, closed: place(&row, "closed_origin", "closed_index")? })
    })
    .transpose()
}

async fn private(k: &Kernel, request_id: &str, kind: &str) -> Result<Vec<Private>> {
    let sql = "SELECT personal, digests FROM exchange_private WHERE request_id = $1 AND kind = $2";
    let Some(row) = k.db.query_opt(sql, params![request_id, kind]).await? else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for column in ["personal", "digests"] {
        if let Some(text) = row.opt_text(column)? {
            all.extend(rows::read(&text)?);
        }
    }
    Ok(all)
}

fn not_yet() -> Error {
    Error::Unavailable { what: KIND, source: None }
}

fn place(row: &Row, origin: &str, index: &str) -> Result<Option<Place>> {
    let (Some(origin), Some(index)) = (row.opt_text(origin)?, row.opt_int(index)?) else { return Ok(None) };
    Ok(Some(Place { origin, index: u64::try_from(index).map_err(Error::internal)? }))
}

/// Entries of one log with their proofs under one checkpoint. Blocks.
fn prove(reader: &LogReader, dir: &str, indices: &[u64], note: Option<String>) -> Result<Bundle> {
    let mut entries = Vec::new();
    let (mut note, mut vkey) = (note, String::new());
    for index in indices {
        let proven = reader.prove(dir, *index, note.take())?;
        entries.push(Entry { index: proven.index, leaf: proven.entry, proof: proven.proof });
        (note, vkey) = (Some(proven.checkpoint), proven.vkey);
    }
    let log = VerifyingKey::parse(&vkey).map_err(Error::internal)?;
    Ok(Bundle { log, checkpoint: note.unwrap_or_default(), entries, disclosures: Vec::new() })
}
