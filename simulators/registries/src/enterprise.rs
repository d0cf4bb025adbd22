//! The enterprises of the business registry, all invented, with search without tone marks.
//! Pure: no network, no clock.

use std::collections::BTreeMap;

use base::clock::Date;
use base::text;
use serde::Serialize;

use crate::dice::Dice;
use crate::names;
use crate::place::{self, Commune};

/// No province has this two-digit prefix, so no enterprise number made here can ever be a real one.
pub const IMPOSSIBLE_PROVINCE: &str = "99";

/// How many enterprises a registry holds unless told otherwise.
pub const USUAL_NUMBER: usize = 1_500;

/// One invented enterprise, in the field names of the registry's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enterprise {
    /// Ten digits, beginning with [`IMPOSSIBLE_PROVINCE`], the last one a valid check digit.
    pub ma_so: String,
    /// Full name.
    pub ten: String,
    /// Legal form.
    pub loai_hinh: &'static str,
    /// Day of first registration.
    pub ngay_dang_ky: Date,
    /// Status in words.
    pub tinh_trang: &'static str,
    /// Charter capital, đồng.
    pub von_dieu_le: i64,
    /// Head office.
    pub tru_so: Office,
    /// Legal representative, invented.
    pub nguoi_dai_dien: Representative,
    /// Lines of business, four-digit national classification.
    pub nganh_nghe: Vec<Line>,
    /// How many times the registration was changed.
    pub lan_thay_doi: u32,
    /// Always true: it does not exist.
    pub gia_lap: bool,
}

/// A head office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Office {
    /// House and street, invented.
    pub dia_chi: String,
    /// The commune.
    pub don_vi_hanh_chinh: Commune,
}

/// A legal representative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Representative {
    /// Full name, invented.
    pub ho_ten: String,
    /// Post.
    pub chuc_danh: &'static str,
}

/// A line of business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Four digits.
    pub ma: &'static str,
    /// Name in the classification.
    pub ten: &'static str,
}

const LINES: &[Line] = &[
    Line { ma: "0111", ten: "Trồng lúa" },
    Line { ma: "1061", ten: "Xay xát và sản xuất bột thô" },
    Line { ma: "1410", ten: "May trang phục (trừ trang phục từ da lông thú)" },
    Line { ma: "2592", ten: "Gia công cơ khí; xử lý và tráng phủ kim loại" },
    Line { ma: "4101", ten: "Xây dựng nhà để ở" },
    Line { ma: "4102", ten: "Xây dựng nhà không để ở" },
    Line { ma: "4212", ten: "Xây dựng công trình đường bộ" },
    Line { ma: "4649", ten: "Bán buôn đồ dùng khác cho gia đình" },
    Line { ma: "4663", ten: "Bán buôn vật liệu, thiết bị lắp đặt khác trong xây dựng" },
    Line { ma: "4933", ten: "Vận tải hàng hóa bằng đường bộ" },
    Line { ma: "5510", ten: "Dịch vụ lưu trú ngắn ngày" },
    Line { ma: "5610", ten: "Nhà hàng và các dịch vụ ăn uống phục vụ lưu động" },
];

/// All enterprises of one registry.
#[derive(Debug)]
pub struct Register {
    by_number: BTreeMap<String, Enterprise>,
    folded: BTreeMap<String, String>,
}

/// One page of a search.
#[derive(Debug, Serialize)]
pub struct Found<'a> {
    /// The enterprises of this page, by number.
    pub doanh_nghiep: Vec<Short<'a>>,
    /// Give this as `sau` to get the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiep_theo: Option<String>,
    /// Always true: none of them exists.
    pub gia_lap: bool,
}

/// What a search shows of an enterprise.
#[derive(Debug, Serialize)]
pub struct Short<'a> {
    /// Number.
    pub ma_so: &'a str,
    /// Full name.
    pub ten: &'a str,
    /// Status in words.
    pub tinh_trang: &'a str,
}

impl Register {
    /// Invents `number` enterprises (at most 100,000); the same arguments give the same register.
    pub fn invent(seed: u64, number: usize, communes: &[Commune]) -> Self {
        let dice = Dice::new(seed ^ 0x6669_726d);
        let communes = place::or_invented(communes);
        let mut by_number = BTreeMap::new();
        while by_number.len() < number.min(100_000) {
            let Some(ma_so) = with_check_digit(&format!("99{:07}", dice.below(10_000_000))) else { continue };
            by_number.entry(ma_so.clone()).or_insert_with(|| invent(&dice, ma_so, &communes));
        }
        let folded = by_number.values().map(|e| (e.ma_so.clone(), text::fold(&e.ten))).collect();
        Self { by_number, folded }
    }

    /// The enterprise with this number.
    pub fn get(&self, number: &str) -> Option<&Enterprise> {
        self.by_number.get(number)
    }

