//! Fetching a description from an address on the operator's list, and from no other: the name is looked up once, every
//! address it has is judged before a connection is made to one of them, redirects lead only to addresses on the list,
//! size and time are bounded. What is fetched is handed back; nothing is put in place by it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base::i18n::Text;
use bytes::Bytes;
use http::header::{ACCEPT, HOST, LOCATION, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use kernel::{Error, Kernel, Result};
use rustls::pki_types::ServerName;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::openapi::MAX_BYTES;
use crate::service::BaseUrl;
use crate::{code, gateway, plane, t};

/// The whole of it, redirects included.
const PATIENCE: Duration = Duration::from_secs(20);
/// Redirects followed.
const HOPS: usize = 3;

/// Section `[exchange.description]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Beginnings of the addresses from which descriptions may be fetched: scheme, name and port as written, and a path.
    pub allow: Vec<BaseUrl>,
    /// Networks inside the province's own that may be connected to for it (`10.20.0.0/16`); others that are not public are
    /// refused.
    pub private: Vec<Network>,
}

/// A network in the form `address/length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    length: u8,
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let bad = || format!("{text:?} is no network: write 10.20.0.0/16");
        let (address, length) = text.split_once('/').ok_or_else(bad)?;
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let length: u8 = length.parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if length > most { Err(bad()) } else { Ok(Self { address, length }) }
    }
}

impl Network {
    fn holds(&self, ip: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            let kept = u32::from(self.length);
            kept == 0 || (a ^ b) >> (width - kept) == 0
        };
        match (self.address, ip) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
    }
}

/// The outer section, as far as it concerns fetching.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outer {
    description: Settings,
}

/// The operator's list.
///
/// # Errors
/// When the section cannot be read, which the start of the platform excludes.
pub fn settings(k: &Kernel) -> Result<Settings> {
    let outer: Outer = k.config.section("exchange").map_err(Error::internal)?;
    Ok(outer.description)
}

impl Settings {
    /// Whether an address is on the list: the same scheme, name and port, and a path below the listed one.
    fn lists(&self, url: &Uri) -> bool {
        let of = |u: &Uri| {
            let scheme = u.scheme_str()?.to_owned();
            let port = u.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
            Some((scheme, u.host()?.to_ascii_lowercase(), port))
        };
        let steps_back = url.path().split('/').any(|p| matches!(p, "." | "..")) || url.path().contains('%');
        let below = |listed: &BaseUrl| {
            let rest = url.path().strip_prefix(listed.path());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !steps_back
            && self.allow.iter().any(|listed| {
                listed.as_str().parse::<Uri>().is_ok_and(|l| of(&l).is_some() && of(&l) == of(url))
                    && below(listed)
            })
    }

    /// Whether a connection may be made to an address.
    fn reaches(&self, ip: IpAddr) -> bool {
        let ip = plain(ip);
        is_public(ip) || self.private.iter().any(|n| n.holds(ip))
    }
}

/// An IPv4 address written as IPv6 is judged as what it is.
fn plain(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// Whether an address is one of the public Internet (IANA special-purpose registries).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(a) => is_public_four(a),
        IpAddr::V6(a) => is_public_six(a),
    }
}

