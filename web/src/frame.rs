//! The frame around every page, put together from shell and body; no template extends another crate's.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base::i18n::Lang;
use http::{HeaderValue, StatusCode, header};

use crate::address::Address;
use crate::cx::Cx;
use crate::nav::{self, Group};
use crate::session::Account;
use crate::ui::{Html, Icon, Markup, Notice, Tone};
use crate::{assets, t};

/// Which frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Officers, operators, administrators.
    Desk,
    /// Sign-in, public pages, verification, citizens: one column, no script needed.
    Plain,
}

/// What stands around a body.
#[derive(Debug, Clone)]
pub struct Frame {
    cx: Cx,
    title: String,
    crumbs: Vec<(String, String)>,
    shell: Option<Shell>,
    wide: bool,
    cacheable: bool,
    targets: Vec<String>,
    scripts: Vec<&'static str>,
    fault: String,
}

impl Frame {
    pub(crate) fn new(cx: Cx, title: String) -> Self {
        Self {
            cx,
            title,
            crumbs: Vec::new(),
            shell: None,
            wide: false,
            cacheable: false,
            targets: Vec::new(),
            scripts: Vec::new(),
            fault: String::new(),
        }
    }

    /// A page above this one.
    pub fn crumb(mut self, label: impl Into<String>, href: impl std::fmt::Display) -> Self {
        self.crumbs.push((label.into(), href.to_string()));
        self
    }

    /// Another shell than the usual one: desk for people signed in, plain for everybody else.
    pub fn shell(mut self, shell: Shell) -> Self {
        self.shell = Some(shell);
        self
    }

    /// In the plain shell: as wide as tables need.
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// A public page browsers and proxies may keep for five minutes. Never for a page that shows who is signed in.
    pub fn cacheable(mut self) -> Self {
        self.cacheable = true;
        self
    }

    /// The answer to a form of this page may lead to this origin: signing in to another application.
    pub fn form_target(mut self, origin: impl Into<String>) -> Self {
        self.targets.push(origin.into());
        self
    }

    /// Loads a further bundled script.
    pub(crate) fn script(mut self, address: &'static str) -> Self {
        self.scripts.push(address);
        self
    }

    /// The error this page tells of, by its stable name.
    pub(crate) fn fault(mut self, kind: impl Into<String>) -> Self {
        self.fault = kind.into();
        self
    }

    /// Where somebody reports that this page does not work, with what is known of it: nothing personal, no query.
    pub(crate) fn report(&self) -> Option<Address> {
        let path = self.cx.site().report.as_deref()?;
        let here = self.cx.address().only_path();
        if here.starts_with(path) {
            return None;
        }
        let address = Address::path(path)
            .with("page", here)
            .with("screen", &self.cx.view().screen)
            .with("request", &self.cx.request_id)
            .with("fault", &self.fault)
            .with("at", self.cx.at.micros());
        Some(address)
    }

    fn usual_shell(&self) -> Shell {
        let person = self.cx.account().is_some();
        self.shell.unwrap_or(if person { Shell::Desk } else { Shell::Plain })
    }

    /// What the last act said, shown once.
    fn said(&self) -> Html {
        match &self.cx.view().said {
            Some(text) => Html::of(Notice::new(Tone::Good, text.clone()).live()),
            None => Html::default(),
        }
    }

    /// The other language: its tag, its own name, and where to switch to it.
    fn other_language(&self) -> (&'static str, &'static str, String) {
        let (lang, name) = match self.cx.lang {
            Lang::Vi => (Lang::En, "English"),
            Lang::En => (Lang::Vi, "Tiếng Việt"),
        };
        (lang.tag(), name, self.with_back(&format!("/language/{}", lang.tag())))
    }

    fn with_back(&self, path: &str) -> String {
        Address::path(path).with("back", self.cx.address()).to_string()
    }

    fn full_title(&self) -> String {
        let site = &self.cx.site().name;
        if self.title == *site { self.title.clone() } else { format!("{} · {site}", self.title) }
    }
}

/// A finished page.
#[derive(Debug)]
pub struct Page {
    html: String,
    status: StatusCode,
    lang: Lang,
    cacheable: bool,
    policy: Option<Policy>,
}

/// Extra targets of forms, for the content security policy the door writes.
#[derive(Debug, Clone)]
pub(crate) struct Policy(pub(crate) Vec<String>);

/// Puts the frame around a body.
pub fn page(frame: &Frame, body: impl Markup) -> Page {
    let body = body.to_string();
    let html = match frame.usual_shell() {
        Shell::Desk => Desk::new(frame, &body).to_string(),
        Shell::Plain => Plain::new(frame, &body).to_string(),
    };
    let policy = (!frame.targets.is_empty()).then(|| Policy(frame.targets.clone()));
    let cacheable = frame.cacheable && !frame.cx.signed_in() && frame.cx.view().said.is_none();
    Page { html, status: StatusCode::OK, lang: frame.cx.lang, cacheable, policy }
}

impl Page {
    /// Another status than 200.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The page's text, for tests.
    pub fn html(&self) -> &str {
        &self.html
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut answer = (self.status, Body::from(self.html)).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.lang.tag()));
        if self.cacheable {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
            headers.insert(header::VARY, HeaderValue::from_static("cookie, accept-language"));
        }
        if let Some(policy) = self.policy {
            answer.extensions_mut().insert(policy);
        }
        answer
    }
}

/// A piece of a page without frame, for htmx.
pub fn fragment(body: impl Markup) -> Response {
    axum::response::Html(body.to_string()).into_response()
}

#[derive(Template)]
#[template(path = "desk.html")]
struct Desk<'a> {
    f: &'a Frame,
    cx: &'a Cx,
    lang: Lang,
    groups: Vec<Group>,
    body: &'a str,
}

#[derive(Template)]
#[template(path = "plain.html")]
struct Plain<'a> {
    f: &'a Frame,
    cx: &'a Cx,
    lang: Lang,
    body: &'a str,
}

impl<'a> Desk<'a> {
    fn new(f: &'a Frame, body: &'a str) -> Self {
        Self { f, cx: &f.cx, lang: f.cx.lang, groups: nav::groups(&f.cx), body }
    }

    fn account(&self) -> Account {
        self.cx.account().cloned().unwrap_or_default()
    }
}

impl<'a> Plain<'a> {
    fn new(f: &'a Frame, body: &'a str) -> Self {
        Self { f, cx: &f.cx, lang: f.cx.lang, body }
    }
}
