//! Whether two sets of options are the same, so that their clients can share one core.
//!
//! Owns the comparison of all options. It tells which option differs and never shows a value, which
//! could be a secret.

use super::ClientOptions;

impl ClientOptions {
    /// The first option in which `other` differs, as users spell it; `None` if none does.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        // Destructured, so that this does not compile once an option is added and forgotten here.
        let Self {
            endpoint,
            tls,
            socket,
            username,
            password,
            ask_credentials,
            name,
            // No option of the application.
            repeated: _,
            database,
            protocol,
            readonly,
            client_info,
            pool,
            lanes,
            ping_interval,
            offline_queue,
            reconnect,
            limits,
            cache,
            topology,
        } = self;
        let same = [
            ("url, or socket.host, socket.port and socket.path", *endpoint == other.endpoint),
            ("socket.tls", *tls == other.tls),
            ("socket.reconnectStrategy", *reconnect == other.reconnect),
            ("socket", *socket == other.socket),
            ("username", *username == other.username),
            ("password", *password == other.password),
            ("credentialsProvider", *ask_credentials == other.ask_credentials),
            ("name", *name == other.name),
            ("database", *database == other.database),
            ("RESP", *protocol == other.protocol),
            ("readonly", *readonly == other.readonly),
            ("clientInfoTag or disableClientInfo", *client_info == other.client_info),
            ("pool", *pool == other.pool),
            ("lanes", *lanes == other.lanes),
            ("pingInterval", *ping_interval == other.ping_interval),
            ("disableOfflineQueue", *offline_queue == other.offline_queue),
            ("limits", *limits == other.limits),
            ("clientSideCache", *cache == other.cache),
            ("rootNodes, readStrategy and the like", *topology == other.topology),
        ];
        same.into_iter().find_map(|(option, is_same)| (!is_same).then_some(option))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Endpoint, Protocol, Reconnect, Secret, TlsOptions};
    use super::*;

    /// A change of one option.
    type Edit = fn(&mut ClientOptions);

    #[test]
    fn the_option_that_differs_is_named() {
        let cases: [(&str, Edit); 10] = [
            ("socket.host", |o| o.endpoint = Endpoint::tcp("elsewhere", 1)),
            ("socket.tls", |o| o.tls = Some(TlsOptions::default())),
            ("socket.reconnectStrategy", |o| o.reconnect = Reconnect::Never),
            ("socket", |o| o.socket.no_delay = false),
            ("password", |o| o.password = Some(Secret::new("canary"))),
            ("database", |o| o.database = 1),
            ("RESP", |o| o.protocol = Protocol::Resp2),
            ("pool", |o| o.pool.acquire_timeout = Duration::from_secs(1)),
            ("lanes", |o| o.lanes = 2),
            ("clientSideCache", |o| o.cache = Some("{}".into())),
        ];
        for (option, change) in cases {
            let (one, mut other) = (ClientOptions::default(), ClientOptions::default());
            change(&mut other);
            let named = one.difference(&other).unwrap();
            assert!(named.contains(option), "{named:?} is not {option}");
        }
    }

    #[test]
    fn equal_options_do_not_differ_though_each_has_its_copy_of_the_secret() {
        let options = || ClientOptions {
            password: Some(Secret::new("canary")),
            tls: Some(TlsOptions { key: Some(Secret::new("canary")), ..TlsOptions::default() }),
            ..ClientOptions::default()
        };
        assert_eq!(options().difference(&options()), None);
    }
}
