//! The connections of one node. The only module that opens connections, and the only user of bb8.
//!
//! Owns what bb8 0.9 lacks: a fair queue (bb8 lets a newcomer take the connection that a waiting
//! caller was woken for), the connect error (bb8 reports a timeout only), an immediate error for
//! waiting callers when waiting cannot help, jittered lifetimes, a check of idle connections that
//! never puts a dead one back, and shutdown. A lease goes back when it is dropped, which must happen
//! inside of the runtime, because bb8 spawns a task then.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod dialer;
mod doubts;
mod halt;
mod lease;
mod manager;
mod questions;
mod standing;
mod stats;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::ClientConfig;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use self::dialer::Dialer;
use self::halt::closed_error;
use self::lease::Pooled;
pub use self::lease::{Lease, Permit};
use self::manager::Manager;
pub use self::questions::{CallbackResult, Questions};
pub use self::standing::Standing;
pub use self::stats::PoolStats;
use self::stats::{Counts, Gauge};
use crate::error::{Applied, Error, ErrorClass, Result};
use crate::error_replies::{ErrorReply, Reason};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::Outboxes;
use crate::resp::encode;
use crate::stream::{self, ServerAddress};

/// The pool of one node.
pub struct Pool {
    dialer: Arc<Dialer>,
    connections: bb8::Pool<Manager>,
    /// The fair queue for exclusive leases.
    permits: Arc<Semaphore>,
    counts: Arc<Counts>,
    max: usize,
}

impl Pool {
    /// A pool for the endpoint of `options`. Opens nothing yet, unless `pool.min` asks for idle
    /// connections beyond those of the lanes. Must be called inside of the runtime.
    ///
    /// # Errors
    ///
    /// `USAGE` if the TLS options cannot be used.
    pub fn new(
        options: Arc<ClientOptions>,
        questions: Arc<Questions>,
        outboxes: Arc<Outboxes>,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let tls = options.tls.as_ref().map(stream::tls_config).transpose()?;
        Ok(Self::with_tls(options, tls, questions, outboxes, metrics))
    }

    /// As [`Pool::new`], with the configuration that is made of the TLS options, which may have been
    /// made for another pool.
    pub fn with_tls(
        options: Arc<ClientOptions>,
        tls: Option<Arc<ClientConfig>>,
        questions: Arc<Questions>,
        outboxes: Arc<Outboxes>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let max = options.pool.max as usize;
        // A lane that retires has two connections for a moment.
        let size = max + 2 * options.lanes + SUBSCRIBERS;
        let min_idle = (options.pool.min as usize).saturating_sub(options.lanes);
        let idle_timeout = options.pool.idle_timeout;
        let dialer = Arc::new(Dialer::new(options, tls, questions, outboxes, metrics));
        let connections = bb8::Pool::builder()
            .max_size(u32::try_from(size).unwrap_or(u32::MAX))
            .min_idle(u32::try_from(min_idle).ok().filter(|n| *n > 0))
            .connection_timeout(NEVER)
            .idle_timeout(idle_timeout)
            .max_lifetime(None)
            .retry_connection(false)
            .test_on_check_out(false)
            .queue_strategy(bb8::QueueStrategy::Lifo)
            .build_unchecked(Manager::new(Arc::clone(&dialer)));
        let permits = Arc::new(Semaphore::new(max));
        Self { dialer, connections, permits, counts: Arc::default(), max }
    }

    /// A connection for a lane, which does not count towards `pool.max`, so that sessions cannot
    /// take all connections. Waits for as long as it takes.
    ///
    /// # Errors
    ///
    /// Those for which waiting cannot help: a fatal error, or the last one if the reconnect strategy
    /// stops; `CLOSED`.
    pub async fn lane_lease(&self) -> Result<Lease> {
        let (connection, unselected) = self.checkout(false).await?;
        Ok(Lease { connection, _permit: None, unselected })
    }

    /// A connection for a subscriber. Waits and fails as [`Pool::lane_lease`] does.
    pub async fn subscriber_lease(&self) -> Result<Lease> {
        self.lane_lease().await
    }

    /// A connection for a question that another node may answer as well. Waits and fails as
    /// [`Pool::lane_lease`] does, and also fails once `tries` attempts in a row have failed.
    pub async fn impatient_lease(&self, tries: u32) -> Result<Lease> {
        let mut lease = std::pin::pin!(self.lane_lease());
        loop {
            tokio::select! {
                biased;
                lease = &mut lease => return lease,
                () = tokio::time::sleep(ATTEMPT_LOOK) => {}
            }
            if let Some(error) = self.dialer.failed_times(tries) {
                return Err(error);
            }
        }
    }

