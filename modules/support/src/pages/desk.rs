//! The desk of who answers: cases of one's agencies, one case with its reports, and what is done with it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use http::StatusCode;
use kernel::{Error, Kernel};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Column, Confirm, Count, Empty, Facts, Field, Filters, Form, Head, Help, Html,
    Icon, Notice, Row, Section, Table, Tabs, Thing, Tone,
};
use web::{Answers, Cx, Page, Path, Query, Redirect};

use super::{DESK, OWN, agency, case_path, level, name, own_path, state, timeline};
use crate::actions::{self, Act};
use crate::case::{Case, CaseId, Level, MAX_WORDS, Report, State as Stands};
use crate::permissions::{HANDLE, READ};
use crate::store::{self, Filter};
use crate::t;

const PER_PAGE: u32 = 50;
const COUNTED_TO: u32 = 1_000;
/// Reports and steps shown of one case.
const SHOWN: u32 = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    level: String,
    q: String,
    after: String,
}

impl Asked {
    /// What is shown; without a state, what waits.
    fn filter(&self) -> Filter {
        Filter {
            state: match self.state.as_str() {
                "all" => None,
                other => Some(Stands::from_name(other).unwrap_or(Stands::Waiting)),
            },
            level: Level::from_name(&self.level),
            words: base::text::fold(&self.q).split_whitespace().take(8).map(str::to_owned).collect(),
            after: self.after.parse().ok(),
            limit: PER_PAGE + 1,
        }
    }
}

pub(super) async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Page> {
    cx.may_somewhere(READ)?;
    let (l, visible, filter) = (cx.lang, cx.agencies(READ), asked.filter());
    let mut rows = store::list(&k.db, &visible, &filter).await?;
    let more = rows.len() > PER_PAGE as usize;
    rows.truncate(PER_PAGE as usize);
    let next = rows.last().filter(|_| more).map(|c| cx.address().with("after", c.id));
    let mut tabs = Tabs::new(l);
    for one in Stands::ALL.into_iter().map(Some).chain([None]) {
        let wanted = Filter { state: one, after: None, limit: COUNTED_TO + 1, ..filter.clone() };
        let n = u64::try_from(store::count(&k.db, &visible, &wanted).await?).unwrap_or_default();
        let (label, value) = match one {
            Some(Stands::Waiting) => (t::state_waiting(l), "waiting"),
            Some(Stands::Answered) => (t::state_answered(l), "answered"),
            Some(Stands::Closed) => (t::state_closed(l), "closed"),
            None => (t::tab_all(l), "all"),
        };
        let href = cx.address().with("state", value).without("after");
        tabs = tabs.tab(label, href, Some(Count::upto(n, u64::from(COUNTED_TO))), filter.state == one);
    }
    let levels = Level::ALL.iter().map(|one| (one.name().to_owned(), level(l, *one).to_owned())).collect();
    let filters =
        Filters::new(&cx).search("q", t::desk_search(l)).select("level", t::column_level(l), levels);
    let mut table = Table::new(l, t::desk_title(l))
        .column(Column::text(t::column_code(l)))
        .column(Column::text(t::fact_page(l)))
        .column(Column::text(t::column_agency(l)))
        .column(Column::text(t::column_state(l)))
        .column(Column::text(t::column_level(l)))
        .column(Column::number(t::column_reports(l)))
        .column(Column::text(t::column_opened(l)))
        .next(next)
        .empty(Empty::new(Icon::Flag, t::desk_none(l), t::desk_none_text(l)));
    for c in &rows {
        table = table.row(row(&k, &cx, c).await?);
    }
    let head = Head::new(l, t::desk_title(l)).sub(t::desk_sub(l));
    let help = Help::new(t::desk_help_title(l), t::desk_help(l));
    Ok(web::page(&cx.frame(t::desk_title(l)), web::body![head, tabs, filters, table, help]))
}

async fn row(k: &Kernel, cx: &Cx, c: &Case) -> kernel::Result<Row> {
    let (l, href) = (cx.lang, case_path(c.id));
    let whose = match agency(k, c.agency).await? {
        Some(name) => Cell::legal(name),
        None if c.verified => Cell::none(),
        None => Cell::badge(Badge::new(Tone::Neutral, t::unverified(l))),
    };
    Ok(Row::new([
        Cell::link(&href, &c.code),
        Cell::with_sub(&c.page, &c.fault),
        whose,
        Cell::badge(state(l, c)),
        Cell::text(level(l, c.level)),
        Cell::number(l, c.reports),
        Cell::time(c.opened_at),
    ])
    .href(href))
}

pub(super) async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<CaseId>) -> web::Result<Page> {
    Ok(shown(&k, &cx, id, &Typed::default(), &[]).await?)
}

/// What was typed into one of the forms.
#[derive(Debug, Default)]
struct Typed {
    act: String,
    words: String,
    vendor: String,
    email: String,
}

