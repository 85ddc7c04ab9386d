//! The receiving side of a lane's connection.
//!
//! Owns the reader and matches what it decodes with what `state` awaits. Whoever holds its lock
//! reads: the driver, or the caller's thread for a detached connection. Replies are passed on
//! under that lock, so they keep their order whoever reads them.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::outcome::Drained;
use super::{refused, Exit, Shared};
use crate::backoff;
use crate::connection::Reader;
use crate::error::{Error, Result};
use crate::outbox::{Delivery, Outboxes, Whose};
use crate::resp::{Frames, ValueKind};
use crate::stream::{self, Stream};

/// What a read has found.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Read {
    /// Whether the driver has to look at the state: a timer to set, a connection to exchange.
    pub(super) news: bool,
    /// Whether the socket was read empty.
    pub(super) is_drained: bool,
    /// Replies that were decoded.
    replies: usize,
    /// Bytes that were read.
    bytes: usize,
    /// Bytes that are known to be missing of a large reply.
    missing: usize,
    /// Lanes that the same thread has to attend to.
    lanes: usize,
}

impl Read {
    /// Whether reading and decoding like this should not take the event loop's time.
    pub(super) fn is_heavy(&self) -> bool {
        self.replies * self.lanes >= MANY
            || self.bytes * self.lanes >= MUCH
            || self.missing >= LARGE
    }

    /// Whether a thread hop would cost more than reading and decoding like this.
    pub(super) fn is_light(&self) -> bool {
        self.replies * self.lanes < FEW && self.bytes * self.lanes < LITTLE && self.missing == 0
    }
}

/// Replies of one read, times the lanes that share its thread, that are worth a thread of their
/// own. Measured at 1,000 in flight: the
/// driver saves a fifth of the event loop's time; at 100 in flight it costs a seventh of the
/// throughput.
const MANY: usize = 400;
/// Below this the hop costs more than it saves. Far from [`MANY`], so that nothing sways.
const FEW: usize = 150;
/// Bytes of one read that are worth it: copying and decoding them takes about 10 us.
const MUCH: usize = 32 << 10;
const LITTLE: usize = 8 << 10;
/// A reply of this size is read in several system calls.
const LARGE: usize = 128 << 10;

pub(super) struct Wire {
    reader: Reader,
    /// Refusals in a row, for the delay before the next try.
    refusals: u32,
    /// What the read under way has found.
    found: Read,
    /// Why nothing is read any more: after a breach of the protocol nobody knows which reply is
    /// whose.
    over: Option<Error>,
}

impl Wire {
    pub(super) fn new(reader: Reader) -> Self {
        Self { reader, refusals: 0, found: Read::default(), over: None }
    }

    /// The reader, if it is between two values: nothing is read any more.
    pub(super) fn retire(&mut self, blank: Reader) -> Option<Reader> {
        let is_fit = self.over.is_none() && !self.reader.is_mid_value();
        self.over = Some(Error::connection("CLOSED", "the connection was given back"));
        is_fit.then(|| std::mem::replace(&mut self.reader, blank))
    }

    /// Reads what the socket holds, in at most `turns` reads, so that others of the same thread
    /// get their turn. `enough`: a read of fewer bytes is the last one, because whoever waits for
    /// the socket is told again if there are more. That saves a system call for each reply.
    pub(super) fn read(
        &mut self,
        shared: &Shared,
        link: &Stream,
        turns: usize,
        enough: usize,
    ) -> Result<Read> {
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        let read = self.read_on(shared, link, turns, enough);
        if let Err(error) = &read {
            self.over = Some(error.clone());
        }
        read
    }

    fn read_on(
        &mut self,
        shared: &Shared,
        link: &Stream,
        turns: usize,
        enough: usize,
    ) -> Result<Read> {
        self.found = Read { lanes: shared.company.load(Ordering::Relaxed), ..Read::default() };
        for _ in 0..turns {
            let length = match self.reader.fill(link) {
                Ok(0) => return Err(self.end_of_stream()),
                Ok(n) => {
                    self.found.bytes += n;
                    shared.metrics.bytes_in.add(n as u64);
                    n
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.found.is_drained = true;
                    break;
                }
                Err(error) => return Err(stream::lost(error)),
            };
            while let Some(frames) = self.reader.decode()? {
                self.deliver(shared, frames)?;
            }
            if length < enough {
                self.found.is_drained = true;
                break;
            }
            if shared.outboxes.is_full() {
                break;
            }
        }
        self.found.missing = self.reader.wanted();
        Ok(self.found)
    }

