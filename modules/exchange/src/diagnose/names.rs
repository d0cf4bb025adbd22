//! Name resolution: as the gateway does it, through the operating system, and, to say why that failed, by asking each
//! name server itself (RFC 1035, over UDP).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base::clock::Stopwatch;
use base::random::Random;
use tokio::net::UdpSocket;

use super::Fault;
use super::report::{Asked, NameAnswer};

/// Time for the operating system's look-up.
const PATIENCE: Duration = Duration::from_secs(6);
/// Time for one name server, each of two questions.
const SERVER_PATIENCE: Duration = Duration::from_secs(2);
/// Name servers asked.
const MOST_SERVERS: usize = 3;
/// Records read of one answer.
const MOST_RECORDS: usize = 64;

const A: u16 = 1;
const AAAA: u16 = 28;
const IN: u16 = 1;
const NXDOMAIN: u8 = 3;

/// The servers a `resolv.conf` names.
pub fn configured(text: &str) -> Vec<SocketAddr> {
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()).flatten()?.parse::<IpAddr>().ok()
    };
    text.lines().filter_map(address).take(MOST_SERVERS).map(|ip| SocketAddr::new(ip, 53)).collect()
}

/// What was found of a name.
pub(super) struct Looked {
    pub addresses: Vec<SocketAddr>,
    pub servers: Vec<Asked>,
    pub fault: Option<Fault>,
}

/// Looks a host up; an address stands for itself.
pub(super) async fn look_up(host: &str, port: u16, servers: &[SocketAddr], random: &dyn Random) -> Looked {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Looked { addresses: vec![SocketAddr::new(ip, port)], servers: Vec::new(), fault: None };
    }
    let system = async {
        let looking = tokio::net::lookup_host((host.to_owned(), port));
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(Ok(found)) => found.collect::<Vec<_>>(),
            _ => Vec::new(),
        }
    };
    let asking = servers.iter().take(MOST_SERVERS).map(|server| ask(*server, host, random));
    let (addresses, asked) = futures_util::join!(system, futures_util::future::join_all(asking));
    let fault = addresses.is_empty().then(|| failed(host, &asked));
    Looked { addresses, servers: asked, fault }
}

/// Why a name could not be looked up.
fn failed(host: &str, asked: &[Asked]) -> Fault {
    let denied = asked.iter().find(|a| a.answer == NameAnswer::NoSuchName);
    let known = asked.iter().any(|a| matches!(a.answer, NameAnswer::Addresses(_)));
    match denied {
        Some(by) if !known => Fault::UnknownName { host: host.to_owned(), server: by.server.clone() },
        _ => Fault::NameServers { host: host.to_owned() },
    }
}

async fn ask(server: SocketAddr, host: &str, random: &dyn Random) -> Asked {
    let watch = Stopwatch::start();
    let (four, six) =
        futures_util::join!(question(server, host, A, random), question(server, host, AAAA, random));
    let took = super::examine::micros(watch.elapsed());
    let answer = match (four, six) {
        (NameAnswer::Addresses(mut a), NameAnswer::Addresses(b)) => {
            a.extend(b);
            NameAnswer::Addresses(a)
        }
        (found @ NameAnswer::Addresses(_), _) | (_, found @ NameAnswer::Addresses(_)) => found,
        (NameAnswer::Silent, other) => other,
        (other, _) => other,
    };
    Asked { server: server.to_string(), answer, took }
}

async fn question(server: SocketAddr, host: &str, kind: u16, random: &dyn Random) -> NameAnswer {
    let mut id = [0; 2];
    random.fill(&mut id);
    let Some(query) = query(id, host, kind) else { return NameAnswer::NoSuchName };
    let asking = async {
        let any: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await.ok()?;
        socket.connect(server).await.ok()?;
        socket.send(&query).await.ok()?;
        let mut answer = [0; 4096];
        loop {
            let length = socket.recv(&mut answer).await.ok()?;
            // Whatever does not answer this question is not an answer.
            if let Some(found) = read(answer.get(..length)?, id, kind) {
                return Some(found);
            }
        }
    };
    tokio::time::timeout(SERVER_PATIENCE, asking).await.ok().flatten().unwrap_or(NameAnswer::Silent)
}

