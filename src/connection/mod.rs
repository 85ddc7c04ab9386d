//! A byte stream that has finished its handshake.
//!
//! Owns the handshake, the framing of what arrives, and the connection's health. It knows nothing
//! of pools, queues or callers: whoever leases a connection either uses [`Connection::stream`]
//! and [`Connection::reader`] directly (a lane), or has one exchange at a time (all others).
//!
//! Invariant: a connection whose exchange was cut short, by an error or by dropping its future,
//! is broken and stays so, because a reply may still be on its way (P10).

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod bounds;
mod handshake;
mod open;
mod reader;

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{timeout, Instant};

pub use reader::Reader;

use crate::error::{Error, Result};
use crate::options::{ClientOptions, Secret};
use crate::resp::{Frames, Limits};
use crate::stream::{self, Stream};

/// A connection that may serve commands.
pub struct Connection {
    /// Where bytes are written, from any thread.
    pub stream: Arc<Stream>,
    /// Where replies come from.
    pub reader: Reader,
    /// What the server said of itself.
    pub info: ServerInfo,
    /// The database that commands find.
    pub database: u32,
    is_broken: AtomicBool,
    created_at: Instant,
    idle_since: Instant,
}

/// What the server said of itself in its answer to `HELLO`; mostly empty in RESP2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// The protocol in use: 2 or 3.
    pub proto: u8,
    /// The server's number for this connection (`CLIENT ID`).
    pub id: Option<i64>,
    /// The server's name: `redis`, `valkey` ...
    pub server: Option<String>,
    /// The server's version.
    pub version: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    pub mode: Option<String>,
    /// `master` or `replica`.
    pub role: Option<String>,
    /// The availability zone that it says it is in (Valkey 8.1, `availability-zone`).
    pub zone: Option<String>,
}

/// The user name and password that a handshake uses.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// ACL user; `None` means the server's `default` user.
    pub username: Option<String>,
    /// Password; without one, and without a user name, no `AUTH` is sent.
    pub password: Option<Secret>,
}

impl From<&ClientOptions> for Credentials {
    fn from(options: &ClientOptions) -> Self {
        Self { username: options.username.clone(), password: options.password.clone() }
    }
}

