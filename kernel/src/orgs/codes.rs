//! The codes of an agency: one main identification code at a time, and any number of others under which systems know
//! it. Old codes stay as aliases until their agency ends or another takes them.

use adminunits::agency_code::AgencyCode;
use base::clock::Date;
use base::error::{Error, Refusal, Result};
use base::i18n::Text;

use super::UnitId;
use super::agencies::both;
use super::model::{CodeSystem, OPEN, canonical};
use crate::kernel::Tx;
use crate::params;

impl Tx {
    /// Gives an agency another code under which systems know it.
    ///
    /// # Errors
    /// [`Error::Refused`] when the code belongs to another agency at that time.
    pub async fn add_agency_code(
        &mut self,
        unit: UnitId,
        system: CodeSystem,
        code: &str,
        from: Date,
    ) -> Result<()> {
        let agency = self.open_agency(unit, from).await?;
        let canonical = canonical(code);
        if canonical.is_empty() || canonical.len() > 100 {
            let (vi, en) = ("Mã định danh có từ 1 đến 100 ký tự.", "A code has 1 to 100 characters.");
            return Err(Error::field("code", both(vi, en)));
        }
        self.code_is_free(&canonical, Some(unit), from, true).await?;
        self.add_code(agency.unit, system, code, false, from).await
    }

    /// Makes a code an agency's main one. Aliases of others end where it begins.
    pub(super) async fn take_code(&mut self, unit: UnitId, code: &str, on: Date) -> Result<()> {
        let canonical = canonical(code);
        self.code_is_free(&canonical, Some(unit), on, false).await?;
        let sql = "UPDATE orgs_code SET valid_to = $3
                   WHERE canonical = $1 AND unit <> $2 AND main = 0 AND valid_to > $3 AND valid_from < $3";
        self.execute(sql, params![&canonical, unit, on]).await?;
        self.add_code(unit, CodeSystem::Identification, code, true, on).await
    }

    async fn add_code(
        &mut self,
        unit: UnitId,
        system: CodeSystem,
        code: &str,
        main: bool,
        from: Date,
    ) -> Result<()> {
        let sql = "INSERT INTO orgs_code (unit, system, code, canonical, main, valid_from, valid_to)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)
                   ON CONFLICT (canonical, unit, code, valid_from) DO UPDATE SET main = EXCLUDED.main";
        let canonical = canonical(code);
        self.execute(sql, params![unit, system.key(), code.trim(), canonical, main, from, OPEN]).await?;
        Ok(())
    }

    /// Refuses a code that another agency has at some time from the day on.
    async fn code_is_free(
        &mut self,
        canonical: &str,
        but: Option<UnitId>,
        on: Date,
        aliases: bool,
    ) -> Result<()> {
        let sql = "SELECT unit FROM orgs_code
                   WHERE canonical = $1 AND valid_to > $2 AND unit <> $3 AND (main = 1 OR $4 = 1)";
        let but = but.map(|u| u.to_string()).unwrap_or_default();
        if self.query(sql, params![canonical, on, but, aliases]).await?.is_empty() {
            return Ok(());
        }
        let vi = format!("Mã {canonical} đang thuộc về cơ quan khác.");
        let en = format!("The code {canonical} belongs to another agency.");
        Err(Refusal::new("agency-code-taken", Text { vi, en }).into())
    }

    /// The main code becomes an alias.
    pub(super) async fn demote_code(&mut self, unit: UnitId) -> Result<()> {
        let sql = "UPDATE orgs_code SET main = 0 WHERE unit = $1 AND main = 1 AND valid_to = $2";
        self.execute(sql, params![unit, OPEN]).await?;
        Ok(())
    }

    /// Every code ends with its agency.
    pub(super) async fn end_codes(&mut self, unit: UnitId, on: Date) -> Result<()> {
        let sql = "UPDATE orgs_code SET valid_to = $2 WHERE unit = $1 AND valid_to = $3";
        self.execute(sql, params![unit, on, OPEN]).await?;
        Ok(())
    }
}

pub(super) fn checked_code(code: &str) -> Result<String> {
    AgencyCode::parse(code).map(|_| code.trim().to_owned()).map_err(|_| {
        let vi = "Mã định danh theo QĐ 20/2020/QĐ-TTg, ví dụ H56.06 hoặc 000.00.06.H56.";
        let en = "An identification code by QĐ 20/2020/QĐ-TTg, for example H56.06 or 000.00.06.H56.";
        Error::field("code", both(vi, en))
    })
}
