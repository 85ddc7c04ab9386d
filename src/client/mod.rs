//! One client of the application, as one event loop has it.
//!
//! Owns the choice of the lane. Knows nothing of JavaScript: its caller hands over encoded batches
//! and takes replies from the [`Outbox`]. Several event loops may share one engine. Each has a
//! [`Client`] with sessions and subscriptions of its own, and gets no reply to another's command.

mod engine;
mod runtime;
mod servers;
mod sessions;
mod shared;
mod stats;
mod subscribers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::engine::Engine;
use self::servers::Servers;
pub use self::shared::SharedClient;
pub use self::stats::ClientStats;
use self::subscribers::Subscribers;
use crate::connection::Credentials;
use crate::error::{Applied, Error, ErrorClass, Result};
use crate::lane::{Batch, Lane, Submitted};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Delivery, Event, Outbox};
use crate::pool::Questions;
use crate::pubsub::{Subscriber, Topic};
use crate::topology::Router;

/// A running client, as one event loop has it. Dropping it closes it.
pub struct Client {
    engine: Arc<Engine>,
    /// Where others find the engine, if it is shared. Given up at the end, because the name is
    /// taken until all clients have given this up.
    shared: Mutex<Option<Arc<SharedClient>>>,
    /// Set before anything is ended. Tasks of the I/O thread that are still opening something look
    /// here when it is open.
    is_over: Arc<AtomicBool>,
    /// The number by which the engine knows this event loop.
    owner: u32,
    outbox: Arc<Outbox>,
    subscribers: Subscribers,
}

impl Client {
    /// Starts a client; the first one of the process starts the I/O thread. Opens no connection
    /// before the first command or [`Client::connect`]. `is_served_by_caller`: see [`Lane::start`].
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work.
    pub fn start(
        options: ClientOptions,
        outbox: Arc<Outbox>,
        is_served_by_caller: bool,
    ) -> Result<Self> {
        let engine = Engine::start(options, Arc::clone(&outbox), is_served_by_caller)?;
        Ok(Self::of(Arc::new(engine), 0, outbox, None))
    }

    /// Joins the others that use `shared`, or starts its engine if there are none. Its lanes are
    /// never served by the caller.
    ///
    /// # Errors
    ///
    /// As for [`Client::start`].
    pub fn join(shared: &Arc<SharedClient>, outbox: Arc<Outbox>) -> Result<Self> {
        let (engine, owner) = shared.join(Arc::clone(&outbox))?;
        // The outboxes of the others were told these events before this one was there.
        match &engine.servers {
            Servers::One { lanes, .. } => {
                for (lane, _) in (0..).zip(lanes).filter(|(_, lane)| lane.is_up()) {
                    outbox.push(Delivery::Event(Event::Ready(lane, None)));
                }
            }
            Servers::Several(router) if router.is_known() => {
                outbox.push(Delivery::Event(Event::Topology(true)));
            }
            Servers::Several(_) => {}
        }
        Ok(Self::of(engine, owner, outbox, Some(Arc::clone(shared))))
    }

    fn of(
        engine: Arc<Engine>,
        owner: u32,
        outbox: Arc<Outbox>,
        shared: Option<Arc<SharedClient>>,
    ) -> Self {
        let _inside = engine.runtime.enter();
        let subscribers = match &engine.servers {
            Servers::One { home, .. } => Subscribers::start(home, &outbox),
            Servers::Several(router) => Subscribers::start_among(router, &outbox, &engine.metrics),
        };
        let (shared, is_over) = (Mutex::new(shared), Arc::default());
        Self { subscribers, engine, shared, is_over, owner, outbox }
    }

    /// Hands over a batch. Returns the encoded bytes that wait in its lane now, of all owners. A
    /// batch that cannot be taken ends with failures in the outbox.
    pub fn submit(&self, batch: Batch) -> usize {
        self.engine.metrics.commands.add(batch.commands().len() as u64);
        let batch = batch.owned_by(self.owner);
        if self.is_over.load(Ordering::Relaxed) {
            return self.queued(Err((batch, closed().with_applied(Applied::No))));
        }
        match &self.engine.servers {
            Servers::One { lanes, .. } => match lanes.as_slice() {
                [only] => self.queued(only.submit(batch)),
                lanes => match lanes.iter().min_by_key(|lane| lane.queued_bytes()) {
                    Some(lane) => self.queued(lane.submit(batch)),
                    None => 0,
                },
            },
            Servers::Several(router) => router.submit(batch),
        }
    }

