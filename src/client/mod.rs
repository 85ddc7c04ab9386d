//! One client of the application: its pool, its lanes and sessions, and who gets which batch.
//!
//! Owns the choice of the lane. Knows nothing of JavaScript: whoever calls it hands over encoded
//! batches and takes replies from the [`Outbox`]. Several event loops may share one core: each has
//! a [`Client`] of its own, its own sessions and subscriptions, and hears of nobody else's replies.

mod core;
mod runtime;
mod sessions;
mod shared;
mod subscribers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::core::{Core, Way};
pub use self::shared::Shared;
use self::subscribers::Subscribers;
use crate::error::{Applied, Error, ErrorClass, Result};
use crate::lane::{Batch, Lane, LaneStats, Submitted};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Delivery, Event, Outbox};
use crate::pool::{PoolStats, Questions};
use crate::pubsub::{Subscriber, SubscriberStats, Topic};
use crate::session::Released;
use crate::topology::Router;

/// A running client, as one event loop has it. Dropping it closes it.
pub struct Client {
    core: Arc<Core>,
    /// Where others find the core, if they may; given up at the end, for it holds the name.
    shared: Mutex<Option<Arc<Shared>>>,
    /// Set before anything is ended: what is under way on the I/O thread looks here.
    is_over: Arc<AtomicBool>,
    /// By which the core knows this event loop.
    owner: u32,
    outbox: Arc<Outbox>,
    subscribers: Subscribers,
}

/// What a client is doing at one moment.
#[derive(Debug, Clone)]
pub struct ClientStats {
    /// The pool.
    pub pool: PoolStats,
    /// Each lane.
    pub lanes: Vec<LaneStats>,
    /// The subscriber, without MONITOR.
    pub pubsub: SubscriberStats,
}

impl Client {
    /// Starts a client; the first one of the process starts the I/O thread. Opens no connection
    /// before the first command or [`Client::connect`].
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work.
    ///
    /// `is_served_by_caller`: see [`Lane::start`].
    pub fn start(
        options: ClientOptions,
        outbox: Arc<Outbox>,
        is_served_by_caller: bool,
    ) -> Result<Self> {
        let core = Core::start(options, Arc::clone(&outbox), is_served_by_caller)?;
        Ok(Self::of(Arc::new(core), 0, outbox, None))
    }

    /// Joins the others who use `shared`, or starts it if there are none. Its lanes are never
    /// served by the caller.
    ///
    /// # Errors
    ///
    /// As for [`Client::start`].
    pub fn join(shared: &Arc<Shared>, outbox: Arc<Outbox>) -> Result<Self> {
        let (core, owner) = shared.join(Arc::clone(&outbox))?;
        // Others have heard it already.
        match &core.way {
            Way::One { lanes, .. } => {
                for (place, _) in (0..).zip(lanes).filter(|(_, lane)| lane.is_up()) {
                    outbox.push(Delivery::Event(Event::Ready(place)));
                }
            }
            Way::Many(router) if router.primary(None).is_some() => {
                outbox.push(Delivery::Event(Event::Topology(true)));
            }
            Way::Many(_) => {}
        }
        Ok(Self::of(core, owner, outbox, Some(Arc::clone(shared))))
    }

    fn of(core: Arc<Core>, owner: u32, outbox: Arc<Outbox>, shared: Option<Arc<Shared>>) -> Self {
        let _inside = core.runtime.enter();
        let subscribers = match &core.way {
            Way::One { home, .. } => Subscribers::start(home, &outbox),
            Way::Many(router) => Subscribers::start_among(router, &outbox, &core.metrics),
        };
        let (shared, is_over) = (Mutex::new(shared), Arc::default());
        Self { subscribers, core, shared, is_over, owner, outbox }
    }

    /// Hands over a batch. Returns the bytes that are queued in its lane now, by all who share it.
    /// A batch that cannot be taken ends with failures in the outbox.
    pub fn submit(&self, batch: Batch) -> usize {
        self.core.metrics.commands.add(batch.commands().len() as u64);
        let batch = batch.owned_by(self.owner);
        if self.is_over.load(Ordering::Relaxed) {
            return self.queued(Err((batch, closed().with_applied(Applied::No))));
        }
        match &self.core.way {
            Way::One { lanes, .. } => match lanes.as_slice() {
                [only] => self.queued(only.submit(batch)),
                lanes => match lanes.iter().min_by_key(|lane| lane.queued_bytes()) {
                    Some(lane) => self.queued(lane.submit(batch)),
                    None => 0,
                },
            },
            Way::Many(router) => router.submit(batch),
        }
    }

