//! A log in memory, and calls of invented people to put into it.

use std::collections::HashMap;

use evidence::{
    Agreement, Body, Bundle, Call, Closed, Disclosure, Entry, Environment, Field, Filter, Opened, Origin,
    Outcome, Private, Reason, Record, Request, Response, commit_all,
};
use tlog::{
    Builder, Checkpoint, Signer, SigningKey, Tile, TileNodes, Tiles, VerifyingKey, inclusion, leaf_hash,
};

pub(crate) const LOG: &str = "evidence.lienthong.example/node-1";

/// A small generator of the same numbers every time (splitmix64).
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % limit as u64) as usize
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.below(256) as u8);
    }
}

pub(crate) struct Log {
    pub(crate) key: SigningKey,
    builder: Builder,
    leaves: Vec<Vec<u8>>,
    private: HashMap<u64, Vec<Private>>,
    random: Seeded,
}

struct Files(HashMap<Tile, Vec<u8>>);

impl Tiles for Files {
    type Error = String;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, String> {
        self.0.get(&tile).cloned().ok_or_else(|| format!("no {tile}"))
    }
}

impl Log {
    /// A log that begins as every log does.
    pub(crate) fn new() -> Log {
        let mut log = Log::empty(LOG, 1);
        log.append(&origin(LOG));
        log
    }

    pub(crate) fn empty(name: &str, seed: u8) -> Log {
        let key = SigningKey::from_seed(name, &[seed; 32]).unwrap();
        let random = Seeded(u64::from(seed));
        Log { key, builder: Builder::new(), leaves: vec![], private: HashMap::new(), random }
    }

    pub(crate) fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    /// Adds bytes as they are, also such as are no record.
    pub(crate) fn append_raw(&mut self, leaf: Vec<u8>) -> u64 {
        let index = self.builder.append(&leaf).unwrap();
        self.leaves.push(leaf);
        index
    }

    pub(crate) fn append(&mut self, record: &Record) -> u64 {
        self.append_raw(record.to_leaf().unwrap())
    }

    /// Other calls, until the log has this size.
    pub(crate) fn fill_to(&mut self, size: u64) {
        while self.builder.size() < size {
            self.append_raw(format!("{{\"other\":{}}}", self.builder.size()).into_bytes());
        }
    }

    /// Commits to the values, records the call, and remembers what opens the commitments.
    pub(crate) fn append_with(&mut self, mut record: Record, values: &[(Field, &str)]) -> u64 {
        let values = values.iter().map(|(field, value)| (*field, value.to_string())).collect();
        let random = &mut self.random;
        let (commitments, private) = commit_all(record.kind(), values, |salts| random.fill(salts));
        match &mut record {
            Record::Opened(opened) => opened.commitments = commitments,
            Record::Closed(closed) => closed.commitments = commitments,
            Record::Origin(_) => {}
        }
        let index = self.append(&record);
        self.private.insert(index, private);
        index
    }

    /// A call that changes something, with both records.
    pub(crate) fn post(&mut self, number: usize) -> [u64; 2] {
        let call = call(number, "POST");
        let opened = Opened { call: call.clone(), recorded: call.request_in + 150, commitments: [].into() };
        let first = self.append_with(Record::Opened(opened), &personal());
        let named = leaf_hash(&self.leaves[first as usize]);
        let closed = Closed { opened: Some(named), ..closed(call) };
        let second = self.append_with(Record::Closed(closed), &everything());
        [first, second]
    }

    /// A call that only reads, with one record.
    pub(crate) fn get(&mut self, number: usize) -> u64 {
        let closed = Closed { request: Request { body: Body::None, size: 0 }, ..closed(call(number, "GET")) };
        let values: Vec<_> = everything().into_iter().filter(|(f, _)| *f != Field::RequestBody).collect();
        self.append_with(Record::Closed(closed), &values)
    }

    /// A call in the sandbox whose answer went through a filter, with both records.
    pub(crate) fn sifted(&mut self, number: usize) -> [u64; 2] {
        let call = Call { environment: Some(Environment::Sandbox), ..call(number, "POST") };
        let opened = Opened { call: call.clone(), recorded: call.request_in + 150, commitments: [].into() };
        let first = self.append_with(Record::Opened(opened), &personal());
        let named = leaf_hash(&self.leaves[first as usize]);
        let filter = Some(Filter { fields: tlog::Hash([0x5f; 32]), removed: 8 });
        let closed = Closed { opened: Some(named), filter, ..closed(call) };
        let second = self.append_with(Record::Closed(closed), &everything());
        [first, second]
    }

