//! `demo`: a province on this machine in one command. Real units, invented people, two providers and a consumer as
//! small programs of their own, agreements between them, continuous small traffic. Loopback only; its data can never
//! become production.

mod clock;
mod connections;
mod mailbox;
mod province;
mod setup;
mod state;
mod systems;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use kernel::clock::{Clock, MovableClock, Stopwatch, Timestamp};
use kernel::config::Config;

use crate::assemble::{Platform, start_logging};
use crate::lock::DataLock;
use crate::server;
use crate::settings::Settings;
use clock::DemoClock;
use province::Province;
use state::State;

/// What was asked for on the command line.
pub struct Options {
    /// Code of the province.
    pub province: String,
    /// Where data is kept.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Calls a second at the busiest hour.
    pub rate: f64,
}

/// Runs the demonstration until it is asked to stop.
pub fn run(options: Options) -> anyhow::Result<ExitCode> {
    if !options.listen.ip().is_loopback() {
        bail!(
            "the demonstration listens on this machine only: give --listen a loopback address such as 127.0.0.1:8080"
        );
    }
    let province = Province::by_code(&options.province)?;
    let watch = Stopwatch::start();
    let data = std::path::absolute(&options.data)?;
    let _lock = DataLock::take(&data)?;
    let state = State::load(&data)?;
    if let Some(kept) = state.province.as_ref().filter(|kept| **kept != options.province) {
        bail!("{} holds a demonstration of province {kept}; use another --data", data.display());
    }
    crate::commands::block_on(async move {
        let base_url = format!("http://{}", options.listen);
        crate::operations::recorder();
        let clock = Arc::new(MovableClock::new());
        clock.set(Timestamp::from_micros(clock.now().micros() + state.clock_offset_micros));
        let mailbox = mailbox::start(&data, &base_url, clock.clone()).await?;
        let settings = settings(&province, &options, &data, &mailbox::channels(&mailbox, &data))?;
        start_logging(&settings.log)?;
        let pages: Vec<Arc<dyn web::Pages>> = vec![
            Arc::new(DemoClock::new(clock.clone(), data.clone())),
            Arc::new(mailbox::DemoMailbox(mailbox.mailbox.clone())),
        ];
        let platform = Platform::open_with_clock(settings, clock.clone(), pages).await?;
        let systems = systems::Systems::start(&platform, &province, clock.clone(), &state).await?;
        let state = setup::prepare(&platform, &province, &systems, state, &data).await?;
        state.save(&data)?;
        mailbox::prepare(&platform).await.context("the rota of the demonstration")?;
        let serving = server::run(platform.clone(), async |_| {
            systems.begin_traffic(&base_url, &province, &state, options.rate)?;
            state.write_contract(&data, &base_url, &province, &systems)?;
            announce(&province, &state, &base_url, &data, &watch);
            Ok(())
        });
        serving.await.context("the demonstration ended")?;
        Ok(ExitCode::SUCCESS)
    })
}

fn settings(
    province: &Province,
    options: &Options,
    data: &std::path::Path,
    channels: &str,
) -> anyhow::Result<Settings> {
    let text = format!(
        "[platform]\nname = \"{}\"\ndata = {:?}\n[server]\nlisten = \"{}\"\n[log]\nfilter = \"warn\"\n\
         [web]\nname = \"Ủy ban nhân dân {}\"\npublic_url = \"http://{}\"\n[tokens]\nissuer = \"http://{}\"\n\
         {channels}",
        province.log_name(),
        data.display().to_string(),
        options.listen,
        province.full_name,
        options.listen,
        options.listen,
    );
    let text = text + &links(province);
    let env = std::env::vars().filter(|(name, _)| !name.starts_with("LIENTHONG_PLATFORM__"));
    let mut settings = Settings::from_config(Config::from_text(None, text, env)?)?;
    settings.demo = true;
    Ok(settings)
}

/// Which national systems the invented ones stand for.
fn links(province: &Province) -> String {
    let link = |system: &str, member: &str, subsystem: &str, service: &str| {
        let path = province.subsystem(member, subsystem);
        let key = path.split_once('/').map_or("", |(_, key)| key);
        format!("[[exchange.national.link]]\nsystem = \"{system}\"\nservices = [\"{key}/{service}\"]\n")
    };
    link("population", "CAT", "dan-cu", "tra-cuu-cong-dan")
        + &link("business", "STC", "dkkd", "tra-cuu-doanh-nghiep")
}

fn announce(province: &Province, state: &State, base_url: &str, data: &std::path::Path, watch: &Stopwatch) {
    println!("\nLiên Thông — trình diễn / demonstration: {}", province.full_name);
    println!("  Trang quản trị / console:  {base_url}");
    for login in &state.logins {
        println!("  {:<34} {:<12} {}", login.title, login.username, login.password);
    }
    println!("  Hộp thư / mailbox:         {base_url}{}", mailbox::PATH);
    println!("  Dữ liệu / data:            {}", data.display());
    println!("  Cho chương trình / for scripts: {}", data.join("demo.json").display());
    println!("  Sẵn sàng sau / ready after {:.1} s. Dừng / stop: Ctrl C\n", watch.elapsed().as_secs_f64());
}
