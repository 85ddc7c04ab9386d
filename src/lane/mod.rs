//! A lane: one connection that everybody shares, through pipelining. The hot path.
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
mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::{Applied, Error, Kind};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Delivery, Outbox};
use crate::pool::Pool;
use crate::stream::{self, Stream};

pub use self::batch::{Batch, Command};
pub use self::state::{Ended, State};

/// A shared connection, kept alive for as long as the lane exists.
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    /// Tells the driver to look at the state again.
    wake: Notify,
    options: Arc<ClientOptions>,
    pool: Arc<Pool>,
    outbox: Arc<Outbox>,
    metrics: Arc<Metrics>,
}

struct Inner {
    state: State,
    link: Link,
    /// The driver looks at the deadlines at this instant at the latest.
    armed: Option<Instant>,
    /// When the last byte went either way.
    active: Instant,
}

/// What the lane has to write to.
enum Link {
    /// Nothing was asked of it yet, or the last attempt was hopeless.
    Dormant,
    /// A connection is being made.
    Connecting,
    /// Ready; `blocked` when the socket takes no more for now, `failed` when it never will.
    Up { stream: Arc<Stream>, blocked: bool, failed: Option<Error> },
    /// For good.
    Closed,
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

/// A batch was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// Encoded bytes that are not answered yet, this batch included.
    pub queued: usize,
}

/// The most that the caller's thread writes by itself in one go. The kernel copies about 10 bytes
/// a nanosecond: 256 KiB is 25 us of somebody's event loop; more is left to the driver.
const INLINE: usize = 256 << 10;

impl Lane {
    /// A lane of `pool`; connects when the first command comes or [`Lane::connect`] is called.
    /// Must be called inside the runtime.
    pub fn start(
        options: Arc<ClientOptions>,
        pool: Arc<Pool>,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let inner = Inner {
            state: State::default(),
            link: Link::Dormant,
            armed: None,
            active: Instant::now(),
        };
        let inner = Mutex::new(inner);
        let wake = Notify::new();
        let shared = Arc::new(Shared { inner, wake, options, pool, outbox, metrics });
        tokio::spawn(driver::supervise(Arc::clone(&shared)));
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
            Link::Closed => return Err((batch, closed())),
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
            Link::Up { blocked, .. } if large => {
                // From here on the driver writes, also what comes behind.
                *blocked = true;
                true
            }
            Link::Up { .. } => inner.write(now, &self.shared.metrics),
            Link::Dormant | Link::Closed => true,
        };
        if let (Some(deadline), Some(armed)) = (earliest, inner.armed) {
            wake |= deadline < armed;
        }
        let queued = inner.state.bytes();
        drop(inner);
        if wake {
            self.shared.wake.notify_one();
        }
        Ok(Submitted { queued })
    }

    /// Ends the command `id`, whose caller has gone. None if it is not in this lane.
    pub fn cancel(&self, id: u32) -> Option<Applied> {
        self.shared.lock().state.cancel(id)
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

    fn offline(&self) -> Error {
        let text = "there is no connection to the server, and disableOfflineQueue is set";
        let error = Error::new(Kind::Offline, "OFFLINE", text).with_applied(Applied::No);
        match self.shared.pool.last_error() {
            Some(cause) => error.retryable().with_cause(cause),
            None => error.retryable(),
        }
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "CLOSED", "the client is closed").with_applied(Applied::No)
}

impl Inner {
    /// Writes what the socket takes. True if the driver has to take over.
    fn write(&mut self, now: Instant, metrics: &Metrics) -> bool {
        let Link::Up { stream, blocked, failed } = &mut self.link else { return false };
        let mut total = 0;
        let outcome = loop {
            let Some(bytes) = self.state.unwritten() else { break stream.try_flush() };
            match stream.try_write(&bytes) {
                Ok(n) => {
                    total += n;
                    self.state.wrote(n, now);
                }
                Err(error) => break Err(error),
            }
        };
        if total > 0 {
            metrics.bytes_out.add(total as u64);
            self.active = now;
        }
        *blocked = match outcome {
            Ok(flushed) => !flushed,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            Err(error) => {
                *failed = Some(stream::lost(error));
                true
            }
        };
        *blocked
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // After a panic the supervisor ends every command and starts from an empty state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the callers of `ended` that their commands end because of `error`.
    fn fail(&self, ended: Vec<Ended>, error: &Error) {
        if ended.is_empty() {
            return;
        }
        let failures = ended.into_iter().map(|Ended { id, applied, refusal }| {
            (id, refusal.unwrap_or_else(|| error.clone().with_applied(applied)))
        });
        self.outbox.push(Delivery::Failures(failures.collect()));
    }

    /// Ends the commands whose deadline has passed.
    fn expire(&self, now: Instant) {
        let mut inner = self.lock();
        let connected = matches!(inner.link, Link::Up { .. });
        let ended = inner.state.expire(now);
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
        let mut error = Error::new(Kind::Timeout, "TIMEOUT", text).retryable();
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
