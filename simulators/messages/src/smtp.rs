//! The receiving side of SMTP as RFC 5321 has it: greeting, EHLO or HELO, MAIL, RCPT, DATA with dot-stuffing, RSET, NOOP,
//! QUIT; where a door has them also STARTTLS (RFC 3207), TLS from the first byte (RFC 8314) and AUTH PLAIN and LOGIN
//! (RFC 4954). Bounded everywhere.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::fault::{Fault, Faults};
use crate::mail;
use crate::{Arrived, Mailbox};

/// Longest command line, in bytes, its end included (RFC 5321, 4.5.3.1.4 asks for 512).
const MAX_LINE: u64 = 2_048;
/// Largest message.
const MAX_MESSAGE: usize = 1 << 20;
/// Recipients of one message (RFC 5321, 4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;
/// A client that says nothing for so long is cut off.
const PATIENCE: Duration = Duration::from_secs(60);
const MAX_CONNECTIONS: usize = 64;

/// How mail is taken.
#[derive(Clone, Default)]
pub struct Door {
    /// The certificate; without it nothing is encrypted.
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS from the first byte, instead of STARTTLS.
    pub wrapped: bool,
    /// Name and password without which no mail is taken. They are asked for over TLS only.
    pub login: Option<(String, String)>,
    /// Somebody on the way hides that TLS is offered.
    pub stripped: bool,
}

pub(crate) async fn serve(
    listener: TcpListener,
    door: Door,
    mailbox: Mailbox,
    faults: Faults,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (door, mailbox, faults, stop) = (door.clone(), mailbox.clone(), faults.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                ended = receive(Box::new(stream), door, mailbox, faults) => {
                    if let Err(e) = ended {
                        tracing::debug!(error = %e, "message simulator: a mail connection ended");
                    }
                }
            }
            drop(place);
        });
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

async fn receive(
    mut wire: Box<dyn Wire>,
    door: Door,
    mailbox: Mailbox,
    faults: Faults,
) -> std::io::Result<()> {
    let mut encrypted = false;
    if let Some(tls) = door.tls.clone().filter(|_| door.wrapped) {
        wire = Box::new(TlsAcceptor::from(tls).accept(wire).await?);
        encrypted = true;
    }
    let wire = BufReader::new(wire);
    let signed_in = door.login.is_none();
    let (from, to, fault) = (None, Vec::new(), None);
    Session { wire, door, encrypted, signed_in, mailbox, faults, greeted: false, from, to, fault }.run().await
}

struct Session {
    wire: BufReader<Box<dyn Wire>>,
    door: Door,
    encrypted: bool,
    signed_in: bool,
    mailbox: Mailbox,
    faults: Faults,
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
    fault: Option<Fault>,
}

