//! Administrative units: one page that answers "what was this unit on that day, and what became of it", the same as
//! an interface, and the import of the lists. The units and their history are the kernel's `orgs`.

mod answer;
mod api;
mod import;
mod pages;
mod when;
mod words;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

use async_trait::async_trait;
use kernel::i18n::Text;
use kernel::orgs::{UnitId, permissions};
use kernel::{Card, Cx, Finding, Kernel, Module, Permission, Ref, Result};

pub use import::{Imported, Lists, import};

/// The module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Units;

#[async_trait]
impl Module for Units {
    fn name(&self) -> &'static str {
        "units"
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    async fn describe(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
        if of.kind != UnitId::KIND {
            return Ok(None);
        }
        let Ok(unit) = of.id.parse::<UnitId>() else { return Ok(None) };
        // A card names the unit as it was last: the reader sees the day on its page.
        let Some(last) = k.orgs().history(unit).await?.into_iter().next_back() else { return Ok(None) };
        let on = when::shown(&last, k.clock.now().date());
        let above = k.orgs().ancestors(unit, on).await?;
        let text = above.iter().map(|v| v.full_name.as_str()).collect::<Vec<_>>().join(", ");
        let text = if text.is_empty() { last.kind.label(cx.lang).to_owned() } else { text };
        let href = pages::path(&last, on);
        Ok(Some(Card { title: last.full_name, text, href }))
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        let (ok, text) = match k.orgs().states().await {
            Ok(states) => match states.last() {
                Some(on) => (true, Text::both(|l| t::check_imported(l, on.vn()))),
                None => (false, Text::both(t::check_not_imported)),
            },
            Err(e) => (false, Text::both(|l| t::check_failed(l, e.to_string()))),
        };
        vec![Finding { check: "units.imported", title: Text::both(t::check_title), ok, text }]
    }
}

impl web::Pages for Units {
    fn routes(&self) -> web::Routes {
        pages::routes().merge(api::routes())
    }

    fn nav(&self) -> Vec<web::Nav> {
        pages::nav()
    }

    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        Some(api::document())
    }
}
