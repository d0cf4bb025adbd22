//! To another page of ours after something was done, with a sentence shown there once.

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode, header};

/// The cookie that carries the sentence to the next page.
pub(crate) const COOKIE: &str = "lt-said";
/// A cookie holds about 4 KiB; a sentence needs far less.
const MOST_BYTES: usize = 1_500;

/// See other (303), on this site only.
#[derive(Debug, Clone)]
pub struct Redirect {
    to: String,
    said: Option<Saying>,
}

/// A sentence for the next page, on its way to the door.
#[derive(Debug, Clone)]
pub(crate) struct Saying(String);

impl Redirect {
    /// To a path of ours; anything else leads to the start page.
    pub fn to(path: impl std::fmt::Display) -> Self {
        let path = path.to_string();
        Self { to: local(&path).to_owned(), said: None }
    }

    /// What was done, shown once on the next page.
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        let mut text = text.into();
        while text.len() > MOST_BYTES {
            text.pop();
        }
        self.said = Some(Saying(text));
        self
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let to = HeaderValue::from_str(&self.to).unwrap_or_else(|_| HeaderValue::from_static("/"));
        let mut answer = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
        if let Some(said) = self.said {
            answer.extensions_mut().insert(said);
        }
        answer
    }
}

impl Saying {
    pub(crate) fn cookie(&self, secure: bool) -> String {
        let mark = if secure { "; Secure" } else { "" };
        format!(
            "{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60{mark}",
            URL_SAFE_NO_PAD.encode(&self.0)
        )
    }

    pub(crate) fn read(cookie: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok().filter(|b| b.len() <= MOST_BYTES)?;
        String::from_utf8(bytes).ok().filter(|t| !t.is_empty())
    }
}

/// The path when it stays on this site, else the start page. For everything that says where to go next.
pub fn local(path: &str) -> &str {
    let stays = path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|b| (0x21..0x7f).contains(&b));
    if stays { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours() {
        for good in ["/", "/a?b=%20c", "/language/vi"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "//evil.vn",
            "/\\evil.vn",
            "https://evil.vn",
            "/a b",
            "/\t/evil",
            "/x\r\nset-cookie: a",
            "/đ",
        ] {
            assert_eq!(local(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn sentences_travel_and_odd_cookies_are_ignored() {
        let said = Redirect::to("/").saying("Đã lưu \"thành viên\"; xong").said.unwrap();
        let cookie = said.cookie(true);
        let value = cookie.split(['=', ';']).nth(1).unwrap();
        assert_eq!(Saying::read(value).as_deref(), Some("Đã lưu \"thành viên\"; xong"));
        assert!(cookie.ends_with("; Secure"));
        assert_eq!(Saying::read("%%%"), None);
        let long = Redirect::to("/").saying("đ".repeat(5_000)).said.unwrap();
        assert!(long.cookie(false).len() < 2_200);
    }
}
