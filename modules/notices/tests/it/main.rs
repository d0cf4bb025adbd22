//! Who is told what, when, and whether it arrived: through the front door and the kernel's facts, on every backend.

#![allow(clippy::unwrap_used)] // helpers of tests

mod alerts;
mod coverage;
mod delivery;
mod desk;
mod ways;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kernel::alerts::{Affected, Alert, AlertId, Severity};
use kernel::i18n::Text;
use kernel::notices::{Channel, Failure, Gateway, Outgoing, Receipt, Standing};
use kernel::{Cx, Kernel, Module, PersonId, Ref};
use notices::{Duty, Notices};
use testkit::{App, TestKernel};

/// A message as a gateway was handed it.
#[derive(Debug, Clone)]
pub(crate) struct Handed {
    pub key: String,
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// A gateway that keeps what it is handed and fails when told to.
pub(crate) struct Gate {
    channel: Channel,
    handed: Mutex<Vec<Handed>>,
    failures: Mutex<VecDeque<Failure>>,
}

impl Gate {
    pub fn fail(&self, failure: Failure) {
        self.failures.lock().unwrap().push_back(failure);
    }

    pub fn handed(&self) -> Vec<Handed> {
        self.handed.lock().unwrap().clone()
    }

    pub fn to(&self, address: &str) -> Vec<Handed> {
        self.handed().into_iter().filter(|h| h.to == address).collect()
    }
}

#[async_trait]
impl Gateway for Gate {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn standing(&self) -> Standing {
        Standing { host: "gate.example:25".into(), encrypted: true }
    }

    async fn send(&self, m: Outgoing<'_>) -> Result<Receipt, Failure> {
        if let Some(failure) = self.failures.lock().unwrap().pop_front() {
            return Err(failure);
        }
        let (key, to) = (m.key.to_owned(), m.to.to_owned());
        let handed = Handed { key, to, subject: m.subject.to_owned(), text: m.text.to_owned() };
        self.handed.lock().unwrap().push(handed);
        Ok(Receipt { reference: Some(format!("ref-{}", m.key)) })
    }

    async fn reach(&self) -> Result<(), String> {
        Ok(())
    }

    fn proves(&self, secret: &[u8]) -> bool {
        secret == b"bi-mat"
    }
}

/// The site with its gateways.
pub(crate) struct Desk {
    pub app: App,
    pub module: Arc<Notices>,
    pub mail: Arc<Gate>,
    pub sms: Arc<Gate>,
    pub first: PersonId,
    pub second: PersonId,
}

pub(crate) const FIRST: &str = "truc-chinh@tinh.example";
pub(crate) const SECOND: &str = "truc-phu@tinh.example";

impl Desk {
    /// With two people on duty for this week and the next.
    pub async fn new(backend: &'static str) -> Self {
        let desk = Self::bare(backend).await;
        let k = &desk.app.t.kernel;
        let addresses = vec![
            (desk.first, Channel::Email, FIRST.to_owned()),
            (desk.second, Channel::Email, SECOND.to_owned()),
        ];
        let duty = Duty { people: [desk.first, desk.second], addresses };
        notices::seed(k, &Cx::kernel("test", k.clock.now()), &duty).await.unwrap();
        desk
    }

    /// With nobody on duty.
    pub async fn bare(backend: &'static str) -> Self {
        let t = TestKernel::unmigrated(backend).await;
        let gate = |channel| Arc::new(Gate { channel, handed: Mutex::default(), failures: Mutex::default() });
        let (mail, sms) = (gate(Channel::Email), gate(Channel::Sms));
        let gateways: Vec<Arc<dyn Gateway>> = vec![mail.clone(), sms.clone()];
        let module = Arc::new(Notices::new(&t.kernel, gateways, Arc::default()).unwrap());
        t.kernel.migrate(&[module.clone() as Arc<dyn Module>]).await.unwrap();
        let (first, second) = (person(&t.kernel), person(&t.kernel));
        let app = App::on(Arc::new(t), vec![module.clone()]).await;
        Self { app, module, mail, sms, first, second }
    }

    pub fn k(&self) -> &Kernel {
        &self.app.t.kernel
    }

    pub fn advance(&self, minutes: u64) {
        self.app.t.clock.advance(Duration::from_secs(minutes * 60));
    }

    pub async fn raise(&self, key: &str, severity: Severity) -> AlertId {
        let mut tx = self.k().begin(&Cx::kernel("test", self.k().clock.now())).await.unwrap();
        let id = tx.raise(&alert(key, severity)).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub async fn clear(&self, key: &str) {
        let mut tx = self.k().begin(&Cx::kernel("test", self.k().clock.now())).await.unwrap();
        assert!(tx.clear(key).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// Waits until so many messages have gone to an address; there must never be more.
    pub async fn mails(&self, to: &str, count: usize) -> Vec<Handed> {
        for _ in 0..600 {
            let found = self.mail.to(to);
            assert!(found.len() <= count, "{found:#?}");
            if found.len() == count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{count} messages to {to} expected: {:#?}", self.mail.handed());
    }

    /// Waits until a query gives this number.
    pub async fn count(&self, sql: &str, wanted: i64) {
        let mut last = -1;
        for _ in 0..600 {
            last = self.k().db.query_one(sql, vec![]).await.unwrap().int("n").unwrap();
            if last == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{sql} gives {last}, not {wanted}");
    }
}

fn person(k: &Kernel) -> PersonId {
    PersonId::new(&*k.clock, &*k.random)
}

pub(crate) fn alert(key: &str, severity: Severity) -> Alert {
    let both = |vi: &str, en: &str| Text { vi: vi.to_owned(), en: en.to_owned() };
    Alert {
        key: key.to_owned(),
        severity,
        title: both(&format!("Hệ thống mẫu {key} không trả lời"), "The sample system does not answer"),
        cause: both("Máy chủ của Sở Mẫu từ chối kết nối", "The host of the sample body refuses"),
        todo: both("Gọi Sở Mẫu", "Call the sample body"),
        affected: vec![Affected { of: Ref::new("x", "1"), name: "Một cửa tỉnh Mẫu".into() }],
        since: None,
    }
}
