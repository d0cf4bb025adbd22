//! The two days on which the province changed, 1 July 2025 and 30 April 2026: who sees and decides what the day before
//! and on the day, and which agreement stands behind a call.

use std::sync::Arc;
use std::time::Duration;

use base::clock::{Date, Timestamp};
use base::error::Error;
use exchange::actions;
use exchange::agreement::{Approval, Reason, State};
use exchange::store::lists::{self, AgreementFilter};
use exchange::store::snapshot::compile;
use exchange::viewer::Viewer;
use kernel::orgs::{AgencyKind, Merger, NewAgency, UnitId};
use kernel::{Cx, Kernel};
use testkit::{TestKernel, on_both, rights};

use crate::world::{NUMBER, agency, agreement, modules, operator, reader, sample};

/// The last second of the day before in Vietnam, and the first moment of the day.
fn around(day: &str) -> [Timestamp; 2] {
    let first = Timestamp::start_of(date(day));
    [first.minus(Duration::from_secs(1)), first]
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

async fn merged(k: &Kernel, old: UnitId, name: &str, on: &str) -> UnitId {
    let merger = Merger {
        predecessors: vec![old],
        into: NewAgency {
            kind: AgencyKind::Department,
            full_name: name.into(),
            // The code goes on to the successor, as nearly all codes did.
            code: Some("H38.02".into()),
            parent: None,
            act: None,
        },
        transfers: true,
    };
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let unit = tx.merge_agencies(&merger, date(on)).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

/// The provider's agency and its two successors, each with the first and last day of its officer's appointment.
struct Provider {
    posts: [(UnitId, &'static str, Option<&'static str>); 3],
}

impl Provider {
    async fn new(t: &TestKernel) -> Self {
        t.clock.set(Timestamp::start_of(date("2025-05-15")));
        let k = &t.kernel;
        agency(k, "Sở Nội vụ (thử nghiệm)", "H38.01").await;
        let first = agency(k, "Sở Khoa học và Công nghệ (thử nghiệm)", "H38.02").await;
        actions::import_registry(k, &operator(k), &sample()).await.unwrap();
        let second = merged(k, first, "Sở Khoa học hợp nhất (thử nghiệm)", "2025-07-01").await;
        let third = merged(k, second, "Sở Số (thử nghiệm)", "2026-04-30").await;
        let posts = [
            (first, "2025-01-01", Some("2025-06-30")),
            (second, "2025-07-01", Some("2026-04-29")),
            (third, "2026-04-30", None),
        ];
        Self { posts }
    }

    /// The officer of one of the three agencies, as of this moment.
    async fn officer(&self, k: &Kernel, n: usize) -> Cx {
        let (unit, from, until) = self.posts[n];
        let mut cx = reader(k, &[unit]);
        cx.grants = Arc::new(rights(k, "provider-officer", unit, date(from), until.map(date)).await);
        cx
    }

    /// Which of the three officers see the agreement now.
    async fn see(&self, k: &Kernel) -> Vec<usize> {
        let mut seeing = Vec::new();
        for n in 0..self.posts.len() {
            let Ok(viewer) = Viewer::of(k, &self.officer(k, n).await).await else { continue };
            let filter = AgreementFilter { limit: 10, ..AgreementFilter::default() };
            let today = k.clock.now().date();
            if !lists::agreements(&k.db, &viewer, today, &filter).await.unwrap().is_empty() {
                seeing.push(n);
            }
        }
        seeing
    }
}

#[tokio::test]
async fn the_officer_of_the_day_sees_and_no_other() {
    on_both(&modules(), async |t| {
        let (k, p) = (&t.kernel, Provider::new(&t).await);
        let [before, on] = around("2025-07-01");
        let [last, then] = around("2026-04-30");
        for (moment, seeing) in [(before, 0), (on, 1), (last, 1), (then, 2)] {
            t.clock.set(moment);
            assert_eq!(p.see(k).await, [seeing], "{moment:?}");
        }
        // The file names the code; on this day it is the third agency's.
        actions::import_registry(k, &operator(k), &sample()).await.unwrap();
        assert_eq!(p.see(k).await, [2], "also after the file was entered again");
    })
    .await;
}

#[tokio::test]
async fn decisions_pass_on_with_the_function() {
    on_both(&modules(), async |t| {
        let (k, p) = (&t.kernel, Provider::new(&t).await);
        let id = agreement(k, NUMBER).await;
        let [before, on] = around("2025-07-01");
        t.clock.set(before);
        let early = actions::approve_agreement(k, &p.officer(k, 1).await, id, Approval::default()).await;
        assert!(matches!(early, Err(Error::NotFound { .. })), "{early:?}");
        t.clock.set(on);
        let late = actions::approve_agreement(k, &p.officer(k, 0).await, id, Approval::default()).await;
        assert!(matches!(late, Err(Error::NotFound { .. })), "{late:?}");
        actions::approve_agreement(k, &p.officer(k, 1).await, id, Approval::default()).await.unwrap();
        let [last, then] = around("2026-04-30");
        let reason = || Reason::new("Rà soát sau sắp xếp").unwrap();
        t.clock.set(last);
        let early = actions::suspend_agreement(k, &p.officer(k, 2).await, id, reason()).await;
        assert!(matches!(early, Err(Error::NotFound { .. })), "{early:?}");
        t.clock.set(then);
        actions::suspend_agreement(k, &p.officer(k, 2).await, id, reason()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_agreement_of_the_day_stands_behind_a_call() {
    on_both(&modules(), async |t| {
        t.clock.set(Timestamp::start_of(date("2025-05-15")));
        let k = &t.kernel;
        agency(k, "Sở Nội vụ (thử nghiệm)", "H38.01").await;
        let provider = agency(k, "Sở Khoa học và Công nghệ (thử nghiệm)", "H38.02").await;
        let mut file = sample();
        let spec = file.agreements.remove(NUMBER).unwrap();
        let periods = [
            ("CT-1", "2025-01-01", "2025-06-30"),
            ("CT-2", "2025-07-01", "2026-04-29"),
            ("CT-3", "2026-04-30", "2026-12-31"),
        ];
        for (number, from, to) in periods {
            let mut spec = spec.clone();
            (spec.valid_from, spec.valid_to) = (date(from), date(to));
            file.agreements.insert(number.into(), spec);
        }
        actions::import_registry(k, &operator(k), &file).await.unwrap();
        let officer = crate::world::officer(k, &[provider]);
        for (number, ..) in periods {
            let id = agreement(k, number).await;
            actions::approve_agreement(k, &officer, id, Approval::default()).await.unwrap();
        }
        let [before, on] = around("2025-07-01");
        let [last, then] = around("2026-04-30");
        for (moment, number) in [(before, "CT-1"), (on, "CT-2"), (last, "CT-2"), (then, "CT-3")] {
            t.clock.set(moment);
            let snapshot = compile(k, "VN", Duration::from_secs(86_400)).await.unwrap();
            let consumer = snapshot.consumer("VN/GOV/H38/motcua").unwrap();
            let service = snapshot.service("VN/GOV/C06/dancu/tra-cuu").unwrap();
            let decided = snapshot.decide(consumer, service, "GET", "/cong-dan/1", None, moment).unwrap();
            assert_eq!(decided.number, number, "{moment:?}");
            let viewer = Viewer::of(k, &operator(k)).await.unwrap();
            let filter =
                AgreementFilter { state: Some(State::Expired), limit: 10, ..AgreementFilter::default() };
            let expired = lists::agreements(&k.db, &viewer, moment.date(), &filter).await.unwrap().len();
            let past = periods.iter().position(|(n, ..)| *n == number).unwrap();
            assert_eq!(expired, past, "{moment:?}: lists say the same");
        }
    })
    .await;
}
