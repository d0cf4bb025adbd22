//! One unit on a day: what it was, what became of it, what it was formed from, what is below it, and who else had its
//! code.

use axum::extract::State;
use kernel::clock::Date;
use kernel::i18n::Lang;
use kernel::orgs::{CodeUse, Step, Tree, UnitId, Version};
use kernel::{Error, Kernel};
use serde::Deserialize;
use web::ui::{
    Address, Badge, Cell, Column, Count, Facts, Head, Html, Notice, Row, Section, Table, Thing, Tone,
};
use web::{Cx, Page, Path, Query};

use super::view::View;
use super::{history, path, search};
use crate::answer::Answer;
use crate::{t, when, words};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) on: String,
}

pub(super) async fn page(
    State(k): State<Kernel>,
    cx: Cx,
    Path(unit): Path<UnitId>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    page_in(Tree::Territory, &k, &cx, unit, &asked).await
}

/// The page of a unit, if it stands in this tree.
pub(super) async fn page_in(
    tree: Tree,
    k: &Kernel,
    cx: &Cx,
    unit: UnitId,
    asked: &Asked,
) -> web::Result<Page> {
    let l = cx.lang;
    let today = k.clock.now().date();
    let on = when::typed("on", &asked.on).map_err(|e| Error::Invalid(vec![e]))?.unwrap_or(today);
    let mut history = k.orgs().history(unit).await?;
    history.retain(|v| v.tree == tree);
    let valid = history.iter().find(|v| v.covers(on));
    let version = valid.or_else(|| nearest(&history, on)).ok_or(Error::NotFound { kind: "unit" })?;
    let shown = when::shown(version, on);
    let code = version.code.clone().unwrap_or_default();
    let (title, up) = match tree {
        Tree::Territory => (t::units_title(l), "/units"),
        Tree::Agency => (t::agencies_title(l), "/agencies"),
    };
    let mut body = web::body![search::form(up, l, &code, &on.vn(), None)];
    if tree == Tree::Territory {
        body.push(search::states(l, &k.orgs().states().await?, &code, on));
    }
    if valid.is_none() {
        body.push(Notice::new(
            Tone::Warn,
            t::unit_absent_text(l, t::UnitAbsentText { on: on.vn(), shown: shown.vn() }),
        ));
    }
    body.push(answer(k, cx, version, shown).await?);
    let frame = cx.frame(&version.full_name).crumb(title, up).wide();
    Ok(web::page(&frame, body))
}

/// The version nearest to a day on which the unit does not exist.
fn nearest(history: &[Version], on: Date) -> Option<&Version> {
    history.iter().rev().find(|v| v.valid_from <= on).or_else(|| history.first())
}

/// The unit on a day on which it exists.
pub(super) async fn answer(k: &Kernel, cx: &Cx, version: &Version, on: Date) -> web::Result<Html> {
    let l = cx.lang;
    let view = View::of(k, version, on).await?;
    let answer = Answer::of(&view.became);
    let above = match &answer {
        // An agency is known by its own name, wherever it stands.
        Answer::Merged { .. } if version.tree == Tree::Agency => String::new(),
        Answer::Merged { into, .. } => view.places.get(&into.unit).cloned().unwrap_or_default(),
        _ => view.became.now.first().and_then(|v| view.places.get(&v.unit)).cloned().unwrap_or_default(),
    };
    let said = answer.say(l, version.tree, &version.full_name, &above, view.until);
    let mut content = web::body![Notice::new(answer.tone(), said).title(t::answer_title(l))];
    if view.code_is_shared() {
        content.push(trap(l, &view));
    }
    content.push(became(l, &view));
    content.push(formed(l, &view));
    content.push(below(l, &view, on));
    content.push(charge(l, &view, on));
    content.push(Section::new(t::history_caption(l), history::timeline(l, &view)));
    let thing = Thing::new(content).side(t::facts_title(l, on.vn()), facts(l, &view, on));
    Ok(web::body![head(l, &view, on), thing])
}

