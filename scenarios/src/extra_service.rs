//! A further service in a demonstration, for measurements and fault rounds: its own provider, no quota, called by
//! the contract's consumer. Registered as an operator would, with `lienthong import`, while the platform is stopped.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base::clock::{Clock, SystemClock};
use serde::Deserialize;
use tokio::process::Command;

use crate::call::Caller;
use crate::contract::Contract;

/// Code of the provider's member, subsystem and service.
const MEMBER: &str = "DO-KIEM";
const SUBSYSTEM: &str = "tai";
const SERVICE: &str = "nhan-tai";

/// What the registry file must repeat about the consumer.
#[derive(Debug, Clone)]
pub struct Consumer {
    instance: String,
    class: String,
    member: String,
    subsystem: String,
    member_name: String,
    subsystem_name: String,
}

#[derive(Deserialize)]
struct ClientList {
    member: Vec<ListedClient>,
}

#[derive(Deserialize)]
struct ListedClient {
    id: ListedId,
    name: String,
    subsystem_name: Option<String>,
}

#[derive(Deserialize)]
struct ListedId {
    member_class: String,
    member_code: String,
    subsystem_code: Option<String>,
}

impl Consumer {
    /// Who the contract's caller is, and the names the registry has for it (`listClients`).
    ///
    /// # Errors
    /// When the contract names no `X-Road-Client`, or the platform does not list it.
    pub async fn of(caller: &Caller) -> Result<Self> {
        let contract = caller.contract();
        let id = client_of(contract)?;
        let parts: Vec<&str> = id.split('/').collect();
        let [instance, class, member, subsystem] = parts.as_slice() else {
            anyhow::bail!("X-Road-Client of the contract is {id}, not instance/class/member/subsystem")
        };
        let text = caller.get(&contract.absolute("/listClients")).await?;
        let list: ClientList = serde_json::from_str(&text).context("listClients")?;
        let found = list
            .member
            .into_iter()
            .find(|c| {
                c.id.member_class == *class
                    && c.id.member_code == *member
                    && c.id.subsystem_code.as_deref() == Some(subsystem)
            })
            .with_context(|| format!("listClients does not list {id}"))?;
        Ok(Self {
            instance: (*instance).to_owned(),
            class: (*class).to_owned(),
            member: (*member).to_owned(),
            subsystem: (*subsystem).to_owned(),
            member_name: found.name,
            subsystem_name: found.subsystem_name.unwrap_or_else(|| (*subsystem).to_owned()),
        })
    }

    /// Path of the extra service at the front door, without a trailing slash.
    pub fn service_path(&self) -> String {
        format!("/r1/{}/{}/{MEMBER}/{SUBSYSTEM}/{SERVICE}", self.instance, self.class)
    }

    fn registry(&self, base_url: &str) -> Result<String> {
        let day = Duration::from_secs(86_400);
        let now = SystemClock.now();
        let (from, to) = (now.minus(day).date(), now.plus(day * 365).date());
        let q = |s: &str| serde_json::to_string(s); // a JSON string is a TOML basic string
        let (class, member, subsystem) = (&self.class, &self.member, &self.subsystem);
        let mut out = format!("instance = {}\n", q(&self.instance)?);
        write!(
            out,
            "\n[[member]]\nclass = {}\ncode = {}\nname = {}\n\
             \n[[member]]\nclass = {}\ncode = \"{MEMBER}\"\nname = \"Đơn vị đo kiểm (minh họa)\"\n\
             \n[[subsystem]]\nmember = {}\ncode = {}\nname = {}\n\
             \n[[subsystem]]\nmember = {}\ncode = \"{SUBSYSTEM}\"\nname = \"Hệ thống nhận tải (minh họa)\"\n",
            q(class)?,
            q(member)?,
            q(&self.member_name)?,
            q(class)?,
            q(&format!("{class}/{member}"))?,
            q(subsystem)?,
            q(&self.subsystem_name)?,
            q(&format!("{class}/{MEMBER}"))?,
        )?;
        write!(
            out,
            "\n[[service]]\nsubsystem = {}\ncode = \"{SERVICE}\"\nname = \"Nhận tải (minh họa)\"\nbase_url = {}\n\
             timeout_seconds = 60\n\n[[service.endpoint]]\nmethod = \"*\"\npath = \"/**\"\n\
             \n[[agreement]]\nnumber = \"DK-01\"\nconsumer = {}\nservice = {}\npurpose = \"Đo kiểm nền tảng.\"\n\
             legal_basis = [\"Quy chế vận hành (minh họa)\"]\nvalid_from = \"{from}\"\nvalid_to = \"{to}\"\n\
             letter = {{ number = \"1/DK\", date = \"{from}\" }}\nstate = \"approved\"\n",
            q(&format!("{class}/{MEMBER}/{SUBSYSTEM}"))?,
            q(base_url)?,
            q(&format!("{class}/{member}/{subsystem}"))?,
            q(&format!("{class}/{MEMBER}/{SUBSYSTEM}/{SERVICE}"))?,
        )?;
        Ok(out)
    }

    /// Registers the service, with its provider at `base_url`, in a platform that is not running.
    ///
    /// # Errors
    /// When `lienthong import` refuses; the message carries what it said.
    pub async fn register(&self, binary: &Path, data: &Path, base_url: &str) -> Result<()> {
        let file = tempfile::Builder::new().suffix(".toml").tempfile()?;
        std::fs::write(file.path(), self.registry(base_url)?)?;
        let output =
            Command::new(binary).arg("import").arg(file.path()).arg("--data").arg(data).output().await?;
        ensure!(
            output.status.success(),
            "lienthong import ended with {}:\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }
}

/// The contract's `X-Road-Client`.
///
/// # Errors
/// When there is none.
pub fn client_of(contract: &Contract) -> Result<&str> {
    let header =
        contract.example_call.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-road-client"));
    header.map(|(_, value)| value.as_str()).context("the contract's example call has no X-Road-Client")
}
