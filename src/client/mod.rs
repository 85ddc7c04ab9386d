//! One client of the application: its pool, its lanes and sessions, and who gets which batch.
//!
//! Owns the choice of the lane. Knows nothing of JavaScript: whoever calls it hands over encoded
//! batches and takes replies from the [`Outbox`].

mod runtime;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Applied, Error, Kind, Result};
use crate::lane::{Batch, Home, Lane, LaneStats, Submitted};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Delivery, Outbox};
use crate::pool::{Pool, PoolStats, Questions};
use crate::pubsub::{Budget, Subscriber, SubscriberStats, Topic};
use crate::session::{Released, Session};

/// A running client. Dropping it closes it.
pub struct Client {
    runtime: tokio::runtime::Handle,
    /// What lanes and sessions have of the client; the place is that of the next lane.
    home: Home,
    lanes: Vec<Lane>,
    sessions: Arc<Sessions>,
    subscriber: Subscriber,
    monitor: Subscriber,
    questions: Arc<Questions>,
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
        options.validate()?;
        let runtime = runtime::handle()?;
        let _inside = runtime.enter();
        let options = Arc::new(options);
        let metrics = Arc::new(Metrics::default());
        let questions = Arc::new(Questions::new(Arc::clone(&outbox)));
        let pool = Pool::new(
            Arc::clone(&options),
            Arc::clone(&questions),
            Arc::clone(&outbox),
            Arc::clone(&metrics),
        )?;
        let pool = Arc::new(pool);
        let lanes = options.lanes as u32;
        let home = Home { place: lanes, is_served_by_caller, options, pool, outbox, metrics };
        let lane = |place| Lane::start(Home { place, ..home.clone() });
        let subscriber = |budget| {
            Subscriber::start(
                budget,
                Arc::clone(&home.options),
                Arc::clone(&home.pool),
                Arc::clone(&home.outbox),
                Arc::clone(&home.metrics),
            )
        };
        Ok(Self {
            runtime: runtime.clone(),
            lanes: (0..lanes).map(lane).collect(),
            sessions: Arc::default(),
            subscriber: subscriber(Budget::Subscribers),
            monitor: subscriber(Budget::Sessions),
            home,
            questions,
        })
    }

    /// Hands over a batch. Returns the bytes that are queued in its lane now. A batch that cannot
    /// be taken ends with failures in the outbox.
    pub fn submit(&self, batch: Batch) -> usize {
        self.home.metrics.commands.add(batch.commands().len() as u64);
        let lane = match self.lanes.as_slice() {
            [only] => only,
            lanes => match lanes.iter().min_by_key(|lane| lane.queued_bytes()) {
                Some(lane) => lane,
                None => return 0,
            },
        };
        self.queued(lane.submit(batch))
    }

    /// Opens a session, which is then found at `place`: any number that no lane and no other
    /// session has. The outbox says `Settled` for `place`.
    ///
    /// See [`Pool::acquire`] for the failures.
    pub fn open_session(&self, place: u32) {
        let (home, sessions) = (Home { place, ..self.home.clone() }, Arc::clone(&self.sessions));
        self.runtime.spawn(async move {
            let outbox = Arc::clone(&home.outbox);
            match home.pool.acquire().await {
                Ok(lease) => {
                    sessions.lock().insert(place, Arc::new(Session::start(home, lease)));
                    if sessions.is_over.load(Ordering::Acquire) {
                        sessions.close(&closed());
                    }
                    outbox.push(Delivery::Settled(vec![(place, None)]));
                }
                Err(error) => outbox.push(Delivery::Settled(vec![(place, Some(error))])),
            }
        });
    }

    /// Hands a batch to the session at `place`, as [`Client::submit`] does to a lane.
    pub fn submit_to(&self, place: u32, batch: Batch) -> usize {
        self.home.metrics.commands.add(batch.commands().len() as u64);
        match self.sessions.get(place) {
            Some(session) => self.queued(session.submit(batch)),
            None => self.queued(Err((batch, lost()))),
        }
    }

    /// Takes a session from its caller.
    pub fn release(&self, place: u32) -> Released {
        let Some(session) = self.sessions.get(place) else { return Released::Gone };
        let released = session.release();
        if released == Released::Gone {
            self.sessions.remove(place);
        }
        released
    }

    /// Ends a session: its connection goes back to the pool if it is clean and nothing is under
    /// way, or is closed.
    pub fn give_back(&self, place: u32) {
        if let Some(session) = self.sessions.remove(place) {
            session.give_back();
        }
    }

    /// Ends a session, all its commands with `error`, and closes its connection.
    pub fn end_session(&self, place: u32, error: &Error) {
        if let Some(session) = self.sessions.remove(place) {
            session.close(error);
        }
    }

    /// Whether the session at `place` can be used, as far as is known.
    pub fn is_session_up(&self, place: u32) -> bool {
        self.sessions.get(place).is_some_and(|session| session.is_up())
    }

    /// Whether somebody else may have the session at `place`.
    pub fn is_session_fit(&self, place: u32) -> bool {
        self.sessions.get(place).is_some_and(|session| session.is_fit())
    }

    /// The error for a caller who has waited for a session for too long.
    pub fn pool_timeout(&self, waited: Duration, waiting: usize) -> Error {
        self.home.pool.timeout_error(waited, waiting)
    }

    fn queued(&self, taken: Result<Submitted, (Batch, Error)>) -> usize {
        let (batch, error) = match taken {
            Ok(Submitted { queued }) => return queued,
            Err(refused) => refused,
        };
        let failures = batch.commands().iter().map(|command| (command.id, error.clone()));
        self.home.outbox.push(Delivery::Failures(failures.collect()));
        0
    }

    /// How many lanes there are; their places are the numbers below.
    pub fn lanes(&self) -> u32 {
        self.home.place
    }

    /// The lane of this place, or that of the session.
    pub fn lane(&self, place: u32) -> Option<Lane> {
        match self.lanes.get(place as usize) {
            Some(lane) => Some(lane.clone()),
            None => self.sessions.get(place).map(|session| session.lane().clone()),
        }
    }

    /// The connection that messages of `topic` come over.
    pub fn subscriber(&self, topic: Topic) -> &Subscriber {
        match topic {
            Topic::Monitor => &self.monitor,
            Topic::Channel | Topic::Pattern | Topic::ShardChannel => &self.subscriber,
        }
    }

    /// Ends the command `id`, whose caller has gone; says whether the server may run it still.
    /// None if its reply or failure is on its way.
    pub fn cancel(&self, id: u32) -> Option<Applied> {
        let in_lane = self.lanes.iter().find_map(|lane| lane.cancel(id));
        in_lane.or_else(|| self.sessions.all().iter().find_map(|session| session.cancel(id)))
    }

    /// Makes the lanes connect.
    pub fn connect(&self) {
        self.lanes.iter().for_each(Lane::connect);
    }

    /// Ends every command with a `CLOSED` failure and closes all connections.
    pub fn close(&self) {
        let error = closed();
        self.sessions.is_over.store(true, Ordering::Release);
        self.sessions.close(&error);
        for lane in &self.lanes {
            lane.close(&error);
        }
        self.subscriber.close(&error);
        self.monitor.close(&error);
        let pool = Arc::clone(&self.home.pool);
        self.runtime.spawn(async move { pool.close().await });
    }

    /// What the client is doing now.
    pub fn stats(&self) -> ClientStats {
        let lanes = self.lanes.iter().map(Lane::stats).collect();
        ClientStats { pool: self.home.pool.stats(), lanes, pubsub: self.subscriber.stats() }
    }

    /// The client's counters.
    pub fn metrics(&self) -> &Metrics {
        &self.home.metrics
    }

    /// Where the application's answers go.
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Encoded bytes of the commands that are not answered yet, in the fullest lane and in all
    /// sessions.
    pub fn queued_bytes(&self) -> usize {
        let lanes = self.lanes.iter().map(Lane::queued_bytes).max().unwrap_or(0);
        let sessions = self.sessions.all();
        lanes + sessions.iter().map(|session| session.lane().queued_bytes()).sum::<usize>()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

/// The sessions of one client, by their places.
#[derive(Default)]
struct Sessions {
    open: Mutex<HashMap<u32, Arc<Session>>>,
    /// Set once the client is closed: what is opened from then on is closed at once.
    is_over: AtomicBool,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<Session>>> {
        // Whole entries are put in and taken out: a panic leaves nothing half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, place: u32) -> Option<Arc<Session>> {
        self.lock().get(&place).cloned()
    }

    fn remove(&self, place: u32) -> Option<Arc<Session>> {
        self.lock().remove(&place)
    }

    fn all(&self) -> Vec<Arc<Session>> {
        self.lock().values().cloned().collect()
    }

    fn close(&self, error: &Error) {
        let all = std::mem::take(&mut *self.lock());
        all.values().for_each(|session| session.close(error));
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "CLOSED", "the client was closed")
}

fn lost() -> Error {
    let text = "the session has lost its connection";
    Error::connection("SESSION_LOST", text).retryable().with_applied(Applied::No)
}
