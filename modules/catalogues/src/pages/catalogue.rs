//! The page of a catalogue or mapping as of a day: its rows, its versions, what belongs to it.

use askama::Template;
use axum::extract::State;
use base::clock::Date;
use base::i18n::Lang;
use kernel::{Kernel, Result};
use serde::Deserialize;
use web::ui::{
    Action, Address, Badge, Cell, Column, Empty, Facts, Head, Html, Icon, Notice, Row, Section, Table, Tabs,
    Thing, Tone,
};
use web::{Cx, Page, Path, Query};

use super::{parts, rows};
use crate::catalogue::Catalogue;
use crate::store::catalogues::{self, ListFilter};
use crate::version::{State as Stands, Version};
use crate::viewer::Viewer;
use crate::{questions, t};

/// Codes named on the page of a mapping; the interface gives all.
const NAMED: usize = 200;
/// Mappings named on the page of a catalogue.
const BESIDE: u32 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    tab: String,
    on: String,
    q: String,
    parent: String,
    relation: String,
    after: String,
}

impl Asked {
    fn rows(&self) -> rows::Asked {
        rows::Asked {
            on: self.on.clone(),
            q: self.q.clone(),
            parent: self.parent.clone(),
            relation: self.relation.clone(),
            after: self.after.clone(),
            version: None,
        }
    }
}

#[derive(Template)]
#[template(path = "day.html")]
struct DayBox<'a> {
    action: String,
    lang: Lang,
    tab: &'a str,
    q: &'a str,
    on: String,
}

pub(super) async fn page(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let c = questions::find(&k, &cx, &code).await?;
    let on = parts::day(&k, &asked.on)?;
    let all = questions::versions_of(&k, &cx, &c).await?;
    let now = all.iter().find(|v| v.answers_on(on));
    let mut content = web::body![tabs(l, &c, &asked, on)];
    match asked.tab.as_str() {
        "versions" => content.push(Section::new(t::tab_versions(l), version_table(l, &c, &all)).flush()),
        "mappings" if c.is_mapping() => content.push(completeness(&k, l, &c, on).await?),
        "mappings" => content.push(mappings(&k, &cx, &c, on).await?),
        _ => {
            let action = parts::path(&c.code);
            content.push(DayBox { action, lang: l, tab: "", q: &asked.q, on: on.vn() });
            content.push(days(l, &c, &all, on));
            match now {
                Some(v) => content.push(rows::table(&k, &cx, &c, v, Some(on), &asked.rows()).await?),
                None => content.push(nothing(l, &cx, &c, &all, on)),
            }
        }
    }
    let thing = Thing::new(content).side(t::facts_title(l), facts(&k, &cx, &c, now, on).await?);
    let body = web::body![head(&cx, &c, &all, on), notice(&cx, &c, &all), thing];
    Ok(web::page(&parts::frame(&cx, c.about.name(l), None), body))
}

fn head(cx: &Cx, c: &Catalogue, all: &[Version], on: Date) -> Head {
    let l = cx.lang;
    let mut head = Head::new(l, c.about.name(l)).code(&c.code).sub(t::catalogue_sub(l, on.vn()));
    if l == Lang::En && c.about.name_en.is_empty() {
        head = head.legal_name();
    }
    let stands = match all.iter().find(|v| v.answers_on(on)) {
        Some(v) => Badge::new(Tone::Good, t::version_n(l, v.number)),
        None => Badge::new(Tone::Warn, t::no_version(l)),
    };
    head = head.badge(stands);
    if c.about.public {
        head = head.badge(Badge::new(Tone::Info, t::open_public(l)));
    }
    if parts::may_edit(cx, c) {
        let here = parts::path(&c.code);
        if all.iter().all(|v| v.state != Stands::Draft) {
            let new = Action::link(t::draft_new(l), format!("{here}/draft")).icon(Icon::Plus);
            head = head.primary(new);
        }
        head = head.action(Action::link(t::catalogue_edit(l), format!("{here}/edit")).icon(Icon::Edit));
    }
    head
}

