//! People with accounts: their row in the database and the shape of sign-in names. Passwords are hashed in
//! `hashing`, appointments kept in `posts`.

use base::clock::Timestamp;
use base::error::{Error, Result};
use base::i18n::Lang;
use base::text;

use crate::cx::{AgencyFilter, AppointmentId, PersonId};
use crate::db::{Db, Row, Value};
use crate::kernel::Tx;
use crate::orgs::UnitId;
use crate::params;

/// A person with an account. Never holds the password's hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The identifier.
    pub id: PersonId,
    /// The sign-in name, lower case.
    pub username: String,
    /// The full name as the person writes it.
    pub full_name: String,
    /// The language they chose.
    pub lang: Option<Lang>,
    /// When the present password was set; `None` until the first.
    pub password_set_at: Option<Timestamp>,
    /// Locked since.
    pub locked_at: Option<Timestamp>,
    /// The appointment acted through last.
    pub last_appointment: Option<AppointmentId>,
    /// The last sign-in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Raised by every change of the person, their appointments or roles.
    pub version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// What sign-in compares with.
#[derive(Clone)]
pub struct Credentials {
    /// Whose.
    pub person: PersonId,
    /// The PHC string, if a password was ever set.
    pub hash: Option<String>,
    /// Locked accounts cannot sign in.
    pub locked: bool,
    /// The appointment acted through last.
    pub last_appointment: Option<AppointmentId>,
}

/// Longest sign-in name, in characters.
pub const MAX_USERNAME: usize = 64;
/// Longest name of a person, in characters.
pub const MAX_NAME: usize = 120;

/// The stored form of a sign-in name: trimmed, lower case. `None` if it cannot be one: three to 64 of
/// `a-z 0-9 . _ - @`, beginning with a letter. Short enough to type, and an e-mail address passes.
pub fn username(typed: &str) -> Option<String> {
    let name = typed.trim().to_ascii_lowercase();
    let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-@".contains(c);
    let well_formed = (3..=MAX_USERNAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(lawful);
    well_formed.then_some(name)
}

/// The stored form of a person's name: NFC, single blanks. `None` when empty, too long or with control characters.
pub fn full_name(typed: &str) -> Option<String> {
    let name = text::nfc(&typed.split_whitespace().collect::<Vec<_>>().join(" "));
    let well_formed = (2..=MAX_NAME).contains(&name.chars().count())
        && name.chars().any(char::is_alphabetic)
        && !name.chars().any(char::is_control);
    well_formed.then_some(name)
}

/// A Vietnamese name is ordered by the given name, which stands last, then the rest.
fn name_sort_key(full_name: &str) -> String {
    let (rest, given) = full_name.rsplit_once(' ').unwrap_or(("", full_name));
    format!("{}/{}", text::sort_key(given), text::sort_key(rest))
}

const COLUMNS: &str = "p.id, p.username, p.full_name, p.lang, p.password_set_at, p.locked_at, p.last_appointment, \
    p.last_sign_in_at, p.version, p.created_at";

pub(super) fn from_row(r: &Row) -> Result<Person> {
    Ok(Person {
        id: r.id("id")?,
        username: r.text("username")?,
        full_name: r.text("full_name")?,
        lang: r.opt_text("lang")?.as_deref().and_then(Lang::from_tag),
        password_set_at: r.opt_time("password_set_at")?,
        locked_at: r.opt_time("locked_at")?,
        last_appointment: r.opt_id("last_appointment")?,
        last_sign_in_at: r.opt_time("last_sign_in_at")?,
        version: r.int("version")?,
        created_at: r.time("created_at")?,
    })
}

/// A new person as stored.
pub struct NewPerson<'a> {
    /// The identifier.
    pub id: PersonId,
    /// A name that [`username`] gave.
    pub username: &'a str,
    /// A name that [`full_name`] gave.
    pub full_name: &'a str,
    /// The hash of the first password, if it is known already.
    pub password_hash: Option<&'a str>,
    /// Now.
    pub at: Timestamp,
}

/// Adds a person. `false` when the sign-in name is taken.
pub async fn add(tx: &mut Tx, new: &NewPerson<'_>) -> Result<bool> {
    let sql = "INSERT INTO identity_person (id, username, full_name, sort_key, search_key, password_hash,
                   password_set_at, version, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) ON CONFLICT (username) DO NOTHING";
    let p = params![
        new.id,
        new.username,
        new.full_name,
        name_sort_key(new.full_name),
        search_key(new.username, new.full_name),
        new.password_hash,
        new.password_hash.map(|_| new.at),
        new.at,
    ];
    Ok(tx.execute(sql, p).await? == 1)
}

fn search_key(username: &str, full_name: &str) -> String {
    format!("{} {username}", text::fold(full_name))
}

/// Renames a person.
pub async fn rename(tx: &mut Tx, id: PersonId, username: &str, full_name: &str) -> Result<()> {
    let sql =
        "UPDATE identity_person SET full_name = $2, sort_key = $3, search_key = $4, version = version + 1
               WHERE id = $1";
    let p = params![id, full_name, name_sort_key(full_name), search_key(username, full_name)];
    tx.execute(sql, p).await.map(|_| ())
}

