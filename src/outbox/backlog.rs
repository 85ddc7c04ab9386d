//! Messages that wait for the caller's thread.
//!
//! Owns their bound: the socket is read whatever the caller does, so when too much waits the oldest
//! messages go, and are counted. Never looks inside a message. Invariant: while messages wait,
//! either the caller knows of them or the push that brought them said to tell it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::resp::Frames;

/// Messages that may wait for a busy event loop (reliability P15).
const MAX_MESSAGES: usize = 10_000;
/// Bytes of them (reliability P15). The newest message stays however large it is.
const MAX_BYTES: usize = 16 << 20;

/// What has come for one subscriber and was not taken yet.
#[derive(Debug, Default)]
pub struct Backlog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Messages>,
    messages: usize,
    bytes: usize,
    received: u64,
    dropped: u64,
    is_announced: bool,
}

/// Messages of one decode step.
#[derive(Debug)]
pub struct Messages {
    /// The decoded values.
    pub frames: Frames,
    rows: Vec<Row>,
    /// Rows at the front that were dropped.
    dropped: usize,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Which subscription it is for, as its caller calls it.
    pub token: u32,
    /// Where its channel stands on the tape; [`Row::NOWHERE`] if the subscription tells it.
    pub channel: u32,
    /// Where its payload stands on the tape.
    pub payload: u32,
}

impl Row {
    /// No place on a tape.
    pub const NOWHERE: u32 = u32::MAX;
}

impl Messages {
    /// The messages to deliver, in order.
    pub fn rows(&self) -> &[Row] {
        self.rows.get(self.dropped..).unwrap_or_default()
    }
}

/// A backlog's numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct BacklogStats {
    /// Messages that came.
    pub received: u64,
    /// Of these, messages that were dropped because too many waited.
    pub dropped: u64,
    /// Bytes of those that wait now.
    pub bytes: usize,
}

impl Backlog {
    /// Adds `rows` of `frames`, at the cost of the oldest messages if too much waits. True if the
    /// caller has to be told.
    pub fn push(&self, frames: Frames, rows: Vec<Row>) -> bool {
        let mut inner = self.lock();
        inner.received += rows.len() as u64;
        inner.messages += rows.len();
        inner.bytes += frames.bytes.len();
        inner.waiting.push_back(Messages { frames, rows, dropped: 0 });
        inner.shed();
        !std::mem::replace(&mut inner.is_announced, true)
    }

    /// Takes everything.
    pub fn take(&self) -> VecDeque<Messages> {
        let mut inner = self.lock();
        inner.is_announced = false;
        (inner.messages, inner.bytes) = (0, 0);
        std::mem::take(&mut inner.waiting)
    }

    /// The numbers now.
    pub fn stats(&self) -> BacklogStats {
        let inner = self.lock();
        BacklogStats { received: inner.received, dropped: inner.dropped, bytes: inner.bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Numbers and a queue, of which no panic leaves one changed and the other not: a counter
        // that is off costs a message, not more.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn shed(&mut self) {
        while self.bytes > MAX_BYTES && self.messages > 1 {
            let Some(oldest) = self.waiting.front_mut() else { return };
            let (left, size) = (oldest.rows().len(), oldest.frames.bytes.len());
            if left == self.messages {
                // All that waits came in one read: its newest message stays, and with it the read.
                oldest.dropped += left - 1;
                self.count_dropped(left - 1);
                return;
            }
            self.waiting.pop_front();
            self.bytes -= size;
            self.count_dropped(left);
        }
        while self.messages > MAX_MESSAGES {
            let Some(oldest) = self.waiting.front_mut() else { return };
            let (left, excess) = (oldest.rows().len(), self.messages - MAX_MESSAGES);
            if excess < left {
                oldest.dropped += excess;
                self.count_dropped(excess);
                return;
            }
            self.bytes -= oldest.frames.bytes.len();
            self.waiting.pop_front();
            self.count_dropped(left);
        }
    }

    fn count_dropped(&mut self, messages: usize) {
        self.messages -= messages;
        self.dropped += messages as u64;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn push(backlog: &Backlog, first: u32, count: u32, bytes: usize) -> bool {
        let frames = Frames { bytes: Bytes::from(vec![b'x'; bytes]), ..Frames::default() };
        let row = |payload| Row { token: 1, channel: Row::NOWHERE, payload };
        backlog.push(frames, (first..first + count).map(row).collect())
    }

    fn taken(backlog: &Backlog) -> Vec<u32> {
        let messages = backlog.take();
        messages.iter().flat_map(Messages::rows).map(|row| row.payload).collect()
    }

    #[test]
    fn the_caller_is_told_once_until_it_has_taken_everything() {
        let backlog = Backlog::default();
        assert!(push(&backlog, 0, 1, 10));
        assert!(!push(&backlog, 1, 1, 10));
        assert_eq!(taken(&backlog), [0, 1]);
        assert!(push(&backlog, 2, 1, 10));
    }

    #[test]
    fn the_oldest_messages_go_when_too_many_wait() {
        let backlog = Backlog::default();
        for part in 0..21 {
            push(&backlog, part * 1_000, 1_000, 50_000);
        }
        push(&backlog, 21_000, 300, 15_000);
        let (received, dropped) = (21_300, 11_300);
        assert_eq!(backlog.stats(), BacklogStats { received, dropped, bytes: 515_000 });
        assert_eq!(taken(&backlog), (11_300..21_300).collect::<Vec<_>>());
        assert_eq!(backlog.stats(), BacklogStats { received, dropped, bytes: 0 });
    }

    #[test]
    fn the_oldest_messages_go_when_they_are_too_large() {
        let backlog = Backlog::default();
        for part in 0..6 {
            push(&backlog, part * 10, 10, 4 << 20);
        }
        assert_eq!(backlog.stats().bytes, MAX_BYTES);
        assert_eq!(taken(&backlog), (20..60).collect::<Vec<_>>());
    }

    #[test]
    fn the_newest_message_stays_however_large_it_is() {
        let backlog = Backlog::default();
        push(&backlog, 0, 3, 1_000);
        push(&backlog, 3, 2, 20 << 20);
        assert_eq!(taken(&backlog), [4]);
        assert_eq!(backlog.stats().dropped, 4);
    }
}
