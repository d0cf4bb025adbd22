//! Agreements (chấp thuận khai thác dữ liệu): what a provider opens to a consumer, for what purpose, how
//! long, and the steps such an agreement may take. Storing and announcing belong to `actions`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base::clock::{Date, Timestamp};
use base::error::{FieldError, Refusal};
use base::i18n::{Lang, Text};
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::ids::{AgreementId, EndpointId, ServiceId, SubsystemId};
use crate::quota::Quota;
use crate::t;

/// Where an agreement stands. It changes only through the functions of [`Agreement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Asked for, not yet decided by the provider.
    Waiting,
    /// The consumer may call within the terms.
    Approved,
    /// Stopped for now; may be resumed.
    Suspended,
    /// Taken back by the provider; final.
    Revoked,
    /// Its last day has passed; final.
    Expired,
    /// The provider said no; final.
    Refused,
    /// The provider asked for more; the consumer completes it.
    Returned,
    /// The consumer took its request back; final.
    Withdrawn,
}

impl State {
    /// Every state, in the order pages show them.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Returned,
        Self::Approved,
        Self::Suspended,
        Self::Expired,
        Self::Revoked,
        Self::Refused,
        Self::Withdrawn,
    ];

    /// Whether nothing follows it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Revoked | Self::Expired | Self::Refused | Self::Withdrawn)
    }

    /// As stored and written in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Returned => "returned",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The word people read.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Waiting => t::state_waiting(lang),
            Self::Approved => t::state_approved(lang),
            Self::Suspended => t::state_suspended(lang),
            Self::Revoked => t::state_revoked(lang),
            Self::Expired => t::state_expired(lang),
            Self::Refused => t::state_refused(lang),
            Self::Returned => t::state_returned(lang),
            Self::Withdrawn => t::state_withdrawn(lang),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(s: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == s).ok_or_else(|| UnknownState(s.to_owned()))
    }
}

/// The text names no state.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no agreement state is called {0:?}")]
pub struct UnknownState(pub String);

/// What people and the calendar do to an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Asked for by the consumer, or entered from the declarative file.
    Ask,
    /// The provider says yes, perhaps to less than was asked.
    Approve,
    /// The provider says no.
    Refuse,
    /// Stopped for now.
    Suspend,
    /// In force again.
    Resume,
    /// Taken back.
    Revoke,
    /// The last day has passed.
    Expire,
    /// The terms were changed by the declarative file.
    Amend,
    /// The provider asks for more before it decides.
    Return,
    /// The consumer has completed its request.
    Resubmit,
    /// The consumer takes its request back.
    Withdraw,
    /// From the sandbox to the test.
    Test,
    /// From the test to production.
    Produce,
    /// Named in the catalogue as a connection that runs.
    Publish,
}

impl Step {
    /// As stored and written in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Approve => "approve",
            Self::Refuse => "refuse",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Revoke => "revoke",
            Self::Expire => "expire",
            Self::Amend => "amend",
            Self::Return => "return",
            Self::Resubmit => "resubmit",
            Self::Withdraw => "withdraw",
            Self::Test => "test",
            Self::Produce => "produce",
            Self::Publish => "publish",
        }
    }

    /// The step stored under this word.
    pub fn from_word(word: &str) -> Option<Self> {
        const ALL: [Step; 14] = [
            Step::Ask,
            Step::Approve,
            Step::Refuse,
            Step::Suspend,
            Step::Resume,
            Step::Revoke,
            Step::Expire,
            Step::Amend,
            Step::Return,
            Step::Resubmit,
            Step::Withdraw,
            Step::Test,
            Step::Produce,
            Step::Publish,
        ];
        ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// What happened, for the history people read.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Ask => t::step_ask(lang),
            Self::Approve => t::step_approve(lang),
            Self::Refuse => t::step_refuse(lang),
            Self::Suspend => t::step_suspend(lang),
            Self::Resume => t::step_resume(lang),
            Self::Revoke => t::step_revoke(lang),
            Self::Expire => t::step_expire(lang),
            Self::Amend => t::step_amend(lang),
            Self::Return => t::step_return(lang),
            Self::Resubmit => t::step_resubmit(lang),
            Self::Withdraw => t::step_withdraw(lang),
            Self::Test => t::step_test(lang),
            Self::Produce => t::step_produce(lang),
            Self::Publish => t::step_publish(lang),
        }
    }
}

