//! The rota: adding a period, taking one away, copying a week.

use base::clock::{Date, Timestamp};
use base::error::{Error, FieldError, Result};
use base::i18n::Text;
use kernel::identity::people;
use kernel::{Cx, Kernel, PersonId, Scope};
use serde::Deserialize;
use serde_json::json;

use super::refused;
use crate::duty::{MAX_HOURS, Shift, ShiftId, week_after, week_of};
use crate::office::Office;
use crate::permissions::OPERATE;
use crate::quiet::minute;
use crate::store::duty;
use crate::t;

/// People offered for the rota.
pub(crate) const MOST_PEOPLE: u32 = 200;
const HOUR: i64 = 3_600_000_000;
const MINUTE: i64 = 60_000_000;

/// A period as it is typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
    pub from_date: String,
    pub from_time: String,
    pub until_date: String,
    pub until_time: String,
    pub first: String,
    pub second: String,
}

fn moment(date: &str, time: &str) -> Option<Timestamp> {
    let day = Date::parse_vn(date.trim()).or_else(|| date.trim().parse().ok())?;
    let at = Timestamp::start_of(day).micros().checked_add(minute(time)?.checked_mul(MINUTE)?)?;
    Some(Timestamp::from_micros(at))
}

/// Adds a period.
pub(crate) async fn add(o: &Office, k: &Kernel, cx: &Cx, typed: &Typed) -> Result<ShiftId> {
    cx.may(OPERATE, &Scope::province())?;
    let mut errors = Vec::new();
    let mut wrong = |field: &str, text: Text| errors.push(FieldError { field: field.to_owned(), text });
    let begins = moment(&typed.from_date, &typed.from_time);
    let ends = moment(&typed.until_date, &typed.until_time);
    if begins.is_none() {
        wrong("from_date", Text::both(t::bad_moment));
    }
    if ends.is_none() {
        wrong("until_date", Text::both(t::bad_moment));
    }
    if let (Some(begins), Some(ends)) = (begins, ends)
        && !(1..=MAX_HOURS * HOUR).contains(&(ends.micros().saturating_sub(begins.micros())))
    {
        wrong("until_date", Text::both(t::bad_period));
    }
    let holders = people::holders(&k.db, &o.settings.role, None, k.clock.now(), MOST_PEOPLE).await?;
    let known = |typed: &str| {
        let id: PersonId = typed.parse().ok()?;
        holders.iter().any(|p| p.id == id).then_some(id)
    };
    let first = known(&typed.first);
    let second = if typed.second.is_empty() { None } else { known(&typed.second) };
    if first.is_none() {
        wrong("first", Text::both(t::bad_person));
    }
    if second.is_none() && !typed.second.is_empty() {
        wrong("second", Text::both(t::bad_person));
    }
    if second.is_some() && second == first {
        wrong("second", Text::both(t::same_person));
    }
    let (Some(begins), Some(ends), Some(first), true) = (begins, ends, first, errors.is_empty()) else {
        return Err(Error::Invalid(errors));
    };
    let shift = Shift { id: ShiftId::new(&*k.clock, &*k.random), begins, ends, first, second };
    let mut tx = k.begin(cx).await?;
    if duty::between_now(&mut tx, begins, ends).await?.iter().any(|s| s.meets(begins, ends)) {
        return Err(Error::field("from_date", Text::both(t::shift_meets)));
    }
    duty::insert(&mut tx, &shift).await?;
    let detail = json!({"begins": begins.rfc3339(), "ends": ends.rfc3339(), "first": first.to_string(),
        "second": second.map(|s| s.to_string())});
    tx.audit("notices.shift.add", &shift.id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(shift.id)
}

/// Takes a period away.
pub(crate) async fn remove(k: &Kernel, cx: &Cx, id: ShiftId) -> Result<()> {
    cx.may(OPERATE, &Scope::province())?;
    let mut tx = k.begin(cx).await?;
    if !duty::remove(&mut tx, id).await? {
        return Err(Error::NotFound { kind: ShiftId::KIND });
    }
    tx.audit("notices.shift.remove", &id.to_ref(), json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Copies the periods that begin in the week of `monday` to the week after. Periods that would meet one that is there
/// are left out. Returns how many were copied.
pub(crate) async fn copy_week(k: &Kernel, cx: &Cx, day: Date) -> Result<i64> {
    cx.may(OPERATE, &Scope::province())?;
    let monday = week_of(day);
    let next = week_after(monday);
    let mut tx = k.begin(cx).await?;
    let week = duty::between_now(&mut tx, monday, next).await?;
    let after_next = week_after(week_after(next));
    let mut there = duty::between_now(&mut tx, next, after_next).await?;
    let mut copied = 0;
    for shift in week.into_iter().filter(|s| s.begins >= monday) {
        let (begins, ends) = shift.next_week();
        if there.iter().any(|s| s.meets(begins, ends)) {
            continue;
        }
        let copy = Shift { id: ShiftId::new(&*k.clock, &*k.random), begins, ends, ..shift };
        duty::insert(&mut tx, &copy).await?;
        there.push(copy);
        copied += 1;
    }
    if copied == 0 {
        return Err(refused("nothing-to-copy", Text::both(t::nothing_to_copy)));
    }
    let detail = json!({"week": monday.date().to_string(), "copied": copied});
    tx.audit("notices.shift.copy", &kernel::Ref::new("notices.week", monday.date().to_string()), detail)
        .await?;
    tx.commit().await?;
    Ok(copied)
}
