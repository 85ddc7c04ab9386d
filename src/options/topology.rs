//! The options of a client of several nodes, beside those of each connection.

use std::collections::HashMap;
use std::time::Duration;

use super::{ClientOptions, Endpoint};

/// Options of a client of several nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopologyOptions {
    /// The nodes that are asked first which nodes there are; empty if sentinels are asked. Without
    /// either, every look fails.
    pub seeds: Vec<Endpoint>,
    /// The most redirects that one command follows within its deadline; at most 15 are counted.
    pub max_redirects: u32,
    /// Which nodes serve commands that only read keys.
    pub reads: Reads,
    /// The address at which this client reaches a node, by the address that the servers name. Nodes
    /// without an entry are reached at the address that the servers name.
    pub addresses: HashMap<Endpoint, Endpoint>,
    /// Whether the application is asked for that address instead; default false.
    pub ask_addresses: bool,
    /// How often the client asks where the nodes are although nothing has happened; `None` means
    /// each minute.
    pub period: Option<Duration>,
    /// The sentinels that know the nodes; default `None`, which means that the nodes form a cluster.
    pub sentinel: Option<SentinelOptions>,
}

impl TopologyOptions {
    /// Whether one primary has all keys, so that a command's slot does not matter.
    pub fn is_one_shard(&self) -> bool {
        self.sentinel.is_some()
    }
}

/// The sentinels that monitor a primary and its replicas.
#[derive(Debug, Clone)]
pub struct SentinelOptions {
    /// The name under which they monitor the primary.
    pub name: String,
    /// The sentinels that are asked first; at least one.
    pub seeds: Vec<Endpoint>,
    /// How each of them is reached. The endpoint in here is not used.
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
    /// The primary, so that a read sees what was written before.
    #[default]
    Primary,
    /// The replicas in turn, or the primary while none of them can be reached.
    Replica,
    /// The node that answers fastest.
    Nearest,
    /// The replicas in this availability zone in turn; without one, the primary if it is in this
    /// zone; without that, the other replicas in turn.
    Zone(String),
}
