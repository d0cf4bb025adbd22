//! Certificates in the database: what was issued, for which client, and what became of it. SQL, and the signing before it.

use base::clock::Timestamp;
use base::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::request::Requested;
use super::{Certificate, CertificateId, authority};
use crate::db::{Db, Row};
use crate::entrance::PeerCertificate;
use crate::identity::clients::{Client, ClientId};
use crate::kernel::{Kernel, Tx};
use crate::params;

const SELECT: &str = "SELECT x.id, c.client_id, c.name, c.subsystem, x.thumbprint, x.serial, x.key_kind, x.not_before, x.not_after,
    x.revoked_at FROM identity_certificate x JOIN identity_client c ON c.id = x.client";

fn from_row(r: &Row) -> Result<Certificate> {
    Ok(Certificate {
        id: r.id("id")?,
        client_id: r.text("client_id")?,
        client_name: r.text("name")?,
        subsystem: r.text("subsystem")?,
        thumbprint: r.text("thumbprint")?,
        serial: r.text("serial")?,
        key: r.text("key_kind")?,
        not_before: r.time("not_before")?,
        not_after: r.time("not_after")?,
        revoked_at: r.opt_time("revoked_at")?,
    })
}

/// A signed certificate that is not stored yet.
pub struct Signed {
    id: CertificateId,
    issued: authority::Issued,
    kind: String,
}

/// Signs a certificate for a request's key. Store it with [`add`]; until then it proves nobody.
///
/// # Errors
/// `Unavailable` before the authority was made.
pub async fn sign(k: &Kernel, client: &Client, requested: &Requested) -> Result<Signed> {
    let issued = authority::issue(k, &requested.spki, &client.client_id).await?;
    Ok(Signed { id: CertificateId::new(&*k.clock, &*k.random), issued, kind: requested.kind.clone() })
}

/// Stores a signed certificate for its client. Returns its identifier and thumbprint.
pub async fn add(tx: &mut Tx, client: ClientId, signed: Signed) -> Result<(CertificateId, String)> {
    let Signed { id, issued, kind } = signed;
    let thumbprint = hex::encode(PeerCertificate::new(issued.der.clone()).thumbprint());
    let sql = "INSERT INTO identity_certificate (id, client, thumbprint, serial, key_kind, der, not_before, not_after)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let p = params![
        id,
        client,
        &thumbprint,
        issued.serial,
        kind,
        issued.der,
        issued.not_before,
        issued.not_after
    ];
    tx.execute(sql, p).await?;
    Ok((id, thumbprint))
}

/// Certificates of a client, newest first.
///
/// # Errors
/// When the database is away.
pub async fn of_client(db: &Db, client: ClientId) -> Result<Vec<Certificate>> {
    let sql = format!("{SELECT} WHERE x.client = $1 ORDER BY x.not_before DESC, x.id DESC LIMIT 200");
    db.query(&sql, params![client]).await?.iter().map(from_row).collect()
}

/// Certificates of all clients of a subsystem, newest first.
///
/// # Errors
/// When the database is away.
pub async fn of_subsystem(db: &Db, path: &str) -> Result<Vec<Certificate>> {
    let sql = format!("{SELECT} WHERE c.subsystem = $1 ORDER BY x.not_before DESC, x.id DESC LIMIT 500");
    db.query(&sql, params![path]).await?.iter().map(from_row).collect()
}

/// Certificates that serve at `now` and end before `until`, the next to end first.
///
/// # Errors
/// When the database is away.
pub async fn ending(db: &Db, now: Timestamp, until: Timestamp) -> Result<Vec<Certificate>> {
    let sql = format!(
        "{SELECT} WHERE x.revoked_at IS NULL AND c.revoked_at IS NULL AND x.not_after > $1 AND x.not_after <= $2
         ORDER BY x.not_after, x.id LIMIT 500"
    );
    db.query(&sql, params![now, until]).await?.iter().map(from_row).collect()
}

/// One certificate, or `NotFound`.
///
/// # Errors
/// When the database is away.
pub async fn get(db: &Db, id: CertificateId) -> Result<Certificate> {
    let row = db.query_opt(&format!("{SELECT} WHERE x.id = $1"), params![id]).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: CertificateId::KIND })
}

pub(super) async fn by_thumbprint(db: &Db, thumbprint: &str) -> Result<Option<Certificate>> {
    let row = db.query_opt(&format!("{SELECT} WHERE x.thumbprint = $1"), params![thumbprint]).await?;
    row.as_ref().map(from_row).transpose()
}

/// One certificate, locked until the action ends, or `NotFound`.
///
/// # Errors
/// When the database is away.
pub async fn lock(tx: &mut Tx, id: CertificateId) -> Result<Certificate> {
    let sql = "SELECT id FROM identity_certificate WHERE id = $1 {for_update}";
    tx.query_opt(sql, params![id]).await?.ok_or(Error::NotFound { kind: CertificateId::KIND })?;
    let row = tx.query_opt(&format!("{SELECT} WHERE x.id = $1"), params![id]).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: CertificateId::KIND })
}

/// Revokes a certificate for good.
///
/// # Errors
/// When the database is away.
pub async fn revoke(tx: &mut Tx, id: CertificateId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_certificate SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    tx.execute(sql, params![id, at]).await.map(|_| ())
}

/// The certificate as PEM.
///
/// # Errors
/// `NotFound`.
pub async fn pem(db: &Db, id: CertificateId) -> Result<String> {
    let sql = "SELECT der FROM identity_certificate WHERE id = $1";
    let row = db.query_opt(sql, params![id]).await?.ok_or(Error::NotFound { kind: CertificateId::KIND })?;
    Ok(armour(&row.blob("der")?))
}

fn armour(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
