//! What the keeper does about a router's nodes: closes what nobody needs, doubts what is silent.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::node::Node;
use super::routes::{Hold, Routes};
use crate::error::Error;
use crate::lane::Lane;
use crate::options::{Endpoint, Reads};

impl Routes {
    /// Closes what nobody needs any more, and gives up on former primaries that do not answer.
    /// Returns when to look again.
    pub(super) fn tidy(&mut self, now: Instant) -> Option<Instant> {
        let open = self.nodes.iter().flatten().filter(|node| node.open_lane().is_some()).count();
        self.template.company.store(open.max(1), Ordering::Relaxed);
        let mut next: Option<Instant> = None;
        let mut wait = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        let mut gone = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            let is_primary = || self.table.is_primary(place as u32);
            if let Some(leaves) = node.leaves {
                let is_busy = node.open_lane().is_some_and(|lane| lane.is_busy());
                match leaves <= now || !is_busy {
                    true => gone.push(place),
                    // Its last reply tells nobody; a look now and then is cheap for so short.
                    false => wait((now + LOOK).min(leaves)),
                }
            }
            if let Some(since) = node.marks.since {
                match since + SILENCE <= now {
                    true if !is_primary() => {
                        if let Some(lane) = node.open_lane() {
                            lane.give_up(superseded());
                        }
                    }
                    true => {}
                    false => wait(since + SILENCE),
                }
            }
        }
        for place in gone {
            self.remove(place);
        }
        next
    }

    fn remove(&mut self, place: usize) {
        let Some(node) = self.nodes.get_mut(place).and_then(Option::take) else { return };
        self.places.remove(&node.endpoint);
        if let Some(lane) = node.open_lane() {
            lane.close(&removed());
        }
        self.template.close(Arc::clone(node.pool()));
        self.release(|hold| matches!(hold, Hold::Mark { place: of, .. } if of as usize == place));
    }

    /// What was found out about the node at `endpoint`.
    pub(super) fn measured(
        &mut self,
        endpoint: &Endpoint,
        latency: Duration,
        zone: Option<String>,
    ) {
        let place = self.places.get(endpoint).copied();
        if let Some(node) = place.and_then(|place| self.node_mut(place)) {
            // Half of what was known stays, so that one slow answer sends nobody elsewhere.
            let smooth = node.latency.map_or(latency, |before| (before + latency) / 2);
            node.latency = Some(smooth);
            node.zone = zone;
        }
    }

    /// Whether reads could go to replicas that no server has named yet: new replicas are named
    /// once they have data.
    pub(super) fn lacks_replicas(&self) -> bool {
        self.template.topology.reads != Reads::Primary
            && self.table.shards().iter().any(|places| places.replicas.is_empty())
    }

    /// Whether a node has commands but no connection, or does not answer: a failover may be under
    /// way.
    pub(super) fn is_in_trouble(&self, now: Instant) -> bool {
        let lost = |lane: &Lane| !lane.is_up() && lane.is_busy();
        let silent = |lane: &Lane| lane.waiting_since().is_some_and(|at| at + DOUBT <= now);
        let mut lanes = self.nodes.iter().flatten().filter_map(Node::open_lane);
        self.parked.commands() > 0 || lanes.any(|lane| lost(lane) || silent(lane))
    }

    /// Whether to look at the clock now and then, since answers are due.
    pub(super) fn is_watched(&mut self) -> bool {
        let mut lanes = self.nodes.iter().flatten().filter_map(Node::open_lane);
        self.is_watched = lanes.any(|lane| lane.is_busy());
        self.is_watched
    }

    /// Ends everything, for good.
    pub(super) fn close(&mut self, error: &Error) {
        self.closed = Some(error.clone());
        self.holds.clear();
        for (batch, _) in self.parked.take() {
            self.fail(&batch, error);
        }
        for node in mem::take(&mut self.nodes).into_iter().flatten() {
            if let Some(lane) = node.open_lane() {
                lane.close(error);
            }
            self.template.close(Arc::clone(node.pool()));
        }
        self.places.clear();
        self.news.rearm = true;
    }

    /// Ends everything that waits to hear where it belongs: nobody will say.
    pub(super) fn fail_parked(&mut self, error: &Error) {
        self.lift(|hold| hold == Hold::Look);
        for (batch, _) in self.parked.take() {
            self.fail(&batch, error);
        }
    }
}

fn superseded() -> Error {
    let text = "another node has taken over, and this one does not answer";
    Error::connection("SUPERSEDED", text).retryable()
}

fn removed() -> Error {
    let text = "the node is no longer part of the deployment";
    Error::connection("NODE_REMOVED", text).retryable()
}

/// How long commands wait for a former primary that does not answer. A primary that was replaced
/// is gone or as good as gone, and its successor is to serve within a second (reliability P16).
const SILENCE: Duration = Duration::from_millis(500);
/// Without an answer for so long, a node may have been replaced (reliability P16: a promotion is
/// followed within a second). Longer than nearly all commands take.
const DOUBT: Duration = Duration::from_millis(500);
/// How often a node that is about to be closed is looked at.
const LOOK: Duration = Duration::from_millis(50);