fn is_public_four(a: Ipv4Addr) -> bool {
    let [x, y, z, _] = a.octets();
    let special = matches!(
        (x, y, z),
        (0 | 10 | 127 | 224..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (192, 0, 0 | 2)
            | (198, 51, 100)
            | (203, 0, 113)
            | (192, 88, 99)
    );
    !special
}

fn is_public_six(a: Ipv6Addr) -> bool {
    let [first, second, ..] = a.segments();
    // Only global unicast, without documentation, Teredo, 6to4 and the rest of 2001::/23.
    let global = first & 0xe000 == 0x2000;
    let special =
        first == 0x2001 && (second < 0x0200 || second == 0x0db8) || first == 0x2002 || first == 0x3fff;
    global && !special
}

/// Fetches a description.
///
/// # Errors
/// `Invalid` with the sentence that says why it is not fetched, on the field `url`.
pub async fn fetch(k: &Kernel, url: &str) -> Result<Vec<u8>> {
    let settings = settings(k)?;
    let tls = gateway::tls_config(plane::policy(&k.config)?.provider_ca_file.as_deref())
        .map_err(Error::internal)?;
    let fetching = follow(&settings, TlsConnector::from(Arc::new(tls)), url);
    match tokio::time::timeout(PATIENCE, fetching).await {
        Ok(done) => done,
        Err(_) => Err(wrong(|l| t::fetch_slow(l, PATIENCE.as_secs()))),
    }
}

async fn follow(settings: &Settings, tls: TlsConnector, url: &str) -> Result<Vec<u8>> {
    let mut next: Uri = url.parse().map_err(|_| wrong(|l| t::fetch_form(l).to_owned()))?;
    for _ in 0..=HOPS {
        if !settings.lists(&next) {
            let shown = next.to_string();
            return Err(wrong(|l| t::fetch_not_listed(l, code::clip(&shown))));
        }
        match get(settings, &tls, &next).await? {
            Answer::Whole(bytes) => return Ok(bytes),
            Answer::Elsewhere(to) => next = joined(&next, &to)?,
        }
    }
    Err(wrong(|l| t::fetch_hops(l, HOPS)))
}

/// The target of a redirect: absolute, or a path at the same place.
fn joined(at: &Uri, to: &str) -> Result<Uri> {
    let full = match to.starts_with('/') && !to.starts_with("//") {
        true => format!(
            "{}://{}{to}",
            at.scheme_str().unwrap_or("https"),
            at.authority().map_or("", |a| a.as_str())
        ),
        false => to.to_owned(),
    };
    full.parse().map_err(|_| wrong(|l| t::fetch_form(l).to_owned()))
}

enum Answer {
    Whole(Vec<u8>),
    Elsewhere(String),
}

async fn get(settings: &Settings, tls: &TlsConnector, url: &Uri) -> Result<Answer> {
    let failed = |why: String| wrong(|l| t::fetch_failed(l, code::clip(&why)));
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let secure = url.scheme_str() == Some("https");
    let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let address = resolved(settings, &host, port).await?;
    // To the very address that was judged: a second look-up could give another one.
    let tcp = TcpStream::connect(address).await.map_err(|e| failed(e.to_string()))?;
    let request = Request::get(url.path_and_query().map_or("/", |p| p.as_str()))
        .header(HOST, url.authority().map_or("", |a| a.as_str()))
        .header(USER_AGENT, "LienThong-Description")
        .header(ACCEPT, "application/json, application/yaml, text/yaml;q=0.9, */*;q=0.1")
        .body(Empty::<Bytes>::new())
        .map_err(|e| failed(e.to_string()))?;
    if secure {
        let name = ServerName::try_from(host).map_err(|e| failed(e.to_string()))?;
        let stream = tls.connect(name, tcp).await.map_err(|e| failed(e.to_string()))?;
        ask(TokioIo::new(stream), request).await
    } else {
        ask(TokioIo::new(tcp), request).await
    }
}

/// One of the name's addresses; all of them must be such as may be connected to.
async fn resolved(settings: &Settings, host: &str, port: u16) -> Result<SocketAddr> {
    let found = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => tokio::net::lookup_host((host, port))
            .await
            .map_err(|_| wrong(|l| t::fetch_unknown(l, code::clip(host))))?
            .collect(),
    };
    if let Some(inner) = found.iter().find(|a| !settings.reaches(a.ip())) {
        let ip = inner.ip().to_string();
        return Err(wrong(|l| t::fetch_private(l, t::FetchPrivate { host: &code::clip(host), ip: &ip })));
    }
    found.into_iter().next().ok_or_else(|| wrong(|l| t::fetch_unknown(l, code::clip(host))))
}

