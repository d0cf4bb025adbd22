//! Which agency answers for which territory, and when: the two trees are joined only here.

use base::clock::Date;
use base::error::{Error, Result};
use base::i18n::Text;

use super::ask::Ask;
use super::model::{OPEN, Version};
use super::store::{self, VERSION};
use super::{Orgs, UnitId};
use crate::kernel::Tx;
use crate::params;

/// An agency's competence for a territory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Competence {
    /// The agency.
    pub agency: UnitId,
    /// The territory.
    pub territory: UnitId,
    /// For what: `general` (UBND), or a field of work.
    pub role: String,
    /// First day.
    pub valid_from: Date,
    /// First day on which it has ended; `None` while open.
    pub valid_to: Option<Date>,
    /// Number of the act.
    pub act: Option<String>,
}

impl Tx {
    /// Records a competence from a day on.
    pub async fn add_competence(&mut self, c: &Competence) -> Result<()> {
        if c.valid_to.is_some_and(|end| end <= c.valid_from) {
            let text = Text {
                vi: "Ngày kết thúc phải sau ngày bắt đầu.".into(),
                en: "The end must come after the beginning.".into(),
            };
            return Err(Error::field("valid_to", text));
        }
        let sql = "INSERT INTO orgs_competence (agency, territory, role, valid_from, valid_to, act)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let end = store::stored_end(c.valid_to);
        self.execute(sql, params![c.agency, c.territory, &c.role, c.valid_from, end, c.act.clone()]).await?;
        Ok(())
    }

    /// Ends every competence of an agency that is open on a day.
    pub(super) async fn end_competences(&mut self, agency: UnitId, on: Date) -> Result<()> {
        let sql = "UPDATE orgs_competence SET valid_to = $2
                   WHERE agency = $1 AND valid_to = $3 AND valid_from < $2";
        self.execute(sql, params![agency, on, OPEN]).await?;
        Ok(())
    }
}

impl<Q: Ask> Orgs<Q> {
    /// The agencies competent for a territory on a day, with their role.
    pub async fn competent_for(&mut self, territory: UnitId, on: Date) -> Result<Vec<(String, Version)>> {
        self.competences("c.territory = $1", "c.agency", territory, on).await
    }

    /// The territories an agency is competent for on a day, with its role.
    pub async fn territories_of(&mut self, agency: UnitId, on: Date) -> Result<Vec<(String, Version)>> {
        self.competences("c.agency = $1", "c.territory", agency, on).await
    }

    async fn competences(
        &mut self,
        given: &str,
        wanted: &str,
        unit: UnitId,
        on: Date,
    ) -> Result<Vec<(String, Version)>> {
        let sql = format!(
            "SELECT {VERSION}, c.role FROM orgs_competence c JOIN orgs_version v ON v.unit = {wanted}
             WHERE {given} AND c.valid_from <= $2 AND c.valid_to > $2
               AND v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2
             ORDER BY c.role, v.sort_key, v.unit"
        );
        let rows = self.ask(&sql, params![unit, on]).await?;
        rows.iter().map(|r| Ok((r.text("role")?, store::version(r)?))).collect()
    }
}
