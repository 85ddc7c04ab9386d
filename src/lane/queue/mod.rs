//! What a lane knows: its batches, how far they are written and answered, who has gone.
//!
//! Pure: no socket, no clock, no runtime. Bytes and instants come in as arguments, so that any
//! driver can move the bytes and every rule is tested without waiting.
//!
//! ```text
//!   batches   [ a a a A | A A w . | . . . . ]
//!                     ^       ^           ^
//!               answered   written      queued      answered <= written <= queued
//! ```
//!
//! Invariants: replies come in the order of writing, so a reply belongs to the command at
//! `answered`. A command leaves the queue by its reply, by a loss of the connection, or, if none of
//! its bytes was written, because its caller has gone. If the caller goes later, the command stays
//! as a tombstone.
//!
//! A *block* is a whole transaction as one command: written as one, so that nothing comes between
//! its parts, and answered once for each part. It leaves with the reply to its last part, EXEC.

mod answers;
mod endings;
mod holding;
mod losses;
mod progress;
mod watches;

use std::cell::Cell;
use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use self::answers::BlockProgress;
use self::holding::Holding;
use self::progress::{touched_end, Cursor};
use self::watches::Watches;
use super::batch::Batch;
use super::outcome::Refused;

/// The queue of one lane.
#[derive(Debug, Default)]
pub struct Queue {
    batches: VecDeque<Batch>,
    /// How much of the first batch is answered.
    answered: Cursor,
    /// How far the command behind `answered`, if it is a block, is answered.
    block: BlockProgress,
    /// Position of the first batch that is not wholly written.
    writing: usize,
    /// How many bytes of that batch are written.
    written: usize,
    /// How many commands of that batch the written bytes have begun, if it was counted since the
    /// last write.
    begun: Cell<Option<usize>>,
    /// How many commands are not answered yet, held ones included.
    commands: usize,
    /// The encoded bytes of these.
    bytes: usize,
    /// Whether an unwritten command has died, so that it must not be written any more.
    litter: bool,
    holding: Holding,
    /// Whether nothing new is written, because the connection is to be exchanged.
    retiring: bool,
    rule: Rule,
    /// Refused commands that are for the router.
    refused: Vec<Refused>,
    watches: Watches,
}

/// What becomes of a command that the server refuses without running it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// It is written again, here.
    #[default]
    Hold,
    /// Its caller gets the refusal.
    Pass,
    /// The router gets it, which knows the other nodes.
    Route,
}

impl Queue {
    /// A queue whose commands are written once at most, whatever the server says.
    pub fn without_retries() -> Self {
        Self { rule: Rule::Pass, ..Self::default() }
    }

    /// A queue whose refused commands are for the router ([`Queue::take_refused`]), except those
    /// that are pinned to this node.
    pub fn routed() -> Self {
        Self { rule: Rule::Route, ..Self::default() }
    }

    /// Queues a batch behind all others. An empty one is left out, since it would never count as
    /// written.
    pub fn push(&mut self, batch: Batch) {
        let batch = self.unguarded(batch);
        if batch.commands().is_empty() {
            return;
        }
        self.commands += batch.commands().len();
        self.bytes += batch.bytes().len();
        self.batches.push_back(batch);
    }

    /// Commands that are not answered yet.
    pub fn commands(&self) -> usize {
        self.commands
    }

    /// Encoded bytes of the commands that are not answered yet.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Encoded bytes of the batches of `owner` that are not wholly answered. Linear in the number
    /// of batches.
    pub fn bytes_of(&self, owner: u32) -> usize {
        let all = self.batches.iter().chain(self.holding.batches());
        all.filter(|batch| batch.owner() == owner).map(|batch| batch.bytes().len()).sum()
    }

    /// Commands of which at least one byte was written and whose reply is due.
    pub fn in_flight(&self) -> usize {
        let whole: usize = self.batches.iter().take(self.writing).map(|b| b.commands().len()).sum();
        (whole + self.touched(self.writing)).saturating_sub(self.answered.commands)
    }

    /// Whether a reply is due.
    pub fn is_waiting(&self) -> bool {
        self.writing > 0 || self.answered.bytes < self.written
    }

    /// The next bytes to write. None if no bytes may be written now.
    pub fn unwritten(&mut self) -> Option<Bytes> {
        if self.litter {
            self.sweep();
        }
        let batch = self.batches.get(self.writing)?;
        let end = if self.holding.is_off() && !self.retiring {
            batch.bytes().len()
        } else {
            // A command that is half written has to be completed, or its reply never comes.
            touched_end(batch, self.written)
        };
        (self.written < end).then(|| batch.bytes().slice(self.written..end))
    }

    /// `n` of the bytes that [`Queue::unwritten`] returned have been written.
    pub fn wrote(&mut self, n: usize, now: Instant) {
        let Some(batch) = self.batches.get_mut(self.writing) else { return };
        batch.written.get_or_insert(now);
        self.begun.set(None);
        self.written += n;
        if self.written >= batch.bytes().len() {
            self.writing += 1;
            self.written = 0;
        }
    }

    /// Since when the oldest unanswered command is on the wire.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.batches.front().filter(|_| self.is_waiting())?.written
    }

    /// Since when the oldest unanswered command is on the wire, if nobody waits for it: its
    /// deadline has passed, or its caller has gone, or the lane itself has sent it.
    pub fn overdue_since(&self) -> Option<Instant> {
        let batch = self.batches.front().filter(|_| self.is_waiting())?;
        let command = batch.commands().get(self.answered.commands)?;
        if command.is_dead() {
            batch.written
        } else {
            None
        }
    }

    /// Whether nothing is queued, due, held or watched, and new commands may be written.
    pub fn is_untouched(&self) -> bool {
        let is_empty = self.commands == 0 && self.batches.is_empty() && !self.is_waiting();
        is_empty && !self.retiring && self.holding.is_off() && self.watches.are_none()
    }

    /// Stops writing new commands, so that the connection can be exchanged once nothing is in
    /// flight.
    pub fn retire(&mut self) {
        self.retiring = true;
    }

    /// Whether the connection may be exchanged now: it is to be, and nothing is in flight.
    pub fn is_retired(&self) -> bool {
        self.retiring && !self.is_waiting()
    }

    /// Writes new commands again, on a new connection.
    pub fn resume(&mut self) {
        self.retiring = false;
        self.trim_answered();
        self.leave_watches();
    }

    /// `batch` has left without a reply.
    fn forget(&mut self, batch: &Batch) {
        self.commands -= batch.commands().len();
        self.bytes -= batch.bytes().len();
    }
}
