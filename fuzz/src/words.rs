//! Small texts of people: calendars, terms, hours, moments.

use workcalendar::{Document, Hours, Moment, Pause, Term};

/// A calendar file, or a short text.
pub fn calendar(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Document::read(text);
    let _ = (text.parse::<Term>(), text.parse::<Hours>(), text.parse::<Moment>(), text.parse::<Pause>());
}
