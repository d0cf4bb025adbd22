//! The answer to "what became of it" in one or two sentences. Pure: from what is known to what is said.

use kernel::clock::Date;
use kernel::i18n::Lang;
use kernel::orgs::{Became, Step, SuccessionKind, Tree, Version};
use web::ui::Tone;

use crate::t;
use crate::words::running;

/// How many successors are named in a sentence.
const NAMED: usize = 8;

/// What became of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing changed.
    Same,
    /// The same unit with another name or type.
    Renamed {
        /// From this day.
        on: Date,
        /// What it is called at the end.
        now: String,
    },
    /// The same unit directly under another one.
    Moved {
        /// From this day.
        on: Date,
    },
    /// The whole passed into one unit.
    Merged {
        /// From this day.
        on: Date,
        /// The successor on that day.
        into: Box<Version>,
        /// It became the successor by change of level.
        converted: bool,
        /// What the successor is called at the end, where that differs.
        now: Option<String>,
    },
    /// It was divided.
    Split {
        /// From this day.
        on: Date,
        /// The successors on that day.
        names: Vec<String>,
        /// It was a place, which papers name: the old name alone does not tell the new one.
        place: bool,
    },
    /// It ended, and what was below it was followed.
    Dissolved {
        /// From this day.
        on: Date,
        /// How many units there are now.
        count: usize,
    },
    /// It ended and nothing is known.
    Unknown {
        /// From this day.
        on: Date,
    },
}

impl Answer {
    /// Reads the answer out of what is known.
    pub fn of(b: &Became) -> Self {
        let own: Vec<&Step> = b.steps.iter().filter(|s| s.succession.predecessor == b.asked.unit).collect();
        let first = own.iter().find(|s| s.succession.kind != SuccessionKind::Transfer);
        match (first, b.through.is_empty()) {
            (Some(step), _) if step.succession.kind == SuccessionKind::Split => {
                Self::split(step, &own, b.asked.tree)
            }
            (Some(step), _) => Self::merged(step, b),
            // An agency that ends has no land that goes on below it.
            (None, false) if b.asked.tree == Tree::Territory => {
                let on = b.steps.first().map_or(b.asked.valid_from, |s| s.succession.on);
                let on = b.asked.valid_to.unwrap_or(on);
                Self::Dissolved { on, count: b.now.len() }
            }
            (None, _) => Self::unit_itself(b),
        }
    }

    fn split(step: &Step, own: &[&Step], tree: Tree) -> Self {
        let names = own.iter().filter_map(|s| s.into.as_ref()).map(|v| v.full_name.clone()).collect();
        Self::Split { on: step.succession.on, names, place: tree == Tree::Territory }
    }

    fn merged(step: &Step, b: &Became) -> Self {
        let on = step.succession.on;
        let Some(into) = &step.into else { return Self::Unknown { on } };
        let end = b.now.first().filter(|_| b.now.len() == 1).map(|v| v.full_name.clone());
        Self::Merged {
            on,
            into: Box::new(into.clone()),
            converted: step.succession.kind == SuccessionKind::Convert,
            now: end.filter(|name| *name != into.full_name),
        }
    }

    fn unit_itself(b: &Became) -> Self {
        let changed = b.later.iter().rev().find(|v| v.full_name != b.asked.full_name);
        let moved = b.later.iter().find(|v| v.parent != b.asked.parent);
        let end = b.later.last().unwrap_or(&b.asked).valid_to;
        let gone = b.now.is_empty().then_some(end).flatten();
        match (gone, changed, moved) {
            (Some(on), ..) => Self::Unknown { on },
            (None, Some(v), _) => Self::Renamed { on: v.valid_from, now: v.full_name.clone() },
            (None, None, Some(v)) => Self::Moved { on: v.valid_from },
            (None, None, None) => Self::Same,
        }
    }

    /// The sentences. `above` names what stands above the unit at the end, or above its successor.
    pub fn say(&self, l: Lang, tree: Tree, name: &str, above: &str, until: Date) -> String {
        let running = |l, name: &str| running(l, tree, name);
        let (first, above) = (name, running(l, above));
        let name = running(l, name);
        match self {
            Self::Same => t::answer_same(l, t::AnswerSame { name: first, until: until.vn() }),
            Self::Renamed { on, now } if tree == Tree::Agency => {
                t::answer_agency_renamed(l, t::AnswerAgencyRenamed { name, now, on: on.vn() })
            }
            Self::Moved { on } if tree == Tree::Agency => {
                t::answer_agency_moved(l, t::AnswerAgencyMoved { above, name, on: on.vn() })
            }
            Self::Renamed { on, now } => {
                t::answer_renamed(l, t::AnswerRenamed { name, now: running(l, now), on: on.vn() })
            }
            Self::Moved { on } => t::answer_moved(l, t::AnswerMoved { above, name, on: on.vn() }),
            Self::Merged { on, into, converted, now } => {
                let code = into.code.as_deref().unwrap_or("–");
                let (into, on) = (running(l, &into.full_name), on.vn());
                let text = match (*converted, above.is_empty()) {
                    (true, _) => t::answer_converted(l, t::AnswerConverted { code, into, name, on }),
                    (false, true) => t::answer_merged_top(l, t::AnswerMergedTop { code, into, name, on }),
                    (false, false) => t::answer_merged(l, t::AnswerMerged { above, code, into, name, on }),
                };
                match now {
                    Some(now) => format!(
                        "{text} {}",
                        t::answer_now(l, t::AnswerNow { now: running(l, now), until: until.vn() })
                    ),
                    None => text,
                }
            }
            Self::Split { on, names, place } => {
                let count = i64::try_from(names.len()).unwrap_or(i64::MAX);
                let text = t::answer_split(
                    l,
                    t::AnswerSplit {
                        count,
                        name,
                        names: named(names.iter().map(|n| running(l, n))),
                        on: on.vn(),
                    },
                );
                if *place { format!("{text} {}", t::answer_split_warning(l)) } else { text }
            }
            Self::Dissolved { on, count } => t::answer_dissolved(
                l,
                t::AnswerDissolved { count: i64::try_from(*count).unwrap_or(i64::MAX), name, on: on.vn() },
            ),
            Self::Unknown { on } => t::answer_unknown(l, t::AnswerUnknown { name: first, on: on.vn() }),
        }
    }

