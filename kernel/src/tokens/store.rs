//! Signing keys (sealed) and revocations in the database. SQL only.

use base::clock::Timestamp;
use base::error::{Error, Result};
use base::random::Random;

use super::keys::{KeyAge, PublicKey, Rotation, SigningKey, Stage, rotation};
use super::revocations::{Revocation, Revoked};
use crate::cx::Cx;
use crate::db::{Db, Migration, Row};
use crate::ids::Ref;
use crate::kernel::{Kernel, Tx};
use crate::keys::Keys;
use crate::params;

/// Tables of this part.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_tokens",
    sql: "
CREATE TABLE tokens_key (
    kid TEXT PRIMARY KEY,
    -- 'next', 'current', or the kid of a retired key: never two that sign, whatever processes run at once.
    slot TEXT NOT NULL UNIQUE,
    stage TEXT NOT NULL,
    since INTEGER NOT NULL,
    x TEXT NOT NULL,
    y TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE TABLE tokens_revocation (
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (kind, what)
) STRICT;
CREATE INDEX tokens_revocation_at ON tokens_revocation (at);
",
}];

const PURPOSE: &str = "tokens/signing-key";

/// The keys as they are in the database.
pub struct Loaded {
    /// The key that signs.
    pub current: Option<SigningKey>,
    /// All that are published.
    pub published: Vec<PublicKey>,
}

/// Reads all keys; opens only the one that signs.
pub async fn load_keys(db: &Db, keys: &Keys) -> Result<Loaded> {
    let rows =
        db.query("SELECT kid, stage, since, x, y, sealed FROM tokens_key ORDER BY since", vec![]).await?;
    let mut loaded = Loaded { current: None, published: Vec::new() };
    for row in &rows {
        loaded.published.push(PublicKey::from_coordinates(&row.text("x")?, &row.text("y")?)?);
        if age(row)?.stage == Stage::Current {
            let opened = keys.open(PURPOSE, &row.blob("sealed")?).map_err(|e| {
                Error::internal(format!("the token signing key cannot be opened: {}", e.chain()))
            })?;
            loaded.current = Some(SigningKey::from_pkcs8(&opened)?);
        }
    }
    Ok(loaded)
}

/// Makes, promotes, retires and drops keys as the rule says. Returns what was done.
pub async fn rotate(k: &Kernel, force: bool) -> Result<Rotation> {
    let now = k.clock.now();
    let seen = ages(&k.db.query("SELECT kid, stage, since FROM tokens_key", vec![]).await?)?;
    if rotation(&seen, now, force).is_empty() {
        return Ok(Rotation::default());
    }
    // Keys are made before the transaction: between begin and commit only SQL is awaited.
    let (spare, other) = (SigningKey::generate()?, SigningKey::generate()?);
    let mut tx = k.begin(&Cx::kernel("tokens", now)).await?;
    let rows = tx.query("SELECT kid, stage, since FROM tokens_key ORDER BY kid {for_update}", vec![]).await?;
    let plan = rotation(&ages(&rows)?, now, force);
    for kid in &plan.drop {
        tx.execute("DELETE FROM tokens_key WHERE kid = $1", params![kid]).await?;
    }
    if let Some(kid) = &plan.promote {
        let retire =
            "UPDATE tokens_key SET stage = 'retired', slot = kid, since = $1 WHERE stage = 'current'";
        tx.execute(retire, params![now]).await?;
        let promote = "UPDATE tokens_key SET stage = 'current', slot = 'current', since = $1 WHERE kid = $2";
        tx.execute(promote, params![now, kid]).await?;
    }
    if plan.make_current {
        insert(&mut tx, &k.keys, &*k.random, &spare, Stage::Current, now).await?;
    }
    if plan.make_next {
        insert(&mut tx, &k.keys, &*k.random, &other, Stage::Next, now).await?;
    }
    if !plan.is_empty() {
        let detail = serde_json::json!({
            "promoted": plan.promote, "made_current": plan.make_current, "made_next": plan.make_next,
            "dropped": plan.drop, "forced": force,
        });
        tx.audit("tokens.key.rotated", &Ref::new("tokens.keys", "signing"), detail).await?;
    }
    tx.commit().await?;
    Ok(plan)
}

async fn insert(
    tx: &mut Tx,
    keys: &Keys,
    random: &dyn Random,
    key: &SigningKey,
    stage: Stage,
    now: Timestamp,
) -> Result<()> {
    let (x, y) = key.public.coordinates();
    let sealed = keys.seal(PURPOSE, key.pkcs8(), random)?;
    // Another process that starts at the same moment may have been first: then its key serves.
    let sql =
        "INSERT INTO tokens_key (kid, slot, stage, since, x, y, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (slot) DO NOTHING";
    tx.execute(sql, params![&key.public.kid, stage.code(), stage.code(), now, x, y, sealed]).await?;
    Ok(())
}

fn ages(rows: &[Row]) -> Result<Vec<KeyAge>> {
    rows.iter().map(age).collect()
}

fn age(row: &Row) -> Result<KeyAge> {
    let code = row.text("stage")?;
    let stage = Stage::from_code(&code).ok_or_else(|| Error::internal(format!("key stage `{code}`")))?;
    Ok(KeyAge { kid: row.text("kid")?, stage, since: row.time("since")? })
}

/// Records a revocation in the caller's transaction.
pub async fn record(tx: &mut Tx, revocation: &Revocation) -> Result<()> {
    let (kind, what) = match &revocation.what {
        Revoked::Client(id) => ("client", id),
        Revoked::Token(jti) => ("token", jti),
        Revoked::Certificate(digest) => ("certificate", digest),
    };
    let sql = "INSERT INTO tokens_revocation (kind, what, at) VALUES ($1, $2, $3)
               ON CONFLICT (kind, what) DO UPDATE SET at = EXCLUDED.at
               WHERE tokens_revocation.at < EXCLUDED.at";
    tx.execute(sql, params![kind, what, revocation.at]).await?;
    Ok(())
}

/// Revocations decided at or after `since`.
pub async fn revocations(db: &Db, since: Timestamp) -> Result<Vec<Revocation>> {
    let sql = "SELECT kind, what, at FROM tokens_revocation WHERE at >= $1";
    let rows = db.query(sql, params![since]).await?;
    rows.iter()
        .map(|r| {
            let what = match r.text("kind")?.as_str() {
                "client" => Revoked::Client(r.text("what")?),
                "certificate" => Revoked::Certificate(r.text("what")?),
                _ => Revoked::Token(r.text("what")?),
            };
            Ok(Revocation { what, at: r.time("at")? })
        })
        .collect()
}

/// Forgets revocations that concern no living token.
pub async fn prune(k: &Kernel, before: Timestamp) -> Result<u64> {
    let mut tx = k.begin(&Cx::kernel("tokens", k.clock.now())).await?;
    let gone = tx.execute("DELETE FROM tokens_revocation WHERE at < $1", params![before]).await?;
    tx.commit().await?;
    Ok(gone)
}
