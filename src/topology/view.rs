//! What servers say about where everything is.
//!
//! Pure. Owns the checks of it: a broken server, or one that lies, must not send a client to any
//! address. Only a view that has passed [`View::checked`] is used.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::command::slot::SLOTS;
use crate::error::{Error, Result};
use crate::options::Endpoint;

/// Which nodes have which slots, as one server has said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Primaries with their replicas.
    pub shards: Vec<Shard>,
}

/// A primary, its replicas, and the slots that they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// The node that takes writes.
    pub primary: Member,
    /// The nodes that have copies.
    pub replicas: Vec<Member>,
    /// The ranges of slots.
    pub slots: Vec<RangeInclusive<u16>>,
}

/// A node, by the address and the id that servers give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Its id in the cluster; empty where there is none.
    pub id: String,
}

/// The most nodes of a view; the cluster specification recommends at most 1,000. A reply with more
/// of them is not used.
const MOST_NODES: usize = 1000;

impl View {
    /// The view, if a cluster can be like this.
    ///
    /// # Errors
    ///
    /// `TOPOLOGY`: no node has a slot, there are more than 1,000 nodes, or a slot does not exist.
    pub fn checked(self) -> Result<Self> {
        let nodes: HashSet<&Endpoint> = self.members().map(|member| &member.endpoint).collect();
        let count = nodes.len();
        let mut slots = self.shards.iter().flat_map(|shard| &shard.slots).peekable();
        if slots.peek().is_none() {
            return Err(nonsense("no slot of the cluster has an owner"));
        }
        if slots.any(|range| range.start() > range.end() || *range.end() >= SLOTS) {
            return Err(nonsense("the server named a slot that does not exist"));
        }
        match count <= MOST_NODES {
            true => Ok(self),
            false => Err(nonsense("the server named more nodes than a cluster can have")),
        }
    }

    /// The view with each address replaced by what `address` returns for it.
    #[must_use]
    pub fn map(mut self, address: impl Fn(Endpoint) -> Endpoint) -> Self {
        for shard in &mut self.shards {
            for member in std::iter::once(&mut shard.primary).chain(&mut shard.replicas) {
                member.endpoint = address(member.endpoint.clone());
            }
        }
        self
    }

    /// Whether it has shards without slots.
    pub fn has_newcomers(&self) -> bool {
        self.shards.iter().any(|shard| shard.slots.is_empty())
    }

    /// All nodes.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.shards.iter().flat_map(|shard| std::iter::once(&shard.primary).chain(&shard.replicas))
    }
}

fn nonsense(text: &str) -> Error {
    Error::connection("TOPOLOGY", text).retryable()
}
