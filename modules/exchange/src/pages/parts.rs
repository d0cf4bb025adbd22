//! Small pieces the pages share: states as badges, parties as cells, links to the next page of a list.

use base::i18n::Lang;
use web::Cx;
use web::ui::{Address, Badge, Html, Markup, Tone};

use crate::agreement::State;
use crate::service::ServiceState;
use crate::store::lists::{Ending, Reach};
use crate::t;
use crate::traffic::Side;

/// An agreement's state.
pub(super) fn state(lang: Lang, state: State) -> Badge {
    let tone = match state {
        State::Waiting => Tone::Info,
        State::Approved => Tone::Good,
        State::Suspended | State::Returned => Tone::Warn,
        State::Revoked | State::Refused => Tone::Bad,
        State::Expired | State::Withdrawn => Tone::Neutral,
    };
    Badge::new(tone, state.label(lang))
}

/// Whether a service lets calls pass.
pub(super) fn service(lang: Lang, state: &ServiceState) -> Badge {
    let tone = match state {
        ServiceState::Enabled => Tone::Good,
        ServiceState::Disabled { .. } => Tone::Warn,
    };
    Badge::new(tone, service_label(lang, state))
}

/// Whether a service of the configuration in force lets calls pass.
pub(super) fn service_open(lang: Lang, open: bool) -> Badge {
    match open {
        true => Badge::new(Tone::Good, t::service_enabled(lang)),
        false => Badge::new(Tone::Warn, t::service_disabled(lang)),
    }
}

/// The same in words.
pub(super) fn service_label(lang: Lang, state: &ServiceState) -> &'static str {
    match state {
        ServiceState::Enabled => t::service_enabled(lang),
        ServiceState::Disabled { .. } => t::service_disabled(lang),
    }
}

/// How calls end, in the words of lists and tabs.
pub(super) fn ending_label(lang: Lang, ending: Ending) -> &'static str {
    match ending {
        Ending::Answered => t::ending_answered(lang),
        Ending::Refused => t::ending_refused(lang),
        Ending::Failed => t::ending_failed(lang),
        Ending::Broken => t::ending_broken(lang),
        Ending::Unknown => t::ending_unknown(lang),
        Ending::Running => t::ending_running(lang),
    }
}

/// Whose side the end of a call speaks of.
pub(super) fn side(lang: Lang, side: Side) -> &'static str {
    match side {
        Side::Ok => t::side_ok(lang),
        Side::Consumer => t::side_consumer(lang),
        Side::Provider => t::side_of_provider(lang),
        Side::Ours => t::side_ours(lang),
    }
}

/// Whose services.
pub(super) fn reach(lang: Lang, reach: Reach) -> &'static str {
    match reach {
        Reach::Internal => t::reach_internal(lang),
        Reach::National => t::reach_national(lang),
    }
}

/// How a call ended.
pub(super) fn ending(lang: Lang, ending: Ending) -> Badge {
    let tone = match ending {
        Ending::Answered => Tone::Good,
        Ending::Refused => Tone::Info,
        Ending::Failed => Tone::Bad,
        Ending::Broken | Ending::Unknown => Tone::Warn,
        Ending::Running => Tone::Neutral,
    };
    Badge::new(tone, ending_label(lang, ending))
}

/// A part that stands apart from what is above it.
pub(super) fn apart(part: impl Markup) -> Html {
    Html::trusted(format!("<div class=\"mt-3\">{}</div>", Html::of(part).as_str()))
}

/// The link to the next page of a list, if there is one.
pub(super) fn next(cx: &Cx, more: bool, after: impl FnOnce() -> String) -> Option<Address> {
    more.then(|| cx.address().with("after", after()))
}

/// The link back to the beginning of a list, on every page but the first.
pub(super) fn first(cx: &Cx) -> Option<Address> {
    cx.address().get("after").map(|_| cx.address().without("after"))
}

/// Bytes as people read them; nothing when unknown.
pub(super) fn bytes(lang: Lang, n: Option<i64>) -> Option<String> {
    n.map(|n| web::fmt::bytes(lang, u64::try_from(n).unwrap_or(0)))
}

/// Milliseconds between two moments as people read them.
pub(super) fn millis(lang: Lang, micros: i64) -> String {
    web::fmt::millis(lang, micros as f64 / 1000.0)
}
