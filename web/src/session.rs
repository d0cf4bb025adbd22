//! Who came: the port to whoever knows sessions and tokens, and the cookies that carry them. Knows no tables.

use std::sync::Arc;

use async_trait::async_trait;
use base::i18n::Lang;
use http::{HeaderMap, header};
use kernel::entrance::Arrival;
use kernel::{Actor, Grants, Kernel};

/// Looks up sessions and tokens; implemented next to identity.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Who holds this session, as sent by the browser; `None` when it is unknown or over.
    async fn by_cookie(&self, k: &Kernel, token: &str) -> kernel::Result<Option<Visitor>>;
    /// Who holds this access token (RFC 6750); `None` when it is unknown or over.
    /// A token bound to a certificate is nobody's unless the connection showed that one.
    async fn by_bearer(&self, k: &Kernel, token: &str, arrival: &Arrival) -> kernel::Result<Option<Visitor>>;
}

/// Who came.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Who acts.
    pub actor: Actor,
    /// What they may do.
    pub grants: Arc<Grants>,
    /// For people: what the frame of a page shows.
    pub account: Option<Account>,
}

/// What the frame of a page shows of a signed-in person.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The person's name.
    pub name: String,
    /// The post they act through.
    pub post: String,
    /// The agency of that post.
    pub agency: String,
    /// The language they chose.
    pub lang: Option<Lang>,
    /// Codes of the roles of the post they act through.
    pub roles: Vec<String>,
    /// Their other posts.
    pub others: Vec<Appointment>,
}

/// A post the person can switch to.
#[derive(Debug, Clone)]
pub struct Appointment {
    /// What `POST /account/appointment` gets as `appointment`.
    pub id: String,
    /// The post.
    pub post: String,
    /// Its agency.
    pub agency: String,
}

impl Account {
    /// Two letters for the round mark: given name last, as Vietnamese names are written.
    pub(crate) fn initials(&self) -> String {
        let words: Vec<&str> = self.name.split_whitespace().collect();
        let ends = [words.first(), words.last().filter(|_| words.len() > 1)];
        ends.into_iter().flatten().filter_map(|w| w.chars().next()).flat_map(char::to_uppercase).collect()
    }
}

/// The name of the session cookie. The prefix makes browsers refuse it from anywhere but this very host by https.
pub(crate) const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-lienthong" } else { "lienthong" }
}

/// One cookie of the request.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|v| v.split(';')).find_map(|pair| {
        let (n, value) = pair.trim().split_once('=')?;
        (n == name && !value.is_empty()).then_some(value)
    })
}

/// The access token of the request (RFC 6750, 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_and_tokens_are_found_exactly() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "xlienthong=no; lienthong=a=b; lt-lang=vi".parse().unwrap());
        headers.append(header::AUTHORIZATION, "bearer  t.o.k".parse().unwrap());
        assert_eq!(cookie(&headers, "lienthong"), Some("a=b"));
        assert_eq!(cookie(&headers, "__Host-lienthong"), None);
        assert_eq!(bearer(&headers), Some("t.o.k"));
        headers.insert(header::AUTHORIZATION, "Basic x".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }

    #[test]
    fn initials_of_vietnamese_names() {
        let of = |name: &str| Account { name: name.into(), ..Account::default() }.initials();
        assert_eq!(of("Nguyễn Thị Minh Ánh"), "NÁ");
        assert_eq!(of("đỗ"), "Đ");
        assert_eq!(of(""), "");
    }
}