    /// An exclusive connection. Callers get one in the order in which they have asked.
    ///
    /// # Errors
    ///
    /// `POOL_TIMEOUT` after `pool.acquireTimeout`, with the pool's numbers, and the last connect
    /// error as its cause. At once: errors for which waiting cannot help, and `CLOSED`.
    pub async fn acquire(&self) -> Result<Lease> {
        let budget = self.dialer.options.pool.acquire_timeout;
        let started = Instant::now();
        let waiting = Gauge::enter(Arc::clone(&self.counts), |counts| &counts.waiting);
        let taken = tokio::time::timeout(budget, async {
            let permit = Arc::clone(&self.permits).acquire_owned().await;
            let permit = permit.map_err(|_| closed_error())?;
            Ok::<_, Error>((permit, self.checkout(true).await?))
        });
        let taken = taken.await;
        drop(waiting);
        self.dialer.metrics.acquire.record(started.elapsed(), 1);
        let (permit, (connection, unselected)) = match taken {
            Ok(result) => result?,
            Err(_) => return Err(self.timeout_error(started.elapsed(), self.stats().waiting)),
        };
        Ok(Lease { connection, _permit: Some(self.permit_of(permit)), unselected })
    }

    /// What an exclusive lease takes of `pool.max`, for a connection that is there already. None if
    /// there is no room.
    pub fn permit(&self) -> Option<Permit> {
        Arc::clone(&self.permits).try_acquire_owned().ok().map(|permit| self.permit_of(permit))
    }

    fn permit_of(&self, permit: OwnedSemaphorePermit) -> Permit {
        let in_use = Gauge::enter(Arc::clone(&self.counts), |counts| &counts.in_use);
        Permit { _permit: permit, _in_use: in_use }
    }

    /// The pool's size now.
    pub fn stats(&self) -> PoolStats {
        let state = self.connections.state();
        PoolStats {
            total: state.connections as usize,
            idle: state.idle_connections as usize,
            in_use: self.counts.in_use.load(Ordering::Relaxed),
            waiting: self.counts.waiting.load(Ordering::Relaxed),
            max: self.max,
        }
    }

    /// Makes every later lease begin with what `encoded`, a command that has succeeded, has changed
    /// on its connection.
    pub fn remember(&self, encoded: &Bytes) {
        self.dialer.remember(encoded);
    }

    /// Makes every later lease begin as the options say.
    pub fn forget(&self) {
        self.dialer.forget();
    }

    /// The epoch of what leases begin with.
    pub fn epoch(&self) -> u32 {
        self.dialer.epoch()
    }

    /// The database that a new lease has selected.
    pub fn database(&self) -> u32 {
        self.dialer.database()
    }

    /// The last error of an attempt, or of a lost connection, since the last success.
    pub fn last_error(&self) -> Option<Error> {
        self.dialer.last_error()
    }

    /// The error of a caller that has waited for a connection for `waited`.
    pub fn late(&self, waited: Duration) -> Error {
        self.dialer.late(waited)
    }

    /// Notes that an established connection was lost for `error`: counts it, tells the application,
    /// and keeps it as the cause of later timeouts.
    pub fn lost(&self, error: &Error) {
        self.dialer.lost(error);
    }

    /// The server of a connection that stands lacks what the client needs: notes it as a failed
    /// attempt, and makes attempts fail with `error` for a second. Returns the error.
    pub fn unfit(&self, error: Error) -> Error {
        self.dialer.failed(&error);
        self.dialer.give_up(error)
    }

    /// Makes `lookup` say which addresses the node's name has, in place of the operating system's
    /// resolver. Only the first call counts.
    pub fn set_lookup(&self, lookup: impl Fn() -> Vec<SocketAddr> + Send + Sync + 'static) {
        let lookup = move || lookup().into_iter().map(ServerAddress::Tcp).collect();
        let _ = self.dialer.lookup.set(Box::new(lookup));
    }

    /// Whether the node's name had more than one address when it was looked up last.
    pub fn has_choice(&self) -> bool {
        self.dialer.book.has_choice()
    }

    /// The server at `peer`, one of the addresses of the node's name, is of no use for now: the
    /// others are tried before it for a while. Does nothing if there is no other.
    pub fn shun(&self, peer: &str) {
        if let Ok(address) = peer.parse() {
            self.dialer.book.shun(address);
        }
    }

    /// The generation of the connections that are made now.
    pub fn generation(&self) -> u32 {
        self.dialer.doubts.generation()
    }

    /// The server has told over a connection of `generation` that it is a replica. All connections
    /// made so far are suspect: those on loan are closed when they come back, the others before
    /// they are lent again. Does nothing if that generation is suspect already. From any thread.
    pub fn suspect(&self, generation: u32) {
        self.dialer.suspect(generation);
    }

    /// Replaces all connections by others, which log in anew: those on loan are closed when they
    /// come back, the others before they are lent again. That the last credentials were refused says
    /// nothing about those that are given now, so attempts begin at once.
    pub fn renew(&self) {
        self.dialer.halt.lift();
        self.suspect(self.generation());
    }

    /// Calls `listener` whenever connections have become suspect, until it returns false. It must
    /// not wait for anything.
    pub fn on_suspicion(&self, listener: impl Fn() -> bool + Send + 'static) {
        self.dialer.doubts.listen(Box::new(listener));
    }

    /// Ends all attempts, makes all waiting callers fail, and closes idle connections. A connection on
    /// loan is closed when its lease is dropped.
    pub async fn close(&self) {
        self.dialer.halt.close();
        self.permits.close();
        while self.connections.state().idle_connections > 0 {
            match self.connections.get_owned().await {
                Ok(connection) => connection.mark_broken(),
                Err(_) => break,
            }
        }
    }

