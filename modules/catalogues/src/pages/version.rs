//! The page of a version: what it is, what it changes, its rows; beginning a draft, publishing it, discarding it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use base::i18n::Lang;
use kernel::{Error, Kernel, Scope};
use serde::Deserialize;
use web::ui::{
    Action, Cell, Confirm, Empty, Facts, Field, Form as Fields, Head, Html, Icon, Notice, Tabs, Thing, Tone,
};
use web::{Cx, Form, Page, Path, Query, Redirect};

use super::words::{self, Words};
use super::{changes, edit, parts, rows};
use crate::actions;
use crate::catalogue::{Catalogue, MAX_NAME, MAX_TEXT};
use crate::content::Content;
use crate::permissions::{EDIT, PUBLISH};
use crate::version::{Cut, Outline, Period, State as Stands, Version};
use crate::{questions, store, t};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    tab: String,
    q: String,
    after: String,
}

pub(super) async fn page(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    Query(asked): Query<Asked>,
) -> web::Result<Page> {
    let l = cx.lang;
    let c = questions::find(&k, &cx, &code).await?;
    let v = questions::version(&k, &cx, &c, number).await?;
    let all = questions::versions_of(&k, &cx, &c).await?;
    let before = questions::before(&all, &v);
    let here = parts::version_path(&c.code, number);
    let listed = asked.tab == "rows";
    let tabs = Tabs::new(l).tab(t::tab_changes(l), &here, None, !listed).tab(
        t::tab_rows(l),
        format!("{here}?tab=rows"),
        None,
        listed,
    );
    let mut content = web::body![tabs];
    if listed {
        let wanted = rows::Asked { q: asked.q, after: asked.after, ..rows::Asked::default() };
        content.push(rows::table(&k, &cx, &c, &v, None, &wanted).await?);
    } else {
        let now = store::content(&k.db, c.kind, v.id).await?;
        let was = match before {
            Some(before) => store::content(&k.db, c.kind, before.id).await?,
            None => Content::none(c.kind),
        };
        let title = match before {
            Some(before) => t::changes_since(l, before.number),
            None => t::changes_first(l).to_owned(),
        };
        let found = now.since(&was);
        let words = Words::of(&k, &cx, &c, v.from(), words::differing(&found)).await?;
        content.push(changes::sections(l, &title, &found, &words));
    }
    let thing = Thing::new(content).side(t::facts_title(l), facts(l, &v));
    let body = web::body![head(&cx, &c, &v), waiting(&cx, &c, &v), thing];
    Ok(web::page(&parts::frame(&cx, &t::version_n(l, number), Some(&c)), body))
}

fn head(cx: &Cx, c: &Catalogue, v: &Version) -> Head {
    let l = cx.lang;
    let here = parts::version_path(&c.code, v.number);
    let mut head = Head::new(l, t::version_n(l, v.number))
        .code(&c.code)
        .badge(parts::state(l, v.state))
        .sub(parts::answers(l, v));
    if v.state != Stands::Draft {
        return head;
    }
    if parts::may_publish(cx, c) && v.rows > 0 {
        head = head.primary(Action::link(t::publish(l), format!("{here}/publish")).icon(Icon::Send));
    }
    if parts::may_edit(cx, c) {
        head = head
            .action(Action::link(t::import(l), format!("{here}/import")).icon(Icon::Upload))
            .action(Action::link(t::discard(l), format!("{here}/discard")).icon(Icon::Trash));
    }
    head
}

/// What comes next for a draft, and who may do it.
fn waiting(cx: &Cx, c: &Catalogue, v: &Version) -> Html {
    let l = cx.lang;
    if v.state != Stands::Draft {
        return Html::default();
    }
    let text = match (v.rows > 0, parts::may_publish(cx, c)) {
        (false, _) => t::draft_is_empty(l),
        (true, true) => t::draft_ready(l),
        (true, false) => t::draft_for_publisher(l),
    };
    Html::of(Notice::new(Tone::Info, text))
}

