//! One text with placeholders: how it is read and which arguments it names. It leaves Rust syntax to `emit`.

use std::collections::BTreeSet;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Written as it stands.
    Literal(String),
    /// Replaced by the argument of this name.
    Argument(String),
}

/// A text read into its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) Vec<Part>);

impl Pattern {
    /// Reads `text`; the error finishes the sentence "the text …".
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        look(text)?;
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' if rest.next_if_eq(&'{').is_some() => literal.push('{'),
                '}' if rest.next_if_eq(&'}').is_some() => literal.push('}'),
                '}' => return Err("has a lone closing brace (write }} for a brace)".into()),
                '{' => {
                    let name = argument(&mut rest)?;
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Argument(name));
                }
                c => literal.push(c),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// The names of the arguments, in alphabetical order.
    pub(crate) fn arguments(&self) -> BTreeSet<&str> {
        self.0
            .iter()
            .filter_map(|p| match p {
                Part::Argument(name) => Some(name.as_str()),
                Part::Literal(_) => None,
            })
            .collect()
    }
}

fn argument(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut name = String::new();
    for c in rest {
        match c {
            '}' if !is_identifier(&name) => {
                return Err(format!("has a placeholder {{{name}}} that is not a name in lower case"));
            }
            '}' if name == "lang" || is_keyword(&name) => {
                return Err(format!("has a placeholder {{{name}}} that is taken: choose another name"));
            }
            '}' => return Ok(name),
            c => name.push(c),
        }
    }
    Err("has an unclosed brace (write {{ for a brace)".into())
}

/// What a text may not be before its braces are read.
fn look(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.trim() != text {
        return Err("begins or ends with a space or a new line".into());
    }
    // The catalogue is compared, searched and printed as NFC.
    if let Some(c) = text.chars().find(|c| matches!(c, '\u{300}'..='\u{36f}')) {
        return Err(format!("has a combining mark U+{:04X}: write the letter precomposed (NFC)", c as u32));
    }
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if let Some(c) = text.chars().find(|&c| hidden(c)) {
        return Err(format!("has an invisible character U+{:04X}", c as u32));
    }
    Ok(())
}

/// Whether `name` is a lower-case Rust identifier.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Whether `name` is a word the language keeps for itself.
pub(crate) fn is_keyword(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
        "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
        "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
        "static", "struct", "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized",
        "use", "virtual", "where", "while", "yield",
    ];
    WORDS.contains(&name)
}
