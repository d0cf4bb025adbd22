//! Packages of a built program: an archive for any Linux and a `.deb`, both installed without a network. The system's own
//! `tar` and `dpkg-deb` write them, with fixed times and owners so that the same input gives the same bytes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// What to package.
#[derive(clap::Args)]
pub struct Options {
    /// The program; built with `--profile dist` for a release
    #[arg(long, value_name = "FILE")]
    bin: PathBuf,
    /// Where the packages go
    #[arg(long, value_name = "DIR", default_value = "target/package")]
    to: PathBuf,
    /// Compress little: for trying the packages out
    #[arg(long)]
    quick: bool,
}

/// Files of the tree that come along.
const SHIPPED: &[&str] =
    &["README.md", "LICENSE", "CHANGELOG.md", "docs/howto/install.md", "docs/howto/back-up-and-restore.md"];

/// Makes both.
///
/// # Errors
/// When a tool is missing or a file cannot be read.
pub fn run(options: &Options) -> Result<()> {
    let bin = std::path::absolute(&options.bin)?;
    ensure!(bin.is_file(), "{} is no program: build it first", bin.display());
    fs::create_dir_all(&options.to)?;
    let to = fs::canonicalize(&options.to)?;
    let version = said(&bin, &["--version"])?;
    let version =
        version.split_whitespace().nth(1).context("the program does not say its version")?.to_owned();
    let scratch = tempfile::tempdir()?;
    let licences = licences()?;
    for made in [
        archive(scratch.path(), &to, &bin, &version, &licences, options.quick)?,
        deb(scratch.path(), &to, &bin, &version, &licences, options.quick)?,
    ] {
        println!("{} ({} bytes)", made.display(), fs::metadata(&made)?.len());
    }
    Ok(())
}

fn archive(
    scratch: &Path,
    to: &Path,
    bin: &Path,
    version: &str,
    licences: &str,
    quick: bool,
) -> Result<PathBuf> {
    let name = format!("lienthong-{version}-x86_64-linux");
    let root = scratch.join(&name);
    put(bin, &root.join("lienthong"), 0o755)?;
    text(&root.join("lienthong.service"), &said(bin, &["unit"])?)?;
    text(&root.join("lienthong.example.toml"), &said(bin, &["settings"])?)?;
    text(&root.join("THIRD-PARTY.txt"), licences)?;
    for file in SHIPPED {
        let from = scenarios::tools::repository().join(file);
        put(&from, &root.join(from.file_name().context("a file has a name")?), 0o644)?;
    }
    let made = to.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=2026-01-01 00:00Z",
        "-czf",
    ]);
    ran(tar.env("GZIP", if quick { "-n1" } else { "-n" }).arg(&made).arg("-C").arg(scratch).arg(&name))?;
    Ok(made)
}

fn deb(scratch: &Path, to: &Path, bin: &Path, version: &str, licences: &str, quick: bool) -> Result<PathBuf> {
    let root = scratch.join("deb");
    let doc = root.join("usr/share/doc/lienthong");
    put(bin, &root.join("usr/bin/lienthong"), 0o755)?;
    text(&root.join("usr/lib/systemd/system/lienthong.service"), &said(bin, &["unit"])?)?;
    text(&doc.join("lienthong.example.toml"), &said(bin, &["settings"])?)?;
    text(&doc.join("copyright"), licences)?;
    for file in SHIPPED {
        let from = scenarios::tools::repository().join(file);
        put(&from, &doc.join(from.file_name().context("a file has a name")?), 0o644)?;
    }
    let kib = fs::metadata(bin)?.len() / 1024 + 1;
    let control = format!(
        "Package: lienthong\nVersion: {version}\nArchitecture: amd64\nSection: net\nPriority: optional\n\
         Maintainer: Lien Thong <lienthong@localhost>\nInstalled-Size: {kib}\nDepends: libc6 (>= 2.36), adduser\n\
         Recommends: ca-certificates, chrony | systemd-timesyncd\nSuggests: postgresql (>= 15)\n\
         Description: open digital-government platform of a province\n \
         Data exchange with evidence, shared applications, one program.\n"
    );
    text(&root.join("DEBIAN/control"), &control)?;
    for (name, script) in SCRIPTS {
        text(&root.join("DEBIAN").join(name), script)?;
        fs::set_permissions(root.join("DEBIAN").join(name), fs::Permissions::from_mode(0o755))?;
    }
    let made = to.join(format!("lienthong_{version}_amd64.deb"));
    let mut build = Command::new("dpkg-deb");
    ran(build
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .args(if quick { &["-Zgzip", "-z1"][..] } else { &[] })
        .args(["--root-owner-group", "--build"])
        .arg(&root)
        .arg(&made))?;
    Ok(made)
}

