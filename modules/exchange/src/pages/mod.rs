//! The console of the exchange: overview, catalogue, agreements with the provider's decisions, calls with
//! their evidence, and the public page of the logs. Translation only; rights are in the queries and actions.

mod agreements;
mod announcements;
mod calls;
mod catalogue;
mod checks;
mod connection;
mod connections;
mod corner;
mod decisions;
mod description;
mod exports;
mod logs;
mod national;
mod outages;
mod overview;
mod parts;
mod proposals;
mod report;
mod statement;
mod traffic;
mod zones;

use axum::extract::State;
use kernel::Kernel;
use web::ui::Icon;
use web::{Access, Cx, Nav, Path, Query, Routes};

use crate::connection::file::MAX_BYTES;
use crate::permissions::{ASK, DECIDE, EXAMINE, OPERATE, READ};
use crate::{Exchange, t};

/// The routes. Pages that need the state of this process get it with their handler.
pub(crate) fn routes(exchange: &Exchange) -> Routes {
    let reads = Access::Needs(READ);
    let decides = Access::Needs(DECIDE);
    let asks = Access::Needs(ASK);
    let operates = Access::Needs(OPERATE);
    let e = || exchange.clone();
    let (e1, e2, e3, e4, e5, e6, e7, e8) = (e(), e(), e(), e(), e(), e(), e(), e());
    let (e9, e10, e11, e12, e13) = (e(), e(), e(), e(), e());
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
        .get(
            "/exchange/services/{id}/connection",
            reads,
            move |k: State<Kernel>, cx: Cx, p: Path<_>, q: Query<_>| {
                connection::page(e9.clone(), k, cx, p, q)
            },
        )
        .post(
            "/exchange/services/{id}/connection",
            Access::Needs(EXAMINE),
            move |k: State<Kernel>, cx: Cx, p: Path<_>| connection::run(e10.clone(), k, cx, p),
        )
        .get("/exchange/services/{id}/outage", operates, outages::page)
        .post("/exchange/services/{id}/outage", operates, outages::announce)
        .post("/exchange/services/{id}/outage/end", operates, outages::end)
        .get("/exchange/services/{id}/announcements", decides, announcements::service)
        .post("/exchange/services/{id}/announcements", decides, announcements::announce)
        .get("/exchange/proposals", reads, proposals::list)
        .get("/exchange/proposals/new", decides, proposals::new)
        .post("/exchange/proposals/new", decides, proposals::read)
        .limit(5 << 20)
        .post("/exchange/proposals/new/send", decides, proposals::send)
        .limit(16 << 20)
        .get("/exchange/proposals/{id}", reads, proposals::one)
        .post("/exchange/proposals/{id}/approve", operates, proposals::approve)
        .post("/exchange/proposals/{id}/refuse", operates, proposals::refuse)
        .post("/exchange/proposals/{id}/withdraw", decides, proposals::withdraw)
        .get("/exchange/announcements", reads, announcements::list)
        .get("/exchange/announcements/{id}", Access::SignedIn, announcements::one)
        .post("/exchange/announcements/{id}/acknowledge", Access::SignedIn, announcements::acknowledged)
        .post("/exchange/announcements/{id}/confirm", decides, announcements::confirm)
        .post("/exchange/announcements/{id}/withdraw", decides, announcements::withdraw)
        .get("/exchange/agreements", reads, agreements::list)
        .get("/exchange/agreements/export", reads, exports::agreements)
        .get("/exchange/agreements/{id}", reads, agreements::one)
        .get("/exchange/agreements/{id}/{step}", decides, decisions::ask)
        .post("/exchange/agreements/{id}/{step}", decides, decisions::take)
        .get("/exchange/connections", reads, connections::list)
        .get("/exchange/connections/new", asks, connections::new)
        .post("/exchange/connections/new", asks, connections::begin)
        .get("/exchange/connections/{id}", reads, connections::one)
        .post("/exchange/connections/{id}", asks, connections::write)
        .post("/exchange/connections/{id}/attach", asks, connections::attach)
        .limit(MAX_BYTES + 64 * 1024)
        .post("/exchange/connections/{id}/detach", asks, connections::detach)
        .post("/exchange/connections/{id}/submit", asks, connections::submit)
        .post("/exchange/connections/{id}/withdraw", asks, connections::withdraw)
        .post("/exchange/connections/{id}/test", asks, connections::test)
        .get("/exchange/connections/{id}/files/{file}", reads, connections::file)
        .get("/exchange/checks", reads, checks::page)
        .get("/exchange/national", reads, move |k: State<Kernel>, cx: Cx, q: Query<_>| {
            national::page(e11.clone(), k, cx, q)
        })
        .get(
            "/exchange/national/export",
            reads,
            move |k: State<Kernel>, cx: Cx, q: Query<_>, file: Query<_>| {
                national::export(e12.clone(), k, cx, q, file)
            },
        )
        .get("/exchange/national/{code}", reads, move |k: State<Kernel>, cx: Cx, p: Path<_>| {
            national::one(e13.clone(), k, cx, p)
        })
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
        .merge(traffic_routes(exchange))
        .merge(report_routes())
        .get("/exchange/services/{id}/zones", Access::Needs(DECIDE), zones::service)
        .post("/exchange/services/{id}/zones", Access::Needs(DECIDE), zones::service_changed)
        .get("/exchange/agreements/{id}/zones", Access::Needs(DECIDE), zones::agreement)
        .post("/exchange/agreements/{id}/zones", Access::Needs(DECIDE), zones::agreement_changed)
        .get("/exchange/services/{id}/description", Access::SignedIn, description::form)
        .post("/exchange/services/{id}/description", Access::SignedIn, description::check)
        .limit(5 << 20)
        .post("/exchange/services/{id}/description/fetch", Access::SignedIn, description::fetch)
        .post("/exchange/services/{id}/description/apply", Access::SignedIn, description::apply)
        .limit(16 << 20)
        .get("/evidence", Access::Public, move |cx: Cx| logs::page(e6.clone(), cx))
        .get("/evidence/{origin}/{*file}", Access::Public, move |p: Path<_>| logs::file(e7.clone(), p))
}

