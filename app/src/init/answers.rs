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
    /// An authority that speaks ACME gives it and renews it.
    Acme,
    /// None: plain HTTP, on the loopback interface only.
    None,
}

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    /// The mail server; empty for none.
    pub host: String,
    /// Its port; 0 for the usual one of `security`.
    pub port: u16,
    /// `starttls`, `tls` or `none`.
    pub security: String,
    /// Sender.
    pub from: String,
    /// Name to sign in with; empty for none.
    pub username: String,
    /// The password, written into a file of its own.
    pub password: String,
    /// PEM file with a further authority to trust; empty for none.
    pub ca_file: PathBuf,
    /// An address that gets a message at once; empty for none.
    pub test_to: String,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 0,
            security: "starttls".into(),
            from: String::new(),
            username: String::new(),
            password: String::new(),
            ca_file: PathBuf::new(),
            test_to: String::new(),
        }
    }
}

/// The store that gets a copy of every backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Offsite {
    /// The bucket; empty for none.
    pub bucket: String,
    /// Path within it.
    pub prefix: String,
    /// `https://host:port`; empty for Amazon.
    pub endpoint: String,
    /// Region.
    pub region: String,
    /// Name of the credentials.
    pub access_key: String,
    /// Their secret, written into a file of its own.
    pub secret_key: String,
}

impl Default for Offsite {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            prefix: "lienthong".into(),
            endpoint: String::new(),
            region: "us-east-1".into(),
            access_key: String::new(),
            secret_key: String::new(),
        }
    }
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
    /// With `acme`: address of the authority's directory.
    pub acme_directory: String,
    /// With `acme`: mail address for the authority; may be empty.
    pub acme_contact: String,
    /// With `acme`: agreement to the terms of the authority.
    pub acme_agree_to_terms: bool,
    /// Mail.
    pub smtp: Smtp,
    /// A store for copies of backups.
    pub offsite: Offsite,
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
            acme_directory: "https://acme-v02.api.letsencrypt.org/directory".into(),
            acme_contact: String::new(),
            acme_agree_to_terms: false,
            smtp: Smtp::default(),
            offsite: Offsite::default(),
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
        a.tls = match ask("Chứng thư TLS / certificate: self-signed, files, acme, none", "self-signed")?
            .as_str()
        {
            "self-signed" => Tls::SelfSigned,
            "files" => Tls::Files,
            "acme" => Tls::Acme,
            "none" => Tls::None,
            other => bail!("the certificate is self-signed, files, acme or none, not {other}"),
        };
        if a.tls == Tls::Files {
            a.tls_certificate = ask("Tệp chuỗi chứng thư / certificate chain (PEM)", "")?.into();
            a.tls_key = ask("Tệp khóa riêng / private key (PEM)", "")?.into();
        }
        if a.tls == Tls::Acme {
            a.acme_directory = ask("Thư mục ACME / directory of the authority", &a.acme_directory)?;
            a.acme_contact = ask("Thư điện tử liên hệ / contact (mail address)", "")?;
            let yes = ask("Đồng ý điều khoản của tổ chức cấp chứng thư / agree to its terms (yes)", "")?;
            a.acme_agree_to_terms = yes == "yes";
        }
        a.backup_directory =
            ask("Thư mục sao lưu / backups", &a.backup_directory.display().to_string())?.into();
        let times = ask("Giờ sao lưu / times of backups", &a.backup_times.join(" "))?;
        a.backup_times = times.split_whitespace().map(str::to_owned).collect();
        a.backup_copy_to =
            ask("Bản sao lưu thứ hai ở nơi khác / second copy (thư mục, directory)", "")?.into();
        a.offsite.bucket = ask("Kho S3 nhận bản sao lưu: tên bucket / S3 store (empty for none)", "")?;
        if !a.offsite.bucket.is_empty() {
            a.offsite.endpoint = ask("Địa chỉ kho / endpoint (https://…, empty for Amazon)", "")?;
            a.offsite.prefix = ask("Đường dẫn trong kho / path within it", &host_of(&a.public_url))?;
            a.offsite.region = ask("Khu vực / region", &a.offsite.region)?;
            a.offsite.access_key = ask("Khóa truy cập / access key", "")?;
            a.offsite.secret_key = ask("Khóa bí mật / secret key", "")?;
        }
        a.smtp.host = ask("Máy chủ thư để gửi cảnh báo / mail server for alerts (empty for none)", "")?;
        if !a.smtp.host.is_empty() {
            a.smtp.security = ask("Mã hóa / encryption: starttls, tls, none", &a.smtp.security)?;
            let from = format!("Liên Thông <lienthong@{}>", host_of(&a.public_url));
            a.smtp.from = ask("Người gửi / sender", &from)?;
            a.smtp.username = ask("Tên đăng nhập / user name (empty for none)", "")?;
            if !a.smtp.username.is_empty() {
                a.smtp.password = ask("Mật khẩu / password", "")?;
            }
            a.smtp.test_to = ask("Gửi thử một thư tới / send a test message to (empty for none)", "")?;
        }
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
        if self.tls == Tls::Acme && !self.acme_agree_to_terms {
            bail!("tls = acme needs acme_agree_to_terms = true: read the terms of the authority first");
        }
        if !["starttls", "tls", "none"].contains(&self.smtp.security.as_str()) {
            bail!("smtp.security is starttls, tls or none, not {}", self.smtp.security);
        }
        if self.smtp.username.is_empty() != self.smtp.password.is_empty() {
            bail!("smtp.username and smtp.password go together");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.user.is_empty() || !self.user.chars().all(plain) {
            bail!("user: `{}` is not a user name", self.user);
        }
        Ok(())
    }
}

