//! What goes back to the caller's thread: replies, failures, events.
//!
//! Owns the queue between the I/O threads and one event loop, its byte bound and its one pending
//! wake-up. Never looks inside a reply. Invariant: whenever the queue is not empty, a wake-up is
//! pending or the caller is draining.

mod backlog;
mod owners;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

pub use self::backlog::{Backlog, BacklogStats, Messages, Row};
pub use self::owners::Outboxes;
use crate::error::Error;
use crate::resp::Frames;

/// Bytes of replies that may wait for a busy event loop before lanes stop reading their sockets.
/// Two reads of the largest ordinary reply (16 MiB) and as much again in flight.
const HIGH_WATER: usize = 64 << 20;

/// Something for the caller's thread.
#[derive(Debug)]
pub enum Delivery {
    /// Replies of one decode step, in the order of `frames.replies`.
    Replies {
        /// The decoded values.
        frames: Frames,
        /// For each reply whose it is; [`Whose::NOBODY`] where the caller has gone.
        whose: Vec<Whose>,
    },
    /// Commands that will get no reply, and why.
    Failures(Vec<(u32, Error)>),
    /// Messages wait in here. They are no part of the outbox's own bound: a backlog has its own.
    Messages(Arc<Backlog>),
    /// Requests that no reply answers (for a session, for messages) have ended, by their tickets.
    Settled(Vec<(u32, Option<Error>)>),
    /// A change of state worth telling.
    Event(Event),
}

/// The command a reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose {
    /// The command's id.
    pub id: u32,
    /// How the caller wants it decoded; with [`Whose::PART`], which part of a block it answers.
    pub mode: u32,
}

impl Whose {
    /// A reply to throw away. No command carries this mode.
    pub const NOBODY: Whose = Whose { id: 0, mode: u32::MAX };
    /// This reply, an error, does not end its command: it answers one part of a block.
    pub const PART: u32 = 1 << 31;

    /// The reply to a block's part at `index`, 0 being MULTI. Ten bytes make the shortest part and
    /// a block has less than 2^32, so that no index reaches the mode of [`Whose::NOBODY`].
    pub fn part(id: u32, index: u32) -> Self {
        Self { id, mode: Self::PART | index }
    }

    /// Whether this is the one reply that a caller waits for.
    pub fn is_whole(&self) -> bool {
        self.mode & Self::PART == 0
    }

    /// Which part of a block it answers, if it does.
    pub fn index(&self) -> Option<u32> {
        (!self.is_whole() && *self != Self::NOBODY).then_some(self.mode & !Self::PART)
    }
}

/// A change of state that applications may listen to.
#[derive(Debug, Clone)]
pub enum Event {
    /// The client's lane of this place has a connection that has finished its handshake.
    Ready(u32),
    /// The exclusive lane of this place can be watched.
    Opened(u32),
    /// The exclusive lane of this place has ended.
    Left(u32),
    /// The watcher of the lane of this place is to ask what to wait for: the driver has taken the
    /// connection over or handed it back, or found it without room.
    Look(u32),
    /// The last usable connection is gone, or a connection attempt has failed; the address of its
    /// node, if it is about one.
    Error(Error, Option<String>),
    /// The nodes of a deployment are known (for the first time), or may have changed.
    Topology(bool),
    /// Another attempt will be made, after this many failures in a row.
    Reconnecting(u32),
    /// The reconnect strategy gave up: nothing will be tried any more.
    Stopped(Error),
    /// The JavaScript reconnect strategy is asked after this many failures (query id, failures,
    /// cause).
    AskDelay(u32, u32, Error),
    /// The JavaScript credentials provider is asked (query id).
    AskCredentials(u32),
    /// Subscriptions that were lost stand again.
    Resubscribed(Resubscribed),
}

/// What a loss of subscriptions has meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resubscribed {
    /// Channels that are subscribed to again.
    pub channels: u32,
    /// Patterns.
    pub patterns: u32,
    /// Shard channels.
    pub shard_channels: u32,
    /// How long messages may have been missed at most: from the loss, or the last sign of life of a
    /// dead peer, until the last one of these was confirmed.
    pub lost: Duration,
}

/// The queue towards one event loop.
pub struct Outbox {
    queue: Mutex<Vec<Delivery>>,
    bytes: AtomicUsize,
    awake: AtomicBool,
    drained: Notify,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Outbox {
    /// An empty outbox; `wake` asks the caller's thread to call [`Outbox::drain`] soon.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            queue: Mutex::default(),
            bytes: AtomicUsize::new(0),
            awake: AtomicBool::new(false),
            drained: Notify::new(),
            wake: Box::new(wake),
        }
    }

    /// Queues `delivery` and wakes the caller's thread unless that is on its way already.
    pub fn push(&self, delivery: Delivery) {
        self.bytes.fetch_add(size(&delivery), Ordering::Relaxed);
        self.lock().push(delivery);
        if !self.awake.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }

    /// Makes wake-ups needless until the next [`Outbox::drain`], which the caller promises.
    pub fn hold(&self) {
        self.awake.store(true, Ordering::Release);
    }

    /// Takes everything queued. The flag is cleared first: what is pushed from now on wakes again.
    pub fn drain(&self) -> Vec<Delivery> {
        self.awake.store(false, Ordering::Release);
        let taken = std::mem::take(&mut *self.lock());
        let bytes = taken.iter().map(size).sum();
        let before = self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        if before > HIGH_WATER {
            self.drained.notify_waiters();
        }
        taken
    }

    /// Whether so much waits for the caller that no more should be read for now.
    pub fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Acquire) > HIGH_WATER
    }

    /// Waits until the outbox is no longer full.
    pub async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            if !self.is_full() {
                return;
            }
            drained.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Delivery>> {
        // A panic while the lock was held cannot leave a Vec half-changed by push or take.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(delivery: &Delivery) -> usize {
    match delivery {
        Delivery::Replies { frames, .. } => frames.bytes.len(),
        Delivery::Failures(_)
        | Delivery::Messages(_)
        | Delivery::Settled(_)
        | Delivery::Event(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pushes_make_one_wake_up_until_drained() {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&wakes);
        let outbox = Outbox::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        outbox.push(Delivery::Event(Event::Ready(0)));
        outbox.push(Delivery::Event(Event::Ready(0)));
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        assert_eq!(outbox.drain().len(), 2);
        outbox.push(Delivery::Event(Event::Ready(0)));
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
    }
}