    /// All enterprises, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Enterprise> {
        self.by_number.values()
    }

    /// Enterprises whose name contains every word of `name`, tone marks and case aside; at most `limit`, beginning
    /// after the number `after`.
    pub fn search(&self, name: &str, after: &str, limit: usize) -> Found<'_> {
        let folded = text::fold(name);
        let words: Vec<&str> = folded.split_whitespace().collect();
        let mut hits: Vec<&Enterprise> = self
            .folded
            .range::<str, _>((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
            .filter(|(_, name)| words.iter().all(|w| name.contains(w)))
            .filter_map(|(number, _)| self.by_number.get(number))
            .take(limit + 1)
            .collect();
        let more = hits.len() > limit;
        hits.truncate(limit);
        Found {
            tiep_theo: if more { hits.last().map(|e| e.ma_so.clone()) } else { None },
            doanh_nghiep: hits
                .into_iter()
                .map(|e| Short { ma_so: &e.ma_so, ten: &e.ten, tinh_trang: e.tinh_trang })
                .collect(),
            gia_lap: true,
        }
    }
}

/// True for ten ASCII digits.
pub fn is_number(s: &str) -> bool {
    s.len() == 10 && s.bytes().all(|b| b.is_ascii_digit())
}

/// Nine digits with their check digit; `None` for the few that have none.
fn with_check_digit(nine: &str) -> Option<String> {
    const WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];
    let sum: u32 = nine.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let digit = 10 - sum % 11;
    (digit < 10).then(|| format!("{nine}{digit}"))
}

fn invent(dice: &Dice, ma_so: String, communes: &[Commune]) -> Enterprise {
    let loai_hinh = dice.weighted(names::FORMS);
    let first = dice.index(LINES.len());
    let lines = 1 + dice.index(5);
    Enterprise {
        ten: names::enterprise(dice, loai_hinh),
        ma_so,
        loai_hinh,
        ngay_dang_ky: registration_day(dice),
        tinh_trang: dice.weighted(&[
            ("Đang hoạt động", 84),
            ("Tạm ngừng kinh doanh", 10),
            ("Đang làm thủ tục giải thể", 4),
            ("Đã giải thể", 2),
        ]),
        von_dieu_le: (1 + dice.below(400) as i64) * 100_000_000,
        tru_so: Office {
            dia_chi: format!("Số {} đường Minh Họa", 1 + dice.below(400)),
            don_vi_hanh_chinh: communes[dice.index(communes.len())].clone(),
        },
        nguoi_dai_dien: Representative {
            ho_ten: names::person(dice, dice.chance(1, 3)),
            chuc_danh: if loai_hinh == "Doanh nghiệp tư nhân" {
                "Chủ doanh nghiệp"
            } else {
                "Giám đốc"
            },
        },
        nganh_nghe: (0..lines).map(|i| LINES[(first + i * 5) % LINES.len()]).collect(),
        lan_thay_doi: dice.below(25) as u32,
        gia_lap: true,
    }
}

fn registration_day(dice: &Dice) -> Date {
    loop {
        let (year, month, day) = (2001 + dice.below(24), 1 + dice.below(12), 1 + dice.below(31));
        if let Some(date) = Date::new(year as i16, month as i8, day as i8) {
            return date;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_impossible_but_well_formed() {
        let register = Register::invent(3, USUAL_NUMBER, &[]);
        assert_eq!(register.iter().count(), USUAL_NUMBER);
        for e in register.iter() {
            assert!(is_number(&e.ma_so) && e.ma_so.starts_with("99"));
            assert_eq!(with_check_digit(&e.ma_so[..9]).as_deref(), Some(e.ma_so.as_str()));
            let mut codes: Vec<_> = e.nganh_nghe.iter().map(|l| l.ma).collect();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), e.nganh_nghe.len(), "no line of business twice");
        }
    }

    #[test]
    fn the_check_digit_follows_the_published_rule() {
        // The number of a well-known state enterprise: 29 + 17 + 63 + 5 = 114; 114 mod 11 = 4; 10 - 4 = 6.
        assert_eq!(with_check_digit("010010910").as_deref(), Some("0100109106"));
        // A sum divisible by eleven would need the digit 10: such numbers are never issued.
        assert_eq!(with_check_digit("000000000"), None);
    }

    #[test]
    fn search_ignores_tones_and_pages_without_gaps() {
        let register = Register::invent(3, USUAL_NUMBER, &[]);
        let all = register.search("xay dung", "", 10_000);
        assert!(all.doanh_nghiep.len() > 50 && all.tiep_theo.is_none());
        assert!(all.doanh_nghiep.iter().all(|e| text::fold(e.ten).contains("xay dung")));
        let (mut seen, mut after) = (vec![], String::new());
        loop {
            let page = register.search("XÂY dựng", &after, 20);
            seen.extend(page.doanh_nghiep.iter().map(|e| e.ma_so.to_owned()));
            match page.tiep_theo {
                Some(next) => after = next,
                None => break,
            }
        }
        assert_eq!(seen, all.doanh_nghiep.iter().map(|e| e.ma_so.to_owned()).collect::<Vec<_>>());
    }
}
