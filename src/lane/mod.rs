//! A lane: one connection that carries commands through pipelining. The hot path.
//!
//! A shared lane is kept alive for as long as it exists: it connects, reconnects, retries and
//! replaces old connections. An exclusive one serves a lease that one caller has to itself: it
//! never retries and ends with its connection.
//!
//! `state` is pure and knows what is queued, written, answered; `driver` moves the bytes. Any
//! thread may submit: the bytes are written at once if the socket takes them, so that a batch
//! costs no thread hop on its way out. Invariant: everything about a lane changes under its one
//! lock, which is never held over an await.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod batch;
mod driver;
mod outcome;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod wire;

use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::{Applied, Error, ErrorClass};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::Outboxes;
use crate::pool::{Lease, Pool};
use crate::stream::{self, Stream};

pub use self::batch::{Batch, Command};
pub use self::outcome::{Ended, Refused};
pub use self::state::State;
use self::wire::Wire;

/// A queue of commands and the connection that they go over.
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
}

/// What a lane has of its client.
#[derive(Clone)]
pub struct Home {
    /// By which the client finds this lane.
    pub place: u32,
    /// Promises that somebody calls [`Lane::serve`] whenever [`Lane::detached`] is ready.
    pub is_served_by_caller: bool,
    /// The client's options.
    pub options: Arc<ClientOptions>,
    /// Where connections come from.
    pub pool: Arc<Pool>,
    /// Where replies go.
    pub outboxes: Arc<Outboxes>,
    /// The client's counters.
    pub metrics: Arc<Metrics>,
    /// Who decides about refused commands, where there are several nodes.
    pub router: Option<Weak<dyn Router>>,
    /// How many lanes the caller's thread has to attend to.
    pub company: Arc<AtomicUsize>,
}

/// Who knows the other nodes.
///
/// The lane calls it without its own lock, and one call after the other, in the order of replies.
pub trait Router: Send + Sync {
    /// The server of the lane at `place` has not run these commands; in their order.
    fn refused(&self, place: u32, refused: Vec<Refused>);

    /// Everything that was queued before the first [`Lane::mark`] that was not reported yet is
    /// answered.
    fn passed(&self, place: u32);

    /// The lane at `place` has lost its connection, and with it its marks.
    fn lost(&self, place: u32);
}

struct Shared {
    place: u32,
    is_served_by_caller: bool,
    /// Whether one caller has the connection to itself.
    is_exclusive: bool,
    inner: Mutex<Inner>,
    /// Tells the driver to look at the state again.
    wake: Notify,
    options: Arc<ClientOptions>,
    pool: Arc<Pool>,
    outboxes: Arc<Outboxes>,
    metrics: Arc<Metrics>,
    router: Option<Weak<dyn Router>>,
    company: Arc<AtomicUsize>,
}

struct Inner {
    state: State,
    link: Link,
    /// The driver looks at the deadlines at this instant at the latest.
    armed: Option<Instant>,
    /// When the last byte went either way.
    active: Instant,
    /// When the lane's own PING, whose answer is due, was written.
    ping: Option<Instant>,
    exit: Exit,
    /// Refused commands that are on their way to the router.
    moving: usize,
    /// Whether a command has failed, or ended without its reply, since somebody asked.
    doubt: bool,
}

/// How an exclusive lane is to end, or has ended.
enum Exit {
    /// Not yet.
    No,
    /// As soon as nothing is queued; the connection goes back to the pool then, unless what was
    /// written to clean it was refused.
    Leaving { refused: bool },
    /// Its connection was lost for this reason.
    Lost(Error),
}

/// What the lane has to write to.
enum Link {
    /// Nothing was asked of it yet, or the last attempt was hopeless.
    Dormant,
    /// A connection is being made.
    Connecting,
    /// Ready; `blocked` when the socket takes no more for now, `failed` when it never will.
    Up {
        stream: Arc<Stream>,
        wire: Arc<Mutex<Wire>>,
        attendant: Attendant,
        blocked: bool,
        failed: Option<Error>,
    },
    /// For good.
    Closed,
}

/// Who waits for a connection to be ready, reads it, and writes what did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attendant {
    /// The driver, on the I/O thread.
    Driver,
    /// The caller's thread, which saves the hop between threads.
    Caller,
}

/// What a lane holds at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneStats {
    /// Commands that are not answered yet.
    pub queued: usize,
    /// Of these, commands that are on the wire.
    pub in_flight: usize,
    /// Encoded bytes of the commands that are not answered yet.
    pub bytes: usize,
    /// Whether the connection stands.
    pub connected: bool,
}

