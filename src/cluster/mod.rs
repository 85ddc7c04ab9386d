//! Redis Cluster: asks a node which nodes have which slots.
//!
//! Reads the replies to `CLUSTER SLOTS` (<https://redis.io/docs/latest/commands/cluster-slots/>)
//! and `CLUSTER NODES`, two commands that all versions of Redis and Valkey with clusters have. What
//! is done with the answers is the business of [`crate::topology`].

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod nodes;

use std::collections::hash_map::{Entry, HashMap};
use std::time::Duration;

use crate::command::slot::SLOTS;
use crate::error::{Error, Result};
use crate::options::Endpoint;
use crate::pool::Lease;
use crate::resp::{Frames, TapeNode, ValueKind};
use crate::topology::{
    first_of, is_plain, Candidates, Identifying, Kinship, Looking, Member, Shard, Source, View,
};

/// A cluster. Each node of it can say where everything is.
pub struct Cluster;

impl Source for Cluster {
    fn look<'a>(
        &'a self,
        candidates: Candidates,
        kinship: &'a Kinship,
        budget: Duration,
    ) -> Looking<'a> {
        Box::pin(first_of(candidates, kinship, budget, ask))
    }

    fn look_closely<'a>(
        &'a self,
        candidates: Candidates,
        kinship: &'a Kinship,
        budget: Duration,
    ) -> Looking<'a> {
        Box::pin(first_of(candidates, kinship, budget, ask_closely))
    }

    fn identify(&self, mut node: Lease) -> Identifying<'_> {
        Box::pin(async move {
            let reply = node.request(CLUSTER_MYID).await;
            // A connection for one question is not kept.
            node.mark_broken();
            let reply = reply.ok().filter(|reply| !reply.is_error())?;
            text(&reply).ok().filter(|id| !id.is_empty())
        })
    }
}

async fn ask(endpoint: Endpoint, mut lease: Lease) -> Result<View> {
    let reply = lease.request(CLUSTER_SLOTS).await?;
    read(&reply, &endpoint)
}

/// Asks for nodes without slots as well. A node that is just getting its first slots is named by no
/// reply to `CLUSTER SLOTS` yet.
async fn ask_closely(endpoint: Endpoint, mut lease: Lease) -> Result<View> {
    let slots = lease.request(CLUSTER_SLOTS).await?;
    let nodes = lease.request(nodes::NODES).await?;
    read_closely(&slots, &nodes, &endpoint)
}

/// Reads the replies that the node at `from` has given to `CLUSTER SLOTS` and `CLUSTER NODES`.
fn read_closely(slots: &Frames, nodes: &Frames, from: &Endpoint) -> Result<View> {
    let mut view = read(slots, from)?;
    let newcomers = nodes::newcomers(&text(nodes)?, &view, from);
    view.shards.extend(newcomers);
    Ok(view)
}

