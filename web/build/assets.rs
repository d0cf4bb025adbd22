//! Joins sheets and scripts into bundles, compresses them, and names every file by its content.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write as _;
use std::path::Path;

type Outcome<T> = Result<T, Box<dyn Error>>;

const FONTS: [&str; 9] = [
    "latin-400",
    "latin-500",
    "latin-600",
    "vietnamese-400",
    "vietnamese-500",
    "vietnamese-600",
    "tabular-400",
    "tabular-500",
    "tabular-600",
];
const DESK_CSS: &[&str] = &["fonts.css", "fonts-500.css", "layout.css", "base.css", "ui.css", "desk.css"];
const PLAIN_CSS: &[&str] = &["fonts.css", "layout.css", "base.css", "ui.css", "plain.css"];
const DESK_JS: &[&str] = &["htmx.min.js", "ui.js", "desk.js"];
const PLAIN_JS: &[&str] = &["ui.js"];
const DOCS_JS: &[&str] = &["docs.js"];

/// The table of assets as Rust code, with the addresses of fonts known so far.
struct Table<'a> {
    out: &'a Path,
    rows: String,
    constants: String,
    addresses: Vec<(String, String)>,
}

/// Writes `assets.rs` and the files it includes.
pub fn generate(root: &Path, out: &Path, sprite: &str) -> Outcome<()> {
    let mut table = Table { out, rows: String::new(), constants: String::new(), addresses: Vec::new() };
    for font in FONTS {
        let bytes = fs::read(root.join("fonts").join(format!("{font}.woff2")))?;
        table.add(&format!("fonts/{font}.woff2"), "font/woff2", &bytes, false)?;
    }
    table.add("icons.svg", "image/svg+xml", sprite.as_bytes(), true)?;
    table.add("emblem.svg", "image/svg+xml", &fs::read(root.join("emblem.svg"))?, true)?;
    for (name, parts) in [("desk.css", DESK_CSS), ("plain.css", PLAIN_CSS)] {
        let sheet = table.with_addresses(&sheet(&root.join("css"), parts)?)?;
        table.add(name, "text/css; charset=utf-8", sheet.as_bytes(), true)?;
    }
    for (name, parts) in [("desk.js", DESK_JS), ("plain.js", PLAIN_JS), ("docs.js", DOCS_JS)] {
        let mut script = String::new();
        for part in parts {
            script.push_str(&fs::read_to_string(root.join("js").join(part))?);
            script.push_str("\n;\n");
        }
        table.add(name, "text/javascript; charset=utf-8", script.as_bytes(), true)?;
    }
    let code = format!(
        "{}/// Everything served below `/assets/`, in the order of dependence.\npub static ASSETS: &[Asset] = &[\n{}];\n",
        table.constants, table.rows
    );
    fs::write(out.join("assets.rs"), code)?;
    Ok(())
}

impl Table<'_> {
    fn add(&mut self, name: &str, mime: &str, bytes: &[u8], compress: bool) -> Outcome<()> {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        let flat = name.replace('/', "-");
        let (stem, ending) = flat.rsplit_once('.').ok_or("an asset needs an ending")?;
        let file = format!("{stem}-{:016x}.{ending}", hasher.finish());
        let address = format!("/assets/{file}");
        fs::write(self.out.join(&file), bytes)?;
        let include = |f: &str| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{f}\"))");
        let mut gzip = "None".to_owned();
        if compress {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes)?;
            let packed = format!("{file}.gz");
            fs::write(self.out.join(&packed), encoder.finish()?)?;
            gzip = format!("Some({})", include(&packed));
        }
        writeln!(
            self.rows,
            "    Asset {{ name: \"{name}\", address: \"{address}\", mime: \"{mime}\", body: {}, gzip: {gzip} }},",
            include(&file)
        )?;
        let constant = flat.to_uppercase().replace(['.', '-'], "_");
        writeln!(self.constants, "/// Address of `{name}`.\npub const {constant}: &str = \"{address}\";")?;
        self.addresses.push((name.to_owned(), address));
        Ok(())
    }

    /// Puts addresses in the place of `asset:<name>`.
    fn with_addresses(&self, sheet: &str) -> Outcome<String> {
        let mut text = sheet.to_owned();
        for (name, address) in &self.addresses {
            text = text.replace(&format!("asset:{name}"), address);
        }
        if let Some(at) = text.find("asset:") {
            return Err(format!(
                "unknown asset in a sheet: {}",
                text[at..].chars().take(60).collect::<String>()
            )
            .into());
        }
        Ok(text)
    }
}

fn sheet(folder: &Path, parts: &[&str]) -> Outcome<String> {
    let tokens = fs::read_to_string(folder.join("tokens.css"))?;
    let mut text = squeeze(&tokens);
    text.push_str(&squeeze(&dark_by_system(&tokens)?));
    for part in parts {
        text.push_str(&squeeze(&fs::read_to_string(folder.join(part))?));
    }
    Ok(text)
}

/// The dark block again, for people who have not chosen and whose system is dark.
fn dark_by_system(tokens: &str) -> Outcome<String> {
    let start = tokens.find(":root[data-theme=\"dark\"] {").ok_or("tokens.css has no dark block")?;
    let block = &tokens[start..];
    let end = block.find('}').ok_or("the dark block has no end")?;
    let values = &block[block.find('{').ok_or("the dark block has no start")?..=end];
    Ok(format!("@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {values} }}"))
}

/// Takes out comments (not licence notices) and line breaks.
fn squeeze(css: &str) -> String {
    let mut text = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find("/*") {
        let end = rest[at..].find("*/").map_or(rest.len(), |e| at + e + 2);
        text.push_str(&rest[..at]);
        if rest[at..].starts_with("/*!") {
            text.push_str(&rest[at..end]);
        }
        rest = &rest[end..];
    }
    text.push_str(rest);
    text.lines().map(str::trim).collect::<Vec<_>>().concat()
}
