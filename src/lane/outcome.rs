//! What becomes of a lane's commands: each gets a reply, ends without one, or goes to another node.

use bytes::Bytes;
use tokio::time::Instant;

use super::batch::Batch;
use super::command::Command;
use crate::error::{Applied, Error};
use crate::outbox::Whose;

/// A reply, matched with its command.
#[derive(Debug)]
pub struct Matched {
    /// The caller, or nobody.
    pub whose: Whose,
    /// The event loop that the caller is of.
    pub owner: u32,
    /// When the command was submitted.
    pub submitted: Instant,
    /// Whether the command was refused and will be written again, here or elsewhere.
    pub held: bool,
    /// Whether the lane itself has sent the command.
    pub internal: bool,
    /// Whether this was a mark: everything that was queued before it is answered.
    pub mark: bool,
    /// The command, if later connections are to repeat it, unless the reply is an error.
    pub lasting: Option<Bytes>,
    /// Whether the command was answered before it was wholly written. The server has given up on it
    /// then, and may take the rest of it for another command.
    pub early: bool,
    /// Whether more replies to this command are due.
    pub partial: bool,
}

impl Matched {
    /// An ordinary reply.
    pub(super) fn of(whose: Whose, Origin { owner, submitted }: Origin) -> Self {
        Self {
            whose,
            owner,
            submitted,
            held: false,
            internal: false,
            mark: false,
            lasting: None,
            early: false,
            partial: false,
        }
    }
}

/// A command that ends without a reply.
#[derive(Debug)]
pub struct Ended {
    /// The event loop that it is of.
    pub owner: u32,
    /// The command's id.
    pub id: u32,
    /// Whether the server may have run it.
    pub applied: Applied,
    /// The server's refusal, if the command was held because of one.
    pub refusal: Option<Error>,
}

/// What is to be done about held commands once nothing is in flight.
#[derive(Debug)]
pub enum Drained {
    /// Nothing.
    Nothing,
    /// These refused commands cannot be retried in order: each has the server's refusal.
    Reject(Vec<Ended>),
    /// The connection is to be replaced, then the held commands are written again, except these,
    /// which cannot be retried in order: each has the server's refusal.
    Reconnect(Vec<Ended>),
}

/// A command that the server has refused without running it. The router may know another node. An
/// empty batch is a sign only: a script was run, and told that its server is a replica.
#[derive(Debug)]
pub struct Refused {
    /// The command, as a batch of its own.
    pub batch: Batch,
    /// What the server said.
    pub error: Error,
}

/// Where a command has come from, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) owner: u32,
    pub(super) submitted: Instant,
}

/// Who waits for `command`.
pub(super) fn caller_of(command: Command) -> Whose {
    if command.is_dead() {
        return Whose::NOBODY;
    }
    Whose { id: command.id, mode: command.mode & Command::CALLER }
}

/// The end of `command`.
pub(super) fn gone(owner: u32, command: &Command, applied: Applied) -> Ended {
    Ended { owner, id: command.id, applied, refusal: None }
}
