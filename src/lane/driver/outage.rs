//! What a lane does between two connections: it waits, keeps its deadlines, and ends what was lost.

use std::future::Future;

use tokio::time::{sleep_until, Instant};

use super::super::conduit::{unguarded, Conduit, Exit};
use super::super::link::Link;
use crate::command;
use crate::connection::bounds::{DEADLINE_STEP, QUIET};
use crate::error::{Error, ErrorClass};
use crate::outbox::Event;
use crate::pool;

impl Conduit {
    /// Whether a connection is wanted; None once the lane is closed.
    pub(super) fn is_wanted(&self) -> Option<bool> {
        let mut traffic = self.lock();
        match traffic.link {
            Link::Closed => return None,
            Link::Connecting => return Some(true),
            Link::Dormant | Link::Up { .. } => {}
        }
        let wanted = traffic.queue.commands() > 0;
        traffic.link = if wanted { Link::Connecting } else { Link::Dormant };
        Some(wanted)
    }

    /// Awaits `future`, and ends commands whose deadline passes meanwhile. None once the lane is
    /// closed.
    pub(in crate::lane) async fn keep_time<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(future);
        loop {
            let until = {
                let mut traffic = self.lock();
                if traffic.link.is_closed() {
                    return None;
                }
                let now = Instant::now();
                let due = traffic.queue.next_deadline().unwrap_or(now + QUIET);
                let until = due.max(now + DEADLINE_STEP);
                traffic.armed = Some(until);
                until
            };
            tokio::select! {
                biased;
                done = &mut future => return Some(done),
                () = self.wake.notified() => {}
                () = sleep_until(until) => self.expire(Instant::now()),
            }
        }
    }

    /// Ends what waits for a connection, because the reconnect strategy wants no other one.
    pub(in crate::lane) fn stop(&self, error: &Error) {
        let mut traffic = self.lock();
        if traffic.link.is_closed() {
            return;
        }
        traffic.link = Link::Dormant;
        let ended = traffic.queue.fail_all();
        drop(traffic);
        self.fail(ended, error);
        self.home.outboxes.tell(Event::Stopped(error.clone()));
    }

    /// Ends a lane that gets no other connection, now that its own is gone.
    pub(super) fn end(&self, error: &Error) {
        let lost = lost(error);
        let mut traffic = self.lock();
        if traffic.link.is_closed() {
            return;
        }
        traffic.link = Link::Closed;
        traffic.exit = Exit::Lost(lost.clone());
        let ended = traffic.queue.fail_all();
        drop(traffic);
        self.fail(ended, &lost);
    }

    /// The connection is gone: commands that may be written again stay, the others end.
    pub(in crate::lane) fn lose(&self, error: &Error) {
        let mut traffic = self.lock();
        if traffic.link.is_closed() {
            return;
        }
        self.lose_track();
        traffic.link = Link::Connecting;
        let (ended, retried) = traffic.queue.lose(is_repeatable);
        let voided = traffic.queue.take_voided();
        drop(traffic);
        self.home.metrics.retries.add(retried as u64);
        self.home.outboxes.tell(Event::Lost(self.home.lane_id));
        self.home.pool.lost(error);
        if self.home.options.reconnect.tries_again() {
            self.home.outboxes.tell(Event::Reconnecting(0));
        }
        self.fail(ended, &lost(error));
        self.fail(voided, &unguarded());
        if let Some(router) = self.router() {
            router.lost(self.home.lane_id);
        }
    }
}

/// The error for the callers of a connection that was lost because of `error`.
fn lost(error: &Error) -> Error {
    if error.kind() == ErrorClass::Protocol {
        return error.clone();
    }
    let text = match error.is_of_system() {
        true => error.message(),
        false => "the connection was lost before the reply came",
    };
    Error::connection("CONNECTION_LOST", text).retryable().with_cause(error.clone())
}

/// Whether an encoded command may be written again without harm. Some change nothing but the
/// connection, and the commands queued behind SELECT must find its database.
fn is_repeatable(encoded: &[u8]) -> bool {
    command::of(encoded)
        .is_some_and(|spec| spec.is_repeatable() || pool::Standing::takes(spec.name))
}