/// What has become of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// It is on its way.
    Put,
    /// The connection has failed, which the router is about to hear.
    Ending,
    /// There is no connection, so nothing is in flight.
    Offline,
}

/// A batch was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// Encoded bytes that are not answered yet, this batch included.
    pub queued: usize,
    /// Whether there is a connection for it.
    pub is_up: bool,
}

/// The most that the caller's thread writes by itself in one go. The kernel copies about 10 bytes
/// a nanosecond: 256 KiB is 25 us of somebody's event loop; more is left to the driver.
const INLINE: usize = 256 << 10;

impl Lane {
    /// A lane that everybody shares; connects when the first command comes or [`Lane::connect`]
    /// is called. Must be called inside the runtime.
    pub fn start(home: Home) -> Self {
        let shared = Arc::new(Shared::new(home, false));
        tokio::spawn(driver::supervise(Arc::clone(&shared)));
        Self { shared }
    }

    /// A lane over `lease`, which one caller has to itself. Must be called inside the runtime.
    pub fn exclusive(home: Home, lease: Lease) -> Self {
        let shared = Arc::new(Shared::new(home, true));
        tokio::spawn(driver::supervise_exclusive(Arc::clone(&shared), lease));
        Self { shared }
    }

    /// Queues a batch and writes as much as the socket takes at once. From any thread.
    ///
    /// # Errors
    ///
    /// `CLOSED` and `OFFLINE` (with `disableOfflineQueue`), with the batch, of which nothing was
    /// queued.
    pub fn submit(&self, batch: Batch) -> Result<Submitted, (Batch, Error)> {
        let now = batch.submitted();
        let earliest = batch.earliest_deadline();
        let large = batch.bytes().len() > INLINE;
        let mut inner = self.shared.lock();
        match inner.link {
            Link::Up { .. } => {}
            Link::Closed => {
                let error = inner.exit.error().unwrap_or_else(closed);
                return Err((batch, error));
            }
            _ if self.shared.is_exclusive => {}
            _ if self.shared.options.offline_queue || batch.is_patient() => {}
            _ => {
                drop(inner);
                self.connect();
                return Err((batch, self.offline()));
            }
        }
        inner.state.push(batch);
        let mut wake = match &mut inner.link {
            Link::Up { blocked: true, .. } | Link::Connecting => false,
            Link::Up { blocked, attendant, .. } if large => {
                // From here on the driver writes, also what comes behind.
                *blocked = true;
                *attendant = Attendant::Driver;
                true
            }
            Link::Up { attendant, .. } => {
                let attendant = *attendant;
                inner.write(now, &self.shared.metrics).needs_driver(attendant)
            }
            Link::Dormant | Link::Closed => true,
        };
        if let (Some(deadline), Some(armed)) = (earliest, inner.armed) {
            wake |= deadline < armed;
        }
        let queued = inner.state.bytes();
        let is_up = matches!(inner.link, Link::Up { .. });
        drop(inner);
        if wake {
            self.shared.wake.notify_one();
        }
        Ok(Submitted { queued, is_up })
    }

    /// The stream that the caller's thread is to watch, while this lane has one.
    pub fn detached(&self) -> Option<Arc<Stream>> {
        match &self.shared.lock().link {
            Link::Up { stream, .. } if stream.is_detached() => Some(Arc::clone(stream)),
            _ => None,
        }
    }

    /// Reads and writes what `stream` allows, and says what to wait for next. For the caller's
    /// thread, when the detached stream is ready.
    pub fn serve(&self, stream: &Arc<Stream>) -> Wait {
        let served = catch_unwind(AssertUnwindSafe(|| self.serve_now(stream)));
        served.unwrap_or_else(|_| {
            // Who serves must not be ended by a bug of ours; it costs this connection's commands.
            self.shared.fail_inside(|link| {
                if let Link::Up { failed, .. } = link {
                    *failed = Some(internal());
                }
            });
            self.shared.wake.notify_one();
            Wait::Over
        })
    }

