//! Tells systemd how the service does (`sd_notify(3)`): ready, alive, stopping. Without systemd it does nothing.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::sync::watch;

/// Sends one state, for example `READY=1`. A service manager that does not listen is no reason to stop.
pub fn say(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(e) = send(&socket, state) {
        tracing::warn!(error = %e, state, "the service manager could not be told");
    }
}

fn send(socket: &OsStr, state: &str) -> std::io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}

/// Says that the process is alive twice in each period the manager expects it in, until `stop`. It runs among the tasks
/// that serve calls: when they no longer get their turn, neither does it, and the manager starts the service anew.
pub async fn stay_alive(mut stop: watch::Receiver<bool>) {
    let period = std::env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok());
    let Some(period) = period.map(Duration::from_micros).filter(|p| !p.is_zero()) else { return };
    loop {
        say("WATCHDOG=1");
        tokio::select! {
            () = tokio::time::sleep(period / 2) => {}
            _ = stop.changed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reaches_the_socket_by_path_and_by_abstract_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let name = format!("lienthong-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name = UnixDatagram::bind_addr(&abstract_name).unwrap();
        send(path.as_os_str(), "READY=1").unwrap();
        send(OsStr::new(&format!("@{name}")), "STOPPING=1").unwrap();
        let heard = |socket: &UnixDatagram| {
            let mut buffer = [0; 32];
            let n = socket.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..n]).into_owned()
        };
        assert_eq!((heard(&by_path).as_str(), heard(&by_name).as_str()), ("READY=1", "STOPPING=1"));
    }
}
