//! Photographs of every page of the demonstration, for people to look at: each role, desktop and phone, both
//! languages. Pages are found by following links; of pages with the same shape one is taken.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use scenarios::browser::{Browser, Window};
use scenarios::{Caller, Contract, Platform};

/// Where they go.
#[derive(clap::Args)]
pub struct Options {
    /// Folder for the PNG files
    #[arg(long, default_value = "target/screenshots")]
    to: PathBuf,
    /// Roles to look as; all of the contract and a stranger unless given
    #[arg(long)]
    role: Vec<String>,
    /// Languages
    #[arg(long, default_values = ["vi", "en"])]
    lang: Vec<String>,
    /// Only pages whose path begins like this
    #[arg(long)]
    under: Option<String>,
    /// Pages for each role at most
    #[arg(long, default_value_t = 80)]
    most: usize,
    /// Arguments for `lienthong demo`
    #[arg(last = true)]
    arguments: Vec<String>,
}

const WINDOWS: [(&str, Window); 2] = [
    ("desktop", Window { width: 1440, height: 900, mobile: false }),
    ("phone", Window { width: 390, height: 844, mobile: true }),
];

/// Not a page, or one that changes something for who merely looks.
const NOT_PAGES: [&str; 7] =
    ["/language/", "/appearance/", "/assets/", "/r1/", "/api/", "/oauth2/", "/logout"];

/// Takes them.
///
/// # Errors
/// When the demonstration or the browser cannot be started.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(all(options))
}

async fn all(options: &Options) -> Result<()> {
    let chromium = scenarios::tools::chromium().context("no Chromium here: apt-get install chromium")?;
    let (data, _scratch) = crate::data_directory(None)?;
    let platform = Platform::start(scenarios::Options {
        binary: crate::build::release()?,
        data,
        listen: None,
        arguments: options.arguments.clone(),
        core: None,
        patience: Duration::from_secs(120),
    })
    .await?;
    let contract = platform.contract().clone();
    // Something to see: some calls, and time for lists and the log to show them.
    let caller = Caller::new(&contract).await?;
    for n in 0..5 {
        caller.call(&format!("screenshot-{n}")).await?;
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let roles = if options.role.is_empty() { roles(&contract) } else { options.role.clone() };
    let (mut taken, mut remarks) = (0, vec![]);
    for role in &roles {
        let mut browser = Browser::start(&chromium).await?;
        sign_in(&mut browser, &contract, role).await.with_context(|| format!("signing in as {role}"))?;
        let album = Album { options, contract: &contract, role };
        let pages = album.find_pages(&mut browser).await?;
        for lang in &options.lang {
            browser.open(&contract.absolute(&format!("/language/{lang}"))).await?;
            for page in &pages {
                taken += album.photograph(&mut browser, lang, page, &mut remarks).await?;
            }
        }
        println!("{role}: {} pages", pages.len());
    }
    platform.stop().await?;
    println!("{taken} photographs in {}", options.to.display());
    for remark in &remarks {
        println!("  {remark}");
    }
    Ok(())
}

fn roles(contract: &Contract) -> Vec<String> {
    let named =
        contract.logins.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    std::iter::once("stranger".to_owned()).chain(named).collect()
}

async fn sign_in(browser: &mut Browser, contract: &Contract, role: &str) -> Result<()> {
    if role == "stranger" {
        return Ok(());
    }
    let login = &contract.logins[role];
    let name = login["username"].as_str().context("no such role in the contract")?;
    let password = login["password"].as_str().context("no password in the contract")?;
    browser.sign_in(&contract.absolute("/login"), name, password).await
}

struct Album<'a> {
    options: &'a Options,
    contract: &'a Contract,
    role: &'a str,
}

impl Album<'_> {
    /// Follows links from the front page; one page for each shape.
    async fn find_pages(&self, browser: &mut Browser) -> Result<Vec<String>> {
        let (mut waiting, mut shapes, mut pages) = (VecDeque::new(), BTreeSet::new(), vec![]);
        for start in ["/", "/login", "/gallery"] {
            waiting.push_back(start.to_owned());
        }
        while let Some(path) = waiting.pop_front() {
            let inside = self.options.under.as_ref().is_none_or(|under| path.starts_with(under.as_str()));
            let skipped = NOT_PAGES.iter().any(|not| path.starts_with(not));
            if skipped || pages.len() >= self.options.most || !shapes.insert(shape(&path)) {
                continue;
            }
            if browser.open(&self.contract.absolute(&path)).await.is_err() {
                continue; // a download, not a page
            }
            if inside {
                pages.push(path);
            }
            let links = "[...document.querySelectorAll('a[href]')].map(a => new URL(a.href)) \
                .filter(u => u.origin === location.origin).map(u => u.pathname + u.search)";
            let links = browser.script(links).await?;
            waiting
                .extend(links.as_array().into_iter().flatten().filter_map(|l| l.as_str()).map(str::to_owned));
        }
        Ok(pages)
    }

    async fn photograph(
        &self,
        browser: &mut Browser,
        lang: &str,
        page: &str,
        remarks: &mut Vec<String>,
    ) -> Result<usize> {
        for (device, window) in WINDOWS {
            browser.window(window).await?;
            browser.open(&self.contract.absolute(page)).await?;
            let wide = browser.script("document.documentElement.scrollWidth").await?.as_u64().unwrap_or(0);
            if wide > u64::from(window.width) {
                remarks.push(format!("{page} ({}, {lang}, {device}) is {wide} px wide", self.role));
            }
            let png = base64::engine::general_purpose::STANDARD.decode(browser.photograph().await?)?;
            let file =
                self.options.to.join(self.role).join(format!("{}.{lang}.{device}.png", file_name(page)));
            std::fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
            std::fs::write(file, png)?;
        }
        Ok(WINDOWS.len())
    }
}

/// A path with what tells one thing from another left out: identifiers, and the values of parameters.
fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let part = |part: &str| {
        let identifier = part.len() >= 8 && part.bytes().filter(u8::is_ascii_digit).count() >= 3;
        if identifier || part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() { "*" } else { part }
            .to_owned()
    };
    let path: Vec<String> = path.split('/').map(part).collect();
    // Tabs are pages of their own; filters, sorting and paging are not.
    let tab = query.split('&').find(|p| p.starts_with("tab="));
    format!("{}{}", path.join("/"), tab.map(|t| format!("?{t}")).unwrap_or_default())
}

fn file_name(page: &str) -> String {
    let shape = shape(page);
    let name: String =
        shape.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let name = name.trim_matches('_');
    if name.is_empty() { "front".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_one_shape_are_taken_once() {
        let one = "/exchange/agreements/0199f0aa-1111-7222-8333-444455556666";
        let two = "/exchange/agreements/0199f0aa-9999-7222-8333-000055556666?sort=name";
        assert_eq!(shape(one), shape(two));
        assert_ne!(shape(&format!("{one}?tab=history")), shape(one));
        assert_ne!(shape("/exchange/agreements"), shape("/exchange/members"));
        assert_eq!(shape("/units/14797"), "/units/*");
        assert_eq!(file_name("/"), "front");
        assert_eq!(file_name("/exchange/members?tab=calls"), "exchange_members_tab_calls");
    }
}
