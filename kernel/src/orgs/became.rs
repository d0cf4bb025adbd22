//! What became of a unit: its later versions, what it passed into, and whether that is one unit or several.

use std::collections::HashSet;

use base::clock::Date;
use base::error::Result;

use super::ask::Ask;
use super::model::{Succession, Version};
use super::{Orgs, UnitId};

/// Acts followed one after another; guards against a circle.
const STEPS: usize = 32;

/// One succession on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The succession.
    pub succession: Succession,
    /// The predecessor on its last day.
    pub from: Option<Version>,
    /// The successor on its first day.
    pub into: Option<Version>,
}

/// The unit asked for, and everything it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Became {
    /// The unit on the day asked for.
    pub asked: Version,
    /// The units above it on that day, nearest first.
    pub above: Vec<Version>,
    /// Later versions of the same unit: another name, type or parent.
    pub later: Vec<Version>,
    /// Successions, in order of time.
    pub steps: Vec<Step>,
    /// The units directly below it, where it ended without a successor of its own (a district) and they were followed
    /// instead.
    pub through: Vec<Version>,
    /// What exists at the end of the period.
    pub now: Vec<Version>,
}

impl Became {
    /// Whether one cannot say of a place in the unit, without more knowledge, in which unit it lies afterwards.
    pub fn ambiguous(&self) -> bool {
        self.now.len() > 1
    }
}

impl<Q: Ask> Orgs<Q> {
    /// The unit that has a code on a day, and everything it became up to another day; `None` when no unit has the code
    /// on that day.
    pub async fn what_became(&mut self, code: &str, on: Date, until: Date) -> Result<Option<Became>> {
        match self.by_code(code, on).await? {
            Some(asked) => self.became(asked, on, until).await.map(Some),
            None => Ok(None),
        }
    }

    /// As [`Orgs::what_became`], of a unit already found on a day.
    pub async fn became(&mut self, asked: Version, on: Date, until: Date) -> Result<Became> {
        let above = self.ancestors(asked.unit, on).await?;
        let later = self.history(asked.unit).await?;
        let last_day = later.last().and_then(|v| v.valid_to).and_then(|end| end.plus_days(-1));
        let later: Vec<_> =
            later.into_iter().filter(|v| v.valid_from > asked.valid_from && v.valid_from <= until).collect();
        let mut steps = self.follow(&[asked.unit], on, until).await?;
        let mut through = Vec::new();
        if let (true, Some(last_day)) = (steps.is_empty(), last_day.filter(|day| *day < until)) {
            through = self.children(asked.unit, last_day).await?;
            let units: Vec<UnitId> = through.iter().map(|v| v.unit).collect();
            steps = self.follow(&units, on, until).await?;
        }
        let mut ends: Vec<UnitId> = steps.iter().map(|s| s.succession.successor).collect();
        ends.push(asked.unit);
        ends.extend(through.iter().map(|v| v.unit));
        ends.sort();
        ends.dedup();
        let now = self.versions_at(&ends, until).await?;
        Ok(Became { asked, above, later, steps, through, now })
    }

    /// Successions out of the units, and out of what they became, after one day and up to another.
    async fn follow(&mut self, units: &[UnitId], after: Date, until: Date) -> Result<Vec<Step>> {
        let mut seen: HashSet<UnitId> = units.iter().copied().collect();
        let mut open = units.to_vec();
        let mut steps = Vec::new();
        for _ in 0..STEPS {
            let found = self.successors_of(&open).await?;
            let found: Vec<_> = found.into_iter().filter(|s| s.on > after && s.on <= until).collect();
            open = found.iter().map(|s| s.successor).filter(|u| seen.insert(*u)).collect();
            for step in self.with_versions(found).await? {
                steps.push(step);
            }
            if open.is_empty() {
                break;
            }
        }
        steps.sort_by_key(|s| s.succession.on);
        Ok(steps)
    }

    /// Adds the names: predecessors on their last day, successors on their first.
    pub async fn with_versions(&mut self, found: Vec<Succession>) -> Result<Vec<Step>> {
        let mut days: Vec<Date> = found.iter().map(|s| s.on).collect();
        days.sort();
        days.dedup();
        let mut steps = Vec::with_capacity(found.len());
        for on in days {
            let here: Vec<&Succession> = found.iter().filter(|s| s.on == on).collect();
            let before = on.plus_days(-1).unwrap_or(on);
            let from = unique(here.iter().map(|s| s.predecessor));
            let into = unique(here.iter().map(|s| s.successor));
            let from = self.versions_at(&from, before).await?;
            let into = self.versions_at(&into, on).await?;
            let pick = |among: &[Version], unit| among.iter().find(|v| v.unit == unit).cloned();
            steps.extend(here.into_iter().map(|s| Step {
                succession: s.clone(),
                from: pick(&from, s.predecessor),
                into: pick(&into, s.successor),
            }));
        }
        Ok(steps)
    }
}

fn unique(units: impl Iterator<Item = UnitId>) -> Vec<UnitId> {
    let mut units: Vec<_> = units.collect();
    units.sort();
    units.dedup();
    units
}
