//! Compares a history with what is stored and says what must be written. Reads and writes nothing itself.

use std::collections::{HashMap, HashSet};

use adminunits::{History, LinkKind};
use base::clock::{Date, Timestamp};
use base::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::stored::Stored;
use crate::db::Value;
use crate::kernel::Kernel;
use crate::orgs::UnitId;
use crate::orgs::kind::{Kind, Tree};
use crate::orgs::model::{Act, Certainty, Details, Succession, SuccessionKind, Version};
use crate::orgs::store::version_values;
use crate::params;

/// How many differences are told one by one.
const TOLD: usize = 200;

/// What an import changed, or would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Units that were not known.
    pub units_added: usize,
    /// Versions that were not known.
    pub versions_added: usize,
    /// Versions replaced by corrected ones; the old ones stay readable as what was believed.
    pub versions_corrected: usize,
    /// Versions that no list has any more.
    pub versions_withdrawn: usize,
    /// Versions that are the same.
    pub versions_same: usize,
    /// Successions that were not known.
    pub successions_added: usize,
    /// Successions that changed.
    pub successions_corrected: usize,
    /// Successions that are the same.
    pub successions_same: usize,
    /// Stored units and successions that no list has; they are left as they are.
    pub absent: usize,
    /// Acts added or changed.
    pub acts_written: usize,
    /// The first differences, one by one.
    pub differences: Vec<Difference>,
}

/// One difference in a unit that was already known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its code.
    pub code: String,
    /// Its full name.
    pub name: String,
    /// First day of the version.
    pub valid_from: Date,
    /// What differs: `name`, `type`, `period`, `parent`, `act`, `certainty`, `details`, `added`, `withdrawn`.
    pub what: String,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

impl Outcome {
    /// Whether anything changes.
    pub fn changes_anything(&self) -> bool {
        self.units_added
            + self.versions_added
            + self.versions_corrected
            + self.versions_withdrawn
            + self.successions_added
            + self.successions_corrected
            + self.acts_written
            > 0
    }
}

/// Rows to write, in order.
pub(super) struct Plan {
    pub(super) at: Timestamp,
    pub(super) outcome: Outcome,
    /// Unit and first day of versions no longer believed.
    pub(super) supersede: Vec<Vec<Value>>,
    pub(super) units: Vec<Vec<Value>>,
    pub(super) versions: Vec<Vec<Value>>,
    pub(super) links: Vec<Vec<Value>>,
    pub(super) acts: Vec<Vec<Value>>,
}

pub(super) fn plan(k: &Kernel, history: &History, stored: &Stored) -> Result<Plan> {
    let at = k.clock.now();
    let outcome = Outcome::default();
    let (supersede, units, versions) = (Vec::new(), Vec::new(), Vec::new());
    let mut plan = Plan { at, outcome, supersede, units, versions, links: Vec::new(), acts: Vec::new() };
    let mut ids = Vec::with_capacity(history.units.len());
    for unit in &history.units {
        let known = stored.units.get(&unit.key).copied();
        let id = known.unwrap_or_else(|| UnitId::new(&*k.clock, &*k.random));
        if known.is_none() {
            plan.units.push(params![id, Tree::Territory.key(), &unit.key, at]);
        }
        ids.push(id);
    }
    plan.outcome.units_added = plan.units.len();
    for (unit, id) in history.units.iter().zip(&ids) {
        let wanted = unit.versions.iter().map(|v| wanted(v, *id, &ids, at)).collect::<Result<Vec<_>>>()?;
        let known = stored.versions.get(id).map_or(&[][..], Vec::as_slice);
        plan.compare(known, wanted, stored.units.contains_key(&unit.key))?;
    }
    plan.withdraw_absent(history, stored, &ids)?;
    plan.compare_links(history, stored, &ids)?;
    plan.compare_acts(history, stored)?;
    Ok(plan)
}

