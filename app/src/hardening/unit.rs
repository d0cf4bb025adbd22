//! Whether the service runs in the sandbox that its unit was made with.

use std::fs;
use std::process::Command;

use kernel::i18n::Text;

use super::Line;
use crate::{init, t};

/// Directives that only place things, and differ between installations.
const FREE: &[&str] = &[
    "ReadWritePaths",
    "User",
    "Group",
    "ExecStart",
    "LoadCredential",
    "Environment",
    "Restart",
    "RestartSec",
];

pub(super) fn line() -> Line {
    let (check, title): (_, super::Say) = ("service.sandbox", t::h_unit_title);
    let Some(text) = installed() else {
        return Line::unknown(check, title, Text::both(t::h_unit_none), t::h_unit_none_remedy);
    };
    let missing = missing(&text, &init::unit::Unit::of_package());
    match missing.is_empty() {
        true => Line::passed(check, title, Text::both(t::h_unit_good)),
        false => {
            let why = Text::both(|l| t::h_unit_missing(l, missing.join(", ")));
            Line::failed(check, title, why, t::h_unit_remedy)
        }
    }
}

/// The unit with what was added to it, as systemd reads it; without systemd the file.
fn installed() -> Option<String> {
    let asked = Command::new("systemctl").args(["cat", "lienthong.service"]).output();
    if let Ok(told) = asked
        && told.status.success()
    {
        return String::from_utf8(told.stdout).ok();
    }
    let places = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];
    places.iter().find_map(|dir| fs::read_to_string(format!("{dir}/lienthong.service")).ok())
}

/// Directives of the section `[Service]` that `wanted` has and `text` lacks, has otherwise, or sets anew later.
fn missing(text: &str, wanted: &str) -> Vec<String> {
    let service = |text: &str| -> Vec<(String, String)> {
        let mut inside = false;
        let mut found = Vec::new();
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                inside = line == "[Service]";
            } else if let Some((key, value)) =
                line.split_once('=').filter(|_| inside && !line.starts_with('#'))
            {
                found.push((key.to_owned(), value.to_owned()));
            }
        }
        found
    };
    let has = service(text);
    let last = |key: &str| has.iter().rev().find(|(k, _)| k == key);
    let kept = |key: &String, value: &String| {
        // Some may be given several times; each counts.
        let several = key == "SystemCallFilter";
        if several {
            has.iter().any(|(k, v)| k == key && v == value)
        } else {
            last(key).is_some_and(|(_, v)| v == value)
        }
    };
    let lacking =
        service(wanted).into_iter().filter(|(key, value)| !FREE.contains(&key.as_str()) && !kept(key, value));
    let mut names: Vec<_> = lacking.map(|(key, value)| format!("{key}={value}")).collect();
    if last("User").is_none_or(|(_, user)| user == "root") {
        names.push("User=lienthong".into());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_weakened_is_named() {
        let own = init::unit::Unit::of_package();
        assert!(missing(&own, &own).is_empty());
        let weaker =
            own.replace("ProtectSystem=strict", "ProtectSystem=no").replace("NoNewPrivileges=yes\n", "");
        assert_eq!(missing(&weaker, &own), ["ProtectSystem=strict", "NoNewPrivileges=yes"]);
        let later = format!("{own}\n# drop-in\n[Service]\nPrivateTmp=no\nUser=root\n");
        assert_eq!(missing(&later, &own), ["PrivateTmp=yes", "User=lienthong"]);
    }
}
