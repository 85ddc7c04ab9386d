//! What servers have said about keys that a client-side cache may hold.
//!
//! Owns the names that an event loop has not taken yet, their bound, and two numbers that its thread
//! reads without a call. Whichever thread reads the socket changes the numbers, before anybody
//! hears of a reply that came later. It never knows what is cached.
//!
//! Invariant: `undelivered` is 0 exactly when no name waits. It changes under the lock of the names.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The two numbers that the cache's thread reads at each look-up, in this order in memory.
#[derive(Debug, Default)]
#[repr(C)]
pub struct TrackingCell {
    /// Another number than before means that nothing cached so far may be served: a connection that
    /// tracked keys is lost, or the server has forgotten all keys.
    pub generation: AtomicU32,
    /// How many names wait.
    pub undelivered: AtomicU32,
}

/// Names of keys, one behind the other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ChangedKeys {
    bytes: Vec<u8>,
    /// Where each name ends.
    ends: Vec<usize>,
}

impl ChangedKeys {
    /// Adds a name.
    pub fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let bounds = starts.zip(&self.ends);
        bounds.map(|(start, end)| self.bytes.get(start..*end).unwrap_or_default())
    }

    fn append(&mut self, others: &Self) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&others.bytes);
        self.ends.extend(others.ends.iter().map(|end| end + offset));
    }
}

/// The invalidations that one event loop has not taken yet.
#[derive(Debug, Default)]
pub struct Invalidations {
    cell: Arc<TrackingCell>,
    undelivered: Mutex<Undelivered>,
}

#[derive(Debug, Default)]
struct Undelivered {
    keys: ChangedKeys,
    /// Whether the event loop knows that names wait.
    is_announced: bool,
}

impl Invalidations {
    /// The numbers that the event loop reads. They outlive the client, because JavaScript may.
    pub fn cell(&self) -> &Arc<TrackingCell> {
        &self.cell
    }

    /// Adds `keys`. True if the event loop has to be told. Too many names are dropped, and the whole
    /// cache with them.
    pub fn push(&self, keys: &ChangedKeys) -> bool {
        let mut undelivered = self.lock();
        undelivered.keys.append(keys);
        if undelivered.keys.len() > MOST_KEYS || undelivered.keys.bytes.len() > MOST_BYTES {
            undelivered.keys = ChangedKeys::default();
            self.lose();
        }
        self.count(&undelivered);
        !std::mem::replace(&mut undelivered.is_announced, true)
    }

    /// Takes all names.
    pub fn take(&self) -> ChangedKeys {
        let mut undelivered = self.lock();
        undelivered.is_announced = false;
        let taken = std::mem::take(&mut undelivered.keys);
        self.count(&undelivered);
        taken
    }

    /// Nothing that is cached so far may be served any more.
    pub fn lose(&self) {
        self.cell.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn count(&self, undelivered: &Undelivered) {
        let count = u32::try_from(undelivered.keys.len()).unwrap_or(u32::MAX);
        self.cell.undelivered.store(count, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Undelivered> {
        // A panic between two changes may leave the count too high or too low by names that the
        // generation does not cover, but nothing in here panics.
        self.undelivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names that may wait for a busy event loop. To forget 10,000 keys one by one takes some
/// milliseconds; to clear the cache takes one.
const MOST_KEYS: usize = 10_000;
/// Bytes of names that may wait: 1 MiB, which is 100 bytes for each of the names.
const MOST_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&[u8]]) -> ChangedKeys {
        let mut keys = ChangedKeys::default();
        names.iter().for_each(|name| keys.push(name));
        keys
    }

    fn numbers(invalidations: &Invalidations) -> (u32, u32) {
        let cell = invalidations.cell();
        (cell.generation.load(Ordering::Acquire), cell.undelivered.load(Ordering::Acquire))
    }

    #[test]
    fn names_come_out_as_they_went_in() {
        let invalidations = Invalidations::default();
        assert!(invalidations.push(&keys(&[b"a", b"", b"\xff\x00"])));
        assert!(!invalidations.push(&keys(&[b"bc"])));
        assert_eq!(numbers(&invalidations), (0, 4));
        let taken = invalidations.take();
        assert_eq!(taken.iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"\xff\x00", b"bc"]);
        assert_eq!(numbers(&invalidations), (0, 0));
    }

    #[test]
    fn the_event_loop_is_told_again_once_it_has_taken_everything() {
        let invalidations = Invalidations::default();
        assert!(invalidations.push(&keys(&[b"a"])));
        invalidations.take();
        assert!(invalidations.push(&keys(&[b"a"])));
    }

    #[test]
    fn too_many_names_cost_the_whole_cache_and_no_memory() {
        let invalidations = Invalidations::default();
        for _ in 0..MOST_KEYS {
            invalidations.push(&keys(&[b"k"]));
        }
        assert_eq!(numbers(&invalidations), (0, MOST_KEYS as u32));
        invalidations.push(&keys(&[b"k"]));
        assert_eq!(numbers(&invalidations), (1, 0));
        invalidations.push(&keys(&[&vec![b'k'; MOST_BYTES + 1]]));
        assert_eq!(numbers(&invalidations), (2, 0));
    }
}
