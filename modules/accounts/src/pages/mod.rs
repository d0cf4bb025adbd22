//! The pages: signing in, one's own account, and the administration of officials and system clients.

mod account;
mod clients;
mod dates;
mod emergency;
mod exports;
mod login;
mod official;
mod official_acts;
mod officials;
pub(crate) mod request;
mod welcome;

use kernel::entrance::FrontDoor;
use kernel::identity::clients::ClientId;
use kernel::{EmergencyId, PersonId};
use web::Access;
use web::ui::Icon;

use crate::mount::Mount;
use crate::{Accounts, permissions as may, t};

pub(crate) fn routes(a: &Accounts) -> web::Routes {
    let (read, manage) = (Access::Needs(may::OFFICIAL_READ), Access::Needs(may::OFFICIAL_MANAGE));
    let (see, issue) = (Access::Needs(may::CLIENT_READ), Access::Needs(may::CLIENT_MANAGE));
    let (know, ask) = (Access::Needs(may::EMERGENCY_READ), Access::Needs(may::EMERGENCY_ASK));
    let grant = Access::Needs(may::EMERGENCY_GRANT);
    let review = Access::Needs(may::EMERGENCY_REVIEW);
    Mount::new(a)
        .get("/login", Access::Public, login::form)
        .door(FrontDoor::Console)
        .post("/login", Access::Public, login::sign_in)
        .door(FrontDoor::Console)
        .post("/logout", Access::Public, login::sign_out)
        .door(FrontDoor::Console)
        .get("/welcome/{secret}", Access::Public, welcome::form)
        .door(FrontDoor::Console)
        .post("/welcome/{secret}", Access::Public, welcome::submit)
        .door(FrontDoor::Console)
        .get("/account", Access::SignedIn, account::page)
        .get("/account/choose", Access::SignedIn, account::choose)
        .post("/account/appointment", Access::SignedIn, account::chosen)
        .get("/account/password", Access::SignedIn, account::password)
        .post("/account/password", Access::SignedIn, account::change_password)
        .post("/account/sessions/{session}/end", Access::SignedIn, account::end_session)
        .get("/accounts/officials", read, officials::list)
        .get("/accounts/officials/export", read, exports::officials)
        .get("/accounts/officials/new", manage, officials::new)
        .post("/accounts/officials", manage, officials::create)
        .get("/accounts/officials/{person}", read, official::page)
        .get("/accounts/officials/{person}/appoint", manage, officials::appoint_form)
        .post("/accounts/officials/{person}/appoint", manage, officials::appoint)
        .get("/accounts/officials/{person}/rename", manage, official_acts::rename_form)
        .post("/accounts/officials/{person}/rename", manage, official_acts::rename)
        .get("/accounts/officials/{person}/lock", manage, official_acts::lock_form)
        .post("/accounts/officials/{person}/lock", manage, official_acts::lock)
        .post("/accounts/officials/{person}/unlock", manage, official_acts::unlock)
        .get("/accounts/officials/{person}/password-link", manage, official_acts::link_form)
        .post("/accounts/officials/{person}/password-link", manage, official_acts::link)
        .get("/accounts/appointments/{appointment}/end", manage, official_acts::end_form)
        .post("/accounts/appointments/{appointment}/end", manage, official_acts::end)
        .get("/accounts/emergencies", know, emergency::list)
        .get("/accounts/emergencies/new", ask, emergency::new)
        .post("/accounts/emergencies", ask, emergency::ask)
        .get("/accounts/emergencies/{emergency}", know, emergency::page)
        .post("/accounts/emergencies/{emergency}/grant", grant, emergency::grant)
        .post("/accounts/emergencies/{emergency}/refuse", grant, emergency::refuse)
        .post("/accounts/emergencies/{emergency}/withdraw", ask, emergency::withdraw)
        .post("/accounts/emergencies/{emergency}/end", know, emergency::end)
        .post("/accounts/emergencies/{emergency}/review", review, emergency::review)
        .get("/accounts/clients", see, clients::list)
        .get("/accounts/clients/export", see, exports::clients)
        .get("/accounts/clients/new", issue, clients::new)
        .post("/accounts/clients", issue, clients::create)
        .get("/accounts/clients/{client}", see, clients::page)
        .get("/accounts/clients/{client}/rotate", issue, clients::rotate_form)
        .post("/accounts/clients/{client}/rotate", issue, clients::rotate)
        .get("/accounts/clients/{client}/revoke", issue, clients::revoke_form)
        .post("/accounts/clients/{client}/revoke", issue, clients::revoke)
        .done()
}

pub(crate) fn nav() -> Vec<web::Nav> {
    vec![
        web::Nav::new(
            "/accounts/officials",
            Icon::Users,
            t::nav_officials,
            Access::Needs(may::OFFICIAL_READ),
        )
        .group(t::nav_group)
        .order(80),
        web::Nav::new("/accounts/clients", Icon::Key, t::nav_clients, Access::Needs(may::CLIENT_READ))
            .group(t::nav_group)
            .order(81),
        web::Nav::new(EMERGENCIES, Icon::Lock, t::nav_emergencies, Access::Needs(may::EMERGENCY_READ))
            .group(t::nav_group)
            .order(82),
    ]
}

/// The list of emergency rights.
const EMERGENCIES: &str = "/accounts/emergencies";

/// The page of an emergency right.
pub(crate) fn emergency_path(id: EmergencyId) -> String {
    format!("{EMERGENCIES}/{id}")
}

/// The page of an official.
pub(crate) fn official_path(id: PersonId) -> String {
    format!("/accounts/officials/{id}")
}

/// The page of a client.
pub(crate) fn client_path(id: ClientId) -> String {
    format!("/accounts/clients/{id}")
}