fn facts(l: Lang, v: &Version) -> Facts {
    let words = |text: &str| (!text.is_empty()).then(|| Cell::legal(text));
    Facts::new()
        .row(t::fact_period(l), Cell::text(parts::period(l, &v.outline.period)))
        .row(t::col_answers(l), Cell::text(parts::answers(l, v)))
        .maybe(t::fact_superseded_by(l), v.superseded_by.map(|n| Cell::text(t::version_n(l, n))))
        .row(t::col_rows(l), Cell::number(l, v.rows))
        .maybe(t::fact_act(l), words(&v.outline.act))
        .maybe(t::fact_note(l), words(&v.outline.note))
        .row(t::fact_drafted(l), Cell::time(v.created_at))
        .maybe(t::col_published_at(l), v.published_at.map(Cell::time))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    valid_from: String,
    valid_to: String,
    act: String,
    note: String,
    copy: String,
}

impl Input {
    fn outline(&self) -> Result<Outline, Error> {
        let mut wrong = Vec::new();
        let from = parts::typed("valid_from", &self.valid_from, &mut wrong);
        let to = parts::typed("valid_to", &self.valid_to, &mut wrong);
        if from.is_none() && wrong.is_empty() {
            let text = base::i18n::Text::both(t::first_day_missing);
            wrong.push(crate::catalogue::field("valid_from", text));
        }
        let Some(from) = from.filter(|_| wrong.is_empty()) else { return Err(Error::Invalid(wrong)) };
        let period = Period::new(from, to).map_err(|e| Error::Invalid(vec![e]))?;
        Ok(Outline { period, act: self.act.clone(), note: self.note.clone() })
    }
}

pub(super) async fn draft_form(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
) -> web::Result<Page> {
    let c = questions::find(&k, &cx, &code).await?;
    cx.may(EDIT, &Scope::agency(c.owner))?;
    let v = Input { copy: "1".into(), ..Input::default() };
    Ok(draft_page(&cx, &c, &v, &[]))
}

fn draft_page(cx: &Cx, c: &Catalogue, v: &Input, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let here = parts::path(&c.code);
    let form = Fields::post(cx, format!("{here}/draft"))
        .errors(errors)
        .field(Field::date("valid_from", t::first_day(l)).value(&v.valid_from).half().required())
        .field(Field::date("valid_to", t::last_day(l)).value(&v.valid_to).half().optional())
        .field(
            Field::text("act", t::fact_act(l))
                .help(t::version_act_help(l))
                .value(&v.act)
                .max(u32::try_from(MAX_NAME).unwrap_or(300))
                .optional(),
        )
        .field(
            Field::textarea("note", t::fact_note(l))
                .value(&v.note)
                .max(u32::try_from(MAX_TEXT).unwrap_or(2_000))
                .optional(),
        )
        .field(Field::checkbox("copy", t::copy_check(l)).value(&v.copy))
        .submit(t::draft_make(l))
        .cancel(&here);
    let head = Head::new(l, t::draft_new(l)).code(&c.code).sub(t::draft_sub(l));
    web::page(&parts::frame(cx, t::draft_new(l), Some(c)), web::body![head, form])
}

pub(super) async fn draft(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let made = async { actions::draft(&k, &cx, &code, v.outline()?, !v.copy.is_empty(), None).await };
    match made.await {
        Ok((made, _)) => {
            let to = parts::version_path(&code, made.number);
            Ok(Redirect::to(to).saying(t::draft_made(cx.lang)).into_response())
        }
        Err(e @ (Error::Invalid(_) | Error::Refused(_))) => {
            let c = questions::find(&k, &cx, &code).await?;
            edit::again(e, |errors| async move { Ok(draft_page(&cx, &c, &v, &errors)) }).await
        }
        Err(e) => Err(e.into()),
    }
}

