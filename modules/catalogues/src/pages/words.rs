//! Attributes in words: their labels, and the names of values that are codes of another catalogue.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::clock::Date;
use base::i18n::Lang;
use kernel::{Error, Kernel, Result};
use serde_json::Value;
use web::Cx;
use web::ui::Cell;

use crate::catalogue::Catalogue;
use crate::content::{Changes, Field, plain};
use crate::entry::Entry;
use crate::label::Label;
use crate::questions;
use crate::store::{entries, versions};

/// What attributes are called and mean to one reader.
pub(super) struct Words {
    lang: Lang,
    labels: Vec<Label>,
    /// Names by catalogue and code.
    names: HashMap<(String, String), String>,
}

impl Words {
    /// For values of attributes, as on a day. A catalogue the reader may not see gives no names.
    pub(super) async fn of<'a>(
        k: &Kernel,
        cx: &Cx,
        c: &Catalogue,
        on: Date,
        values: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self> {
        let labels = c.about.labels.clone();
        let mut asked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (key, value) in values {
            if let Some(label) = labels.iter().find(|l| l.key == key && !l.values.is_empty()) {
                asked.entry(&label.values).or_default().insert(value);
            }
        }
        let mut names = HashMap::new();
        for (code, values) in asked {
            let source = match questions::find(k, cx, code).await {
                Ok(source) => source,
                Err(Error::NotFound { .. } | Error::Denied { .. }) => continue,
                Err(e) => return Err(e),
            };
            let Some(version) = versions::at(&k.db, source.id, on).await? else { continue };
            let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
            for (value, e) in entries::by_codes(&k.db, version.id, on, &values).await? {
                let english = cx.lang == Lang::En && !e.name_en.is_empty();
                names.insert((code.to_owned(), value), if english { e.name_en } else { e.name_vi });
            }
        }
        Ok(Self { lang: cx.lang, labels, names })
    }

    /// The labels of attributes that stand in any of the rows, in their order.
    pub(super) fn columns(&self, rows: &[Entry]) -> Vec<&Label> {
        self.labels.iter().filter(|l| rows.iter().any(|e| e.attributes.contains_key(&l.key))).collect()
    }

    /// What an attribute is called; its own name when it has no label.
    pub(super) fn label<'a>(&'a self, key: &'a str) -> &'a str {
        self.labels.iter().find(|l| l.key == key).map_or(key, |l| l.name(self.lang))
    }

    /// A value in words; the value itself when nothing names it.
    pub(super) fn cell(&self, key: &str, value: &str) -> Cell {
        let label = self.labels.iter().find(|l| l.key == key);
        match label.and_then(|l| self.names.get(&(l.values.clone(), value.to_owned()))) {
            Some(name) => Cell::text(name),
            None if value.is_empty() => Cell::none(),
            None => Cell::legal(value),
        }
    }

    /// Attributes without a label, in one line.
    pub(super) fn others(&self, e: &Entry) -> String {
        let rest = e.attributes.iter().filter(|(key, _)| self.labels.iter().all(|l| l.key != **key));
        let one = |(name, value): (&String, &Value)| format!("{name}: {}", plain(value));
        rest.map(one).collect::<Vec<_>>().join("; ")
    }
}

/// The attributes of rows, for [`Words::of`].
pub(super) fn attributes(rows: &[Entry]) -> impl Iterator<Item = (&str, &str)> {
    let all = rows.iter().flat_map(|e| &e.attributes);
    all.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// The attributes that differ, before and after, for [`Words::of`].
pub(super) fn differing(changes: &Changes) -> impl Iterator<Item = (&str, &str)> {
    changes.changed.iter().flat_map(|c| &c.fields).flat_map(|(field, before, after)| match field {
        Field::Attribute(key) => vec![(key.as_str(), before.as_str()), (key.as_str(), after.as_str())],
        _ => Vec::new(),
    })
}
