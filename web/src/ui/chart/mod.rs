//! Charts drawn on the server as SVG: no script, words stay readable at every width, the same data as a table one
//! click away. Not for exploring; for saying one thing.

mod scale;

use askama::Template;
use base::i18n::Lang;

use super::Tone;
use super::html::markup;
use crate::{fmt, t};
use scale::{Scale, path};

/// More would not be told apart.
const MOST_SERIES: usize = 5;

/// A small line beside a figure.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<svg class=\"lt-spark\" viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" role=\"img\" \
        aria-label=\"{{ words }}\"><path class=\"lt-s-1\" d=\"{{ line }}\" vector-effect=\"non-scaling-stroke\"/></svg>",
    ext = "html"
)]
pub struct Spark {
    words: String,
    line: String,
}
markup!(Spark);

impl Spark {
    /// Values from old to new (`NaN` where unknown), and the same said in words.
    pub fn new(values: &[f64], words: impl Into<String>) -> Self {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let (low, high) =
            (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let span = if high > low { high - low } else { 1.0 };
        // A margin of 6 % keeps the stroke inside the box.
        let heights = values.iter().map(|v| v.is_finite().then(|| 94.0 - (v - low) / span * 88.0));
        Self { words: words.into(), line: path(heights) }
    }
}

/// Amounts side by side, each with its name; names may be long.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/bars.html")]
pub struct Bars {
    lang: Lang,
    title: String,
    unit: String,
    bars: Vec<Bar>,
}
markup!(Bars);

#[derive(Debug, Clone)]
struct Bar {
    label: String,
    value: f64,
    shown: String,
    href: Option<String>,
}

impl Bars {
    /// The finding or question as title, and the unit.
    pub fn new(lang: Lang, title: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { lang, title: title.into(), unit: unit.into(), bars: Vec::new() }
    }

    /// A name with its amount, and the page with its rows.
    pub fn bar(mut self, label: impl Into<String>, value: f64, href: Option<String>) -> Self {
        let shown = fmt::decimal(self.lang, value, 1);
        self.bars.push(Bar {
            label: label.into(),
            value: if value.is_finite() { value.max(0.0) } else { 0.0 },
            shown,
            href,
        });
        self
    }

    fn width(&self, bar: &Bar) -> String {
        let most = self.bars.iter().map(|b| b.value).fold(0.0, f64::max);
        if most > 0.0 { format!("{:.2}", bar.value / most * 100.0) } else { "0".to_owned() }
    }
}

/// Values over time, up to five lines; with more, the fifth is the sum of the rest.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/lines.html")]
pub struct Lines {
    lang: Lang,
    title: String,
    unit: String,
    labels: Vec<String>,
    series: Vec<Series>,
    columns: bool,
    opens: Vec<String>,
}
markup!(Lines);

/// One line, what it means, and its values.
#[derive(Debug, Clone)]
struct Series {
    name: String,
    tone: Option<Tone>,
    values: Vec<Option<f64>>,
}

impl Series {
    /// How it is marked in the sheet: by what it means, or by its place. Each mark has a pattern of its own, so
    /// that colour is not needed to tell lines apart.
    fn mark(&self, at: usize) -> String {
        match self.tone {
            Some(tone) => tone.class().trim_start_matches("lt-").to_owned(),
            None => (at + 1).to_string(),
        }
    }
}

impl Lines {
    /// The finding or question as title, the unit, and the names of the points from old to new.
    pub fn new(lang: Lang, title: impl Into<String>, unit: impl Into<String>, labels: Vec<String>) -> Self {
        Self {
            lang,
            title: title.into(),
            unit: unit.into(),
            labels,
            series: Vec::new(),
            columns: false,
            opens: Vec::new(),
        }
    }

    /// A line; `None` where nothing is known leaves a gap.
    pub fn series(self, name: impl Into<String>, values: Vec<Option<f64>>) -> Self {
        self.add(name.into(), None, values)
    }

    /// A line of something good or bad, drawn in the colour that means so everywhere.
    pub fn toned(self, tone: Tone, name: impl Into<String>, values: Vec<Option<f64>>) -> Self {
        self.add(name.into(), Some(tone), values)
    }

