//! The integrator's corner: own systems, credentials, calls with their reasons, the catalogue with try-out. Translation
//! only; which systems are one's own is decided in `corner::reach`.

mod calls;
mod catalogue;
mod certificates;
mod conformance;
mod credentials;
mod home;
mod system;
mod tryout;

use axum::extract::Extension;
use axum::handler::Handler;
use base::i18n::Lang;
use web::ui::{Head, Icon, Tabs};
use web::{Access, Cx, Frame, Nav, Routes};

use crate::corner::reach::Own;
use crate::permissions::INTEGRATE;
use crate::{Exchange, t};

/// The routes.
pub(super) fn routes(exchange: &Exchange) -> Routes {
    let may = Access::Needs(INTEGRATE);
    let with = || Extension(exchange.clone());
    Routes::new()
        .get("/exchange/corner", may, home::page.layer(with()))
        .get("/exchange/corner/catalogue", may, catalogue::list)
        .get("/exchange/corner/catalogue/{service}", may, catalogue::one.layer(with()))
        .get("/exchange/corner/systems/{id}", may, system::page.layer(with()))
        .get("/exchange/corner/systems/{id}/calls", may, calls::list.layer(with()))
        .get("/exchange/corner/systems/{id}/calls/{request_id}", may, calls::one.layer(with()))
        .get("/exchange/corner/systems/{id}/calls/{request_id}/evidence", may, calls::evidence.layer(with()))
        .get("/exchange/corner/systems/{id}/try/{service}", may, tryout::form.layer(with()))
        .post("/exchange/corner/systems/{id}/try/{service}", may, tryout::call.layer(with()))
        .get("/exchange/corner/systems/{id}/credentials", may, credentials::list)
        .post("/exchange/corner/systems/{id}/credentials", may, credentials::create.layer(with()))
        .get("/exchange/corner/systems/{id}/credentials/new", may, credentials::new)
        .get("/exchange/corner/systems/{id}/credentials/{client}/{act}", may, credentials::ask)
        .post("/exchange/corner/systems/{id}/credentials/{client}/{act}", may, credentials::act.layer(with()))
        .get("/exchange/corner/systems/{id}/certificates", may, certificates::list)
        .post("/exchange/corner/systems/{id}/certificates", may, certificates::issue)
        .limit(64 << 10)
        .get("/exchange/corner/systems/{id}/certificates/new", may, certificates::new)
        .get("/exchange/corner/systems/{id}/certificates/{certificate}", may, certificates::one.layer(with()))
        .get("/exchange/corner/systems/{id}/certificates/{certificate}/download", may, certificates::download)
        .get("/exchange/corner/systems/{id}/certificates/{certificate}/revoke", may, certificates::ask)
        .post(
            "/exchange/corner/systems/{id}/certificates/{certificate}/revoke",
            may,
            certificates::revoke.layer(with()),
        )
        .get("/exchange/corner/systems/{id}/certificates/require/{client}", may, certificates::ask_require)
        .post("/exchange/corner/systems/{id}/certificates/require/{client}", may, certificates::require)
        .get("/exchange/corner/systems/{id}/conformance", may, conformance::list.layer(with()))
        .post("/exchange/corner/systems/{id}/conformance", may, conformance::run.layer(with()))
        .get("/exchange/corner/systems/{id}/conformance/{run}", may, conformance::one.layer(with()))
}

/// The entries in the bar.
pub(super) fn nav() -> [Nav; 2] {
    let entry = |href, icon, label, order| {
        Nav::new(href, icon, label, Access::Needs(INTEGRATE)).group(t::nav_corner).order(order)
    };
    [
        entry("/exchange/corner", Icon::Tool, t::nav_corner_home, 30),
        entry("/exchange/corner/catalogue", Icon::Book, t::nav_corner_catalogue, 31),
    ]
}

fn home_path(own: &Own) -> String {
    format!("/exchange/corner/systems/{}", own.id)
}

/// Where a page of a system is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Calls,
    Credentials,
    Certificates,
    Conformance,
}

/// The head of a system's pages with their tabs.
fn head(l: Lang, own: &Own, tab: Tab) -> web::ui::Html {
    let here = home_path(own);
    let tabs = Tabs::new(l)
        .tab(t::corner_tab_overview(l), &here, None, tab == Tab::Overview)
        .tab(t::corner_tab_calls(l), format!("{here}/calls"), None, tab == Tab::Calls)
        .tab(t::corner_tab_credentials(l), format!("{here}/credentials"), None, tab == Tab::Credentials)
        .tab(t::corner_tab_certificates(l), format!("{here}/certificates"), None, tab == Tab::Certificates)
        .tab(t::corner_tab_conformance(l), format!("{here}/conformance"), None, tab == Tab::Conformance);
    web::body![Head::new(l, &own.name).code(&own.path).sub(&own.member), tabs]
}

fn frame(cx: &Cx, own: &Own, title: &str) -> Frame {
    let frame = cx.frame(title).crumb(t::nav_corner(cx.lang), "/exchange/corner");
    if title == own.name { frame } else { frame.crumb(&own.name, home_path(own)) }
}
