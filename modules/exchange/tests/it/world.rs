//! The small world the storage tests live in: two agencies with officers, a third that has no part, and the
//! sample registry.

use std::sync::Arc;

use base::clock::{Date, Timestamp};
use base::i18n::Lang;
use exchange::actions;
use exchange::ids::AgreementId;
use exchange::registry::Registry;
use exchange::{Exchange, permissions};
use kernel::cx::{Actor, Grant, Grants, Reach};
use kernel::orgs::{AgencyKind, NewAgency, UnitId};
use kernel::{Cx, Kernel, Module, Permission, PersonId, params};
use testkit::TestKernel;

use crate::registry_file::{GOOD, attachments};

/// The number of the sample's agreement.
pub const NUMBER: &str = "CT-2026-001";

/// Agencies of the tests.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// Behind the consumer `GOV/H38`.
    pub consumer: UnitId,
    /// Behind the provider `GOV/C06`.
    pub provider: UnitId,
    /// Behind nobody.
    pub neighbour: UnitId,
}

pub fn modules() -> Vec<Arc<dyn Module>> {
    vec![Arc::new(Exchange::new(Default::default()))]
}

pub fn today(k: &Kernel) -> Date {
    k.clock.now().date()
}

pub async fn agency(k: &Kernel, name: &str, code: &str) -> UnitId {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let new = NewAgency {
        kind: AgencyKind::Department,
        full_name: name.into(),
        code: Some(code.into()),
        parent: None,
        act: None,
    };
    let unit = tx.create_agency(&new, Date::new(2025, 1, 1).unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

/// The sample with the provider's agency named and its agreement waiting.
pub fn sample() -> Registry {
    let text = GOOD
        .replace("agency = \"H38\"", "agency = \"H38.01\"")
        .replace(
            "name = \"Cơ quan quản lý dữ liệu dân cư (giả định)\"",
            "name = \"Cơ quan quản lý dữ liệu dân cư (giả định)\"\nagency = \"H38.02\"",
        )
        .replace("state = \"approved\"", "state = \"waiting\"");
    exchange::registry_file::read(text.as_bytes(), &attachments).unwrap()
}

impl World {
    /// Makes the agencies and imports the sample.
    pub async fn new(t: &TestKernel) -> Self {
        let k = &t.kernel;
        let consumer = agency(k, "Sở Nội vụ (thử nghiệm)", "H38.01").await;
        let provider = agency(k, "Sở Khoa học và Công nghệ (thử nghiệm)", "H38.02").await;
        let neighbour = agency(k, "Sở Tài chính (thử nghiệm)", "H38.03").await;
        actions::import_registry(k, &operator(k), &sample()).await.unwrap();
        Self { consumer, provider, neighbour }
    }
}

fn official(k: &Kernel, grants: Vec<(Permission, Reach)>) -> Cx {
    let now = k.clock.now();
    let mut cx = Cx::stranger("test", Lang::Vi, now);
    cx.actor = Actor::Official { person: PersonId::new(&*k.clock, &*k.random), appointment: None };
    cx.name = Some("Nguyễn Thử Nghiệm".into());
    let grant = |(permission, reach): (Permission, Reach)| Grant {
        permission: permission.name.into(),
        reach,
        field: None,
        valid_from: Timestamp::default(),
        valid_to: None,
        emergency: None,
    };
    cx.grants = Arc::new(Grants(grants.into_iter().map(grant).collect()));
    cx
}

/// Runs the exchange; decides nothing.
pub fn operator(k: &Kernel) -> Cx {
    official(
        k,
        vec![
            (permissions::READ, Reach::Province),
            (permissions::ASK, Reach::Province),
            (permissions::OPERATE, Reach::Province),
        ],
    )
}

/// Sees everything, changes nothing.
pub fn auditor(k: &Kernel) -> Cx {
    official(k, vec![(permissions::READ, Reach::Province)])
}

/// An officer of these agencies who may read and decide.
pub fn officer(k: &Kernel, of: &[UnitId]) -> Cx {
    let reach = || Reach::Agencies(of.iter().copied().collect());
    official(k, vec![(permissions::READ, reach()), (permissions::DECIDE, reach())])
}

/// An officer of these agencies who may read and ask for connections.
pub fn asker(k: &Kernel, of: &[UnitId]) -> Cx {
    let reach = || Reach::Agencies(of.iter().copied().collect());
    official(k, vec![(permissions::READ, reach()), (permissions::ASK, reach())])
}

/// An officer of these agencies who may read only.
pub fn reader(k: &Kernel, of: &[UnitId]) -> Cx {
    official(k, vec![(permissions::READ, Reach::Agencies(of.iter().copied().collect()))])
}

/// A system, by its path.
pub fn system(k: &Kernel, path: &str) -> Cx {
    let mut cx = Cx::stranger("test", Lang::Vi, k.clock.now());
    cx.actor = Actor::System { subsystem: path.into() };
    cx
}

pub async fn agreement(k: &Kernel, number: &str) -> AgreementId {
    let sql = "SELECT id FROM exchange_agreement WHERE number = $1";
    k.db.query_one(sql, params![number]).await.unwrap().id("id").unwrap()
}