    fn add(mut self, name: String, tone: Option<Tone>, mut values: Vec<Option<f64>>) -> Self {
        values.resize(self.labels.len(), None);
        values.iter_mut().for_each(|v| *v = v.filter(|v| v.is_finite()));
        self.series.push(Series { name, tone, values });
        self
    }

    /// The page behind each point, from old to new: with its rows.
    pub fn opening<T: std::fmt::Display>(mut self, hrefs: impl IntoIterator<Item = T>) -> Self {
        self.opens = hrefs.into_iter().map(|href| href.to_string()).collect();
        self
    }

    /// Left and width of the strip around each point, with its name and its page.
    fn strips(&self) -> Vec<(String, String, &str, &str)> {
        #[expect(clippy::cast_precision_loss, reason = "a chart has far fewer points than 2^52")]
        let count = self.labels.len() as f64;
        // Points of lines stand at the edges, columns in the middle of their step.
        let step = if self.columns { 100.0 / count.max(1.0) } else { 100.0 / (count - 1.0).max(1.0) };
        let half = if self.columns { 0.0 } else { step / 2.0 };
        let strip = |(at, (label, href))| {
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let left = (at as f64 * step - half).max(0.0);
            let right = (left + step).min(100.0);
            let (label, href): (&String, &String) = (label, href);
            (format!("{left:.2}"), format!("{:.2}", (right - left).max(0.0)), label.as_str(), href.as_str())
        };
        self.labels.iter().zip(&self.opens).enumerate().map(strip).collect()
    }

    fn opens(&self, at: &usize) -> Option<&str> {
        self.opens.get(*at).map(String::as_str)
    }

    /// Draws the first series as columns: counts in equal spans of time.
    pub fn columns(mut self) -> Self {
        self.columns = true;
        self
    }

    fn drawn(&self) -> Vec<Series> {
        if self.series.len() <= MOST_SERIES {
            return self.series.clone();
        }
        let (shown, rest) = self.series.split_at(MOST_SERIES - 1);
        let sum = |at: usize| rest.iter().filter_map(|s| s.values[at]).reduce(|a, b| a + b);
        let values = (0..self.labels.len()).map(sum).collect();
        let other = Series { name: t::other(self.lang).to_owned(), tone: None, values };
        shown.iter().cloned().chain([other]).collect()
    }

    fn scale(&self) -> Option<Scale> {
        let drawn = self.drawn();
        let values = drawn.iter().flat_map(|s| &s.values).flatten();
        values.copied().reduce(f64::max).map(Scale::up_to)
    }

    fn ticks(&self) -> Vec<String> {
        self.scale().map_or_else(Vec::new, |s| s.ticks().map(|t| fmt::decimal(self.lang, t, 2)).collect())
    }

    /// First, last and a few names between, so that they never run into one another.
    fn shown_labels(&self) -> Vec<&str> {
        let last = self.labels.len().saturating_sub(1);
        match last {
            0 => self.labels.iter().map(String::as_str).collect(),
            _ => {
                let parts = last.min(4);
                (0..=parts).filter_map(|i| self.labels.get(i * last / parts)).map(String::as_str).collect()
            }
        }
    }

    fn lines(&self) -> Vec<(String, String)> {
        let Some(scale) = self.scale() else { return Vec::new() };
        let line = |s: &Series| path(s.values.iter().map(|v| v.map(|v| scale.height(v))));
        self.drawn().iter().enumerate().map(|(at, s)| (s.mark(at), line(s))).collect()
    }

    /// Mark and name of each line.
    fn legend(&self) -> Vec<(String, String)> {
        self.drawn().into_iter().enumerate().map(|(at, s)| (s.mark(at), s.name)).collect()
    }

    /// The mark of the columns.
    fn filled(&self) -> String {
        self.series.first().map_or_else(|| "1".to_owned(), |s| s.mark(0))
    }

