//! The pages: the morning page, one alert, one check. Translation only.

mod alert;
mod morning;

use axum::extract::State;
use kernel::Kernel;
use kernel::alerts::{AlertId, Severity};
use web::ui::{Badge, Icon, Tone};
use web::{Access, Answers, Cx, Nav, Path, Routes};

use crate::check::State as Stands;
use crate::permissions::{ACKNOWLEDGE, READ};
use crate::{Upkeep, t};

/// The morning page.
pub(crate) const HOME: &str = "/upkeep";

pub(crate) fn routes(upkeep: &Upkeep) -> Routes {
    let reads = Access::Needs(READ);
    let (u1, u2, u3, u4) = (upkeep.clone(), upkeep.clone(), upkeep.clone(), upkeep.clone());
    Routes::new()
        .get(HOME, reads, move |k: State<Kernel>, cx: Cx| morning::page(u1.clone(), k, cx))
        .get("/upkeep/checks/{check}", reads, move |k: State<Kernel>, cx: Cx, p: Path<String>| {
            morning::check(u2.clone(), k, cx, p)
        })
        .get("/upkeep/alerts/{alert}", reads, move |k: State<Kernel>, cx: Cx, p: Path<AlertId>| {
            alert::page(u3.clone(), k, cx, p)
        })
        .post(
            "/upkeep/alerts/{alert}/acknowledge",
            Access::Needs(ACKNOWLEDGE),
            move |k: State<Kernel>, cx: Cx, p: Path<AlertId>, a: Answers| {
                alert::acknowledge(u4.clone(), k, cx, p, a)
            },
        )
}

/// The first entry of the bar for who runs the platform.
pub(crate) fn nav() -> Vec<Nav> {
    vec![
        Nav::new(HOME, Icon::ClipboardCheck, t::nav_morning, Access::Needs(READ))
            .group(t::nav_group)
            .order(1),
    ]
}

/// The page of an alert.
pub(crate) fn alert_path(id: AlertId) -> String {
    format!("/upkeep/alerts/{id}")
}

fn severity(cx: &Cx, severity: Severity) -> Badge {
    match severity {
        Severity::Critical => Badge::new(Tone::Bad, t::severity_critical(cx.lang)),
        Severity::Warning => Badge::new(Tone::Warn, t::severity_warning(cx.lang)),
    }
}

fn state(cx: &Cx, state: Stands) -> Badge {
    match state {
        Stands::Good => Badge::new(Tone::Good, t::state_good(cx.lang)),
        Stands::Warning => Badge::new(Tone::Warn, t::state_warning(cx.lang)),
        Stands::Bad => Badge::new(Tone::Bad, t::state_bad(cx.lang)),
    }
}
