//! What callers call: the handle of a lane.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::batch::Batch;
use super::conduit::{unguarded, Conduit, Exit};
use super::driver;
use super::home::Home;
use super::link::{Attendant, Link};
use super::writer::INLINE;
use crate::error::{Applied, Error, ErrorClass};
use crate::pool::Lease;

/// A queue of commands and the connection that they go over.
#[derive(Clone)]
pub struct Lane {
    pub(super) conduit: Arc<Conduit>,
}

/// What a lane holds at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneStats {
    /// Commands that are not answered yet.
    pub queued: usize,
    /// How many of these are on the wire.
    pub in_flight: usize,
    /// Encoded bytes of the commands that are not answered yet.
    pub bytes: usize,
    /// Whether the connection stands.
    pub connected: bool,
}

/// What the caller learns about a batch that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// Encoded bytes that are not answered yet, this batch included.
    pub queued: usize,
    /// Whether there is a connection for it.
    pub is_up: bool,
}

impl Lane {
    /// A lane that everybody shares. It connects when the first command comes or [`Lane::connect`]
    /// is called. Must be called inside the runtime.
    pub fn start(home: Home) -> Self {
        let conduit = Arc::new(Conduit::new(home, false));
        let weak = Arc::downgrade(&conduit);
        let look = move || weak.upgrade().map(|conduit| conduit.wake.notify_one()).is_some();
        conduit.home.pool.on_suspicion(look);
        tokio::spawn(driver::supervise(Arc::clone(&conduit)));
        Self { conduit }
    }

    /// A lane over `lease`, which one caller has to itself. Must be called inside the runtime.
    pub fn exclusive(home: Home, lease: Lease) -> Self {
        let conduit = Arc::new(Conduit::new(home, true));
        tokio::spawn(driver::supervise_exclusive(Arc::clone(&conduit), lease));
        Self { conduit }
    }

    /// Queues a batch and writes as much as the socket takes at once. From any thread.
    ///
    /// # Errors
    ///
    /// `CLOSED`; `SESSION_LOST` once an exclusive lane has lost its connection; `OFFLINE` with
    /// `disableOfflineQueue`. The batch comes back with the error; nothing of it was queued.
    pub fn submit(&self, batch: Batch) -> Result<Submitted, (Batch, Error)> {
        let now = batch.submitted();
        let earliest = batch.earliest_deadline();
        let large = batch.bytes().len() > INLINE;
        let home = &self.conduit.home;
        let mut traffic = self.conduit.lock();
        match traffic.link {
            Link::Up { .. } => {}
            Link::Closed => {
                let error = traffic.exit.error().unwrap_or_else(closed);
                return Err((batch, error));
            }
            _ if self.conduit.is_exclusive => {}
            _ if home.options.offline_queue || batch.is_patient() => {}
            _ => {
                drop(traffic);
                self.connect();
                return Err((batch, self.offline()));
            }
        }
        traffic.queue.push(batch);
        let mut wake = match &mut traffic.link {
            Link::Up { blocked: true, .. } | Link::Connecting => false,
            Link::Up { blocked, attendant, .. } if large => {
                // The driver writes this batch and everything behind it.
                *blocked = true;
                *attendant = Attendant::Driver;
                true
            }
            Link::Up { attendant, .. } => {
                let attendant = *attendant;
                traffic.write(now, &home.metrics).needs_driver(attendant)
            }
            Link::Dormant | Link::Closed => true,
        };
        if let (Some(deadline), Some(armed)) = (earliest, traffic.armed) {
            wake |= deadline < armed;
        }
        let queued = traffic.queue.bytes();
        let is_up = matches!(traffic.link, Link::Up { .. });
        let voided = traffic.queue.take_voided();
        drop(traffic);
        if !voided.is_empty() {
            self.conduit.fail(voided, &unguarded());
        }
        if wake {
            self.wake();
        }
        Ok(Submitted { queued, is_up })
    }

    /// Ends the command `id` of `owner`, whose caller has gone. None if it is not in this lane.
    pub fn cancel(&self, owner: u32, id: u32) -> Option<Applied> {
        let mut traffic = self.conduit.lock();
        let applied = traffic.queue.cancel(owner, id);
        traffic.doubt |= applied.is_some();
        applied
    }

    /// Writes nothing more to the connection, which the pool is about to suspect: what comes later
    /// goes to the next one. Forgets what is watched, so later transactions need no guard.
    pub fn start_over(&self) {
        let mut traffic = self.conduit.lock();
        traffic.queue.forget_watches();
        if matches!(traffic.link, Link::Up { failed: None, .. }) {
            traffic.queue.retire();
        }
        drop(traffic);
        self.wake();
    }

