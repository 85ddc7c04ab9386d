//! The way back to a caller's thread: replies, failures, messages, events.
//!
//! Owns the queue between the I/O thread and one event loop, the bound of its bytes, and its one
//! pending wake-up. It never looks inside of a reply. Invariant: whenever the queue is not empty, a
//! wake-up is pending, or the caller is draining or has promised to ([`Outbox::hold`]).

mod backlog;
mod delivery;
mod event;
mod invalidations;
mod owners;
mod turn;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use self::backlog::{Backlog, BacklogStats, Message, Messages};
pub use self::delivery::{Delivery, Whose};
pub use self::event::{Event, Identity, Name, Resubscribed};
pub use self::invalidations::{ChangedKeys, Invalidations, TrackingCell};
pub use self::owners::Outboxes;
pub use self::turn::{EndOfTurn, Turn};
use crate::resp::Frames;

/// The queue of what one event loop has to be told.
pub struct Outbox {
    queue: Mutex<Vec<Delivery>>,
    bytes: AtomicUsize,
    awake: AtomicBool,
    drained: Notify,
    invalidations: Invalidations,
    wake: Box<dyn Fn() + Send + Sync>,
    prepare: Prepare,
}

/// Does ahead what replies need before a caller gets them. It runs on the thread that has read them.
pub type Prepare = fn(&mut Frames, &[Whose]);

impl Outbox {
    /// An empty outbox; `wake` asks the caller's thread to call [`Outbox::drain`] soon.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            queue: Mutex::default(),
            bytes: AtomicUsize::new(0),
            awake: AtomicBool::new(false),
            drained: Notify::new(),
            invalidations: Invalidations::default(),
            wake: Box::new(wake),
            prepare: |_, _| {},
        }
    }

    /// Calls `prepare` for all replies before they are queued.
    #[must_use]
    pub fn preparing(self, prepare: Prepare) -> Self {
        Self { prepare, ..self }
    }

    /// Queues `delivery`, and wakes the caller's thread unless a wake-up is pending.
    pub fn push(&self, mut delivery: Delivery) {
        if let Delivery::Replies { frames, whose, .. } = &mut delivery {
            (self.prepare)(frames, whose);
        }
        self.bytes.fetch_add(size(&delivery), Ordering::Relaxed);
        self.lock().push(delivery);
        if !self.awake.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }

    /// What servers have said about cached keys.
    pub fn invalidations(&self) -> &Invalidations {
        &self.invalidations
    }

    /// Queues invalidations, and wakes the caller's thread unless it knows of others that wait.
    pub fn invalidate(&self, keys: &ChangedKeys) {
        if self.invalidations.push(keys) {
            self.push(Delivery::Invalidations);
        }
    }

    /// Stops wake-ups until the next [`Outbox::drain`]. The caller promises to call that soon. If it
    /// turns out that it cannot, it calls [`Outbox::let_go`].
    pub fn hold(&self) {
        self.awake.store(true, Ordering::Release);
    }

    /// Takes back the promise of [`Outbox::hold`]: wakes the caller's thread if anything waits, and
    /// lets later pushes do so.
    pub fn let_go(&self) {
        self.awake.store(false, Ordering::Release);
        // Looked at after the flag was cleared: what is pushed later finds the flag cleared, and
        // what was pushed earlier is found here.
        let is_empty = self.lock().is_empty();
        if !is_empty && !self.awake.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }

    /// Takes everything queued. The flag is cleared first, so that a later push wakes the caller
    /// again; cleared afterwards, it would hide what was pushed in between.
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

    /// So many bytes that were drained still wait, so they count.
    pub fn keep(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes of [`Outbox::keep`] wait no more.
    pub fn give_up(&self, bytes: usize) {
        if self.bytes.fetch_sub(bytes, Ordering::AcqRel) > HIGH_WATER {
            self.drained.notify_waiters();
        }
    }

    /// Whether so many bytes wait for the caller that lanes should stop reading for now.
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
        // A panic while the lock was held cannot leave the queue half changed: `push` and `take`
        // change it as a whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes that count towards the bound.
fn size(delivery: &Delivery) -> usize {
    match delivery {
        Delivery::Replies { frames, .. } => frames.size(),
        Delivery::Failures(_)
        | Delivery::Messages(_)
        | Delivery::Settled(_)
        | Delivery::Invalidations
        | Delivery::Event(_) => 0,
    }
}

/// Bytes of replies, and of the tapes over them, that may wait for a busy event loop before lanes stop
/// reading their sockets: 64 MiB. That is two reads of the largest ordinary reply (16 MiB), and as much again that has
/// been read meanwhile.
const HIGH_WATER: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_that_were_drained_and_still_wait_keep_it_full() {
        let outbox = Arc::new(Outbox::new(|| {}));
        let bytes = vec![b'x'; HIGH_WATER + 1].into();
        let frames = crate::resp::Frames { bytes, ..Default::default() };
        outbox.push(Delivery::Replies { lane_id: 0, frames, whose: Vec::new() });
        assert!(outbox.is_full());
        for delivery in outbox.drain() {
            outbox.keep(size(&delivery));
        }
        assert!(outbox.is_full());
        let waiting = Arc::clone(&outbox);
        let room = tokio::spawn(async move { waiting.room().await });
        tokio::task::yield_now().await;
        assert!(!room.is_finished());
        outbox.give_up(HIGH_WATER + 1);
        assert!(!outbox.is_full());
        room.await.unwrap();
    }

    #[test]
    fn many_pushes_make_one_wake_up_until_drained() {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&wakes);
        let outbox = Outbox::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        outbox.push(Delivery::Event(Event::Ready(0, None)));
        outbox.push(Delivery::Event(Event::Ready(0, None)));
        assert_eq!(wakes.load(Ordering::Relaxed), 1);
        assert_eq!(outbox.drain().len(), 2);
        outbox.push(Delivery::Event(Event::Ready(0, None)));
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
    }
}
