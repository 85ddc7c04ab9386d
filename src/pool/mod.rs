//! The connections of one node: the only place that opens one, and the only user of bb8.
//!
//! Owns what bb8 0.9 leaves open: a fair queue in front (bb8 lets a newcomer take the connection a
//! waiter was woken for), the connect error (bb8 reports only a timeout), failing waiters at once
//! when waiting cannot help, jittered lifetimes, validation that cannot put a dead connection
//! back, shutdown. Never holds a lease over a call: a lease returns itself when it is dropped,
//! which must happen inside the runtime, since bb8 spawns then.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod manager;
mod questions;

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::backoff;
use crate::connection::Connection;
use crate::error::{Applied, Error, ErrorClass, Result};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::Outboxes;
use crate::resp::encode;

use self::manager::{Manager, Node};
pub use self::questions::{Answer, Questions};

/// The pool of one node.
pub struct Pool {
    node: Arc<Node>,
    inner: bb8::Pool<Manager>,
    permits: Arc<Semaphore>,
    counts: Arc<Counts>,
    max: usize,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    in_use: AtomicUsize,
}

/// A pool's size at one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    /// Connections that exist.
    pub total: usize,
    /// Connections that wait for somebody to take them.
    pub idle: usize,
    /// Exclusive leases out. Lanes are not counted.
    pub in_use: usize,
    /// Callers that wait for an exclusive lease.
    pub waiting: usize,
    /// Exclusive leases that may be out at once.
    pub max: usize,
}

/// A connection found idle for longer than this is asked for a PING before it is handed out:
/// most firewalls and proxies drop a flow much later, and a round trip for each checkout of a busy
/// pool would double its latency (HikariCP's aliveBypassWindow is 500 ms as well).
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
/// How long that PING may take. A healthy server answers in microseconds; a dead one must not eat
/// the caller's whole deadline.
const VALIDATION: Duration = Duration::from_secs(1);
/// Connections for subscribers, of which each event loop that shares a client has one: that in
/// use, and one before it that may be about to close. Only a bound for bb8: a subscriber asks for
/// no more, and no process has a thousand worker threads.
const SUBSCRIBERS: usize = 2 * 1000;
/// How often failed attempts are counted, for those who do not want to wait for many.
const ATTEMPT_LOOK: Duration = Duration::from_millis(20);
/// bb8 has one timeout for all; deadlines are ours, so its own is out of reach.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Pool {
    /// A pool for the endpoint of `options`. Opens nothing yet, unless `pool.min` asks for idle
    /// connections beyond those of the lanes. Must be called inside the runtime.
    pub fn new(
        options: Arc<ClientOptions>,
        questions: Arc<Questions>,
        outboxes: Arc<Outboxes>,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let max = options.pool.max as usize;
        // A lane that retires holds two connections for a moment.
        let size = max + 2 * options.lanes + SUBSCRIBERS;
        let min_idle = (options.pool.min as usize).saturating_sub(options.lanes);
        let idle_timeout = options.pool.idle_timeout;
        let node = Arc::new(Node::new(options, questions, outboxes, metrics)?);
        let inner = bb8::Pool::builder()
            .max_size(u32::try_from(size).unwrap_or(u32::MAX))
            .min_idle(u32::try_from(min_idle).ok().filter(|n| *n > 0))
            .connection_timeout(NEVER)
            .idle_timeout(idle_timeout)
            .max_lifetime(None)
            .retry_connection(false)
            .test_on_check_out(false)
            .queue_strategy(bb8::QueueStrategy::Lifo)
            .build_unchecked(Manager::new(Arc::clone(&node)));
        let permits = Arc::new(Semaphore::new(max));
        Ok(Self { node, inner, permits, counts: Arc::default(), max })
    }

    /// A connection for a lane. Lanes have their own budget, so that sessions cannot starve them.
    /// Waits for as long as it takes; fails only if waiting cannot help.
    pub async fn lane_lease(&self) -> Result<Lease> {
        let connection = self.checkout().await?;
        Ok(Lease { connection, _turn: None })
    }

    /// A connection for a subscriber: the same, from a budget of its own.
    pub async fn subscriber_lease(&self) -> Result<Lease> {
        self.lane_lease().await
    }

    /// A connection for a question that another node may answer as well: the same, but fails once
    /// `tries` attempts in a row have failed.
    pub async fn impatient_lease(&self, tries: u32) -> Result<Lease> {
        let mut lease = std::pin::pin!(self.lane_lease());
        loop {
            tokio::select! {
                biased;
                lease = &mut lease => return lease,
                () = tokio::time::sleep(ATTEMPT_LOOK) => {}
            }
            if let Some(error) = self.node.failed_times(tries) {
                return Err(error);
            }
        }
    }

    /// An exclusive connection, in the order of asking.
    ///
    /// # Errors
    ///
    /// `POOL_TIMEOUT` after `pool.acquireTimeout`, with the pool's numbers and the last connect
    /// error as cause; at once, if the cause cannot go away by waiting; `CLOSED`.
    pub async fn acquire(&self) -> Result<Lease> {
        let budget = self.node.options.pool.acquire_timeout;
        let started = Instant::now();
        let waiting = Gauge::enter(Arc::clone(&self.counts), |counts| &counts.waiting);
        let taken = tokio::time::timeout(budget, async {
            let permit = Arc::clone(&self.permits).acquire_owned().await;
            let permit = permit.map_err(|_| self.node.closed_error())?;
            Ok::<_, Error>((permit, self.checkout().await?))
        });
        let taken = taken.await;
        drop(waiting);
        self.node.metrics.acquire.record(started.elapsed(), 1);
        let (permit, connection) = match taken {
            Ok(result) => result?,
            Err(_) => return Err(self.timeout_error(started.elapsed(), self.stats().waiting)),
        };
        let in_use = Gauge::enter(Arc::clone(&self.counts), |counts| &counts.in_use);
        Ok(Lease { connection, _turn: Some(Turn { _permit: permit, _in_use: in_use }) })
    }

    /// The pool's size now.
    pub fn stats(&self) -> PoolStats {
        let state = self.inner.state();
        PoolStats {
            total: state.connections as usize,
            idle: state.idle_connections as usize,
            in_use: self.counts.in_use.load(Ordering::Relaxed),
            waiting: self.counts.waiting.load(Ordering::Relaxed),
            max: self.max,
        }
    }

    /// Makes `database` the one that every later lease finds.
    pub fn select(&self, database: u32) {
        self.node.select(database);
    }

    /// The database that a lease finds.
    pub fn database(&self) -> u32 {
        self.node.database()
    }

    /// The last error of a connection attempt since the last success.
    pub fn last_error(&self) -> Option<Error> {
        self.node.last_error()
    }

    /// Tells that an established connection was lost for `error`, so that the next one is made at
    /// once and errors have a cause.
    pub fn lost(&self, error: &Error) {
        self.node.lost(error);
    }

    /// Ends all attempts and waits, and closes idle connections. Leases close when they are
    /// dropped.
    pub async fn close(&self) {
        self.node.close();
        self.permits.close();
        while self.inner.state().idle_connections > 0 {
            match self.inner.get_owned().await {
                Ok(connection) => connection.mark_broken(),
                Err(_) => break,
            }
        }
    }

    async fn checkout(&self) -> Result<bb8::PooledConnection<'static, Manager>> {
        let mut verdict = self.node.verdict();
        loop {
            let mut connection = tokio::select! {
                biased;
                error = verdict.hopeless() => return Err(error),
                taken = self.inner.get_owned() => match taken {
                    Ok(connection) => connection,
                    Err(bb8::RunError::User(error)) => return Err(error),
                    Err(bb8::RunError::TimedOut) => continue,
                },
            };
            if connection.is_expired() {
                connection.mark_broken();
            } else if connection.idle_for() > TRUSTED_IDLE {
                // A PING that fails or is cancelled leaves the connection marked as broken.
                let _ = connection.ping(VALIDATION).await;
            }
            let database = self.node.database();
            if !connection.is_broken() && connection.database != database {
                self.reselect(&mut connection, database).await;
            }
            if !connection.is_broken() {
                return Ok(connection);
            }
        }
    }

    /// Moves a connection that was opened before the database changed. One that does not follow
    /// is broken: the next one has to.
    async fn reselect(&self, connection: &mut Pooled, database: u32) {
        let mut select = Vec::new();
        encode::command(&mut select, &[b"SELECT", database.to_string().as_bytes()]);
        let selected = tokio::time::timeout(VALIDATION, connection.request(&select)).await;
        match selected {
            Ok(Ok(reply)) if !reply.is_error() => connection.database = database,
            _ => connection.mark_broken(),
        }
    }

    /// What a caller is told who has waited for an exclusive lease for too long; `waiting` others
    /// do as well.
    pub fn timeout_error(&self, waited: Duration, waiting: usize) -> Error {
        let PoolStats { total, idle, in_use, max, .. } = self.stats();
        let text = format!(
            "no connection to {} became free within {} ms (total={total} idle={idle} \
             inUse={in_use} waiting={waiting} max={max})",
            self.node.options.endpoint,
            waited.as_millis(),
        );
        let error = Error::new(ErrorClass::Timeout, "POOL_TIMEOUT", text);
        let error = error.with_applied(Applied::No).retryable();
        match self.node.last_error() {
            Some(cause) => error.with_cause(cause),
            None => error,
        }
    }
}