async fn ask<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<Answer>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let failed = |why: String| wrong(|l| t::fetch_failed(l, code::clip(&why)));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(|e| failed(e.to_string()))?;
    let driving = tokio::spawn(async move { drop(connection.await) });
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|e| failed(e.to_string()))?;
        let status = answer.status();
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
            return to.map(Answer::Elsewhere).ok_or_else(|| failed(status.to_string()));
        }
        if !status.is_success() {
            return Err(failed(status.to_string()));
        }
        let mut body = answer.into_body();
        let mut out = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|e| failed(e.to_string()))?.into_data() else { continue };
            if out.len() + data.len() > MAX_BYTES {
                return Err(wrong(|l| t::openapi_too_large(l, MAX_BYTES / 1024)));
            }
            out.extend_from_slice(&data);
        }
        Ok(Answer::Whole(out))
    };
    let result = asked.await;
    driving.abort();
    result
}

fn wrong(say: impl Fn(base::i18n::Lang) -> String) -> Error {
    Error::field("url", Text::both(say))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(allow: &[&str], private: &[&str]) -> Settings {
        Settings {
            allow: allow.iter().map(|u| u.parse().unwrap()).collect(),
            private: private.iter().map(|n| Network::try_from((*n).to_owned()).unwrap()).collect(),
        }
    }

    #[test]
    fn only_what_stands_on_the_list_is_asked() {
        let s = settings(&["https://api.example.vn/mo-ta", "http://10.0.0.9:8080"], &[]);
        let lists = |u: &str| s.lists(&u.parse().unwrap());
        for good in [
            "https://api.example.vn/mo-ta/a.json",
            "https://API.example.vn:443/mo-ta",
            "http://10.0.0.9:8080/x?y=1",
        ] {
            assert!(lists(good), "{good}");
        }
        for bad in [
            "http://api.example.vn/mo-ta/a.json",
            "https://api.example.vn/khac",
            "https://api.example.vn/mo-ta-khac",
            "https://api.example.vn/mo-ta/../khac",
            "https://api.example.vn/mo-ta/%2e%2e/khac",
            "https://api.example.vn:8443/mo-ta",
            "https://api.example.vn.evil.example/mo-ta",
            "https://evil.example/?https://api.example.vn/mo-ta",
            "http://10.0.0.9/x",
            "/mo-ta",
        ] {
            assert!(!lists(bad), "{bad}");
        }
        assert!(!lists("https://api.example.vn@evil.example/mo-ta"));
        assert!(
            !settings(&[], &[]).lists(&"https://api.example.vn/".parse().unwrap()),
            "an empty list lists nothing"
        );
    }

    #[test]
    fn inner_addresses_are_refused_unless_listed() {
        let s = settings(&[], &["10.20.0.0/16", "fd00:1::/32"]);
        let reaches = |ip: &str| s.reaches(ip.parse().unwrap());
        for good in ["8.8.8.8", "203.113.1.1", "10.20.255.1", "2405:4800::1", "fd00:1::5", "::ffff:10.20.0.1"]
        {
            assert!(reaches(good), "{good}");
        }
        for bad in [
            "127.0.0.1",
            "10.21.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "203.0.113.5",
            "::1",
            "::",
            "fe80::1",
            "fd00:2::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(!reaches(bad), "{bad}");
        }
        for bad in ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129", "10.0.0.0/-1"] {
            assert!(Network::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(Network::try_from("0.0.0.0/0".to_owned()).unwrap().holds("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn a_redirect_leads_to_an_address_or_a_path() {
        let at: Uri = "https://a.example/x/y".parse().unwrap();
        assert_eq!(joined(&at, "/z?q").unwrap(), "https://a.example/z?q");
        assert_eq!(joined(&at, "http://b.example/").unwrap(), "http://b.example/");
        assert!(
            joined(&at, "//b.example/").map_or(true, |u| u.scheme().is_none()),
            "without a scheme it is on no list"
        );
    }
}
