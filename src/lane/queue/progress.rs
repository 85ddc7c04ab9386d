//! How far the batches of a queue are written and answered.

use std::cmp::Ordering;

use super::super::batch::Batch;
use super::Queue;

/// Commands, and their encoded bytes.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Cursor {
    pub(super) commands: usize,
    pub(super) bytes: usize,
}

impl Queue {
    /// How many commands of the batch at `position` are answered.
    pub(super) fn answered_at(&self, position: usize) -> usize {
        if position == 0 {
            self.answered.commands
        } else {
            0
        }
    }

    /// How many commands of the batch at `position` have been written at least in part.
    pub(super) fn touched(&self, position: usize) -> usize {
        let Some(batch) = self.batches.get(position) else { return 0 };
        match position.cmp(&self.writing) {
            Ordering::Less => batch.commands().len(),
            Ordering::Greater => 0,
            Ordering::Equal => {
                let count = || batch.offsets().take_while(|(at, _)| *at < self.written).count();
                let begun = self.begun.get().unwrap_or_else(count);
                self.begun.set(Some(begun));
                begun
            }
        }
    }

    /// How many bytes of `batch`, which is at `position`, have been written.
    pub(super) fn written_of(&self, position: usize, batch: &Batch) -> usize {
        match position.cmp(&self.writing) {
            Ordering::Less => batch.bytes().len(),
            Ordering::Equal => self.written,
            Ordering::Greater => 0,
        }
    }

    /// Drops the batches that are wholly written and answered.
    pub(super) fn pop_answered(&mut self) {
        let done = |queue: &Self| {
            queue.batches.front().is_some_and(|b| queue.answered.commands >= b.commands().len())
        };
        while self.writing > 0 && done(self) {
            self.batches.pop_front();
            self.writing -= 1;
            self.answered = Cursor::default();
        }
    }

    /// Cuts the answered commands off the first batch.
    pub(super) fn trim_answered(&mut self) {
        self.begun.set(None);
        let Cursor { commands, bytes } = std::mem::take(&mut self.answered);
        if commands == 0 {
            return;
        }
        if let Some(front) = self.batches.front_mut() {
            front.split_front(commands, bytes);
            if self.writing == 0 {
                self.written = self.written.saturating_sub(bytes);
                if self.written == 0 {
                    front.written = None;
                }
            }
            if front.commands().is_empty() {
                self.batches.pop_front();
                self.writing = self.writing.saturating_sub(1);
            }
        }
    }
}

/// The end of the last command of `batch` of which a byte was written.
pub(super) fn touched_end(batch: &Batch, written: usize) -> usize {
    if written == 0 {
        return 0;
    }
    let mut ends = batch.offsets().map(|(offset, command)| offset + command.len as usize);
    ends.find(|end| *end >= written).unwrap_or(written)
}
