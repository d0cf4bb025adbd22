//! Which crate may use which: app → modules → web → kernel → (base, stream, formats), and nothing sideways.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

/// Where a crate stands on the map, told from its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    App,
    Module,
    Web,
    Kernel,
    Stream,
    Base,
    Catalogue,
    Format,
    Adapter,
    Simulator,
    Testkit,
    Scenarios,
    Xtask,
}

/// A crate of ours and the crates of ours it uses.
#[derive(Debug, Clone)]
pub struct Crate {
    pub name: String,
    pub folder: PathBuf,
    pub place: Place,
    pub uses: Vec<Use>,
}

/// One arrow.
#[derive(Debug, Clone)]
pub struct Use {
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    Dev,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

fn place(folder: &Path) -> Option<Place> {
    let parts: Vec<&str> = folder.iter().filter_map(|p| p.to_str()).collect();
    Some(match parts.as_slice() {
        ["app"] => Place::App,
        ["web"] => Place::Web,
        ["kernel"] => Place::Kernel,
        ["kernel", "base"] => Place::Base,
        ["kernel", "stream"] => Place::Stream,
        ["kernel", "catalogue"] => Place::Catalogue,
        ["modules", _] => Place::Module,
        ["formats", _] => Place::Format,
        ["adapters", _] => Place::Adapter,
        ["simulators", _] => Place::Simulator,
        ["testkit"] => Place::Testkit,
        ["scenarios"] => Place::Scenarios,
        ["xtask"] => Place::Xtask,
        _ => return None,
    })
}

/// Reads the workspace with `cargo metadata`.
///
/// # Errors
/// When cargo fails or a crate lies in a folder that is not on the map.
pub fn crates(root: &Path) -> Result<Vec<Crate>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    let metadata: Metadata = serde_json::from_str(&super::output(root, &cargo, &arguments)?)?;
    metadata.packages.into_iter().map(|package| read(root, package)).collect()
}

fn read(root: &Path, package: Package) -> Result<Crate> {
    let folder = package.manifest_path.parent().unwrap_or(root);
    let folder = folder.strip_prefix(root).unwrap_or(folder).to_owned();
    let place = place(&folder).ok_or_else(|| {
        anyhow::anyhow!("{} is in {}, a folder not on the map", package.name, folder.display())
    })?;
    let uses = package
        .dependencies
        .into_iter()
        .filter(|d| d.path.is_some())
        .map(|d| Use {
            name: d.name,
            kind: match d.kind.as_deref() {
                Some("dev") => Kind::Dev,
                Some("build") => Kind::Build,
                _ => Kind::Normal,
            },
        })
        .collect();
    Ok(Crate { name: package.name, folder, place, uses })
}

/// Whether a crate here may use a crate there.
fn allowed(from: Place, to: Place, kind: Kind) -> bool {
    use Place::*;
    if kind == Kind::Build {
        // Only generated messages are made at build time.
        return to == Catalogue && from != Format;
    }
    let shipped = match from {
        App => matches!(to, Module | Web | Kernel | Stream | Base | Format | Adapter | Simulator),
        Module => matches!(to, Web | Kernel | Stream | Base | Format),
        Web => matches!(to, Kernel | Stream | Base | Format),
        Adapter => matches!(to, Kernel | Stream | Base | Format),
        Kernel => matches!(to, Stream | Base | Format),
        Stream => matches!(to, Base | Format),
        Base | Catalogue => false,
        Format => to == Format,
        Simulator => to == Base,
        Testkit => matches!(to, Web | Kernel | Stream | Base | Format),
        Scenarios => matches!(to, Base | Format | Simulator | Testkit),
        // The seeder of a province writes what the platform would have written.
        Xtask => matches!(to, Base | Format | Scenarios | Kernel | Module),
    };
    let in_tests = match from {
        Format | Base | Catalogue => false,
        Stream => to == Testkit,
        Simulator | Testkit | Xtask => false,
        Scenarios => to == Module,
        // What a module asks of a port is tried with what really speaks behind it.
        Module => matches!(to, Testkit | Simulator | Adapter),
        App | Web | Kernel | Adapter => matches!(to, Testkit | Simulator),
    };
    shipped || (kind == Kind::Dev && in_tests)
}

