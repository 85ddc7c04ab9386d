//! Validated options of a client.
//!
//! Owns every setting that the core reads, its default, its range, and the parsing of URLs and TLS
//! material. Pure: it never opens a file or a socket and never reads a clock. Nothing in it prints a
//! secret.
//!
//! Invariant: options that passed [`ClientOptions::validate`] need no further checks. Only a server
//! can tell what else is wrong with them.

mod compare;
mod endpoint;
mod secret;
mod tls;
mod topology;
mod url;
mod validate;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

pub use endpoint::Endpoint;
pub use secret::Secret;
pub use tls::{client_config, CertificateRefusal, Pfx, TlsOptions, TlsVersion};
pub use topology::{Reads, SentinelOptions, TopologyOptions};
pub use url::{parse_url, UrlParts};

use crate::resp::Limits;

/// The options of one client.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Where the server listens; default `localhost:6379`.
    pub endpoint: Endpoint,
    /// How to encrypt; default `None`, which sends plain bytes.
    pub tls: Option<TlsOptions>,
    /// How sockets behave.
    pub socket: SocketOptions,
    /// ACL user; `None` means the server's `default` user.
    pub username: Option<String>,
    /// Password; `None` sends no `AUTH`, or an empty password if there is a user name.
    pub password: Option<Secret>,
    /// Whether the application's `credentialsProvider` is asked before each connection, instead
    /// of `username` and `password`. Default `false`.
    pub ask_credentials: bool,
    /// Connection name for `CLIENT LIST`; printable ASCII without spaces. Default `None`.
    pub name: Option<String>,
    /// Commands that each connection begins with, encoded, besides what the other options ask for.
    /// Their replies do not matter.
    pub repeated: Vec<Bytes>,
    /// Database to `SELECT`; default 0, which sends nothing.
    pub database: u32,
    /// The protocol to ask for; default RESP3, which falls back to RESP2 where a server lacks it.
    pub protocol: Protocol,
    /// Whether to send `READONLY`, which makes a cluster's replica serve reads; default `false`.
    pub readonly: bool,
    /// What `CLIENT SETINFO` tells the server; `None` sends nothing. Default: this library.
    pub client_info: Option<ClientInfo>,
    /// The pool of connections of each node.
    pub pool: PoolOptions,
    /// The number of lanes, from 1 to `pool.max`. Default 1, because only one lane keeps the order
    /// of commands that were not awaited.
    pub lanes: usize,
    /// After how much silence a lane without commands, or a subscriber, sends a `PING`; zero means
    /// never. Default 30 s.
    pub ping_interval: Duration,
    /// Whether commands wait while there is no connection; otherwise they fail at once. Default
    /// `true`.
    pub offline_queue: bool,
    /// What to do after a connection was lost or could not be made.
    pub reconnect: Reconnect,
    /// Bounds of a reply.
    pub limits: Limits,
    /// What a client of several nodes needs beside; default `None`, which means one server.
    pub topology: Option<TopologyOptions>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::default(),
            tls: None,
            socket: SocketOptions::default(),
            username: None,
            password: None,
            ask_credentials: false,
            name: None,
            repeated: Vec::new(),
            database: 0,
            protocol: Protocol::Resp3,
            readonly: false,
            client_info: Some(ClientInfo::default()),
            pool: PoolOptions::default(),
            lanes: 1,
            ping_interval: PING_INTERVAL,
            offline_queue: true,
            reconnect: Reconnect::default(),
            limits: Limits::default(),
            topology: None,
        }
    }
}

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// RESP2: no `HELLO` is sent.
    Resp2,
    /// RESP3, by `HELLO 3`. A server that refuses it is spoken to in RESP2.
    #[default]
    Resp3,
}