/// The question before an official act on a draft.
fn asked(cx: &Cx, c: &Catalogue, v: &Version, title: &str, confirm: &Confirm) -> Page {
    let l = cx.lang;
    let frame = parts::frame(cx, title, Some(c))
        .crumb(t::version_n(l, v.number), parts::version_path(&c.code, v.number));
    web::page(&frame, web::body![Head::new(l, title).code(&c.code), confirm])
}

pub(super) async fn publish_form(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
) -> web::Result<Page> {
    let l = cx.lang;
    let c = questions::find(&k, &cx, &code).await?;
    let v = questions::version(&k, &cx, &c, number).await?;
    cx.may(PUBLISH, &Scope::agency(c.owner))?;
    let title = t::publish_title(l, number);
    let here = parts::version_path(&code, number);
    match actions::plan(&k, &c, &v).await {
        Ok(cuts) => {
            let consequence = consequence(l, &c, &v, &cuts, k.clock.now().date());
            let confirm = Confirm::post(&cx, format!("{here}/publish"), consequence, t::publish(l))
                .hidden("revision", v.revision)
                .cancel(&here);
            Ok(asked(&cx, &c, &v, &title, &confirm))
        }
        // Nobody is asked to confirm what will be refused.
        Err(Error::Refused(r)) => {
            let back = Action::link(t::back_to_draft(l), &here);
            let empty = Empty::new(Icon::Ban, t::publish_not_possible(l), r.text.get(l)).action(back);
            let frame = parts::frame(&cx, &title, Some(&c));
            Ok(web::page(&frame, web::body![Head::new(l, &title).code(&c.code), empty]))
        }
        Err(e) => Err(e.into()),
    }
}

/// What publishing will do, in a few sentences.
fn consequence(l: Lang, c: &Catalogue, v: &Version, cuts: &[Cut], today: base::clock::Date) -> String {
    let period = parts::period(l, &v.outline.period);
    let number = v.number;
    let mut said = vec![t::consequence(l, t::Consequence { count: v.rows, number, period })];
    for cut in cuts {
        said.push(match cut.last_day {
            Some(last) => t::consequence_cut(l, t::ConsequenceCut { last: last.vn(), number: cut.number }),
            None => t::consequence_replaced(l, cut.number),
        });
    }
    if v.from() <= today {
        said.push(t::consequence_past(l, v.from().vn()));
    }
    said.push(if c.about.public { t::consequence_public(l) } else { t::consequence_inside(l) }.to_owned());
    said.push(t::consequence_final(l).to_owned());
    said.join(" ")
}

#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    revision: i64,
}

pub(super) async fn publish(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    Form(seen): Form<Seen>,
) -> web::Result<Redirect> {
    actions::publish(&k, &cx, &code, number, Some(seen.revision)).await?;
    Ok(Redirect::to(parts::version_path(&code, number)).saying(t::published(cx.lang)))
}

pub(super) async fn discard_form(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
) -> web::Result<Page> {
    let l = cx.lang;
    let c = questions::find(&k, &cx, &code).await?;
    let v = questions::version(&k, &cx, &c, number).await?;
    cx.may(EDIT, &Scope::agency(c.owner))?;
    let here = parts::version_path(&code, number);
    let say = t::DiscardConsequence { count: v.rows, number };
    let confirm =
        Confirm::post(&cx, format!("{here}/discard"), t::discard_consequence(l, say), t::discard(l))
            .danger()
            .hidden("revision", v.revision)
            .cancel(&here);
    Ok(asked(&cx, &c, &v, &t::discard_title(l, number), &confirm))
}

pub(super) async fn discard(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    Form(seen): Form<Seen>,
) -> web::Result<Redirect> {
    actions::discard(&k, &cx, &code, number, Some(seen.revision)).await?;
    Ok(Redirect::to(parts::path(&code)).saying(t::discarded(cx.lang)))
}