    /// Opens a session, which is then found at `place`: any number that no lane and no other
    /// session of this event loop has. The outbox says `Settled` for `place`.
    ///
    /// See [`crate::pool::Pool::acquire`] for the failures.
    ///
    /// Of several nodes, the session is on the one at `node`, or on any.
    pub fn open_session(&self, place: u32, node: Option<u32>) {
        let (core, owner) = (Arc::clone(&self.core), self.owner);
        let outbox = Arc::clone(&self.outbox);
        if self.is_over.load(Ordering::Relaxed) {
            return outbox.push(Delivery::Settled(vec![(place, Some(closed()))]));
        }
        let is_over = Arc::clone(&self.is_over);
        self.core.runtime.spawn(async move {
            let opened = core.open_session(owner, place, node, &is_over).await;
            outbox.push(Delivery::Settled(vec![(place, opened.err())]));
        });
    }

    /// Hands a batch to the session at `place`, as [`Client::submit`] does to a lane.
    pub fn submit_to(&self, place: u32, batch: Batch) -> usize {
        self.core.metrics.commands.add(batch.commands().len() as u64);
        let batch = batch.owned_by(self.owner);
        match (self.core.sessions.get(self.owner, place), &self.core.way) {
            (Some(session), Way::One { .. }) => self.queued(session.submit(batch)),
            (Some(session), Way::Many(router)) => {
                let slot = self.core.sessions.slot(self.owner, place);
                let (batch, refused) = router.within(slot, batch);
                if !refused.is_empty() {
                    self.outbox.push(Delivery::Failures(refused));
                }
                self.queued(session.submit(batch))
            }
            (None, Way::Many(router)) if place < router.places() => {
                match router.submit_to(place, batch) {
                    Ok(queued) => queued,
                    Err(refused) => self.queued(Err(refused)),
                }
            }
            (None, _) => self.queued(Err((batch, lost()))),
        }
    }

    /// Lets the session at `place` take keys of `slot` only, or of any slot.
    pub fn bind_session(&self, place: u32, slot: Option<u16>) {
        self.core.sessions.bind(self.owner, place, slot);
    }

    /// Takes a session from its caller.
    pub fn release(&self, place: u32) -> Released {
        let sessions = &self.core.sessions;
        let Some(session) = sessions.get(self.owner, place) else { return Released::Gone };
        let released = session.release();
        if released == Released::Gone {
            sessions.remove(self.owner, place);
        }
        released
    }

    /// Ends a session: its connection goes back to the pool if it is clean and nothing is under
    /// way, or is closed.
    pub fn give_back(&self, place: u32) {
        if let Some(session) = self.core.sessions.remove(self.owner, place) {
            session.give_back();
        }
    }

    /// Ends a session, all its commands with `error`, and closes its connection.
    pub fn end_session(&self, place: u32, error: &Error) {
        if let Some(session) = self.core.sessions.remove(self.owner, place) {
            session.close(error);
        }
    }

    /// Whether the session at `place` can be used, as far as is known.
    pub fn is_session_up(&self, place: u32) -> bool {
        self.core.sessions.get(self.owner, place).is_some_and(|session| session.is_up())
    }

    /// Whether somebody else may have the session at `place`.
    pub fn is_session_fit(&self, place: u32) -> bool {
        let sessions = &self.core.sessions;
        let is_fit = sessions.get(self.owner, place).is_some_and(|session| session.is_fit());
        is_fit
            && match &self.core.way {
                Way::One { .. } => true,
                Way::Many(router) => {
                    sessions.node(self.owner, place).is_some_and(|node| router.is_primary(node))
                }
            }
    }

    /// The error for a caller who has waited for a session for too long, of the node at `node`.
    pub fn pool_timeout(&self, node: Option<u32>, waited: Duration, waiting: usize) -> Error {
        match self.core.way.home(node) {
            Some(home) => home.pool.timeout_error(waited, waiting),
            None => lost(),
        }
    }

    fn queued(&self, taken: Result<Submitted, (Batch, Error)>) -> usize {
        let (batch, error) = match taken {
            Ok(Submitted { queued, .. }) => return queued,
            Err(refused) => refused,
        };
        let failures = batch.commands().iter().map(|command| (command.id, error.clone()));
        self.outbox.push(Delivery::Failures(failures.collect()));
        0
    }

    /// How many lanes there are; their places are the numbers below.
    pub fn lanes(&self) -> u32 {
        match &self.core.way {
            Way::One { home, .. } => home.lane_id,
            Way::Many(router) => router.places(),
        }
    }

    /// The lane of this place, or that of the session.
    pub fn lane(&self, place: u32) -> Option<Lane> {
        let lane = match &self.core.way {
            Way::One { lanes, .. } => lanes.get(place as usize).cloned(),
            Way::Many(router) => router.lane(place),
        };
        lane.or_else(|| {
            let session = self.core.sessions.get(self.owner, place);
            session.map(|session| session.lane().clone())
        })
    }

