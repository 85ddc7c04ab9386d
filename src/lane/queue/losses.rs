//! What the loss of a connection means for the commands, and which of them move along.

use std::collections::VecDeque;

use super::super::batch::Batch;
use super::super::command::Command;
use super::super::outcome::{gone, Ended};
use super::Queue;
use crate::error::Applied;

impl Queue {
    /// The connection is gone. Commands that may be written again stay queued, in order; the others
    /// end and are returned, with the number of commands that will be written again.
    /// `is_repeatable` judges an encoded command. A block whose end was not written has not run: a
    /// server forgets an open transaction with its connection.
    pub fn lose(&mut self, is_repeatable: impl Fn(&[u8]) -> bool) -> (Vec<Ended>, usize) {
        let mut ended = Vec::new();
        let mut retried = 0;
        self.trim_answered();
        let (mut trail, mut voided) = (self.trail(), Vec::new());
        let mut rebuilt = VecDeque::new();
        for position in 0..self.batches.len() {
            let touched = self.touched(position);
            let Some(batch) = self.batches.get(position) else { break };
            if touched == 0 {
                // Marks end with the connection whose commands they stand behind.
                let kept = trail.through(batch.clone(), &mut voided);
                if !kept.commands().iter().all(Command::is_mark) {
                    rebuilt.push_back(kept);
                }
                continue;
            }
            let written = self.written_of(position, batch);
            let (mut index, mut end) = (0, 0);
            let kept = batch.filtered(|command, encoded| {
                let was_written = index < touched;
                index += 1;
                end += encoded.len();
                let is_cut = command.is_block() && end > written;
                if was_written && !is_cut {
                    trail.pass_written(command, encoded);
                } else if !trail.pass(command, encoded) {
                    voided.push(gone(batch.owner(), command, Applied::No));
                    return false;
                }
                if !was_written {
                    return !command.is_swept() && !command.is_mark();
                }
                if command.is_dead() {
                    return false;
                }
                let may_again = is_cut || (!command.is_block() && is_repeatable(encoded));
                if command.tries() < MAX_TRIES && may_again {
                    command.count_try();
                    retried += 1;
                    return true;
                }
                let applied = if is_cut { Applied::No } else { Applied::Unknown };
                ended.push(gone(batch.owner(), command, applied));
                false
            });
            if !kept.commands().is_empty() {
                rebuilt.push_back(kept);
            }
        }
        for held in self.holding.take().into_iter().rev() {
            rebuilt.push_front(held.batch);
        }
        self.replace(rebuilt);
        self.trail_ends(trail, voided);
        (ended, retried)
    }

    /// Takes out everything that waits, in order, for another node. Only for a lane without a
    /// connection, since then nothing is in flight.
    pub fn take_all(&mut self) -> Vec<Batch> {
        self.trim_answered();
        let held = self.holding.take().into_iter().map(|held| held.batch);
        let batches: Vec<Batch> = held.chain(std::mem::take(&mut self.batches)).collect();
        *self = Self { rule: self.rule, ..Self::default() };
        let live = |batch: &Batch| batch.filtered(|command, _| !command.is_dead());
        batches.iter().map(live).filter(|batch| !batch.commands().is_empty()).collect()
    }

    /// Starts over with `batches`, none of them written.
    fn replace(&mut self, batches: VecDeque<Batch>) {
        let commands = batches.iter().map(|b| b.commands().len()).sum();
        let bytes = batches.iter().map(|b| b.bytes().len()).sum();
        let (litter, watches) = (self.litter, std::mem::take(&mut self.watches));
        *self =
            Self { batches, commands, bytes, litter, watches, rule: self.rule, ..Self::default() };
        for batch in &mut self.batches {
            batch.written = None;
        }
    }
}

/// How often a command is written again at most: a repeatable one after a loss, a block that was
/// cut, and any command after a refusal that needs another connection. A third loss within one
/// deadline is no accident.
pub(super) const MAX_TRIES: u32 = 2;
