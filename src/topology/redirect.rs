//! What the error replies of a cluster say about where a command belongs.
//!
//! Pure. Nothing of a reply is used before it was checked: a redirect chooses the host that gets
//! the password next. <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>

use crate::command::slot::SLOTS;
use crate::error::Error;
use crate::options::Endpoint;

/// What a refused command needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// The slot has moved there, for good.
    Moved(Target),
    /// This command belongs there, behind ASKING.
    Ask(Target),
    /// Another try, soon: the keys of a command are not all on one node at the moment.
    Soon,
    /// Another try, once the server or the cluster has found itself again.
    Later,
    /// Another try, once it is known who the primary is.
    Elsewhere,
}

/// The node that a redirect names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This one.
    Node(Endpoint),
    /// The host that said so, at this port.
    SameHost(u16),
    /// None that could be reached: the server does not know its own address (`?`), or the reply
    /// makes no sense.
    Unknown,
}

impl Redirect {
    /// What `refusal` asks for.
    pub fn read(refusal: &Error) -> Self {
        match refusal.code() {
            "MOVED" => Self::Moved(Target::read(refusal.message())),
            "ASK" => Self::Ask(Target::read(refusal.message())),
            "TRYAGAIN" => Self::Soon,
            "READONLY" => Self::Elsewhere,
            _ => Self::Later,
        }
    }
}

impl Target {
    /// Reads `MOVED 3999 127.0.0.1:6381`.
    fn read(text: &str) -> Self {
        let mut words = text.split(' ').skip(1);
        let slot = words.next().and_then(|slot| slot.parse::<u16>().ok());
        if slot.is_none_or(|slot| slot >= SLOTS) {
            return Self::Unknown;
        }
        let address = words.next().and_then(|address| address.rsplit_once(':'));
        let Some((host, port)) = address else { return Self::Unknown };
        let Some(port) = port.parse().ok().filter(|port| *port != 0) else { return Self::Unknown };
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        match host {
            "" => Self::SameHost(port),
            "?" => Self::Unknown,
            host if is_plain(host) => Self::Node(Endpoint::tcp(host, port)),
            _ => Self::Unknown,
        }
    }

    /// The endpoint, as seen from the node at `from`.
    pub fn seen_from(self, from: &Endpoint) -> Option<Endpoint> {
        match (self, from) {
            (Self::Node(endpoint), _) => Some(endpoint),
            (Self::SameHost(port), Endpoint::Tcp { host, .. }) => Some(Endpoint::tcp(host, port)),
            _ => None,
        }
    }
}

/// Whether it can be a host name or an address.
pub fn is_plain(host: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:%".contains(&b);
    !host.is_empty() && host.len() <= LONGEST_NAME && host.bytes().all(is_plain)
}

/// Of a host name (RFC 1035, 2.3.4).
const LONGEST_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        match Redirect::read(&Error::reply(text)) {
            Redirect::Moved(target) | Redirect::Ask(target) => target,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_redirect_names_a_node() {
        let node = |host, port| Target::Node(Endpoint::tcp(host, port));
        assert_eq!(target("MOVED 3999 127.0.0.1:6381"), node("127.0.0.1", 6381));
        assert_eq!(target("ASK 0 node-1.example:1"), node("node-1.example", 1));
        assert_eq!(target("MOVED 16383 ::1:6379"), node("::1", 6379));
        assert_eq!(target("MOVED 1 [::1]:6379"), node("::1", 6379));
        assert_eq!(target("MOVED 1 :6379"), Target::SameHost(6379));
    }

    #[test]
    fn nonsense_names_nobody() {
        for text in [
            "MOVED",
            "MOVED 1",
            "MOVED 1 ",
            "MOVED x 127.0.0.1:6379",
            "MOVED 3999 ?:6379",
            "MOVED 3999 127.0.0.1:70000",
            "MOVED 3999 127.0.0.1:0",
            "MOVED 3999 127.0.0.1",
            "MOVED 16384 127.0.0.1:6379",
            "MOVED 99999 127.0.0.1:6379",
            "MOVED __proto__ 127.0.0.1:6379",
            "MOVED 1 a/b:6379",
            "MOVED 1 a@b:6379",
            "ASK -1 127.0.0.1:6379",
        ] {
            assert_eq!(target(text), Target::Unknown, "{text}");
        }
    }

    #[test]
    fn an_empty_host_is_the_one_that_said_so() {
        let from = Endpoint::tcp("10.0.0.1", 6379);
        assert_eq!(Target::SameHost(7).seen_from(&from), Some(Endpoint::tcp("10.0.0.1", 7)));
        assert_eq!(Target::SameHost(7).seen_from(&Endpoint::unix("/x")), None);
        assert_eq!(Target::Unknown.seen_from(&from), None);
    }
}
