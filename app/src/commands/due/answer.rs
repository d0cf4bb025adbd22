//! The answer as text and as JSON: the end, the reasoning step by step, and the days that mattered with their acts.

use std::fmt::Write as _;

use kernel::i18n::Lang;
use serde_json::{Value, json};
use workcalendar::{
    Because, Calendar, Certainty, Due, Hour, Left, Moment, Noted, Policy, Reason, Standing, Step, Term, Unit,
    Words,
};

use super::words;
use crate::t;

/// An answer and what it rests on.
pub struct Answer {
    pub lang: Lang,
    pub due: Due,
    /// At which moment, and how much.
    pub left: Option<(Moment, Left)>,
    pub received: Moment,
    pub term: Term,
    pub policy: Policy,
    pub calendar: Calendar,
}

impl Answer {
    /// For people.
    pub fn text(&self) -> String {
        let lang = self.lang;
        let mut out = format!("{}\n", t::due_at(lang, words::moment(lang, self.due.at)));
        let mut line = |text: String| {
            let _ = writeln!(out, "{text}");
        };
        if let Some(year) = self.due.provisional {
            line(t::due_provisional(lang, year));
        }
        if let Some(open) = self.collect() {
            line(t::due_collect(lang, words::moment(lang, open)));
        }
        for text in self.left_texts() {
            line(text);
        }
        line(t::due_term(lang, words::term(lang, self.term)));
        let name = self.say(self.calendar.name());
        line(t::due_calendar(lang, t::DueCalendar { code: self.calendar.code(), name }));
        line(format!("\n{}:", t::due_reasoning(lang)));
        for (n, step) in self.due.steps.iter().enumerate() {
            line(format!("{:>3}. {}", n + 1, self.step(step)));
        }
        let days: Vec<String> = self.days().iter().map(|noted| self.day_line(noted)).collect();
        let rest = self.rest_days();
        if !days.is_empty() || rest > 0 {
            line(format!("\n{}:", t::due_days(lang)));
        }
        for day in days {
            line(format!("  - {day}"));
        }
        if rest > 0 {
            line(format!("  - {}", t::due_rest_days(lang, rest)));
        }
        out
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let steps = self.due.steps.iter().map(|step| with_text(json!(step), self.step(step)));
        let days = self.days().iter().map(|noted| {
            json!({
                "date": noted.date().to_string(), "off": noted.is_off(), "certainty": noted.certainty,
                "act": self.calendar.source_of(noted).map(|s| &s.act), "text": self.day(noted),
            })
        });
        let mut answer = json!({
            "due": self.due.at, "from": self.received, "counts_from": self.due.counts_from, "term": self.term,
            "provisional": self.due.provisional, "reasoning": steps.collect::<Vec<_>>(),
            "days": days.collect::<Vec<_>>(), "weekly_days_off": self.rest_days(), "policy": self.policy,
            "calendar": { "code": self.calendar.code(), "name": self.calendar.name() },
        });
        if let Some(open) = self.collect() {
            answer["collect_from"] = json!(open);
        }
        if let Some((at, left)) = self.left {
            answer["left"] = with_text(json!(left), words::left(self.lang, at, left, self.term.unit));
            answer["left"]["at"] = json!(at);
            answer["left"]["standing"] = json!(self.standing(at));
        }
        answer
    }

    /// When the counter is open for collection, if that is not at the end of the term itself.
    fn collect(&self) -> Option<Moment> {
        self.calendar.next_open(self.due.at).ok().filter(|open| *open != self.due.at)
    }

    fn standing(&self, at: Moment) -> Standing {
        Standing::on(at.date(), Some(self.due.at.date()), None)
    }

    fn left_texts(&self) -> Vec<String> {
        let Some((at, left)) = self.left else { return vec![] };
        let standing = match self.standing(at) {
            Standing::OpenLate => t::standing_open_late(self.lang),
            _ => t::standing_open_in_time(self.lang),
        };
        vec![words::left(self.lang, at, left, self.term.unit), standing.to_owned()]
    }

    fn days(&self) -> &[Noted] {
        self.calendar.noted(self.received.date(), self.due.at.date())
    }

    /// Days off that are only the weekly ones.
    fn rest_days(&self) -> i64 {
        let (from, to) = (self.received.date(), self.due.at.date());
        let all = Moment::at(to, 0).since(Moment::at(from, 0)) / 86_400 + 1;
        let worked = self.calendar.working_days(from, to).map_or(all, i64::from);
        let noted = self.days().iter().filter(|noted| noted.is_off()).count();
        all - worked - i64::try_from(noted).unwrap_or(0)
    }

