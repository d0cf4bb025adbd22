//! Real checks: is there a gateway and does it answer, is somebody on duty, did anything not arrive.

use std::time::Duration;

use base::error::Result;
use base::i18n::{Lang, Text};
use kernel::notices::Channel;
use kernel::{Finding, Kernel};

use crate::office::Office;
use crate::store::{duty, messages};
use crate::t;

const CHANNELS: &str = "notices.channels";
const DUTY: &str = "notices.duty";
const FAILED: &str = "notices.failed";

/// None of these keeps the platform from serving: readiness leaves them out.
pub const ADVISORY: &[&str] = &[CHANNELS, DUTY, FAILED];

/// How far back failed messages are counted.
const LATELY: Duration = Duration::from_secs(86_400);
/// Time for one gateway to answer.
const PATIENCE: Duration = Duration::from_secs(4);

pub(crate) async fn all(o: &Office, k: &Kernel) -> Vec<Finding> {
    let gateways = gateways(o).await;
    vec![
        gateways,
        finding(DUTY, t::check_duty_title, on_duty(k).await),
        finding(FAILED, t::check_failed_title, failed(k).await),
    ]
}

fn finding(check: &'static str, title: fn(Lang) -> &'static str, found: Result<(bool, Text)>) -> Finding {
    let (ok, text) = found.unwrap_or_else(|e| (false, Text::both(|l| t::check_error(l, e.to_string()))));
    Finding { check, title: Text::both(title), ok, text }
}

/// The name of a channel.
pub(crate) fn channel(l: Lang, channel: Channel) -> &'static str {
    match channel {
        Channel::Email => t::channel_email(l),
        Channel::Sms => t::channel_sms(l),
        Channel::Chat => t::channel_chat(l),
    }
}

fn named(l: Lang, channels: &[Channel]) -> String {
    channels.iter().map(|c| channel(l, *c)).collect::<Vec<_>>().join(", ")
}

async fn gateways(o: &Office) -> Finding {
    let (mut missing, mut away) = (Vec::new(), Vec::new());
    for channel in Channel::ALL {
        let Some(gateway) = o.gateway(channel) else {
            missing.push(channel);
            continue;
        };
        let reached = in_time(gateway.reach()).await;
        if let Err(why) = reached {
            away.push((channel, gateway.standing().host, why));
        }
    }
    let none = missing.len() == Channel::ALL.len();
    let text = Text::both(|l| {
        let mut said = Vec::new();
        if none {
            said.push(t::check_no_channel(l).to_owned());
        } else if missing.is_empty() && away.is_empty() {
            said.push(t::check_channels_good(l).to_owned());
        } else if !missing.is_empty() {
            said.push(t::check_channels_missing(l, named(l, &missing)));
        }
        for (c, host, why) in &away {
            said.push(t::check_channel_away(l, t::CheckChannelAway { channel: channel(l, *c), host, why }));
        }
        said.join(" ")
    });
    Finding {
        check: CHANNELS,
        title: Text::both(t::check_channels_title),
        ok: !none && away.is_empty(),
        text,
    }
}

async fn in_time(
    reach: impl Future<Output = std::result::Result<(), String>>,
) -> std::result::Result<(), String> {
    tokio::time::timeout(PATIENCE, reach).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn on_duty(k: &Kernel) -> Result<(bool, Text)> {
    let now = k.clock.now();
    if let Some(shift) = duty::at(&k.db, now).await? {
        return Ok((true, Text::both(|l| t::check_duty_until(l, shift.ends.vn()))));
    }
    if duty::is_kept(&k.db).await? {
        return Ok((false, Text::both(t::check_duty_gap)));
    }
    Ok((true, Text::both(t::check_duty_none)))
}

async fn failed(k: &Kernel) -> Result<(bool, Text)> {
    let count = messages::failed_since(&k.db, k.clock.now().minus(LATELY)).await?;
    let text = if count == 0 {
        Text::both(t::check_failed_none)
    } else {
        Text::both(|l| t::check_failed_some(l, count))
    };
    Ok((count == 0, text))
}
