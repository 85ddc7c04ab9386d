//! One node of a deployment: its pool, and its lane once something is sent to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::lane::{Home, Lane, Marked};
use crate::options::Endpoint;
use crate::pool::Pool;

/// A node.
pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    /// Its id in the cluster; empty where there is none.
    pub(super) id: String,
    pub(super) home: Home,
    lane: Option<Lane>,
    /// Marks that were put into its lane, and how many of them it has passed.
    pub(super) marks: Marks,
    /// When it is closed at the latest: no server names it any more.
    pub(super) leaves: Option<Instant>,
    /// How long a round trip takes; unless it was measured.
    pub(super) latency: Option<Duration>,
    /// The availability zone that it has named.
    pub(super) zone: Option<String>,
}

/// How far a lane has passed its marks.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Marks {
    pub(super) put: u64,
    pub(super) passed: u64,
    /// When the first that was not passed was put.
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
            latency: None,
            zone: None,
        }
    }

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

    /// Whether its lane stands.
    pub(super) fn is_up(&self) -> bool {
        self.lane.as_ref().is_some_and(Lane::is_up)
    }

    /// Puts a mark into its lane, and returns its number; None if nothing can be in flight there.
    /// `is_telling`: it is this lane that tells of refused commands, so that those are in good
    /// hands, and only what is behind them counts.
    pub(super) fn mark(&mut self, now: Instant, is_telling: bool) -> Option<u64> {
        let lane = self.lane.as_ref()?;
        let is_busy = if is_telling { lane.has_commands() } else { lane.is_busy() };
        if !is_busy {
            return None;
        }
        match lane.mark() {
            Marked::Put => {
                self.marks.put += 1;
                self.marks.since.get_or_insert(now);
                Some(self.marks.put)
            }
            // It will not be passed: the loss of the connection ends all waiting for it.
            Marked::Ending => Some(u64::MAX),
            Marked::Offline => None,
        }
    }

    /// One mark was passed.
    pub(super) fn passed(&mut self, now: Instant) {
        // One that was lost with its connection may have been passed just before.
        self.marks.passed = (self.marks.passed + 1).min(self.marks.put);
        self.marks.since = (self.marks.passed < self.marks.put).then_some(now);
    }

    /// All marks are gone.
    pub(super) fn lost(&mut self) {
        self.marks = Marks { passed: self.marks.put, since: None, ..self.marks };
    }
}