fn text(reply: &Frames) -> Result<String> {
    let root = *reply.replies.first().ok_or_else(nonsense)?;
    let node = reply.tape.get(root as usize).ok_or_else(nonsense)?;
    // In RESP3 the text begins with its format.
    let start = if node.kind == ValueKind::Verbatim { TEXT.len() } else { 0 };
    let text = reply.text(node).get(start..).unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Reads the reply that the node at `from` has given to `CLUSTER SLOTS`.
///
/// # Errors
///
/// The server's error; `TOPOLOGY` for a reply that makes no sense.
pub fn read(reply: &Frames, from: &Endpoint) -> Result<View> {
    let root = *reply.replies.first().ok_or_else(nonsense)?;
    let node = reply.tape.get(root as usize).ok_or_else(nonsense)?;
    if matches!(node.kind, ValueKind::Error | ValueKind::BulkError) {
        return Err(Error::reply(String::from_utf8_lossy(reply.text(node))));
    }
    let mut view = View::default();
    // The index of each primary's shard. Everything in here takes as long as the reply is: a server
    // that lies must not hold up the thread that serves all clients of the process.
    let mut indices: HashMap<Member, usize> = HashMap::new();
    let (mut nodes, mut slots) = (0, 0);
    for range in reply.children(root) {
        let mut fields = reply.children(range);
        let mut slot = || {
            let node = reply.tape.get(fields.next()? as usize)?;
            (node.kind == ValueKind::Integer).then(|| u16::try_from(node.num as i64).ok())?
        };
        let range = slot().ok_or_else(nonsense)?..=slot().ok_or_else(nonsense)?;
        slots += View::size(&range)?;
        if slots > usize::from(SLOTS) {
            return Err(nonsense());
        }
        let mut members = fields.map(|at| member(reply, at, from)).take(View::MOST_NODES + 1);
        let primary = match members.next() {
            Some(Ok(primary)) => primary,
            // The range is left out: another server may know where its primary is.
            Some(Err(gap)) => {
                view.gap = Some(gap);
                continue;
            }
            None => continue,
        };
        match indices.entry(primary) {
            Entry::Occupied(known) => {
                if let Some(shard) = view.shards.get_mut(*known.get()) {
                    shard.slots.push(range);
                }
            }
            Entry::Vacant(new) => {
                let replicas: Vec<Member> = members.filter_map(|member| member.ok()).collect();
                nodes += 1 + replicas.len();
                if nodes > View::MOST_NODES {
                    return Err(View::too_many_nodes());
                }
                let primary = new.key().clone();
                new.insert(view.shards.len());
                view.shards.push(Shard { primary, replicas, slots: vec![range] });
            }
        }
    }
    Ok(view)
}

/// Reads `[host, port, id, metadata]`. A host that is null or empty is that of the node that was
/// asked. `?` is a node that is to be called by a name and has none; the metadata has its address
/// then.
///
/// # Errors
///
/// Why nobody can tell where the node is.
fn member(reply: &Frames, at: u32, from: &Endpoint) -> Result<Member, &'static str> {
    let node = |at: u32| reply.tape.get(at as usize);
    let text = |node: &TapeNode| String::from_utf8_lossy(reply.text(node)).into_owned();
    let mut fields = reply.children(at);
    let mut field = || fields.next();
    let (host, port) = (field().and_then(node), field().and_then(node));
    let (id, metadata) = (field().and_then(node), field());
    let (Some(host), Some(port)) = (host, port) else { return Err(NO_ADDRESS) };
    let port = u16::try_from(port.num as i64).ok().filter(|port| *port != 0).ok_or(NO_ADDRESS)?;
    let mut host = if host.kind == ValueKind::Null { String::new() } else { text(host) };
    if host == UNNAMED {
        host = metadata.and_then(|at| address(reply, at)).ok_or(NO_NAME)?;
    }
    let host = match (host.as_str(), from) {
        ("", Endpoint::Tcp { host, .. }) => host.clone(),
        (name, _) if is_plain(name) => host,
        _ => return Err(NO_ADDRESS),
    };
    Ok(Member { endpoint: Endpoint::tcp(host, port), id: id.map(text).unwrap_or_default() })
}

/// The `ip` of a node's metadata: pairs in a list, or a map.
fn address(reply: &Frames, metadata: u32) -> Option<String> {
    let text = |at: u32| reply.tape.get(at as usize).map(|node| reply.text(node));
    let mut words = reply.children(metadata);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if text(name) == Some(b"ip") {
            let ip = String::from_utf8_lossy(text(value)?).into_owned();
            return is_plain(&ip).then_some(ip);
        }
    }
    None
}

fn nonsense() -> Error {
    let text = "the server's answer to CLUSTER SLOTS makes no sense";
    Error::connection("TOPOLOGY", text).retryable()
}

/// What stands for the host of a node that is to be called by its name and has none.
const UNNAMED: &str = "?";
const NO_NAME: &str = "the cluster calls its nodes by host names, and the owner of the slot has \
    none: set cluster-announce-hostname there, or cluster-preferred-endpoint-type to ip";
