//! Dates as people type them in forms.

use kernel::clock::Date;
use kernel::error::FieldError;

use crate::actions::wrong;
use crate::t;

/// The day typed into `field`; notes what is wrong. Empty is `None`.
pub(crate) fn optional(field: &str, typed: &str, errors: &mut Vec<FieldError>) -> Option<Date> {
    let typed = typed.trim();
    if typed.is_empty() {
        return None;
    }
    // Some browsers and people write the ISO form.
    let day = Date::parse_vn(typed).or_else(|| typed.parse().ok());
    // Beyond these years it is a slip of the keyboard, and dates are compared as ISO text.
    let sensible = day.filter(|d| (1900..=2999).contains(&d.year()));
    if sensible.is_none() {
        errors.push(wrong(field, t::date_malformed));
    }
    sensible
}

/// As [`optional`], but it must be given.
pub(crate) fn required(field: &str, typed: &str, errors: &mut Vec<FieldError>) -> Option<Date> {
    if typed.trim().is_empty() {
        errors.push(wrong(field, t::date_missing));
        return None;
    }
    optional(field, typed, errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        let read = |s: &str| {
            let mut errors = Vec::new();
            (optional("d", s, &mut errors).map(|d| d.to_string()), errors.len())
        };
        assert_eq!(read(" 01/07/2025 "), (Some("2025-07-01".into()), 0));
        assert_eq!(read("1/7/2025"), (Some("2025-07-01".into()), 0));
        assert_eq!(read("2025-07-01"), (Some("2025-07-01".into()), 0));
        assert_eq!(read(""), (None, 0));
        for bad in ["31/02/2025", "07/2025", "hôm nay", "01/07/0025", "01/07/20255"] {
            assert_eq!(read(bad), (None, 1), "{bad}");
        }
        let mut errors = Vec::new();
        assert_eq!(required("d", "  ", &mut errors), None);
        assert_eq!(errors.len(), 1);
    }
}
