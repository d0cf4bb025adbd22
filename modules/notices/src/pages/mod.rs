//! The pages: messages, the rota, templates, one's own ways. Translation only.

mod duty;
mod messages;
mod own;
mod templates;

use std::sync::Arc;

use axum::extract::State;
use base::clock::Timestamp;
use base::i18n::Lang;
use kernel::identity::people;
use kernel::{Kernel, PersonId};
use web::ui::{Badge, Icon, Tone};
use web::{Access, Answers, Cx, Nav, Path, Query, Routes};

use crate::message::{MessageId, State as Stands};
use crate::office::Office;
use crate::permissions::{OPERATE, READ};
use crate::t;
use crate::way::WayId;

/// The list of messages.
const HOME: &str = "/notices";
/// The rota.
const DUTY: &str = "/notices/duty";
/// The words of messages.
const TEMPLATES: &str = "/notices/templates";
/// How one is reached.
const OWN: &str = "/notices/mine";

pub(crate) use messages::told;

pub(crate) fn routes(o: &Arc<Office>) -> Routes {
    let (reads, runs, own) = (Access::Needs(READ), Access::Needs(OPERATE), Access::SignedIn);
    let (o1, o2, o3, o4, o5, o6, o7) =
        (o.clone(), o.clone(), o.clone(), o.clone(), o.clone(), o.clone(), o.clone());
    let o8 = o.clone();
    Routes::new()
        .get(HOME, reads, move |k: State<Kernel>, cx: Cx, q: Query<messages::Asked>| {
            messages::list(o1.clone(), k, cx, q)
        })
        .post("/notices/retry-dead", runs, messages::retry_dead)
        .get("/notices/messages/{message}", reads, messages::one)
        .post("/notices/messages/{message}/retry", runs, messages::retry)
        .get(DUTY, reads, move |k: State<Kernel>, cx: Cx| duty::page(o2.clone(), k, cx))
        .post(DUTY, runs, move |k: State<Kernel>, cx: Cx, f: web::Form<crate::actions::duty::Typed>| {
            duty::add(o3.clone(), k, cx, f)
        })
        .post("/notices/duty/copy", runs, duty::copy)
        .post("/notices/duty/{shift}/remove", runs, duty::remove)
        .get(TEMPLATES, reads, templates::list)
        .get("/notices/templates/{template}", reads, templates::one)
        .post("/notices/templates/{template}", runs, templates::save)
        .post("/notices/templates/{template}/reset", runs, templates::reset)
        .get(OWN, own, move |k: State<Kernel>, cx: Cx| own::page(o4.clone(), k, cx))
        .post(OWN, own, move |k: State<Kernel>, cx: Cx, a: Answers| own::add(o5.clone(), k, cx, a))
        .post("/notices/mine/quiet", own, move |k: State<Kernel>, cx: Cx, a: Answers| {
            own::quiet(o6.clone(), k, cx, a)
        })
        .post("/notices/mine/{way}/code", own, move |k: State<Kernel>, cx: Cx, p: Path<WayId>| {
            own::code(o7.clone(), k, cx, p)
        })
        .post(
            "/notices/mine/{way}/confirm",
            own,
            move |k: State<Kernel>, cx: Cx, p: Path<WayId>, a: Answers| own::confirm(o8.clone(), k, cx, p, a),
        )
        .post("/notices/mine/{way}/remove", own, own::remove)
}

pub(crate) fn nav() -> Vec<Nav> {
    vec![
        Nav::new(HOME, Icon::Bell, t::nav_messages, Access::Needs(READ)).group(t::nav_group).order(2),
        Nav::new(DUTY, Icon::Calendar, t::nav_duty, Access::Needs(READ)).group(t::nav_group).order(3),
        Nav::new(OWN, Icon::Mail, t::nav_own, Access::SignedIn).group(t::nav_own_group).order(90),
    ]
}

/// The page of a message.
pub(crate) fn message_path(id: MessageId) -> String {
    format!("/notices/messages/{id}")
}

/// The word and colour of a state.
fn state(l: Lang, state: Stands) -> Badge {
    match state {
        Stands::Waiting => Badge::new(Tone::Info, t::state_waiting(l)),
        Stands::Sent => Badge::new(Tone::Good, t::state_sent(l)),
        Stands::Delivered => Badge::new(Tone::Good, t::state_delivered(l)),
        Stands::Refused => Badge::new(Tone::Bad, t::state_refused(l)),
        Stands::Dead => Badge::new(Tone::Bad, t::state_dead(l)),
        Stands::Withdrawn => Badge::new(Tone::Neutral, t::state_withdrawn(l)),
        Stands::Unreached => Badge::new(Tone::Warn, t::state_unreached(l)),
    }
}

/// Somebody's name; their identifier when the account is gone.
async fn name(k: &Kernel, person: PersonId) -> String {
    people::get(&k.db, person).await.map_or_else(|_| person.to_string(), |p| p.full_name)
}

/// The name of a template for people.
fn template_name(l: Lang, name: &str) -> &str {
    match name {
        "alert-opened" => t::template_alert_opened(l),
        "alert-unstable" => t::template_alert_unstable(l),
        "alert-cleared" => t::template_alert_cleared(l),
        "alert-digest" => t::template_alert_digest(l),
        "way-code" => t::template_way_code(l),
        "service-outage" => t::template_service_outage(l),
        "service-restored" => t::template_service_restored(l),
        "service-announced" => t::template_service_announced(l),
        "service-reminder" => t::template_service_reminder(l),
        "service-withdrawn" => t::template_service_withdrawn(l),
        "emergency" => t::template_emergency(l),
        "support-case" => t::template_support_case(l),
        "support-vendor" => t::template_support_vendor(l),
        "plain" => t::template_plain(l),
        other => other,
    }
}

/// `22/11/2026 08:00 – 16:00`; with the second date when it is another day.
fn period(begins: Timestamp, ends: Timestamp) -> String {
    let (from, until) = (begins.vn(), ends.vn());
    match until.split_once(' ') {
        Some((day, time)) if from.starts_with(day) => format!("{from} – {time}"),
        _ => format!("{from} – {until}"),
    }
}
