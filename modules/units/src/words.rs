//! How units, periods, certainty and sources are said.

use kernel::clock::Date;
use kernel::i18n::Lang;
use kernel::orgs::{Act, Certainty, SuccessionKind, Tree, Version};
use web::ui::{Badge, Tone};

use crate::t;

/// "từ 01/07/2025", "01/03/2025 – 30/06/2025", "đến 30/06/2025": last days are inclusive, as people say them.
pub fn period(l: Lang, v: &Version) -> String {
    match (v.from_known, v.valid_to.and_then(last_day)) {
        (true, Some(to)) => t::period_from_to(l, t::PeriodFromTo { from: v.valid_from.vn(), to: to.vn() }),
        (true, None) => t::period_from(l, v.valid_from.vn()),
        (false, Some(to)) => t::period_to(l, to.vn()),
        (false, None) => t::period_open(l, v.valid_from.vn()),
    }
}

/// The day before the first day of the next state.
pub fn last_day(end: Date) -> Option<Date> {
    end.plus_days(-1)
}

/// How sure, as a word.
pub fn certainty(l: Lang, c: Certainty) -> &'static str {
    match c {
        Certainty::Decided => t::certainty_decided(l),
        Certainty::Listed => t::certainty_listed(l),
        Certainty::Reported => t::certainty_reported(l),
        Certainty::Inferred => t::certainty_inferred(l),
    }
}

/// How sure, as a mark.
pub fn certainty_badge(l: Lang, c: Certainty) -> Badge {
    let tone = match c {
        Certainty::Decided | Certainty::Listed => Tone::Good,
        Certainty::Reported => Tone::Info,
        Certainty::Inferred => Tone::Warn,
    };
    Badge::new(tone, certainty(l, c))
}

/// How one unit passed into another.
pub fn kind(l: Lang, k: SuccessionKind) -> &'static str {
    match k {
        SuccessionKind::Merge => t::kind_merge(l),
        SuccessionKind::Split => t::kind_split(l),
        SuccessionKind::Convert => t::kind_convert(l),
        SuccessionKind::Transfer => t::kind_transfer(l),
    }
}

/// A source as people know it; evidence of a dated change is said as it is.
pub fn source(l: Lang, source: &str) -> String {
    match source {
        s if s.starts_with("old63_") => t::source_old(l).to_owned(),
        s if s.starts_with("new34_") => t::source_new(l).to_owned(),
        s if s.contains("_mapping_") => t::source_mapping(l).to_owned(),
        s => s.to_owned(),
    }
}

/// A full name inside a Vietnamese sentence: "phường Hạc Thành", but "Sở Xây dựng".
pub fn running(l: Lang, tree: Tree, full_name: &str) -> String {
    let mut letters = full_name.chars();
    match (l, tree, letters.next()) {
        (Lang::Vi, Tree::Territory, Some(first)) => first.to_lowercase().chain(letters).collect(),
        _ => full_name.to_owned(),
    }
}

/// An act as papers cite it: "Nghị quyết số 1686/NQ-UBTVQH15 ngày 16/06/2025 của Ủy ban Thường vụ Quốc hội về việc …". A
/// legal text, so never translated.
pub fn cited(act: &Act) -> String {
    let Act { number, issuer, title, .. } = act;
    let on = act.issued_on.map_or_else(String::new, |d| format!(" ngày {}", d.vn()));
    let kinds = ["Nghị quyết", "Quyết định", "Nghị định", "Luật"];
    match kinds.iter().find_map(|kind| title.strip_prefix(kind).map(|rest| (kind, rest))) {
        Some((kind, rest)) => format!("{kind} số {number}{on} của {issuer}{rest}"),
        None => format!("{title}, số {number}{on} của {issuer}"),
    }
}

/// Full names of the units above, nearest first.
pub fn above(units: &[Version]) -> String {
    units.iter().map(|v| v.full_name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_cited_as_papers_do() {
        let act = |title: &str, on: Option<&str>| Act {
            number: "1/NQ".into(),
            issuer: "Quốc hội".into(),
            issued_on: on.map(|d| d.parse().unwrap()),
            applies_from: "2025-07-01".parse().unwrap(),
            title: title.into(),
        };
        assert_eq!(
            cited(&act("Nghị quyết về việc A", Some("2025-06-16"))),
            "Nghị quyết số 1/NQ ngày 16/06/2025 của Quốc hội về việc A"
        );
        assert_eq!(cited(&act("Nghị quyết về việc A", None)), "Nghị quyết số 1/NQ của Quốc hội về việc A");
        assert_eq!(cited(&act("Văn bản khác", None)), "Văn bản khác, số 1/NQ của Quốc hội");
        assert_eq!(running(Lang::Vi, Tree::Territory, "Đặc khu Lý Sơn"), "đặc khu Lý Sơn");
        assert_eq!(running(Lang::En, Tree::Territory, "Đặc khu Lý Sơn"), "Đặc khu Lý Sơn");
        assert_eq!(running(Lang::Vi, Tree::Agency, "Sở Xây dựng"), "Sở Xây dựng");
    }
}
