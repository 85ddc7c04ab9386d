//! The ways to the nodes that a subscriber has connections to.
//!
//! Invariants: as long as a feed is listed, the ledger knows its id; a driver ends when its feed is
//! no longer listed. All channels and patterns are on one feed, since each node has the messages of
//! all.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::ledger::Ledger;
use super::nodes::Nodes;
use crate::error::Error;
use crate::pool::Pool;

/// The way to one node: a connection, and those that come after it.
pub(super) struct Feed {
    /// The number by which the ledger knows the feed. It is never used again, unlike places.
    pub(super) id: u32,
    /// The place of the node.
    pub(super) place: u32,
    pub(super) pool: Arc<Pool>,
    /// Makes the feed's driver look at the ledger again.
    pub(super) wake: Notify,
    /// Whether the node was chosen although it did not answer just before, because no other node
    /// did either.
    pub(super) is_last_resort: bool,
}

/// The feeds of one subscriber.
#[derive(Default)]
pub(super) struct Feeds {
    pub(super) open: Vec<Arc<Feed>>,
    /// The id of the feed that was added last.
    pub(super) last: u32,
    /// The feed that channels and patterns are on.
    pub(super) common: Option<u32>,
    /// The places of nodes that did not answer, and until when other nodes are preferred.
    pub(super) avoided: HashMap<u32, Instant>,
    /// When the servers were asked where everything is, the last time that names were placed by the
    /// answer.
    pub(super) viewed: Option<Instant>,
    /// When the servers were asked last because notifications are wanted.
    pub(super) surveyed: Option<Instant>,
    /// When channels and patterns that have left a node may be subscribed to on another one.
    pub(super) settled_at: Option<Instant>,
}

impl Feeds {
    /// The only feed of one server.
    pub(super) fn to(pool: Arc<Pool>) -> (Self, Arc<Feed>) {
        let wake = Notify::new();
        let feed = Feed { id: Ledger::ONLY, place: 0, pool, wake, is_last_resort: false };
        let feed = Arc::new(feed);
        (Self { open: vec![Arc::clone(&feed)], ..Self::default() }, feed)
    }

    pub(super) fn all(&self) -> Vec<Arc<Feed>> {
        self.open.clone()
    }

    /// Makes all drivers look at the ledger again.
    pub(super) fn wake(&self) {
        self.open.iter().for_each(|feed| feed.wake.notify_one());
    }

    pub(super) fn has(&self, id: u32) -> bool {
        self.open.iter().any(|feed| feed.id == id)
    }

    /// The feed to the node at `place`.
    pub(super) fn at(&self, place: u32) -> Option<&Arc<Feed>> {
        self.open.iter().find(|feed| feed.place == place)
    }
}

impl Feed {
    /// Whether its place is still that of the same node.
    pub(super) fn leads_to(&self, nodes: &dyn Nodes) -> bool {
        nodes.pool(self.place).is_some_and(|pool| Arc::ptr_eq(&pool, &self.pool))
    }

    /// The node has said where `slot` is.
    pub(super) fn redirected(&self, nodes: &dyn Nodes, slot: u16, error: &Error) {
        nodes.redirected(self.place, slot, error);
    }
}
