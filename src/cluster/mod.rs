//! Redis Cluster: asks a node which nodes have which slots.
//!
//! Reads the replies to `CLUSTER SLOTS` (<https://redis.io/docs/latest/commands/cluster-slots/>)
//! and `CLUSTER NODES`, two commands that all versions of Redis and Valkey with clusters have. What
//! is done with the answers is the business of [`crate::topology`].

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod nodes;

use std::time::Duration;

use crate::error::{Error, Result};
use crate::options::Endpoint;
use crate::pool::Lease;
use crate::resp::{Frames, TapeNode, ValueKind};
use crate::topology::{first_of, is_plain, Candidates, Looking, Member, Shard, Source, View};

/// A cluster. Each node of it can say where everything is.
pub struct Cluster;

impl Source for Cluster {
    fn look(&self, candidates: Candidates, budget: Duration) -> Looking<'_> {
        Box::pin(first_of(candidates, budget, ask))
    }

    fn look_closely(&self, candidates: Candidates, budget: Duration) -> Looking<'_> {
        Box::pin(first_of(candidates, budget, ask_closely))
    }
}

async fn ask(endpoint: Endpoint, mut lease: Lease) -> Result<View> {
    let reply = lease.request(SLOTS).await?;
    read(&reply, &endpoint)
}

/// Asks for nodes without slots as well. A node that is just getting its first slots is named by no
/// reply to `CLUSTER SLOTS` yet.
async fn ask_closely(endpoint: Endpoint, mut lease: Lease) -> Result<View> {
    let slots = lease.request(SLOTS).await?;
    let nodes = lease.request(nodes::NODES).await?;
    let mut view = read(&slots, &endpoint)?;
    let newcomers = nodes::newcomers(&text(&nodes)?, &view, &endpoint);
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
    let mut shards: Vec<Shard> = Vec::new();
    for range in reply.children(root) {
        let mut fields = reply.children(range);
        let mut slot = || {
            let node = reply.tape.get(fields.next()? as usize)?;
            (node.kind == ValueKind::Integer).then(|| u16::try_from(node.num as i64).ok())?
        };
        let (first, last) = (slot().ok_or_else(nonsense)?, slot().ok_or_else(nonsense)?);
        let mut members = fields.filter_map(|at| member(reply, at, from));
        // A server that does not know the primary's address yet says `?`. The range is left out
        // then; another server knows it.
        let Some(primary) = members.next() else { continue };
        let replicas: Vec<Member> = members.collect();
        match shards.iter_mut().find(|shard| shard.primary == primary) {
            Some(shard) => shard.slots.push(first..=last),
            None => shards.push(Shard { primary, replicas, slots: vec![first..=last] }),
        }
    }
    Ok(View { shards })
}

/// Reads `[host, port, id, metadata]`. If the host is null or empty, it is that of the node that
/// was asked.
fn member(reply: &Frames, at: u32, from: &Endpoint) -> Option<Member> {
    let mut fields = reply.children(at).map(|at| reply.tape.get(at as usize));
    let text = |node: Option<&TapeNode>| {
        node.map(|node| String::from_utf8_lossy(reply.text(node)).into_owned()).unwrap_or_default()
    };
    let host = fields.next()??;
    let port = fields.next()??;
    let id = text(fields.next().flatten());
    let host = if host.kind == ValueKind::Null { String::new() } else { text(Some(host)) };
    let port = u16::try_from(port.num as i64).ok().filter(|port| *port != 0)?;
    let host = match (host.as_str(), from) {
        ("", Endpoint::Tcp { host, .. }) => host.clone(),
        (host, _) if is_plain(host) => host.to_owned(),
        _ => return None,
    };
    Some(Member { endpoint: Endpoint::tcp(host, port), id })
}

fn nonsense() -> Error {
    let text = "the server's answer to CLUSTER SLOTS makes no sense";
    Error::connection("TOPOLOGY", text).retryable()
}

/// How a verbatim string of RESP3 begins that is plain text.
const TEXT: &str = "txt:";
const SLOTS: &[u8] = b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