    /// Hands a batch to the session with the id `target`, or to the node at the place `target`.
    /// Returns the encoded bytes that wait there now, and fails as [`Client::submit`] does.
    pub fn submit_to(&self, target: u32, batch: Batch) -> usize {
        self.engine.metrics.commands.add(batch.commands().len() as u64);
        let batch = batch.owned_by(self.owner);
        match (self.engine.sessions.get(self.owner, target), &self.engine.servers) {
            (Some(session), Servers::One { .. }) => self.queued(session.submit(batch)),
            (Some(session), Servers::Several(router)) => {
                let slot = self.engine.sessions.slot(self.owner, target);
                let (batch, refused) = router.within(slot, batch);
                if !refused.is_empty() {
                    self.outbox.push(Delivery::Failures(refused));
                }
                self.queued(session.submit(batch))
            }
            (None, Servers::Several(router)) if target < router.places() => {
                match router.submit_to(target, batch) {
                    Ok(queued) => queued,
                    Err(refused) => self.queued(Err(refused)),
                }
            }
            (None, _) => self.queued(Err((batch, lost()))),
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

    /// Ends the command `id`, whose caller has gone; says whether the server may still run it. None
    /// if its reply or failure is on its way already.
    pub fn cancel(&self, id: u32) -> Option<Applied> {
        let in_lane = match &self.engine.servers {
            Servers::One { lanes, .. } => lanes.iter().find_map(|lane| lane.cancel(self.owner, id)),
            Servers::Several(router) => router.cancel(self.owner, id),
        };
        in_lane.or_else(|| {
            let sessions = self.engine.sessions.of(self.owner);
            sessions.iter().find_map(|session| session.cancel(self.owner, id))
        })
    }

    /// Makes the lanes connect; with several nodes, asks where everything is.
    pub fn connect(&self) {
        match &self.engine.servers {
            Servers::One { lanes, .. } => lanes.iter().for_each(Lane::connect),
            Servers::Several(router) => router.look(),
        }
    }

    /// Sends no PING over the only lane from now on, or does so again: see [`Lane::hold_pings`].
    pub fn hold_pings(&self, holds: bool) {
        if let Servers::One { lanes, .. } = &self.engine.servers {
            lanes.iter().for_each(|lane| lane.hold_pings(holds));
        }
    }

    /// Ends all commands of this event loop with a `CLOSED` failure, and closes the connections
    /// that no other event loop needs. Later calls do nothing.
    pub fn close(&self) {
        if self.is_over.swap(true, Ordering::Relaxed) {
            return;
        }
        let error = closed();
        self.subscribers.close(&error);
        let shared = self.shared().take();
        let is_last = match shared {
            Some(shared) => {
                // Others may go on with these lanes, so each command is ended by itself. One that
                // was written in part becomes a tombstone.
                self.engine.abandon(self.owner, &error);
                shared.leave(&self.engine, self.owner)
            }
            None => {
                self.engine.sessions.close(self.owner, &error);
                !self.engine.outboxes.leave(self.owner)
            }
        };
        if is_last {
            self.engine.close(&error);
        }
    }

    /// How many lanes there are, or places of nodes; their numbers are below that.
    pub fn lanes(&self) -> u32 {
        match &self.engine.servers {
            Servers::One { home, .. } => home.lane_id,
            Servers::Several(router) => router.places(),
        }
    }

    /// The lane with the id `target`, or that of the node at the place `target`, or that of the
    /// session with the id `target`.
    pub fn lane(&self, target: u32) -> Option<Lane> {
        let lane = match &self.engine.servers {
            Servers::One { lanes, .. } => lanes.get(target as usize).cloned(),
            Servers::Several(router) => router.lane(target),
        };
        lane.or_else(|| {
            let session = self.engine.sessions.get(self.owner, target);
            session.map(|session| session.lane().clone())
        })
    }

    /// The nodes, if there are several; None for a client of one server.
    pub fn router(&self) -> Option<&Router> {
        match &self.engine.servers {
            Servers::One { .. } => None,
            Servers::Several(router) => Some(router),
        }
    }

    /// The subscriber that gets the messages of `topic`. None for MONITOR of several nodes: each
    /// node has its own, which a client of that node alone can get.
    pub fn subscriber(&self, topic: Topic) -> Option<&Subscriber> {
        self.subscribers.of(topic)
    }

    /// Logs all connections in again, because the application has new credentials. Subscribers
    /// are told on the connections that they have; all others are replaced, which asks the
    /// application for its credentials.
    pub fn log_in(&self, credentials: &Credentials) {
        match &self.engine.servers {
            Servers::One { home, .. } => home.pool.renew(),
            Servers::Several(router) => router.renew_logins(),
        }
        self.subscribers.log_in(credentials);
    }

    /// The client's counters.
    pub fn metrics(&self) -> &Metrics {
        &self.engine.metrics
    }

    /// Makes all connections begin anew, as the options say.
    pub fn reset(&self) {
        self.engine.reset();
    }

    /// Where the answers of the application's functions go.
    pub fn questions(&self) -> &Questions {
        &self.engine.questions
    }

    fn shared(&self) -> MutexGuard<'_, Option<Arc<SharedClient>>> {
        // One value, which is set and taken as a whole, so a panic leaves nothing half done.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

fn closed() -> Error {
    Error::new(ErrorClass::Disconnected, "CLOSED", "Disconnects client")
}

fn lost() -> Error {
    let text = "the session has lost its connection";
    Error::connection("SESSION_LOST", text).retryable().with_applied(Applied::No)
}