/// The person, or `NotFound`.
pub async fn get(db: &Db, id: PersonId) -> Result<Person> {
    let sql = format!("SELECT {COLUMNS} FROM identity_person p WHERE p.id = $1");
    let row = db.query_opt(&sql, params![id]).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: PersonId::KIND })
}

/// The person, locked until the action ends, or `NotFound`.
pub async fn lock(tx: &mut Tx, id: PersonId) -> Result<Person> {
    let sql = format!("SELECT {COLUMNS} FROM identity_person p WHERE p.id = $1 {{for_update}}");
    let row = tx.query_opt(&sql, params![id]).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: PersonId::KIND })
}

/// What sign-in compares with, for a name that [`username`] gave.
pub async fn credentials(db: &Db, username: &str) -> Result<Option<Credentials>> {
    let sql =
        "SELECT id, password_hash, locked_at, last_appointment FROM identity_person WHERE username = $1";
    let row = db.query_opt(sql, params![username]).await?;
    row.as_ref().map(credentials_from_row).transpose()
}

/// As [`credentials`], by identifier.
pub async fn credentials_of(db: &Db, id: PersonId) -> Result<Option<Credentials>> {
    let sql = "SELECT id, password_hash, locked_at, last_appointment FROM identity_person WHERE id = $1";
    let row = db.query_opt(sql, params![id]).await?;
    row.as_ref().map(credentials_from_row).transpose()
}

fn credentials_from_row(r: &Row) -> Result<Credentials> {
    Ok(Credentials {
        person: r.id("id")?,
        hash: r.opt_text("password_hash")?,
        locked: r.opt_int("locked_at")?.is_some(),
        last_appointment: r.opt_id("last_appointment")?,
    })
}

/// Stores a new password's hash.
pub async fn set_password(tx: &mut Tx, id: PersonId, hash: &str, at: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_person SET password_hash = $2, password_set_at = $3, version = version + 1
               WHERE id = $1";
    tx.execute(sql, params![id, hash, at]).await.map(|_| ())
}

/// Replaces the hash of the same password by one with today's parameters, unless the password changed meanwhile.
pub async fn renew_hash(tx: &mut Tx, id: PersonId, old: &str, new: &str) -> Result<()> {
    let sql = "UPDATE identity_person SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    tx.execute(sql, params![id, old, new]).await.map(|_| ())
}

/// Remembers the sign-in and the appointment, for the next one.
pub async fn signed_in(
    tx: &mut Tx,
    id: PersonId,
    through: Option<AppointmentId>,
    at: Timestamp,
) -> Result<()> {
    let sql =
        "UPDATE identity_person SET last_sign_in_at = $2, last_appointment = COALESCE($3, last_appointment)
               WHERE id = $1";
    tx.execute(sql, params![id, at, through]).await.map(|_| ())
}

/// Remembers the appointment chosen.
pub async fn chose(tx: &mut Tx, id: PersonId, appointment: AppointmentId) -> Result<()> {
    let sql = "UPDATE identity_person SET last_appointment = $2 WHERE id = $1";
    tx.execute(sql, params![id, appointment]).await.map(|_| ())
}

/// Locks or unlocks the account.
pub async fn set_locked(tx: &mut Tx, id: PersonId, since: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE identity_person SET locked_at = $2, version = version + 1 WHERE id = $1";
    tx.execute(sql, params![id, since]).await.map(|_| ())
}

/// Notes that something about the person's appointments changed.
pub async fn touch_version(tx: &mut Tx, id: PersonId) -> Result<()> {
    let sql = "UPDATE identity_person SET version = version + 1 WHERE id = $1";
    tx.execute(sql, params![id]).await.map(|_| ())
}

/// What a list of people may show and where it continues.
#[derive(Debug, Clone, Default)]
pub struct PeopleQuery {
    /// Folded words, all of which must occur in the name or sign-in name.
    pub search: String,
    /// Only those locked, or only those not.
    pub locked: Option<bool>,
    /// Continue after this person.
    pub after: Option<PersonId>,
    /// At most this many rows.
    pub limit: u32,
}

/// People by given name. Those whose appointments the reader may see, past ones included.
pub async fn list(db: &Db, visible: &AgencyFilter, q: &PeopleQuery) -> Result<Vec<Person>> {
    let mut p: Vec<Value> = Vec::new();
    let mut conditions = conditions(visible, q, &mut p);
    if let Some(after) = q.after {
        let sql = "SELECT sort_key FROM identity_person WHERE id = $1";
        if let Some(row) = db.query_opt(sql, params![after]).await? {
            p.extend(params![row.text("sort_key")?, after]);
            let (a, b) = (p.len() - 1, p.len());
            conditions.push(format!("(p.sort_key > ${a} OR (p.sort_key = ${a} AND p.id > ${b}))"));
        }
    }
    p.extend(params![q.limit]);
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_person p WHERE {} ORDER BY p.sort_key, p.id LIMIT ${}",
        conditions.join(" AND "),
        p.len()
    );
    db.query(&sql, p).await?.iter().map(from_row).collect()
}

