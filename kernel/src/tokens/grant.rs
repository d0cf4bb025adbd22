//! Decides a token request: is this the client, may it have these scopes. Failures are audited with a count,
//! at most once a minute for each client, so that a broken integration cannot flood the records.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::clock::Timestamp;
use base::error::Result;
use base::ids::Ref;

use super::TokenIssuer;
use super::oauth::{OAuthError, TokenRequest, TokenResponse};
use crate::cx::Cx;
use crate::entrance::PeerCertificate;
use crate::identity::certificates;
use crate::identity::client_use;
use crate::identity::clients::{self, Client, Proof, Which};
use crate::kernel::Kernel;

const ONE_ROW_PER: Duration = Duration::from_secs(60);
/// Clients whose failures are counted apart; beyond that they share one count.
const COUNTED_APART: usize = 1_000;

/// The token endpoint's memory. One per process.
#[derive(Default)]
pub struct Door {
    failures: Mutex<HashMap<String, Failures>>,
    uses: Mutex<HashMap<(String, bool), Timestamp>>,
}

#[derive(Clone, Copy, Default)]
struct Failures {
    unwritten: u64,
    written_at: Option<Timestamp>,
}

impl Door {
    /// Issues a token, or says no in the RFC's terms. `from` is the address of the other side, if known. A client that
    /// shows one of its certificates gets a token bound to it, whether it also gives its secret or not (RFC 8705).
    ///
    /// # Errors
    /// `Err` only for faults of the system; a refusal is the inner `Err`.
    pub async fn grant(
        &self,
        k: &Kernel,
        issuer: &TokenIssuer,
        cx: &Cx,
        request: &TokenRequest,
        from: &str,
        shown: Option<&PeerCertificate>,
    ) -> Result<Result<TokenResponse, OAuthError>> {
        let Authenticated { client, which, bound_until } = match authenticate(k, request, shown).await? {
            Ok(authenticated) => authenticated,
            Err(known) => {
                self.failed(k, cx, known.as_ref().map(|c| c.client_id.as_str())).await?;
                return Ok(Err(OAuthError::invalid_client()));
            }
        };
        self.used(k, &client, from, which).await?;
        let Some(scopes) = scopes(&client, &request.scopes) else {
            return Ok(Err(OAuthError::invalid_scope()));
        };
        // A bound token ends with its certificate.
        let until = [client.expires_at, bound_until].into_iter().flatten().min();
        let certificate = shown.filter(|_| bound_until.is_some());
        let issued =
            issuer.issue_bound(k, &client.client_id, &client.subsystem, &scopes, until, certificate)?;
        let expires_in = u64::try_from(issued.claims.exp - k.clock.now().seconds()).unwrap_or(0);
        Ok(Ok(TokenResponse {
            access_token: issued.token,
            token_type: "Bearer",
            expires_in,
            scope: issued.claims.scope,
        }))
    }

    /// Notes that a client got a token, at most once a minute for each of its secrets.
    async fn used(&self, k: &Kernel, client: &Client, from: &str, which: Which) -> Result<()> {
        let key = (client.client_id.clone(), which == Which::Previous);
        if self.worth_noting(key, k.clock.now()) {
            client_use::note(k, client.id, from, which).await?;
        }
        Ok(())
    }

    fn worth_noting(&self, key: (String, bool), now: Timestamp) -> bool {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.get(&key).is_some_and(|at| now.since(*at) < ONE_ROW_PER) {
            return false;
        }
        if uses.len() >= COUNTED_APART {
            uses.retain(|_, at| now.since(*at) < ONE_ROW_PER);
        }
        // With more clients in one minute than are remembered, some are noted more often.
        if uses.len() < COUNTED_APART {
            uses.insert(key, now);
        }
        true
    }

    /// Writes the failures of one client (or of unknown ones together) when a minute has passed.
    async fn failed(&self, k: &Kernel, cx: &Cx, client_id: Option<&str>) -> Result<()> {
        let Some(count) = self.count(client_id.unwrap_or(""), k.clock.now()) else { return Ok(()) };
        let subject = Ref::new(clients::ClientId::KIND, client_id.unwrap_or("unknown"));
        let mut tx = k.begin(cx).await?;
        tx.audit("accounts.client.refused", &subject, serde_json::json!({ "count": count })).await?;
        tx.commit().await?;
        Ok(())
    }

    fn count(&self, client_id: &str, now: Timestamp) -> Option<u64> {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if all.len() >= COUNTED_APART && !all.contains_key(client_id) { "" } else { client_id };
        let own = all.entry(key.to_owned()).or_default();
        own.unwritten += 1;
        if own.written_at.is_some_and(|at| now.since(at) < ONE_ROW_PER) {
            return None;
        }
        own.written_at = Some(now);
        Some(std::mem::take(&mut own.unwritten))
    }
}

/// A client that has proven itself.
struct Authenticated {
    client: Box<Client>,
    which: Which,
    /// Until when the certificate it showed is its own.
    bound_until: Option<Timestamp>,
}

/// By secret, by certificate, or by both; the inner error is the client the caller claims to be, if it exists.
async fn authenticate(
    k: &Kernel,
    request: &TokenRequest,
    shown: Option<&PeerCertificate>,
) -> Result<std::result::Result<Authenticated, Option<Box<Client>>>> {
    let (client, which) = match &request.secret {
        Some(secret) => match clients::prove(k, &request.client_id, secret).await? {
            Proof::Proven(client, which) => (client, which),
            Proof::Failed { known } => return Ok(Err(known)),
        },
        None => match clients::active_by_name(k, &request.client_id).await? {
            Some(client) => (Box::new(client), Which::Present),
            None => return Ok(Err(None)),
        },
    };
    let bound_until = match shown {
        Some(shown) => certificates::proves(k, &client, shown).await?,
        None => None,
    };
    if bound_until.is_none() && (request.secret.is_none() || client.certificate_only) {
        return Ok(Err(Some(client)));
    }
    Ok(Ok(Authenticated { client, which, bound_until }))
}

/// What was asked for if the client has all of it; everything it has when nothing was named.
fn scopes(client: &Client, asked: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    if asked.is_empty() {
        return Some(client.scopes.clone());
    }
    asked.is_subset(&client.scopes).then(|| asked.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute_for_each_secret() {
        let door = Door::default();
        let at = |s: i64| Timestamp::from_micros(s * 1_000_000);
        let note = |previous, s| door.worth_noting(("a".to_owned(), previous), at(s));
        assert!(note(false, 0) && !note(false, 59) && note(false, 60));
        assert!(note(true, 59), "the previous secret is noted apart");
        for i in 0..5_000 {
            door.worth_noting((format!("c{i}"), false), at(61));
        }
        assert!(door.uses.lock().unwrap().len() <= COUNTED_APART);
    }

    #[test]
    fn failures_are_written_once_a_minute_with_their_count() {
        let door = Door::default();
        let at = |s: i64| Timestamp::from_micros(s * 1_000_000);
        assert_eq!(door.count("a", at(0)), Some(1));
        for s in 1..60 {
            assert_eq!(door.count("a", at(s)), None);
        }
        assert_eq!(door.count("b", at(30)), Some(1));
        assert_eq!(door.count("a", at(60)), Some(60));
        for i in 0..5_000 {
            door.count(&format!("c{i}"), at(61));
        }
        assert!(door.failures.lock().unwrap().len() <= COUNTED_APART + 1);
    }
}
