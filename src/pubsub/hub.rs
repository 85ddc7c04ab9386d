//! The subscriber itself, which its handles, its drivers and its keeper share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::feeds::Feeds;
use super::ledger::Ledger;
use super::nodes::Nodes;
use super::subscriber::Allotment;
use crate::error::{Error, ErrorClass};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Backlog, Delivery, Event, Outbox};

/// The subscriber itself, which its handles, its drivers and its keeper share.
pub(super) struct Hub {
    pub(super) budget: Allotment,
    coverage: Mutex<Coverage>,
    /// Says where names are to be subscribed to. None for one server, which the only feed leads to.
    pub(super) nodes: Option<Arc<dyn Nodes>>,
    /// Makes the keeper look at the coverage again.
    pub(super) news: Notify,
    pub(super) backlog: Arc<Backlog>,
    pub(super) options: Arc<ClientOptions>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) runtime: Handle,
}

/// Everything about a subscriber that changes: what is wanted, and the feeds that it comes over.
#[derive(Default)]
pub(super) struct Coverage {
    pub(super) ledger: Ledger,
    pub(super) feeds: Feeds,
    /// Why nothing can be subscribed to any more.
    pub(super) closed: Option<Error>,
    /// How often the credentials have changed, and the commands that log a connection in again.
    pub(super) login: (u32, Bytes),
}

impl Hub {
    pub(super) fn new(
        budget: Allotment,
        coverage: Coverage,
        nodes: Option<Arc<dyn Nodes>>,
        options: Arc<ClientOptions>,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            budget,
            coverage: Mutex::new(coverage),
            nodes,
            news: Notify::new(),
            backlog: Arc::default(),
            options,
            outbox,
            metrics,
            runtime: Handle::current(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Coverage> {
        // A panic under the lock ends in the driver's supervisor, which fails all requests.
        self.coverage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all connections write `commands`, which have no reply.
    pub(super) fn log_in(&self, commands: Bytes) {
        let mut coverage = self.lock();
        coverage.login = (coverage.login.0.wrapping_add(1), commands);
        coverage.feeds.wake();
    }

    /// Fails all requests with `error`, also those to come, and closes the connections.
    pub(super) fn close(&self, error: &Error) {
        let mut coverage = self.lock();
        coverage.closed.get_or_insert_with(|| error.clone());
        coverage.ledger.clear(error);
        coverage.feeds.wake();
        drop(coverage);
        self.report(Instant::now());
        self.news.notify_one();
    }

    /// Tells the caller which requests have ended, which subscriptions were refused, and for how
    /// long messages may have been missed.
    pub(super) fn report(&self, now: Instant) {
        let (settled, refusals, gaps) = {
            let ledger = &mut self.lock().ledger;
            (ledger.take_settled(), ledger.take_refusals(), ledger.take_reports(now))
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

    /// Fails the requests whose deadline has passed.
    pub(super) fn expire(&self, now: Instant) {
        let text = "the server did not confirm the subscription before the command's deadline";
        let mut error = Error::new(ErrorClass::Timeout, "TIMEOUT", text).retryable();
        if let Some(cause) = self.last_error() {
            error = error.with_cause(cause);
        }
        let expired = self.lock().ledger.expire(now, &error);
        self.metrics.timeouts.add(expired);
        self.report(now);
    }

    /// Why connecting has failed; if there are several nodes and no attempt has failed, why none of
    /// them is known.
    fn last_error(&self) -> Option<Error> {
        let feeds = self.lock().feeds.all();
        let of_feed = feeds.iter().find_map(|feed| feed.pool.last_error());
        of_feed.or_else(|| self.nodes.as_ref()?.failure())
    }
}