/// Which part of the service is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everything below the service's address, also endpoints declared later.
    Whole,
    /// These endpoints only; never empty.
    Endpoints(BTreeSet<EndpointId>),
}

impl Scope {
    /// Whether this opens nothing that `other` does not.
    pub fn within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Whole) => true,
            (Self::Whole, Self::Endpoints(_)) => false,
            (Self::Endpoints(mine), Self::Endpoints(theirs)) => mine.is_subset(theirs),
        }
    }
}

/// The official letter an agreement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Number and sign, for example `1234/UBND-KHCN`.
    pub number: String,
    /// Its date.
    pub date: Date,
}

/// The consumer system's information-security level (Nghị định 85/2016/NĐ-CP, levels 1 to 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityLevel {
    /// 1 to 5.
    pub level: u8,
    /// The decision that approved the level, as cited.
    pub decision: String,
}

/// The terms of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Which part of the service.
    pub scope: Scope,
    /// What the data is for.
    pub purpose: String,
    /// The legal acts it rests on, as cited.
    pub legal_basis: Vec<String>,
    /// Paths of the data fields that may leave (`fieldfilter::FieldPath`); empty means all that the service gives.
    pub fields: Vec<String>,
    /// How many calls.
    pub quota: Quota,
    /// First day.
    pub valid_from: Date,
    /// Last day, included.
    pub valid_to: Date,
    /// The official letter, if there is one.
    pub letter: Option<Letter>,
    /// The consumer system's security level, if stated.
    pub security: Option<SecurityLevel>,
}

/// Longest text of a field in the terms, in characters.
pub const MAX_TEXT: usize = 2_000;
/// Most entries in a list of the terms.
pub const MAX_LIST: usize = 500;

/// Checks the path of a field.
///
/// # Errors
/// The sentence that shows how to write one.
pub fn check_field(field: &str) -> Result<(), Text> {
    field.parse::<fieldfilter::FieldPath>().map(|_| ()).map_err(|e| {
        let (given, why) = (crate::code::clip(field), e.to_string());
        Text::both(|l| t::field_path(l, t::FieldPath { given: &given, why: &why }))
    })
}

impl Terms {
    /// Checks the terms by themselves.
    ///
    /// # Errors
    /// Every wrong value.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut say = |field: &str, text: Text| wrong.push(FieldError { field: field.to_owned(), text });
        if self.valid_to < self.valid_from {
            say(
                "valid_to",
                Text::both(|l| {
                    t::validity_order(
                        l,
                        t::ValidityOrder { first: self.valid_from.vn(), last: self.valid_to.vn() },
                    )
                }),
            );
        }
        if self.purpose.trim().is_empty() {
            say("purpose", Text::both(t::purpose_missing));
        }
        if matches!(&self.scope, Scope::Endpoints(e) if e.is_empty()) {
            say("scope", Text::both(t::scope_empty));
        }
        if let Err(text) = self.quota.check() {
            say("quota", text);
        }
        if self.security.as_ref().is_some_and(|s| !(1..=5).contains(&s.level)) {
            say("security_level", Text::both(t::security_level_range));
        }
        let texts = [("legal_basis", &self.legal_basis), ("fields", &self.fields)];
        for (name, list) in texts {
            if list.len() > MAX_LIST
                || list.iter().any(|x| x.trim().is_empty() || x.chars().count() > MAX_TEXT)
            {
                say(
                    name,
                    Text::both(|l| {
                        t::list_form(l, t::ListForm { max_entries: MAX_LIST, max_text: MAX_TEXT })
                    }),
                );
            }
        }
        for field in &self.fields {
            if let Err(text) = check_field(field) {
                say("fields", text);
            }
        }
        if self.purpose.chars().count() > MAX_TEXT {
            say("purpose", Text::both(|l| t::text_too_long(l, MAX_TEXT)));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// What a provider may take away when it approves; what is `None` stays as asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approval {
    /// A smaller scope.
    pub scope: Option<Scope>,
    /// Fewer fields.
    pub fields: Option<Vec<String>>,
    /// Fewer calls.
    pub quota: Option<Quota>,
    /// An earlier last day.
    pub valid_to: Option<Date>,
    /// The letter by which the provider agrees.
    pub letter: Option<Letter>,
}

/// An agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Which one.
    pub id: AgreementId,
    /// Its number, unique in the exchange.
    pub number: String,
    /// Grows by one with every step; what `ETag` shows.
    pub version: u32,
    /// Who may call.
    pub consumer: SubsystemId,
    /// What may be called.
    pub service: ServiceId,
    /// On what terms.
    pub terms: Terms,
    /// Where it stands.
    pub state: State,
    /// Where its calls go while it is in force.
    pub environment: Environment,
    /// When it was named in the catalogue.
    pub published_at: Option<Timestamp>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When its last step was taken.
    pub changed_at: Timestamp,
}

