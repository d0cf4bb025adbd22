//! One entry of a catalogue, and what makes a set of them sound: codes once, parents that exist, no circles, days in
//! order.

use std::collections::{HashMap, HashSet};

use base::clock::Date;
use base::i18n::Text;
use base::text;
use serde_json::{Map, Value};

use crate::catalogue::{MAX_CODE, MAX_NAME, clip};
use crate::t;
use crate::table::{Fields, Line, Reading, first_lines};
use crate::version::Period;

/// Largest attributes of an entry, as JSON text in bytes.
pub const MAX_ATTRIBUTES: usize = 4_096;

/// An entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its code, text with its leading zeros.
    pub code: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name; empty when there is none.
    pub name_en: String,
    /// Code of the entry above; empty at the top.
    pub parent: String,
    /// Place in the order; entries without one follow by name.
    pub order: Option<i64>,
    /// Whatever else is known.
    pub attributes: Map<String, Value>,
    /// First day, when it is not that of the version.
    pub from: Option<Date>,
    /// Last day, included, when it is not that of the version.
    pub to: Option<Date>,
}

/// The columns of a file of entries: ours, and what people write over them (folded).
pub const COLUMNS: &[(&str, &[&str])] = &[
    ("code", &["ma", "ma muc", "ma so"]),
    ("name_vi", &["ten", "name", "ten muc", "ten tieng viet"]),
    ("name_en", &["ten tieng anh"]),
    ("parent", &["ma cha", "parent code", "ma cap tren"]),
    ("order", &["thu tu", "stt"]),
    ("valid_from", &["tu ngay", "ngay hieu luc"]),
    ("valid_to", &["den ngay", "den het ngay", "ngay het hieu luc"]),
    ("attributes", &["thuoc tinh"]),
];

const OWN: &[&str] =
    &["code", "name_vi", "name_en", "parent", "order", "valid_from", "valid_to", "attributes"];

impl Entry {
    /// One line of a file. Columns of other names become attributes.
    ///
    /// # Errors
    /// Why the row is refused.
    pub fn from_fields(f: &Fields<'_>) -> Result<Self, Text> {
        let mut attributes = match f.get("attributes") {
            "" => Map::new(),
            given => serde_json::from_str(given).map_err(|_| Text::both(t::attributes_form))?,
        };
        for (name, value) in f.others(OWN).filter(|(_, v)| !v.is_empty()) {
            attributes.insert(name.to_owned(), Value::String(text::nfc(value)));
        }
        let order = match f.get("order") {
            "" => None,
            given => Some(given.parse().map_err(|_| Text::both(|l| t::order_form(l, clip(given))))?),
        };
        let own = |column| text::nfc(f.get(column));
        Ok(Self {
            code: own("code"),
            name_vi: own("name_vi"),
            name_en: own("name_en"),
            parent: own("parent"),
            order,
            attributes,
            from: f.date("valid_from")?,
            to: f.date("valid_to")?,
        })
    }

    /// What is wrong with it by itself, within a version of this period.
    fn fault(&self, within: &Period) -> Option<Text> {
        if self.code.is_empty() || self.name_vi.is_empty() {
            return Some(Text::both(t::entry_incomplete));
        }
        let odd = |c: char| c.is_control() || c.is_whitespace();
        if self.code.chars().count() > MAX_CODE || self.code.contains(odd) || self.parent.contains(odd) {
            let given = clip(&self.code);
            return Some(Text::both(|l| {
                t::entry_code_form(l, t::EntryCodeForm { given: &given, max: MAX_CODE })
            }));
        }
        if self.name_vi.chars().count() > MAX_NAME || self.name_en.chars().count() > MAX_NAME {
            return Some(Text::both(|l| t::too_long(l, MAX_NAME)));
        }
        if self.order.is_some_and(|n| !(0..UNORDERED).contains(&n)) {
            return Some(Text::both(|l| t::order_form(l, self.order.unwrap_or_default().to_string())));
        }
        if Value::Object(self.attributes.clone()).to_string().len() > MAX_ATTRIBUTES {
            return Some(Text::both(|l| t::attributes_large(l, MAX_ATTRIBUTES)));
        }
        let own = Period { from: self.from.unwrap_or(within.from), to: self.to.or(within.to) };
        if self.from.zip(self.to).is_some_and(|(from, to)| to < from) {
            return Some(Text::both(t::period_backwards));
        }
        (!own.meets(within)).then(|| Text::both(t::entry_outside))
    }

