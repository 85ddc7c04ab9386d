//! Whether the server at a node's address is still that node.
//!
//! An address can go to a node of another cluster. A connection that was lost, and stands again,
//! may lead there. So such a node is asked for its id. While a stranger is at its address, nothing
//! is sent there: the commands of its slots are parked.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{timeout, Instant};

use super::deployment::Deployment;
use super::holds::Hold;
use super::kinship::{foreign, Kinship};
use super::node::Node;
use super::routes::{News, Routes};
use crate::error::Error;
use crate::options::Endpoint;
use crate::outbox::Event;

impl Deployment {
    /// Asks the nodes that are in doubt which nodes they are.
    pub(super) async fn prove(self: &Arc<Self>) {
        let doubtful: Vec<_> = {
            let routes = self.lock();
            let nodes = routes.registry.nodes().filter(|node| node.is_to_be_asked());
            nodes.take(MOST).map(|n| (n.endpoint.clone(), Arc::clone(n.pool()))).collect()
        };
        let mut asked = JoinSet::new();
        for (endpoint, pool) in doubtful {
            let deployment = Arc::clone(self);
            asked.spawn(async move {
                let asking = async {
                    let lease = pool.impatient_lease(1).await.ok()?;
                    deployment.source.identify(lease).await
                };
                (endpoint, timeout(PATIENCE, asking).await.ok().flatten())
            });
        }
        while let Some(answer) = asked.join_next().await {
            if let Ok((endpoint, id)) = answer {
                self.judge(&endpoint, id.as_deref());
            }
        }
    }

    /// The server at `endpoint` has said that it is the node `id`; None if it did not say.
    fn judge(&self, endpoint: &Endpoint, id: Option<&str>) {
        let is_news = self.change(|routes| {
            let place = routes.registry.place_of(endpoint)?;
            let node = routes.registry.get_mut(place)?;
            match id {
                Some(id) if id != node.id => return routes.estrange(place).then_some(()),
                Some(_) => routes.welcome(place),
                // A server that does not say has to be believed. A stranger stays one.
                None => node.is_doubtful = node.is_stranger,
            }
            None
        });
        if is_news.is_some() {
            self.template.tell(Event::Error(foreign(endpoint), Some(endpoint.to_string())));
        }
    }

    /// The servers at `endpoints` have named none of the nodes that are known, in a look that began
    /// at `began`. `is_known`: another server has named some.
    pub(super) fn estrange(&self, endpoints: &[Endpoint], is_known: bool, began: Instant) {
        self.change(|routes| {
            if is_known {
                routes.alone_since = None;
            } else if !endpoints.is_empty() {
                routes.alone_since.get_or_insert(began);
            }
        });
        for endpoint in endpoints {
            let is_news = self.change(|routes| {
                let place = routes.registry.place_of(endpoint)?;
                routes.estrange(place).then_some(())
            });
            if is_news.is_some() {
                self.template.tell(Event::Error(foreign(endpoint), Some(endpoint.to_string())));
            }
        }
    }
}

impl Routes {
    /// A stranger is at the address of the node at `place`. Returns whether that is news.
    fn estrange(&mut self, place: u32) -> bool {
        let Some(node) = self.registry.get_mut(place) else { return false };
        node.is_doubtful = true;
        if std::mem::replace(&mut node.is_stranger, true) {
            return false;
        }
        if let Some(lane) = node.open_lane() {
            lane.renew();
        }
        self.has_strangers = true;
        self.version += 1;
        self.news = News::ALL;
        if self.park_waiting(place) {
            self.resume();
        }
        true
    }

    /// The server at the address of the node at `place` is that node.
    fn welcome(&mut self, place: u32) {
        let Some(node) = self.registry.get_mut(place) else { return };
        node.is_doubtful = false;
        if std::mem::take(&mut node.is_stranger) {
            // The lane's connection may still lead to the stranger.
            if let Some(lane) = node.open_lane() {
                lane.renew();
            }
            self.count_strangers();
            self.version += 1;
            self.release(|hold| *hold == Hold::Look);
        }
    }

    /// What is known of the cluster at `now`.
    pub(super) fn kinship(&self, now: Instant) -> Kinship {
        let nodes = self.registry.nodes().filter(|node| node.leaves.is_none());
        let nodes = nodes.map(|node| (node.id.clone(), node.endpoint.clone()));
        let is_resigned = self.alone_since.is_some_and(|since| since + HOPE <= now);
        Kinship::new(nodes, is_resigned)
    }

    /// Whether a stranger is at the address of the node at `place`.
    pub(super) fn is_stranger(&self, place: u32) -> bool {
        // Each command asks this, and nearly always there is none.
        self.has_strangers && self.registry.get(place).is_some_and(|node| node.is_stranger)
    }

    /// Strangers may have gone.
    pub(super) fn count_strangers(&mut self) {
        self.has_strangers = self.registry.nodes().any(|node| node.is_stranger);
    }

    /// Whether a node is to be asked which node it is.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.registry.nodes().any(|node| node.is_to_be_asked() && !node.is_stranger)
    }

    /// Why commands are parked although a server has said where everything is; None if nothing is
    /// known to be wrong.
    pub(super) fn obstacle(&self) -> Option<Error> {
        if self.last_failure.is_some() {
            return self.last_failure.clone();
        }
        let stranger = self.registry.nodes().find(|node| node.is_stranger);
        let gap = || self.gap.map(|gap| Error::connection("TOPOLOGY", gap).retryable());
        stranger.map(|node| foreign(&node.endpoint)).or_else(gap)
    }
}

impl Node {
    /// Whether it is time to ask it which node it is.
    fn is_to_be_asked(&self) -> bool {
        self.is_doubtful && (self.is_up() || self.is_stranger)
    }
}

/// For how long a view without any known node is not followed although no known node gives another
/// one: as long as a cluster takes, with the default of `cluster-node-timeout`, to give up a node.
/// A cut network is mended in that time or the nodes behind it are replaced; and a cluster that was
/// built anew has been gone for longer.
const HOPE: Duration = Duration::from_secs(15);
/// How many nodes are asked at once: after a loss of all connections a thousand nodes may be in
/// doubt, and those that are left out are asked after the next look.
const MOST: usize = 16;
/// How long an answer may take. A node that is connected answers within a round trip; the look
/// around that this belongs to must not take much longer for one that hangs.
const PATIENCE: Duration = Duration::from_millis(200);
