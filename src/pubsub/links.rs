//! Which nodes a subscriber has connections to, and which of its names is to be had where.
//!
//! Invariants: a link has a line of its number in the state, for as long as it is listed; a driver
//! that finds its link no longer listed ends. All channels and patterns are on one link, since each
//! node has the messages of all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::state::State;
use super::topic::Topic;
use super::{driver, Inner, Nodes, Shared};
use crate::backoff;
use crate::command::slot;
use crate::error::Error;
use crate::pool::Pool;

/// The way to one node.
pub(super) struct Link {
    /// By which the state knows it. Never used twice, unlike places.
    pub(super) id: u32,
    place: u32,
    pub(super) pool: Arc<Pool>,
    /// Tells its driver to look at the state again.
    pub(super) wake: Notify,
    /// Whether it was chosen although its node did not answer just before: no other did either.
    pub(super) is_last_resort: bool,
}

/// The links of one subscriber.
#[derive(Default)]
pub(super) struct Links {
    open: Vec<Arc<Link>>,
    last: u32,
    /// The link that channels and patterns are on.
    common: Option<u32>,
    /// The places of nodes that did not answer, and until when others are preferred.
    avoided: HashMap<u32, Instant>,
    /// When channels and patterns that have left a node may be had from another one.
    settled_at: Option<Instant>,
}

/// How long a node that did not answer is not tried while there are others: longer than the others
/// need to find out that it is gone, in a cluster with short timeouts.
const AVOID: Duration = Duration::from_secs(5);
/// How long channels and patterns stay without a node between two: what the former one has passed
/// on may reach the next one later than a subscription does, and would come twice. Nodes of a busy
/// machine were seen to take tens of milliseconds to pass a message on.
const SETTLE: Duration = Duration::from_millis(100);
/// When names are looked for again whose node is not known; news come earlier.
const UNKNOWN: Duration = Duration::from_millis(500);

impl Links {
    /// The only link of one server.
    pub(super) fn to(pool: Arc<Pool>) -> (Self, Arc<Link>) {
        let wake = Notify::new();
        let link = Link { id: State::ONLY, place: 0, pool, wake, is_last_resort: false };
        let link = Arc::new(link);
        (Self { open: vec![Arc::clone(&link)], ..Self::default() }, link)
    }

    pub(super) fn all(&self) -> Vec<Arc<Link>> {
        self.open.clone()
    }

    /// Makes all drivers look at the state again.
    pub(super) fn wake(&self) {
        self.open.iter().for_each(|link| link.wake.notify_one());
    }

    pub(super) fn has(&self, id: u32) -> bool {
        self.open.iter().any(|link| link.id == id)
    }

    fn at(&self, place: u32) -> Option<&Arc<Link>> {
        self.open.iter().find(|link| link.place == place)
    }
}

impl Link {
    fn leads_to(&self, nodes: &dyn Nodes) -> bool {
        nodes.pool(self.place).is_some_and(|pool| Arc::ptr_eq(&pool, &self.pool))
    }

    /// The node has said where `slot` is.
    pub(super) fn redirected(&self, nodes: &dyn Nodes, slot: u16, error: &Error) {
        nodes.redirected(self.place, slot, error);
    }
}

impl Shared {
    /// Gives each name that has no home one, and wakes the drivers. Of one server, the latter.
    pub(super) fn arrange(self: &Arc<Self>) {
        let mut inner = self.lock();
        if let Some(nodes) = &self.nodes {
            let now = Instant::now();
            let mut owners = HashMap::new();
            let homeless = inner.state.take_homeless();
            let mut is_unknown = false;
            let settled_at = inner.links.settled_at.filter(|at| *at > now);
            for (topic, name) in homeless {
                if let Some(at) = settled_at.filter(|_| topic != Topic::ShardChannel) {
                    inner.state.put_off(topic, &name, at);
                    continue;
                }
                let link = match topic {
                    Topic::ShardChannel => {
                        let slot = slot::of(&name);
                        let place = *owners.entry(slot).or_insert_with(|| nodes.owner(slot));
                        place.and_then(|place| self.link(&mut inner, &**nodes, place, false))
                    }
                    _ => self.common(&mut inner, &**nodes, now),
                };
                match link {
                    Some(id) => inner.state.place(topic, &name, id, now),
                    None => {
                        is_unknown = true;
                        inner.state.put_off(topic, &name, now + UNKNOWN);
                    }
                }
            }
            if is_unknown {
                nodes.look();
            }
            self.news.notify_one();
        }
        inner.links.wake();
    }

