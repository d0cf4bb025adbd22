//! The demonstration's own systems: a population registry, a business registry and a one-stop client, each a real
//! HTTP program in this process that knows the platform only by its wire.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use kernel::clock::{Clock, MovableClock};
use kernel::orgs::Tree;
use registries::onestop::{self, Errand, Kind};
use registries::server::Latency;
use registries::{Commune, Population, Register, Running, business, population};

use super::province::Province;
use super::state::State;
use crate::assemble::Platform;

const SEED: u64 = 20_250_701;
const PEOPLE: usize = 5_000;
const ENTERPRISES: usize = 1_000;

/// The running systems. Dropping them stops them.
pub struct Systems {
    people: Arc<Population>,
    enterprises: Arc<Register>,
    population: Running,
    business: Running,
    clock: Arc<MovableClock>,
    client: Mutex<Option<onestop::Running>>,
}

impl Systems {
    /// Invents people and enterprises living in the province's communes and starts the two registries.
    pub async fn start(
        platform: &Platform,
        province: &Province,
        clock: Arc<MovableClock>,
        _state: &State,
    ) -> anyhow::Result<Self> {
        let communes = communes(platform, province, &clock).await?;
        let (people, enterprises) = tokio::task::spawn_blocking(move || {
            (Population::invent(SEED, PEOPLE, &communes), Register::invent(SEED, ENTERPRISES, &communes))
        })
        .await?;
        let (people, enterprises) = (Arc::new(people), Arc::new(enterprises));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let latency = Latency::realistic();
        let population =
            population::start(any, people.clone(), latency, SEED).await.context("population registry")?;
        let business =
            business::start(any, enterprises.clone(), latency, SEED).await.context("business registry")?;
        Ok(Self { people, enterprises, population, business, clock, client: Mutex::default() })
    }

    /// Base address of the population registry.
    pub fn population_url(&self) -> String {
        self.population.base_url()
    }

    /// Base address of the business registry.
    pub fn business_url(&self) -> String {
        self.business.base_url()
    }

    /// The number of an invented person who is registered.
    pub fn somebody(&self) -> String {
        self.people.iter().next().map(|p| p.so_dinh_danh.clone()).unwrap_or_default()
    }

    /// Starts the one-stop client's calls.
    pub fn begin_traffic(
        &self,
        base_url: &str,
        province: &Province,
        state: &State,
        rate: f64,
    ) -> anyhow::Result<()> {
        let client_id = "mot-cua-minh-hoa";
        if rate <= 0.0 {
            return Ok(());
        }
        let errand = |service: &str, kind, weight| Errand { service: service.to_owned(), kind, weight };
        let person = format!("{}/tra-cuu-cong-dan", province.subsystem("CAT", "dan-cu"));
        let enterprise = format!("{}/tra-cuu-doanh-nghiep", province.subsystem("STC", "dkkd"));
        let config = onestop::Config {
            front_door: base_url.to_owned(),
            token_url: format!("{base_url}/oauth2/token"),
            client_id: client_id.to_owned(),
            client_secret: state.clients.get(client_id).cloned().context("the client's secret is missing")?,
            client: province.subsystem("HCC", "mot-cua"),
            errands: vec![
                errand(&person, Kind::Person, 5),
                errand(&person, Kind::Verify, 4),
                errand(&enterprise, Kind::Enterprise, 3),
                errand(&enterprise, Kind::Search, 2),
                errand(&enterprise, Kind::Extract, 1),
            ],
            rate,
            daily_rhythm: false,
            people: self.people.clone(),
            enterprises: self.enterprises.clone(),
            seed: SEED,
            root: None,
        };
        let running = onestop::start(config, self.clock.clone())?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Ok(())
    }
}

async fn communes(
    platform: &Platform,
    province: &Province,
    clock: &MovableClock,
) -> anyhow::Result<Vec<Commune>> {
    let k = &platform.kernel;
    super::setup::import_units(k).await?;
    let today = clock.now().date();
    let own = k.orgs().by_code(province.code, today).await?.filter(|v| v.tree == Tree::Territory);
    let own = own.with_context(|| format!("province {} is not in the lists of units", province.code))?;
    let children = k.orgs().children(own.unit, today).await?;
    Ok(children.into_iter().map(|v| Commune::new(v.code.unwrap_or_default(), v.full_name)).collect())
}
