//! How one is reached: one's ways with their codes, and one's quiet hours.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::{Error, FieldError};
use http::StatusCode;
use kernel::Kernel;
use kernel::notices::Channel;
use web::ui::{
    Action, Badge, Cell, Column, Empty, Field, Form, Head, Help, Html, Icon, Notice, Row, Section, Table,
    Tone,
};
use web::{Answers, Cx, Page, Path, Redirect};

use super::OWN;
use crate::actions::{person, ways as acts};
use crate::diagnose::channel;
use crate::office::Office;
use crate::quiet;
use crate::store::ways;
use crate::t;
use crate::way::{CODE_MINUTES, Way, WayId};

/// What was typed into which of the page's forms.
#[derive(Default)]
struct Typed<'a> {
    channel: &'a str,
    address: &'a str,
    from: Option<&'a str>,
    until: Option<&'a str>,
    /// The way whose code was typed.
    way: Option<WayId>,
    errors: &'a [FieldError],
}

pub(super) async fn page(o: Arc<Office>, State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    Ok(shown(&o, &k, &cx, &Typed::default()).await?)
}

async fn shown(o: &Office, k: &Kernel, cx: &Cx, typed: &Typed<'_>) -> kernel::Result<Page> {
    let who = person(cx)?;
    let l = cx.lang;
    let all = ways::of_person(&k.db, who).await?;
    let mut body = Html::of(Head::new(l, t::own_title(l)).sub(t::own_sub(l)));
    if !all.iter().any(|w| w.verified_at.is_some()) {
        body.push(Notice::new(Tone::Warn, t::own_none_counts(l)));
    }
    body.push(Section::new(t::ways_title(l), table(cx, &all)).flush());
    for way in all.iter().filter(|w| w.verified_at.is_none()) {
        let errors = if typed.way == Some(way.id) { typed.errors } else { &[] };
        body.push(Section::new(t::confirm_title(l, &way.masked), code_form(cx, way, errors)));
    }
    let field_errors = |names: &[&str]| -> Vec<FieldError> {
        let own = typed.errors.iter().filter(|e| typed.way.is_none() && names.contains(&e.field.as_str()));
        own.cloned().collect()
    };
    let options: Vec<(String, String)> = Channel::ALL
        .into_iter()
        .filter(|c| o.gateway(*c).is_some())
        .map(|c| (c.name().to_owned(), channel(l, c).to_owned()))
        .collect();
    if options.is_empty() {
        body.push(Notice::new(Tone::Warn, t::no_channel_yet(l)));
    } else {
        let form = Form::post(cx, OWN)
            .errors(&field_errors(&["channel", "address"]))
            .field(
                Field::select("channel", t::col_channel(l), options).value(typed.channel).required().half(),
            )
            .field(
                Field::text("address", t::field_address(l))
                    .help(t::field_address_help(l))
                    .value(typed.address)
                    .max(200)
                    .autocomplete("email")
                    .required()
                    .half(),
            )
            .submit(t::way_add(l));
        body.push(Section::new(t::way_add_title(l), form));
    }
    let quiet = ways::quiet(&k.db, who).await?;
    let at = |typed: Option<&str>, minute: Option<i64>| {
        typed.map_or_else(|| minute.map(quiet::shown).unwrap_or_default(), str::to_owned)
    };
    let form = Form::post(cx, "/notices/mine/quiet")
        .errors(&field_errors(&["from", "until"]))
        .field(
            Field::text("from", t::field_quiet_from(l))
                .value(at(typed.from, quiet.map(|q| q.from)))
                .placeholder("22:00")
                .max(5)
                .optional()
                .half(),
        )
        .field(
            Field::text("until", t::field_quiet_until(l))
                .value(at(typed.until, quiet.map(|q| q.until)))
                .placeholder("06:30")
                .max(5)
                .optional()
                .half(),
        )
        .submit(t::quiet_save(l));
    body.push(Section::new(t::quiet_title(l), form).help(t::quiet_help(l)));
    body.push(Help::new(t::own_help_title(l), t::own_help(l)));
    Ok(web::page(&cx.frame(t::own_title(l)), body))
}