    /// Sends no PING to an idle connection from now on, or does so again. The caller has opened a
    /// transaction on it, and would find the PING's answer among those of the transaction.
    pub fn hold_pings(&self, holds: bool) {
        self.conduit.lock().holds_pings = holds;
        self.wake();
    }

    /// Connects, if that was not asked yet.
    pub fn connect(&self) {
        let mut traffic = self.conduit.lock();
        if matches!(traffic.link, Link::Dormant) {
            traffic.link = Link::Connecting;
            drop(traffic);
            self.wake();
        }
    }

    /// Ends every command of `owner`, who has gone, with `error`. Those of others go on.
    pub fn abandon(&self, owner: u32, error: &Error) {
        let ended = self.conduit.lock().queue.abandon(owner);
        self.conduit.fail(ended, error);
    }

    /// Ends every command with `error` and closes the connection, for good.
    pub fn close(&self, error: &Error) {
        let mut traffic = self.conduit.lock();
        self.conduit.lose_track();
        let link = std::mem::replace(&mut traffic.link, Link::Closed);
        let ended = traffic.queue.fail_all();
        drop(traffic);
        if let Link::Up { stream, .. } = link {
            stream.close();
        }
        self.conduit.fail(ended, error);
        self.wake();
    }

    /// Lets an exclusive lane end once everything queued is answered: its connection goes back to
    /// the pool, unless a command of `cleaning` is refused. Nothing may be submitted any more.
    pub fn leave(&self, cleaning: &[u8]) {
        let now = Instant::now();
        let mut traffic = self.conduit.lock();
        if traffic.link.is_closed() {
            return;
        }
        traffic.exit = Exit::Leaving { refused: false };
        traffic.queue.push(Batch::internal(Bytes::copy_from_slice(cleaning), now));
        traffic.write(now, &self.conduit.home.metrics);
        drop(traffic);
        self.wake();
    }

    /// Whether commands can be written, as far as is known.
    pub fn is_up(&self) -> bool {
        match self.conduit.lock().link {
            Link::Up { failed: None, .. } => true,
            // An exclusive lane has its connection from the start; its driver may not run yet.
            Link::Connecting => self.conduit.is_exclusive,
            _ => false,
        }
    }

    /// Whether commands can be written: as [`Lane::is_up`], after a look at the connection if it was
    /// silent for a while.
    pub fn is_alive(&self) -> bool {
        let now = Instant::now();
        let mut traffic = self.conduit.lock();
        traffic.look_after_pause(now);
        let (is_alive, is_over) = match &traffic.link {
            Link::Up { unread, failed, .. } => (!unread && failed.is_none(), failed.is_some()),
            Link::Connecting => (self.conduit.is_exclusive, false),
            Link::Dormant | Link::Closed => (false, false),
        };
        drop(traffic);
        if is_over {
            self.wake();
        }
        is_alive
    }

    /// Whether a command has failed, or ended without its reply, since this was asked last.
    pub fn take_doubt(&self) -> bool {
        std::mem::take(&mut self.conduit.lock().doubt)
    }

    /// What the lane holds now.
    pub fn stats(&self) -> LaneStats {
        let traffic = self.conduit.lock();
        LaneStats {
            queued: traffic.queue.commands(),
            in_flight: traffic.queue.in_flight(),
            bytes: traffic.queue.bytes(),
            // The connection that was lent is as good as its own: it comes back, or is replaced.
            connected: matches!(traffic.link, Link::Up { .. }) || traffic.is_lent,
        }
    }

    /// Encoded bytes of the commands that are not answered yet.
    pub fn queued_bytes(&self) -> usize {
        self.conduit.lock().queue.bytes()
    }

    /// Encoded bytes of the batches of `owner` that are not wholly answered. Looks at each batch,
    /// so it is only for a caller that finds the lane too full.
    pub fn queued_bytes_of(&self, owner: u32) -> usize {
        self.conduit.lock().queue.bytes_of(owner)
    }

    fn offline(&self) -> Error {
        let text = "The client is offline";
        let error = Error::new(ErrorClass::Offline, "OFFLINE", text).with_applied(Applied::No);
        match self.conduit.home.pool.last_error() {
            Some(cause) => error.retryable().with_cause(cause),
            None => error.retryable(),
        }
    }

    pub(super) fn wake(&self) {
        self.conduit.wake.notify_one();
    }
}

fn closed() -> Error {
    Error::new(ErrorClass::Closed, "CLOSED", "The client is closed").with_applied(Applied::No)
}
