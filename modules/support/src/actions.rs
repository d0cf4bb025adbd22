//! What is done with reports of errors: sending one, a file to it, answering, closing, passing on. One transaction each,
//! audited; the reporter is told of every step.

use std::collections::BTreeMap;

use base::error::{Error, FieldError, Refusal, Result};
use base::i18n::{Lang, Text};
use base::random;
use bytes::Bytes;
use kernel::alerts::Severity;
use kernel::blobs::{AccessClass, PutOptions};
use kernel::identity::{people, posts};
use kernel::notices::{self, Channel, Notice, Recipient};
use kernel::orgs::UnitId;
use kernel::{Actor, Cx, Kernel, PersonId, Ref, Tx};
use serde_json::json;

use crate::case::{self, Case, CaseId, Level, MAX_WORDS, Report, ReportId, Seen, State, Strangers};
use crate::permissions::{HANDLE, READ};
use crate::{store, t};

/// The role that answers an agency's people first.
pub const UNIT_ADMIN: &str = "unit-admin";
/// The role that answers for the province.
pub const OPERATOR: &str = "operator";
/// Largest file, in bytes.
pub(crate) const MAX_FILE: u64 = 5 << 20;
/// Letters and digits that are not mistaken for one another.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// What somebody sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    pub seen: Seen,
    pub browser: String,
    pub words: String,
    /// Where a stranger comes from; kept nowhere.
    pub address: String,
}

/// What became of it.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub code: String,
    pub report: ReportId,
    /// It was put to a case that waits already.
    pub joined: bool,
}

fn person(cx: &Cx) -> Option<PersonId> {
    match cx.actor {
        Actor::Official { person, .. } => Some(person),
        _ => None,
    }
}

/// The agency of the post somebody acts through.
async fn agency(k: &Kernel, cx: &Cx) -> Result<Option<UnitId>> {
    match cx.actor {
        Actor::Official { appointment: Some(id), .. } => match posts::get(&k.db, id).await {
            Ok(post) => Ok(post.agency),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e),
        },
        _ => Ok(None),
    }
}

fn words(text: &str, needed: bool) -> Result<String> {
    let text = base::text::nfc(text.trim());
    let count = text.chars().count();
    if needed && count == 0 {
        return Err(Error::field("words", Text::both(t::words_needed)));
    }
    if count > MAX_WORDS {
        return Err(Error::field("words", Text::both(|l| t::words_too_long(l, MAX_WORDS))));
    }
    Ok(text)
}

