//! The systemd unit: an own user without rights, everything read-only but its data, the master key lent as a credential.

use std::path::Path;

/// What differs between installations.
#[derive(Debug, Clone)]
pub struct Unit<'a> {
    /// The program.
    pub program: &'a Path,
    /// The configuration.
    pub config: &'a Path,
    /// The master key.
    pub master_key: &'a Path,
    /// The user it runs as.
    pub user: &'a str,
    /// Directories it writes.
    pub writes: Vec<&'a Path>,
}

impl Unit<'_> {
    /// That of a package, with the usual places.
    pub fn of_package() -> String {
        let a = super::Answers::default();
        super::unit_of(&a, Path::new("/usr/bin/lienthong"))
    }

    /// Its text.
    pub fn text(&self) -> String {
        let Self { program, config, master_key, user, writes } = self;
        let (program, config, master_key) = (program.display(), config.display(), master_key.display());
        let writes: String =
            writes.iter().map(|dir| format!("ReadWritePaths=-{}\n", dir.display())).collect();
        format!(
            "# Liên Thông. Làm bởi `lienthong init`; sửa bằng `systemctl edit lienthong`.
[Unit]
Description=Liên Thông, nền tảng số của tỉnh
Documentation=file:/usr/share/doc/lienthong/README.md
After=network-online.target time-sync.target postgresql.service
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
WatchdogSec=60
Restart=on-failure
RestartSec=2
TimeoutStopSec=60
User={user}
Group={user}
ExecStart={program} serve --config {config}
LoadCredential=master.key:{master_key}
Environment=LIENTHONG_KEYS__MASTER=%d/master.key
LimitNOFILE=65536
LimitCORE=0
MemorySwapMax=0
UMask=0077

StateDirectory=lienthong
StateDirectoryMode=0700
{writes}ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE

[Install]
WantedBy=multi-user.target
"
        )
    }
}
