//! Pub/Sub messages that wait for the caller's thread.
//!
//! Owns their bound. The socket is read even while the caller is busy, so when too much waits, the
//! oldest messages are dropped and counted. It never looks inside of a message. Invariant: while
//! messages wait, either the caller was told, or the push that added them has returned true.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::resp::Frames;

/// The messages of one subscriber that were received and not taken yet.
#[derive(Debug, Default)]
pub struct Backlog {
    queue: Mutex<MessageQueue>,
}

/// Messages of one decode step.
#[derive(Debug)]
pub struct Messages {
    /// The decoded values.
    pub frames: Frames,
    all: Vec<Message>,
    /// How many of `all`, from the front, were dropped.
    dropped: usize,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The subscription that it is for: the number that its caller has chosen.
    pub token: u32,
    /// The tape index of its channel; [`Message::NOWHERE`] if the subscription tells the channel.
    pub channel: u32,
    /// The tape index of its payload.
    pub payload: u32,
}

impl Message {
    /// No index of a tape.
    pub const NOWHERE: u32 = u32::MAX;
}

impl Messages {
    /// The messages to deliver, in order.
    pub fn as_slice(&self) -> &[Message] {
        self.all.get(self.dropped..).unwrap_or_default()
    }
}

/// A backlog's numbers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct BacklogStats {
    /// Messages received.
    pub received: u64,
    /// Messages received and dropped, because too many waited.
    pub dropped: u64,
    /// Bytes of the messages that wait now.
    pub bytes: usize,
}

impl Backlog {
    /// Adds `messages` of `frames`, and drops the oldest ones if too much waits. True if the caller
    /// has to be told.
    pub fn push(&self, frames: Frames, messages: Vec<Message>) -> bool {
        let mut queue = self.lock();
        queue.received += messages.len() as u64;
        queue.messages += messages.len();
        queue.bytes += frames.bytes.len();
        queue.waiting.push_back(Messages { frames, all: messages, dropped: 0 });
        queue.shed();
        !std::mem::replace(&mut queue.is_announced, true)
    }

    /// Takes everything.
    pub fn take(&self) -> VecDeque<Messages> {
        let mut queue = self.lock();
        queue.is_announced = false;
        (queue.messages, queue.bytes) = (0, 0);
        std::mem::take(&mut queue.waiting)
    }

    /// The numbers now.
    pub fn stats(&self) -> BacklogStats {
        let queue = self.lock();
        BacklogStats { received: queue.received, dropped: queue.dropped, bytes: queue.bytes }
    }

    fn lock(&self) -> MutexGuard<'_, MessageQueue> {
        // A panic may leave the numbers and the queue out of step. A count that is off drops a
        // message too early or too late, and does no other harm.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct MessageQueue {
    waiting: VecDeque<Messages>,
    /// Messages in `waiting` that were not dropped.
    messages: usize,
    /// Bytes of all reads in `waiting`.
    bytes: usize,
    received: u64,
    dropped: u64,
    /// Whether the caller knows that messages wait.
    is_announced: bool,
}

impl MessageQueue {
    /// Drops the oldest messages until both bounds hold.
    fn shed(&mut self) {
        while self.bytes > MAX_BYTES && self.messages > 1 {
            let Some(oldest) = self.waiting.front_mut() else { return };
            let (left, size) = (oldest.as_slice().len(), oldest.frames.bytes.len());
            if left == self.messages {
                // All that waits came in one read. Its newest message stays, and with it the bytes.
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
            let (left, excess) = (oldest.as_slice().len(), self.messages - MAX_MESSAGES);
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

/// Messages that may wait for a busy event loop: room for a burst (a tenth of a second, at 100,000
/// messages a second), and little beside the memory of a process.
const MAX_MESSAGES: usize = 10_000;
/// Bytes of messages that may wait: 16 MiB, as much as the largest ordinary reply. The newest
/// message stays however large it is.
const MAX_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn push(backlog: &Backlog, first: u32, count: u32, bytes: usize) -> bool {
        let frames = Frames { bytes: Bytes::from(vec![b'x'; bytes]), ..Frames::default() };
        let message = |payload| Message { token: 1, channel: Message::NOWHERE, payload };
        backlog.push(frames, (first..first + count).map(message).collect())
    }

    fn taken(backlog: &Backlog) -> Vec<u32> {
        let messages = backlog.take();
        messages.iter().flat_map(Messages::as_slice).map(|message| message.payload).collect()
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
