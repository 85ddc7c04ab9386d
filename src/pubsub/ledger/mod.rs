//! What is subscribed to, and what should be: pure, without a socket or a clock.
//!
//! Owns the wanted names with their tokens, what the servers have confirmed of them, what was asked
//! and not confirmed yet, and the tickets that wait for that. Each name has a *home*: the feed that
//! it is subscribed to on. A client of one server has one feed. If there are several nodes, the
//! caller places names, and takes back those that have lost their home. A local name has a home on
//! each primary; the caller says which feeds lead there.
//!
//! Every change goes through [`Ledger::look`], which asks the server for what is missing.
//! Invariants: at most one request is under way for a name and its present home, so that its
//! confirmation cannot be taken for another's; what is said of a name on another feed is not
//! believed; once nothing is under way, the servers have exactly what is wanted; every ticket is
//! settled exactly once.

mod answers;
mod dialogue;
mod gap;
mod homes;
mod local;
mod names;
mod questions;
mod tickets;
mod waiting;

use std::collections::HashMap;

use bytes::Bytes;
use tokio::time::Instant;

#[cfg(test)]
pub(super) use self::answers::Received;
use self::dialogue::Dialogue;
use self::gap::Gaps;
use self::homes::Homeless;
pub(super) use self::homes::SETTLE;
use self::local::Primaries;
use self::names::{EntryKey, Names};
pub use self::tickets::Request;
use self::tickets::Tickets;
use super::topic::{Op, Topic};
use crate::error::Error;
use crate::outbox::Resubscribed;

/// The subscriptions of a client.
#[derive(Debug)]
pub(super) struct Ledger {
    names: Names,
    feeds: HashMap<u32, Dialogue>,
    /// Whether there are several nodes, so that names have to be placed.
    is_scattered: bool,
    /// Whether the nodes have parts of the keys each, so that there are local names.
    is_split: bool,
    /// Whether servers are sent a PING now and then.
    has_pings: bool,
    homeless: Homeless,
    primaries: Primaries,
    tickets: Tickets,
    /// Why lost subscriptions could not be restored.
    refusals: Vec<Error>,
    /// How many names are wanted.
    wanted: usize,
    gaps: Gaps,
}

impl Default for Ledger {
    /// A ledger for one server.
    fn default() -> Self {
        Self::new(false)
    }
}

impl Ledger {
    /// The id of the only feed of one server.
    pub(super) const ONLY: u32 = 0;

    /// A ledger for several nodes, without a feed yet; `is_split`: they have parts of the keys each.
    pub(super) fn scattered(is_split: bool) -> Self {
        Self { is_split, ..Self::new(true) }
    }

    /// The ledger of a subscriber that never sends a PING.
    pub(super) fn without_pings(self) -> Self {
        Self { has_pings: false, ..self }
    }

    fn new(is_scattered: bool) -> Self {
        let only = (!is_scattered).then(|| (Self::ONLY, Dialogue::default()));
        Self {
            names: Names::default(),
            feeds: only.into_iter().collect(),
            is_scattered,
            is_split: false,
            has_pings: true,
            homeless: Homeless::default(),
            primaries: Primaries::default(),
            tickets: Tickets::default(),
            refusals: Vec::new(),
            wanted: 0,
            gaps: Gaps::default(),
        }
    }

    /// Wants `names`, each with the token that its messages carry from now on.
    pub(super) fn want(
        &mut self,
        request: Option<Request>,
        topic: Topic,
        names: Vec<(Bytes, u32)>,
    ) {
        let ticket = self.tickets.open(request, topic, names.iter().map(|(name, _)| name.clone()));
        let home = (!self.is_scattered).then_some(Self::ONLY);
        for (name, token) in names {
            if self.is_local(topic, &name) {
                self.want_local(ticket, topic, name, token);
                continue;
            }
            let entry = self.names.of_mut(topic).entry(name.clone()).or_default();
            entry.home = entry.home.or(home);
            if !std::mem::replace(&mut entry.is_wanted, true) {
                self.wanted += 1;
                let feed = entry.home.and_then(|home| self.feeds.get_mut(&home));
                feed.into_iter().for_each(|feed| feed.wanted += 1);
            }
            entry.token = token;
            entry.is_refused = false;
            entry.waiters.extend(ticket.map(|ticket| (ticket, Op::Subscribe)));
            self.look(&EntryKey::single(topic, &name));
        }
    }

