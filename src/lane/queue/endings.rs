//! How commands end without a reply: the caller goes, the deadline passes, the lane closes.

use tokio::time::Instant;

use super::super::batch::Batch;
use super::super::command::Command;
use super::super::outcome::{gone, Ended};
use super::holding::Held;
use super::progress::touched_end;
use super::Queue;
use crate::error::Applied;

impl Queue {
    /// Ends the command `id` of `owner` because its caller has gone. None if it is not in the
    /// queue.
    pub fn cancel(&mut self, owner: u32, id: u32) -> Option<Applied> {
        if let Some(batch) = self.holding.remove(owner, id) {
            self.forget(&batch);
            return Some(Applied::No);
        }
        let (position, index) = self.find(owner, id)?;
        Some(self.kill(position, index))
    }

    /// Ends every command of `owner`, who has gone.
    pub fn abandon(&mut self, owner: u32) -> Vec<Ended> {
        let mut ended = self.end_where(|batch| batch.owner() == owner, |_, _| true);
        // They end because the owner has gone, not because of what a server said before.
        ended.iter_mut().for_each(|ended| ended.refusal = None);
        ended
    }

    /// Ends every command whose deadline has passed.
    pub fn expire(&mut self, now: Instant) -> Vec<Ended> {
        let is_late = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        self.end_where(
            |batch| is_late(batch.earliest_deadline()),
            |batch, command| is_late(batch.deadline(command)),
        )
    }

    /// Ends everything: the lane is closed for good, or its options can never work. The rest of a
    /// half-written block will never be written, so that block does not run.
    ///
    /// Needs nothing but counts, because it also cleans up after a bug.
    pub fn fail_all(&mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        for batch in self.holding.batches() {
            let commands = batch.commands().iter();
            ended.extend(commands.map(|command| gone(batch.owner(), command, Applied::No)));
        }
        for (position, batch) in self.batches.iter().enumerate() {
            let answered = self.answered_at(position);
            let touched = self.touched(position);
            let written = self.written_of(position, batch);
            for (index, (offset, command)) in batch.offsets().enumerate().skip(answered) {
                if !command.is_dead() {
                    let is_cut = command.is_block() && offset + command.len as usize > written;
                    let may_run = index < touched && !is_cut;
                    let applied = if may_run { Applied::Unknown } else { Applied::No };
                    ended.push(gone(batch.owner(), command, applied));
                }
            }
        }
        *self = Self { rule: self.rule, watches: self.watches.lost(), ..Self::default() };
        ended
    }

    /// The earliest deadline of a command that somebody waits for. Linear in the number of batches:
    /// drivers ask when a timer has fired, not for each command.
    pub fn next_deadline(&self) -> Option<Instant> {
        let all = self.batches.iter().chain(self.holding.batches());
        all.filter_map(Batch::earliest_deadline).min()
    }

    /// Ends the commands that `is_over` picks, in the batches that `concerns` picks.
    fn end_where(
        &mut self,
        concerns: impl Fn(&Batch) -> bool,
        is_over: impl Fn(&Batch, &Command) -> bool,
    ) -> Vec<Ended> {
        let mut ended = Vec::new();
        // A held batch is one command, so what concerns the batch concerns the command.
        for Held { batch, error } in self.holding.take_where(&concerns) {
            self.forget(&batch);
            for command in batch.commands() {
                let refusal = Some(error.clone());
                ended.push(Ended { refusal, ..gone(batch.owner(), command, Applied::No) });
            }
        }
        for position in 0..self.batches.len() {
            let Some(batch) = self.batches.get(position) else { break };
            if !concerns(batch) {
                continue;
            }
            let answered = self.answered_at(position);
            let over: Vec<(usize, u32)> = (batch.commands().iter().enumerate().skip(answered))
                .filter(|(_, command)| !command.is_dead() && is_over(batch, command))
                .map(|(index, command)| (index, command.id))
                .collect();
            let owner = batch.owner();
            let touched = self.touched(position);
            for (index, id) in over {
                let applied = if index < touched { Applied::Unknown } else { Applied::No };
                self.mark_dead(position, index, touched);
                ended.push(Ended { owner, id, applied, refusal: None });
            }
            if let Some(batch) = self.batches.get_mut(position) {
                batch.find_earliest(answered);
            }
        }
        // Without a connection nobody asks for bytes to write, and dead commands would pile up.
        if self.litter {
            self.sweep();
        }
        ended
    }

    /// Where the live command `id` of `owner` is. Ids ascend through the queue and wrap around,
    /// except those of other owners and of commands that nobody waits for. So a binary search finds
    /// nearly all of them, and a scan finds the rest.
    fn find(&self, owner: u32, id: u32) -> Option<(usize, usize)> {
        let first = self.batches.front()?.commands().first()?.id;
        let rank = |id: u32| id.wrapping_sub(first);
        let position = self.batches.partition_point(|batch| {
            batch.commands().last().is_some_and(|last| rank(last.id) < rank(id))
        });
        let within = |position: usize| {
            let batch = self.batches.get(position).filter(|batch| batch.owner() == owner)?;
            let is_it = |c: &Command| c.id == id && !c.is_dead();
            let commands = batch.commands();
            let index = commands.partition_point(|c| rank(c.id) < rank(id));
            let index = match commands.get(index).is_some_and(is_it) {
                true => index,
                false => commands.iter().position(is_it)?,
            };
            (index >= self.answered_at(position)).then_some((position, index))
        };
        within(position).or_else(|| (0..self.batches.len()).find_map(within))
    }

    /// Ends a command without its reply. The batch's earliest deadline may still be that of this
    /// command, which costs one needless look at the clock. Computing it anew for each of many
    /// commands that end together would cost their number squared.
    fn kill(&mut self, position: usize, index: usize) -> Applied {
        let touched = self.touched(position);
        self.mark_dead(position, index, touched);
        if index < touched {
            Applied::Unknown
        } else {
            Applied::No
        }
    }

    fn mark_dead(&mut self, position: usize, index: usize, touched: usize) {
        self.litter |= index >= touched;
        let batch = self.batches.get_mut(position);
        if let Some(command) = batch.and_then(|b| b.commands_mut().get_mut(index)) {
            command.mode |= Command::DEAD;
        }
    }

    /// Drops dead commands that have not been written.
    pub(super) fn sweep(&mut self) {
        self.litter = false;
        let touched = self.touched(self.writing);
        self.begun.set(None);
        let mut from = self.writing;
        if touched > 0 {
            let answered = self.answered_at(self.writing);
            let Some(batch) = self.batches.get_mut(self.writing) else { return };
            let end = touched_end(batch, self.written);
            let rest = batch.split_off(touched, end);
            batch.find_earliest(answered);
            from += 1;
            if !rest.commands().is_empty() {
                self.batches.insert(from, rest);
            }
            if self.written == end {
                self.writing += 1;
                self.written = 0;
            }
        }
        let swept: Vec<Batch> = self.batches.drain(from..).collect();
        for batch in swept {
            if !batch.commands().iter().any(Command::is_swept) {
                self.batches.push_back(batch);
                continue;
            }
            let kept = batch.filtered(|command, _| !command.is_swept());
            self.commands -= batch.commands().len() - kept.commands().len();
            self.bytes -= batch.bytes().len() - kept.bytes().len();
            if !kept.commands().is_empty() {
                self.batches.push_back(kept);
            }
        }
        self.pop_answered();
    }
}
