//! Turns a crate's `messages.toml` into typed look-up functions while the crate is built, so that a missing text or a
//! wrong argument fails the build. It does no look-up at run time and knows no crate's messages.
//!
//! ```toml
//! [member-list-title]
//! vi = "Thành viên kết nối"
//! en = "Members"
//!
//! [calls-count]
//! vi = "{count} lượt gọi"
//! en = { one = "{count} call", other = "{count} calls" }
//! ```
//!
//! becomes `member_list_title(lang) -> &'static str` and `calls_count(lang, count) -> String`. Arguments are
//! `impl Display`; the one named `count` is an `i64`, written with the digit groups of the language (`1.234` in
//! Vietnamese, `1,234` in English), and decides the English plural. Two or more arguments are given by name:
//! `validity(lang, Validity { first, last })`. A literal brace is doubled.

mod check;
mod emit;
mod pattern;

pub use check::Problem;

use std::path::{Path, PathBuf};

/// Reads `file` (relative to the crate being built) and writes `messages.rs` to the build's output folder.
///
/// For `build.rs` only.
///
/// # Panics
///
/// With every fault found (file, line and key named), which is how a build script fails.
pub fn generate(file: &str) {
    println!("cargo::rerun-if-changed={file}");
    let folder = |name: &str| -> PathBuf {
        std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: call this from build.rs")).into()
    };
    let source = folder("CARGO_MANIFEST_DIR").join(file);
    let text = std::fs::read_to_string(&source)
        .unwrap_or_else(|e| panic!("cannot read the messages of this crate, {}: {e}", source.display()));
    match code(file, &text) {
        Ok(code) => write(&folder("OUT_DIR").join("messages.rs"), &code),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{} fault(s) in {}:\n{}\n", lines.len(), source.display(), lines.join("\n"));
        }
    }
}

fn write(target: &Path, code: &str) {
    std::fs::write(target, code).unwrap_or_else(|e| panic!("cannot write {}: {e}", target.display()));
}

/// The Rust code for the messages in `text`; `file` is only named in problems.
///
/// # Errors
///
/// Every fault found, in the order of the keys.
pub fn code(file: &str, text: &str) -> Result<String, Vec<Problem>> {
    check::messages(file, text).map(|messages| emit::module(&messages))
}

#[cfg(test)]
mod tests {
    use super::code;

    fn faults(text: &str) -> String {
        match code("messages.toml", text) {
            Ok(code) => panic!("accepted:\n{code}"),
            Err(problems) => problems.iter().map(|p| format!("{p}\n")).collect(),
        }
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let found = faults(text);
        assert!(found.contains(expected), "expected {expected:?} in {found:?}");
    }

