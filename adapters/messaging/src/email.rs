//! Mail by SMTP (RFC 5321), one plain-text message (RFC 5322, UTF-8) to one address. Names and subjects are encoded by
//! the library: a line break in them is no new header.

use std::time::Duration;

use async_trait::async_trait;
use kernel::notices::{Channel, Failure, Gateway, Outgoing, Receipt, Standing};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::reason::cut;
use crate::settings::{BadSettings, Email, Security, patience, secret};

/// The way to one mail server.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    patience: Duration,
    standing: Standing,
}

impl Mail {
    /// From its section; nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the section.
    pub fn new(s: &Email) -> Result<Self, BadSettings> {
        let from: Mailbox =
            s.from.parse().map_err(|e| BadSettings(format!("email.from is not an address: {e}")))?;
        let patience = patience(s.seconds)?;
        let password = secret(s.password_file.as_deref())?;
        let (tls, usual) = match s.security {
            Security::None => (Tls::None, 25),
            Security::Starttls => (Tls::Required(parameters(s)?), 587),
            Security::Tls => (Tls::Wrapper(parameters(s)?), 465),
        };
        let port = s.port.unwrap_or(usual);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&s.host)
            .port(port)
            .tls(tls)
            .timeout(Some(patience));
        match (&s.username, password) {
            (None, None) => {}
            (Some(_), Some(_)) if s.security == Security::None => {
                return Err(BadSettings("email: a password is not sent without TLS".to_owned()));
            }
            (Some(name), Some(password)) => {
                builder = builder.credentials(Credentials::new(name.clone(), password));
            }
            _ => return Err(BadSettings("email: username and password_file go together".to_owned())),
        }
        let standing =
            Standing { host: format!("{}:{port}", s.host), encrypted: s.security != Security::None };
        Ok(Self { transport: builder.build(), from, patience, standing })
    }

    fn message(&self, m: Outgoing<'_>) -> Result<Message, Failure> {
        // Servers that take other letters (RFC 6531) are rare; without them it would be tried in vain for hours.
        if !m.to.is_ascii() {
            return Err(Failure::Refused("the address has letters beyond ASCII".to_owned()));
        }
        let to: lettre::Address =
            m.to.parse().map_err(|e| Failure::Refused(cut(&format!("not an address: {e}"))))?;
        let subject = cut(m.subject);
        // The same for every attempt: a mailbox that got it before its server said so shows it once.
        let id = format!("<{}@{}>", m.key, self.from.email.domain());
        // RFC 3834: no automatic answers to automatic messages.
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(Some(id))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(m.text.replace('\r', ""))
            .map_err(|e| Failure::Refused(cut(&format!("the message cannot be written: {e}"))))
    }
}

fn parameters(s: &Email) -> Result<TlsParameters, BadSettings> {
    let bad = |e: lettre::transport::smtp::Error| BadSettings(format!("email: TLS cannot be set up: {e}"));
    let mut builder = TlsParameters::builder(s.host.clone());
    if let Some(file) = &s.ca_file {
        let pem = std::fs::read(file)
            .map_err(|e| BadSettings(format!("{} cannot be read: {e}", file.display())))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(bad)?);
    }
    builder.build().map_err(bad)
}

fn failure(e: &lettre::transport::smtp::Error) -> Failure {
    let mut said = e.to_string();
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        said.push_str(": ");
        said.push_str(&e.to_string());
        cause = e.source();
    }
    // 535, 530: the server does not know us. That is a matter of our settings, not of the message.
    let ours = e.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    if e.is_permanent() && !ours {
        return Failure::Refused(cut(&said));
    }
    Failure::Later { reason: cut(&said), after: None }
}

#[async_trait]
impl Gateway for Mail {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn standing(&self) -> Standing {
        self.standing.clone()
    }

    async fn send(&self, m: Outgoing<'_>) -> Result<Receipt, Failure> {
        let message = self.message(m)?;
        match tokio::time::timeout(self.patience, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Receipt::default()),
            Ok(Err(e)) => Err(failure(&e)),
            Err(_) => Err(Failure::Later { reason: "the mail server is too slow".to_owned(), after: None }),
        }
    }

    async fn reach(&self) -> Result<(), String> {
        match tokio::time::timeout(self.patience, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("the mail server answers, but not as one".to_owned()),
            Ok(Err(e)) => match failure(&e) {
                Failure::Refused(reason) | Failure::Later { reason, .. } => Err(reason),
            },
            Err(_) => Err("the mail server does not answer in time".to_owned()),
        }
    }

    fn proves(&self, _: &[u8]) -> bool {
        false
    }
}
