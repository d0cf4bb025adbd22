//! What an installation is asked, with the defaults that suit one machine; from a file or from the terminal.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// Where the certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// An authority and a certificate made here.
    SelfSigned,
    /// Files that are there already.
    Files,
    /// None: plain HTTP, on the loopback interface only.
    None,
}

/// The answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    /// The body that runs the platform, as written by law.
    pub name: String,
    /// How people reach it.
    pub public_url: String,
    /// Where it listens.
    pub listen: String,
    /// Directory of the configuration and the keys.
    pub config_dir: PathBuf,
    /// Directory of the data.
    pub data: PathBuf,
    /// Address of the database; empty for SQLite in the data directory.
    pub database: String,
    /// The certificate.
    pub tls: Tls,
    /// With `files`: the chain.
    pub tls_certificate: PathBuf,
    /// With `files`: its key.
    pub tls_key: PathBuf,
    /// Directory of the backups.
    pub backup_directory: PathBuf,
    /// Times of day.
    pub backup_times: Vec<String>,
    /// Second directory; empty for none.
    pub backup_copy_to: PathBuf,
    /// The user the service runs as.
    pub user: String,
    /// Directory of the systemd unit; empty for none.
    pub unit_dir: PathBuf,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            name: String::new(),
            public_url: String::new(),
            listen: "0.0.0.0:443".into(),
            config_dir: "/etc/lienthong".into(),
            data: "/var/lib/lienthong".into(),
            database: String::new(),
            tls: Tls::SelfSigned,
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            backup_directory: "/var/backups/lienthong".into(),
            backup_times: vec!["01:30".into(), "13:30".into()],
            backup_copy_to: PathBuf::new(),
            user: "lienthong".into(),
            unit_dir: "/etc/systemd/system".into(),
        }
    }
}

impl Answers {
    /// Reads them from a file.
    ///
    /// # Errors
    /// Names the file and what is wrong.
    pub fn read(file: &std::path::Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let answers: Self =
            toml::from_str(&text).with_context(|| format!("{} is not understood", file.display()))?;
        answers.check()?;
        Ok(answers)
    }

    /// Asks for them; an empty line takes what stands in brackets.
    ///
    /// # Errors
    /// When the terminal ends before the last answer, or an answer cannot be used.
    pub fn ask(input: &mut dyn BufRead, out: &mut dyn Write) -> anyhow::Result<Self> {
        let mut a = Self::default();
        let mut ask = |question: &str, default: &str| -> anyhow::Result<String> {
            write!(
                out,
                "{question}{}: ",
                if default.is_empty() { String::new() } else { format!(" [{default}]") }
            )?;
            out.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                bail!("the answers ended early; nothing was written");
            }
            let given = line.trim();
            Ok(if given.is_empty() { default.to_owned() } else { given.to_owned() })
        };
        a.name = ask("Cơ quan vận hành, tên pháp lý / the body that runs it", "")?;
        a.public_url = ask("Địa chỉ truy cập / public address (https://…)", "")?;
        a.listen = ask("Lắng nghe tại / listen on", &a.listen)?;
        a.data = ask("Thư mục dữ liệu / data directory", &a.data.display().to_string())?.into();
        a.database = ask("PostgreSQL (postgres://…, để trống dùng SQLite / empty for SQLite)", "")?;
        a.tls = match ask("Chứng thư TLS / certificate: self-signed, files, none", "self-signed")?.as_str()
        {
            "self-signed" => Tls::SelfSigned,
            "files" => Tls::Files,
            "none" => Tls::None,
            other => bail!("the certificate is self-signed, files or none, not {other}"),
        };
        if a.tls == Tls::Files {
            a.tls_certificate = ask("Tệp chuỗi chứng thư / certificate chain (PEM)", "")?.into();
            a.tls_key = ask("Tệp khóa riêng / private key (PEM)", "")?.into();
        }
        a.backup_directory =
            ask("Thư mục sao lưu / backups", &a.backup_directory.display().to_string())?.into();
        let times = ask("Giờ sao lưu / times of backups", &a.backup_times.join(" "))?;
        a.backup_times = times.split_whitespace().map(str::to_owned).collect();
        a.backup_copy_to =
            ask("Bản sao lưu thứ hai ở nơi khác / second copy (thư mục, directory)", "")?.into();
        a.check()?;
        Ok(a)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.name.trim().is_empty() {
            bail!("name: the body that runs the platform must be named");
        }
        let listen: std::net::SocketAddr = self
            .listen
            .parse()
            .with_context(|| format!("listen: {} is not an address with a port", self.listen))?;
        if super::certificate::host(&self.public_url).is_none() {
            bail!(
                "public_url: `{}` is not an address such as https://lienthong.tinhmau.gov.vn",
                self.public_url
            );
        }
        if self.tls == Tls::None && !listen.ip().is_loopback() {
            bail!(
                "tls = none would send passwords in the clear: listen on 127.0.0.1, or choose self-signed or files"
            );
        }
        if self.tls == Tls::Files && !(self.tls_certificate.is_file() && self.tls_key.is_file()) {
            bail!("tls = files needs tls_certificate and tls_key, and both files must be there");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.user.is_empty() || !self.user.chars().all(plain) {
            bail!("user: `{}` is not a user name", self.user);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> anyhow::Result<Answers> {
        Answers::ask(&mut text.as_bytes(), &mut std::io::sink())
    }

    #[test]
    fn empty_lines_take_the_defaults() {
        let a = ask("Ủy ban nhân dân tỉnh Mẫu\nhttps://lt.tinhmau.gov.vn\n\n\n\n\n\n\n\n").unwrap();
        assert_eq!((a.listen.as_str(), a.tls, a.database.as_str()), ("0.0.0.0:443", Tls::SelfSigned, ""));
        assert_eq!(a.backup_times, ["01:30", "13:30"]);
    }

    #[test]
    fn what_would_be_unsafe_or_cannot_work_is_refused() {
        assert!(ask("UBND\nhttps://lt.vn\n").unwrap_err().to_string().contains("ended early"));
        assert!(ask("\nhttps://lt.vn\n\n\n\n\n\n\n\n").unwrap_err().to_string().contains("name"));
        assert!(ask("UBND\nlt\"vn\n\n\n\n\n\n\n\n").unwrap_err().to_string().contains("public_url"));
        let e = ask("UBND\nhttps://lt.vn\n\n\n\nnone\n\n\n\n").unwrap_err().to_string();
        assert!(e.contains("in the clear"), "{e}");
        assert!(toml::from_str::<Answers>("nmae = \"x\"").is_err());
    }
}