/// A recursive question; `None` for what is no name.
fn query(id: [u8; 2], host: &str, kind: u16) -> Option<Vec<u8>> {
    let mut out = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.trim_end_matches('.').split('.') {
        out.push(u8::try_from(label.len()).ok().filter(|n| (1..=63).contains(n))?);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out.extend(kind.to_be_bytes());
    out.extend(IN.to_be_bytes());
    Some(out)
}

/// Reads an answer; `None` when it is not one to this question.
fn read(message: &[u8], id: [u8; 2], kind: u16) -> Option<NameAnswer> {
    let short = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    let flags = message.get(2)?;
    if message.get(..2)? != id || flags & 0x80 == 0 {
        return None;
    }
    let code = message.get(3)? & 0x0f;
    match code {
        0 => {}
        NXDOMAIN => return Some(NameAnswer::NoSuchName),
        other => return Some(NameAnswer::Failed(other)),
    }
    let (questions, records) = (short(4)?, short(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = past_name(message, at)? + 4;
    }
    let mut addresses = Vec::new();
    for _ in 0..usize::from(records).min(MOST_RECORDS) {
        at = past_name(message, at)?;
        let (found, length) = (short(at)?, usize::from(short(at + 8)?));
        let data = message.get(at + 10..at + 10 + length)?;
        let address = match found {
            A => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            AAAA => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            _ => None,
        };
        addresses.extend(address.filter(|_| found == kind).map(|a| a.to_string()));
        at += 10 + length;
    }
    Some(if addresses.is_empty() { NameAnswer::NoSuchName } else { NameAnswer::Addresses(addresses) })
}

/// The place behind a name, whose labels end with a zero or a pointer.
fn past_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            pointer if pointer & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += usize::from(length) + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: [u8; 2], code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = query(id, "a.example", A).unwrap();
        (out[2], out[3], out[7]) = (0x81, 0x80 | code, records.len() as u8);
        for (kind, data) in records {
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend((data.len() as u16).to_be_bytes());
            out.extend(*data);
        }
        out
    }

    #[test]
    fn answers_are_read_and_nothing_makes_the_reader_panic() {
        let id = [7, 9];
        let good = answer(id, 0, &[(5, b"\xc0\x0c"), (A, &[10, 0, 0, 9]), (A, &[10, 0, 0, 8])]);
        let expected = NameAnswer::Addresses(vec!["10.0.0.9".into(), "10.0.0.8".into()]);
        assert_eq!(read(&good, id, A), Some(expected));
        assert_eq!(read(&good, [7, 8], A), None, "of another question");
        assert_eq!(read(&good, id, AAAA), Some(NameAnswer::NoSuchName));
        assert_eq!(read(&answer(id, 3, &[]), id, A), Some(NameAnswer::NoSuchName));
        assert_eq!(read(&answer(id, 2, &[]), id, A), Some(NameAnswer::Failed(2)));
        assert_eq!(read(&query(id, "a.example", A).unwrap(), id, A), None, "a question is not an answer");
        for cut in 0..good.len() {
            let _ = read(&good[..cut], id, A);
        }
        for at in 0..good.len() {
            let mut bent = good.clone();
            bent[at] ^= 0xff;
            let _ = read(&bent, id, A);
        }
        assert!(query(id, &"x".repeat(64), A).is_none() && query(id, "a..b", A).is_none());
    }

    #[test]
    fn the_servers_of_a_machine_are_read() {
        let text = "# x\nsearch tinh.gov.vn\nnameserver 10.0.0.53\nnameserver ::1\nnameserver khong\noptions ndots:1\n";
        assert_eq!(configured(text), ["10.0.0.53:53".parse().unwrap(), "[::1]:53".parse().unwrap()]);
    }

    #[test]
    fn who_denies_a_name_is_believed_and_who_is_silent_is_not() {
        let asked = |answer| Asked { server: "s".into(), answer, took: 0 };
        let unknown = failed("h", &[asked(NameAnswer::Silent), asked(NameAnswer::NoSuchName)]);
        assert_eq!(unknown, Fault::UnknownName { host: "h".into(), server: "s".into() });
        let ours = Fault::NameServers { host: "h".into() };
        assert_eq!(failed("h", &[asked(NameAnswer::Silent)]), ours);
        assert_eq!(failed("h", &[]), ours);
        let known = NameAnswer::Addresses(vec!["10.0.0.1".into()]);
        assert_eq!(failed("h", &[asked(known), asked(NameAnswer::NoSuchName)]), ours);
    }
}
