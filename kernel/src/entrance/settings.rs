//! The section `[server]`: one address, or a list of listeners each with its zone and policy. Reads and checks it; the
//! faults are told all at once, each with what to do.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::{ClientCertificate, Entrance, FrontDoor, Zone};

/// `[server]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The one address to listen on, where there is no list of listeners; 127.0.0.1:8080 unless set.
    pub listen: Option<SocketAddr>,
    /// PEM file with its certificate chain; without it plain HTTP is spoken.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with its private key.
    pub tls_key: Option<PathBuf>,
    /// The listeners.
    pub listener: Vec<Listener>,
}

/// `[[server.listener]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// A short name.
    pub name: String,
    /// Address and port.
    pub listen: SocketAddr,
    /// The network it stands in.
    pub zone: Zone,
    /// PEM file with the certificate chain.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the private key.
    pub tls_key: Option<PathBuf>,
    /// The front doors open there: in the dedicated network all, on the Internet calls, token and public unless set.
    pub open: Option<BTreeSet<FrontDoor>>,
    /// Roles whose holders may use the console there; all unless set.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Numbers of agreements that may be used there; all unless set.
    #[serde(default)]
    pub agreements: BTreeSet<String>,
    /// Most connections at the same time.
    pub max_connections: Option<usize>,
    /// Most calls at the same time.
    pub max_calls: Option<usize>,
    /// Largest request body of a call, in bytes.
    pub max_request_body: Option<u64>,
    /// Whether it asks for certificates of the other side.
    #[serde(default)]
    pub client_certificate: ClientCertificate,
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The chain.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// A listener whose settings were found sound.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// Its certificate; plain HTTP without.
    pub tls: Option<Tls>,
    /// Its policy.
    pub entrance: Arc<Entrance>,
}

impl Server {
    /// Where a single listener listens unless told otherwise.
    pub const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

    /// The listeners.
    ///
    /// # Errors
    /// Every fault, as a sentence that names the listener.
    pub fn listeners(&self) -> Result<Vec<Listening>, Vec<String>> {
        let mut faults = Vec::new();
        let both = "[server] needs both tls_certificate and tls_key, or neither";
        let own = tls(&self.tls_certificate, &self.tls_key).map_err(|()| faults.push(both.to_owned()));
        if self.listener.is_empty() {
            let address = self.listen.unwrap_or(Self::USUAL);
            let single = Listening { address, tls: own.unwrap_or(None), entrance: Entrance::usual() };
            return if faults.is_empty() { Ok(vec![single]) } else { Err(faults) };
        }
        if self.listen.is_some() || self.tls_certificate.is_some() || self.tls_key.is_some() {
            faults.push(
                "[server] has listen, tls_certificate or tls_key beside [[server.listener]]: move them into a listener"
                    .to_owned(),
            );
        }
        let all: Vec<Listening> = self.listener.iter().map(|l| l.read(&mut faults)).collect();
        together(&all, &mut faults);
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }

    /// The zones in which calls are taken; both faulty and single configurations count as the dedicated network.
    pub fn zones_of_calls(&self) -> BTreeSet<Zone> {
        let usual = || [Zone::Dedicated].into();
        let Ok(all) = self.listeners() else { return usual() };
        all.iter().filter(|l| l.entrance.opens(FrontDoor::Calls)).map(|l| l.entrance.zone).collect()
    }
}

impl Listener {
    fn read(&self, faults: &mut Vec<String>) -> Listening {
        let mut say = |text: &str| faults.push(format!("listener `{}`: {text}", self.name));
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.bytes().all(plain) {
            say("its name must be 1 to 32 of a-z, 0-9 and -");
        }
        let tls = tls(&self.tls_certificate, &self.tls_key).unwrap_or_else(|()| {
            say("it needs both tls_certificate and tls_key, or neither");
            None
        });
        let open = self.open.clone().unwrap_or_else(|| match self.zone {
            Zone::Dedicated => FrontDoor::ALL.into(),
            Zone::Internet => [FrontDoor::Calls, FrontDoor::Token, FrontDoor::Public].into(),
        });
        if open.is_empty() {
            say("nothing is open there; name at least one of console, calls, token, public, operations");
        }
        // A proxy on this very machine may end TLS before it.
        let bare = tls.is_none() && self.zone == Zone::Internet && !self.listen.ip().is_loopback();
        for (door, what) in [
            (FrontDoor::Console, "the console, with its passwords,"),
            (FrontDoor::Token, "the token endpoint, with its secrets,"),
            (FrontDoor::Calls, "the way for calls"),
        ] {
            if bare && open.contains(&door) {
                say(&format!(
                    "{what} would be open on the Internet without TLS; set tls_certificate and tls_key, or listen on \
                     127.0.0.1 behind a proxy that ends TLS"
                ));
            }
        }
        if tls.is_none() && self.client_certificate != ClientCertificate::None {
            say("client_certificate needs TLS at this listener; set tls_certificate and tls_key");
        }
        if !self.roles.is_empty() && !open.contains(&FrontDoor::Console) {
            say("roles limit the console, which is not open there");
        }
        if !self.agreements.is_empty() && !open.contains(&FrontDoor::Calls) {
            say("agreements limit calls, which are not open there");
        }
        for (name, value) in [("max_connections", self.max_connections), ("max_calls", self.max_calls)] {
            if value.is_some_and(|n| !(1..=100_000).contains(&n)) {
                say(&format!("{name} must be between 1 and 100000"));
            }
        }
        let entrance = Entrance {
            name: self.name.clone(),
            zone: self.zone,
            open,
            roles: self.roles.clone(),
            agreements: self.agreements.clone(),
            max_connections: self.max_connections,
            max_calls: self.max_calls,
            max_request_body: self.max_request_body,
            client_certificate: self.client_certificate,
        };
        Listening { address: self.listen, tls, entrance: Arc::new(entrance) }
    }
}

