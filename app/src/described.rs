//! The description of this release for people and programs: every setting with its default and purpose, every step of
//! the schema with what it touches. The same for the example configuration, `settings` and `upgrade-check`.

use std::sync::Arc;

use kernel::{Module, db};
use serde::{Deserialize, Serialize};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its section, `exchange.gateway` for a section within one.
    pub section: String,
    /// Its key.
    pub key: String,
    /// Its default as TOML; empty when it is absent unless set.
    pub default: String,
    /// What it is for, Vietnamese.
    pub vi: String,
    /// What it is for, English.
    pub en: String,
}

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `module/name`.
    pub name: String,
    /// Tables that exist before it and whose rows it reads or writes.
    pub touches: Vec<String>,
    /// Why the release before does not run on the schema after it; empty when it does.
    pub breaks: Vec<String>,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its version.
    pub version: String,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// Its schema, in order.
    pub schema: Vec<Step>,
}

impl Release {
    /// This release with these modules.
    ///
    /// # Errors
    /// When the list of settings is malformed, which its test excludes.
    pub fn this(modules: &[Arc<dyn Module>]) -> anyhow::Result<Self> {
        let mut schema = Vec::new();
        for (module, steps) in kernel::schema(modules) {
            for step in steps {
                let effect = db::effect(step.sql);
                schema.push(Step {
                    name: format!("{module}/{}", step.name),
                    touches: effect.touches,
                    breaks: effect.breaks,
                });
            }
        }
        Ok(Self { version: env!("CARGO_PKG_VERSION").into(), settings: settings()?, schema })
    }
}

/// Every setting.
///
/// # Errors
/// When the list is malformed, which its test excludes.
pub fn settings() -> anyhow::Result<Vec<Setting>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        setting: Vec<Setting>,
    }
    Ok(toml::from_str::<List>(include_str!("../settings.toml"))?.setting)
}

/// A configuration with every setting and its comment; `chosen` gives the values that differ from the defaults.
///
/// # Errors
/// When the list is malformed, which its test excludes.
pub fn configuration(chosen: impl Fn(&str, &str) -> Option<String>) -> anyhow::Result<String> {
    let mut out = String::from(
        "# Cấu hình của Liên Thông. Dòng bắt đầu bằng # là giá trị mặc định; bỏ dấu # để đổi.\n\
         # Kiểm tra sau khi sửa: lienthong check --config TỆP_NÀY\n",
    );
    let mut section = String::new();
    for setting in settings()? {
        if setting.section != section {
            section.clone_from(&setting.section);
            out.push_str(&format!("\n[{section}]\n"));
        }
        out.push_str(&format!("# {}\n# {}\n", setting.vi, setting.en));
        match chosen(&setting.section, &setting.key) {
            Some(value) => out.push_str(&format!("{} = {value}\n", setting.key)),
            None => out.push_str(format!("# {} = {}", setting.key, setting.default).trim_end()),
        }
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use kernel::config::Config;

    use super::*;
    use crate::assemble::Platform;
    use crate::settings::Settings;

    fn read(text: String) -> anyhow::Result<()> {
        let settings = Settings::from_config(Config::from_text(None, text, [])?)?;
        Platform::check_sections(&settings)
    }

    #[test]
    fn every_default_is_understood_and_nothing_else_changes() {
        read(configuration(|_, _| None).unwrap()).unwrap();
        let defaults: BTreeMap<_, _> = settings()
            .unwrap()
            .into_iter()
            .filter(|s| !s.default.is_empty())
            .map(|s| ((s.section, s.key), s.default))
            .collect();
        let all = configuration(|section, key| defaults.get(&(section.into(), key.into())).cloned()).unwrap();
        read(all).unwrap();
    }

    /// A key nobody knows makes the reader of a section name all that it does know.
    #[test]
    fn every_setting_of_every_section_is_described() {
        let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for setting in settings().unwrap() {
            described.entry(setting.section).or_default().insert(setting.key);
        }
        for (section, keys) in &described {
            let e = format!("{:#}", read(format!("[{section}]\nnobody_knows_this = 1\n")).unwrap_err());
            let known = e.split("expected").nth(1).unwrap_or_else(|| panic!("{section}: {e}"));
            // The remedy at the end names a command.
            let words = known.split('`').skip(1).step_by(2).filter(|w| !w.contains(' '));
            let known: BTreeSet<_> = words.map(str::to_owned).collect();
            let inner = described.keys().filter_map(|s| s.strip_prefix(&format!("{section}.")));
            let inner: BTreeSet<_> = inner.map(str::to_owned).collect();
            let missing: Vec<_> = known.difference(keys).filter(|k| !inner.contains(*k)).collect();
            assert!(missing.is_empty(), "{section} lacks a description of {missing:?}");
            assert!(keys.is_subset(&known), "{section}: nobody reads {:?}", keys.difference(&known));
        }
    }

    #[test]
    fn values_that_were_chosen_stand_without_the_mark() {
        let text = configuration(|s, k| (s == "web" && k == "name").then(|| "\"UBND\"".into())).unwrap();
        assert!(
            text.contains("\nname = \"UBND\"\n") && text.contains("\n# primary = \"#1d4f91\"\n"),
            "{text}"
        );
    }
}
