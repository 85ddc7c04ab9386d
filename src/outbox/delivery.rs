//! One entry of the outbox, and the command that a reply belongs to.

use std::sync::Arc;

use super::{Backlog, Event};
use crate::error::Error;
use crate::resp::Frames;

/// What the caller's thread has to be told.
#[derive(Debug)]
pub enum Delivery {
    /// Replies of one decode step, in the order of `frames.replies`.
    Replies {
        /// The lane or session that they have come over.
        lane_id: u32,
        /// The decoded values.
        frames: Frames,
        /// The command of each reply; [`Whose::NOBODY`] where the caller has gone.
        whose: Vec<Whose>,
    },
    /// Ids of commands that will get no reply, and the reason.
    Failures(Vec<(u32, Error)>),
    /// Messages wait in this backlog. They do not count towards the outbox's bound, because a
    /// backlog has a bound of its own.
    Messages(Arc<Backlog>),
    /// Tickets of requests that have ended without a reply of their own (for a session, or for
    /// messages), and the error if one has failed.
    Settled(Vec<(u32, Option<Error>)>),
    /// Names of keys wait in the outbox's [`Invalidations`](super::Invalidations). They may have been
    /// taken by now.
    Invalidations,
    /// A change of state worth telling.
    Event(Event),
}

/// The command a reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose {
    /// The command's id.
    pub id: u32,
    /// How the caller wants the reply decoded. With the bit [`Whose::PART`]: the index of the part
    /// of a block that the reply answers.
    pub mode: u32,
}

impl Whose {
    /// A reply to throw away. No command carries this mode.
    pub const NOBODY: Whose = Whose { id: 0, mode: u32::MAX };
    /// The bit that says: this reply is an error that answers one part of a block, and does not
    /// end its command.
    pub const PART: u32 = 1 << 31;

    /// The reply to a block's part at `index`; MULTI has index 0. The shortest part takes ten bytes
    /// and a block has less than 2^32, so no index reaches the mode of [`Whose::NOBODY`].
    pub fn part(id: u32, index: u32) -> Self {
        Self { id, mode: Self::PART | index }
    }

    /// Whether this reply ends its command, so that the caller waits for it.
    pub fn is_whole(&self) -> bool {
        self.mode & Self::PART == 0
    }

    /// The index of the part of a block that this reply answers, if it answers one.
    pub fn index(&self) -> Option<u32> {
        (!self.is_whole() && *self != Self::NOBODY).then_some(self.mode & !Self::PART)
    }
}