fn tls(certificate: &Option<PathBuf>, key: &Option<PathBuf>) -> Result<Option<Tls>, ()> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Ok(Some(Tls { certificate: certificate.clone(), key: key.clone() }))
        }
        (None, None) => Ok(None),
        _ => Err(()),
    }
}

/// What only shows when listeners are looked at side by side.
fn together(all: &[Listening], faults: &mut Vec<String>) {
    for (at, one) in all.iter().enumerate() {
        for other in &all[..at] {
            let (a, b) = (one.address, other.address);
            let (first, second) = (&other.entrance.name, &one.entrance.name);
            if first == second {
                faults.push(format!("two listeners are called `{first}`"));
            }
            let meet = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
            if a.port() != 0 && a.port() == b.port() && meet {
                faults.push(format!(
                    "listeners `{first}` and `{second}` would listen on the same address: {b} and {a}"
                ));
            }
        }
    }
    if !all.iter().any(|l| l.entrance.opens(FrontDoor::Console)) {
        faults.push("no listener opens the console: nobody could operate the platform".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(toml: &str) -> Vec<String> {
        toml::from_str::<Server>(toml).unwrap().listeners().err().unwrap_or_default()
    }

    const INSIDE: &str = "[[listener]]\nname = 'inside'\nlisten = '10.1.0.5:443'\nzone = 'dedicated'\n";

    #[test]
    fn one_address_stays_what_it_was() {
        let all = toml::from_str::<Server>("").unwrap().listeners().unwrap();
        assert_eq!((all.len(), all[0].address), (1, Server::USUAL));
        assert_eq!(*all[0].entrance, Entrance::default());
        assert_eq!(faults("tls_key = 'k'").len(), 1);
    }

    #[test]
    fn two_zones_have_their_own_policies() {
        let text = format!(
            "{INSIDE}[[listener]]\nname = 'outside'\nlisten = '203.0.113.5:443'\nzone = 'internet'\n\
             tls_certificate = 'c'\ntls_key = 'k'\nmax_calls = 50\nclient_certificate = 'required'\n"
        );
        let server: Server = toml::from_str(&text).unwrap();
        let all = server.listeners().unwrap();
        assert_eq!(all[0].entrance.open, FrontDoor::ALL.into());
        let outside = &all[1].entrance;
        assert_eq!(outside.open, [FrontDoor::Calls, FrontDoor::Token, FrontDoor::Public].into());
        assert_eq!((outside.max_calls, outside.client_certificate), (Some(50), ClientCertificate::Required));
        assert_eq!(server.zones_of_calls(), Zone::ALL.into());
    }

    #[test]
    fn each_fault_is_named_with_its_listener() {
        let second = |more: &str| format!("{INSIDE}[[listener]]\nname = 'outside'\n{more}\n");
        for (text, said) in [
            (second("listen = '0.0.0.0:443'\nzone = 'dedicated'"), "same address"),
            (second("listen = '203.0.113.5:80'\nzone = 'internet'\nopen = ['console']"), "without TLS"),
            (second("listen = '203.0.113.5:80'\nzone = 'internet'\nopen = ['token']"), "without TLS"),
            (second("listen = '203.0.113.5:80'\nzone = 'internet'\nopen = []"), "nothing is open"),
            (second("listen = '203.0.113.5:80'\nzone = 'dedicated'\ntls_key = 'k'"), "both tls_certificate"),
            (
                second("listen = '10.1.0.6:80'\nzone = 'dedicated'\nclient_certificate = 'optional'"),
                "client_certificate needs TLS",
            ),
            (second("listen = '10.1.0.6:80'\nzone = 'dedicated'\nmax_calls = 0"), "max_calls must be"),
            (
                second("listen = '10.1.0.6:80'\nzone = 'dedicated'\nopen = ['public']\nroles = ['operator']"),
                "roles limit the console",
            ),
            (
                second("listen = '10.1.0.6:80'\nzone = 'dedicated'\nopen = ['public']\nagreements = ['1']"),
                "agreements limit calls",
            ),
            (format!("listen = '10.1.0.6:80'\n{INSIDE}"), "move them into a listener"),
            (format!("{INSIDE}open = ['calls']"), "no listener opens the console"),
            (format!("{INSIDE}{INSIDE}"), "two listeners are called `inside`"),
            (INSIDE.replace("'inside'", "'In side'"), "its name must be"),
        ] {
            let found = faults(&text);
            assert!(found.iter().any(|f| f.contains(said)), "{said}: {found:?}");
        }
        assert_eq!(
            faults(&second("listen = '127.0.0.1:8443'\nzone = 'internet'")),
            Vec::<String>::new(),
            "a proxy on the same machine ends TLS"
        );
        assert!(
            toml::from_str::<Server>("[[listener]]\nname = 'x'\nlisten = '1.1.1.1:1'").is_err(),
            "no zone"
        );
    }
}
