//! Somebody with an account and a mailbox, without a browser: signs in, asks, posts, reads what arrived.

use anyhow::{Context, Result};
use reqwest::Response;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde::Deserialize;
use serde_json::Value;

use crate::Contract;

/// A message in the demonstration's mailbox.
#[derive(Debug, Clone, Deserialize)]
pub struct Arrived {
    /// `email`, `sms` or `chat`.
    pub channel: String,
    /// The address it was sent to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    http: reqwest::Client,
    contract: Contract,
    cookie: String,
}

impl Person {
    /// Signs in with a role of the contract.
    ///
    /// # Errors
    /// When the contract has no such role, or the sign-in is refused.
    pub async fn signed_in(contract: &Contract, role: &str) -> Result<Self> {
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let login = &contract.logins[role];
        let name = login["username"].as_str().context("no such role in the contract")?;
        let password = login["password"].as_str().context("no password in the contract")?;
        let request = http.post(contract.absolute("/login")).header("sec-fetch-site", "same-origin");
        let answer = request.form(&[("username", name), ("password", password)]).send().await?;
        let cookies = answer.headers().get_all(SET_COOKIE).iter().filter_map(|v| v.to_str().ok());
        let cookies: Vec<&str> = cookies.filter_map(|c| c.split(';').next()).collect();
        anyhow::ensure!(answer.status().is_redirection(), "signing in was answered with {}", answer.status());
        Ok(Self { cookie: cookies.join("; "), http, contract: contract.clone() })
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// When the answer is not 2xx or not JSON.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.http.get(self.contract.absolute(path)).header(COOKIE, &self.cookie).send().await?;
        let status = answer.status();
        anyhow::ensure!(status.is_success(), "{path} was answered with {status}");
        Ok(serde_json::from_str(&answer.text().await?)?)
    }

    /// Reads a page.
    ///
    /// # Errors
    /// When the answer is not 2xx.
    pub async fn page(&self, path: &str) -> Result<String> {
        let request = self.http.get(self.contract.absolute(path)).header(COOKIE, &self.cookie);
        let answer = request.header("accept", "text/html").send().await?.error_for_status()?;
        Ok(answer.text().await?)
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// When no answer arrives.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Response> {
        let request = self.http.post(self.contract.absolute(path)).json(body).header(COOKIE, &self.cookie);
        Ok(request.header("sec-fetch-site", "same-origin").send().await?)
    }

    /// Everything in the demonstration's mailbox, the oldest first.
    ///
    /// # Errors
    /// When the contract promises no mailbox, or it does not answer.
    pub async fn mailbox(&self) -> Result<Vec<Arrived>> {
        let path = self.contract.mailbox_path.as_deref().context("the contract promises no mailbox")?;
        Ok(serde_json::from_value(self.get(path).await?)?)
    }
}
