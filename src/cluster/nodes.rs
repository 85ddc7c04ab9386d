//! Primaries without slots, which only `CLUSTER NODES` names
//! (<https://redis.io/docs/latest/commands/cluster-nodes/>).
//!
//! Pure. They are needed for ASK: a slot that is on its way to such a node is served there, behind
//! ASKING, before any reply to `CLUSTER SLOTS` names the node; and a client connects, and so gives
//! its password, only to nodes that a server has named.

use std::collections::HashMap;

use crate::options::Endpoint;
use crate::topology::{is_plain, Member, Shard, View};

pub(super) const NODES: &[u8] = b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nNODES\r\n";

/// The primaries that `text` names and `view` does not, as shards without slots. `text` is the
/// reply of the node at `from`; lines that make no sense are left out.
pub(super) fn newcomers(text: &str, view: &View, from: &Endpoint) -> Vec<Shard> {
    let lines: Vec<NodeLine<'_>> = text.lines().filter_map(NodeLine::read).collect();
    // A redirect names a node as CLUSTER SLOTS does, by its host name or by its address; so a node
    // is named here as the others are there.
    let known: HashMap<&str, &Endpoint> =
        view.members().map(|member| (member.id.as_str(), &member.endpoint)).collect();
    let is_named = |line: &NodeLine<'_>| {
        known.get(line.id).is_some_and(|known| **known == Endpoint::tcp(line.name, line.port))
    };
    let by_name = lines.iter().any(is_named);
    let is_new = |line: &&NodeLine<'_>| line.is_primary() && !known.contains_key(line.id);
    let shard = |line: &NodeLine<'_>| {
        let host = match (line.name, line.address, from) {
            (name, ..) if by_name && !name.is_empty() => name,
            // A node that does not know its own address leaves it out: it is the node asked.
            (_, "", Endpoint::Tcp { host, .. }) => host,
            (_, address, _) => address,
        };
        let endpoint = Endpoint::tcp(host, line.port);
        let primary = Member { endpoint, id: line.id.to_owned() };
        is_plain(host).then(|| Shard { primary, replicas: Vec::new(), slots: Vec::new() })
    };
    let newcomers = lines.iter().filter(is_new).filter_map(shard);
    // One more than there can be, so that the view is refused.
    newcomers.take(View::MOST_NODES + 1).collect()
}

/// One line of the reply: `id address:port@busport,name flags ...`.
struct NodeLine<'a> {
    id: &'a str,
    address: &'a str,
    port: u16,
    name: &'a str,
    flags: &'a str,
}

impl<'a> NodeLine<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split(' ');
        let (id, endpoint, flags) = (words.next()?, words.next()?, words.next()?);
        let mut parts = endpoint.split(',');
        let (address, port) = parts.next()?.split('@').next()?.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port != 0)?;
        Some(Self { id, address, port, name: parts.next().unwrap_or_default(), flags })
    }

    fn is_primary(&self) -> bool {
        let has = |flag: &str| self.flags.split(',').any(|one| one == flag);
        has("master") && !["fail", "noaddr", "handshake"].into_iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(host: &str) -> View {
        let primary = Member { endpoint: Endpoint::tcp(host, 7000), id: "a".into() };
        View {
            shards: vec![Shard { primary, replicas: Vec::new(), slots: vec![0..=16383] }],
            gap: None,
        }
    }

    fn found(text: &str, view: &View) -> Vec<String> {
        let from = Endpoint::tcp("127.0.0.9", 7000);
        let found = newcomers(text, view, &from);
        assert!(found.iter().all(|shard| shard.slots.is_empty()));
        found.iter().map(|shard| shard.primary.endpoint.to_string()).collect()
    }

    #[test]
    fn primaries_without_slots_are_found() {
        let text = "a 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-16383\n\
                    b 127.0.0.2:7001@17001 master - 0 0 2 connected\n\
                    c 127.0.0.3:7002@17002 slave a 0 0 1 connected\n\
                    d 127.0.0.4:7003@17003 master,fail - 0 0 3 disconnected\n\
                    e :0@0 master,noaddr - 0 0 4 disconnected\n\
                    f ::1:7004@17004,,shard-id=1 master - 0 0 5 connected\n";
        let view = view("127.0.0.1");
        let newcomers = found(text, &view);
        assert_eq!(newcomers, ["127.0.0.2:7001", &Endpoint::tcp("::1", 7004).to_string()]);
    }

    #[test]
    fn a_node_that_does_not_know_its_address_is_where_it_was_asked() {
        assert_eq!(found("b :7001@17001 myself,master - 0 0 2", &view("x")), ["127.0.0.9:7001"]);
    }

    #[test]
    fn names_are_used_where_others_are_named() {
        let text = "a 127.0.0.1:7000@17000,one.example master - 0 0 1 connected 0-16383\n\
                    b 127.0.0.2:7001@17001,two.example master - 0 0 2 connected\n";
        assert_eq!(found(text, &view("one.example")), ["two.example:7001"]);
        assert_eq!(found(text, &view("127.0.0.1")), ["127.0.0.2:7001"]);
    }

    #[test]
    fn nonsense_names_no_node() {
        for text in ["", "-ERR", "b", "b x y", "b a/b:7001@1 master", "b 127.0.0.2:70000@1 master"]
        {
            assert_eq!(found(text, &view("127.0.0.1")), [""; 0], "{text}");
        }
    }
}
