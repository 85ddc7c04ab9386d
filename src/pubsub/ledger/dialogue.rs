//! What is to be asked over one feed, and what was asked and is not answered yet: pure.
//!
//! Invariant: `sent` has the commands that are not answered yet, in the order of the wire.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::super::topic::{Op, Topic};
use super::names::EntryKey;
use crate::command::slot;
use crate::resp::encode;

/// What is to be asked over one feed, and what was.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    pub(super) is_connected: bool,
    /// Names that are to be subscribed to or unsubscribed from.
    pub(super) queue: VecDeque<EntryKey>,
    sent: VecDeque<Sent>,
    /// How many names are wanted over the feed.
    pub(super) wanted: usize,
    /// Until when all messages are known to have come: nothing that the server passed on before
    /// this instant is still under way. None before the first connection.
    pub(super) complete: Option<Instant>,
    /// Whether messages have come since the last answer.
    pub(super) has_news: bool,
}

#[derive(Debug)]
struct Sent {
    at: Instant,
    what: Asked,
}

/// A command that was sent.
#[derive(Debug)]
pub(super) enum Asked {
    Ping,
    Names(SubscribeCommand),
}

/// One command that subscribes to names or unsubscribes from them. Each name comes with the round
/// of its entry.
#[derive(Debug)]
pub(super) struct SubscribeCommand {
    pub(super) op: Op,
    pub(super) topic: Topic,
    pub(super) names: VecDeque<(Bytes, u32)>,
}

impl Dialogue {
    /// There is a connection.
    pub(super) fn connect(&mut self, now: Instant) {
        (self.is_connected, self.complete, self.has_news) = (true, Some(now), false);
    }

    /// The connection is gone: nothing is under way, and nothing is to be asked.
    pub(super) fn disconnect(&mut self) {
        (self.is_connected, self.has_news) = (false, false);
        self.sent.clear();
        self.queue.clear();
    }

    /// Appends a command and notes that its answer is due.
    pub(super) fn ask(&mut self, command: SubscribeCommand, out: &mut Vec<u8>, now: Instant) {
        let Some(word) = command.topic.command(command.op) else { return };
        let mut args = vec![word];
        if command.topic != Topic::Monitor {
            args.extend(command.names.iter().map(|(name, _)| &name[..]));
        }
        encode::command(out, &args);
        self.sent.push_back(Sent { at: now, what: Asked::Names(command) });
    }

    /// Appends a PING.
    pub(super) fn ping(&mut self, out: &mut Vec<u8>, now: Instant) {
        encode::command(out, &[b"PING"]);
        self.sent.push_back(Sent { at: now, what: Asked::Ping });
    }

    /// When the oldest request without an answer was written, and whether it is a PING.
    pub(super) fn oldest(&self) -> Option<(Instant, bool)> {
        self.sent.front().map(|sent| (sent.at, matches!(sent.what, Asked::Ping)))
    }

    /// PONG has come. False if no PING is to be answered next.
    pub(super) fn pong(&mut self) -> bool {
        let is_due = matches!(self.sent.front(), Some(Sent { what: Asked::Ping, .. }));
        if is_due {
            self.answered();
            self.sent.pop_front();
        }
        is_due
    }

    /// A confirmation has come. If it answers the oldest request, that waits for one name less, and
    /// the round that the name was asked for in is returned.
    pub(super) fn confirmed(&mut self, op: Op, topic: Topic, name: &[u8]) -> Option<u32> {
        let Some(Sent { what: Asked::Names(command), .. }) = self.sent.front_mut() else {
            return None;
        };
        if command.op != op || command.topic != topic {
            return None;
        }
        let at = command.names.iter().position(|(asked, _)| asked == name)?;
        let (_, round) = command.names.remove(at)?;
        let is_last = command.names.is_empty();
        // A server ends a subscription to a shard channel without being asked as well, and then
        // this is no answer.
        if op == Op::Subscribe || topic != Topic::ShardChannel {
            self.answered();
        }
        if is_last {
            self.sent.pop_front();
        }
        Some(round)
    }

    /// An error reply has come; returns the command that it answers. None if nothing was asked.
    pub(super) fn refused(&mut self) -> Option<Asked> {
        self.answered();
        self.sent.pop_front().map(|sent| sent.what)
    }

    /// The oldest request is answered. Whatever the server passed on before it had the request has
    /// come before the answer, over the same connection. The last bytes prove less: they may have
    /// waited in a network or in a server's buffer for any time, and what was behind them is lost.
    fn answered(&mut self) {
        if let Some(sent) = self.sent.front() {
            (self.complete, self.has_news) = (Some(sent.at), false);
        }
    }

    /// Whether a MOVED about `slot` answers the oldest request. It does not if the server has ended
    /// the subscription by itself just before it was asked to: its push was taken for the answer,
    /// and the MOVED that follows answers nothing.
    pub(super) fn is_about(&self, slot: u16) -> bool {
        let Some(Sent { what: Asked::Names(command), .. }) = self.sent.front() else {
            return false;
        };
        let is_there = |(name, _): &(Bytes, u32)| slot::of(name) == slot;
        command.topic == Topic::ShardChannel && command.names.front().is_some_and(is_there)
    }
}
