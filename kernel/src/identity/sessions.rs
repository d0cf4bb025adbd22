//! Sessions on the server: an opaque 256-bit number in the visitor's cookie, its digest here. They end by
//! themselves, by the person, and at once when the account or the appointment ends.

use std::time::Duration;

use aws_lc_rs::digest;
use base::clock::Timestamp;
use base::error::Result;
use base::random::{self, Random};

use super::secret::Secret;
use crate::cx::{AppointmentId, Cx, PersonId};
use crate::db::{Db, Row};
use crate::kernel::{Kernel, Tx};
use crate::params;

base::id_type!(
    /// A session, as the person sees it in the list of their sessions. Not the secret.
    SessionId, "session");
crate::id_value!(SessionId);

/// Live sessions one person may have; the oldest ends when there would be more.
pub const MAX_EACH: u32 = 20;
/// "Last seen" is written at most this often.
const SEEN_EVERY: Duration = Duration::from_secs(60);
/// Ended sessions are kept this long for the person and the auditor to see.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without any request.
    pub idle: Duration,
    /// In all.
    pub absolute: Duration,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its public identifier.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// The appointment acted through.
    pub appointment: Option<AppointmentId>,
    /// When it began.
    pub created_at: Timestamp,
    /// The last request, to within a minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Ended early.
    pub ended_at: Option<Timestamp>,
    /// The browser, as it calls itself.
    pub user_agent: String,
    /// The address it came from.
    pub address: String,
}

impl Session {
    /// Whether it still serves.
    pub fn live(&self, limits: Limits, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at && now < self.last_seen_at.plus(limits.idle)
    }
}

/// Where a session comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The browser, as it calls itself.
    pub user_agent: String,
    /// The address.
    pub address: String,
}

fn hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

fn new_token(random: &dyn Random) -> Secret {
    Secret::new(random::token(random, 32))
}

/// Opens a session and returns its secret, always a new one: a number the visitor brought along is never used.
pub async fn open(
    tx: &mut Tx,
    k: &Kernel,
    person: PersonId,
    appointment: Option<AppointmentId>,
    from: &Origin,
    limits: Limits,
) -> Result<(SessionId, Secret)> {
    let now = k.clock.now();
    end_oldest(tx, person, now).await?;
    let (id, token) = (SessionId::new(&*k.clock, &*k.random), new_token(&*k.random));
    let sql = "INSERT INTO identity_session (id, token_hash, person, appointment, created_at, last_seen_at,
                   expires_at, user_agent, address) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)";
    let p = params![
        id,
        hash(token.expose()),
        person,
        appointment,
        now,
        now.plus(limits.absolute),
        cut(&from.user_agent, 300),
        cut(&from.address, 64),
    ];
    tx.execute(sql, p).await?;
    Ok((id, token))
}

fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

async fn end_oldest(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_session SET ended_at = $2 WHERE id IN (
                   SELECT id FROM identity_session WHERE person = $1 AND ended_at IS NULL AND expires_at > $2
                   ORDER BY last_seen_at DESC, id DESC LIMIT 1000 OFFSET $3)";
    tx.execute(sql, params![person, now, MAX_EACH - 1]).await.map(|_| ())
}

const COLUMNS: &str = "s.id, s.person, s.appointment, s.created_at, s.last_seen_at, s.expires_at, s.ended_at, \
    s.user_agent, s.address";

fn from_row(r: &Row) -> Result<Session> {
    Ok(Session {
        id: r.id("id")?,
        person: r.id("person")?,
        appointment: r.opt_id("appointment")?,
        created_at: r.time("created_at")?,
        last_seen_at: r.time("last_seen_at")?,
        expires_at: r.time("expires_at")?,
        ended_at: r.opt_time("ended_at")?,
        user_agent: r.text("user_agent")?,
        address: r.text("address")?,
    })
}

/// The session with this secret, live or not.
pub async fn by_token(db: &Db, token: &str) -> Result<Option<Session>> {
    // Ours have 43 characters; longer ones are not worth hashing.
    if token.len() > 128 {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM identity_session s WHERE s.token_hash = $1");
    db.query_opt(&sql, params![hash(token)]).await?.as_ref().map(from_row).transpose()
}

/// A person's live sessions, the latest seen first.
pub async fn of_person(db: &Db, person: PersonId, limits: Limits, now: Timestamp) -> Result<Vec<Session>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_session s WHERE s.person = $1 AND s.ended_at IS NULL AND s.expires_at > $2
         ORDER BY s.last_seen_at DESC, s.id DESC LIMIT {MAX_EACH}"
    );
    let rows = db.query(&sql, params![person, now]).await?;
    let all = rows.iter().map(from_row).collect::<Result<Vec<_>>>()?;
    Ok(all.into_iter().filter(|s| s.live(limits, now)).collect())
}

