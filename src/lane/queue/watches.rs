//! Keys that callers of a shared lane watch, and which transactions must not run because the
//! connection that watched is gone.
//!
//! A server forgets what is watched with the connection. A transaction behind a WATCH must then not
//! be written to the next connection, where nothing would guard it. It ends as `WATCH`, as if a
//! watched key had changed. A transaction uses up the WATCHes before it, whether it runs or not.

use std::collections::VecDeque;

use super::super::batch::Batch;
use super::super::command::Command;
use super::super::outcome::{gone, Ended};
use super::Queue;
use crate::command;
use crate::error::Applied;

/// What is known of the WATCHes of one lane.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// Whether keys are watched on the present connection.
    is_held: bool,
    /// Whether keys were watched on a connection that is gone, and the transaction has not come yet.
    is_lost: bool,
    /// The transactions that must not run.
    voided: Vec<Ended>,
}

impl Watches {
    /// Whether nothing is watched, and nothing was lost that a transaction relies on.
    pub(super) fn are_none(&self) -> bool {
        !self.is_held && !self.is_lost && self.voided.is_empty()
    }

    /// The WATCHes of a lane whose connection is gone, and with it everything that was queued.
    pub(super) fn lost(&mut self) -> Self {
        let is_lost = self.is_held || self.is_lost;
        Self { is_held: false, is_lost, voided: std::mem::take(&mut self.voided) }
    }

    /// `command`, a WATCH or an UNWATCH whose encoding is `encoded`, has succeeded.
    pub(super) fn succeeded(&mut self, encoded: &[u8]) {
        self.is_held = !is_unwatch(encoded);
    }

    /// A transaction has ended, and with it what was watched.
    pub(super) fn used_up(&mut self) {
        self.is_held = false;
    }
}

/// What happens to WATCHes while one goes through the commands of a queue, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trail {
    /// Whether keys were watched on the lost connection, for a transaction that stands behind here.
    is_lost: bool,
}

impl Trail {
    /// Passes `command`, which the lost connection has got.
    pub(super) fn pass_written(&mut self, command: &Command, encoded: &[u8]) {
        if command.watches() {
            self.is_lost = !is_unwatch(encoded);
        } else if command.is_block() {
            self.is_lost = false;
        }
    }

    /// Passes `command`, which is to be written to the next connection. False if it must not be.
    pub(super) fn pass(&mut self, command: &Command, encoded: &[u8]) -> bool {
        if command.is_dead() {
            return true;
        }
        if command.watches() && is_unwatch(encoded) {
            self.is_lost = false;
        }
        let is_void = self.is_lost && command.is_block();
        self.is_lost &= !is_void;
        !is_void
    }

    /// `batch`, which was not written, without the transactions that must not run. They are added
    /// to `voided`.
    pub(super) fn through(&mut self, batch: Batch, voided: &mut Vec<Ended>) -> Batch {
        if !self.is_lost || !batch.commands().iter().any(|c| c.is_block() || c.watches()) {
            return batch;
        }
        let owner = batch.owner();
        batch.filtered(|command, encoded| {
            let may_run = self.pass(command, encoded);
            if !may_run {
                voided.push(gone(owner, command, Applied::No));
            }
            may_run
        })
    }
}

impl Queue {
    /// The transactions that must not run, since this was called last: what they were to be guarded
    /// by was watched on a connection that is gone.
    pub fn take_voided(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.watches.voided)
    }

    /// Where a loss begins to look at what is queued.
    pub(super) fn trail(&self) -> Trail {
        Trail { is_lost: self.watches.is_held || self.watches.is_lost }
    }

    /// Where a loss, or a batch that comes later, has ended to look.
    pub(super) fn trail_ends(&mut self, trail: Trail, voided: Vec<Ended>) {
        self.watches.is_held = false;
        self.watches.is_lost = trail.is_lost;
        self.watches.voided.extend(voided);
    }

    /// `batch`, which is new, without the transactions that must not run.
    pub(super) fn unguarded(&mut self, batch: Batch) -> Batch {
        if !self.watches.is_lost {
            return batch;
        }
        let (mut trail, mut voided) = (Trail { is_lost: true }, Vec::new());
        let kept = trail.through(batch, &mut voided);
        self.watches.is_lost = trail.is_lost;
        self.watches.voided.extend(voided);
        kept
    }

    /// The application has given up what is watched.
    pub fn forget_watches(&mut self) {
        let voided = std::mem::take(&mut self.watches.voided);
        self.watches = Watches { voided, ..Watches::default() };
    }

    /// Another connection takes over, and nothing is in flight.
    pub(super) fn leave_watches(&mut self) {
        if !self.watches.is_held {
            return;
        }
        let (mut trail, mut voided) = (self.trail(), Vec::new());
        let mut kept = VecDeque::new();
        for batch in std::mem::take(&mut self.batches) {
            let (commands, bytes) = (batch.commands().len(), batch.bytes().len());
            let batch = trail.through(batch, &mut voided);
            self.commands -= commands - batch.commands().len();
            self.bytes -= bytes - batch.bytes().len();
            if !batch.commands().is_empty() {
                kept.push_back(batch);
            }
        }
        self.batches = kept;
        self.trail_ends(trail, voided);
    }
}

fn is_unwatch(encoded: &[u8]) -> bool {
    command::of(encoded).is_some_and(|spec| spec.name == "UNWATCH")
}
