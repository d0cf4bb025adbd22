//! Counts and shapes of the shipped data. The numbers were published with the data or counted from them by other
//! means; here they are counted again from the history.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use adminunits::{
    Certainty, Code, Date, Finding, History, Level, LinkKind, Lists, Repair, Report, UnitNo, UnitType,
    same_spelling, shipped,
};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

struct Loaded {
    lists: Lists,
    report: Report,
    history: History,
    findings: Vec<Finding>,
}

/// Read and built once for all tests.
fn load() -> &'static Loaded {
    static LOADED: LazyLock<Loaded> = LazyLock::new(|| {
        let (lists, report) = Lists::read(&shipped::inputs());
        let (history, findings) = History::build(&lists).unwrap();
        Loaded { lists, report, history, findings }
    });
    &LOADED
}

const OLD: &str = "2025-06-30";
const NEW: &str = "2025-07-01";

#[test]
fn every_row_is_accepted_or_refused_and_none_is_refused() {
    let Loaded { report, findings, .. } = load();
    for list in &report.lists {
        assert_eq!(list.rows, list.accepted + list.refused_rows(), "{}", list.list);
        assert!(list.refused.is_empty() && list.fault.is_none(), "{list:?}");
    }
    let lines: usize = shipped::inputs()
        .iter()
        .map(|i| i.bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count() - 1)
        .sum();
    assert_eq!(report.rows(), lines);
    assert_eq!(*findings, [], "the lists agree with one another");
}

#[test]
fn repairs_are_told() {
    let Loaded { report, .. } = load();
    let count = |list: &str, what: Repair| {
        let list = report.lists.iter().find(|l| l.list == list).unwrap();
        list.notes.iter().filter(|n| n.what == what).count()
    };
    assert_eq!(count("old63_wards", Repair::Blanks), 4);
    assert_eq!(count("old63_wards", Repair::TypeOfName), 3, "15061, 27046, 27076");
    assert_eq!(count("new34_wards", Repair::TypeCase), 1, "xã Bắc Sơn");
    assert_eq!(count("new34_wards", Repair::FormedFromOfAnother), 1, "Đồng Tâm, Tuyên Quang");
}

#[test]
fn units_before_and_after() {
    let Loaded { history, .. } = load();
    let levels = |on: &str| {
        let counts = history.counts(day(on));
        [Level::Province, Level::District, Level::Commune].map(|l| counts.level(l))
    };
    assert_eq!(levels("2025-02-28"), [0, 0, 0], "nothing is said about earlier days");
    assert_eq!(levels("2025-03-01"), [63, 696, 10_035]);
    assert_eq!(levels(OLD), [63, 696, 10_035]);
    for on in [NEW, "2026-04-29", "2026-04-30", "2026-09-01", "2026-09-20", "2030-01-01"] {
        assert_eq!(levels(on), [34, 0, 3_321], "{on}");
    }
    let states: Vec<_> = history.states.iter().map(Date::to_string).collect();
    assert_eq!(states, ["2025-03-01", NEW, "2026-04-30", "2026-09-01", "2026-09-20"]);
}

#[test]
fn types_in_each_state() {
    let Loaded { history, .. } = load();
    let types = |on: &str| {
        let counts = history.counts(day(on));
        use UnitType::*;
        [CentralCity, Province, Commune, Ward, Township, SpecialZone].map(|t| counts.of(t))
    };
    assert_eq!(types(OLD), [6, 57, 7_692, 1_726, 617, 0]);
    assert_eq!(types(NEW), [6, 28, 2_621, 687, 0, 13]);
    assert_eq!(types("2026-04-30"), [7, 27, 2_611, 697, 0, 13]);
    assert_eq!(types("2026-09-01"), [8, 26, 2_611, 697, 0, 13]);
    assert_eq!(types("2026-09-20"), [9, 25, 2_599, 709, 0, 13]);
}