    /// Left, top, width, height of each column in percent of the drawing; unknown ones are grey and full.
    fn boxes(&self) -> Vec<(bool, String, String, String, String)> {
        let (Some(scale), Some(Series { values, .. })) = (self.scale(), self.series.first()) else {
            return Vec::new();
        };
        #[expect(clippy::cast_precision_loss, reason = "a chart has far fewer points than 2^52")]
        let step = 100.0 / values.len().max(1) as f64;
        let column = |(at, value): (usize, &Option<f64>)| {
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            let left = at as f64 * step + step * 0.12;
            let top = value.map_or(0.0, |v| scale.height(v));
            let number = |n: f64| format!("{n:.2}");
            (value.is_some(), number(left), number(top), number(step * 0.76), number(100.0 - top))
        };
        values.iter().enumerate().map(column).collect()
    }

    fn row(&self, at: &usize) -> Vec<String> {
        let cell = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| fmt::decimal(self.lang, v, 2));
        self.series.iter().map(|s| cell(s.values.get(*at).copied().flatten())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(n: usize) -> Lines {
        let labels = (0..24).map(|h| format!("{h}:00")).collect();
        (0..n).fold(Lines::new(Lang::Vi, "?", "lượt", labels), |l, i| {
            l.series(format!("s{i}"), (0..24).map(|h| (h != 7).then_some(f64::from(h))).collect())
        })
    }

    #[test]
    fn more_than_five_series_are_summed_up() {
        assert_eq!(lines(5).drawn().len(), 5);
        let drawn = lines(8).drawn();
        assert_eq!(drawn.len(), 5);
        let other = &drawn[4];
        assert_eq!((other.name.as_str(), other.values[23], other.values[7]), ("Khác", Some(92.0), None));
    }

    #[test]
    fn lines_of_good_and_bad_are_marked_as_such() {
        let labels = vec!["a".to_owned(), "b".to_owned()];
        let values = || vec![Some(1.0), Some(2.0)];
        let lines = Lines::new(Lang::Vi, "?", "", labels)
            .toned(Tone::Good, "x", values())
            .series("y", values())
            .toned(Tone::Bad, "z", values());
        assert_eq!(lines.lines().into_iter().map(|(mark, _)| mark).collect::<Vec<_>>(), ["good", "2", "bad"]);
        let html = lines.to_string();
        assert!(html.contains("class=\"lt-s-bad\"") && html.contains("class=\"lt-s-2\""), "{html}");
        assert!(lines.columns().to_string().contains("lt-f-good"));
    }

    #[test]
    fn unknown_values_leave_a_gap_and_odd_ones_do_no_harm() {
        assert_eq!(lines(1).lines()[0].1.matches('M').count(), 2);
        assert!(lines(0).lines().is_empty() && lines(0).ticks().is_empty());
        let odd = Lines::new(Lang::Vi, "?", "", vec![]).series("x", vec![Some(f64::NAN)]);
        assert!(odd.to_string().contains("Chưa có số liệu"), "{odd}");
        let flat = Lines::new(Lang::Vi, "?", "", vec!["a".into()]).series("x", vec![Some(0.0)]);
        assert!(!flat.to_string().contains("NaN"));
        assert!(!Spark::new(&[1.0, f64::NAN, 1.0], "").to_string().contains("NaN"));
        let bars =
            Bars::new(Lang::Vi, "?", "").bar("a", f64::INFINITY, None).bar("b", -1.0, None).to_string();
        assert!(!bars.contains("inf") && !bars.contains("NaN"), "{bars}");
    }

    #[test]
    fn points_open_to_their_rows() {
        let lines = lines(2).opening((0..24).map(|h| format!("/rows?at={h}&x")));
        let html = lines.to_string();
        assert_eq!(html.matches("href=\"/rows?at=7&#38;x\"").count(), 2, "in the drawing and in the table");
        let strips = lines.strips();
        assert_eq!((strips.len(), strips[0].0.as_str(), strips[23].2), (24, "0.00", "23:00"));
        assert!(
            strips.iter().all(|(x, w, ..)| x.parse::<f64>().unwrap() + w.parse::<f64>().unwrap() <= 100.01)
        );
        assert!(!self::lines(1).to_string().contains("<a "), "no page, no link");
    }

    #[test]
    fn few_names_stand_below_the_axis() {
        assert_eq!(lines(1).shown_labels(), ["0:00", "5:00", "11:00", "17:00", "23:00"]);
        let two = Lines::new(Lang::Vi, "?", "", vec!["a".into(), "b".into()]);
        assert_eq!(two.shown_labels(), ["a", "b"]);
    }
}
