//! The rows of a version, whichever kind they are, and what differs between two sets of them.

use std::collections::HashMap;

use base::clock::Date;
use base::i18n::{Lang, Text};
use serde::Serialize;
use serde_json::Value;

use crate::catalogue::Kind;
use crate::entry::{self, Entry};
use crate::pair::{self, Pair, Relation};
use crate::t;
use crate::table::{self, Reading, Refused};

/// Rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Of a catalogue.
    Entries(Vec<Entry>),
    /// Of a mapping.
    Pairs(Vec<Pair>),
}

/// A field of a row, as named in files and the interface: `name_vi`, …, `attributes.type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Vietnamese name.
    NameVi,
    /// English name.
    NameEn,
    /// Code of the entry above.
    Parent,
    /// Place in the order.
    Order,
    /// First day.
    ValidFrom,
    /// Last day.
    ValidTo,
    /// Something else known, by its name.
    Attribute(String),
    /// How the codes relate.
    Relation,
    /// Why.
    Reason,
}

impl Field {
    /// As named in the interface.
    pub fn name(&self) -> String {
        let name = match self {
            Self::NameVi => "name_vi",
            Self::NameEn => "name_en",
            Self::Parent => "parent",
            Self::Order => "order",
            Self::ValidFrom => "valid_from",
            Self::ValidTo => "valid_to",
            Self::Attribute(key) => return format!("attributes.{key}"),
            Self::Relation => "relation",
            Self::Reason => "reason",
        };
        name.to_owned()
    }

    /// In words; an attribute by its own name.
    pub fn label(&self, l: Lang) -> &str {
        match self {
            Self::NameVi => t::col_name(l),
            Self::NameEn => t::col_name_en(l),
            Self::Parent => t::col_parent(l),
            Self::Order => t::col_order(l),
            Self::ValidFrom => t::col_from(l),
            Self::ValidTo => t::col_to(l),
            Self::Attribute(key) => key,
            Self::Relation => t::col_relation(l),
            Self::Reason => t::col_reason(l),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.name())
    }
}

/// A row reduced to what is compared and shown: its key and its fields as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The code; for pairs both codes.
    pub key: String,
    /// The fields that are not part of the key.
    pub fields: Vec<(Field, String)>,
}

impl Record {
    /// What tells a person which row it is.
    pub fn title(&self) -> &str {
        let by = [Field::NameVi, Field::Relation];
        self.fields.iter().find(|(f, _)| by.contains(f)).map_or("", |(_, v)| v.as_str())
    }
}

/// A row before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The code; for pairs both codes.
    pub key: String,
    /// Field, before, after: only what differs.
    pub fields: Vec<(Field, String, String)>,
}

/// What differs between two sets of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Rows that came.
    pub added: Vec<Record>,
    /// Rows that are otherwise.
    pub changed: Vec<Changed>,
    /// Rows that went.
    pub removed: Vec<Record>,
    /// How many stayed as they were.
    pub same: usize,
}

