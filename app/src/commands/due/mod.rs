//! `due`: when a term ends and why, on the shipped calendar or a unit's own. The arithmetic is `workcalendar`'s.

mod answer;
mod refusal;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use kernel::i18n::Lang;
use serde_json::json;
use workcalendar::{Calendar, Document, Hours, Moment, Pause, Policy, Question, shipped};

use answer::Answer;
use refusal::Refusal;

/// What is asked.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = help())]
pub struct Options {
    /// When it was received, in Viet Nam unless an offset is given: 2026-11-20T16:00 or "20/11/2026 16:00"
    #[arg(long, value_name = "MOMENT")]
    pub from: String,
    /// How long: 8h working hours, 3wd working days, 15d calendar days
    #[arg(long, value_name = "TERM")]
    pub term: String,
    /// Working hours of Monday to Friday instead of the calendar's: 07:00-11:30,13:30-17:00
    #[arg(long, value_name = "HOURS")]
    pub hours: Option<String>,
    /// A calendar file (TOML), alone or on top of the one that comes along
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
    /// A choice other than the default, such as after-hours=day-one or cut-off=15:00; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub policy: Vec<String>,
    /// A time in which the clock stood still; may be repeated
    #[arg(long, value_name = "FROM/TO")]
    pub pause: Vec<String>,
    /// Also say how much is left at this moment
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// Print the answer as JSON: due, reasoning and what they rest on
    #[arg(long)]
    pub json: bool,
    /// Language of the answer
    #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
    pub lang: String,
}

fn help() -> String {
    Lang::ALL.map(|lang| crate::t::due_help(lang).trim_start()).join("\n\n")
}

/// Answers; the exit code is 0 with an answer, 1 without one.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let lang = Lang::from_tag(&options.lang).unwrap_or_default();
    match answer(options, lang) {
        Ok(answer) if options.json => println!("{}", serde_json::to_string_pretty(&answer.json())?),
        Ok(answer) => print!("{}", answer.text()),
        Err(refusal) => {
            let text = refusal.text(lang);
            if options.json {
                let error = json!({ "error": { "code": refusal.code(), "text": text } });
                println!("{}", serde_json::to_string_pretty(&error)?);
            } else {
                eprintln!("lienthong: {text}");
            }
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(options: &Options, lang: Lang) -> Result<Answer, Refusal> {
    let received: Moment = options.from.parse()?;
    let term = options.term.parse()?;
    let now = options.at.as_deref().map(str::parse).transpose()?;
    let mut policy = Policy::default();
    for choice in &options.policy {
        policy.choose(choice)?;
    }
    let pauses = options.pause.iter().map(|pause| pause.parse()).collect::<Result<Vec<Pause>, _>>()?;
    let calendar = calendar(options)?;
    let question = Question { received, term, pauses: &pauses, policy };
    let no_answer = |why| Refusal::no_answer(why, &calendar);
    let due = calendar.due(&question).map_err(no_answer)?;
    let left = now.map(|now| Ok((now, calendar.left(now, due.at, term.unit)?)));
    let left = left.transpose().map_err(|e: workcalendar::NoData| no_answer(e.into()))?;
    Ok(Answer { lang, due, left, received, term, policy, calendar })
}

fn calendar(options: &Options) -> Result<Calendar, Refusal> {
    let hours = options.hours.as_deref().map(str::parse::<Hours>).transpose()?;
    let name = options.calendar.as_ref().map(|file| file.display().to_string());
    let read = |file: &PathBuf| {
        std::fs::read_to_string(file)
            .map_err(|why| Refusal::Unreadable { file: file.display().to_string(), why })
    };
    let file = options.calendar.as_ref().map(read).transpose()?;
    let calendar = shipped::read(file.as_deref(), hours.map(Document::working_hours));
    calendar.map_err(|fault| Refusal::File { file: name.unwrap_or_default(), fault })
}

#[cfg(test)]
mod tests;
