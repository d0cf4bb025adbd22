//! Configuration: one TOML file, overridden by environment variables. Each module reads its own section
//! into its own type; what is wrong is said with file, line, key and remedy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// The prefix of overriding variables: `LIENTHONG_EXCHANGE__TIMEOUT_SECONDS=30` sets `timeout_seconds` in
/// `[exchange]`.
pub const ENV_PREFIX: &str = "LIENTHONG_";

/// What a configuration lacks or has wrong, in the operator's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}. {remedy}")]
pub struct ConfigError {
    /// File and line, or the environment variables.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// The loaded configuration. Sections are read by [`Config::section`].
#[derive(Debug, Clone, Default)]
pub struct Config {
    file: Option<PathBuf>,
    text: String,
    table: toml::Table,
    overrides: BTreeMap<String, BTreeMap<String, String>>,
}

impl Config {
    /// Reads `file` (when given) and the overriding variables among `env`.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|e| ConfigError {
                place: path.display().to_string(),
                message: format!("the file cannot be read ({e})"),
                remedy: "Check the path and the right to read it".into(),
            })?,
        };
        Self::from_text(file, text, env)
    }

    /// As [`Config::load`], from text already read.
    pub fn from_text(
        file: Option<&Path>,
        text: String,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let table = text.parse::<toml::Table>().map_err(|e| ConfigError {
            place: place(file, &text, e.span().map(|s| s.start)),
            message: e.message().to_owned(),
            remedy: "Correct the TOML syntax on this line".into(),
        })?;
        let mut overrides: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (name, value) in env {
            let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
            let Some((section, key)) = rest.split_once("__") else { continue };
            overrides.entry(section.to_lowercase()).or_default().insert(key.to_lowercase(), value);
        }
        Ok(Self { file: file.map(Path::to_path_buf), text, table, overrides })
    }

    /// Reads one section; an absent one gives the type's defaults. Section types should carry
    /// `#[serde(default, deny_unknown_fields)]` so that a misspelt key is an error.
    pub fn section<T: DeserializeOwned>(&self, name: &str) -> Result<T, ConfigError> {
        let mut table = match self.table.get(name) {
            None => toml::Table::new(),
            Some(toml::Value::Table(t)) => t.clone(),
            Some(_) => {
                return Err(ConfigError {
                    place: place(self.file.as_deref(), &self.text, self.line_start(name)),
                    message: format!("`{name}` is a section"),
                    remedy: format!("Write it as [{name}] with its keys below"),
                });
            }
        };
        if let Some(vars) = self.overrides.get(name) {
            for (key, value) in vars {
                table.insert(key.clone(), scalar(value));
            }
        }
        T::deserialize(toml::Value::Table(table)).map_err(|e| self.blame::<T>(name, &e))
    }

    /// Whether the file or the environment sets a key; `exchange.gateway` names a section within one.
    pub fn is_set(&self, section: &str, key: &str) -> bool {
        let mut table = Some(&self.table);
        for part in section.split('.') {
            table = table.and_then(|t| t.get(part)).and_then(toml::Value::as_table);
        }
        let in_env = self.overrides.get(section).is_some_and(|vars| vars.contains_key(key));
        in_env || table.is_some_and(|t| t.contains_key(key))
    }

    /// Refuses sections nobody reads, which are nearly always misspelt.
    pub fn refuse_unknown(&self, known: &[&str]) -> Result<(), ConfigError> {
        let in_file = self.table.keys();
        let in_env = self.overrides.keys();
        match in_file.chain(in_env).find(|k| !known.contains(&k.as_str())) {
            None => Ok(()),
            Some(k) => Err(ConfigError {
                place: place(self.file.as_deref(), &self.text, self.line_start(k)),
                message: format!("section `{k}` is not known"),
                remedy: format!("Known sections: {}", known.join(", ")),
            }),
        }
    }

    /// Finds where a wrong section is wrong: in the file if the file alone fails, else in the environment.
    fn blame<T: DeserializeOwned>(&self, name: &str, e: &toml::de::Error) -> ConfigError {
        let remedy = format!("See `lienthong check` for the keys of [{name}] and their defaults");
        if let Ok(document) = toml::de::DeTable::parse(&self.text)
            && let Some((_, section)) = document.into_inner().into_iter().find(|(k, _)| k.get_ref() == name)
        {
            let start = section.span().start;
            let de = toml::de::ValueDeserializer::from(section);
            if let Err(in_file) = T::deserialize(de) {
                let at = in_file.span().map_or(start, |s| s.start);
                return ConfigError {
                    place: place(self.file.as_deref(), &self.text, Some(at)),
                    message: format!("[{name}] {}", in_file.message().trim()),
                    remedy,
                };
            }
        }
        let vars = self.overrides.get(name).map(|vars| {
            let names =
                vars.keys().map(|k| format!("{ENV_PREFIX}{}__{}", name.to_uppercase(), k.to_uppercase()));
            names.collect::<Vec<_>>().join(", ")
        });
        ConfigError {
            place: vars.unwrap_or_else(|| place(self.file.as_deref(), &self.text, None)),
            message: format!("[{name}] {}", e.message().trim()),
            remedy,
        }
    }

    fn line_start(&self, key: &str) -> Option<usize> {
        let header = format!("[{key}");
        self.text.find(&header).or_else(|| self.text.find(key))
    }
}

