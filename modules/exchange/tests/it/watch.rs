//! A provider that stops is told of within ten seconds, by name, cause and whom it hurts; one that comes back is cleared.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base::clock::{Stopwatch, SystemClock};
use exchange::health::Health;
use exchange::snapshot::{Contents, Snapshot};
use exchange::watch::{self, Calls, Cause, Lookups, Parts, Reached, Settings};
use kernel::Kernel;
use kernel::alerts::{self, Occurrence, Severity};
use rustls::pki_types::CertificateDer;
use testkit::on_both;
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use xroad::opmon::{Record, ServerType};

use crate::diagnose::parts;
use crate::gateway_rig::contents;
use crate::gateway_tls::{certificate_for, server};

const SERVICE: &str = "VN/GOV/H38/dan-cu/tra-cuu";

/// Accepts connections until it is dropped, as a provider's server does.
struct Provider(tokio::task::JoinHandle<()>);

impl Provider {
    async fn at(address: SocketAddr) -> (Self, SocketAddr) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        (Self(accepting), address)
    }

    async fn stop(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

fn trusting(certificate: Option<&CertificateDer<'static>>) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    certificate.into_iter().for_each(|c| roots.add(c.clone()).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

struct Watched {
    calls: Arc<Calls>,
    health: Arc<Health>,
    snapshot: exchange::snapshot::Current,
}

fn begin(k: &Kernel, contents: Contents, tls: TlsConnector) -> Watched {
    let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::compile(contents).unwrap()));
    let (health, calls) = (Arc::new(Health::new(k.clock.now())), Arc::new(Calls::default()));
    let watched =
        Watched { calls: Arc::clone(&calls), health: Arc::clone(&health), snapshot: Arc::clone(&snapshot) };
    let settings = Settings::default();
    let examining = Some(parts(Arc::new(SystemClock)));
    tokio::spawn(watch::run(k.clone(), Parts { settings, snapshot, health, calls, tls, examining }));
    watched
}

