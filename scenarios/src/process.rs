//! What the kernel says about a running process: processor time, memory, children. Linux only.

use std::fs;

use anyhow::{Context, Result};

/// Processor time of a process and of all its descendants, seconds of one core.
///
/// # Errors
/// When the process does not exist.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut ticks = own_ticks(pid)?;
    for child in descendants(pid)? {
        ticks += own_ticks(child).unwrap_or(0);
    }
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Resident memory now, bytes.
///
/// # Errors
/// When the process does not exist.
pub fn resident(pid: u32) -> Result<u64> {
    status(pid, "VmRSS:")
}

/// The largest resident memory since [`reset_peak`], bytes.
///
/// # Errors
/// When the process does not exist.
pub fn peak_resident(pid: u32) -> Result<u64> {
    status(pid, "VmHWM:")
}

/// Begins a new measurement of the peak.
///
/// # Errors
/// When this process may not write the other's `clear_refs`.
pub fn reset_peak(pid: u32) -> Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("the peak of memory cannot be reset")
}

/// Busy, stolen and all ticks of one core since boot.
#[derive(Debug, Clone, Copy)]
pub struct CoreTicks {
    /// Ticks not idle, without the stolen ones.
    pub busy: u64,
    /// Of these, ticks of processes: without interrupts.
    pub processes: u64,
    /// Ticks the host took away.
    pub stolen: u64,
    /// All ticks.
    pub all: u64,
}

/// The ticks of core `core`.
///
/// # Errors
/// When there is no such core.
pub fn core_ticks(core: usize) -> Result<CoreTicks> {
    let stat = fs::read_to_string("/proc/stat")?;
    parse_core(&stat, core).with_context(|| format!("/proc/stat knows no core {core}"))
}

fn parse_core(stat: &str, core: usize) -> Option<CoreTicks> {
    let name = format!("cpu{core} ");
    let line = stat.lines().find(|l| l.starts_with(&name))?;
    // user nice system idle iowait irq softirq steal (proc(5)); guest time is part of user already
    let n: Vec<u64> = line.split_whitespace().skip(1).take(8).filter_map(|n| n.parse().ok()).collect();
    let all = n.iter().sum();
    let (idle, stolen) = (n.get(3)? + n.get(4)?, *n.get(7)?);
    let processes = n.iter().take(3).sum();
    Some(CoreTicks { busy: all - idle - stolen, processes, stolen, all })
}

fn own_ticks(pid: u32) -> Result<u64> {
    let stat =
        fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("no process {pid}"))?;
    parse_ticks(&stat).with_context(|| format!("/proc/{pid}/stat is not readable"))
}

/// Fields 14 and 15 of proc(5); the name in parentheses may itself contain spaces and parentheses.
fn parse_ticks(stat: &str) -> Option<u64> {
    let after = stat.rsplit_once(')')?.1;
    let mut fields = after.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn parse_parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn descendants(pid: u32) -> Result<Vec<u32>> {
    let mut pairs = vec![];
    for entry in fs::read_dir("/proc")? {
        let Ok(child) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        if let Some(parent) = parse_parent(&stat) {
            pairs.push((parent, child));
        }
    }
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(pairs.iter().filter(|(p, _)| *p == parent).map(|(_, c)| *c));
        at += 1;
    }
    found.remove(0);
    Ok(found)
}

fn status(pid: u32, field: &str) -> Result<u64> {
    let text =
        fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("no process {pid}"))?;
    let line = text.lines().find_map(|l| l.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses_do_not_confuse() {
        let stat = "42 (a) b (c)) S 7 1 1 0 -1 4194304 1 2 3 4 500 60 0 0 20 0 1 0 100 1 1";
        assert_eq!(parse_ticks(stat), Some(560));
        assert_eq!(parse_parent(stat), Some(7));
        assert_eq!(parse_ticks("nonsense"), None);
    }

    #[test]
    fn cores_are_read_apart() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 0 5 80 5 0 0 0 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n";
        let ticks = parse_core(stat, 0).unwrap();
        assert_eq!((ticks.busy, ticks.stolen, ticks.all), (15, 0, 100));
        assert_eq!(parse_core(stat, 1).unwrap().stolen, 1);
        assert!(parse_core(stat, 2).is_none());
    }

    #[test]
    fn this_process_has_a_size_and_has_worked() {
        let me = std::process::id();
        assert!(resident(me).unwrap() > 100_000);
        assert!(peak_resident(me).unwrap() >= resident(me).unwrap() / 2);
        assert!(cpu_seconds(me).unwrap() >= 0.0);
        assert!(cpu_seconds(u32::MAX).is_err());
    }
}
