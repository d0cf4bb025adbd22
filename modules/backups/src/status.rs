//! How backups and drills stand: what is due, what is late, what failed. The same for the loop, the page and the checks.

use std::time::Duration;

use base::clock::Timestamp;
use base::i18n::Text;
use kernel::{Error, Finding, Kernel, Result};

use crate::offsite::Far;
use crate::settings::Settings;
use crate::store::{self, Kind, Run};
use crate::t;

const BACKUP: &str = "backups.schedule";
const DRILL: &str = "backups.drill";
const OFFSITE: &str = "backups.offsite";

/// Checks that call for an act but keep nobody from being served: readiness leaves them out.
pub const ADVISORY: &[&str] = &[BACKUP, DRILL, OFFSITE];

const DAY: Duration = Duration::from_secs(86_400);

/// How it stands at a moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// The newest backup that went well.
    pub last_backup: Option<Run>,
    /// The newest run of a backup, however it went.
    pub last_try: Option<Run>,
    /// The newest drill that went well.
    pub last_good_drill: Option<Run>,
    /// The newest drill, however it went.
    pub last_drill: Option<Run>,
    /// When the next backup is due.
    pub next: Option<Timestamp>,
    /// Whether a backup should be made now.
    pub backup_due: bool,
    /// Since when a backup is late.
    pub late_since: Option<Timestamp>,
    /// Whether a drill should be made now.
    pub drill_due: bool,
    /// Whether the last good drill is too long ago, with a week of patience.
    pub drill_late: bool,
    /// The newest ended copying to the store, however it went.
    pub last_offsite: Option<Run>,
    /// When the newest backup was made that the store has.
    pub offsite_newest: Option<Timestamp>,
    /// Whether the store lacks the newest backup.
    pub offsite_due: bool,
    configured: bool,
}

impl Status {
    pub(crate) async fn of(k: &Kernel, settings: &Settings, far: bool) -> Result<Self> {
        let now = k.clock.now();
        let last_backup = store::newest_good(k, Kind::Backup).await?;
        let last_try = store::newest(k, Some(Kind::Backup), 1).await?.into_iter().next();
        let last_good_drill = store::newest_good(k, Kind::Drill).await?;
        let last_drill = store::newest(k, Some(Kind::Drill), 1).await?.into_iter().next();
        let configured = settings.directory.is_some();
        let schedule = settings.schedule().map_err(Error::internal)?;
        let due = schedule.last(now).filter(|_| configured);
        let open = due.filter(|due| last_backup.as_ref().is_none_or(|run| run.started_at < *due));
        let patience = Duration::from_secs(u64::from(settings.late_after_minutes) * 60);
        let every = DAY * settings.drill_days;
        let drill_at = crate::schedule::Schedule::new(vec![settings.drill_at().map_err(Error::internal)?]);
        let drill_moment = drill_at.and_then(|at| at.last(now));
        // The day of a drill is counted from its time of day, so that it does not wander.
        let drilled = |run: &Run, by: Duration| run.started_at.plus(by);
        let slack = Duration::from_secs(3_600);
        let drill_due = configured && settings.drill_days > 0 && last_backup.is_some() && {
            let last = last_drill.as_ref().map(|run| drilled(run, every.saturating_sub(slack)));
            last.is_none_or(|from| drill_moment.is_some_and(|at| at >= from))
        };
        let reference = last_good_drill.as_ref().or(last_drill.as_ref());
        let drill_late = configured
            && settings.drill_days > 0
            && reference.is_some_and(|run| now > drilled(run, every + DAY * 7));
        let last_offsite = if far { store::newest_ended(k, Kind::Offsite).await? } else { None };
        let good_offsite = if far { store::newest_good(k, Kind::Offsite).await? } else { None };
        // What was made after the last good copying began may not be there.
        let covered = |run: &Run| good_offsite.as_ref().is_some_and(|o| run.ended_at <= Some(o.started_at));
        let offsite_due = far && last_backup.as_ref().is_some_and(|run| !covered(run));
        Ok(Self {
            offsite_newest: good_offsite.and_then(|run| run.detail::<crate::Sent>().ok()?.newest),
            last_offsite,
            offsite_due,
            next: schedule.next(now).filter(|_| configured),
            backup_due: open.is_some(),
            late_since: open.filter(|due| now.since(*due) > patience),
            last_backup,
            last_try,
            last_good_drill,
            last_drill,
            drill_due,
            drill_late,
            configured,
        })
    }

