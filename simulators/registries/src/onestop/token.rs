//! The client's access token: fetched when first needed, again before it runs out, again when it is refused.

use std::time::Duration;

use base::clock::Stopwatch;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::onestop::Config;

pub(crate) struct Tokens {
    url: String,
    id: String,
    secret: String,
    held: Mutex<Option<Held>>,
}

#[derive(Clone)]
struct Held {
    token: String,
    age: Stopwatch,
    good_for: Duration,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Tokens {
    pub fn new(config: &Config) -> Self {
        Self {
            url: config.token_url.clone(),
            id: config.client_id.clone(),
            secret: config.client_secret.clone(),
            held: Mutex::new(None),
        }
    }

    /// A token that should still be good.
    pub async fn get(&self, http: &reqwest::Client) -> Result<String, String> {
        let mut held = self.held.lock().await;
        if let Some(have) = held.as_ref().filter(|h| h.age.elapsed() < h.good_for) {
            return Ok(have.token.clone());
        }
        let new = self.fetch(http).await?;
        *held = Some(new.clone());
        Ok(new.token)
    }

    /// The platform refused `token`: unless somebody fetched a newer one already, forget it.
    pub async fn refused(&self, token: &str) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|h| h.token == token) {
            *held = None;
        }
    }

    async fn fetch(&self, http: &reqwest::Client) -> Result<Held, String> {
        let age = Stopwatch::start();
        let answer = http
            .post(&self.url)
            .basic_auth(&self.id, Some(&self.secret))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .map_err(|e| format!("the token endpoint did not answer: {}", e.without_url()))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("the token endpoint answered {status}"));
        }
        let answer: Answer = answer
            .json()
            .await
            .map_err(|e| format!("the token answer is not readable: {}", e.without_url()))?;
        // RFC 6749 leaves the lifetime optional; a minute is short enough to be safe.
        let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(60));
        Ok(Held { token: answer.access_token, age, good_for: lifetime.mul_f64(0.8) })
    }
}