impl Session {
    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.wire.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.wire.flush().await
    }

    /// The next line without its end; `None` at the end of the connection, or when it is too long.
    async fn line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.wire).take(MAX_LINE);
        let reading = limited.read_until(b'\n', &mut line);
        let read = tokio::time::timeout(PATIENCE, reading).await.map_err(std::io::Error::other)??;
        if read == 0 || line.pop() != Some(b'\n') {
            return Ok(None);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    async fn run(mut self) -> std::io::Result<()> {
        self.say("220 mailbox.invalid ESMTP mailbox of the demonstration").await?;
        while let Some(line) = self.line().await? {
            let line = String::from_utf8_lossy(&line).into_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.reset();
                    self.greeted = true;
                    self.say("250-mailbox.invalid").await?;
                    self.say("250-8BITMIME").await?;
                    if self.offers_tls() && !self.door.stripped {
                        self.say("250-STARTTLS").await?;
                    }
                    if self.encrypted && self.door.login.is_some() {
                        self.say("250-AUTH PLAIN LOGIN").await?;
                    }
                    self.say("250 SIZE 1048576").await?;
                }
                "HELO" => {
                    self.reset();
                    self.greeted = true;
                    self.say("250 mailbox.invalid").await?;
                }
                "STARTTLS" if self.offers_tls() && self.door.stripped => {
                    self.say("454 4.7.0 TLS not available").await?;
                }
                "STARTTLS" if self.offers_tls() => self = self.start_tls().await?,
                "AUTH" if self.encrypted && !self.signed_in => self.auth(rest).await?,
                "MAIL" if !self.signed_in => self.say("530 5.7.0 sign in first").await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.rcpt(rest).await?,
                "DATA" => {
                    if !self.data().await? {
                        return Ok(());
                    }
                }
                "RSET" => {
                    self.reset();
                    self.say("250 OK").await?;
                }
                "NOOP" => self.say("250 OK").await?,
                "QUIT" => return self.say("221 bye").await,
                _ => self.say("500 not understood").await?,
            }
        }
        Ok(())
    }

    fn offers_tls(&self) -> bool {
        self.door.tls.is_some() && !self.encrypted
    }

    /// RFC 3207, 4.2: what was said before is forgotten, and nothing that came in the clear is taken for encrypted.
    async fn start_tls(mut self) -> std::io::Result<Self> {
        let Some(tls) = self.door.tls.clone() else { return Ok(self) };
        self.say("220 2.0.0 go ahead").await?;
        if !self.wire.buffer().is_empty() {
            return Err(std::io::Error::other("commands came along with STARTTLS"));
        }
        let encrypted = TlsAcceptor::from(tls).accept(self.wire.into_inner()).await?;
        let wire = BufReader::new(Box::new(encrypted) as Box<dyn Wire>);
        let mut after = Self { wire, encrypted: true, greeted: false, ..self };
        after.reset();
        Ok(after)
    }

    async fn auth(&mut self, rest: &str) -> std::io::Result<()> {
        let mut words = rest.split(' ');
        let (how, first) = (words.next().unwrap_or_default().to_ascii_uppercase(), words.next());
        let said = match (how.as_str(), first) {
            ("PLAIN", Some(text)) => plain(text),
            ("PLAIN", None) => plain(&self.ask("").await?),
            ("LOGIN", _) => {
                let name = self.ask(&STANDARD.encode("Username:")).await?;
                let password = self.ask(&STANDARD.encode("Password:")).await?;
                decode(&name).zip(decode(&password))
            }
            _ => return self.say("504 5.5.4 not known").await,
        };
        if said.is_some() && said == self.door.login {
            self.signed_in = true;
            return self.say("235 2.7.0 welcome").await;
        }
        self.say("535 5.7.8 name or password is wrong").await
    }

    async fn ask(&mut self, text: &str) -> std::io::Result<String> {
        self.say(&format!("334 {text}")).await?;
        let line = self.line().await?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn reset(&mut self) {
        (self.from, self.to, self.fault) = (None, Vec::new(), None);
    }

    async fn mail(&mut self, rest: &str) -> std::io::Result<()> {
        match path(rest, "FROM:") {
            Some(from) if self.greeted && self.from.is_none() => {
                self.fault = self.faults.draw();
                if let Some(Fault::TooMany(_)) = self.fault {
                    return self.say("421 too much at once").await;
                }
                self.from = Some(from);
                self.say("250 OK").await
            }
            Some(_) => self.say("503 not now").await,
            None => self.say("501 not an address").await,
        }
    }

    async fn rcpt(&mut self, rest: &str) -> std::io::Result<()> {
        let Some(to) = path(rest, "TO:").filter(|to| to.contains('@')) else {
            return self.say("501 not an address").await;
        };
        if self.from.is_none() {
            return self.say("503 not now").await;
        }
        match self.fault {
            // What real servers do: they repeat the address.
            Some(Fault::Refuse) => self.say(&format!("550 5.1.1 <{to}>: no such mailbox")).await,
            Some(Fault::Greylist) => {
                self.say(&format!("451 4.7.1 <{to}>: greylisted, come back later")).await
            }
            _ if self.to.len() >= MAX_RECIPIENTS => self.say("452 too many recipients").await,
            _ => {
                self.to.push(to);
                self.say("250 OK").await
            }
        }
    }

    /// Takes the message in. `false` when the connection is to end.
    async fn data(&mut self) -> std::io::Result<bool> {
        if self.to.is_empty() {
            self.say("503 no recipient").await?;
            return Ok(true);
        }
        self.say("354 go on, end with a dot").await?;
        if self.fault == Some(Fault::Close) {
            self.line().await?;
            return Ok(false);
        }
        let (mut message, mut too_large) = (Vec::new(), false);
        loop {
            let Some(line) = self.line().await? else { return Ok(false) };
            if line == b"." {
                break;
            }
            // RFC 5321, 4.5.2: a dot at the beginning was doubled by the sender.
            let plain = line.strip_prefix(b".").unwrap_or(&line);
            too_large |= message.len() + plain.len() > MAX_MESSAGE;
            if !too_large {
                message.extend_from_slice(plain);
                message.extend_from_slice(b"\r\n");
            }
        }
        if too_large {
            self.reset();
            self.say("552 too large").await?;
            return Ok(true);
        }
        if let Some(Fault::Slow(by)) = self.fault {
            tokio::time::sleep(by).await;
        }
        let read = mail::read(&message);
        for to in std::mem::take(&mut self.to) {
            self.mailbox.put(Arrived {
                at: self.mailbox.now(),
                channel: "email",
                to,
                subject: read.subject.clone(),
                text: read.text.clone(),
                key: read.message_id.clone(),
            });
        }
        self.reset();
        self.say("250 OK").await?;
        Ok(true)
    }
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

/// RFC 4616: whom to act for, name and password, separated by zero bytes.
fn plain(text: &str) -> Option<(String, String)> {
    let text = decode(text)?;
    let mut parts = text.split('\0').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

/// The address of `FROM:<a@b> SIZE=…`.
fn path(rest: &str, word: &str) -> Option<String> {
    let head = rest.get(..word.len())?;
    let inside = rest.get(word.len()..)?.trim_start().strip_prefix('<')?;
    let (address, _) = inside.split_once('>')?;
    head.eq_ignore_ascii_case(word).then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_between_angle_brackets() {
        assert_eq!(path("FROM:<a@b.vn> SIZE=12", "FROM:"), Some("a@b.vn".into()));
        assert_eq!(path("from: <>", "FROM:"), Some(String::new()));
        for bad in ["", "FROM", "FROM:a@b", "FROM:<a@b", "TO:<a@b>", "đ:<a>"] {
            assert_eq!(path(bad, "FROM:"), None, "{bad}");
        }
    }
}
