//! Finding units by name without tone marks, by beginnings of syllables, with or without the names of the units above
//! them ("phu son thanh hoa"), or by code.

use base::clock::Date;
use base::error::Result;
use base::text;

use super::Orgs;
use super::ask::Ask;
use super::kind::Tree;
use super::model::Version;
use super::store::{self, VERSION};
use crate::db::Value;
use crate::params;

/// Most syllables and letters looked at.
const TOKENS: usize = 10;
const LETTERS: usize = 24;

/// A unit found, with the units above it on that day, nearest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The unit.
    pub version: Version,
    /// Full names of the units above it.
    pub above: Vec<String>,
    /// Found by its own code or name; otherwise with the help of the names above it.
    pub own: bool,
}

impl<Q: Ask> Orgs<Q> {
    /// Units valid on a day whose name, together with the names above it, has a syllable beginning with each of the
    /// given ones; or whose code begins with the given digits. Best first: the whole name, then its beginning.
    pub async fn search(&mut self, tree: Tree, query: &str, on: Date, limit: u32) -> Result<Vec<Hit>> {
        let tokens = tokens(query);
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let (sql, params) = statement(tree, &tokens, on, limit);
        self.ask(&sql, params).await?.iter().map(hit).collect()
    }

    /// Units of any day with a name that has a syllable beginning with each of the given ones: what to show when
    /// nothing is found on the day asked for.
    pub async fn search_any_day(&mut self, tree: Tree, query: &str, limit: u32) -> Result<Vec<Version>> {
        let tokens = tokens(query);
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let mut params = params![tree.key(), tokens.join(" "), limit];
        let all = own_name(&tokens, &mut params, " AND ");
        let sql = format!(
            "SELECT {VERSION} FROM orgs_version v
             WHERE v.tree = $1 AND v.superseded_at IS NULL AND ({all} OR v.code = $2)
             ORDER BY CASE WHEN v.name_fold = $2 THEN 0 ELSE 1 END, v.rank, v.sort_key, v.valid_from, v.unit
             LIMIT $3"
        );
        store::versions(&self.ask(&sql, params).await?)
    }
}

fn hit(row: &crate::db::Row) -> Result<Hit> {
    let above = ["parent_name", "grandparent_name"];
    let above = above.iter().map(|c| row.opt_text(c)).collect::<Result<Vec<_>>>()?;
    let (version, above) = (store::version(row)?, above.into_iter().flatten().collect());
    Ok(Hit { version, above, own: row.int("place")? < 4 })
}

/// Folded syllables: letters and digits only, so that nothing of the query can act as a pattern.
fn tokens(query: &str) -> Vec<String> {
    let folded = text::fold(&query.chars().take(200).collect::<String>());
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|t| !t.is_empty())
        .take(TOKENS)
        .map(|t| t.chars().take(LETTERS).collect())
        .collect()
}

fn own_name(tokens: &[String], params: &mut Vec<Value>, join: &str) -> String {
    let mut conditions = Vec::new();
    for token in tokens {
        params.push(Value::Text(format!("% {token}%")));
        conditions.push(format!("v.fold LIKE ${}", params.len()));
    }
    format!("({})", conditions.join(join))
}

fn statement(tree: Tree, tokens: &[String], on: Date, limit: u32) -> (String, Vec<Value>) {
    let whole = tokens.join(" ");
    let mut params = params![tree.key(), on, &whole, format!("{whole}%"), limit];
    let first = params.len() + 1;
    let any = own_name(tokens, &mut params, " OR ");
    let places: Vec<usize> = (first..first + tokens.len()).collect();
    let all: Vec<String> = places
        .iter()
        .map(|i| {
            format!("(v.fold LIKE ${i} OR COALESCE(p.fold, '') LIKE ${i} OR COALESCE(g.fold, '') LIKE ${i})")
        })
        .collect();
    let own: Vec<String> = places.iter().map(|i| format!("v.fold LIKE ${i}")).collect();
    let digits = tokens.len() == 1 && whole.bytes().all(|b| b.is_ascii_digit());
    let code = if digits { "v.code LIKE $4" } else { "v.code = $3" };
    let sql = format!(
        "SELECT {VERSION}, p.full_name AS parent_name, g.full_name AS grandparent_name,
                CASE WHEN v.code = $3 THEN 0 WHEN v.name_fold = $3 OR v.fold LIKE '% ' || $3 || ' ' THEN 1
                     WHEN v.name_fold LIKE $4 THEN 2 WHEN {code} OR ({}) THEN 3 ELSE 4 END AS place
         FROM orgs_version v
         LEFT JOIN orgs_version p ON p.unit = v.parent AND p.superseded_at IS NULL
              AND p.valid_from <= $2 AND p.valid_to > $2
         LEFT JOIN orgs_version g ON g.unit = p.parent AND g.superseded_at IS NULL
              AND g.valid_from <= $2 AND g.valid_to > $2
         WHERE v.tree = $1 AND v.superseded_at IS NULL AND v.valid_from <= $2 AND v.valid_to > $2
           AND ({code} OR ({any} AND {}))
         ORDER BY place, v.rank, v.sort_key, v.code, v.unit
         LIMIT $5",
        own.join(" AND "),
        all.join(" AND "),
    );
    (sql, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_become_plain_syllables() {
        assert_eq!(tokens("  Phường Hạc-Thành%_ "), ["phuong", "hac", "thanh"]);
        assert_eq!(tokens("' OR 1=1 --"), ["or", "1", "1"]);
        assert!(tokens("%%%").is_empty());
        assert_eq!(tokens(&"a ".repeat(500)).len(), TOKENS);
        assert_eq!(tokens(&"x".repeat(500))[0].len(), LETTERS);
    }
}
