//! A catalogue from its first draft to its successor, with what is recorded and what is refused; a mapping and its
//! answers on both sides of 1 July 2025.

use catalogues::actions::{self, NewEnds};
use catalogues::content::{Content, Given};
use catalogues::ids::CatalogueId;
use catalogues::pair::Relation;
use catalogues::questions::{self, Outcome};
use catalogues::store::{entries, versions};
use catalogues::version::State;
use catalogues::{Catalogues, catalogue::Kind};
use kernel::once::Once;
use kernel::{Error, Kernel, Module, params};
use testkit::on_both;

use crate::world::{NEW, OLD, agency, catalogue, cx, day, drafted, mapping, modules, outline, published};

async fn codes(k: &Kernel, code: &str, on: &str) -> Vec<String> {
    let c = questions::find(k, &cx(k), code).await.unwrap();
    match questions::content_on(k, &c, day(on)).await.unwrap() {
        Content::Entries(rows) => rows.into_iter().map(|e| e.code).collect(),
        Content::Pairs(_) => unreachable!(),
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result.unwrap_err() {
        Error::Refused(r) => r.code,
        other => panic!("not refused by a rule: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_answer_for_their_days_and_leave_their_traces() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        catalogue(k, owner, "KHU", "Danh mục khu", true).await;
        assert!(codes(k, "KHU", "2025-06-30").await.is_empty(), "nothing is published yet");
        published(k, "KHU", "2025-03-01", None, OLD).await;
        published(k, "KHU", "2025-07-01", None, NEW).await;
        published(k, "KHU", "2026-04-30", None, "code,name\nM,Khu Mới (thành phố)\n").await;
        assert_eq!(codes(k, "KHU", "2025-06-30").await, ["A2", "A1", "A", "B"], "by order, then by name");
        assert_eq!(codes(k, "KHU", "2025-07-01").await, ["M", "M1", "N"]);
        assert_eq!(codes(k, "KHU", "2026-04-29").await.len(), 3);
        assert_eq!(codes(k, "KHU", "2026-04-30").await, ["M"]);
        assert!(codes(k, "KHU", "2025-02-28").await.is_empty());

        // A correction of the middle one only.
        published(k, "KHU", "2025-07-01", Some("2026-04-29"), "code,name\nM,Khu Mới\nN,Khu Nổi\n").await;
        assert_eq!(codes(k, "KHU", "2026-04-29").await, ["M", "N"]);
        assert_eq!(codes(k, "KHU", "2026-04-30").await, ["M"]);
        let c = questions::find(k, &cx(k), "KHU").await.unwrap();
        let all = versions::of(&k.db, c.id).await.unwrap();
        let states: Vec<(i64, State)> = all.iter().map(|v| (v.number, v.state)).collect();
        use State::{Published, Superseded};
        assert_eq!(states, [(4, Published), (3, Published), (2, Superseded), (1, Superseded)]);
        assert_eq!(all[2].outline.period.to, None, "what was published stays as it was published");
        let changes = questions::changes(k, &c, day("2025-06-30"), day("2025-07-01")).await.unwrap();
        assert_eq!((changes.added.len(), changes.removed.len(), changes.same), (2, 4, 0));

        let rows =
            k.db.query(
                "SELECT action FROM kernel_audit WHERE subject_id = $1 ORDER BY seq",
                params![c.id.to_string()],
            )
            .await
            .unwrap();
        let acts: Vec<String> = rows.iter().map(|r| r.text("action").unwrap()).collect();
        assert_eq!(acts.iter().filter(|a| a.ends_with("version.publish")).count(), 4, "{acts:?}");
        assert_eq!(acts[0], "catalogues.catalogue.create");
        let sql = "SELECT COUNT(*) AS n FROM kernel_journal WHERE kind = 'catalogues.version.published'";
        assert_eq!(k.db.query_one(sql, params![]).await.unwrap().int("n").unwrap(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_all_or_nothing_and_tells_before() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        catalogue(k, owner, "KHU", "Danh mục khu", true).await;
        let draft = drafted(k, "KHU", "2025-03-01", None, OLD).await;
        let given = |csv: &str| Given::from_csv(Kind::Shared, csv.as_bytes()).unwrap();
        let import = |csv: &'static str, dry| {
            let (given, cx) = (given(csv), cx(k));
            async move { actions::import(k, &cx, "KHU", 1, given, None, dry).await.unwrap() }
        };
        let changed = "code;name;parent;order\nA;Khu A;;\nA1;Khu Một;A;2\nC;Khu C;;\n";
        let seen = import(changed, true).await;
        assert_eq!(
            (seen.changes.added.len(), seen.changes.changed.len(), seen.changes.removed.len()),
            (1, 1, 2)
        );
        assert!(!seen.applied);
        assert_eq!(seen.version.revision, draft.revision, "a look changes nothing");
        let bad = import("code,name,parent\nA,Khu A,\nA,Lại,\nZ,Mồ côi,Q\n", false).await;
        assert_eq!(bad.refused.iter().map(|r| r.line).collect::<Vec<_>>(), [3, 4]);
        assert!(!bad.applied);
        assert_eq!(entries::all(&k.db, draft.id).await.unwrap().len(), 4, "nothing was written");
        let done = import(changed, false).await;
        assert!(done.applied && done.version.rows == 3 && done.version.revision == draft.revision + 1);
        let again = import(changed, false).await;
        assert!(!again.applied && again.changes.none(), "the same file changes nothing");
        let stale = actions::import(k, &cx(k), "KHU", 1, given(OLD), Some(draft.revision), false).await;
        assert!(matches!(stale, Err(Error::Conflict)));
        let stale = actions::publish(k, &cx(k), "KHU", 1, Some(draft.revision)).await;
        assert!(matches!(stale, Err(Error::Conflict)), "who approves has seen these rows");
        actions::publish(k, &cx(k), "KHU", 1, Some(done.version.revision)).await.unwrap();
        let late = actions::import(k, &cx(k), "KHU", 1, given(OLD), None, false).await;
        assert_eq!(refusal(late), "version-not-draft");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_one_at_a_time_with_the_rows_before() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        catalogue(k, owner, "KHU", "Danh mục khu", true).await;
        published(k, "KHU", "2025-03-01", None, OLD).await;
        let once = Once::new("k1", "draft KHU").unwrap();
        let outline = || outline("2025-07-01", None);
        let (made, before) = actions::draft(k, &cx(k), "KHU", outline(), true, Some(&once)).await.unwrap();
        let (same, again) = actions::draft(k, &cx(k), "KHU", outline(), true, Some(&once)).await.unwrap();
        assert!(!before && again && made.id == same.id && same.rows == 4, "{same:?}");
        let other = Once::new("k1", "draft another").unwrap();
        let reused = actions::draft(k, &cx(k), "KHU", outline(), true, Some(&other)).await;
        assert_eq!(refusal(reused), "idempotency-key-reused");
        assert_eq!(refusal(actions::draft(k, &cx(k), "KHU", outline(), true, None).await), "draft-open");
        assert_eq!(codes(k, "KHU", "2025-07-01").await.len(), 4, "a draft answers nothing");
        actions::discard(k, &cx(k), "KHU", made.number, None).await.unwrap();
        assert!(entries::all(&k.db, made.id).await.unwrap().is_empty());
        let gone = actions::discard(k, &cx(k), "KHU", 1, None).await;
        assert_eq!(refusal(gone), "version-not-draft");
        let (empty, _) = actions::draft(k, &cx(k), "KHU", outline(), false, None).await.unwrap();
        assert_eq!(refusal(actions::publish(k, &cx(k), "KHU", empty.number, None).await), "version-empty");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_codes_are_translated_or_the_reason_is_told() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        catalogue(k, owner, "KHU", "Danh mục khu", true).await;
        published(k, "KHU", "2025-03-01", None, OLD).await;
        published(k, "KHU", "2025-07-01", None, NEW).await;
        let ends = NewEnds {
            source: "KHU".into(),
            target: "KHU".into(),
            source_on: Some(day("2025-06-30")),
            target_on: None,
        };
        mapping(k, owner, "KHU-2025", ends).await;
        let pairs = "Mã cũ;Quan hệ;Mã mới;Lý do\nA;hẹp hơn;M;\nA1;chồng một phần;M;\nA1;chồng một phần;M1;\nB;không có;;bỏ\n";
        published(k, "KHU-2025", "2025-07-01", None, pairs).await;
        let c = questions::find(k, &cx(k), "KHU-2025").await.unwrap();
        let asked: Vec<String> = ["A", "A1", "A2", "B", "Q", ""].map(str::to_owned).to_vec();
        let (version, answers) =
            questions::translate(k, &c, &asked, day("2026-04-30"), false).await.unwrap();
        assert_eq!(version, Some(1));
        let outcomes: Vec<Outcome> = answers.iter().map(|a| a.outcome).collect();
        use Outcome::{NoCounterpart, NoVersion, Translated, UnknownCode, Unmapped};
        assert_eq!(
            outcomes,
            [Translated, Translated, Unmapped, NoCounterpart, UnknownCode, UnknownCode]
        );
        assert_eq!(answers[0].to[0].entry.as_ref().unwrap().name_vi, "Khu Mới");
        assert_eq!((answers[1].to.len(), answers[3].reason.as_str()), (2, "bỏ"));
        let (_, back) =
            questions::translate(k, &c, &["M".to_owned()], day("2025-07-01"), true).await.unwrap();
        let found: Vec<(&str, Relation)> =
            back[0].to.iter().map(|c| (c.code.as_str(), c.relation)).collect();
        assert_eq!(found, [("A", Relation::Broader), ("A1", Relation::Overlaps)]);
        let (none, early) =
            questions::translate(k, &c, &asked[..1], day("2025-06-30"), false).await.unwrap();
        assert_eq!((none, early[0].outcome), (None, NoVersion), "the mapping begins on 1 July");

        let whole = questions::completeness(k, &c, day("2025-07-01")).await.unwrap();
        assert_eq!((whole.source, whole.mapped, whole.none, whole.target), (4, 2, 1, 3));
        assert_eq!((whole.unmapped, whole.unreached), (vec!["A2".to_owned()], vec!["N".to_owned()]));
        assert!(whole.lost_target.is_empty());
        // The target list loses a code: the mapping is reported, not silently wrong.
        published(k, "KHU", "2026-04-30", None, "code,name\nM,Khu Mới\n").await;
        let later = questions::completeness(k, &c, day("2026-04-30")).await.unwrap();
        assert_eq!(later.lost_target, ["M1"]);
        assert_eq!(
            questions::completeness(k, &c, day("2026-04-29")).await.unwrap().lost_target,
            Vec::<String>::new()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_no_longer_fits_is_not_published() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        catalogue(k, owner, "TAI-CHO", "Danh mục tại chỗ", true).await;
        catalogue(k, owner, "CHUNG", "Danh mục chung", true).await;
        published(k, "TAI-CHO", "2025-01-01", None, "code,name\n1,Một\n2,Hai\n").await;
        published(k, "CHUNG", "2025-01-01", None, "code,name\nI,Một\nII,Hai\n").await;
        let ends = NewEnds { source: "TAI-CHO".into(), target: "CHUNG".into(), ..NewEnds::default() };
        mapping(k, owner, "TC-CHUNG", ends).await;
        let pairs = "source,relation,target\n1,equal,I\n2,equal,II\n";
        let draft = drafted(k, "TC-CHUNG", "2025-07-01", None, pairs).await;
        published(k, "CHUNG", "2025-07-01", None, "code,name\nI,Một\n").await;
        let stale = actions::publish(k, &cx(k), "TC-CHUNG", draft.number, None).await;
        assert_eq!(refusal(stale), "mapping-stale");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn diagnostics_name_what_has_ended_and_what_a_mapping_leaves_open() {
    on_both(&modules(), |t| async move {
        let k = &t.kernel;
        let check = async |name: &str| {
            let found = Catalogues.diagnose(k).await.into_iter().find(|f| f.check == name).unwrap();
            (found.ok, found.text.en)
        };
        assert!(check("catalogues.current").await.0 && check("catalogues.mappings").await.0);
        let all = Catalogues.diagnose(k).await;
        assert!(
            all.iter().all(|f| catalogues::ADVISORY.contains(&f.check)),
            "content does not decide readiness"
        );
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        catalogue(k, owner, "KHU", "Danh mục khu", true).await;
        published(k, "KHU", "2025-03-01", Some("2025-06-30"), OLD).await;
        let (ok, text) = check("catalogues.current").await;
        assert!(!ok && text.contains("KHU (30/06/2025)"), "{text}");
        published(k, "KHU", "2025-07-01", None, NEW).await;
        assert!(check("catalogues.current").await.0);
        catalogue(k, owner, "KHAC", "Danh mục khác", true).await;
        published(k, "KHAC", "2025-03-01", None, OLD).await;
        let ends = NewEnds { source: "KHU".into(), target: "KHAC".into(), ..NewEnds::default() };
        mapping(k, owner, "KHU-KHAC", ends).await;
        published(k, "KHU-KHAC", "2025-07-01", None, "source,relation,target\nM,equal,A\n").await;
        let (ok, text) = check("catalogues.mappings").await;
        assert!(!ok && text.contains("KHU-KHAC (2)"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_given_to_who_may_read() {
    crate::world::on_both(async |s| {
        let k = s.k();
        let stranger = kernel::Cx::stranger("t", kernel::i18n::Lang::Vi, k.clock.now());
        for (code, seen) in [("KHU", true), ("KHU-2025", true), ("NOI-BO", false), ("NHAP", false)] {
            let id: CatalogueId = questions::find(k, &cx(k), code).await.unwrap().id;
            let card = Catalogues.describe(k, &id.to_ref(), &stranger).await.unwrap();
            assert_eq!(card.map(|c| c.href), seen.then(|| format!("/catalogues/{code}")), "{code}");
        }
    })
    .await;
}
