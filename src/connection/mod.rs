//! A byte stream that has finished its handshake.
//!
//! Owns the handshake, the framing of what arrives, and the connection's health. It knows nothing
//! of pools, queues or callers. A lane uses [`Connection::stream`] and [`Connection::reader`]
//! directly; all others have one exchange at a time.
//!
//! Invariant: a connection whose exchange was cut short, by an error or by dropping its future, is
//! broken for good. A reply may still be on its way, and the next caller would take it for its own.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod bounds;
mod budget;
mod credentials;
mod exchange;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod handshake;
mod manner;
mod open;
mod reader;
mod server_info;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{timeout, Instant};

pub use budget::Budget;
pub use credentials::Credentials;
pub use manner::Manner;
pub use open::{out_of_time, Judge, Opening};
pub use reader::Reader;
pub use server_info::ServerInfo;

use crate::error::{Error, Result};
use crate::resp::Limits;
use crate::stream::{self, Stream};

/// A connection that may serve commands.
pub struct Connection {
    /// The stream, to which any thread may write.
    pub stream: Arc<Stream>,
    /// The decoder of what arrives.
    pub reader: Reader,
    /// What the server has said about itself.
    pub info: ServerInfo,
    /// The database that is selected.
    pub database: u32,
    /// What the server was asked for in the handshake.
    pub manner: Manner,
    /// What it took to make: from the look-up of the host name to the end of the handshake.
    pub took: Duration,
    is_broken: AtomicBool,
    created_at: Instant,
    idle_since: Instant,
}

impl Connection {
    fn new(stream: Stream, limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            stream: Arc::new(stream),
            reader: Reader::new(limits),
            info: ServerInfo::default(),
            database: 0,
            manner: Manner::default(),
            took: Duration::ZERO,
            is_broken: AtomicBool::new(false),
            created_at: now,
            idle_since: now,
        }
    }

    /// Takes the stream away from tokio (see [`Stream::detached`]). A stream with TLS stays as it is.
    pub fn detach(&mut self) -> Result<()> {
        if let Some(stream) = self.stream.detached()? {
            self.stream = Arc::new(stream);
        }
        Ok(())
    }

    /// Makes tokio watch the stream again after [`Connection::detach`]. Must be called inside of the
    /// runtime.
    pub fn attach(&mut self) -> Result<()> {
        if !self.stream.is_detached() {
            return Ok(());
        }
        if let Some(stream) = self.stream.attended().map_err(|error| self.lost(error))? {
            self.stream = Arc::new(stream);
        }
        Ok(())
    }

    /// Asks whether the server is alive, and waits for the answer for at most `budget`. Any
    /// well-formed reply means yes, since a server that answers `LOADING` or `BUSY` is alive.
    ///
    /// # Errors
    ///
    /// As [`Connection::exchange`]; also `CONNECTION_LOST` after `budget`. The connection is broken
    /// then.
    pub async fn ping(&mut self, budget: Duration) -> Result<()> {
        // When the time is over, `exchange` is dropped and has left the connection marked as broken.
        match timeout(budget, self.request(PING)).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => {
                let waited = budget.as_millis();
                let message = format!("the server did not answer a ping within {waited} ms");
                Err(Error::connection("CONNECTION_LOST", message).retryable())
            }
        }
    }

    /// Gives the connection up: the pool will not lend it again.
    pub fn mark_broken(&self) {
        self.is_broken.store(true, Ordering::Release);
    }

    /// Takes [`Connection::mark_broken`] back. For a lane that knows that every command was answered.
    pub fn mark_sound(&self) {
        self.is_broken.store(false, Ordering::Release);
    }

    /// Whether the connection is broken, so that nobody may use it again.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// When the socket was connected.
    pub fn created_at(&self) -> Instant {
        self.created_at
    }

    /// When the server was heard last by whoever has used the connection last.
    pub fn idle_since(&self) -> Instant {
        self.idle_since
    }

    /// Notes when the server was heard last.
    pub fn used_at(&mut self, heard: Instant) {
        self.idle_since = heard;
    }

    /// The error of a stream that has failed.
    fn lost(&self, error: io::Error) -> Error {
        let cause = stream::lost(error);
        // With TLS 1.3, a server refuses a client certificate only after the handshake. That error
        // says more than a lost connection.
        if cause.code().starts_with("TLS_") {
            return cause;
        }
        let message = format!("the connection to {} was lost", self.stream.peer());
        Error::connection("CONNECTION_LOST", message).retryable().with_cause(cause)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.close();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.stream.peer())
            .field("info", &self.info)
            .field("is_broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}

/// The command of [`Connection::ping`].
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
