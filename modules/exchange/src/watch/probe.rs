//! One cheap look at a provider's address: a connection, and from time to time a TLS handshake. No request is sent: a
//! look costs the provider next to nothing and leaves no trace in its data.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base::clock::Timestamp;
use kernel::certificate;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use super::Cause;
use crate::service::BaseUrl;

/// Time for one look, all of it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Names looked up at the same time. A look-up cannot be abandoned, and calls need the same threads.
const LOOKUPS: usize = 8;

/// What a good look saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Until when the provider's certificate holds, if a handshake was made.
    pub certificate_ends: Option<Timestamp>,
}

/// The right to look up names, shared by all looks.
#[derive(Debug, Clone)]
pub struct Lookups(Arc<Semaphore>);

impl Default for Lookups {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS)))
    }
}

/// Looks at an address; with a handshake if `tls` is given and the address is `https`.
///
/// # Errors
/// What is wrong there. A machine on which names cannot be looked up any more gives `TimedOut`.
pub async fn look(url: &BaseUrl, tls: Option<&TlsConnector>, lookups: &Lookups) -> Result<Reached, Cause> {
    tokio::time::timeout(PATIENCE, unhurried(url, tls, lookups)).await.unwrap_or(Err(Cause::TimedOut))
}

async fn unhurried(url: &BaseUrl, tls: Option<&TlsConnector>, lookups: &Lookups) -> Result<Reached, Cause> {
    let (host, port) = url.host_and_port();
    let addresses = resolve(host, port, lookups).await?;
    let tcp = connect(&addresses).await?;
    let Some(tls) = tls.filter(|_| url.is_https()) else {
        return Ok(Reached { certificate_ends: None });
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Cause::CertificateName)?;
    let stream = tls.connect(name, tcp).await.map_err(|e| Cause::of_tls(&e))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    Ok(Reached { certificate_ends: chain.iter().filter_map(|c| certificate::not_after(c)).min() })
}

async fn resolve(host: &str, port: u16, lookups: &Lookups) -> Result<Vec<SocketAddr>, Cause> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let permit = Arc::clone(&lookups.0).acquire_owned().await.map_err(|_| Cause::TimedOut)?;
    let host = host.to_owned();
    let looking = tokio::spawn(async move {
        let found = tokio::net::lookup_host((host, port)).await.map(Iterator::collect::<Vec<_>>);
        drop(permit);
        found
    });
    match looking.await {
        Ok(Ok(found)) if !found.is_empty() => Ok(found),
        _ => Err(Cause::UnknownName),
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Cause> {
    let mut why = Cause::UnknownName;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => return Ok(tcp),
            Err(e) => {
                why = match e.kind() {
                    ErrorKind::ConnectionRefused => Cause::Refused,
                    ErrorKind::TimedOut => Cause::TimedOut,
                    _ => Cause::NoRoute,
                }
            }
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_look_tells_who_listens() {
        let lookups = Lookups::default();
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = open.local_addr().unwrap();
        let url: BaseUrl = format!("http://{address}/api").parse().unwrap();
        assert_eq!(look(&url, None, &lookups).await, Ok(Reached { certificate_ends: None }));
        drop(open);
        assert_eq!(look(&url, None, &lookups).await, Err(Cause::Refused));
        let nowhere = "http://khong-co.invalid".parse().unwrap();
        let found = look(&nowhere, None, &lookups).await;
        assert!(matches!(found, Err(Cause::UnknownName | Cause::TimedOut)), "{found:?}");
    }
}
