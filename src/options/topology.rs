//! What a client of several nodes has to know beside the options of each.

use std::collections::HashMap;

use super::Endpoint;

/// Options of a client of several nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopologyOptions {
    /// Where to ask for the nodes first; at least one.
    pub seeds: Vec<Endpoint>,
    /// How often a command is sent on to another node, within its deadline; at most 15 are
    /// counted.
    pub max_redirects: u32,
    /// Who serves commands that only read keys.
    pub reads: Reads,
    /// The addresses of nodes as this client reaches them, where they are not those that the
    /// servers name.
    pub addresses: HashMap<Endpoint, Endpoint>,
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
