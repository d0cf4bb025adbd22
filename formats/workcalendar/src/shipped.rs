//! The calendar that ships with the program: state bodies in Viet Nam. What it rests on: `data/README.md`.

use crate::calendar::Calendar;
use crate::document::Document;
use crate::fault::{Fault, LoadError};

/// The file `data/calendars/vn.toml`.
pub const VN: &str = include_str!("../../../data/calendars/vn.toml");

/// The calendar of state bodies in Viet Nam.
///
/// # Errors
/// None in a released program: a test reads the file.
pub fn vn() -> Result<Calendar, LoadError> {
    Calendar::of_documents(&[&Document::read(VN)?])
}

/// A calendar from a file, which may stand upon the shipped one (`extends = "vn"`), with other working hours from
/// Monday to Friday if wanted.
///
/// # Errors
/// The first fault of the file, with its line.
pub fn read(file: Option<&str>, hours: Option<Document>) -> Result<Calendar, LoadError> {
    let file = file.map(Document::read).transpose()?;
    let mut layers = vec![];
    match file.as_ref().map(Document::extends) {
        None | Some(Some("vn")) => layers.push(Document::read(VN)?),
        Some(None) => {}
        Some(Some(other)) => {
            return Err(LoadError { line: 1, fault: Fault::Base(other.chars().take(64).collect()) });
        }
    }
    layers.extend(file);
    layers.extend(hours);
    Calendar::of_documents(&layers.iter().collect::<Vec<_>>())
}
