//! Whose things a reader may see, turned into a condition that lists, searches, counts and exports share:
//! the operator sees all metadata, agencies those in which they take part, systems their own.

use kernel::db::Value;
use kernel::orgs::UnitId;
use kernel::{Actor, AgencyFilter, Cx, Error, Kernel, Permission, Result, params};

use crate::ids::SubsystemId;
use crate::permissions;

/// How far a reader sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Everything.
    All,
    /// Things in which one of these agencies takes part; none when the list is empty.
    Agencies(Vec<UnitId>),
    /// Things in which this subsystem takes part.
    Subsystem(SubsystemId),
}

impl Viewer {
    /// The view of whoever acts.
    ///
    /// # Errors
    /// `SignIn` or `Denied` for who may see nothing at all; `Denied` for a system that is not registered.
    pub async fn of(k: &Kernel, cx: &Cx) -> Result<Self> {
        if let Actor::System { subsystem } = &cx.actor {
            let id = subsystem_at(k, subsystem).await?;
            return id.map(Self::Subsystem).ok_or(Error::Denied { permission: permissions::READ.name });
        }
        Self::under(cx, permissions::READ)
    }

    /// How far an official reaches under a permission.
    ///
    /// # Errors
    /// `SignIn` or `Denied` for who does not hold it over anything.
    pub fn under(cx: &Cx, permission: Permission) -> Result<Self> {
        cx.may_somewhere(permission)?;
        Ok(match cx.agencies(permission) {
            AgencyFilter::All => Self::All,
            AgencyFilter::Only(units) => Self::Agencies(units),
        })
    }

    /// Paths (`instance/class/member/subsystem`) of the subsystems in which the reader takes part, retired ones
    /// included, as records of calls name them; `None` means every call may be seen.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn paths(&self, k: &Kernel) -> Result<Option<Vec<String>>> {
        if *self == Self::All {
            return Ok(None);
        }
        let mut p = params![];
        let own = self.condition(&["m.agency_id"], &["s.id"], &mut p);
        let sql = format!(
            "SELECT r.instance, m.class, m.code AS member, s.code FROM exchange_subsystem s
             JOIN exchange_member m ON m.id = s.member_id JOIN exchange_registry r ON r.one = 1 WHERE {own}"
        );
        let path = |r: &kernel::db::Row| {
            Ok([r.text("instance")?, r.text("class")?, r.text("member")?, r.text("code")?].join("/"))
        };
        k.db.query(&sql, p).await?.iter().map(path).collect::<Result<Vec<_>>>().map(Some)
    }

    /// An SQL condition that holds for rows in which the reader takes part. `agencies` are columns with agency
    /// identifiers, `subsystems` columns with subsystem identifiers; parameters are added to `p`.
    pub fn condition(&self, agencies: &[&str], subsystems: &[&str], p: &mut Vec<Value>) -> String {
        let any = |columns: &[&str], marks: &str| {
            let each: Vec<_> = columns.iter().map(|c| format!("{c} IN ({marks})")).collect();
            if each.is_empty() { "1 = 0".to_owned() } else { format!("({})", each.join(" OR ")) }
        };
        match self {
            Self::All => "1 = 1".to_owned(),
            Self::Agencies(units) if units.is_empty() => "1 = 0".to_owned(),
            Self::Agencies(units) => {
                let marks: Vec<_> = (1..=units.len()).map(|n| format!("${}", p.len() + n)).collect();
                p.extend(units.iter().map(Value::from));
                any(agencies, &marks.join(", "))
            }
            Self::Subsystem(id) => {
                p.push(id.into());
                any(subsystems, &format!("${}", p.len()))
            }
        }
    }
}

/// The registered subsystem at `instance/class/member/subsystem`.
async fn subsystem_at(k: &Kernel, path: &str) -> Result<Option<SubsystemId>> {
    let parts: Vec<_> = path.split('/').collect();
    let [instance, class, member, code] = parts.as_slice() else { return Ok(None) };
    let sql = "SELECT s.id FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
               JOIN exchange_registry r ON r.one = 1
               WHERE r.instance = $1 AND m.class = $2 AND m.code = $3 AND s.code = $4
                 AND s.retired_at IS NULL AND m.retired_at IS NULL";
    let row = k.db.query_opt(sql, params![*instance, *class, *member, *code]).await?;
    row.map(|r| r.id("id")).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::ids::Uuid;

    #[test]
    fn conditions_number_their_parameters_after_those_already_there() {
        let unit = |n| UnitId(Uuid::from_u128(n));
        let mut p = params!["x"];
        let two = Viewer::Agencies(vec![unit(1), unit(2)]);
        assert_eq!(two.condition(&["a", "b"], &["s"], &mut p), "(a IN ($2, $3) OR b IN ($2, $3))");
        assert_eq!(p.len(), 3);
        let system = Viewer::Subsystem(SubsystemId(Uuid::from_u128(3)));
        assert_eq!(system.condition(&["a"], &["s", "t"], &mut p), "(s IN ($4) OR t IN ($4))");
        assert_eq!(
            system.condition(&["a"], &[], &mut p),
            "1 = 0",
            "where systems have no part they see nothing"
        );
        assert_eq!(Viewer::Agencies(vec![]).condition(&["a"], &["s"], &mut p), "1 = 0");
        assert_eq!(Viewer::All.condition(&["a"], &["s"], &mut p), "1 = 1");
    }
}
