//! The form of a report: what the frame knows is shown before it is sent, and nothing else goes along.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use base::clock::Timestamp;
use base::error::FieldError;
use http::request::Parts;
use http::{StatusCode, header};
use kernel::{Error, Kernel};
use serde::Deserialize;
use web::ui::{Cell, Facts, Field, Form, Head, Notice, Section, Tone};
use web::{Answers, Cx, Page, Query, Redirect};

use super::{REPORT, own_path};
use crate::actions::{self, Sent};
use crate::case::{MAX_WORDS, Seen, browser};
use crate::{Support, t};

/// Whose browser, and from where: the second only to limit strangers, kept nowhere.
pub(crate) struct Came {
    pub browser: String,
    pub address: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Came {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_canonical());
        let said = parts.headers.get_all("x-forwarded-for").iter().next_back().and_then(|v| v.to_str().ok());
        let said = said.and_then(|s| s.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
        // Only a proxy on this very machine is believed.
        let address = match (peer, said) {
            (Some(peer), Some(client)) if peer.is_loopback() => client.to_canonical().to_string(),
            (Some(peer), _) => peer.to_string(),
            (None, _) => String::new(),
        };
        Ok(Self { browser: browser(agent), address })
    }
}

/// What the frame sends along.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    page: String,
    screen: String,
    request: String,
    fault: String,
    at: String,
}

impl Asked {
    fn of(a: &Answers) -> Self {
        let text = |name: &str| a.get(name).to_owned();
        Self {
            page: text("page"),
            screen: text("screen"),
            request: text("request"),
            fault: text("fault"),
            at: text("at"),
        }
    }

    fn seen(&self) -> Seen {
        Seen {
            page: self.page.clone(),
            screen: self.screen.clone(),
            request: self.request.clone(),
            fault: self.fault.clone(),
            at: self.at.parse().ok().map(Timestamp::from_micros),
        }
        .cleaned()
    }
}

pub(super) async fn form(cx: Cx, came: Came, Query(asked): Query<Asked>) -> Page {
    shown(&cx, &asked.seen(), &came.browser, "", &[])
}

fn shown(cx: &Cx, seen: &Seen, browser: &str, words: &str, errors: &[FieldError]) -> Page {
    let l = cx.lang;
    let text = |s: &str| if s.is_empty() { Cell::none() } else { Cell::code(s) };
    let facts = Facts::new()
        .row(t::fact_page(l), text(&seen.page))
        .row(t::fact_screen(l), text(&seen.screen))
        .row(t::fact_fault(l), text(&seen.fault))
        .row(t::fact_request(l), text(&seen.request))
        .row(t::fact_browser(l), Cell::text(browser))
        .row(t::fact_seen(l), seen.at.map_or_else(Cell::none, Cell::time));
    let most = u32::try_from(MAX_WORDS).unwrap_or(u32::MAX);
    let at = seen.at.map(|at| at.micros().to_string()).unwrap_or_default();
    let form = Form::post(cx, REPORT)
        .errors(errors)
        .field(
            Field::textarea("words", t::field_words(l))
                .help(t::field_words_help(l))
                .value(words)
                .rows(5)
                .max(most)
                .required(),
        )
        .field(Field::hidden("page", &seen.page))
        .field(Field::hidden("screen", &seen.screen))
        .field(Field::hidden("request", &seen.request))
        .field(Field::hidden("fault", &seen.fault))
        .field(Field::hidden("at", at))
        .submit(t::report_send(l));
    let sub = if cx.signed_in() { t::report_sub(l) } else { t::report_sub_stranger(l) };
    let head = Head::new(l, t::report_title(l)).sub(sub);
    let along = Section::new(t::along_title(l), facts).help(t::along_help(l));
    web::page(&cx.frame(t::report_title(l)), web::body![head, form, along])
}

pub(super) async fn send(
    support: Support,
    State(k): State<Kernel>,
    cx: Cx,
    came: Came,
    a: Answers,
) -> web::Result<Response> {
    let l = cx.lang;
    let (asked, words) = (Asked::of(&a), a.get("words").to_owned());
    let seen = asked.seen();
    let sent = Sent {
        seen: seen.clone(),
        browser: came.browser.clone(),
        words: words.clone(),
        address: came.address,
    };
    match actions::send(&k, &cx, &support.strangers, sent).await {
        Ok(taken) if cx.signed_in() => {
            let said = if taken.joined { t::report_joined(l) } else { t::report_taken(l) };
            Ok(Redirect::to(own_path(taken.report)).saying(said).into_response())
        }
        Ok(taken) => {
            let notice = Notice::new(Tone::Good, t::report_thanks(l, &taken.code)).title(t::report_taken(l));
            let body = web::body![Head::new(l, t::report_title(l)), notice];
            Ok(web::page(&cx.frame(t::report_title(l)), body).into_response())
        }
        Err(Error::Invalid(errors)) => {
            let page = shown(&cx, &seen, &came.browser, &words, &errors);
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(e) => Err(e.into()),
    }
}
