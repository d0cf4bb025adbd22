//! A mailbox of its own for demonstration and tests: a mail server (RFC 5321), a gateway of text messages that reports
//! deliveries, and a receiver of chat messages, each a real server on this machine. Knows no gateway's types: what it
//! takes in is read from the wire.

mod fault;
mod hooks;
mod mail;
mod smtp;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base::clock::{Clock, Timestamp};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use fault::{Fault, Faults};
pub use hooks::{ChatBody, SmsBody};
pub use mail::{Mail, read};
pub use smtp::Door;

/// Messages kept; the oldest give way.
const MOST: usize = 500;

/// A message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arrived {
    /// When.
    pub at: Timestamp,
    /// `email`, `sms` or `chat`.
    pub channel: &'static str,
    /// The address it was sent to.
    pub to: String,
    /// Its subject; empty for text messages.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// By what a repetition is known.
    pub key: String,
}

/// Where everything that arrives is kept.
#[derive(Clone)]
pub struct Mailbox {
    messages: Arc<Mutex<VecDeque<Arrived>>>,
    clock: Arc<dyn Clock>,
}

impl Mailbox {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { messages: Arc::default(), clock }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Keeps a message, unless one with its key is there.
    pub(crate) fn put(&self, message: Arrived) {
        let mut all = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = |m: &Arrived| m.channel == message.channel && m.key == message.key;
        if !message.key.is_empty() && all.iter().any(is_there) {
            return;
        }
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back(message);
    }

    /// Everything that has arrived, the oldest first.
    pub fn all(&self) -> Vec<Arrived> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// What has arrived at an address.
    pub fn at(&self, address: &str) -> Vec<Arrived> {
        self.all().into_iter().filter(|m| m.to == address).collect()
    }
}

/// The running servers. Dropping them stops them.
pub struct Running {
    /// Where mail is taken.
    pub smtp: SocketAddr,
    /// Where text messages (`/sms`) and chats (`/chat`) are taken.
    pub http: SocketAddr,
    /// What has arrived.
    pub mailbox: Mailbox,
    /// The switch for failures.
    pub faults: Faults,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How deliveries of text messages are reported.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// Where to; nothing is reported without it.
    pub url: Option<String>,
    /// The value of `X-Report-Secret`.
    pub secret: String,
}

/// What `authorization` must say at the HTTP gateways; anything when empty.
pub type Secret = String;

/// Starts all three on this machine; ports of 0 are picked.
///
/// # Errors
/// When an address cannot be taken.
pub async fn start(
    smtp: SocketAddr,
    http: SocketAddr,
    clock: Arc<dyn Clock>,
    secret: Secret,
    reports: Reports,
) -> std::io::Result<Running> {
    let (mailbox, faults, stop) = (Mailbox::new(clock), Faults::default(), CancellationToken::new());
    let (smtp, http) = (TcpListener::bind(smtp).await?, TcpListener::bind(http).await?);
    let (at_smtp, at_http) = (smtp.local_addr()?, http.local_addr()?);
    tokio::spawn(smtp::serve(smtp, Door::default(), mailbox.clone(), faults.clone(), stop.clone()));
    let app = hooks::router(mailbox.clone(), faults.clone(), secret, reports);
    let ended = stop.clone();
    tokio::spawn(async move {
        let serving = axum::serve(http, app).with_graceful_shutdown(async move { ended.cancelled().await });
        if let Err(e) = serving.await {
            tracing::warn!(error = %e, "message simulator: the HTTP gateways ended");
        }
    });
    Ok(Running { smtp: at_smtp, http: at_http, mailbox, faults, stop })
}

/// A mail server that runs. Dropping it stops it.
pub struct MailServer {
    /// Where mail is taken.
    pub address: SocketAddr,
    /// What has arrived.
    pub mailbox: Mailbox,
    /// The switch for failures.
    pub faults: Faults,
    stop: CancellationToken,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts a mail server alone on this machine, behind a door of its own.
///
/// # Errors
/// When no port is free.
pub async fn start_mail(door: Door, clock: Arc<dyn Clock>) -> std::io::Result<MailServer> {
    let (mailbox, faults, stop) = (Mailbox::new(clock), Faults::default(), CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(smtp::serve(listener, door, mailbox.clone(), faults.clone(), stop.clone()));
    Ok(MailServer { address, mailbox, faults, stop })
}