impl Agreement {
    /// Where the agreement stands on a day: past its last day it has expired, whether or not the sweep that
    /// records this has run.
    pub fn state_on(&self, day: Date) -> State {
        match self.state {
            State::Approved | State::Suspended if day > self.terms.valid_to => State::Expired,
            state => state,
        }
    }

    /// The provider says yes, perhaps to less.
    ///
    /// # Errors
    /// When it is not waiting, when its last day has passed, or when more would be opened than was asked.
    pub fn approve(mut self, approval: Approval, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Waiting], "agreement-not-waiting", Step::Approve)?;
        let wider = |what: &'static str| Refusal::new(what, Text::both(t::approval_wider));
        if let Some(scope) = approval.scope {
            if !scope.within(&self.terms.scope) || matches!(&scope, Scope::Endpoints(e) if e.is_empty()) {
                return Err(wider("agreement-scope-wider"));
            }
            self.terms.scope = scope;
        }
        if let Some(fields) = approval.fields {
            let asked = &self.terms.fields;
            if !asked.is_empty() && (fields.is_empty() || fields.iter().any(|f| !asked.contains(f))) {
                return Err(wider("agreement-fields-wider"));
            }
            self.terms.fields = fields;
        }
        if let Some(quota) = approval.quota {
            if !quota.within(&self.terms.quota) {
                return Err(wider("agreement-quota-wider"));
            }
            self.terms.quota = quota;
        }
        if let Some(last) = approval.valid_to {
            if last > self.terms.valid_to || last < self.terms.valid_from {
                return Err(wider("agreement-validity-wider"));
            }
            self.terms.valid_to = last;
        }
        self.must_not_be_over(now)?;
        if approval.letter.is_some() {
            self.terms.letter = approval.letter;
        }
        Ok(self.moved(State::Approved, now))
    }

    /// The provider says no.
    ///
    /// # Errors
    /// When it is not waiting.
    pub fn refuse(self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Waiting], "agreement-not-waiting", Step::Refuse)?;
        Ok(self.moved(State::Refused, now))
    }

    /// Stopped for now.
    ///
    /// # Errors
    /// When it is not in force.
    pub fn suspend(self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Approved], "agreement-not-approved", Step::Suspend)?;
        self.must_not_be_over(now)?;
        Ok(self.moved(State::Suspended, now))
    }

    /// In force again.
    ///
    /// # Errors
    /// When it is not suspended, or its last day has passed.
    pub fn resume(self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Suspended], "agreement-not-suspended", Step::Resume)?;
        self.must_not_be_over(now)?;
        Ok(self.moved(State::Approved, now))
    }

    /// Taken back for good.
    ///
    /// # Errors
    /// When it is neither in force nor suspended.
    pub fn revoke(self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Approved, State::Suspended], "agreement-not-in-force", Step::Revoke)?;
        self.must_not_be_over(now)?;
        Ok(self.moved(State::Revoked, now))
    }

    /// Records that the last day has passed.
    ///
    /// # Errors
    /// When it is not in force or suspended, or still has days left.
    pub fn expire(self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Approved, State::Suspended], "agreement-not-in-force", Step::Expire)?;
        if now.date() <= self.terms.valid_to {
            let last = self.terms.valid_to.vn();
            return Err(Refusal::new("agreement-not-over", Text::both(|l| t::agreement_not_over(l, &last))));
        }
        Ok(self.moved(State::Expired, now))
    }

    /// New terms from the declarative file, while the agreement waits or is in force.
    ///
    /// # Errors
    /// When it is over.
    pub fn amend(mut self, terms: Terms, now: Timestamp) -> Result<Self, Refusal> {
        let open = [State::Waiting, State::Approved, State::Suspended];
        self.must_be(&open, "agreement-over", Step::Amend)?;
        self.must_not_be_over(now)?;
        self.terms = terms;
        let state = self.state;
        Ok(self.moved(state, now))
    }

    /// The provider asks for more before it decides.
    ///
    /// # Errors
    /// When it is not waiting.
    pub fn return_for_more(self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Waiting], "agreement-not-waiting", Step::Return)?;
        Ok(self.moved(State::Returned, now))
    }

    /// The consumer has completed its request.
    ///
    /// # Errors
    /// When nobody asked for that, or its last day has passed.
    pub fn resubmit(mut self, terms: Terms, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Returned], "agreement-not-returned", Step::Resubmit)?;
        self.terms = terms;
        self.must_not_be_over(now)?;
        Ok(self.moved(State::Waiting, now))
    }

    /// The consumer takes its request back.
    ///
    /// # Errors
    /// When it has been decided.
    pub fn withdraw(self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Waiting, State::Returned], "agreement-decided", Step::Withdraw)?;
        Ok(self.moved(State::Withdrawn, now))
    }

    /// One place further: from the sandbox to the test, from the test to production.
    ///
    /// # Errors
    /// When it is not in force, or stands elsewhere.
    pub fn advance(mut self, step: Step, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Approved], "agreement-not-approved", step)?;
        self.must_not_be_over(now)?;
        self.environment = match (step, self.environment) {
            (Step::Test, Environment::Sandbox) => Environment::Test,
            (Step::Produce, Environment::Test) => Environment::Production,
            _ => return Err(self.wrong_place(step)),
        };
        Ok(self.moved(State::Approved, now))
    }

    /// Named in the catalogue as a connection that runs.
    ///
    /// # Errors
    /// When it is not in production and in force, or named already.
    pub fn publish(mut self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[State::Approved], "agreement-not-approved", Step::Publish)?;
        self.must_not_be_over(now)?;
        if self.environment != Environment::Production || self.published_at.is_some() {
            return Err(self.wrong_place(Step::Publish));
        }
        self.published_at = Some(now);
        Ok(self.moved(State::Approved, now))
    }

    fn wrong_place(&self, step: Step) -> Refusal {
        Refusal::new(
            "agreement-environment",
            Text::both(|l| {
                t::agreement_place(
                    l,
                    t::AgreementPlace { place: self.environment.label(l), step: step.label(l) },
                )
            }),
        )
    }

    fn must_be(&self, states: &[State], code: &'static str, step: Step) -> Result<(), Refusal> {
        if states.contains(&self.state) {
            return Ok(());
        }
        Err(Refusal::new(
            code,
            Text::both(|l| {
                t::agreement_step(l, t::AgreementStep { state: self.state.label(l), step: step.label(l) })
            }),
        ))
    }

    fn must_not_be_over(&self, now: Timestamp) -> Result<(), Refusal> {
        if matches!(self.state, State::Waiting | State::Returned) && now.date() > self.terms.valid_to
            || self.state_on(now.date()) == State::Expired
        {
            let last = self.terms.valid_to.vn();
            return Err(Refusal::new("agreement-over", Text::both(|l| t::agreement_over(l, &last))));
        }
        Ok(())
    }

    fn moved(mut self, state: State, now: Timestamp) -> Self {
        self.state = state;
        self.version += 1;
        self.changed_at = now;
        self
    }
}