/// Sends a report: to the own unit's administrator first, to the province where there is none or nobody is signed in.
///
/// # Errors
/// `Invalid` without words; `TooMany` for strangers who report too often.
pub(crate) async fn send(k: &Kernel, cx: &Cx, gate: &Strangers, sent: Sent) -> Result<Taken> {
    let said = words(&sent.words, true)?;
    let who = person(cx);
    if who.is_none() {
        gate.admit(&sent.address, k.clock.now()).map_err(|retry_after| Error::TooMany { retry_after })?;
    }
    let seen = sent.seen.cleaned();
    let now = k.clock.now();
    let agency = agency(k, cx).await?;
    let admins = match agency {
        Some(unit) => people::holders(&k.db, UNIT_ADMIN, Some(unit), now, 1).await?.len(),
        None => 0,
    };
    let wanted = Case {
        id: CaseId::new(&*k.clock, &*k.random),
        code: code(k),
        agency,
        level: if admins > 0 { Level::Unit } else { Level::Province },
        state: State::Waiting,
        verified: who.is_some(),
        page: seen.page.clone(),
        screen: seen.screen.clone(),
        fault: seen.fault.clone(),
        reports: 1,
        opened_at: now,
        changed_at: now,
    };
    let search =
        case::searchable(&[&wanted.code, &seen.page, &seen.screen, &seen.fault, &seen.request, &said]);
    let mut tx = k.begin(cx).await?;
    let (case, joined) = match store::same(&mut tx, &wanted).await? {
        Some(same) => (same, true),
        None if store::open(&mut tx, &wanted, &search).await? => (wanted, false),
        // Opened by somebody else between the two statements.
        None => (store::same(&mut tx, &wanted).await?.ok_or(Error::Conflict)?, true),
    };
    let report = Report {
        id: ReportId::new(&*k.clock, &*k.random),
        case: case.id,
        person: who,
        request: seen.request,
        browser: case::browser(&sent.browser),
        seen_at: seen.at.filter(|at| *at <= now).unwrap_or(now),
        sent_at: now,
        words: said,
        file: None,
    };
    store::add(&mut tx, &report).await?;
    if joined {
        store::join(&mut tx, case.id, &search, now).await?;
    } else {
        store::step(&mut tx, case.id, who, "reported", "").await?;
        tell(&mut tx, &case, t::told_new, "", handlers(&case)).await?;
    }
    let detail = json!({"report": report.id.to_string(), "joined": joined});
    tx.audit("support.report.send", &case.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(Taken { code: case.code, report: report.id, joined })
}

fn code(k: &Kernel) -> String {
    let bytes = random::bytes::<8>(&*k.random);
    let letter = |b: u8| LETTERS.get(usize::from(b % 32)).copied().map_or('2', char::from);
    format!("BL-{}", bytes.into_iter().map(letter).collect::<String>())
}

/// Who answers a case where it lies.
fn handlers(c: &Case) -> Vec<Recipient> {
    vec![match (c.level, c.agency) {
        (Level::Unit, Some(unit)) => Recipient::Holders { role: UNIT_ADMIN.to_owned(), agency: Some(unit) },
        _ => Recipient::Holders { role: OPERATOR.to_owned(), agency: None },
    }]
}

/// Tells people of a step. Of what was reported only the page's path and the code leave; the words stay here.
async fn tell(
    tx: &mut Tx,
    c: &Case,
    step: fn(Lang) -> &'static str,
    said: &str,
    to: Vec<Recipient>,
) -> Result<()> {
    let same = |s: &str| Text { vi: s.to_owned(), en: s.to_owned() };
    let arguments = BTreeMap::from([
        ("step".to_owned(), Text::both(step)),
        ("code".to_owned(), same(&c.code)),
        ("page".to_owned(), same(&c.page)),
        ("words".to_owned(), same(said)),
    ]);
    let about = Some(c.id.to_ref());
    let notice =
        Notice { template: "support-case".to_owned(), arguments, severity: Severity::Warning, about, to };
    tx.notify(&notice).await.map(|_| ())
}

/// Puts a file to one's own report.
///
/// # Errors
/// `NotFound` for somebody else's report; refused when the case is closed or the report has a file; `Invalid` for kinds
/// that are not taken.
pub(crate) async fn attach(k: &Kernel, cx: &Cx, id: ReportId, name: &str, bytes: Bytes) -> Result<()> {
    let report = own_report(k, cx, id).await?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::TooLarge { limit: MAX_FILE });
    }
    let kind = media_type(&bytes).ok_or_else(|| Error::field("file", Text::both(t::file_kinds)))?;
    let name = shown_name(name);
    let options = PutOptions {
        class: AccessClass::Internal,
        subject: id.to_ref(),
        keep_until: None,
        max_bytes: MAX_FILE,
    };
    let blobs = k.blobs().await?;
    let blob = blobs.put(bytes, &options).await?;
    let mut tx = k.begin(cx).await?;
    let case = store::lock(&mut tx, report.case).await?.ok_or(Error::NotFound { kind: CaseId::KIND })?;
    if case.state == State::Closed || report.file.is_some() {
        return Err(refused("support-no-file", t::file_refused));
    }
    store::attach(&mut tx, id, (&name, kind), &blob).await?;
    blobs.reference(&mut tx, &blob, &id.to_ref()).await?;
    tx.audit("support.report.attach", &case.id.to_ref(), json!({"report": id.to_string()})).await?;
    tx.commit().await?;
    Ok(())
}

/// What a file is, by its first bytes.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        _ => None,
    }
}

/// A name without folders and control characters, of bounded length.
fn shown_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let fits = |c: &char| c.is_alphanumeric() || " .-_()".contains(*c);
    let name: String = base::text::nfc(last).chars().filter(fits).take(150).collect();
    let name = name.trim().trim_matches('.').to_owned();
    if name.is_empty() { "tep-dinh-kem".to_owned() } else { name }
}

fn refused(code: &'static str, text: fn(Lang) -> &'static str) -> Error {
    Refusal::new(code, Text::both(text)).into()
}

