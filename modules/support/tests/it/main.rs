//! Reports of errors through the front door, on every backend.

#![allow(clippy::unwrap_used)] // helpers of tests

mod coverage;
mod desk;

use std::sync::Arc;

use kernel::identity::people::{self, NewPerson};
use kernel::identity::{Appointment, Holding, Identity, Period, posts};
use kernel::orgs::{AgencyKind, NewAgency, UnitId};
use kernel::{AppointmentId, Cx, PersonId};
use support::Support;
use testkit::{App, Client};

/// The site with two agencies; the first has an administrator.
pub(crate) struct Site {
    pub app: App,
    pub own: UnitId,
    pub other: UnitId,
}

impl Site {
    pub async fn new(backend: &'static str) -> Self {
        let app = App::new(backend, vec![Arc::new(Support::new())]).await;
        let own = agency(&app, "Sở Tư pháp tỉnh Mẫu").await;
        let other = agency(&app, "Sở Tài chính tỉnh Mẫu").await;
        Self { app, own, other }
    }

    /// Somebody of a role since a while ago, with an account and an appointment.
    pub async fn somebody(&self, role: &str, agency: UnitId) -> Client {
        let k = &self.app.t.kernel;
        let (id, now) = (PersonId::new(&*k.clock, &*k.random), k.clock.now());
        let appointment = Appointment {
            id: AppointmentId::new(&*k.clock, &*k.random),
            person: id,
            post: "Chuyên viên".into(),
            agency: Some(agency),
            field: None,
            holding: Holding::Substantive,
            period: Period::new(now.date().plus_days(-30).unwrap(), None).unwrap(),
            roles: vec![role.into()],
            ended_at: None,
        };
        let username = format!("u{}", id.0.simple());
        let new =
            NewPerson {
                id, username: &username, full_name: "Nguyễn Kiểm Thử", password_hash: None, at: now
            };
        let mut tx = k.begin(&Cx::kernel("test", now)).await.unwrap();
        assert!(people::add(&mut tx, &new).await.unwrap());
        posts::add(&mut tx, &appointment, now).await.unwrap();
        tx.commit().await.unwrap();
        let grants = Identity::new(k).unwrap().grants(k, &appointment).await.unwrap();
        self.app.log_in_through(id, appointment.id, grants.0)
    }
}

async fn agency(app: &App, name: &str) -> UnitId {
    let k = &app.t.kernel;
    let new = NewAgency {
        kind: AgencyKind::Department,
        full_name: name.into(),
        code: None,
        parent: None,
        act: None,
    };
    let since = k.clock.now().date().plus_days(-400).unwrap();
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let unit = tx.create_agency(&new, since).await.unwrap();
    tx.commit().await.unwrap();
    unit
}