/// The draft that waits, for who may do something about it.
fn notice(cx: &Cx, c: &Catalogue, all: &[Version]) -> Html {
    let l = cx.lang;
    let Some(draft) = all.iter().find(|v| v.state == Stands::Draft) else { return Html::default() };
    let say = t::DraftWaits { number: draft.number, period: parts::period(l, &draft.outline.period) };
    let open = Action::link(t::draft_show(l), parts::version_path(&c.code, draft.number));
    Html::of(Notice::new(Tone::Info, t::draft_waits(l, say)).action(open))
}

fn tabs(l: Lang, c: &Catalogue, asked: &Asked, on: Date) -> Tabs {
    let tab = |name: &str| Address::path(parts::path(&c.code)).with("tab", name).with("on", on);
    let (rows, third) = match c.is_mapping() {
        true => (t::tab_pairs(l), t::tab_completeness(l)),
        false => (t::tab_rows(l), t::tab_mappings(l)),
    };
    let here = asked.tab.as_str();
    Tabs::new(l)
        .tab(rows, tab(""), None, !matches!(here, "versions" | "mappings"))
        .tab(t::tab_versions(l), tab("versions"), None, here == "versions")
        .tab(third, tab("mappings"), None, here == "mappings")
}

/// One tab for each period with its own answer.
fn days(l: Lang, c: &Catalogue, all: &[Version], on: Date) -> Html {
    let mut found: Vec<_> = all.iter().filter_map(|v| v.answers()).collect();
    if found.len() < 2 {
        return Html::default();
    }
    found.sort_by_key(|p| p.from);
    let mut tabs = Tabs::new(l).label(t::periods_label(l));
    for p in found {
        let href = Address::path(parts::path(&c.code)).with("on", p.from);
        tabs = tabs.tab(t::period_open(l, p.from.vn()), href, None, p.covers(on));
    }
    Html::of(tabs)
}

fn nothing(l: Lang, cx: &Cx, c: &Catalogue, all: &[Version], on: Date) -> Empty {
    let empty = Empty::new(Icon::Calendar, t::nothing_on(l, on.vn()), t::nothing_on_text(l));
    let begin = parts::offered(
        all.is_empty() && parts::may_edit(cx, c),
        t::draft_new(l),
        format!("{}/draft", parts::path(&c.code)),
    );
    match begin {
        Some(action) => empty.action(action.primary()),
        None => empty,
    }
}

fn version_table(l: Lang, c: &Catalogue, all: &[Version]) -> Table {
    // A column nothing stands in only takes room.
    let acts = all.iter().any(|v| !v.outline.act.is_empty());
    let mut table = Table::new(l, t::tab_versions(l))
        .column(Column::text(t::col_version(l)))
        .column(Column::text(t::col_state(l)))
        .column(Column::text(t::col_answers(l)))
        .column(Column::number(t::col_rows(l)));
    if acts {
        table = table.column(Column::text(t::fact_act(l)));
    }
    table = table.column(Column::text(t::col_published_at(l))).empty(Empty::new(
        Icon::History,
        t::versions_empty(l),
        t::versions_empty_text(l),
    ));
    for v in all {
        let act = if v.outline.act.is_empty() { Cell::none() } else { Cell::legal(&v.outline.act) };
        let first = [
            Cell::link(
                parts::version_path(&c.code, v.number),
                t::version_n(l, v.number).replace(" ", "\u{a0}"),
            ),
            Cell::badge(parts::state(l, v.state)),
            Cell::text(parts::answers(l, v)),
            Cell::number(l, v.rows),
        ];
        let last = acts.then_some(act).into_iter().chain([Cell::opt_time(v.published_at)]);
        table = table.row(Row::new(first.into_iter().chain(last)));
    }
    table
}

async fn mappings(k: &Kernel, cx: &Cx, c: &Catalogue, on: Date) -> Result<Html> {
    let l = cx.lang;
    let filter = ListFilter { end: Some(c.id), limit: BESIDE, ..ListFilter::default() };
    let found = catalogues::list(&k.db, &Viewer::of(cx), on, &filter).await?;
    let mut table = Table::new(l, t::tab_mappings(l))
        .column(Column::text(t::col_catalogue(l)))
        .column(Column::text(t::col_version_on(l, on.vn())))
        .column(Column::number(t::col_rows(l)))
        .empty(Empty::new(Icon::GitCompare, t::mappings_empty(l), t::mappings_empty_text(l)));
    for row in found {
        let href = Address::path(parts::path(&row.catalogue.code)).with("on", on);
        let (version, rows) = match row.version {
            Some((n, _, rows)) => (Cell::text(t::version_n(l, n)), Cell::number(l, rows)),
            None => (Cell::none(), Cell::none()),
        };
        let name = row.catalogue.about.name(l).to_owned();
        table = table.row(Row::new([Cell::titled(href, name, &row.catalogue.code), version, rows]));
    }
    Ok(Html::of(Section::new(t::tab_mappings(l), table).flush()))
}

