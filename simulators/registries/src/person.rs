//! The people of the population registry, all invented, and the two questions one may ask about them.
//! Pure: no network, no clock.

use std::collections::BTreeMap;

use base::clock::Date;
use base::text;
use serde::Serialize;

use crate::dice::Dice;
use crate::names;
use crate::place::{self, Commune};

/// No province, city or country has this birthplace code (provinces use 001 to 096, foreign states 101 and
/// upwards but far below 999), so no number made here can ever belong to a living person.
pub const IMPOSSIBLE_BIRTHPLACE: &str = "999";

/// How many people a registry holds unless told otherwise.
pub const USUAL_NUMBER: usize = 5_000;

/// One invented person, in the field names of the registry's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Twelve digits, beginning with [`IMPOSSIBLE_BIRTHPLACE`].
    pub so_dinh_danh: String,
    /// Family name first, NFC.
    pub ho_ten: String,
    /// Date of birth.
    pub ngay_sinh: Date,
    /// "Nam" or "Nữ".
    pub gioi_tinh: &'static str,
    /// Ethnic group.
    pub dan_toc: &'static str,
    /// Nationality.
    pub quoc_tich: &'static str,
    /// Permanent residence.
    pub noi_thuong_tru: Residence,
    /// Always true: nobody here exists.
    pub gia_lap: bool,
}

/// Where a person is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Residence {
    /// Village or street, invented.
    pub thon_to: String,
    /// The commune.
    pub don_vi_hanh_chinh: Commune,
}

/// What a comparison found out; it tells which fields differ, never what the right value is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// All three fields agree.
    pub khop: bool,
    /// A person with this number exists.
    pub tim_thay: bool,
    /// Names of the fields that differ.
    pub truong_khong_khop: Vec<&'static str>,
    /// Always true: nobody here exists.
    pub gia_lap: bool,
}

/// All people of one registry.
#[derive(Debug)]
pub struct Population(BTreeMap<String, Person>);

impl Population {
    /// Invents `number` people (at most 100,000) living in `communes`; the same arguments give the same people.
    pub fn invent(seed: u64, number: usize, communes: &[Commune]) -> Self {
        let dice = Dice::new(seed ^ 0x7065_6f70_6c65);
        let communes = place::or_invented(communes);
        let mut people = BTreeMap::new();
        while people.len() < number.min(100_000) {
            let person = invent(&dice, &communes);
            people.entry(person.so_dinh_danh.clone()).or_insert(person);
        }
        Self(people)
    }

    /// The person with this number.
    pub fn get(&self, number: &str) -> Option<&Person> {
        self.0.get(number)
    }

    /// Everybody, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.0.values()
    }

    /// How many people there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares what a caller believes with what is registered. Case, spaces and Unicode form of a name do not
    /// matter; tones do.
    pub fn verify(&self, number: &str, name: &str, born: Date) -> Verification {
        let Some(person) = self.get(number) else {
            return Verification { khop: false, tim_thay: false, truong_khong_khop: vec![], gia_lap: true };
        };
        let mut differing = vec![];
        if plain(name) != plain(&person.ho_ten) {
            differing.push("ho_ten");
        }
        if born != person.ngay_sinh {
            differing.push("ngay_sinh");
        }
        Verification {
            khop: differing.is_empty(),
            tim_thay: true,
            truong_khong_khop: differing,
            gia_lap: true,
        }
    }
}

fn plain(name: &str) -> String {
    text::nfc(name).to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True for twelve ASCII digits.
pub fn is_number(s: &str) -> bool {
    s.len() == 12 && s.bytes().all(|b| b.is_ascii_digit())
}

fn invent(dice: &Dice, communes: &[Commune]) -> Person {
    let female = dice.chance(1, 2);
    let born = birthday(dice);
    // Decree 137/2015/NĐ-CP, article 13: a digit for century and sex, two for the year, six at random.
    let sex_and_century = match (born.year() >= 2000, female) {
        (false, false) => 0,
        (false, true) => 1,
        (true, false) => 2,
        (true, true) => 3,
    };
    let number = format!(
        "{IMPOSSIBLE_BIRTHPLACE}{sex_and_century}{:02}{:06}",
        born.year() % 100,
        dice.below(1_000_000)
    );
    Person {
        so_dinh_danh: number,
        ho_ten: names::person(dice, female),
        ngay_sinh: born,
        gioi_tinh: if female { "Nữ" } else { "Nam" },
        dan_toc: dice.weighted(&[("Kinh", 80), ("Mường", 11), ("Thái", 7), ("Mông", 1), ("Dao", 1)]),
        quoc_tich: "Việt Nam",
        noi_thuong_tru: Residence {
            thon_to: format!("Thôn {}", 1 + dice.below(12)),
            don_vi_hanh_chinh: communes[dice.index(communes.len())].clone(),
        },
        gia_lap: true,
    }
}

fn birthday(dice: &Dice) -> Date {
    loop {
        let (year, month, day) = (1938 + dice.below(87), 1 + dice.below(12), 1 + dice.below(31));
        if let Some(date) = Date::new(year as i16, month as i8, day as i8) {
            return date;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population() -> Population {
        Population::invent(7, USUAL_NUMBER, &[])
    }

    #[test]
    fn nobody_can_be_real_and_everybody_is_marked() {
        let people = population();
        assert_eq!(people.len(), USUAL_NUMBER);
        for person in people.iter() {
            assert!(is_number(&person.so_dinh_danh));
            assert!(person.so_dinh_danh.starts_with("999"), "{}", person.so_dinh_danh);
            assert!(person.gia_lap);
            let year = person.ngay_sinh.year();
            let digit = person.so_dinh_danh.as_bytes()[3] - b'0';
            assert_eq!(digit >= 2, year >= 2000);
            assert_eq!(digit % 2 == 1, person.gioi_tinh == "Nữ");
            assert_eq!(person.so_dinh_danh[4..6], format!("{:02}", year % 100));
            assert_eq!(text::nfc(&person.ho_ten), person.ho_ten);
        }
    }

    #[test]
    fn the_same_seed_invents_the_same_people() {
        let names = |p: &Population| p.iter().map(|p| p.ho_ten.clone()).collect::<Vec<_>>();
        assert_eq!(names(&population()), names(&population()));
        assert_ne!(names(&population()), names(&Population::invent(8, USUAL_NUMBER, &[])));
    }

    #[test]
    fn verification_names_the_differing_fields_only() {
        let people = population();
        let person = people.iter().next().unwrap();
        let ask = |name: &str, born| people.verify(&person.so_dinh_danh, name, born);
        let other_day = person.ngay_sinh.plus_days(1).unwrap();
        assert!(ask(&person.ho_ten, person.ngay_sinh).khop);
        assert!(ask(&format!("  {} ", person.ho_ten.to_uppercase()), person.ngay_sinh).khop);
        assert_eq!(ask("Không Phải Tên", person.ngay_sinh).truong_khong_khop, ["ho_ten"]);
        assert_eq!(ask("Không Phải Tên", other_day).truong_khong_khop, ["ho_ten", "ngay_sinh"]);
        assert!(!people.verify("999999999999", &person.ho_ten, person.ngay_sinh).tim_thay);
    }
}
