//! What a province makes its own: name, emblem, primary colour, public address. From the section `[web]`.

use std::path::PathBuf;

use base::clock::Timestamp;
use base::config::{Config, ConfigError};
use serde::Deserialize;

use crate::assets;
use crate::colour::{self, Rgb};

/// Larger emblems would slow every first page.
const MOST_EMBLEM_BYTES: u64 = 64 << 10;
const SECTION: &str = "web";

/// The section `[web]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Section {
    /// The body that runs the platform, as written by law: "Ủy ban nhân dân tỉnh …".
    name: String,
    /// A line below the name.
    tagline: Option<String>,
    /// An SVG or PNG file.
    emblem: Option<PathBuf>,
    /// `#rrggbb`.
    primary: String,
    /// How people reach the platform. Plain `http` only on the machine itself.
    public_url: String,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            name: "Liên Thông".into(),
            tagline: None,
            emblem: None,
            primary: "#1d4f91".into(),
            public_url: "http://127.0.0.1:8080".into(),
        }
    }
}

/// Name, look and address of this installation.
#[derive(Debug, Clone)]
pub struct Site {
    pub(crate) name: String,
    pub(crate) tagline: Option<String>,
    pub(crate) origin: String,
    pub(crate) secure: bool,
    pub(crate) demo: bool,
    /// When the data of a restored copy was backed up.
    pub(crate) copy_of: Option<Timestamp>,
    pub(crate) search: Option<String>,
    pub(crate) report: Option<String>,
    pub(crate) theme: Served,
    pub(crate) emblem: Option<Served>,
}

/// A file made or read at start.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) address: String,
    pub(crate) mime: &'static str,
    pub(crate) body: Vec<u8>,
}

impl Site {
    /// Reads and checks the section `[web]`.
    ///
    /// # Errors
    ///
    /// A colour that is none, an emblem that cannot be read, a public address that is none or not protected.
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        let section: Section = config.section(SECTION)?;
        let primary = Rgb::parse(&section.primary)
            .ok_or_else(|| fault("primary", "is not a colour", "Write six digits: primary = \"#1d4f91\""))?;
        let (origin, secure) = origin(&section.public_url)?;
        let css = colour::sheet(primary).into_bytes();
        Ok(Self {
            name: section.name,
            tagline: section.tagline,
            origin,
            secure,
            demo: false,
            copy_of: None,
            search: None,
            report: None,
            theme: Served::new("theme", "css", "text/css; charset=utf-8", css),
            emblem: section.emblem.map(emblem).transpose()?,
        })
    }

    /// Wears the banner of the demonstration.
    pub fn demo(mut self, demo: bool) -> Self {
        self.demo = demo;
        self
    }

    /// Whether this is the demonstration.
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// Is a restored copy to look at: wears its banner, and refuses what would change something but signing in and out.
    pub fn copy_of(mut self, backed_up: Timestamp) -> Self {
        self.copy_of = Some(backed_up);
        self
    }

    /// Where the search box of the desk leads (`?q=`); without it there is no box.
    pub fn search(mut self, path: impl Into<String>) -> Self {
        self.search = Some(path.into());
        self
    }

    /// Where every page's "report an error" leads, with what the frame knows of the page; without it there is none.
    pub fn report(mut self, path: impl Into<String>) -> Self {
        self.report = Some(path.into());
        self
    }

    /// The address people use, without path: `https://lienthong.example.gov.vn`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether people reach the platform by `https`.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// The body that runs the platform.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn emblem_address(&self) -> &str {
        self.emblem.as_ref().map_or(assets::EMBLEM_SVG, |e| &e.address)
    }
}

impl Served {
    fn new(stem: &str, ending: &str, mime: &'static str, body: Vec<u8>) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &body);
        let hash: String = digest.as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect();
        Self { address: format!("/assets/{stem}-{hash}.{ending}"), mime, body }
    }
}

fn fault(key: &str, message: &str, remedy: &str) -> ConfigError {
    ConfigError {
        place: format!("[{SECTION}] {key}"),
        message: format!("`{key}` {message}"),
        remedy: remedy.to_owned(),
    }
}

/// The scheme and authority of the public address; plain `http` only for the machine itself.
fn origin(url: &str) -> Result<(String, bool), ConfigError> {
    let remedy = "Write public_url = \"https://<name>\" (http only for 127.0.0.1, [::1] or localhost)";
    let uri: http::Uri = url.parse().map_err(|_| fault("public_url", "is not an address", remedy))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(fault("public_url", "has no scheme or no name", remedy));
    };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
        return Err(fault("public_url", "must be a scheme and a name only", remedy));
    }
    let loopback = is_loopback(authority.host());
    if scheme != "https" && !(scheme == "http" && loopback) {
        return Err(fault("public_url", "is not protected", remedy));
    }
    Ok((format!("{scheme}://{authority}").to_ascii_lowercase(), scheme == "https"))
}

/// Whether a host name means this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}

fn emblem(path: PathBuf) -> Result<Served, ConfigError> {
    let remedy = "Give the path of an SVG or PNG file of at most 64 KiB";
    let (ending, mime) =
        match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => ("svg", "image/svg+xml"),
            Some("png") => ("png", "image/png"),
            _ => return Err(fault("emblem", "is neither SVG nor PNG", remedy)),
        };
    let unreadable = |e: std::io::Error| fault("emblem", &format!("cannot be read ({e})"), remedy);
    if std::fs::metadata(&path).map_err(unreadable)?.len() > MOST_EMBLEM_BYTES {
        return Err(fault("emblem", "is too large", remedy));
    }
    Ok(Served::new("emblem", ending, mime, std::fs::read(&path).map_err(unreadable)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Result<Site, ConfigError> {
        Site::from_config(&Config::from_text(None, format!("[web]\n{text}"), []).unwrap())
    }

    #[test]
    fn defaults_serve_this_machine_only() {
        let site = site("").unwrap();
        assert_eq!((site.origin(), site.secure(), site.demo), ("http://127.0.0.1:8080", false, false));
    }

    #[test]
    fn addresses_are_protected_or_local() {
        let url = |u: &str| site(&format!("public_url = \"{u}\""));
        assert!(
            url("https://LienThong.example.vn")
                .is_ok_and(|s| s.origin() == "https://lienthong.example.vn" && s.secure())
        );
        assert!(url("http://[::1]:8080").is_ok() && url("http://localhost:1").is_ok());
        for bad in [
            "http://10.0.0.5",
            "http://lienthong.example.vn",
            "lienthong",
            "https://a/b",
            "ftp://a",
            "https://u@a",
            "http://127.0.0.1.evil.vn",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn faults_name_their_key() {
        assert!(site("primary = \"red\"").unwrap_err().to_string().contains("[web] primary"));
        assert!(site("emblem = \"/nowhere/x.svg\"").unwrap_err().to_string().contains("emblem"));
        assert!(site("emblem = \"x.exe\"").unwrap_err().to_string().contains("neither"));
        assert!(site("colour = \"x\"").is_err());
    }
}
