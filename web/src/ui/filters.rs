//! Search and filters of a list. They live in the address, so a filtered list can be sent to a colleague.

use askama::Template;
use base::i18n::Lang;

use super::Icon;
use super::html::markup;
use crate::address::Address;
use crate::cx::Cx;
use crate::t;

/// The filter line of a list and the chips of what is in force.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/filters.html")]
pub struct Filters {
    lang: Lang,
    address: Address,
    search: Option<(String, String, String)>,
    selects: Vec<Select>,
    chips: Vec<Chip>,
    kept: Vec<(String, String)>,
}
markup!(Filters);

#[derive(Debug, Clone)]
struct Select {
    name: String,
    label: String,
    options: Vec<(String, String)>,
    value: String,
}

#[derive(Debug, Clone)]
struct Chip {
    label: String,
    value: String,
    remove: String,
}

impl Filters {
    /// No filter yet; values come from the address of the request.
    pub fn new(cx: &Cx) -> Self {
        let address = cx.address().without("after").without("before");
        let kept = address.pairs().to_vec();
        Self { lang: cx.lang, address, search: None, selects: Vec::new(), chips: Vec::new(), kept }
    }

    /// A search box.
    pub fn search(mut self, name: &str, label: impl Into<String>) -> Self {
        let (lang, value) = (self.lang, self.take(name));
        let label = label.into();
        if !value.is_empty() {
            let rest = self.address.without(name);
            self = self.chip(t::search(lang), value.clone(), rest);
        }
        self.search = Some((name.to_owned(), label, value));
        self
    }

    /// A choice of `(value, label)`; "all" is added. A choice in force becomes a chip.
    pub fn select(mut self, name: &str, label: impl Into<String>, options: Vec<(String, String)>) -> Self {
        let value = self.take(name);
        let label = label.into();
        if let Some((_, chosen)) = options.iter().find(|(v, _)| *v == value && !v.is_empty()) {
            let rest = self.address.without(name);
            self = self.chip(label.clone(), chosen.clone(), rest);
        }
        self.selects.push(Select { name: name.to_owned(), label, options, value });
        self
    }

    /// A filter set elsewhere, removable here.
    pub fn chip(
        mut self,
        label: impl Into<String>,
        value: impl Into<String>,
        remove: impl std::fmt::Display,
    ) -> Self {
        self.chips.push(Chip { label: label.into(), value: value.into(), remove: remove.to_string() });
        self
    }

    fn take(&mut self, name: &str) -> String {
        self.kept.retain(|(n, _)| n != name);
        self.address.get(name).unwrap_or_default().to_owned()
    }
}
