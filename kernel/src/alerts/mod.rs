//! Alerts: what is wrong, whom it hurts and what to do, from when it was found until it is well again. Whoever finds a
//! fault raises it in its own transaction under a stable key; raising it again only refreshes it. Telling people is left
//! to those who hear the facts. Occurrences are kept after they end: outages are counted from them.

mod facts;
mod store;

use base::clock::Timestamp;
use base::error::{Error, Refusal, Result};
use base::i18n::Text;
use base::ids::Ref;
use serde::{Deserialize, Serialize};

pub use facts::{AlertAcknowledged, AlertCleared, AlertRaised};
pub use store::{MIGRATIONS, acts, cleared, one, open, open_keys, within};

use crate::cx::{Cx, Permission, Scope};
use crate::kernel::{Kernel, Tx};

base::id_type!(
    /// One occurrence of an alert.
    AlertId,
    "kernel.alert"
);
crate::id_value!(AlertId);

/// Saying that somebody looks after an alert.
pub const ACKNOWLEDGE: Permission = Permission {
    name: "alerts.acknowledge",
    vi: "Tiếp nhận xử lý cảnh báo vận hành",
    en: "Acknowledge operational alerts",
};

/// How many of those it hurts are named; the rest is counted.
pub const MOST_NAMED: usize = 100;
/// Longest note, in characters.
pub const MAX_NOTE: usize = 500;
/// Longest key, in bytes.
const MAX_KEY: usize = 512;

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody should look in working time.
    Warning,
    /// Somebody is hurt now.
    Critical,
}

/// Somebody or something an alert hurts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Which thing: a unit, a subsystem.
    pub of: Ref,
    /// Its name, as shown. Names of bodies and systems, never of people.
    pub name: String,
}

/// What is raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Stable, for example `exchange.provider.down:VN/GOV/…`. At most one alert is open under a key.
    pub key: String,
    /// How urgent it is.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: Text,
    /// What was found, and on whose side.
    pub cause: Text,
    /// What to do.
    pub todo: Text,
    /// Whom it hurts.
    pub affected: Vec<Affected>,
    /// When it began, if that was before it is raised.
    pub since: Option<Timestamp>,
}

/// Something that can be done about an alert on a page of who raised it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What the button says.
    pub label: Text,
    /// The page, as a path of this platform.
    pub href: String,
}

/// Who said that they look after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Who, as in the audit.
    pub by: String,
    /// Their name at that time, if known.
    pub name: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What they said.
    pub note: String,
}

/// One occurrence as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Its identifier.
    pub id: AlertId,
    /// Under which key.
    pub key: String,
    /// How urgent.
    pub severity: Severity,
    /// What is wrong.
    pub title: Text,
    /// What was found.
    pub cause: Text,
    /// What to do.
    pub todo: Text,
    /// Whom it hurts; at most [`MOST_NAMED`].
    pub affected: Vec<Affected>,
    /// How many it hurts.
    pub affected_count: i64,
    /// Since when.
    pub since: Timestamp,
    /// When it was last found so.
    pub seen_at: Timestamp,
    /// When it was well again; `None` while open.
    pub cleared_at: Option<Timestamp>,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledged>,
}

impl Tx {
    /// Raises an alert: opens it, or refreshes the one that is open under its key. Returns its identifier, which is a
    /// new one when the last occurrence was cleared.
    ///
    /// # Errors
    /// When the key is empty or longer than 512 bytes, which is a fault of the program.
    pub async fn raise(&mut self, alert: &Alert) -> Result<AlertId> {
        if alert.key.is_empty() || alert.key.len() > MAX_KEY {
            return Err(Error::internal("the key of an alert has 1 to 512 bytes"));
        }
        let now = self.kernel().clock.now();
        let fresh = AlertId::new(&*self.kernel().clock, &*self.kernel().random);
        if store::open_id(self, &alert.key).await?.is_none() && store::insert(self, fresh, alert, now).await?
        {
            let raised = AlertRaised { alert: fresh, key: alert.key.clone(), severity: alert.severity };
            self.publish(&raised).await?;
            return Ok(fresh);
        }
        // Opened by this process earlier, or by another one between the two statements.
        let open = store::open_id(self, &alert.key).await?.ok_or(Error::Conflict)?;
        store::refresh(self, open, alert, now).await?;
        Ok(open)
    }

    /// Offers, on the page of an alert, something to do about it; offering it again changes nothing.
    ///
    /// # Errors
    /// When it does not lead to a page of this platform, which is a fault of the program.
    pub async fn offer(&mut self, alert: AlertId, act: &Act) -> Result<()> {
        if !act.href.starts_with('/') || act.href.starts_with("//") {
            return Err(Error::internal("what is offered leads to a page of this platform"));
        }
        store::offer(self, alert, act).await
    }

    /// Says that what an alert told of is well again. Returns whether one was open under the key.
    pub async fn clear(&mut self, key: &str) -> Result<bool> {
        let Some(alert) = store::open_id(self, key).await? else { return Ok(false) };
        store::clear(self, alert).await?;
        self.publish(&AlertCleared { alert, key: key.to_owned() }).await?;
        Ok(true)
    }
}

/// Says that the actor looks after an open alert.
///
/// # Errors
/// Denied without the right over the whole province; refused when the alert is over or somebody looks after it already.
pub async fn acknowledge(k: &Kernel, cx: &Cx, id: AlertId, note: &str) -> Result<()> {
    cx.may(ACKNOWLEDGE, &Scope::province())?;
    let note = note.trim();
    if note.chars().count() > MAX_NOTE {
        let text = Text {
            vi: format!("Ghi chú dài nhất {MAX_NOTE} ký tự."),
            en: format!("A note has at most {MAX_NOTE} characters."),
        };
        return Err(Error::field("note", text));
    }
    let mut tx = k.begin(cx).await?;
    let alert = store::lock(&mut tx, id).await?.ok_or(Error::NotFound { kind: AlertId::KIND })?;
    if alert.cleared_at.is_some() {
        return Err(refused("alert-cleared", "Sự cố này đã kết thúc.", "This alert is over."));
    }
    if alert.acknowledged.is_some() {
        return Err(refused(
            "alert-acknowledged",
            "Đã có người tiếp nhận xử lý sự cố này.",
            "Somebody looks after this alert already.",
        ));
    }
    store::acknowledge(&mut tx, cx, id, note).await?;
    tx.publish(&AlertAcknowledged { alert: id, key: alert.key.clone() }).await?;
    let detail = serde_json::json!({"key": alert.key, "note": note});
    tx.audit("kernel.alert.acknowledge", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(())
}

fn refused(code: &'static str, vi: &str, en: &str) -> Error {
    Refusal::new(code, Text { vi: vi.to_owned(), en: en.to_owned() }).into()
}
