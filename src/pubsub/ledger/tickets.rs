//! The requests that wait for confirmations.
//!
//! Invariant: every ticket is settled exactly once.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use tokio::time::Instant;

use super::super::topic::Topic;
use crate::error::Error;

/// Who waits for a change, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The number by which the caller knows the request.
    pub ticket: u32,
    /// When it fails with a timeout.
    pub deadline: Option<Instant>,
}

/// The requests that wait for confirmations.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    open: HashMap<u32, Ticket>,
    deadlines: BTreeSet<(Instant, u32)>,
    /// Tickets that have ended and were not taken yet.
    settled: Vec<(u32, Option<Error>)>,
}

#[derive(Debug)]
struct Ticket {
    topic: Topic,
    names: Vec<Bytes>,
    /// How many names it still waits for.
    left: usize,
    deadline: Option<Instant>,
}

impl Tickets {
    /// Opens a ticket that waits for `names`; None if there is nothing to wait for.
    pub(super) fn open(
        &mut self,
        request: Option<Request>,
        topic: Topic,
        names: impl ExactSizeIterator<Item = Bytes>,
    ) -> Option<u32> {
        let Request { ticket, deadline } = request?;
        let left = names.len();
        if left == 0 {
            self.settled.push((ticket, None));
            return None;
        }
        self.deadlines.extend(deadline.map(|at| (at, ticket)));
        self.open.insert(ticket, Ticket { topic, names: names.collect(), left, deadline });
        Some(ticket)
    }

    /// A ticket waits for one name less; it ends with the last one.
    pub(super) fn done(&mut self, ticket: u32) {
        let Some(open) = self.open.get_mut(&ticket) else { return };
        open.left = open.left.saturating_sub(1);
        if open.left == 0 {
            self.close(ticket, None);
        }
    }

    /// Ends a ticket with `error`, and returns the names that it waited for; None if it has ended
    /// already.
    pub(super) fn fail(&mut self, ticket: u32, error: Error) -> Option<(Topic, Vec<Bytes>)> {
        let Ticket { topic, names, .. } = self.close(ticket, Some(error))?;
        Some((topic, names))
    }

    /// All tickets that are open.
    pub(super) fn all(&self) -> Vec<u32> {
        self.open.keys().copied().collect()
    }

    /// A ticket whose deadline has passed.
    pub(super) fn overdue(&self, now: Instant) -> Option<u32> {
        let (at, ticket) = self.deadlines.first()?;
        (*at <= now).then_some(*ticket)
    }

    /// When the next ticket fails.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The tickets that have ended since the last call, with their errors.
    pub(super) fn take_settled(&mut self) -> Vec<(u32, Option<Error>)> {
        std::mem::take(&mut self.settled)
    }

    fn close(&mut self, ticket: u32, error: Option<Error>) -> Option<Ticket> {
        let closed = self.open.remove(&ticket)?;
        if let Some(at) = closed.deadline {
            self.deadlines.remove(&(at, ticket));
        }
        self.settled.push((ticket, error));
        Some(closed)
    }
}