/// A report of one's own.
///
/// # Errors
/// `SignIn` for strangers, `NotFound` for everybody else's.
pub(crate) async fn own_report(k: &Kernel, cx: &Cx, id: ReportId) -> Result<Report> {
    let who = person(cx).ok_or(Error::SignIn)?;
    let found = store::report_of(&k.db, id).await?.filter(|r| r.person == Some(who));
    found.ok_or(Error::NotFound { kind: ReportId::KIND })
}

/// Somebody's own reports, the last one first.
///
/// # Errors
/// `SignIn` for strangers.
pub(crate) async fn own(k: &Kernel, cx: &Cx, limit: u32) -> Result<Vec<(Report, Case)>> {
    store::own(&k.db, person(cx).ok_or(Error::SignIn)?, limit).await
}

/// A case the reader may see.
///
/// # Errors
/// `NotFound` outside the reader's agencies.
pub(crate) async fn get(k: &Kernel, cx: &Cx, id: CaseId) -> Result<Case> {
    cx.may_somewhere(READ)?;
    let found = store::one(&k.db, id).await?.filter(|c| cx.holds(READ, &c.seen()));
    found.ok_or(Error::NotFound { kind: CaseId::KIND })
}

/// The file of a report, for its reporter and for who may see the case.
///
/// # Errors
/// `NotFound` for everybody else, and without a file.
pub(crate) async fn file(k: &Kernel, cx: &Cx, id: ReportId) -> Result<(String, String, Bytes)> {
    let missing = || Error::NotFound { kind: ReportId::KIND };
    let report = store::report_of(&k.db, id).await?.ok_or_else(missing)?;
    let own = person(cx).is_some_and(|who| report.person == Some(who));
    if !own {
        get(k, cx, report.case).await.map_err(|_| missing())?;
    }
    let (name, kind) = report.file.ok_or_else(missing)?;
    let blob = store::blob(&k.db, id).await?.ok_or_else(missing)?;
    Ok((name, kind, k.blobs().await?.read(&blob, MAX_FILE).await?))
}

/// What is done with a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Says something to who reported it; they are done unless they report again.
    Answer,
    /// Ends it.
    Close,
    /// Passes it to the province's operator.
    PassUp,
    /// Writes to a vendor.
    Vendor {
        /// Its name.
        name: String,
        /// Its address.
        email: String,
    },
}

impl Act {
    fn kind(&self) -> &'static str {
        match self {
            Self::Answer => "answered",
            Self::Close => "closed",
            Self::PassUp => "passed-up",
            Self::Vendor { .. } => "vendor",
        }
    }
}