    /// Does not want `names` any more.
    pub(super) fn unwant(&mut self, request: Option<Request>, topic: Topic, names: Vec<Bytes>) {
        let ticket = self.tickets.open(request, topic, names.iter().cloned());
        for name in names {
            if self.is_local(topic, &name) {
                self.unwant_local(ticket, topic, &name);
                continue;
            }
            let Some(entry) = self.names.of_mut(topic).get_mut(&name) else {
                ticket.into_iter().for_each(|ticket| self.tickets.done(ticket));
                continue;
            };
            if std::mem::replace(&mut entry.is_wanted, false) {
                self.wanted -= 1;
                let feed = entry.home.and_then(|home| self.feeds.get_mut(&home));
                feed.into_iter().for_each(|feed| feed.wanted -= 1);
            }
            entry.is_refused = false;
            entry.waiters.extend(ticket.map(|ticket| (ticket, Op::Unsubscribe)));
            self.gaps.of(self.is_scattered, topic).forget(&mut entry.is_lost);
            self.look(&EntryKey::single(topic, &name));
        }
    }

    /// Forgets everything, and fails all tickets.
    pub(super) fn clear(&mut self, error: &Error) {
        self.fail_all(error);
        let tickets = std::mem::take(&mut self.tickets);
        let (is_split, has_pings) = (self.is_split, self.has_pings);
        *self = Self { tickets, is_split, has_pings, ..Self::new(self.is_scattered) };
    }

    /// Whether a feed needs a connection.
    pub(super) fn is_wanted(&self, feed: u32) -> bool {
        self.feeds.get(&feed).is_some_and(|feed| feed.wanted > 0)
    }

    /// Whether a feed has a connection.
    pub(super) fn is_connected(&self, feed: u32) -> bool {
        self.feeds.get(&feed).is_some_and(|feed| feed.is_connected)
    }

    /// Whether the connection has to be closed, because nothing else ends MONITOR.
    pub(super) fn is_over(&self) -> bool {
        let monitor = self.names.of(Topic::Monitor).values();
        monitor.into_iter().any(|entry| entry.is_actual && !entry.is_wanted)
    }

    /// How many names are wanted.
    pub(super) fn subscriptions(&self) -> usize {
        self.wanted
    }

    /// When the next ticket fails.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.tickets.next_deadline()
    }

    /// The tickets that have ended since the last call, with their errors.
    pub(super) fn take_settled(&mut self) -> Vec<(u32, Option<Error>)> {
        self.tickets.take_settled()
    }

    /// Why lost subscriptions could not be restored, since the last call.
    pub(super) fn take_refusals(&mut self) -> Vec<Error> {
        std::mem::take(&mut self.refusals)
    }

    /// The gaps that have ended since the last call.
    pub(super) fn take_reports(&mut self, now: Instant) -> Vec<Resubscribed> {
        self.gaps.close(now)
    }

    /// Does what is to be done about a name: ends the tickets that have what they wait for, asks
    /// the server for what is missing, forgets a name that is not wanted any more.
    fn look(&mut self, key: &EntryKey) {
        self.look_entry(key);
        if key.at.is_some() {
            self.look_over(key.topic, &key.name);
        }
    }

    /// [`Ledger::look`] without what all homes of a local name have in common.
    fn look_entry(&mut self, key: &EntryKey) {
        let Some(entry) = self.names.entry_mut(key) else { return };
        if entry.pending.is_some() {
            return;
        }
        if entry.is_wanted == entry.is_actual {
            let is_forgotten = !entry.is_wanted;
            // A change that was taken back before the server heard of it counts as done.
            self.settle(key, |_| true);
            if is_forgotten {
                self.names.remove(key);
            }
            return;
        }
        if entry.is_refused || entry.is_queued {
            return;
        }
        let Some(home) = entry.home else {
            entry.is_queued = true;
            self.homeless.push(key.topic, key.name.clone());
            return;
        };
        // No command ends MONITOR: `is_over` tells the driver to close the connection.
        let is_askable = key.topic != Topic::Monitor || entry.is_wanted;
        let feed = self.feeds.get_mut(&home).filter(|feed| feed.is_connected && is_askable);
        if let Some(feed) = feed {
            entry.is_queued = true;
            feed.queue.push_back(key.clone());
        }
    }
}
