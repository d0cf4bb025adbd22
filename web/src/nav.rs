//! The bar of the desk: what each module offers, filtered by the rights of the appointment.

use base::i18n::Lang;

use crate::access::Access;
use crate::cx::Cx;
use crate::ui::Icon;

/// A text of a catalogue.
pub type Say = fn(Lang) -> &'static str;

/// An entry of the bar.
#[derive(Debug, Clone)]
pub struct Nav {
    href: &'static str,
    icon: Icon,
    label: Say,
    access: Access,
    group: Option<Say>,
    order: u16,
}

/// A group of entries as one person sees it.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) title: Option<&'static str>,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) href: &'static str,
    pub(crate) icon: Icon,
    pub(crate) label: &'static str,
    pub(crate) active: bool,
}

impl Nav {
    /// An entry; only those who may open it see it.
    pub fn new(href: &'static str, icon: Icon, label: Say, access: Access) -> Self {
        Self { href, icon, label, access, group: None, order: 100 }
    }

    /// The heading it stands under.
    pub fn group(mut self, title: Say) -> Self {
        self.group = Some(title);
        self
    }

    /// Smaller numbers stand higher; a group stands where its first entry would.
    pub fn order(mut self, order: u16) -> Self {
        self.order = order;
        self
    }
}

/// The bar as this person sees it on this page.
pub(crate) fn groups(cx: &Cx) -> Vec<Group> {
    let mut seen: Vec<&Nav> = cx.view().nav.iter().filter(|n| n.access.check(cx).is_ok()).collect();
    seen.sort_by_key(|n| n.order);
    let here = cx.address().only_path();
    let active = seen.iter().map(|n| n.href).filter(|h| covers(h, here)).max_by_key(|h| h.len());
    let mut groups: Vec<Group> = Vec::new();
    for nav in seen {
        let title = nav.group.map(|say| say(cx.lang));
        let entry = Entry {
            href: nav.href,
            icon: nav.icon,
            label: (nav.label)(cx.lang),
            active: Some(nav.href) == active,
        };
        match groups.iter_mut().find(|g| g.title == title) {
            Some(group) => group.entries.push(entry),
            None => groups.push(Group { title, entries: vec![entry] }),
        }
    }
    groups
}

fn covers(href: &str, path: &str) -> bool {
    path == href || path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/') && href != "/")
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn an_entry_is_active_on_its_own_pages_only() {
        assert!(covers("/exchange/members", "/exchange/members/1"));
        assert!(covers("/exchange", "/exchange"));
        assert!(!covers("/exchange/member", "/exchange/members"));
        assert!(!covers("/", "/exchange"));
    }
}
