//! The options as JavaScript passes them, which has checked their names and types before.

use std::net::IpAddr;
use std::time::Duration;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::options::{
    ClientInfo, ClientOptions, Endpoint, Family, PoolOptions, Protocol, Reads, Reconnect, Secret,
    SentinelOptions, SocketOptions, TlsOptions, TlsVersion, TopologyOptions,
};

/// Options of a client, flat; times in milliseconds, 0 for none.
#[napi(object)]
pub struct CoreOptions {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path of a Unix socket, instead of host and port.
    pub path: Option<String>,
    /// 0 (any), 4 or 6.
    pub family: u32,
    /// The local address of sockets; absent for any.
    pub local_address: Option<String>,
    /// The application's function that resolves host names; absent for the system's resolver.
    pub ask_lookup: Option<u32>,
    /// TLS; absent for plain bytes.
    pub tls: Option<CoreTls>,
    /// The longest time of an attempt to connect.
    pub connect_timeout: f64,
    /// The longest silence while a reply is due.
    pub socket_timeout: f64,
    /// TCP_NODELAY.
    pub no_delay: bool,
    /// Silence before the first keepalive probe; 0 for none.
    pub keep_alive: f64,
    /// `never`, `once`, `fixed`, `backoff` or `ask`.
    pub reconnect: String,
    /// The delay of `fixed`.
    pub reconnect_delay: f64,
    /// ACL user.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Whether the application is asked for credentials before each connection.
    pub ask_credentials: bool,
    /// CLIENT SETNAME.
    pub name: Option<String>,
    /// SELECT.
    pub database: u32,
    /// 2 or 3.
    pub resp: u32,
    /// READONLY.
    pub readonly: bool,
    /// CLIENT SETINFO LIB-NAME; absent for none.
    pub lib_name: Option<String>,
    /// CLIENT SETINFO LIB-VER.
    pub lib_ver: String,
    /// The name by which worker threads share the client.
    pub shared: Option<String>,
    /// The number of lanes.
    pub lanes: u32,
    /// After how much silence a PING is sent; 0 for never.
    pub ping_interval: f64,
    /// Whether commands wait while there is no connection.
    pub offline_queue: bool,
    /// Whether the event loop watches plain connections itself.
    pub watch: bool,
    /// pool.min
    pub pool_min: u32,
    /// pool.max
    pub pool_max: u32,
    /// pool.acquireTimeout
    pub acquire_timeout: f64,
    /// pool.idleTimeout
    pub idle_timeout: f64,
    /// pool.maxLifetime
    pub max_lifetime: f64,
    /// pool.leakThreshold
    pub leak_threshold: f64,
    /// The options of a client-side cache, as text; absent for none.
    pub cache: Option<String>,
    /// What a client of several nodes needs beside; absent for one server.
    pub topology: Option<CoreTopology>,
}

/// What a client of several nodes needs beside.
#[napi(object)]
pub struct CoreTopology {
    /// The nodes that are asked first.
    pub seeds: Vec<CoreAddress>,
    /// The most redirects of one command.
    pub max_redirects: u32,
    /// `primary`, `replica`, `nearest` or `zone`.
    pub reads: String,
    /// The availability zone of `zone`.
    pub zone: Option<String>,
    /// Pairs of addresses: the one that servers name, and the one at which this client reaches it.
    pub addresses: Vec<CoreAddress>,
    /// Whether the application is asked for such an address instead.
    pub ask_addresses: bool,
    /// How often the client asks where the nodes are, in ms; absent for the default.
    pub period: Option<f64>,
    /// The sentinels to ask, instead of `seeds`.
    pub sentinel: Option<CoreSentinel>,
}

/// The sentinels that monitor a primary.
#[napi(object)]
pub struct CoreSentinel {
    /// The primary's name.
    pub name: String,
    /// The sentinels that are asked first.
    pub seeds: Vec<CoreAddress>,
    /// How each of them is reached: a list of one, since a struct cannot hold itself.
    pub options: Vec<CoreOptions>,
}

