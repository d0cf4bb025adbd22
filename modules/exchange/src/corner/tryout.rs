//! A try-out call: made by the platform as the integrator's own system, through the real gateway and under the real
//! agreement, with a token of a minute that never leaves the process. Recorded like every call, its authentication
//! marked `try-out`; who pressed the button is in the audit.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::clock::{Stopwatch, Timestamp};
use base::error::FieldError;
use base::i18n::{Lang, Text};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use kernel::entrance::Arrival;
use kernel::{Actor, Cx, Error, Kernel, Result};
use serde_json::json;

use super::reach::Own;
use super::samples::service_path;
use crate::environment::Environment;
use crate::gateway::{ENVIRONMENT, Told};
use crate::ids::{ServiceId, SubsystemId};
use crate::plane::{SCOPE, TRY_OUT};
use crate::{Exchange, t};

/// Try-out calls of one system in a minute.
const PER_MINUTE: u32 = 20;
/// Largest body sent, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// Bytes of the answer that are shown.
const SHOWN: usize = 128 * 1024;
/// The longest a page waits for its call.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often each system tried, in the present minute.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<SubsystemId, (i64, u32)>>);

impl Pace {
    fn take(&self, id: SubsystemId, now: Timestamp) -> Result<()> {
        let minute = now.seconds().div_euclid(60);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (at, _)| *at == minute);
        let used = all.entry(id).or_insert((minute, 0));
        if used.1 >= PER_MINUTE {
            let left = 60 - now.seconds().rem_euclid(60);
            return Err(Error::TooMany { retry_after: u64::try_from(left).unwrap_or(60) });
        }
        used.1 += 1;
        Ok(())
    }
}

/// What is to be called.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// The verb.
    pub method: String,
    /// Path below the service with its query.
    pub path: String,
    /// JSON to send; nothing when empty.
    pub body: String,
    /// The environment to name.
    pub environment: Option<Environment>,
}

/// How the call went.
#[derive(Debug)]
pub struct Tried {
    /// The gateway's number of the call.
    pub request_id: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// The answer.
    pub told: Told,
}

/// Makes a call as the integrator's system.
///
/// # Errors
/// `Invalid` for what cannot be sent; `TooMany` when the system tries too often; `Unavailable` while the gateway does
/// not run. A refusal by the gateway is an answer, not an error.
pub async fn call(
    exchange: &Exchange,
    k: &Kernel,
    cx: &Cx,
    own: &Own,
    service: (ServiceId, &str),
    trial: &Trial,
) -> Result<Tried> {
    let plane = exchange.plane().ok_or(Error::Unavailable { what: "gateway", source: None })?;
    let issuer = exchange.issuer()?;
    let mut request = request(own, service.1, trial)?;
    let now = k.clock.now();
    exchange.tries().take(own.id, now)?;
    let scopes = BTreeSet::from([SCOPE.to_owned()]);
    let until = Some(now.plus(Duration::from_secs(60)));
    let issued = issuer.issue(k, TRY_OUT, &own.path, &scopes, until)?;
    let number = format!("thu-{}", base::ids::uuid_v4(&*k.random).hyphenated());
    let headers = request.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).map_err(Error::internal);
    headers.insert(header::AUTHORIZATION, value(&format!("Bearer {}", issued.token))?);
    headers.insert("x-road-id", value(&number)?);
    if let Actor::Official { person, .. } = &cx.actor {
        headers.insert("x-road-userid", value(&person.to_string())?);
    }
    let mut tx = k.begin(cx).await?;
    let detail = json!({ "subsystem": own.path, "number": number, "method": trial.method });
    tx.audit("exchange.call.tried", &service.0.to_ref(), detail).await?;
    tx.commit().await?;
    let watch = Stopwatch::start();
    let arrival = Arrival { entrance: Arc::clone(&cx.entrance), certificate: None };
    let told = tokio::time::timeout(PATIENCE, plane.gateway.ask(request, SHOWN, arrival)).await;
    let told =
        told.map_err(|_| Error::Unavailable { what: "gateway", source: None })?.map_err(Error::internal)?;
    let request_id = told.headers.get("x-road-request-id").and_then(|v| v.to_str().ok()).map(str::to_owned);
    Ok(Tried { request_id, took: watch.elapsed(), told })
}

