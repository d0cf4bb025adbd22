//! The console of the exchange: overview, catalogue, agreements with the provider's decisions, calls with
//! their evidence, and the public page of the logs. Translation only; rights are in the queries and actions.

mod agreements;
mod calls;
mod catalogue;
mod checks;
mod corner;
mod decisions;
mod exports;
mod logs;
mod outages;
mod overview;
mod parts;

use axum::extract::State;
use kernel::Kernel;
use web::ui::Icon;
use web::{Access, Cx, Nav, Path, Query, Routes};

use crate::permissions::{DECIDE, OPERATE, READ};
use crate::{Exchange, t};

/// The routes. Pages that need the state of this process get it with their handler.
pub(crate) fn routes(exchange: &Exchange) -> Routes {
    let reads = Access::Needs(READ);
    let decides = Access::Needs(DECIDE);
    let operates = Access::Needs(OPERATE);
    let e = || exchange.clone();
    let (e1, e2, e3, e4, e5, e6, e7, e8) = (e(), e(), e(), e(), e(), e(), e(), e());
    Routes::new()
        .get("/exchange", reads, move |k: State<Kernel>, cx: Cx| overview::page(e1.clone(), k, cx))
        .get("/exchange/members", reads, catalogue::members)
        .get("/exchange/members/export", reads, exports::members)
        .get("/exchange/members/{id}", reads, catalogue::member)
        .get("/exchange/subsystems", reads, catalogue::subsystems)
        .get("/exchange/subsystems/export", reads, exports::subsystems)
        .get("/exchange/subsystems/{id}", reads, catalogue::subsystem)
        .get("/exchange/subsystems/{id}/contacts", operates, outages::contact_page)
        .post("/exchange/subsystems/{id}/contacts", operates, outages::add_contact)
        .post("/exchange/subsystems/{id}/contacts/{contact}/remove", operates, outages::remove_contact)
        .get("/exchange/services", reads, catalogue::services)
        .get("/exchange/services/export", reads, exports::services)
        .get("/exchange/services/{id}", reads, catalogue::service)
        .get("/exchange/services/{id}/outage", operates, outages::page)
        .post("/exchange/services/{id}/outage", operates, outages::announce)
        .post("/exchange/services/{id}/outage/end", operates, outages::end)
        .get("/exchange/agreements", reads, agreements::list)
        .get("/exchange/agreements/export", reads, exports::agreements)
        .get("/exchange/agreements/{id}", reads, agreements::one)
        .get("/exchange/agreements/{id}/{step}", decides, decisions::ask)
        .post("/exchange/agreements/{id}/{step}", decides, decisions::take)
        .get("/exchange/checks", reads, checks::page)
        .get("/exchange/calls", reads, move |k: State<Kernel>, cx: Cx, q: Query<_>| {
            calls::list(e2.clone(), k, cx, q)
        })
        .get("/exchange/calls/export", reads, move |k: State<Kernel>, cx: Cx, q: Query<_>, file: Query<_>| {
            exports::calls(e8.clone(), k, cx, q, file)
        })
        .get("/exchange/calls/{request_id}", reads, move |k: State<Kernel>, cx: Cx, p: Path<_>| {
            calls::one(e3.clone(), k, cx, p)
        })
        .post("/exchange/calls/{request_id}/personal", reads, move |k: State<Kernel>, cx: Cx, p: Path<_>| {
            calls::personal(e4.clone(), k, cx, p)
        })
        .get("/exchange/calls/{request_id}/evidence", reads, move |k: State<Kernel>, cx: Cx, p: Path<_>| {
            calls::bundle(e5.clone(), k, cx, p)
        })
        .merge(corner::routes(exchange))
        .get("/evidence", Access::Public, move |cx: Cx| logs::page(e6.clone(), cx))
        .get("/evidence/{origin}/{*file}", Access::Public, move |p: Path<_>| logs::file(e7.clone(), p))
}

/// The entries in the bar.
pub(crate) fn nav() -> Vec<Nav> {
    let entry = |href, icon, label, order| {
        Nav::new(href, icon, label, Access::Needs(READ)).group(t::nav_exchange).order(order)
    };
    let mut all = vec![
        entry("/exchange", Icon::ArrowsExchange, t::nav_overview, 10),
        entry("/exchange/calls", Icon::Activity, t::nav_calls, 11),
        entry("/exchange/agreements", Icon::FileCertificate, t::nav_agreements, 12),
        entry("/exchange/services", Icon::Api, t::nav_services, 13),
        entry("/exchange/subsystems", Icon::Server, t::nav_subsystems, 14),
        entry("/exchange/members", Icon::BuildingBank, t::nav_members, 15),
        entry("/exchange/checks", Icon::PlugConnected, t::nav_checks, 16),
    ];
    all.extend(corner::nav());
    all
}