/// Waits until so many alerts are open; returns them, and how long that took.
async fn until(k: &Kernel, count: usize) -> (Vec<Occurrence>, Duration) {
    let watch = Stopwatch::start();
    loop {
        let open = alerts::open(&k.db, 10).await.unwrap();
        if open.len() == count {
            return (open, watch.elapsed());
        }
        assert!(watch.elapsed() < Duration::from_secs(60), "still {open:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn call(w: &Watched, k: &Kernel, status: u16, rule: Option<&str>) {
    let now = k.clock.now().millis();
    let mut record = Record::new(ServerType::Client, now, now);
    record.parties("VN/GOV/H38/mot-cua", SERVICE);
    (record.service_type, record.status_code) = (Some("REST".into()), Some(status));
    record.succeeded = rule.is_none() && status < 400;
    if let Some(rule) = rule {
        record.fault("server.serverproxy.service_failed", rule);
    }
    w.health.take(&record);
    w.calls.take(&record, || Some(SERVICE.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_stops_is_told_of_and_one_that_is_back_is_cleared() {
    on_both(&crate::world::modules(), async |t| {
        let k = &t.kernel;
        let (provider, address) = Provider::at(([127, 0, 0, 1], 0).into()).await;
        let w = begin(k, contents(address), trusting(None));
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(alerts::open(&k.db, 10).await.unwrap(), [], "all is well");

        // What succeeded before says nothing of what comes after.
        call(&w, k, 200, None);
        provider.stop().await;
        let (open, _) = until(k, 1).await;
        let a = &open[0];
        assert_eq!(a.key, format!("exchange.provider.down:VN/GOV/H38/dan-cu@{address}"));
        assert_eq!(a.severity, Severity::Critical);
        assert!(a.title.vi.contains("Hệ thống cung cấp Dân cư không trả lời"), "{}", a.title.vi);
        for part in
            ["Dân cư (Tỉnh)", &address.to_string(), "từ chối kết nối", "Bên khai thác bị ảnh hưởng: Một cửa"]
        {
            assert!(a.cause.vi.contains(part), "{part}: {}", a.cause.vi);
        }
        assert!(a.cause.en.contains("the connection is refused") && !a.todo.en.is_empty());
        assert_eq!(a.affected.len(), 1, "the other system has no agreement");
        // A moment later the alert says whose side it is, as the page of the examination does.
        let verdict = loop {
            let open = alerts::open(&k.db, 10).await.unwrap();
            if open[0].cause.vi.contains("Kiểm tra từng bước kết luận – Bên cung cấp: máy chủ")
            {
                break open[0].clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(verdict.todo.vi.contains("khởi động lại dịch vụ"), "{}", verdict.todo.vi);
        let row = k.db.query_one("SELECT fault FROM exchange_diagnosis", vec![]).await.unwrap();
        assert_eq!(row.text("fault").unwrap(), "refused", "and the run is kept");
        // How soon is told by two moments of the same clock, not by how busy the machine is.
        assert!(a.seen_at.since(a.since) < Duration::from_secs(10));

        let (back, _) = Provider::at(address).await;
        until(k, 0).await;
        let over = alerts::cleared(&k.db, None, 10).await.unwrap();
        assert_eq!(over.len(), 1);
        back.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_tell_what_a_connection_cannot_and_a_service_out_of_the_registry_is_forgotten() {
    on_both(&crate::world::modules(), async |t| {
        let k = &t.kernel;
        let (provider, address) = Provider::at(([127, 0, 0, 1], 0).into()).await;
        let w = begin(k, contents(address), trusting(None));
        for _ in 0..3 {
            call(&w, k, 500, Some("provider-garbage"));
        }
        let (open, _) = until(k, 1).await;
        assert_eq!(open[0].key, format!("exchange.service.failing:{SERVICE}"));
        assert!(open[0].cause.vi.contains("không phải HTTP"), "{}", open[0].cause.vi);
        call(&w, k, 200, None);
        until(k, 0).await;

        for _ in 0..3 {
            call(&w, k, 503, None);
        }
        until(k, 1).await;
        let mut without = contents(address);
        without.serial += 1;
        without.services.retain(|s| s.code != "tra-cuu");
        without.agreements.retain(|a| a.number != "CT-40");
        w.snapshot.store(Arc::new(Snapshot::compile(without).unwrap()));
        until(k, 0).await;
        provider.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_process_raised_is_cleared_when_it_is_well() {
    on_both(&crate::world::modules(), async |t| {
        let k = &t.kernel;
        let (provider, address) = Provider::at(([127, 0, 0, 1], 0).into()).await;
        let mut tx = k.begin(&kernel::Cx::kernel("test", k.clock.now())).await.unwrap();
        let text = || kernel::i18n::Text::both(|_| "x");
        for key in [format!("exchange.provider.down:VN/GOV/H38/dan-cu@{address}"), "other:1".into()] {
            let alert = alerts::Alert {
                key,
                severity: Severity::Critical,
                title: text(),
                cause: text(),
                todo: text(),
                affected: vec![],
                since: None,
            };
            tx.raise(&alert).await.unwrap();
        }
        tx.commit().await.unwrap();
        begin(k, contents(address), trusting(None));
        let (left, _) = until(k, 1).await;
        assert_eq!(left[0].key, "other:1", "what others raised is theirs");
        provider.stop().await;
    })
    .await;
}

/// A TLS server with this certificate; what it does with connections is of no interest.
async fn secure(address: [u8; 4], until: &str) -> (SocketAddr, CertificateDer<'static>) {
    let (certificate, key) = certificate_for(address, until);
    let acceptor = TlsAcceptor::from(server(&certificate, &key));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { drop(acceptor.accept(tcp).await) });
        }
    });
    (at, certificate)
}

#[tokio::test]
async fn each_fault_of_a_certificate_has_its_name() {
    const LONG: &str = "20991231235959Z";
    const HOST: [u8; 4] = [127, 0, 0, 1];
    let lookups = Lookups::default();
    let look = async |at: SocketAddr, tls: &TlsConnector| {
        watch::look(&format!("https://{at}").parse().unwrap(), Some(tls), &lookups).await
    };
    let (at, certificate) = secure(HOST, LONG).await;
    let end = kernel::certificate::not_after(&certificate);
    assert!(end.is_some());
    assert_eq!(look(at, &trusting(Some(&certificate))).await, Ok(Reached { certificate_ends: end }));
    assert_eq!(look(at, &trusting(None)).await, Err(Cause::CertificateUntrusted));
    let (at, certificate) = secure(HOST, "20200201000000Z").await;
    assert_eq!(look(at, &trusting(Some(&certificate))).await, Err(Cause::CertificateExpired));
    let (at, certificate) = secure([10, 0, 0, 9], LONG).await;
    assert_eq!(look(at, &trusting(Some(&certificate))).await, Err(Cause::CertificateName));
    let (plain, at) = Provider::at(([127, 0, 0, 1], 0).into()).await;
    assert_eq!(look(at, &trusting(None)).await, Err(Cause::NoTls));
    plain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ends_soon_is_told_of_before_it_hurts() {
    let backend = testkit::backends()[0];
    let t = testkit::TestKernel::new(backend, &[]).await;
    let k = &t.kernel;
    let (at, certificate) = secure([127, 0, 0, 1], "20991231235959Z").await;
    // Nine days before its end by the platform's clock; the library that trusts it keeps the machine's.
    let end = kernel::certificate::not_after(&certificate).unwrap();
    t.clock.set(end.minus(Duration::from_secs(9 * 86_400)));
    let mut contents = contents(at);
    contents.services.iter_mut().for_each(|s| s.base_url = format!("https://{at}").parse().unwrap());
    begin(k, contents, trusting(Some(&certificate)));
    let (open, _) = until(k, 1).await;
    assert_eq!(open[0].key, format!("exchange.certificate.ending:https://{at}"));
    assert_eq!(open[0].severity, Severity::Warning);
    t.close().await;
}