#[test]
fn codes_are_used_again() {
    let Loaded { lists, .. } = load();
    let old: HashMap<Code, &str> =
        lists.old_communes.iter().map(|c| (c.code, c.full_name.as_str())).collect();
    let new: HashMap<Code, &str> =
        lists.new_communes.iter().map(|c| (c.code, c.full_name.as_str())).collect();
    let reused: Vec<_> = new.keys().filter(|c| old.contains_key(c)).collect();
    assert_eq!(reused.len(), 3_315);
    assert_eq!(new.len() - reused.len(), 6);
    assert_eq!(old.keys().filter(|c| !new.contains_key(c)).count(), 6_720);
    let renamed = reused.iter().filter(|c| old[**c] != new[**c]).count();
    assert_eq!(renamed, 2_211, "literally different");
    let renamed = reused.iter().filter(|c| !same_spelling(old[**c], new[**c])).count();
    assert_eq!(renamed, 2_158, "different but for spelling");
}

#[test]
fn the_three_reference_provinces() {
    let Loaded { lists, history, .. } = load();
    let district: HashMap<Code, Code> = lists.old_districts.iter().map(|d| (d.code, d.province)).collect();
    for (code, before, after, districts, retired, renamed, wards) in [
        ("15", 319, 99, 18, 220, 42, 10),
        ("25", 479, 148, 32, 331, 91, 15),
        ("38", 547, 166, 26, 381, 104, 19),
    ] {
        let new = Code::parse(code, Level::Province).unwrap();
        let olds: HashSet<Code> =
            lists.province_mapping.iter().filter(|m| m.new == new).map(|m| m.old).collect();
        let old: HashMap<Code, &str> = lists
            .old_communes
            .iter()
            .filter(|c| olds.contains(&district[&c.district]))
            .map(|c| (c.code, c.full_name.as_str()))
            .collect();
        let communes: HashMap<Code, &str> = lists
            .new_communes
            .iter()
            .filter(|c| c.province == new)
            .map(|c| (c.code, c.full_name.as_str()))
            .collect();
        let (province, _) = history.valid(code, day(NEW)).unwrap();
        let under = history.on(day(NEW)).filter(|(_, v)| v.parent == Some(province)).collect::<Vec<_>>();
        assert_eq!((old.len(), under.len()), (before, after), "{code}");
        assert_eq!(district.values().filter(|p| olds.contains(p)).count(), districts, "{code}");
        assert_eq!(old.keys().filter(|c| !communes.contains_key(c)).count(), retired, "{code}");
        let changed = communes.iter().filter(|(c, n)| old.get(c).is_some_and(|o| o != *n)).count();
        assert_eq!(changed, renamed, "{code}");
        assert_eq!(under.iter().filter(|(_, v)| v.kind == UnitType::Ward).count(), wards, "{code}");
    }
}

#[test]
fn every_old_commune_became_something() {
    let Loaded { lists, history, .. } = load();
    let mut successors: HashMap<UnitNo, usize> = HashMap::new();
    history.links.iter().for_each(|l| *successors.entry(l.from).or_default() += 1);
    let (mut kept, mut whole, mut divided) = (0, 0, 0);
    let by_code: HashMap<Code, UnitNo> = history.on(day(OLD)).map(|(no, v)| (v.code, no)).collect();
    for commune in &lists.old_communes {
        let no = by_code[&commune.code];
        let goes_on = history.unit(no).unwrap().versions.iter().any(|v| v.covers(day(NEW)));
        match (goes_on, successors.get(&no).copied().unwrap_or(0)) {
            (true, 0) => kept += 1,
            (false, 1) => whole += 1,
            (false, n) if n > 1 => divided += 1,
            other => panic!("{commune:?}: {other:?}"),
        }
    }
    assert_eq!(kept + whole + divided, 10_035);
    // 127 were not rearranged, 5 only changed name or type; 471 were divided.
    assert_eq!((kept, divided), (132, 471));
    let inferred =
        history.units.iter().flat_map(|u| &u.versions).filter(|v| v.certainty == Certainty::Inferred);
    assert_eq!(inferred.count(), 5);
    let kinds = |kind| history.links.iter().filter(|l| l.kind == kind).count();
    assert_eq!(kinds(LinkKind::Convert), 5);
    assert_eq!(kinds(LinkKind::Split), 1_033);
    assert_eq!(
        history.links.len(),
        lists.ward_mapping.len() - 132 + 63 - 11,
        "eleven provinces were not merged"
    );
    assert!(history.links.iter().all(|l| l.transfers.is_none() == (l.kind == LinkKind::Split)));
}

