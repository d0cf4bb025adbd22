//! Which systems an integrator looks after: those of the agencies the appointment reaches; with a field of work, only
//! the system whose code that field is. So two vendors at one agency see nothing of each other.

use kernel::db::Row;
use kernel::orgs::UnitId;
use kernel::{Cx, Error, Kernel, Result, Scope, params};

use crate::ids::SubsystemId;
use crate::permissions::INTEGRATE;
use crate::viewer::Viewer;

/// More systems than one integrator has.
const MOST: i64 = 200;

/// A system of the integrator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The subsystem.
    pub id: SubsystemId,
    /// `instance/class/member/subsystem`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// The member's name.
    pub member: String,
    /// The agency behind the member.
    pub agency: Option<UnitId>,
    /// Its code within the member.
    pub code: String,
}

/// The reader's systems in the order of their names.
///
/// # Errors
/// `Denied` without the right over anything.
pub async fn systems(k: &Kernel, cx: &Cx) -> Result<Vec<Own>> {
    let viewer = Viewer::under(cx, INTEGRATE)?;
    let mut p = params![];
    let own = viewer.condition(&["m.agency_id"], &[], &mut p);
    p.extend(params![MOST]);
    let sql = format!("{SELECT} AND {own} ORDER BY s.sort_key, s.id LIMIT ${}", p.len());
    let found: Vec<Own> = k.db.query(&sql, p).await?.iter().map(row).collect::<Result<_>>()?;
    Ok(found.into_iter().filter(|own| covers(cx, own)).collect())
}

/// One of the reader's systems.
///
/// # Errors
/// `NotFound` also for a system of somebody else.
pub async fn system(k: &Kernel, cx: &Cx, id: SubsystemId) -> Result<Own> {
    cx.may_somewhere(INTEGRATE)?;
    let found = k.db.query_opt(&format!("{SELECT} AND s.id = $1"), params![id]).await?;
    let own = found.as_ref().map(row).transpose()?.filter(|own| covers(cx, own));
    own.ok_or(Error::NotFound { kind: SubsystemId::KIND })
}

fn covers(cx: &Cx, own: &Own) -> bool {
    cx.holds(INTEGRATE, &Scope { agency: own.agency, field: Some(own.code.clone()) })
}

const SELECT: &str = "SELECT s.id, s.code, s.name, m.class, m.code AS member_code, m.name AS member_name,
        m.agency_id, r.instance
    FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id JOIN exchange_registry r ON r.one = 1
    WHERE s.retired_at IS NULL AND m.retired_at IS NULL";

fn row(r: &Row) -> Result<Own> {
    let code = r.text("code")?;
    Ok(Own {
        id: r.id("id")?,
        path: [r.text("instance")?, r.text("class")?, r.text("member_code")?, code.clone()].join("/"),
        name: r.text("name")?,
        member: r.text("member_name")?,
        agency: r.opt_id("agency_id")?,
        code,
    })
}
