//! What an event loop calls for a watched socket, and what it waits for.
//!
//! Owns no socket. `poll` calls a [`Watcher`], and `reach` has those that serve lanes.

use napi::Env;

/// Called by a watch, on the thread of the event loop.
pub trait Watcher {
    /// Moves the bytes of a socket that is ready. No JavaScript may run in here.
    fn serve(&self);

    /// Whether what was read can wait until all ready sockets are served. Then the replies of several
    /// connections are delivered together, and the next commands are written together, so the server
    /// wakes up once.
    fn is_patient(&self) -> bool;

    /// Takes what was read to JavaScript. Called within a callback scope, so the continuations of
    /// promises run before the event loop goes on.
    fn deliver(&self, env: Env);

    /// What was read could not be taken to JavaScript in this turn, so somebody else has to.
    fn let_go(&self);

    /// The event loop does not watch the socket, and will not serve it.
    fn refused(&self);

    /// What to wait for from now on. Called after each `serve`.
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
    /// Nothing any more, so the watch ends.
    Nothing,
}
