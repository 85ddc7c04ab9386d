//! What a client of several nodes has to know beside the options of each.

use std::collections::HashMap;
use std::time::Duration;

use super::{ClientOptions, Endpoint};

/// Options of a client of several nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopologyOptions {
    /// The nodes to ask for all others first; none if sentinels are asked.
    pub seeds: Vec<Endpoint>,
    /// How often a command is sent on to another node, within its deadline; at most 15 are
    /// counted.
    pub max_redirects: u32,
    /// Who serves commands that only read keys.
    pub reads: Reads,
    /// The addresses of nodes as this client reaches them, where they are not those that the
    /// servers name.
    pub addresses: HashMap<Endpoint, Endpoint>,
    /// How often everything is asked for again although nothing has happened; `None`: each minute.
    pub period: Option<Duration>,
    /// Who knows the nodes, where they do not themselves; default `None`: they form a cluster.
    pub sentinel: Option<SentinelOptions>,
}

impl TopologyOptions {
    /// Whether one primary has all keys, so that commands need no slot.
    pub fn is_one_shard(&self) -> bool {
        self.sentinel.is_some()
    }
}

/// The sentinels that watch over a primary and its replicas.
#[derive(Debug, Clone)]
pub struct SentinelOptions {
    /// By which they know the primary.
    pub name: String,
    /// Those that are asked first; at least one.
    pub seeds: Vec<Endpoint>,
    /// How each of them is reached; its endpoint counts for nothing.
    pub options: Box<ClientOptions>,
}

impl PartialEq for SentinelOptions {
    fn eq(&self, other: &Self) -> bool {
        let is_same = (&self.name, &self.seeds) == (&other.name, &other.seeds);
        is_same && self.options.difference(&other.options).is_none()
    }
}

/// Which nodes serve commands that only read keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reads {
    /// The primary: what was written before is read.
    #[default]
    Primary,
    /// Its replicas in turn; the primary while none of them can be reached.
    Replica,
    /// Whoever answers fastest.
    Nearest,
    /// Replicas in this availability zone in turn, then the primary if it is there, then others.
    Zone(String),
}
