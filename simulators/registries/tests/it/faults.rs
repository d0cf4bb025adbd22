//! Every fault as a well-behaved client meets it, and the bytes of those that such a client hides.

use std::time::Duration;

use registries::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{client, population_registry};

/// The whole connection's bytes for one request on a raw socket.
async fn raw(addr: std::net::SocketAddr, number: &str, fault: &str) -> Vec<u8> {
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let request = format!("GET /persons/{number} HTTP/1.1\r\nhost: x\r\nx-simulated-fault: {fault}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = vec![];
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut all)).await.unwrap().unwrap();
    all
}

fn split(all: &[u8]) -> (String, &[u8]) {
    let at = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    (String::from_utf8(all[..at].to_vec()).unwrap(), &all[at + 4..])
}

#[tokio::test]
async fn lies_about_length_are_on_the_wire_as_told() {
    let (running, people) = population_registry().await;
    let person = people.iter().next().unwrap();
    let body = serde_json::to_vec(person).unwrap();
    let ask = async |fault: &'static str| raw(running.addr, &person.so_dinh_danh, fault).await;

    let all = ask("too-short").await;
    let (head, rest) = split(&all);
    assert!(head.contains(&format!("content-length: {}", body.len() + 100)), "{head}");
    assert_eq!(rest, body);

    let all = ask("too-long").await;
    let (head, rest) = split(&all);
    assert!(head.contains(&format!("content-length: {}", body.len() / 2)), "{head}");
    assert_eq!(rest, body);

    let all = ask("two-lengths").await;
    assert_eq!(split(&all).0.matches("content-length").count(), 2);

    let all = ask("close-mid-body").await;
    let (head, rest) = split(&all);
    assert!(head.contains("chunked") && !rest.ends_with(b"0\r\n\r\n") && rest.len() < body.len());

    assert!(!ask("garbage").await.starts_with(b"HTTP"));
    assert!(ask("close-before-answer").await.is_empty());
    running.shutdown().await;
}

#[tokio::test]
async fn a_client_meets_the_fault_and_then_the_right_answer() {
    let (running, people) = population_registry().await;
    let url = format!("{}/persons/{}", running.base_url(), people.iter().next().unwrap().so_dinh_danh);
    for fault in [Fault::TooShort, Fault::TwoLengths, Fault::Garbage, Fault::CloseMidBody] {
        running.faults.next(1, fault);
        let broken = match client().get(&url).send().await {
            Ok(answer) => answer.bytes().await.is_err(),
            Err(_) => true,
        };
        assert!(broken, "{fault:?} was not noticed");
        assert_eq!(client().get(&url).send().await.unwrap().status(), 200, "after {fault:?}");
    }
    running.faults.next(1, Fault::Fail);
    assert_eq!(client().get(&url).send().await.unwrap().status(), 500);
    running.shutdown().await;
}

#[tokio::test]
async fn hanging_and_slow_answers_keep_the_connection_open() {
    let (running, people) = population_registry().await;
    let url = format!("{}/persons/{}", running.base_url(), people.iter().next().unwrap().so_dinh_danh);
    running.faults.always(Fault::Hang);
    let hanging = client().get(&url).timeout(Duration::from_millis(300)).send().await;
    assert!(hanging.unwrap_err().is_timeout());
    running.faults.always(Fault::Slow(Duration::from_millis(200)));
    let clock = base::clock::Stopwatch::start();
    assert_eq!(client().get(&url).send().await.unwrap().status(), 200);
    assert!(clock.elapsed() >= Duration::from_millis(200));
    // A hanging request must not keep the registry from stopping.
    running.faults.always(Fault::Hang);
    let waiting = tokio::spawn(client().get(&url).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::timeout(Duration::from_secs(5), running.shutdown()).await.unwrap();
    assert!(waiting.await.unwrap().is_err());
}
