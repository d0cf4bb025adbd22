//! Numbers as people write them in each language. Dates are the work of `clock`.

use base::i18n::Lang;

/// Between a number and its unit.
const JOINED: char = '\u{a0}';

fn separators(lang: Lang) -> (char, char) {
    match lang {
        Lang::Vi => ('.', ','),
        Lang::En => (',', '.'),
    }
}

/// `1.234.567` in Vietnamese, `1,234,567` in English.
pub fn number(lang: Lang, n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separators(lang).0);
        }
        text.push(digit);
    }
    text
}

/// A number with up to `places` decimals, without trailing zeros: `12,5`. Not a number is written `–`.
pub fn decimal(lang: Lang, value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{:.places$}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    let zero = part.is_empty() && whole.bytes().all(|b| b == b'0');
    let mut out = String::from(if value < 0.0 && !zero { "-" } else { "" });
    out.push_str(&whole.parse().map_or_else(|_| whole.to_owned(), |n| number(lang, n)));
    if !part.is_empty() {
        out.push(separators(lang).1);
        out.push_str(part);
    }
    out
}

/// `12,5 %` in Vietnamese, `12.5%` in English; one decimal. Never rounded up to 100 nor down to 0: a share that is
/// nearly everything is not everything.
pub fn percent(lang: Lang, value: f64) -> String {
    let (sign, value) = match value {
        v if v > 0.0 && v < 0.05 => ("< ", 0.1),
        v if (99.95..100.0).contains(&v) => ("", 99.9),
        v => ("", v),
    };
    let joined = if lang == Lang::Vi { "\u{a0}" } else { "" };
    format!("{sign}{}{joined}%", decimal(lang, value, 1))
}

/// An amount in đồng: `1.234.567 đồng`.
pub fn money(lang: Lang, dong: i64) -> String {
    let unit = match lang {
        Lang::Vi => "đồng",
        Lang::En => "VND",
    };
    format!("{}{JOINED}{unit}", number(lang, dong))
}

/// A size in the largest fitting unit, powers of 1024: `1,5 MB`.
pub fn bytes(lang: Lang, n: u64) -> String {
    const UNITS: [&str; 5] = ["byte", "KB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1_023.95 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    let name = if lang == Lang::En && unit == 0 && n != 1 { "bytes" } else { UNITS[unit] };
    format!("{}{JOINED}{name}", decimal(lang, value, usize::from(unit > 0)))
}

/// A duration in milliseconds: `0,4 ms`, `12 ms`, `1,2 s`.
pub fn millis(lang: Lang, ms: f64) -> String {
    let (value, places, unit) = match ms {
        _ if ms >= 9_999.5 => (ms / 1_000.0, 0, "s"),
        _ if ms >= 999.5 => (ms / 1_000.0, 1, "s"),
        _ if ms >= 10.0 => (ms, 0, "ms"),
        _ => (ms, 1, "ms"),
    };
    format!("{}{JOINED}{unit}", decimal(lang, value, places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (n, vi, en) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1.000", "1,000"),
            (-1_234_567, "-1.234.567", "-1,234,567"),
            (i64::MIN, "-9.223.372.036.854.775.808", "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!((number(Lang::Vi, n).as_str(), number(Lang::En, n).as_str()), (vi, en));
        }
    }

    #[test]
    fn decimals_and_percentages() {
        assert_eq!(decimal(Lang::Vi, 1_234.5, 2), "1.234,5");
        assert_eq!(decimal(Lang::Vi, -0.04, 1), "0");
        assert_eq!(decimal(Lang::En, 0.25, 1), "0.2");
        assert_eq!(percent(Lang::Vi, 12.5), "12,5\u{a0}%");
        assert_eq!(percent(Lang::Vi, 100.0), "100\u{a0}%");
        assert_eq!(percent(Lang::En, 99.999), "99.9%");
        assert_eq!(percent(Lang::En, 0.001), "< 0.1%");
        assert_eq!(percent(Lang::En, 0.0), "0%");
        assert_eq!(percent(Lang::Vi, f64::NAN), "–\u{a0}%");
    }

    #[test]
    fn amounts_sizes_and_durations() {
        assert_eq!(money(Lang::Vi, 1_500_000), "1.500.000\u{a0}đồng");
        assert_eq!(bytes(Lang::Vi, 0), "0\u{a0}byte");
        assert_eq!(
            (bytes(Lang::En, 1), bytes(Lang::En, 215)),
            ("1\u{a0}byte".into(), "215\u{a0}bytes".into())
        );
        assert_eq!(bytes(Lang::Vi, 1_536), "1,5\u{a0}KB");
        assert_eq!(bytes(Lang::Vi, 1_048_575), "1\u{a0}MB");
        assert_eq!(bytes(Lang::En, u64::MAX), "16,777,216\u{a0}TB");
        assert_eq!(millis(Lang::Vi, 0.42), "0,4\u{a0}ms");
        assert_eq!(millis(Lang::Vi, 999.6), "1\u{a0}s");
        assert_eq!(millis(Lang::Vi, 1_240.0), "1,2\u{a0}s");
    }
}
