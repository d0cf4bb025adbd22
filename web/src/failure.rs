//! What a handler answers when it cannot: the door turns it into a page for people or problem details for programs.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use base::error::{Error, Refusal};
use base::i18n::{Lang, Text};
use base::problem::Problem;
use http::{HeaderValue, StatusCode, header};
use kernel::entrance::Entrance;

use crate::cx::Cx;
use crate::t;
use crate::ui::{Action, Icon, Tone};

/// Result of a handler.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error on its way to the door.
#[derive(Debug, Clone)]
pub struct Failure {
    pub(crate) error: Arc<Error>,
    pub(crate) status: Option<StatusCode>,
}

macro_rules! from {
    ($($source:ty),+) => { $( impl From<$source> for Failure {
        fn from(e: $source) -> Self { Self { error: Arc::new(e.into()), status: None } }
    } )+ };
}
from!(Error, Refusal, serde_json::Error, std::io::Error, base::ids::BadId);

impl Failure {
    /// There is no such page.
    pub(crate) fn no_page() -> Self {
        Error::NotFound { kind: "page" }.into()
    }

    /// The request does not come from our own pages.
    pub(crate) fn foreign() -> Self {
        let refusal = Refusal::new("foreign-request", Text::both(t::foreign_request));
        Self { error: Arc::new(refusal.into()), status: Some(StatusCode::FORBIDDEN) }
    }

    /// Nothing of this kind is open at this listener.
    pub(crate) fn closed(entrance: &Entrance) -> Self {
        let text = Text::both(|l| t::front_door_closed(l, entrance.zone.label(l)));
        Self {
            error: Arc::new(Refusal::new("front-door-closed", text).into()),
            status: Some(StatusCode::FORBIDDEN),
        }
    }

    /// The console is open here, but not to the roles of this post.
    pub(crate) fn role(entrance: &Entrance) -> Self {
        let text = Text::both(|l| t::front_door_role(l, entrance.zone.label(l)));
        Self {
            error: Arc::new(Refusal::new("front-door-role", text).into()),
            status: Some(StatusCode::FORBIDDEN),
        }
    }

    /// The page exists, but not with this method.
    pub(crate) fn method() -> Self {
        let refusal = Refusal::new("method-not-allowed", Text::both(t::wrong_method));
        Self { error: Arc::new(refusal.into()), status: Some(StatusCode::METHOD_NOT_ALLOWED) }
    }

    /// The body is not in a form that is understood.
    pub(crate) fn media() -> Self {
        let refusal = Refusal::new("unsupported-media-type", Text::both(t::wrong_media));
        Self { error: Arc::new(refusal.into()), status: Some(StatusCode::UNSUPPORTED_MEDIA_TYPE) }
    }

    pub(crate) fn status(&self) -> StatusCode {
        let usual = || {
            StatusCode::from_u16(Problem::from(&*self.error).status)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        };
        self.status.unwrap_or_else(usual)
    }

    /// Problem details (RFC 9457).
    pub(crate) fn json(&self, request_id: &str) -> Response {
        let mut problem = Problem::from(&*self.error).instance(request_id);
        problem.status = self.status().as_u16();
        let mut answer = (self.status(), axum::Json(problem)).into_response();
        answer
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(*self.error, Error::SignIn) {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }

    /// A page for people.
    pub(crate) fn page(&self, cx: &Cx) -> Response {
        let mut said = Said::of(&self.error, cx.lang);
        let frame = cx.frame(said.title.clone()).fault(Problem::from(&*self.error).kind);
        if let Some(report) = frame.report() {
            said.actions.push(Action::link(t::report_error(cx.lang), report).icon(Icon::Flag));
        }
        let body = ErrorPage { lang: cx.lang, said, request_id: cx.request_id.clone() };
        crate::frame::page(&frame, body).status(self.status()).into_response()
    }

    /// Seconds after which trying again makes sense.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match *self.error {
            Error::TooMany { retry_after } => Some(retry_after),
            Error::Unavailable { .. } => Some(30),
            _ => None,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // Without a door in front (a unit test of a handler) the status alone remains.
        let mut answer = self.status().into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

/// An error in a person's words: what happened, what is safe, what to do.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) title: String,
    what: Vec<String>,
    safe: &'static str,
    next: String,
    tone: Tone,
    icon: Icon,
    actions: Vec<Action>,
}

impl Said {
    pub(crate) fn of(error: &Error, lang: Lang) -> Self {
        let problem = Problem::from(error);
        let (title, detail) = match lang {
            Lang::Vi => (problem.title, problem.detail),
            Lang::En => (problem.title_en, problem.detail_en),
        };
        let home = Action::link(t::to_start(lang), "/");
        let mut said = Self {
            title,
            what: detail.into_iter().collect(),
            safe: t::safe_unchanged(lang),
            next: t::next_back(lang).to_owned(),
            tone: Tone::Warn,
            icon: Icon::AlertTriangle,
            actions: vec![home],
        };
        match error {
            Error::NotFound { .. } => {
                said.what = vec![t::not_found_what(lang).to_owned()];
                said.next = t::not_found_next(lang).to_owned();
                (said.tone, said.icon) = (Tone::Neutral, Icon::Search);
            }
            Error::Denied { .. } => {
                said.next = t::denied_next(lang).to_owned();
                (said.tone, said.icon) = (Tone::Warn, Icon::Lock);
            }
            Error::SignIn => {
                said.what = vec![t::sign_in_what(lang).to_owned()];
                said.safe = t::sign_in_safe(lang);
                said.next = t::sign_in_next(lang).to_owned();
                (said.tone, said.icon) = (Tone::Info, Icon::Login);
                said.actions = vec![Action::link(t::sign_in(lang), "/login").primary()];
            }
            Error::Invalid(fields) => {
                said.what = fields.iter().map(|f| f.text.get(lang).to_owned()).collect()
            }
            Error::Conflict => said.icon = Icon::Refresh,
            Error::Refused(_) | Error::TooLarge { .. } => {}
            Error::TooMany { .. } => {
                said.next = t::too_many_next(lang).to_owned();
                said.icon = Icon::Clock;
            }
            Error::Unavailable { .. } => {
                said.what = vec![t::unavailable_what(lang).to_owned()];
                said.safe = t::unavailable_safe(lang);
                said.next = t::unavailable_next(lang).to_owned();
                said.icon = Icon::PlugConnectedX;
            }
            Error::Internal(_) => {
                said.what = vec![t::internal_what(lang).to_owned()];
                said.safe = t::internal_safe(lang);
                said.next = t::internal_next(lang).to_owned();
                (said.tone, said.icon) = (Tone::Bad, Icon::AlertOctagon);
            }
        }
        said
    }
}

#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    pub(crate) lang: Lang,
    pub(crate) said: Said,
    pub(crate) request_id: String,
}
