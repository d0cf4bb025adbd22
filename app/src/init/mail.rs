//! A live try of the mail server that was just configured. What fails is said and does not stop the installation.

use std::path::Path;

use kernel::notices::{Channel, Outgoing};

use crate::cli::Place;
use crate::commands::block_on;
use crate::settings::Settings;

/// Connects and signs in as the platform will; with an address, sends a message to it.
pub fn try_out(config: &Path, to: &str) {
    match attempt(config, to) {
        Ok(said) => println!("{said}"),
        Err(e) => {
            println!("THƯ KHÔNG GỬI ĐƯỢC / MAIL DOES NOT WORK: {}", crate::chain(&e));
            println!("  Sửa [channels.email] trong / mend it in {}", config.display());
        }
    }
}

fn attempt(config: &Path, to: &str) -> anyhow::Result<String> {
    let settings = Settings::load(&Place { config: Some(config.to_path_buf()), data: None })?;
    let gateways = messaging::gateways(&settings.config.section("channels")?)?;
    let mail = gateways.into_iter().find(|g| g.channel() == Channel::Email);
    let mail = mail.ok_or_else(|| anyhow::anyhow!("no mail server is configured"))?;
    let at = mail.standing().host;
    block_on(async {
        mail.reach().await.map_err(|why| anyhow::anyhow!("{at}: {why}"))?;
        if to.is_empty() {
            return Ok(format!("Máy chủ thư trả lời / the mail server answers: {at}"));
        }
        let text =
            "Thư này cho biết Liên Thông gửi được thư.\nThis message says that Liên Thông can send mail.\n";
        let message =
            Outgoing { key: "init-test", to, subject: "Liên Thông: thư thử / test message", text };
        match mail.send(message).await {
            Ok(_) => Ok(format!("Đã gửi thư thử tới / a test message was sent to: {to}")),
            Err(why) => Err(anyhow::anyhow!("{at}: {why:?}")),
        }
    })
}
