//! A consumer system that makes the contract's example call and asks for its evidence.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::StatusCode;

use crate::contract::Contract;

/// A consumer with its own token.
#[derive(Debug, Clone)]
pub struct Caller {
    http: reqwest::Client,
    contract: Contract,
    token: String,
    environment: Option<&'static str>,
}

/// An answer that arrived whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: StatusCode,
    /// `x-road-request-id`, by which evidence is found.
    pub request_id: Option<String>,
    /// `x-road-error`, when the platform itself refused or failed.
    pub error: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Caller {
    /// Fetches a token with the contract's credentials.
    ///
    /// # Errors
    /// When the token endpoint refuses.
    pub async fn new(contract: &Contract) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()?;
        let call = &contract.example_call;
        let answer = http
            .post(contract.absolute(&call.token_url))
            .basic_auth(&call.client_id, Some(&call.client_secret))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "the token endpoint answered {status}: {text}");
        let answer: serde_json::Value = serde_json::from_str(&text)?;
        let token = answer["access_token"].as_str().context("no access_token in the answer")?.to_owned();
        Ok(Self { http, contract: contract.clone(), token, environment: None })
    }

    /// The same, naming the environment its calls go to.
    #[must_use]
    pub fn in_environment(mut self, environment: &'static str) -> Self {
        self.environment = Some(environment);
        self
    }

    /// The contract it goes by.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Its token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The text at a URL, asked for with its token.
    ///
    /// # Errors
    /// When the answer is not 2xx.
    pub async fn get(&self, url: &str) -> Result<String> {
        let request = self.http.get(url).bearer_auth(&self.token).header("Accept", "application/json");
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "{url} was answered with {status}: {text}");
        Ok(text)
    }

    /// Makes the example call once.
    ///
    /// # Errors
    /// When no whole answer arrives.
    pub async fn call(&self, x_road_id: &str) -> Result<Answer> {
        self.call_at(&self.contract.example_call.url, None, x_road_id).await
    }

    /// Makes a call with the example's headers at another path or URL; posts JSON when a body is given.
    ///
    /// # Errors
    /// When no whole answer arrives.
    pub async fn call_at(
        &self,
        url: &str,
        body: Option<&serde_json::Value>,
        x_road_id: &str,
    ) -> Result<Answer> {
        let url = self.contract.absolute(url);
        let mut request = match body {
            Some(body) => self.http.post(url).json(body),
            None => self.http.get(url),
        };
        for (name, value) in self.headers() {
            request = request.header(name, value);
        }
        let answer = request.header("X-Road-Id", x_road_id).send().await?;
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Answer {
            status: answer.status(),
            request_id: header("x-road-request-id"),
            error: header("x-road-error"),
            body: answer.bytes().await?.to_vec(),
        })
    }

    /// The headers of a call, `X-Road-Id` excepted.
    pub fn headers(&self) -> Vec<(String, String)> {
        let own = ["x-road-id", "authorization"];
        let example = self.contract.example_call.headers.iter();
        let kept = example.filter(|(name, _)| !own.iter().any(|own| name.eq_ignore_ascii_case(own)));
        let token = ("Authorization".to_owned(), format!("Bearer {}", self.token));
        let place = self.environment.map(|e| ("Lienthong-Environment".to_owned(), e.to_owned()));
        kept.map(|(name, value)| (name.clone(), value.clone())).chain([token]).chain(place).collect()
    }

    /// The evidence bundle of one of its own calls; `None` when the platform knows no such call.
    ///
    /// # Errors
    /// When the platform does not answer or refuses.
    pub async fn bundle(&self, request_id: &str) -> Result<Option<Vec<u8>>> {
        let url = self.contract.evidence_url(request_id);
        let answer = self.http.get(url).bearer_auth(&self.token).send().await?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        anyhow::ensure!(
            status.is_success(),
            "the bundle of {request_id} was answered with {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(Some(body.to_vec()))
    }
}
