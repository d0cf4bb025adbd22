//! The gateways against real servers on this machine: what they take, refuse and put off, on the wire.

#![allow(clippy::unwrap_used)] // helpers of tests

mod http;
mod mail;
mod tls;

use std::sync::Arc;

use kernel::clock::SystemClock;
use kernel::notices::{Failure, Outgoing};
use messages::{Reports, Running};

/// The servers, with a secret at the HTTP gateways.
pub(crate) async fn servers(secret: &str) -> Running {
    let any = ([127, 0, 0, 1], 0).into();
    messages::start(any, any, Arc::new(SystemClock), secret.to_owned(), Reports::default()).await.unwrap()
}

pub(crate) fn message<'a>(to: &'a str, subject: &'a str, text: &'a str) -> Outgoing<'a> {
    Outgoing { key: "0198-key", to, subject, text }
}

#[track_caller]
pub(crate) fn refused(sent: Result<kernel::notices::Receipt, Failure>) -> String {
    match sent {
        Err(Failure::Refused(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn later(sent: Result<kernel::notices::Receipt, Failure>) -> (String, Option<u64>) {
    match sent {
        Err(Failure::Later { reason, after }) => (reason, after.map(|a| a.as_secs())),
        other => panic!("not put off: {other:?}"),
    }
}
