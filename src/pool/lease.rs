//! A connection on loan, and a connection as the pool keeps it.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::manager::Manager;
use super::stats::Gauge;
use crate::backoff;
use crate::connection::Connection;
use crate::error::Error;

/// A connection on loan. It goes back to the pool when the lease is dropped, which must happen
/// inside of the runtime. It is closed instead if it is broken or has reached its lifetime.
pub struct Lease {
    pub(super) connection: bb8::PooledConnection<'static, Manager>,
    pub(super) _permit: Option<Permit>,
    /// Why the database of the client is not selected: the server waits for a script to end. None
    /// if it is.
    pub unselected: Option<Error>,
}

impl Lease {
    /// When the connection should be replaced: `pool.maxLifetime` after it was opened, less a random
    /// tenth at most, so that connections opened together do not end together. `None` means never.
    pub fn expires(&self) -> Option<Instant> {
        self.connection.expires()
    }

    /// The pool's generation that the connection is of.
    pub fn generation(&self) -> u32 {
        self.connection.generation
    }

    /// The epoch of what the connection has begun with.
    pub fn epoch(&self) -> u32 {
        self.connection.epoch
    }

    /// Makes this a lease that takes of the pool's limit, by `permit`, of a connection that has
    /// selected `database`.
    pub fn lend(&mut self, permit: Permit, database: u32) {
        self._permit = Some(permit);
        self.connection.database = database;
    }

    /// Whether the connection should be replaced, because [`Pool::suspect`](super::Pool::suspect)
    /// was called after it was made.
    pub fn is_suspect(&self) -> bool {
        self.connection.is_suspect()
    }
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

/// What an exclusive lease takes of the pool's limit, until it is dropped.
pub struct Permit {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) _in_use: Gauge,
}

/// A connection as the pool keeps it.
pub struct Pooled {
    connection: Connection,
    expires: Option<Instant>,
    generation: u32,
    /// The epoch of what it has begun with.
    epoch: u32,
    /// The generation of connections that are made now.
    current: Arc<AtomicU32>,
}

impl Pooled {
    /// A connection that was opened just now. The attempt began in
    /// `generation`, with what `epoch` says.
    pub(super) fn new(
        connection: Connection,
        max_lifetime: Option<Duration>,
        generation: u32,
        epoch: u32,
        current: Arc<AtomicU32>,
    ) -> Self {
        let jitter = 1.0 - backoff::random() / 10.0;
        let expires = max_lifetime.map(|lifetime| Instant::now() + lifetime.mul_f64(jitter));
        Self { connection, expires, generation, epoch, current }
    }

    fn expires(&self) -> Option<Instant> {
        self.expires
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether the connection has reached its lifetime, or is suspect.
    pub(super) fn is_expired(&self) -> bool {
        self.is_suspect() || self.expires.is_some_and(|at| at <= Instant::now())
    }

    fn is_suspect(&self) -> bool {
        self.generation != self.current.load(Ordering::Acquire)
    }

    pub(super) fn idle_for(&self) -> Duration {
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