/// A server's address.
#[napi(object)]
pub struct CoreAddress {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// TLS material, as PEM.
#[napi(object)]
pub struct CoreTls {
    /// Trusted authorities. If there are any, no other is trusted.
    pub ca: Vec<Buffer>,
    /// Authorities that are trusted if `ca` is empty.
    pub roots: Vec<Buffer>,
    /// Client certificate chain.
    pub cert: Option<Buffer>,
    /// Key of the client certificate.
    pub key: Option<Buffer>,
    /// The name that the server's certificate must carry; absent for the host.
    pub servername: Option<String>,
    /// Whether the server's certificate is verified; false accepts any.
    pub verify: bool,
    /// Whether TLS 1.3 is the lowest version.
    #[napi(js_name = "only13")]
    pub only13: bool,
    /// Whether TLS 1.2 is the highest version.
    #[napi(js_name = "only12")]
    pub only12: bool,
    /// The cipher suites to offer, by OpenSSL's names; empty for all.
    pub ciphers: Vec<String>,
    /// The groups of the key exchange to offer, by OpenSSL's names; empty for all.
    pub groups: Vec<String>,
    /// The protocols to offer by ALPN.
    pub alpn: Vec<Buffer>,
    /// Whether a chain may end in a certificate of `ca` that somebody else has signed.
    pub partial_chain: bool,
    /// The application's function to ask whether a certificate is for the host.
    pub ask_identity: Option<u32>,
}

impl CoreOptions {
    /// The options of the core.
    pub fn into_client(self) -> Result<ClientOptions> {
        let endpoint = match self.path {
            Some(path) => Endpoint::Unix { path },
            None => Endpoint::Tcp { host: self.host, port: self.port },
        };
        let lib_ver = self.lib_ver;
        Ok(ClientOptions {
            endpoint,
            tls: self.tls.map(CoreTls::into_tls).transpose()?,
            socket: SocketOptions {
                connect_timeout: millis(self.connect_timeout),
                socket_timeout: optional(self.socket_timeout),
                no_delay: self.no_delay,
                keep_alive: optional(self.keep_alive),
                local_address: local_address(self.local_address)?,
                ask_lookup: self.ask_lookup,
                family: match self.family {
                    4 => Family::V4,
                    6 => Family::V6,
                    _ => Family::Any,
                },
            },
            username: self.username,
            password: self.password.map(Secret::from),
            ask_credentials: self.ask_credentials,
            name: self.name,
            database: self.database,
            protocol: if self.resp == 2 { Protocol::Resp2 } else { Protocol::Resp3 },
            readonly: self.readonly,
            client_info: self.lib_name.map(|lib_name| ClientInfo { lib_name, lib_ver }),
            pool: PoolOptions {
                min: self.pool_min,
                max: self.pool_max,
                acquire_timeout: millis(self.acquire_timeout),
                idle_timeout: optional(self.idle_timeout),
                max_lifetime: optional(self.max_lifetime),
                leak_threshold: optional(self.leak_threshold),
            },
            lanes: self.lanes as usize,
            ping_interval: millis(self.ping_interval),
            offline_queue: self.offline_queue,
            reconnect: match self.reconnect.as_str() {
                "never" => Reconnect::Never,
                "once" => Reconnect::Once,
                "fixed" => Reconnect::Fixed(millis(self.reconnect_delay)),
                "ask" => Reconnect::Ask,
                _ => Reconnect::default(),
            },
            cache: self.cache,
            topology: self.topology.map(CoreTopology::into_topology).transpose()?,
            ..ClientOptions::default()
        })
    }
}

impl CoreTopology {
    fn into_topology(self) -> Result<TopologyOptions> {
        let mut addresses = self.addresses.into_iter().map(endpoint);
        let pairs = std::iter::from_fn(|| Some((addresses.next()?, addresses.next()?)));
        Ok(TopologyOptions {
            addresses: pairs.collect(),
            ask_addresses: self.ask_addresses,
            seeds: self.seeds.into_iter().map(endpoint).collect(),
            max_redirects: self.max_redirects,
            reads: match self.reads.as_str() {
                "replica" => Reads::Replica,
                "nearest" => Reads::Nearest,
                "zone" => Reads::Zone(self.zone.unwrap_or_default()),
                _ => Reads::Primary,
            },
            period: self.period.map(millis),
            sentinel: self.sentinel.map(CoreSentinel::into_sentinel).transpose()?,
        })
    }
}

impl CoreSentinel {
    fn into_sentinel(self) -> Result<SentinelOptions> {
        let options = self.options.into_iter().next();
        let options = options.ok_or_else(|| Error::usage("the sentinels have no options"))?;
        Ok(SentinelOptions {
            name: self.name,
            seeds: self.seeds.into_iter().map(endpoint).collect(),
            options: Box::new(options.into_client()?),
        })
    }
}

/// The endpoint at an address.
pub fn endpoint(address: CoreAddress) -> Endpoint {
    Endpoint::tcp(address.host, address.port)
}

impl CoreTls {
    fn into_tls(self) -> Result<TlsOptions> {
        let key = self.key.map(|key| String::from_utf8(key.to_vec())).transpose();
        let key = key.map_err(|_| Error::usage("socket.tls.key is not PEM"))?;
        Ok(TlsOptions {
            ca: self.ca.iter().map(|pem| pem.to_vec()).collect(),
            roots: self.roots.iter().map(|pem| pem.to_vec()).collect(),
            cert: self.cert.map(|pem| pem.to_vec()),
            key: key.map(Secret::from),
            servername: self.servername,
            verify: self.verify,
            min_version: if self.only13 { TlsVersion::V13 } else { TlsVersion::V12 },
            max_version: if self.only12 { TlsVersion::V12 } else { TlsVersion::V13 },
            ciphers: self.ciphers,
            groups: self.groups,
            alpn: self.alpn.iter().map(|name| name.to_vec()).collect(),
            partial_chain: self.partial_chain,
            ask_identity: self.ask_identity,
            ..TlsOptions::default()
        })
    }
}

fn local_address(text: Option<String>) -> Result<Option<IpAddr>> {
    let parse = |text: String| text.parse();
    let refused = |_| Error::usage("socket.localAddress must be an IP address");
    text.map(parse).transpose().map_err(refused)
}

fn millis(ms: f64) -> Duration {
    // JavaScript has checked that it is finite and not negative. A year is beyond any timeout, and
    // keeps the conversion from overflowing.
    Duration::from_secs_f64((ms.max(0.0) / 1000.0).min(86_400.0 * 365.0))
}

fn optional(ms: f64) -> Option<Duration> {
    Some(millis(ms)).filter(|duration| !duration.is_zero())
}

/// A delay of `ms`; `None` for a negative number.
pub fn millis_or_stop(ms: f64) -> Option<Duration> {
    (ms >= 0.0).then(|| millis(ms))
}
