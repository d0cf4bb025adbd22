//! Bodies far larger than memory should hold pass both ways, with back-pressure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use evidence::{Body, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway_rig::*;

const PIECE: usize = 256 * 1024;
const PIECES: usize = 256;
const TOTAL: u64 = (PIECE * PIECES) as u64;

#[tokio::test]
async fn a_large_body_passes_up_and_down() {
    let provider = provider(|mut stream| async move {
        let mut buf = vec![0; PIECE];
        let mut got = 0;
        while got < TOTAL {
            got += stream.read(&mut buf).await.unwrap() as u64;
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {TOTAL}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..PIECES {
            stream.write_all(&vec![b'd'; PIECE]).await.unwrap();
        }
    })
    .await;
    let mut contents = contents(provider);
    contents.services[0].timeout_ms = 20_000;
    let rig = Rig::with(contents, exchange::gateway::Policy::default()).await;
    let stream = TcpStream::connect(rig.address).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let sending = tokio::spawn(async move {
        let head = format!("POST {SERVICE} HTTP/1.1\r\n{}Content-Length: {TOTAL}\r\n\r\n", usual_headers());
        writing.write_all(head.as_bytes()).await.unwrap();
        let piece = vec![b'u'; PIECE];
        for _ in 0..PIECES {
            writing.write_all(&piece).await.unwrap();
        }
        writing
    });
    let (answer, rest) = read_head(&mut reading).await.unwrap();
    assert_eq!(answer.status, 200);
    let mut received = rest.len() as u64;
    let mut buf = vec![0; PIECE];
    while received < TOTAL {
        let n = reading.read(&mut buf).await.unwrap();
        assert!(n > 0);
        received += n as u64;
    }
    sending.await.unwrap();
    let closed = rig.ledger.only().await;
    assert_eq!((closed.outcome, closed.response.unwrap().size), (Outcome::Answered, TOTAL));
    assert_eq!((closed.request.body, closed.request.size), (Body::Complete, TOTAL));
}

#[tokio::test]
async fn a_slow_consumer_slows_its_provider_down() {
    let sent = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&sent);
    let provider = provider(move |mut stream| {
        let counting = Arc::clone(&counting);
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await.unwrap();
            while let Ok(n) = stream.write(&[b'x'; 65_536]).await {
                counting.fetch_add(n as u64, Ordering::Relaxed);
            }
        }
    })
    .await;
    let rig = Rig::new(provider).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    read_head(&mut stream).await.unwrap();
    // Nothing more is read: what is under way fits in socket buffers and a few hundred kilobytes of ours.
    let mut before = u64::MAX;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = sent.load(Ordering::Relaxed);
        if now == before {
            break;
        }
        before = now;
    }
    assert!(before < 30_000_000, "{before} bytes were taken from the provider");
}

#[tokio::test]
async fn a_slow_provider_slows_its_consumer_down() {
    let provider = provider(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let rig = Rig::new(provider).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let head = format!("POST {SERVICE} HTTP/1.1\r\n{}Content-Length: 1000000000\r\n\r\n", usual_headers());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut sent = 0_u64;
    while let Ok(Ok(n)) =
        tokio::time::timeout(Duration::from_millis(200), stream.write(&[b'x'; 65_536])).await
    {
        sent += n as u64;
        assert!(sent < 30_000_000, "the gateway takes what its provider does not");
    }
}
