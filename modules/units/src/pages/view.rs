//! Everything the page of a unit shows, read at once.

use std::collections::HashMap;

use kernel::Kernel;
use kernel::clock::Date;
use kernel::orgs::{Act, Became, CodeUse, Step, Tree, UnitId, Version};
use kernel::text;

/// A unit on a day with its past and future.
pub(super) struct View {
    /// What became of it, up to today (or the day asked for, if that is later).
    pub(super) became: Became,
    /// Until when it was followed.
    pub(super) until: Date,
    /// All its versions.
    pub(super) history: Vec<Version>,
    /// What it was formed from.
    pub(super) formed: Vec<Step>,
    /// Who else had its code.
    pub(super) uses: Vec<Version>,
    /// What is below it on the day.
    pub(super) children: Vec<Version>,
    /// Names above each version, by its first day.
    pub(super) above: HashMap<Date, String>,
    /// Names above the units named in sentences and tables.
    pub(super) places: HashMap<UnitId, String>,
    /// Acts by number.
    pub(super) acts: HashMap<String, Act>,
    /// Of an agency: its codes of all days.
    pub(super) codes: Vec<CodeUse>,
    /// Of an agency: the territories it answers for on the day, each with its role there.
    pub(super) territories: Vec<(String, Version)>,
}

impl View {
    pub(super) async fn of(k: &Kernel, version: &Version, on: Date) -> web::Result<Self> {
        let until = k.clock.now().date().max(on);
        let mut became = k.orgs().became(version.clone(), on, until).await?;
        became.steps.sort_by_key(|s| (s.succession.on, in_order(s.into.as_ref())));
        let history = k.orgs().history(version.unit).await?;
        let mut above = HashMap::new();
        for v in &history {
            let day = v.valid_from;
            above.insert(day, crate::words::above(&k.orgs().ancestors(v.unit, day).await?));
        }
        let formed = k.orgs().predecessors(version.unit).await?;
        let mut formed = k.orgs().with_versions(formed).await?;
        formed.sort_by_key(|s| (s.succession.on, in_order(s.from.as_ref())));
        let uses = match &version.code {
            Some(code) => k.orgs().code_uses(code).await?,
            None => Vec::new(),
        };
        let children = k.orgs().children(version.unit, on).await?;
        let places = places(k, &became, &formed, until).await?;
        let mut numbers: Vec<String> =
            history.iter().flat_map(|v| [v.act.clone(), v.ended_by.clone()]).flatten().collect();
        numbers.extend(became.steps.iter().chain(&formed).filter_map(|s| s.succession.act.clone()));
        numbers.sort();
        numbers.dedup();
        let acts = k.orgs().acts(&numbers).await?.into_iter().map(|a| (a.number.clone(), a)).collect();
        let agency = version.tree == Tree::Agency;
        let codes = if agency { k.orgs().codes(version.unit).await? } else { Vec::new() };
        let territories = if agency { k.orgs().territories_of(version.unit, on).await? } else { Vec::new() };
        Ok(Self { became, until, history, formed, uses, children, above, places, acts, codes, territories })
    }

    /// The same code has named other units.
    pub(super) fn code_is_shared(&self) -> bool {
        self.uses.iter().any(|v| v.unit != self.became.asked.unit)
    }
}

/// Vietnamese order of names.
fn in_order(version: Option<&Version>) -> String {
    version.map_or_else(String::new, |v| text::sort_key(&v.name))
}

/// Names above successors on their first day, above predecessors on their last, above what is there now. Units of one
/// parent are asked for once.
async fn places(
    k: &Kernel,
    became: &Became,
    formed: &[Step],
    until: Date,
) -> web::Result<HashMap<UnitId, String>> {
    let after = became.steps.iter().filter_map(|s| s.into.as_ref().map(|v| (v, s.succession.on)));
    let before = formed.iter().filter_map(|s| {
        let day = s.succession.on.plus_days(-1)?;
        s.from.as_ref().map(|v| (v, day))
    });
    let now = became.now.iter().map(|v| (v, until));
    let mut known: HashMap<(Option<UnitId>, Date), String> = HashMap::new();
    let mut places = HashMap::new();
    for (version, day) in after.chain(before).chain(now) {
        let key = (version.parent, day);
        let above = match known.get(&key) {
            Some(above) => above.clone(),
            None => crate::words::above(&k.orgs().ancestors(version.unit, day).await?),
        };
        known.insert(key, above.clone());
        places.insert(version.unit, above);
    }
    Ok(places)
}