/// Arrows that point where none may.
pub fn violations(crates: &[Crate]) -> Vec<String> {
    let places: BTreeMap<&str, Place> = crates.iter().map(|c| (c.name.as_str(), c.place)).collect();
    let mut out = vec![];
    for from in crates {
        for used in &from.uses {
            let Some(&to) = places.get(used.name.as_str()) else { continue };
            if used.name == from.name {
                continue; // its own tests with a feature switched on
            }
            if !allowed(from.place, to, used.kind) {
                out.push(format!(
                    "arrow: {} ({:?}) must not use {} ({to:?}, {:?})",
                    from.name, from.place, used.name, used.kind
                ));
            }
        }
    }
    out
}

/// Crates that do not take the workspace's lints or say nothing about themselves.
///
/// # Errors
/// When a manifest cannot be read.
pub fn manifest_violations(root: &Path, crates: &[Crate]) -> Result<Vec<String>> {
    let mut out = vec![];
    for one in crates {
        let folder = root.join(&one.folder);
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        if !manifest.contains("[lints]\nworkspace = true") {
            out.push(format!("manifest: {} does not take the lints of the workspace", one.name));
        }
        let speaks = matches!(one.place, Place::Module | Place::Format | Place::Simulator | Place::Adapter);
        if speaks && !folder.join("README.md").is_file() {
            out.push(format!("readme: {} has no README.md", one.folder.display()));
        }
        if one.folder.file_name().is_some_and(|f| one.place != Place::App && f != one.name.as_str()) {
            out.push(format!("name: crate {} lies in folder {}", one.name, one.folder.display()));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, folder: &str, uses: &[(&str, Kind)]) -> Crate {
        let folder = PathBuf::from(folder);
        let uses = uses.iter().map(|(name, kind)| Use { name: (*name).to_owned(), kind: *kind }).collect();
        Crate { name: name.to_owned(), place: place(&folder).unwrap(), folder, uses }
    }

    #[track_caller]
    fn check(from: (&str, &str), to: (&str, &str), kind: Kind, fine: bool) {
        let crates = [one(from.0, from.1, &[(to.0, kind)]), one(to.0, to.1, &[])];
        assert_eq!(violations(&crates).is_empty(), fine, "{from:?} -> {to:?} {kind:?}");
    }

    #[test]
    fn arrows_point_one_way() {
        check(("exchange", "modules/exchange"), ("web", "web"), Kind::Normal, true);
        check(("web", "web"), ("exchange", "modules/exchange"), Kind::Normal, false);
        check(("exchange", "modules/exchange"), ("units", "modules/units"), Kind::Normal, false);
        check(("exchange", "modules/exchange"), ("units", "modules/units"), Kind::Dev, false);
        check(("evidence", "formats/evidence"), ("tlog", "formats/tlog"), Kind::Normal, true);
        check(("evidence", "formats/evidence"), ("base", "kernel/base"), Kind::Normal, false);
        check(("base", "kernel/base"), ("kernel", "kernel"), Kind::Normal, false);
        check(("registries", "simulators/registries"), ("exchange", "modules/exchange"), Kind::Dev, false);
        check(("lienthong", "app"), ("registries", "simulators/registries"), Kind::Normal, true);
        check(("lienthong", "app"), ("testkit", "testkit"), Kind::Normal, false);
        check(("lienthong", "app"), ("testkit", "testkit"), Kind::Dev, true);
        check(("backups", "modules/backups"), ("objects", "adapters/objects"), Kind::Dev, true);
        check(("backups", "modules/backups"), ("objects", "adapters/objects"), Kind::Normal, false);
        check(("web", "web"), ("catalogue", "kernel/catalogue"), Kind::Build, true);
        check(("web", "web"), ("catalogue", "kernel/catalogue"), Kind::Normal, false);
    }

    #[test]
    fn a_folder_off_the_map_is_noticed() {
        assert!(place(Path::new("helpers/misc")).is_none());
        assert!(place(Path::new("modules/exchange/inner")).is_none());
    }
}
