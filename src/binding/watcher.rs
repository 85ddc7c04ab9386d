//! What a watched socket tells its owner, and what it is watched for.
//!
//! Owns no socket: `poll` watches, `reach` serves.

use napi::Env;

/// What a watch tells its owner, on the thread of the event loop.
pub trait Watcher {
    /// The socket is ready. Called within a callback scope: promises that are settled in here have
    /// run their continuations when it returns to the loop.
    fn ready(&self, env: Env);

    /// Which readiness is wanted from now on; asked after each `ready`.
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
