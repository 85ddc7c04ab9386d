//! What a feed does between two connections: it waits, keeps deadlines, and looks elsewhere.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until, Instant};

use super::super::feeds::Feed;
use super::super::hub::Hub;
use crate::connection::bounds::{DEADLINE_STEP, QUIET};
use crate::error::Error;
use crate::outbox::{Delivery, Event};

impl Hub {
    /// Waits until something is wanted over a feed; false once the subscriber or the feed has
    /// ended.
    pub(super) async fn is_needed(&self, feed: &Feed) -> bool {
        loop {
            {
                let coverage = self.lock();
                if coverage.closed.is_some() || !coverage.feeds.has(feed.id) {
                    return false;
                }
                if coverage.ledger.is_wanted(feed.id) {
                    return true;
                }
            }
            if self.retire(feed) {
                return false;
            }
            feed.wake.notified().await;
        }
    }

    /// Awaits `future`, and fails requests whose deadline passes meanwhile. None as soon as nothing
    /// is wanted over the feed.
    pub(super) async fn keep_time<T>(
        &self,
        feed: &Feed,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::pin!(future);
        loop {
            let until = {
                let coverage = self.lock();
                if !coverage.ledger.is_wanted(feed.id) {
                    return None;
                }
                let now = Instant::now();
                coverage.ledger.next_deadline().unwrap_or(now + QUIET).max(now + DEADLINE_STEP)
            };
            tokio::select! {
                biased;
                done = &mut future => return Some(done),
                () = feed.wake.notified() => {}
                () = sleep_until(until) => self.expire(Instant::now()),
            }
        }
    }

    /// Awaits a connection. If there are several nodes and it takes long, channels and patterns
    /// move to another node, and [`Nodes::look`](super::super::nodes::Nodes::look) asks where the
    /// rest is.
    pub(super) async fn impatiently<T>(
        self: &Arc<Self>,
        feed: &Feed,
        lease: impl Future<Output = T>,
    ) -> T {
        let Some(nodes) = &self.nodes else { return lease.await };
        tokio::pin!(lease);
        let code = || feed.pool.last_error().map(|error| error.code().to_owned());
        // The pool's last error may be the loss of the connection before, which is no failed
        // attempt.
        let before = code();
        let started = Instant::now();
        let mut looked = started;
        loop {
            tokio::select! {
                biased;
                done = &mut lease => return done,
                () = sleep(IMPATIENCE) => {}
            }
            let patience = match feed.is_last_resort {
                true => self.options.socket.connect_timeout,
                false if code().is_some_and(|code| Some(code) != before) => IMPATIENCE,
                false => PATIENCE,
            };
            if started.elapsed() < patience {
                continue;
            }
            if looked.elapsed() >= LOOK || looked == started {
                looked = Instant::now();
                nodes.look();
            }
            self.evict(feed);
        }
    }

    /// The connection is gone. What is wanted waits for the next connection.
    pub(super) fn lose(self: &Arc<Self>, feed: &Feed, error: &Error) {
        let is_wanted = {
            let mut coverage = self.lock();
            coverage.ledger.disconnect(feed.id);
            coverage.ledger.is_wanted(feed.id)
        };
        self.report(Instant::now());
        if !is_wanted {
            return;
        }
        feed.pool.lost(error);
        if let Some(nodes) = &self.nodes {
            nodes.look();
        }
        if !self.options.reconnect.tries_again() {
            self.close(error);
            self.outbox.push(Delivery::Event(Event::Stopped(error.clone())));
        }
    }
}

/// How long one of several nodes may take to connect before channels and patterns move to another
/// node. A slow handshake alone is no reason to move.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long it may take once an attempt has failed: the next attempt, already under way, seldom
/// goes better.
const IMPATIENCE: Duration = Duration::from_millis(200);
/// How often it is asked where everything is while a node cannot be connected. A promoted replica
/// is to be found within a second.
const LOOK: Duration = Duration::from_millis(400);