    fn serve_now(&self, stream: &Arc<Stream>) -> Wait {
        let shared = &*self.shared;
        let wire = match &shared.lock().link {
            Link::Up { stream: current, wire, .. } if Arc::ptr_eq(current, stream) => {
                Arc::clone(wire)
            }
            _ => return Wait::Over,
        };
        let read = {
            let mut wire = wire.lock().unwrap_or_else(PoisonError::into_inner);
            wire.read(shared, stream, TURNS, Stream::DETACHED_READ)
        };
        let mut inner = shared.lock();
        let wake = match (&mut inner.link, read) {
            (Link::Up { stream: current, .. }, _) if !Arc::ptr_eq(current, stream) => false,
            (Link::Up { failed, .. }, Err(error)) => {
                *failed = Some(error);
                true
            }
            (Link::Up { attendant, .. }, Ok(read)) if read.is_heavy() => {
                *attendant = Attendant::Driver;
                true
            }
            (Link::Up { blocked: true, attendant, .. }, Ok(read)) => {
                let attendant = *attendant;
                inner.write(Instant::now(), &shared.metrics).needs_driver(attendant) || read.news
            }
            (_, read) => read.is_ok_and(|read| read.news),
        };
        let wait = inner.wait(stream);
        drop(inner);
        if wake {
            shared.wake.notify_one();
        }
        wait
    }

    /// What the watcher of `stream` is to wait for.
    pub fn wait(&self, stream: &Arc<Stream>) -> Wait {
        self.shared.lock().wait(stream)
    }

    /// Ends the command `id` of `owner`, whose caller has gone. None if it is not in this lane.
    pub fn cancel(&self, owner: u32, id: u32) -> Option<Applied> {
        let mut inner = self.shared.lock();
        let applied = inner.state.cancel(owner, id);
        inner.doubt |= applied.is_some();
        applied
    }

    /// Connects, if that was not asked yet.
    pub fn connect(&self) {
        let mut inner = self.shared.lock();
        if matches!(inner.link, Link::Dormant) {
            inner.link = Link::Connecting;
            drop(inner);
            self.shared.wake.notify_one();
        }
    }

    /// Whether anything is queued here, or on its way from here to another node.
    pub fn is_busy(&self) -> bool {
        let inner = self.shared.lock();
        inner.state.commands() > 0 || inner.moving > 0
    }

    /// Whether anything is queued here.
    pub fn has_commands(&self) -> bool {
        self.shared.lock().state.commands() > 0
    }

    /// Since when the oldest unanswered command is on the wire.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.shared.lock().state.waiting_since()
    }

    /// Puts a mark behind everything queued: the router hears when all of that is answered.
    pub fn mark(&self) -> Marked {
        let now = Instant::now();
        let mut inner = self.shared.lock();
        let attendant = match inner.link {
            Link::Up { failed: None, attendant, .. } => attendant,
            Link::Up { .. } => return Marked::Ending,
            Link::Dormant | Link::Connecting | Link::Closed => return Marked::Offline,
        };
        let mode = Command::INTERNAL | Command::MARK;
        inner.state.push(driver::ping(mode, now));
        let wake = inner.write(now, &self.shared.metrics).needs_driver(attendant);
        drop(inner);
        if wake {
            self.shared.wake.notify_one();
        }
        Marked::Put
    }

    /// Takes out what waits for a connection, in order; nothing while there is one.
    pub fn take_waiting(&self) -> Vec<Batch> {
        let mut inner = self.shared.lock();
        match inner.link {
            // If it has failed, the driver is about to end what is in flight.
            Link::Up { .. } => Vec::new(),
            Link::Dormant | Link::Connecting | Link::Closed => inner.state.take_all(),
        }
    }

    /// Makes the lane take another connection once what is in flight is answered.
    pub fn renew(&self) {
        let mut inner = self.shared.lock();
        inner.state.drain_to_reconnect();
        let is_idle = !inner.state.is_waiting();
        if let (Link::Up { failed, .. }, true) = (&mut inner.link, is_idle) {
            failed.get_or_insert_with(refused);
        }
        drop(inner);
        self.shared.wake.notify_one();
    }

    /// Gives the connection up, as if it had been lost for `error`.
    pub fn give_up(&self, error: Error) {
        let mut inner = self.shared.lock();
        if let Link::Up { failed, .. } = &mut inner.link {
            failed.get_or_insert(error);
        }
        drop(inner);
        self.shared.wake.notify_one();
    }

    /// Ends every command of `owner` with `error`: it has gone, and others go on.
    pub fn abandon(&self, owner: u32, error: &Error) {
        let ended = self.shared.lock().state.abandon(owner);
        self.shared.fail(ended, error);
    }

    /// Ends every command with `error` and closes the connection, for good.
    pub fn close(&self, error: &Error) {
        let mut inner = self.shared.lock();
        let link = std::mem::replace(&mut inner.link, Link::Closed);
        let ended = inner.state.fail_all();
        drop(inner);
        if let Link::Up { stream, .. } = link {
            stream.close();
        }
        self.shared.fail(ended, error);
        self.shared.wake.notify_one();
    }

    /// Lets an exclusive lane end once everything queued is answered: its connection goes back to
    /// the pool, unless a command of `cleaning` is refused. Nothing may be submitted any more.
    pub fn leave(&self, cleaning: &[u8]) {
        let now = Instant::now();
        let mut inner = self.shared.lock();
        if let Link::Closed = inner.link {
            return;
        }
        inner.exit = Exit::Leaving { refused: false };
        let batch = Batch::internal(Bytes::copy_from_slice(cleaning), now);
        inner.state.push(batch);
        inner.write(now, &self.shared.metrics);
        drop(inner);
        self.shared.wake.notify_one();
    }

    /// Whether commands can be written, as far as is known.
    pub fn is_up(&self) -> bool {
        match self.shared.lock().link {
            Link::Up { failed: None, .. } => true,
            // An exclusive lane has its connection, whether its driver has taken it up or not.
            Link::Connecting => self.shared.is_exclusive,
            _ => false,
        }
    }

    /// Whether a command has failed, or ended without its reply, since this was asked last.
    pub fn take_doubt(&self) -> bool {
        std::mem::take(&mut self.shared.lock().doubt)
    }

    /// What the lane holds now.
    pub fn stats(&self) -> LaneStats {
        let inner = self.shared.lock();
        LaneStats {
            queued: inner.state.commands(),
            in_flight: inner.state.in_flight(),
            bytes: inner.state.bytes(),
            connected: matches!(inner.link, Link::Up { .. }),
        }
    }

    /// Encoded bytes of the commands that are not answered yet.
    pub fn queued_bytes(&self) -> usize {
        self.shared.lock().state.bytes()
    }

    /// Of these, the bytes of `owner`. Looks at each batch: for whoever finds the lane too full.
    pub fn queued_bytes_of(&self, owner: u32) -> usize {
        self.shared.lock().state.bytes_of(owner)
    }

    fn offline(&self) -> Error {
        let text = "there is no connection to the server, and disableOfflineQueue is set";
        let error = Error::new(ErrorClass::Offline, "OFFLINE", text).with_applied(Applied::No);
        match self.shared.pool.last_error() {
            Some(cause) => error.retryable().with_cause(cause),
            None => error.retryable(),
        }
    }
}

