//! What the keeper does about the nodes of a router: it closes those that nothing needs any more,
//! gives up those that were replaced and are silent, and notices when something is wrong.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::holds::Hold;
use super::routes::Routes;
use crate::error::Error;
use crate::lane::Lane;
use crate::options::{Endpoint, Reads};

impl Routes {
    /// Closes nodes that nothing needs any more, and gives up on former primaries that do not
    /// answer. Returns when to call it again.
    pub(super) fn tidy(&mut self, now: Instant) -> Option<Instant> {
        let open = self.registry.lanes().count();
        self.template.company.store(open.max(1), Ordering::Relaxed);
        let mut next: Option<Instant> = None;
        let mut wait = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        let mut gone = Vec::new();
        for (place, node) in self.registry.iter() {
            if let Some(leaves) = node.leaves {
                let is_busy = node.open_lane().is_some_and(|lane| lane.is_busy());
                match leaves <= now || !is_busy {
                    true => gone.push(place),
                    // A lane does not report that its last reply has come, so it is looked at now
                    // and then until the node is closed.
                    false => wait((now + LOOK).min(leaves)),
                }
            }
            if let Some(since) = node.marks.since {
                match since + SILENCE <= now {
                    true if !self.table.is_primary(place) => {
                        if let Some(lane) = node.open_lane() {
                            lane.give_up(superseded());
                        }
                    }
                    true => {}
                    false => wait(since + SILENCE),
                }
            }
        }
        self.remove(&gone);
        next
    }

    fn remove(&mut self, places: &[u32]) {
        for node in places.iter().filter_map(|place| self.registry.remove(*place)) {
            if let Some(lane) = node.open_lane() {
                lane.close(&removed());
            }
            self.template.close(Arc::clone(node.pool()));
        }
        // Once for all of them: there may be a thousand nodes, and a hold for each slot.
        if !places.is_empty() {
            let gone: HashSet<u32> = places.iter().copied().collect();
            self.release(|hold| matches!(hold, Hold::Mark { place, .. } if gone.contains(place)));
        }
    }

    /// Notes the round trip to the node at `endpoint` and the zone that it has named.
    pub(super) fn measured(
        &mut self,
        endpoint: &Endpoint,
        latency: Duration,
        zone: Option<String>,
    ) {
        let place = self.registry.place_of(endpoint);
        if let Some(node) = place.and_then(|place| self.registry.get_mut(place)) {
            // Half of the former latency stays, so that one slow answer sends no read elsewhere.
            let smooth = node.latency.map_or(latency, |before| (before + latency) / 2);
            node.latency = Some(smooth);
            node.zone = zone;
        }
    }

    /// Whether reads could go to replicas that no server has named yet: servers name a new replica
    /// only once it has data.
    pub(super) fn lacks_replicas(&self) -> bool {
        self.template.topology.reads != Reads::Primary
            && self.table.shards().iter().any(|places| places.replicas.is_empty())
    }

    /// Whether a node has commands but no connection, or does not answer: it may have been
    /// replaced.
    pub(super) fn is_in_trouble(&self, now: Instant) -> bool {
        let lost = |lane: &Lane| !lane.is_up() && lane.is_busy();
        let silent = |lane: &Lane| lane.waiting_since().is_some_and(|at| at + DOUBT <= now);
        let mut lanes = self.registry.lanes();
        self.parked.commands() > 0 || lanes.any(|lane| lost(lane) || silent(lane))
    }

    /// Whether answers are due, so that the keeper has to look now and then whether they come.
    pub(super) fn is_watched(&mut self) -> bool {
        self.is_watched = self.registry.lanes().any(Lane::is_busy);
        self.is_watched
    }

    /// Ends all commands with `error` and closes all connections, for good.
    pub(super) fn close(&mut self, error: &Error) {
        self.closed = Some(error.clone());
        self.holds.clear();
        for (batch, _) in self.parked.take() {
            self.fail(&batch, error);
        }
        for node in self.registry.take_all() {
            if let Some(lane) = node.open_lane() {
                lane.close(error);
            }
            self.template.close(Arc::clone(node.pool()));
        }
        self.news.rearm = true;
    }

    /// Ends all parked commands: no server will ever say where they belong.
    pub(super) fn fail_parked(&mut self, error: &Error) {
        self.holds.lift(|hold| *hold == Hold::Look);
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

/// How long commands wait for a former primary that does not answer its mark. Its successor is to
/// serve within a second of the promotion, and a primary that was replaced seldom answers again.
const SILENCE: Duration = Duration::from_millis(500);
/// A node that has not answered for so long may have been replaced, so servers are asked where
/// everything is. Longer than nearly all commands take, and short enough that a promotion is
/// followed within a second.
const DOUBT: Duration = Duration::from_millis(500);
/// How often a node that is about to be removed is looked at. It is cheap, since it goes on for
/// five seconds at most.
const LOOK: Duration = Duration::from_millis(50);