    /// Why the last run of a backup failed or left something undone, if it did.
    pub fn failure(&self) -> Option<String> {
        let last = self.last_try.as_ref()?;
        let faults = || last.detail::<crate::Kept>().ok().map(|kept| kept.faults.join("; "));
        last.error().map(str::to_owned).or_else(faults).filter(|why| !why.is_empty())
    }

    /// The checks for the morning page; none where nothing is configured.
    pub(crate) fn findings(&self, settings: &Settings, far: Option<&Far>) -> Vec<Finding> {
        if !self.configured {
            return Vec::new();
        }
        let mut found = vec![self.schedule_finding()];
        if settings.drill_days > 0 || self.last_drill.is_some() {
            found.push(self.drill_finding());
        }
        if let Some(far) = far {
            found.push(self.offsite_finding(far.place()));
        }
        found
    }

    fn schedule_finding(&self) -> Finding {
        let failure = self.failure();
        let text = match (&failure, self.late_since) {
            (Some(why), _) => Text::both(|l| t::check_backup_failed(l, why)),
            (None, Some(since)) => Text::both(|l| t::check_backup_late(l, since.vn())),
            (None, None) => {
                let next = self.next.map_or_else(String::new, Timestamp::vn);
                Text::both(|l| t::check_backup_good(l, &next))
            }
        };
        let ok = failure.is_none() && self.late_since.is_none();
        Finding { check: BACKUP, title: Text::both(t::check_backup_title), ok, text }
    }

    /// Why the last copying to the store failed, if it did.
    pub fn offsite_failure(&self) -> Option<&str> {
        let why = self.last_offsite.as_ref().filter(|run| run.ok == Some(false)).and_then(Run::error)?;
        Some(why.trim_start_matches("internal fault: "))
    }

    fn offsite_finding(&self, place: &str) -> Finding {
        let ok = self.offsite_failure().is_none();
        let text = match (self.offsite_failure(), self.offsite_newest) {
            (Some(why), None) => {
                Text::both(|l| t::check_offsite_never(l, t::CheckOffsiteNever { place, why }))
            }
            (Some(why), Some(at)) => {
                let newest = at.vn();
                Text::both(|l| {
                    t::check_offsite_failed(l, t::CheckOffsiteFailed { newest: &newest, place, why })
                })
            }
            (None, None) => Text::both(|l| t::check_offsite_none(l, place)),
            (None, Some(at)) => {
                let newest = at.vn();
                Text::both(|l| t::check_offsite_good(l, t::CheckOffsiteGood { newest: &newest, place }))
            }
        };
        Finding { check: OFFSITE, title: Text::both(t::check_offsite_title), ok, text }
    }

    fn drill_finding(&self) -> Finding {
        let title = Text::both(t::check_drill_title);
        let finding = |ok: bool, text: Text| Finding { check: DRILL, title, ok, text };
        match &self.last_drill {
            None => finding(true, Text::both(t::check_drill_none)),
            Some(run) if run.ok == Some(false) => {
                let at = run.started_at.vn();
                finding(false, Text::both(|l| t::check_drill_failed(l, &at)))
            }
            Some(run) => {
                let at = run.started_at.vn();
                let late = self.drill_late;
                finding(
                    !late,
                    Text::both(
                        |l| if late { t::check_drill_late(l, &at) } else { t::check_drill_good(l, &at) },
                    ),
                )
            }
        }
    }
}
