//! What a handler gets: the kernel's context with what a page needs besides. Made at the door, never by a handler.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use base::i18n::Lang;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};

use crate::address::Address;
use crate::failure::Failure;
use crate::frame::Frame;
use crate::nav::Nav;
use crate::session::{Account, cookie_name};
use crate::site::Site;
use crate::ui::Html;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Look {
    /// As the person's system.
    #[default]
    System,
    Light,
    Dark,
}

impl Look {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::System),
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }

    /// The value of `data-theme`.
    pub(crate) fn theme(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// What the frame needs to know of a request.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) site: Arc<Site>,
    pub(crate) nav: Arc<[Nav]>,
    pub(crate) address: Address,
    pub(crate) account: Option<Account>,
    pub(crate) csrf: Option<String>,
    pub(crate) said: Option<String>,
    pub(crate) look: Look,
    pub(crate) narrow: bool,
    /// The route with the right it needs, for reports of errors.
    pub(crate) screen: String,
}

/// The context of a request. Derefs to [`kernel::Cx`], so `&cx` goes into every action.
#[derive(Debug, Clone)]
pub struct Cx {
    kernel: kernel::Cx,
    view: Arc<View>,
}

impl Deref for Cx {
    type Target = kernel::Cx;

    fn deref(&self) -> &kernel::Cx {
        &self.kernel
    }
}

impl Cx {
    pub(crate) fn new(kernel: kernel::Cx, view: View) -> Self {
        Self { kernel, view: Arc::new(view) }
    }

    /// A stranger's context outside any request: for previews and tests of templates.
    pub fn sample(site: Arc<Site>, lang: Lang) -> Self {
        let at = base::clock::Timestamp::from_micros(1_795_335_268_000_000);
        let view = View {
            site,
            nav: Arc::default(),
            address: Address::path("/"),
            account: None,
            csrf: Some("sample".into()),
            said: None,
            look: Look::System,
            narrow: false,
            screen: String::new(),
        };
        Self::new(kernel::Cx::stranger("00000000-sample", lang, at), view)
    }

    /// The same request as somebody else would see it: for the gallery only.
    pub(crate) fn seen_by(&self, actor: kernel::Actor, account: Account, nav: Arc<[Nav]>) -> Self {
        let kernel = kernel::Cx { actor, name: Some(account.name.clone()), ..self.kernel.clone() };
        let csrf = Some("sample".to_owned());
        let mut site = (*self.view.site).clone();
        site.search.get_or_insert_with(|| "/gallery/list".to_owned());
        let view = View { account: Some(account), nav, csrf, site: Arc::new(site), ..(*self.view).clone() };
        Self::new(kernel, view)
    }

    /// The same, at a screen.
    pub(crate) fn at_screen(self, screen: String) -> Self {
        let view = View { screen, ..(*self.view).clone() };
        Self::new(self.kernel, view)
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The frame for a page of this title.
    pub fn frame(&self, title: impl Into<String>) -> Frame {
        Frame::new(self.clone(), title.into())
    }

    /// The address of this request, for links that keep its filters.
    pub fn address(&self) -> &Address {
        &self.view.address
    }

    /// This installation.
    pub fn site(&self) -> &Site {
        &self.view.site
    }

    /// The signed-in person as shown in the frame.
    pub fn account(&self) -> Option<&Account> {
        self.view.account.as_ref()
    }

    /// The hidden field every form that changes something carries; [`crate::ui::Form`] adds it by itself.
    pub fn csrf_field(&self) -> Html {
        match &self.view.csrf {
            Some(token) => Html::trusted(format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                crate::csrf::FIELD,
                Html::escaped(token).as_str()
            )),
            None => Html::default(),
        }
    }

    /// The header that signs the browser in until it is closed. The token must be base64url.
    pub fn session_cookie(&self, token: &str) -> (HeaderName, HeaderValue) {
        self.cookie(token, "")
    }

    /// The header that signs the browser out.
    pub fn no_session_cookie(&self) -> (HeaderName, HeaderValue) {
        self.cookie("", "; Max-Age=0")
    }

    fn cookie(&self, token: &str, more: &str) -> (HeaderName, HeaderValue) {
        let secure = self.view.site.secure;
        let name = cookie_name(secure);
        let mark = if secure { "; Secure" } else { "" };
        let text = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{mark}{more}");
        // A token that is not a header value signs nobody in.
        let value = HeaderValue::from_str(&text)
            .unwrap_or_else(|_| HeaderValue::from_static("lienthong=; Max-Age=0"));
        (header::SET_COOKIE, value)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Cx {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| kernel::Error::internal("a handler was mounted without web::Routes").into())
    }
}
