//! The pages: the backups with what happened lately, and the record of a drill. Translation only.

mod drill;
mod home;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::{Kernel, Scope};
use web::ui::Icon;
use web::{Access, Cx, Nav, Path, Redirect, Routes};

use crate::permissions::{READ, RUN, may_read};
use crate::{Backups, RunId, t};

pub(crate) const HOME: &str = "/backups";

pub(crate) fn routes(backups: &Backups) -> Routes {
    let (reads, runs) = (Access::Needs(READ), Access::Needs(RUN));
    let (b1, b2, b3) = (backups.clone(), backups.clone(), backups.clone());
    Routes::new()
        .get(HOME, reads, move |k: State<Kernel>, cx: Cx| home::page(b1.clone(), k, cx))
        .post("/backups/run", runs, move |k: State<Kernel>, cx: Cx| run(b2.clone(), k, cx))
        .post("/backups/drill", runs, move |k: State<Kernel>, cx: Cx| drill(b3.clone(), k, cx))
        .get("/backups/drills/{run}", reads, |k: State<Kernel>, cx: Cx, id: Path<RunId>| {
            drill::page(k, cx, id)
        })
}

pub(crate) fn nav() -> Vec<Nav> {
    vec![Nav::new(HOME, Icon::Archive, t::nav_backups, Access::Needs(READ)).group(t::nav_group).order(5)]
}

/// The page of a drill.
pub(crate) fn drill_path(id: RunId) -> String {
    format!("/backups/drills/{id}")
}

/// Begins a backup; it goes on without the request.
async fn run(backups: Backups, State(k): State<Kernel>, cx: Cx) -> web::Result<Response> {
    may_run(&cx)?;
    let who = name(&cx);
    let of = (*cx).clone();
    tokio::spawn(async move {
        if let Err(e) = backups.back_up(&k, &of, &who).await {
            tracing::error!(error = e.chain(), "a backup asked for failed");
        }
    });
    Ok(Redirect::to(HOME).saying(t::run_begun(cx.lang)).into_response())
}

/// Begins a drill; it goes on without the request.
async fn drill(backups: Backups, State(k): State<Kernel>, cx: Cx) -> web::Result<Response> {
    may_run(&cx)?;
    let who = name(&cx);
    let of = (*cx).clone();
    tokio::spawn(async move {
        if let Err(e) = backups.drill(&k, &of, &who).await {
            tracing::error!(error = e.chain(), "a drill asked for failed");
        }
    });
    Ok(Redirect::to(HOME).saying(t::drill_begun(cx.lang)).into_response())
}

fn may_run(cx: &Cx) -> kernel::Result<()> {
    may_read(cx)?;
    cx.may(RUN, &Scope::province())
}

fn name(cx: &Cx) -> String {
    cx.account().map_or_else(|| cx.actor.to_string(), |account| account.name.clone())
}