fn head(l: Lang, view: &View, on: Date) -> Head {
    let asked = &view.became.asked;
    let above = words::above(&view.became.above);
    let sub = match above.is_empty() {
        true => t::unit_sub_top(l, on.vn()),
        false => t::unit_sub(l, t::UnitSub { above, on: on.vn() }),
    };
    let gone = view.history.last().and_then(|v| v.valid_to).is_some_and(|end| end <= view.until);
    let mut head = Head::new(l, &asked.full_name).legal_name().sub(sub);
    if let Some(code) = &asked.code {
        head = head.code(code);
    }
    head = head.badge(Badge::new(Tone::Good, t::unit_exists(l, on.vn())));
    if gone { head.badge(Badge::new(Tone::Neutral, t::unit_ended(l))) } else { head }
}

fn trap(l: Lang, view: &View) -> Notice {
    let code = view.became.asked.code.clone().unwrap_or_default();
    let mut uses: Vec<String> = Vec::new();
    for version in &view.uses {
        uses.push(t::trap_use(l, t::TrapUse { name: &version.full_name, period: words::period(l, version) }));
    }
    Notice::new(Tone::Warn, t::trap_text(l, uses.join("; "))).title(t::trap_title(l, code))
}

/// Successors as recorded, and what is there now where that is something else.
fn became(l: Lang, view: &View) -> Html {
    let mut html = Html::default();
    let own: Vec<&Step> = view.became.steps.iter().collect();
    if own.is_empty() {
        return html;
    }
    let last: Vec<UnitId> = own.iter().filter_map(|s| s.into.as_ref()).map(|v| v.unit).collect();
    if view.became.through.is_empty() {
        let table = steps(l, t::became_caption(l), view, &own, |s| s.into.as_ref(), Some);
        html.push(Section::new(t::became_caption(l), table).flush());
    }
    let renamed = |v: &Version| {
        let same =
            |s: &&Step| s.into.as_ref().is_some_and(|i| i.unit == v.unit && i.full_name == v.full_name);
        !own.iter().any(same)
    };
    let other = view.became.now.iter().any(|v| !last.contains(&v.unit) || renamed(v));
    if other || !view.became.through.is_empty() {
        let table = units(l, t::now_caption(l), view, &view.became.now, view.until);
        let help = t::now_help(l, view.until.vn());
        html.push(Section::new(t::now_caption(l), table).help(help).flush());
    }
    html
}

/// Predecessors, and what the source says in words.
fn formed(l: Lang, view: &View) -> Html {
    let own: Vec<&Step> = view.formed.iter().collect();
    let text = view.history.iter().find_map(|v| v.details.formed_from.as_deref());
    let mut html = Html::default();
    if own.is_empty() {
        return html;
    }
    let before = |on: Date| on.plus_days(-1);
    let table = steps(l, t::formed_caption(l), view, &own, |s| s.from.as_ref(), before);
    let mut section = Section::new(t::formed_caption(l), table).flush();
    if let Some(text) = text {
        section = section.help(t::formed_text(l, text));
    }
    html.push(section);
    html
}

/// A table of successions, seen from one of their ends.
fn steps(
    l: Lang,
    caption: &str,
    view: &View,
    steps: &[&Step],
    end: impl Fn(&Step) -> Option<&Version>,
    day: impl Fn(Date) -> Option<Date>,
) -> Table {
    let mut table = Table::new(l, caption)
        .column(Column::text(t::col_unit(l)))
        .column(Column::text(t::col_code(l)))
        .column(Column::text(t::col_how(l)))
        .column(Column::text(t::col_on(l)))
        .column(Column::text(t::col_act(l)));
    for step in steps {
        let s = &step.succession;
        let Some(version) = end(step) else { continue };
        let place = view.places.get(&version.unit).map_or("", String::as_str);
        let href = path(version, day(s.on).unwrap_or(s.on));
        table = table.row(Row::new([
            Cell::titled(&href, &version.full_name, place),
            Cell::code(version.code.as_deref().unwrap_or("–")),
            Cell::text(words::kind(l, s.kind)),
            Cell::date(s.on),
            s.act.as_deref().map_or_else(Cell::none, Cell::legal),
        ]));
    }
    table
}

