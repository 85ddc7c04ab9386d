//! What a client is doing at one moment, and how much waits in it.

use super::servers::Servers;
use super::Client;
use crate::lane::{Lane, LaneStats};
use crate::pool::PoolStats;
use crate::pubsub::SubscriberStats;

/// What a client is doing at one moment.
#[derive(Debug, Clone)]
pub struct ClientStats {
    /// The pool.
    pub pool: PoolStats,
    /// Each lane.
    pub lanes: Vec<LaneStats>,
    /// The subscriber, without MONITOR.
    pub pubsub: SubscriberStats,
}

impl Client {
    /// What the client is doing now: of all event loops together, but for messages, which are those
    /// of this one.
    pub fn stats(&self) -> ClientStats {
        let (pool, lanes) = match &self.engine.servers {
            Servers::One { home, lanes } => {
                (home.pool.stats(), lanes.iter().map(Lane::stats).collect())
            }
            Servers::Several(router) => router.stats(),
        };
        ClientStats { pool, lanes, pubsub: self.subscribers.stats() }
    }

    /// Encoded bytes of the commands of this event loop that are not answered yet, in the fullest
    /// lane and in all sessions.
    pub fn queued_bytes(&self) -> usize {
        let is_shared = self.shared().is_some();
        let in_lane = |lane: &Lane| match is_shared {
            true => lane.queued_bytes_of(self.owner),
            false => lane.queued_bytes(),
        };
        let lanes = match &self.engine.servers {
            Servers::One { lanes, .. } => lanes.iter().map(in_lane).max().unwrap_or(0),
            Servers::Several(router) => router.queued_bytes(),
        };
        lanes + self.queued_bytes_of_sessions()
    }

    /// Encoded bytes that count against one more command of `slot`: with several nodes, only those
    /// that wait where the command would wait, and those of all sessions.
    pub fn queued_bytes_at(&self, slot: u16) -> usize {
        let Servers::Several(router) = &self.engine.servers else { return self.queued_bytes() };
        router.queued_bytes_at(slot) + self.queued_bytes_of_sessions()
    }

    fn queued_bytes_of_sessions(&self) -> usize {
        let sessions = self.engine.sessions.of(self.owner);
        sessions.iter().map(|session| session.lane().queued_bytes()).sum()
    }
}
