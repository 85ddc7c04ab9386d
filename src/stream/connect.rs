//! From an endpoint to a connected socket.
//!
//! Owns name resolution and the socket's options. A name is resolved for every attempt, because
//! addresses change. There is no deadline in here: the caller has one for the whole attempt, and
//! reads from [`Progress`] how far it came.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{lookup_host, TcpSocket, TcpStream};

use super::address::ServerAddress;
use super::fault;
use super::progress::{ConnectPhase, Progress};
use super::socket::Socket;
use crate::error::{Error, Result};
use crate::options::{ClientOptions, Endpoint, Family, SocketOptions};

/// The addresses of the endpoint, in the order in which they are tried; at least one.
pub(super) async fn addresses(
    options: &ClientOptions,
    progress: &Progress,
) -> Result<Vec<ServerAddress>> {
    match &options.endpoint {
        Endpoint::Tcp { host, port } => {
            progress.enter(ConnectPhase::Dns);
            let found = resolve(&options.endpoint, host, *port, options.socket.family).await?;
            Ok(found.into_iter().map(ServerAddress::Tcp).collect())
        }
        Endpoint::Unix { .. } => Ok(vec![ServerAddress::Unix]),
    }
}

/// Connects to one address of the endpoint. Also returns the peer's address as text.
pub(super) async fn connect(
    options: &ClientOptions,
    address: ServerAddress,
    progress: &Progress,
) -> Result<(Socket, String)> {
    progress.enter(ConnectPhase::Tcp);
    let endpoint = &options.endpoint;
    match (address, endpoint) {
        (ServerAddress::Tcp(address), _) => {
            let socket = open(address, options.socket.local_address).await;
            let socket = socket
                .and_then(|socket| prepare(socket, &options.socket))
                .map_err(|error| fault::unreachable(endpoint, error.into()))?;
            let peer = socket.peer_addr().unwrap_or(address);
            Ok((Socket::Tcp(socket), peer.to_string()))
        }
        (ServerAddress::Unix, Endpoint::Unix { path }) => {
            unix(endpoint, path).await.map(|socket| (socket, path.clone()))
        }
        (ServerAddress::Unix, Endpoint::Tcp { .. }) => {
            Err(Error::usage("the endpoint is no unix domain socket"))
        }
    }
}

/// Connects a socket, from `local` if that is given.
async fn open(address: SocketAddr, local: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(local) = local else {
        return TcpStream::connect(address).await;
    };
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind((local, 0).into())?;
    socket.connect(address).await
}

#[cfg(unix)]
async fn unix(endpoint: &Endpoint, path: &str) -> Result<Socket> {
    match tokio::net::UnixStream::connect(path).await {
        Ok(socket) => Ok(Socket::Unix(socket)),
        Err(error) => Err(fault::unreachable(endpoint, error.into())),
    }
}

#[cfg(not(unix))]
async fn unix(_endpoint: &Endpoint, _path: &str) -> Result<Socket> {
    Err(Error::usage("socket.path is not supported on this system: use socket.host"))
}

/// The addresses of `host` in the order in which they are tried; at least one.
async fn resolve(
    endpoint: &Endpoint,
    host: &str,
    port: u16,
    family: Family,
) -> Result<Vec<SocketAddr>> {
    let found = match lookup_host((host, port)).await {
        Ok(found) => found,
        Err(error) => {
            let text = error.to_string().to_lowercase();
            // `lookup_host` does not pass the resolver's code on, so its text has to tell the two
            // cases apart.
            let passing = text.contains("temporary failure");
            let code = if passing { "EAI_AGAIN" } else { "ENOTFOUND" };
            let cause = Error::connection(code, text).retryable();
            return Err(fault::unreachable(endpoint, cause));
        }
    };
    let usable = found.filter(|address| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    });
    let addresses = alternate(usable.collect());
    if addresses.is_empty() {
        let text = "the host name has no address of the wanted family";
        let cause = Error::connection("ENOTFOUND", text).retryable();
        return Err(fault::unreachable(endpoint, cause));
    }
    Ok(addresses)
}

/// Orders addresses so that families alternate, beginning with the family of the first address
/// (RFC 8305, section 4).
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let count = addresses.len();
    let (preferred, others): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut preferred, mut others) = (preferred.into_iter(), others.into_iter());
    let mut ordered = Vec::with_capacity(count);
    while ordered.len() < count {
        ordered.extend(preferred.next());
        ordered.extend(others.next());
    }
    ordered
}

/// Sets the options of a connected socket.
fn prepare(socket: TcpStream, options: &SocketOptions) -> io::Result<TcpStream> {
    // A connection to a port of the ephemeral range, where no server listens, may reach itself. Such
    // a socket would return every command as its own reply.
    if socket.local_addr()? == socket.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    socket.set_nodelay(options.no_delay)?;
    let raw = SockRef::from(&socket);
    if let Some(delay) = options.keep_alive {
        keep_alive(&raw, delay);
    }
    // A system that does not know this limit finds a vanished peer by the deadlines of commands.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    let _ = raw.set_tcp_user_timeout(Some(USER_TIMEOUT));
    Ok(socket)
}

/// Has the system probe a silent peer as closely as it can. Windows before version 1703 has no
/// number of probes to set, and every system has a longest delay. What it refuses is left as the
/// system has it: a connection without early probes is better than none.
fn keep_alive(socket: &SockRef<'_>, delay: Duration) {
    let probes = TcpKeepalive::new().with_time(delay).with_interval(PROBE_INTERVAL);
    if socket.set_tcp_keepalive(&probes.clone().with_retries(PROBES)).is_err()
        && socket.set_tcp_keepalive(&probes).is_err()
    {
        let _ = socket.set_keepalive(true);
    }
}

/// With three [`PROBES`], a vanished peer is found 15 s after the first one.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);
/// Two lost packets in a row are common on bad links, three are not.
const PROBES: u32 = 3;
/// How long written bytes may stay unacknowledged. In 20 s the kernel sends them again a handful of
/// times, so a peer that is still there has answered.
#[cfg(any(target_os = "android", target_os = "linux"))]
const USER_TIMEOUT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn keepalive_tuning_that_the_system_refuses_keeps_nobody_from_connecting() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        // More seconds than Linux (32,767) and Windows take.
        let delay = Some(Duration::from_secs(10_000_000_000));
        let options = SocketOptions { keep_alive: delay, ..SocketOptions::default() };
        let socket = prepare(socket, &options).unwrap();
        assert!(SockRef::from(&socket).keepalive().unwrap());
    }

    #[test]
    fn families_take_turns() {
        let ordered = alternate(
            ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"].into_iter().map(address).collect(),
        );
        let expected: Vec<_> =
            ["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"].into_iter().map(address).collect();
        assert_eq!(ordered, expected);
    }
}