/// How many people [`list`] would show in all, counted up to `most`.
pub async fn count(db: &Db, visible: &AgencyFilter, q: &PeopleQuery, most: u32) -> Result<i64> {
    let mut p: Vec<Value> = Vec::new();
    let conditions = conditions(visible, q, &mut p).join(" AND ");
    p.extend(params![most]);
    let sql = format!(
        "SELECT COUNT(*) AS n FROM (SELECT p.id FROM identity_person p WHERE {conditions} LIMIT ${}) AS found",
        p.len()
    );
    db.query_one(&sql, p).await?.int("n")
}

fn conditions(visible: &AgencyFilter, q: &PeopleQuery, p: &mut Vec<Value>) -> Vec<String> {
    let mut out = vec!["1 = 1".to_owned()];
    if let AgencyFilter::Only(_) = visible {
        let (agencies, more) = visible.sql("a.agency", p.len() + 1);
        p.extend(more);
        out.push(format!(
            "EXISTS (SELECT 1 FROM identity_appointment a WHERE a.person = p.id AND {agencies})"
        ));
    }
    for word in search_words(&q.search) {
        p.push(Value::Text(format!("%{}%", like_escaped(&word))));
        out.push(format!("p.search_key LIKE ${} ESCAPE '!'", p.len()));
    }
    match q.locked {
        Some(true) => out.push("p.locked_at IS NOT NULL".into()),
        Some(false) => out.push("p.locked_at IS NULL".into()),
        None => {}
    }
    out
}

/// At most eight folded words.
pub(super) fn search_words(typed: &str) -> Vec<String> {
    text::fold(typed).split_whitespace().take(8).map(|w| w.chars().take(40).collect()).collect()
}

/// For `LIKE … ESCAPE '!'`.
pub(super) fn like_escaped(word: &str) -> String {
    word.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// Whether anybody who can sign in holds `role` through an appointment valid now.
pub async fn anybody_holds(tx: &mut Tx, role: &str, at: Timestamp) -> Result<bool> {
    let sql = "SELECT p.id FROM identity_person p
               JOIN identity_appointment a ON a.person = p.id
               JOIN identity_role_grant g ON g.appointment = a.id
               WHERE g.role = $1 AND p.locked_at IS NULL AND p.password_hash IS NOT NULL
                 AND (a.ended_at IS NULL OR a.ended_at > $2)
                 AND a.valid_from <= $3 AND (a.valid_until IS NULL OR a.valid_until >= $3)
               LIMIT 1";
    Ok(tx.query_opt(sql, params![role, at, at.date()]).await?.is_some())
}

/// Those who can sign in and hold `role` through an appointment valid at `at`: at this agency, or anywhere; by given
/// name, at most `limit`.
pub async fn holders(
    db: &Db,
    role: &str,
    agency: Option<UnitId>,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<Person>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_person p
         WHERE p.locked_at IS NULL AND EXISTS (
             SELECT 1 FROM identity_appointment a JOIN identity_role_grant g ON g.appointment = a.id
             WHERE a.person = p.id AND g.role = $1 AND ($2 = '' OR a.agency = $2)
               AND (a.ended_at IS NULL OR a.ended_at > $3)
               AND a.valid_from <= $4 AND (a.valid_until IS NULL OR a.valid_until >= $4))
         ORDER BY p.sort_key, p.id LIMIT $5"
    );
    let agency = agency.map(|a| a.to_string()).unwrap_or_default();
    db.query(&sql, params![role, agency, at, at.date(), limit]).await?.iter().map(from_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_names_have_one_spelling() {
        assert_eq!(username("  BinhTT.ubnd "), Some("binhtt.ubnd".into()));
        assert_eq!(username("binh@tinh.gov.vn"), Some("binh@tinh.gov.vn".into()));
        for bad in ["", "ab", "1abc", "bình", "a b c", "-abc", "a\nbc", &"a".repeat(65)] {
            assert_eq!(username(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn names_are_normalised_and_controls_refused() {
        assert_eq!(full_name("  Trần   Thị Bi\u{300}nh "), Some("Trần Thị Bình".into()));
        for bad in ["", "A", "123", "Trần\u{0}Bình", &"á".repeat(121)] {
            assert_eq!(full_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn people_are_ordered_by_given_name() {
        let mut names = ["Trần Văn An", "Lê Thị Bình", "Nguyễn An", "Đỗ Ánh"];
        names.sort_by_key(|n| name_sort_key(n));
        assert_eq!(names, ["Nguyễn An", "Trần Văn An", "Đỗ Ánh", "Lê Thị Bình"]);
    }

    #[test]
    fn wildcards_in_a_search_are_plain_characters() {
        assert_eq!(like_escaped("50%_!"), "50!%!_!!");
        assert_eq!(search_words(" Bình  TRẦN "), ["binh", "tran"]);
    }
}