/// A reason as people give it for a refusal, suspension or revocation: never empty, bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Longest reason, in characters.
    pub const MAX: usize = 1_000;

    /// Takes the text as written, without blanks around it.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let text = base::text::nfc(text.trim());
        let wrong = |text| FieldError { field: "reason".to_owned(), text };
        if text.is_empty() {
            return Err(wrong(Text::both(t::reason_missing)));
        }
        if text.chars().count() > Self::MAX {
            return Err(wrong(Text::both(|l| t::text_too_long(l, Self::MAX))));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::ids::Uuid;
    use base::random::{Random, SeededRandom};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn endpoint(n: u128) -> EndpointId {
        EndpointId(Uuid::from_u128(n))
    }

    fn waiting() -> Agreement {
        Agreement {
            id: AgreementId(Uuid::from_u128(1)),
            number: "TT-01".into(),
            version: 1,
            consumer: SubsystemId(Uuid::from_u128(2)),
            service: ServiceId(Uuid::from_u128(3)),
            terms: Terms {
                scope: Scope::Endpoints([endpoint(1), endpoint(2)].into()),
                purpose: "Xác minh nơi cư trú khi giải quyết thủ tục".into(),
                legal_basis: vec!["Nghị định 278/2025/NĐ-CP".into()],
                fields: vec!["hoTen".into(), "noiThuongTru".into()],
                quota: Quota::default(),
                valid_from: day("2026-01-01"),
                valid_to: day("2026-12-31"),
                letter: None,
                security: None,
            },
            state: State::Waiting,
            environment: Environment::Sandbox,
            published_at: None,
            asked_at: at("2026-01-01T00:00:00Z"),
            changed_at: at("2026-01-01T00:00:00Z"),
        }
    }

    use Environment::{Production, Sandbox};
    use State::{Approved, Expired, Refused, Returned, Revoked, Suspended, Waiting, Withdrawn};

    /// The steps the exchange's regulation permits while the agreement has days left; wherever it stands.
    const PERMITTED: &[(State, Step, State)] = &[
        (Waiting, Step::Approve, Approved),
        (Waiting, Step::Refuse, Refused),
        (Waiting, Step::Return, Returned),
        (Waiting, Step::Withdraw, Withdrawn),
        (Waiting, Step::Amend, Waiting),
        (Returned, Step::Resubmit, Waiting),
        (Returned, Step::Withdraw, Withdrawn),
        (Approved, Step::Suspend, Suspended),
        (Approved, Step::Revoke, Revoked),
        (Approved, Step::Amend, Approved),
        (Suspended, Step::Resume, Approved),
        (Suspended, Step::Revoke, Revoked),
        (Suspended, Step::Amend, Suspended),
    ];

    /// After its last day nothing but the record of that is permitted.
    const PERMITTED_AFTER: &[(State, Step, State)] = &[
        (Waiting, Step::Refuse, Refused),
        (Waiting, Step::Return, Returned),
        (Waiting, Step::Withdraw, Withdrawn),
        (Returned, Step::Withdraw, Withdrawn),
        (Approved, Step::Expire, Expired),
        (Suspended, Step::Expire, Expired),
    ];

    /// The way of an agreement in force, while it has days left: environment and whether it is published.
    const PLACES: &[(Environment, bool, Step, Environment, bool)] = &[
        (Sandbox, false, Step::Test, Environment::Test, false),
        (Environment::Test, false, Step::Produce, Production, false),
        (Production, false, Step::Publish, Production, true),
    ];

    const STEPS: [Step; 13] = [
        Step::Approve,
        Step::Refuse,
        Step::Suspend,
        Step::Resume,
        Step::Revoke,
        Step::Expire,
        Step::Amend,
        Step::Return,
        Step::Resubmit,
        Step::Withdraw,
        Step::Test,
        Step::Produce,
        Step::Publish,
    ];

    fn take(a: Agreement, step: Step, now: Timestamp) -> Result<Agreement, Refusal> {
        let terms = a.terms.clone();
        match step {
            Step::Approve => a.approve(Approval::default(), now),
            Step::Refuse => a.refuse(now),
            Step::Suspend => a.suspend(now),
            Step::Resume => a.resume(now),
            Step::Revoke => a.revoke(now),
            Step::Expire => a.expire(now),
            Step::Amend => a.amend(terms, now),
            Step::Return => a.return_for_more(now),
            Step::Resubmit => a.resubmit(terms, now),
            Step::Withdraw => a.withdraw(now),
            Step::Test | Step::Produce => a.advance(step, now),
            Step::Publish => a.publish(now),
            Step::Ask => unreachable!("an agreement is asked for once"),
        }
    }

    /// Where a step leads by the tables.
    fn expected(a: &Agreement, step: Step, over: bool) -> Option<(State, Environment, bool)> {
        let published = a.published_at.is_some();
        let placed =
            PLACES.iter().find(|(from, p, s, ..)| (*from, *p, *s) == (a.environment, published, step));
        if let (Some((.., to, p)), Approved, false) = (placed, a.state, over) {
            return Some((Approved, *to, *p));
        }
        let table = if over { PERMITTED_AFTER } else { PERMITTED };
        let (.., to) = table.iter().find(|(from, s, _)| *from == a.state && *s == step)?;
        Some((*to, a.environment, published))
    }

    #[test]
    fn a_random_walk_takes_permitted_steps_and_no_others() {
        let random = SeededRandom::new(20_261_122);
        let (during, after) = (at("2026-06-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let mut seen = BTreeSet::new();
        let mut places = BTreeSet::new();
        for _ in 0..3_000 {
            let mut a = waiting();
            for _ in 0..40 {
                let dice = base::random::bytes::<2>(&random as &dyn Random);
                let step = STEPS[dice[0] as usize % STEPS.len()];
                let over = dice[1] >= 250;
                let now = if over { after } else { during };
                match (take(a.clone(), step, now), expected(&a, step, over)) {
                    (Ok(next), Some(to)) => {
                        assert_eq!((next.state, next.environment, next.published_at.is_some()), to);
                        assert_eq!(next.version, a.version + 1);
                        if matches!(step, Step::Test | Step::Produce | Step::Publish) {
                            places.insert(step);
                        } else {
                            seen.insert((a.state, step, next.state, over));
                        }
                        a = next;
                    }
                    (Err(_), None) => {}
                    (got, expected) => {
                        panic!("{:?} {step:?} at {now}: {got:?}, tables say {expected:?}", a.state)
                    }
                }
            }
        }
        assert_eq!(seen.len(), PERMITTED.len() + PERMITTED_AFTER.len(), "every permitted step was walked");
        assert_eq!(places.len(), PLACES.len(), "the whole way was walked");
    }

    #[test]
    fn approval_may_narrow_and_never_widen() {
        let now = at("2026-06-01T00:00:00Z");
        let narrow = Approval {
            scope: Some(Scope::Endpoints([endpoint(1)].into())),
            fields: Some(vec!["hoTen".into()]),
            quota: Some(Quota { per_minute: Some(10), per_day: None }),
            valid_to: Some(day("2026-09-30")),
            letter: Some(Letter { number: "12/CSDL".into(), date: day("2026-05-30") }),
        };
        let approved = waiting().approve(narrow, now).unwrap();
        assert_eq!(approved.terms.valid_to, day("2026-09-30"));
        assert_eq!(approved.terms.fields, ["hoTen"]);

        let wider = [
            Approval { scope: Some(Scope::Whole), ..Approval::default() },
            Approval { scope: Some(Scope::Endpoints([endpoint(9)].into())), ..Approval::default() },
            Approval { scope: Some(Scope::Endpoints(BTreeSet::new())), ..Approval::default() },
            Approval { fields: Some(vec!["soDinhDanh".into()]), ..Approval::default() },
            Approval { fields: Some(vec![]), ..Approval::default() },
            Approval { quota: Some(Quota { per_minute: Some(0), per_day: None }), ..Approval::default() },
            Approval { valid_to: Some(day("2027-01-01")), ..Approval::default() },
            Approval { valid_to: Some(day("2025-12-31")), ..Approval::default() },
            Approval { valid_to: Some(day("2026-05-31")), ..Approval::default() },
        ];
        for approval in wider {
            assert!(waiting().approve(approval.clone(), now).is_err(), "{approval:?}");
        }
    }

    #[test]
    fn the_last_day_ends_at_midnight_in_vietnam() {
        let approved = waiting().approve(Approval::default(), at("2026-06-01T00:00:00Z")).unwrap();
        assert_eq!(approved.state_on(at("2026-12-31T16:59:59Z").date()), State::Approved);
        assert_eq!(approved.state_on(at("2026-12-31T17:00:00Z").date()), State::Expired);
        assert_eq!(approved.suspend(at("2026-12-31T17:00:00Z")).unwrap_err().code, "agreement-over");
    }

    #[test]
    fn terms_are_checked_and_every_fault_is_named() {
        let mut terms = waiting().terms;
        assert_eq!(terms.check(), Ok(()));
        terms.valid_to = day("2025-01-01");
        terms.purpose = "  ".into();
        terms.scope = Scope::Endpoints(BTreeSet::new());
        terms.quota.per_minute = Some(0);
        terms.security = Some(SecurityLevel { level: 6, decision: String::new() });
        terms.fields = vec![" ".into()];
        let fields: Vec<_> = terms.check().unwrap_err().into_iter().map(|f| f.field).collect();
        assert_eq!(fields, ["valid_to", "purpose", "scope", "quota", "security_level", "fields"]);
    }

    #[test]
    fn a_reason_is_never_empty_or_endless() {
        assert!(Reason::new(" \n").is_err());
        assert!(Reason::new(&"x".repeat(Reason::MAX + 1)).is_err());
        assert_eq!(Reason::new(" Lộ khóa ").unwrap().as_str(), "Lộ khóa");
    }

    #[test]
    fn words_and_states_read_back() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        for step in STEPS {
            assert_eq!(Step::from_word(step.as_str()), Some(step));
        }
        assert!("Approved".parse::<State>().is_err());
    }
}
