//! How a snapshot decides a call: in which environment, under which agreement, or why not.

use base::clock::Timestamp;

use super::{AgreementEntry, Announced, ScopeEntry, ServiceEntry, Snapshot, SubsystemEntry};
use crate::deny::DenyReason;
use crate::endpoint::Route;
use crate::environment::Environment;

impl ServiceEntry {
    /// Whether the provider takes calls at `now`, whoever makes them.
    fn open(&self, now: Timestamp) -> Result<(), DenyReason> {
        if let Some((since, successor)) = self.announced.as_ref().and_then(|a| a.ended(now)) {
            return Err(DenyReason::Ended { since, successor });
        }
        match &self.disabled {
            None => Ok(()),
            Some(notice) => Err(DenyReason::ServiceDisabled { notice: notice.clone() }),
        }
    }
}

impl Announced {
    /// Since when calls are refused, and what replaces the service; only what the provider has confirmed ends calls.
    fn ended(&self, now: Timestamp) -> Option<(Timestamp, Option<String>)> {
        let since = self.ends_at.filter(|at| self.refuses && now >= *at)?;
        Some((since, self.successor.clone()))
    }
}

impl Snapshot {
    /// The routes of a service that a consumer may call at `now` (`allowedMethods`), in whatever environment: `None` when
    /// nothing is open; the declared endpoints when the whole service is, else those of its agreements.
    pub fn allowed<'s>(
        &'s self,
        consumer: &SubsystemEntry,
        service: &'s ServiceEntry,
        now: Timestamp,
    ) -> Option<Vec<&'s Route>> {
        if self.is_stale(now) {
            return None;
        }
        let mut open = Vec::new();
        let mut any = false;
        for a in self.between(consumer, service).iter().filter(|a| a.holds(now).is_ok()) {
            any = true;
            match &a.scope {
                ScopeEntry::Whole => return Some(service.endpoints.iter().map(|e| &e.route).collect()),
                ScopeEntry::Endpoints(routes) => open.extend(routes.iter()),
            }
        }
        open.sort();
        open.dedup();
        any.then_some(open)
    }

    /// The environments in which a consumer has an agreement in force at `now`, in their order.
    pub fn environments(
        &self,
        consumer: &SubsystemEntry,
        service: &ServiceEntry,
        now: Timestamp,
    ) -> Vec<Environment> {
        let between = self.between(consumer, service);
        let holds = |e: &Environment| between.iter().any(|a| a.environment == *e && a.holds(now).is_ok());
        Environment::ALL.into_iter().filter(holds).collect()
    }

    /// Where a call goes that names no environment: the furthest one in which there is or was an agreement.
    pub fn unasked(&self, consumer: &SubsystemEntry, service: &ServiceEntry) -> Option<Environment> {
        self.between(consumer, service).iter().map(|a| a.environment).max()
    }

    /// Decides one call. `path` is the normalised path below the service, `method` the verb as sent, `wanted` the
    /// environment the caller names.
    ///
    /// A call goes to the environment it names. One that names none goes to the furthest environment in which there is or
    /// was an agreement: who has one in production, be it suspended or over, is never answered from a sandbox unasked.
    /// Within the environment the oldest agreement that covers the call decides.
    ///
    /// # Errors
    /// Why the call may not pass; of several agreements the reason nearest to being good is told. A disabled
    /// service is told only to callers who might otherwise call it (X-Road checks rights first).
    pub fn decide(
        &self,
        consumer: &SubsystemEntry,
        service: &ServiceEntry,
        method: &str,
        path: &str,
        wanted: Option<Environment>,
        now: Timestamp,
    ) -> Result<&AgreementEntry, DenyReason> {
        if self.is_stale(now) {
            return Err(DenyReason::Stale { since: self.contents.not_after });
        }
        let between = self.between(consumer, service);
        let Some(furthest) = self.unasked(consumer, service) else {
            return Err(DenyReason::NoAgreement);
        };
        let environment = wanted.unwrap_or(furthest);
        let passes = |a: &AgreementEntry| a.holds(now).is_ok() && a.scope.covers(method, path);
        let mut nearest = DenyReason::NotThere { environment };
        for a in between.iter().filter(|a| a.environment == environment) {
            let reason = match a.holds(now) {
                Ok(()) if a.scope.covers(method, path) => return service.open(now).map(|()| a),
                Ok(()) => DenyReason::OutOfScope,
                Err(reason) => reason,
            };
            if reason.nearness() > nearest.nearness() {
                nearest = reason;
            }
        }
        // The nearest place below, so that the hint leads to what comes closest to what was asked.
        let others = between.iter().filter(|a| a.environment != environment && passes(a));
        match others.map(|a| a.environment).max() {
            Some(open) => Err(DenyReason::Elsewhere { reason: Box::new(nearest), open }),
            None => Err(nearest),
        }
    }

    fn between(&self, consumer: &SubsystemEntry, service: &ServiceEntry) -> &[AgreementEntry] {
        let (Some(c), Some(s)) =
            (self.clients.get(consumer.path.as_str()), self.services.get(service.path.as_str()))
        else {
            return &[];
        };
        match self.agreements.get(&(*c, *s)) {
            Some((from, to)) => &self.contents.agreements[*from as usize..*to as usize],
            None => &[],
        }
    }
}
