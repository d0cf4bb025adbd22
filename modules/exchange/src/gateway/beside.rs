//! What an answer says beside its content: that it does not come from production, that its service is deprecated or ends
//! (RFC 9745, RFC 8594), and what replaces it (RFC 5829, RFC 8288). Whether any of that is so is the snapshot's matter.

use std::time::{Duration, SystemTime};

use base::clock::Timestamp;
use http::header::{HeaderMap, HeaderName, HeaderValue, LINK};

use crate::environment::Environment;
use crate::snapshot::Announced;

/// The environment a caller names, and the one an answer comes from when that is not production.
pub const ENVIRONMENT: &str = "lienthong-environment";

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Headers of one answer.
#[derive(Debug, Default)]
pub(super) struct Beside(Vec<(HeaderName, HeaderValue)>);

impl Beside {
    /// For answers of a service of which something was announced; `site` is where people read, without a slash at its end.
    pub(super) fn service(&mut self, announced: Option<&Announced>, site: &str) {
        let Some(a) = announced else { return };
        let page = format!("{site}/exchange/announcements/{}", a.id);
        let mut links = vec![link(&page, "deprecation")];
        // A structured date (RFC 9651 3.3.7).
        self.say(DEPRECATION, &format!("@{}", a.deprecated_at.seconds()));
        if let Some(date) = a.ends_at.and_then(http_date) {
            self.say(SUNSET, &date);
            links.push(link(&page, "sunset"));
        }
        if let Some(path) = &a.successor {
            let target = crate::corner::samples::service_path(path);
            links.push(format!("<{target}>; rel=\"successor-version\""));
        }
        for link in links {
            self.say(LINK, &link);
        }
    }

    /// For answers from an environment.
    pub(super) fn environment(&mut self, environment: Environment) {
        if environment != Environment::Production {
            self.say(HeaderName::from_static(ENVIRONMENT), environment.as_str());
        }
    }

    fn say(&mut self, name: HeaderName, value: &str) {
        // Made of digits, identifiers and percent-encoded paths; what is none of these is not said.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.push((name, value));
        }
    }

    /// Puts them in place of what the provider said of the same; links stand beside its own.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, _) in self.0.iter().filter(|(name, _)| *name != LINK) {
            headers.remove(name);
        }
        for (name, value) in &self.0 {
            headers.append(name.clone(), value.clone());
        }
    }
}

fn link(page: &str, rel: &str) -> String {
    format!("<{page}>; rel=\"{rel}\"; type=\"text/html\"")
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7); `None` outside of the years it can write.
fn http_date(at: Timestamp) -> Option<String> {
    let seconds = u64::try_from(at.seconds()).ok()?;
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    // Year 9999 is the last one of the form.
    (seconds < 253_402_300_800).then(|| httpdate::fmt_http_date(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AnnouncementId;
    use base::ids::Uuid;

    fn announced() -> Announced {
        Announced {
            id: AnnouncementId(Uuid::from_u128(1)),
            deprecated_at: "2026-11-22T00:00:00Z".parse().unwrap(),
            ends_at: Some("2027-05-31T17:00:00Z".parse().unwrap()),
            refuses: false,
            successor: Some("VN/GOV/C06/dancu/tra-cuu-v2".into()),
        }
    }

    #[test]
    fn an_ending_service_says_so_with_dates_and_links() {
        let mut beside = Beside::default();
        beside.service(Some(&announced()), "https://lgsp.example");
        beside.environment(Environment::Production);
        let mut headers = HeaderMap::new();
        headers.insert("deprecation", HeaderValue::from_static("true"));
        headers.insert("link", HeaderValue::from_static("</own>; rel=\"next\""));
        beside.add_to(&mut headers);
        let all = |name: &str| headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(all("deprecation"), ["@1795305600"], "one value, ours");
        assert_eq!(all("sunset"), ["Mon, 31 May 2027 17:00:00 GMT"]);
        let page = "<https://lgsp.example/exchange/announcements/00000000-0000-0000-0000-000000000001>";
        assert_eq!(
            all("link"),
            [
                "</own>; rel=\"next\"".to_owned(),
                format!("{page}; rel=\"deprecation\"; type=\"text/html\""),
                format!("{page}; rel=\"sunset\"; type=\"text/html\""),
                "</r1/VN/GOV/C06/dancu/tra-cuu-v2>; rel=\"successor-version\"".to_owned(),
            ]
        );
        assert!(all(ENVIRONMENT).is_empty());
    }

    #[test]
    fn nothing_is_said_of_a_service_that_stays_and_a_sandbox_names_itself() {
        let mut beside = Beside::default();
        beside.service(None, "");
        beside.environment(Environment::Sandbox);
        let mut headers = HeaderMap::new();
        beside.add_to(&mut headers);
        assert_eq!((headers.len(), headers[ENVIRONMENT].to_str().unwrap()), (1, "sandbox"));
    }
}
