//! Reading single fields: codes, names, dates, flags, and the checks against what was accepted before.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::code::Code;
use crate::kind::{Level, UnitType};
use crate::reader::Record;
use crate::report::{Reason, Repair};
use crate::rows::{Act, ActScope, ListInfo, full_name};

pub(super) fn info(r: &mut Record) -> Result<ListInfo, Reason> {
    let (list, source) = (r.get(0)?.to_owned(), r.get(3)?.to_owned());
    Ok(ListInfo { list, as_of: r.parse(1, date)?, attested_from: r.parse_opt(2, date)?, source })
}

pub(super) fn act(r: &mut Record) -> Result<Act, Reason> {
    Ok(Act {
        number: r.get(0)?.to_owned(),
        issuer: r.get(1)?.to_owned(),
        issued_on: r.parse_opt(2, date)?,
        applies_from: r.parse(3, date)?,
        scope: r.parse(4, ActScope::from_key)?,
        province: r.parse_opt(5, |s| Code::parse(s, Level::Province))?,
        title: r.get(6)?.to_owned(),
    })
}

/// Codes met so far, with their lines.
#[derive(Default)]
pub(super) struct Seen(HashMap<Code, usize>);

impl Seen {
    pub(super) fn code(&mut self, r: &Record, at: usize, level: Level) -> Result<Code, Reason> {
        let code = r.parse(at, |s| Code::parse(s, level))?;
        match self.0.get(&code) {
            Some(first_line) => Err(Reason::Duplicate { code: code.to_string(), first_line: *first_line }),
            None => {
                self.0.insert(code, r.line);
                Ok(code)
            }
        }
    }
}

pub(super) fn index<T>(rows: &[T], code: impl Fn(&T) -> Code) -> HashMap<Code, Code> {
    rows.iter().map(|r| (code(r), code(r))).collect()
}

/// A code that must have been accepted before.
pub(super) fn known(
    r: &Record,
    at: usize,
    level: Level,
    among: &HashMap<Code, Code>,
) -> Result<Code, Reason> {
    let code = r.parse(at, |s| Code::parse(s, level))?;
    if among.contains_key(&code) {
        return Ok(code);
    }
    Err(Reason::Unknown { column: r.column(at), code: code.to_string() })
}

/// A code that must be the one found elsewhere.
pub(super) fn same(r: &Record, at: usize, there: Option<&Code>) -> Result<Code, Reason> {
    let here = r.get(at)?;
    match there {
        Some(there) if there.as_str() == here => Ok(*there),
        there => Err(Reason::Contradiction {
            column: r.column(at),
            here: here.to_owned(),
            there: there.map(Code::to_string).unwrap_or_default(),
        }),
    }
}

/// A full name and the type in it.
pub(super) fn named(r: &mut Record, at: usize, level: Level) -> Result<(String, UnitType), Reason> {
    let (name, kind, repaired) = r.parse(at, |s| full_name(s, level))?;
    if repaired && !r.repairs.contains(&Repair::TypeCase) {
        r.repairs.push(Repair::TypeCase);
    }
    Ok((name, kind))
}

/// The type column must name a type of the level; where it is not the one in the full name, the name decides.
pub(super) fn agrees(r: &mut Record, at: usize, kind: UnitType) -> Result<(), Reason> {
    let here = r.get(at)?.to_lowercase();
    let is = |t: UnitType| {
        here == t.word().to_lowercase()
            || (t == UnitType::CentralCity && here == "thành phố trực thuộc trung ương")
    };
    let known = UnitType::ALL.into_iter().any(|t| t.level() == kind.level() && is(t));
    if !known {
        return Err(r.bad(at, &here));
    }
    if !is(kind) {
        r.repairs.push(Repair::TypeOfName);
    }
    Ok(())
}

pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

pub(super) fn date(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == 10)
}

/// "54 ĐVHC (02 đặc khu, 30 phường, 22 xã)" as xã, phường, đặc khu; the parts must add up to the whole.
pub(super) fn composition(text: &str) -> Option<[usize; 3]> {
    let (total, parts) = text.split_once('(')?;
    let total: usize = total.split_whitespace().next()?.parse().ok()?;
    let mut counts = [0; 3];
    for part in parts.trim_end_matches(')').replace(" và ", ", ").split(", ") {
        let (count, word) = part.trim().split_once(' ')?;
        let at = ["xã", "phường", "đặc khu"].iter().position(|w| *w == word.trim())?;
        *counts.get_mut(at)? += count.parse::<usize>().ok()?;
    }
    (counts.iter().sum::<usize>() == total).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compositions_must_add_up() {
        assert_eq!(composition("126 ĐVHC (51 phường và 75 xã)"), Some([75, 51, 0]));
        assert_eq!(composition("54 ĐVHC (02 đặc khu, 30 phường, 22 xã)"), Some([22, 30, 2]));
        assert_eq!(composition("55 ĐVHC (02 đặc khu, 30 phường, 22 xã)"), None);
        assert_eq!(composition("54 ĐVHC"), None);
        assert_eq!(composition("1 ĐVHC (1 quận)"), None);
    }
}
