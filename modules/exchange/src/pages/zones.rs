//! From which zones a service or an agreement may be called, and the page on which its provider changes that.

use std::collections::BTreeSet;

use axum::extract::State;
use base::i18n::{Lang, Text};
use kernel::entrance::{Server, Zone};
use kernel::{Error, Kernel, Ref, Result};
use serde::Deserialize;
use web::ui::{Action, Cell, Confirm, Facts, Head, Icon};
use web::{Cx, Form, Page, Path, Redirect};

use crate::actions;
use crate::ids::{AgreementId, ServiceId};
use crate::listen::LISTENER;
use crate::t;

/// The zones in which this installation takes calls.
pub(super) fn of_calls(k: &Kernel) -> BTreeSet<Zone> {
    k.config.section::<Server>("server").unwrap_or_default().zones_of_calls()
}

/// The zones from which something may be called.
pub(in crate::pages) fn cell(l: Lang, k: &Kernel, dedicated_only: bool) -> Cell {
    let mut zones = of_calls(k);
    if dedicated_only {
        zones.remove(&Zone::Internet);
    }
    let names: Vec<&str> = zones.iter().map(|zone| zone.label(l)).collect();
    match (names.is_empty(), dedicated_only) {
        (true, _) => Cell::text(t::zones_nowhere(l)),
        (false, true) => Cell::with_sub(names.join(", "), t::zones_kept(l)),
        (false, false) => Cell::text(names.join(", ")),
    }
}

/// The way to the page below, where there is something to choose.
pub(super) fn action(l: Lang, k: &Kernel, at: &str, dedicated_only: bool) -> Option<Action> {
    let several = of_calls(k).contains(&Zone::Internet);
    (several || dedicated_only)
        .then(|| Action::link(t::zones_change(l), format!("{at}/zones")).icon(Icon::World))
}

fn place(of: &Ref) -> (String, fn(Lang) -> &'static str, &'static str) {
    if of.kind == ServiceId::KIND {
        (format!("/exchange/services/{}", of.id), t::services_title, "/exchange/services")
    } else {
        (format!("/exchange/agreements/{}", of.id), t::agreements_title, "/exchange/agreements")
    }
}

async fn ask(k: &Kernel, cx: &Cx, of: &Ref) -> Result<Page> {
    let l = cx.lang;
    let standing = actions::zones(k, cx, of).await?;
    standing.may_change(cx)?;
    let (at, list, list_at) = place(of);
    let (label, text) = match standing.dedicated_only {
        true => (t::zones_open(l), t::zones_open_text(l)),
        false => (t::zones_keep(l), t::zones_keep_text(l)),
    };
    let facts = Facts::new().row(t::fact_zones(l), cell(l, k, standing.dedicated_only));
    let confirm = Confirm::post(cx, format!("{at}/zones"), text, label)
        .hidden("dedicated_only", !standing.dedicated_only)
        .cancel(&at);
    let frame = cx.frame(t::zones_change(l)).crumb(list(l), list_at).crumb(&standing.name, &at);
    let head = Head::new(l, t::zones_change(l)).sub(&standing.name);
    Ok(web::page(&frame, web::body![head, facts, confirm]))
}

#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    dedicated_only: Option<bool>,
}

async fn change(k: &Kernel, cx: &Cx, of: &Ref, wish: &Wish) -> Result<Redirect> {
    // Rights first: what a form lacks is told only to who may send it.
    actions::zones(k, cx, of).await?.may_change(cx)?;
    let only =
        wish.dedicated_only.ok_or_else(|| Error::field("dedicated_only", Text::both(t::zones_choose)))?;
    let committed = actions::keep_to_dedicated(k, cx, of, only).await?;
    k.wait_for(LISTENER, &committed).await;
    let said = if only { t::zones_now_kept(cx.lang) } else { t::zones_now_open(cx.lang) };
    Ok(Redirect::to(place(of).0).saying(said))
}

pub(super) async fn service(State(k): State<Kernel>, cx: Cx, Path(id): Path<ServiceId>) -> web::Result<Page> {
    Ok(ask(&k, &cx, &id.to_ref()).await?)
}

pub(super) async fn service_changed(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    Form(wish): Form<Wish>,
) -> web::Result<Redirect> {
    Ok(change(&k, &cx, &id.to_ref(), &wish).await?)
}

pub(super) async fn agreement(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
) -> web::Result<Page> {
    Ok(ask(&k, &cx, &id.to_ref()).await?)
}

pub(super) async fn agreement_changed(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    Form(wish): Form<Wish>,
) -> web::Result<Redirect> {
    Ok(change(&k, &cx, &id.to_ref(), &wish).await?)
}
