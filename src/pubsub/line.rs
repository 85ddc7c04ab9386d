//! One connection, as the state sees it: what is to be asked over it, and what was: pure.
//!
//! Invariant: `sent` has the commands without their answers, in the order of the wire.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::topic::{Op, Topic};
use crate::command::slot;
use crate::resp::encode;

/// What is known of one connection, and of those that come after it.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) is_connected: bool,
    /// Names that something has to be asked for.
    pub(super) queue: VecDeque<(Topic, Bytes)>,
    sent: VecDeque<Sent>,
    /// Names that are wanted over it.
    pub(super) wanted: usize,
}

#[derive(Debug)]
struct Sent {
    at: Instant,
    what: Asked,
}

/// What a command has asked for.
#[derive(Debug)]
pub(super) enum Asked {
    Ping,
    Change(Change),
}

/// What one command asks for all of its names, each with its entry's round.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) op: Op,
    pub(super) topic: Topic,
    pub(super) names: VecDeque<(Bytes, u32)>,
}

impl Line {
    /// The connection is gone.
    pub(super) fn disconnect(&mut self) {
        self.is_connected = false;
        self.sent.clear();
        self.queue.clear();
    }

    /// Appends a command and notes that its answer is due.
    pub(super) fn ask(&mut self, change: Change, out: &mut Vec<u8>, now: Instant) {
        let Some(command) = change.topic.command(change.op) else { return };
        let mut args = vec![command];
        if change.topic != Topic::Monitor {
            args.extend(change.names.iter().map(|(name, _)| &name[..]));
        }
        encode::command(out, &args);
        self.sent.push_back(Sent { at: now, what: Asked::Change(change) });
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

    /// PONG has come. False if nobody has asked.
    pub(super) fn pong(&mut self) -> bool {
        let is_due = matches!(self.sent.front(), Some(Sent { what: Asked::Ping, .. }));
        if is_due {
            self.sent.pop_front();
        }
        is_due
    }

    /// The entry's round that this confirmation is for, if it answers the oldest request, which
    /// then waits for one less.
    pub(super) fn confirmed(&mut self, op: Op, topic: Topic, name: &[u8]) -> Option<u32> {
        let Some(Sent { what: Asked::Change(change), .. }) = self.sent.front_mut() else {
            return None;
        };
        if change.op != op || change.topic != topic {
            return None;
        }
        let at = change.names.iter().position(|(asked, _)| asked == name)?;
        let (_, round) = change.names.remove(at)?;
        if change.names.is_empty() {
            self.sent.pop_front();
        }
        Some(round)
    }

    /// What an error reply answers; None if nothing was asked.
    pub(super) fn refused(&mut self) -> Option<Asked> {
        self.sent.pop_front().map(|sent| sent.what)
    }

    /// Whether an error reply about `slot` answers the oldest request. It does not if the server
    /// has ended a subscription by itself just before it was asked to: what it said then counted
    /// as the answer.
    pub(super) fn is_about(&self, slot: u16) -> bool {
        let Some(Sent { what: Asked::Change(change), .. }) = self.sent.front() else {
            return false;
        };
        let is_there = |(name, _): &(Bytes, u32)| slot::of(name) == slot;
        change.topic == Topic::ShardChannel && change.names.front().is_some_and(is_there)
    }
}
