//! Whose catalogues a reader may see, as one condition that lists, counts, exports and single questions share: everybody
//! what is public and published, systems everything published, officials that of their agencies, editors their drafts.

use kernel::db::Value;
use kernel::{Actor, AgencyFilter, Cx};

use crate::catalogue::Catalogue;
use crate::permissions::{EDIT, PUBLISH, READ};

/// How far a reader sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// Of which agencies published catalogues that are not public may be read.
    published: AgencyFilter,
    /// Of which agencies drafts may be read.
    drafts: AgencyFilter,
}

impl Viewer {
    /// The view of whoever acts.
    pub fn of(cx: &Cx) -> Self {
        let drafts = union(cx.agencies(EDIT), cx.agencies(PUBLISH));
        let published = match cx.actor {
            Actor::System { .. } => AgencyFilter::All,
            _ => union(cx.agencies(READ), drafts.clone()),
        };
        Self { published, drafts }
    }

    /// Whether published versions of a catalogue may be read. For a mapping ask of its two ends as well.
    pub fn sees(&self, c: &Catalogue) -> bool {
        self.drafts.includes(c.owner) || (c.published && (c.about.public || self.published.includes(c.owner)))
    }

    /// Whether drafts of a catalogue may be read.
    pub fn sees_drafts(&self, c: &Catalogue) -> bool {
        self.drafts.includes(c.owner)
    }

    /// [`Viewer::sees`] in SQL, over the table named `alias`.
    pub(crate) fn condition(&self, alias: &str, p: &mut Vec<Value>) -> String {
        let owner = format!("{alias}.owner_id");
        let (read, more) = self.published.sql(&owner, p.len() + 1);
        p.extend(more);
        let (edit, more) = self.drafts.sql(&owner, p.len() + 1);
        p.extend(more);
        format!("({edit} OR ({alias}.is_published = 1 AND ({alias}.is_public = 1 OR {read})))")
    }
}

fn union(a: AgencyFilter, b: AgencyFilter) -> AgencyFilter {
    match (a, b) {
        (AgencyFilter::Only(mut a), AgencyFilter::Only(b)) => {
            a.extend(b);
            a.sort();
            a.dedup();
            AgencyFilter::Only(a)
        }
        _ => AgencyFilter::All,
    }
}