impl Plan {
    fn compare(&mut self, known: &[Version], wanted: Vec<Version>, tell: bool) -> Result<()> {
        for version in &wanted {
            match known.iter().find(|k| k.valid_from == version.valid_from) {
                Some(k) if same(k, version) => self.outcome.versions_same += 1,
                Some(k) => {
                    self.outcome.versions_corrected += 1;
                    self.tell_corrections(k, version);
                    self.supersede.push(params![k.unit, k.valid_from]);
                    self.versions.push(version_values(version)?);
                }
                None => {
                    self.outcome.versions_added += 1;
                    if tell {
                        self.tell(version, "added", String::new(), version.full_name.clone());
                    }
                    self.versions.push(version_values(version)?);
                }
            }
        }
        for gone in known.iter().filter(|k| wanted.iter().all(|w| w.valid_from != k.valid_from)) {
            self.withdraw(gone);
        }
        Ok(())
    }

    fn withdraw(&mut self, gone: &Version) {
        self.outcome.versions_withdrawn += 1;
        self.tell(gone, "withdrawn", gone.full_name.clone(), String::new());
        self.supersede.push(params![gone.unit, gone.valid_from]);
    }

    /// Stored units that the lists do not have stay, unless one has a code that a listed unit has at the same time.
    fn withdraw_absent(&mut self, history: &History, stored: &Stored, ids: &[UnitId]) -> Result<()> {
        let listed: HashSet<UnitId> = ids.iter().copied().collect();
        let mut codes: HashMap<&str, Vec<(Date, Option<Date>)>> = HashMap::new();
        for version in history.units.iter().flat_map(|u| &u.versions) {
            let period = (date(version.valid_from)?, opt_date(version.valid_to)?);
            codes.entry(version.code.as_str()).or_default().push(period);
        }
        for (unit, versions) in stored.versions.iter().filter(|(unit, _)| !listed.contains(unit)) {
            let clash = versions.iter().any(|v| {
                let taken = v.code.as_deref().and_then(|c| codes.get(c));
                taken.is_some_and(|periods| periods.iter().any(|p| overlap(v, *p)))
            });
            if clash {
                versions.iter().for_each(|v| self.withdraw(v));
            } else {
                self.outcome.absent += 1;
                tracing::debug!(%unit, "stored territory in no list");
            }
        }
        Ok(())
    }

    fn compare_links(&mut self, history: &History, stored: &Stored, ids: &[UnitId]) -> Result<()> {
        let mut seen = HashSet::new();
        for link in &history.links {
            let (Some(from), Some(to)) = (ids.get(link.from.0), ids.get(link.to.0)) else {
                return Err(Error::internal("a succession names a unit outside the history"));
            };
            let wanted = Succession {
                predecessor: *from,
                successor: *to,
                kind: kind_of(link.kind),
                on: date(link.on)?,
                share: None,
                transfers: link.transfers,
                act: link.act.clone(),
                certainty: certainty(link.certainty),
                source: link.source.clone(),
            };
            let key = (*from, *to, wanted.on);
            seen.insert(key);
            match stored.links.get(&key) {
                Some(known) if *known == wanted => self.outcome.successions_same += 1,
                Some(_) => self.outcome.successions_corrected += 1,
                None => self.outcome.successions_added += 1,
            }
            if stored.links.get(&key) != Some(&wanted) {
                self.links.push(link_values(&wanted, self.at));
            }
        }
        self.outcome.absent += stored.links.keys().filter(|k| !seen.contains(*k)).count();
        Ok(())
    }

    fn compare_acts(&mut self, history: &History, stored: &Stored) -> Result<()> {
        for a in &history.acts {
            let wanted = Act {
                number: a.number.clone(),
                issuer: a.issuer.clone(),
                issued_on: opt_date(a.issued_on)?,
                applies_from: date(a.applies_from)?,
                title: a.title.clone(),
            };
            if stored.acts.get(&a.number) != Some(&wanted) {
                let Act { number, issuer, issued_on, applies_from, title } = wanted;
                self.acts.push(params![number, issuer, issued_on, applies_from, title]);
            }
        }
        self.outcome.acts_written = self.acts.len();
        Ok(())
    }

