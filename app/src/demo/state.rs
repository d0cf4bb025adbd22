//! What the demonstration remembers between starts beside its data, and the contract it writes for scripts.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::province::Province;
use super::systems::Systems;

const FILE: &str = "demo-state.json";

/// Kept in `demo-state.json`, readable by the owner only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Code of the province.
    pub province: Option<String>,
    /// How far the clock was moved.
    pub clock_offset_micros: i64,
    /// Secrets of system clients by client identifier.
    pub clients: BTreeMap<String, String>,
    /// Accounts by role.
    pub logins: Vec<Login>,
}

/// An account of the demonstration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    /// `operator`, `provider`, `neighbour`, `consumer`, `auditor`.
    pub role: String,
    /// What it is in words.
    pub title: String,
    /// Sign-in name.
    pub username: String,
    /// Password, made at random for this demonstration.
    pub password: String,
}

impl State {
    /// Reads the state; a new directory has none.
    pub fn load(data: &Path) -> anyhow::Result<Self> {
        match std::fs::read(data.join(FILE)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(e.into()),
        }
    }

    /// Writes the state whole.
    pub fn save(&self, data: &Path) -> anyhow::Result<()> {
        write_private(&data.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// Writes `demo.json`, by which scripts drive the demonstration.
    pub fn write_contract(
        &self,
        data: &Path,
        base_url: &str,
        province: &Province,
        systems: &Systems,
    ) -> anyhow::Result<()> {
        let client_id = "mot-cua-minh-hoa";
        let client = province.subsystem("HCC", "mot-cua");
        let service = format!("{}/tra-cuu-cong-dan", province.subsystem("CAT", "dan-cu"));
        let logins: BTreeMap<_, _> = self
            .logins
            .iter()
            .map(|l| {
                (l.role.clone(), json!({"username": l.username, "password": l.password, "title": l.title}))
            })
            .collect();
        let contract = json!({
            "base_url": base_url,
            "example_call": {
                "url": format!("{base_url}/r1/{service}/persons/{}", systems.somebody()),
                "headers": {"X-Road-Client": client, "Accept": "application/json"},
                "token_url": format!("{base_url}/oauth2/token"),
                "client_id": client_id,
                "client_secret": self.clients.get(client_id),
                "evidence_path": "/api/exchange/v1/calls/{request_id}/evidence",
            },
            "logins": logins,
            "clock_path": super::clock::PATH,
            "mailbox_path": super::mailbox::JSON,
        });
        write_private(&data.join("demo.json"), &serde_json::to_vec_pretty(&contract)?)
    }
}

/// Writes a file whole that its owner only can read.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(())
}
