//! What a one-stop system asks for in the course of a day: mostly right, sometimes mistyped, as people are.

use crate::dice::Dice;
use crate::enterprise::Enterprise;
use crate::onestop::Config;
use crate::person::Person;

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person by number.
    Person,
    /// Comparing a person's number, name and birthday.
    Verify,
    /// An enterprise by number.
    Enterprise,
    /// Enterprises by name.
    Search,
    /// The extract of an enterprise.
    Extract,
}

/// Something the client does, how often, and at which service.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The service: instance/class/member/subsystem/serviceCode.
    pub service: String,
    /// The question.
    pub kind: Kind,
    /// How often, beside the other errands.
    pub weight: u32,
}

/// One call ready to be made.
pub(crate) struct Call {
    /// Path and query below the service, beginning with a slash.
    pub path: String,
    /// The service's identifier.
    pub service: String,
    /// JSON to post; a GET without.
    pub body: Option<serde_json::Value>,
}

/// The next call.
pub(crate) fn next(dice: &Dice, config: &Config) -> Call {
    let weighted: Vec<(&Errand, u32)> = config.errands.iter().map(|e| (e, e.weight)).collect();
    let errand = dice.weighted(&weighted);
    let (path, body) = match errand.kind {
        Kind::Person => (format!("/persons/{}", number(dice, config)), None),
        Kind::Verify => ("/persons/verify".to_owned(), Some(verification(dice, config))),
        Kind::Enterprise => (format!("/enterprises/{}", enterprise_number(dice, config)), None),
        Kind::Search => (format!("/enterprises?name={}", escape(words(dice, config))), None),
        Kind::Extract => (format!("/enterprises/{}/extract", enterprise_number(dice, config)), None),
    };
    Call { path, service: errand.service.clone(), body }
}

fn citizen<'a>(dice: &Dice, config: &'a Config) -> Option<&'a Person> {
    config.people.iter().nth(dice.index(config.people.len()))
}

/// Three in a hundred numbers belong to nobody: a digit was mistyped at the counter.
fn number(dice: &Dice, config: &Config) -> String {
    match citizen(dice, config) {
        Some(person) if !dice.chance(3, 100) => person.so_dinh_danh.clone(),
        _ => format!("999099{:06}", dice.below(1_000_000)),
    }
}

fn verification(dice: &Dice, config: &Config) -> serde_json::Value {
    let Some(person) = citizen(dice, config) else {
        return serde_json::json!({"so_dinh_danh": "999099000000", "ho_ten": "Không Có", "ngay_sinh": "1990-01-01"});
    };
    // One in ten applications carries a name without its tone marks, one in twenty the wrong birthday.
    let name = if dice.chance(1, 10) { base::text::fold(&person.ho_ten) } else { person.ho_ten.clone() };
    let born = if dice.chance(1, 20) {
        person.ngay_sinh.plus_days(1).unwrap_or(person.ngay_sinh)
    } else {
        person.ngay_sinh
    };
    serde_json::json!({"so_dinh_danh": person.so_dinh_danh, "ho_ten": name, "ngay_sinh": born})
}

fn enterprise<'a>(dice: &Dice, config: &'a Config) -> Option<&'a Enterprise> {
    config.enterprises.iter().nth(dice.index(config.enterprises.iter().count()))
}

fn enterprise_number(dice: &Dice, config: &Config) -> String {
    match enterprise(dice, config) {
        Some(enterprise) if !dice.chance(3, 100) => enterprise.ma_so.clone(),
        _ => format!("99{:08}", dice.below(100_000_000)),
    }
}

/// The last two words of a name, as an officer would type them.
fn words(dice: &Dice, config: &Config) -> String {
    let name = enterprise(dice, config).map_or("an phat", |e| e.ten.as_str());
    let mut words: Vec<&str> = name.split_whitespace().rev().take(2).collect();
    words.reverse();
    if dice.chance(1, 2) { base::text::fold(&words.join(" ")) } else { words.join(" ") }
}

/// Percent-encodes everything but unreserved characters (RFC 3986, 2.3).
fn escape(s: String) -> String {
    s.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_unreserved_characters_is_encoded() {
        assert_eq!(escape("Đông Sơn&x=1".to_owned()), "%C4%90%C3%B4ng%20S%C6%A1n%26x%3D1");
    }
}