/// Why a connection is of no more use.
fn refused() -> Error {
    let text = "the server's role, or this connection's login, has changed";
    Error::connection("REFUSED", text).retryable()
}

/// What a panic of ours becomes for the commands that it costs.
fn internal() -> Error {
    Error::connection("INTERNAL", "oxidis failed inside; this is a bug in oxidis")
}

fn closed() -> Error {
    Error::new(ErrorClass::Closed, "CLOSED", "the client is closed").with_applied(Applied::No)
}

/// What the watcher of a detached stream waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Bytes to read.
    Readable,
    /// Bytes to read, or room to write.
    ReadableOrWritable,
    /// Nothing for now: the driver attends to the stream.
    Paused,
    /// Nothing: the stream serves no more.
    Over,
}

/// Reads in one go on the caller's thread, 64 KiB each: about as long as a large reply takes.
const TURNS: usize = 4;

impl Inner {
    fn wait(&self, stream: &Arc<Stream>) -> Wait {
        match &self.link {
            Link::Up { stream: current, attendant, blocked, failed: None, .. }
                if Arc::ptr_eq(current, stream) =>
            {
                match (attendant, blocked) {
                    (Attendant::Driver, _) => Wait::Paused,
                    (Attendant::Caller, true) => Wait::ReadableOrWritable,
                    (Attendant::Caller, false) => Wait::Readable,
                }
            }
            _ => Wait::Over,
        }
    }

    /// Writes what the socket takes, up to a bound.
    fn write(&mut self, now: Instant, metrics: &Metrics) -> Wrote {
        self.write_through(None, now, metrics)
    }

