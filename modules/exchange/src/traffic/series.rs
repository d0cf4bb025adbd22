//! What calls are counted by: everything, a service, a consumer, consumer by service, agreement and endpoint, a fault.
//! Only names the registry knows become series of their own, so that callers' inventions cannot fill the tables.

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA256, digest};
use base::clock::Timestamp;
use kernel::{Kernel, Result, params};

use super::Side;

/// A call that has ended, as far as figures need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The gateway's number.
    pub request_id: String,
    /// `instance/class/member/subsystem` of the caller, as it said.
    pub client: String,
    /// `instance/class/member/subsystem/service`, as it was asked for.
    pub service: String,
    /// The agreement that decided.
    pub agreement: Option<String>,
    /// HTTP method.
    pub method: String,
    /// The agreed path pattern.
    pub endpoint: Option<String>,
    /// When the request arrived.
    pub at: Timestamp,
    /// Whose side its end speaks of.
    pub side: Side,
    /// Whether a rule refused it.
    pub refused: bool,
    /// The fault, as recorded.
    pub fault: Option<String>,
    /// Bytes of the request's body.
    pub request_bytes: i64,
    /// Bytes of the answer's body.
    pub response_bytes: i64,
    /// Microseconds to the record of its end, when it reached the provider.
    pub took: Option<i64>,
    /// Whether it went to production. Calls of sandboxes and tests have rows, and are in no figure.
    pub in_production: bool,
}

/// The kinds of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Everything.
    All,
    /// A service.
    Service,
    /// A consumer.
    Client,
    /// Consumer by service, agreement and endpoint.
    Line,
    /// A fault, as recorded.
    Fault,
}

impl Kind {
    /// As kept in the tables.
    pub const fn number(self) -> i64 {
        self as i64
    }
}

/// One series; names that do not apply are empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// Which kind.
    pub kind: Kind,
    /// The caller.
    pub client: String,
    /// The subsystem that provides the service.
    pub provider: String,
    /// The service.
    pub service: String,
    /// The agreement.
    pub agreement: String,
    /// Method and path pattern.
    pub endpoint: String,
    /// The fault.
    pub fault: String,
}

impl Series {
    fn new(kind: Kind) -> Self {
        let none = String::new;
        Self {
            kind,
            client: none(),
            provider: none(),
            service: none(),
            agreement: none(),
            endpoint: none(),
            fault: none(),
        }
    }

    /// Everything.
    pub fn all() -> Self {
        Self::new(Kind::All)
    }

    /// A service, by its path.
    pub fn service(path: &str) -> Self {
        Self { provider: provider(path).to_owned(), service: path.to_owned(), ..Self::new(Kind::Service) }
    }

    /// A consumer, by its path.
    pub fn client(path: &str) -> Self {
        Self { client: path.to_owned(), ..Self::new(Kind::Client) }
    }

    /// Its number: 62 bits of a hash of its names, the same everywhere. Two of a province's hundred thousand series
    /// have the same one with a chance below one in a hundred million.
    pub fn id(&self) -> i64 {
        if self.kind == Kind::All {
            return 0;
        }
        let parts =
            [&self.client, &self.provider, &self.service, &self.agreement, &self.endpoint, &self.fault];
        let mut text = self.kind.number().to_string();
        for part in parts {
            text.push('\n');
            text.push_str(part);
        }
        let hash = digest(&SHA256, text.as_bytes());
        let first = hash.as_ref().iter().take(8).fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        i64::try_from(first >> 2).unwrap_or_default().max(1)
    }
}

/// The subsystem behind a service: its path without the last part.
pub fn provider(service: &str) -> &str {
    service.rsplit_once('/').map_or("", |(provider, _)| provider)
}

/// The names the registry knows, retired ones included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    serial: i64,
    /// Paths of subsystems and of services; the number of parts tells them apart.
    paths: HashSet<String>,
}