    /// How the sentences are marked.
    pub fn tone(&self) -> Tone {
        match self {
            Self::Same => Tone::Good,
            Self::Renamed { .. } | Self::Moved { .. } | Self::Merged { .. } | Self::Dissolved { .. } => {
                Tone::Info
            }
            Self::Split { .. } | Self::Unknown { .. } => Tone::Warn,
        }
    }
}

fn named(names: impl ExactSizeIterator<Item = String>) -> String {
    let count = names.len();
    let mut text = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if count > NAMED {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
mod tests {
    use kernel::clock::Timestamp;
    use kernel::ids::Uuid;
    use kernel::orgs::{Certainty, Details, Kind, Succession, UnitId};

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn version(unit: u128, name: &str, from: &str, to: Option<&str>) -> Version {
        Version {
            unit: UnitId(Uuid::from_u128(unit)),
            tree: Tree::Territory,
            valid_from: day(from),
            from_known: true,
            valid_to: to.map(day),
            recorded_at: Timestamp::default(),
            kind: Kind::from_key(Tree::Territory, "ward").unwrap(),
            name: name.into(),
            full_name: name.into(),
            code: Some("00001".into()),
            parent: None,
            act: None,
            ended_by: None,
            certainty: Certainty::Listed,
            source: String::new(),
            details: Details::default(),
        }
    }

    fn step(from: &Version, into: &Version, kind: SuccessionKind) -> Step {
        let succession = Succession {
            predecessor: from.unit,
            successor: into.unit,
            kind,
            on: into.valid_from,
            share: None,
            transfers: None,
            act: None,
            certainty: Certainty::Listed,
            source: String::new(),
        };
        Step { succession, from: Some(from.clone()), into: Some(into.clone()) }
    }

    fn became(asked: Version, later: Vec<Version>, steps: Vec<Step>, now: Vec<Version>) -> Became {
        Became { asked, above: vec![], later, steps, through: vec![], now }
    }

    const END: Option<&str> = Some("2025-07-01");

    fn say(b: &Became) -> String {
        Answer::of(b).say(Lang::Vi, b.asked.tree, &b.asked.full_name, "Tỉnh T", day("2026-11-22"))
    }

    #[test]
    fn a_unit_that_stays() {
        let a = version(1, "Phường A", "2025-07-01", None);
        assert_eq!(
            say(&became(a.clone(), vec![], vec![], vec![a.clone()])),
            "Phường A vẫn giữ nguyên đến ngày 22/11/2026."
        );
        let b = version(1, "Phường B", "2026-04-30", None);
        let text = say(&became(a.clone(), vec![b.clone()], vec![], vec![b.clone()]));
        assert!(text.starts_with("Từ ngày 30/04/2026, phường A là phường B."), "{text}");
        let mut moved = version(1, "Phường A", "2026-04-30", None);
        moved.parent = Some(UnitId(Uuid::from_u128(9)));
        let text = say(&became(a, vec![moved.clone()], vec![], vec![moved]));
        assert!(text.starts_with("Từ ngày 30/04/2026, phường A trực thuộc tỉnh T."), "{text}");
    }

    #[test]
    fn a_merged_unit_whose_successor_changed_since() {
        let a = version(1, "Thị trấn A", "2025-03-01", END);
        let b = version(2, "Xã A", "2025-07-01", Some("2026-04-30"));
        let c = version(2, "Phường A", "2026-04-30", None);
        let text = say(&became(a.clone(), vec![], vec![step(&a, &b, SuccessionKind::Merge)], vec![c]));
        assert!(
            text.starts_with("Từ ngày 01/07/2025, toàn bộ thị trấn A nhập vào xã A (mã 00001), tỉnh T."),
            "{text}"
        );
        assert!(text.ends_with("Đến ngày 22/11/2026, đó là phường A."), "{text}");
    }

    #[test]
    fn a_divided_unit_warns() {
        let a = version(1, "Phường A", "2025-03-01", END);
        let (b, c) = (version(2, "Phường B", "2025-07-01", None), version(3, "Phường C", "2025-07-01", None));
        let steps = vec![step(&a, &b, SuccessionKind::Split), step(&a, &c, SuccessionKind::Split)];
        let b = became(a, vec![], steps, vec![b, c]);
        assert!(say(&b).contains("được chia vào 2 đơn vị: phường B, phường C."), "{}", say(&b));
        assert_eq!(Answer::of(&b).tone(), Tone::Warn);
    }

    #[test]
    fn an_end_without_successor_is_said_to_be_unknown() {
        let a = version(1, "Phường A", "2025-03-01", END);
        let text = say(&became(a.clone(), vec![], vec![], vec![]));
        assert!(text.contains("chưa cho biết đơn vị kế tiếp"), "{text}");
        let district = version(4, "Huyện D", "2025-03-01", END);
        let b = version(2, "Xã B", "2025-07-01", None);
        let mut through = became(district, vec![], vec![step(&a, &b, SuccessionKind::Merge)], vec![b]);
        through.through = vec![a];
        assert_eq!(Answer::of(&through), Answer::Dissolved { on: day("2025-07-01"), count: 1 });
    }
}
