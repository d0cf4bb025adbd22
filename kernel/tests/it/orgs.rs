//! Territories and agencies: three reference provinces before and after, the whole country imported, questions by date.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::sync::LazyLock;
use std::time::Duration;

use adminunits::{Finding, History, Input, Lists, Report, shipped};
use kernel::clock::Date;
use kernel::orgs::import::{self, Reading};
use kernel::orgs::{
    AgencyChange, AgencyKind, CodeSystem, Competence, Kind, Merger, NewAgency, SuccessionKind, Tree, UnitId,
    Version,
};
use kernel::{Cx, Error, Kernel, Tx};
use testkit::{TestKernel, on_both};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

const BEFORE: &str = "2025-06-30";
const AFTER: &str = "2025-07-01";

type Built = (History, Report, Vec<Finding>);

fn build(inputs: &[Input<'_>]) -> Built {
    let (lists, report) = Lists::read(inputs);
    let (history, findings) = History::build(&lists).unwrap();
    (history, report, findings)
}

/// The shipped lists, read once for all tests.
fn country() -> &'static Built {
    static BUILT: LazyLock<Built> = LazyLock::new(|| build(&shipped::inputs()));
    &BUILT
}

async fn import_built(k: &Kernel, (history, report, findings): &Built) -> import::Outcome {
    let cx = Cx::kernel("test", k.clock.now());
    import::import(k, &cx, history, &Reading::of(report, findings)).await.unwrap()
}

async fn with_country(t: &TestKernel) -> import::Outcome {
    import_built(&t.kernel, country()).await
}

/// The shipped lists cut to five provinces of today, which is quicker. What hangs on the others is refused.
fn five(without: &str) -> Built {
    const OLD: [&str; 10] = ["10", "15", "17", "24", "25", "26", "27", "38", "70", "75"];
    const NEW: [&str; 5] = ["15", "24", "25", "38", "75"];
    let cut = |i: &Input<'static>| {
        let (at, among): (usize, &[&str]) = match i.list {
            "old63_wards" => (5, &OLD),
            "new34_wards" => (4, &NEW),
            "ward_mapping_old_new" => (0, &OLD),
            _ => return i.bytes.to_vec(),
        };
        let text = std::str::from_utf8(i.bytes).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let kept = rows.lines().filter(|l| l.split(',').nth(at).is_some_and(|c| among.contains(&c)));
        std::iter::once(header).chain(kept).collect::<Vec<_>>().join("\n").into_bytes()
    };
    let files: Vec<_> = shipped::inputs()
        .iter()
        .filter(|i| without.is_empty() || !i.list.starts_with(without))
        .map(|i| (i.list, cut(i)))
        .collect();
    build(&files.iter().map(|(list, bytes)| Input { list, bytes }).collect::<Vec<_>>())
}

async fn with_five(t: &TestKernel) -> import::Outcome {
    static FIVE: LazyLock<Built> = LazyLock::new(|| five(""));
    import_built(&t.kernel, &FIVE).await
}

async fn find(k: &Kernel, code: &str, on: &str) -> Version {
    k.orgs().by_code(code, day(on)).await.unwrap().unwrap_or_else(|| panic!("no {code} on {on}"))
}

