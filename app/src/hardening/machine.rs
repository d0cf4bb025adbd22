//! The machine below: its clock, its disk, its memory, its backups as they lie there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use kernel::i18n::Text;

use super::Line;
use crate::settings::Settings;
use crate::t;

pub(super) fn lines(settings: &Settings) -> Vec<Line> {
    vec![clock(), disk(settings), swap(), backups(settings), key_elsewhere(settings)]
}

fn clock() -> Line {
    let (check, title): (_, super::Say) = ("machine.clock", t::h_clock_title);
    match synchronised() {
        Some(true) => Line::passed(check, title, Text::both(t::h_clock_good)),
        Some(false) => Line::failed(check, title, Text::both(t::h_clock_bad), t::h_clock_remedy),
        None => Line::unknown(check, title, Text::both(t::h_clock_unknown), t::h_clock_remedy),
    }
}

fn synchronised() -> Option<bool> {
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Some(true);
    }
    let told =
        Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output().ok()?;
    match String::from_utf8_lossy(&told.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn disk(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("machine.disk", t::h_disk_title);
    let dir = settings.data().display();
    match encrypted(settings.data(), Path::new("/sys")) {
        Some(true) => Line::passed(check, title, Text::both(|l| t::h_disk_good(l, &dir))),
        Some(false) => {
            let why = Text::both(|l| t::h_disk_bad(l, &dir));
            Line::failed(check, title, why, t::h_disk_remedy)
        }
        None => {
            let why = Text::both(|l| t::h_disk_unknown(l, &dir));
            Line::unknown(check, title, why, t::h_disk_remedy)
        }
    }
}

/// Whether the disk below a directory is encrypted by this machine; `None` where the kernel does not say.
fn encrypted(dir: &Path, sys: &Path) -> Option<bool> {
    let device = fs::metadata(dir).ok()?.dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let block = sys.join(format!("dev/block/{major}:{minor}"));
    block.exists().then(|| crypt(&block, 0))
}

/// A device of dm-crypt, or one that stands on such a device alone.
fn crypt(block: &Path, depth: u8) -> bool {
    if fs::read_to_string(block.join("dm/uuid")).is_ok_and(|id| id.starts_with("CRYPT-")) {
        return true;
    }
    let below: Vec<PathBuf> =
        fs::read_dir(block.join("slaves")).into_iter().flatten().flatten().map(|e| e.path()).collect();
    depth < 8 && !below.is_empty() && below.iter().all(|one| crypt(one, depth + 1))
}

fn swap() -> Line {
    let (check, title): (_, super::Say) = ("machine.swap", t::h_swap_title);
    let table = fs::read_to_string("/proc/swaps").unwrap_or_default();
    let plain: Vec<_> = table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let plain: Vec<_> = plain.into_iter().filter(|device| !is_crypt(device)).collect();
    match plain.is_empty() {
        true => Line::passed(check, title, Text::both(t::h_swap_good)),
        false => {
            let why = Text::both(|l| t::h_swap_bad(l, plain.join(", ")));
            Line::unknown(check, title, why, t::h_swap_remedy)
        }
    }
}

fn is_crypt(device: &str) -> bool {
    device.contains("/zram") || {
        let real = fs::canonicalize(device).unwrap_or_default();
        let name = real.file_name().unwrap_or_default().to_owned();
        crypt(&Path::new("/sys/class/block").join(name), 0)
    }
}

fn backups(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("backups.scheduled", t::h_backups_title);
    let section: backups::Settings = settings.config.section("backup").unwrap_or_default();
    let Some(dir) = section.directory else {
        return Line::failed(check, title, Text::both(t::h_backups_none), t::h_backups_remedy);
    };
    let disk = |path: &Path| fs::metadata(path).ok().map(|m| m.dev());
    let (at, times) = (dir.display(), section.times.join(", "));
    if disk(&dir).is_some() && disk(&dir) == disk(settings.data()) && section.copy_to.is_none() {
        let why = Text::both(|l| t::h_backups_same_disk(l, t::HBackupsSameDisk { dir: &at, times: &times }));
        return Line::unknown(check, title, why, t::h_backups_same_disk_remedy);
    }
    let why = Text::both(|l| t::h_backups_good(l, t::HBackupsGood { dir: &at, times: &times }));
    Line::passed(check, title, why)
}

fn key_elsewhere(settings: &Settings) -> Line {
    let why = Text::both(|l| t::h_key_copy(l, settings.master_key().display()));
    Line::unknown("keys.copy", t::h_key_copy_title, why, t::h_key_copy_remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_encrypted_when_all_below_it_is() {
        let sys = tempfile::tempdir().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let device = fs::metadata(dir.path()).unwrap().dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let block = sys.path().join(format!("dev/block/{major}:{minor}"));
        assert_eq!(encrypted(dir.path(), sys.path()), None);
        fs::create_dir_all(block.join("slaves")).unwrap();
        assert_eq!(encrypted(dir.path(), sys.path()), Some(false), "a plain partition");
        for (name, id) in [("one", "CRYPT-LUKS2-1"), ("two", "LVM-2")] {
            fs::create_dir_all(block.join("slaves").join(name).join("dm")).unwrap();
            fs::write(block.join("slaves").join(name).join("dm/uuid"), id).unwrap();
        }
        assert_eq!(encrypted(dir.path(), sys.path()), Some(false), "one of two is not");
        fs::write(block.join("slaves/two/dm/uuid"), "CRYPT-LUKS2-2").unwrap();
        assert_eq!(encrypted(dir.path(), sys.path()), Some(true));
    }
}
