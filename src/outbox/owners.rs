//! The event loops that share one client, each with an outbox of its own.
//!
//! Owns the list of these event loops, called owners. A command carries the number of its owner, and
//! its reply goes there. Events of the client as a whole go to all owners. Invariant: what comes for
//! an owner that has left is dropped, so that no other owner ever gets it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::Notify;

use super::{ChangedKeys, Delivery, Event, Outbox};
use crate::error::Error;

/// The outboxes of one client by the numbers of their owners.
pub struct Outboxes {
    /// Each reply takes a read lock. Owners are few, and a client that is not shared has one.
    owners: RwLock<Owners>,
    /// Wakes whoever waits for room when an owner leaves.
    left: Notify,
}

struct Owners {
    /// The number that was given out last.
    last: u32,
    boxes: BTreeMap<u32, Arc<Outbox>>,
}

impl From<Arc<Outbox>> for Outboxes {
    /// The outboxes of a client that is not shared. Its only owner has number 0.
    fn from(only: Arc<Outbox>) -> Self {
        let owners = Owners { last: 0, boxes: BTreeMap::from([(0, only)]) };
        Self { owners: RwLock::new(owners), left: Notify::new() }
    }
}

impl Outboxes {
    /// Adds an event loop, and returns its number, which no other owner had before.
    pub fn join(&self, outbox: Arc<Outbox>) -> u32 {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        owners.last += 1;
        let owner = owners.last;
        owners.boxes.insert(owner, outbox);
        owner
    }

    /// Removes an event loop. The last one stays, because it has to hear how commands end; the
    /// result is false then.
    pub fn leave(&self, owner: u32) -> bool {
        let mut owners = self.owners.write().unwrap_or_else(PoisonError::into_inner);
        let is_last = owners.boxes.len() == 1 && owners.boxes.contains_key(&owner);
        if !is_last {
            owners.boxes.remove(&owner);
        }
        drop(owners);
        self.left.notify_waiters();
        !is_last
    }

    /// Queues `delivery` for `owner`.
    pub fn push(&self, owner: u32, delivery: Delivery) {
        // Not under the lock: a push may run the code that wakes an event loop up.
        let outbox = self.read().boxes.get(&owner).cloned();
        if let Some(outbox) = outbox {
            outbox.push(delivery);
        }
    }

    /// Tells owners of commands that get no reply: each with its owner, its id, and the reason.
    pub fn fail(&self, failures: impl IntoIterator<Item = (u32, u32, Error)>) {
        let mut of: BTreeMap<u32, Vec<(u32, Error)>> = BTreeMap::new();
        for (owner, id, error) in failures {
            of.entry(owner).or_default().push((id, error));
        }
        for (owner, failures) in of {
            self.push(owner, Delivery::Failures(failures));
        }
    }

    /// Tells all owners.
    pub fn tell(&self, event: Event) {
        if let Event::Topology(_) = event {
            // Slots may have moved, and the nodes that they have left tell nothing of them any more.
            self.lose_track();
        }
        for outbox in self.all() {
            outbox.push(Delivery::Event(event.clone()));
        }
    }

    /// Tells the caches of all owners which keys have changed.
    pub fn invalidate(&self, keys: &ChangedKeys) {
        self.all().iter().for_each(|outbox| outbox.invalidate(keys));
    }

    /// Nothing that the owners have cached so far may be served any more. Takes effect at once: no
    /// owner has to be told.
    pub fn lose_track(&self) {
        self.read().boxes.values().for_each(|outbox| outbox.invalidations().lose());
    }

    fn all(&self) -> Vec<Arc<Outbox>> {
        self.read().boxes.values().cloned().collect()
    }

    /// Whether so many bytes wait for one of them that lanes should stop reading for now.
    pub fn is_full(&self) -> bool {
        self.read().boxes.values().any(|outbox| outbox.is_full())
    }

    /// Waits until none of them is full.
    pub async fn room(&self) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            // Enabled before the look, so that no owner leaves unnoticed in between.
            left.as_mut().enable();
            let full = self.read().boxes.values().find(|outbox| outbox.is_full()).cloned();
            let Some(full) = full else { return };
            tokio::select! {
                () = full.room() => {}
                () = left => {}
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Owners> {
        // A panic leaves nothing half changed: entries are put in and taken out as a whole.
        self.owners.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::resp::Frames;

    fn outbox() -> Arc<Outbox> {
        Arc::new(Outbox::new(|| {}))
    }

    fn failures(outbox: &Outbox) -> Vec<u32> {
        let deliveries = outbox.drain().into_iter();
        let failures = deliveries.filter_map(|delivery| match delivery {
            Delivery::Failures(failures) => Some(failures),
            _ => None,
        });
        failures.flatten().map(|(id, _)| id).collect()
    }

    #[test]
    fn each_owner_gets_its_own() {
        let (first, second) = (outbox(), outbox());
        let all = Outboxes::from(Arc::clone(&first));
        let owner = all.join(Arc::clone(&second));
        let error = Error::usage("x");
        all.fail([(owner, 1, error.clone()), (0, 1, error.clone()), (owner, 2, error)]);
        assert_eq!(failures(&first), [1]);
        assert_eq!(failures(&second), [1, 2]);
    }

    #[test]
    fn what_comes_for_an_owner_who_has_left_is_dropped() {
        let (first, second) = (outbox(), outbox());
        let all = Outboxes::from(Arc::clone(&first));
        let owner = all.join(second);
        assert!(all.leave(owner));
        let next = outbox();
        assert_ne!(all.join(Arc::clone(&next)), owner);
        all.fail([(owner, 1, Error::usage("x"))]);
        assert!(failures(&first).is_empty() && failures(&next).is_empty());
    }

    fn fill(outbox: &Outbox) {
        let bytes = Bytes::from(vec![b'x'; super::super::HIGH_WATER + 1]);
        let frames = Frames { bytes, ..Frames::default() };
        outbox.push(Delivery::Replies { lane_id: 0, frames, whose: Vec::new() });
    }

    #[tokio::test(start_paused = true)]
    async fn one_full_outbox_stops_all_until_it_is_drained_or_its_owner_goes() {
        let (first, second) = (outbox(), outbox());
        let all = Arc::new(Outboxes::from(Arc::clone(&first)));
        let owner = all.join(Arc::clone(&second));
        for goes in [false, true] {
            fill(&second);
            assert!(all.is_full());
            let waiting = Arc::clone(&all);
            let room = tokio::spawn(async move { waiting.room().await });
            tokio::task::yield_now().await;
            assert!(!room.is_finished());
            if goes {
                assert!(all.leave(owner));
            } else {
                second.drain();
            }
            tokio::time::timeout(Duration::from_secs(1), room).await.unwrap().unwrap();
            assert!(!all.is_full());
        }
    }

    #[test]
    fn the_last_owner_stays() {
        let all = Outboxes::from(outbox());
        let owner = all.join(outbox());
        assert!(all.leave(0));
        assert!(!all.leave(owner));
    }
}
