//! What the error replies of a server say about a command that it did not run.
//!
//! Owns the reasons and what helps. `table.rs` has the words; it is generated from
//! `scripts/generate/error-replies.js`, as is `lib/error-replies.js`, so that both sides agree.
//! Lanes, routers and subscribers read the same rows and decide for themselves what to do.
//!
//! Pure: no I/O, no clock, no allocation.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod table;

/// What one error reply means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorReply {
    /// Why the server did not run the command.
    pub reason: Reason,
    /// What oxidis can do about it; None if the caller has to decide, because it may last.
    pub remedy: Option<Remedy>,
}

impl ErrorReply {
    /// The error reply whose first word is `word`, if oxidis acts on it.
    pub fn of(word: &[u8]) -> Option<Self> {
        table::find(word).map(|(reason, remedy)| Self { reason, remedy })
    }
}

/// Why a server did not run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// `MOVED`: another node, which the reply names, has the slot for good.
    SlotMoved,
    /// `ASK`: the slot is on its way to a node, which the reply names and which has these keys.
    SlotMoving,
    /// `TRYAGAIN`: the keys of the command are on two nodes at the moment.
    KeysSplit,
    /// `CLUSTERDOWN`: the cluster does not cover all slots, or the node is cut off from it.
    ClusterDown,
    /// `LOADING`, `MASTERDOWN`: the server has no data, or too old data, to serve yet.
    NotReady,
    /// `READONLY`: the server is a replica, and the command writes.
    NotPrimary,
    /// `NOAUTH`: the connection is not logged in.
    NotLoggedIn,
    /// `BUSY`: the server waits for a script to end.
    ScriptRunning,
    /// `MISCONF`, `NOREPLICAS`: the server takes no writes in its present condition.
    WritesRefused,
}

/// What helps a command that was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// To wait: no other node would help.
    Wait,
    /// To wait, or to go to another node where there are several.
    WaitOrMove,
    /// Another connection, because the server's role has changed; or another node.
    ReconnectOrMove,
    /// Another connection, because the login has changed.
    Reconnect,
    /// Another node; a client of one server can do nothing about it.
    Move,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides_and_no_part_of_it() {
        let busy = ErrorReply { reason: Reason::ScriptRunning, remedy: Some(Remedy::Wait) };
        assert_eq!(ErrorReply::of(b"BUSY"), Some(busy));
        for word in [&b""[..], b"BUSYGROUP", b"busy", b"ERR", b"OOM", b"LOADINGX"] {
            assert_eq!(ErrorReply::of(word), None, "{}", word.escape_ascii());
        }
    }

    #[test]
    fn what_may_last_is_left_to_the_caller() {
        for word in [&b"MISCONF"[..], b"NOREPLICAS"] {
            assert_eq!(ErrorReply::of(word).map(|reply| reply.remedy), Some(None));
        }
    }
}
