//! The choices that the law or the unit leaves open, each named and set by hand. What they do is in `due`.

use serde::Serialize;

use crate::hours::time_of_day;

/// How a term is counted. The default: outside working time counts from the next opening, day terms end at the same
/// clock hour, an end on a day off moves to the next working day at that hour, a pause extends, years not yet
/// published are marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Policy {
    /// Day terms of what came after closing or on a day off.
    pub after_hours: AfterHours,
    /// At which hour day terms end.
    pub day_end: DayEnd,
    /// At which hour a calendar-day term ends that moved off a day off.
    pub moved_end: MovedEnd,
    /// What came later on a working day counts from the next working day; seconds since midnight.
    pub cut_off: Option<u32>,
    /// What a pause does.
    pub supplement: Supplement,
    /// What a year does whose days off are not yet published.
    pub provisional: Provisional,
}

/// Day terms of what came after closing, after the cut-off hour or on a day off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterHours {
    /// Received, so to speak, at the next opening: that day is not counted, the end is at the opening hour.
    #[default]
    NextOpening,
    /// The next working day is day one: the end is at the closing of the last day.
    DayOne,
}

/// At which hour day terms end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayEnd {
    /// At the hour from which they count.
    #[default]
    SameHour,
    /// At the closing of their last day (Civil Code 2015, art. 148, ends a term with its last day).
    Closing,
}

/// At which hour a calendar-day term ends that fell on a day off and moved to the next working day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MovedEnd {
    /// At the same clock hour. Ends on different days off meet on one working day, so within that day an earlier
    /// receipt may end at a later hour.
    #[default]
    SameHour,
    /// At the opening of that day: then nothing received earlier is ever due later.
    Opening,
}

/// What a pause does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supplement {
    /// The clock stands still and the term goes on afterwards.
    #[default]
    Extend,
    /// The whole term begins anew when the pause ends.
    Restart,
}

/// What happens when a term touches a year whose days off are not yet published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provisional {
    /// The end is given and marked as provisional.
    #[default]
    Mark,
    /// No end is given.
    Refuse,
}

/// A choice that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no policy {given:?}; known: {}", Policy::CHOICES.join(", "))]
pub struct BadPolicy {
    /// What was given.
    pub given: String,
}

impl Policy {
    /// Every choice as it is written; the first of each name is the default.
    pub const CHOICES: [&str; 12] = [
        "after-hours=next-opening",
        "after-hours=day-one",
        "day-end=same-hour",
        "day-end=closing",
        "moved-end=same-hour",
        "moved-end=opening",
        "cut-off=none",
        "cut-off=HH:MM",
        "supplement=extend",
        "supplement=restart",
        "provisional=mark",
        "provisional=refuse",
    ];

    /// Makes one choice, written `name=value`.
    ///
    /// # Errors
    /// [`BadPolicy`] when there is no such choice.
    pub fn choose(&mut self, text: &str) -> Result<(), BadPolicy> {
        let bad = || BadPolicy { given: text.chars().take(64).collect() };
        match text.trim() {
            "after-hours=next-opening" => self.after_hours = AfterHours::NextOpening,
            "after-hours=day-one" => self.after_hours = AfterHours::DayOne,
            "day-end=same-hour" => self.day_end = DayEnd::SameHour,
            "day-end=closing" => self.day_end = DayEnd::Closing,
            "moved-end=same-hour" => self.moved_end = MovedEnd::SameHour,
            "moved-end=opening" => self.moved_end = MovedEnd::Opening,
            "cut-off=none" => self.cut_off = None,
            "supplement=extend" => self.supplement = Supplement::Extend,
            "supplement=restart" => self.supplement = Supplement::Restart,
            "provisional=mark" => self.provisional = Provisional::Mark,
            "provisional=refuse" => self.provisional = Provisional::Refuse,
            other => {
                let hour = other.strip_prefix("cut-off=").ok_or_else(bad)?;
                self.cut_off = Some(time_of_day(hour).map_err(|_| bad())?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_can_be_made_and_others_not() {
        for choice in Policy::CHOICES {
            let choice = choice.replace("HH:MM", "15:00");
            Policy::default().choose(&choice).unwrap();
        }
        for bad in ["", "after-hours", "after-hours=never", "cut-off=25:00", "cut-off=", "x=y"] {
            assert!(Policy::default().choose(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_of_each_name_is_the_default() {
        let mut policy = Policy::default();
        for choice in Policy::CHOICES.iter().step_by(2) {
            policy.choose(choice).unwrap();
        }
        assert_eq!(policy, Policy::default());
        for choice in Policy::CHOICES.iter().skip(1).step_by(2) {
            let mut other = Policy::default();
            other.choose(&choice.replace("HH:MM", "15:00")).unwrap();
            assert_ne!(other, Policy::default(), "{choice}");
        }
    }
}
