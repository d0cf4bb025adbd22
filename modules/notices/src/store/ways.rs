//! How people are reached, and when not.

use base::clock::Timestamp;
use base::error::{Error, Result};
use kernel::db::{Db, Row};
use kernel::notices::Channel;
use kernel::{PersonId, Tx, params};

use crate::quiet::Quiet;
use crate::way::{Way, WayId};

const COLUMNS: &str = "id, channel, masked, verified_at, code_until";

fn from_row(r: &Row) -> Result<Way> {
    let channel = r.text("channel")?;
    Ok(Way {
        id: r.id("id")?,
        channel: Channel::from_name(&channel)
            .ok_or_else(|| Error::internal(format!("channel `{channel}`")))?,
        masked: r.text("masked")?,
        verified_at: r.opt_time("verified_at")?,
        code_until: r.opt_time("code_until")?,
    })
}

/// The ways of a person, the oldest first.
pub(crate) async fn of_person(db: &Db, person: PersonId) -> Result<Vec<Way>> {
    let sql = format!("SELECT {COLUMNS} FROM notices_way WHERE person = $1 ORDER BY created_at, id");
    db.query(&sql, params![person]).await?.iter().map(from_row).collect()
}

/// The sealed addresses by which a person is reached, with how they are shown.
pub(crate) async fn verified(db: &Db, person: PersonId) -> Result<Vec<(Way, Vec<u8>)>> {
    let sql = format!(
        "SELECT {COLUMNS}, address FROM notices_way WHERE person = $1 AND verified_at IS NOT NULL
         ORDER BY created_at, id"
    );
    let read = |r: &Row| Ok((from_row(r)?, r.blob("address")?));
    db.query(&sql, params![person]).await?.iter().map(read).collect()
}

/// A way that is being made.
pub(crate) struct NewWay<'a> {
    pub id: WayId,
    pub person: PersonId,
    pub channel: Channel,
    pub address: Vec<u8>,
    pub digest: [u8; 32],
    pub masked: &'a str,
    pub code: [u8; 32],
    pub code_until: Timestamp,
}

/// Adds a way. `false` when the person has it already.
pub(crate) async fn insert(tx: &mut Tx, w: NewWay<'_>) -> Result<bool> {
    let now = tx.kernel().clock.now();
    let sql = "INSERT INTO notices_way (id, person, channel, address, digest, masked, code, code_until, tries, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9) ON CONFLICT (person, channel, digest) DO NOTHING";
    let values =
        params![w.id, w.person, w.channel.name(), w.address, w.digest, w.masked, w.code, w.code_until, now];
    Ok(tx.execute(sql, values).await? == 1)
}

/// A way of this person as far as its code goes, locked.
pub(crate) struct Proof {
    pub channel: Channel,
    pub address: Vec<u8>,
    pub masked: String,
    pub code: Option<Vec<u8>>,
    pub code_until: Option<Timestamp>,
    pub tries: i64,
    pub verified: bool,
}

/// Locks a way of this person.
pub(crate) async fn lock(tx: &mut Tx, person: PersonId, id: WayId) -> Result<Option<Proof>> {
    let sql = "SELECT channel, address, masked, code, code_until, tries, verified_at FROM notices_way
               WHERE id = $1 AND person = $2 {for_update}";
    let read = |r: Row| {
        let channel = r.text("channel")?;
        Ok(Proof {
            channel: Channel::from_name(&channel)
                .ok_or_else(|| Error::internal(format!("channel `{channel}`")))?,
            address: r.blob("address")?,
            masked: r.text("masked")?,
            code: r.opt_blob("code")?,
            code_until: r.opt_time("code_until")?,
            tries: r.int("tries")?,
            verified: r.opt_int("verified_at")?.is_some(),
        })
    };
    tx.query_opt(sql, params![id, person]).await?.map(read).transpose()
}

/// Gives a way a new code.
pub(crate) async fn set_code(tx: &mut Tx, id: WayId, code: [u8; 32], until: Timestamp) -> Result<()> {
    let sql = "UPDATE notices_way SET code = $2, code_until = $3, tries = 0 WHERE id = $1";
    tx.execute(sql, params![id, code, until]).await?;
    Ok(())
}

/// Counts a wrong code.
pub(crate) async fn wrong_code(tx: &mut Tx, id: WayId) -> Result<()> {
    tx.execute("UPDATE notices_way SET tries = tries + 1 WHERE id = $1", params![id]).await?;
    Ok(())
}

/// The code was right: the way counts.
pub(crate) async fn verify(tx: &mut Tx, id: WayId) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "UPDATE notices_way SET verified_at = $2, code = NULL, code_until = NULL WHERE id = $1";
    tx.execute(sql, params![id, now]).await?;
    Ok(())
}

/// Takes a way of this person away. `false` when there is none.
pub(crate) async fn remove(tx: &mut Tx, person: PersonId, id: WayId) -> Result<bool> {
    let sql = "DELETE FROM notices_way WHERE id = $1 AND person = $2";
    Ok(tx.execute(sql, params![id, person]).await? == 1)
}

/// When a person is not to be told what can wait.
pub(crate) async fn quiet(db: &Db, person: PersonId) -> Result<Option<Quiet>> {
    let sql = "SELECT from_minute, until_minute FROM notices_quiet WHERE person = $1";
    let read = |r: Row| Ok(Quiet { from: r.int("from_minute")?, until: r.int("until_minute")? });
    db.query_opt(sql, params![person]).await?.map(read).transpose()
}

/// Sets or ends somebody's quiet hours.
pub(crate) async fn set_quiet(tx: &mut Tx, person: PersonId, quiet: Option<Quiet>) -> Result<()> {
    match quiet {
        None => tx.execute("DELETE FROM notices_quiet WHERE person = $1", params![person]).await?,
        Some(q) => {
            let sql = "INSERT INTO notices_quiet (person, from_minute, until_minute) VALUES ($1, $2, $3)
                       ON CONFLICT (person) DO UPDATE SET from_minute = EXCLUDED.from_minute,
                           until_minute = EXCLUDED.until_minute";
            tx.execute(sql, params![person, q.from, q.until]).await?
        }
    };
    Ok(())
}
