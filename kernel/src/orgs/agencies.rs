//! Creating, changing, merging and closing agencies, inside the caller's action. The rules of the history are here;
//! the caller has checked [`super::permissions::MANAGE_AGENCIES`] and leaves the audit row.

use base::clock::{Date, Timestamp};
use base::error::{Error, Refusal, Result};
use base::i18n::Text;
use base::text;

use super::codes::checked_code;
use super::facts::AgencyChanged;
use super::kind::{AgencyKind, Kind, Tree};
use super::model::{Certainty, Details, Succession, SuccessionKind, Version};
use super::{UnitId, store};
use crate::kernel::Tx;

/// Longest official name; real ones reach 90 letters.
const NAME_LIMIT: usize = 300;

/// An agency to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgency {
    /// Type.
    pub kind: AgencyKind,
    /// "Sở Nông nghiệp và Môi trường tỉnh Thanh Hóa".
    pub full_name: String,
    /// Its identification code in either style, if it has one.
    pub code: Option<String>,
    /// The agency above it.
    pub parent: Option<UnitId>,
    /// Number of the act.
    pub act: Option<String>,
}

/// What changes in an agency that stays the same one; `None` leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgencyChange {
    /// Another type.
    pub kind: Option<AgencyKind>,
    /// Another name.
    pub full_name: Option<String>,
    /// Another identification code; the old one stays as an alias.
    pub code: Option<String>,
    /// Another agency above it; `Some(None)` moves it to the top.
    pub parent: Option<Option<UnitId>>,
    /// Number of the act.
    pub act: Option<String>,
}

/// Several agencies become one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merger {
    /// The agencies that end.
    pub predecessors: Vec<UnitId>,
    /// The agency that begins.
    pub into: NewAgency,
    /// Whether functions and records pass to it, so that its people may see them.
    pub transfers: bool,
}

impl Tx {
    /// Creates an agency that exists from a day on.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name or code, [`Error::Refused`] when the code is taken or there is no such parent.
    pub async fn create_agency(&mut self, new: &NewAgency, on: Date) -> Result<UnitId> {
        let unit = self.begin_agency(new, on).await?;
        self.publish(&AgencyChanged { unit, what: "created".into(), on, predecessors: Vec::new() }).await?;
        Ok(unit)
    }

    /// Changes an agency from a day on; it stays the same agency.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not exist on that day, when a later change is already recorded, or when the
    /// new parent lies below it.
    pub async fn change_agency(&mut self, unit: UnitId, change: &AgencyChange, on: Date) -> Result<()> {
        let last = self.open_agency(unit, on).await?;
        self.apply(&last, change, on).await?;
        self.publish(&AgencyChanged { unit, what: "changed".into(), on, predecessors: Vec::new() }).await
    }

    /// Merges agencies into a new one from a day on. The agencies directly below them pass under the new one.
    ///
    /// # Errors
    /// As for creating and closing; also when fewer than one agency is named or one is named twice.
    pub async fn merge_agencies(&mut self, merger: &Merger, on: Date) -> Result<UnitId> {
        let mut olds = Vec::new();
        for unit in &merger.predecessors {
            if olds.iter().any(|o: &Version| o.unit == *unit) {
                return Err(refused(
                    "agency-named-twice",
                    "Một cơ quan được nêu hai lần.",
                    "An agency is named twice.",
                ));
            }
            olds.push(self.open_agency(*unit, on).await?);
        }
        if olds.is_empty() {
            let (vi, en) = ("Cần ít nhất một cơ quan để hợp nhất.", "At least one agency is needed.");
            return Err(refused("nothing-to-merge", vi, en));
        }
        if merger.into.parent.is_some_and(|p| merger.predecessors.contains(&p)) {
            let (vi, en) =
                ("Cơ quan cấp trên cũng kết thúc trong lần sắp xếp này.", "The agency above ends as well.");
            return Err(refused("parent-ends", vi, en));
        }
        let by = merger.into.act.as_deref();
        for old in &olds {
            self.end_agency(old, on, by).await?;
        }
        let unit = self.begin_agency(&merger.into, on).await?;
        let at = self.cx().at;
        for old in &olds {
            self.move_children(old.unit, Some(unit), on, merger.into.act.clone()).await?;
            let link = decided(old.unit, unit, SuccessionKind::Merge, on, merger.transfers, by);
            store::add_succession(self, &link, at).await?;
        }
        let predecessors = if merger.transfers { merger.predecessors.clone() } else { Vec::new() };
        self.publish(&AgencyChanged { unit, what: "merged".into(), on, predecessors }).await?;
        Ok(unit)
    }

