//! What servers say about where everything is.
//!
//! Pure. Owns the checks of it: a broken server, or one that lies, must not send a client to any
//! address. Only a view that has passed [`View::checked`] is used.

use std::ops::RangeInclusive;

use crate::command::slot::SLOTS;
use crate::error::{Error, Result};
use crate::options::Endpoint;

/// Which nodes have which slots, as one server has said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Primaries with their replicas.
    pub shards: Vec<Shard>,
    /// Why slots have no owner in it although the server has named one; None if that is not so.
    pub gap: Option<&'static str>,
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Member {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Its id in the cluster, or for Sentinel its run id; empty where there is none.
    pub id: String,
}

impl View {
    /// The most nodes of a view; the cluster specification recommends at most 1,000. An answer with
    /// more of them is not used, and whoever reads one stops there: the reading costs time on the
    /// thread that serves all clients of the process.
    pub const MOST_NODES: usize = 1000;

    /// The view, if a cluster can be like this.
    ///
    /// # Errors
    ///
    /// `TOPOLOGY`: no node has a slot, there are more than [`View::MOST_NODES`] nodes, or a slot
    /// does not exist or has two owners.
    pub fn checked(self) -> Result<Self> {
        if self.members().nth(Self::MOST_NODES).is_some() {
            return Err(Self::too_many_nodes());
        }
        let mut count = 0;
        for range in self.shards.iter().flat_map(|shard| &shard.slots) {
            count += Self::size(range)?;
            // Each slot of each range is looked at later, so there must not be more of them than a
            // cluster has.
            if count > usize::from(SLOTS) {
                return Err(nonsense("the server named two owners of one slot"));
            }
        }
        match (count, self.gap) {
            (0, None) => Err(nonsense("no slot of the cluster has an owner")),
            (0, Some(gap)) => Err(nonsense(gap)),
            _ => Ok(self),
        }
    }

    /// How many slots `range` has.
    ///
    /// # Errors
    ///
    /// `TOPOLOGY` if it has a slot that does not exist, or none.
    pub fn size(range: &RangeInclusive<u16>) -> Result<usize> {
        if range.start() > range.end() || *range.end() >= SLOTS {
            return Err(nonsense("the server named a slot that does not exist"));
        }
        Ok(usize::from(range.end() - range.start()) + 1)
    }

    /// The error for an answer that names more nodes than [`View::MOST_NODES`].
    pub fn too_many_nodes() -> Error {
        nonsense("the server named more nodes than a cluster can have")
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
