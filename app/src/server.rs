//! Listens, serves gateway and pages at each address under its policy, and ends in order: no new connections, calls in progress end,
//! their evidence is durable, background work stops, the database closes.

use std::net::SocketAddr;

use anyhow::Context;
use exchange::gateway::{self, Door};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::assemble::Platform;
use crate::{control, notify, tls};

/// Serves until SIGTERM or SIGINT. `ready` is called once connections are accepted.
pub async fn run<F>(platform: Platform, ready: F) -> anyhow::Result<()>
where
    F: AsyncFnOnce(SocketAddr) -> anyhow::Result<()>,
{
    let roots = tls::authorities(&platform.kernel).await?;
    let mut listeners = Vec::new();
    for one in platform.settings.listeners()? {
        let listener = TcpListener::bind(one.address)
            .await
            .with_context(|| format!("{} cannot be listened on", one.address))?;
        let tls = one
            .tls
            .as_ref()
            .map(|files| tls::config(files, one.entrance.client_certificate, &roots))
            .transpose()?;
        listeners.push((listener, tls, one.entrance));
    }
    let address = listeners.first().context("there is no listener")?.0.local_addr()?;
    let plane = platform.exchange.plane().context("the exchange has no data plane")?;
    let gateway = plane.gateway.clone();
    let pages = platform.router()?;
    let control = tokio::spawn(control::serve(platform.clone()));
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut serving = JoinSet::new();
    for (listener, tls, entrance) in listeners {
        let (at, name, zone) = (listener.local_addr()?, &entrance.name, entrance.zone.as_str());
        tracing::info!(address = %at, name, zone, tls = tls.is_some(), "listening");
        let door = Door { gateway: gateway.clone(), pages: Some(pages.clone()), tls, entrance };
        serving.spawn(gateway::serve(listener, door, stopping.clone()));
    }
    drop(stopping);
    let outcome = ready(address).await;
    if outcome.is_ok() {
        asked_to_stop().await?;
        tracing::info!("stopping");
        notify::say("STOPPING=1");
    }
    let _ = stop.send(true);
    while let Some(ended) = serving.join_next().await {
        ended??;
    }
    platform.close().await;
    control.await??;
    outcome
}

/// Serves the pages of a restored copy until SIGTERM or SIGINT: no gateway, no control socket.
pub async fn run_copy<F>(platform: Platform, listen: SocketAddr, ready: F) -> anyhow::Result<()>
where
    F: FnOnce(SocketAddr),
{
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be listened on"))?;
    let (address, router) = (listener.local_addr()?, platform.router()?);
    ready(address);
    let stopped = async {
        if let Err(e) = asked_to_stop().await {
            tracing::error!(error = %e, "signals cannot be heard");
        }
    };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await?;
    platform.kernel.close().await;
    Ok(())
}

async fn asked_to_stop() -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    Ok(())
}
