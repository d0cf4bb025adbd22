//! Alerts: told to the first, the second, everybody; over; restless; many at once; at night.

use kernel::alerts::{self, Severity};
use kernel::clock::{Date, Timestamp};
use kernel::i18n::Lang;
use kernel::identity::{Appointment, Holding, Period, people, posts};
use kernel::notices::Channel;
use kernel::{AppointmentId, Cx, Module, PersonId};
use notices::Duty;

use crate::{Desk, FIRST, SECOND};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_is_told_then_the_second_and_both_that_it_is_over() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        let raised = d.raise("a", Severity::Critical).await;
        let told = d.mails(FIRST, 1).await;
        assert_eq!(told[0].subject, "[KHẨN] Hệ thống mẫu a không trả lời");
        for part in ["Máy chủ của Sở Mẫu từ chối kết nối", "Gọi Sở Mẫu", "Một cửa tỉnh Mẫu", "http"]
        {
            assert!(told[0].text.contains(part), "{part}: {}", told[0].text);
        }
        assert!(d.mail.to(SECOND).is_empty());
        // What came back of it, as the page of the alert tells.
        let of = raised.to_ref();
        let mut known = vec![];
        for _ in 0..1_000 {
            known = d.module.told(d.k(), &of, &Cx::kernel("test", d.k().clock.now())).await.unwrap();
            if known.first().is_some_and(|t| t.arrived == Some(true)) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let [one] = &known[..] else { panic!("one was told: {known:?}") };
        assert_eq!((one.arrived, one.over.as_ref().map(|o| o.en.as_str())), (Some(true), Some("E-mail")));
        assert!(one.masked.contains('•') && !one.masked.contains(FIRST), "{one:?}");
        let reader = Cx::stranger("r", Lang::Vi, d.k().clock.now());
        assert!(d.module.told(d.k(), &of, &reader).await.unwrap().is_empty(), "not without the right");
        d.advance(11);
        let second = d.mails(SECOND, 1).await;
        assert_eq!(second[0].subject, told[0].subject);
        d.clear("a").await;
        for to in [FIRST, SECOND] {
            let over = d.mails(to, 2).await;
            assert!(over[1].subject.starts_with("[ĐÃ HẾT]"), "{over:?}");
        }
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_taken_on_goes_no_further() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        let id = d.raise("a", Severity::Critical).await;
        d.mails(FIRST, 1).await;
        let cx = Cx::kernel("test", d.k().clock.now());
        alerts::acknowledge(d.k(), &cx, id, "đang gọi").await.unwrap();
        d.count("SELECT COUNT(*) AS n FROM notices_case WHERE acknowledged_at IS NOT NULL", 1).await;
        d.advance(60);
        d.count("SELECT COUNT(*) AS n FROM kernel_job WHERE kind = 'notices.escalate' AND state = 'done'", 1)
            .await;
        assert!(d.mail.to(SECOND).is_empty());
        d.app.t.close().await;
    }
}