    /// Matches replies with commands and passes them on.
    fn deliver(&mut self, shared: &Shared, frames: Frames) -> Result<()> {
        let now = Instant::now();
        let (mut errors, mut gone) = (0, 0);
        let mut whose = Vec::with_capacity(frames.replies.len());
        self.found.replies += frames.replies.len();
        // Latencies are counted by runs: the replies of one batch were submitted together.
        let mut run: Option<(Instant, u64)> = None;
        let mut breach = None;
        let mut marks = 0;
        // Where the replies of another owner begin.
        let mut owners: Vec<(usize, u32)> = Vec::new();
        let mut inner = shared.lock();
        inner.active = now;
        for root in &frames.replies {
            let error = frames.tape.get(*root as usize).filter(|node| is_error(node.kind));
            let Some(answer) = inner.state.answer(error.map(|node| frames.text(node))) else {
                breach = Some("the server sent a reply that nobody asked for");
                break;
            };
            if answer.early {
                breach = Some("the server answered a command before it had all of it");
            }
            errors += u64::from(error.is_some());
            inner.doubt |= error.is_some();
            if owners.last().is_none_or(|(_, owner)| *owner != answer.owner) {
                owners.push((whose.len(), answer.owner));
            }
            whose.push(answer.whose);
            if answer.partial {
                continue;
            }
            gone += u64::from(answer.whose == Whose::NOBODY && !answer.held && !answer.internal);
            if answer.internal {
                marks += u32::from(answer.mark);
                inner.ping = None;
                self.found.news = true;
                if let Exit::Leaving { refused } = &mut inner.exit {
                    *refused |= error.is_some();
                }
            }
            if let (Some(database), None) = (answer.selected, error) {
                shared.pool.select(database);
            }
            match &mut run {
                Some((submitted, count)) if *submitted == answer.submitted => *count += 1,
                other => {
                    let done = other.replace((answer.submitted, 1));
                    record(shared, now, done);
                }
            }
        }
        record(shared, now, run);
        let moved = inner.state.take_refused();
        inner.moving = moved.len();
        let drained = inner.state.drained(now, self.refusals, backoff::random());
        if inner.state.retry_at().is_some() {
            self.refusals = self.refusals.saturating_add(1);
            self.found.news = true;
        } else if !inner.state.is_holding() {
            self.refusals = 0;
        }
        if let Drained::Reject(_) = drained {
            inner.write(now, &shared.metrics);
        }
        self.found.news |= inner.state.is_retired();
        drop(inner);
        whose.resize(frames.replies.len(), Whose::NOBODY);
        shared.metrics.errors.add(errors);
        shared.metrics.tombstones.add(gone);
        shared.metrics.pushes_ignored.add(frames.pushes.len() as u64);
        pass_on(&shared.outboxes, frames, whose, &owners);
        if let Some(router) = shared.router().filter(|_| marks > 0 || !moved.is_empty()) {
            if !moved.is_empty() {
                router.refused(shared.place, moved);
                shared.lock().moving = 0;
            }
            // Whatever was refused before a mark is on its way again before that is told.
            (0..marks).for_each(|_| router.passed(shared.place));
        }
        match drained {
            Drained::Nothing => {}
            Drained::Reject(ended) => shared.fail(ended, &refused()),
            Drained::Reconnect => {
                return Err(refused());
            }
        }
        breach.map_or(Ok(()), |text| Err(Error::protocol(text)))
    }

    fn end_of_stream(&self) -> Error {
        let text = match self.reader.is_mid_value() {
            true => "the server closed the connection in the middle of a reply",
            false => "the server closed the connection",
        };
        Error::connection("UNEXPECTED_EOF", text).retryable()
    }
}

/// Gives replies to their owners, whose runs begin where `owners` says.
fn pass_on(outboxes: &Outboxes, frames: Frames, whose: Vec<Whose>, owners: &[(usize, u32)]) {
    if whose.iter().all(|whose| *whose == Whose::NOBODY) {
        return;
    }
    let Some(((_, first), others)) = owners.split_first() else { return };
    if others.iter().all(|(_, owner)| owner == first) {
        return outboxes.push(*first, Delivery::Replies { frames, whose });
    }
    // The bytes are shared: each owner gets all of them, and sees nothing but its own.
    let all: BTreeSet<u32> = owners.iter().map(|(_, owner)| *owner).collect();
    for owner in all {
        let mut runs = owners.iter().peekable();
        let mut is_own = false;
        let own = whose.iter().enumerate().map(|(at, whose)| {
            while let Some((_, of)) = runs.next_if(|(start, _)| *start <= at) {
                is_own = *of == owner;
            }
            if is_own {
                *whose
            } else {
                Whose::NOBODY
            }
        });
        let whose: Vec<Whose> = own.collect();
        // Nobody is woken up for replies to throw away, such as that to the lane's own PING.
        if whose.iter().any(|whose| *whose != Whose::NOBODY) {
            outboxes.push(owner, Delivery::Replies { frames: frames.clone(), whose });
        }
    }
}

fn record(shared: &Shared, now: Instant, run: Option<(Instant, u64)>) {
    if let Some((submitted, count)) = run {
        shared.metrics.latency.record(now.saturating_duration_since(submitted), count);
    }
}

fn is_error(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Error | ValueKind::BulkError)
}
