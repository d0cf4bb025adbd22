//! Opening: which segments there are, where the durable records end, and whether what follows is a torn tail
//! (cut) or damage (an error). Reads everything once in the last segment, only headers in the others.

use std::path::Path;
use std::sync::Arc;

use base::clock::Stopwatch;

use crate::disk::{Disk, SegmentFile};
use crate::frame::{self, Kind};
use crate::options::SMALLEST;
use crate::table::Table;
use crate::{Cut, Error, Options, Recovered, Result, segment};

/// An unused segment is looked through this far: the first frame would begin within it.
const BLANK_CHECK: usize = 1 << 20;

/// The segment being written.
#[derive(Debug)]
pub(crate) struct Active {
    pub file: Arc<dyn SegmentFile>,
    pub header: segment::Header,
    /// Where the next frame goes.
    pub offset: u64,
}

/// A segment of zeros, ready for use.
#[derive(Debug)]
pub(crate) struct Spare {
    pub file: Arc<dyn SegmentFile>,
    pub number: u64,
    pub bytes: u64,
}

/// Everything known after opening.
pub(crate) struct Opened {
    pub table: Table,
    pub active: Active,
    pub spare: Option<Spare>,
    /// Whether the last frame is a mark, so that nothing remains to be proven.
    pub marked: bool,
    pub recovered: Recovered,
}

/// The directory of one stream while it is being opened.
struct Opening<'a> {
    disk: &'a Arc<dyn Disk>,
    dir: &'a Path,
    options: &'a Options,
}

/// Opens or creates the stream in `dir`, which is already locked.
pub(crate) fn open(disk: &Arc<dyn Disk>, dir: &Path, options: &Options) -> Result<Opened> {
    Opening { disk, dir, options }.run()
}

/// Makes a segment of zeros under its final name.
pub(crate) fn prepare(disk: &Arc<dyn Disk>, dir: &Path, number: u64, bytes: u64) -> std::io::Result<Spare> {
    let unfinished = segment::unfinished_path(dir, number);
    let _ = disk.remove(&unfinished); // left from an earlier attempt, if at all
    let file = match disk.create(&unfinished, bytes) {
        Ok(file) => file,
        Err(e) => {
            let _ = disk.remove(&unfinished); // gives the space back; the error below is what matters
            return Err(e);
        }
    };
    disk.rename(&unfinished, &segment::path(dir, number))?;
    disk.sync_dir(dir)?;
    Ok(Spare { file, number, bytes })
}

/// Takes a blank segment into use: its header is durable before any frame is written.
pub(crate) fn activate(spare: Spare, first: u64, options: &Options) -> std::io::Result<Active> {
    let header = segment::Header {
        stream: crc32fast::hash(options.name.as_bytes()),
        number: spare.number,
        first,
        salt: options.salt_of(spare.number),
        bytes: spare.bytes,
    };
    spare.file.write_at(0, &header.encode())?;
    spare.file.sync_data()?;
    Ok(Active { file: spare.file, header, offset: segment::HEADER as u64 })
}

