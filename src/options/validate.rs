//! The ranges of the options.
//!
//! Owns the checks that need no server. Every message names the option as users spell it
//! (`pool.max`), and never shows a value that could be a secret.

use std::time::Duration;

use super::{ClientOptions, Endpoint, PoolOptions, Reconnect, SentinelOptions, SocketOptions};
use crate::error::{Error, Result};
use crate::resp::Limits;

impl ClientOptions {
    /// Checks all options.
    ///
    /// # Errors
    ///
    /// `USAGE` for the first option that can never work; the message names it.
    pub fn validate(&self) -> Result<()> {
        endpoint(&self.endpoint)?;
        socket(&self.socket)?;
        pool(&self.pool)?;
        if let Some(tls) = &self.tls {
            tls.validate(&self.endpoint)?;
        }
        if let Some(name) = &self.name {
            word("name", name)?;
        }
        if let Some(info) = &self.client_info {
            word("clientInfo.libName", &info.lib_name)?;
            word("clientInfo.libVer", &info.lib_ver)?;
        }
        if self.lanes == 0 || self.lanes as u64 > u64::from(self.pool.max) {
            return Err(Error::usage("lanes must be between 1 and pool.max"));
        }
        bounded("pingInterval", self.ping_interval)?;
        reconnect(self.reconnect)?;
        if let Some(sentinel) = self.topology.as_ref().and_then(|all| all.sentinel.as_ref()) {
            sentinels(sentinel)?;
        }
        limits(&self.limits)
    }
}

fn endpoint(endpoint: &Endpoint) -> Result<()> {
    match endpoint {
        Endpoint::Tcp { host, .. } if host.is_empty() => {
            Err(Error::usage("socket.host must not be empty"))
        }
        Endpoint::Tcp { host, .. } if host.chars().any(|c| c.is_whitespace() || c.is_control()) => {
            Err(Error::usage("socket.host must not contain spaces or control characters"))
        }
        Endpoint::Tcp { port: 0, .. } => {
            Err(Error::usage("socket.port must be between 1 and 65535"))
        }
        Endpoint::Unix { path } if path.is_empty() || path.contains('\0') => {
            Err(Error::usage("socket.path must be the path of a unix socket"))
        }
        _ => Ok(()),
    }
}

fn socket(socket: &SocketOptions) -> Result<()> {
    positive("socket.connectTimeout", socket.connect_timeout)?;
    if let Some(timeout) = socket.socket_timeout {
        positive("socket.socketTimeout", timeout)?;
    }
    match socket.keep_alive {
        Some(delay) => positive("socket.keepAliveInitialDelay", delay),
        None => Ok(()),
    }
}

fn pool(pool: &PoolOptions) -> Result<()> {
    if pool.max == 0 || pool.max > POOL_MAX {
        return Err(Error::usage(format!("pool.max must be between 1 and {POOL_MAX}")));
    }
    if pool.min > pool.max {
        return Err(Error::usage("pool.min must not be above pool.max"));
    }
    positive("pool.acquireTimeout", pool.acquire_timeout)?;
    for (option, value) in [
        ("pool.idleTimeout", pool.idle_timeout),
        ("pool.maxLifetime", pool.max_lifetime),
        ("pool.leakThreshold", pool.leak_threshold),
    ] {
        if let Some(value) = value {
            positive(option, value)?;
        }
    }
    Ok(())
}

fn sentinels(sentinel: &SentinelOptions) -> Result<()> {
    if sentinel.seeds.is_empty() {
        return Err(Error::usage("sentinelRootNodes must name at least one sentinel"));
    }
    sentinel.seeds.iter().try_for_each(endpoint)?;
    sentinel.options.validate()
}

fn reconnect(reconnect: Reconnect) -> Result<()> {
    match reconnect {
        Reconnect::Never | Reconnect::Once | Reconnect::Ask => Ok(()),
        Reconnect::Fixed(delay) => bounded("socket.reconnectStrategy", delay),
        Reconnect::Backoff { base, cap } => {
            positive("socket.reconnectStrategy", base)?;
            bounded("socket.reconnectStrategy", cap)?;
            if base > cap {
                return Err(Error::usage("socket.reconnectStrategy must not start above its cap"));
            }
            Ok(())
        }
    }
}

fn limits(limits: &Limits) -> Result<()> {
    for (option, value) in [
        ("limits.bulk", limits.bulk),
        ("limits.depth", limits.depth),
        ("limits.line", limits.line),
        ("limits.reply", limits.reply),
    ] {
        if value == 0 {
            return Err(Error::usage(format!("{option} must be at least 1")));
        }
    }
    Ok(())
}

