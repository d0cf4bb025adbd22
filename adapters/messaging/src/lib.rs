//! Gateways to the outside over which messages leave: mail by SMTP, text messages and chats by HTTP. Decides nothing:
//! who is told what, and when again, is the work of the module that holds the messages.

mod email;
mod hook;
mod reason;
mod settings;

use std::sync::Arc;

use kernel::notices::{Channel, Gateway};

pub use email::Mail;
pub use hook::Hook;
pub use settings::{BadSettings, Email, Format, Http, Security, Settings, Success};

/// The gateways that are configured.
///
/// # Errors
/// What is wrong with the section, in a sentence.
pub fn gateways(settings: &Settings) -> Result<Vec<Arc<dyn Gateway>>, BadSettings> {
    let mut out: Vec<Arc<dyn Gateway>> = Vec::new();
    if let Some(email) = &settings.email {
        out.push(Arc::new(Mail::new(email)?));
    }
    if let Some(sms) = &settings.sms {
        out.push(Arc::new(Hook::new(Channel::Sms, sms)?));
    }
    if let Some(chat) = &settings.chat {
        out.push(Arc::new(Hook::new(Channel::Chat, chat)?));
    }
    Ok(out)
}