impl Names {
    /// Reads them anew when the registry has changed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn renew(&mut self, k: &Kernel) -> Result<()> {
        let registry = k.db.query_opt("SELECT instance, serial FROM exchange_registry", params![]).await?;
        let Some(registry) = registry else { return Ok(()) };
        let serial = registry.int("serial")?;
        if serial == self.serial {
            return Ok(());
        }
        let instance = registry.text("instance")?;
        let sql = "SELECT m.class, m.code AS member, s.code AS subsystem, v.code AS service
                   FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
                   LEFT JOIN exchange_service v ON v.subsystem_id = s.id";
        let mut paths = HashSet::new();
        for row in k.db.query(sql, params![]).await? {
            let subsystem =
                [instance.clone(), row.text("class")?, row.text("member")?, row.text("subsystem")?].join("/");
            if let Some(service) = row.opt_text("service")? {
                paths.insert(format!("{subsystem}/{service}"));
            }
            paths.insert(subsystem);
        }
        *self = Self { serial, paths };
        Ok(())
    }

    fn known<'n>(&self, path: &'n str) -> &'n str {
        if self.paths.contains(path) { path } else { "" }
    }

    /// The series a call belongs to, each with whether it is also kept by month.
    pub fn series(&self, call: &Ended) -> Vec<Series> {
        let client = self.known(&call.client);
        let service = self.known(&call.service);
        let provider = self.known(provider(&call.service));
        let mut out = vec![Series::all()];
        if !service.is_empty() {
            out.push(Series::service(service));
        }
        if !client.is_empty() {
            out.push(Series::client(client));
        }
        if !(client.is_empty() && provider.is_empty()) {
            let endpoint = call.endpoint.as_ref().filter(|_| !service.is_empty());
            out.push(Series {
                client: client.to_owned(),
                provider: provider.to_owned(),
                service: service.to_owned(),
                agreement: call.agreement.clone().unwrap_or_default(),
                endpoint: endpoint.map_or_else(String::new, |path| format!("{} {path}", call.method)),
                ..Series::new(Kind::Line)
            });
        }
        if let Some(fault) = &call.fault {
            out.push(Series { fault: fault.clone(), ..Series::new(Kind::Fault) });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(client: &str, service: &str) -> Ended {
        Ended {
            request_id: "r".into(),
            client: client.into(),
            service: service.into(),
            agreement: Some("a".into()),
            method: "GET".into(),
            endpoint: Some("/x/*".into()),
            at: Timestamp::default(),
            side: Side::Ok,
            refused: false,
            fault: None,
            request_bytes: 0,
            response_bytes: 0,
            took: None,
            in_production: true,
        }
    }

    #[test]
    fn callers_inventions_are_counted_but_make_no_series() {
        let paths = ["VN/GOV/A/x", "VN/GOV/B/y", "VN/GOV/B/y/s"].map(str::to_owned).into();
        let names = Names { serial: 1, paths };
        let kinds = |c: &Ended| names.series(c).iter().map(|s| s.kind).collect::<Vec<_>>();
        use Kind::{All, Client, Fault, Line, Service};
        assert_eq!(kinds(&call("VN/GOV/A/x", "VN/GOV/B/y/s")), [All, Service, Client, Line]);
        assert_eq!(kinds(&call("VN/GOV/A/x", "VN/GOV/Z/z/z")), [All, Client, Line]);
        assert_eq!(kinds(&call("VN/GOV/Z/z", "VN/GOV/B/y/khac")), [All, Line], "the provider is known");
        let nothing = Ended { fault: Some("client/token-missing".into()), ..call("?", "?") };
        assert_eq!(kinds(&nothing), [All, Fault]);
        let line = &names.series(&call("VN/GOV/A/x", "VN/GOV/Z/z/z"))[2];
        assert_eq!((line.service.as_str(), line.endpoint.as_str()), ("", ""));
    }

    #[test]
    fn numbers_are_told_by_every_name() {
        assert_eq!(Series::all().id(), 0);
        let (a, b) = (Series::service("VN/GOV/B/y/s"), Series::client("VN/GOV/B/y/s"));
        assert_eq!(a.id(), Series::service("VN/GOV/B/y/s").id());
        assert!(a.id() > 0 && a.id() != b.id());
        let moved = Series { endpoint: "b".into(), fault: String::new(), ..Series::client("a") };
        let other = Series { endpoint: String::new(), fault: "b".into(), ..Series::client("a") };
        assert_ne!(moved.id(), other.id());
    }
}
