//! Days as they come from addresses, forms and programs. Every question about a unit takes one.

use kernel::clock::Date;
use kernel::error::{Error, FieldError};
use kernel::i18n::Text;
use kernel::orgs::Version;

use crate::t;

/// Earlier or later is a slip of the keyboard; dates are compared as ISO text.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2999;

/// A day as people type it (`dd/mm/yyyy`) or as programs write it (`yyyy-mm-dd`); empty is `None`.
pub fn typed(field: &str, text: &str) -> Result<Option<Date>, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let given: String = text.chars().take(40).collect();
    let day = Date::parse_vn(text).or_else(|| iso(text)).filter(|d| YEARS.contains(&d.year()));
    match day {
        Some(day) => Ok(Some(day)),
        None => {
            Err(FieldError { field: field.to_owned(), text: Text::both(|l| t::date_malformed(l, &given)) })
        }
    }
}

/// A day that an interface must be given.
pub fn required(field: &str, text: Option<&str>) -> Result<Date, Error> {
    match typed(field, text.unwrap_or_default()) {
        Ok(Some(day)) => Ok(day),
        Ok(None) => Err(Error::field(field, Text::both(|l| t::date_required(l, field)))),
        Err(wrong) => Err(Error::Invalid(vec![wrong])),
    }
}

/// The day nearest to `day` on which a version is valid.
pub fn shown(version: &Version, day: Date) -> Date {
    match version.valid_to.and_then(|end| end.plus_days(-1)) {
        Some(last) if last < day => last,
        _ => day.max(version.valid_from),
    }
}

fn iso(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let day = |s: &str| typed("on", s).map(|d| d.map(|d| d.to_string()));
        for text in ["30/06/2025", " 30/6/2025 ", "2025-06-30"] {
            assert_eq!(day(text), Ok(Some("2025-06-30".into())), "{text}");
        }
        assert_eq!(day("  "), Ok(None));
        for bad in ["31/06/2025", "2025-06-31", "30/06/0025", "30/06/25000", "hôm qua", "20250630", "1/1"] {
            assert!(day(bad).is_err(), "{bad}");
        }
        assert!(matches!(required("on", None), Err(Error::Invalid(e)) if e[0].field == "on"));
    }
}
