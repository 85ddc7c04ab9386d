//! One node of a deployment: its pool, and its lane once something is sent to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::lane::{Home, Lane, Marked};
use crate::options::Endpoint;
use crate::pool::Pool;

/// A node.
pub(super) struct Node {
    /// Where it listens, as this client reaches it.
    pub(super) endpoint: Endpoint,
    /// Its id in the cluster; empty where there is none.
    pub(super) id: String,
    /// What its lane and its sessions get from the client.
    pub(super) home: Home,
    lane: Option<Lane>,
    pub(super) marks: Marks,
    /// When it is removed at the latest; set once no server names it any more.
    pub(super) leaves: Option<Instant>,
    /// Whether the server at its address may be another one than it was. It is asked for its id.
    pub(super) is_doubtful: bool,
    /// Whether that server is known to be another one: nothing is sent there.
    pub(super) is_stranger: bool,
    /// How long a round trip takes, if it was measured.
    pub(super) latency: Option<Duration>,
    /// The availability zone that the server has named.
    pub(super) zone: Option<String>,
}

/// How many marks were put into a lane, and how far the lane has passed them.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Marks {
    /// How many were put; also the number of the last one.
    pub(super) put: u64,
    /// How many of them the lane has passed.
    pub(super) passed: u64,
    /// Since when the node has answered no mark although one is in its lane; None if none is.
    pub(super) since: Option<Instant>,
}

impl Node {
    pub(super) fn new(endpoint: Endpoint, home: Home) -> Self {
        Self {
            endpoint,
            id: String::new(),
            home,
            lane: None,
            marks: Marks::default(),
            leaves: None,
            is_doubtful: false,
            is_stranger: false,
            latency: None,
            zone: None,
        }
    }

    /// The pool of its connections.
    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.home.pool
    }

    /// Its lane, which is started now if it was not. Must be called inside the runtime.
    pub(super) fn lane(&mut self) -> &Lane {
        self.lane.get_or_insert_with(|| Lane::start(self.home.clone()))
    }

    /// Its lane, if anything was sent to it.
    pub(super) fn open_lane(&self) -> Option<&Lane> {
        self.lane.as_ref()
    }

    /// Whether its lane is connected.
    pub(super) fn is_up(&self) -> bool {
        self.lane.as_ref().is_some_and(Lane::is_up)
    }

    /// Puts a mark behind everything that its lane has, and returns the mark's number; None if
    /// nothing can be on the wire there.
    ///
    /// `is_reporter`: this lane is delivering refused commands to the router right now. The lane
    /// still counts those as its own, but the router has them; only what is queued behind them
    /// needs a mark.
    pub(super) fn mark(&mut self, now: Instant, is_reporter: bool) -> Option<u64> {
        let lane = self.lane.as_ref()?;
        let is_busy = if is_reporter { lane.has_commands() } else { lane.is_busy() };
        if !is_busy {
            return None;
        }
        match lane.mark() {
            Marked::Put => {
                self.marks.put += 1;
                self.marks.since.get_or_insert(now);
                Some(self.marks.put)
            }
            // The connection has failed. This mark is never passed: what waits for it goes on when
            // the lane reports the loss.
            Marked::Ending => Some(u64::MAX),
            Marked::Offline => None,
        }
    }

    /// The lane has passed one mark.
    pub(super) fn passed(&mut self, now: Instant) {
        // A report may come late: after the loss of the connection, which has passed all marks.
        self.marks.passed = (self.marks.passed + 1).min(self.marks.put);
        self.marks.since = (self.marks.passed < self.marks.put).then_some(now);
    }

    /// The connection was lost, and with it all marks: none of them is waited for any more.
    pub(super) fn lost(&mut self) {
        self.marks = Marks { passed: self.marks.put, since: None, ..self.marks };
    }
}
