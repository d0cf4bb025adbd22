//! “Thử gọi”: the form of a try-out call and its answer, with the number, the time and the way to the evidence.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use base::error::FieldError;
use http::StatusCode;
use kernel::{Error, Kernel};
use serde::Deserialize;
use web::ui::{
    Action, Badge, Cell, Code, Facts, Field, Form as Fields, Head, Help, Html, Icon, Notice, Section, Tone,
};
use web::{Cx, Form, Page, Path, Query};

use super::{catalogue, frame, home_path, system};
use crate::corner::example;
use crate::corner::reach::{self, Own};
use crate::corner::tryout::{self, Trial, Tried};
use crate::endpoint::Route;
use crate::environment::Environment;
use crate::ids::{ServiceId, SubsystemId};
use crate::pages::parts;
use crate::snapshot::ServiceEntry;
use crate::{Exchange, t};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    method: String,
    path: String,
    body: String,
    environment: String,
}

pub(super) async fn form(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, service)): Path<(SubsystemId, ServiceId)>,
    Query(mut v): Query<Input>,
) -> web::Result<Page> {
    let own = reach::system(&k, &cx, id).await?;
    let service = catalogue::published(&exchange, service)?;
    let document = system::document(&k, &service).await?;
    let routes: Vec<Route> = system::open(&exchange, &own, cx.at)
        .into_iter()
        .filter(|o| o.service.id == service.id)
        .flat_map(|o| o.routes)
        .collect();
    let example = example::of(document.as_ref(), &routes.iter().collect::<Vec<_>>());
    if v.path.is_empty()
        && let Some(example) = example
    {
        let (method, path, body) = (example.method, example.path, example.body.unwrap_or_default());
        v = Input { method, path, body, environment: v.environment };
    }
    let mut body = intro(&cx, &own, &service);
    if routes.is_empty() {
        body.push(Notice::new(Tone::Warn, t::corner_not_agreed(cx.lang)));
    }
    body.push(fields(&cx, &own, &service, &places(&exchange, &own, &service, &cx), &v, &[]));
    body.push(Help::new(t::try_help_title(cx.lang), t::try_help(cx.lang)));
    Ok(web::page(&frame(&cx, &own, t::corner_try(cx.lang)), body))
}

fn intro(cx: &Cx, own: &Own, service: &ServiceEntry) -> Html {
    let l = cx.lang;
    Html::of(Head::new(l, t::try_title(l, &service.name)).code(&service.path).sub(t::try_sub(l, &own.path)))
}

/// Where the system's agreements are.
fn places(exchange: &Exchange, own: &Own, service: &ServiceEntry, cx: &Cx) -> Vec<Environment> {
    let snapshot = exchange.keeper().current().load_full();
    let consumer = snapshot.consumer(&own.path);
    consumer.map(|c| snapshot.environments(c, service, cx.at)).unwrap_or_default()
}

fn fields(
    cx: &Cx,
    own: &Own,
    service: &ServiceEntry,
    places: &[Environment],
    v: &Input,
    errors: &[FieldError],
) -> Fields {
    let l = cx.lang;
    let methods =
        ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"].map(|m| (m.to_owned(), m.to_owned())).to_vec();
    let method = if v.method.is_empty() { "GET" } else { v.method.as_str() };
    let mut form = Fields::post(cx, format!("{}/try/{}", home_path(own), service.id)).errors(errors);
    if places.len() > 1 {
        let options = places.iter().rev().map(|e| (e.as_str().to_owned(), e.label(l).to_owned())).collect();
        form =
            form.field(Field::select("environment", t::fact_environment(l), options).value(&v.environment));
    }
    form.field(Field::select("method", t::try_method_label(l), methods).value(method).required())
        .field(
            Field::text("path", t::try_path_label(l))
                .help(t::try_path_help(l))
                .value(&v.path)
                .mono()
                .max(4_096)
                .required(),
        )
        .field(
            Field::textarea("body", t::try_body_label(l))
                .help(t::try_body_help(l))
                .value(&v.body)
                .mono()
                .optional(),
        )
        .submit(t::try_send(l))
        .cancel(home_path(own))
}

pub(super) async fn call(
    State(k): State<Kernel>,
    Extension(exchange): Extension<Exchange>,
    cx: Cx,
    Path((id, service)): Path<(SubsystemId, ServiceId)>,
    Form(v): Form<Input>,
) -> web::Result<Response> {
    let own = reach::system(&k, &cx, id).await?;
    let service = catalogue::published(&exchange, service)?;
    let environment = v.environment.parse().ok();
    let trial = Trial { method: v.method.clone(), path: v.path.clone(), body: v.body.clone(), environment };
    let places = places(&exchange, &own, &service, &cx);
    let mut body = intro(&cx, &own, &service);
    let tried = tryout::call(&exchange, &k, &cx, &own, (service.id, &service.path), &trial).await;
    let page = frame(&cx, &own, t::corner_try(cx.lang));
    match tried {
        Ok(tried) => {
            body.push(result(&cx, &own, &tried));
            body.push(fields(&cx, &own, &service, &places, &v, &[]));
            Ok(web::page(&page, body).into_response())
        }
        Err(Error::Invalid(errors)) => {
            body.push(fields(&cx, &own, &service, &places, &v, &errors));
            Ok(web::page(&page, body).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}

fn result(cx: &Cx, own: &Own, tried: &Tried) -> Section {
    let l = cx.lang;
    let told = &tried.told;
    let refused = told.headers.contains_key("x-road-error");
    let (tone, word) = match (refused, told.status) {
        (true, _) => (Tone::Bad, t::try_refused(l)),
        (false, 200..=399) => (Tone::Good, t::ending_answered(l)),
        (false, _) => (Tone::Warn, t::try_provider_error(l)),
    };
    let micros = i64::try_from(tried.took.as_micros()).unwrap_or(i64::MAX);
    let mut facts = Facts::new()
        .row(t::column_ending(l), Cell::badge(Badge::new(tone, word)))
        .row(t::column_status(l), Cell::text(told.status))
        .row(t::column_took(l), Cell::text(parts::millis(l, micros)));
    let mut link = None;
    if let Some(id) = &tried.request_id {
        facts = facts.row(t::fact_request_id(l), Cell::code(id));
        let at = format!("{}/calls/{id}", home_path(own));
        link = Some(Action::link(t::try_reason_and_evidence(l), at).icon(Icon::FileCertificate));
    }
    let text = String::from_utf8_lossy(&told.body);
    let pretty = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|v| serde_json::to_string_pretty(&v).ok())
        .unwrap_or_else(|| text.into_owned());
    let kind = told.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("–");
    let mut body = web::body![facts, parts::apart(Code::new(l, pretty).title(kind).wrapped())];
    if told.cut {
        body.push(Notice::new(Tone::Info, t::try_cut(l)));
    }
    let section = Section::new(t::try_answer(l), body);
    match link {
        Some(link) => section.action(link),
        None => section,
    }
}
