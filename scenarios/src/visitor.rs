//! A person at a desk without a browser: signs in, opens pages, fills in forms, reads what stands in them.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Response, StatusCode};

use crate::contract::Contract;

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    http: reqwest::Client,
    contract: Contract,
    cookie: String,
}

/// A page as it came.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The status.
    pub status: StatusCode,
    /// Where one is sent next.
    pub location: Option<String>,
    /// The page.
    pub text: String,
}

impl Visitor {
    /// Signs in as a role of the contract.
    ///
    /// # Errors
    /// When the contract has no such role or the platform refuses.
    pub async fn sign_in(contract: &Contract, role: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()?;
        let login = &contract.logins[role];
        let value =
            |name: &str| login[name].as_str().context("no such role in the contract").map(str::to_owned);
        let form = [("username", value("username")?), ("password", value("password")?)];
        let sent = http.post(contract.absolute("/login")).header("sec-fetch-site", "same-origin").form(&form);
        let answer = sent.send().await?;
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|v| v.to_str().ok());
        let cookies: Vec<&str> = cookies.filter_map(|c| c.split(';').next()).collect();
        anyhow::ensure!(answer.status().is_redirection(), "{role} cannot sign in: {}", answer.status());
        Ok(Self { http, contract: contract.clone(), cookie: cookies.join("; ") })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn open(&self, path: &str) -> Result<Shown> {
        let request = self.http.get(self.contract.absolute(path));
        Self::read(request.header("cookie", &self.cookie).send().await?).await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Result<Shown> {
        let request = self.http.post(self.contract.absolute(path)).form(fields);
        let request = request.header("cookie", &self.cookie).header("sec-fetch-site", "same-origin");
        Self::read(request.send().await?).await
    }

    async fn read(answer: Response) -> Result<Shown> {
        let location = answer.headers().get("location").and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Shown { status: answer.status(), location, text: answer.text().await? })
    }
}

impl Shown {
    /// What stands in the code blocks of the page, in order.
    pub fn blocks(&self) -> Vec<String> {
        let block = |part: &str| {
            let (_, inner) = part.split_once('>')?;
            let plain = inner.split_once("</code>")?.0;
            let plain = plain.replace("&#39;", "'").replace("&#34;", "\"").replace("&#38;", "&");
            Some(plain.replace("&#60;", "<").replace("&#62;", ">"))
        };
        self.text.split("<code id=").skip(1).filter_map(block).collect()
    }

    /// The first link that begins so.
    pub fn link(&self, begin: &str) -> Option<String> {
        let links = self.text.split("href=\"").skip(1).filter_map(|p| p.split('"').next());
        links.map(|l| l.replace("&#38;", "&").replace("&amp;", "&")).find(|l| l.starts_with(begin))
    }
}
