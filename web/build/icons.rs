//! One sprite of all icons, and the enum that names them.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Writes `icons.rs`; answers the sprite.
pub fn generate(folder: &Path, out: &Path) -> Result<String, Box<dyn Error>> {
    let mut names: Vec<String> = fs::read_dir(folder)?
        .filter_map(|e| e.ok()?.file_name().to_str()?.strip_suffix(".svg").map(str::to_owned))
        .collect();
    names.sort();
    let mut sprite = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\">");
    let (mut variants, mut ids, mut all) = (String::new(), String::new(), String::new());
    for name in &names {
        let text = fs::read_to_string(folder.join(format!("{name}.svg")))?;
        let body = body(&text).ok_or_else(|| format!("{name}.svg is not an icon of 24 by 24"))?;
        write!(sprite, "<symbol id=\"{name}\" viewBox=\"0 0 24 24\">{body}</symbol>")?;
        let variant = camel(name);
        writeln!(variants, "    /// `{name}`\n    {variant},")?;
        writeln!(ids, "            Self::{variant} => \"{name}\",")?;
        write!(all, "Self::{variant}, ")?;
    }
    sprite.push_str("</svg>");
    let code = format!(
        "/// An icon of the sprite, named after its file in `assets/icons`.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum Icon {{\n{variants}}}\n\n\
         impl Icon {{\n    /// Every icon.\n    pub const ALL: &'static [Self] = &[{all}];\n\n    \
         /// The name in the sprite.\n    pub const fn id(self) -> &'static str {{\n        match self {{\n{ids}        }}\n    }}\n}}\n"
    );
    fs::write(out.join("icons.rs"), code)?;
    Ok(sprite)
}

/// The paths of the drawing, without the invisible frame; stroke and fill come from the sheet.
fn body(svg: &str) -> Option<String> {
    let start = svg.find("viewBox=\"0 0 24 24\"")?;
    let open = start + svg[start..].find('>')? + 1;
    let close = svg.rfind("</svg>")?;
    let lines = svg[open..close]
        .lines()
        .map(str::trim)
        .filter(|l| !l.contains("stroke=\"none\" d=\"M0 0h24v24H0z\""));
    Some(lines.collect::<String>().replace(" />", "/>"))
}

fn camel(name: &str) -> String {
    name.split('-')
        .map(|part| {
            let mut rest = part.chars();
            rest.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(rest).collect::<String>()
        })
        .collect()
}
