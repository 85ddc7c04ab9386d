//! The connection that a lane has, and who attends to it.

use std::sync::{Arc, Mutex};

use super::wire::Wire;
use crate::error::Error;
use crate::stream::Stream;

/// What a lane has to write to.
pub(super) enum Link {
    /// There is no connection: nothing was asked of the lane yet, or the last attempt was hopeless.
    Dormant,
    /// A connection is being made.
    Connecting,
    /// The connection stands. `blocked`: the socket takes no more bytes for now. `unread`: bytes
    /// have come during a pause, and have to be read before something is written. `is_unwatched`:
    /// the caller's thread cannot watch the stream, so the driver attends to it for good. `failed`:
    /// why nothing can be written any more.
    Up {
        stream: Arc<Stream>,
        wire: Arc<Mutex<Wire>>,
        attendant: Attendant,
        blocked: bool,
        unread: bool,
        is_unwatched: bool,
        failed: Option<Error>,
    },
    /// The lane has ended for good.
    Closed,
}

/// Who waits for a connection to be ready, reads it, and writes what did not fit at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attendant {
    /// The driver, on the I/O thread.
    Driver,
    /// The caller's thread, which saves the hop between threads.
    Caller,
}

/// What the watcher of a detached stream waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Bytes to read.
    Readable,
    /// Bytes to read, or room to write.
    ReadableOrWritable,
    /// Nothing for now: the driver attends to the stream.
    Paused,
    /// Nothing any more: the lane has left this stream.
    Over,
}

impl Link {
    /// What the watcher of `stream` is to wait for.
    pub(super) fn wait(&self, stream: &Arc<Stream>) -> Wait {
        match self {
            Self::Up { stream: current, attendant, blocked, failed: None, .. }
                if Arc::ptr_eq(current, stream) =>
            {
                match (attendant, blocked) {
                    (Attendant::Driver, _) => Wait::Paused,
                    (Attendant::Caller, true) => Wait::ReadableOrWritable,
                    (Attendant::Caller, false) => Wait::Readable,
                }
            }
            _ => Wait::Over,
        }
    }

    /// The connection is of no more use for `error`, unless it was not before.
    pub(super) fn fail(&mut self, error: Error) {
        if let Self::Up { failed, .. } = self {
            failed.get_or_insert(error);
        }
    }

    /// Whether the lane has ended for good.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}
