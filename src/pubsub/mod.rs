//! A subscriber: the connection that carries a client's Pub/Sub, or its MONITOR.
//!
//! `state` is pure and knows what is wanted and what the server has confirmed; `driver` moves the
//! bytes. The connection is opened with the first subscription and closed some time after the last;
//! when it is lost, everything wanted is asked for again, and the gap is reported. Messages wait
//! for the caller in a bounded backlog, so the socket is read whatever the caller does. Invariant:
//! everything about a subscriber changes under its one lock, which is never held over an await.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod driver;
mod frame;
mod state;
#[cfg(test)]
mod tests;
mod topic;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use self::state::Request;
use self::state::State;
pub use self::topic::Topic;
use crate::error::{Error, Kind};
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

/// A connection that messages come over.
#[derive(Clone)]
pub struct Subscriber {
    shared: Arc<Shared>,
}

struct Shared {
    budget: Budget,
    inner: Mutex<Inner>,
    /// Tells the driver to look at the state again.
    wake: Notify,
    backlog: Arc<Backlog>,
    options: Arc<ClientOptions>,
    pool: Arc<Pool>,
    outbox: Arc<Outbox>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Inner {
    state: State,
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
        let (inner, wake, backlog) = (Mutex::default(), Notify::new(), Arc::default());
        let shared = Shared { budget, inner, wake, backlog, options, pool, outbox, metrics };
        let shared = Arc::new(shared);
        tokio::spawn(driver::supervise(Arc::clone(&shared)));
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
                self.shared.report(Instant::now());
                self.shared.wake.notify_one();
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic under the lock ends in the driver's supervisor, which clears the state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, error: &Error) {
        let mut inner = self.lock();
        inner.closed.get_or_insert_with(|| error.clone());
        inner.state.clear(error);
        drop(inner);
        self.report(Instant::now());
        self.wake.notify_one();
    }

    /// Tells the caller what has ended and what was found.
    fn report(&self, now: Instant) {
        let (settled, refusals, gap) = {
            let state = &mut self.lock().state;
            (state.take_settled(), state.take_refusals(), state.take_report(now))
        };
        if !settled.is_empty() {
            self.outbox.push(Delivery::Settled(settled));
        }
        for refusal in refusals {
            self.outbox.push(Delivery::Event(Event::Error(refusal, None)));
        }
        if let Some(gap) = gap {
            self.outbox.push(Delivery::Event(Event::Resubscribed(gap)));
        }
    }

    /// Fails the requests whose deadline has passed.
    fn expire(&self, now: Instant) {
        let text = "the server did not confirm the subscription before the command's deadline";
        let mut error = Error::new(Kind::Timeout, "TIMEOUT", text).retryable();
        if let Some(cause) = self.pool.last_error() {
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
