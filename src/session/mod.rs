//! A session: a connection that one caller has to itself, until it goes back.
//!
//! Owns the knowledge of what the caller has done to the connection, and so what has to be undone
//! before another caller gets it. An exclusive lane moves the bytes. Invariant: a connection goes
//! back to the pool only in the state of a new one; otherwise it is closed.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod traces;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::command;
use crate::error::{Applied, Error};
use crate::lane::{Batch, Home, Lane, Loan, Submitted};
use crate::pool::{Lease, Pool};
use crate::resp::encode;

pub use self::traces::Traces;

/// One caller's connection.
pub struct Session {
    lane: Lane,
    traces: Mutex<Traces>,
    pool: Arc<Pool>,
    /// The database that the connection was leased in.
    database: u32,
    /// When the connection is to be replaced.
    expires: Option<Instant>,
    /// The pool's generation that the connection is of.
    generation: u32,
    /// The epoch of what the connection has begun with.
    epoch: u32,
    /// Why the client's database is not selected: the server waits for a script to end. Then the
    /// session takes only what ends that script.
    unselected: Option<Error>,
}

/// What became of a session that was to be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// It is in the state of a new one, and may serve another caller.
    Clean,
    /// It has ended: its connection is cleaned and goes back to the pool, or it is closed.
    Gone,
    /// It was not released, because commands are not answered yet.
    Busy,
}

impl Session {
    /// A session over `lease`. Must be called inside the runtime.
    pub fn start(home: Home, mut lease: Lease) -> Self {
        let unselected = lease.unselected.take();
        let (database, expires) = (lease.database, lease.expires());
        let (generation, epoch) = (lease.generation(), lease.epoch());
        let (traces, pool) = (Mutex::new(Traces::new(database)), Arc::clone(&home.pool));
        let lane = Lane::exclusive(home, lease);
        Self { lane, traces, pool, database, expires, generation, epoch, unselected }
    }

    /// A session over the connection that `loan` is of.
    pub fn borrowed(pool: Arc<Pool>, loan: Loan) -> Self {
        let Loan { lane, database, expires, generation, epoch } = loan;
        let traces = Mutex::new(Traces::new(database));
        Self { lane, traces, pool, database, expires, generation, epoch, unselected: None }
    }

    /// The lane that carries the commands.
    pub fn lane(&self) -> &Lane {
        &self.lane
    }

    /// Queues a batch. From any thread.
    ///
    /// # Errors
    ///
    /// Why the session has ended (`CLOSED`, `SESSION_LOST`). `BUSY` if the server waits for a script
    /// to end and the batch does not end it. The batch comes back with the error; nothing of it was
    /// queued.
    pub fn submit(&self, batch: Batch) -> Result<Submitted, (Batch, Error)> {
        if let Some(busy) = self.unselected.as_ref().filter(|_| !ends_script(batch.bytes())) {
            return Err((batch, busy.clone()));
        }
        self.lock().note(batch.bytes());
        self.lane.submit(batch)
    }

    /// Whether the session can still be used, as far as is known.
    pub fn is_up(&self) -> bool {
        self.lane.is_up()
    }

    /// Whether another caller may have the session: it can be used, it is in the database that the
    /// client has selected, nothing else was changed since it began, it is not too old, and no
    /// connection of its time has found the server to be a replica.
    pub fn is_fit(&self) -> bool {
        let is_young = self.expires.is_none_or(|at| Instant::now() < at);
        let is_trusted = self.generation == self.pool.generation();
        let is_current = self.epoch == self.pool.epoch();
        is_young
            && is_trusted
            && is_current
            && self.database == self.pool.database()
            && self.lane.is_alive()
    }

    /// Takes the session from its caller.
    pub fn release(&self) -> Released {
        if !self.lane.is_up() {
            self.close(&over());
            return Released::Gone;
        }
        if self.lane.stats().queued > 0 {
            return Released::Busy;
        }
        let cleaning = {
            let mut traces = self.lock();
            let is_doubtful = self.lane.take_doubt();
            match traces.are_none(is_doubtful) {
                true if self.is_fit() => {
                    // The next caller starts without traces of this one.
                    *traces = Traces::new(self.database);
                    return Released::Clean;
                }
                // There are no traces, but the database has changed, or the connection is too old or
                // suspect: the pool selects the database, or closes the connection.
                true => Some(Vec::new()),
                false => traces.cleaning(is_doubtful),
            }
        };
        match cleaning {
            Some(commands) => self.lane.leave(&commands),
            None => self.close(&over()),
        }
        Released::Gone
    }

    /// Ends a clean session: its connection goes back to the pool.
    pub fn give_back(&self) {
        match self.release() {
            Released::Clean => self.lane.leave(&[]),
            Released::Gone => {}
            Released::Busy => self.close(&over()),
        }
    }

    /// Ends every command with `error` and closes the connection.
    pub fn close(&self, error: &Error) {
        self.lane.close(error);
    }

    /// Ends the command `id` of `owner`, whose caller has gone. None if it is not in this session.
    pub fn cancel(&self, owner: u32, id: u32) -> Option<Applied> {
        self.lane.cancel(owner, id)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Traces> {
        // A panic under the lock leaves too many traces, never too few, so it does no harm.
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether all commands that are encoded in `batch` end the script that a server waits for.
fn ends_script(batch: &[u8]) -> bool {
    let mut rest = batch;
    while let Some(length) = encode::command_len(rest) {
        let (one, behind) = rest.split_at(length);
        let name = command::of(one).map(|spec| spec.name);
        if !matches!(name, Some("SCRIPT KILL" | "FUNCTION KILL" | "SHUTDOWN")) {
            return false;
        }
        rest = behind;
    }
    rest.is_empty()
}

fn over() -> Error {
    Error::connection("SESSION_RELEASED", "the session was released before the reply came")
}
