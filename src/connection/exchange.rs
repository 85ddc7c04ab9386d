//! Commands and their replies over a connection that no lane serves: the handshake, a PING, a SELECT.
//!
//! Owns writing and reading at the same time, so that a batch larger than the socket's buffers does
//! not wait for ever.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{timeout, Instant};

use super::{Budget, Connection};
use crate::error::{Error, Result};
use crate::resp::Frames;
use crate::stream::Stream;

impl Connection {
    /// Writes one encoded command and reads its reply, which may be an error reply. Pushes that come
    /// in frames of their own are dropped; use [`Connection::exchange`] where they matter.
    ///
    /// # Errors
    ///
    /// As [`Connection::exchange`].
    pub async fn request(&mut self, command: &[u8]) -> Result<Frames> {
        let frames = self.exchange(command, 1).await?;
        let reply = frames.into_iter().find(|frames| !frames.replies.is_empty());
        reply.ok_or_else(|| Error::protocol("the server answered without a reply"))
    }

    /// Writes encoded commands and reads as many `replies`, and the pushes that come between them.
    /// There is no deadline in here. If the future is dropped early, the connection is broken.
    ///
    /// # Errors
    ///
    /// Code `CONNECTION_LOST` or `TLS_...`, or class `Protocol`. The connection is broken then.
    pub async fn exchange(&mut self, batch: &[u8], replies: usize) -> Result<Vec<Frames>> {
        if self.is_broken() {
            return Err(self.lost(ErrorKind::NotConnected.into()));
        }
        self.mark_broken();
        let mut frames = Vec::new();
        let stream = Arc::clone(&self.stream);
        self.receive(&stream, &mut frames)?;
        if count(&frames) > 0 || self.reader.is_mid_reply() {
            return Err(unasked());
        }
        self.converse(batch, replies, &mut frames).await?;
        self.mark_sound();
        self.used_at(Instant::now());
        Ok(frames)
    }

    /// Writes `batch` and reads at the same time, until `replies` have come. After a failure,
    /// `frames` holds what came before it.
    pub(super) async fn converse(
        &mut self,
        batch: &[u8],
        replies: usize,
        frames: &mut Vec<Frames>,
    ) -> Result<()> {
        let stream = Arc::clone(&self.stream);
        // tokio does not watch a stream that a lane has detached, so it watches a second handle of
        // the socket until this exchange is over.
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
                    // The peer has closed. Its last reply or TLS alert tells the reason, and has
                    // arrived already, but the runtime may not have noticed yet.
                    let _ = timeout(LAST_WORDS, watched.readable()).await;
                    self.receive(watched, frames)?;
                    return Err(self.lost(error));
                }
            };
            let is_drained = self.receive(watched, frames)?;
            let found = count(frames);
            if found > replies || (found == replies && self.reader.is_mid_reply()) {
                return Err(unasked());
            }
            if found == replies && is_flushed {
                return Ok(());
            }
            if !is_drained {
                // The caller's deadline and other tasks get their turn even if the server never
                // stops sending.
                yield_now().await;
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

    /// Reads and decodes what is there, without waiting, for one turn. True once the socket is empty.
    fn receive(&mut self, stream: &Stream, frames: &mut Vec<Frames>) -> Result<bool> {
        let mut budget = Budget::DRIVER;
        while !budget.is_spent() {
            match self.reader.fill(stream) {
                Ok(0) => return Err(self.lost(ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(self.lost(error)),
            }
            while let Some(some) = self.reader.decode()? {
                // The number of replies is bounded by that of the commands; pushes have no bound.
                if !some.replies.is_empty() || frames.len() < PUSHES {
                    frames.push(some);
                }
            }
            self.reader.charge(&mut budget);
        }
        Ok(false)
    }
}

/// Writes what fits. True once the kernel has all of it.
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

/// The number of replies.
fn count(frames: &[Frames]) -> usize {
    frames.iter().map(|frames| frames.replies.len()).sum()
}

/// The error of a reply without a command.
fn unasked() -> Error {
    Error::protocol("the server sent a reply that nobody asked for")
}

/// Frames without a reply that are kept during one exchange. Further pushes are dropped, so that a
/// server cannot fill the memory with them.
const PUSHES: usize = 64;
/// The longest wait for the last bytes of a peer that has closed. They have arrived already, so this
/// bounds the time until the runtime looks at its sockets again.
const LAST_WORDS: Duration = Duration::from_millis(100);
