//! A shared lane lends its connection to an exclusive one.
//!
//! A command that may wait on the server needs a connection of its own. If the shared lane is idle,
//! its connection is at hand, so the command goes out at once and nothing that another client sends
//! later overtakes it. The shared lane makes another connection as soon as it has a command to send.
//!
//! Invariant: a connection is lent only while nothing is queued, due or watched on it. Its lease
//! follows from driver to driver, so it is never dropped outside of the runtime.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::conduit::{Conduit, Traffic};
use super::driver;
use super::front::Lane;
use super::home::Home;
use super::link::{Attendant, Link};
use super::wire::Wire;
use crate::connection::Reader;
use crate::error::Error;
use crate::options::Reconnect;
use crate::pool::{Lease, Permit};
use crate::stream::Stream;

/// A connection that was lent.
pub struct Loan {
    /// The exclusive lane that has it now.
    pub lane: Lane,
    /// The database that it has selected.
    pub database: u32,
    /// When it is to be replaced.
    pub expires: Option<Instant>,
    /// The pool's generation that it is of.
    pub generation: u32,
    /// The epoch of what holds on it.
    pub epoch: u32,
}

/// Where the lease of a connection goes that was lent, and what of it belongs to the borrower.
pub(super) struct Handover {
    borrower: oneshot::Sender<Lease>,
    permit: Permit,
    database: u32,
}

impl Lane {
    /// Lends the connection of this shared lane to an exclusive lane with `home`. None if there is
    /// no idle connection to lend, or the pool has no room for another session. Must be called
    /// inside the runtime.
    pub fn lend(&self, home: Home) -> Option<Loan> {
        let conduit = &self.conduit;
        if !conduit.may_lend() {
            return None;
        }
        let (stream, wire) = self.sound_connection()?;
        // A read holds the wire while it changes the traffic.
        let mut wire = wire.lock().unwrap_or_else(PoisonError::into_inner);
        let mut traffic = conduit.lock();
        if !traffic.is_idle_on(&stream) {
            return None;
        }
        let pool = &conduit.home.pool;
        let generation = wire.generation();
        if generation != pool.generation() {
            return None;
        }
        let permit = pool.permit()?;
        let lent = wire.lend(Reader::new(conduit.home.options.limits))?;
        let (borrower, lease) = oneshot::channel();
        let (database, expires) = (pool.database(), traffic.expires);
        traffic.link = Link::Dormant;
        traffic.is_lent = true;
        traffic.handover = Some(Handover { borrower, permit, database });
        drop(traffic);
        let lent = Arc::new(Mutex::new(lent));
        let taker = Arc::new(Conduit::new(home, true));
        taker.lock().link = Link::Up {
            stream,
            wire: Arc::clone(&lent),
            // The caller's thread watches it once it has heard of it.
            attendant: Attendant::Driver,
            blocked: false,
            unread: false,
            is_unwatched: false,
            failed: None,
        };
        let lender = Arc::downgrade(conduit);
        tokio::spawn(driver::supervise_borrower(Arc::clone(&taker), lender, lease, lent));
        self.wake();
        let lane = Lane { conduit: taker };
        Some(Loan { lane, database, expires, generation, epoch: pool.epoch() })
    }

    /// The connection, after a look at it if it was silent for a while.
    fn sound_connection(&self) -> Option<(Arc<Stream>, Arc<Mutex<Wire>>)> {
        let mut traffic = self.conduit.lock();
        traffic.look_after_pause(Instant::now());
        let (sound, is_over) = match &traffic.link {
            Link::Up { stream, wire, unread: false, failed: None, .. } => {
                (Some((Arc::clone(stream), Arc::clone(wire))), false)
            }
            link => (None, matches!(link, Link::Up { .. })),
        };
        drop(traffic);
        if is_over {
            self.wake();
        }
        sound
    }
}

impl Conduit {
    /// Whether the lane may do without a connection until its next command comes.
    fn may_lend(&self) -> bool {
        let options = &self.home.options;
        !self.is_exclusive
            && !self.tracks()
            && self.home.router.is_none()
            && options.reconnect != Reconnect::Once
            && options.offline_queue
    }

    /// The loan is over, and the connection is gone or in the pool: the lane takes another one, as
    /// it would have one if it had lent none.
    pub(super) fn reclaim(&self) {
        let mut traffic = self.lock();
        if traffic.is_lent && matches!(traffic.link, Link::Dormant) {
            traffic.link = Link::Connecting;
            drop(traffic);
            self.wake.notify_one();
        }
    }

    /// The connection was lost for `error` while it was lent. That is the lane's own loss, unless it
    /// has another one already.
    pub(super) fn lose_lent(&self, error: &Error) {
        let is_own = {
            let mut traffic = self.lock();
            let is_dormant = matches!(traffic.link, Link::Dormant);
            std::mem::take(&mut traffic.is_lent) && is_dormant
        };
        if !is_own {
            return;
        }
        self.lose(error);
        if self.home.options.reconnect == Reconnect::Never {
            self.stop(error);
        }
        self.wake.notify_one();
    }

    /// Hands the lease of a lent connection to its borrower. Gives it back if none was lent.
    pub(super) fn hand_over(&self, mut lease: Lease) -> Option<Lease> {
        let Some(handover) = self.lock().handover.take() else { return Some(lease) };
        lease.lend(handover.permit, handover.database);
        // If the borrower is gone, the lease ends here: it is marked as broken.
        drop(handover.borrower.send(lease));
        None
    }
}

impl Traffic {
    /// Whether nothing is queued, due or watched on `stream`, which the lane still has.
    fn is_idle_on(&self, stream: &Arc<Stream>) -> bool {
        let is_sound = matches!(&self.link,
            Link::Up { stream: current, blocked: false, unread: false, failed: None, .. }
                if Arc::ptr_eq(current, stream));
        is_sound && self.ping.is_none() && self.moving == 0 && self.queue.is_untouched()
    }
}

/// The lane that has lent a connection.
pub(super) type Lender = Weak<Conduit>;
