//! The lists together: reads each with its own rules, checks every reference between them, and refuses what does not
//! hold, row by row.

mod fields;

use std::collections::HashMap;

use jiff::civil::Date;

use crate::code::Code;
use crate::history::Certainty;
use crate::kind::Level;
use crate::reader::read;
use crate::report::{ListReport, Note, Reason, Repair, Report};
use crate::rows::{
    Act, Change, ListInfo, NewCommune, NewProvince, OldCommune, OldDistrict, OldProvince, ProvinceFacts,
    ProvinceMapping, WardMapping,
};
use fields::{Seen, act, agrees, composition, date, flag, index, info, known, named, same};

/// One file: its name without folder and ending, and its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// For example `old63_wards`; every list whose name begins with `changes_` is read as changes.
    pub list: &'a str,
    /// The file's content.
    pub bytes: &'a [u8],
}

/// Everything that was accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// Dates and sources.
    pub infos: Vec<ListInfo>,
    /// Resolutions.
    pub acts: Vec<Act>,
    /// The 63 provinces.
    pub old_provinces: Vec<OldProvince>,
    /// The 696 districts.
    pub old_districts: Vec<OldDistrict>,
    /// The 10,035 communes.
    pub old_communes: Vec<OldCommune>,
    /// The 34 provinces.
    pub new_provinces: Vec<NewProvince>,
    /// The 3,321 communes.
    pub new_communes: Vec<NewCommune>,
    /// Counts by another source.
    pub facts: Vec<ProvinceFacts>,
    /// Old to new provinces.
    pub province_mapping: Vec<ProvinceMapping>,
    /// Old to new communes.
    pub ward_mapping: Vec<WardMapping>,
    /// Later changes.
    pub changes: Vec<Change>,
}

impl Lists {
    /// The lists that must be there, in reading order; lists of changes come on top.
    pub const NAMES: [&'static str; 10] = [
        "lists",
        "acts",
        "old63_provinces",
        "old63_districts",
        "old63_wards",
        "new34_provinces",
        "new34_wards",
        "new34_province_facts",
        "province_mapping_old_new",
        "ward_mapping_old_new",
    ];