#[test]
fn no_code_is_valid_twice_on_a_day_and_versions_join() {
    let Loaded { history, .. } = load();
    for state in &history.states {
        for on in [*state, state.yesterday().unwrap()] {
            let mut codes = HashSet::new();
            assert!(history.on(on).all(|(_, v)| codes.insert(v.code)), "{on}");
        }
    }
    for unit in &history.units {
        for pair in unit.versions.windows(2) {
            assert_eq!(pair[0].valid_to, Some(pair[1].valid_from), "{}", unit.key);
        }
        for v in &unit.versions {
            assert!(v.valid_to.is_none_or(|end| v.valid_from < end), "{}", unit.key);
            assert_eq!(v.kind.level(), unit.level);
        }
    }
    let keys: HashSet<_> = history.units.iter().map(|u| &u.key).collect();
    assert_eq!(keys.len(), history.units.len());
}

#[test]
fn parents_are_there_as_long_as_their_children() {
    let Loaded { history, .. } = load();
    for state in &history.states {
        let valid: BTreeMap<UnitNo, _> = history.on(*state).collect();
        for v in valid.values() {
            match v.kind.level() {
                Level::Province => assert_eq!(v.parent, None),
                _ => {
                    let parent = v.parent.unwrap();
                    assert!(valid.contains_key(&parent), "{} on {state}", v.full_name);
                }
            }
        }
    }
}

#[test]
fn the_code_14797_names_two_units() {
    let Loaded { history, .. } = load();
    let (before, old) = history.valid("14797", day(OLD)).unwrap();
    let (after, new) = history.valid("14797", day(NEW)).unwrap();
    assert_ne!(before, after, "a merger makes a new unit even where the code is used again");
    assert_eq!((old.full_name.as_str(), new.full_name.as_str()), ("Phường Đông Hải", "Phường Hạc Thành"));
    assert_eq!(new.act.as_deref(), Some("1686/NQ-UBTVQH15"));
    assert_eq!(history.predecessors(after).count(), 12);
    let (divided, name) = history.valid("14758", day(OLD)).unwrap();
    assert_eq!(name.full_name, "Phường Đông Thọ");
    let mut parts: Vec<_> = history.successors(divided).map(|l| (l.kind, l.to)).collect();
    parts.sort_by_key(|(_, to)| *to);
    let (ham_rong, _) = history.valid("14758", day(NEW)).unwrap();
    assert_eq!(parts, [(LinkKind::Split, ham_rong), (LinkKind::Split, after)]);
}

#[test]
fn provinces_merge_or_go_on() {
    let Loaded { history, .. } = load();
    let at = |code, on| history.valid(code, day(on)).unwrap();
    assert_eq!(at("38", OLD).0, at("38", NEW).0, "Thanh Hóa was not merged");
    assert_eq!(at("38", NEW).1.full_name, "Tỉnh Thanh Hóa", "another placement of the tone is no new name");
    assert_eq!(history.unit(at("38", NEW).0).unwrap().versions.len(), 1);
    assert_ne!(at("15", OLD).0, at("15", NEW).0);
    assert_eq!((at("15", OLD).1.name.as_str(), at("15", NEW).1.name.as_str()), ("Yên Bái", "Lào Cai"));
    assert!(history.valid("10", day(NEW)).is_none(), "Lào Cai's old code is retired");
    assert_eq!(history.predecessors(at("25", NEW).0).count(), 3);
    let merged =
        history.links.iter().filter(|l| history.unit(l.to).unwrap().level == Level::Province).count();
    assert_eq!(merged, 63 - 11);
}