    /// What nodes have what may have changed: moves the names whose node is another one now.
    pub(super) fn rearrange(self: &Arc<Self>) {
        let Some(nodes) = &self.nodes else { return };
        let now = Instant::now();
        {
            let inner = &mut *self.lock();
            for link in inner.links.all() {
                if !link.leads_to(&**nodes) {
                    inner.remove(link.id, now);
                }
            }
            let members = nodes.members();
            for link in inner.links.all() {
                let is_common = inner.links.common == Some(link.id);
                if is_common && members.iter().all(|(place, _)| *place != link.place) {
                    inner.vacate(link.id, now);
                }
                for (topic, name) in inner.state.at(link.id) {
                    let owner = match topic {
                        Topic::ShardChannel => nodes.owner(slot::of(&name)),
                        _ => None,
                    };
                    if owner.is_some_and(|place| place != link.place) {
                        inner.state.displace(topic, &name, now);
                    }
                }
            }
            inner.state.recall_unasked();
            if let Some(error) = nodes.failure().filter(Error::is_fatal) {
                let homeless = inner.state.take_homeless();
                inner.state.fail_those(&homeless, &error);
                for (topic, name) in &homeless {
                    inner.state.put_off(*topic, name, now + UNKNOWN);
                }
            }
        }
        self.arrange();
        self.report(now);
    }

    /// The node of a link does not answer: what others have as well is had from another one.
    pub(super) fn evict(self: &Arc<Self>, link: &Link) {
        if self.nodes.is_none() {
            return;
        }
        let now = Instant::now();
        {
            let inner = &mut *self.lock();
            if inner.links.common != Some(link.id) {
                return;
            }
            inner.links.avoided.insert(link.place, now + AVOID);
            inner.vacate(link.id, now);
        }
        self.arrange();
    }

    /// Takes a link off the list; true if nothing is wanted over it.
    pub(super) fn retire(&self, link: &Link) -> bool {
        let inner = &mut *self.lock();
        let is_over = self.nodes.is_some() && !inner.state.is_wanted(link.id);
        if is_over {
            inner.remove(link.id, Instant::now());
        }
        is_over
    }

    /// The link of a node is no more: its pool is closed.
    pub(super) fn forget(self: &Arc<Self>, link: &Link) {
        self.lock().remove(link.id, Instant::now());
        self.arrange();
    }

    /// The link for channels and patterns, whatever node that leads to.
    fn common(self: &Arc<Self>, inner: &mut Inner, nodes: &dyn Nodes, now: Instant) -> Option<u32> {
        if let Some(common) = inner.links.common {
            return Some(common);
        }
        inner.links.avoided.retain(|_, until| *until > now);
        let avoided = &inner.links.avoided;
        let chance = |_: &u32| (backoff::random() * f64::from(u32::MAX)) as u32;
        let choice = nodes.members().into_iter().min_by_key(|(place, is_up)| {
            // What is connected costs no connection; what was avoided longest may be back.
            let link = inner.links.at(*place);
            let is_connected = link.is_some_and(|link| inner.state.is_connected(link.id));
            (avoided.get(place).copied(), !is_connected, !is_up, chance(place))
        });
        let (place, _) = choice?;
        let is_last_resort = avoided.contains_key(&place);
        let id = self.link(inner, nodes, place, is_last_resort)?;
        inner.links.common = Some(id);
        Some(id)
    }

    /// The link to the node at `place`, which is made if there is none.
    fn link(
        self: &Arc<Self>,
        inner: &mut Inner,
        nodes: &dyn Nodes,
        place: u32,
        is_last_resort: bool,
    ) -> Option<u32> {
        if let Some(link) = inner.links.at(place) {
            return Some(link.id);
        }
        let pool = nodes.pool(place)?;
        inner.links.last += 1;
        let (id, wake) = (inner.links.last, Notify::new());
        let link = Arc::new(Link { id, place, pool, wake, is_last_resort });
        inner.links.open.push(Arc::clone(&link));
        inner.state.add(id);
        self.runtime.spawn(driver::supervise(Arc::clone(self), link));
        Some(id)
    }
}

impl Inner {
    fn remove(&mut self, id: u32, since: Instant) {
        let links = &mut self.links;
        if links.common == Some(id) {
            links.common = None;
            links.settled_at = Some(since + SETTLE);
        }
        if let Some(at) = links.open.iter().position(|link| link.id == id) {
            links.open.remove(at).wake.notify_one();
        }
        self.state.remove(id, since);
    }

    /// Channels and patterns leave a link.
    fn vacate(&mut self, id: u32, since: Instant) {
        self.links.common = None;
        self.links.settled_at = Some(since + SETTLE);
        for (topic, name) in self.state.at(id) {
            if topic != Topic::ShardChannel {
                self.state.displace(topic, &name, since);
            }
        }
    }
}