/// Notes that the session was used, at most once a minute.
pub async fn seen(k: &Kernel, session: &Session, now: Timestamp) -> Result<()> {
    if now.since(session.last_seen_at) < SEEN_EVERY {
        return Ok(());
    }
    let mut tx = k.begin(&Cx::kernel("sessions", now)).await?;
    let sql = "UPDATE identity_session SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2";
    tx.execute(sql, params![session.id, now]).await?;
    tx.commit().await.map(|_| ())
}

/// Gives the session a new secret; the old one is worth nothing. Done whenever what it permits changes.
pub async fn renew(tx: &mut Tx, k: &Kernel, id: SessionId, through: Option<AppointmentId>) -> Result<Secret> {
    let token = new_token(&*k.random);
    let sql = "UPDATE identity_session SET token_hash = $2, appointment = $3 WHERE id = $1";
    tx.execute(sql, params![id, hash(token.expose()), through]).await?;
    Ok(token)
}

/// Ends one of the person's sessions. `false` when it is not theirs or is over.
pub async fn end(tx: &mut Tx, person: PersonId, id: SessionId, at: Timestamp) -> Result<bool> {
    let sql = "UPDATE identity_session SET ended_at = $3 WHERE id = $1 AND person = $2 AND ended_at IS NULL";
    Ok(tx.execute(sql, params![id, person, at]).await? == 1)
}

/// Ends all of the person's sessions, except perhaps the one they are using. Returns how many.
pub async fn end_all(tx: &mut Tx, person: PersonId, except: Option<SessionId>, at: Timestamp) -> Result<u64> {
    let sql = "UPDATE identity_session SET ended_at = $2
               WHERE person = $1 AND ended_at IS NULL AND id <> $3";
    tx.execute(sql, params![person, at, except.map_or_else(String::new, |id| id.to_string())]).await
}

/// Ends all sessions that act through an appointment. Returns how many.
pub async fn end_through(tx: &mut Tx, appointment: AppointmentId, at: Timestamp) -> Result<u64> {
    let sql = "UPDATE identity_session SET ended_at = $2 WHERE appointment = $1 AND ended_at IS NULL";
    tx.execute(sql, params![appointment, at]).await
}

/// Deletes sessions that ended long ago.
pub async fn prune(k: &Kernel) -> Result<u64> {
    let now = k.clock.now();
    let mut tx = k.begin(&Cx::kernel("sessions", now)).await?;
    let sql = "DELETE FROM identity_session WHERE expires_at < $1";
    let gone = tx.execute(sql, params![now.minus(KEPT)]).await?;
    tx.commit().await?;
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use base::ids::Uuid;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_780_000_000_000_000 + minutes * 60_000_000)
    }

    #[test]
    fn sessions_end_when_idle_when_old_and_when_told() {
        let limits = Limits { idle: Duration::from_secs(3_600), absolute: Duration::from_secs(12 * 3_600) };
        let mut s = Session {
            id: SessionId(Uuid::from_u128(1)),
            person: PersonId(Uuid::from_u128(2)),
            appointment: None,
            created_at: at(0),
            last_seen_at: at(0),
            expires_at: at(720),
            ended_at: None,
            user_agent: String::new(),
            address: String::new(),
        };
        assert!(s.live(limits, at(59)) && !s.live(limits, at(60)));
        s.last_seen_at = at(700);
        assert!(s.live(limits, at(719)) && !s.live(limits, at(720)), "activity does not prolong for ever");
        s.ended_at = Some(at(701));
        assert!(!s.live(limits, at(702)));
    }

    #[test]
    fn control_characters_of_a_browser_name_are_dropped() {
        assert_eq!(cut("Mozilla\u{1b}[31m/5.0\r\n", 300), "Mozilla[31m/5.0");
        assert_eq!(cut(&"x".repeat(500), 300).len(), 300);
    }
}
