//! Which name is subscribed to on which node: gives each name a home, and takes it away.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::driver;
use super::feeds::Feed;
use super::hub::{Coverage, Hub};
use super::ledger::SETTLE;
use super::nodes::Nodes;
use super::topic::Topic;
use crate::backoff;
use crate::command::slot;
use crate::error::Error;

impl Hub {
    /// Gives a home to each name that has none, and wakes the drivers. For one server it only wakes
    /// the driver.
    pub(super) fn arrange(self: &Arc<Self>) {
        let mut coverage = self.lock();
        if let Some(nodes) = &self.nodes {
            let now = Instant::now();
            let mut owners = HashMap::new();
            let mut is_unknown = !self.spread(&mut coverage, &**nodes, now);
            let homeless = coverage.ledger.take_homeless();
            let settled_at = coverage.feeds.settled_at.filter(|at| *at > now);
            for (topic, name) in homeless {
                if coverage.ledger.is_local(topic, &name) {
                    coverage.ledger.put_off(topic, &name, now + UNKNOWN);
                    continue;
                }
                if let Some(at) = settled_at.filter(|_| topic != Topic::ShardChannel) {
                    coverage.ledger.put_off(topic, &name, at);
                    continue;
                }
                let feed = match topic {
                    Topic::ShardChannel => {
                        let slot = slot::of(&name);
                        let place = *owners.entry(slot).or_insert_with(|| nodes.owner(slot));
                        place.and_then(|place| self.feed(&mut coverage, &**nodes, place, false))
                    }
                    _ => self.common(&mut coverage, &**nodes, now),
                };
                match feed {
                    Some(id) => coverage.ledger.place(topic, &name, id, now),
                    None => {
                        is_unknown = true;
                        coverage.ledger.put_off(topic, &name, now + UNKNOWN);
                    }
                }
            }
            if is_unknown {
                nodes.look();
            }
            self.news.notify_one();
        }
        coverage.feeds.wake();
    }

    /// Moves the names that belong to another node now. Called when it may have changed which node
    /// has what.
    pub(super) fn rearrange(self: &Arc<Self>) {
        let Some(nodes) = &self.nodes else { return };
        let now = Instant::now();
        {
            let coverage = &mut *self.lock();
            for feed in coverage.feeds.all() {
                if !feed.leads_to(&**nodes) {
                    coverage.remove(feed.id, now);
                }
            }
            let members = nodes.members();
            for feed in coverage.feeds.all() {
                let is_common = coverage.feeds.common == Some(feed.id);
                if is_common && members.iter().all(|(place, _)| *place != feed.place) {
                    coverage.vacate(feed.id, now);
                }
                for (topic, name) in coverage.ledger.at(feed.id) {
                    let owner = match topic {
                        Topic::ShardChannel => nodes.owner(slot::of(&name)),
                        _ => None,
                    };
                    if owner.is_some_and(|place| place != feed.place) {
                        coverage.ledger.displace(topic, &name);
                    }
                }
            }
            coverage.ledger.recall_unasked();
            if let Some(error) = nodes.failure().filter(Error::is_fatal) {
                let homeless = coverage.ledger.take_homeless();
                coverage.ledger.fail_those(&homeless, &error);
                for (topic, name) in &homeless {
                    coverage.ledger.put_off(*topic, name, now + UNKNOWN);
                }
            }
        }
        self.arrange();
        self.lock().feeds.viewed = nodes.viewed();
        self.report(now);
    }

    /// The node of a feed does not answer: channels and patterns move to another node. Shard
    /// channels stay, since only this node has them.
    pub(super) fn evict(self: &Arc<Self>, feed: &Feed) {
        if self.nodes.is_none() {
            return;
        }
        let now = Instant::now();
        {
            let coverage = &mut *self.lock();
            if coverage.feeds.common != Some(feed.id) {
                return;
            }
            coverage.feeds.avoided.insert(feed.place, now + AVOID);
            coverage.vacate(feed.id, now);
        }
        self.arrange();
    }

