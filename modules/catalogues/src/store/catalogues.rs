//! Catalogues and mappings, without their versions.

use base::clock::Date;
use base::text;
use kernel::db::{Db, Row, Value};
use kernel::orgs::Ask;
use kernel::{Error, Result, Tx, params};

use super::{matching, read_end};
use crate::catalogue::{Catalogue, Description, Ends};
use crate::ids::CatalogueId;
use crate::version::Period;
use crate::viewer::Viewer;

const COLUMNS: &str = "c.id, c.kind, c.code, c.name_vi, c.name_en, c.about, c.act, c.system, c.owner_id, c.is_public,
    c.is_published, c.source_id, c.target_id, c.source_on, c.target_on, c.revision, c.created_at, c.changed_at, c.labels";

fn catalogue(row: &Row) -> Result<Catalogue> {
    let ends = match (row.opt_id("source_id")?, row.opt_id("target_id")?) {
        (Some(source), Some(target)) => Some(Ends {
            source,
            target,
            source_on: row.opt_date("source_on")?,
            target_on: row.opt_date("target_on")?,
        }),
        _ => None,
    };
    let about = Description {
        name_vi: row.text("name_vi")?,
        name_en: row.text("name_en")?,
        about: row.text("about")?,
        act: row.text("act")?,
        system: row.text("system")?,
        public: row.bool("is_public")?,
        labels: serde_json::from_str(&row.text("labels")?)?,
    };
    Ok(Catalogue {
        id: row.id("id")?,
        kind: row.id("kind")?,
        code: row.text("code")?,
        about,
        owner: row.id("owner_id")?,
        ends,
        published: row.bool("is_published")?,
        revision: row.int("revision")?,
        created_at: row.time("created_at")?,
        changed_at: row.time("changed_at")?,
    })
}

fn search_key(c: &Catalogue) -> String {
    let a = &c.about;
    text::fold(&format!("{} {} {} {} {}", c.code, a.name_vi, a.name_en, a.act, a.system))
}

/// The catalogue with this code.
///
/// # Errors
/// When the database is away.
pub async fn by_code(mut q: impl Ask, code: &str) -> Result<Option<Catalogue>> {
    let sql = format!("SELECT {COLUMNS} FROM catalogues_catalogue c WHERE c.code = $1");
    q.ask(&sql, params![code]).await?.first().map(catalogue).transpose()
}

/// The catalogue with this identifier.
///
/// # Errors
/// `NotFound`.
pub async fn by_id(mut q: impl Ask, id: CatalogueId) -> Result<Catalogue> {
    let sql = format!("SELECT {COLUMNS} FROM catalogues_catalogue c WHERE c.id = $1");
    let found = q.ask(&sql, params![id]).await?.first().map(catalogue).transpose()?;
    found.ok_or(Error::NotFound { kind: CatalogueId::KIND })
}

/// The catalogue with this code, locked until the end of the action.
///
/// # Errors
/// `NotFound`.
pub async fn lock(tx: &mut Tx, code: &str) -> Result<Catalogue> {
    let sql = format!("SELECT {COLUMNS} FROM catalogues_catalogue c WHERE c.code = $1 {{for_update}}");
    let found = tx.query_opt(&sql, params![code]).await?.as_ref().map(catalogue).transpose()?;
    found.ok_or(Error::NotFound { kind: CatalogueId::KIND })
}

/// Adds one. `false` when the code is taken.
///
/// # Errors
/// When the database is away.
pub async fn insert(tx: &mut Tx, c: &Catalogue) -> Result<bool> {
    let (source, target) = (c.ends.map(|e| e.source), c.ends.map(|e| e.target));
    let (source_on, target_on) = (c.ends.and_then(|e| e.source_on), c.ends.and_then(|e| e.target_on));
    let sql = "INSERT INTO catalogues_catalogue (id, kind, code, name_vi, name_en, about, act, system, owner_id,
                   is_public, is_published, source_id, target_id, source_on, target_on, revision, sort_key, search_key,
                   created_at, changed_at, labels)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
               ON CONFLICT (code) DO NOTHING";
    let a = &c.about;
    let p = params![
        c.id,
        c.kind.as_str(),
        &c.code,
        &a.name_vi,
        &a.name_en,
        &a.about,
        &a.act,
        &a.system,
        c.owner,
        a.public,
        c.published,
        source,
        target,
        source_on,
        target_on,
        c.revision,
        text::sort_key(&a.name_vi),
        search_key(c),
        c.created_at,
        c.changed_at,
        serde_json::to_string(&a.labels)?,
    ];
    Ok(tx.execute(sql, p).await? == 1)
}

