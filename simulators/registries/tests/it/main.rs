//! The registries and the one-stop client over real connections.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

mod faults;
mod onestop;
mod services;

use std::net::SocketAddr;
use std::sync::Arc;

use registries::{Latency, Population, Register, Running, business, population};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

async fn population_registry() -> (Running, Arc<Population>) {
    let people = Arc::new(Population::invent(1, 50, &[]));
    (population::start(ANY, people.clone(), Latency::none(), 1).await.unwrap(), people)
}

async fn business_registry() -> (Running, Arc<Register>) {
    let register = Arc::new(Register::invent(1, 200, &[]));
    (business::start(ANY, register.clone(), Latency::none(), 1).await.unwrap(), register)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
