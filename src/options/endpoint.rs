//! The address of a server.
//!
//! Owns the address as users write it. It is resolved in [`crate::stream`], not here. It holds no
//! credentials, so it may appear in any message.

use std::fmt;

/// The address of one server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A host name or IP address (IPv6 without brackets), and a TCP port.
    Tcp {
        /// Name or address.
        host: String,
        /// Port, 1 to 65,535.
        port: u16,
    },
    /// A Unix domain socket.
    Unix {
        /// Path of the socket file.
        path: String,
    },
}

impl Endpoint {
    /// The port that Redis and Valkey listen on by default.
    pub const DEFAULT_PORT: u16 = 6379;

    /// The address of a TCP socket.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }

    /// The address of a Unix domain socket.
    pub fn unix(path: impl Into<String>) -> Self {
        Self::Unix { path: path.into() }
    }

    /// The host name or IP address; None for a Unix domain socket.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp { host, .. } => Some(host),
            Self::Unix { .. } => None,
        }
    }
}

impl Default for Endpoint {
    /// `localhost:6379`.
    fn default() -> Self {
        Self::tcp("localhost", Self::DEFAULT_PORT)
    }
}

impl fmt::Display for Endpoint {
    /// `host:port` (`[host]:port` for IPv6), or the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => {
                write!(f, "[{host}]:{port}")
            }
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => f.write_str(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_reads_as_users_write_it() {
        assert_eq!(Endpoint::default().to_string(), "localhost:6379");
        assert_eq!(Endpoint::tcp("::1", 7000).to_string(), "[::1]:7000");
        assert_eq!(Endpoint::tcp("::1%lo", 7000).to_string(), "[::1%lo]:7000");
        assert_eq!(Endpoint::unix("/run/redis.sock").to_string(), "/run/redis.sock");
    }
}
