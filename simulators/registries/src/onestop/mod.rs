//! A one-stop system (*hệ thống thông tin giải quyết thủ tục hành chính*) as a consumer: it fetches its token and
//! makes small believable calls through the X-Road REST front door, all day. Counts what comes back.

mod call;
mod errand;
mod rhythm;
mod token;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::clock::Clock;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dice::Dice;
use crate::enterprise::Register;
use crate::person::Population;

pub use errand::{Errand, Kind};
pub use rhythm::share_of_peak;

/// Calls under way at once; when a provider hangs, further ones are left out rather than piled up.
const MAX_CALLS: usize = 16;

/// How the client reaches the platform and what it does there.
#[derive(Clone)]
pub struct Config {
    /// Base URL of the front door, for example `http://127.0.0.1:8080`.
    pub front_door: String,
    /// The token endpoint (OAuth 2.0 client credentials, RFC 6749 section 4.4).
    pub token_url: String,
    /// Its client id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// `X-Road-Client`: instance/class/member/subsystem.
    pub client: String,
    /// What it asks for, by weight; must not be empty.
    pub errands: Vec<Errand>,
    /// Calls per second at the busiest hour.
    pub rate: f64,
    /// Follow the office day (see [`share_of_peak`]); otherwise the rate is even.
    pub daily_rhythm: bool,
    /// The citizens who come to its counters.
    pub people: Arc<Population>,
    /// The enterprises whose papers it handles.
    pub enterprises: Arc<Register>,
    /// The same seed gives the same calls in the same order.
    pub seed: u64,
    /// A further trusted root certificate, PEM.
    pub root: Option<Vec<u8>>,
}

/// What has come back so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The provider's own answers, its 404 and 422 included.
    pub answers: u64,
    /// The platform said no: not permitted, not known, not well-formed.
    pub refusals: u64,
    /// No answer, a broken one, or a failure between here and the provider.
    pub errors: u64,
    /// Calls left out because too many were under way.
    pub left_out: u64,
}

/// A client at work. Dropping it stops it without waiting.
pub struct Running {
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

pub(crate) struct Shared {
    config: Config,
    http: reqwest::Client,
    tokens: token::Tokens,
    dice: Dice,
    answers: AtomicU64,
    refusals: AtomicU64,
    errors: AtomicU64,
    left_out: AtomicU64,
    last_trouble: Mutex<Option<String>>,
}

/// How one call ended.
pub(crate) enum Outcome {
    Answer,
    Refusal(String),
    Error(String),
}

/// Why a client could not start.
#[derive(Debug)]
pub enum Trouble {
    /// Nothing to do: `errands` is empty or weighs nothing.
    NoErrands,
    /// The rate is not a number of calls per second between 0 and 1,000.
    Rate(f64),
    /// The HTTP client could not be built, usually because of the root certificate.
    Http(reqwest::Error),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoErrands => f.write_str("the one-stop client was given nothing to ask for"),
            Self::Rate(rate) => write!(f, "{rate} calls per second is not between 0 and 1,000"),
            Self::Http(e) => write!(f, "the one-stop client has no HTTP client: {e}"),
        }
    }
}

impl std::error::Error for Trouble {}

/// Starts the client; it works until stopped.
///
/// # Errors
/// When the configuration leaves it nothing to do or its certificate cannot be read.
pub fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Running, Trouble> {
    if config.errands.iter().map(|e| u64::from(e.weight)).sum::<u64>() == 0 {
        return Err(Trouble::NoErrands);
    }
    if !(config.rate > 0.0 && config.rate <= 1_000.0) {
        return Err(Trouble::Rate(config.rate));
    }
    let shared = Arc::new(Shared {
        http: http_client(config.root.as_deref()).map_err(Trouble::Http)?,
        tokens: token::Tokens::new(&config),
        dice: Dice::new(config.seed),
        config,
        answers: AtomicU64::new(0),
        refusals: AtomicU64::new(0),
        errors: AtomicU64::new(0),
        left_out: AtomicU64::new(0),
        last_trouble: Mutex::new(None),
    });
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    tasks.spawn(work(shared.clone(), clock, stop.clone(), tasks.clone()));
    tasks.close();
    Ok(Running { shared, stop, tasks })
}

fn http_client(root: Option<&[u8]>) -> Result<reqwest::Client, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30));
    if let Some(pem) = root {
        builder = builder.add_root_certificate(reqwest::Certificate::from_pem(pem)?);
    }
    builder.build()
}

async fn work(shared: Arc<Shared>, clock: Arc<dyn Clock>, stop: CancellationToken, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(MAX_CALLS));
    loop {
        let share = if shared.config.daily_rhythm { rhythm::share_of_peak(clock.now()) } else { 1.0 };
        let pause = rhythm::pause(&shared.dice, shared.config.rate * share);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let Ok(place) = places.clone().try_acquire_owned() else {
            shared.left_out.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let errand = errand::next(&shared.dice, &shared.config);
        let (shared, stop) = (shared.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                outcome = call::make(&shared, errand) => shared.count(outcome),
            }
            drop(place);
        });
    }
}

impl Shared {
    fn count(&self, outcome: Outcome) {
        let trouble = match outcome {
            Outcome::Answer => {
                self.answers.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Outcome::Refusal(why) => {
                self.refusals.fetch_add(1, Ordering::Relaxed);
                why
            }
            Outcome::Error(why) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                why
            }
        };
        tracing::debug!(%trouble, "one-stop client: a call without an answer");
        *self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }
}

impl Running {
    /// What has come back so far.
    pub fn counts(&self) -> Counts {
        Counts {
            answers: self.shared.answers.load(Ordering::Relaxed),
            refusals: self.shared.refusals.load(Ordering::Relaxed),
            errors: self.shared.errors.load(Ordering::Relaxed),
            left_out: self.shared.left_out.load(Ordering::Relaxed),
        }
    }

    /// The latest refusal or error in words, without names or numbers of people.
    pub fn last_trouble(&self) -> Option<String> {
        self.shared.last_trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops calling, gives up calls under way and waits for their end.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
