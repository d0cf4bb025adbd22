//! One certificate: the account (made once, kept), the order, the proofs, the key and the signed chain.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, ExternalAccountKey,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use kernel::{Error, Result};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use serde::{Deserialize, Serialize};

use crate::proof::Proofs;
use crate::settings::Settings;

/// For the whole of it.
const PATIENCE: Duration = Duration::from_secs(300);
/// The account, in the directory of the keys.
const ACCOUNT: &str = "account.json";

/// A certificate that was issued.
pub struct Issued {
    /// Certificate, then the authorities above it (PEM).
    pub chain: String,
    /// Its key (PEM).
    pub key: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    credentials: AccountCredentials,
}

/// Gets a certificate for the names of the section. `dir` keeps the account; `proofs` must be served where the authority
/// looks.
///
/// # Errors
/// Sentences for the operator: the authority is away, refuses, or could not fetch the proof.
pub async fn obtain(settings: &Settings, dir: &Path, proofs: &Proofs) -> Result<Issued> {
    settings.check().map_err(Error::internal)?;
    let outcome = tokio::time::timeout(PATIENCE, order(settings, dir, proofs)).await;
    proofs.hide();
    outcome.unwrap_or_else(|_| Err(fault(settings, "did not come to an end within five minutes")))
}

fn fault(settings: &Settings, what: impl std::fmt::Display) -> Error {
    Error::internal(format!("the authority {}: {what}", settings.directory))
}

async fn order(settings: &Settings, dir: &Path, proofs: &Proofs) -> Result<Issued> {
    let said = |e: instant_acme::Error| fault(settings, chain(&e));
    let account = account(settings, dir).await?;
    let names: Vec<_> = settings.names.iter().map(|name| identifier(name)).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(said)?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(said)?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => return Err(fault(settings, format!("a name cannot be proved: {other:?}"))),
        }
        let challenge = authorization.challenge(ChallengeType::Http01);
        let mut challenge =
            challenge.ok_or_else(|| fault(settings, "it does not offer the proof http-01"))?;
        proofs.show(&challenge.token, challenge.key_authorization().as_str());
        challenge.set_ready().await.map_err(said)?;
    }
    let patience = RetryPolicy::new().timeout(Duration::from_secs(120));
    let status = order.poll_ready(&patience).await.map_err(said)?;
    if status != OrderStatus::Ready {
        let why = refused(&mut order).await;
        return Err(fault(settings, format!("the names were not proved ({status:?}). {why}")));
    }
    let key = KeyPair::generate().map_err(Error::internal)?;
    let mut request = CertificateParams::new(settings.names.clone()).map_err(Error::internal)?;
    request.distinguished_name = DistinguishedName::new();
    let request = request.serialize_request(&key).map_err(Error::internal)?;
    order.finalize_csr(request.der()).await.map_err(said)?;
    let chain = order.poll_certificate(&patience).await.map_err(said)?;
    Ok(Issued { chain, key: key.serialize_pem() })
}

/// What the authority said of each proof that it did not accept.
async fn refused(order: &mut Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(authorization)) = authorizations.next().await {
        let errors = authorization.challenges.iter().filter_map(|c| c.error.as_ref());
        said.extend(errors.map(|problem| problem.to_string()));
    }
    said.join("; ").chars().take(600).collect()
}

fn identifier(name: &str) -> Identifier {
    match name.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::Dns(name.to_owned()),
    }
}

/// The account there is at this authority, or a new one.
async fn account(settings: &Settings, dir: &Path) -> Result<Account> {
    let said = |e: instant_acme::Error| fault(settings, chain(&e));
    let path = dir.join(ACCOUNT);
    if let Ok(text) = fs::read(&path) {
        let kept: Kept = serde_json::from_slice(&text)
            .map_err(|e| Error::internal(format!("{} is not an account: {e}", path.display())))?;
        if kept.directory == settings.directory {
            return builder(settings)?.from_credentials(kept.credentials).await.map_err(said);
        }
    }
    let contact = format!("mailto:{}", settings.contact);
    let contacts = [contact.as_str()];
    let new = NewAccount {
        contact: if settings.contact.is_empty() { &[] } else { &contacts },
        terms_of_service_agreed: settings.agree_to_terms,
        only_return_existing: false,
    };
    let known = known_key(settings)?;
    let made = builder(settings)?.create(&new, settings.directory.clone(), known.as_ref()).await;
    let (account, credentials) = made.map_err(said)?;
    let kept = Kept { directory: settings.directory.clone(), credentials };
    write_secret(&path, &serde_json::to_vec_pretty(&kept)?)?;
    Ok(account)
}

fn builder(settings: &Settings) -> Result<AccountBuilder> {
    let made = match &settings.ca_file {
        Some(file) => Account::builder_with_root(file),
        None => Account::builder(),
    };
    made.map_err(|e| fault(settings, chain(&e)))
}

fn known_key(settings: &Settings) -> Result<Option<ExternalAccountKey>> {
    let Some(file) = &settings.key_file else { return Ok(None) };
    let text = fs::read_to_string(file)
        .map_err(|e| Error::internal(format!("{} cannot be read: {e}", file.display())))?;
    let key = URL_SAFE_NO_PAD
        .decode(text.trim().trim_end_matches('='))
        .map_err(|_| Error::internal(format!("{} is not base64url", file.display())))?;
    Ok(Some(ExternalAccountKey::new(settings.key_id.clone(), &key)))
}

/// Whole or not at all, for its owner alone.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let half: PathBuf = path.with_extension("half");
    let _ = fs::remove_file(&half);
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    Ok(fs::rename(&half, path)?)
}

fn chain(e: &dyn std::error::Error) -> String {
    let mut said = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        let more = e.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = e.source();
    }
    said
}
