//! What the interface answers: plain data with ISO days, the same words in every version.

use kernel::clock::Date;
use kernel::i18n::Lang;
use kernel::orgs::{self, Version};
use serde::Serialize;
use utoipa::ToSchema;

/// A unit on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unit {
    /// Its identifier, which stays when its name or type changes and never passes to another unit.
    id: String,
    /// The statistics office's code; it passes to other units.
    code: Option<String>,
    /// Name without type.
    name: String,
    /// Official name.
    full_name: String,
    /// `province`, `central-city`, `urban-district`, `rural-district`, `town`, `provincial-city`, `commune`, `ward`,
    /// `township`, `special-zone`.
    #[serde(rename = "type")]
    kind: String,
    /// The type in Vietnamese.
    type_name: String,
    /// First day of this state.
    valid_from: String,
    /// `false`: the state is attested from that day and began earlier.
    from_known: bool,
    /// First day on which it is no longer so; absent while it is.
    valid_to: Option<String>,
    /// Identifier of the unit above.
    parent: Option<String>,
    /// Official names of the units above, nearest first.
    above: Vec<String>,
    /// Number of the act that brought this state.
    act: Option<String>,
    /// Number of the act that ended the unit.
    ended_by: Option<String>,
    /// `listed`, `reported`, `inferred` or `decided`.
    certainty: String,
    /// Where it was read.
    source: String,
    /// What it was formed from, in the words of the source.
    formed_from: Option<String>,
}

/// Units on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitList {
    /// The day.
    pub on: String,
    /// The units.
    pub items: Vec<Unit>,
    /// Whether there are more.
    pub more: bool,
}

/// A state of the territories.
#[derive(Debug, Serialize, ToSchema)]
pub struct State {
    /// Its first day.
    from: String,
    /// `false`: attested from that day, began earlier.
    from_known: bool,
}

/// One end of a succession.
#[derive(Debug, Serialize, ToSchema)]
pub struct End {
    /// Its identifier.
    id: String,
    /// Its code then.
    code: Option<String>,
    /// Its official name then.
    full_name: Option<String>,
}

/// One succession.
#[derive(Debug, Serialize, ToSchema)]
pub struct Step {
    /// First day of the new state.
    on: String,
    /// `merge` (the whole), `split` (a part), `convert` (another level), `transfer` (functions only).
    kind: String,
    /// Who ended or gave.
    predecessor: End,
    /// Who began or received.
    successor: End,
    /// The part, in hundredths of a percent; absent where no source says.
    share: Option<i64>,
    /// Whether functions and records passed; absent where only the act could tell.
    functions_transferred: Option<bool>,
    /// Number of the act.
    act: Option<String>,
    /// `listed`, `reported`, `inferred` or `decided`.
    certainty: String,
}

/// A unit and everything it became.
#[derive(Debug, Serialize, ToSchema)]
pub struct Became {
    /// The unit on the day asked for.
    pub unit: Unit,
    /// Until when it was followed.
    pub until: String,
    /// There are several units now: the old code or name alone does not tell which.
    pub ambiguous: bool,
    /// Later states of the same unit.
    pub later: Vec<Unit>,
    /// Successions in order of time.
    pub steps: Vec<Step>,
    /// What is there at the end.
    pub now: Vec<Unit>,
}

impl Unit {
    pub(super) fn named(v: Version, above: Vec<String>) -> Self {
        Self {
            id: v.unit.to_string(),
            code: v.code,
            name: v.name,
            full_name: v.full_name,
            kind: v.kind.key().to_owned(),
            type_name: v.kind.label(Lang::Vi).to_owned(),
            valid_from: v.valid_from.to_string(),
            from_known: v.from_known,
            valid_to: v.valid_to.map(|d| d.to_string()),
            parent: v.parent.map(|p| p.to_string()),
            above,
            act: v.act,
            ended_by: v.ended_by,
            certainty: v.certainty.key().to_owned(),
            source: v.source,
            formed_from: v.details.formed_from,
        }
    }
}

impl State {
    pub(super) fn new(at: usize, from: Date) -> Self {
        Self { from: from.to_string(), from_known: at > 0 }
    }
}

impl End {
    fn of(unit: orgs::UnitId, version: Option<Version>) -> Self {
        let (code, full_name) = version.map_or((None, None), |v| (v.code, Some(v.full_name)));
        Self { id: unit.to_string(), code, full_name }
    }
}

impl From<orgs::Step> for Step {
    fn from(step: orgs::Step) -> Self {
        let s = step.succession;
        Self {
            on: s.on.to_string(),
            kind: s.kind.key().to_owned(),
            predecessor: End::of(s.predecessor, step.from),
            successor: End::of(s.successor, step.into),
            share: s.share,
            functions_transferred: s.transfers,
            act: s.act,
            certainty: s.certainty.key().to_owned(),
        }
    }
}
