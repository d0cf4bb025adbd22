//! Appointments and their roles in the database. SQL only; the rules are in `appointment` and `roles`.

use std::collections::HashMap;

use base::clock::{Date, Timestamp};
use base::error::{Error, Result};

use super::appointment::{Appointment, Holding, Period};
use crate::cx::{AppointmentId, PersonId};
use crate::db::{Db, Row};
use crate::kernel::Tx;
use crate::params;

const COLUMNS: &str =
    "a.id, a.person, a.post, a.agency, a.field, a.holding, a.valid_from, a.valid_until, a.ended_at";

fn from_row(r: &Row, roles: Vec<String>) -> Result<Appointment> {
    let holding = r.text("holding")?;
    Ok(Appointment {
        id: r.id("id")?,
        person: r.id("person")?,
        post: r.text("post")?,
        agency: r.opt_id("agency")?,
        field: r.opt_text("field")?,
        holding: Holding::from_code(&holding)
            .ok_or_else(|| Error::internal(format!("holding `{holding}`")))?,
        period: Period { from: r.date("valid_from")?, until: r.opt_date("valid_until")? },
        roles,
        ended_at: r.opt_time("ended_at")?,
    })
}

/// Adds an appointment with its roles.
pub async fn add(tx: &mut Tx, a: &Appointment, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO identity_appointment
                   (id, person, post, agency, field, holding, valid_from, valid_until, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let p = params![
        a.id,
        a.person,
        &a.post,
        a.agency,
        a.field.clone(),
        a.holding.code(),
        a.period.from,
        a.period.until,
        at
    ];
    tx.execute(sql, p).await?;
    for role in &a.roles {
        let sql = "INSERT INTO identity_role_grant (appointment, role) VALUES ($1, $2)
                   ON CONFLICT (appointment, role) DO NOTHING";
        tx.execute(sql, params![a.id, role]).await?;
    }
    Ok(())
}

/// Ends an appointment at a moment.
pub async fn end(tx: &mut Tx, id: AppointmentId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_appointment SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    tx.execute(sql, params![id, at]).await.map(|_| ())
}

/// Gives an appointment a last day.
pub async fn set_until(tx: &mut Tx, id: AppointmentId, until: Date) -> Result<()> {
    let sql = "UPDATE identity_appointment SET valid_until = $2 WHERE id = $1 AND ended_at IS NULL";
    tx.execute(sql, params![id, until]).await.map(|_| ())
}

/// One appointment, or `NotFound`.
pub async fn get(db: &Db, id: AppointmentId) -> Result<Appointment> {
    let sql = format!("SELECT {COLUMNS} FROM identity_appointment a WHERE a.id = $1");
    let row = db.query_opt(&sql, params![id]).await?.ok_or(Error::NotFound { kind: AppointmentId::KIND })?;
    let sql = "SELECT role FROM identity_role_grant WHERE appointment = $1 ORDER BY role";
    let roles = db.query(sql, params![id]).await?;
    from_row(&row, roles.iter().map(|r| r.text("role")).collect::<Result<_>>()?)
}

/// All appointments of a person, newest first.
pub async fn of_person(db: &Db, person: PersonId) -> Result<Vec<Appointment>> {
    of_people(db, &[person]).await.map(|mut all| all.remove(&person).unwrap_or_default())
}

/// All appointments of some people (at most a page of them), newest first.
pub async fn of_people(db: &Db, people: &[PersonId]) -> Result<HashMap<PersonId, Vec<Appointment>>> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let marks: Vec<String> = (1..=people.len()).map(|i| format!("${i}")).collect();
    let marks = marks.join(", ");
    let ids = || people.iter().map(Into::into).collect::<Vec<_>>();
    let sql = format!(
        "SELECT g.appointment, g.role FROM identity_role_grant g
         JOIN identity_appointment a ON a.id = g.appointment WHERE a.person IN ({marks}) ORDER BY g.role"
    );
    let mut roles: HashMap<String, Vec<String>> = HashMap::new();
    for row in db.query(&sql, ids()).await? {
        roles.entry(row.text("appointment")?).or_default().push(row.text("role")?);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_appointment a WHERE a.person IN ({marks})
         ORDER BY a.valid_from DESC, a.id DESC"
    );
    let mut out: HashMap<PersonId, Vec<Appointment>> = HashMap::new();
    for row in db.query(&sql, ids()).await? {
        let own = roles.remove(&row.text("id")?).unwrap_or_default();
        let appointment = from_row(&row, own)?;
        out.entry(appointment.person).or_default().push(appointment);
    }
    Ok(out)
}