/// A variable's value as TOML: numbers and booleans as such, everything else as text.
fn scalar(value: &str) -> toml::Value {
    if let Ok(b) = value.parse::<bool>() {
        return toml::Value::Boolean(b);
    }
    if let Ok(i) = value.parse::<i64>() {
        return toml::Value::Integer(i);
    }
    toml::Value::String(value.to_owned())
}

fn place(file: Option<&Path>, text: &str, at: Option<usize>) -> String {
    let name = file.map_or_else(|| "configuration".to_owned(), |p| p.display().to_string());
    match at {
        None => name,
        Some(at) => {
            let line = text[..at.min(text.len())].bytes().filter(|b| *b == b'\n').count() + 1;
            format!("{name}, line {line}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Gate {
        listen: String,
        timeout_seconds: u32,
    }

    impl Default for Gate {
        fn default() -> Self {
            Self { listen: "127.0.0.1:8080".into(), timeout_seconds: 30 }
        }
    }

    fn config(text: &str, env: &[(&str, &str)]) -> Config {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::from_text(Some(Path::new("lt.toml")), text.to_owned(), env).unwrap()
    }

    #[test]
    fn absent_sections_have_defaults_and_variables_win() {
        assert_eq!(config("", &[]).section::<Gate>("gate").unwrap(), Gate::default());
        let c = config(
            "[gate]\nlisten = \"[::1]:1\"\n",
            &[("LIENTHONG_GATE__TIMEOUT_SECONDS", "5"), ("OTHER", "1")],
        );
        assert_eq!(c.section::<Gate>("gate").unwrap(), Gate { listen: "[::1]:1".into(), timeout_seconds: 5 });
        assert!(
            c.is_set("gate", "listen") && c.is_set("gate", "timeout_seconds") && !c.is_set("gate", "other")
        );
        let inner = config("[gate.inner]\nx = 1\n", &[]);
        assert!(inner.is_set("gate.inner", "x") && !inner.is_set("gate.other", "x"));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line() {
        let e = config("# top\n[gate]\ntimeout_seconds = \"x\"\n", &[]).section::<Gate>("gate").unwrap_err();
        assert!(e.place.starts_with("lt.toml, line 3"), "{e}");
        let e = config("[gate]\n\ntimeout = 3\n", &[]).section::<Gate>("gate").unwrap_err();
        assert!(e.place.starts_with("lt.toml, line 3") && e.message.contains("timeout"), "{e}");
        let e = config("", &[("LIENTHONG_GATE__TIMEOUT_SECONDS", "x")]).section::<Gate>("gate").unwrap_err();
        assert!(e.place.contains("LIENTHONG_GATE__TIMEOUT_SECONDS"), "{e}");
    }

    #[test]
    fn misspelt_sections_and_broken_files_are_refused() {
        let e = config("[gate]\n[gaet]\n", &[]).refuse_unknown(&["gate"]).unwrap_err();
        assert!(e.place.ends_with("line 2") && e.message.contains("gaet"), "{e}");
        let e = Config::from_text(None, "a = \nb = 1".into(), []).unwrap_err();
        assert!(e.place.ends_with("line 1"), "{e}");
    }
}
