//! A provider stops: who is on duty is told within moments, by a message that names the side; it is acknowledged by its
//! link; the provider is back, and whoever was told is told. The next day nobody takes it on: the second person is told.

use std::sync::Arc;
use std::time::Duration;

use registries::{Latency, Population, population};
use scenarios::extra_service::Consumer;
use scenarios::person::Arrived;
use scenarios::{Caller, Options, Person, Platform};
use serde_json::json;

const FIRST: &str = "truc-chinh@trinhdien.example";
const SECOND: &str = "truc-phu@trinhdien.example";
/// The provider of which the story tells; other alerts may come as the clock is moved.
const SYSTEM: &str = "Hệ thống nhận tải";
const SEED: u64 = 7;

/// Waits for a message about the provider to an address whose subject begins so, after those that were there.
async fn message(person: &Person, to: &str, begins: &str, after: usize) -> Arrived {
    for _ in 0..1_200 {
        let all = person.mailbox().await.unwrap();
        let is_it = |m: &Arrived| {
            m.to == to && m.channel == "email" && m.subject.starts_with(begins) && m.subject.contains(SYSTEM)
        };
        if let Some(found) = all.into_iter().skip(after).find(is_it) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no message `{begins}` for {to}: {:#?}", person.mailbox().await);
}

#[tokio::test]
async fn whoever_is_on_duty_is_told_that_a_provider_is_down_and_that_it_is_back() {
    let scratch = tempfile::tempdir().unwrap();
    let mut options = Options::new(&scratch.path().join("data")).unwrap();
    options.arguments = vec!["--rate".into(), "0".into()];
    let loopback = ([127, 0, 0, 1], 0).into();
    let people = Arc::new(Population::invent(SEED, 20, &[]));
    let provider = population::start(loopback, people.clone(), Latency::none(), SEED).await.unwrap();
    let platform = Platform::start(options.clone()).await.unwrap();
    let consumer = Consumer::of(&Caller::new(platform.contract()).await.unwrap()).await.unwrap();
    platform.stop().await.unwrap();
    consumer.register(&options.binary, &options.data, &provider.base_url()).await.unwrap();
    let platform = Platform::start(options.clone()).await.unwrap();
    let operator = Person::signed_in(platform.contract(), "operator").await.unwrap();

    let address = provider.addr;
    provider.shutdown().await;
    let down = message(&operator, FIRST, "[KHẨN]", 0).await;
    let text = down.text;
    for part in ["Đơn vị đo kiểm (minh họa)", "Việc cần làm:", &address.to_string()] {
        assert!(text.contains(part), "the side, the next step: {part}: {text}");
    }
    let link = text.split_whitespace().find(|w| w.contains("/upkeep/alerts/")).expect("a link to the alert");
    let alert = link.rsplit('/').next().unwrap();
    let path = format!("/api/upkeep/v1/alerts/{alert}/acknowledge");
    let taken = operator.post(&path, &json!({"note": "đang gọi"})).await.unwrap();
    assert!(taken.status().is_success(), "{}", taken.status());

    let provider = population::start(address, people.clone(), Latency::none(), SEED).await.unwrap();
    message(&operator, FIRST, "[ĐÃ HẾT]", 0).await;
    assert!(
        !operator.mailbox().await.unwrap().iter().any(|m| m.to == SECOND && m.subject.contains(SYSTEM)),
        "somebody had taken it on"
    );

    // Hours later the same again, and nobody takes it on.
    let clock = platform.contract().clock_path.clone();
    let moved = operator.post(&clock, &json!({"advance_seconds": 6 * 3_600})).await.unwrap();
    assert!(moved.status().is_success());
    let there = operator.mailbox().await.unwrap().len();
    provider.shutdown().await;
    message(&operator, FIRST, "[KHẨN]", there).await;
    let moved = operator.post(&clock, &json!({"advance_seconds": 11 * 60})).await.unwrap();
    assert!(moved.status().is_success());
    let second = message(&operator, SECOND, "[KHẨN]", there).await;
    assert!(second.text.contains("Đơn vị đo kiểm (minh họa)"), "{second:?}");
    platform.stop().await.unwrap();
}
