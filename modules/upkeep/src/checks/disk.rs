//! Is there room where the data lives? A full disk stops calls: what is not durable is not acknowledged.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use base::i18n::Text;
use kernel::{Error, Kernel};

use super::impossible;
use crate::check::{Check, State};
use crate::t;

pub(super) const NAME: &str = "kernel.disk";
const GIB: u64 = 1 << 30;

/// Room on the disk of the data directory.
#[derive(Debug, Clone, Copy)]
struct Room {
    free: u64,
    total: u64,
}

impl Room {
    /// Less than 1 GiB or 2 % is nearly full; less than 5 GiB or, below 50 GiB, less than a tenth is little.
    fn state(self) -> State {
        let share = |percent: u64| self.free < self.total / 100 * percent;
        if self.free < GIB || share(2) {
            State::Bad
        } else if self.free < 5 * GIB || (self.free < 50 * GIB && share(10)) {
            State::Warning
        } else {
            State::Good
        }
    }
}

/// Bytes written to see whether anything can be written.
const PROBE: [u8; 4096] = [0x5a; 4096];
const PROBE_NAME: &str = ".upkeep-probe";

/// Writes a little, makes it durable and takes it away: room alone does not say that anything can be written.
fn write(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(PROBE_NAME);
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&PROBE)?;
        file.sync_data()
    });
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

pub(super) async fn check(k: &Kernel) -> Check {
    let title = Text::both(t::title_disk);
    let dir = k.data_dir.clone();
    let written = tokio::task::spawn_blocking(move || write(&dir)).await;
    if let Err(e) = written.map_err(std::io::Error::other).and_then(|w| w) {
        let text = Text::both(|l| t::disk_refuses(l, t::DiskRefuses { dir: k.data_dir.display(), why: &e }));
        return Check::wrong(NAME, title, State::Bad, text, Text::both(t::todo_disk));
    }
    let room = match rustix::fs::statvfs(&k.data_dir) {
        Ok(s) => {
            Room { free: s.f_bavail.saturating_mul(s.f_frsize), total: s.f_blocks.saturating_mul(s.f_frsize) }
        }
        Err(e) => return impossible(NAME, title, &Error::internal(e)),
    };
    let text = Text::both(|l| {
        let (free, total) = (web::fmt::bytes(l, room.free), web::fmt::bytes(l, room.total));
        t::disk_room(l, t::DiskRoom { dir: k.data_dir.display(), free, total })
    });
    match room.state() {
        State::Good => Check::good(NAME, title, text),
        state => Check::wrong(NAME, title, state, text, Text::both(t::todo_disk)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_told_before_none_is_left() {
        let state = |free, total| Room { free: free * GIB, total: total * GIB }.state();
        assert_eq!(state(100, 200), State::Good);
        assert_eq!(state(60, 2_000), State::Good, "plenty, though a small share");
        assert_eq!(state(30, 2_000), State::Bad, "less than 2 %");
        assert_eq!(state(45, 500), State::Warning);
        assert_eq!(state(4, 20), State::Warning);
        assert_eq!(Room { free: GIB - 1, total: 20 * GIB }.state(), State::Bad);
    }
}