impl Changes {
    /// Whether nothing differs.
    pub fn none(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Content {
    /// No rows yet.
    pub fn none(kind: Kind) -> Self {
        match kind {
            Kind::Mapping => Self::Pairs(Vec::new()),
            Kind::Shared | Kind::Local => Self::Entries(Vec::new()),
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Entries(rows) => rows.len(),
            Self::Pairs(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows, reduced to what is compared.
    pub fn records(&self) -> Vec<Record> {
        match self {
            Self::Entries(rows) => rows.iter().map(of_entry).collect(),
            Self::Pairs(rows) => rows.iter().map(of_pair).collect(),
        }
    }

    /// What differs from an earlier set.
    pub fn since(&self, before: &Self) -> Changes {
        changes(&before.records(), &self.records())
    }
}

fn of_entry(e: &Entry) -> Record {
    let day = |d: Option<Date>| d.map(Date::vn).unwrap_or_default();
    let mut fields = vec![
        (Field::NameVi, e.name_vi.clone()),
        (Field::NameEn, e.name_en.clone()),
        (Field::Parent, e.parent.clone()),
        (Field::Order, e.order.map(|n| n.to_string()).unwrap_or_default()),
        (Field::ValidFrom, day(e.from)),
        (Field::ValidTo, day(e.to)),
    ];
    fields.extend(e.attributes.iter().map(|(key, value)| (Field::Attribute(key.clone()), plain(value))));
    Record { key: e.code.clone(), fields }
}

/// The value of an attribute as text: words as they are, the rest as JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn of_pair(p: &Pair) -> Record {
    let target = if p.relation == Relation::None { "–" } else { &p.target };
    let fields = vec![(Field::Relation, p.relation.as_str().to_owned()), (Field::Reason, p.reason.clone())];
    Record { key: format!("{} → {target}", p.source), fields }
}

fn changes(before: &[Record], after: &[Record]) -> Changes {
    let old: HashMap<&str, &Record> = before.iter().map(|r| (r.key.as_str(), r)).collect();
    let new: HashMap<&str, &Record> = after.iter().map(|r| (r.key.as_str(), r)).collect();
    let mut found = Changes {
        removed: before.iter().filter(|r| !new.contains_key(r.key.as_str())).cloned().collect(),
        ..Changes::default()
    };
    for row in after {
        match old.get(row.key.as_str()) {
            None => found.added.push(row.clone()),
            Some(was) if **was == *row => found.same += 1,
            Some(was) => {
                found.changed.push(Changed { key: row.key.clone(), fields: differing(was, row) });
            }
        }
    }
    found
}

/// What differs between two rows of one key; a field that only one of them has is empty in the other.
fn differing(was: &Record, row: &Record) -> Vec<(Field, String, String)> {
    let of = |r: &Record, field: &Field| r.fields.iter().find(|(f, _)| f == field).map(|(_, v)| v.clone());
    let gone = was.fields.iter().filter(|(f, _)| of(row, f).is_none());
    let fields = row.fields.iter().chain(gone).map(|(f, _)| f);
    let both = fields.map(|f| (f.clone(), of(was, f).unwrap_or_default(), of(row, f).unwrap_or_default()));
    both.filter(|(_, before, after)| before != after).collect()
}

/// Rows on their way into a draft, and those that are not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Rows that are taken.
    pub content: Content,
    /// Rows that are not.
    pub refused: Vec<Refused>,
}

/// Rows as read, before they are checked against their version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// For a catalogue.
    Entries(Reading<Entry>),
    /// For a mapping.
    Pairs(Reading<Pair>),
}

impl Given {
    /// Reads a CSV file for a kind of catalogue.
    ///
    /// # Errors
    /// Why the file as a whole cannot be read.
    pub fn from_csv(kind: Kind, bytes: &[u8]) -> Result<Self, Text> {
        Ok(match kind {
            Kind::Mapping => {
                Self::Pairs(table::read(bytes, pair::COLUMNS, &["source", "relation"], Pair::from_fields)?)
            }
            Kind::Shared | Kind::Local => {
                Self::Entries(table::read(bytes, entry::COLUMNS, &["code", "name_vi"], Entry::from_fields)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(rows: &[(&str, &str)]) -> Content {
        let make = |(code, name): &(&str, &str)| Entry {
            code: (*code).into(),
            name_vi: (*name).into(),
            ..Entry::default()
        };
        Content::Entries(rows.iter().map(make).collect())
    }

    #[test]
    fn attributes_differ_one_by_one() {
        let make = |attributes: Value| {
            let attributes = attributes.as_object().cloned().unwrap_or_default();
            Content::Entries(vec![Entry { code: "1".into(), attributes, ..Entry::default() }])
        };
        let before = make(serde_json::json!({ "type": "commune", "act": "1", "area": 2 }));
        let found = make(serde_json::json!({ "type": "ward", "area": 2, "seat": true })).since(&before);
        let said = |key: &str, a: &str, b: &str| (Field::Attribute(key.into()), a.to_owned(), b.to_owned());
        let mut fields = found.changed[0].fields.clone();
        fields.sort_by_key(|(field, ..)| field.name());
        assert_eq!(fields, [said("act", "1", ""), said("seat", "", "true"), said("type", "commune", "ward")]);
        let sent = serde_json::to_value(&fields[2]).unwrap();
        assert_eq!(sent, serde_json::json!(["attributes.type", "commune", "ward"]));
    }

    #[test]
    fn what_came_went_and_changed() {
        let before = entries(&[("1", "a"), ("2", "b"), ("3", "c")]);
        let after = entries(&[("4", "d"), ("1", "a"), ("2", "B")]);
        let found = after.since(&before);
        assert_eq!((found.added[0].key.as_str(), found.removed[0].key.as_str(), found.same), ("4", "3", 1));
        assert_eq!(found.changed[0].fields, [(Field::NameVi, "b".to_owned(), "B".to_owned())]);
        assert!(after.since(&after).none());
    }
}