/// An operator.
async fn operator(d: &Desk, name: &str) -> PersonId {
    let k = d.k();
    let id = PersonId::new(&*k.clock, &*k.random);
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let at = k.clock.now();
    let new = people::NewPerson { id, username: name, full_name: "Trần Mẫu", password_hash: None, at };
    assert!(people::add(&mut tx, &new).await.unwrap());
    let appointment = Appointment {
        id: AppointmentId::new(&*k.clock, &*k.random),
        person: id,
        post: "Quản trị".into(),
        agency: None,
        field: None,
        holding: Holding::Substantive,
        period: Period { from: Date::new(2025, 7, 1).unwrap(), until: None },
        roles: vec!["operator".into()],
        ended_at: None,
    };
    posts::add(&mut tx, &appointment, at).await.unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_gap_every_operator_is_told_and_who_has_no_address_is_seen() {
    for backend in testkit::backends() {
        let d = Desk::bare(backend).await;
        let one = operator(&d, "mot").await;
        let _without = operator(&d, "hai").await;
        // The rota names somebody long ago; the address stays.
        let k = d.k();
        let addresses = vec![(one, Channel::Email, "mot@tinh.example".to_owned())];
        let duty = Duty { people: [one, d.second], addresses };
        notices::seed(k, &Cx::kernel("test", k.clock.now()), &duty).await.unwrap();
        d.advance(21 * 24 * 60);
        d.raise("a", Severity::Warning).await;
        d.mails("mot@tinh.example", 1).await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'unreached'", 1).await;
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_and_goes_is_told_once_as_such_and_then_when_it_keeps_still() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        d.raise("a", Severity::Critical).await;
        d.mails(FIRST, 1).await;
        d.clear("a").await;
        d.mails(FIRST, 2).await;
        for round in 0..20 {
            d.advance(1);
            d.raise("a", Severity::Critical).await;
            let sql = format!("SELECT COUNT(*) AS n FROM notices_case WHERE times = {}", round + 2);
            d.count(&sql, 1).await;
            d.advance(1);
            d.clear("a").await;
            d.count("SELECT COUNT(*) AS n FROM notices_case WHERE is_open = 0", 1).await;
        }
        let told = d.mails(FIRST, 3).await;
        assert!(told[2].subject.contains("Chập chờn"), "{told:?}");
        d.advance(16);
        let told = d.mails(FIRST, 4).await;
        assert!(told[3].subject.starts_with("[ĐÃ HẾT]"), "{told:?}");
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_become_one_message() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        let mut tx = d.k().begin(&Cx::kernel("test", d.k().clock.now())).await.unwrap();
        for n in 0..40 {
            tx.raise(&crate::alert(&format!("s{n}"), Severity::Critical)).await.unwrap();
        }
        tx.commit().await.unwrap();
        d.count("SELECT COUNT(*) AS n FROM notices_case", 40).await;
        d.advance(1);
        d.count("SELECT COUNT(*) AS n FROM notices_pending", 0).await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'waiting'", 0).await;
        let told = d.mail.to(FIRST);
        // How many came one by one depends on how fast this machine is; forty do not.
        assert!((2..20).contains(&told.len()), "{}", told.len());
        let together = told.iter().find(|t| t.subject.starts_with("Nhiều sự cố cùng lúc")).unwrap();
        assert!(together.text.contains("- [KHẨN] Hệ thống mẫu s"), "{together:?}");
        for alert in alerts::open(&d.k().db, 100).await.unwrap() {
            let cx = Cx::kernel("test", d.k().clock.now());
            let told = d.module.told(d.k(), &alert.id.to_ref(), &cx).await.unwrap();
            assert!(!told.is_empty(), "alone or together, each was told: {}", alert.key);
        }
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_wait_waits_for_the_morning_and_is_withdrawn_when_over() {
    for backend in testkit::backends() {
        let d = Desk::bare(backend).await;
        // 02:00 of the day after tomorrow, Vietnamese time.
        let night = d.k().clock.now().date().plus_days(2).unwrap();
        d.app.t.clock.set(Timestamp::from_micros(Timestamp::start_of(night).micros() + 2 * 3_600_000_000));
        let k = d.k();
        let addresses = vec![(d.first, Channel::Email, FIRST.to_owned())];
        let duty = Duty { people: [d.first, d.second], addresses };
        notices::seed(k, &Cx::kernel("test", k.clock.now()), &duty).await.unwrap();
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        let sql = "INSERT INTO notices_quiet (person, from_minute, until_minute) VALUES ($1, 1320, 390)";
        tx.execute(sql, kernel::params![d.first]).await.unwrap();
        tx.commit().await.unwrap();
        d.raise("over", Severity::Warning).await;
        d.raise("lasting", Severity::Warning).await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'waiting'", 2).await;
        d.raise("urgent", Severity::Critical).await;
        assert!(d.mails(FIRST, 1).await[0].subject.contains("urgent"));
        d.clear("over").await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'withdrawn'", 1).await;
        // The second person, who has no address and no quiet hours, is not the matter here.
        let until = Timestamp::from_micros(Timestamp::start_of(night).micros() + 391 * 60_000_000);
        d.app.t.clock.set(until);
        let told = d.mails(FIRST, 2).await;
        assert!(told[1].subject.contains("lasting"), "{told:?}");
        d.app.t.close().await;
    }
}
