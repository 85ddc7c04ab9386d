//! Doubts about the server that a node's name leads to: the generations of its connections.
//!
//! A server that tells that it is a replica is not the one that the name leads to, or will not be
//! for long. So every connection that was made before is suspect, and a new generation begins. If
//! the new ones hear the same, the name still leads there: they are made ever more slowly.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::backoff::Flaps;

/// The doubts about one node.
pub(super) struct Doubts {
    generation: Arc<AtomicU32>,
    pace: Mutex<Pace>,
    listeners: Mutex<Vec<Listener>>,
}

/// Is called when a generation has ended. Returns false once nobody listens any more.
type Listener = Box<dyn Fn() -> bool + Send>;

/// When the connections of a generation may be made.
struct Pace {
    flaps: Flaps,
    /// From when on connections of the present generation may be made.
    begins: Instant,
}

impl Doubts {
    pub(super) fn new() -> Self {
        let pace = Pace { flaps: Flaps::default(), begins: Instant::now() };
        Self { generation: Arc::default(), pace: Mutex::new(pace), listeners: Mutex::default() }
    }

    /// The present generation.
    pub(super) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// The present generation, as it changes.
    pub(super) fn current(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.generation)
    }

    /// Ends `generation`. Returns false if it has ended before. `random` is uniform in `0.0..1.0`.
    pub(super) fn end(&self, generation: u32, now: Instant, random: f64) -> bool {
        let mut pace = self.pace();
        let next = generation.wrapping_add(1);
        let (before, after) = (Ordering::AcqRel, Ordering::Acquire);
        if self.generation.compare_exchange(generation, next, before, after).is_err() {
            return false;
        }
        let served = now.saturating_duration_since(pace.begins);
        pace.begins = now + pace.flaps.ended(served, random).unwrap_or_default();
        drop(pace);
        self.listeners().retain(|listener| listener());
        true
    }

    /// Calls `listener` from now on when a generation has ended.
    pub(super) fn listen(&self, listener: Listener) {
        self.listeners().push(listener);
    }

    /// From when on connections of the present generation may be made.
    pub(super) fn begins(&self) -> Instant {
        self.pace().begins
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        // A listener that panics is left in, or is gone; both do no harm.
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // An instant and a count, which no panic can leave out of step.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_generation_ends_once_however_many_of_its_connections_hear_it() {
        let doubts = Doubts::new();
        let now = Instant::now();
        assert!(doubts.end(0, now, 0.5));
        assert!(!doubts.end(0, now, 0.5));
        assert_eq!(doubts.generation(), 1);
        assert!(doubts.end(1, now, 0.5));
    }

    #[test]
    fn a_name_that_goes_on_leading_to_a_replica_is_asked_ever_more_slowly() {
        let doubts = Doubts::new();
        let mut now = Instant::now() + Duration::from_secs(60);
        let mut waits = Vec::new();
        for generation in 0..10 {
            doubts.end(generation, now, 1.0);
            waits.push((doubts.begins() - now).as_millis());
            now = doubts.begins() + Duration::from_millis(1);
        }
        assert_eq!(waits, [0, 0, 50, 100, 200, 400, 800, 1600, 2000, 2000]);
        now += Duration::from_secs(3);
        doubts.end(10, now, 1.0);
        assert_eq!(doubts.begins(), now, "the new primary has served for a while");
    }
}
