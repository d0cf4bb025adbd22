//! A figure that opens to its rows and tells its source, and how fresh something is.

use std::time::Duration;

use askama::Template;
use base::clock::Timestamp;
use base::i18n::Lang;

use super::chart::Spark;
use super::html::{Html, markup};
use super::{Icon, Tone};
use crate::{fmt, t};

/// Where a figure comes from.
#[derive(Debug, Clone)]
pub struct Source {
    lang: Lang,
    name: String,
    at: Timestamp,
    owner: Option<String>,
    complete: Option<f64>,
}

impl Source {
    /// The system or table, and the moment the figure was true.
    pub fn new(lang: Lang, name: impl Into<String>, at: Timestamp) -> Self {
        Self { lang, name: name.into(), at, owner: None, complete: None }
    }

    /// Who answers for it.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// How much of what should be counted was counted, in percent.
    pub fn complete(mut self, percent: f64) -> Self {
        self.complete = Some(percent);
        self
    }
}

/// A figure with its label.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/figure.html")]
pub struct Figure {
    label: String,
    value: String,
    unit: Option<String>,
    href: String,
    tone: Tone,
    trend: Option<Html>,
    source: Option<Source>,
    note: Option<String>,
}
markup!(Figure);

impl Figure {
    /// A figure as written, and the page with its rows.
    pub fn new(
        label: impl Into<String>,
        value: impl std::fmt::Display,
        href: impl std::fmt::Display,
    ) -> Self {
        Self {
            label: label.into(),
            value: value.to_string(),
            unit: None,
            href: href.to_string(),
            tone: Tone::Neutral,
            trend: None,
            source: None,
            note: None,
        }
    }

    /// What is counted.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Good or bad; say why in the note, the colour alone says nothing.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// A few words below: compared with what, why it is bad.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }

    /// How it went lately.
    pub fn trend(mut self, spark: Spark) -> Self {
        self.trend = Some(Html::of(spark));
        self
    }

    /// Where it comes from.
    pub fn source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    fn value_class(&self) -> &'static str {
        match self.tone {
            Tone::Bad => " lt-is-bad",
            Tone::Warn => " lt-is-warn",
            Tone::Good => " lt-is-good",
            Tone::Neutral | Tone::Info => "",
        }
    }
}

/// How long ago something was true. Beyond the limit it is called old.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<time class=\"lt-fresh{% if stale %} lt-stale{% endif %}\" datetime=\"{{ at.rfc3339_vn() }}\" \
        title=\"{{ at.vn_seconds() }}\">{% if stale %}{{ Icon::ClockExclamation.small() }}{% endif %}{{ text }}</time>",
    ext = "html"
)]
pub struct Fresh {
    now: Timestamp,
    at: Timestamp,
    text: String,
    stale: bool,
}
markup!(Fresh);

impl Fresh {
    /// How long before `now` it was.
    pub fn new(lang: Lang, now: Timestamp, at: Timestamp) -> Self {
        Self { now, at, text: ago(lang, now, at), stale: false }
    }

    /// Older than this is too old.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.stale = self.now.since(self.at) > limit;
        self
    }
}

/// "3 phút trước"; beyond a month the moment itself.
pub fn ago(lang: Lang, now: Timestamp, at: Timestamp) -> String {
    let seconds = i64::try_from(now.since(at).as_secs()).unwrap_or(i64::MAX);
    match seconds {
        0..10 => t::just_now(lang).to_owned(),
        10..60 => t::seconds_ago(lang, seconds),
        60..3_600 => t::minutes_ago(lang, seconds / 60),
        3_600..86_400 => t::hours_ago(lang, seconds / 3_600),
        86_400..2_592_000 => t::days_ago(lang, seconds / 86_400),
        _ => at.vn(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_the_largest_unit() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let say = |s: u64| ago(Lang::Vi, now, now.minus(Duration::from_secs(s)));
        assert_eq!(say(0), "vừa xong");
        assert_eq!(say(59), "59 giây trước");
        assert_eq!(say(60), "1 phút trước");
        assert_eq!(say(7_199), "1 giờ trước");
        assert_eq!(say(86_400 * 3), "3 ngày trước");
        assert_eq!(say(86_400 * 40), now.minus(Duration::from_secs(86_400 * 40)).vn());
        assert_eq!(ago(Lang::En, now, now.minus(Duration::from_secs(60))), "1 minute ago");
        assert_eq!(ago(Lang::Vi, now, now.plus(Duration::from_secs(500))), "vừa xong", "clocks may differ");
    }
}
