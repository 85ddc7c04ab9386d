//! The names that the caller wants, or has wanted, and what is known of each: pure.
//!
//! Most names have one home. A [local](super::super::notifications) name has one on each primary of
//! a cluster, and an entry for each of them.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use super::super::topic::{Op, Topic};

/// How an entry is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryKey {
    pub(super) topic: Topic,
    pub(super) name: Bytes,
    /// The home of the entry, for a local name.
    pub(super) at: Option<u32>,
}

/// One channel, pattern or shard channel; of a local name, what is known of it at one home.
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
    /// Whether its subscription was lost, and not confirmed again yet. Not used for a local name.
    pub(super) is_lost: bool,
    /// Refusals in a row which say that it belongs to another node, or that no node can serve it
    /// now.
    pub(super) tries: u32,
    /// The feed whose node has refused it so just now.
    pub(super) refuser: Option<u32>,
    /// The tickets that wait, and for what. Not used for a local name.
    pub(super) waiters: Vec<(u32, Op)>,
}

impl LedgerEntry {
    /// Starts over: the server is not subscribed to it, and nothing is under way.
    pub(super) fn reset(&mut self) {
        (self.is_actual, self.pending) = (false, None);
        (self.is_queued, self.is_refused, self.is_alone) = (false, false, false);
    }
}

/// A name that has a home on each primary.
#[derive(Debug, Default)]
pub(super) struct LocalName {
    pub(super) token: u32,
    pub(super) is_wanted: bool,
    /// Whether it is among the names that have no home.
    pub(super) is_queued: bool,
    /// Whether all homes have confirmed it since it is wanted, so that the caller relies on it.
    pub(super) is_told: bool,
    /// Whether messages of it may have been missed, and not all homes have confirmed it since.
    pub(super) is_lost: bool,
    /// The tickets that wait for all homes.
    pub(super) waiters: Vec<(u32, Op)>,
    /// By home. Those that are not wanted are former homes, of which the server was not told or has
    /// not confirmed the end yet.
    pub(super) entries: BTreeMap<u32, LedgerEntry>,
}

/// Entries by topic and name.
#[derive(Debug, Default)]
pub(super) struct Names {
    channels: HashMap<Bytes, LedgerEntry>,
    patterns: HashMap<Bytes, LedgerEntry>,
    shard_channels: HashMap<Bytes, LedgerEntry>,
    monitor: HashMap<Bytes, LedgerEntry>,
    local_channels: HashMap<Bytes, LocalName>,
    local_patterns: HashMap<Bytes, LocalName>,
}

impl EntryKey {
    /// The key of a name that has one home.
    pub(super) fn single(topic: Topic, name: &Bytes) -> Self {
        Self { topic, name: name.clone(), at: None }
    }

    /// The key of a local name at one of its homes.
    pub(super) fn local(topic: Topic, name: &Bytes, home: u32) -> Self {
        Self { topic, name: name.clone(), at: Some(home) }
    }
}

impl Names {
    /// Those with one home.
    pub(super) fn of(&self, topic: Topic) -> &HashMap<Bytes, LedgerEntry> {
        match topic {
            Topic::Channel => &self.channels,
            Topic::Pattern => &self.patterns,
            Topic::ShardChannel => &self.shard_channels,
            Topic::Monitor => &self.monitor,
        }
    }

    /// Those with one home.
    pub(super) fn of_mut(&mut self, topic: Topic) -> &mut HashMap<Bytes, LedgerEntry> {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
            Topic::ShardChannel => &mut self.shard_channels,
            Topic::Monitor => &mut self.monitor,
        }
    }

    /// Those with a home on each primary. Shard channels and MONITOR never are.
    pub(super) fn local(&self, topic: Topic) -> &HashMap<Bytes, LocalName> {
        if topic == Topic::Pattern {
            &self.local_patterns
        } else {
            &self.local_channels
        }
    }

    /// Those with a home on each primary. Shard channels and MONITOR never are.
    pub(super) fn local_mut(&mut self, topic: Topic) -> &mut HashMap<Bytes, LocalName> {
        if topic == Topic::Pattern {
            &mut self.local_patterns
        } else {
            &mut self.local_channels
        }
    }

    /// Copies of all local names. They share their bytes.
    pub(super) fn all_local(&self) -> Vec<(Topic, Bytes)> {
        let names = [Topic::Channel, Topic::Pattern]
            .into_iter()
            .flat_map(|topic| self.local(topic).keys().map(move |name| (topic, name.clone())));
        names.collect()
    }

    pub(super) fn entry_mut(&mut self, key: &EntryKey) -> Option<&mut LedgerEntry> {
        match key.at {
            None => self.of_mut(key.topic).get_mut(&key.name),
            Some(home) => self.local_mut(key.topic).get_mut(&key.name)?.entries.get_mut(&home),
        }
    }

    pub(super) fn remove(&mut self, key: &EntryKey) {
        match key.at {
            None => _ = self.of_mut(key.topic).remove(&key.name),
            Some(home) => {
                let local = self.local_mut(key.topic).get_mut(&key.name);
                local.into_iter().for_each(|local| _ = local.entries.remove(&home));
            }
        }
    }

    /// The tickets that wait for a name, and for what.
    pub(super) fn waiters_mut(
        &mut self,
        topic: Topic,
        name: &Bytes,
    ) -> Option<&mut Vec<(u32, Op)>> {
        if self.local(topic).contains_key(name) {
            return self.local_mut(topic).get_mut(name).map(|local| &mut local.waiters);
        }
        self.of_mut(topic).get_mut(name).map(|entry| &mut entry.waiters)
    }

    /// The keys of the entries whose home is `home`, since handling one may remove it. They share
    /// the bytes of the names.
    pub(super) fn at(&self, home: u32) -> Vec<EntryKey> {
        let topics = [Topic::Channel, Topic::Pattern, Topic::ShardChannel, Topic::Monitor];
        let single = topics.into_iter().flat_map(|topic| {
            let own = self.of(topic).iter().filter(|(_, entry)| entry.home == Some(home));
            own.map(move |(name, _)| EntryKey::single(topic, name))
        });
        let local = [Topic::Channel, Topic::Pattern].into_iter().flat_map(|topic| {
            let own = self.local(topic).iter();
            let own = own.filter(|(_, local)| local.entries.contains_key(&home));
            own.map(move |(name, _)| EntryKey::local(topic, name, home))
        });
        single.chain(local).collect()
    }
}
