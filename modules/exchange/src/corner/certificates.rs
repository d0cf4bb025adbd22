//! Certificates with which a system proves itself: issued for the key of a signing request the integrator hands in, two or
//! more side by side, revoked at once. Signing and tables are the kernel's `identity::certificates`.

use base::clock::Timestamp;
use base::error::Refusal;
use base::i18n::{Lang, Text};
use kernel::identity::certificates::{self, Certificate, CertificateId, Fault, MOST_VALID};
use kernel::identity::clients::{self, Client, ClientId, ClientState};
use kernel::tokens::{Confirmation, Revocation, Revoked, TokenIssuer};
use kernel::{Cx, Error, Kernel, Result};
use serde_json::json;

use super::reach::Own;
use crate::{events, t};

/// The system's certificates, newest first.
///
/// # Errors
/// When the database is away.
pub async fn of(k: &Kernel, own: &Own) -> Result<Vec<Certificate>> {
    certificates::of_subsystem(&k.db, &own.path).await
}

/// One certificate of the system.
///
/// # Errors
/// `NotFound` also for one of another system.
pub async fn one(k: &Kernel, own: &Own, id: CertificateId) -> Result<Certificate> {
    mine(own, certificates::get(&k.db, id).await?)
}

fn mine(own: &Own, found: Certificate) -> Result<Certificate> {
    let own = found.subsystem == own.path;
    if own { Ok(found) } else { Err(Error::NotFound { kind: CertificateId::KIND }) }
}

fn active(own: &Own, client: Client, now: Timestamp) -> Result<Client> {
    if client.subsystem != own.path {
        return Err(Error::NotFound { kind: ClientId::KIND });
    }
    if client.state(now) != ClientState::Active {
        return Err(refusal("credential-over", |l| t::credential_is_over(l).to_owned()));
    }
    Ok(client)
}

/// Issues a certificate to one of the system's credentials for the key of a signing request.
///
/// # Errors
/// `Invalid` naming the field `csr` for a request that is not accepted; `Refused` when the credential has ended or has too
/// many certificates; `NotFound` for a credential of another system.
pub async fn issue(k: &Kernel, cx: &Cx, own: &Own, id: ClientId, csr: &[u8]) -> Result<CertificateId> {
    let now = k.clock.now();
    let client = active(own, clients::get(&k.db, id).await?, now)?;
    let requested =
        certificates::read(csr).map_err(|fault| Error::field("csr", Text::both(|l| said(fault, l))))?;
    let signed = certificates::sign(k, &client, &requested).await?;
    let mut tx = k.begin(cx).await?;
    // Locked, so that two at the same time cannot both be the last that is permitted.
    let client = active(own, clients::lock(&mut tx, id).await?, now)?;
    let valid = certificates::of_client(&k.db, id).await?.iter().filter(|c| c.serves(now)).count();
    if valid >= MOST_VALID {
        return Err(refusal("too-many-certificates", |l| t::certificate_too_many(l, MOST_VALID)));
    }
    let (certificate, thumbprint) = certificates::add(&mut tx, client.id, signed).await?;
    let fact =
        events::Credential { client: client.id, client_id: client.client_id.clone(), subsystem: own.id };
    tx.publish(&events::CredentialCertified(fact)).await?;
    let detail = json!({ "client_id": client.client_id, "sha256": thumbprint, "key": requested.kind });
    tx.audit("exchange.certificate.issued", &certificate.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(certificate)
}

/// Revokes a certificate for good, with every token bound to it.
///
/// # Errors
/// `NotFound`; a refusal for one that serves no more.
pub async fn revoke(issuer: &TokenIssuer, k: &Kernel, cx: &Cx, own: &Own, id: CertificateId) -> Result<()> {
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    let found = mine(own, certificates::lock(&mut tx, id).await?)?;
    if !found.serves(now) {
        return Err(refusal("certificate-over", |l| t::certificate_is_over(l).to_owned()));
    }
    certificates::revoke(&mut tx, id, now).await?;
    let thumbprint = hex::decode(&found.thumbprint).map_err(Error::internal)?;
    let what = Revoked::Certificate(Confirmation::of_thumbprint(&thumbprint).certificate);
    let revocation = Revocation { what, at: now };
    issuer.revoke(&mut tx, &revocation).await?;
    let detail = json!({ "client_id": found.client_id, "sha256": found.thumbprint });
    tx.audit("exchange.certificate.revoked", &id.to_ref(), detail).await?;
    tx.commit().await?;
    issuer.learn([revocation], now);
    Ok(())
}

/// Makes a credential prove itself by certificate only, or lets its secret suffice again.
///
/// # Errors
/// `NotFound`; a refusal for one that has ended, or that has no certificate to prove itself by.
pub async fn require(k: &Kernel, cx: &Cx, own: &Own, id: ClientId, only: bool) -> Result<()> {
    let now = k.clock.now();
    let has_one = certificates::of_client(&k.db, id).await?.iter().any(|c| c.serves(now));
    let mut tx = k.begin(cx).await?;
    let client = active(own, clients::lock(&mut tx, id).await?, now)?;
    if only && !has_one {
        return Err(refusal("no-certificate", |l| t::certificate_none_to_require(l).to_owned()));
    }
    clients::set_certificate_only(&mut tx, id, only).await?;
    let detail = json!({ "client_id": client.client_id, "certificate_only": only });
    tx.audit("exchange.credential.certificate_only", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(())
}

fn refusal(code: &'static str, say: impl Fn(Lang) -> String) -> Error {
    Refusal::new(code, Text::both(say)).into()
}

fn said(fault: Fault, l: Lang) -> String {
    match fault {
        Fault::TooLarge => t::csr_too_large(l),
        Fault::NotOne => t::csr_not_one(l),
        Fault::WeakKey => t::csr_weak_key(l),
        Fault::OtherKey => t::csr_other_key(l),
        Fault::OldDigest => t::csr_old_digest(l),
        Fault::Signature => t::csr_signature(l),
    }
    .to_owned()
}