/// The user is made when it is not there; removing never touches data, keys or backups.
const SCRIPTS: &[(&str, &str)] = &[
    (
        "postinst",
        "#!/bin/sh
set -e
if [ \"$1\" = configure ]; then
    if ! getent passwd lienthong >/dev/null; then
        adduser --system --group --home /var/lib/lienthong --no-create-home --quiet lienthong
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload || true
        if systemctl is-active --quiet lienthong; then systemctl restart lienthong || true; fi
    fi
    if [ ! -e /etc/lienthong/lienthong.toml ]; then
        echo 'Chạy: sudo lienthong init'
    fi
fi
",
    ),
    (
        "prerm",
        "#!/bin/sh
set -e
if [ \"$1\" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now lienthong || true; fi
",
    ),
    (
        "postrm",
        "#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
if [ \"$1\" = purge ]; then
    echo 'Dữ liệu, khóa và bản sao lưu vẫn còn ở /var/lib/lienthong, /etc/lienthong, /var/backups/lienthong.'
    echo 'Xóa bằng tay nếu chắc chắn không cần nữa. Data, keys and backups were left in place.'
fi
",
    ),
];

/// Licences of everything the program is linked from, with their texts.
fn licences() -> Result<String> {
    let mut list = Command::new("cargo");
    list.args([
        "metadata",
        "--format-version",
        "1",
        "--offline",
        "--locked",
        "--filter-platform",
        "x86_64-unknown-linux-gnu",
    ]);
    let output = list.current_dir(scenarios::tools::repository()).output().context("cargo cannot be run")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let empty = vec![];
    let mut out = String::from(
        "Liên Thông is under the Apache License 2.0 (see LICENSE). It is linked from these crates:\n",
    );
    for package in metadata["packages"].as_array().unwrap_or(&empty) {
        if package["source"].is_null() {
            continue;
        }
        let word = |key: &str| package[key].as_str().unwrap_or("?").to_owned();
        out.push_str(&format!("\n==== {} {} ({})\n", word("name"), word("version"), word("license")));
        let dir = PathBuf::from(word("manifest_path"));
        let mut texts: Vec<_> = fs::read_dir(dir.parent().context("a manifest lies in a directory")?)?
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| p.is_file() && is_licence(p))
            .collect();
        texts.sort();
        for path in texts {
            out.push_str(&format!("---- {}\n", path.file_name().unwrap_or_default().to_string_lossy()));
            out.push_str(String::from_utf8_lossy(&fs::read(&path)?).trim());
            out.push('\n');
        }
    }
    Ok(out)
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|start| name.starts_with(start))
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::copy(from, to).with_context(|| format!("{} cannot be copied", from.display()))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(mode))?)
}

fn text(to: &Path, text: &str) -> Result<()> {
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(to, text)?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o644))?)
}

