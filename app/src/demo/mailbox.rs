//! The demonstration's mailbox: what the platform sends to its invented people, on a page and as JSON for scripts. The
//! servers it arrives at are a simulator of its own beside the platform; nothing leaves this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use accounts::actions::officials::{self, NewAppointment, NewOfficial};
use anyhow::Context;
use kernel::clock::{Clock, Date, MovableClock};
use kernel::identity::Holding;
use kernel::notices::Channel;
use kernel::random::SystemRandom;
use kernel::{Cx, Kernel, Module, PersonId, params, random};
use messages::{Arrived, Mailbox, Reports, Running};
use notices::Duty;
use web::ui::{Badge, Code, Empty, Head, Html, Icon, Section, Tone};
use web::{Access, Nav, Page, Pages, Routes};

use super::state::write_private;
use crate::assemble::Platform;
use crate::t;

/// Where it is.
pub const PATH: &str = "/demo/mailbox";
/// The same as JSON.
pub const JSON: &str = "/demo/mailbox/messages";
/// Messages shown on the page.
const SHOWN: usize = 50;
/// The second person on duty, who has no password and cannot sign in.
const SECOND: &str = "operator-2";

/// The page.
pub struct DemoMailbox(pub Mailbox);

impl Module for DemoMailbox {
    fn name(&self) -> &'static str {
        "demo-mailbox"
    }
}

impl Pages for DemoMailbox {
    fn routes(&self) -> Routes {
        let (page, list) = (self.0.clone(), self.0.clone());
        Routes::new().get(PATH, Access::Public, async move |cx: web::Cx| shown(&cx, &page.all())).get(
            JSON,
            Access::Public,
            async move || axum::Json(list.all()),
        )
    }

    fn nav(&self) -> Vec<Nav> {
        vec![Nav::new(PATH, Icon::Inbox, t::demo_mailbox, Access::Public).group(t::demo_group).order(99)]
    }
}

fn shown(cx: &web::Cx, all: &[Arrived]) -> Page {
    let l = cx.lang;
    let mut body = Html::of(Head::new(l, t::demo_mailbox(l)).sub(t::demo_mailbox_sub(l)));
    if all.is_empty() {
        body.push(Empty::new(Icon::Inbox, t::demo_mailbox_empty(l), t::demo_mailbox_empty_text(l)));
    }
    for m in all.iter().rev().take(SHOWN) {
        let title = if m.subject.is_empty() { m.to.clone() } else { m.subject.clone() };
        let mut part = Html::of(Badge::new(Tone::Neutral, m.channel));
        part.push(Html::escaped(format!(" {} · {}", m.to, m.at.vn_seconds())));
        part.push(Code::new(l, &m.text).wrapped());
        body.push(Section::new(title, part));
    }
    web::page(&cx.frame(t::demo_mailbox(l)), body)
}

/// Starts the servers, and writes the secrets by which they and the platform know each other.
pub async fn start(data: &Path, base_url: &str, clock: Arc<MovableClock>) -> anyhow::Result<Running> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let secret = || random::token(&SystemRandom, 16);
    let (gateway, report) = (format!("Bearer {}", secret()), secret());
    std::fs::create_dir_all(data)?;
    write_private(&data.join("demo-gateway-secret"), gateway.as_bytes())?;
    write_private(&data.join("demo-report-secret"), report.as_bytes())?;
    let url = Some(format!("{base_url}/api/notices/v1/reports/sms"));
    let reports = Reports { url, secret: report };
    messages::start(any, any, clock as Arc<dyn Clock>, gateway, reports)
        .await
        .context("the mailbox cannot be started")
}

/// The part of the configuration by which the platform finds them.
pub fn channels(running: &Running, data: &Path) -> String {
    let file = |name: &str| data.join(name).display().to_string();
    let (gateway, report) = (file("demo-gateway-secret"), file("demo-report-secret"));
    format!(
        "[channels.email]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         from = \"Liên Thông <khong-tra-loi@trinhdien.example>\"\n\
         [channels.sms]\nurl = \"http://{http}/sms\"\nsecret_file = {gateway:?}\nreport_secret_file = {report:?}\n\
         body = {{ phone = \"{{to}}\", message = \"{{text}}\", request_id = \"{{key}}\" }}\n\
         success = {{ pointer = \"/code\", equals = \"0\" }}\nreference = \"/message_id\"\n\
         [channels.chat]\nurl = \"http://{http}/chat\"\nsecret_file = {gateway:?}\nkey_header = \"x-request-id\"\n\
         body = {{ chat_id = \"{{to}}\", text = \"{{text}}\" }}\n",
        running.smtp.port(),
        http = running.http,
    )
}

async fn person(k: &Kernel, username: &str) -> anyhow::Result<Option<PersonId>> {
    let sql = "SELECT id FROM identity_person WHERE username = $1";
    Ok(k.db.query_opt(sql, params![username]).await?.map(|r| r.id("id")).transpose()?)
}

/// Puts two people on duty and gives the demonstration's people their addresses.
pub async fn prepare(platform: &Platform) -> anyhow::Result<()> {
    let k = &platform.kernel;
    let cx = Cx::kernel("demo", k.clock.now());
    if person(k, SECOND).await?.is_none() {
        let new = NewOfficial {
            username: SECOND.to_owned(),
            full_name: "Đặng Trực Thay".to_owned(),
            appointment: NewAppointment {
                post: "Quản trị viên trực thay".to_owned(),
                agency: None,
                field: None,
                holding: Holding::Substantive,
                from: Date::new(2025, 7, 1).context("a date")?,
                until: None,
                roles: vec!["operator".to_owned()],
            },
            password: None,
        };
        officials::create(&platform.accounts, k, &cx, &new).await.context("the second person on duty")?;
    }
    let find = async |name: &str| person(k, name).await?.context("an account of the demonstration");
    let (first, second) = (find("operator").await?, find(SECOND).await?);
    let (provider, consumer) = (find("provider").await?, find("consumer").await?);
    let mail = |name: &str| format!("{name}@trinhdien.example");
    let addresses = vec![
        (first, Channel::Email, mail("truc-chinh")),
        (first, Channel::Sms, "+84000000001".to_owned()),
        (second, Channel::Email, mail("truc-phu")),
        (provider, Channel::Email, mail("cung-cap")),
        (consumer, Channel::Email, mail("khai-thac")),
    ];
    notices::seed(k, &cx, &Duty { people: [first, second], addresses }).await?;
    Ok(())
}
