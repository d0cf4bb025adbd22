//! Whether providers can be reached: a real connection to each address, with a short time limit. Says whose
//! side is down; whether the provider then answers well is seen in its calls.

use std::time::Duration;

use base::clock::Stopwatch;
use futures_util::stream::{self, StreamExt};
use tokio::net::TcpStream;

use crate::service::BaseUrl;

/// Time for one connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// Connections tried at the same time.
const AT_ONCE: usize = 16;

/// What trying to connect gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// Connected within this time.
    Yes(Duration),
    /// Nothing listens there, or the way is closed.
    Refused,
    /// The name is not known.
    UnknownName,
    /// No answer in time.
    TimedOut,
}

/// Tries to connect to each address; the answers stand in the order of the addresses.
pub async fn reach(addresses: &[BaseUrl]) -> Vec<Reached> {
    stream::iter(addresses.to_vec())
        .map(|url| async move { one(&url).await })
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn one(url: &BaseUrl) -> Reached {
    let watch = Stopwatch::start();
    let authority = url.authority();
    let default = if url.is_https() { 443 } else { 80 };
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let target = if has_port { authority.to_owned() } else { format!("{authority}:{default}") };
    let connecting = async {
        let mut addresses = tokio::net::lookup_host(&target).await.map_err(|_| Reached::UnknownName)?;
        let address = addresses.next().ok_or(Reached::UnknownName)?;
        TcpStream::connect(address).await.map_err(|_| Reached::Refused)
    };
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok(_)) => Reached::Yes(watch.elapsed()),
        Ok(Err(why)) => why,
        Err(_) => Reached::TimedOut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_listens_is_told_from_who_does_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = format!("http://{}/api", listener.local_addr().unwrap()).parse().unwrap();
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let shut = format!("http://{address}").parse().unwrap();
        let nowhere = "https://khong-co.invalid".parse().unwrap();
        let found = reach(&[open, shut, nowhere]).await;
        assert!(matches!(found[0], Reached::Yes(_)));
        assert_eq!(found[1], Reached::Refused);
        assert!(matches!(found[2], Reached::UnknownName | Reached::TimedOut));
    }
}
