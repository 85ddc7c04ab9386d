//! A subscriber: the connections that carry a client's Pub/Sub, or the one of its MONITOR.
//!
//! `state` is pure and knows what is wanted and what the servers have confirmed; `driver` moves the
//! bytes of one connection. A connection is opened with the first subscription and closed some time
//! after the last; when it is lost, everything wanted is asked for again, and the gap is reported.
//! Of several nodes each shard channel is subscribed to on the one that has its slot, everything
//! else on any one (`links`); when that changes, `keeper` moves it. Messages wait for the caller in
//! a bounded backlog, so sockets are read whatever the caller does. Invariant: everything about a
//! subscriber changes under its one lock, which is never held over an await; the locks of pools and
//! nodes may be taken under it, never the other way round.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod driver;
mod frame;
mod gap;
mod keeper;
mod line;
mod links;
mod names;
mod nodes;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod topic;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::links::{Link, Links};
pub use self::nodes::Nodes;
pub use self::state::Request;
use self::state::State;
pub use self::topic::Topic;
use crate::error::{Error, ErrorClass};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Backlog, Delivery, Event, Outbox};
use crate::pool::Pool;

/// Which connections a subscriber may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Those that the pool keeps for subscribers.
    Subscribers,
    /// Those that callers have to themselves: waits for its turn, `pool.acquireTimeout` at most.
    Sessions,
}

/// The connection that messages come over, or the connections to several nodes.
#[derive(Clone)]
pub struct Subscriber {
    shared: Arc<Shared>,
}

struct Shared {
    budget: Budget,
    inner: Mutex<Inner>,
    /// Several nodes; None for one server, which the only link leads to.
    nodes: Option<Arc<dyn Nodes>>,
    /// Tells the keeper to look at the state again.
    news: Notify,
    backlog: Arc<Backlog>,
    options: Arc<ClientOptions>,
    outbox: Arc<Outbox>,
    metrics: Arc<Metrics>,
    runtime: Handle,
}

#[derive(Default)]
struct Inner {
    state: State,
    links: Links,
    /// Why nothing can be subscribed to any more.
    closed: Option<Error>,
}

/// A subscriber's numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct SubscriberStats {
    /// Channels and patterns that are wanted.
    pub subscriptions: usize,
    /// Messages that came.
    pub received: u64,
    /// Of these, messages that were dropped because too many waited for the caller.
    pub dropped: u64,
    /// Bytes of messages that wait for the caller.
    pub queued_bytes: usize,
}

impl Subscriber {
    /// A subscriber without subscriptions, and without a connection. Must be called inside the
    /// runtime.
    pub fn start(
        budget: Budget,
        options: Arc<ClientOptions>,
        pool: Arc<Pool>,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (links, link) = Links::to(pool);
        let inner = Inner { links, ..Inner::default() };
        let shared = Shared::new(budget, inner, None, options, outbox, metrics);
        tokio::spawn(driver::supervise(Arc::clone(&shared), link));
        Self { shared }
    }

    /// The same of several nodes. It has no use for MONITOR.
    pub fn start_among(
        nodes: Arc<dyn Nodes>,
        options: Arc<ClientOptions>,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let inner = Inner { state: State::scattered(), ..Inner::default() };
        let changes = nodes.changes();
        let shared = Shared::new(Budget::Subscribers, inner, Some(nodes), options, outbox, metrics);
        tokio::spawn(keeper::supervise(Arc::clone(&shared), changes));
        Self { shared }
    }

    /// Subscribes to names; each comes with the token that its messages will carry. Names that are
    /// subscribed to already get their new token, and nothing is sent for them. The request, if
    /// there is one, ends when the server has confirmed every name.
    pub fn subscribe(&self, request: Option<Request>, topic: Topic, names: Vec<(Bytes, u32)>) {
        self.change(request, |state| state.want(request, topic, names));
    }

    /// Unsubscribes from names. The request ends when the server has confirmed every name; at once
    /// without a connection, for then nothing is subscribed to.
    pub fn unsubscribe(&self, request: Option<Request>, topic: Topic, names: Vec<Bytes>) {
        self.change(request, |state| state.unwant(request, topic, names));
    }

    /// Fails all requests with `error`, also those to come, and closes the connection.
    pub fn close(&self, error: &Error) {
        self.shared.close(error);
    }

    /// The numbers now.
    pub fn stats(&self) -> SubscriberStats {
        let backlog = self.shared.backlog.stats();
        SubscriberStats {
            subscriptions: self.shared.lock().state.subscriptions(),
            received: backlog.received,
            dropped: backlog.dropped,
            queued_bytes: backlog.bytes,
        }
    }

    fn change(&self, request: Option<Request>, change: impl FnOnce(&mut State)) {
        let mut inner = self.shared.lock();
        let closed = inner.closed.clone();
        if closed.is_none() {
            change(&mut inner.state);
        }
        drop(inner);
        match (closed, request) {
            (Some(error), Some(Request { ticket, .. })) => {
                self.shared.outbox.push(Delivery::Settled(vec![(ticket, Some(error))]));
            }
            (Some(_), None) => {}
            (None, _) => {
                self.shared.arrange();
                self.shared.report(Instant::now());
            }
        }
    }
}

impl Shared {
    fn new(
        budget: Budget,
        inner: Inner,
        nodes: Option<Arc<dyn Nodes>>,
        options: Arc<ClientOptions>,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            budget,
            inner: Mutex::new(inner),
            nodes,
            news: Notify::new(),
            backlog: Arc::default(),
            options,
            outbox,
            metrics,
            runtime: Handle::current(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic under the lock ends in the driver's supervisor, which clears the state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, error: &Error) {
        let mut inner = self.lock();
        inner.closed.get_or_insert_with(|| error.clone());
        inner.state.clear(error);
        inner.links.wake();
        drop(inner);
        self.report(Instant::now());
        self.news.notify_one();
    }

    /// Tells the caller what has ended and what was found.
    fn report(&self, now: Instant) {
        let (settled, refusals, gaps) = {
            let state = &mut self.lock().state;
            (state.take_settled(), state.take_refusals(), state.take_reports(now))
        };
        if !settled.is_empty() {
            self.outbox.push(Delivery::Settled(settled));
        }
        for refusal in refusals {
            self.outbox.push(Delivery::Event(Event::Error(refusal, None)));
        }
        for gap in gaps {
            self.outbox.push(Delivery::Event(Event::Resubscribed(gap)));
        }
    }

    /// Why connecting has failed, or, of several nodes, why none is known.
    fn last_error(&self) -> Option<Error> {
        let links = self.lock().links.all();
        let of_link = links.iter().find_map(|link| link.pool.last_error());
        of_link.or_else(|| self.nodes.as_ref()?.failure())
    }

    /// Fails the requests whose deadline has passed.
    fn expire(&self, now: Instant) {
        let text = "the server did not confirm the subscription before the command's deadline";
        let mut error = Error::new(ErrorClass::Timeout, "TIMEOUT", text).retryable();
        if let Some(cause) = self.last_error() {
            error = error.with_cause(cause);
        }
        let expired = self.lock().state.expire(now, &error);
        self.metrics.timeouts.add(expired);
        self.report(now);
    }
}

/// Rounds deadlines up to steps, so that however many there are they are looked at a hundred times
/// a second at most. A tenth of the 100 ms that a deadline may be late (reliability P1).
const DEADLINE_STEP: Duration = Duration::from_millis(10);