async fn completeness(k: &Kernel, l: Lang, c: &Catalogue, on: Date) -> Result<Html> {
    let found = match questions::completeness(k, c, on).await {
        Ok(found) => found,
        Err(kernel::Error::Refused(r)) => {
            return Ok(Html::of(Notice::new(Tone::Warn, r.text.get(l))));
        }
        Err(e) => return Err(e),
    };
    let number = |n: usize| Cell::number(l, i64::try_from(n).unwrap_or(i64::MAX));
    let facts = Facts::new()
        .row(t::complete_source(l), number(found.source))
        .row(t::complete_mapped(l), number(found.mapped))
        .row(t::complete_none(l), number(found.none))
        .row(t::complete_unmapped(l), number(found.unmapped.len()))
        .row(t::complete_target(l), number(found.target))
        .row(t::complete_unreached(l), number(found.unreached.len()));
    let (tone, text) = match (found.version, found.whole()) {
        (None, _) => (Tone::Warn, t::outcome_no_version(l)),
        (_, true) => (Tone::Good, t::complete_whole(l)),
        (_, false) => (Tone::Warn, t::complete_open(l)),
    };
    let mut html = web::body![Notice::new(tone, text), Section::new(t::tab_completeness(l), facts)];
    let lists = [
        (t::complete_unmapped(l), &found.unmapped),
        (t::complete_unreached(l), &found.unreached),
        (t::complete_lost_source(l), &found.lost_source),
        (t::complete_lost_target(l), &found.lost_target),
    ];
    for (title, codes) in lists.into_iter().filter(|(_, codes)| !codes.is_empty()) {
        let mut text = codes.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if codes.len() > NAMED {
            text.push_str(" …");
        }
        html.push(Section::new(title, Html::escaped(text)));
    }
    Ok(html)
}

async fn facts(k: &Kernel, cx: &Cx, c: &Catalogue, now: Option<&Version>, on: Date) -> Result<Facts> {
    let l = cx.lang;
    let words = |text: &str| (!text.is_empty()).then(|| Cell::legal(text));
    let owner = questions::owner(k, c.owner, on).await?;
    let mut facts = Facts::new()
        .row(t::col_kind(l), Cell::text(c.kind.label(l)))
        .maybe(t::col_owner(l), owner.map(|v| Cell::legal(v.full_name)))
        .maybe(t::fact_act(l), words(&c.about.act))
        .maybe(t::fact_about(l), words(&c.about.about))
        .maybe(t::fact_system(l), Some(&c.about.system).filter(|s| !s.is_empty()).map(Cell::code));
    if let Some(ends) = c.ends {
        for (label, end, fixed) in
            [(t::col_source(l), ends.source, ends.source_on), (t::col_target(l), ends.target, ends.target_on)]
        {
            let end = catalogues::by_id(&k.db, end).await?;
            let href = Address::path(parts::path(&end.code)).with("on", fixed.unwrap_or(on));
            facts = facts.row(label, Cell::link(href, end.about.name(l)));
            if let Some(fixed) = fixed {
                facts = facts.row(t::fact_fixed(l), Cell::date(fixed));
            }
        }
    }
    if let Some(v) = now {
        facts = facts
            .row(
                t::col_version(l),
                Cell::link(parts::version_path(&c.code, v.number), t::version_n(l, v.number)),
            )
            .row(t::col_answers(l), Cell::text(parts::answers(l, v)));
    }
    let json = format!("/api/catalogues/v1/catalogues/{}/document?on={on}", c.code);
    Ok(facts.maybe("API", now.map(|_| Cell::link(json, t::fact_json(l)))))
}