#[test]
fn dong_nai_changes_type_and_stays_the_same_unit() {
    let Loaded { history, .. } = load();
    let (before, province) = history.valid("75", day("2026-04-29")).unwrap();
    let (after, city) = history.valid("75", day("2026-04-30")).unwrap();
    assert_eq!(before, after);
    assert_eq!((province.kind, city.kind), (UnitType::Province, UnitType::CentralCity));
    assert_eq!(city.act.as_deref(), Some("30/2026/QH16"));
    assert_eq!(city.name, "Đồng Nai");
    let changed: Vec<_> = history
        .on(day("2026-04-30"))
        .filter(|(no, v)| {
            v.parent == Some(after) && v.kind == UnitType::Ward && {
                let unit = history.unit(*no).unwrap();
                unit.versions.iter().any(|v| v.covers(day("2026-04-29")) && v.kind == UnitType::Commune)
            }
        })
        .collect();
    assert_eq!(changed.len(), 10);
    assert!(changed.iter().all(|(_, v)| v.act.as_deref() == Some("237/NQ-UBTVQH16")));
    assert!(changed.iter().all(|(no, _)| history.successors(*no).count() == 0));
    assert_eq!(history.valid("26368", day(NEW)).unwrap().1.full_name, "Xã Long Thành");
    assert_eq!(history.valid("26368", day("2026-05-01")).unwrap().1.full_name, "Phường Long Thành");
}

#[test]
fn later_changes_say_that_they_are_only_reported() {
    let Loaded { history, .. } = load();
    let reported: Vec<_> = history
        .units
        .iter()
        .flat_map(|u| &u.versions)
        .filter(|v| v.certainty == Certainty::Reported)
        .map(|v| v.valid_from.to_string())
        .collect();
    assert_eq!(reported.iter().filter(|d| *d == "2026-09-01").count(), 1);
    assert_eq!(reported.iter().filter(|d| *d == "2026-09-20").count(), 13);
    assert_eq!(history.valid("07840", day("2026-09-20")).unwrap().1.full_name, "Phường Hiệp Hòa");
}

#[test]
fn island_districts_became_special_zones() {
    let Loaded { history, .. } = load();
    for (district, zone, name) in [
        ("318", "11948", "Bạch Long Vĩ"),
        ("471", "19742", "Cồn Cỏ"),
        ("498", "20333", "Hoàng Sa"),
        ("536", "21548", "Lý Sơn"),
        ("755", "26732", "Côn Đảo"),
    ] {
        let (from, old) = history.valid(district, day(OLD)).unwrap();
        let (to, new) = history.valid(zone, day(NEW)).unwrap();
        assert_eq!((old.name.as_str(), new.name.as_str(), new.kind), (name, name, UnitType::SpecialZone));
        let links: Vec<_> = history.successors(from).map(|l| (l.kind, l.to)).collect();
        assert_eq!(links, [(LinkKind::Convert, to)]);
    }
}

#[test]
fn names_repeat_between_provinces() {
    let Loaded { history, .. } = load();
    let mut provinces: HashMap<String, HashSet<UnitNo>> = HashMap::new();
    for (_, v) in history.on(day("2026-07-25")).filter(|(_, v)| v.kind.level() == Level::Commune) {
        provinces.entry(v.full_name.clone()).or_default().insert(v.parent.unwrap());
    }
    assert_eq!(provinces["Xã Tân Tiến"].len(), 7);
    assert_eq!(provinces.values().filter(|p| p.len() > 1).count(), 245);
}

#[test]
fn other_spellings_are_kept_for_search() {
    let Loaded { history, .. } = load();
    let (_, v) = history.valid("02902", day(OLD)).unwrap();
    assert_eq!(v.full_name, "Thị trấn N.T Phong Hải");
    assert_eq!(v.spellings, ["Thị trấn Nông trường Phong Hải"]);
}
