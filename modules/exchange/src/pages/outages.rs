//! Telling the consumers of a service that it is interrupted, and that it is back; the technical contacts of a system.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use http::StatusCode;
use kernel::{Error, Kernel, Result, Scope};
use web::ui::{
    Action, Badge, Cell, Column, Confirm, Empty, Facts, Field, Form, Head, Html, Icon, Notice, Row, Section,
    Table, Tone,
};
use web::{Answers, Cx, Page, Path, Redirect};

use crate::ids::{ServiceId, SubsystemId};
use crate::outage::{self, Consumer, ContactId, MAX_TEXT, Outage, Typed, path};
use crate::permissions::OPERATE;
use crate::store::lists::{self, ServiceRow};
use crate::store::outages;
use crate::viewer::Viewer;
use crate::{store, t};

/// The button on the page of a service, for who may press it.
pub(super) fn action(cx: &Cx, service: ServiceId) -> Option<Action> {
    let may = cx.holds(OPERATE, &Scope::province());
    may.then(|| Action::link(t::outage_action(cx.lang), path(service)).icon(Icon::Bell))
}

/// What the consumers of interrupted services are shown first.
pub(super) async fn concerning(k: &Kernel, cx: &Cx, viewer: &Viewer) -> Result<Html> {
    let mut out = Html::default();
    for o in outages::concerning(&k.db, viewer).await? {
        out.push(notice(cx, &o));
    }
    Ok(out)
}

/// What is known of an open interruption.
pub(super) fn notice(cx: &Cx, o: &Outage) -> Notice {
    let l = cx.lang;
    let mut text = t::outage_notice(l, t::OutageNotice { known: &o.known, since: o.since.vn() });
    if !o.expected.is_empty() {
        text.push(' ');
        text.push_str(&t::outage_notice_expected(l, &o.expected));
    }
    Notice::new(Tone::Warn, text)
        .title(t::outage_notice_title(l, &o.service_name))
        .action(Action::link(t::outage_open(l), format!("/exchange/services/{}", o.service)))
}

pub(super) async fn page(State(k): State<Kernel>, cx: Cx, Path(id): Path<ServiceId>) -> web::Result<Page> {
    let now = k.clock.now();
    let shown_now = now.vn();
    let (date, time) = shown_now.split_once(' ').unwrap_or((&shown_now, ""));
    let typed = Typed {
        since_date: date.to_owned(),
        since_time: time.to_owned(),
        known: t::outage_prepared(cx.lang).to_owned(),
        expected: String::new(),
    };
    Ok(shown(&k, &cx, id, &typed, &[]).await?)
}

async fn shown(k: &Kernel, cx: &Cx, id: ServiceId, typed: &Typed, errors: &[FieldError]) -> Result<Page> {
    cx.may(OPERATE, &Scope::province())?;
    let l = cx.lang;
    let viewer = Viewer::of(k, cx).await?;
    let s = lists::service(&k.db, &viewer, id).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
    let open = outages::open(&k.db, id).await?;
    let consumers = match &open {
        Some(o) => outages::told(&k.db, o.id).await?,
        None => outage::consumers(k, id).await?,
    };
    let mut body = Html::of(Head::new(l, t::outage_title(l)).sub(&s.name));
    match &open {
        Some(o) => body.push(over(cx, &s, o)),
        None if consumers.is_empty() => {
            body.push(Notice::new(Tone::Neutral, t::outage_no_consumers(l)));
        }
        None => body
            .push(Section::new(t::outage_form(l), form(cx, id, typed, errors)).help(t::outage_form_help(l))),
    }
    body.push(Section::new(t::outage_consumers(l), table(cx, &consumers)).flush());
    let frame = cx
        .frame(t::outage_title(l))
        .crumb(t::services_title(l), "/exchange/services")
        .crumb(&s.name, format!("/exchange/services/{id}"));
    Ok(web::page(&frame, body))
}

fn over(cx: &Cx, s: &ServiceRow, o: &Outage) -> Section {
    let l = cx.lang;
    let facts = Facts::new()
        .row(t::outage_since(l), Cell::time(o.since))
        .row(t::outage_told(l), Cell::time(o.told_at))
        .row(t::outage_known(l), Cell::text(&o.known))
        .row(
            t::outage_expected(l),
            if o.expected.is_empty() { Cell::none() } else { Cell::text(&o.expected) },
        );
    let mut part = Html::of(facts);
    part.push(Confirm::post(
        cx,
        format!("{}/end", path(s.id)),
        t::outage_end_consequence(l),
        t::outage_end(l),
    ));
    Section::new(t::outage_is_open(l), part)
}

fn form(cx: &Cx, id: ServiceId, typed: &Typed, errors: &[FieldError]) -> Form {
    let l = cx.lang;
    let most = u32::try_from(MAX_TEXT).unwrap_or(u32::MAX);
    Form::post(cx, path(id))
        .errors(errors)
        .field(Field::date("since_date", t::outage_since(l)).value(&typed.since_date).required().half())
        .field(Field::text("since_time", t::outage_time(l)).value(&typed.since_time).max(5).required().half())
        .field(Field::textarea("known", t::outage_known(l)).value(&typed.known).rows(3).max(most).required())
        .field(Field::text("expected", t::outage_expected(l)).value(&typed.expected).max(most).optional())
        .submit(t::outage_send(l))
        .cancel(format!("/exchange/services/{id}"))
}