impl Connection {
    fn new(stream: Stream, limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            stream: Arc::new(stream),
            reader: Reader::new(limits),
            info: ServerInfo::default(),
            database: 0,
            is_broken: AtomicBool::new(false),
            created_at: now,
            idle_since: now,
        }
    }

    /// Takes the connection's stream away from tokio (see [`Stream::detached`]); one with TLS stays
    /// as it is.
    pub fn detach(&mut self) -> Result<()> {
        if let Some(stream) = self.stream.detached()? {
            self.stream = Arc::new(stream);
        }
        Ok(())
    }

    /// Takes back [`Connection::detach`]: tokio watches the stream again. Must be called inside the
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
    /// well-formed reply means yes: a healthy link may answer `LOADING` or `BUSY`.
    pub async fn ping(&mut self, budget: Duration) -> Result<()> {
        // If the future is dropped or the time is over, `exchange` has left the mark standing.
        match timeout(budget, self.request(PING)).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => {
                let waited = budget.as_millis();
                let message = format!("the server did not answer a ping within {waited} ms");
                Err(Error::connection("CONNECTION_LOST", message).retryable())
            }
        }
    }

    /// One round trip of one encoded command; an error reply is a reply. Pushes that came in
    /// frames of their own are dropped: use [`Connection::exchange`] where they matter.
    pub async fn request(&mut self, command: &[u8]) -> Result<Frames> {
        let frames = self.exchange(command, 1).await?;
        let reply = frames.into_iter().find(|frames| !frames.replies.is_empty());
        reply.ok_or_else(|| Error::protocol("the server answered without a reply"))
    }

    /// Writes an encoded batch and reads its `replies`, and whatever pushes come between them.
    /// There is no deadline in here.
    ///
    /// Fails with code `CONNECTION_LOST` or `TLS_...`, or with kind `Protocol`; the connection is
    /// broken then.
    pub async fn exchange(&mut self, batch: &[u8], replies: usize) -> Result<Vec<Frames>> {
        if self.is_broken() {
            return Err(self.lost(ErrorKind::NotConnected.into()));
        }
        self.mark_broken();
        let mut frames = Vec::new();
        let stream = Arc::clone(&self.stream);
        self.receive(&stream, &mut frames)?;
        if count(&frames) > 0 {
            return Err(unasked());
        }
        self.converse(batch, replies, &mut frames).await?;
        self.is_broken.store(false, Ordering::Release);
        Ok(frames)
    }

    /// Gives the connection up: the pool will not lend it again.
    pub fn mark_broken(&self) {
        self.is_broken.store(true, Ordering::Release);
    }

    /// Takes [`Connection::mark_broken`] back: for a lane that knows that every command was
    /// answered.
    pub fn mark_sound(&self) {
        self.is_broken.store(false, Ordering::Release);
    }

    /// Whether the connection was given up.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// When the socket was connected.
    pub fn created_at(&self) -> Instant {
        self.created_at
    }

    /// When it was last used, as told by [`Connection::touch`].
    pub fn idle_since(&self) -> Instant {
        self.idle_since
    }

    /// Notes that it was used just now.
    pub fn touch(&mut self) {
        self.idle_since = Instant::now();
    }

    /// Writes `batch` while reading, until `replies` have come. What came before a failure stands
    /// in `frames` all the same.
    async fn converse(
        &mut self,
        batch: &[u8],
        replies: usize,
        frames: &mut Vec<Frames>,
    ) -> Result<()> {
        let stream = Arc::clone(&self.stream);
        // One that a lane has detached is watched here for as long as this takes.
        let watched = match stream.is_detached() {
            true => stream.attended().map_err(|error| self.lost(error))?,
            false => None,
        };
        let watched: &Stream = watched.as_ref().unwrap_or(&stream);
        let mut unsent = batch;
        loop {
            let is_flushed = match send(watched, &mut unsent) {
                Ok(is_flushed) => is_flushed,
                Err(error) => {
                    // The peer has closed; what it said before, or its TLS alert, tells why. It is
                    // here already, but the runtime may not have noticed yet.
                    let _ = timeout(LAST_WORDS, watched.readable()).await;
                    self.receive(watched, frames)?;
                    return Err(self.lost(error));
                }
            };
            self.receive(watched, frames)?;
            let found = count(frames);
            if found > replies {
                return Err(unasked());
            }
            if found == replies && is_flushed {
                return Ok(());
            }
            let ready = if is_flushed {
                watched.readable().await
            } else {
                tokio::select! {
                    ready = watched.readable() => ready,
                    ready = watched.writable() => ready,
                }
            };
            ready.map_err(|error| self.lost(error))?;
        }
    }

    /// Reads and decodes what is there, without waiting, and so much at most that a peer which never
    /// stops talking can still run out of its budget.
    fn receive(&mut self, stream: &Stream, frames: &mut Vec<Frames>) -> Result<()> {
        for _ in 0..READS {
            match self.reader.fill(stream) {
                Ok(0) => return Err(self.lost(ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(self.lost(error)),
            }
            while let Some(some) = self.reader.decode()? {
                // Replies are bounded by the commands asked; pushes are not.
                if !some.replies.is_empty() || frames.len() < PUSHES {
                    frames.push(some);
                }
            }
        }
        Ok(())
    }

    fn lost(&self, error: io::Error) -> Error {
        let cause = stream::lost(error);
        // A refused certificate can show only now (TLS 1.3), and is worth more than a wrapper.
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

/// Writes what fits; true once all of it is with the kernel.
fn send(stream: &Stream, unsent: &mut &[u8]) -> io::Result<bool> {
    while !unsent.is_empty() {
        match stream.try_write(unsent) {
            Ok(length) => *unsent = unsent.get(length..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    stream.try_flush()
}

fn count(frames: &[Frames]) -> usize {
    frames.iter().map(|frames| frames.replies.len()).sum()
}

fn unasked() -> Error {
    Error::protocol("the server sent a reply that nobody asked for")
}

/// Reads in a row, of up to 256 KiB each: a millisecond or so.
const READS: usize = 16;
/// Decode steps with nothing but pushes that are kept during one exchange.
const PUSHES: usize = 64;
/// Bounds a wait for what has arrived, that is for the runtime's next look at its sockets.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// The command of [`Connection::ping`].
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