async fn count(k: &Kernel, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS n FROM {table}");
    k.db.query_one(&sql, vec![]).await.unwrap().int("n").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_country_comes_in_once() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let (history, report, _) = country();
        let outcome = with_country(&t).await;
        let versions: usize = history.units.iter().map(|u| u.versions.len()).sum();
        assert_eq!(outcome.units_added, history.units.len());
        assert_eq!(outcome.versions_added, versions);
        assert_eq!(outcome.successions_added, history.links.len());
        assert_eq!(count(k, "orgs_unit").await, i64::try_from(history.units.len()).unwrap());
        assert_eq!(count(k, "orgs_version").await, i64::try_from(versions).unwrap());
        assert_eq!(count(k, "orgs_succession").await, i64::try_from(history.links.len()).unwrap());
        let counts = k.orgs().counts(None, day(AFTER)).await.unwrap();
        assert_eq!(counts.iter().map(|(_, n)| n).sum::<i64>(), 34 + 3_321);
        let states: Vec<_> = k.orgs().states().await.unwrap().iter().map(|d| d.vn()).collect();
        assert_eq!(states, ["01/03/2025", "01/07/2025", "30/04/2026", "01/09/2026", "20/09/2026"]);

        let island = k.orgs().what_became("318", day(BEFORE), day(AFTER)).await.unwrap().unwrap();
        assert_eq!(island.now[0].full_name, "Đặc khu Bạch Long Vĩ");
        assert_eq!(island.steps[0].succession.kind, SuccessionKind::Convert);

        let again = with_country(&t).await;
        assert!(!again.changes_anything(), "{again:?}");
        assert_eq!(again.versions_same, versions);
        assert_eq!(again.absent, 0);
        assert_eq!(count(k, "orgs_version").await, i64::try_from(versions).unwrap());

        let last = import::last(k).await.unwrap().unwrap();
        assert_eq!((last.reading.rows, last.reading.refused), (report.rows(), 0));
        let hits = k.orgs().search(Tree::Territory, "tan tien", day(AFTER), 50).await.unwrap();
        assert_eq!(
            hits.iter().filter(|h| h.version.full_name == "Xã Tân Tiến").count(),
            7,
            "in seven provinces"
        );
        let audited = "SELECT COUNT(*) AS n FROM kernel_audit WHERE action = 'orgs.territory.imported'";
        assert_eq!(k.db.query_one(audited, vec![]).await.unwrap().int("n").unwrap(), 2);
        let told = "SELECT COUNT(*) AS n FROM kernel_journal WHERE kind = 'orgs.territory.imported'";
        assert_eq!(
            k.db.query_one(told, vec![]).await.unwrap().int("n").unwrap(),
            1,
            "nothing changed the second time"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_with_a_day() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        with_five(&t).await;
        let (old, new) = (find(k, "14797", BEFORE).await, find(k, "14797", AFTER).await);
        assert_ne!(old.unit, new.unit);
        assert_eq!((old.full_name.as_str(), new.full_name.as_str()), ("Phường Đông Hải", "Phường Hạc Thành"));
        assert_eq!((old.valid_to, new.valid_from), (Some(day(AFTER)), day(AFTER)));
        assert!(!old.from_known && new.from_known);
        assert!(
            k.orgs().by_code("14797", day("2025-02-28")).await.unwrap().is_none(),
            "before what is attested"
        );
        assert!(k.orgs().version_at(old.unit, day(AFTER)).await.unwrap().is_none());
        let uses = k.orgs().code_uses("14797").await.unwrap();
        assert_eq!(uses.iter().map(|v| v.unit).collect::<Vec<_>>(), [old.unit, new.unit]);

        let above: Vec<_> = k.orgs().ancestors(old.unit, day(BEFORE)).await.unwrap();
        let names: Vec<_> = above.iter().map(|v| v.full_name.as_str()).collect();
        assert_eq!(names, ["Thành phố Thanh Hóa", "Tỉnh Thanh Hóa"]);
        let above = k.orgs().ancestors(new.unit, day(AFTER)).await.unwrap();
        assert_eq!(above.len(), 1, "no district any more");

        let province = find(k, "38", AFTER).await;
        assert_eq!(k.orgs().subtree(province.unit, day(BEFORE)).await.unwrap().len(), 1 + 26 + 547);
        assert_eq!(k.orgs().subtree(province.unit, day(AFTER)).await.unwrap().len(), 1 + 166);
        assert_eq!(k.orgs().children(province.unit, day(BEFORE)).await.unwrap().len(), 26);
        let counts = k.orgs().counts(Some(province.unit), day(BEFORE)).await.unwrap();
        assert_eq!(counts.iter().map(|(_, n)| n).sum::<i64>(), 26 + 547);
        assert_eq!(k.orgs().roots(Tree::Territory, day(AFTER)).await.unwrap().len(), 34);
        let acts = k.orgs().acts(&["1686/NQ-UBTVQH15".into(), "không có".into()]).await.unwrap();
        assert_eq!(acts.len(), 1);
        assert_eq!(acts[0].issued_on, Some(day("2025-06-16")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_unit_became() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        with_five(&t).await;
        let until = day("2026-11-22");
        let became = |code: &'static str, on: &'static str| async move {
            k.orgs().what_became(code, day(on), until).await.unwrap().unwrap()
        };
        let merged = became("14797", BEFORE).await;
        assert_eq!(merged.now.iter().map(|v| v.full_name.as_str()).collect::<Vec<_>>(), ["Phường Hạc Thành"]);
        assert!(!merged.ambiguous());
        assert_eq!(merged.steps[0].succession.kind, SuccessionKind::Merge);
        assert_eq!(merged.steps[0].succession.transfers, Some(true));

        let divided = became("14758", BEFORE).await;
        let names: Vec<_> = divided.now.iter().map(|v| v.full_name.as_str()).collect();
        assert_eq!(names, ["Phường Hạc Thành", "Phường Hàm Rồng"]);
        assert!(divided.ambiguous());
        assert!(divided.steps.iter().all(|s| s.succession.kind == SuccessionKind::Split));
        assert!(
            divided.steps.iter().all(|s| s.succession.transfers.is_none() && s.succession.share.is_none())
        );
        let after = became("14758", AFTER).await;
        assert_eq!(
            (after.asked.full_name.as_str(), after.steps.len(), after.now.len()),
            ("Phường Hàm Rồng", 0, 1)
        );

        // Long Thành: a township merged into a commune, which became a ward ten months later.
        let twice = became("26368", BEFORE).await;
        let into = &twice.steps[0].into.as_ref().unwrap();
        assert_eq!(into.full_name, "Xã Long Thành");
        assert_eq!(twice.now[0].full_name, "Phường Long Thành");
        assert_eq!(into.unit, twice.now[0].unit);
        let stays = became("26368", "2026-04-29").await;
        assert_eq!((stays.asked.full_name.as_str(), stays.later.len()), ("Xã Long Thành", 1));

        let district = became("380", BEFORE).await;
        assert!(district.steps.len() > 30 && !district.through.is_empty(), "followed through its communes");
        assert!(district.ambiguous() && district.now.iter().all(|v| v.kind.key() != "provincial-city"));
        let province = became("10", BEFORE).await;
        assert_eq!((province.now[0].code.as_deref(), province.now[0].name.as_str()), (Some("15"), "Lào Cai"));
        let on_the_day = k.orgs().what_became("14797", day(BEFORE), day(BEFORE)).await.unwrap().unwrap();
        assert_eq!(on_the_day.now, std::slice::from_ref(&on_the_day.asked));
        assert!(k.orgs().what_became("99999", day(BEFORE), until).await.unwrap().is_none());

        let from = k.orgs().predecessors(merged.now[0].unit).await.unwrap();
        assert_eq!(from.len(), 12);
        let records = k.orgs().transferred_to(&[merged.now[0].unit], until).await.unwrap();
        assert_eq!(records.len(), 10, "the two divided communes' records did not surely pass");
        assert!(k.orgs().transferred_to(&[merged.now[0].unit], day(BEFORE)).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_without_marks() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        with_five(&t).await;
        let search = |query: &'static str, on: &'static str| async move {
            let hits = k.orgs().search(Tree::Territory, query, day(on), 20).await.unwrap();
            hits.into_iter().map(|h| (h.version.full_name, h.above.join(", "))).collect::<Vec<_>>()
        };
        let hac_thanh = ("Phường Hạc Thành".to_owned(), "Tỉnh Thanh Hóa".to_owned());
        assert_eq!(search("hac thanh", AFTER).await[0], hac_thanh);
        assert_eq!(search("PHƯỜNG HẠC THÀNH", AFTER).await, [hac_thanh]);
        assert!(search("hac thanh", BEFORE).await.iter().all(|(n, _)| n != "Phường Hạc Thành"));
        let elsewhere = k.orgs().search_any_day(Tree::Territory, "hac thanh", 5).await.unwrap();
        assert_eq!(elsewhere[0].valid_from, day(AFTER));
        for query in ["dong hai thanh hoa", "Đông Hải Thanh Hoá", "dong hai thanh pho thanh hoa", "14797"]
        {
            assert_eq!(search(query, BEFORE).await[0].0, "Phường Đông Hải", "{query}");
        }
        assert_eq!(search("thanh hóa", AFTER).await[0].0, "Tỉnh Thanh Hóa", "the province first");
        assert_eq!(search("thanh hoá", AFTER).await[0].0, "Tỉnh Thanh Hóa", "either placement of the tone");
        assert_eq!(search("nong truong phong hai", BEFORE).await[0].0, "Thị trấn N.T Phong Hải");
        assert!(search("1479", BEFORE).await.iter().any(|(n, _)| n == "Phường Đông Hải"));
        for nothing in ["", "  ", "%", "zzzz", "' OR 1=1"] {
            assert!(search(nothing, AFTER).await.is_empty(), "{nothing}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_list_corrects_and_the_old_belief_stays_readable() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let early = five("changes_2026-09");
        import_built(k, &early).await;
        let before = find(k, "24", "2026-10-01").await;
        assert_eq!(before.full_name, "Tỉnh Bắc Ninh");
        t.clock.advance(Duration::from_secs(60));
        let outcome = with_five(&t).await;
        // Two provinces and twelve communes: each gets an end and a new version.
        assert_eq!((outcome.versions_corrected, outcome.versions_added, outcome.units_added), (14, 14, 0));
        assert_eq!((outcome.versions_withdrawn, outcome.absent), (0, 0));
        assert!(outcome.differences.iter().any(|d| d.code == "24" && d.what == "period"), "{outcome:?}");
        assert!(outcome.differences.iter().any(|d| d.code == "24" && d.what == "added"));
        let after = find(k, "24", "2026-10-01").await;
        assert_eq!((after.full_name.as_str(), after.unit), ("Thành phố Bắc Ninh", before.unit));
        let sql = "SELECT COUNT(*) AS n FROM orgs_version WHERE superseded_at IS NOT NULL";
        assert_eq!(k.db.query_one(sql, vec![]).await.unwrap().int("n").unwrap(), 14);
        let back = import_built(k, &early).await;
        assert_eq!((back.versions_corrected, back.versions_withdrawn), (14, 14));
        assert_eq!(find(k, "24", "2026-10-01").await.full_name, "Tỉnh Bắc Ninh");
        for state in k.orgs().states().await.unwrap() {
            let sql = "SELECT COUNT(*) AS n FROM (SELECT code FROM orgs_version
                       WHERE superseded_at IS NULL AND valid_from <= $1 AND valid_to > $1
                       GROUP BY code HAVING COUNT(*) > 1) AS twice";
            let row = k.db.query_one(sql, kernel::params![state]).await.unwrap();
            assert_eq!(row.int("n").unwrap(), 0, "no code twice on {state}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_import_does_and_refused_rows_are_kept_with_their_reason() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let mut inputs = shipped::inputs();
        let wards = inputs.iter().position(|i| i.list == "old63_wards").unwrap();
        let mut bytes = inputs[wards].bytes.to_vec();
        bytes.extend("00001,Xã Khác,Xã,001,Quận Ba Đình,01\n".bytes());
        inputs[wards].bytes = &bytes;
        let built = build(&inputs);
        let reading = Reading::of(&built.1, &built.2);
        let stranger = Cx::stranger("r", kernel::i18n::Lang::Vi, k.clock.now());
        assert!(matches!(import::import(k, &stranger, &built.0, &reading).await, Err(Error::SignIn)));
        assert_eq!(count(k, "orgs_unit").await, 0);
        assert!(import::preview(k, &built.0).await.unwrap().units_added > 14_000);
        assert_eq!(count(k, "orgs_unit").await, 0, "a preview writes nothing");
        import_built(k, &built).await;
        let last = import::last(k).await.unwrap().unwrap().reading;
        assert_eq!((last.refused, last.refusals.len()), (1, 1));
        assert_eq!((last.refusals[0].list.as_str(), last.refusals[0].line), ("old63_wards", 10_037));
        assert_eq!(last.refusals[0].vi, "mã 00001 đã có ở dòng 2");
        assert_eq!(last.rows, last.accepted + last.refused);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_at_the_same_time_do_not_double_anything() {
    on_both(&[], |t| async move {
        let k = t.kernel.clone();
        let runs: Vec<_> = (0..3)
            .map(|_| {
                let k = k.clone();
                tokio::spawn(async move { import_built(&k, &five("")).await })
            })
            .collect();
        let mut added = 0;
        for run in runs {
            added += run.await.unwrap().units_added;
        }
        assert_eq!(added, five("").0.units.len());
        assert_eq!(count(&k, "orgs_unit").await, i64::try_from(added).unwrap());
    })
    .await;
}

fn agency(name: &str, code: Option<&str>, parent: Option<UnitId>) -> NewAgency {
    let (full_name, code) = (name.to_owned(), code.map(str::to_owned));
    NewAgency { kind: AgencyKind::Department, full_name, code, parent, act: Some("01/QĐ-UBND".into()) }
}

async fn begin(k: &Kernel) -> Tx {
    k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap()
}

fn code_of(e: &Error) -> &str {
    match e {
        Error::Refused(r) => r.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_keeps_its_identity_through_names_and_ends_in_a_merger() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let (start, renamed, merged) = (day("2024-01-01"), day("2025-01-01"), day("2025-03-01"));
        let mut tx = begin(k).await;
        let ubnd = tx.create_agency(&agency("UBND tỉnh Thanh Hóa", Some("H56"), None), start).await.unwrap();
        let farming = agency("Sở Nông nghiệp và Phát triển nông thôn", Some("H56.05"), Some(ubnd));
        let farming = tx.create_agency(&farming, start).await.unwrap();
        let nature = agency("Sở Tài nguyên và Môi trường", Some("000.00.06.H56"), Some(ubnd));
        let nature = tx.create_agency(&nature, start).await.unwrap();
        let centre = agency("Trung tâm Khuyến nông", None, Some(farming));
        let centre = tx.create_agency(&centre, start).await.unwrap();
        tx.add_agency_code(nature, CodeSystem::Local, "sotnmt", start).await.unwrap();
        let change = AgencyChange {
            full_name: Some("Sở  Tài nguyên, Môi trường ".into()),
            ..AgencyChange::default()
        };
        tx.change_agency(nature, &change, renamed).await.unwrap();
        let into = agency("Sở Nông nghiệp và Môi trường", Some("H56.06"), Some(ubnd));
        let merger = Merger { predecessors: vec![farming, nature], into, transfers: true };
        let new = tx.merge_agencies(&merger, merged).await.unwrap();
        tx.commit().await.unwrap();

        let mut orgs = k.orgs();
        let history = orgs.history(nature).await.unwrap();
        let names: Vec<_> = history.iter().map(|v| (v.full_name.as_str(), v.valid_to)).collect();
        assert_eq!(
            names,
            [("Sở Tài nguyên và Môi trường", Some(renamed)), ("Sở Tài nguyên, Môi trường", Some(merged))]
        );
        let by = |code: &'static str, on: Date| async move {
            k.orgs().by_code(code, on).await.unwrap().map(|v| v.unit)
        };
        for code in ["000.00.06.H56", "H56.06", "sotnmt"] {
            assert_eq!(by(code, start).await, Some(nature), "{code}");
        }
        for code in ["000.00.06.H56", "H56.06"] {
            assert_eq!(by(code, merged).await, Some(new), "{code} names another agency now");
        }
        assert_eq!(by("sotnmt", merged).await, None);
        assert_eq!(by("H56.05", merged).await, None);
        let below = orgs.subtree(new, merged).await.unwrap();
        assert!(below.contains(&centre), "the centre passed under the new department");
        assert_eq!(orgs.ancestors(centre, renamed).await.unwrap()[0].unit, farming);
        let mut records = orgs.transferred_to(&[new], merged).await.unwrap();
        records.sort();
        let mut both = vec![farming, nature];
        both.sort();
        assert_eq!(records, both);
        assert!(
            orgs.transferred_to(&[new], renamed).await.unwrap().is_empty(),
            "not before the act is in force"
        );
        assert_eq!(
            orgs.version_at(new, merged).await.unwrap().unwrap().kind,
            Kind::Agency(AgencyKind::Department)
        );
        assert_eq!(orgs.codes(nature).await.unwrap().len(), 2);
        let hits = orgs.search(Tree::Agency, "nong nghiep", merged, 10).await.unwrap();
        assert_eq!(hits[0].version.unit, new);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agency_tree_refuses_what_cannot_be() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let (start, later) = (day("2024-01-01"), day("2025-01-01"));
        let mut tx = begin(k).await;
        let top = tx.create_agency(&agency("UBND tỉnh", Some("H56"), None), start).await.unwrap();
        let below = tx.create_agency(&agency("Sở A", Some("H56.02"), Some(top)), start).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = begin(k).await;
        let taken =
            tx.create_agency(&agency("Sở B", Some("000.00.02.H56"), Some(top)), later).await.unwrap_err();
        assert_eq!(code_of(&taken), "agency-code-taken");
        let bad = tx.create_agency(&agency("Sở B", Some("vxp.saas"), None), later).await.unwrap_err();
        assert!(matches!(bad, Error::Invalid(ref f) if f[0].field == "code"));
        let empty = tx.create_agency(&agency("  ", None, None), later).await.unwrap_err();
        assert!(matches!(empty, Error::Invalid(ref f) if f[0].field == "full_name"));
        let early = agency("Sở C", None, Some(top));
        assert_eq!(
            code_of(&tx.create_agency(&early, day("2023-12-31")).await.unwrap_err()),
            "no-such-parent"
        );
        let circle = AgencyChange { parent: Some(Some(below)), ..AgencyChange::default() };
        assert_eq!(code_of(&tx.change_agency(top, &circle, later).await.unwrap_err()), "parent-below");
        assert_eq!(code_of(&tx.close_agency(top, later, None).await.unwrap_err()), "agency-has-children");
        let twice =
            Merger { predecessors: vec![below, below], into: agency("D", None, None), transfers: true };
        assert_eq!(code_of(&tx.merge_agencies(&twice, later).await.unwrap_err()), "agency-named-twice");
        tx.close_agency(below, later, None).await.unwrap();
        let gone = tx.change_agency(below, &AgencyChange::default(), later).await.unwrap_err();
        assert_eq!(code_of(&gone), "agency-not-there");
        assert_eq!(code_of(&tx.close_agency(below, start, None).await.unwrap_err()), "agency-ends");
        let same = tx.create_agency(&agency("Sở E", Some("H56.02"), Some(top)), later).await;
        assert!(same.is_ok(), "the code is free after its agency ended");
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn competence_joins_the_trees_for_a_time() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        with_five(&t).await;
        let ward = find(k, "14797", AFTER).await;
        let mut tx = begin(k).await;
        let ubnd = agency("UBND phường Hạc Thành", None, None);
        let ubnd = tx.create_agency(&ubnd, day(AFTER)).await.unwrap();
        let mut competence = Competence {
            agency: ubnd,
            territory: ward.unit,
            role: "general".into(),
            valid_from: day(AFTER),
            valid_to: None,
            act: None,
        };
        tx.add_competence(&competence).await.unwrap();
        competence.valid_to = Some(day(AFTER));
        competence.role = "other".into();
        assert!(matches!(tx.add_competence(&competence).await, Err(Error::Invalid(_))));
        tx.close_agency(ubnd, day("2026-01-01"), None).await.unwrap();
        tx.commit().await.unwrap();
        let on =
            |d: &'static str| async move { k.orgs().competent_for(ward.unit, day(d)).await.unwrap().len() };
        assert_eq!((on(BEFORE).await, on(AFTER).await, on("2026-01-01").await), (0, 1, 0));
        let territories = k.orgs().territories_of(ubnd, day(AFTER)).await.unwrap();
        assert_eq!(territories[0].1.full_name, "Phường Hạc Thành");
    })
    .await;
}