/// Does something with a case.
///
/// # Errors
/// `NotFound` outside the reader's agencies, `Denied` for who may not act where it lies, `Invalid`, or a refusal when the
/// case is closed or lies elsewhere.
pub(crate) async fn act(k: &Kernel, cx: &Cx, id: CaseId, what: &Act, said: &str) -> Result<()> {
    get(k, cx, id).await?;
    let said = words(said, !matches!(what, Act::PassUp))?;
    let vendor = vendor(what)?;
    let mut tx = k.begin(cx).await?;
    let c = store::lock(&mut tx, id).await?.ok_or(Error::NotFound { kind: CaseId::KIND })?;
    cx.may(HANDLE, &c.scope())?;
    if c.state == State::Closed {
        return Err(refused("support-closed", t::case_is_closed));
    }
    let (level, state) = match what {
        Act::Answer => (c.level, State::Answered),
        Act::Close => (c.level, State::Closed),
        Act::PassUp if c.level == Level::Unit => (Level::Province, State::Waiting),
        Act::PassUp => return Err(refused("support-highest", t::case_is_up)),
        Act::Vendor { .. } if c.level == Level::Unit => {
            return Err(refused("support-not-up", t::vendor_by_province));
        }
        Act::Vendor { .. } => (Level::Vendor, State::Waiting),
    };
    let note = match &vendor {
        Some((name, email)) => format!("{name} ({}): {said}", notices::masked(Channel::Email, email)),
        None => said.clone(),
    };
    if state == State::Waiting && c.state != State::Waiting && store::same(&mut tx, &c).await?.is_some() {
        // The same fault was reported again meanwhile; that case goes on.
        return Err(refused("support-again", t::case_again));
    }
    store::moved(&mut tx, id, level, state).await?;
    store::step(&mut tx, id, person(cx), what.kind(), &note).await?;
    let moved = Case { level, state, ..c };
    if let Some((name, address)) = vendor {
        let to = Recipient::Address { channel: Channel::Email, address, name, lang: Lang::Vi };
        write_to_vendor(&mut tx, &moved, &said, to).await?;
    }
    if *what == Act::PassUp {
        tell(&mut tx, &moved, t::told_passed_up, &said, handlers(&moved)).await?;
    }
    let reporters: Vec<_> = store::reporters(&mut tx, id).await?.into_iter().map(Recipient::Person).collect();
    if !reporters.is_empty() {
        let (step, shown): (fn(Lang) -> &'static str, &str) = match what {
            Act::Answer => (t::told_answered, &said),
            Act::Close => (t::told_closed, &said),
            Act::PassUp => (t::told_is_passed_up, ""),
            Act::Vendor { .. } => (t::told_is_with_vendor, ""),
        };
        tell(&mut tx, &moved, step, shown, reporters).await?;
    }
    let detail = json!({"level": level.name(), "state": state.name()});
    tx.audit(&format!("support.case.{}", what.kind()), &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Name and address of the vendor, where it is written to.
fn vendor(what: &Act) -> Result<Option<(String, String)>> {
    let Act::Vendor { name, email } = what else { return Ok(None) };
    let mut errors = Vec::new();
    let name = base::text::nfc(name.trim());
    if name.is_empty() || name.chars().count() > 150 {
        errors.push(FieldError { field: "vendor".to_owned(), text: Text::both(t::vendor_needed) });
    }
    let address = notices::address(Channel::Email, email);
    if address.is_none() {
        errors.push(FieldError { field: "email".to_owned(), text: Text::both(t::vendor_bad_email) });
    }
    match address {
        Some(address) if errors.is_empty() => Ok(Some((name, address))),
        _ => Err(Error::Invalid(errors)),
    }
}

/// What leaves the platform is what the operator wrote and where the fault shows: never what people reported.
async fn write_to_vendor(tx: &mut Tx, c: &Case, said: &str, to: Recipient) -> Result<()> {
    let same = |s: &str| Text { vi: s.to_owned(), en: s.to_owned() };
    let arguments = BTreeMap::from([
        ("code".to_owned(), same(&c.code)),
        ("page".to_owned(), same(&c.page)),
        ("fault".to_owned(), same(if c.fault.is_empty() { "–" } else { &c.fault })),
        ("since".to_owned(), same(&c.opened_at.vn())),
        ("words".to_owned(), same(said)),
    ]);
    let about = Some(c.id.to_ref());
    let notice = Notice {
        template: "support-vendor".to_owned(),
        arguments,
        severity: Severity::Warning,
        about,
        to: vec![to],
    };
    tx.notify(&notice).await.map(|_| ())
}

/// The thing a notice or search names.
pub(crate) fn case_of(of: &Ref) -> Option<CaseId> {
    (of.kind == CaseId::KIND).then(|| of.id.parse().ok()).flatten()
}

/// Whether the reader handles anything: for pages.
pub(crate) fn may_act(cx: &Cx, c: &Case) -> bool {
    c.state != State::Closed && cx.holds(HANDLE, &c.scope())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_judged_by_their_bytes_and_named_harmlessly() {
        assert_eq!(media_type(b"%PDF-1.7"), Some("application/pdf"));
        assert_eq!(media_type(b"MZ"), None);
        assert_eq!(shown_name("C:\\x\\Ảnh lỗi.png"), "Ảnh lỗi.png");
        assert_eq!(shown_name("../../<b>\r\n"), "b");
        assert_eq!(shown_name(".."), "tep-dinh-kem");
    }

    #[test]
    fn a_vendor_has_a_name_and_an_address() {
        let of = |name: &str, email: &str| vendor(&Act::Vendor { name: name.into(), email: email.into() });
        assert!(of("Công ty Mẫu", "ho-tro@mau.example").unwrap().is_some());
        assert!(of("", "ho-tro@mau.example").is_err());
        assert!(of("Công ty Mẫu", "a@b.vn\r\nBcc: c@d.vn").is_err());
        assert!(vendor(&Act::Answer).unwrap().is_none());
    }
}