/// A table of units on a day.
fn units(l: Lang, caption: &str, view: &View, units: &[Version], on: Date) -> Table {
    let mut table = Table::new(l, caption)
        .column(Column::text(t::col_unit(l)))
        .column(Column::text(t::col_code(l)))
        .column(Column::text(t::col_type(l)))
        .total(Count::exact(u64::try_from(units.len()).unwrap_or(0)));
    for version in units {
        let place = view.places.get(&version.unit).map_or("", String::as_str);
        table = table.row(Row::new([
            Cell::titled(path(version, on), &version.full_name, place),
            Cell::code(version.code.as_deref().unwrap_or("–")),
            Cell::text(version.kind.label(l)),
        ]));
    }
    table
}

fn below(l: Lang, view: &View, on: Date) -> Html {
    if view.children.is_empty() {
        return Html::default();
    }
    let caption = t::children_caption(l, on.vn());
    let asked = &view.became.asked;
    let here = Address::path(path(asked, on).split('?').next().unwrap_or_default()).with("on", on);
    let table = units(l, &caption, view, &view.children, on).export(&here);
    Html::of(Section::new(&caption, table).flush())
}

/// The territories an agency answers for.
fn charge(l: Lang, view: &View, on: Date) -> Html {
    if view.territories.is_empty() {
        return Html::default();
    }
    let mut table = Table::new(l, t::charge_caption(l, on.vn()))
        .column(Column::text(t::col_unit(l)))
        .column(Column::text(t::col_code(l)))
        .column(Column::text(t::col_role(l)));
    for (role, territory) in &view.territories {
        table = table.row(Row::new([
            Cell::link(path(territory, on), &territory.full_name),
            territory.code.as_deref().map_or_else(Cell::none, Cell::code),
            Cell::legal(role),
        ]));
    }
    Html::of(Section::new(t::charge_caption(l, on.vn()), table).flush())
}

fn facts(l: Lang, view: &View, on: Date) -> Facts {
    let v = &view.became.asked;
    let act =
        |number: &String| Cell::legal(view.acts.get(number).map_or_else(|| number.clone(), words::cited));
    let mut facts = Facts::new()
        .maybe(t::fact_code(l), v.code.as_ref().map(Cell::code))
        .row(t::fact_type(l), Cell::text(v.kind.label(l)));
    for above in &view.became.above {
        facts = facts.row(t::fact_above(l), Cell::link(path(above, on), &above.full_name));
    }
    let from = match v.from_known {
        true => Cell::date(v.valid_from),
        false => Cell::text(t::fact_from_unknown(l, v.valid_from.vn())),
    };
    let facts = facts
        .row(t::fact_from(l), from)
        .maybe(t::fact_to(l), v.valid_to.and_then(words::last_day).map(Cell::date))
        .maybe(t::fact_act(l), v.act.as_ref().map(act))
        .maybe(t::fact_ended_by(l), v.ended_by.as_ref().map(act))
        .maybe(t::fact_seat(l), v.details.seat.as_ref().map(Cell::legal))
        .maybe(t::fact_spellings(l), spellings(v))
        .maybe(t::fact_codes(l), other_codes(view, on))
        .row(t::fact_certainty(l), Cell::badge(words::certainty_badge(l, v.certainty)));
    if v.tree == Tree::Agency {
        return facts;
    }
    let json = format!("/api/units/v1/units/{}?on={on}", v.unit);
    facts
        .row(t::fact_source(l), Cell::link("/units/data", words::source(l, &v.source)))
        .row("API", Cell::link(json, t::fact_json(l)))
}

/// Codes an agency has besides its first on the day: given by others, or kept from before.
fn other_codes(view: &View, on: Date) -> Option<Cell> {
    let asked = &view.became.asked;
    let valid = |c: &&CodeUse| c.valid_from <= on && c.valid_to.is_none_or(|end| on < end);
    let others = view.codes.iter().filter(valid).filter(|c| asked.code.as_ref() != Some(&c.code));
    let others: Vec<&str> = others.map(|c| c.code.as_str()).collect();
    (!others.is_empty()).then(|| Cell::code(others.join(", ")))
}

fn spellings(v: &Version) -> Option<Cell> {
    let spellings = &v.details.spellings;
    (!spellings.is_empty()).then(|| Cell::legal(spellings.join(", ")))
}
