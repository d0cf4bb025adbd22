//! The pages: reporting, one's own reports, the desk of who answers. Translation only.

mod desk;
mod own;
mod report;

use axum::extract::State;
use base::i18n::Lang;
use kernel::identity::people;
use kernel::orgs::UnitId;
use kernel::{Kernel, PersonId};
use web::ui::{Badge, Entry, Icon, Timeline, Tone};
use web::{Access, Answers, Cx, Nav, Routes};

use crate::case::{Case, CaseId, Level, ReportId, State as Stands, Step};
use crate::permissions::{HANDLE, READ};
use crate::{Support, t};

pub(crate) use report::Came;

/// Where "report an error" leads.
pub const REPORT: &str = "/support/report";
/// The list of who answers.
const DESK: &str = "/support";
/// One's own reports.
const OWN: &str = "/support/mine";

pub(crate) fn routes(support: &Support) -> Routes {
    let (reads, handles, own) = (Access::Needs(READ), Access::Needs(HANDLE), Access::SignedIn);
    let s = support.clone();
    Routes::new()
        // Wherever a page is shown, it can be reported.
        .get(REPORT, Access::Public, report::form)
        .door(None)
        .post(REPORT, Access::Public, move |k: State<Kernel>, cx: Cx, came: report::Came, a: Answers| {
            report::send(s.clone(), k, cx, came, a)
        })
        .door(None)
        .get(OWN, own, own::list)
        .get("/support/mine/{report}", own, own::one)
        .post("/support/mine/{report}/file", own, own::attach)
        .limit(crate::actions::MAX_FILE + 64 * 1024)
        .get("/support/files/{report}", own, own::file)
        .get("/support/followed/{case}", own, desk::followed)
        .get(DESK, reads, desk::list)
        .get("/support/cases/{case}", reads, desk::one)
        .post("/support/cases/{case}/{act}", handles, desk::act)
}

pub(crate) fn nav() -> Vec<Nav> {
    vec![
        Nav::new(DESK, Icon::Flag, t::nav_desk, Access::Needs(READ)).group(t::nav_group).order(4),
        Nav::new(OWN, Icon::MessageCircle, t::nav_own, Access::SignedIn).group(t::nav_own_group).order(91),
    ]
}

/// The page of a case for who answers.
pub(crate) fn case_path(id: CaseId) -> String {
    format!("/support/cases/{id}")
}

/// A page that leads everybody to what they may see of a case: messages name it.
pub(crate) fn followed(id: CaseId) -> String {
    format!("/support/followed/{id}")
}

/// The page of one's own report.
fn own_path(id: ReportId) -> String {
    format!("{OWN}/{id}")
}

fn state(l: Lang, c: &Case) -> Badge {
    match c.state {
        Stands::Waiting => Badge::new(Tone::Warn, t::state_waiting(l)),
        Stands::Answered => Badge::new(Tone::Info, t::state_answered(l)),
        Stands::Closed => Badge::new(Tone::Good, t::state_closed(l)),
    }
}

fn level(l: Lang, level: Level) -> &'static str {
    match level {
        Level::Unit => t::level_unit(l),
        Level::Province => t::level_province(l),
        Level::Vendor => t::level_vendor(l),
    }
}

/// Somebody's name; their identifier when the account is gone.
async fn name(k: &Kernel, person: PersonId) -> String {
    people::get(&k.db, person).await.map_or_else(|_| person.to_string(), |p| p.full_name)
}

/// The agency's name today.
async fn agency(k: &Kernel, unit: Option<UnitId>) -> kernel::Result<Option<String>> {
    let Some(unit) = unit else { return Ok(None) };
    Ok(k.orgs().version_at(unit, k.clock.now().date()).await?.map(|v| v.full_name))
}

/// What was done, with dates and persons.
async fn timeline(k: &Kernel, l: Lang, steps: &[Step], with_notes: bool) -> Timeline {
    let mut out = Timeline::new(l);
    for s in steps {
        let (word, tone) = match s.kind.as_str() {
            "reported" => (t::step_reported(l), Tone::Warn),
            "answered" => (t::step_answered(l), Tone::Info),
            "closed" => (t::step_closed(l), Tone::Good),
            "passed-up" => (t::step_passed_up(l), Tone::Neutral),
            _ => (t::step_vendor(l), Tone::Neutral),
        };
        let who = match s.person {
            Some(person) => name(k, person).await,
            None => t::step_stranger(l).to_owned(),
        };
        let entry = Entry::new(s.at, who, word).tone(tone);
        // What passes between those who answer is theirs.
        let shown = with_notes || matches!(s.kind.as_str(), "answered" | "closed");
        out = out.entry(if shown && !s.words.is_empty() { entry.detail(&s.words) } else { entry });
    }
    out
}
