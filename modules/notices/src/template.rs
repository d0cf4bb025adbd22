//! The words of messages: shipped ones, the province's in their place, and putting arguments in. Pure. A template that
//! names an argument it does not have is refused when it is written, not when it is sent.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base::error::{Error, FieldError, Result};
use base::i18n::{Lang, Text};
use serde::Deserialize;

use crate::t;

const SHIPPED: &str = include_str!("../templates.toml");

/// Longest subject, in characters.
pub(crate) const MAX_SUBJECT: usize = 200;
/// Longest text of a mail, in characters.
pub(crate) const MAX_BODY: usize = 10_000;
/// Longest text of a text message or chat, in characters.
pub(crate) const MAX_SHORT: usize = 600;

/// The words in one language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    pub subject: String,
    pub body: String,
    pub short: String,
}

/// A kind of message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    pub arguments: Vec<String>,
    pub vi: Words,
    pub en: Words,
}

impl Template {
    pub fn words(&self, lang: Lang) -> &Words {
        match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }
}

/// The shipped templates by name.
///
/// # Errors
/// When the shipped file is not well-formed, which its test rules out.
pub(crate) fn shipped() -> Result<&'static BTreeMap<String, Template>> {
    static ALL: OnceLock<BTreeMap<String, Template>> = OnceLock::new();
    if let Some(all) = ALL.get() {
        return Ok(all);
    }
    let parsed = toml::from_str(SHIPPED).map_err(Error::internal)?;
    Ok(ALL.get_or_init(|| parsed))
}

/// The shipped template of a name.
pub(crate) fn find(name: &str) -> Result<&'static Template> {
    shipped()?.get(name).ok_or(Error::NotFound { kind: "notices.template" })
}

/// What a template is made of.
enum Piece<'t> {
    Plain(&'t str),
    Argument(&'t str),
}

/// Takes a template apart; `Err` holds what stands between braces that is no argument's name.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        out.push(Piece::Plain(&rest[..at]));
        let inside = rest[at..].strip_prefix('{').ok_or("}")?;
        let end = inside.find('}').ok_or("{")?;
        out.push(Piece::Argument(&inside[..end]));
        rest = &inside[end + 1..];
    }
    out.push(Piece::Plain(rest));
    Ok(out)
}

/// Checks words against the arguments a template has.
pub(crate) fn check(arguments: &[String], words: &Words) -> Result<(), Vec<FieldError>> {
    let parts = [
        ("subject", &words.subject, MAX_SUBJECT),
        ("body", &words.body, MAX_BODY),
        ("short", &words.short, MAX_SHORT),
    ];
    let mut errors = Vec::new();
    for (field, text, most) in parts {
        let mut wrong = |text: Text| errors.push(FieldError { field: field.to_owned(), text });
        if text.trim().is_empty() {
            wrong(Text::both(t::needed));
        } else if text.chars().count() > most {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            wrong(Text::both(|l| t::too_long(l, most)));
        }
        match pieces(text) {
            Err(at) => wrong(Text::both(|l| t::template_brace(l, &at))),
            Ok(pieces) => {
                for piece in pieces {
                    if let Piece::Argument(name) = piece
                        && !arguments.iter().any(|a| a == name)
                    {
                        let known = arguments.join(", ");
                        let said = t::TemplateUnknown { known: &known, name };
                        wrong(Text::both(|l| t::template_unknown(l, said)));
                    }
                }
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Arguments by name, in one language.
pub(crate) type Arguments = BTreeMap<String, String>;

/// A message's words with everything in its place. The subject is one line; each part has an end.
pub(crate) fn render(words: &Words, arguments: &Arguments) -> Words {
    Words {
        subject: cut(&line(&fill(&words.subject, arguments)), MAX_SUBJECT),
        body: cut(fill(&words.body, arguments).trim(), MAX_BODY),
        short: cut(&line(&fill(&words.short, arguments)), MAX_SHORT),
    }
}

/// Puts arguments in. What an argument brings along is not looked at again; one that is missing is left as it stands.
fn fill(template: &str, arguments: &Arguments) -> String {
    let Ok(pieces) = pieces(template) else { return template.to_owned() };
    let mut out = String::with_capacity(template.len());
    for piece in pieces {
        match piece {
            Piece::Plain(text) => out.push_str(text),
            Piece::Argument(name) => match arguments.get(name) {
                Some(value) => out.extend(value.chars().filter(|c| !c.is_control() || *c == '\n')),
                None => {
                    out.push('{');
                    out.push_str(name);
                    out.push('}');
                }
            },
        }
    }
    out
}

/// One line without control characters: a line break in a name is no new header and no new line.
fn line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most - 1).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(subject: &str) -> Words {
        Words { subject: subject.into(), body: "b".into(), short: "s".into() }
    }

    fn arguments(pairs: &[(&str, &str)]) -> Arguments {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn shipped_templates_name_only_their_arguments_in_both_languages() {
        for (name, template) in shipped().unwrap() {
            for lang in [Lang::Vi, Lang::En] {
                assert_eq!(check(&template.arguments, template.words(lang)), Ok(()), "{name} {lang:?}");
            }
        }
    }

    #[test]
    fn an_unknown_argument_or_a_lone_brace_is_refused() {
        let known = ["title".to_owned()];
        assert!(check(&known, &words("{title}")).is_ok());
        for bad in ["{titel}", "{", "}", "{title", "{{title}}", "{ti{tle}", ""] {
            assert!(check(&known, &words(bad)).is_err(), "{bad}");
        }
        assert!(check(&known, &words(&"x".repeat(MAX_SUBJECT + 1))).is_err());
    }

    #[test]
    fn what_arguments_bring_along_breaks_nothing() {
        let given = arguments(&[("a", "x\r\nBcc: y@z\u{0}{b}"), ("b", "<b>&</b>")]);
        let words = Words { subject: "{a} {b}".into(), body: "{a}\n{b} {c}".into(), short: "{a}".into() };
        let out = render(&words, &given);
        assert_eq!(out.subject, "x Bcc: y@z{b} <b>&</b>", "one line, filled once");
        assert_eq!(out.body, "x\nBcc: y@z{b}\n<b>&</b> {c}");
        assert_eq!(out.short, "x Bcc: y@z{b}");
        let long = arguments(&[("a", &"đ".repeat(1 << 20)), ("b", "")]);
        let out = render(&words, &long);
        assert_eq!(out.body.chars().count(), MAX_BODY);
        assert!(out.subject.ends_with('…') && out.subject.chars().count() == MAX_SUBJECT);
    }
}
