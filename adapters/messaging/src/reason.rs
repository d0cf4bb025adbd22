//! What a gateway said, cut to what a table and a page can hold.

/// Longest reason kept, in characters.
const LONGEST: usize = 300;

/// One line without control characters.
pub(crate) fn cut(said: &str) -> String {
    let line: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(cut("no\r\nsuch\tuser \u{0}"), "no such user");
        assert_eq!(cut(&"x".repeat(9_999)).len(), LONGEST);
    }
}