/// A connection on loan. Goes back when dropped (inside the runtime), or is closed if it was
/// marked as broken or has reached its lifetime.
pub struct Lease {
    connection: bb8::PooledConnection<'static, Manager>,
    _turn: Option<Turn>,
}

struct Turn {
    _permit: OwnedSemaphorePermit,
    _in_use: Gauge,
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Lease {
    /// When the connection should be replaced: `pool.maxLifetime` less up to a tenth after it was
    /// opened, so that connections opened together do not end together. None: never.
    pub fn expires(&self) -> Option<Instant> {
        self.connection.expires()
    }
}

/// A connection as the pool keeps it.
pub struct Pooled {
    connection: Connection,
    expires: Option<Instant>,
}

impl Pooled {
    fn new(connection: Connection, max_lifetime: Option<Duration>) -> Self {
        let jitter = 1.0 - backoff::random() / 10.0;
        let expires = max_lifetime.map(|lifetime| Instant::now() + lifetime.mul_f64(jitter));
        Self { connection, expires }
    }

    fn expires(&self) -> Option<Instant> {
        self.expires
    }

    fn is_expired(&self) -> bool {
        self.expires.is_some_and(|at| at <= Instant::now())
    }

    fn idle_for(&self) -> Duration {
        self.connection.idle_since().elapsed()
    }
}

impl Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Counts up while it lives.
struct Gauge {
    counts: Arc<Counts>,
    gauge: fn(&Counts) -> &AtomicUsize,
}

impl Gauge {
    fn enter(counts: Arc<Counts>, gauge: fn(&Counts) -> &AtomicUsize) -> Self {
        gauge(&counts).fetch_add(1, Ordering::Relaxed);
        Self { counts, gauge }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        (self.gauge)(&self.counts).fetch_sub(1, Ordering::Relaxed);
    }
}