    /// Reads all lists. A list that is absent is reported as refused whole ([`Reason::NoHeader`]).
    pub fn read(inputs: &[Input<'_>]) -> (Self, Report) {
        let bytes = |list: &str| inputs.iter().find(|i| i.list == list).map_or(&b""[..], |i| i.bytes);
        let mut lists = Self::default();
        let mut report = Report::default();
        for list in Self::NAMES {
            report.lists.push(lists.take(list, bytes(list)));
        }
        let mut changes: Vec<_> = inputs.iter().filter(|i| i.list.starts_with("changes_")).collect();
        changes.sort_by_key(|i| i.list);
        for input in changes {
            report.lists.push(lists.take_changes(input));
        }
        lists.drop_borrowed_texts(&mut report);
        (lists, report)
    }

    /// Date and source of a list, if stated.
    pub fn info(&self, list: &str) -> Option<&ListInfo> {
        self.infos.iter().find(|i| i.list == list)
    }

    fn take(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        match list {
            "lists" => keep(&mut self.infos, read(list, bytes, INFO, info)),
            "acts" => keep(&mut self.acts, read(list, bytes, ACT, act)),
            "old63_provinces" => self.take_old_provinces(list, bytes),
            "old63_districts" => self.take_old_districts(list, bytes),
            "old63_wards" => self.take_old_communes(list, bytes),
            "new34_provinces" => self.take_new_provinces(list, bytes),
            "new34_wards" => self.take_new_communes(list, bytes),
            "new34_province_facts" => self.take_facts(list, bytes),
            "province_mapping_old_new" => self.take_province_mapping(list, bytes),
            _ => self.take_ward_mapping(list, bytes),
        }
    }

    fn take_old_provinces(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let mut seen = Seen::default();
        let made = read(list, bytes, &["code", "name", "type"], |r| {
            let code = seen.code(r, 0, Level::Province)?;
            let (full_name, kind) = named(r, 1, Level::Province)?;
            agrees(r, 2, kind)?;
            Ok(OldProvince { code, full_name, kind })
        });
        keep(&mut self.old_provinces, made)
    }

    fn take_old_districts(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let provinces = index(&self.old_provinces, |p| p.code);
        let mut seen = Seen::default();
        let made = read(list, bytes, &["code", "name", "type", "province_code"], |r| {
            let code = seen.code(r, 0, Level::District)?;
            let (full_name, kind) = named(r, 1, Level::District)?;
            agrees(r, 2, kind)?;
            let province = known(r, 3, Level::Province, &provinces)?;
            Ok(OldDistrict { code, full_name, kind, province })
        });
        keep(&mut self.old_districts, made)
    }

    fn take_old_communes(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let districts: HashMap<Code, Code> =
            self.old_districts.iter().map(|d| (d.code, d.province)).collect();
        let mut seen = Seen::default();
        let made = read(list, bytes, &["code", "name", "type", "district_code", "province_code"], |r| {
            let code = seen.code(r, 0, Level::Commune)?;
            let (full_name, kind) = named(r, 1, Level::Commune)?;
            agrees(r, 2, kind)?;
            let district = known(r, 3, Level::District, &districts)?;
            same(r, 4, districts.get(&district))?;
            Ok(OldCommune { code, full_name, kind, district })
        });
        keep(&mut self.old_communes, made)
    }

    fn take_new_provinces(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let mut seen = Seen::default();
        let made = read(list, bytes, &["code", "full_name", "type"], |r| {
            let code = seen.code(r, 0, Level::Province)?;
            let (full_name, kind) = named(r, 1, Level::Province)?;
            agrees(r, 2, kind)?;
            Ok(NewProvince { code, full_name, kind })
        });
        keep(&mut self.new_provinces, made)
    }

    fn take_new_communes(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let provinces = index(&self.new_provinces, |p| p.code);
        let mut seen = Seen::default();
        let columns = &["code", "full_name", "type", "province_code", "admin_centre", "formed_from_text"];
        let made = read(list, bytes, columns, |r| {
            let code = seen.code(r, 0, Level::Commune)?;
            let (full_name, kind) = named(r, 1, Level::Commune)?;
            agrees(r, 2, kind)?;
            let province = known(r, 3, Level::Province, &provinces)?;
            let seat = r.opt(4).filter(|s| *s != "đang cập nhật").map(str::to_owned);
            let formed_from = r.opt(5).map(str::to_owned);
            Ok(NewCommune { code, full_name, kind, province, seat, formed_from, line: r.line })
        });
        keep(&mut self.new_communes, made)
    }

    fn take_facts(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let provinces = index(&self.new_provinces, |p| p.code);
        let mut seen = Seen::default();
        let made = read(list, bytes, &["code", "formed_from_text", "composition_text"], |r| {
            let code = seen.code(r, 0, Level::Province)?;
            known(r, 0, Level::Province, &provinces)?;
            let formed_from = r.get(1)?.to_owned();
            let [communes, wards, special_zones] = r.parse(2, composition)?;
            Ok(ProvinceFacts { code, formed_from, communes, wards, special_zones })
        });
        keep(&mut self.facts, made)
    }

    fn take_province_mapping(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let old = index(&self.old_provinces, |p| p.code);
        let new = index(&self.new_provinces, |p| p.code);
        let mut seen = Seen::default();
        let made = read(list, bytes, &["old_code", "new_code", "new_name"], |r| {
            known(r, 0, Level::Province, &old)?;
            let to = known(r, 1, Level::Province, &new)?;
            let (new_name, _) = named(r, 2, Level::Province)?;
            Ok(ProvinceMapping { old: seen.code(r, 0, Level::Province)?, new: to, new_name })
        });
        keep(&mut self.province_mapping, made)
    }

    fn take_ward_mapping(&mut self, list: &str, bytes: &[u8]) -> ListReport {
        let districts: HashMap<Code, Code> =
            self.old_districts.iter().map(|d| (d.code, d.province)).collect();
        let old: HashMap<Code, Code> = self.old_communes.iter().map(|c| (c.code, c.district)).collect();
        let new: HashMap<Code, Code> = self.new_communes.iter().map(|c| (c.code, c.province)).collect();
        let provinces: HashMap<Code, Code> = self.province_mapping.iter().map(|m| (m.old, m.new)).collect();
        let mut pairs: HashMap<(Option<Code>, Code), usize> = HashMap::new();
        let made = read(list, bytes, MAPPING, |r| {
            let old_district = known(r, 1, Level::District, &districts)?;
            let old_province = same(r, 0, districts.get(&old_district))?;
            let from = match r.opt(2) {
                None => None,
                Some(_) => Some(known(r, 2, Level::Commune, &old)?),
            };
            if let Some(from) = from {
                same(r, 1, old.get(&from))?;
                named(r, 3, Level::Commune)?;
            }
            let to = known(r, 5, Level::Commune, &new)?;
            same(r, 4, new.get(&to))?;
            same(r, 4, provinces.get(&old_province))?;
            let (new_name, _) = named(r, 6, Level::Commune)?;
            if let Some(first_line) = pairs.insert((from, to), r.line) {
                let code = format!("{} → {to}", from.map_or_else(String::new, |c| c.to_string()));
                return Err(Reason::Duplicate { code, first_line });
            }
            let old_name = r.opt(3).unwrap_or_default().to_owned();
            let (merged, divided) = (r.parse(7, flag)?, r.parse(8, flag)?);
            Ok(WardMapping {
                old_province,
                old_district,
                old: from,
                old_name,
                new: to,
                new_name,
                merged,
                divided,
            })
        });
        keep(&mut self.ward_mapping, made)
    }

    fn take_changes(&mut self, input: &Input<'_>) -> ListReport {
        let codes: HashMap<Code, Code> = index(&self.new_provinces, |p| p.code)
            .into_iter()
            .chain(index(&self.new_communes, |c| c.code))
            .collect();
        let acts: Vec<String> = self.acts.iter().map(|a| a.number.clone()).collect();
        let mut seen: HashMap<(Code, Date), usize> = HashMap::new();
        let made = read(input.list, input.bytes, CHANGE, |r| {
            let level = r.parse(1, Level::from_key)?;
            let code = known(r, 0, level, &codes)?;
            let (from, _) = named(r, 2, level)?;
            let (to, _) = named(r, 3, level)?;
            let on = r.parse(4, date)?;
            let act = r.get(5)?.to_owned();
            if !acts.contains(&act) {
                return Err(Reason::Unknown { column: "act", code: act });
            }
            if let Some(first_line) = seen.insert((code, on), r.line) {
                return Err(Reason::Duplicate { code: code.to_string(), first_line });
            }
            let certainty = r.parse(6, Certainty::from_key)?;
            Ok(Change {
                code,
                from,
                to,
                on,
                act,
                certainty,
                evidence: r.opt(7).unwrap_or_default().to_owned(),
            })
        });
        keep(&mut self.changes, made)
    }

    /// A text on what a commune was formed from that two communes share belongs to the one all of whose predecessors
    /// it names.
    fn drop_borrowed_texts(&mut self, report: &mut Report) {
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for text in self.new_communes.iter().filter_map(|c| c.formed_from.as_deref()) {
            *uses.entry(text).or_default() += 1;
        }
        let names = crate::history::predecessor_names(self);
        let borrowed = |c: &NewCommune| {
            let text = c.formed_from.as_deref()?;
            if uses.get(text).is_none_or(|n| *n == 1) || is_untouched(text) {
                return None;
            }
            let inside = crate::name::bare_key(text);
            let all = names.get(&c.code)?.iter().all(|n| inside.contains(&crate::name::bare_key(n)));
            (!all).then_some(c.code)
        };
        let drop: Vec<Code> = self.new_communes.iter().filter_map(borrowed).collect();
        let mut notes = Vec::new();
        for commune in self.new_communes.iter_mut().filter(|c| drop.contains(&c.code)) {
            commune.formed_from = None;
            notes.push(Note { line: commune.line, what: Repair::FormedFromOfAnother });
        }
        if let Some(list) = report.lists.iter_mut().find(|l| l.list == "new34_wards") {
            list.notes.extend(notes);
        }
    }
}

/// "Không sáp nhập": the commune was left as it was.
pub(crate) fn is_untouched(formed_from: &str) -> bool {
    crate::name::bare_key(formed_from).starts_with("khongsapnhap")
}

const INFO: &[&str] = &["list", "as_of", "attested_from", "source"];
const ACT: &[&str] = &["number", "issuer", "issued_on", "applies_from", "scope", "province_code", "title"];
const CHANGE: &[&str] =
    &["code", "level", "from_full_name", "to_full_name", "on", "act", "certainty", "evidence"];
const MAPPING: &[&str] = &[
    "old_province_code",
    "old_district_code",
    "old_ward_code",
    "old_ward",
    "new_province_code",
    "new_ward_code",
    "new_ward",
    "is_merged_ward",
    "is_divided_ward",
];

fn keep<T>(into: &mut Vec<T>, (rows, report): (Vec<T>, ListReport)) -> ListReport {
    into.extend(rows);
    report
}
