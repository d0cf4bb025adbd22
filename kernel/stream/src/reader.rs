//! Reading durable records back, verified, in order. Blocks; the asynchronous form is [`crate::Follower`].

use std::sync::Arc;

use bytes::Bytes;

use crate::disk::SegmentFile;
use crate::frame::{self, Kind};
use crate::shared::Shared;
use crate::table::{Place, STEP};
use crate::{Error, Result, segment};

/// Bytes read at once.
const WINDOW: u64 = 256 << 10;

/// Iterator over durable records from a position on. At the end it gives `None` and may be asked again later;
/// after an error it gives nothing more.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    next: u64,
    cursor: Option<Cursor>,
    broken: bool,
}

#[derive(Debug)]
struct Cursor {
    file: Arc<dyn SegmentFile>,
    number: u64,
    salt: u64,
    /// Position and offset of the next frame.
    position: u64,
    offset: u64,
    last: u64,
    limit: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, from: u64) -> Self {
        Self { shared, next: from, cursor: None, broken: false }
    }

    /// Position of the record that comes next.
    pub fn position(&self) -> u64 {
        self.next
    }

    fn step(&mut self) -> Result<(u64, Bytes)> {
        if self.cursor.as_ref().is_none_or(|c| self.next >= c.last) {
            self.seek()?;
        }
        let position = self.next;
        let Some(cursor) = &mut self.cursor else { return Err(self.removed()) };
        let shared = &self.shared;
        while cursor.position < position {
            cursor.pass(shared)?;
        }
        let payload = cursor.take(shared)?;
        self.next += 1;
        Ok((position, payload))
    }

    /// Goes to the segment that holds the next record, or learns how far it has grown.
    fn seek(&mut self) -> Result<()> {
        let place = self.shared.table().locate(self.next);
        let Some(place) = place else { return Err(self.removed()) };
        match &mut self.cursor {
            Some(cursor) if cursor.number == place.number => {
                (cursor.last, cursor.limit) = (place.last, place.limit);
            }
            cursor => {
                let path = segment::path(&self.shared.dir, place.number);
                match self.shared.disk.open(&path) {
                    Ok(file) => *cursor = Some(Cursor::new(file, place)),
                    Err(_) if self.shared.table().first() > self.next => return Err(self.removed()),
                    Err(e) => return Err(Error::io("opening", path, e)),
                }
            }
        }
        Ok(())
    }

    fn removed(&self) -> Error {
        Error::Removed { position: self.next, first: self.shared.table().first() }
    }
}

impl Iterator for Reader {
    type Item = Result<(u64, Bytes)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken || self.next >= self.shared.durable() {
            return None;
        }
        let item = self.step();
        self.broken = item.is_err();
        Some(item)
    }
}

impl Cursor {
    fn new(file: Arc<dyn SegmentFile>, place: Place) -> Self {
        Self {
            file,
            number: place.number,
            salt: place.salt,
            position: place.position,
            offset: place.offset,
            last: place.last,
            limit: place.limit,
            window: Vec::new(),
            window_at: 0,
        }
    }

    /// Steps over one frame without looking at its payload.
    fn pass(&mut self, shared: &Shared) -> Result<()> {
        let header = self.header(shared)?;
        self.leave(shared, &header);
        Ok(())
    }

    /// Reads the record at the cursor, stepping over marks before it.
    fn take(&mut self, shared: &Shared) -> Result<Bytes> {
        loop {
            let header = self.header(shared)?;
            let (salt, at) = (self.salt, self.offset + frame::HEADER as u64);
            let payload = match self.bytes(shared, at, header.payload as u64)? {
                Some(payload) if header.verify(salt, payload) => Bytes::copy_from_slice(payload),
                _ => return Err(self.corrupt(shared, "a record is damaged")),
            };
            self.leave(shared, &header);
            if header.kind == Kind::Record {
                return Ok(payload);
            }
        }
    }

    fn header(&mut self, shared: &Shared) -> Result<frame::Header> {
        let raw = self.bytes(shared, self.offset, frame::HEADER as u64)?;
        let header = raw.and_then(|raw| frame::Header::decode(raw.try_into().ok()?));
        match header {
            Some(header) if header.position == self.position => Ok(header),
            _ => Err(self.corrupt(shared, "a record is damaged")),
        }
    }

    fn leave(&mut self, shared: &Shared, header: &frame::Header) {
        let before = self.offset / STEP;
        self.offset += frame::framed(header.payload) as u64;
        self.position += u64::from(header.kind == Kind::Record);
        if self.offset / STEP > before && self.position < self.last {
            shared.note(self.number, self.position, self.offset);
        }
    }

    /// `len` bytes at `at`; `None` if they do not lie within the durable part of the segment.
    fn bytes(&mut self, shared: &Shared, at: u64, len: u64) -> Result<Option<&[u8]>> {
        let end = at.saturating_add(len);
        if end > self.limit {
            return Ok(None);
        }
        if at < self.window_at || end > self.window_at + self.window.len() as u64 {
            let size = len.max(WINDOW.min(self.limit - at));
            self.window.resize(size as usize, 0);
            self.window_at = at;
            let read = self.file.read_at(at, &mut self.window);
            let read = read.map_err(|e| Error::io("reading", segment::path(&shared.dir, self.number), e))?;
            self.window.truncate(read);
        }
        let from = (at - self.window_at) as usize;
        Ok(self.window.get(from..from + len as usize))
    }

    fn corrupt(&self, shared: &Shared, what: &'static str) -> Error {
        Error::Corrupt {
            name: shared.options.name.clone(),
            segment: self.number,
            offset: self.offset,
            position: self.position,
            what,
        }
    }
}
