//! The subscribers of one event loop: one for channels, and one for MONITOR.
//!
//! Also says how a subscriber finds the nodes of a deployment. Each event loop that shares a client
//! has subscribers of its own.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::connection::Credentials;
use crate::error::Error;
use crate::lane::Home;
use crate::metrics::Metrics;
use crate::options::Secret;
use crate::outbox::Outbox;
use crate::pool::Pool;
use crate::pubsub::{Allotment, Nodes, Subscriber, SubscriberStats, Topic};
use crate::resp::encode;
use crate::topology::Router;

/// The subscribers of one client.
pub(super) struct Subscribers {
    pubsub: Subscriber,
    /// None with several nodes: each node has its own MONITOR, which a client of that node alone
    /// can get.
    monitor: Option<Subscriber>,
}

impl Subscribers {
    /// The subscribers of a client of one server. Must be called inside the runtime.
    pub(super) fn start(home: &Home, outbox: &Arc<Outbox>) -> Self {
        let subscriber = |budget| {
            Subscriber::start(
                budget,
                Arc::clone(&home.options),
                Arc::clone(&home.pool),
                Arc::clone(outbox),
                Arc::clone(&home.metrics),
            )
        };
        let (pubsub, monitor) =
            (subscriber(Allotment::Subscribers), subscriber(Allotment::Sessions));
        Self { pubsub, monitor: Some(monitor) }
    }

    /// The subscribers of a client of several nodes. Must be called inside the runtime.
    pub(super) fn start_among(
        router: &Router,
        outbox: &Arc<Outbox>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let nodes = Arc::new(RouterNodes(router.clone()));
        let options = Arc::new(router.options().clone());
        let (outbox, metrics) = (Arc::clone(outbox), Arc::clone(metrics));
        Self { pubsub: Subscriber::start_among(nodes, options, outbox, metrics), monitor: None }
    }

    /// The subscriber that gets the messages of `topic`.
    pub(super) fn of(&self, topic: Topic) -> Option<&Subscriber> {
        match topic {
            Topic::Monitor => self.monitor.as_ref(),
            Topic::Channel | Topic::Pattern | Topic::ShardChannel => Some(&self.pubsub),
        }
    }

    /// Logs the connections in again. The reply is skipped, because it could not be told from others
    /// that a subscriber waits for.
    pub(super) fn log_in(&self, Credentials { username, password }: &Credentials) {
        let mut commands = Vec::new();
        encode::command(&mut commands, &[b"CLIENT", b"REPLY", b"SKIP"]);
        let username = username.as_deref().unwrap_or("default").as_bytes();
        let password = password.as_ref().map_or("", Secret::expose).as_bytes();
        encode::command(&mut commands, &[b"AUTH", username, password]);
        let commands = Bytes::from(commands);
        self.monitor.iter().for_each(|monitor| monitor.log_in(commands.clone()));
        self.pubsub.log_in(commands);
    }

    /// Ends all subscriptions with `error`, and closes their connections.
    pub(super) fn close(&self, error: &Error) {
        self.pubsub.close(error);
        self.monitor.iter().for_each(|monitor| monitor.close(error));
    }

    /// The numbers of the subscriber, without MONITOR.
    pub(super) fn stats(&self) -> SubscriberStats {
        self.pubsub.stats()
    }
}

/// The nodes of a router, for a subscriber.
struct RouterNodes(Router);

impl Nodes for RouterNodes {
    fn members(&self) -> Vec<(u32, bool)> {
        self.0.listeners()
    }

    fn owner(&self, slot: u16) -> Option<u32> {
        self.0.primary(Some(slot))
    }

    fn is_split(&self) -> bool {
        !self.0.is_one_shard()
    }

    fn primaries(&self) -> Vec<u32> {
        self.0.primaries()
    }

    fn viewed(&self) -> Option<Instant> {
        self.0.viewed()
    }

    fn pool(&self, place: u32) -> Option<Arc<Pool>> {
        self.0.pool(place)
    }

    fn redirected(&self, place: u32, slot: u16, error: &Error) {
        self.0.redirected(place, slot, error);
    }

    fn look(&self) {
        self.0.look();
    }

    fn failure(&self) -> Option<Error> {
        self.0.failure()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes()
    }
}