impl Opening<'_> {
    fn run(&self) -> Result<Opened> {
        let numbers = self.numbers()?;
        // Names may have been created and not synchronised before a crash; what is used below must stay.
        self.disk.sync_dir(self.dir).map_err(|e| Error::io("synchronising", self.dir, e))?;
        let mut table = Table::new();
        let mut last = None;
        let mut spare: Option<Spare> = None;
        for number in numbers {
            let file = self.open_segment(number)?;
            match self.header(number, &file)? {
                Some(header) => {
                    if spare.is_some() {
                        return Err(self.corrupt(number - 1, 0, table.next, "the segment header is damaged"));
                    }
                    if header.first < table.next {
                        return Err(self.corrupt(number, 0, table.next, "segments overlap"));
                    }
                    table.push(header);
                    last = Some((header, file));
                }
                None if spare.is_none() => spare = Some(self.blank(number, file)?),
                None => self.remove(number)?,
            }
        }
        let (active, cut, marked) = match last {
            Some((header, file)) => self.recover_active(&mut table, header, file)?,
            None => (self.first_segment(&mut table, spare.take())?, None, true),
        };
        let flush = self.probe(&active)?;
        let recovered =
            Recovered { first: table.first(), next: table.next, segments: table.len(), cut, flush };
        Ok(Opened { table, active, spare, marked, recovered })
    }

    /// Numbers of the segments, dense and increasing.
    fn numbers(&self) -> Result<Vec<u64>> {
        let names = self.disk.list(self.dir).map_err(|e| Error::io("listing", self.dir, e))?;
        for name in names.iter().filter(|n| segment::is_unfinished(n)) {
            let path = self.dir.join(name);
            self.disk.remove(&path).map_err(|e| Error::io("removing", path, e))?;
        }
        let mut numbers: Vec<u64> = names.iter().filter_map(|n| segment::number(n)).collect();
        numbers.sort_unstable();
        for pair in numbers.windows(2) {
            if pair[1] != pair[0] + 1 {
                return Err(self.corrupt(pair[0] + 1, 0, 0, "a segment is missing"));
            }
        }
        Ok(numbers)
    }

    fn open_segment(&self, number: u64) -> Result<Arc<dyn SegmentFile>> {
        let path = segment::path(self.dir, number);
        self.disk.open(&path).map_err(|e| Error::io("opening", path, e))
    }

    /// The segment's header; `None` if it is not intact.
    fn header(&self, number: u64, file: &Arc<dyn SegmentFile>) -> Result<Option<segment::Header>> {
        let mut raw = [0; segment::HEADER];
        let read = file.read_at(0, &mut raw).map_err(|e| self.reading(number, e))?;
        let len = file.len().map_err(|e| self.reading(number, e))?;
        let Some(header) = segment::Header::decode(&raw).filter(|_| read == raw.len()) else {
            return Ok(None);
        };
        if header.stream != crc32fast::hash(self.options.name.as_bytes()) {
            return Err(self.corrupt(number, 0, header.first, "the segment belongs to another stream"));
        }
        if header.number != number || header.bytes != len {
            return Err(self.corrupt(number, 0, header.first, "the segment's name or length is wrong"));
        }
        Ok(Some(header))
    }

    /// Checks that a segment without an intact header was never used. A header is durable before any frame
    /// follows it, so a torn one stands alone.
    fn blank(&self, number: u64, file: Arc<dyn SegmentFile>) -> Result<Spare> {
        let bytes = file.len().map_err(|e| self.reading(number, e))?;
        if bytes < SMALLEST {
            return Err(self.corrupt(number, 0, 0, "the segment is shorter than it was made"));
        }
        let mut start = vec![0; BLANK_CHECK.min(usize::try_from(bytes).unwrap_or(BLANK_CHECK))];
        file.read_at(0, &mut start).map_err(|e| self.reading(number, e))?;
        if start.iter().skip(segment::HEADER).any(|b| *b != 0) {
            return Err(self.corrupt(number, 0, 0, "the segment header is damaged"));
        }
        if start.iter().any(|b| *b != 0) {
            let clear = || {
                file.write_at(0, &[0; segment::HEADER])?;
                file.sync_data()
            };
            clear().map_err(|e| self.writing(number, e))?;
        }
        Ok(Spare { file, number, bytes })
    }

    fn remove(&self, number: u64) -> Result<()> {
        let path = segment::path(self.dir, number);
        let gone = self.disk.remove(&path).and_then(|()| self.disk.sync_dir(self.dir));
        gone.map_err(|e| Error::io("removing", path, e))
    }

    /// The stream is new, or was killed before its first segment was taken into use.
    fn first_segment(&self, table: &mut Table, spare: Option<Spare>) -> Result<Active> {
        if let Some(spare) = spare.as_ref().filter(|s| s.number > 0) {
            return Err(self.corrupt(spare.number, 0, 0, "the segment header is damaged"));
        }
        let bytes = self.options.first_segment_bytes.min(self.options.segment_bytes);
        let usable = spare.filter(|s| s.bytes >= bytes);
        let spare = match usable {
            Some(spare) => spare,
            None => prepare(self.disk, self.dir, 0, bytes)
                .map_err(|e| Error::io("creating a segment in", self.dir, e))?,
        };
        let active = activate(spare, 0, self.options).map_err(|e| self.writing(0, e))?;
        table.push(active.header);
        Ok(active)
    }

    /// Finds the end of the last segment, cuts a torn tail, and makes sure that what is kept is on the disk.
    fn recover_active(
        &self,
        table: &mut Table,
        header: segment::Header,
        file: Arc<dyn SegmentFile>,
    ) -> Result<(Active, Option<Cut>, bool)> {
        let number = header.number;
        let size = usize::try_from(header.bytes).map_err(|_| Error::Options("segment too large"))?;
        let mut bytes = vec![0; size];
        file.read_at(0, &mut bytes).map_err(|e| self.reading(number, e))?;
        let scan = Scan::run(&bytes, &header, |position, offset| table.note(number, position, offset));
        let (end, next) = (scan.end, scan.next);
        let dirty = bytes[end..].iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        if dirty > 0 && scan.proven_durable_after(&bytes, &header) {
            return Err(self.corrupt(number, end as u64, next, "a record is damaged"));
        }
        // After a kill or a failed flush the page cache may hold bytes the disk does not have, and count them
        // as clean. Only the last flush can be concerned: write it again before calling it durable.
        let secure = || {
            file.write_at(scan.last_flush as u64, &bytes[scan.last_flush..end])?;
            let zeros = vec![0; dirty.min(BLANK_CHECK)];
            for at in (0..dirty).step_by(BLANK_CHECK) {
                file.write_at((end + at) as u64, &zeros[..BLANK_CHECK.min(dirty - at)])?;
            }
            file.sync_data()
        };
        secure().map_err(|e| self.writing(number, e))?;
        table.advance(next, end as u64);
        let cut = (dirty > 0).then_some(Cut { segment: number, offset: end as u64, bytes: dirty as u64 });
        Ok((Active { file, header, offset: end as u64 }, cut, scan.marked))
    }

    /// Median time of a flush of zeros over the unused end of the segment; zero if there is no room.
    fn probe(&self, active: &Active) -> Result<std::time::Duration> {
        const BYTES: usize = 256;
        let mut times = Vec::new();
        let at = active.header.bytes.saturating_sub(BYTES as u64);
        if at < active.offset {
            return Ok(std::time::Duration::ZERO);
        }
        for _ in 0..self.options.probe_flushes {
            let watch = Stopwatch::start();
            let flushed = active.file.write_at(at, &[0; BYTES]).and_then(|()| active.file.sync_data());
            flushed.map_err(|e| self.writing(active.header.number, e))?;
            times.push(watch.elapsed());
        }
        times.sort_unstable();
        Ok(times.get(times.len() / 2).copied().unwrap_or_default())
    }

    fn reading(&self, number: u64, e: std::io::Error) -> Error {
        Error::io("reading", segment::path(self.dir, number), e)
    }

    fn writing(&self, number: u64, e: std::io::Error) -> Error {
        Error::io("writing", segment::path(self.dir, number), e)
    }

    fn corrupt(&self, segment: u64, offset: u64, position: u64, what: &'static str) -> Error {
        Error::Corrupt { name: self.options.name.clone(), segment, offset, position, what }
    }
}

