//! Every colour pair of the committed sheets is readable (WCAG 2.2 AA, 1.4.3 and 1.4.11), in light and dark.

use std::collections::{BTreeMap, BTreeSet};

use web::colour::{READABLE, Rgb, sheet};

/// Lines and marks that carry meaning: WCAG 2.2, 1.4.11.
const SEEN: f64 = 3.0;
const SHEETS: [(&str, &str); 4] = [
    ("base.css", include_str!("../../assets/css/base.css")),
    ("ui.css", include_str!("../../assets/css/ui.css")),
    ("desk.css", include_str!("../../assets/css/desk.css")),
    ("plain.css", include_str!("../../assets/css/plain.css")),
];
const TOKENS: &str = include_str!("../../assets/css/tokens.css");
/// Where text without a background of its own may stand.
const GROUNDS: [&str; 3] = ["bg", "surface", "sunken"];
/// Text colours only used on a background of their own, with that background.
const ON: [(&str, &str); 5] = [
    ("on-primary", "primary"),
    ("on-danger", "danger"),
    ("on-demo", "demo"),
    ("on-tip", "tip"),
    ("on-soft", "soft"),
];

type Colours = BTreeMap<String, Rgb>;

fn block<'a>(css: &'a str, head: &str) -> &'a str {
    let start = css.find(head).unwrap_or_else(|| panic!("{head} in {css}")) + head.len();
    &css[start..start + css[start..].find('}').unwrap()]
}

fn colours(text: &str) -> Colours {
    let pairs = text.split(';').filter_map(|line| line.split_once(':'));
    pairs
        .filter_map(|(n, v)| Some((n.trim().strip_prefix("--")?.to_owned(), Rgb::parse(v.trim())?)))
        .collect()
}

/// Light and dark, with the primary colours of some provinces.
fn themes() -> Vec<(String, Colours)> {
    let mut all = Vec::new();
    for primary in ["#1d4f91", "#9d1d20", "#ffd700", "#0b6e4f", "#000000", "#ffffff"] {
        let made = sheet(Rgb::parse(primary).unwrap());
        for (name, tokens, theme) in [
            ("light", block(TOKENS, ":root {"), block(&made, ":root{")),
            (
                "dark",
                block(TOKENS, ":root[data-theme=\"dark\"] {"),
                block(&made, ":root[data-theme=\"dark\"]{"),
            ),
        ] {
            let mut colours = colours(tokens);
            colours.extend(self::colours(theme));
            all.push((format!("{name} {primary}"), colours));
        }
    }
    all
}

/// Rules of a sheet: selector and declarations, media queries opened.
fn rules(css: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut all = Vec::new();
    for piece in css.split('}') {
        let Some(at) = piece.rfind('{') else { continue };
        let selector = piece[..at].rsplit('{').next().unwrap().split("*/").last().unwrap().trim().to_owned();
        let declarations = piece[at + 1..].split(';').filter_map(|d| d.split_once(':'));
        all.push((selector, declarations.map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())).collect()));
    }
    all
}

fn token<'a>(declarations: &'a [(String, String)], property: &str) -> Option<&'a str> {
    let (_, value) = declarations.iter().rev().find(|(n, _)| n == property)?;
    value.strip_prefix("var(--")?.strip_suffix(')')
}

/// Words inside drawings are coloured by `fill`, everything else drawn is not text.
const DRAWN_WORDS: [&str; 3] = [".lt-chart text", ".lt-chart .lt-value", ".lt-chart .lt-name"];

/// Every pair of text and background the sheets can bring together.
fn pairs() -> BTreeSet<(String, String)> {
    let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
    let mut add = |a: &str, b: &str| {
        pairs.insert((a.to_owned(), b.to_owned()));
    };
    ON.iter().for_each(|(text, background)| add(text, background));
    for (name, css) in SHEETS {
        for (selector, declarations) in rules(css) {
            let words = DRAWN_WORDS.contains(&selector.as_str());
            let colour =
                token(&declarations, "color").or_else(|| token(&declarations, "fill").filter(|_| words));
            match (colour, token(&declarations, "background-color")) {
                (Some(c), Some(b)) => add(c, b),
                (Some(c), None) if !ON.iter().any(|(on, _)| *on == c) => {
                    GROUNDS.iter().for_each(|g| add(c, g))
                }
                (None, Some(b)) if b.ends_with("-bg") => {
                    assert!(
                        selector.starts_with(".lt-dot"),
                        "{name}: {selector} is tinted but has no colour of its own"
                    );
                }
                _ => {}
            }
        }
    }
    // Notices hold ordinary text.
    for tone in ["neutral", "info", "good", "warn", "bad"] {
        add("text", &format!("{tone}-bg"));
    }
    pairs
}

#[test]
fn every_text_is_readable_on_its_background() {
    let pairs = pairs();
    assert!(pairs.len() > 30, "the sheets were read: {pairs:?}");
    let mut poor = Vec::new();
    for (theme, colours) in themes() {
        for (text, background) in &pairs {
            let colour = |name: &str| *colours.get(name).unwrap_or_else(|| panic!("{theme} has no --{name}"));
            let ratio = colour(text).contrast(colour(background));
            if ratio < READABLE {
                poor.push(format!("{theme}: {text} on {background} is {ratio:.2}"));
            }
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}

#[test]
fn boxes_marks_and_curves_are_seen() {
    let mut poor = Vec::new();
    for (theme, colours) in themes() {
        for (mark, ground) in [
            ("line-strong", "surface"),
            ("line-strong", "bg"),
            ("focus", "surface"),
            ("focus", "bg"),
            ("focus", "sunken"),
            ("bad", "surface"),
            ("good", "surface"),
            ("warn", "surface"),
            ("info", "surface"),
            ("c1", "surface"),
            ("c2", "surface"),
            ("c3", "surface"),
            ("c4", "surface"),
            ("c5", "surface"),
            ("link", "surface"),
        ] {
            let ratio = colours[mark].contrast(colours[ground]);
            if ratio < SEEN {
                poor.push(format!("{theme}: {mark} on {ground} is {ratio:.2}"));
            }
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}

#[test]
fn colours_stand_only_among_the_tokens() {
    for (name, css) in SHEETS {
        for (selector, declarations) in rules(css) {
            for (property, value) in declarations {
                let raw = value.contains('#')
                    || ["rgb", "hsl", "oklch", "color-mix", "light-dark"].iter().any(|f| value.contains(f));
                assert!(!raw, "{name}: {selector} {{ {property}: {value} }}");
            }
        }
    }
}

#[test]
fn light_and_dark_have_the_same_tokens() {
    let names = |head: &str| colours(block(TOKENS, head)).into_keys().collect::<Vec<_>>();
    assert_eq!(names(":root {"), names(":root[data-theme=\"dark\"] {"));
}
