//! A workbook with one sheet, written row by row to a temporary file so that its size in memory does not grow with
//! the list. Words are always words: a workbook says of each cell what it is, so none becomes a formula.

use std::time::Duration;

use base::clock::{Date, Timestamp};
use base::error::Refusal;
use base::i18n::Text;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{MOST_IN_WORKBOOK, Value};
use crate::{fmt, t};

/// Workbooks made at the same time; each keeps one core busy.
static TURNS: Semaphore = Semaphore::const_new(2);

/// How long somebody waits for a turn before being asked to come again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest words of a cell, a limit of the format.
const MOST_CHARACTERS: usize = 32_767;

/// Longest name of a sheet, a limit of the format.
const MOST_IN_NAME: usize = 31;

/// Day zero of spreadsheets is 30/12/1899.
const EPOCH: i64 = 25_569;

/// A turn to make a workbook, waited for.
///
/// # Errors
/// `TooMany` when others take too long.
pub(super) async fn turn() -> base::error::Result<SemaphorePermit<'static>> {
    match tokio::time::timeout(PATIENCE, TURNS.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(base::error::Error::TooMany { retry_after: PATIENCE.as_secs() }),
    }
}

/// The refusal of a list that does not fit.
pub(super) fn too_long() -> base::error::Error {
    let most = |l| fmt::number(l, i64::from(MOST_IN_WORKBOOK));
    Refusal::new("export-too-long", Text::both(|l| t::export_too_long(l, most(l)))).into()
}

/// A workbook being written.
pub(super) struct Sheet {
    workbook: Workbook,
    at: u32,
    time: Format,
    date: Format,
}

impl Sheet {
    /// A sheet with its headings.
    pub(super) fn new(title: &str, columns: &[String], now: Timestamp) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        let today = now.date();
        let day = |n: i8| u8::try_from(n).unwrap_or(1);
        let made = ExcelDateTime::from_ymd(
            u16::try_from(today.year()).unwrap_or(1_900),
            day(today.month()),
            day(today.day()),
        )?;
        workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&made));
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        // Signs a sheet's name may not have become spaces.
        let name: String =
            title.chars().map(|c| if "[]:*?/\\'".contains(c) { ' ' } else { c }).take(MOST_IN_NAME).collect();
        sheet.set_name(name.trim())?;
        sheet.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (column, label) in columns.iter().enumerate() {
            let column = u16::try_from(column).unwrap_or(u16::MAX);
            sheet.set_column_width(column, width(label))?;
            sheet.write_string_with_format(0, column, label, &bold)?;
        }
        Ok(Self {
            workbook,
            at: 1,
            time: Format::new().set_num_format("dd/mm/yyyy hh:mm:ss"),
            date: Format::new().set_num_format("dd/mm/yyyy"),
        })
    }

    /// Adds rows; `false` when the sheet would become longer than allowed.
    pub(super) fn add(&mut self, rows: &[Vec<Value>]) -> Result<bool, XlsxError> {
        let sheet = self.workbook.worksheet_from_index(0)?;
        for row in rows {
            if self.at > MOST_IN_WORKBOOK {
                return Ok(false);
            }
            for (column, value) in row.iter().enumerate() {
                let column = u16::try_from(column).unwrap_or(u16::MAX);
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "spreadsheets count in 64-bit floats themselves"
                )]
                match value {
                    Value::Text(text) => {
                        let text: String = text.chars().take(MOST_CHARACTERS).collect();
                        sheet.write_string(self.at, column, text)?;
                    }
                    Value::Whole(n) => {
                        sheet.write_number(self.at, column, *n as f64)?;
                    }
                    Value::Time(at) => {
                        sheet.write_number_with_format(self.at, column, moment(*at), &self.time)?;
                    }
                    Value::Date(date) => {
                        sheet.write_number_with_format(self.at, column, day(*date), &self.date)?;
                    }
                    Value::None => {}
                }
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// The file.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, XlsxError> {
        self.workbook.save_to_buffer()
    }
}

/// Wide enough for the heading, and for most of what stands below it.
fn width(label: &str) -> f64 {
    let letters = u16::try_from(label.chars().count()).unwrap_or(u16::MAX);
    f64::from(letters.clamp(16, 40)) + 4.0
}

#[expect(clippy::cast_precision_loss, reason = "days of the calendar are far below 2^52")]
fn day(date: Date) -> f64 {
    (date.days_since_epoch() + EPOCH) as f64
}

/// Days since day zero in Vietnamese time, which spreadsheets show without a zone.
#[expect(clippy::cast_precision_loss, reason = "seconds are shown, not microseconds")]
fn moment(at: Timestamp) -> f64 {
    const OFFSET: i64 = 7 * 3_600;
    (at.seconds() + OFFSET) as f64 / 86_400.0 + EPOCH as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_those_of_spreadsheets() {
        assert_eq!(day(Date::new(2026, 11, 22).unwrap()), 46_348.0);
        // 22/11/2026 12:00 in Viet Nam.
        let noon = Timestamp::from_micros(1_795_323_600_000_000);
        assert_eq!(noon.vn(), "22/11/2026 12:00");
        assert_eq!(moment(noon), 46_348.5);
    }

    #[test]
    fn a_sheet_ends_where_it_must() {
        let now = Timestamp::from_micros(1_795_323_600_000_000);
        let mut sheet = Sheet::new("Lượt gọi: 1/2 [nháp]", &["A".into()], now).unwrap();
        let row = || vec![vec![Value::Whole(1)]; 1_000];
        for _ in 0..100 {
            assert!(sheet.add(&row()).unwrap());
        }
        assert!(!sheet.add(&row()[..1]).unwrap(), "one more than allowed");
    }
}