fn host_of(public_url: &str) -> String {
    super::certificate::host(public_url).unwrap_or_else(|| "lienthong".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> anyhow::Result<Answers> {
        Answers::ask(&mut text.as_bytes(), &mut std::io::sink())
    }

    #[test]
    fn empty_lines_take_the_defaults() {
        let a = ask("Ủy ban nhân dân tỉnh Mẫu\nhttps://lt.tinhmau.gov.vn\n\n\n\n\n\n\n\n\n\n").unwrap();
        assert_eq!((a.listen.as_str(), a.tls, a.database.as_str()), ("0.0.0.0:443", Tls::SelfSigned, ""));
        assert_eq!(a.backup_times, ["01:30", "13:30"]);
    }

    #[test]
    fn what_would_be_unsafe_or_cannot_work_is_refused() {
        assert!(ask("UBND\nhttps://lt.vn\n").unwrap_err().to_string().contains("ended early"));
        assert!(ask("\nhttps://lt.vn\n\n\n\n\n\n\n\n\n\n").unwrap_err().to_string().contains("name"));
        assert!(ask("UBND\nlt\"vn\n\n\n\n\n\n\n\n\n\n").unwrap_err().to_string().contains("public_url"));
        let e = ask("UBND\nhttps://lt.vn\n\n\n\nnone\n\n\n\n\n\n").unwrap_err().to_string();
        assert!(e.contains("in the clear"), "{e}");
        assert!(toml::from_str::<Answers>("nmae = \"x\"").is_err());
        let acme = |yes: &str| ask(&format!("UBND\nhttps://lt.vn\n\n\n\nacme\n\na@lt.vn\n{yes}\n\n\n\n\n\n"));
        assert!(acme("").unwrap_err().to_string().contains("terms"));
        assert!(acme("yes").unwrap().acme_agree_to_terms);
    }

    #[test]
    fn mail_and_a_store_are_asked_for_only_when_there_are_some() {
        let store = "kho\nhttps://s3.lt.vn\n\n\nAK\nSK\n";
        let mail = "mail.lt.vn\n\n\nlienthong\nmk\na@lt.vn\n";
        let a = ask(&format!("UBND\nhttps://lt.vn\n\n\n\n\n\n\n\n{store}{mail}")).unwrap();
        assert_eq!((a.offsite.prefix.as_str(), a.offsite.secret_key.as_str()), ("lt.vn", "SK"));
        assert_eq!((a.smtp.security.as_str(), a.smtp.password.as_str()), ("starttls", "mk"));
        assert_eq!(
            (a.smtp.from.as_str(), a.smtp.test_to.as_str()),
            ("Liên Thông <lienthong@lt.vn>", "a@lt.vn")
        );
    }
}
