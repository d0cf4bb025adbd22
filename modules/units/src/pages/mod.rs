//! The pages: looking up by code or name and day, one unit, and where the data come from.

mod browse;
mod data;
mod history;
mod provinces;
mod results;
mod search;
mod unit;
mod view;

use kernel::clock::Date;
use kernel::orgs::UnitId;
use web::Access;
use web::ui::Icon;

use crate::t;

/// Units are public law: everybody may read them.
pub(crate) fn routes() -> web::Routes {
    web::Routes::new()
        .get("/units", Access::Public, browse::page)
        .get("/units/data", Access::Public, data::page)
        .get("/units/{unit}", Access::Public, unit::page)
}

pub(crate) fn nav() -> Vec<web::Nav> {
    vec![web::Nav::new("/units", Icon::MapPin, t::nav_units, Access::Public).group(t::nav_group).order(60)]
}

/// The page of a unit as on a day.
pub(crate) fn unit_path(unit: UnitId, on: Date) -> String {
    format!("/units/{unit}?on={on}")
}