    /// The same, through another handle of the link's stream.
    fn write_through(&mut self, handle: Option<&Stream>, now: Instant, metrics: &Metrics) -> Wrote {
        let Link::Up { stream, blocked, failed, .. } = &mut self.link else { return Wrote::All };
        let stream = handle.unwrap_or(stream);
        if failed.is_some() {
            // What is not written yet can still be written to the next connection.
            return Wrote::Failed;
        }
        let mut total = 0;
        let outcome = loop {
            if total >= INLINE {
                // The lock is wanted elsewhere.
                break Wrote::Enough;
            }
            let next = self.state.unwritten();
            let step = match &next {
                Some(bytes) => stream.try_write(bytes),
                None => stream.try_flush().map(usize::from),
            };
            match step {
                Ok(n) if next.is_some() => {
                    total += n;
                    self.state.wrote(n, now);
                }
                Ok(flushed) => break if flushed == 1 { Wrote::All } else { Wrote::Full },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Wrote::Full,
                Err(error) => {
                    *failed = Some(stream::lost(error));
                    break Wrote::Failed;
                }
            }
        };
        if total > 0 {
            metrics.bytes_out.add(total as u64);
            self.active = now;
        }
        *blocked = outcome != Wrote::All;
        outcome
    }
}

/// How far a write came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrote {
    /// Nothing is left that may be written now.
    All,
    /// The socket takes no more for now.
    Full,
    /// The bound of one go is reached.
    Enough,
    /// The connection is broken.
    Failed,
}

impl Wrote {
    /// Whether the driver has to be told.
    fn needs_driver(self, attendant: Attendant) -> bool {
        match self {
            Self::All => false,
            Self::Full => attendant == Attendant::Driver,
            Self::Enough | Self::Failed => true,
        }
    }
}

impl Exit {
    fn error(&self) -> Option<Error> {
        match self {
            Self::Lost(error) => {
                let text = "the session has lost its connection: acquire another one";
                let lost = Error::connection("SESSION_LOST", text).retryable();
                Some(lost.with_applied(Applied::No).with_cause(error.clone()))
            }
            Self::No | Self::Leaving { .. } => None,
        }
    }
}

impl Shared {
    fn new(home: Home, is_exclusive: bool) -> Self {
        let Home { place, is_served_by_caller, options, pool, outboxes, metrics, router, company } =
            home;
        let state = match (is_exclusive, &router) {
            (true, _) => State::without_retries(),
            (false, Some(_)) => State::routed(),
            (false, None) => State::default(),
        };
        let inner = Inner {
            state,
            link: if is_exclusive { Link::Connecting } else { Link::Dormant },
            armed: None,
            active: Instant::now(),
            ping: None,
            exit: Exit::No,
            moving: 0,
            doubt: false,
        };
        let (inner, wake) = (Mutex::new(inner), Notify::new());
        Self {
            place,
            is_served_by_caller,
            is_exclusive,
            inner,
            wake,
            options,
            pool,
            outboxes,
            metrics,
            router,
            company,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // After a panic the supervisor ends every command and starts from an empty state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a panic: ends every command, since nobody knows what the state is worth, and lets
    /// `change` do the same for the link. False if the lane is closed.
    fn fail_inside(&self, change: impl FnOnce(&mut Link)) -> bool {
        let mut inner = self.lock();
        let ended = inner.state.fail_all();
        let is_open = !matches!(inner.link, Link::Closed);
        if is_open {
            change(&mut inner.link);
        }
        drop(inner);
        self.fail(ended, &internal());
        is_open
    }

    fn router(&self) -> Option<Arc<dyn Router>> {
        self.router.as_ref()?.upgrade()
    }

    /// Tells the callers of `ended` that their commands end because of `error`.
    fn fail(&self, ended: Vec<Ended>, error: &Error) {
        let failures = ended.into_iter().map(|Ended { owner, id, applied, refusal }| {
            (owner, id, refusal.unwrap_or_else(|| error.clone().with_applied(applied)))
        });
        self.outboxes.fail(failures);
    }

    /// Ends the commands whose deadline has passed.
    fn expire(&self, now: Instant) {
        let mut inner = self.lock();
        let connected = matches!(inner.link, Link::Up { .. });
        let ended = inner.state.expire(now);
        inner.doubt |= !ended.is_empty();
        drop(inner);
        if ended.is_empty() {
            return;
        }
        self.metrics.timeouts.add(ended.len() as u64);
        let text = if connected {
            "the server did not answer before the command's deadline"
        } else {
            "no connection to the server before the command's deadline"
        };
        let mut error = Error::new(ErrorClass::Timeout, "TIMEOUT", text).retryable();
        if !connected {
            if let Some(cause) = self.pool.last_error() {
                error = error.with_cause(cause);
            }
        }
        self.fail(ended, &error);
    }
}

/// Rounds deadlines up to steps, so that a queue of a million different deadlines is looked at a
/// hundred times a second at most. A tenth of the 100 ms that a deadline may be late (P1).
const DEADLINE_STEP: Duration = Duration::from_millis(10);
