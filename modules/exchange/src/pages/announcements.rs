//! What providers announce of their services: said, read, confirmed, taken back by the provider; read and acknowledged by
//! the consumers. Who still calls is told beside who has acknowledged.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::{Date, Timestamp};
use base::error::FieldError;
use base::i18n::{Lang, Text};
use http::StatusCode;
use kernel::{Error, Kernel, Result};
use web::ui::{
    Action, Badge, Cell, Column, Confirm, Empty, Facts, Field, Form, Head, Help, Html, Icon, Notice, Row,
    Section, Table, Tone,
};
use web::{Answers, Cx, Page, Path, Redirect};

use crate::announcement::actions::{self, Part};
use crate::announcement::{self, Announcement, Kind, MAX_TEXT, Said, Told};
use crate::connection::store as choices;
use crate::ids::{AnnouncementId, ServiceId, SubsystemId};
use crate::permissions::{ASK, DECIDE, INTEGRATE, READ};
use crate::store::lists;
use crate::traffic::{By, Of, What};
use crate::viewer::Viewer;
use crate::{listen, t, traffic};

/// Days over which calls are counted.
const DAYS: i64 = 30;

fn path(id: AnnouncementId) -> String {
    format!("/exchange/announcements/{id}")
}

fn of_service(id: ServiceId) -> String {
    format!("/exchange/services/{id}/announcements")
}

/// The button on the page of a service, for who may announce.
pub(super) async fn action(k: &Kernel, cx: &Cx, service: ServiceId) -> Option<Action> {
    actions::may_announce(k, cx, service).await.ok()?;
    Some(Action::link(t::announce_title(cx.lang), of_service(service)).icon(Icon::Bell))
}

/// What stands of a service, on its pages.
pub(super) async fn notices(k: &Kernel, cx: &Cx, service: ServiceId) -> Result<Html> {
    let all = announcement::of_service(&k.db, service).await?;
    let today = k.clock.now().date();
    let shown =
        all.iter().filter(|a| a.withdrawn.is_none() && (a.said.kind != Kind::Change || a.due() >= today));
    let mut out = Html::default();
    for a in shown {
        let more = match actions::find(k, cx, a.id).await {
            Ok(_) => Some(Action::link(t::announce_open(cx.lang), path(a.id))),
            Err(Error::NotFound { .. }) => None,
            Err(e) => return Err(e),
        };
        let notice = notice(cx.lang, a);
        out.push(match more {
            Some(more) => notice.action(more),
            None => notice,
        });
    }
    Ok(out)
}

/// An announcement in one notice.
pub(super) fn notice(l: Lang, a: &Announcement) -> Notice {
    let mut text = a.said.what.clone();
    if let Some(name) = &a.successor_name {
        text.push(' ');
        text.push_str(&t::announce_successor_is(l, name));
    }
    let tone = if a.said.kind == Kind::Change { Tone::Info } else { Tone::Warn };
    Notice::new(tone, text).title(headline(l, a))
}

/// “Tra cứu …: ngừng cung cấp từ 01/06/2027”.
fn headline(l: Lang, a: &Announcement) -> String {
    let (service, effective) = (a.service_name.as_str(), a.said.effective.vn());
    match (a.said.kind, a.said.ends) {
        (Kind::Change, _) => t::announce_head_change(l, t::AnnounceHeadChange { day: &effective, service }),
        (_, Some(day)) => t::announce_head_end(l, t::AnnounceHeadEnd { day: day.vn(), service }),
        (_, None) => t::announce_head_deprecation(l, t::AnnounceHeadDeprecation { day: &effective, service }),
    }
}

/// Everything that stands and concerns the reader's agencies.
pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Page> {
    let l = cx.lang;
    let viewer = Viewer::of(&k, &cx).await?;
    let all = announcement::concerning(&k.db, &viewer, k.clock.now().date()).await?;
    let head = Head::new(l, t::announcements_title(l)).sub(t::announcements_sub(l));
    let help = Help::new(t::announce_help_title(l), t::announce_help(l));
    Ok(web::page(&cx.frame(t::announcements_title(l)), web::body![head, table(l, &all), help]))
}

fn table(l: Lang, all: &[Announcement]) -> Table {
    Table::new(l, t::announcements_title(l))
        .column(Column::text(t::column_service(l)))
        .column(Column::text(t::announce_kind(l)))
        .column(Column::text(t::announce_day(l)))
        .column(Column::text(t::column_state(l)))
        .rows(all.iter().map(|a| {
            Row::new([
                Cell::titled(path(a.id), &a.service_name, &a.provider_member),
                Cell::badge(Badge::new(tone(a.said.kind), a.said.kind.label(l))),
                Cell::date(a.due()),
                Cell::text(standing(l, a)),
            ])
        }))
        .empty(Empty::new(Icon::Bell, t::announcements_empty(l), t::announcements_empty_text(l)))
}

