//! Names that have a home on each primary: pure.
//!
//! Each home of such a name has an entry of its own, which is asked for, confirmed and lost as a
//! name with one home is. What the homes have in common is here: the tickets that wait for all of
//! them, and the gap.
//!
//! Invariants: a wanted name has a wanted entry for each of [`Primaries::feeds`] and for no other
//! feed; what comes over a feed is believed only while its entry is wanted.

use bytes::Bytes;
use tokio::time::Instant;

use super::super::notifications;
use super::super::topic::{Op, Topic};
use super::homes::SETTLE;
use super::names::{EntryKey, LedgerEntry, LocalName};
use super::Ledger;

/// The homes of local names.
#[derive(Debug, Default)]
pub(super) struct Primaries {
    /// Sorted. Empty as long as nothing is known, and while nothing local is wanted.
    feeds: Vec<u32>,
    /// Whether one of them is gone, and it is not known yet what has come in its place.
    has_lost: bool,
    /// From when on the first of them counts for messages that are no notifications, which all
    /// nodes send. None if it did from the beginning.
    speaks_at: Option<Instant>,
}

impl Ledger {
    /// Whether a name has a home on each primary.
    pub(in crate::pubsub) fn is_local(&self, topic: Topic, name: &[u8]) -> bool {
        self.is_split && notifications::is_local(topic, name)
    }

    /// Whether any name has, or is to have, a home on each primary.
    pub(in crate::pubsub) fn has_local(&self) -> bool {
        [Topic::Channel, Topic::Pattern].iter().any(|topic| !self.names.local(*topic).is_empty())
    }

    /// Wants a local name, with the token that its messages carry from now on.
    pub(super) fn want_local(
        &mut self,
        ticket: Option<u32>,
        topic: Topic,
        name: Bytes,
        token: u32,
    ) {
        let local = self.names.local_mut(topic).entry(name.clone()).or_default();
        if !std::mem::replace(&mut local.is_wanted, true) {
            self.wanted += 1;
        }
        local.token = token;
        local.waiters.extend(ticket.map(|ticket| (ticket, Op::Subscribe)));
        for home in self.primaries.feeds.clone() {
            self.want_at(&EntryKey::local(topic, &name, home));
        }
        self.look_over(topic, &name);
    }

    /// Does not want a local name any more.
    pub(super) fn unwant_local(&mut self, ticket: Option<u32>, topic: Topic, name: &Bytes) {
        let Some(local) = self.names.local_mut(topic).get_mut(name) else {
            ticket.into_iter().for_each(|ticket| self.tickets.done(ticket));
            return;
        };
        if std::mem::replace(&mut local.is_wanted, false) {
            self.wanted -= 1;
        }
        local.is_told = false;
        local.waiters.extend(ticket.map(|ticket| (ticket, Op::Unsubscribe)));
        self.gaps.local.forget(&mut local.is_lost);
        let homes: Vec<u32> = local.entries.keys().copied().collect();
        for home in homes {
            self.unwant_at(&EntryKey::local(topic, name, home));
        }
        self.look_over(topic, name);
    }

    /// The primaries are now at the other ends of `feeds`. What was not known of them before may
    /// have been missed since `viewed`, when they were asked for last before.
    pub(in crate::pubsub) fn spread(&mut self, feeds: &[u32], viewed: Instant, now: Instant) {
        let mut feeds = feeds.to_vec();
        feeds.sort_unstable();
        let has_lost = std::mem::take(&mut self.primaries.has_lost);
        if feeds == self.primaries.feeds && !has_lost {
            return;
        }
        let before = std::mem::replace(&mut self.primaries.feeds, feeds.clone());
        self.note_speaker(&before, now);
        for (topic, name) in self.names.all_local() {
            // First the former homes: what one of them still sends is not believed any more when
            // another one is asked, so nothing is heard twice.
            for home in before.iter().filter(|home| !feeds.contains(home)) {
                let since = self.complete(*home).unwrap_or(viewed);
                self.lose_local(topic, &name, since);
                self.unwant_at(&EntryKey::local(topic, &name, *home));
            }
            let is_wanted = self.names.local(topic).get(&name).is_some_and(|local| local.is_wanted);
            for home in feeds.iter().filter(|home| is_wanted && !before.contains(home)) {
                self.lose_local(topic, &name, viewed);
                self.want_at(&EntryKey::local(topic, &name, *home));
            }
            self.look_over(topic, &name);
        }
    }

    /// A feed is removed, and with it the entries of local names.
    pub(super) fn forget_home(&mut self, feed: u32, now: Instant) {
        let before = self.primaries.feeds.clone();
        self.primaries.feeds.retain(|home| *home != feed);
        self.note_speaker(&before, now);
        for key in self.names.at(feed).into_iter().filter(|key| key.at.is_some()) {
            self.lose(&key, feed);
            self.unwant_at(&key);
            self.names.remove(&key);
            let local = self.names.local(key.topic).get(&key.name);
            match local.is_some_and(|local| local.is_wanted && !local.is_homeless()) {
                // The gap does not end before `spread` says what has come in its place.
                true => self.primaries.has_lost = true,
                false => self.look_over(key.topic, &key.name),
            }
        }
    }