fn request(own: &Own, service: &str, trial: &Trial) -> Result<Request<Full<Bytes>>> {
    let method: Method = match trial.method.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => {
            trial.method.parse().map_err(Error::internal)?
        }
        _ => return Err(wrong("method", t::try_method)),
    };
    let path = trial.path.trim();
    let plain = path.starts_with('/') && path.len() <= 4_096 && path.is_ascii();
    let uri: Option<http::Uri> =
        plain.then(|| format!("{}{path}", service_path(service)).parse().ok()).flatten();
    let uri = uri.ok_or_else(|| wrong("path", t::try_path))?;
    if trial.body.len() > MAX_BODY {
        return Err(wrong("body", t::try_body_large));
    }
    let sends = !trial.body.trim().is_empty() && method != Method::GET && method != Method::HEAD;
    let body = if sends {
        serde_json::from_str::<serde::de::IgnoredAny>(&trial.body)
            .map_err(|e| Error::field("body", Text::both(|l| t::try_body_json(l, e.to_string()))))?;
        Bytes::from(trial.body.clone())
    } else {
        Bytes::new()
    };
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::HOST, "localhost")
        .header("x-road-client", encoded(&own.path))
        .header(header::ACCEPT, "application/json");
    if let Some(environment) = trial.environment {
        request = request.header(ENVIRONMENT, environment.as_str());
    }
    if sends {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(Full::new(body)).map_err(Error::internal)
}

/// A path of identifiers as it stands in a header: each part percent-encoded.
fn encoded(path: &str) -> String {
    service_path(path).trim_start_matches("/r1/").to_owned()
}

fn wrong(field: &str, say: fn(Lang) -> &'static str) -> Error {
    Error::field(field, Text::both(say))
}

/// The faults of a trial, for the form.
pub fn faults(e: Error) -> Result<Vec<FieldError>> {
    match e {
        Error::Invalid(faults) => Ok(faults),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::ids::Uuid;

    fn own() -> Own {
        Own {
            id: SubsystemId(Uuid::from_u128(1)),
            path: "VN/GOV/H38/motcua".into(),
            name: String::new(),
            member: String::new(),
            agency: None,
            code: "motcua".into(),
        }
    }

    #[test]
    fn what_cannot_be_sent_is_told_by_its_field() {
        let trial = |method: &str, path: &str, body: &str| Trial {
            method: method.into(),
            path: path.into(),
            body: body.into(),
            environment: None,
        };
        let fault = |t: Trial| match request(&own(), "VN/GOV/C06/dancu/tra-cuu", &t) {
            Err(Error::Invalid(faults)) => faults[0].field.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(trial("TRACE", "/a", "")), "method");
        for path in ["", "a", "/a b", "http://evil/", "/a\r\nX: y", "/tìm"] {
            assert_eq!(fault(trial("GET", path, "")), "path", "{path}");
        }
        assert_eq!(fault(trial("POST", "/a", "{")), "body");
        let sent = request(&own(), "VN/GOV/C06/dancu/tra-cuu", &trial("GET", "/a?b=c", "ignored")).unwrap();
        assert_eq!(sent.uri(), "/r1/VN/GOV/C06/dancu/tra-cuu/a?b=c");
        assert!(sent.headers().get("content-type").is_none());
    }

    #[test]
    fn a_system_tries_so_often_and_others_are_not_touched() {
        let (pace, now) = (Pace::default(), Timestamp::from_micros(0));
        let id = |n| SubsystemId(Uuid::from_u128(n));
        for _ in 0..PER_MINUTE {
            pace.take(id(1), now).unwrap();
        }
        assert!(matches!(pace.take(id(1), now), Err(Error::TooMany { retry_after: 60 })));
        pace.take(id(2), now).unwrap();
        pace.take(id(1), now.plus(Duration::from_secs(60))).unwrap();
    }
}
