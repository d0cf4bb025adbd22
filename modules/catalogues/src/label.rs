//! How the attributes of a catalogue's entries are called, and which other catalogue gives their values names: `type`
//! is called *Loại đơn vị*, and its value `ward` stands in `LOAI-DVHC` as *Phường*.

use base::error::FieldError;
use base::i18n::{Lang, Text};
use base::text;
use serde::{Deserialize, Serialize};

use crate::catalogue::{MAX_CODE, MAX_NAME, checked_code, clip, field};
use crate::t;

/// Most labels of a catalogue; each is a column.
pub const MAX_LABELS: usize = 20;

/// How one attribute is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The attribute's name in files and the interface.
    pub key: String,
    /// Vietnamese name.
    pub name_vi: String,
    /// English name; empty means that the Vietnamese one is shown.
    pub name_en: String,
    /// Code of the catalogue in which the values are codes; empty when they speak for themselves.
    pub values: String,
}

impl Label {
    /// The name in a language; the Vietnamese one when there is no other.
    pub fn name(&self, lang: Lang) -> &str {
        if lang == Lang::En && !self.name_en.is_empty() { &self.name_en } else { &self.name_vi }
    }
}

/// Labels as people write them: one a line, `key | Vietnamese name | English name | catalogue of the values`; the last two
/// may be left out.
///
/// # Errors
/// The first line that is not one.
pub fn from_lines(given: &str) -> Result<Vec<Label>, FieldError> {
    let mut out = Vec::new();
    for (line, number) in given.lines().zip(1_usize..).filter(|(line, _)| !line.trim().is_empty()) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default().to_owned();
        if parts.len() < 2 || parts.len() > 4 {
            let say = |l| t::label_line(l, t::LabelLine { given: clip(line), number });
            return Err(field("labels", Text::both(say)));
        }
        out.push(Label { key: part(0), name_vi: part(1), name_en: part(2), values: part(3) });
    }
    Ok(out)
}

/// The lines from which [`from_lines`] makes the same labels.
pub fn to_lines(labels: &[Label]) -> String {
    let line = |l: &Label| {
        let parts = [&l.key, &l.name_vi, &l.name_en, &l.values];
        let last = parts.iter().rposition(|p| !p.is_empty()).unwrap_or(0);
        parts.iter().take(last + 1).map(|p| p.as_str()).collect::<Vec<_>>().join(" | ")
    };
    labels.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Trimmed and checked: known keys once, names short enough, codes that can be codes.
///
/// # Errors
/// The first label that is wrong.
pub fn checked(labels: &[Label]) -> Result<Vec<Label>, FieldError> {
    if labels.len() > MAX_LABELS {
        return Err(field("labels", Text::both(|l| t::label_many(l, MAX_LABELS))));
    }
    let mut out: Vec<Label> = Vec::with_capacity(labels.len());
    for given in labels {
        let clean = |s: &str| text::nfc(s.trim());
        let label = Label {
            key: clean(&given.key),
            name_vi: clean(&given.name_vi),
            name_en: clean(&given.name_en),
            values: clean(&given.values),
        };
        let short =
            [&label.key, &label.name_vi, &label.name_en].iter().all(|s| s.chars().count() <= MAX_NAME);
        // What separates the parts of a line cannot stand in one.
        let plain =
            [&label.key, &label.name_vi, &label.name_en].iter().all(|s| !s.contains(['|', '\n', '\r']));
        let known = label.values.is_empty() || checked_code("labels", &label.values).is_ok();
        let named =
            !label.key.is_empty() && label.key.chars().count() <= MAX_CODE && !label.name_vi.is_empty();
        if !(short && plain && known && named) || out.iter().any(|l| l.key == label.key) {
            return Err(field("labels", Text::both(|l| t::label_wrong(l, clip(&given.key)))));
        }
        out.push(label);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "type | Loại đơn vị | Type | LOAI-DVHC\nact | Căn cứ";

    #[test]
    fn lines_say_what_labels_say() {
        let labels = checked(&from_lines(&format!("\n {LINES}\n\n")).unwrap()).unwrap();
        assert_eq!(labels.len(), 2);
        assert_eq!((labels[0].name(Lang::En), labels[1].name(Lang::En)), ("Type", "Căn cứ"));
        assert_eq!((labels[0].values.as_str(), labels[1].values.as_str()), ("LOAI-DVHC", ""));
        assert_eq!(to_lines(&labels), LINES);
    }

    #[test]
    fn wrong_labels_are_named() {
        for bad in ["type", "a | b | c | d | e"] {
            assert!(from_lines(bad).unwrap_err().text.en.contains(bad), "{bad}");
        }
        for bad in
            [" | Loại", "type | ", "a | b\na | c", "a | b | c | mã số", &format!("a | {}", "x".repeat(301))]
        {
            assert!(checked(&from_lines(bad).unwrap()).is_err(), "{bad}");
        }
        let many: String = (0..=MAX_LABELS).map(|n| format!("k{n} | x\n")).collect();
        assert!(checked(&from_lines(&many).unwrap()).is_err());
    }
}