/// Saves what may change.
///
/// # Errors
/// When the database is away.
pub async fn save(tx: &mut Tx, c: &Catalogue) -> Result<()> {
    let sql = "UPDATE catalogues_catalogue SET name_vi = $2, name_en = $3, about = $4, act = $5, system = $6,
                   is_public = $7, is_published = $8, revision = $9, sort_key = $10, search_key = $11, changed_at = $12,
                   labels = $13
               WHERE id = $1";
    let a = &c.about;
    let p = params![
        c.id,
        &a.name_vi,
        &a.name_en,
        &a.about,
        &a.act,
        &a.system,
        a.public,
        c.published,
        c.revision,
        text::sort_key(&a.name_vi),
        search_key(c),
        c.changed_at,
        serde_json::to_string(&a.labels)?,
    ];
    tx.execute(sql, p).await?;
    Ok(())
}

/// Which catalogues are listed.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Only mappings, or only catalogues.
    pub mappings: Option<bool>,
    /// Only mappings from or to this catalogue.
    pub end: Option<CatalogueId>,
    /// Words in code, names, act or system.
    pub search: String,
    /// Identifier of the last row before.
    pub after: Option<CatalogueId>,
    /// Most rows.
    pub limit: u32,
}

/// A catalogue in a list, with the version that answers on the day.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// Number, period, rows of the version that answers.
    pub version: Option<(i64, Period, i64)>,
    /// Whether a draft is being prepared; only editors learn of it.
    pub draft: bool,
}

/// Catalogues a reader sees, by name. A mapping is seen by who sees both its ends.
///
/// # Errors
/// When the database is away.
pub async fn list(db: &Db, viewer: &Viewer, on: Date, f: &ListFilter) -> Result<Vec<Listed>> {
    let mut p = params![on, f.limit];
    let mut wanted = vec![matching(&f.search, "c.search_key", &mut p)];
    let (own, source, target) =
        (viewer.condition("c", &mut p), viewer.condition("s", &mut p), viewer.condition("t", &mut p));
    wanted.push(format!("{own} AND (c.kind <> 'mapping' OR ({source} AND {target}))"));
    if let Some(mappings) = f.mappings {
        wanted.push(if mappings { "c.kind = 'mapping'" } else { "c.kind <> 'mapping'" }.to_owned());
    }
    if let Some(end) = f.end {
        p.push(Value::from(end));
        wanted.push(format!("(c.source_id = ${0} OR c.target_id = ${0})", p.len()));
    }
    if let Some(after) = f.after {
        p.push(Value::from(after));
        wanted.push(format!(
            "(c.sort_key, c.id) > (SELECT a.sort_key, a.id FROM catalogues_catalogue a WHERE a.id = ${})",
            p.len()
        ));
    }
    let sql = format!(
        "SELECT {COLUMNS}, v.number, v.valid_from, v.last_day, v.row_count,
                (SELECT COUNT(*) FROM catalogues_version d WHERE d.catalogue_id = c.id AND d.state = 'draft') AS drafts
         FROM catalogues_catalogue c
         LEFT JOIN catalogues_catalogue s ON s.id = c.source_id
         LEFT JOIN catalogues_catalogue t ON t.id = c.target_id
         LEFT JOIN catalogues_version v ON v.catalogue_id = c.id AND v.state <> 'draft' AND v.valid_from <= $1
              AND v.last_day >= $1
         WHERE {} ORDER BY c.sort_key, c.id LIMIT $2",
        wanted.join(" AND ")
    );
    let listed = |row: &Row| {
        let catalogue = catalogue(row)?;
        let version = match row.opt_int("number")? {
            Some(number) => {
                let period = Period { from: row.date("valid_from")?, to: read_end(row, "last_day")? };
                Some((number, period, row.int("row_count")?))
            }
            None => None,
        };
        let draft = viewer.sees_drafts(&catalogue) && row.int("drafts")? > 0;
        Ok(Listed { catalogue, version, draft })
    };
    db.query(&sql, p).await?.iter().map(listed).collect()
}

/// Published catalogues whose last version has ended before a day without a successor, with that last day.
///
/// # Errors
/// When the database is away.
pub async fn ended(db: &Db, on: Date) -> Result<Vec<(String, Date)>> {
    let sql = "SELECT c.code, MAX(v.last_day) AS last_day FROM catalogues_catalogue c
               JOIN catalogues_version v ON v.catalogue_id = c.id AND v.state <> 'draft' AND v.last_day >= v.valid_from
               GROUP BY c.code HAVING MAX(v.last_day) < $1 ORDER BY c.code";
    db.query(sql, params![on]).await?.iter().map(|r| Ok((r.text("code")?, r.date("last_day")?))).collect()
}

/// All mappings that were ever published.
///
/// # Errors
/// When the database is away.
pub async fn published_mappings(db: &Db) -> Result<Vec<Catalogue>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM catalogues_catalogue c WHERE c.kind = 'mapping' AND c.is_published = 1 ORDER BY c.code"
    );
    db.query(&sql, params![]).await?.iter().map(catalogue).collect()
}