    /// A bundle of these entries under a checkpoint of the log as it is, with these fields disclosed.
    pub(crate) fn bundle(&self, indices: &[u64], disclose: &[Field]) -> Bundle {
        let mut builder = self.builder.clone();
        let files = Files(builder.take_files().into_iter().map(|file| (file.tile, file.bytes)).collect());
        let size = self.builder.size();
        let nodes = TileNodes::new(&files, size);
        let entries = indices.iter().map(|index| Entry {
            index: *index,
            leaf: self.leaves[*index as usize].clone(),
            proof: inclusion(&nodes, *index, size).unwrap(),
        });
        let disclosures = indices.iter().enumerate().flat_map(|(entry, index)| {
            let private = self.private.get(index).into_iter().flatten();
            let chosen = private.filter(|private| disclose.contains(&private.field));
            chosen.map(move |private| Disclosure { entry, private: private.clone() })
        });
        let name = self.verifying_key().name().to_owned();
        let checkpoint = Checkpoint { origin: name, size, root: self.builder.root(), extensions: vec![] };
        Bundle {
            log: self.verifying_key().clone(),
            checkpoint: checkpoint.sign(&self.key).unwrap().to_string(),
            entries: entries.collect(),
            disclosures: disclosures.collect(),
        }
    }

    pub(crate) fn checkpoint(&self) -> String {
        self.bundle(&[], &[]).checkpoint
    }
}

pub(crate) fn origin(name: &str) -> Record {
    let recorded = 1_795_000_000_000_000;
    Record::Origin(Origin { origin: name.into(), reason: Reason::First, recorded, previous: None })
}

pub(crate) fn call(number: usize, method: &str) -> Call {
    Call {
        request_id: format!("018f3b6e-0000-7000-8000-{number:012}"),
        message_id: format!("LT-DEMO-{number}"),
        client: "VN/GOV/H56.01/motcua".into(),
        service: "VN/GOV/H56.05/dancu/population".into(),
        agreement: Some(Agreement { id: "CT-2026-0012".into(), version: 3 }),
        snapshot: 41,
        consumer_auth: "oauth2".into(),
        method: method.into(),
        endpoint: Some("/v1/people/*".into()),
        request_in: 1_795_000_100_000_000 + number as i64,
        environment: None,
    }
}

pub(crate) fn closed(call: Call) -> Closed {
    Closed {
        recorded: call.request_in + 5400,
        request_out: Some(call.request_in + 300),
        response_in: Some(call.request_in + 5100),
        call,
        request: Request { body: Body::Complete, size: 218 },
        response: Some(Response { status: 200, size: 1031 }),
        outcome: Outcome::Answered,
        fault: None,
        filter: None,
        opened: None,
        commitments: [].into(),
    }
}

pub(crate) fn personal() -> Vec<(Field, &'static str)> {
    vec![
        (Field::Path, "/v1/people/038099000001"),
        (Field::Query, "fields=name&q=\"Lê Thị Ví Dụ\"\n\u{1}"),
        (Field::RequestHead, HEAD),
        (Field::UserId, "VN038099000002"),
    ]
}

pub(crate) fn everything() -> Vec<(Field, &'static str)> {
    let digests =
        [(Field::RequestBody, BODY), (Field::ResponseBody, &BODY[..64]), (Field::ResponseHead, &HEAD[..64])];
    [personal(), digests.to_vec()].concat()
}

/// SHA-512 of "head" and, below, of "body": any digest will do.
pub(crate) const HEAD: &str = "10c46c8a0c2151181bc9c147e18cc3da56048566309d4a24ed15e9b7f8cce7b52551b5ed3e421ddd101196309552c43684fe20c7c4eae047bf0cffffaa712163";
pub(crate) const BODY: &str = "5510ebbda5ed4da007c55a62fd7075c722ec031f07398ef3e90b9b50e0fe950985476c474414d2b386e8f08cd505fb506b528006a30abfe9ca0eb0b67b7e760b";
/// base64(SHA-512(SHA-512("head") ‖ SHA-512("body"))), computed in another language.
pub(crate) const REQUEST_HASH: &str =
    "6HChte3YppppwCysdX+5aqYyKmBTF3wILtYF3Sit8UdZO6odH5+t2Y4fGcsraKgOefgtILRXVPncQ3lyyvTLIg==";
