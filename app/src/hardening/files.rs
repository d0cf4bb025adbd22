//! Who can read and change the files: configuration, keys, secrets, data, backups.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kernel::i18n::Text;

use super::Line;
use crate::settings::Settings;
use crate::{renewal, t};

/// A file or directory, and the rights others than its owner must not have.
struct Guarded {
    path: PathBuf,
    forbidden: u32,
}

pub(super) fn lines(settings: &Settings, config: Option<&Path>) -> Vec<Line> {
    let mut secrets = vec![settings.master_key()];
    let listeners = settings.server.listeners().unwrap_or_default();
    secrets.extend(listeners.into_iter().filter_map(|l| l.tls).map(|tls| tls.key));
    secrets.push(renewal::file(settings.data()));
    let section = |name: &str| settings.config.section::<toml::Table>(name).unwrap_or_default();
    for name in ["channels", "offsite", "acme", "exchange"] {
        collect(&toml::Value::Table(section(name)), &mut secrets);
    }
    let guarded = |paths: Vec<PathBuf>, forbidden| {
        paths.into_iter().filter(|p| p.exists()).map(move |path| Guarded { path, forbidden })
    };
    let backup = section("backup").get("directory").and_then(|d| d.as_str()).map(PathBuf::from);
    let dirs: Vec<_> = [Some(settings.data().to_path_buf()), backup].into_iter().flatten().collect();
    vec![
        line(
            "files.configuration",
            t::h_config_title,
            guarded(config.map(Path::to_path_buf).into_iter().collect(), 0o027),
        ),
        line("files.secrets", t::h_secrets_title, guarded(secrets, 0o037)),
        line("files.data", t::h_data_title, guarded(dirs, 0o027)),
        default_data(settings),
    ]
}

/// Every `…_file` that holds a secret, however deep.
fn collect(value: &toml::Value, out: &mut Vec<PathBuf>) {
    const SECRET: [&str; 5] =
        ["password_file", "secret_file", "report_secret_file", "secret_key_file", "key_file"];
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                match value.as_str() {
                    Some(path) if SECRET.contains(&key.as_str()) => out.push(path.into()),
                    _ => collect(value, out),
                }
            }
        }
        toml::Value::Array(all) => all.iter().for_each(|value| collect(value, out)),
        _ => {}
    }
}

fn line(check: &'static str, title: super::Say, files: impl Iterator<Item = Guarded>) -> Line {
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    for file in files {
        let Ok(about) = fs::metadata(&file.path) else { continue };
        let mode = about.permissions().mode() & 0o7777;
        // Root's files may be read by the group of the service.
        let said = format!("{} ({mode:o}, uid {})", file.path.display(), about.uid());
        if mode & file.forbidden == 0 { seen.push(said) } else { open.push(said) }
    }
    match (open.is_empty(), seen.is_empty()) {
        (false, _) => {
            let why = Text::both(|l| t::h_files_open(l, open.join(", ")));
            Line::failed(check, title, why, t::h_files_remedy)
        }
        (true, true) => Line::unknown(check, title, Text::both(t::h_files_none), t::h_files_none_remedy),
        (true, false) => {
            let why = Text::both(|l| t::h_files_closed(l, seen.join(", ")));
            Line::passed(check, title, why)
        }
    }
}

/// The demonstration keeps its passwords in a file: they have no place in an installation.
fn default_data(settings: &Settings) -> Line {
    let (check, title): (_, super::Say) = ("accounts.defaults", t::h_defaults_title);
    let left = settings.data().join("demo-state.json");
    let weak = weak_secret(settings);
    if left.exists() {
        let why = Text::both(|l| t::h_defaults_demo(l, left.display()));
        return Line::failed(check, title, why, t::h_defaults_demo_remedy);
    }
    match weak {
        Some(what) => Line::failed(
            check,
            title,
            Text::both(|l| t::h_defaults_weak(l, &what)),
            t::h_defaults_weak_remedy,
        ),
        None => Line::passed(check, title, Text::both(t::h_defaults_good)),
    }
}

/// A setting whose secret anybody would guess.
fn weak_secret(settings: &Settings) -> Option<String> {
    let operations = settings.config.section::<toml::Table>("operations").unwrap_or_default();
    let token = operations.get("metrics_token").and_then(|t| t.as_str());
    if token.is_some_and(|token| token.len() < 16) {
        return Some("[operations] metrics_token".into());
    }
    let url = settings.database.url.as_deref().filter(|u| u.starts_with("postgres"))?;
    let (user, password) = url.split_once("://")?.1.split_once('@')?.0.split_once(':')?;
    let usual = ["postgres", "password", "lienthong", "123456", "admin", user];
    (password.len() < 12 || usual.contains(&password)).then(|| "[database] url".into())
}

#[cfg(test)]
mod tests {
    use kernel::config::Config;

    use super::super::Result;
    use super::*;

    fn settings(text: &str) -> Settings {
        Settings::from_config(Config::from_text(None, text.to_owned(), []).unwrap()).unwrap()
    }

    #[test]
    fn a_key_that_others_can_read_fails_and_one_they_cannot_passes() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("smtp.password");
        fs::write(&key, "x").unwrap();
        let text = format!(
            "[platform]\ndata = {:?}\n[channels.email]\nhost = \"a\"\nfrom = \"a@b\"\npassword_file = {key:?}\n",
            dir.path()
        );
        let result = |mode| {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            let lines = lines(&settings(&text), None);
            lines.into_iter().find(|l| l.check == "files.secrets").unwrap()
        };
        let open = result(0o644);
        assert!(open.result == Result::Failed && open.why.en.contains("smtp.password"), "{open:?}");
        assert_eq!(result(0o600).result, Result::Passed);
        assert_eq!(result(0o640).result, Result::Passed, "the service's group may");
        assert_eq!(result(0o660).result, Result::Failed, "but not write");
    }

    #[test]
    fn what_anybody_would_guess_fails() {
        for (text, weak) in [
            ("[operations]\nmetrics_token = \"short\"\n", true),
            ("[operations]\nmetrics_token = \"0123456789abcdef0123\"\n", false),
            ("[database]\nurl = \"postgres://lienthong:lienthong@127.0.0.1/lt\"\n", true),
            ("[database]\nurl = \"postgres://lienthong:kG7-2xq.Pw9z@127.0.0.1/lt\"\n", false),
            ("", false),
        ] {
            assert_eq!(weak_secret(&settings(text)).is_some(), weak, "{text}");
        }
    }

    #[test]
    fn the_passwords_of_the_demonstration_are_no_installation() {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("[platform]\ndata = {:?}\n", dir.path());
        let result = || default_data(&settings(&text)).result;
        assert_eq!(result(), Result::Passed);
        fs::write(dir.path().join("demo-state.json"), "{}").unwrap();
        assert_eq!(result(), Result::Failed);
    }
}
