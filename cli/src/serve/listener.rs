//! Listeners: addresses are bound, and connections accepted.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use super::address::Address;
use super::tls::Tls;
use crate::fault::Fault;

/// The connections that the kernel keeps before they are accepted; it has a limit of its own, too (net.core.somaxconn).
const BACKLOG: u32 = 4_096;

/// The parts of the service that an address offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Everything,
    Endpoints,
    Operations,
}

impl Surface {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Everything => "endpoints and operations",
            Self::Endpoints => "endpoints",
            Self::Operations => "operations",
        }
    }
}

/// An address that is bound.
pub(crate) struct Listener {
    socket: Socket,
    pub(crate) address: Address,
    pub(crate) surface: Surface,
    pub(crate) tls: Option<Arc<Tls>>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection, whatever it is made of.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Listener {
    /// Binds `address`. TLS is for what leaves the machine, so Unix sockets go without.
    pub(crate) fn bind(
        address: &Address,
        surface: Surface,
        tls: Option<Arc<Tls>>,
    ) -> Result<Self, Fault> {
        let fail = |error: &io::Error| cannot_listen(address, error);
        let (socket, address, tls) = match address {
            Address::Tcp(wanted) => {
                let listener = bind_tcp(*wanted).map_err(|error| fail(&error))?;
                let bound = listener.local_addr().map_err(|error| fail(&error))?;
                (Socket::Tcp(listener), Address::Tcp(bound), tls)
            }
            Address::Unix(path) => {
                remove_abandoned(path).map_err(|error| fail(&error))?;
                let listener = UnixListener::bind(path).map_err(|error| fail(&error))?;
                (Socket::Unix(listener), address.clone(), None)
            }
        };
        Ok(Self {
            socket,
            address,
            surface,
            tls,
        })
    }

    /// A connection, and whether it came over loopback, as those of browsers on this machine do.
    pub(crate) async fn accept(&self) -> io::Result<(Box<dyn Io>, bool)> {
        Ok(match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Answers are small, and to wait for more of them would only delay them.
                stream.set_nodelay(true)?;
                let is_loopback = stream.local_addr()?.ip().to_canonical().is_loopback();
                (Box::new(stream), is_loopback)
            }
            Socket::Unix(listener) => (Box::new(listener.accept().await?.0), false),
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address {
            let _ = fs::remove_file(path);
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        tokio::net::TcpSocket::new_v6()
    } else {
        tokio::net::TcpSocket::new_v4()
    }?;
    // Or a restart would wait for the last connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Removes the socket of a process that is no more.
fn remove_abandoned(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Ok(()),
    }
}

fn cannot_listen(address: &Address, error: &io::Error) -> Fault {
    let fault = Fault::failure(format!("cannot listen on {address}: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => fault.hint("another process uses it; choose another with --listen"),
        io::ErrorKind::AddrNotAvailable => {
            fault.hint("this machine does not have this address; use 0.0.0.0 or [::] for all of its addresses")
        }
        io::ErrorKind::PermissionDenied => fault.hint(
            "ports below 1024 need CAP_NET_BIND_SERVICE: in systemd, use AmbientCapabilities=CAP_NET_BIND_SERVICE; in \
             a container, publish a higher port as a low one",
        ),
        _ => fault,
    }
}