/// The intact frames at the start of a segment.
#[derive(Debug)]
pub(crate) struct Scan {
    /// End of the last intact frame.
    pub end: usize,
    /// Position after the last intact record.
    next: u64,
    /// Where the flush began that wrote the last intact frame; the header if there is none.
    last_flush: usize,
    /// Whether the last intact frame is a mark, or there is none.
    marked: bool,
}

impl Scan {
    pub fn run(bytes: &[u8], header: &segment::Header, mut note: impl FnMut(u64, u64)) -> Self {
        let mut scan = Self { end: segment::HEADER, next: header.first, last_flush: 0, marked: true };
        let mut flush = None;
        while let Some(frame) = frame_at(bytes, scan.end, header.salt) {
            if frame.position != scan.next || frame.flush_at > scan.end as u64 {
                break;
            }
            if flush != Some(frame.flush_at) {
                flush = Some(frame.flush_at);
                scan.last_flush = scan.end;
            }
            note(scan.next, scan.end as u64);
            scan.end += frame::framed(frame.payload);
            scan.next += u64::from(frame.kind == Kind::Record);
            scan.marked = frame.kind == Kind::Mark;
        }
        scan
    }

    /// Whether an intact frame further on was written after the bytes at the end of this scan were durable.
    pub fn proven_durable_after(&self, bytes: &[u8], header: &segment::Header) -> bool {
        let flushes_after = |at: usize, h: &frame::Header| {
            h.flush_at > self.end as u64 && h.flush_at <= at as u64 && h.position >= self.next
        };
        (self.end + 8..bytes.len()).step_by(8).any(|at| {
            peek(bytes, at).is_some_and(|h| flushes_after(at, &h))
                && frame_at(bytes, at, header.salt).is_some()
        })
    }
}

fn peek(bytes: &[u8], at: usize) -> Option<frame::Header> {
    frame::Header::decode(bytes.get(at..at + frame::HEADER)?.try_into().ok()?)
}

fn frame_at(bytes: &[u8], at: usize, salt: u64) -> Option<frame::Header> {
    let header = peek(bytes, at)?;
    let payload = bytes.get(at + frame::HEADER..(at + frame::HEADER).checked_add(header.payload)?)?;
    header.verify(salt, payload).then_some(header)
}