    /// Whether it is valid on a day on which its version answers.
    pub fn covers(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

/// Stored as the order of entries that have none.
pub const UNORDERED: i64 = 1_000_000_000;

/// Refuses what does not belong into one version of this period.
pub fn check(reading: Reading<Entry>, within: &Period) -> Reading<Entry> {
    let first = first_lines(&reading.rows, |e| e.code.clone());
    let parents: HashMap<String, String> =
        reading.rows.iter().map(|l| (l.row.code.clone(), l.row.parent.clone())).collect();
    let circles = circles(&parents);
    let reason = |line: &Line<Entry>| {
        let e = &line.row;
        if let Some(fault) = e.fault(within) {
            return Some(fault);
        }
        if let Some(before) = first.get(&e.code).filter(|n| **n != line.line) {
            return Some(Text::both(|l| t::code_twice(l, t::CodeTwice { code: &e.code, line: before })));
        }
        if !e.parent.is_empty() && !parents.contains_key(&e.parent) {
            return Some(Text::both(|l| t::parent_unknown(l, &e.parent)));
        }
        circles.contains(&e.code).then(|| Text::both(|l| t::parent_circle(l, &e.code)))
    };
    reading.sift(reason, |e| format!("{} | {}", e.code, e.name_vi))
}

/// Codes that are their own ancestors.
fn circles(parents: &HashMap<String, String>) -> HashSet<String> {
    // Codes known to lead to the top or into a circle, so that each is walked once.
    let mut done: HashSet<&str> = HashSet::new();
    let mut found = HashSet::new();
    for start in parents.keys() {
        let mut path: Vec<&str> = Vec::new();
        let mut on_path: HashMap<&str, usize> = HashMap::new();
        let mut at: &str = start;
        while !at.is_empty() && !done.contains(at) {
            if let Some(from) = on_path.get(at) {
                found.extend(path[*from..].iter().map(|c| (*c).to_owned()));
                break;
            }
            on_path.insert(at, path.len());
            path.push(at);
            at = parents.get(at).map_or("", String::as_str);
        }
        done.extend(path);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn read(file: &str) -> Reading<Entry> {
        let period = Period { from: "2025-07-01".parse().unwrap(), to: Some("2025-12-31".parse().unwrap()) };
        let rows = table::read(file.as_bytes(), COLUMNS, &["code", "name_vi"], Entry::from_fields).unwrap();
        check(rows, &period)
    }

    fn refused(file: &str) -> Vec<(u64, String)> {
        read(file).refused.into_iter().map(|r| (r.line, r.reason.en)).collect()
    }

    #[test]
    fn a_file_becomes_entries() {
        let read =
            read("Mã;Tên;Mã cha;Thứ tự;Từ ngày;Vùng\n01;Hà Nội;;1;;Bắc\n001;Ba Đình;01;;15/08/2025;\n");
        assert!(read.refused.is_empty(), "{:?}", read.refused);
        let [a, b] = &read.rows[..] else { panic!() };
        assert_eq!((a.row.order, a.row.attributes["Vùng"].as_str()), (Some(1), Some("Bắc")));
        assert_eq!((b.row.parent.as_str(), b.row.from.unwrap().to_string()), ("01", "2025-08-15".into()));
        assert!(b.row.attributes.is_empty());
        assert!(!b.row.covers("2025-08-14".parse().unwrap()) && b.row.covers("2025-08-15".parse().unwrap()));
    }

    #[test]
    fn doubles_orphans_and_circles_are_refused_with_their_lines() {
        let all = refused("code,name,parent\na,A,b\nb,B,c\nc,C,a\nd,D,d\ne,E,x\nf,F,a\nf,G,\n");
        let lines: Vec<u64> = all.iter().map(|(n, _)| *n).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 8], "f hangs on a circle but is not in it: {all:?}");
        assert!(all[5].1.contains("line 7"), "{all:?}");
    }

    #[test]
    fn bad_values_are_refused() {
        for (row, word) in [
            (",A,,,,", "code"),
            ("a,,,,,", "name"),
            ("a b,A,,,,", "a b"),
            ("a,A,x1,,,", "1"),
            ("a,A,-1,,,", "-1"),
            ("a,A,,31/02/2025,,", "31/02/2025"),
            ("a,A,,2025-09-01,2025-08-01,", "before"),
            ("a,A,,2026-01-01,,", "version"),
            ("a,A,,,,[1]", "JSON"),
        ] {
            let all = refused(&format!("code,name,order,valid_from,valid_to,attributes\n{row}\n"));
            assert!(all.len() == 1 && all[0].1.contains(word), "{row}: {all:?}");
        }
        let long = format!("code,name\n{},A\n", "x".repeat(65));
        assert_eq!(refused(&long).len(), 1);
    }

    #[test]
    fn long_chains_are_walked_once() {
        let mut file = String::from("code,name,parent\n0,x,\n");
        for n in 1..20_000 {
            file.push_str(&format!("{n},x,{}\n", n - 1));
        }
        assert!(refused(&file).is_empty());
    }
}
