//! The homes of names: which feed each is subscribed to on, and what has none.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::super::refusal;
use super::super::topic::Topic;
use super::names::EntryKey;
use super::Ledger;

/// The names that have no home.
#[derive(Debug, Default)]
pub(super) struct Homeless {
    /// Names that are to be placed.
    ready: Vec<(Topic, Bytes)>,
    /// Names that no node can be asked for now.
    later: Vec<(Topic, Bytes)>,
    /// When `later` is to be placed.
    retry_at: Option<Instant>,
}

impl Homeless {
    /// A name is to be placed.
    pub(super) fn push(&mut self, topic: Topic, name: Bytes) {
        self.ready.push((topic, name));
    }
}

impl Ledger {
    /// Adds a feed.
    pub(in crate::pubsub) fn add(&mut self, feed: u32) {
        self.feeds.entry(feed).or_default();
    }

    /// Removes a feed. Its names have no home any more.
    pub(in crate::pubsub) fn remove(&mut self, feed: u32, now: Instant) {
        for (topic, name) in self.at(feed) {
            self.displace(topic, &name);
        }
        self.forget_home(feed, now);
        self.feeds.remove(&feed);
    }

    /// Gives a name its home, unless it has one or is not wanted. If the feed's node has just
    /// refused the name, it is put off by [`refusal::REFRESH`], because the node or the caller may
    /// know more by then.
    pub(in crate::pubsub) fn place(&mut self, topic: Topic, name: &Bytes, home: u32, now: Instant) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        let Some(feed) = self.feeds.get_mut(&home) else { return };
        if entry.home.is_some() || !entry.is_wanted {
            return;
        }
        if entry.refuser == Some(home) {
            return self.put_off(topic, name, now + refusal::REFRESH);
        }
        entry.home = Some(home);
        feed.wanted += 1;
        self.look(&EntryKey::single(topic, name));
    }

    /// Takes the home of a name away.
    pub(in crate::pubsub) fn displace(&mut self, topic: Topic, name: &Bytes) {
        self.detach(topic, name);
        self.look(&EntryKey::single(topic, name));
    }

    /// Takes the home of a name away, and leaves [`Ledger::look`] to the caller.
    pub(super) fn detach(&mut self, topic: Topic, name: &Bytes) {
        let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
        let Some(home) = entry.home.take() else { return };
        entry.round = entry.round.wrapping_add(1);
        entry.refuser = None;
        if entry.is_wanted {
            let feed = self.feeds.get_mut(&home);
            feed.into_iter().for_each(|feed| feed.wanted -= 1);
        }
        self.lose(&EntryKey::single(topic, name), home);
    }

    /// No node can be asked for the name now. It is placed again at `at`; earlier, by
    /// [`Ledger::recall_unasked`], if no node has refused it.
    pub(in crate::pubsub) fn put_off(&mut self, topic: Topic, name: &Bytes, at: Instant) {
        if let Some(local) = self.names.local_mut(topic).get_mut(name) {
            if !local.is_homeless() {
                return;
            }
            local.is_queued = true;
        } else {
            let Some(entry) = self.names.of_mut(topic).get_mut(name) else { return };
            if entry.home.is_some() || !entry.is_wanted {
                return;
            }
            (entry.is_queued, entry.refuser) = (true, None);
        }
        let Homeless { later, retry_at, .. } = &mut self.homeless;
        later.push((topic, name.clone()));
        *retry_at = Some(retry_at.map_or(at, |before| before.min(at)));
    }

    /// It is time to place the names that were put off.
    pub(in crate::pubsub) fn recall(&mut self) {
        let Homeless { ready, later, retry_at } = &mut self.homeless;
        *retry_at = None;
        ready.append(later);
    }

    /// It may be known now where names belong: those that were put off and that no node has refused
    /// are to be placed.
    pub(in crate::pubsub) fn recall_unasked(&mut self) {
        let names = &self.names;
        let Homeless { ready, later, .. } = &mut self.homeless;
        let (refused, unasked): (Vec<_>, Vec<_>) =
            std::mem::take(later).into_iter().partition(|(topic, name)| {
                names.of(*topic).get(name).is_some_and(|entry| entry.tries > 0)
            });
        *later = refused;
        ready.extend(unasked);
    }

    /// When [`Ledger::recall`] is due.
    pub(in crate::pubsub) fn retry_at(&self) -> Option<Instant> {
        self.homeless.retry_at
    }

    /// The names that are to be placed.
    pub(in crate::pubsub) fn take_homeless(&mut self) -> Vec<(Topic, Bytes)> {
        let mut homeless = std::mem::take(&mut self.homeless.ready);
        homeless.retain(|(topic, name)| {
            if let Some(local) = self.names.local_mut(*topic).get_mut(name) {
                local.is_queued = false;
                return local.is_homeless();
            }
            let entry = self.names.of_mut(*topic).get_mut(name);
            let Some(entry) = entry.filter(|entry| entry.home.is_none()) else { return false };
            entry.is_queued = false;
            entry.is_wanted
        });
        homeless
    }

    /// The names that have one home, and `feed` is it.
    pub(in crate::pubsub) fn at(&self, feed: u32) -> Vec<(Topic, Bytes)> {
        let single = self.names.at(feed).into_iter().filter(|key| key.at.is_none());
        single.map(|key| (key.topic, key.name)).collect()
    }
}

/// How long channels and patterns have no home when they move to another node. A message that the
/// former node still passes on may reach the new one after the subscription does, and would come
/// twice. Nodes of a busy machine were seen to take tens of milliseconds to pass a message on.
pub(in crate::pubsub) const SETTLE: Duration = Duration::from_millis(100);