const NO_ADDRESS: &str = "the address that the servers name for the owner of the slot is none";
/// How a verbatim string of RESP3 begins that is plain text.
const TEXT: &str = "txt:";
const CLUSTER_MYID: &[u8] = b"*2\r\n$7\r\nCLUSTER\r\n$4\r\nMYID\r\n";
const CLUSTER_SLOTS: &[u8] = b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{Decoder, Limits};

    fn frames(text: &str) -> Frames {
        let mut bytes = bytes::BytesMut::from(text.as_bytes());
        Decoder::new(Limits::default()).decode(&mut bytes).unwrap().unwrap()
    }

    fn bulk(text: &str) -> String {
        format!("${}\r\n{text}\r\n", text.len())
    }

    fn node(host: &str, port: usize, metadata: &[&str]) -> String {
        let words: String = metadata.iter().map(|word| bulk(word)).collect();
        let id = bulk(&format!("id-{port}"));
        format!("*4\r\n{host}:{port}\r\n{id}*{}\r\n{words}", metadata.len())
    }

    fn range(first: usize, last: usize, nodes: &[String]) -> String {
        format!("*{}\r\n:{first}\r\n:{last}\r\n{}", nodes.len() + 2, nodes.concat())
    }

    fn slots(ranges: &[String]) -> Result<View> {
        let reply = format!("*{}\r\n{}", ranges.len(), ranges.concat());
        read(&frames(&reply), &Endpoint::tcp("127.0.0.9", 7000))
    }

    fn hosts(view: &View) -> Vec<String> {
        view.members().map(|member| member.endpoint.to_string()).collect()
    }

    #[test]
    fn a_host_that_is_no_address_is_what_redis_says_it_is() {
        let view = slots(&[range(
            0,
            9,
            &[
                node("$-1\r\n", 1, &[]),
                node("$0\r\n\r\n", 2, &[]),
                node("$1\r\n?\r\n", 3, &["hostname", "x", "ip", "127.0.0.3"]),
                node("$1\r\n?\r\n", 4, &[]),
                node("$1\r\n?\r\n", 5, &["ip", "a/b"]),
            ],
        )]);
        let view = view.unwrap();
        assert_eq!(hosts(&view), ["127.0.0.9:1", "127.0.0.9:2", "127.0.0.3:3"]);
        assert_eq!(view.gap, None);
    }

    #[test]
    fn an_owner_without_an_address_is_missed_with_a_reason() {
        let known = range(0, 9, &[node(&bulk("127.0.0.1"), 1, &[])]);
        let unknown = range(10, 19, &[node("$1\r\n?\r\n", 2, &[])]);
        assert_eq!(slots(&[known.clone(), unknown.clone()]).unwrap().gap, Some(NO_NAME));
        let error = slots(&[unknown]).unwrap().checked().unwrap_err();
        assert_eq!((error.code(), error.message()), ("TOPOLOGY", NO_NAME));
        let nowhere = range(10, 19, &[node(&bulk("a b"), 2, &[])]);
        assert_eq!(slots(&[known, nowhere]).unwrap().gap, Some(NO_ADDRESS));
    }

    /// Every case takes minutes if any of its nodes is looked for among the others one by one.
    #[test]
    fn an_answer_without_end_is_refused_soon() {
        const MANY: usize = 100_000;
        let started = std::time::Instant::now();
        let own = |at: usize| node(&bulk("127.0.0.1"), at % 65_535 + 1, &[]);
        let everybody: Vec<String> = (0..MANY).map(own).collect();
        let apart: Vec<String> =
            (0..MANY).map(|at| range(at % 16_384, at % 16_384, &[own(at)])).collect();
        let same: Vec<String> = (0..MANY).map(|_| range(0, 16_383, &[own(0)])).collect();
        for lie in [&[range(0, 16_383, &everybody)], apart.as_slice(), same.as_slice()] {
            assert_eq!(slots(lie).unwrap_err().code(), "TOPOLOGY");
        }
        let most: Vec<String> = (0..View::MOST_NODES).map(|at| range(at, at, &[own(at)])).collect();
        let view = slots(&most).unwrap().checked().unwrap();
        let line = |at| format!("new-{at} 127.0.0.2:{}@1 master - 0 0 1 connected\n", at % 999 + 1);
        let lines: String = (0..MANY).map(line).collect();
        let newcomers = nodes::newcomers(&lines, &view, &Endpoint::tcp("127.0.0.9", 7000));
        let shards = view.shards.into_iter().chain(newcomers).collect();
        assert_eq!(View { shards, gap: None }.checked().unwrap_err().code(), "TOPOLOGY");
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }

    #[test]
    fn a_slot_with_two_owners_is_none() {
        let own = |at: usize| node(&bulk("127.0.0.1"), at, &[]);
        assert!(slots(&[range(0, 99, &[own(1)]), range(100, 16_383, &[own(2)])]).is_ok());
        let error = slots(&[range(0, 16_383, &[own(1)]), range(5, 5, &[own(2)])]).unwrap_err();
        assert_eq!(error.code(), "TOPOLOGY");
    }
}
