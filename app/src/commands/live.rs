//! `check --live`: asks the running platform for its checks and open alerts, the same as on the page "Sáng nay".

use std::process::ExitCode;

use anyhow::bail;
use kernel::alerts::Severity;
use kernel::i18n::{Lang, Text};
use upkeep::{Overview, Standing, State};

use crate::cli::Place;
use crate::control::{self, Answer, Request};
use crate::settings::Settings;

/// Prints what is found; fails when something is bad.
pub fn run(place: &Place, lang: &str) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let lang = if lang == "en" { Lang::En } else { Lang::Vi };
    let overview = match control::ask(settings.data(), &Request::Live)? {
        Some(Answer::Live(overview)) => overview,
        Some(Answer::Failed(e)) => bail!("{e}"),
        Some(_) => bail!("the running process gave an unexpected answer"),
        None => bail!(
            "no platform runs on {}: start it with `lienthong serve`, or check without --live",
            settings.data().display()
        ),
    };
    print!("{}", report(&overview, lang));
    Ok(if overview.standing() == Standing::Trouble { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One line for each check and alert, with the next step below what is not well.
fn report(overview: &Overview, lang: Lang) -> String {
    let line = |mark: &str, title: &Text, text: &Text, todo: Option<&Text>| {
        let mut line = format!("{mark} {}: {}\n", title.get(lang), text.get(lang));
        if let Some(todo) = todo {
            line.push_str(&format!("     → {}\n", todo.get(lang)));
        }
        line
    };
    let mut out = String::new();
    for check in &overview.checks {
        let mark = match check.state {
            State::Good => "ok  ",
            State::Warning => "WARN",
            State::Bad => "FAIL",
        };
        out.push_str(&line(mark, &check.title, &check.text, check.todo.as_ref()));
    }
    // Alerts about checks say the same once more.
    for alert in overview.alerts.iter().filter(|a| !a.key.starts_with("upkeep.check:")) {
        let mark = if alert.severity == Severity::Critical { "FAIL" } else { "WARN" };
        out.push_str(&line(mark, &alert.title, &alert.cause, Some(&alert.todo)));
        out.push_str(&format!("     {}\n", alert.since.vn_seconds()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_followed_by_what_to_do() {
        let text = |s: &str| serde_json::json!({"vi": format!("{s} vi"), "en": format!("{s} en")});
        let check = |name: &str, state: &str, todo: serde_json::Value| serde_json::json!({"name": name, "title": text(name), "state": state, "text": text("found"), "todo": todo});
        let overview = serde_json::json!({
            "at": "2026-11-22T08:00:00Z",
            "checks": [check("disk", "good", serde_json::Value::Null), check("backup", "warning", text("make one"))],
            "alerts": [],
        });
        let overview: Overview = serde_json::from_value(overview).unwrap();
        let expected = "ok   disk en: found en\nWARN backup en: found en\n     → make one en\n";
        assert_eq!(report(&overview, Lang::En), expected);
        assert_eq!(overview.standing(), Standing::Watch);
    }
}
