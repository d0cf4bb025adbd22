//! The front door of a module, without its pages: a plain list that tells what the module does. The application
//! names its modules one by one; nothing is discovered.

use std::sync::Arc;

use async_trait::async_trait;
use base::clock::Timestamp;
use base::error::Result;
use base::i18n::Text;
use base::ids::Ref;

use crate::cx::{Cx, Permission};
use crate::db::Migration;
use crate::jobs::JobHandler;
use crate::kernel::Kernel;
use crate::listeners::Listener;

/// What any page may show of a thing it knows only by [`Ref`], with the reader's rights applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// One line naming the thing.
    pub title: String,
    /// A sentence more.
    pub text: String,
    /// Where its page is.
    pub href: String,
}

/// The result of one real check, for diagnostics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable name of the check.
    pub check: &'static str,
    /// What was checked, in a few words.
    pub title: Text,
    /// Whether it is well.
    pub ok: bool,
    /// What was found, and the next step if it is not well.
    pub text: Text,
}

/// Somebody was told of a thing, or was to be: who, over what, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When it was written.
    pub at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
    /// Who, as shown.
    pub whom: String,
    /// Over which channel; `None` when they have none.
    pub over: Option<Text>,
    /// The address there, mostly hidden.
    pub masked: String,
    /// How far it is, in a word.
    pub state: Text,
    /// Whether it arrived or was taken, as far as is known; `None` while it waits.
    pub arrived: Option<bool>,
    /// What the other side said when it did not.
    pub reason: Option<String>,
    /// The page of the message.
    pub href: String,
}

/// What a module found when it proved samples of restored data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// What was proved, in a few words.
    pub what: Text,
    /// How many samples.
    pub checked: u64,
    /// Those that could not be proved, with the reason. Identifiers only, no personal data.
    pub faults: Vec<String>,
}

/// A module of the platform.
#[async_trait]
pub trait Module: Send + Sync + 'static {
    /// Short, as used in table prefixes and addresses.
    fn name(&self) -> &'static str;
    /// Its own tables, in order.
    fn migrations(&self) -> &'static [Migration] {
        &[]
    }
    /// Rights that can be granted over its things.
    fn permissions(&self) -> &'static [Permission] {
        &[]
    }
    /// Work it does outside a request.
    fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        Vec::new()
    }
    /// Facts it hears.
    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        Vec::new()
    }
    /// Called once, after migrations and before the first request.
    async fn start(&self, _k: &Kernel) -> Result<()> {
        Ok(())
    }
    /// Called once when the process stops, after the last request.
    async fn stop(&self, _k: &Kernel) -> Result<()> {
        Ok(())
    }
    /// Directories below the data directory that a backup must hold beside the tables.
    fn backup_dirs(&self) -> &'static [&'static str] {
        &[]
    }
    /// Called on restored data, after tables and directories are back and before the first start.
    async fn restored(&self, _k: &Kernel) -> Result<()> {
        Ok(())
    }
    /// Called on data restored for a drill: proves up to `most` samples of what the module vouches for.
    async fn trial(&self, _k: &Kernel, _most: u32) -> Result<Option<Trial>> {
        Ok(None)
    }
    /// A card for one of its things; `None` when it is not this module's or the reader may not know of it.
    async fn describe(&self, _k: &Kernel, _of: &Ref, _cx: &Cx) -> Result<Option<Card>> {
        Ok(None)
    }
    /// Who was told of this thing, the first one first; nothing when the reader may not know it.
    async fn told(&self, _k: &Kernel, _of: &Ref, _cx: &Cx) -> Result<Vec<Told>> {
        Ok(Vec::new())
    }
    /// Real checks, each naming the guilty side.
    async fn diagnose(&self, _k: &Kernel) -> Vec<Finding> {
        Vec::new()
    }
}
