//! What callers call: the handle of a subscriber.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::feeds::Feeds;
use super::hub::{Coverage, Hub};
use super::ledger::{Ledger, Request};
use super::nodes::Nodes;
use super::topic::Topic;
use super::{driver, keeper};
use crate::error::Error;
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Delivery, Outbox};
use crate::pool::Pool;

/// The connection that messages come over, or the connections to several nodes.
#[derive(Clone)]
pub struct Subscriber {
    hub: Arc<Hub>,
}

/// Which connections a subscriber may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allotment {
    /// Those that the pool keeps for subscribers.
    Subscribers,
    /// Those that callers have to themselves. The subscriber waits for one,
    /// `pool.acquireTimeout` at most.
    Sessions,
}

/// A subscriber's numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SubscriberStats {
    /// Channels and patterns that are wanted.
    pub subscriptions: usize,
    /// Messages that came.
    pub received: u64,
    /// How many of these were dropped because too many waited for the caller.
    pub dropped: u64,
    /// Bytes of messages that wait for the caller.
    pub queued_bytes: usize,
}

impl Subscriber {
    /// A subscriber to one server, without subscriptions and without a connection. Must be called
    /// inside the runtime.
    pub fn start(
        budget: Allotment,
        options: Arc<ClientOptions>,
        pool: Arc<Pool>,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (feeds, feed) = Feeds::to(pool);
        let ledger = ledger(Ledger::default(), &options);
        let coverage = Coverage { ledger, feeds, ..Coverage::default() };
        let hub = Hub::new(budget, coverage, None, options, outbox, metrics);
        tokio::spawn(driver::supervise(Arc::clone(&hub), feed));
        Self { hub }
    }

    /// A subscriber to several nodes, without subscriptions and without a connection; not for
    /// MONITOR, which each node has for itself. Must be called inside the runtime.
    pub fn start_among(
        nodes: Arc<dyn Nodes>,
        options: Arc<ClientOptions>,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let ledger = ledger(Ledger::scattered(nodes.is_split()), &options);
        let coverage = Coverage { ledger, ..Coverage::default() };
        let changes = nodes.changes();
        let hub = Hub::new(Allotment::Subscribers, coverage, Some(nodes), options, outbox, metrics);
        tokio::spawn(keeper::supervise(Arc::clone(&hub), changes));
        Self { hub }
    }

    /// Subscribes to names; each comes with the token that its messages will carry. A name that is
    /// subscribed to already gets its new token, and nothing is sent for it. The request, if there
    /// is one, ends when the server has confirmed every name.
    pub fn subscribe(&self, request: Option<Request>, topic: Topic, names: Vec<(Bytes, u32)>) {
        self.change(request, |ledger| ledger.want(request, topic, names));
    }

    /// Unsubscribes from names. The request ends when the server has confirmed every name; without
    /// a connection it ends at once, since then nothing is subscribed to.
    pub fn unsubscribe(&self, request: Option<Request>, topic: Topic, names: Vec<Bytes>) {
        self.change(request, |ledger| ledger.unwant(request, topic, names));
    }

    /// Logs the connections in again, by `commands` without a reply. RESP2 does not allow that while
    /// anything is subscribed to, so there they keep their login.
    pub fn log_in(&self, commands: Bytes) {
        self.hub.log_in(commands);
    }

    /// Fails all requests with `error`, also those to come, and closes the connections.
    pub fn close(&self, error: &Error) {
        self.hub.close(error);
    }

    /// The numbers now.
    pub fn stats(&self) -> SubscriberStats {
        let backlog = self.hub.backlog.stats();
        SubscriberStats {
            subscriptions: self.hub.lock().ledger.subscriptions(),
            received: backlog.received,
            dropped: backlog.dropped,
            queued_bytes: backlog.bytes,
        }
    }

    fn change(&self, request: Option<Request>, change: impl FnOnce(&mut Ledger)) {
        let mut coverage = self.hub.lock();
        let closed = coverage.closed.clone();
        if closed.is_none() {
            change(&mut coverage.ledger);
        }
        drop(coverage);
        match (closed, request) {
            (Some(error), Some(Request { ticket, .. })) => {
                self.hub.outbox.push(Delivery::Settled(vec![(ticket, Some(error))]));
            }
            (Some(_), None) => {}
            (None, _) => {
                self.hub.arrange();
                self.hub.report(Instant::now());
            }
        }
    }
}

fn ledger(ledger: Ledger, options: &ClientOptions) -> Ledger {
    if options.ping_interval.is_zero() {
        ledger.without_pings()
    } else {
        ledger
    }
}