    fn say(&self, words: &Words) -> String {
        if self.lang == Lang::Vi { words.vi.clone() } else { words.en.clone() }
    }

    fn day(&self, noted: &Noted) -> String {
        let lang = self.lang;
        match &noted.reason {
            Reason::Holiday(name) => t::day_holiday(lang, self.say(name)),
            Reason::Compensation { of } => t::day_compensation(lang, words::date(*of)),
            Reason::SwappedOff { worked } => t::day_swapped_off(lang, words::date(*worked)),
            Reason::SwappedWork { off } => t::day_swapped_work(lang, words::date(*off)),
            Reason::Closed(why) => t::day_closed(lang, self.say(why)),
            Reason::Special { why, hours } if hours.is_empty() => t::day_closed(lang, self.say(why)),
            Reason::Special { why, hours } => {
                t::day_special(lang, t::DaySpecial { hours, why: self.say(why) })
            }
        }
    }

    fn day_line(&self, noted: &Noted) -> String {
        let lang = self.lang;
        let (day, what) = (words::day(lang, noted.date()), self.day(noted));
        let act = self.calendar.source_of(noted).map_or("—", |source| &source.act);
        let certainty = match noted.certainty {
            Certainty::Published => return t::day_line(lang, t::DayLine { act, day, what }),
            Certainty::Reported => t::certainty_reported(lang),
            Certainty::Unverified => t::certainty_unverified(lang),
            Certainty::Proposed => t::certainty_proposed(lang),
        };
        t::day_line_unsure(lang, t::DayLineUnsure { act, certainty, day, what })
    }

    fn step(&self, step: &Step) -> String {
        let lang = self.lang;
        let say = |at: &Moment| words::moment(lang, *at);
        match step {
            Step::Received { at } => t::step_received(lang, say(at)),
            Step::CountsFrom { at, because } => match because {
                Because::BeforeOpening => t::step_before_opening(lang, say(at)),
                Because::Break => t::step_break(lang, say(at)),
                Because::AfterClosing => t::step_after_closing(lang, say(at)),
                Because::DayOff => t::step_day_off(lang, say(at)),
                Because::CutOff => t::step_cut_off(lang, say(at)),
            },
            Step::Counted { term, from, last, day_one } => {
                let (of, last) = (words::term(lang, *term), words::day(lang, *last));
                let start = words::date(from.date());
                match term.unit {
                    Unit::WorkingHours => {
                        let start = say(from);
                        t::step_counted_hours(lang, t::StepCountedHours { last, start, term: of })
                    }
                    _ if term.count == 0 => t::step_same_day(lang, last),
                    _ if *day_one => {
                        t::step_counted_day_one(lang, t::StepCountedDayOne { last, start, term: of })
                    }
                    _ => t::step_counted_days(lang, t::StepCountedDays { last, start, term: of }),
                }
            }
            Step::Moved { from, to } => {
                let (day, moved) = (words::day(lang, *from), words::day(lang, *to));
                t::step_moved(lang, t::StepMoved { day, moved })
            }
            Step::Ends { at, hour } => match hour {
                Hour::Counted => t::step_ends_counted(lang, say(at)),
                Hour::Same => t::step_ends_same(lang, say(at)),
                Hour::Fitted => t::step_ends_fitted(lang, say(at)),
                Hour::Opening => t::step_ends_opening(lang, say(at)),
                Hour::Closing => t::step_ends_closing(lang, say(at)),
            },
            Step::Paused { pause, seconds } => {
                let (start, end) = (pause.from.vn(), pause.to.vn());
                // Working time has no days of a fixed length, calendar time has.
                let (days, seconds) = match self.term.unit {
                    Unit::Days => (seconds / 86_400, seconds % 86_400),
                    _ => (0, *seconds),
                };
                let amount = words::amount(lang, days, seconds, self.term.unit);
                t::step_paused(lang, t::StepPaused { amount, end, start })
            }
            Step::PauseWithoutEffect { pause } => {
                let (start, end) = (pause.from.vn(), pause.to.vn());
                t::step_pause_without_effect(lang, t::StepPauseWithoutEffect { end, start })
            }
            Step::Restarted { pause } => {
                let (start, end) = (pause.from.vn(), pause.to.vn());
                t::step_restarted(lang, t::StepRestarted { end, start })
            }
            Step::NotPublished { year } => t::step_not_published(lang, year),
        }
    }
}

fn with_text(mut value: Value, text: String) -> Value {
    value["text"] = Value::String(text);
    value
}
