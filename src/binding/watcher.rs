//! What a watched socket tells its owner, and what it is watched for.
//!
//! Owns no socket: `poll` watches, `reach` serves.

use napi::Env;

/// What a watch tells its owner, on the thread of the event loop.
pub trait Watcher {
    /// The socket is ready: moves its bytes. No JavaScript may run in here.
    fn serve(&self);

    /// Whether what was read can wait until all ready sockets are served. Several connections that
    /// are answered together are then written to together, so that the server is woken up once.
    fn is_patient(&self) -> bool;

    /// Takes what was read to JavaScript. Called within a callback scope: promises that are settled
    /// in here have run their continuations when it returns to the loop.
    fn deliver(&self, env: Env);

    /// Which readiness is wanted from now on; asked after each `serve`.
    fn interest(&self) -> Interest;
}

/// What a watch waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to read.
    Read,
    /// Bytes to read, or room to write.
    ReadWrite,
    /// Nothing for now.
    Pause,
    /// Nothing any more: the watch ends.
    Nothing,
}
