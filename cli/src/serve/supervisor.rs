//! Tells the service manager how far we are, if there is one that asked (`sd_notify(3)`).

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;

use rustix::time::{ClockId, clock_gettime};
use tracing::debug;

use super::log;

/// The variable in which it says where to.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Clients can connect.
pub(crate) fn ready() {
    tell("READY=1");
}

/// The configuration is being read again. The time tells the manager which of its requests that answers
/// (`Type=notify-reload`).
pub(crate) fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let microseconds = i128::from(now.tv_sec)
        .saturating_mul(1_000_000)
        .saturating_add(i128::from(now.tv_nsec) / 1_000);
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
}

/// The configuration has been read again, and this came of it. Clients could connect all the while.
pub(crate) fn reloaded(status: &str) {
    tell(&format!("READY=1\nSTATUS={status}"));
}

/// No more of them can.
pub(crate) fn stopping() {
    tell("STOPPING=1");
}

fn tell(state: &str) {
    if let Some(path) = env::var_os(SOCKET)
        && let Err(error) = send(&path, state)
    {
        debug!(target: log::TARGET, %error, "cannot notify the service manager");
    }
}

fn send(path: &OsStr, state: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    match path.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt as _;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            socket.connect_addr(&address)?;
        }
        _ => socket.connect(path)?,
    }
    socket.send(state.as_bytes()).map(drop)
}