fn table(cx: &Cx, consumers: &[Consumer]) -> Table {
    let l = cx.lang;
    Table::new(l, t::outage_consumers(l))
        .column(Column::text(t::column_subsystem(l)))
        .column(Column::text(t::column_member(l)))
        .column(Column::text(t::contacts_title(l)))
        .rows(consumers.iter().map(|c| {
            let masked: Vec<&str> = c.contacts.iter().map(|c| c.masked.as_str()).collect();
            let contacts = if masked.is_empty() {
                Cell::badge(Badge::new(Tone::Warn, t::contacts_none(l)))
            } else {
                Cell::text(masked.join(", "))
            };
            let name = Cell::link(format!("/exchange/subsystems/{}", c.subsystem), &c.name);
            Row::new([name, Cell::legal(&c.member), contacts])
        }))
        .empty(Empty::new(Icon::Server, t::outage_consumers_none(l), t::outage_no_consumers(l)))
}

fn typed(a: &Answers) -> Typed {
    let text = |name: &str| a.get(name).to_owned();
    Typed {
        since_date: text("since_date"),
        since_time: text("since_time"),
        known: text("known"),
        expected: text("expected"),
    }
}

pub(super) async fn announce(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    a: Answers,
) -> web::Result<Response> {
    let typed = typed(&a);
    match outage::announce(&k, &cx, id, &typed).await {
        Ok(count) => Ok(Redirect::to(path(id)).saying(t::outage_said(cx.lang, count)).into_response()),
        Err(Error::Invalid(errors)) => {
            let page = shown(&k, &cx, id, &typed, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn end(State(k): State<Kernel>, cx: Cx, Path(id): Path<ServiceId>) -> web::Result<Redirect> {
    let count = outage::end(&k, &cx, id).await?;
    let back = format!("/exchange/services/{id}");
    Ok(Redirect::to(back).saying(t::outage_ended_said(cx.lang, count)))
}

/// The technical contacts of a system, on its page; with the form for who may change them.
pub(super) async fn contacts(k: &Kernel, cx: &Cx, system: SubsystemId) -> Result<Section> {
    let l = cx.lang;
    let may = cx.holds(OPERATE, &Scope::province());
    let all = store::outages::contacts(&k.db, system).await?;
    let mut table = Table::new(l, t::contacts_title(l))
        .column(Column::text(t::contact_channel(l)))
        .column(Column::text(t::contact_address(l)));
    if may {
        table = table.column(Column::end(t::contact_remove(l)));
    }
    let table = table
        .rows(all.iter().map(|c| {
            let mut cells = vec![Cell::text(c.channel.name()), Cell::text(&c.masked)];
            if may {
                let at = format!("/exchange/subsystems/{system}/contacts/{}/remove", c.id);
                let remove = Action::post(cx, t::contact_remove(l), at).small().ghost();
                cells.push(Cell::end(remove.icon(Icon::Trash)));
            }
            Row::new(cells)
        }))
        .empty(Empty::new(Icon::Mail, t::contacts_none(l), t::contacts_none_text(l)));
    let mut section = Section::new(t::contacts_title(l), table).flush().id("contacts");
    if may {
        let add = Action::link(t::contact_add(l), format!("/exchange/subsystems/{system}/contacts"));
        section = section.action(add.icon(Icon::Plus));
    }
    Ok(section)
}

pub(super) async fn contact_page(
    State(k): State<Kernel>,
    cx: Cx,
    Path(system): Path<SubsystemId>,
) -> web::Result<Page> {
    Ok(contact_form(&k, &cx, system, ("", ""), &[]).await?)
}

async fn contact_form(
    k: &Kernel,
    cx: &Cx,
    system: SubsystemId,
    (channel, address): (&str, &str),
    errors: &[FieldError],
) -> Result<Page> {
    cx.may(OPERATE, &Scope::province())?;
    let l = cx.lang;
    let viewer = Viewer::of(k, cx).await?;
    let s =
        lists::subsystem(&k.db, &viewer, system).await?.ok_or(Error::NotFound { kind: SubsystemId::KIND })?;
    let options = vec![
        ("email".to_owned(), t::contact_email(l).to_owned()),
        ("sms".to_owned(), t::contact_sms(l).to_owned()),
    ];
    let back = format!("/exchange/subsystems/{system}");
    let form = Form::post(cx, format!("{back}/contacts"))
        .errors(errors)
        .field(Field::select("channel", t::contact_channel(l), options).value(channel).required().half())
        .field(
            Field::text("address", t::contact_address(l))
                .help(t::contact_address_help(l))
                .value(address)
                .max(200)
                .required()
                .half(),
        )
        .submit(t::contact_add(l))
        .cancel(&back);
    let head = Head::new(l, t::contact_add(l)).sub(&s.name);
    let frame = cx
        .frame(t::contact_add(l))
        .crumb(t::subsystems_title(l), "/exchange/subsystems")
        .crumb(&s.name, back);
    Ok(web::page(&frame, web::body![head, form]))
}

pub(super) async fn add_contact(
    State(k): State<Kernel>,
    cx: Cx,
    Path(system): Path<SubsystemId>,
    a: Answers,
) -> web::Result<Response> {
    let (channel, address) = (a.get("channel"), a.get("address"));
    match outage::add_contact(&k, &cx, system, channel, address).await {
        Ok(_) => {
            let back = format!("/exchange/subsystems/{system}");
            Ok(Redirect::to(back).saying(t::contact_added(cx.lang)).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let page = contact_form(&k, &cx, system, (channel, address), &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn remove_contact(
    State(k): State<Kernel>,
    cx: Cx,
    Path((system, id)): Path<(SubsystemId, ContactId)>,
) -> web::Result<Redirect> {
    outage::remove_contact(&k, &cx, system, id).await?;
    Ok(Redirect::to(format!("/exchange/subsystems/{system}")).saying(t::contact_removed(cx.lang)))
}