    /// Takes a feed off the list if nothing is wanted over it, and says whether that is so. The
    /// only feed of one server stays.
    pub(super) fn retire(&self, feed: &Feed) -> bool {
        let coverage = &mut *self.lock();
        let is_over = self.nodes.is_some() && !coverage.ledger.is_wanted(feed.id);
        if is_over {
            coverage.remove(feed.id, Instant::now());
        }
        is_over
    }

    /// Takes a feed off the list, because its node's pool is closed.
    pub(super) fn forget(self: &Arc<Self>, feed: &Feed) {
        self.lock().remove(feed.id, Instant::now());
        self.arrange();
    }

    /// The feed for channels and patterns; chooses a node for it if there is none.
    fn common(
        self: &Arc<Self>,
        coverage: &mut Coverage,
        nodes: &dyn Nodes,
        now: Instant,
    ) -> Option<u32> {
        if let Some(common) = coverage.feeds.common {
            return Some(common);
        }
        coverage.feeds.avoided.retain(|_, until| *until > now);
        let avoided = &coverage.feeds.avoided;
        let chance = |_: &u32| (backoff::random() * f64::from(u32::MAX)) as u32;
        let choice = nodes.members().into_iter().min_by_key(|(place, is_up)| {
            // A node that is not avoided, else the one avoided longest, which may be back by now;
            // then one that there is a connection to already; then one that is known to answer.
            let feed = coverage.feeds.at(*place);
            let is_connected = feed.is_some_and(|feed| coverage.ledger.is_connected(feed.id));
            (avoided.get(place).copied(), !is_connected, !is_up, chance(place))
        });
        let (place, _) = choice?;
        let is_last_resort = avoided.contains_key(&place);
        let id = self.feed(coverage, nodes, place, is_last_resort)?;
        coverage.feeds.common = Some(id);
        Some(id)
    }

    /// The feed to the node at `place`, which is made if there is none. None if there is no such
    /// node any more.
    pub(super) fn feed(
        self: &Arc<Self>,
        coverage: &mut Coverage,
        nodes: &dyn Nodes,
        place: u32,
        is_last_resort: bool,
    ) -> Option<u32> {
        if let Some(feed) = coverage.feeds.at(place) {
            return Some(feed.id);
        }
        let pool = nodes.pool(place)?;
        coverage.feeds.last += 1;
        let (id, wake) = (coverage.feeds.last, Notify::new());
        let feed = Arc::new(Feed { id, place, pool, wake, is_last_resort });
        coverage.feeds.open.push(Arc::clone(&feed));
        coverage.ledger.add(id);
        self.runtime.spawn(driver::supervise(Arc::clone(self), feed));
        Some(id)
    }
}

impl Coverage {
    /// Takes a feed off the list. Its names have no home any more.
    fn remove(&mut self, id: u32, now: Instant) {
        let feeds = &mut self.feeds;
        if feeds.common == Some(id) {
            feeds.common = None;
            feeds.settled_at = Some(now + SETTLE);
        }
        if let Some(at) = feeds.open.iter().position(|feed| feed.id == id) {
            feeds.open.remove(at).wake.notify_one();
        }
        self.ledger.remove(id, now);
    }

    /// Takes channels and patterns away from the feed that they are on.
    fn vacate(&mut self, id: u32, now: Instant) {
        self.feeds.common = None;
        self.feeds.settled_at = Some(now + SETTLE);
        for (topic, name) in self.ledger.at(id) {
            if topic != Topic::ShardChannel {
                self.ledger.displace(topic, &name);
            }
        }
    }
}

/// How long other nodes are preferred to one that did not answer. It is longer than a cluster with
/// short timeouts needs to find out that a node is gone.
const AVOID: Duration = Duration::from_secs(5);
/// When a name is placed again whose node is not known. It is placed earlier if the caller learns
/// more, so this is only the pace of questions: two a second.
const UNKNOWN: Duration = Duration::from_millis(500);
