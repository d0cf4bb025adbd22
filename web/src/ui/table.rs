//! Work lists and tables: sorted by links, paged by cursors, cards on a phone, walked with `j` and `k`.

use askama::Template;
use base::i18n::Lang;

use super::html::{Html, markup};
use super::{Action, Cell, Count, Empty, Icon};
use crate::address::Address;
use crate::t;

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    label: String,
    class: &'static str,
    sort: Option<String>,
}

impl Column {
    /// Words.
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), class: "", sort: None }
    }

    /// Numbers, right-aligned.
    pub fn number(label: impl Into<String>) -> Self {
        Self { label: label.into(), class: "lt-n", sort: None }
    }

    /// Buttons; the label is for assistive technology only.
    pub fn end(label: impl Into<String>) -> Self {
        Self { label: label.into(), class: "lt-end", sort: None }
    }

    /// The list can be sorted by this column under this key.
    pub fn sort(mut self, key: impl Into<String>) -> Self {
        self.sort = Some(key.into());
        self
    }
}

/// A row.
#[derive(Debug, Clone)]
pub struct Row {
    cells: Vec<Cell>,
    href: Option<String>,
}

impl Row {
    /// A row of values, one for each column.
    pub fn new(cells: impl IntoIterator<Item = Cell>) -> Self {
        Self { cells: cells.into_iter().collect(), href: None }
    }

    /// The page of the thing; the first cell becomes the link.
    pub fn href(mut self, href: impl std::fmt::Display) -> Self {
        self.href = Some(href.to_string());
        self
    }
}

/// A table.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/table.html")]
pub struct Table {
    lang: Lang,
    caption: String,
    show_caption: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
    sorted: Option<(Address, String, bool)>,
    next: Option<String>,
    previous: Option<String>,
    export: Option<Address>,
    total: Option<Count>,
    empty: Option<Empty>,
    cards: bool,
}
markup!(Table);

impl Table {
    /// A table; the caption is read by assistive technology.
    pub fn new(lang: Lang, caption: impl Into<String>) -> Self {
        Self {
            lang,
            caption: caption.into(),
            show_caption: false,
            columns: Vec::new(),
            rows: Vec::new(),
            sorted: None,
            next: None,
            previous: None,
            export: None,
            total: None,
            empty: None,
            cards: true,
        }
    }

    /// Shows the caption above the table.
    pub fn captioned(mut self) -> Self {
        self.show_caption = true;
        self
    }

    /// Scrolls sideways on a phone instead of turning into cards.
    pub fn scrolling(mut self) -> Self {
        self.cards = false;
        self
    }

    /// Adds a column.
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// Adds a row.
    pub fn row(mut self, row: Row) -> Self {
        let mut row = row;
        if let Some(href) = row.href.take()
            && let Some(first) = row.cells.first_mut()
        {
            *first = std::mem::replace(first, Cell::none()).into_row_link(&href);
        }
        self.rows.push(row);
        self
    }

    /// Adds rows.
    pub fn rows(self, rows: impl IntoIterator<Item = Row>) -> Self {
        rows.into_iter().fold(self, Self::row)
    }

    /// The list is sorted by `key`; headings with a key become links on this address (`sort=key`, `desc=1`).
    pub fn sorted(mut self, address: &Address, key: &str, descending: bool) -> Self {
        self.sorted = Some((address.without("after").without("before"), key.to_owned(), descending));
        self
    }

    /// The next page.
    pub fn next(mut self, href: Option<impl std::fmt::Display>) -> Self {
        self.next = href.map(|h| h.to_string());
        self
    }

    /// The page before, or the first one.
    pub fn previous(mut self, href: Option<impl std::fmt::Display>) -> Self {
        self.previous = href.map(|h| h.to_string());
        self
    }

    /// All rows under the filters of `list` as files: `/export` below its path, with `as=csv` or `as=xlsx`
    /// ([`crate::export`]).
    pub fn export(mut self, list: &Address) -> Self {
        let rows = list.without("after").without("before");
        self.export = Some(rows.at(format!("{}/export", list.only_path().trim_end_matches('/'))));
        self
    }

    /// How many there are in all.
    pub fn total(mut self, total: Count) -> Self {
        self.total = Some(total);
        self
    }

    /// What is said when there are no rows.
    pub fn empty(mut self, empty: Empty) -> Self {
        self.empty = Some(empty);
        self
    }

    fn empty_or_default(&self) -> Empty {
        self.empty.clone().unwrap_or_else(|| {
            let filtered = self.sorted.as_ref().filter(|(a, ..)| !a.pairs().is_empty());
            let empty = Empty::new(Icon::Inbox, t::nothing_here(self.lang), t::nothing_here_text(self.lang));
            match filtered {
                Some((a, ..)) => empty.action(Action::link(t::clear_filters(self.lang), a.only_path())),
                None => empty,
            }
        })
    }

    fn order(&self, column: &Column) -> Option<&'static str> {
        let (_, key, descending) = self.sorted.as_ref()?;
        (column.sort.as_ref()? == key).then_some(if *descending { "descending" } else { "ascending" })
    }

    fn heading(&self, column: &Column) -> Html {
        let label = Html::escaped(&column.label);
        let (Some((address, ..)), Some(key)) = (&self.sorted, &column.sort) else {
            return label;
        };
        let order = self.order(column);
        let to = address.with("sort", key).with("desc", if order == Some("ascending") { "1" } else { "" });
        let (icon, current) = match order {
            None => (Icon::ArrowsSort, ""),
            Some("descending") => (Icon::SortDescending, " aria-current=\"true\""),
            Some(_) => (Icon::SortAscending, " aria-current=\"true\""),
        };
        let href = Html::escaped(&to);
        Html::trusted(format!(
            "<a href=\"{}\"{current}>{}{}</a>",
            href.as_str(),
            label.as_str(),
            icon.small().as_str()
        ))
    }

    fn has_foot(&self) -> bool {
        self.total.is_some() || self.next.is_some() || self.previous.is_some() || !self.files().is_empty()
    }

    /// Address and name of each form in which the list can be taken away; none when there is nothing to take.
    fn files(&self) -> Vec<(Address, &'static str)> {
        let address = self.export.iter().filter(|_| !self.rows.is_empty());
        address.flat_map(|a| [(a.with("as", "csv"), "CSV"), (a.with("as", "xlsx"), "Excel")]).collect()
    }

    fn label(&self, at: &usize) -> &str {
        self.columns.get(*at).map_or("", |c| c.label.as_str())
    }
}
