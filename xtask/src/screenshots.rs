//! Photographs of every page of the demonstration, for people to look at: each role, desktop and phone, both
//! languages. Pages are found by following links; of pages with the same shape one is taken.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use scenarios::browser::Browser;
use scenarios::{Caller, Contract, Platform, pages};

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
    #[arg(long, default_value_t = 200)]
    most: usize,
    /// The program to look at; without it LIENTHONG_BIN, or a release build made now
    #[arg(long)]
    bin: Option<PathBuf>,
    /// Arguments for `lienthong demo`
    #[arg(last = true)]
    arguments: Vec<String>,
}

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
        binary: crate::build::named_or_release(options.bin.as_deref())?,
        data,
        listen: None,
        arguments: options.arguments.clone(),
        environment: vec![],
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
    let roles = if options.role.is_empty() { pages::roles(&contract) } else { options.role.clone() };
    let (mut taken, mut remarks) = (0, vec![]);
    for role in &roles {
        let mut browser = Browser::start(&chromium).await?;
        pages::sign_in(&mut browser, &contract, role)
            .await
            .with_context(|| format!("signing in as {role}"))?;
        let album = Album { options, contract: &contract, role };
        let mut found = pages::walk(&mut browser, &contract, async |_: &mut Browser, _: &str| Ok(())).await?;
        found.retain(|page| options.under.as_ref().is_none_or(|under| page.starts_with(under.as_str())));
        found.truncate(options.most);
        for lang in &options.lang {
            browser.open(&contract.absolute(&format!("/language/{lang}"))).await?;
            for page in &found {
                taken += album.photograph(&mut browser, lang, page, &mut remarks).await?;
            }
        }
        println!("{role}: {} pages", found.len());
    }
    platform.stop().await?;
    println!("{taken} photographs in {}", options.to.display());
    for remark in &remarks {
        println!("  {remark}");
    }
    Ok(())
}

struct Album<'a> {
    options: &'a Options,
    contract: &'a Contract,
    role: &'a str,
}

impl Album<'_> {
    async fn photograph(
        &self,
        browser: &mut Browser,
        lang: &str,
        page: &str,
        remarks: &mut Vec<String>,
    ) -> Result<usize> {
        for (device, window) in pages::WINDOWS {
            browser.window(window).await?;
            browser.open(&self.contract.absolute(page)).await?;
            let wide = browser.script("document.documentElement.scrollWidth").await?.as_u64().unwrap_or(0);
            if wide > u64::from(window.width) {
                remarks.push(format!("{page} ({}, {lang}, {device}) is {wide} px wide", self.role));
            }
            let png = base64::engine::general_purpose::STANDARD.decode(browser.photograph().await?)?;
            let file = self
                .options
                .to
                .join(self.role)
                .join(format!("{}.{lang}.{device}.png", pages::file_name(page)));
            std::fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
            std::fs::write(file, png)?;
        }
        Ok(pages::WINDOWS.len())
    }
}
