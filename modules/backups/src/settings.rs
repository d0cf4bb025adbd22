//! The section `[backup]`: where backups go, when, how long they stay, and how often a restore is drilled.

use std::path::PathBuf;

use base::config::{Config, ConfigError};
use serde::Deserialize;

use crate::schedule::{Schedule, TimeOfDay};

/// `[backup]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Directory of the backups; without it nothing is backed up by itself.
    pub directory: Option<PathBuf>,
    /// Times of day in Vietnam (`HH:MM`) at which a backup is made.
    pub times: Vec<String>,
    /// The newest backups that stay in any case.
    pub keep_last: u32,
    /// Days of which the newest backup stays.
    pub keep_daily: u32,
    /// Weeks (Monday to Sunday) of which the newest backup stays.
    pub keep_weekly: u32,
    /// Months of which the newest backup stays.
    pub keep_monthly: u32,
    /// Second directory, on another machine or disk, that gets a copy of every backup.
    pub copy_to: Option<PathBuf>,
    /// Minutes after its time within which a backup must be there before it counts as late.
    pub late_after_minutes: u32,
    /// Megabytes of the backups' disk that stay free.
    pub leave_free_mb: u64,
    /// Days between two drills of a restore; 0 for drills by hand only.
    pub drill_days: u32,
    /// Time of day in Vietnam (`HH:MM`) at which a drill begins.
    pub drill_time: String,
    /// Samples that each module proves in a drill.
    pub drill_samples: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            directory: None,
            times: vec!["01:30".into()],
            keep_last: 3,
            keep_daily: 7,
            keep_weekly: 5,
            keep_monthly: 12,
            copy_to: None,
            late_after_minutes: 120,
            leave_free_mb: 1024,
            drill_days: 30,
            drill_time: "03:30".into(),
            drill_samples: 20,
        }
    }
}

impl Settings {
    /// Reads and checks the section.
    ///
    /// # Errors
    /// Names what is wrong and the remedy.
    pub fn read(config: &Config) -> Result<Self, ConfigError> {
        let settings: Self = config.section("backup")?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.schedule()?;
        self.drill_at()?;
        if self.keep_last == 0 {
            return Err(wrong("keep_last", "is 0", "Keep at least the newest backup: keep_last = 1 or more"));
        }
        let both = self.directory.as_ref().zip(self.copy_to.as_ref());
        if both.is_some_and(|(one, other)| other.starts_with(one) || one.starts_with(other)) {
            let remedy = "Name a directory on another disk or machine, for example a mounted share";
            return Err(wrong("copy_to", "lies in the directory of the backups, or the reverse", remedy));
        }
        Ok(())
    }

    /// When backups are made.
    ///
    /// # Errors
    /// A time that is none.
    pub fn schedule(&self) -> Result<Schedule, ConfigError> {
        let times: Option<Vec<_>> = self.times.iter().map(|t| TimeOfDay::parse(t)).collect();
        let remedy = "Write times of day: times = [\"01:30\", \"13:30\"]";
        times.and_then(Schedule::new).ok_or_else(|| wrong("times", "is not a list of times of day", remedy))
    }

    /// When drills begin.
    ///
    /// # Errors
    /// A time that is none.
    pub fn drill_at(&self) -> Result<TimeOfDay, ConfigError> {
        let fault = || wrong("drill_time", "is not a time of day", "Write drill_time = \"03:30\"");
        TimeOfDay::parse(&self.drill_time).ok_or_else(fault)
    }

    /// Bytes that stay free.
    pub(crate) fn leave_free(&self) -> u64 {
        self.leave_free_mb.saturating_mul(1 << 20)
    }
}

fn wrong(key: &str, message: &str, remedy: &str) -> ConfigError {
    ConfigError {
        place: format!("[backup] {key}"),
        message: format!("`{key}` {message}"),
        remedy: remedy.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, ConfigError> {
        Settings::read(&Config::from_text(None, text.to_owned(), []).unwrap())
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_remedy() {
        assert!(read("").unwrap().directory.is_none());
        for wrong in [
            "times = []",
            "times = [\"25:00\"]",
            "drill_time = \"3\"",
            "keep_last = 0",
            "directory = \"/b\"\ncopy_to = \"/b/c\"",
            "directory = \"/b/c\"\ncopy_to = \"/b\"",
        ] {
            let e = read(&format!("[backup]\n{wrong}\n")).unwrap_err();
            assert!(e.place.starts_with("[backup]") && !e.remedy.is_empty(), "{wrong}: {e}");
        }
        assert!(read("[backup]\ndirectory = \"/b/c\"\ncopy_to = \"/b/d\"\n").is_ok());
    }
}
