//! What becomes of a lane's commands: a reply, an end without one, a way to another node.

use tokio::time::Instant;

use super::batch::{Batch, Command};
use crate::error::{Applied, Error};
use crate::outbox::Whose;

/// A reply matched with its command.
#[derive(Debug)]
pub struct Answer {
    /// The caller, or nobody.
    pub whose: Whose,
    /// Whose event loop that is.
    pub owner: u32,
    /// When the command was submitted.
    pub submitted: Instant,
    /// Whether the command was refused and will be written again, here or elsewhere.
    pub held: bool,
    /// Whether this was a command of the lane itself.
    pub internal: bool,
    /// Whether this was a mark: everything that was queued before it is answered.
    pub mark: bool,
    /// The database that the command selects, if it has succeeded.
    pub selected: Option<u32>,
    /// Whether the command was answered before it was wholly written: the server has given up on
    /// it, and what it makes of the rest is anybody's guess.
    pub early: bool,
    /// Whether further replies to the same command are due.
    pub partial: bool,
}

impl Answer {
    /// An ordinary one.
    pub(super) fn of(whose: Whose, Origin { owner, submitted }: Origin) -> Self {
        Self {
            whose,
            owner,
            submitted,
            held: false,
            internal: false,
            mark: false,
            selected: None,
            early: false,
            partial: false,
        }
    }
}

/// A command that ends without a reply.
#[derive(Debug)]
pub struct Ended {
    /// Whose it is.
    pub owner: u32,
    /// The command's id.
    pub id: u32,
    /// Whether the server may have run it.
    pub applied: Applied,
    /// The server's refusal, if that is why it waited.
    pub refusal: Option<Error>,
}

/// What is to be done once a held lane is drained.
#[derive(Debug)]
pub enum Drained {
    /// Nothing.
    Nothing,
    /// These refused commands cannot be retried in order: each has the server's refusal.
    Reject(Vec<Ended>),
    /// The connection is to be replaced, then the held commands are written again.
    Reconnect,
}

/// A command that the server has refused without running it, for whoever knows another node.
#[derive(Debug)]
pub struct Refused {
    /// The command, alone.
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
