//! Which working calendar applies to an agency on a day: its own from that day on, else that of the agency above it, else the
//! common one. Calendar files are kept whole, each newer one beside the older. Rights and audit rows are the
//! caller's; the arithmetic of terms is `workcalendar`'s.

mod chain;
mod facts;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::clock::Date;
use base::error::{Error, FieldError, Refusal, Result};
use base::i18n::Text;
pub use facts::{CalendarRecorded, CalendarUsed};
use workcalendar::{Calendar, Document, LoadError};

use crate::db::Migration;
use crate::kernel::{Kernel, Tx};
use crate::orgs::UnitId;
use crate::params;

/// Tables of this part.
pub const MIGRATIONS: &[Migration] = &[Migration { name: "0001_calendar", sql: include_str!("schema.sql") }];

/// The calendar of those who have set none: the shipped one, or a newer file recorded under the same code.
pub const COMMON: &str = "vn";

/// Calendars laid out and kept in memory; more than any province has at once.
const KEPT: usize = 256;

/// The calendar in force for an agency.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The calendar.
    pub calendar: Arc<Calendar>,
    /// Code and number of its files, the lowest first; number 0 is the file of the release.
    pub files: Vec<(String, i64)>,
    /// The agency for which it was set, this one or one above; `None` for the common one.
    pub set_for: Option<UnitId>,
}

/// Code and number of the files of a calendar, the lowest first.
type Files = Vec<(String, i64)>;

/// Laid out calendars by their files.
#[derive(Default)]
pub(crate) struct Laid(Mutex<HashMap<Files, Arc<Calendar>>>);

impl Kernel {
    /// The calendar in force for an agency on a day. A term keeps the calendar of the day of its receipt.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the agency does not exist on that day.
    pub async fn calendar_of(&self, agency: UnitId, on: Date) -> Result<InForce> {
        let mut orgs = self.orgs();
        let own = orgs.version_at(agency, on).await?.ok_or(Error::NotFound { kind: "agency" })?;
        let above = orgs.ancestors(agency, on).await?;
        let sql = "SELECT code FROM calendar_use WHERE agency = $1 AND valid_from <= $2
                   ORDER BY valid_from DESC LIMIT 1";
        for version in std::iter::once(own).chain(above) {
            let row = self.db.query_opt(sql, params![version.unit, on]).await?;
            if let Some(code) = row.map(|row| row.opt_text("code")).transpose()?.flatten() {
                return self.in_force(&code, Some(version.unit)).await;
            }
        }
        self.in_force(COMMON, None).await
    }

    async fn in_force(&self, code: &str, set_for: Option<UnitId>) -> Result<InForce> {
        let links = chain::links(&mut &self.db, code).await?;
        let files: Files = links.iter().map(|link| (link.code.clone(), link.number)).collect();
        if let Some(calendar) = self.laid.get(&files) {
            return Ok(InForce { calendar, files, set_for });
        }
        let documents = chain::documents(&mut &self.db, &links).await?;
        let calendar = Arc::new(lay(&documents).map_err(Error::internal)?);
        self.laid.keep(files.clone(), calendar.clone());
        Ok(InForce { calendar, files, set_for })
    }
}

impl Laid {
    fn get(&self, files: &[(String, i64)]) -> Option<Arc<Calendar>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(files).cloned()
    }

    fn keep(&self, files: Files, calendar: Arc<Calendar>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(files, calendar);
    }
}

impl Tx {
    /// Records a calendar file under its code, as the newest one; returns code and number. It applies at once wherever
    /// that code is used; ends of terms already given out do not change by it.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line of a fault in the file; [`Error::Refused`] when it stands upon a calendar that is not
    /// there or upon itself, or when a calendar upon it would no longer hold.
    pub async fn record_calendar(&mut self, file: &str) -> Result<(String, i64)> {
        let document = Document::read(file).map_err(|e| faulty(&e))?;
        let (code, extends) = (document.code().to_owned(), document.extends().map(str::to_owned));
        let below = match &extends {
            Some(base) => chain::links(&mut &mut *self, base).await?,
            None => vec![],
        };
        if below.iter().any(|link| link.code == code) {
            return Err(chain::circle(&code));
        }
        let mut documents = chain::documents(&mut &mut *self, &below).await?;
        documents.push(document);
        lay(&documents).map_err(|e| faulty(&e))?;
        self.check_those_upon(&code, documents).await?;
        let number = chain::newest(&mut &mut *self, &code).await?.map_or(1, |link| link.number + 1);
        let sql = "INSERT INTO calendar_file (code, number, extends, body, recorded_at) VALUES ($1, $2, $3, $4, $5)";
        let at = self.cx().at;
        self.execute(sql, params![code.as_str(), number, extends, file, at]).await?;
        self.publish(&CalendarRecorded { code: code.clone(), number }).await?;
        Ok((code, number))
    }

    /// Calendars upon this one must still hold when it and what is below it are these.
    async fn check_those_upon(&mut self, code: &str, below: Vec<Document>) -> Result<()> {
        for other in chain::upon(&mut &mut *self, code).await? {
            let links = chain::links(&mut &mut *self, &other).await?;
            let above = links.iter().position(|link| link.code == code).map_or(0, |at| at + 1);
            let mut documents = below.clone();
            documents.extend(chain::documents(&mut &mut *self, &links[above..]).await?);
            if let Err(e) = lay(&documents) {
                let vi = format!("Lịch “{other}” dựa vào lịch này sẽ không dùng được nữa: {}.", e.vi());
                let en = format!(
                    "The calendar “{other}”, which stands upon this one, would no longer hold: {}.",
                    e.en()
                );
                return Err(refused("calendar-needed", vi, en));
            }
        }
        Ok(())
    }

    /// Sets which calendar an agency uses from a day on; `None`: again that of the agency above it. Those below it that have
    /// set none follow.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the agency does not exist on that day, [`Error::Refused`] when the calendar does not.
    pub async fn use_calendar(&mut self, agency: UnitId, code: Option<&str>, from: Date) -> Result<()> {
        if self.orgs().version_at(agency, from).await?.is_none() {
            return Err(Error::NotFound { kind: "agency" });
        }
        if let Some(code) = code {
            chain::links(&mut &mut *self, code).await?;
        }
        let sql = "INSERT INTO calendar_use (agency, valid_from, code, recorded_at) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (agency, valid_from)
                   DO UPDATE SET code = EXCLUDED.code, recorded_at = EXCLUDED.recorded_at";
        let at = self.cx().at;
        self.execute(sql, params![agency, from, code.map(str::to_owned), at]).await?;
        self.publish(&CalendarUsed { agency, code: code.map(str::to_owned), from }).await
    }
}

fn lay(documents: &[Document]) -> Result<Calendar, LoadError> {
    Calendar::of_documents(&documents.iter().collect::<Vec<_>>())
}

fn faulty(e: &LoadError) -> Error {
    let text =
        Text { vi: format!("Dòng {}: {}.", e.line, e.vi()), en: format!("Line {}: {}.", e.line, e.en()) };
    Error::Invalid(vec![FieldError { field: "calendar".to_owned(), text }])
}

fn refused(code: &'static str, vi: String, en: String) -> Error {
    Refusal::new(code, Text { vi, en }).into()
}
