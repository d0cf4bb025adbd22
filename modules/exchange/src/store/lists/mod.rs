//! What pages and interfaces list, with the reader's rights inside every query. Lists are read a page at a
//! time, continuing after the last row shown; counts stop at a bound, so that no page is slow because there
//! is much.

mod agreements;
mod calls;
mod catalogue;
mod monitored;

pub use agreements::{After, AgreementFilter, AgreementRow, agreement_counts, agreement_row, agreements};
pub use calls::{CallAfter, CallFilter, CallRow, Ending, Paths, call, call_counts, calls, count};
pub use catalogue::{
    CatalogueFilter, EndpointRow, MemberRow, Reach, ServiceRow, SubsystemRow, endpoints, member, members,
    national_providers, service, service_count, services, subsystem, subsystems,
};

pub use monitored::{RecordFilter, monitored};

use base::text;
use kernel::db::{Db, Value};
use kernel::{Result, params};

use crate::viewer::Viewer;

/// Rows shown at once unless asked otherwise.
pub const PAGE: u32 = 50;
/// Most rows given at once.
pub const MAX_PAGE: u32 = 200;
/// Counting stops here; what is more is shown as “1.000+”.
pub const COUNTED: u32 = 1_000;

/// Adds a condition for each word of a search; all must occur in `column`, folded.
pub(crate) fn matching(search: &str, column: &str, p: &mut Vec<Value>) -> String {
    const MOST: usize = 8;
    let mut out = String::from("1 = 1");
    for word in text::fold(search).split_whitespace().take(MOST) {
        let escaped: String =
            word.chars().flat_map(|c| if "%_!".contains(c) { vec!['!', c] } else { vec![c] }).collect();
        p.push(Value::Text(format!("%{escaped}%")));
        out.push_str(&format!(" AND {column} LIKE ${} ESCAPE '!'", p.len()));
    }
    out
}

/// How many there are of what a reader sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Members.
    pub members: i64,
    /// Subsystems.
    pub subsystems: i64,
    /// Services.
    pub services: i64,
}

/// Counts members, subsystems and services that a reader sees.
///
/// # Errors
/// When the database is away.
pub async fn totals(db: &Db, viewer: &Viewer) -> Result<Totals> {
    let count = async |sql: &str, p: Vec<Value>| db.query_one(sql, p).await?.int("n");
    let mut p = params![];
    let seen = catalogue::sees_member(viewer, &mut p);
    let members =
        format!("SELECT COUNT(*) AS n FROM exchange_member m WHERE m.retired_at IS NULL AND {seen}");
    let members = count(&members, p).await?;
    let mut p = params![];
    let seen = catalogue::sees_subsystem(viewer, &mut p);
    let subsystems = format!(
        "SELECT COUNT(*) AS n FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
         WHERE s.retired_at IS NULL AND {seen}"
    );
    let subsystems = count(&subsystems, p).await?;
    let mut p = params![];
    let seen = catalogue::sees_service(viewer, &mut p);
    let services = format!(
        "SELECT COUNT(*) AS n FROM exchange_service v JOIN exchange_subsystem s ON s.id = v.subsystem_id
         JOIN exchange_member m ON m.id = s.member_id WHERE v.retired_at IS NULL AND {seen}"
    );
    let services = count(&services, p).await?;
    Ok(Totals { members, subsystems, services })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_escape_what_like_would_read() {
        let mut p = params!["first"];
        let sql = matching("Hộ_tịch  100%", "search_key", &mut p);
        assert_eq!(sql, "1 = 1 AND search_key LIKE $2 ESCAPE '!' AND search_key LIKE $3 ESCAPE '!'");
        assert_eq!(p[1..], params!["%ho!_tich%", "%100!%%"]);
        assert_eq!(matching(&"a ".repeat(100), "x", &mut Vec::new()).matches("LIKE").count(), 8, "bounded");
    }
}