    fn tell_corrections(&mut self, before: &Version, after: &Version) {
        let period = |v: &Version| {
            format!("{} – {}", v.valid_from, v.valid_to.map_or(String::new(), |d| d.to_string()))
        };
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let parent = |v: &Version| v.parent.map_or(String::new(), |p| p.to_string());
        let pairs = [
            ("name", before.full_name.clone(), after.full_name.clone()),
            ("type", before.kind.key().to_owned(), after.kind.key().to_owned()),
            ("period", period(before), period(after)),
            ("parent", parent(before), parent(after)),
            ("act", text(&before.act), text(&after.act)),
            ("certainty", before.certainty.key().to_owned(), after.certainty.key().to_owned()),
        ];
        let mut told = false;
        for (what, was, is) in pairs.into_iter().filter(|(_, was, is)| was != is) {
            self.tell(after, what, was, is);
            told = true;
        }
        if !told {
            self.tell(after, "details", before.source.clone(), after.source.clone());
        }
    }

    fn tell(&mut self, v: &Version, what: &str, before: String, after: String) {
        if self.outcome.differences.len() < TOLD {
            self.outcome.differences.push(Difference {
                code: v.code.clone().unwrap_or_default(),
                name: v.full_name.clone(),
                valid_from: v.valid_from,
                what: what.to_owned(),
                before,
                after,
            });
        }
    }
}

/// The same but for the moment of recording.
fn same(known: &Version, wanted: &Version) -> bool {
    Version { recorded_at: wanted.recorded_at, ..known.clone() } == *wanted
}

fn overlap(v: &Version, (from, to): (Date, Option<Date>)) -> bool {
    to.is_none_or(|to| v.valid_from < to) && v.valid_to.is_none_or(|end| from < end)
}

fn wanted(v: &adminunits::Version, unit: UnitId, ids: &[UnitId], at: Timestamp) -> Result<Version> {
    let parent = v
        .parent
        .map(|p| ids.get(p.0).copied().ok_or_else(|| Error::internal("a parent outside the history")));
    Ok(Version {
        unit,
        tree: Tree::Territory,
        valid_from: date(v.valid_from)?,
        from_known: v.from_known,
        valid_to: opt_date(v.valid_to)?,
        recorded_at: at,
        kind: Kind::Territory(v.kind),
        name: v.name.clone(),
        full_name: v.full_name.clone(),
        code: Some(v.code.to_string()),
        parent: parent.transpose()?,
        act: v.act.clone(),
        ended_by: v.ended_by.clone(),
        certainty: certainty(v.certainty),
        source: v.source.clone(),
        details: Details {
            formed_from: v.formed_from.clone(),
            seat: v.seat.clone(),
            spellings: v.spellings.clone(),
        },
    })
}

fn link_values(s: &Succession, at: Timestamp) -> Vec<Value> {
    params![
        s.predecessor,
        s.successor,
        s.on,
        s.kind.key(),
        s.share,
        s.transfers,
        s.act.clone(),
        s.certainty.key(),
        &s.source,
        at
    ]
}

fn kind_of(kind: LinkKind) -> SuccessionKind {
    match kind {
        LinkKind::Merge => SuccessionKind::Merge,
        LinkKind::Split => SuccessionKind::Split,
        LinkKind::Convert => SuccessionKind::Convert,
    }
}

fn certainty(c: adminunits::Certainty) -> Certainty {
    match c {
        adminunits::Certainty::Listed => Certainty::Listed,
        adminunits::Certainty::Reported => Certainty::Reported,
        adminunits::Certainty::Inferred => Certainty::Inferred,
    }
}

fn date(d: adminunits::Date) -> Result<Date> {
    Date::new(d.year(), d.month(), d.day()).ok_or_else(|| Error::internal(format!("no such day: {d}")))
}

fn opt_date(d: Option<adminunits::Date>) -> Result<Option<Date>> {
    d.map(date).transpose()
}