/// How sockets behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketOptions {
    /// The longest time of an attempt to connect, with DNS, TCP, TLS and handshake together;
    /// default 5 s.
    pub connect_timeout: Duration,
    /// A lane's connection is closed when a reply is due and nothing has arrived for this long;
    /// default `None`, which means never.
    pub socket_timeout: Option<Duration>,
    /// Whether small writes are sent at once (`TCP_NODELAY`); default `true`.
    pub no_delay: bool,
    /// Silence before the kernel's first keepalive probe; `None` turns the probes off. Default 30 s.
    pub keep_alive: Option<Duration>,
    /// Which addresses of a host name may be used; default any.
    pub family: Family,
    /// The local address of sockets; default `None`, which leaves the choice to the system.
    pub local_address: Option<IpAddr>,
    /// The application's function that is asked for the addresses of host names; default `None`,
    /// which means the system's resolver.
    pub ask_lookup: Option<u32>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            socket_timeout: None,
            no_delay: true,
            keep_alive: Some(KEEP_ALIVE),
            family: Family::Any,
            local_address: None,
            ask_lookup: None,
        }
    }
}

/// Which addresses of a host name may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// Addresses of both families.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// What `CLIENT SETINFO` tells the server about this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// `LIB-NAME`; printable ASCII without spaces.
    pub lib_name: String,
    /// `LIB-VER`; printable ASCII without spaces.
    pub lib_ver: String,
}

impl Default for ClientInfo {
    fn default() -> Self {
        Self { lib_name: "oxidis".into(), lib_ver: env!("CARGO_PKG_VERSION").into() }
    }
}

/// The pool of connections of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolOptions {
    /// Connections kept open even when idle; default 1.
    pub min: u32,
    /// Most connections open at a time; default 16.
    pub max: u32,
    /// The longest wait for a connection; default 5 s.
    pub acquire_timeout: Duration,
    /// Connections above `min` are closed when they were idle for this long; `None` means never.
    /// Default 10 min.
    pub idle_timeout: Option<Duration>,
    /// The age at which a connection is replaced, less a random tenth at most; `None` means never.
    /// Default 30 min.
    pub max_lifetime: Option<Duration>,
    /// A lease that is held for longer gives one warning; `None` means never. Default 30 s.
    pub leak_threshold: Option<Duration>,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            min: 1,
            max: POOL_MAX,
            acquire_timeout: ACQUIRE_TIMEOUT,
            idle_timeout: Some(IDLE_TIMEOUT),
            max_lifetime: Some(MAX_LIFETIME),
            leak_threshold: Some(LEAK_THRESHOLD),
        }
    }
}

/// What to do after a connection was lost or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconnect {
    /// Fail the waiting commands, and stop (`reconnectStrategy: false`).
    Never,
    /// As `Never`, and a lane that has lost its connection takes no command any more; what a server
    /// refuses for now is the caller's. For a caller who makes a new client for each connection, and
    /// must not write to another one by accident.
    Once,
    /// Wait the same time before every attempt.
    Fixed(Duration),
    /// Wait a random time below a bound that doubles from `base` to `cap`.
    Backoff {
        /// Bound of the first delay; default 50 ms.
        base: Duration,
        /// Largest bound; default 2 s.
        cap: Duration,
    },
    /// Ask the application's `reconnectStrategy` function before each attempt.
    Ask,
}

impl Reconnect {
    /// Whether a lost connection is replaced without anybody asking for it.
    pub fn tries_again(self) -> bool {
        !matches!(self, Self::Never | Self::Once)
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self::Backoff { base: BACKOFF_BASE, cap: BACKOFF_CAP }
    }
}

/// Enough for two lost SYNs, which Linux sends again after 1 s and after 3 s, on a slow line.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// With three probes 5 s apart, an idle connection to a vanished peer is found within 45 s.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Below the 60 s after which common load balancers drop an idle flow.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// Sessions are few beside a lane. With 16 connections each, 600 processes stay below the server's
/// default `maxclients` of 10,000.
const POOL_MAX: u32 = 16;
/// As long as the default deadline of a command, which cannot use a connection that comes later.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough to survive the pause between two bursts of a normal service.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// Picks up changed DNS entries and certificates within half an hour.
const MAX_LIFETIME: Duration = Duration::from_secs(1800);
/// Six default deadlines of a command. A lease that is held for longer was most likely forgotten.
const LEAK_THRESHOLD: Duration = Duration::from_secs(30);
/// Above a round trip within a data centre, and not felt by people.
const BACKOFF_BASE: Duration = Duration::from_millis(50);
/// With this cap, a server that is back gets its next attempt within 2 s, and serves again within
/// 2.5 s.
const BACKOFF_CAP: Duration = Duration::from_secs(2);
