//! Refusals: error replies that say that a command was not run, and may be run later or elsewhere.
//!
//! [`crate::error_replies`] says what each reply means; this file says what a lane does about it.

use crate::command::{self, Flags};
use crate::error::{Applied, Error};
use crate::error_replies::{ErrorReply, Remedy};

/// A reply that says that the command was not run.
#[derive(Debug)]
pub struct Refusal {
    /// The reply.
    pub error: Error,
    /// What helps.
    pub remedy: Remedy,
}

impl Refusal {
    /// Reads the error reply to `encoded`; None if nothing helps but what the caller decides, or if
    /// the command may have been run. What runs a program has errors in the program's own words.
    pub fn of(encoded: &[u8], text: &[u8]) -> Option<Self> {
        let refusal = Self::read(text)?;
        let is_sure = !is_opaque(encoded) || ErrorReply::is_server_text(text);
        is_sure.then_some(refusal)
    }

    /// Reads an error reply that the server itself has given.
    pub fn read(text: &[u8]) -> Option<Self> {
        let end = text.iter().position(|b| *b == b' ').unwrap_or(text.len());
        let remedy = ErrorReply::of(text.get(..end)?)?.remedy?;
        let error = Error::reply(String::from_utf8_lossy(text));
        Some(Self { error: error.retryable().with_applied(Applied::No), remedy })
    }

    /// Whether the router, where there are several nodes, decides about the command.
    pub fn is_for_router(&self) -> bool {
        !matches!(self.remedy, Remedy::Wait | Remedy::Reconnect)
    }

    /// Whether the lane itself can write the command again.
    pub fn is_for_lane(&self) -> bool {
        self.remedy != Remedy::Move
    }

    /// Whether the lane needs another connection before it writes the command again.
    pub fn reconnects(&self) -> bool {
        matches!(self.remedy, Remedy::Reconnect | Remedy::ReconnectOrMove)
    }
}

/// Whether the error replies to `encoded` may be those of a program, so that their first words say
/// nothing about whether it was run: a script, or a command that the table does not know.
pub fn is_opaque(encoded: &[u8]) -> bool {
    let flags = command::of(encoded).map(|spec| spec.flags);
    flags.is_none_or(|flags| flags.has_any(Flags::OPAQUE.with(Flags::CONTAINER)))
}