    /// Closes an agency from a day on.
    ///
    /// # Errors
    /// [`Error::Refused`] while agencies stand below it: they must be moved or closed first.
    pub async fn close_agency(&mut self, unit: UnitId, on: Date, act: Option<String>) -> Result<()> {
        let last = self.open_agency(unit, on).await?;
        if !self.orgs().children(unit, on).await?.is_empty() {
            let (vi, en) = (
                "Còn cơ quan trực thuộc. Hãy chuyển hoặc kết thúc các cơ quan đó trước.",
                "Agencies still stand below it. Move or close them first.",
            );
            return Err(refused("agency-has-children", vi, en));
        }
        self.end_agency(&last, on, act.as_deref()).await?;
        self.publish(&AgencyChanged { unit, what: "closed".into(), on, predecessors: Vec::new() }).await
    }

    /// Records that functions and their records pass from one agency to another, which both go on.
    pub async fn transfer_functions(
        &mut self,
        from: UnitId,
        to: UnitId,
        on: Date,
        act: Option<String>,
    ) -> Result<()> {
        self.open_agency(from, on).await?;
        self.open_agency(to, on).await?;
        if from == to {
            return Err(refused(
                "agency-named-twice",
                "Một cơ quan được nêu hai lần.",
                "An agency is named twice.",
            ));
        }
        let link = decided(from, to, SuccessionKind::Transfer, on, true, act.as_deref());
        let at = self.cx().at;
        store::add_succession(self, &link, at).await?;
        let fact =
            AgencyChanged { unit: to, what: "functions-received".into(), on, predecessors: vec![from] };
        self.publish(&fact).await
    }

    async fn begin_agency(&mut self, new: &NewAgency, on: Date) -> Result<UnitId> {
        let full_name = checked_name(&new.full_name)?;
        let unit = UnitId::new(&*self.kernel().clock, &*self.kernel().random);
        let at = self.cx().at;
        if let Some(parent) = new.parent {
            self.open_agency(parent, on).await.map_err(|_| no_parent())?;
        }
        let code = new.code.as_deref().map(checked_code).transpose()?;
        store::add_unit(self, unit, Tree::Agency, at).await?;
        let version = first_version(unit, new, full_name, code.clone(), on, at);
        if let Some(code) = &code {
            self.take_code(unit, code, on).await?;
        }
        store::add_version(self, &version).await?;
        Ok(unit)
    }

    /// Writes the next version of an agency.
    async fn apply(&mut self, last: &Version, change: &AgencyChange, on: Date) -> Result<()> {
        let mut next = last.clone();
        next.valid_from = on;
        next.from_known = true;
        next.recorded_at = self.cx().at;
        next.act = change.act.clone();
        next.certainty = Certainty::Decided;
        if let Some(kind) = change.kind {
            next.kind = Kind::Agency(kind);
        }
        if let Some(name) = &change.full_name {
            next.full_name = checked_name(name)?;
            next.name.clone_from(&next.full_name);
        }
        if let Some(parent) = change.parent {
            self.parent_fits(last.unit, parent, on).await?;
            next.parent = parent;
        }
        let code =
            change.code.as_deref().map(checked_code).transpose()?.filter(|c| last.code.as_ref() != Some(c));
        if let Some(code) = &code {
            next.code = Some(code.clone());
        }
        store::end_version(self, last, on, None).await?;
        if let Some(code) = &code {
            self.demote_code(last.unit).await?;
            self.take_code(last.unit, code, on).await?;
        }
        store::add_version(self, &next).await
    }

