//! The pages: looking up by code or name and day, one unit, and where the data come from.

mod agencies;
mod browse;
mod data;
mod exports;
mod history;
mod provinces;
mod results;
mod search;
mod unit;
mod view;

use kernel::clock::Date;
use kernel::orgs::{Tree, UnitId, Version};
use web::Access;
use web::ui::Icon;

use crate::t;

/// Territories are public law: everybody may read them. Agencies are for people who are signed in.
pub(crate) fn routes() -> web::Routes {
    web::Routes::new()
        .get("/units", Access::Public, browse::page)
        .get("/units/data", Access::Public, data::page)
        .get("/units/export", Access::Public, exports::units)
        .get("/units/{unit}", Access::Public, unit::page)
        .get("/units/{unit}/export", Access::Public, exports::below)
        .get("/agencies", Access::SignedIn, agencies::list)
        .get("/agencies/export", Access::SignedIn, exports::agencies)
        .get("/agencies/{unit}", Access::SignedIn, agencies::page)
        .get("/agencies/{unit}/export", Access::SignedIn, exports::agencies_below)
}

pub(crate) fn nav() -> Vec<web::Nav> {
    let entry = |href, icon, label, access, order| {
        web::Nav::new(href, icon, label, access).group(t::nav_group).order(order)
    };
    vec![
        entry("/units", Icon::MapPin, t::nav_units, Access::Public, 60),
        entry("/agencies", Icon::Sitemap, t::nav_agencies, Access::SignedIn, 61),
    ]
}

/// The page of a unit as on a day.
pub(crate) fn unit_path(unit: UnitId, on: Date) -> String {
    format!("/units/{unit}?on={on}")
}

/// The page of a unit of either tree as on a day.
pub(crate) fn path(version: &Version, on: Date) -> String {
    match version.tree {
        Tree::Territory => unit_path(version.unit, on),
        Tree::Agency => format!("/agencies/{}?on={on}", version.unit),
    }
}