    /// A local name may have missed messages since `since`.
    pub(super) fn lose_local(&mut self, topic: Topic, name: &Bytes, since: Instant) {
        if let Some(local) = self.names.local_mut(topic).get_mut(name) {
            // Before all homes have confirmed it, the caller does not count on it.
            if local.is_wanted && local.is_told {
                self.gaps.local.lose(&mut local.is_lost, since);
            }
        }
    }

    /// Whether a local name may have missed messages, and was not confirmed by all homes since.
    pub(super) fn is_local_lost(&self, topic: Topic, name: &Bytes) -> bool {
        self.names.local(topic).get(name).is_some_and(|local| local.is_lost)
    }

    /// Whether a message of a local name is believed that has come over `feed`; its entry if so.
    pub(super) fn heard_local(
        &self,
        feed: u32,
        topic: Topic,
        name: &[u8],
        channel: &[u8],
        now: Instant,
    ) -> Option<&LedgerEntry> {
        let entry = self.names.local(topic).get(name)?.entries.get(&feed)?;
        let is_notification = topic == Topic::Channel || notifications::is_notification(channel);
        let is_believed = entry.is_wanted && (is_notification || self.speaks(feed, now));
        is_believed.then_some(entry)
    }

    /// Whether `feed` counts for messages that all nodes send.
    fn speaks(&self, feed: u32, now: Instant) -> bool {
        let Primaries { feeds, speaks_at, .. } = &self.primaries;
        feeds.first() == Some(&feed) && speaks_at.is_none_or(|at| at <= now)
    }

    /// Another feed counts for messages that all nodes send from now on, but not at once: the
    /// former one may have brought what its node gets a moment later.
    fn note_speaker(&mut self, before: &[u32], now: Instant) {
        if before.first() != self.primaries.feeds.first() && !before.is_empty() {
            self.primaries.speaks_at = Some(now + SETTLE);
        }
    }

    fn want_at(&mut self, key: &EntryKey) {
        let Some(home) = key.at else { return };
        let Some(local) = self.names.local_mut(key.topic).get_mut(&key.name) else { return };
        let entry = local.entries.entry(home).or_default();
        (entry.home, entry.token, entry.is_refused) = (Some(home), local.token, false);
        if !std::mem::replace(&mut entry.is_wanted, true) {
            let feed = self.feeds.get_mut(&home);
            feed.into_iter().for_each(|feed| feed.wanted += 1);
        }
        self.look_entry(key);
    }

    fn unwant_at(&mut self, key: &EntryKey) {
        let Some(entry) = self.names.entry_mut(key) else { return };
        entry.is_refused = false;
        if std::mem::replace(&mut entry.is_wanted, false) {
            let feed = key.at.and_then(|home| self.feeds.get_mut(&home));
            feed.into_iter().for_each(|feed| feed.wanted -= 1);
        }
        self.look_entry(key);
    }

    /// Does what is to be done about a local name when one of its entries has changed: ends its
    /// tickets and its gap once all homes have it, and forgets it once nothing is left of it.
    pub(super) fn look_over(&mut self, topic: Topic, name: &Bytes) {
        let Some(local) = self.names.local_mut(topic).get_mut(name) else { return };
        if local.is_homeless() {
            if !std::mem::replace(&mut local.is_queued, true) {
                self.homeless.push(topic, name.clone());
            }
            return;
        }
        if !local.is_at_rest() {
            return;
        }
        let waiters = std::mem::take(&mut local.waiters);
        if local.is_wanted {
            local.is_told = true;
            match local.entries.values().any(|entry| entry.is_wanted && entry.is_actual) {
                true => self.gaps.local.restore(&mut local.is_lost, topic),
                false => _ = self.gaps.local.forget(&mut local.is_lost),
            }
        } else {
            self.names.local_mut(topic).remove(name);
        }
        if !self.has_local() {
            self.primaries = Primaries::default();
        }
        for (ticket, _) in waiters {
            self.tickets.done(ticket);
        }
    }
}

impl LocalName {
    /// Whether it is wanted and has no home.
    pub(super) fn is_homeless(&self) -> bool {
        self.is_wanted && !self.entries.values().any(|entry| entry.is_wanted)
    }

    /// Whether all servers have what is wanted of them, or have refused it. The end of a former
    /// home is not waited for as long as the name is wanted.
    fn is_at_rest(&self) -> bool {
        let mut entries = self.entries.values();
        match self.is_wanted {
            true => entries
                .filter(|entry| entry.is_wanted)
                .all(|entry| entry.pending.is_none() && (entry.is_actual || entry.is_refused)),
            false => entries.all(|entry| entry.pending.is_none() && !entry.is_actual),
        }
    }
}