    async fn parent_fits(&mut self, unit: UnitId, parent: Option<UnitId>, on: Date) -> Result<()> {
        let Some(parent) = parent else { return Ok(()) };
        self.open_agency(parent, on).await.map_err(|_| no_parent())?;
        if self.orgs().subtree(unit, on).await?.contains(&parent) {
            let (vi, en) =
                ("Cơ quan cấp trên không thể là cơ quan trực thuộc.", "The agency above lies below it.");
            return Err(refused("parent-below", vi, en));
        }
        Ok(())
    }

    async fn move_children(
        &mut self,
        from: UnitId,
        to: Option<UnitId>,
        on: Date,
        act: Option<String>,
    ) -> Result<()> {
        for child in self.orgs().children(from, on).await? {
            let child = self.open_agency(child.unit, on).await?;
            let change = AgencyChange { parent: Some(to), act: act.clone(), ..AgencyChange::default() };
            self.apply(&child, &change, on).await?;
        }
        Ok(())
    }

    async fn end_agency(&mut self, last: &Version, on: Date, by: Option<&str>) -> Result<()> {
        store::end_version(self, last, on, by).await?;
        self.end_codes(last.unit, on).await?;
        self.end_competences(last.unit, on).await
    }

    /// The agency's open version, which must have begun before the day: what is recorded later stays as it is.
    pub(super) async fn open_agency(&mut self, unit: UnitId, on: Date) -> Result<Version> {
        let history = self.orgs().history(unit).await?;
        let last = history.into_iter().next_back().filter(|v| v.tree == Tree::Agency);
        let last = last.ok_or(Error::NotFound { kind: UnitId::KIND })?;
        if last.valid_to.is_some_and(|end| end <= on) || last.valid_from > on {
            let (vi, en) = ("Cơ quan không tồn tại vào ngày này.", "The agency does not exist on that day.");
            return Err(refused("agency-not-there", vi, en));
        }
        if last.valid_to.is_some() {
            let (vi, en) =
                ("Đã ghi nhận việc kết thúc cơ quan này.", "The end of this agency is already recorded.");
            return Err(refused("agency-ends", vi, en));
        }
        Ok(last)
    }
}

fn first_version(
    unit: UnitId,
    new: &NewAgency,
    full_name: String,
    code: Option<String>,
    on: Date,
    at: Timestamp,
) -> Version {
    Version {
        unit,
        tree: Tree::Agency,
        valid_from: on,
        from_known: true,
        valid_to: None,
        recorded_at: at,
        kind: Kind::Agency(new.kind),
        name: full_name.clone(),
        full_name,
        code,
        parent: new.parent,
        act: new.act.clone(),
        ended_by: None,
        certainty: Certainty::Decided,
        source: String::new(),
        details: Details::default(),
    }
}

fn decided(
    predecessor: UnitId,
    successor: UnitId,
    kind: SuccessionKind,
    on: Date,
    transfers: bool,
    act: Option<&str>,
) -> Succession {
    let act = act.map(str::to_owned);
    let (certainty, transfers) = (Certainty::Decided, Some(transfers));
    Succession {
        predecessor,
        successor,
        kind,
        on,
        share: None,
        transfers,
        act,
        certainty,
        source: String::new(),
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = text::nfc(name).split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > NAME_LIMIT {
        let (vi, en) =
            ("Nhập tên cơ quan, không quá 300 ký tự.", "Give the agency's name, at most 300 characters.");
        return Err(Error::field("full_name", both(vi, en)));
    }
    Ok(name)
}

fn no_parent() -> Error {
    refused(
        "no-such-parent",
        "Không có cơ quan cấp trên này vào ngày đó.",
        "There is no such agency above on that day.",
    )
}

fn refused(code: &'static str, vi: &str, en: &str) -> Error {
    Refusal::new(code, both(vi, en)).into()
}

pub(super) fn both(vi: &str, en: &str) -> Text {
    Text { vi: vi.to_owned(), en: en.to_owned() }
}
