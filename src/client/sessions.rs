//! The sessions of a client, by their owners and ids.
//!
//! Invariant: an owner that was closed has no session, also none that was just being opened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::servers::Servers;
use super::{closed, lost, Client};
use crate::error::{Error, Result};
use crate::outbox::Delivery;
use crate::session::{Released, Session};

impl Client {
    /// Opens the session `id`: any number that no lane and no other session of this event loop has.
    /// It is on the node at the place `node`, or on the node that takes commands without a key. The
    /// outbox says `Settled` for `id`, with a failure of [`crate::pool::Pool::acquire`] if there
    /// was one.
    pub fn open_session(&self, id: u32, node: Option<u32>) {
        let (engine, owner) = (Arc::clone(&self.engine), self.owner);
        let outbox = Arc::clone(&self.outbox);
        if self.is_over.load(Ordering::Relaxed) {
            return outbox.push(Delivery::Settled(vec![(id, Some(closed()))]));
        }
        let is_over = Arc::clone(&self.is_over);
        self.engine.runtime.spawn(async move {
            let opened = engine.open_session(owner, id, node, &is_over).await;
            outbox.push(Delivery::Settled(vec![(id, opened.err())]));
        });
    }

    /// Opens the session `id`, as [`Client::open_session`], over the connection of the only lane, if
    /// nothing is under way there: at once, and without a word in the outbox. The lane makes another
    /// connection when it needs one. False if there is no such connection, or threads share the
    /// client, since the others would wait for the next connection.
    pub fn borrow_lane(&self, id: u32) -> bool {
        let is_own = self.shared().is_none() && !self.is_over.load(Ordering::Relaxed);
        is_own && self.engine.borrow_lane(self.owner, id, &self.is_over)
    }

    /// Lets the session `id` take only commands with keys in `slot`, or without keys; with None,
    /// any command.
    pub fn bind_session(&self, id: u32, slot: Option<u16>) {
        self.engine.sessions.bind(self.owner, id, slot);
    }

    /// Takes a session from its caller.
    pub fn release(&self, id: u32) -> Released {
        let sessions = &self.engine.sessions;
        let Some(session) = sessions.get(self.owner, id) else { return Released::Gone };
        let released = session.release();
        if released == Released::Gone {
            sessions.remove(self.owner, id);
        }
        released
    }

    /// Ends a session. Its connection goes back to the pool if it is as it was and nothing is under
    /// way on it, and is closed otherwise.
    pub fn give_back(&self, id: u32) {
        if let Some(session) = self.engine.sessions.remove(self.owner, id) {
            session.give_back();
        }
    }

    /// Ends a session and all its commands with `error`, and closes its connection.
    pub fn end_session(&self, id: u32, error: &Error) {
        if let Some(session) = self.engine.sessions.remove(self.owner, id) {
            session.close(error);
        }
    }

    /// Whether the session `id` can be used, as far as is known.
    pub fn is_session_up(&self, id: u32) -> bool {
        self.engine.sessions.get(self.owner, id).is_some_and(|session| session.is_up())
    }

    /// Whether the session `id` can go on to another caller: it is as good as new, and its node
    /// still takes writes.
    pub fn is_session_fit(&self, id: u32) -> bool {
        let sessions = &self.engine.sessions;
        let is_fit = sessions.get(self.owner, id).is_some_and(|session| session.is_fit());
        is_fit
            && match &self.engine.servers {
                Servers::One { .. } => true,
                Servers::Several(router) => {
                    sessions.node(self.owner, id).is_some_and(|node| router.is_primary(node))
                }
            }
    }

    /// The error for a caller that has waited too long for a session of the node at the place
    /// `node`.
    pub fn pool_timeout(&self, node: Option<u32>, waited: Duration, waiting: usize) -> Error {
        match self.engine.servers.home(node) {
            Some(home) => home.pool.timeout_error(waited, waiting),
            None => lost(),
        }
    }

    /// The error of a caller that has waited for a connection for `waited`, with the step in which
    /// the attempt under way is stuck.
    pub fn connect_timeout(&self, waited: Duration) -> Error {
        match self.engine.servers.home(None) {
            Some(home) => home.pool.late(waited),
            None => lost(),
        }
    }

    /// Whether other event loops wait for a session; `waiting_here` callers of this one do.
    pub fn is_session_wanted_elsewhere(&self, waiting_here: usize) -> bool {
        let waiting = || self.engine.servers.home(None).map_or(0, |home| home.pool.stats().waiting);
        self.shared().is_some() && waiting() > waiting_here
    }
}

/// All sessions of a client, by their owners and ids.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<(u32, u32), OpenSession>>,
}

struct OpenSession {
    session: Arc<Session>,
    /// The place of its node.
    node: u32,
    /// The slot in which its keys have to be, if it is bound to one.
    slot: Option<u16>,
}

impl Sessions {
    /// Adds a session under its owner and id. Fails if its owner was closed meanwhile: `is_over` is
    /// set before [`Sessions::close`] is called.
    pub(super) fn open(
        &self,
        (owner, id): (u32, u32),
        node: u32,
        session: Session,
        is_over: &AtomicBool,
    ) -> Result<()> {
        let mut open = self.lock();
        if is_over.load(Ordering::Relaxed) {
            drop(open);
            session.close(&closed());
            return Err(closed());
        }
        open.insert((owner, id), OpenSession { session: Arc::new(session), node, slot: None });
        Ok(())
    }

    /// The session `id` of `owner`.
    pub(super) fn get(&self, owner: u32, id: u32) -> Option<Arc<Session>> {
        self.lock().get(&(owner, id)).map(|open| Arc::clone(&open.session))
    }

    /// Binds a session to a slot, or to none.
    pub(super) fn bind(&self, owner: u32, id: u32, slot: Option<u16>) {
        if let Some(open) = self.lock().get_mut(&(owner, id)) {
            open.slot = slot;
        }
    }

    /// The slot to which a session is bound.
    pub(super) fn slot(&self, owner: u32, id: u32) -> Option<u16> {
        self.lock().get(&(owner, id))?.slot
    }

    /// The place of the node of a session.
    pub(super) fn node(&self, owner: u32, id: u32) -> Option<u32> {
        self.lock().get(&(owner, id)).map(|open| open.node)
    }

    /// Takes a session out.
    pub(super) fn remove(&self, owner: u32, id: u32) -> Option<Arc<Session>> {
        self.lock().remove(&(owner, id)).map(|open| open.session)
    }

    /// All sessions of `owner`.
    pub(super) fn of(&self, owner: u32) -> Vec<Arc<Session>> {
        let all = self.lock();
        let of_owner = all.iter().filter(|((of, _), _)| *of == owner);
        of_owner.map(|(_, open)| Arc::clone(&open.session)).collect()
    }

    /// Ends all sessions of `owner`. Those that are being opened end once they are open.
    pub(super) fn close(&self, owner: u32, error: &Error) {
        let mut all = self.lock();
        let mut ended = Vec::new();
        all.retain(|(of, _), open| {
            let stays = *of != owner;
            if !stays {
                ended.push(Arc::clone(&open.session));
            }
            stays
        });
        drop(all);
        ended.iter().for_each(|session| session.close(error));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(u32, u32), OpenSession>> {
        // Whole entries are put in and taken out, so a panic leaves nothing half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
