//! Stored bytes that change, and files that vanish: found, never taken for a torn tail.

use stream::{Error, Options, Stream};

use crate::{Place, options, payload};

/// A stream of three segments, cleanly closed, and the bytes of each segment.
fn filled() -> (Place, Vec<Vec<u8>>) {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..70 {
        stream.append_blocking(payload(i, 64)).unwrap();
    }
    drop(stream);
    let read = |n| std::fs::read(place.segment(n)).unwrap();
    let all: Vec<_> = (0..3).map(read).collect();
    assert_eq!(&all[2][..8], b"LTSTREAM", "three segments are in use");
    (place, all)
}

/// Opening or reading everything fails with `Corrupt`.
fn damage_is_found(place: &Place, options: Options) -> bool {
    match place.open_with(options) {
        Err(Error::Corrupt { .. }) => true,
        Err(other) => panic!("{other}"),
        Ok((stream, recovered)) => {
            let found = stream.read(recovered.first).any(|r| matches!(r, Err(Error::Corrupt { .. })));
            found || {
                assert_eq!((recovered.first, recovered.next), (0, 70), "silently shortened");
                false
            }
        }
    }
}

fn frames_end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|b| *b != 0).unwrap() + 1
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let (place, segments) = filled();
    for (number, whole) in segments.iter().enumerate() {
        for at in (0..frames_end(whole)).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(place.segment(number as u64), &bytes).unwrap();
            // Only the mark at the very end has no later witness, and no record depends on it.
            let in_last_mark = number == 2 && at >= frames_end(whole).next_multiple_of(8) - 24;
            assert!(damage_is_found(&place, options()) || in_last_mark, "segment {number}, byte {at}");
            std::fs::write(place.segment(number as u64), whole).unwrap();
        }
    }
    assert!(!damage_is_found(&place, options()), "restored");
}

#[test]
fn lost_sectors_are_found() {
    let (place, segments) = filled();
    for (number, whole) in segments.iter().enumerate() {
        for sector in 0..frames_end(whole) / 512 {
            let mut bytes = whole.clone();
            bytes[sector * 512..(sector + 1) * 512].fill(0);
            std::fs::write(place.segment(number as u64), &bytes).unwrap();
            assert!(damage_is_found(&place, options()), "segment {number}, sector {sector}");
            std::fs::write(place.segment(number as u64), whole).unwrap();
        }
    }
}

#[test]
fn missing_shortened_and_foreign_segments_are_found() {
    let (place, segments) = filled();
    let path = |n: u64| place.segment(n);
    let attempt = |what: &str| {
        let result = open_real(&place);
        assert!(matches!(result, Err(Error::Corrupt { .. })), "{what}: {result:?}");
    };
    std::fs::remove_file(path(1)).unwrap();
    attempt("missing in the middle");
    std::fs::write(path(1), &segments[1][..2_048]).unwrap();
    attempt("shortened");
    std::fs::write(path(1), &segments[2]).unwrap();
    attempt("another segment's bytes");
    std::fs::write(path(1), vec![0; 4_096]).unwrap();
    attempt("zeros where a later segment is in use");
    std::fs::write(path(1), &segments[1]).unwrap();
    std::fs::write(path(2), []).unwrap();
    attempt("emptied");
    std::fs::write(path(2), &segments[2]).unwrap();
    assert!(open_real(&place).is_ok());
    for n in 0..2 {
        std::fs::remove_file(path(n)).unwrap();
    }
    let mut headless = segments[2].clone();
    headless[..64].fill(0);
    std::fs::write(path(2), &headless).unwrap();
    attempt("a lone segment without its header");
}

fn open_real(place: &Place) -> stream::Result<()> {
    Stream::open(std::sync::Arc::new(stream::RealDisk), place.dir(), options()).map(drop)
}

#[test]
fn an_idle_stream_proves_its_last_flush() {
    let place = Place::new(1);
    let mut options = options();
    options.mark_after = std::time::Duration::from_millis(5);
    let (stream, _) = place.open_with(options).unwrap();
    stream.append_blocking(payload(0, 64)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    let killed = place.disk.kill();
    drop(stream);
    drop(killed);
    let mut bytes = std::fs::read(place.segment(0)).unwrap();
    bytes[64 + 40] ^= 4;
    std::fs::write(place.segment(0), &bytes).unwrap();
    let result = open_real(&place);
    assert!(matches!(result, Err(Error::Corrupt { position: 0, .. })), "{result:?}");
}

#[test]
fn payloads_that_imitate_frames_are_not_taken_for_witnesses() {
    let mut place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    stream.append_blocking(payload(0, 64)).unwrap();
    // Somebody learned how frames look and sends one, claiming a later flush; the salt is not theirs.
    let stolen = std::fs::read(place.segment(0)).unwrap()[64..64 + 96].to_vec();
    let mut frame = stolen.clone();
    frame[16..20].copy_from_slice(&600u32.to_le_bytes());
    frame[8..16].copy_from_slice(&9u64.to_le_bytes());
    let crc = crc32_without_salt(&frame);
    frame[..4].copy_from_slice(&crc.to_le_bytes());
    let nasty: Vec<u8> = frame.iter().copied().cycle().take(96 * 6).collect();
    stream.append_blocking(nasty.into()).unwrap();
    place.disk = place.disk.kill();
    drop(stream);
    let mut bytes = std::fs::read(place.segment(0)).unwrap();
    bytes[64 + 96..64 + 96 + 24].fill(0);
    std::fs::write(place.segment(0), &bytes).unwrap();
    let (_stream, recovered) = place.open().expect("a torn tail, not damage");
    assert_eq!(recovered.next, 1);
}

fn crc32_without_salt(frame: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in &frame[4..] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
