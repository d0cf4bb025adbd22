//! Words and paths that must not be in the tree: it stands alone, names no workplace, and carries no secret.

use super::files::File;

/// Each in two halves, so that this file does not contain them.
const FORBIDDEN: [(&str, &str, &str); 6] = [
    ("../sha", "red", "a path outside the repository"),
    ("/home", "/", "a path of one machine"),
    ("/root", "/.", "a path of one machine"),
    ("-----BEGIN PRI", "VATE KEY", "a private key"),
    ("-----BEGIN EC PRI", "VATE KEY", "a private key"),
    ("-----BEGIN RSA PRI", "VATE KEY", "a private key"),
];

/// Files that contain what they must not.
pub fn violations(files: &[File]) -> Vec<String> {
    let mut out = vec![];
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let at = || format!("{}:{}", file.path, number + 1);
            for (head, tail, why) in FORBIDDEN {
                if line.contains(&format!("{head}{tail}")) {
                    out.push(format!("words: {} contains {why}: {head}{tail}", at()));
                }
            }
            if names_a_ticket(line) {
                out.push(format!("words: {} names a ticket; say what it is about instead", at()));
            }
        }
    }
    out
}

/// `LT` and a number joined by a hyphen, standing by itself.
fn names_a_ticket(line: &str) -> bool {
    let mark = concat!("LT", "-");
    line.match_indices(mark).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + mark.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '/')
            && after.is_some_and(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_are_found_and_similar_ones_left_alone() {
        let file = |text: &str| vec![File { path: "docs/a.md".to_owned(), text: text.to_owned() }];
        let found = violations(&file(concat!("fine\nsee ../sha", "red/design.md and LT", "-1\n")));
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("words: docs/a.md:2"));
        assert!(violations(&file("shared memory, HLT-1, 01/QLT-22, ALT-TAB, LT-x")).is_empty());
    }
}
