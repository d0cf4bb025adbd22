//! Lists with something wrong in them: the rest is read, the wrong rows are named, and nothing is concluded from
//! what was refused.

use adminunits::{BuildError, Date, Finding, History, Input, Lists, Reason, shipped};

/// The shipped lists with one of them changed.
fn with(list: &str, change: impl Fn(String) -> String) -> Vec<(String, Vec<u8>)> {
    let owned = |i: &Input<'_>| {
        let text = String::from_utf8(i.bytes.to_vec()).unwrap();
        (i.list.to_owned(), if i.list == list { change(text) } else { text }.into_bytes())
    };
    shipped::inputs().iter().map(owned).collect()
}

fn read(files: &[(String, Vec<u8>)]) -> (Lists, adminunits::Report) {
    let inputs: Vec<_> = files.iter().map(|(list, bytes)| Input { list, bytes }).collect();
    Lists::read(&inputs)
}

fn reasons(report: &adminunits::Report, list: &str) -> Vec<(usize, Reason)> {
    let list = report.lists.iter().find(|l| l.list == list).unwrap();
    assert_eq!(list.rows, list.accepted + list.refused_rows());
    list.refused.iter().map(|r| (r.line, r.reason.clone())).collect()
}

#[test]
fn a_duplicated_code_is_refused_with_both_lines() {
    let (lists, report) = read(&with("old63_wards", |t| t + "00001,Xã Khác,Xã,001,Quận Ba Đình,01\n"));
    let expected = Reason::Duplicate { code: "00001".into(), first_line: 2 };
    assert_eq!(reasons(&report, "old63_wards"), [(10_037, expected)]);
    assert_eq!(lists.old_communes.len(), 10_035);
}

#[test]
fn wrong_values_are_named() {
    let extra = "9999,Xã A,Xã,001,x,01\n99998,Làng A,Xã,001,x,01\n99997,Xã A,Làng,001,x,01\n\
                 99996,Xã A,Xã,999,x,01\n99995,Xã A,Xã,001,x,38\n99994,,Xã,001,x,01\n99993,Xã A,Xã\n";
    let (_, report) = read(&with("old63_wards", |t| t + extra));
    let found: Vec<_> = reasons(&report, "old63_wards").into_iter().map(|(_, r)| r.en()).collect();
    assert_eq!(
        found,
        [
            "column code: cannot read “9999”",
            "column name: cannot read “Làng A”",
            "column type: cannot read “làng”",
            "column district_code: no unit has the code 999",
            "column province_code: here “38”, elsewhere “01”",
            "column name is empty",
            "3 fields where 6 are needed",
        ]
    );
}

#[test]
fn what_hangs_on_a_refused_row_is_refused_too_and_the_gap_is_told() {
    let (lists, report) = read(&with("new34_wards", |t| t.replacen("14797,Hạc Thành", "1479x,Hạc Thành", 1)));
    assert_eq!(reasons(&report, "new34_wards").len(), 1);
    let mapping = reasons(&report, "ward_mapping_old_new");
    assert_eq!(mapping.len(), 12, "all rows into Hạc Thành");
    let (history, findings) = History::build(&lists).unwrap();
    let lost = findings.iter().filter(|f| matches!(f, Finding::NoSuccessor { .. })).count();
    assert_eq!(lost, 10, "Đông Thọ and An Hưng were divided and still have another part");
    assert!(
        findings
            .iter()
            .any(|f| matches!(f, Finding::CountsDiffer { province, .. } if province.as_str() == "38"))
    );
    assert!(history.valid("14797", "2025-07-01".parse::<Date>().unwrap()).is_none());
}

#[test]
fn a_lost_mapping_row_does_not_turn_a_merger_into_a_rename() {
    // 26380 Long Hưng came from three communes; with two of the rows unreadable one predecessor is left.
    let cut = |t: String| {
        let keep =
            |l: &&str| !(l.contains(",26380,") && (l.contains("An Hòa") || l.contains("Long Bình Tân")));
        t.lines().filter(keep).map(|l| format!("{l}\n")).collect::<String>()
    };
    let (lists, _) = read(&with("ward_mapping_old_new", cut));
    let (history, _) = History::build(&lists).unwrap();
    let day = |d: &str| d.parse::<Date>().unwrap();
    let (after, _) = history.valid("26380", day("2025-07-01")).unwrap();
    assert_eq!(history.predecessors(after).count(), 1);
    assert_eq!(history.unit(after).unwrap().versions.len(), 1, "a new unit");
}

#[test]
fn a_change_that_does_not_fit_is_left_out_and_told() {
    let wrong = |t: String| t.replace("22,province,type,Tỉnh Quảng Ninh", "22,province,type,Tỉnh Hồng Quảng");
    let (lists, report) = read(&with("changes_2026-09-01", wrong));
    assert_eq!(report.refused(), 0);
    let (history, findings) = History::build(&lists).unwrap();
    assert!(matches!(&findings[..], [Finding::ChangeDoesNotFit { .. }]), "{findings:?}");
    let (_, v) = history.valid("22", "2026-12-01".parse::<Date>().unwrap()).unwrap();
    assert_eq!(v.full_name, "Tỉnh Quảng Ninh");
}

#[test]
fn a_missing_dated_change_is_noticed() {
    let files: Vec<_> = with("", |t| t).into_iter().filter(|(l, _)| l != "changes_2026-04-30").collect();
    let (lists, _) = read(&files);
    let (_, findings) = History::build(&lists).unwrap();
    let differ = findings.iter().filter(|f| matches!(f, Finding::NamesDiffer { .. })).count();
    assert_eq!(differ, 11, "Đồng Nai and its ten wards");
    assert!(findings.iter().any(|f| matches!(f, Finding::CountsDiffer { .. })));
}

#[test]
fn without_lists_nothing_is_built() {
    let (lists, report) = Lists::read(&[]);
    assert!(report.lists.iter().all(|l| l.fault == Some(Reason::NoHeader)));
    assert_eq!(History::build(&lists), Err(BuildError::NoAttestedDate));
    let (lists, _) = read(&with("acts", |t| t.replacen("2025-07-01,districts", "2025-08-01,districts", 1)));
    assert_eq!(History::build(&lists), Err(BuildError::NoReformDate));
}

#[test]
fn messages_exist_in_both_languages() {
    let reason = Reason::Unknown { column: "act", code: "1/NQ".into() };
    assert_ne!(reason.vi(), reason.en());
}
