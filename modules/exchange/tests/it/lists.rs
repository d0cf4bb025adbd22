//! Lists and counts with the reader's rights: a stranger, a neighbour, a former holder and a successor.

use base::clock::Date;
use base::error::Error;
use exchange::actions;
use exchange::agreement::{Approval, State};
use exchange::ids::AgreementId;
use exchange::store::lists::{self, AgreementFilter, CatalogueFilter};
use exchange::viewer::Viewer;
use kernel::orgs::{AgencyKind, Merger, NewAgency};
use kernel::{Cx, Kernel, Module};
use testkit::on_both;

use crate::world::{
    NUMBER, World, agreement, auditor, modules, officer, operator, reader, sample, system, today,
};

const ALL: CatalogueFilter = CatalogueFilter {
    search: String::new(),
    member: None,
    subsystem: None,
    reach: None,
    at: None,
    after: None,
    limit: 100,
};

/// What a reader sees: members, subsystems, services, agreements, and the same by counting.
async fn sees(k: &Kernel, cx: &Cx) -> [usize; 4] {
    let viewer = Viewer::of(k, cx).await.unwrap();
    let day = today(k);
    let filter = AgreementFilter { limit: 100, ..AgreementFilter::default() };
    let listed = [
        lists::members(&k.db, &viewer, &ALL).await.unwrap().len(),
        lists::subsystems(&k.db, &viewer, &ALL).await.unwrap().len(),
        lists::services(&k.db, &viewer, &ALL).await.unwrap().len(),
        lists::agreements(&k.db, &viewer, day, &filter).await.unwrap().len(),
    ];
    let totals = lists::totals(&k.db, &viewer).await.unwrap();
    let counted = lists::agreement_counts(&k.db, &viewer, day, &filter).await.unwrap();
    let counted: i64 = counted.iter().map(|(_, n)| n).sum();
    assert_eq!(
        listed.map(|n| n as i64),
        [totals.members, totals.subsystems, totals.services, counted],
        "lists and counts agree"
    );
    listed
}

#[tokio::test]
async fn everyone_sees_their_part_and_no_more() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        assert_eq!(sees(k, &operator(k)).await, [2, 2, 2, 1]);
        assert_eq!(sees(k, &auditor(k)).await, [2, 2, 2, 1]);
        assert_eq!(sees(k, &reader(k, &[w.provider])).await, [1, 1, 2, 1]);
        assert_eq!(sees(k, &reader(k, &[w.consumer])).await, [1, 1, 1, 1], "the service it has asked for");
        assert_eq!(sees(k, &reader(k, &[w.neighbour])).await, [0, 0, 0, 0]);
        assert_eq!(sees(k, &system(k, "VN/GOV/H38/motcua")).await, [1, 1, 1, 1]);
        assert_eq!(sees(k, &system(k, "VN/GOV/C06/dancu")).await, [1, 1, 2, 1]);
        let stranger = Cx::stranger("t", Default::default(), k.clock.now());
        assert!(matches!(Viewer::of(k, &stranger).await, Err(Error::SignIn)));
        for path in ["VN/GOV/H38/khac", "EE/GOV/H38/motcua", "x", "VN/GOV/H38/motcua/tra-cuu"] {
            assert!(matches!(Viewer::of(k, &system(k, path)).await, Err(Error::Denied { .. })), "{path}");
        }
        let mut former = reader(k, &[w.provider]);
        let mut ended = (*former.grants).clone();
        ended.0.iter_mut().for_each(|g| g.valid_to = Some(former.at));
        former.grants = std::sync::Arc::new(ended);
        assert!(matches!(Viewer::of(k, &former).await, Err(Error::Denied { .. })));
    })
    .await;
}