fn report_routes() -> Routes {
    let reads = Access::Needs(READ);
    Routes::new()
        .get("/exchange/reports", reads, report::list)
        .get("/exchange/reports/{month}", reads, report::one)
        .get("/exchange/reports/{month}/export", reads, report::export)
        .post("/exchange/reports/{month}/close", Access::Needs(OPERATE), report::close)
        .get("/exchange/agreements/{id}/statement", reads, statement::page)
        .get("/exchange/agreements/{id}/statement/export", reads, statement::export)
}

fn traffic_routes(exchange: &Exchange) -> Routes {
    let reads = Access::Needs(READ);
    let e = || exchange.clone();
    let (e1, e2, e3, e4) = (e(), e(), e(), e());
    Routes::new()
        .get("/exchange/traffic", reads, move |k: State<Kernel>, cx: Cx, q: Query<_>| {
            traffic::all(e1.clone(), k, cx, q)
        })
        .get(
            "/exchange/services/{id}/traffic",
            reads,
            move |k: State<Kernel>, cx: Cx, p: Path<_>, q: Query<_>| {
                traffic::service(e2.clone(), k, cx, p, q)
            },
        )
        .get(
            "/exchange/subsystems/{id}/traffic",
            reads,
            move |k: State<Kernel>, cx: Cx, p: Path<_>, q: Query<_>, role: Query<_>| {
                traffic::subsystem(e3.clone(), k, cx, p, q, role)
            },
        )
        .get(
            "/exchange/agreements/{id}/traffic",
            reads,
            move |k: State<Kernel>, cx: Cx, p: Path<_>, q: Query<_>| {
                traffic::agreement(e4.clone(), k, cx, p, q)
            },
        )
}

/// The entries in the bar.
pub(crate) fn nav() -> Vec<Nav> {
    let entry = |href, icon, label, order| {
        Nav::new(href, icon, label, Access::Needs(READ)).group(t::nav_exchange).order(order)
    };
    let mut all = vec![
        entry("/exchange", Icon::ArrowsExchange, t::nav_overview, 10),
        entry("/exchange/calls", Icon::Activity, t::nav_calls, 11),
        entry("/exchange/traffic", Icon::ChartLine, t::nav_traffic, 12),
        entry("/exchange/connections", Icon::Link, t::nav_connections, 12),
        entry("/exchange/agreements", Icon::FileCertificate, t::nav_agreements, 13),
        entry("/exchange/services", Icon::Api, t::nav_services, 14),
        entry("/exchange/proposals", Icon::Upload, t::nav_proposals, 14),
        entry("/exchange/announcements", Icon::Bell, t::nav_announcements, 14),
        entry("/exchange/subsystems", Icon::Server, t::nav_subsystems, 15),
        entry("/exchange/members", Icon::BuildingBank, t::nav_members, 16),
        entry("/exchange/reports", Icon::FileText, t::nav_reports, 18),
        entry("/exchange/checks", Icon::PlugConnected, t::nav_checks, 17),
        entry("/exchange/national", Icon::World, t::nav_national, 19),
    ];
    all.extend(corner::nav());
    all
}
