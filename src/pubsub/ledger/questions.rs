//! What is asked of the servers, and what is known of a feed when its connection comes or goes.

use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;

use super::super::topic::{Op, Topic};
use super::dialogue::{Dialogue, SubscribeCommand};
use super::names::EntryKey;
use super::Ledger;
use crate::command::slot;

impl Ledger {
    /// A feed has a connection: everything wanted over it is asked for.
    pub(in crate::pubsub) fn connect(&mut self, feed: u32, now: Instant) {
        let Some(dialogue) = self.feeds.get_mut(&feed) else { return };
        dialogue.connect(now);
        for key in self.names.at(feed) {
            self.look(&key);
        }
    }

    /// The connection of a feed is gone, and with it all subscriptions on it. Messages may have
    /// been missed since [`Dialogue::complete`].
    pub(in crate::pubsub) fn disconnect(&mut self, feed: u32) {
        let Some(dialogue) = self.feeds.get_mut(&feed) else { return };
        dialogue.disconnect();
        for key in self.names.at(feed) {
            self.lose(&key, feed);
            self.look(&key);
        }
    }

    /// The server at the other end of `feed` has no subscription to a name any more, and no request
    /// for it is under way.
    pub(super) fn lose(&mut self, key: &EntryKey, feed: u32) {
        let since = self.complete(feed);
        let Some(entry) = self.names.entry_mut(key) else { return };
        let is_wanted = entry.is_wanted;
        let since = since.filter(|_| is_wanted && entry.is_actual);
        entry.reset();
        if let Some(since) = since {
            self.note_loss(key, since);
        }
        if is_wanted {
            // An unsubscription was under way when the name was wanted again: the loss has done it.
            self.settle(key, |op| op == Op::Unsubscribe);
        }
    }

    /// A wanted name may have missed messages since `since`.
    pub(super) fn note_loss(&mut self, key: &EntryKey, since: Instant) {
        if key.at.is_some() {
            self.lose_local(key.topic, &key.name, since);
        } else if let Some(entry) = self.names.entry_mut(key) {
            self.gaps.of(self.is_scattered, key.topic).lose(&mut entry.is_lost, since);
        }
    }

    /// Appends the commands that are to be written over a feed now, up to [`WRITE`] bytes of names.
    pub(in crate::pubsub) fn encode(&mut self, feed: u32, out: &mut Vec<u8>, now: Instant) {
        let Some(dialogue) = self.feeds.get_mut(&feed) else { return };
        let mut commands: Vec<SubscribeCommand> = Vec::new();
        // The last command of each kind. A cluster's server takes shard channels of one slot only.
        let mut open: HashMap<(Op, Topic, Option<u16>), usize> = HashMap::new();
        let mut bytes = 0;
        while bytes < WRITE {
            let Some(key) = dialogue.queue.pop_front() else { break };
            let entry = self.names.entry_mut(&key);
            let Some(entry) = entry.filter(|entry| entry.home == Some(feed)) else { continue };
            entry.is_queued = false;
            let is_due = entry.is_wanted != entry.is_actual && !entry.is_refused;
            if !is_due || entry.pending.is_some() {
                continue;
            }
            let (round, is_alone) = (entry.round, entry.is_alone);
            let op = if entry.is_wanted { Op::Subscribe } else { Op::Unsubscribe };
            entry.pending = Some(op);
            let EntryKey { topic, name, .. } = key;
            bytes += name.len();
            let is_of_slot = self.is_scattered && topic == Topic::ShardChannel;
            let key = (op, topic, is_of_slot.then(|| slot::of(&name)));
            let last = open.get(&key).and_then(|at| commands.get_mut(*at));
            match last.filter(|last| last.names.len() < NAMES && !is_alone) {
                Some(last) => last.names.push_back((name, round)),
                None => {
                    if !is_alone {
                        open.insert(key, commands.len());
                    }
                    let names = VecDeque::from([(name, round)]);
                    commands.push(SubscribeCommand { op, topic, names });
                }
            }
        }
        for command in commands {
            dialogue.ask(command, out, now);
        }
    }

    /// Appends a PING.
    pub(in crate::pubsub) fn ping(&mut self, feed: u32, out: &mut Vec<u8>, now: Instant) {
        if let Some(dialogue) = self.feeds.get_mut(&feed) {
            dialogue.ping(out, now);
        }
    }

    /// Until when all messages of a feed are known to have come; see [`Dialogue::complete`].
    pub(super) fn complete(&self, feed: u32) -> Option<Instant> {
        self.feeds.get(&feed).and_then(|dialogue| dialogue.complete)
    }

    /// Since when it is not known whether all messages of a feed have come, if messages have come
    /// and nothing that was asked will tell.
    pub(in crate::pubsub) fn uncertain_since(&self, feed: u32) -> Option<Instant> {
        let dialogue = self.feeds.get(&feed)?;
        let is_open = self.has_pings && dialogue.has_news && dialogue.oldest().is_none();
        dialogue.complete.filter(|_| is_open)
    }

    /// When the oldest request of a feed without an answer was written, and whether it is a PING.
    pub(in crate::pubsub) fn oldest(&self, feed: u32) -> Option<(Instant, bool)> {
        self.feeds.get(&feed).and_then(Dialogue::oldest)
    }
}

/// How many names one command has at most. Redis answers a command with a frame for each of its
/// names in one go; 1,000 of them are some tens of kilobytes.
const NAMES: usize = 1000;
/// How many bytes of names are encoded in one go, so that resubscribing to a million channels does
/// not take as much memory again.
const WRITE: usize = 1 << 20;
