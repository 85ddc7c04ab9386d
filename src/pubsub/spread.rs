//! Names of keyspace notifications in a cluster: a home on each primary.
//!
//! The primaries have to be known better than commands need it: a command that comes to the wrong
//! node is told so, a subscription is not.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::feeds::Feed;
use super::hub::{Coverage, Hub};
use super::nodes::Nodes;

impl Hub {
    /// Gives local names a home on each primary. False if that is not possible now, because the
    /// primaries are not known.
    pub(super) fn spread(
        self: &Arc<Self>,
        coverage: &mut Coverage,
        nodes: &dyn Nodes,
        now: Instant,
    ) -> bool {
        if !coverage.ledger.has_local() {
            return true;
        }
        let places = nodes.primaries();
        let feeds = places.iter().filter_map(|place| self.feed(coverage, nodes, *place, false));
        let feeds: Vec<u32> = feeds.collect();
        if feeds.is_empty() {
            return false;
        }
        let viewed = coverage.feeds.viewed.unwrap_or(now);
        coverage.ledger.spread(&feeds, viewed, now);
        feeds.len() == places.len()
    }

    /// Notifications about keys of `slots` have come from the node of `feed`. If another node is
    /// believed to have one of them, the slot moves or has moved, and it is asked where everything
    /// is. That cannot wait: a primary that loses its last slot often becomes a replica of the node
    /// that has got it, and once it has its data, the notifications of that node come from both.
    ///
    /// The router asks five times a second at most, however often it is told to.
    pub(super) fn compare(&self, feed: &Feed, slots: &[u16]) {
        let Some(nodes) = &self.nodes else { return };
        let is_elsewhere = |slot: &u16| nodes.owner(*slot).is_some_and(|at| at != feed.place);
        if slots.iter().any(is_elsewhere) {
            nodes.look();
        }
    }

    /// Asks where everything is, if that is due.
    pub(super) fn survey(&self, now: Instant) {
        let Some(nodes) = &self.nodes else { return };
        let coverage = &mut *self.lock();
        if coverage.next_survey(now).is_some_and(|at| at <= now) {
            coverage.feeds.surveyed = Some(now);
            nodes.look();
        }
    }
}

impl Coverage {
    /// When it is asked next where everything is, if notifications are wanted.
    pub(super) fn next_survey(&self, now: Instant) -> Option<Instant> {
        let surveyed = self.feeds.surveyed.map_or(now, |at| at + SURVEY);
        self.ledger.has_local().then_some(surveyed)
    }
}

/// How often it is asked where everything is while notifications are wanted. A client that only
/// listens learns of a primary that has got its first slots, or has taken over without a failure,
/// in no other way. One small question in 5 s is cheap.
const SURVEY: Duration = Duration::from_secs(5);
