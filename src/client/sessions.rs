//! The sessions of a client, by their owners and places.
//!
//! Invariant: an owner that was closed has no session, also none that was being opened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::closed;
use crate::error::{Error, Result};
use crate::session::Session;

#[derive(Default)]
pub(super) struct Sessions {
    all: Mutex<All>,
}

#[derive(Default)]
struct All {
    open: HashMap<(u32, u32), Entry>,
}

#[derive(Clone)]
struct Entry {
    session: Arc<Session>,
    /// The place of its node.
    node: u32,
    /// The slot that its keys have to be in, where there are several nodes.
    slot: Option<u16>,
}

impl Sessions {
    /// Puts a session in its place, which is that of its owner and its number; fails if its owner was
    /// closed meanwhile, which `is_over` has said since before [`Sessions::close`].
    pub(super) fn open(
        &self,
        (owner, place): (u32, u32),
        node: u32,
        session: Session,
        is_over: &AtomicBool,
    ) -> Result<()> {
        let mut all = self.lock();
        if is_over.load(Ordering::Relaxed) {
            drop(all);
            session.close(&closed());
            return Err(closed());
        }
        all.open.insert((owner, place), Entry { session: Arc::new(session), node, slot: None });
        Ok(())
    }

    pub(super) fn get(&self, owner: u32, place: u32) -> Option<Arc<Session>> {
        self.lock().open.get(&(owner, place)).map(|entry| Arc::clone(&entry.session))
    }

    /// Lets a session take keys of `slot` only, or of any slot.
    pub(super) fn bind(&self, owner: u32, place: u32, slot: Option<u16>) {
        if let Some(entry) = self.lock().open.get_mut(&(owner, place)) {
            entry.slot = slot;
        }
    }

    /// The slot that a session was bound to.
    pub(super) fn slot(&self, owner: u32, place: u32) -> Option<u16> {
        self.lock().open.get(&(owner, place))?.slot
    }

    /// The place of the node of a session.
    pub(super) fn node(&self, owner: u32, place: u32) -> Option<u32> {
        self.lock().open.get(&(owner, place)).map(|entry| entry.node)
    }

    pub(super) fn remove(&self, owner: u32, place: u32) -> Option<Arc<Session>> {
        self.lock().open.remove(&(owner, place)).map(|entry| entry.session)
    }

    /// All sessions of `owner`.
    pub(super) fn of(&self, owner: u32) -> Vec<Arc<Session>> {
        let all = self.lock();
        let own = all.open.iter().filter(|((of, _), _)| *of == owner);
        own.map(|(_, entry)| Arc::clone(&entry.session)).collect()
    }

    /// Ends all sessions of `owner`; those that are being opened end when they are open.
    pub(super) fn close(&self, owner: u32, error: &Error) {
        let mut all = self.lock();
        let mut own = Vec::new();
        all.open.retain(|(of, _), entry| {
            let stays = *of != owner;
            if !stays {
                own.push(Arc::clone(&entry.session));
            }
            stays
        });
        drop(all);
        own.iter().for_each(|session| session.close(error));
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        // Whole entries are put in and taken out: a panic leaves nothing half done.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
