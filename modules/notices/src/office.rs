//! What every part of the module works with: settings, gateways, the words it needs, and where things are found.

use std::sync::{Arc, OnceLock};

use kernel::notices::{Channel, Gateway};
use kernel::{Cx, Kernel, Module, Ref};

use crate::config::Settings;

/// The modules whose things messages link to, named once all are built.
pub type Modules = Arc<OnceLock<Vec<Arc<dyn Module>>>>;

/// See above.
pub(crate) struct Office {
    pub settings: Settings,
    /// `https://lienthong.tinh.gov.vn`, without a slash at the end.
    pub origin: String,
    /// The platform's name at the end of messages.
    pub platform: String,
    pub gateways: Vec<Arc<dyn Gateway>>,
    pub modules: Modules,
}

impl Office {
    /// The gateway of a channel, if one is configured.
    pub fn gateway(&self, channel: Channel) -> Option<&Arc<dyn Gateway>> {
        self.gateways.iter().find(|g| g.channel() == channel)
    }

    /// The full address of a thing's page; the front page when no module has one.
    pub async fn link(&self, k: &Kernel, of: Option<&Ref>) -> String {
        if let Some(path) = self.path(k, of).await {
            return format!("{}{path}", self.origin);
        }
        format!("{}/", self.origin)
    }

    /// The page of a thing.
    async fn path(&self, k: &Kernel, of: Option<&Ref>) -> Option<String> {
        let (of, cx) = (of?, Cx::kernel("notices", k.clock.now()));
        for module in self.modules.get()? {
            match module.describe(k, of, &cx).await {
                Ok(Some(card)) => return Some(card.href),
                Ok(None) => {}
                // A message without its link is better than none.
                Err(e) => {
                    tracing::warn!(module = module.name(), error = e.chain(), "a thing is not described")
                }
            }
        }
        None
    }
}