async fn shown(
    k: &Kernel,
    cx: &Cx,
    id: CaseId,
    typed: &Typed,
    errors: &[FieldError],
) -> kernel::Result<Page> {
    let l = cx.lang;
    let c = actions::get(k, cx, id).await?;
    let reports = store::reports(&k.db, id, SHOWN).await?;
    let steps = store::steps(&k.db, id, SHOWN).await?;
    let mut content = Html::default();
    for r in &reports {
        content.push(one_report(k, cx, r).await);
    }
    if !errors.is_empty() && !matches!(typed.act.as_str(), "answer" | "vendor") {
        let said: Vec<_> = errors.iter().map(|e| e.text.get(l)).collect();
        content.push(Notice::new(Tone::Bad, said.join(" ")));
    }
    if actions::may_act(cx, &c) {
        content.push(forms(cx, &c, typed, errors));
    }
    let whose = agency(k, c.agency).await?.map_or_else(Cell::none, Cell::legal);
    let facts = Facts::new()
        .row(t::column_level(l), Cell::text(level(l, c.level)))
        .row(t::column_agency(l), whose)
        .row(t::fact_page(l), Cell::code(&c.page))
        .row(t::fact_screen(l), Cell::code(&c.screen))
        .row(t::fact_fault(l), if c.fault.is_empty() { Cell::none() } else { Cell::code(&c.fault) })
        .row(t::column_reports(l), Cell::number(l, c.reports))
        .row(t::column_opened(l), Cell::time(c.opened_at));
    let thing = Thing::new(content)
        .side(t::facts_title(l), facts)
        .timeline(t::timeline_title(l), timeline(k, l, &steps, true).await);
    let mut head = Head::new(l, t::case_title(l)).code(&c.code).badge(state(l, &c));
    if !c.verified {
        head = head.badge(Badge::new(Tone::Neutral, t::unverified(l)));
    }
    if actions::may_act(cx, &c) && c.level == Level::Unit {
        let up = Action::post(cx, t::act_pass_up(l), format!("{}/pass-up", case_path(id)));
        head = head.primary(up.icon(Icon::Send));
    }
    let frame = cx.frame(&c.code).crumb(t::desk_title(l), DESK);
    Ok(web::page(&frame, web::body![head, thing]))
}

async fn one_report(k: &Kernel, cx: &Cx, r: &Report) -> Section {
    let l = cx.lang;
    let who = match r.person {
        Some(person) => Cell::text(name(k, person).await),
        None => Cell::badge(Badge::new(Tone::Neutral, t::unverified(l))),
    };
    let file = r.file.as_ref().map(|(name, _)| Cell::link(format!("/support/files/{}", r.id), name));
    let facts = Facts::new()
        .row(t::fact_who(l), who)
        .row(t::fact_seen(l), Cell::time(r.seen_at))
        .row(t::fact_request(l), Cell::code(&r.request))
        .row(t::fact_browser(l), Cell::text(&r.browser))
        .maybe(t::field_file(l), file);
    let mut body = Html::of(Code::new(l, &r.words).wrapped());
    body.push(facts);
    Section::new(t::report_of(l, r.sent_at.vn()), body)
}

fn forms(cx: &Cx, c: &Case, typed: &Typed, errors: &[FieldError]) -> Html {
    let l = cx.lang;
    let here = case_path(c.id);
    let most = u32::try_from(MAX_WORDS).unwrap_or(u32::MAX);
    let mine = |act: &str| typed.act == act;
    let words = |act: &str, label| {
        let value = if mine(act) { typed.words.as_str() } else { "" };
        Field::textarea("words", label).value(value).rows(3).max(most).required()
    };
    let faults = |act: &str| if mine(act) { errors } else { &[] };
    let answer = Form::post(cx, format!("{here}/answer"))
        .errors(faults("answer"))
        .field(words("answer", t::field_answer(l)).help(t::field_answer_help(l)))
        .submit(t::act_answer(l));
    let mut out = Html::of(Section::new(t::act_answer(l), answer));
    let close = Confirm::post(cx, format!("{here}/close"), t::close_consequence(l), t::act_close(l));
    out.push(Section::new(t::act_close(l), close.reason("words", t::field_closing(l))));
    if c.level != Level::Unit {
        let vendor = Form::post(cx, format!("{here}/vendor"))
            .errors(faults("vendor"))
            .field(Field::text("vendor", t::field_vendor(l)).value(&typed.vendor).max(150).required().half())
            .field(Field::email("email", t::field_email(l)).value(&typed.email).required().half())
            .field(words("vendor", t::field_letter(l)).help(t::field_letter_help(l)))
            .submit(t::act_vendor(l));
        out.push(Section::new(t::act_vendor(l), vendor).help(t::vendor_help(l)));
    }
    out
}

pub(super) async fn act(
    State(k): State<Kernel>,
    cx: Cx,
    Path((id, act)): Path<(CaseId, String)>,
    a: Answers,
) -> web::Result<Response> {
    cx.may_somewhere(HANDLE)?;
    let l = cx.lang;
    let (vendor, email) = (a.get("vendor").to_owned(), a.get("email").to_owned());
    let (what, said) = match act.as_str() {
        "answer" => (Act::Answer, t::answered_said(l)),
        "close" => (Act::Close, t::closed_said(l)),
        "pass-up" => (Act::PassUp, t::passed_up_said(l)),
        "vendor" => (Act::Vendor { name: vendor.clone(), email: email.clone() }, t::vendor_said(l)),
        _ => return Err(Error::NotFound { kind: "page" }.into()),
    };
    let words = a.get("words").to_owned();
    match actions::act(&k, &cx, id, &what, &words).await {
        Ok(()) => Ok(Redirect::to(case_path(id)).saying(said).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = shown(&k, &cx, id, &Typed { act, words, vendor, email }, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

/// Leads to what the reader may see of a case: the desk's page, one's own report, or one's list.
pub(super) async fn followed(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<CaseId>,
) -> web::Result<Redirect> {
    if cx.may_somewhere(READ).is_ok() && actions::get(&k, &cx, id).await.is_ok() {
        return Ok(Redirect::to(case_path(id)));
    }
    let own = actions::own(&k, &cx, SHOWN).await?;
    let mine = own.iter().find(|(_, c)| c.id == id);
    Ok(Redirect::to(mine.map_or_else(|| OWN.to_owned(), |(r, _)| own_path(r.id))))
}
