//! How the requests that wait for names end.

use bytes::Bytes;
use tokio::time::Instant;

use super::super::topic::{Op, Topic};
use super::names::EntryKey;
use super::Ledger;
use crate::error::{Applied, Error};

impl Ledger {
    /// Fails the tickets whose deadline has passed, and says how many they were.
    pub(in crate::pubsub) fn expire(&mut self, now: Instant, error: &Error) -> u64 {
        let is_connected = self.feeds.values().any(|feed| feed.is_connected);
        let applied = if is_connected { Applied::Unknown } else { Applied::No };
        let mut count = 0;
        while let Some(ticket) = self.tickets.overdue(now) {
            self.fail(ticket, error.clone().with_applied(applied));
            count += 1;
        }
        count
    }

    /// Fails all tickets. Their names stay wanted until the caller says otherwise.
    pub(in crate::pubsub) fn fail_all(&mut self, error: &Error) {
        for ticket in self.tickets.all() {
            self.fail(ticket, error.clone());
        }
    }

    /// Fails the tickets that wait for some names. The names stay wanted.
    pub(in crate::pubsub) fn fail_those(&mut self, names: &[(Topic, Bytes)], error: &Error) {
        for (topic, name) in names {
            let waiters = self.names.waiters_mut(*topic, name).cloned().unwrap_or_default();
            for (ticket, _) in waiters {
                self.fail(ticket, error.clone());
            }
        }
    }

    /// Fails the tickets that wait for names whose home is `feed`. The names stay wanted.
    pub(in crate::pubsub) fn fail_at(&mut self, feed: u32, error: &Error) {
        let keys = self.names.at(feed).into_iter();
        self.fail_those(&keys.map(|key| (key.topic, key.name)).collect::<Vec<_>>(), error);
    }

    /// Fails the tickets that wait for `op` of a name.
    pub(super) fn fail_waiters(&mut self, topic: Topic, name: &Bytes, op: Op, error: &Error) {
        let Some(waiters) = self.names.waiters_mut(topic, name) else { return };
        let waiters: Vec<u32> =
            waiters.iter().filter(|(_, waits)| *waits == op).map(|waiter| waiter.0).collect();
        for ticket in waiters {
            self.fail(ticket, error.clone().with_applied(Applied::No));
        }
    }

    /// Takes the waiters off a name with one home that wait for an op which `is_done` picks.
    pub(super) fn settle(&mut self, key: &EntryKey, is_done: impl Fn(Op) -> bool) {
        let Some(entry) = self.names.entry_mut(key) else { return };
        if entry.waiters.is_empty() {
            return;
        }
        let (done, left): (Vec<_>, Vec<_>) =
            std::mem::take(&mut entry.waiters).into_iter().partition(|(_, op)| is_done(*op));
        entry.waiters = left;
        for (ticket, _) in done {
            self.tickets.done(ticket);
        }
    }

    pub(super) fn fail(&mut self, ticket: u32, error: Error) {
        let Some((topic, names)) = self.tickets.fail(ticket, error) else { return };
        for name in names {
            if let Some(waiters) = self.names.waiters_mut(topic, &name) {
                waiters.retain(|(waiter, _)| *waiter != ticket);
            }
        }
    }
}
