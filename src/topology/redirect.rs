//! What the error replies of a cluster say about where a command belongs.
//!
//! Pure. Every part of a redirect is checked before it is used: a redirect chooses the host that
//! gets the password next.
//! <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/>

use crate::command::slot::SLOTS;
use crate::error::Error;
use crate::error_replies::{ErrorReply, Reason};
use crate::options::Endpoint;

/// What a refused command needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// To go to that node, which has the slot for good.
    Moved(RedirectTarget),
    /// To go to that node, behind ASKING; only this command.
    Ask(RedirectTarget),
    /// Another try after some milliseconds: the keys of the command are on two nodes, because
    /// their slot is on its way.
    Soon,
    /// Another try after a pause: the server cannot serve yet. `is_cluster_down`: the cluster does
    /// not cover all slots, so slots may be about to go to other nodes.
    Later { is_cluster_down: bool },
    /// To go to the primary, once it is known which node that is: this node is a replica.
    FindPrimary,
}

/// The node that a redirect names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectTarget {
    /// The node at this address.
    Node(Endpoint),
    /// The host of the node that has sent the redirect, at this port.
    SameHost(u16),
    /// None that can be reached: the server does not know that node's address (it says `?`), or
    /// the reply makes no sense.
    Unknown,
}

impl Redirect {
    /// What the command that a node has refused with `refusal` needs.
    pub fn read(refusal: &Error) -> Self {
        let reason = ErrorReply::of(refusal.code().as_bytes()).map(|reply| reply.reason);
        match reason {
            Some(Reason::SlotMoved) => Self::Moved(RedirectTarget::read(refusal.message())),
            Some(Reason::SlotMoving) => Self::Ask(RedirectTarget::read(refusal.message())),
            Some(Reason::KeysSplit) => Self::Soon,
            Some(Reason::NotPrimary) => Self::FindPrimary,
            _ => Self::Later { is_cluster_down: reason == Some(Reason::ClusterDown) },
        }
    }
}

impl RedirectTarget {
    /// Reads the node of a redirect: `MOVED 3999 127.0.0.1:6381` names `127.0.0.1:6381`.
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

    /// The address of the node, if the node at `from` has sent the redirect.
    pub fn seen_from(self, from: &Endpoint) -> Option<Endpoint> {
        match (self, from) {
            (Self::Node(endpoint), _) => Some(endpoint),
            (Self::SameHost(port), Endpoint::Tcp { host, .. }) => Some(Endpoint::tcp(host, port)),
            _ => None,
        }
    }
}

/// Whether `host` can be a host name or an IP address: only characters that these have, and no more
/// of them than [`LONGEST_NAME`].
pub fn is_plain(host: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:%".contains(&b);
    !host.is_empty() && host.len() <= LONGEST_NAME && host.bytes().all(is_plain)
}

/// Bytes of the longest host name (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> RedirectTarget {
        match Redirect::read(&Error::reply(text)) {
            Redirect::Moved(target) | Redirect::Ask(target) => target,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_redirect_names_a_node() {
        let node = |host, port| RedirectTarget::Node(Endpoint::tcp(host, port));
        assert_eq!(target("MOVED 3999 127.0.0.1:6381"), node("127.0.0.1", 6381));
        assert_eq!(target("ASK 0 node-1.example:1"), node("node-1.example", 1));
        assert_eq!(target("MOVED 16383 ::1:6379"), node("::1", 6379));
        assert_eq!(target("MOVED 1 [::1]:6379"), node("::1", 6379));
        assert_eq!(target("MOVED 1 :6379"), RedirectTarget::SameHost(6379));
    }

    #[test]
    fn nonsense_names_no_node() {
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
            assert_eq!(target(text), RedirectTarget::Unknown, "{text}");
        }
    }

    #[test]
    fn an_empty_host_is_that_of_the_node_that_has_sent_the_redirect() {
        let from = Endpoint::tcp("127.0.0.9", 6379);
        let there = Endpoint::tcp("127.0.0.9", 7);
        assert_eq!(RedirectTarget::SameHost(7).seen_from(&from), Some(there));
        assert_eq!(RedirectTarget::SameHost(7).seen_from(&Endpoint::unix("/x")), None);
        assert_eq!(RedirectTarget::Unknown.seen_from(&from), None);
    }
}
