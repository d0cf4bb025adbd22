//! The record of a drill as text to be kept and printed: who, when, what, and with which result.

use base::i18n::Lang;

use crate::store::Run;
use crate::{Drilled, t};

/// The record of a drill. `site` is the body that runs the platform.
pub fn text(lang: Lang, site: &str, run: &Run, drilled: &Drilled) -> String {
    let mut out = format!("{site}\n\n{}\n\n", t::report_title(lang).to_uppercase());
    for (label, value) in lines(lang, run, drilled) {
        out.push_str(&format!("{label}: {value}\n"));
    }
    for fault in drilled.trials.iter().flat_map(|t| &t.faults) {
        out.push_str(&format!("  - {fault}\n"));
    }
    out.push_str(&format!("\n{}: {}\n", t::report_conclusion(lang), conclusion(lang, drilled)));
    out
}

/// Label and value of every line.
pub(crate) fn lines(lang: Lang, run: &Run, drilled: &Drilled) -> Vec<(&'static str, String)> {
    let number = |n: u64| web::fmt::number(lang, i64::try_from(n).unwrap_or(i64::MAX));
    let mut lines = vec![
        (t::report_by(lang), by(lang, run).to_owned()),
        (t::report_began(lang), run.started_at.vn_seconds()),
        (t::report_ended(lang), run.ended_at.map_or_else(String::new, |at| at.vn_seconds())),
        (t::report_backup(lang), drilled.name.clone()),
        (t::report_made(lang), drilled.made_at.vn_seconds()),
        (t::report_release(lang), drilled.release.clone()),
        (t::report_size(lang), web::fmt::bytes(lang, drilled.bytes)),
        (t::report_took(lang), took(lang, drilled.restore_ms)),
        (
            t::report_rows(lang),
            t::rows_equal(lang, t::RowsEqual { rows: number(drilled.rows), tables: number(drilled.tables) }),
        ),
        (t::report_files(lang), number(drilled.files)),
        (t::report_content(lang), content(lang, drilled)),
        (t::report_erasures(lang), erasures(lang, drilled)),
    ];
    for trial in &drilled.trials {
        let faults = trial.faults.len();
        let value = t::trial_result(lang, t::TrialResult { faults, held: number(trial.checked) });
        lines.push((t::report_trial(lang), format!("{}: {value}", trial.what.get(lang))));
    }
    lines
}

/// Who began it.
pub(crate) fn by(lang: Lang, run: &Run) -> &str {
    if run.by.is_empty() { t::by_schedule(lang) } else { &run.by }
}

/// A duration as people say it.
pub(crate) fn took(lang: Lang, ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    match seconds / 60 {
        0 => t::took_seconds(lang, seconds),
        minutes => t::took_minutes(lang, t::TookMinutes { minutes, seconds: seconds % 60 }),
    }
}

pub(crate) fn conclusion(lang: Lang, drilled: &Drilled) -> &'static str {
    if drilled.is_well() { t::conclusion_good(lang) } else { t::conclusion_bad(lang) }
}

fn content(lang: Lang, drilled: &Drilled) -> String {
    let objects = web::fmt::number(lang, i64::try_from(drilled.objects).unwrap_or(i64::MAX));
    if drilled.content_sound { t::content_good(lang, objects) } else { t::content_bad(lang, objects) }
}

fn erasures(lang: Lang, drilled: &Drilled) -> String {
    if !drilled.erasures_known {
        return t::erasures_unknown(lang).to_owned();
    }
    t::erasures_done(lang, i64::try_from(drilled.erased).unwrap_or(i64::MAX))
}
