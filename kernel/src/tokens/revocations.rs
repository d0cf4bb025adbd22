//! What was revoked, in memory: clients from a moment on, and single tokens. Entries are only added and, once
//! every token they concern has ended, dropped; a revocation is never taken back.

use std::collections::HashMap;

use base::clock::Timestamp;

use super::claims::{Claims, MAX_LIFE, TokenError};

/// One revocation, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// What it concerns.
    pub what: Revoked,
    /// When it was decided.
    pub at: Timestamp,
}

/// What a revocation concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// Every token issued to this client up to the moment.
    Client(String),
    /// The one token with this `jti`.
    Token(String),
    /// Every token bound to this certificate (SHA-256, base64url).
    Certificate(String),
}

/// The list in memory.
#[derive(Debug, Clone, Default)]
pub struct Revocations {
    clients: HashMap<String, Timestamp>,
    tokens: HashMap<String, Timestamp>,
    certificates: HashMap<String, Timestamp>,
}

impl Revocations {
    /// This list with `more` added and what has had its time dropped.
    pub fn with(&self, more: impl IntoIterator<Item = Revocation>, now: Timestamp) -> Self {
        let mut next = self.clone();
        for r in more {
            let (list, key) = match r.what {
                Revoked::Client(id) => (&mut next.clients, id),
                Revoked::Token(jti) => (&mut next.tokens, jti),
                Revoked::Certificate(digest) => (&mut next.certificates, digest),
            };
            let at = list.entry(key).or_insert(r.at);
            *at = (*at).max(r.at);
        }
        next.clients.retain(|_, at| needed(*at, now));
        next.tokens.retain(|_, at| needed(*at, now));
        next.certificates.retain(|_, at| needed(*at, now));
        next
    }

    /// Refuses a token that this list concerns.
    ///
    /// # Errors
    /// [`TokenError::Revoked`].
    pub fn check(&self, claims: &Claims) -> Result<(), TokenError> {
        let by_client = self.clients.get(&claims.client_id).is_some_and(|at| claims.iat <= at.seconds());
        let by_certificate =
            claims.cnf.as_ref().is_some_and(|c| self.certificates.contains_key(&c.certificate));
        if by_client || by_certificate || self.tokens.contains_key(&claims.jti) {
            return Err(TokenError::Revoked);
        }
        Ok(())
    }

    /// The first whole second at which a new token for this client is not covered by a revocation.
    pub fn issue_from(&self, client_id: &str) -> Option<i64> {
        self.clients.get(client_id).map(|at| at.seconds().saturating_add(1))
    }

    /// Entries in the list.
    pub fn len(&self) -> usize {
        self.clients.len() + self.tokens.len() + self.certificates.len()
    }

    /// Nothing revoked lately.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A token issued before `at` may still live. Two minutes more, for clocks that differ.
pub(super) fn needed(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) <= MAX_LIFE + std::time::Duration::from_secs(120)
}

#[cfg(test)]
mod tests {
    use super::super::claims::Confirmation;
    use super::super::claims::tests::sample;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn client(id: &str, seconds: i64) -> Revocation {
        Revocation { what: Revoked::Client(id.into()), at: at(seconds) }
    }

    #[test]
    fn tokens_up_to_the_moment_are_refused_and_later_ones_are_not() {
        let list = Revocations::default().with([client("one-stop", 1_800_000_000)], at(1_800_000_000));
        assert_eq!(list.check(&sample()), Err(TokenError::Revoked));
        let later = Claims { iat: list.issue_from("one-stop").unwrap(), ..sample() };
        assert_eq!(list.check(&later), Ok(()));
        assert_eq!(list.check(&Claims { client_id: "other".into(), ..sample() }), Ok(()));
    }

    #[test]
    fn one_token_alone_can_be_revoked() {
        let what = Revoked::Token(sample().jti);
        let list =
            Revocations::default().with([Revocation { what, at: at(1_800_000_005) }], at(1_800_000_005));
        assert_eq!(list.check(&sample()), Err(TokenError::Revoked));
        assert_eq!(list.check(&Claims { jti: "another".into(), ..sample() }), Ok(()));
    }

    #[test]
    fn a_certificate_takes_its_tokens_with_it_and_no_others() {
        let cnf = |digest: &str| Some(Confirmation { certificate: digest.into() });
        let what = Revoked::Certificate("abc".into());
        let list =
            Revocations::default().with([Revocation { what, at: at(1_800_000_005) }], at(1_800_000_005));
        assert_eq!(list.check(&Claims { cnf: cnf("abc"), ..sample() }), Err(TokenError::Revoked));
        assert_eq!(list.check(&Claims { cnf: cnf("abd"), ..sample() }), Ok(()));
        assert_eq!((list.check(&sample()), list.len()), (Ok(()), 1));
    }

    #[test]
    fn an_older_answer_from_the_table_does_not_take_a_revocation_back() {
        let list = Revocations::default().with([client("a", 100)], at(100));
        let list = list.with([client("a", 50)], at(101)).with([], at(102));
        assert_eq!(list.issue_from("a"), Some(101));
    }

    #[test]
    fn entries_go_when_no_token_can_be_concerned() {
        let list = Revocations::default().with([client("a", 0)], at(0));
        assert_eq!(list.with([], at(3_700)).len(), 1);
        assert!(list.with([], at(3_721)).is_empty());
    }
}