/// Checks the server's own rule for client and library names: printable ASCII without spaces.
fn word(option: &str, text: &str) -> Result<()> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let rule = "must be printable ascii characters without spaces";
        return Err(Error::usage(format!("{option} {rule}")));
    }
    Ok(())
}

fn positive(option: &str, value: Duration) -> Result<()> {
    if value.is_zero() {
        return Err(Error::usage(format!("{option} must be above 0 ms")));
    }
    bounded(option, value)
}

fn bounded(option: &str, value: Duration) -> Result<()> {
    if value > MAX_DURATION {
        let most = MAX_DURATION.as_millis();
        return Err(Error::usage(format!("{option} must be at most {most} ms")));
    }
    Ok(())
}

/// The longest delay that Node's own timers accept, 2^31 - 1 ms (Node's documentation of
/// `setTimeout`). It also keeps every sum of instants far from overflow.
const MAX_DURATION: Duration = Duration::from_millis(i32::MAX as u64);
/// A process has 65,535 ports towards one server, so more connections cannot exist.
const POOL_MAX: u32 = 65_535;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorClass;
    use crate::options::{ClientInfo, Secret, TlsOptions};

    type Change = Box<dyn FnOnce(&mut ClientOptions)>;

    fn refusal(change: impl FnOnce(&mut ClientOptions)) -> String {
        let mut options = ClientOptions::default();
        change(&mut options);
        let error = options.validate().expect_err("options are refused");
        assert_eq!(error.kind(), ErrorClass::Usage);
        error.message().to_owned()
    }

    #[test]
    fn the_defaults_are_valid() {
        ClientOptions::default().validate().expect("valid");
    }

    #[test]
    fn each_refusal_names_its_option() {
        let ms = Duration::from_millis;
        let cases: Vec<(&str, Change)> = vec![
            ("socket.host", Box::new(|o| o.endpoint = Endpoint::tcp("", 1))),
            ("socket.host", Box::new(|o| o.endpoint = Endpoint::tcp("a b", 1))),
            ("socket.port", Box::new(|o| o.endpoint = Endpoint::tcp("a", 0))),
            ("socket.path", Box::new(|o| o.endpoint = Endpoint::unix(""))),
            ("socket.path", Box::new(|o| o.endpoint = Endpoint::unix("/a\0b"))),
            ("socket.connectTimeout", Box::new(move |o| o.socket.connect_timeout = ms(0))),
            ("socket.connectTimeout", Box::new(move |o| o.socket.connect_timeout = ms(1 << 31))),
            ("socket.socketTimeout", Box::new(move |o| o.socket.socket_timeout = Some(ms(0)))),
            ("keepAliveInitialDelay", Box::new(move |o| o.socket.keep_alive = Some(ms(0)))),
            ("pool.max", Box::new(|o| o.pool.max = 0)),
            ("pool.max", Box::new(|o| o.pool.max = 70_000)),
            ("pool.min", Box::new(|o| o.pool.min = 17)),
            ("pool.acquireTimeout", Box::new(move |o| o.pool.acquire_timeout = ms(0))),
            ("pool.maxLifetime", Box::new(move |o| o.pool.max_lifetime = Some(ms(0)))),
            ("lanes", Box::new(|o| o.lanes = 0)),
            ("lanes", Box::new(|o| o.lanes = 17)),
            ("pingInterval", Box::new(move |o| o.ping_interval = ms(1 << 40))),
            ("name", Box::new(|o| o.name = Some("two words".into()))),
            ("name", Box::new(|o| o.name = Some("a\r\nFLUSHALL".into()))),
            ("name", Box::new(|o| o.name = Some("ü".into()))),
            (
                "clientInfo.libVer",
                Box::new(|o| {
                    o.client_info = Some(ClientInfo { lib_name: "a".into(), lib_ver: "".into() })
                }),
            ),
            (
                "reconnectStrategy",
                Box::new(move |o| o.reconnect = Reconnect::Backoff { base: ms(2), cap: ms(1) }),
            ),
            ("limits.depth", Box::new(|o| o.limits.depth = 0)),
            (
                "socket.tls.servername",
                Box::new(|o| {
                    o.endpoint = Endpoint::unix("/run/redis.sock");
                    o.tls = Some(TlsOptions::default());
                }),
            ),
        ];
        for (option, change) in cases {
            let message = refusal(change);
            assert!(message.contains(option), "{message:?} does not name {option}");
        }
    }

    #[test]
    fn debug_of_options_shows_no_password() {
        let options = ClientOptions {
            password: Some(Secret::new("canary-pw")),
            tls: Some(TlsOptions { key: Some(Secret::new("canary-key")), ..Default::default() }),
            ..Default::default()
        };
        assert!(!format!("{options:#?}").contains("canary"));
    }
}