#[tokio::test]
async fn single_things_and_cards_follow_the_same_rights() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let id = agreement(k, NUMBER).await;
        let module = exchange::Exchange::new(Default::default());
        let shown = async |cx: &Cx| {
            let card = module.describe(k, &id.to_ref(), cx).await.unwrap();
            let viewer = Viewer::of(k, cx).await;
            let row = match &viewer {
                Ok(v) => lists::agreement_row(&k.db, v, today(k), id).await.unwrap().is_some(),
                Err(_) => false,
            };
            assert_eq!(card.is_some(), row);
            row
        };
        assert!(shown(&reader(k, &[w.consumer])).await && shown(&operator(k)).await);
        assert!(!shown(&reader(k, &[w.neighbour])).await);
        assert!(!shown(&Cx::stranger("t", Default::default(), k.clock.now())).await);
        let unknown = AgreementId::new(&*k.clock, &*k.random);
        assert!(module.describe(k, &unknown.to_ref(), &operator(k)).await.unwrap().is_none());
        assert!(
            module.describe(k, &kernel::Ref::new("exchange.agreement", "x"), &operator(k)).await.is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn the_successor_of_a_merger_sees_and_decides() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let on = Date::new(2026, 4, 30).unwrap();
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        let merger = Merger {
            predecessors: vec![w.provider, w.neighbour],
            into: NewAgency {
                kind: AgencyKind::Department,
                full_name: "Sở hợp nhất (thử nghiệm)".into(),
                code: Some("H38.09".into()),
                parent: None,
                act: None,
            },
            transfers: true,
        };
        let merged = tx.merge_agencies(&merger, on).await.unwrap();
        tx.commit().await.unwrap();
        // What the kernel's rights make of an appointment at the new agency: itself and what was transferred.
        let mut units = vec![merged];
        units.extend(k.orgs().transferred_to(&[merged], today(k)).await.unwrap());
        assert!(units.contains(&w.provider));
        let (successor, id) = (officer(k, &units), agreement(k, NUMBER).await);
        assert_eq!(sees(k, &successor).await, [1, 1, 2, 1]);
        actions::approve_agreement(k, &successor, id, Approval::default()).await.unwrap();
        let alone = officer(k, &[merged]);
        assert!(
            matches!(actions::resume_agreement(k, &alone, id).await, Err(Error::NotFound { .. })),
            "without the transfer it would be nobody's"
        );
    })
    .await;
}

#[tokio::test]
async fn lists_continue_search_and_filter() {
    on_both(&modules(), async |t| {
        let (k, _) = (&t.kernel, World::new(&t).await);
        let viewer = Viewer::of(k, &operator(k)).await.unwrap();
        let mut seen = Vec::new();
        let mut filter = CatalogueFilter { limit: 1, ..ALL };
        while let Some(row) = lists::services(&k.db, &viewer, &filter).await.unwrap().pop() {
            filter.after = Some(row.id.to_string());
            seen.push(row.name);
        }
        assert_eq!(seen, ["Biến động dân cư", "Tra cứu thông tin công dân"], "B before T, each once");
        let find = async |words: &str| {
            let filter = CatalogueFilter { search: words.into(), ..ALL };
            lists::services(&k.db, &viewer, &filter).await.unwrap().len()
        };
        assert_eq!(
            (find("tra cuu").await, find("TRA-CUU").await, find("biến dân").await, find("%").await),
            (1, 1, 1, 0)
        );
        let day = today(k);
        let count = async |state, day| {
            let filter = AgreementFilter { state: Some(state), limit: 10, ..AgreementFilter::default() };
            lists::agreements(&k.db, &viewer, day, &filter).await.unwrap().len()
        };
        assert_eq!((count(State::Waiting, day).await, count(State::Approved, day).await), (1, 0));
        let id = agreement(k, NUMBER).await;
        let w =
            lists::agreement_row(&k.db, &viewer, day, id).await.unwrap().unwrap().provider_agency.unwrap();
        actions::approve_agreement(k, &officer(k, &[w]), id, Approval::default()).await.unwrap();
        let after = Date::new(2028, 1, 1).unwrap();
        assert_eq!(
            (count(State::Approved, day).await, count(State::Expired, after).await),
            (1, 1),
            "before the sweep too"
        );
    })
    .await;
}

#[tokio::test]
async fn agreements_continue_where_the_list_ended() {
    on_both(&modules(), async |t| {
        let (k, _) = (&t.kernel, World::new(&t).await);
        let mut file = sample();
        for n in 0..7 {
            let mut spec = file.agreements[NUMBER].clone();
            spec.purpose = format!("Mục đích số {n}");
            file.agreements.insert(format!("CT-{n}"), spec);
        }
        actions::import_registry(k, &operator(k), &file).await.unwrap();
        let viewer = Viewer::of(k, &operator(k)).await.unwrap();
        let mut numbers = Vec::new();
        let mut filter = AgreementFilter { limit: 3, ..AgreementFilter::default() };
        loop {
            let page = lists::agreements(&k.db, &viewer, today(k), &filter).await.unwrap();
            let Some(last) = page.last() else { break };
            let after = lists::After { at: last.changed_at, id: last.id };
            assert_eq!(after.to_string().parse(), Ok(after));
            filter.after = Some(after);
            numbers.extend(page.into_iter().map(|a| a.number));
        }
        numbers.sort();
        assert_eq!(numbers.len(), 8, "{numbers:?}");
        numbers.dedup();
        assert_eq!(numbers.len(), 8, "each once");
    })
    .await;
}
