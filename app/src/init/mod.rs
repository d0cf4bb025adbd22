//! `init`: from a few answers to a platform that can be started: configuration, master key, certificate, systemd unit,
//! the first operator's link. Writes nothing over what is there.

mod answers;
pub mod certificate;
mod mail;
pub mod unit;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use kernel::clock::{Clock, SystemClock};
use kernel::i18n::Lang;
use kernel::keys::Keys;
use kernel::random::SystemRandom;

use crate::assemble::Platform;
use crate::cli::Place;
use crate::commands::block_on;
use crate::described;
use crate::hardening;
use crate::lock::DataLock;
use crate::renewal;
use crate::settings::Settings;
use answers::{Answers, Tls};
use unit::Unit;

const SMTP_PASSWORD: &str = "smtp.password";
const OFFSITE_SECRET: &str = "offsite.secret";

/// A file to be written.
struct Planned {
    path: PathBuf,
    mode: u32,
    text: String,
}

/// Asks or reads, then shows or does.
pub fn run(from: Option<&Path>, print: bool) -> anyhow::Result<ExitCode> {
    let answers = match from {
        Some(file) => Answers::read(file)?,
        None => Answers::ask(&mut std::io::stdin().lock(), &mut std::io::stdout())?,
    };
    let (mut files, said) = plan(&answers)?;
    if print {
        // Keys are made when they are written, never shown.
        files.retain(|f| f.mode != 0o600);
        for file in &files {
            println!("=== {} (mode {:o})\n{}", file.path.display(), file.mode, file.text);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let key = answers.config_dir.join("master.key");
    let there: Vec<_> = files.iter().map(|f| &f.path).chain([&key]).filter(|p| p.exists()).collect();
    if let Some(path) = there.first() {
        bail!("{} is there already: nothing was written", path.display());
    }
    let owner = owner_of(&answers.user);
    for dir in [&answers.config_dir, &answers.data, &answers.backup_directory] {
        // What is there already keeps its rights; the report says so when they are too wide.
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.with_context(|| format!("{} cannot be made", dir.display()))?;
        give(dir, owner)?;
    }
    if answers.tls == Tls::Acme {
        let host = certificate::host(&answers.public_url).unwrap_or_default();
        renewal::stand_in(&renewal::file(&answers.data), &[host], SystemClock.now())?;
    }
    Keys::load(&key, Some(&SystemRandom))?;
    give(&key, owner)?;
    for file in &files {
        write(file)?;
        if !file.path.starts_with(&answers.unit_dir) || answers.unit_dir.as_os_str().is_empty() {
            give(&file.path, owner)?;
        }
        println!("Đã ghi / written: {}", file.path.display());
    }
    println!("Đã tạo khóa chính / master key made: {}", key.display());
    println!("  CẤT MỘT BẢN Ở NƠI KHÁC. Mất khóa này là mất dữ liệu và mọi bản sao lưu.");
    println!("  KEEP A COPY ELSEWHERE. Without it the data and every backup are lost.");
    if let Some(fingerprint) = said {
        println!("Dấu vân tay của chứng thư gốc / fingerprint of the authority (SHA-256):\n  {fingerprint}");
    }
    let config = answers.config_dir.join("lienthong.toml");
    if !answers.smtp.host.is_empty() {
        mail::try_out(&config, &answers.smtp.test_to);
    }
    let link = first_operator(&answers.config_dir.join("lienthong.toml"))?;
    for dir in [&answers.data, &answers.backup_directory] {
        give_all(dir, owner)?;
    }
    report(&answers, &config, owner)?;
    println!(
        "\nNgười vận hành đầu tiên mở địa chỉ này một lần, trong 24 giờ / the first operator opens this once:\n  {link}"
    );
    if answers.unit_dir.as_os_str().is_empty() {
        println!("\nlienthong serve --config {}", answers.config_dir.join("lienthong.toml").display());
    } else {
        println!("\nsystemctl daemon-reload && systemctl enable --now lienthong");
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the hardening report beside the configuration, and says what it found.
fn report(a: &Answers, config: &Path, owner: Option<(u32, u32)>) -> anyhow::Result<()> {
    let settings = Settings::load(&Place { config: Some(config.to_path_buf()), data: None })?;
    let lines = hardening::examine(&settings, Some(config));
    let file = a.config_dir.join("hardening.txt");
    write(&Planned { path: file.clone(), mode: 0o640, text: hardening::text(Lang::Vi, &settings, &lines) })?;
    give(&file, owner)?;
    let failed = lines.iter().filter(|l| l.result == hardening::Result::Failed).count();
    println!("\nBáo cáo gia cố / hardening report: {} ({failed} mục chưa đạt / failed)", file.display());
    for line in lines.iter().filter(|l| l.result == hardening::Result::Failed) {
        println!("  {}: {}", line.title.get(Lang::Vi), line.why.get(Lang::Vi));
    }
    println!("  Xem lại / again: lienthong hardening --config {}", config.display());
    Ok(())
}

/// Prints the unit of a package: that of the default answers.
pub fn print_unit() -> anyhow::Result<ExitCode> {
    print!("{}", Unit::of_package());
    Ok(ExitCode::SUCCESS)
}

fn unit_of(a: &Answers, program: &Path) -> String {
    let (config, key) = (a.config_dir.join("lienthong.toml"), a.config_dir.join("master.key"));
    let mut writes = vec![a.data.as_path(), a.backup_directory.as_path()];
    writes.extend(Some(a.backup_copy_to.as_path()).filter(|p| !p.as_os_str().is_empty()));
    Unit { program, config: &config, master_key: &key, user: &a.user, writes }.text()
}

/// The files, and the fingerprint of a certificate made here.
fn plan(a: &Answers) -> anyhow::Result<(Vec<Planned>, Option<String>)> {
    let mut files = Vec::new();
    let mut plan = |path: PathBuf, mode: u32, text: String| files.push(Planned { path, mode, text });
    let (mut chain, mut key) = (a.tls_certificate.clone(), a.tls_key.clone());
    let mut fingerprint = None;
    if a.tls == Tls::SelfSigned {
        let host = certificate::host(&a.public_url).context("the public address has no name")?;
        let yesterday = SystemClock.now().date().plus_days(-1).context("the clock is wrong")?;
        let part = |n: i8| u8::try_from(n).context("the clock is wrong");
        let date = (i32::from(yesterday.year()), part(yesterday.month())?, part(yesterday.day())?);
        let made = certificate::make(&host, date)?;
        (chain, key) = (a.config_dir.join("tls-chain.pem"), a.config_dir.join("tls-key.pem"));
        plan(chain.clone(), 0o644, made.chain);
        plan(a.config_dir.join("tls-authority.pem"), 0o644, made.authority);
        plan(key.clone(), 0o600, made.key);
        fingerprint = Some(made.fingerprint);
    }
    if a.tls == Tls::Acme {
        (chain, key) = (renewal::file(&a.data), renewal::file(&a.data));
    }
    for (file, secret) in [(SMTP_PASSWORD, &a.smtp.password), (OFFSITE_SECRET, &a.offsite.secret_key)] {
        if !secret.is_empty() {
            plan(a.config_dir.join(file), 0o600, format!("{secret}\n"));
        }
    }
    let text = configuration(a, &chain, &key)?;
    check(a, &text)?;
    plan(a.config_dir.join("lienthong.toml"), 0o640, text);
    if !a.unit_dir.as_os_str().is_empty() {
        let program = std::env::current_exe()?;
        plan(a.unit_dir.join("lienthong.service"), 0o644, unit_of(a, &program));
    }
    Ok((files, fingerprint))
}

/// Reads the configuration as the platform will. Secrets are read from files that are not there yet: empty ones of this
/// process stand in for them.
fn check(a: &Answers, text: &str) -> anyhow::Result<()> {
    let scratch = std::env::temp_dir().join(format!("lienthong-init-{}", std::process::id()));
    let secrets = [SMTP_PASSWORD, OFFSITE_SECRET];
    let mut text = text.to_owned();
    // Not over anything that somebody laid there before.
    fs::DirBuilder::new().mode(0o700).create(&scratch)?;
    for file in secrets {
        fs::write(scratch.join(file), "x")?;
        let quoted = |path: PathBuf| toml::Value::String(path.display().to_string()).to_string();
        text = text.replace(&quoted(a.config_dir.join(file)), &quoted(scratch.join(file)));
    }
    let checked = kernel::config::Config::from_text(None, text, [])
        .map_err(anyhow::Error::from)
        .and_then(|config| Platform::check_sections(&Settings::from_config(config)?));
    fs::remove_dir_all(&scratch)?;
    checked.context("the answers")
}

/// `[channels.email]` as one value.
fn email(a: &Answers) -> Option<String> {
    let (s, mut table) = (&a.smtp, toml::Table::new());
    if s.host.is_empty() {
        return None;
    }
    let mut set = |key: &str, value: String| {
        if !value.is_empty() {
            table.insert(key.to_owned(), toml::Value::String(value));
        }
    };
    set("host", s.host.clone());
    set("security", s.security.clone());
    set("from", s.from.clone());
    set("username", s.username.clone());
    set("ca_file", s.ca_file.display().to_string());
    if !s.password.is_empty() {
        set("password_file", a.config_dir.join(SMTP_PASSWORD).display().to_string());
    }
    if s.port > 0 {
        table.insert("port".into(), toml::Value::Integer(i64::from(s.port)));
    }
    Some(toml::Value::Table(table).to_string())
}

fn configuration(a: &Answers, chain: &Path, key: &Path) -> anyhow::Result<String> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let path =
        |p: &Path| Some(p).filter(|p| !p.as_os_str().is_empty()).map(|p| quoted(&p.display().to_string()));
    let host = certificate::host(&a.public_url).unwrap_or_default();
    described::configuration(|section, name| match (section, name) {
        ("platform", "name") => Some(quoted(&host)),
        ("platform", "data") => path(&a.data),
        ("server", "listen") => Some(quoted(&a.listen)),
        ("server", "tls_certificate") if a.tls != Tls::None => path(chain),
        ("server", "tls_key") if a.tls != Tls::None => path(key),
        ("database", "url") => Some(&a.database).filter(|url| !url.is_empty()).map(|url| quoted(url)),
        ("keys", "master") => path(&a.config_dir.join("master.key")),
        ("web", "name") => Some(quoted(&a.name)),
        ("web", "public_url") => Some(quoted(&a.public_url)),
        ("backup", "directory") => path(&a.backup_directory),
        ("backup", "times") => {
            let times = a.backup_times.iter().map(|t| toml::Value::String(t.clone())).collect();
            Some(toml::Value::Array(times).to_string())
        }
        ("backup", "copy_to") => path(&a.backup_copy_to),
        ("offsite", key) if !a.offsite.bucket.is_empty() => match key {
            "bucket" => Some(quoted(&a.offsite.bucket)),
            "prefix" => Some(quoted(&a.offsite.prefix)),
            "endpoint" => Some(quoted(&a.offsite.endpoint)),
            "region" => Some(quoted(&a.offsite.region)),
            "access_key" => Some(quoted(&a.offsite.access_key)),
            "secret_key_file" => path(&a.config_dir.join(OFFSITE_SECRET)),
            _ => None,
        },
        ("acme", key) if a.tls == Tls::Acme => match key {
            "directory" => Some(quoted(&a.acme_directory)),
            "names" => Some(format!("[{}]", quoted(&host))),
            "contact" => Some(quoted(&a.acme_contact)),
            "agree_to_terms" => Some(a.acme_agree_to_terms.to_string()),
            _ => None,
        },
        ("channels", "email") => email(a),
        _ => None,
    })
}

fn write(file: &Planned) -> anyhow::Result<()> {
    if let Some(dir) = file.path.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut open = OpenOptions::new();
    let mut out = open
        .write(true)
        .create_new(true)
        .mode(file.mode)
        .open(&file.path)
        .with_context(|| format!("{} cannot be written", file.path.display()))?;
    out.write_all(file.text.as_bytes())?;
    Ok(out.sync_all()?)
}

/// Makes the schema and the link.
fn first_operator(config: &Path) -> anyhow::Result<String> {
    let settings = Settings::load(&Place { config: Some(config.to_path_buf()), data: None })?;
    let _lock = DataLock::take(settings.data())?;
    block_on(async {
        // Nothing is started: what begins its work here, as root, would leave files that the service cannot change.
        let platform = Platform::open_idle(settings).await?;
        let link = platform.first_operator_link().await;
        platform.close().await;
        link
    })
}

/// User and group of the service, when this process may give files away and the user is known.
fn owner_of(user: &str) -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|l| l.split(':').next() == Some(user))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn give(path: &Path, owner: Option<(u32, u32)>) -> anyhow::Result<()> {
    if let Some((user, group)) = owner {
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .with_context(|| format!("{} cannot be given to the service", path.display()))?;
    }
    Ok(())
}

/// Gives a directory with all below it. Links are not followed.
fn give_all(path: &Path, owner: Option<(u32, u32)>) -> anyhow::Result<()> {
    if owner.is_none() {
        return Ok(());
    }
    give(path, owner)?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            give_all(&entry.path(), owner)?;
        } else if kind.is_file() {
            give(&entry.path(), owner)?;
        }
    }
    Ok(())
}