    /// The nodes, if there are several: None for a client of one server.
    pub fn router(&self) -> Option<&Router> {
        match &self.core.way {
            Way::One { .. } => None,
            Way::Many(router) => Some(router),
        }
    }

    /// Who hears the messages of `topic`; None for MONITOR of several nodes, each of which has its
    /// own.
    pub fn subscriber(&self, topic: Topic) -> Option<&Subscriber> {
        self.subscribers.of(topic)
    }

    /// Ends the command `id`, whose caller has gone; says whether the server may run it still.
    /// None if its reply or failure is on its way.
    pub fn cancel(&self, id: u32) -> Option<Applied> {
        let in_lane = match &self.core.way {
            Way::One { lanes, .. } => lanes.iter().find_map(|lane| lane.cancel(self.owner, id)),
            Way::Many(router) => router.cancel(self.owner, id),
        };
        in_lane.or_else(|| {
            let sessions = self.core.sessions.of(self.owner);
            sessions.iter().find_map(|session| session.cancel(self.owner, id))
        })
    }

    /// Makes the lanes connect.
    pub fn connect(&self) {
        match &self.core.way {
            Way::One { lanes, .. } => lanes.iter().for_each(Lane::connect),
            Way::Many(router) => router.look(),
        }
    }

    /// Ends every command with a `CLOSED` failure and closes all connections; of a core that
    /// others share, those that nobody else needs. Once is enough.
    pub fn close(&self) {
        if self.is_over.swap(true, Ordering::Relaxed) {
            return;
        }
        let error = closed();
        self.subscribers.close(&error);
        let shared = self.shared().take();
        let is_last = match shared {
            Some(shared) => {
                // Others may go on, and with them what was written of a command in part.
                self.core.abandon(self.owner, &error);
                shared.leave(&self.core, self.owner)
            }
            None => {
                self.core.sessions.close(self.owner, &error);
                !self.core.outboxes.leave(self.owner)
            }
        };
        if is_last {
            self.core.close(&error);
        }
    }

    /// What the client is doing now: all that share it, but for messages.
    pub fn stats(&self) -> ClientStats {
        let (pool, lanes) = match &self.core.way {
            Way::One { home, lanes } => {
                (home.pool.stats(), lanes.iter().map(Lane::stats).collect())
            }
            Way::Many(router) => router.stats(),
        };
        ClientStats { pool, lanes, pubsub: self.subscribers.stats() }
    }

    /// The client's counters.
    pub fn metrics(&self) -> &Metrics {
        &self.core.metrics
    }

    /// Where the application's answers go.
    pub fn questions(&self) -> &Questions {
        &self.core.questions
    }

    /// Encoded bytes of the commands of this event loop that are not answered yet, in the fullest
    /// lane and in all sessions.
    pub fn queued_bytes(&self) -> usize {
        let is_shared = self.shared().is_some();
        let in_lane = |lane: &Lane| match is_shared {
            true => lane.queued_bytes_of(self.owner),
            false => lane.queued_bytes(),
        };
        let lanes = match &self.core.way {
            Way::One { lanes, .. } => lanes.iter().map(in_lane).max().unwrap_or(0),
            Way::Many(router) => router.queued_bytes(),
        };
        let sessions = self.core.sessions.of(self.owner);
        lanes + sessions.iter().map(|session| session.lane().queued_bytes()).sum::<usize>()
    }

    /// The same for one more command of `slot`: of several nodes, only its own counts.
    pub fn queued_bytes_at(&self, slot: u16) -> usize {
        let Way::Many(router) = &self.core.way else { return self.queued_bytes() };
        let sessions = self.core.sessions.of(self.owner);
        let in_sessions = sessions.iter().map(|session| session.lane().queued_bytes());
        router.queued_bytes_at(slot) + in_sessions.sum::<usize>()
    }

    /// Whether event loops other than this one, which waits for `own` of them, wait for a session.
    pub fn is_session_wanted_elsewhere(&self, own: usize) -> bool {
        let waiting = || self.core.way.home(None).map_or(0, |home| home.pool.stats().waiting);
        self.shared().is_some() && waiting() > own
    }

    fn shared(&self) -> MutexGuard<'_, Option<Arc<Shared>>> {
        // One value, set or taken as a whole.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

fn closed() -> Error {
    Error::new(ErrorClass::Closed, "CLOSED", "the client was closed")
}

fn lost() -> Error {
    let text = "the session has lost its connection";
    Error::connection("SESSION_LOST", text).retryable().with_applied(Applied::No)
}