    #[test]
    fn plain_text_is_a_static_string() {
        let code = code("m", "[member-list-title]\nvi = \"Thành viên\"\nen = \"Members\"\n").unwrap();
        assert!(
            code.contains("pub fn member_list_title(lang: ::base::i18n::Lang) -> &'static str {"),
            "{code}"
        );
        assert!(code.contains("/// vi: `Thành viên`") && code.contains("/// en: `Members`"), "{code}");
        assert!(code.contains(r#"::base::i18n::Lang::Vi => "Thành viên","#), "{code}");
    }

    #[test]
    fn several_arguments_are_named_and_count_is_a_number() {
        let code = code("m", "[x-y]\nvi=\"{who} {count} {agency}\"\nen=\"{agency} {who}: {count}\"").unwrap();
        let has = |part: &str| assert!(code.contains(part), "expected {part:?} in {code}");
        has("pub struct XY<Agency, Who> {");
        has("pub agency: Agency,\n");
        has("pub count: i64,\n");
        has(
            "pub fn x_y(lang: ::base::i18n::Lang, told: XY<impl ::core::fmt::Display, impl ::core::fmt::Display>) -> ::std::string::String",
        );
        has("let XY { agency, count, who } = told;");
        has(r#"::std::format!("{who} {count} {agency}")"#);
    }

    #[test]
    fn one_argument_needs_no_name() {
        let code = code("m", "[x]\nvi=\"{who}\"\nen=\"{who}\"").unwrap();
        assert!(
            code.contains("pub fn x(lang: ::base::i18n::Lang, who: impl ::core::fmt::Display)"),
            "{code}"
        );
    }

    #[test]
    fn english_plural() {
        let text =
            "[calls-count]\nvi = \"{count} lượt\"\nen = { one = \"one call\", other = \"{count} calls\" }";
        let code = code("m", text).unwrap();
        assert!(code.contains("::base::i18n::Lang::En if one =>"), "{code}");
        assert!(code.contains("pub fn calls_count(lang: ::base::i18n::Lang, count: i64)"), "{code}");
    }

    #[test]
    fn doubled_braces_are_literal() {
        let code = code("m", "[a]\nvi='{{x}}'\nen='{{x}}'\n[b]\nvi='{{ {y}'\nen='{{ {y}'").unwrap();
        assert!(code.contains(r#"Vi => "{x}","#), "{code}");
        assert!(code.contains(r#"::std::format!("{{ {y}")"#), "{code}");
    }

    #[test]
    fn quotes_and_new_lines_survive() {
        let code = code("m", "[a]\nvi='''nói \"có\"\nxong \\'''\nen='say `yes`'").unwrap();
        assert!(code.contains(r#""nói \"có\"\nxong \\""#), "{code}");
        assert!(code.contains("/// en: `say 'yes'`"), "{code}");
    }

    #[test]
    fn faults_name_file_line_and_key() {
        refused("\n[a]\nvi = \"có\"\n", "messages.toml:2: [a] has no text in English: add en = \"…\"");
        refused("[a]\nen = \"x\"\n", "messages.toml:1: [a] has no text in Vietnamese");
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let found = faults("[a]\nvi='x'\n[b]\nen='x'\n");
        assert_eq!(found.lines().count(), 2, "{found}");
    }

    #[test]
    fn refusals() {
        refused(
            "[a]\nvi='{n}'\nen='{m}'",
            "[a] has different arguments: Vietnamese has {n}, English has {m}",
        );
        refused("[a]\nvi='{n}'\nen='x'", "English has none");
        refused("[a]\nvi='x'\nen='x'\nfr='x'", "[a] has an unknown key \"fr\"");
        refused("[a]\nvi='x'\nen={one='x',other='y',few='z'}", "[a] has an unknown key \"en.few\"");
        refused("[a]\nvi='{count}'\nen={other='{count}'}", "[a] en needs both one and other");
        refused("[a]\nvi='x'\nen={one='x',other='xs'}", "[a] has a plural but no {count}");
        refused("[a]\nvi='{count}'\nen={one='{who}',other='{count}'}", "en.one uses {who}");
        refused("[a]\nvi={one='x',other='y'}\nen='x'", "[a] vi must be a text");
        refused("[a]\nvi=3\nen='x'", "[a] vi must be a text");
        refused("a='x'", "[a] must be a table with vi and en");
        refused("[A]\nvi='x'\nen='x'", "[A] is not a message name");
        refused("[a_b]\nvi='x'\nen='x'", "[a_b] is not a message name");
        refused("[\"\"]\nvi='x'\nen='x'", "is not a message name");
        refused("[type]\nvi='x'\nen='x'", "[type] is a word of Rust");
        refused("[a]\nvi=''\nen='x'", "[a] vi is empty");
        refused("[a]\nvi=' x'\nen='x'", "[a] vi begins or ends with a space");
        refused("[a]\nvi='a\u{301}'\nen='x'", "[a] vi has a combining mark");
        refused("[a]\nvi='\u{202a}x'\nen='x'", "[a] vi has an invisible character");
        refused("[a]\nvi='{'\nen='x'", "[a] vi has an unclosed brace");
        refused("[a]\nvi='}'\nen='x'", "[a] vi has a lone closing brace");
        refused("[a]\nvi='{}'\nen='x'", "[a] vi has a placeholder {} that is not a name");
        refused("[a]\nvi='{lang}'\nen='{lang}'", "[a] vi has a placeholder {lang} that is taken");
        refused("[a]\nvi='{type}'\nen='{type}'", "[a] vi has a placeholder {type} that is taken");
        refused("[a]\nvi='x'\nen='x'\n[a]\nvi='y'\nen='y'", "duplicate");
        refused("[a", "messages.toml:1:");
    }

    #[test]
    fn an_empty_file_gives_no_function() {
        assert!(!code("m", "# nothing yet\n").unwrap().contains("pub fn"));
    }
}
