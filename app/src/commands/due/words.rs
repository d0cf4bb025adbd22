//! Days, moments, amounts and terms as people say them.

use kernel::i18n::Lang;
use workcalendar::{Date, Left, Moment, Term, Unit};

use crate::t;

/// `24/11/2026`.
pub fn date(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// `thứ Ba, 24/11/2026`.
pub fn day(lang: Lang, of: Date) -> String {
    format!("{}, {}", weekday(lang, of), date(of))
}

/// `thứ Ba, 24/11/2026 16:00`.
pub fn moment(lang: Lang, at: Moment) -> String {
    format!("{}, {}", weekday(lang, at.date()), at.vn())
}

fn weekday(lang: Lang, date: Date) -> &'static str {
    match date.weekday().to_monday_zero_offset() {
        0 => t::weekday_monday(lang),
        1 => t::weekday_tuesday(lang),
        2 => t::weekday_wednesday(lang),
        3 => t::weekday_thursday(lang),
        4 => t::weekday_friday(lang),
        5 => t::weekday_saturday(lang),
        _ => t::weekday_sunday(lang),
    }
}

/// `3 ngày làm việc`.
pub fn term(lang: Lang, term: Term) -> String {
    let count = i64::from(term.count);
    match term.unit {
        _ if count == 0 => t::term_same_day(lang).to_owned(),
        Unit::WorkingHours => t::term_working_hours(lang, count),
        Unit::WorkingDays => t::term_working_days(lang, count),
        Unit::Days => t::term_days(lang, count),
    }
}

/// `1 ngày 3 giờ làm việc`; minutes when there are any, and `0 giờ` for nothing.
pub fn amount(lang: Lang, days: i64, seconds: i64, unit: Unit) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
    let mut parts = vec![];
    if days > 0 {
        parts.push(t::days_count(lang, days));
    }
    if hours > 0 || (days == 0 && minutes == 0) {
        parts.push(t::hours_count(lang, hours));
    }
    if minutes > 0 {
        parts.push(t::minutes_count(lang, minutes));
    }
    let amount = parts.join(" ");
    if unit == Unit::Days { amount } else { t::amount_working(lang, amount) }
}

/// `Lúc …: còn 1 ngày 3 giờ làm việc.`
pub fn left(lang: Lang, now: Moment, left: Left, unit: Unit) -> String {
    let at = moment(lang, now);
    let amount = amount(lang, i64::from(left.days), left.seconds, unit);
    match left {
        Left { late: false, days: 0, seconds: 0 } => t::due_now(lang, at),
        Left { late: true, .. } => t::due_late(lang, t::DueLate { amount, at }),
        Left { late: false, .. } => t::due_left(lang, t::DueLeft { amount, at }),
    }
}