fn table(cx: &Cx, all: &[Way]) -> Table {
    let l = cx.lang;
    Table::new(l, t::ways_title(l))
        .column(Column::text(t::col_channel(l)))
        .column(Column::text(t::field_address(l)))
        .column(Column::text(t::col_state(l)))
        .column(Column::end(t::col_action(l)))
        .rows(all.iter().map(|w| {
            let state = match w.verified_at {
                Some(_) => Badge::new(Tone::Good, t::way_counts(l)),
                None => Badge::new(Tone::Warn, t::way_waits(l)),
            };
            let remove = Action::post(cx, t::remove(l), format!("{OWN}/{}/remove", w.id)).small().ghost();
            Row::new([
                Cell::text(channel(l, w.channel)),
                Cell::text(&w.masked),
                Cell::badge(state),
                Cell::end(remove.icon(Icon::Trash)),
            ])
        }))
        .empty(Empty::new(Icon::Mail, t::ways_empty(l), t::ways_empty_text(l)))
}

fn code_form(cx: &Cx, way: &Way, errors: &[FieldError]) -> Form {
    let l = cx.lang;
    let again = Action::post(cx, t::code_again(l), format!("{OWN}/{}/code", way.id));
    Form::post(cx, format!("{OWN}/{}/confirm", way.id))
        .errors(errors)
        .field(
            Field::text("code", t::field_code(l))
                .help(t::field_code_help(l, CODE_MINUTES))
                .max(10)
                .autocomplete("one-time-code")
                .required(),
        )
        .submit(t::code_confirm(l))
        .beside(again)
}

/// The page again with what was typed, or the error itself.
async fn answered(
    o: &Office,
    k: &Kernel,
    cx: &Cx,
    done: kernel::Result<()>,
    said: &'static str,
    typed: Typed<'_>,
) -> web::Result<Response> {
    match done {
        Ok(()) => Ok(Redirect::to(OWN).saying(said).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = shown(o, k, cx, &Typed { errors: &errors, ..typed }).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn add(
    o: Arc<Office>,
    State(k): State<Kernel>,
    cx: Cx,
    a: Answers,
) -> web::Result<Response> {
    let (name, address) = (a.get("channel"), a.get("address"));
    let done = match Channel::from_name(name) {
        Some(channel) => acts::add(&o, &k, &cx, channel, address).await.map(|_| ()),
        None => Err(Error::field("channel", base::i18n::Text::both(t::channel_missing))),
    };
    let typed = Typed { channel: name, address, ..Typed::default() };
    answered(&o, &k, &cx, done, t::way_added(cx.lang), typed).await
}

pub(super) async fn quiet(
    o: Arc<Office>,
    State(k): State<Kernel>,
    cx: Cx,
    a: Answers,
) -> web::Result<Response> {
    let (from, until) = (a.get("from"), a.get("until"));
    let done = acts::set_quiet(&k, &cx, from, until).await;
    let typed = Typed { from: Some(from), until: Some(until), ..Typed::default() };
    answered(&o, &k, &cx, done, t::quiet_saved(cx.lang), typed).await
}

pub(super) async fn code(
    o: Arc<Office>,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<WayId>,
) -> web::Result<Redirect> {
    acts::send_code(&o, &k, &cx, id).await?;
    Ok(Redirect::to(OWN).saying(t::code_sent(cx.lang)))
}

pub(super) async fn confirm(
    o: Arc<Office>,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<WayId>,
    a: Answers,
) -> web::Result<Response> {
    let done = acts::confirm(&k, &cx, id, a.get("code")).await;
    let typed = Typed { way: Some(id), ..Typed::default() };
    answered(&o, &k, &cx, done, t::way_confirmed(cx.lang), typed).await
}

pub(super) async fn remove(State(k): State<Kernel>, cx: Cx, Path(id): Path<WayId>) -> web::Result<Redirect> {
    acts::remove(&k, &cx, id).await?;
    Ok(Redirect::to(OWN).saying(t::way_removed(cx.lang)))
}
