//! Shared catalogues (danh mục dùng chung) and mappings of codes: dated versions that are published and never edited,
//! entries as of any day, translation between local and national codes, import with a comparison before it.

pub mod actions;
mod api;
pub mod catalogue;
pub mod content;
pub mod entry;
pub mod events;
pub mod ids;
pub mod label;
mod pages;
pub mod pair;
pub mod permissions;
pub mod questions;
pub mod store;
pub mod table;
pub mod version;
pub mod viewer;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

use async_trait::async_trait;
use base::i18n::{Lang, Text};
use kernel::db::Migration;
use kernel::{Card, Cx, Error, Finding, Kernel, Module, Permission, Ref, Result};
use utoipa::OpenApi;

use crate::ids::CatalogueId;

/// The module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Catalogues;

#[async_trait]
impl Module for Catalogues {
    fn name(&self) -> &'static str {
        "catalogues"
    }

    fn migrations(&self) -> &'static [Migration] {
        store::MIGRATIONS
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    async fn describe(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Option<Card>> {
        if of.kind != CatalogueId::KIND {
            return Ok(None);
        }
        let Ok(id) = of.id.parse() else { return Ok(None) };
        let found = match store::catalogues::by_id(&k.db, id).await {
            Ok(c) => questions::find(k, cx, &c.code).await,
            Err(e) => Err(e),
        };
        match found {
            Ok(c) => {
                let text = format!("{} · {}", c.kind.label(cx.lang), c.code);
                let href = format!("/catalogues/{}", c.code);
                Ok(Some(Card { title: c.about.name(cx.lang).to_owned(), text, href }))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        vec![ended(k).await, mappings(k).await]
    }
}

const CURRENT: &str = "catalogues.current";
const MAPPINGS: &str = "catalogues.mappings";

/// Checks that ask an owner to act. What a list says or lacks keeps nobody from being served: readiness leaves them out.
pub const ADVISORY: &[&str] = &[CURRENT, MAPPINGS];

/// Names in a finding; the rest is on the pages.
const NAMED: usize = 5;

fn finding(check: &'static str, title: fn(Lang) -> &'static str, found: Result<(bool, Text)>) -> Finding {
    let (ok, text) = found.unwrap_or_else(|e| (false, Text::both(|l| t::check_failed(l, e.to_string()))));
    Finding { check, title: Text::both(title), ok, text }
}

/// Catalogues whose last version has ended and that have no next one.
async fn ended(k: &Kernel) -> Finding {
    let found = store::catalogues::ended(&k.db, k.clock.now().date()).await.map(|found| {
        let named: Vec<String> =
            found.iter().take(NAMED).map(|(code, last)| format!("{code} ({})", last.vn())).collect();
        let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let named = named.join(", ");
        let text = match found.is_empty() {
            true => Text::both(t::check_current),
            false => Text::both(|l| t::check_ended(l, t::CheckEnded { count, named: &named })),
        };
        (found.is_empty(), text)
    });
    finding(CURRENT, t::check_current_title, found)
}

/// Mappings that leave codes open today, because one of their lists has changed since.
async fn mappings(k: &Kernel) -> Finding {
    let check = async {
        let today = k.clock.now().date();
        let mut open = Vec::new();
        for c in store::catalogues::published_mappings(&k.db).await? {
            match questions::completeness(k, &c, today).await {
                // A mapping that has ended is told by the other check.
                Ok(found) if found.version.is_none() || found.whole() => {}
                Ok(found) => {
                    open.push(format!("{} ({})", c.code, found.unmapped.len() + found.lost_target.len()));
                }
                Err(Error::Refused(_)) => open.push(c.code),
                Err(e) => return Err(e),
            }
        }
        let count = i64::try_from(open.len()).unwrap_or(i64::MAX);
        let ok = open.is_empty();
        open.truncate(NAMED);
        let named = open.join(", ");
        let text = match ok {
            true => Text::both(t::check_mappings_whole),
            false => Text::both(|l| t::check_mappings_open(l, t::CheckMappingsOpen { count, named: &named })),
        };
        Ok((ok, text))
    };
    finding(MAPPINGS, t::check_mappings_title, check.await)
}

impl web::Pages for Catalogues {
    fn routes(&self) -> web::Routes {
        pages::routes().merge(api::routes())
    }

    fn nav(&self) -> Vec<web::Nav> {
        pages::nav()
    }

    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        Some(api::ApiDoc::openapi())
    }
}
