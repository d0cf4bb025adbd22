//! What is stored of the territories now, for comparing.

use std::collections::HashMap;

use base::clock::Date;
use base::error::Result;

use crate::db::Db;
use crate::orgs::UnitId;
use crate::orgs::model::{Act, Succession, Version};
use crate::orgs::store::{self, SUCCESSION, VERSION};

/// All territories.
pub(super) struct Stored {
    /// Units by their stable key.
    pub(super) units: HashMap<String, UnitId>,
    /// Versions believed now, by unit.
    pub(super) versions: HashMap<UnitId, Vec<Version>>,
    /// Successions.
    pub(super) links: HashMap<(UnitId, UnitId, Date), Succession>,
    /// Acts by number.
    pub(super) acts: HashMap<String, Act>,
}

pub(super) async fn read(db: &Db) -> Result<Stored> {
    let mut stored = Stored {
        units: HashMap::new(),
        versions: HashMap::new(),
        links: HashMap::new(),
        acts: HashMap::new(),
    };
    let sql = "SELECT id, natural_key FROM orgs_unit WHERE tree = 'territory' AND natural_key IS NOT NULL";
    for row in db.query(sql, vec![]).await? {
        stored.units.insert(row.text("natural_key")?, row.id("id")?);
    }
    let sql = format!(
        "SELECT {VERSION} FROM orgs_version v WHERE v.tree = 'territory' AND v.superseded_at IS NULL
         ORDER BY v.valid_from"
    );
    for row in db.query(&sql, vec![]).await? {
        let version = store::version(&row)?;
        stored.versions.entry(version.unit).or_default().push(version);
    }
    let sql = format!(
        "SELECT {SUCCESSION} FROM orgs_succession s JOIN orgs_unit u ON u.id = s.successor WHERE u.tree = 'territory'"
    );
    for row in db.query(&sql, vec![]).await? {
        let link = store::succession(&row)?;
        stored.links.insert((link.predecessor, link.successor, link.on), link);
    }
    for row in db.query("SELECT number, issuer, issued_on, applies_from, title FROM orgs_act", vec![]).await?
    {
        let act = store::act(&row)?;
        stored.acts.insert(act.number.clone(), act);
    }
    Ok(stored)
}