fn said(bin: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(bin).args(arguments).output()?;
    ensure!(
        output.status.success(),
        "{} {arguments:?}: {}",
        bin.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn ran(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?} cannot be run"))?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    fn done(command: &mut Command) -> String {
        let output = command.output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
        said
    }

    fn answers(root: &Path, listen: std::net::SocketAddr) -> String {
        format!(
            "name = \"Ủy ban nhân dân tỉnh Mẫu\"\npublic_url = \"https://localhost:{}\"\nlisten = \"{listen}\"\n\
             config_dir = {:?}\ndata = {:?}\nbackup_directory = {:?}\nunit_dir = {:?}\n",
            listen.port(),
            root.join("etc"),
            root.join("data"),
            root.join("backups"),
            root.join("units"),
        )
    }

    /// From the package to a running platform, as on a bare machine, and away again.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_package_installs_sets_up_serves_and_leaves_the_data() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let bin = scenarios::tools::lienthong().unwrap();
        // What only debuggers read makes four fifths of a program that is built for tests.
        let stripped = at("lienthong");
        done(Command::new("strip").arg("-o").arg(&stripped).arg(&bin));
        run(&Options { bin: stripped, to: at("out"), quick: true }).unwrap();
        let made: Vec<_> = fs::read_dir(at("out")).unwrap().map(|e| e.unwrap().path()).collect();
        let ending = |end: &str| made.iter().find(|p| p.to_string_lossy().ends_with(end)).unwrap().clone();
        let (deb, archive) = (ending(".deb"), ending(".tar.gz"));
        let listed = done(Command::new("tar").arg("-tzf").arg(&archive));
        for file in
            ["/lienthong", "/lienthong.service", "/lienthong.example.toml", "/THIRD-PARTY.txt", "/LICENSE"]
        {
            assert!(listed.lines().any(|l| l.ends_with(file)), "{file} in\n{listed}");
        }
        done(Command::new("dpkg").arg("-x").arg(&deb).arg(at("root")));
        done(Command::new("dpkg-deb").arg("-e").arg(&deb).arg(at("control")));
        let removing = fs::read_to_string(at("control").join("postrm")).unwrap();
        assert!(!removing.contains("rm "), "purging touches no data");
        let copyright = fs::read_to_string(at("root/usr/share/doc/lienthong/copyright")).unwrap();
        assert!(copyright.contains("==== tokio ") && copyright.contains("==== rustls "));

        let program = at("root/usr/bin/lienthong");
        let listen = scenarios::platform::free_port().unwrap();
        fs::write(at("answers.toml"), answers(scratch.path(), listen)).unwrap();
        let init = |more: &[&str]| {
            let mut command = Command::new(&program);
            command.arg("init").arg("--from").arg(at("answers.toml")).args(more);
            command
        };
        let shown = done(&mut init(&["--print"]));
        assert!(
            shown.contains("ExecStart=") && !shown.contains("PRIVATE KEY") && !at("etc").exists(),
            "{shown}"
        );
        let said = done(&mut init(&[]));
        assert!(
            said.contains("https://localhost") && said.contains("SHA-256"),
            "the link and the fingerprint: {said}"
        );
        assert!(!init(&[]).output().unwrap().status.success(), "never over what is there");
        for key in ["etc/master.key", "etc/tls-key.pem"] {
            assert_eq!(fs::metadata(at(key)).unwrap().permissions().mode() & 0o777, 0o600, "{key}");
        }
        let config = at("etc/lienthong.toml");
        done(Command::new(&program).arg("check").arg("--config").arg(&config));
        if Command::new("systemd-analyze").arg("--version").output().is_ok() {
            let unit = fs::read_to_string(at("units/lienthong.service")).unwrap();
            // The user is made by the package, which is not installed here.
            fs::write(at("lienthong.service"), unit.replace("=lienthong\n", "=root\n")).unwrap();
            let verify = ["verify", "--man=no"];
            done(Command::new("systemd-analyze").args(verify).arg(at("lienthong.service")));
        }
        let mut serving = Command::new(&program)
            .arg("serve")
            .arg("--config")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(fs::File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let ready = ready(listen, &fs::read(at("etc/tls-authority.pem")).unwrap()).await;
        let backups = backups(&program, &config).await;
        let changes = Command::new(&program)
            .arg("upgrade-check")
            .arg("--to")
            .arg(&program)
            .arg("--config")
            .arg(&config)
            .output();
        serving.kill().unwrap();
        serving.wait().unwrap();
        let log = fs::read_to_string(at("log")).unwrap();
        assert!(ready, "{log}");
        assert_eq!(backups, 1, "the first backup is made by itself: {log}");
        let changes = changes.unwrap();
        let told = String::from_utf8_lossy(&changes.stdout);
        assert!(changes.status.success() && told.contains("0 steps ahead"), "to itself: {told}");
    }

    /// Whether it answers by TLS to who trusts the authority that was made.
    async fn ready(listen: std::net::SocketAddr, authority: &[u8]) -> bool {
        let authority = reqwest::Certificate::from_pem(authority).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
        for _ in 0..600 {
            let answer = http.get(format!("https://localhost:{}/healthz", listen.port())).send().await;
            if answer.is_ok_and(|a| a.status().is_success()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }

    async fn backups(program: &Path, config: &Path) -> usize {
        let mut all = 0;
        for _ in 0..600 {
            let list =
                Command::new(program).args(["backup", "list", "--json", "--config"]).arg(config).output();
            let list: serde_json::Value = serde_json::from_slice(&list.unwrap().stdout).unwrap_or_default();
            all = list.as_array().map_or(0, Vec::len);
            if all > 0 {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        all
    }
}
