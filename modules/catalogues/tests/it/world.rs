//! Agencies, catalogues and people as several tests need them. Everything here is invented.

use std::sync::Arc;

use catalogues::actions::{self, New, NewEnds};
use catalogues::catalogue::{Description, Kind};
use catalogues::content::Given;
use catalogues::version::{Outline, Period, Version};
use catalogues::{Catalogues, permissions};
use kernel::clock::Date;
use kernel::orgs::{AgencyKind, NewAgency, UnitId};
use kernel::{Cx, Kernel, Module, Reach};
use testkit::{App, Client, TestKernel, backends};
use web::Pages;

pub const OLD: &str = "code;name;parent;order\nA;Khu A;;\nA1;Khu A1;A;2\nA2;Khu A2;A;1\nB;Khu Bờ Đê;;\n";
pub const NEW: &str = "code;name;parent\nM;Khu Mới;\nM1;Khu Mới 1;M\nN;Khu Nổi;\n";

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn modules() -> Vec<Arc<dyn Module>> {
    vec![Arc::new(Catalogues)]
}

/// The platform itself, which may do everything.
pub fn cx(k: &Kernel) -> Cx {
    Cx::kernel("test", k.clock.now())
}

pub async fn agency(k: &Kernel, name: &str, code: &str) -> UnitId {
    let new = NewAgency {
        kind: AgencyKind::Department,
        full_name: name.into(),
        code: Some(code.into()),
        parent: None,
        act: None,
    };
    let mut tx = k.begin(&cx(k)).await.unwrap();
    let unit = tx.create_agency(&new, day("2025-01-01")).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

pub fn about(name: &str, public: bool) -> Description {
    Description { name_vi: name.into(), public, ..Description::default() }
}

pub async fn catalogue(k: &Kernel, owner: UnitId, code: &str, name: &str, public: bool) {
    let new = New { kind: Kind::Shared, code: code.into(), about: about(name, public), owner, ends: None };
    actions::create(k, &cx(k), new, None).await.unwrap();
}

pub async fn mapping(k: &Kernel, owner: UnitId, code: &str, ends: NewEnds) {
    let about = about("Ánh xạ khu", true);
    let new = New { kind: Kind::Mapping, code: code.into(), about, owner, ends: Some(ends) };
    actions::create(k, &cx(k), new, None).await.unwrap();
}

pub fn outline(from: &str, to: Option<&str>) -> Outline {
    let period = Period::new(day(from), to.map(day)).unwrap();
    Outline { period, act: "01/QĐ-KT".into(), note: String::new() }
}

/// A draft with these rows.
pub async fn drafted(k: &Kernel, code: &str, from: &str, to: Option<&str>, csv: &str) -> Version {
    let (draft, _) = actions::draft(k, &cx(k), code, outline(from, to), false, None).await.unwrap();
    let kind = catalogues::questions::find(k, &cx(k), code).await.unwrap().kind;
    let given = Given::from_csv(kind, csv.as_bytes()).unwrap();
    let done = actions::import(k, &cx(k), code, draft.number, given, None, false).await.unwrap();
    assert!(done.applied, "{:?}", done.refused);
    done.version
}

/// A published version with these rows.
pub async fn published(k: &Kernel, code: &str, from: &str, to: Option<&str>, csv: &str) -> Version {
    let draft = drafted(k, code, from, to, csv).await;
    actions::publish(k, &cx(k), code, draft.number, None).await.unwrap()
}

/// A site with two agencies: a public catalogue across 1 July 2025 and a mapping over it, a catalogue that is not
/// public, and one that is a draft only; all of the first agency.
pub struct Site {
    pub app: App,
    pub owner: UnitId,
    pub neighbour: UnitId,
}

impl Site {
    pub async fn new(backend: &'static str) -> Self {
        let pages: Vec<Arc<dyn Pages>> = vec![Arc::new(Catalogues)];
        let t = Arc::new(TestKernel::new(backend, &modules()).await);
        let k = &t.kernel;
        let owner = agency(k, "Sở Thử nghiệm", "H99.01").await;
        let neighbour = agency(k, "Sở Láng giềng", "H99.02").await;
        catalogue(k, owner, "KHU", "Danh mục khu", true).await;
        published(k, "KHU", "2025-03-01", None, OLD).await;
        published(k, "KHU", "2025-07-01", None, NEW).await;
        let ends = NewEnds {
            source: "KHU".into(),
            target: "KHU".into(),
            source_on: Some(day("2025-06-30")),
            target_on: None,
        };
        mapping(k, owner, "KHU-2025", ends).await;
        let pairs = "source,relation,target,reason\nA,narrower,M,\nA1,overlaps,M,\nA1,overlaps,M1,\nB,none,,bỏ khu B\n";
        published(k, "KHU-2025", "2025-07-01", None, pairs).await;
        catalogue(k, owner, "NOI-BO", "Danh mục nội bộ", false).await;
        published(k, "NOI-BO", "2025-01-01", None, "code,name\nX1,Mục kín\n").await;
        catalogue(k, owner, "NHAP", "Danh mục đang lập", true).await;
        drafted(k, "NHAP", "2025-01-01", None, "code,name\nY1,Mục nháp\n").await;
        Self { app: App::on(t, pages).await, owner, neighbour }
    }

    pub fn k(&self) -> &Kernel {
        &self.app.t.kernel
    }

    pub fn officer(&self, unit: UnitId) -> Client {
        self.app.log_in_as(permissions::ALL, &Reach::Agencies([unit].into()))
    }
}

pub async fn on_both(test: impl AsyncFn(&Site)) {
    for backend in backends() {
        let site = Site::new(backend).await;
        eprintln!("— on {backend}");
        test(&site).await;
        site.app.t.close().await;
    }
}
