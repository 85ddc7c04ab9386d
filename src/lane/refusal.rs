//! Error replies that say a command was not run, and may be run later or elsewhere.
//!
//! The codes are those that the Redis source replies with before a command is run; `-MISCONF`,
//! `-OOM` and `-NOREPLICAS` are left to the caller, since they last.

use crate::error::{Applied, Error};

/// A reply that says the command was not run.
#[derive(Debug)]
pub struct Refusal {
    /// The reply.
    pub error: Error,
    /// What helps.
    pub remedy: Remedy,
}

/// What is to be done about a refused command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing but waiting: for a script to end.
    Wait,
    /// Waiting, or another node, where there are several.
    WaitOrMove,
    /// Another connection, because the server's role has changed; or another node.
    ReconnectOrMove,
    /// Another connection, because the login has changed.
    Reconnect,
    /// Another node; a client of one server can do nothing about it.
    Move,
}

impl Refusal {
    /// Reads an error reply.
    pub fn read(text: &[u8]) -> Option<Self> {
        let end = text.iter().position(|b| *b == b' ').unwrap_or(text.len());
        let remedy = match text.get(..end)? {
            b"BUSY" => Remedy::Wait,
            b"LOADING" | b"MASTERDOWN" | b"TRYAGAIN" | b"CLUSTERDOWN" => Remedy::WaitOrMove,
            b"READONLY" => Remedy::ReconnectOrMove,
            b"NOAUTH" => Remedy::Reconnect,
            b"MOVED" | b"ASK" => Remedy::Move,
            _ => return None,
        };
        let error = Error::reply(String::from_utf8_lossy(text));
        Some(Self { error: error.retryable().with_applied(Applied::No), remedy })
    }

    /// Whether somebody who knows several nodes decides about the command.
    pub fn is_for_router(&self) -> bool {
        !matches!(self.remedy, Remedy::Wait | Remedy::Reconnect)
    }

    /// Whether the lane itself can write the command again.
    pub fn is_for_lane(&self) -> bool {
        self.remedy != Remedy::Move
    }

    /// Whether that needs another connection.
    pub fn reconnects(&self) -> bool {
        matches!(self.remedy, Remedy::Reconnect | Remedy::ReconnectOrMove)
    }
}
