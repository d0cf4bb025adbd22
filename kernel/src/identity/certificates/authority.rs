//! The platform's own authority for client certificates: its key is made here, lies sealed in the database like the keys of
//! tokens and never leaves. It signs nothing but client certificates.

use std::time::Duration;

use base::clock::Timestamp;
use base::error::{Error, Result};
use base::random::{self, Random};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber, SubjectPublicKeyInfo,
};
use time::OffsetDateTime;

use super::configured::Settings;
use crate::cx::Cx;
use crate::ids::{Ref, uuid_v7};
use crate::kernel::Kernel;
use crate::params;

const PURPOSE: &str = "identity/certificate-authority";
const DAY: Duration = Duration::from_secs(86_400);
/// How long an authority holds.
const LIFE: Duration = Duration::from_secs(3_650 * 86_400);
/// A clock of another machine may be behind by this much when it sees a fresh certificate.
const SKEW: Duration = Duration::from_secs(300);

/// What was issued.
pub(super) struct Issued {
    pub der: Vec<u8>,
    pub serial: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
}

/// Makes the authority if there is none, or if certificates would outlive the present one. An older one is trusted until
/// its end.
///
/// # Errors
/// When the database is away.
pub async fn ensure(k: &Kernel) -> Result<()> {
    let now = k.clock.now();
    let life = DAY * Settings::read(&k.config)?.life_days;
    let sql = "SELECT id, not_after FROM identity_authority WHERE slot = 'current'";
    let present = k.db.query_opt(sql, params![]).await?;
    if let Some(row) = &present
        && row.time("not_after")? > now.plus(life * 2)
    {
        return Ok(());
    }
    // Made before the transaction: between begin and commit only SQL is awaited.
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(Error::internal)?;
    let id = uuid_v7(&*k.clock, &*k.random).hyphenated().to_string();
    let not_after = now.plus(LIFE);
    let mut params =
        params_of(&*k.random, &format!("Liên Thông, chứng thư hệ thống {}", &id[..8]), now, not_after)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let der = params.self_signed(&key).map_err(Error::internal)?.der().to_vec();
    let sealed = k.keys.seal(PURPOSE, &key.serialize_der(), &*k.random)?;
    let mut tx = k.begin(&Cx::kernel("certificates", now)).await?;
    if let Some(row) = present {
        let sql = "UPDATE identity_authority SET slot = id WHERE id = $1 AND slot = 'current'";
        tx.execute(sql, params![row.text("id")?]).await?;
    }
    // Another process that starts at the same moment may have been first: then its authority serves.
    let sql = "INSERT INTO identity_authority (id, slot, der, sealed, not_after, made_at)
               VALUES ($1, 'current', $2, $3, $4, $5) ON CONFLICT (slot) DO NOTHING";
    tx.execute(sql, params![&id, der, sealed, not_after, now]).await?;
    tx.audit("certificates.authority.made", &Ref::new("certificates.authority", &id), serde_json::json!({}))
        .await?;
    tx.commit().await?;
    Ok(())
}

/// The certificates of the authorities whose client certificates are accepted: our own, present and past, in DER.
///
/// # Errors
/// When the database is away.
pub async fn trusted(k: &Kernel) -> Result<Vec<Vec<u8>>> {
    let sql = "SELECT der FROM identity_authority WHERE not_after > $1 ORDER BY made_at";
    k.db.query(sql, params![k.clock.now()]).await?.iter().map(|row| row.blob("der")).collect()
}

/// Issues a certificate for a public key: a name of our choosing, for proving a client and nothing else.
pub(super) async fn issue(k: &Kernel, spki: &[u8], client_id: &str) -> Result<Issued> {
    let sql = "SELECT der, sealed FROM identity_authority WHERE slot = 'current'";
    let missing = || Error::Unavailable { what: "certificate authority", source: None };
    let row = k.db.query_opt(sql, params![]).await?.ok_or_else(missing)?;
    let key = k.keys.open(PURPOSE, &row.blob("sealed")?)?;
    let key = KeyPair::try_from(key.as_slice()).map_err(Error::internal)?;
    let own = row.blob("der")?;
    let issuer = Issuer::from_ca_cert_der(&own.as_slice().into(), key).map_err(Error::internal)?;
    let public = SubjectPublicKeyInfo::from_der(spki).map_err(Error::internal)?;
    let now = k.clock.now();
    // Certificates know whole seconds.
    let not_after = whole(now.plus(DAY * Settings::read(&k.config)?.life_days));
    let not_before = whole(now.minus(SKEW));
    let mut params = params_of(&*k.random, client_id, not_before, not_after)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let serial = params.serial_number.as_ref().map(|s| hex::encode(s.to_bytes())).unwrap_or_default();
    let der = params.signed_by(&public, &issuer).map_err(Error::internal)?.der().to_vec();
    Ok(Issued { der, serial, not_before, not_after })
}

fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.seconds() * 1_000_000)
}

fn params_of(
    random: &dyn Random,
    name: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<CertificateParams> {
    let at = |t: Timestamp| OffsetDateTime::from_unix_timestamp(t.seconds()).map_err(Error::internal);
    let mut serial = random::bytes::<16>(random);
    // Positive, and never with a leading zero (RFC 5280 §4.1.2.2).
    serial[0] = serial[0] & 0x3f | 0x40;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, DnValue::Utf8String(name.to_owned()));
    let mut params = CertificateParams::default();
    params.not_before = at(from)?;
    params.not_after = at(until)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = subject;
    Ok(params)
}
