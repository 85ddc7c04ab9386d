//! The names that somebody wants, or has wanted, and what is known of each: pure.

use std::collections::HashMap;

use bytes::Bytes;

use super::topic::{Op, Topic};

/// One channel, pattern or shard channel.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// What its messages carry.
    pub(super) token: u32,
    pub(super) is_wanted: bool,
    /// The line that it is subscribed to on, or is to be.
    pub(super) home: Option<u32>,
    /// How often it has changed its home: answers to what was asked before do not count.
    pub(super) round: u32,
    /// Whether the server has it, as far as it has said.
    pub(super) is_actual: bool,
    pub(super) pending: Option<Op>,
    /// It stands in the queue of its line, or in that for a line.
    pub(super) is_queued: bool,
    /// The server does not want to; not asked again before something changes.
    pub(super) is_refused: bool,
    /// A command for several names was refused, so this one is asked for alone.
    pub(super) is_alone: bool,
    /// It was lost, and was not confirmed again.
    pub(super) is_lost: bool,
    /// Refusals in a row that say that it belongs elsewhere, or that nobody can have it now.
    pub(super) tries: u32,
    /// The line that has said so just now.
    pub(super) refuser: Option<u32>,
    /// Who waits, and for what.
    pub(super) waiters: Vec<(u32, Op)>,
}

impl Entry {
    /// Nothing is asked of the server, and nothing known of it.
    pub(super) fn reset(&mut self) {
        (self.is_actual, self.pending) = (false, None);
        (self.is_queued, self.is_refused, self.is_alone) = (false, false, false);
    }
}

/// Entries by topic and name.
#[derive(Debug, Default)]
pub(super) struct Names {
    channels: HashMap<Bytes, Entry>,
    patterns: HashMap<Bytes, Entry>,
    shard_channels: HashMap<Bytes, Entry>,
    monitor: HashMap<Bytes, Entry>,
}

impl Names {
    pub(super) fn of(&self, topic: Topic) -> &HashMap<Bytes, Entry> {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::ShardChannel => &self.shard_channels,
            Topic::Monitor => &self.monitor,
        }
    }

    pub(super) fn of_mut(&mut self, topic: Topic) -> &mut HashMap<Bytes, Entry> {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::ShardChannel => &mut self.shard_channels,
            Topic::Monitor => &mut self.monitor,
        }
    }

    /// The names of line `home`; cheap copies, since what is done about one may remove it.
    pub(super) fn at(&self, home: u32) -> Vec<(Topic, Bytes)> {
        let topics = [Topic::Channel, Topic::Pattern, Topic::ShardChannel, Topic::Monitor];
        let names = topics.iter().flat_map(|topic| {
            let own = self.of(*topic).iter().filter(|(_, entry)| entry.home == Some(home));
            own.map(|(name, _)| (*topic, name.clone()))
        });
        names.collect()
    }
}
