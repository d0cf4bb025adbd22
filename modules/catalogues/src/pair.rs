//! One pair of a mapping, what makes a set of them sound, and what a translation answers: a code of the target with the
//! kind of relation, or a clear reason why there is none.

use std::collections::{HashMap, HashSet};

use base::i18n::{Lang, Text};
use base::text;
use serde::{Deserialize, Serialize};

use crate::catalogue::MAX_NAME;
use crate::t;
use crate::table::{Fields, Line, Reading, first_lines};

/// How the source code relates to the target code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// Both mean the same.
    Equal,
    /// The source means a part of what the target means.
    Narrower,
    /// The source means more: the target is a part of it.
    Broader,
    /// Each has a part in common with the other and a part of its own: a divided commune.
    Overlaps,
    /// There is no counterpart, for a stated reason.
    None,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 5] = [Self::Equal, Self::Narrower, Self::Broader, Self::Overlaps, Self::None];

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Narrower => "narrower",
            Self::Broader => "broader",
            Self::Overlaps => "overlaps",
            Self::None => "none",
        }
    }

    /// In words.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Equal => t::relation_equal(lang),
            Self::Narrower => t::relation_narrower(lang),
            Self::Broader => t::relation_broader(lang),
            Self::Overlaps => t::relation_overlaps(lang),
            Self::None => t::relation_none(lang),
        }
    }

    /// Whether a code may have several counterparts of this kind.
    pub fn several(self) -> bool {
        matches!(self, Self::Broader | Self::Overlaps)
    }

    /// Seen from the other side.
    pub fn turned(self) -> Self {
        match self {
            Self::Narrower => Self::Broader,
            Self::Broader => Self::Narrower,
            same => same,
        }
    }
}

impl std::str::FromStr for Relation {
    type Err = base::ids::BadId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or(base::ids::BadId("relation"))
    }
}

/// A pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Code of the source.
    pub source: String,
    /// How it relates.
    pub relation: Relation,
    /// Code of the target; empty when there is none.
    pub target: String,
    /// Why, or a note; must be given when there is no counterpart.
    pub reason: String,
}

/// The columns of a file of pairs: ours, and what people write over them (folded).
pub const COLUMNS: &[(&str, &[&str])] = &[
    ("source", &["ma nguon", "ma cuc bo", "ma cu", "source code"]),
    ("relation", &["quan he", "kind"]),
    ("target", &["ma dich", "ma quoc gia", "ma moi", "target code"]),
    ("reason", &["ly do", "ghi chu", "note"]),
];

/// What people write for a relation (folded), beside our own words.
const WORDS: &[(&str, Relation)] = &[
    ("bang", Relation::Equal),
    ("tuong duong", Relation::Equal),
    ("hep hon", Relation::Narrower),
    ("rong hon", Relation::Broader),
    ("chong mot phan", Relation::Overlaps),
    ("khong co", Relation::None),
];

impl Pair {
    /// One line of a file.
    ///
    /// # Errors
    /// Why the row is refused.
    pub fn from_fields(f: &Fields<'_>) -> Result<Self, Text> {
        let given = text::fold(f.get("relation"));
        let known = WORDS.iter().find(|(word, _)| *word == given).map(|(_, r)| *r);
        let relation = known.or_else(|| given.parse().ok());
        let own = |column| text::nfc(f.get(column));
        Ok(Self {
            source: own("source"),
            relation: relation.ok_or_else(|| Text::both(|l| t::relation_unknown(l, &given)))?,
            target: own("target"),
            reason: own("reason"),
        })
    }
}

/// The codes on both sides on the days on which the mapping reads them.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Codes of the source.
    pub source: HashSet<String>,
    /// Codes of the target.
    pub target: HashSet<String>,
}