const fn tone(kind: Kind) -> Tone {
    match kind {
        Kind::Change => Tone::Info,
        Kind::Deprecation | Kind::End => Tone::Warn,
    }
}

/// What of an announcement is in force.
fn standing(l: Lang, a: &Announcement) -> &'static str {
    match (&a.withdrawn, a.said.ends, &a.refuses) {
        (Some(_), ..) => t::announce_is_withdrawn(l),
        (None, Some(_), Some(_)) => t::announce_will_refuse(l),
        (None, Some(_), None) => t::announce_not_refusing(l),
        (None, None, _) => t::announce_stands_word(l),
    }
}

/// What was announced of a service, and the form for the next one.
pub(super) async fn service(State(k): State<Kernel>, cx: Cx, Path(id): Path<ServiceId>) -> web::Result<Page> {
    Ok(service_page(&k, &cx, id, &Typed::default(), &[]).await?)
}

async fn service_page(
    k: &Kernel,
    cx: &Cx,
    id: ServiceId,
    typed: &Typed,
    errors: &[FieldError],
) -> Result<Page> {
    actions::may_announce(k, cx, id).await?;
    let l = cx.lang;
    let viewer = Viewer::under(cx, DECIDE)?;
    let s = lists::service(&k.db, &viewer, id).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
    let all = announcement::of_service(&k.db, id).await?;
    let (_, services) = choices::choices(&k.db, &viewer).await?;
    let form = form(cx, id, typed, services).errors(errors);
    let mut body = Html::of(Head::new(l, t::announce_title(l)).code(&s.key).sub(&s.name));
    body.push(Section::new(t::announce_new(l), form).help(t::announce_new_help(l)));
    body.push(Section::new(t::announcements_title(l), table(l, &all)).flush());
    let frame = cx
        .frame(t::announce_title(l))
        .crumb(t::services_title(l), "/exchange/services")
        .crumb(&s.name, format!("/exchange/services/{id}"));
    Ok(web::page(&frame, body))
}

/// What stands in the form.
#[derive(Default)]
struct Typed {
    kind: String,
    effective: String,
    ends: String,
    what: String,
    successor: String,
}

impl Typed {
    fn sent(a: &Answers) -> Self {
        let text = |name: &str| a.get(name).trim().to_owned();
        Self {
            kind: text("kind"),
            effective: text("effective"),
            ends: text("ends"),
            what: text("what"),
            successor: text("successor"),
        }
    }

    fn said(&self, today: Date) -> std::result::Result<Said, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut say = |field: &str, text: Text| wrong.push(FieldError { field: field.to_owned(), text });
        let kind = Kind::from_word(&self.kind);
        if kind.is_none() {
            say("kind", Text::both(|l| t::choose_one(l).to_owned()));
        }
        let mut date = |name: &str, text: &str| {
            let read = Date::parse_vn(text);
            if read.is_none() && !text.is_empty() {
                say(name, Text::both(t::field_date_wrong));
            }
            read
        };
        // An end deprecates from the day on which it is said, unless another is named.
        let effective = date("effective", &self.effective).unwrap_or(today);
        let ends = date("ends", &self.ends);
        let successor = match self.successor.as_str() {
            "" => None,
            id => match id.parse() {
                Ok(id) => Some(id),
                Err(_) => {
                    say("successor", Text::both(|l| t::choose_one(l).to_owned()));
                    None
                }
            },
        };
        match kind {
            Some(kind) if wrong.is_empty() => {
                Ok(Said { kind, effective, ends, what: base::text::nfc(&self.what), successor })
            }
            _ => Err(wrong),
        }
    }
}

fn form(cx: &Cx, id: ServiceId, typed: &Typed, services: Vec<[String; 3]>) -> Form {
    let l = cx.lang;
    let kinds = Kind::ALL.map(|k| (k.as_str().to_owned(), k.label(l).to_owned())).to_vec();
    let own = id.to_string();
    let others = services.into_iter().filter(|[other, ..]| *other != own);
    let others = others.map(|[id, name, member]| (id, format!("{name} – {member}")));
    let none = (String::new(), t::announce_no_successor(l).to_owned());
    let others = std::iter::once(none).chain(others).collect::<Vec<_>>();
    let most = u32::try_from(MAX_TEXT).unwrap_or(u32::MAX);
    Form::post(cx, of_service(id))
        .field(Field::select("kind", t::announce_kind(l), kinds).value(&typed.kind).required())
        .field(
            Field::date("effective", t::announce_effective(l))
                .help(t::announce_effective_help(l))
                .value(&typed.effective)
                .optional()
                .half(),
        )
        .field(
            Field::date("ends", t::announce_ends(l))
                .help(t::announce_ends_help(l))
                .value(&typed.ends)
                .optional()
                .half(),
        )
        .field(
            Field::textarea("what", t::announce_what(l))
                .help(t::announce_what_help(l))
                .value(&typed.what)
                .rows(4)
                .max(most)
                .required(),
        )
        .field(
            Field::select("successor", t::announce_successor(l), others).value(&typed.successor).optional(),
        )
        .submit(t::announce_send(l))
        .cancel(format!("/exchange/services/{id}"))
}

