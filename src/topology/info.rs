//! What a router tells the application about its nodes.

use super::node::Node;
use super::router::Router;
use crate::lane::{Lane, LaneStats};
use crate::options::Endpoint;
use crate::pool::PoolStats;

/// A node, for the application.
#[derive(Debug, Clone)]
pub struct NodeInfo {
    /// Its place: the number by which it can be addressed.
    pub place: u32,
    /// Where it listens, as this client reaches it.
    pub endpoint: Endpoint,
    /// Its id in the cluster; empty where there is none.
    pub id: String,
    /// Whether its lane is connected.
    pub is_up: bool,
}

/// A shard, for the application.
#[derive(Debug, Clone)]
pub struct ShardInfo {
    /// The node that takes writes.
    pub primary: NodeInfo,
    /// The nodes that have copies.
    pub replicas: Vec<NodeInfo>,
    /// First and last slot of each range.
    pub slots: Vec<(u16, u16)>,
}

impl Router {
    /// All shards.
    pub fn shards(&self) -> Vec<ShardInfo> {
        let routes = self.deployment.lock();
        let info = |place: u32| {
            let node = routes.registry.get(place)?;
            let (endpoint, id) = (node.endpoint.clone(), node.id.clone());
            Some(NodeInfo { place, endpoint, id, is_up: node.is_up() })
        };
        let shards = routes.table.shards().iter().zip(routes.table.ranges());
        let shards = shards.filter_map(|(places, slots)| {
            let replicas = places.replicas.iter().filter_map(|place| info(*place)).collect();
            Some(ShardInfo { primary: info(places.primary)?, replicas, slots })
        });
        shards.collect()
    }

    /// Servers that are no nodes themselves and say where the nodes are: all that are known, and
    /// the one that is listened to.
    pub fn witnesses(&self) -> (Vec<Endpoint>, Option<Endpoint>) {
        self.deployment.source.witnesses()
    }

    /// The pools of all nodes together, and each lane.
    pub fn stats(&self) -> (PoolStats, Vec<LaneStats>) {
        let routes = self.deployment.lock();
        let mut total = PoolStats::default();
        for stats in routes.registry.nodes().map(Node::pool).map(|pool| pool.stats()) {
            let PoolStats { total: open, idle, in_use, waiting, max } = stats;
            total.total += open;
            total.idle += idle;
            total.in_use += in_use;
            total.waiting += waiting;
            total.max += max;
        }
        (total, routes.registry.lanes().map(Lane::stats).collect())
    }

    /// Encoded bytes of the commands that are not answered yet, where most are.
    pub fn queued_bytes(&self) -> usize {
        let routes = self.deployment.lock();
        let fullest = routes.registry.lanes().map(Lane::queued_bytes).max().unwrap_or_default();
        fullest.max(routes.parked.bytes())
    }

    /// Encoded bytes of the commands that are not answered yet where one of `slot` would wait.
    pub fn queued_bytes_at(&self, slot: u16) -> usize {
        self.deployment.lock().queued_at(slot)
    }
}