/// Refuses what does not belong into one version of a mapping.
pub fn check(reading: Reading<Pair>, known: &Known) -> Reading<Pair> {
    let first = first_lines(&reading.rows, |p| format!("{}\n{}", p.source, p.target));
    let mut of: HashMap<String, Vec<(Relation, String)>> = HashMap::new();
    let mut equals: HashMap<String, Vec<String>> = HashMap::new();
    for Line { row, .. } in &reading.rows {
        of.entry(row.source.clone()).or_default().push((row.relation, row.target.clone()));
        if row.relation == Relation::Equal {
            equals.entry(row.target.clone()).or_default().push(row.source.clone());
        }
    }
    let reason = |line: &Line<Pair>| {
        let p = &line.row;
        if p.reason.chars().count() > MAX_NAME {
            return Some(Text::both(|l| t::too_long(l, MAX_NAME)));
        }
        if !known.source.contains(&p.source) {
            return Some(Text::both(|l| t::source_unknown(l, &p.source)));
        }
        match p.relation {
            Relation::None if !p.target.is_empty() => return Some(Text::both(t::none_with_target)),
            Relation::None if p.reason.is_empty() => return Some(Text::both(t::none_without_reason)),
            Relation::None => {}
            _ if !known.target.contains(&p.target) => {
                return Some(Text::both(|l| t::target_unknown(l, &p.target)));
            }
            _ => {}
        }
        let again = first.get(&format!("{}\n{}", p.source, p.target)).filter(|n| **n != line.line);
        if let Some(before) = again {
            return Some(Text::both(|l| t::code_twice(l, t::CodeTwice { code: &p.source, line: before })));
        }
        let siblings = of.get(&p.source).map_or(&[][..], Vec::as_slice);
        if siblings.len() > 1 && siblings.iter().any(|(r, _)| !r.several()) {
            return Some(Text::both(|l| t::several_of_one(l, &p.source)));
        }
        let shared = p.relation == Relation::Equal && equals.get(&p.target).is_some_and(|s| s.len() > 1);
        shared.then(|| Text::both(|l| t::equal_twice(l, &p.target)))
    };
    reading.sift(reason, |p| format!("{} | {} | {}", p.source, p.relation.as_str(), p.target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn read(rows: &str) -> Reading<Pair> {
        let file = format!("Mã nguồn;Quan hệ;Mã đích;Lý do\n{rows}");
        let read = table::read(file.as_bytes(), COLUMNS, &["source", "relation"], Pair::from_fields).unwrap();
        let set = |s: &str| s.split(' ').map(str::to_owned).collect();
        check(read, &Known { source: set("a b c d"), target: set("1 2 3") })
    }

    #[test]
    fn relations_are_read_in_words() {
        let all = read("a;bằng;1;\nb;hẹp hơn;2;\nc;broader;2;\nc;RỘNG HƠN;3;\nd;không có;;bỏ từ 2025\n");
        assert!(all.refused.is_empty(), "{:?}", all.refused);
        let relations: Vec<&str> = all.rows.iter().map(|l| l.row.relation.as_str()).collect();
        assert_eq!(relations, ["equal", "narrower", "broader", "broader", "none"]);
    }

    #[test]
    fn contradictions_are_refused() {
        for (rows, refused) in [
            ("x;equal;1;\n", 1),
            ("a;equal;9;\n", 1),
            ("a;none;1;x\n", 1),
            ("a;none;;\n", 1),
            ("a;gần;1;\n", 1),
            ("a;broader;1;\na;broader;1;\n", 1),
            ("a;equal;1;\na;broader;2;\n", 2),
            ("a;narrower;1;\na;narrower;2;\n", 2),
            ("a;equal;1;\nb;equal;1;\n", 2),
            ("a;equal;1;\nb;narrower;1;\n", 0),
            ("a;overlaps;1;\na;chồng một phần;2;\n", 0),
        ] {
            let read = read(rows);
            assert_eq!(read.refused.len(), refused, "{rows}: {:?}", read.refused);
            assert_eq!(read.rows.len() + read.refused.len(), rows.lines().count(), "nothing is passed over");
        }
    }

    #[test]
    fn relations_turn_round() {
        assert_eq!(Relation::Narrower.turned(), Relation::Broader);
        assert!(Relation::ALL.iter().all(|r| r.turned().turned() == *r && r.as_str().parse() == Ok(*r)));
    }
}