    /// A connection that is alive and has selected the right database.
    ///
    /// A server that waits for a script to end refuses to select one. Who `takes_any` gets the
    /// connection all the same, with the refusal: a session on it can end the script. Others wait.
    async fn checkout(
        &self,
        takes_any: bool,
    ) -> Result<(bb8::PooledConnection<'static, Manager>, Option<Error>)> {
        let mut halt = self.dialer.halt.watch();
        loop {
            let mut connection = tokio::select! {
                biased;
                error = halt.hopeless() => return Err(error),
                taken = self.connections.get_owned() => match taken {
                    Ok(connection) => connection,
                    Err(bb8::RunError::User(error)) => return Err(error),
                    Err(bb8::RunError::TimedOut) => continue,
                },
            };
            if connection.is_expired() || connection.epoch() != self.dialer.epoch() {
                connection.mark_broken();
            } else if connection.idle_for() > TRUSTED_IDLE {
                // A PING that fails or is cancelled leaves the connection marked as broken.
                let _ = connection.ping(VALIDATION).await;
            }
            let mut refusal = None;
            while !connection.is_broken() && connection.database != self.dialer.database() {
                refusal = self.reselect(&mut connection, self.dialer.database()).await;
                if refusal.is_none() {
                    continue;
                }
                self.dialer.note(refusal.clone());
                if takes_any {
                    break;
                }
                tokio::select! {
                    biased;
                    error = halt.hopeless() => return Err(error),
                    () = tokio::time::sleep(SCRIPT_LOOK) => {}
                }
            }
            if !connection.is_broken() {
                return Ok((connection, refusal));
            }
        }
    }

    /// Selects the database on a connection that was opened before the database changed. A connection
    /// on which that fails is marked as broken, and `checkout` takes another one. If the server
    /// waits for a script to end, the connection stays as it is, and the refusal is returned.
    async fn reselect(&self, connection: &mut Pooled, database: u32) -> Option<Error> {
        let mut select = Vec::new();
        encode::command(&mut select, &[b"SELECT", database.to_string().as_bytes()]);
        let selected = tokio::time::timeout(VALIDATION, connection.request(&select)).await;
        match selected {
            Ok(Ok(reply)) if !reply.is_error() => {
                connection.database = database;
                // What may have been noted while the server waited for a script is over.
                self.dialer.note(None);
            }
            Ok(Ok(reply)) => {
                let root = reply.replies.first().and_then(|root| reply.tape.get(*root as usize));
                let text = root.map_or(&[][..], |node| reply.text(node));
                let error = Error::reply(String::from_utf8_lossy(text));
                let error = error.retryable().with_applied(Applied::No);
                let known = ErrorReply::of(error.code().as_bytes());
                if known.is_some_and(|known| known.reason == Reason::ScriptRunning) {
                    return Some(error);
                }
                connection.mark_broken();
            }
            _ => connection.mark_broken(),
        }
        None
    }

    /// The error of a caller that has waited for an exclusive lease for too long. `waiting` is the
    /// number of others that still wait.
    pub fn timeout_error(&self, waited: Duration, waiting: usize) -> Error {
        let PoolStats { total, idle, in_use, max, .. } = self.stats();
        let text = format!(
            "no connection to {} became free within {} ms (total={total} idle={idle} \
             inUse={in_use} waiting={waiting} max={max})",
            self.dialer.options.endpoint,
            waited.as_millis(),
        );
        let error = Error::new(ErrorClass::Timeout, "POOL_TIMEOUT", text);
        let error = error.with_applied(Applied::No).retryable();
        match self.dialer.last_error() {
            Some(cause) => error.with_cause(cause),
            None => error,
        }
    }
}

/// An idle connection is asked for a PING before it is handed out, if it was idle for longer than
/// this. Most firewalls and proxies drop a flow much later, and a round trip for each checkout of a
/// busy pool would double its latency. (HikariCP's `aliveBypassWindow` is 500 ms as well.)
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
/// How often it is looked whether a script that the server waits for has ended. It has run for
/// seconds by then (`busy-reply-threshold` is 5 s), so a tenth of a second more does not matter.
const SCRIPT_LOOK: Duration = Duration::from_millis(100);
/// How long that PING may take. A healthy server answers within microseconds, and a dead one must
/// not use up the caller's whole deadline.
const VALIDATION: Duration = Duration::from_secs(1);
/// Connections for subscribers. Each event loop that shares a client has one in use, and at times an
/// earlier one that is about to close. No process has a thousand worker threads, so this bound is
/// never reached; bb8 needs one.
const SUBSCRIBERS: usize = 2 * 1000;
/// How often [`Pool::impatient_lease`] looks at the number of failed attempts. Short beside the time
/// that an attempt over a network takes.
const ATTEMPT_LOOK: Duration = Duration::from_millis(20);
/// bb8's own timeout. It has one for all callers, and deadlines here differ, so it is out of reach.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
