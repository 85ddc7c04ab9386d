//! The names that the caller wants, or has wanted, and what is known of each: pure.

use std::collections::HashMap;

use bytes::Bytes;

use super::super::topic::{Op, Topic};

/// One channel, pattern or shard channel.
#[derive(Debug, Default)]
pub(super) struct LedgerEntry {
    /// The number that its messages carry for the caller.
    pub(super) token: u32,
    pub(super) is_wanted: bool,
    /// The feed that it is subscribed to on, or is to be.
    pub(super) home: Option<u32>,
    /// How often it has changed its home. An answer to a request of an earlier round does not
    /// count.
    pub(super) round: u32,
    /// Whether the server is subscribed to it, as far as the server has said.
    pub(super) is_actual: bool,
    /// What was asked of the server and is not answered yet.
    pub(super) pending: Option<Op>,
    /// Whether it is in the queue of its feed, or among the names that have no home.
    pub(super) is_queued: bool,
    /// Whether the server has refused it. It is not asked for again before something changes.
    pub(super) is_refused: bool,
    /// Whether it has to be asked for alone, since a command for several names was refused.
    pub(super) is_alone: bool,
    /// Whether its subscription was lost, and not confirmed again yet.
    pub(super) is_lost: bool,
    /// Refusals in a row which say that it belongs to another node, or that no node can serve it
    /// now.
    pub(super) tries: u32,
    /// The feed whose node has refused it so just now.
    pub(super) refuser: Option<u32>,
    /// The tickets that wait, and for what.
    pub(super) waiters: Vec<(u32, Op)>,
}

impl LedgerEntry {
    /// Starts over: the server is not subscribed to it, and nothing is under way.
    pub(super) fn reset(&mut self) {
        (self.is_actual, self.pending) = (false, None);
        (self.is_queued, self.is_refused, self.is_alone) = (false, false, false);
    }
}

/// Entries by topic and name.
#[derive(Debug, Default)]
pub(super) struct Names {
    channels: HashMap<Bytes, LedgerEntry>,
    patterns: HashMap<Bytes, LedgerEntry>,
    shard_channels: HashMap<Bytes, LedgerEntry>,
    monitor: HashMap<Bytes, LedgerEntry>,
}

impl Names {
    pub(super) fn of(&self, topic: Topic) -> &HashMap<Bytes, LedgerEntry> {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::ShardChannel => &self.shard_channels,
            Topic::Monitor => &self.monitor,
        }
    }

    pub(super) fn of_mut(&mut self, topic: Topic) -> &mut HashMap<Bytes, LedgerEntry> {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::ShardChannel => &mut self.shard_channels,
            Topic::Monitor => &mut self.monitor,
        }
    }

    /// Copies of the names whose home is `home`, since handling one may remove it. They share their
    /// bytes.
    pub(super) fn at(&self, home: u32) -> Vec<(Topic, Bytes)> {
        let topics = [Topic::Channel, Topic::Pattern, Topic::ShardChannel, Topic::Monitor];
        let names = topics.iter().flat_map(|topic| {
            let own = self.of(*topic).iter().filter(|(_, entry)| entry.home == Some(home));
            own.map(|(name, _)| (*topic, name.clone()))
        });
        names.collect()
    }
}