pub(super) async fn announce(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    a: Answers,
) -> web::Result<Response> {
    actions::may_announce(&k, &cx, id).await?;
    let typed = Typed::sent(&a);
    let sent = match typed.said(k.clock.now().date()) {
        Ok(said) => actions::announce(&k, &cx, id, &said).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match sent {
        Ok((id, count, committed)) => {
            k.wait_for(listen::LISTENER, &committed).await;
            Ok(Redirect::to(path(id)).saying(t::announce_said(cx.lang, count)).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let page = service_page(&k, &cx, id, &typed, &errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

// --- one announcement ------------------------------------------------------------------------------------

pub(super) async fn one(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
) -> web::Result<Page> {
    let l = cx.lang;
    cx.may_somewhere(READ).or_else(|_| cx.may_somewhere(INTEGRATE))?;
    let part = actions::find(&k, &cx, id).await?;
    let a = &part.announcement;
    let title = headline(l, a);
    let mut body = Html::of(head(&cx, &part, &title));
    if a.withdrawn.is_some() {
        body.push(Notice::new(Tone::Neutral, t::announce_is_withdrawn(l)));
    }
    body.push(Section::new(t::facts_title(l), facts(l, a)));
    let calls = if part.sees_all { Some(calls(&k, a).await?) } else { None };
    body.push(consumers(&cx, &part, calls.as_ref()));
    if part.provides && a.withdrawn.is_none() {
        body.push(provider_acts(&cx, a));
    }
    body.push(Help::new(t::announce_help_title(l), t::announce_help(l)));
    Ok(web::page(&cx.frame(&title), body))
}

fn head(cx: &Cx, part: &Part, title: &str) -> Head {
    let l = cx.lang;
    let a = &part.announcement;
    let head = Head::new(l, title)
        .badge(Badge::new(tone(a.said.kind), a.said.kind.label(l)))
        .sub(&a.provider_member);
    let mine: Vec<&Told> = part.consumers.iter().filter(|c| part.acknowledges(cx, c)).collect();
    match mine.as_slice() {
        [one] => head.primary(acknowledge(cx, a.id, one.subsystem).icon(Icon::Check)),
        _ => head,
    }
}

fn acknowledge(cx: &Cx, id: AnnouncementId, system: SubsystemId) -> Action {
    let at = format!("{}/acknowledge", path(id));
    Action::post(cx, t::announce_acknowledge(cx.lang), at).hidden("system", system)
}

fn facts(l: Lang, a: &Announcement) -> Facts {
    let done = |of: &Option<(Timestamp, Option<String>)>| {
        let (at, name) = of.as_ref()?;
        Some(Cell::with_sub(at.vn(), name.clone().unwrap_or_default()))
    };
    Facts::new()
        .row(t::column_service(l), Cell::named(&a.service_name, &a.provider_member))
        .row(t::announce_kind(l), Cell::text(a.said.kind.label(l)))
        .row(t::announce_what(l), Cell::text(&a.said.what))
        .row(t::announce_effective(l), Cell::date(a.said.effective))
        .maybe(t::announce_ends(l), a.said.ends.map(Cell::date))
        .row(
            t::announce_successor(l),
            Cell::text(a.successor_name.as_deref().unwrap_or(t::announce_no_successor(l))),
        )
        .row(t::announce_told(l), Cell::with_sub(a.told_at.vn(), a.told_name.clone().unwrap_or_default()))
        .maybe(t::announce_refusing(l), done(&a.refuses))
        .maybe(t::announce_withdrawn_fact(l), done(&a.withdrawn))
}

/// Calls of each consumer in the last thirty days.
async fn calls(k: &Kernel, a: &Announcement) -> Result<HashMap<String, i64>> {
    let service = lists::service(&k.db, &Viewer::All, a.service).await?;
    let Some(service) = service else { return Ok(HashMap::new()) };
    let instance = crate::store::registry::serial(&k.db).await?.1;
    let of = Of { what: What::Service(format!("{instance}/{}", service.key)), parties: None };
    let now = k.clock.now();
    let from = now.date().plus_days(1 - DAYS).map_or(now, Timestamp::start_of);
    let parts = traffic::parts(&k.db, &of, By::Client, from, now, 1_000).await?;
    Ok(parts.into_iter().map(|(path, counts)| (path, counts.calls)).collect())
}

/// Who was told, who has acknowledged, and who still calls.
fn consumers(cx: &Cx, part: &Part, calls: Option<&HashMap<String, i64>>) -> Section {
    let l = cx.lang;
    let a = &part.announcement;
    let open = part.consumers.iter().filter(|c| c.acknowledged.is_none()).count();
    let mut table = Table::new(l, t::announce_consumers(l))
        .column(Column::text(t::column_consumer(l)))
        .column(Column::text(t::announce_told(l)))
        .column(Column::text(t::announce_acknowledged(l)));
    if calls.is_some() {
        table = table.column(Column::number(t::announce_calls(l, DAYS)));
    }
    let acts = part.consumers.iter().any(|c| part.acknowledges(cx, c));
    if acts {
        table = table.column(Column::end(t::column_action(l)));
    }
    let rows = part.consumers.iter().map(|c| {
        let reminded = c.reminded.map(|days| t::announce_reminded(l, days)).unwrap_or_default();
        let acknowledged = match &c.acknowledged {
            Some((at, name)) => Cell::with_sub(at.vn(), name.clone().unwrap_or_default()),
            None => Cell::badge(Badge::new(Tone::Warn, t::announce_not_yet(l))),
        };
        let mut cells =
            vec![Cell::named(&c.name, &c.member), Cell::with_sub(c.told_at.vn(), reminded), acknowledged];
        if let Some(calls) = calls {
            cells.push(Cell::number(l, calls.get(&c.path).copied().unwrap_or(0)));
        }
        if acts {
            cells.push(match part.acknowledges(cx, c) {
                true => Cell::end(acknowledge(cx, a.id, c.subsystem).small()),
                false => Cell::none(),
            });
        }
        Row::new(cells)
    });
    let table =
        table.rows(rows).empty(Empty::new(Icon::Server, t::announce_nobody(l), t::announce_nobody_text(l)));
    let section = Section::new(t::announce_consumers(l), table).flush();
    match calls {
        Some(_) if open == 0 => section,
        Some(_) => section.help(t::announce_open_count(l, i64::try_from(open).unwrap_or(i64::MAX))),
        None => section,
    }
}

/// What the provider may still do.
fn provider_acts(cx: &Cx, a: &Announcement) -> Html {
    let l = cx.lang;
    let mut out = Html::default();
    let at = path(a.id);
    if a.said.ends.is_some() {
        let (consequence, label, refuses) = match a.refuses {
            None => (t::announce_confirm_consequence(l), t::announce_confirm(l), "1"),
            Some(_) => (t::announce_unconfirm_consequence(l), t::announce_unconfirm(l), ""),
        };
        let confirm =
            Confirm::post(cx, format!("{at}/confirm"), consequence, label).hidden("refuses", refuses);
        out.push(Section::new(label, if a.refuses.is_none() { confirm.danger() } else { confirm }));
    }
    let withdraw = Confirm::post(
        cx,
        format!("{at}/withdraw"),
        t::announce_withdraw_consequence(l),
        t::announce_withdraw(l),
    );
    out.push(Section::new(t::announce_withdraw(l), withdraw));
    out
}

pub(super) async fn acknowledged(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
    a: Answers,
) -> web::Result<Redirect> {
    cx.may_somewhere(ASK).or_else(|_| cx.may_somewhere(INTEGRATE))?;
    let system: SubsystemId =
        a.get("system").parse().map_err(|_| Error::NotFound { kind: SubsystemId::KIND })?;
    actions::acknowledge(&k, &cx, id, system).await?;
    Ok(Redirect::to(path(id)).saying(t::announce_acknowledged_said(cx.lang)))
}

pub(super) async fn confirm(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
    a: Answers,
) -> web::Result<Redirect> {
    let refuses = a.get("refuses") == "1";
    let committed = actions::confirm(&k, &cx, id, refuses).await?;
    k.wait_for(listen::LISTENER, &committed).await;
    let said =
        if refuses { t::announce_confirmed_said(cx.lang) } else { t::announce_unconfirmed_said(cx.lang) };
    Ok(Redirect::to(path(id)).saying(said))
}

pub(super) async fn withdraw(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AnnouncementId>,
) -> web::Result<Redirect> {
    let committed = actions::withdraw(&k, &cx, id).await?;
    k.wait_for(listen::LISTENER, &committed).await;
    Ok(Redirect::to(path(id)).saying(t::announce_withdrawn_said(cx.lang)))
}
