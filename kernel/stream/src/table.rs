//! Which segments there are and where positions lie in them. Memory only: rebuilt when a stream is opened.

use std::collections::VecDeque;

use crate::segment;

/// Distance in bytes between remembered places in a segment.
pub(crate) const STEP: u64 = 256 << 10;
/// Remembered places kept at most (16 bytes each).
const MOST_STEPS: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Segment {
    pub header: segment::Header,
    /// Places of some frames: (position, offset), increasing.
    steps: Vec<(u64, u64)>,
}

/// Where to begin reading, and how far the segment may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub number: u64,
    pub salt: u64,
    /// A frame (or mark) at or before the wanted record.
    pub position: u64,
    pub offset: u64,
    /// Records below this position lie in this segment or an earlier one.
    pub last: u64,
    /// No durable byte lies at or after this offset.
    pub limit: u64,
}

/// The segments of one stream.
#[derive(Debug)]
pub(crate) struct Table {
    segments: VecDeque<Segment>,
    /// Positions below this are durable.
    pub next: u64,
    /// End of the durable bytes in the last segment.
    pub end: u64,
    steps: usize,
}

impl Table {
    pub fn new() -> Self {
        Self { segments: VecDeque::new(), next: 0, end: 0, steps: 0 }
    }

    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// The oldest position kept.
    pub fn first(&self) -> u64 {
        self.segments.front().map_or(self.next, |s| s.header.first)
    }

    /// Takes a new last segment, empty so far.
    pub fn push(&mut self, header: segment::Header) {
        self.next = header.first;
        self.end = segment::HEADER as u64;
        self.segments.push_back(Segment { header, steps: Vec::new() });
    }

    /// Everything before `next` and `end` is durable.
    pub fn advance(&mut self, next: u64, end: u64) {
        self.next = next;
        self.end = end;
    }

    /// Remembers that the frame of `position` begins at `offset`, if the last remembered place is far away.
    pub fn note(&mut self, number: u64, position: u64, offset: u64) {
        let Some(i) = self.index(number) else { return };
        let segment = &mut self.segments[i];
        let last = segment.steps.last().map_or(segment::HEADER as u64, |s| s.1);
        if offset < last + STEP {
            return;
        }
        segment.steps.push((position, offset));
        self.steps += 1;
        if self.steps > MOST_STEPS
            && let Some(oldest) = self.segments.iter_mut().find(|s| !s.steps.is_empty())
        {
            self.steps -= std::mem::take(&mut oldest.steps).len();
        }
    }

    /// The segments, oldest first.
    pub fn list(&self) -> Vec<crate::SegmentInfo> {
        let nexts = self.segments.iter().skip(1).map(|s| s.header.first).chain([self.next]);
        let pairs = self.segments.iter().zip(nexts);
        pairs
            .map(|(s, next)| crate::SegmentInfo { first: s.header.first, next, bytes: s.header.bytes })
            .collect()
    }

    /// Where the record at `position` is to be looked for; `None` before the first or at the end.
    pub fn locate(&self, position: u64) -> Option<Place> {
        if position >= self.next || position < self.first() {
            return None;
        }
        let after = self.segments.partition_point(|s| s.header.first <= position);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let (last, limit) = match self.segments.get(after) {
            Some(following) => (following.header.first, segment.header.bytes),
            None => (self.next, self.end),
        };
        let step = segment.steps.partition_point(|s| s.0 <= position);
        let (position, offset) = match step.checked_sub(1) {
            Some(i) => segment.steps[i],
            None => (segment.header.first, segment::HEADER as u64),
        };
        Some(Place {
            number: segment.header.number,
            salt: segment.header.salt,
            position,
            offset,
            last,
            limit,
        })
    }

    /// Drops the oldest segment if every position in it is below `before`; never the last.
    pub fn pop_front(&mut self, before: u64) -> Option<u64> {
        if self.segments.get(1)?.header.first > before {
            return None;
        }
        let gone = self.segments.pop_front()?;
        self.steps -= gone.steps.len();
        Some(gone.header.number)
    }

    fn index(&self, number: u64) -> Option<usize> {
        let i = usize::try_from(number.checked_sub(self.segments.front()?.header.number)?).ok()?;
        (i < self.segments.len()).then_some(i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(number: u64, first: u64) -> segment::Header {
        segment::Header { stream: 0, number, first, salt: number, bytes: 1 << 20 }
    }

    #[test]
    fn positions_are_found_in_the_right_segment() {
        let mut table = Table::new();
        assert_eq!(table.locate(0), None);
        table.push(header(4, 100));
        table.advance(150, 5_000);
        table.push(header(5, 150));
        table.push(header(6, 150));
        table.advance(170, 9_000);
        assert_eq!((table.first(), table.len()), (100, 3));
        assert_eq!(table.locate(99), None);
        assert_eq!(table.locate(170), None);
        let old = table.locate(149).unwrap();
        assert_eq!((old.number, old.last, old.limit), (4, 150, 1 << 20));
        let active = table.locate(150).unwrap();
        assert_eq!((active.number, active.last, active.limit), (6, 170, 9_000), "segment 5 stayed empty");
    }

    #[test]
    fn remembered_places_shorten_the_way() {
        let mut table = Table::new();
        table.push(header(0, 0));
        table.advance(1_000, 1 << 20);
        table.note(0, 10, 100);
        table.note(0, 300, STEP + 64);
        table.note(0, 301, STEP + 128);
        table.note(0, 700, 2 * STEP + 64);
        table.note(9, 700, 2 * STEP);
        let offset = |p| table.locate(p).unwrap().offset;
        assert_eq!(
            (offset(299), offset(300), offset(699), offset(999)),
            (64, STEP + 64, STEP + 64, 2 * STEP + 64)
        );
    }

    #[test]
    fn only_whole_old_segments_go() {
        let mut table = Table::new();
        table.push(header(0, 0));
        table.push(header(1, 10));
        table.push(header(2, 20));
        table.advance(25, 500);
        assert_eq!(table.pop_front(9), None);
        assert_eq!(table.pop_front(10), Some(0));
        assert_eq!(table.pop_front(u64::MAX), Some(1));
        assert_eq!(table.pop_front(u64::MAX), None, "the last one stays");
        assert_eq!(table.first(), 20);
    }
}
