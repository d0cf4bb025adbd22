//! Which services an alert of the watch was about, and for how long each of them was out of reach. Pure.

use std::collections::BTreeMap;

use base::clock::Timestamp;

use super::figures::Registered;
use crate::watch::{DOWN, FAILING};

/// The services an alert with this key is about, by their paths.
pub(super) fn services<'r>(key: &str, registered: &'r BTreeMap<String, Registered>) -> Vec<&'r str> {
    if let Some(path) = key.strip_prefix(FAILING) {
        return registered.get_key_value(path).map(|(path, _)| path.as_str()).into_iter().collect();
    }
    let Some((provider, address)) = key.strip_prefix(DOWN).and_then(|rest| rest.rsplit_once('@')) else {
        return Vec::new();
    };
    // Its services lie beside each other; all of a province's are too many to be looked through for each alert.
    let of_provider = format!("{provider}/");
    let own = registered.range(of_provider.clone()..).take_while(|(path, _)| path.starts_with(&of_provider));
    own.filter(|(_, r)| r.address == address).map(|(path, _)| path.as_str()).collect()
}

/// The subsystem (path) whose services an alert with this key is about, if it is about services.
pub(super) fn provider(key: &str) -> Option<String> {
    match key.strip_prefix(FAILING) {
        Some(path) => Some(crate::traffic::provider(path).to_owned()),
        None => Some(key.strip_prefix(DOWN)?.rsplit_once('@')?.0.to_owned()),
    }
}

/// Microseconds covered by at least one of the stretches, within a period.
pub(super) fn covered(stretches: &mut [(Timestamp, Timestamp)], from: Timestamp, until: Timestamp) -> i64 {
    stretches.sort_unstable();
    let (mut sum, mut reached) = (0, from);
    for (begin, end) in stretches.iter() {
        let (begin, end) = ((*begin).max(reached), (*end).min(until));
        if end > begin {
            sum += end.micros() - begin.micros();
            reached = end;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: i64) -> Timestamp {
        Timestamp::from_micros(n)
    }

    #[test]
    fn time_is_counted_once_and_only_within_the_period() {
        let stretches = |s: &[(i64, i64)]| s.iter().map(|(a, b)| (at(*a), at(*b))).collect::<Vec<_>>();
        for (given, sum) in [
            (&[][..], 0),
            (&[(0, 5)], 0),
            (&[(0, 15)], 5),
            (&[(12, 14), (13, 16), (12, 13)], 4),
            (&[(18, 30), (11, 12)], 3),
            (&[(14, 12)], 0),
        ] {
            assert_eq!(covered(&mut stretches(given), at(10), at(20)), sum, "{given:?}");
        }
    }

    #[test]
    fn an_alert_is_about_the_services_behind_its_address() {
        let service = |address: &str| Registered { address: address.into(), ..Registered::default() };
        let all: BTreeMap<_, _> =
            [("VN/G/A/x/s", "a:1"), ("VN/G/A/x/t", "a:2"), ("VN/G/A/x-2/s", "a:1"), ("VN/G/B/y/s", "a:1")]
                .map(|(p, a)| (p.to_owned(), service(a)))
                .into();
        assert_eq!(services("exchange.provider.down:VN/G/A/x@a:1", &all), ["VN/G/A/x/s"]);
        assert_eq!(services("exchange.service.failing:VN/G/A/x/t", &all), ["VN/G/A/x/t"]);
        assert_eq!(services("exchange.service.failing:VN/G/Z/x/t", &all), Vec::<&str>::new());
        assert_eq!(services("upkeep.disk", &all), Vec::<&str>::new());
        for key in ["exchange.provider.down:VN/G/A/x@a:1", "exchange.service.failing:VN/G/A/x/t"] {
            assert_eq!(provider(key).as_deref(), Some("VN/G/A/x"));
        }
        assert_eq!(provider("upkeep.disk"), None);
    }
}
