//! Writes checked messages as Rust functions. It decides nothing about their contents.

use crate::check::{English, Message};
use crate::pattern::{Part, Pattern};

const GROUPED: &str = r#"
fn grouped(number: i64, separator: char) -> ::std::string::String {
    let digits = number.unsigned_abs().to_string();
    let mut text = ::std::string::String::from(if number < 0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}
"#;

/// All functions, and the helper they need.
pub(crate) fn module(messages: &[Message]) -> String {
    let mut code = String::from("// Generated from messages.toml.\n");
    for message in messages {
        code.push_str(&function(message));
    }
    if messages.iter().any(|m| m.vi.arguments().contains("count")) {
        code.push_str(GROUPED);
    }
    code
}

fn function(message: &Message) -> String {
    let docs: Vec<String> = message.written.iter().map(|(name, text)| doc(name, text)).collect();
    let arguments: Vec<&str> = message.vi.arguments().into_iter().collect();
    let (answer, body) = if arguments.is_empty() {
        ("&'static str", plain(message))
    } else {
        ("::std::string::String", filled(message))
    };
    let (before, parameters, unpack) = match &arguments[..] {
        [] => Default::default(),
        [name] => (String::new(), format!(", {name}: {}", kind(name)), String::new()),
        several => named(message, several),
    };
    format!(
        "{before}\n{}#[must_use]\npub fn {}(lang: ::base::i18n::Lang{parameters}) -> {answer} {{\n{unpack}{body}}}\n",
        docs.concat(),
        message.function
    )
}

fn kind(argument: &str) -> &'static str {
    if argument == "count" { "i64" } else { "impl ::core::fmt::Display" }
}

/// Two arguments of one type are easily swapped, so several are given by name: a structure of their own, the parameter
/// that takes it, and the line that unpacks it.
fn named(message: &Message, arguments: &[&str]) -> (String, String, String) {
    let name = camel(&message.function);
    let type_of = |n: &str| if n == "count" { "i64".to_owned() } else { camel(n) };
    let free: Vec<String> = arguments.iter().filter(|n| **n != "count").map(|n| camel(n)).collect();
    let fields: String =
        arguments.iter().map(|n| format!("    /// `{{{n}}}`\n    pub {n}: {},\n", type_of(n))).collect();
    let before = format!(
        "\n/// What [`{}`] is told.\n#[derive(Debug, Clone, Copy)]\npub struct {name}<{}> {{\n{fields}}}\n",
        message.function,
        free.join(", ")
    );
    let bounds: Vec<&str> = free.iter().map(|_| "impl ::core::fmt::Display").collect();
    let parameters = format!(", told: {name}<{}>", bounds.join(", "));
    (before, parameters, format!("    let {name} {{ {} }} = told;\n", arguments.join(", ")))
}

/// `name_of_it` as `NameOfIt`.
fn camel(snake: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    snake.split('_').map(capital).collect()
}

/// One line of documentation; as code, so that no character of the text means anything to rustdoc.
fn doc(name: &str, text: &str) -> String {
    format!("/// {name}: `{}`\n///\n", text.replace('`', "'").replace('\n', " ⏎ "))
}

fn plain(message: &Message) -> String {
    // Without arguments there is no `count`, hence no plural.
    let English::Same(en) = &message.en else { return String::new() };
    format!(
        "    match lang {{\n        ::base::i18n::Lang::Vi => {},\n        ::base::i18n::Lang::En => {},\n    }}\n",
        literal(&message.vi, false),
        literal(en, false)
    )
}

fn filled(message: &Message) -> String {
    let counted = message.vi.arguments().contains("count");
    let mut code = String::new();
    if matches!(message.en, English::Plural { .. }) {
        code.push_str("    let one = count == 1;\n");
    }
    if counted {
        code.push_str(
            "    let count = grouped(count, match lang { ::base::i18n::Lang::Vi => '.', ::base::i18n::Lang::En => ',' });\n",
        );
    }
    code.push_str("    match lang {\n");
    code.push_str(&arm("::base::i18n::Lang::Vi", &message.vi));
    match &message.en {
        English::Same(en) => code.push_str(&arm("::base::i18n::Lang::En", en)),
        English::Plural { one, other } => {
            code.push_str(&arm("::base::i18n::Lang::En if one", one));
            code.push_str(&arm("::base::i18n::Lang::En", other));
        }
    }
    code.push_str("    }\n");
    code
}

fn arm(case: &str, pattern: &Pattern) -> String {
    if pattern.arguments().is_empty() {
        return format!("        {case} => ::std::string::String::from({}),\n", literal(pattern, false));
    }
    format!("        {case} => ::std::format!({}),\n", literal(pattern, true))
}

/// The text as a Rust string literal; inside `format!` braces stay doubled.
fn literal(pattern: &Pattern, format: bool) -> String {
    let mut text = String::from("\"");
    for part in &pattern.0 {
        match part {
            Part::Argument(name) => text.push_str(&format!("{{{name}}}")),
            Part::Literal(words) => words.chars().for_each(|c| match c {
                '{' | '}' if format => text.extend([c, c]),
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                c => text.push(c),
            }),
        }
    }
    text.push('"');
    text
}
