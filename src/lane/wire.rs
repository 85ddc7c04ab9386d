//! The receiving side of a lane's connection.
//!
//! Owns the reader and matches the replies that it decodes with the commands of the queue. The
//! driver reads, or the caller's thread if the connection is detached; whichever holds the lock of
//! the [`Wire`]. Replies are passed on under that lock, so they keep their order.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::conduit::{refused, Conduit, Exit};
use super::findings::Findings;
use super::home::Home;
use super::outcome::Drained;
use super::told::Told;
use crate::backoff;
use crate::connection::{Budget, Reader};
use crate::error::{Error, Result};
use crate::outbox::{Delivery, Event, Whose};
use crate::resp::{Frames, ValueKind};
use crate::stream::{self, Stream};

/// The receiving side of a lane's connection.
pub(super) struct Wire {
    reader: Reader,
    /// How many retries in a row were refused, for the delay before the next one.
    refusals: u32,
    /// What the read under way has found.
    found: Findings,
    /// The pool's generation that the connection is of.
    generation: u32,
    /// Why nothing is read any more. After a breach of the protocol, for example, replies cannot be
    /// matched with commands.
    over: Option<Error>,
}

impl Wire {
    pub(super) fn new(reader: Reader, generation: u32) -> Self {
        Self { reader, refusals: 0, found: Findings::default(), generation, over: None }
    }

    /// The pool's generation that the connection is of.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Ends all reading here and returns the wire with which it goes on elsewhere. None as for
    /// [`Wire::retire`].
    pub(super) fn lend(&mut self, blank: Reader) -> Option<Self> {
        self.retire(blank).map(|reader| Self::new(reader, self.generation))
    }

    /// Ends all reading and returns the reader, with `blank` in its place. None if the connection
    /// is of no more use: it failed, or a reply has come only in part.
    pub(super) fn retire(&mut self, blank: Reader) -> Option<Reader> {
        let is_fit = self.over.is_none() && !self.reader.is_mid_value();
        self.over = Some(Error::connection("CLOSED", "the connection was given back"));
        is_fit.then(|| std::mem::replace(&mut self.reader, blank))
    }

    /// Reads what the socket holds, as far as `budget` goes, so that other lanes of the thread get
    /// their turn. A read of fewer than `enough` bytes is the last one: if there are more, the
    /// thread is told again that the socket is readable. That saves a system call for each reply.
    pub(super) fn read(
        &mut self,
        conduit: &Conduit,
        stream: &Stream,
        budget: Budget,
        enough: usize,
    ) -> Result<Findings> {
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        let read = self.read_on(conduit, stream, budget, enough);
        if let Err(error) = &read {
            conduit.lose_track();
            self.over = Some(error.clone());
        }
        read
    }

    fn read_on(
        &mut self,
        conduit: &Conduit,
        stream: &Stream,
        mut budget: Budget,
        enough: usize,
    ) -> Result<Findings> {
        let home = &conduit.home;
        let lanes = home.company.load(Ordering::Relaxed);
        self.found = Findings { lanes, ..Findings::default() };
        while !budget.is_spent() {
            let length = match self.reader.fill(stream) {
                Ok(0) => return Err(self.end_of_stream()),
                Ok(n) => {
                    self.found.bytes += n;
                    home.metrics.bytes_in.add(n as u64);
                    n
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.found.is_drained = true;
                    break;
                }
                Err(error) => return Err(stream::lost(error)),
            };
            while let Some(frames) = self.reader.decode()? {
                self.deliver(conduit, frames)?;
            }
            self.reader.charge(&mut budget);
            if length < enough {
                self.found.is_drained = true;
                break;
            }
            if home.outboxes.is_full() {
                break;
            }
        }
        self.found.missing = self.reader.wanted();
        if self.reader.is_mid_reply() && !conduit.lock().queue.is_waiting() {
            // The next reply would be taken for a part of this one.
            return Err(Error::protocol("the server has begun a reply that nobody asked for"));
        }
        Ok(self.found)
    }

    /// Matches replies with commands and passes them on.
    fn deliver(&mut self, conduit: &Conduit, frames: Frames) -> Result<()> {
        let tracks = conduit.tracks();
        if tracks && !frames.pushes.is_empty() {
            // Before the replies: no caller may hear of a change that the cache does not know.
            conduit.hear_invalidations(&frames);
            self.found.replies += frames.pushes.len();
        }
        let now = Instant::now();
        let home = &conduit.home;
        let (mut errors, mut gone) = (0, 0);
        let mut whose = Vec::with_capacity(frames.replies.len());
        self.found.replies += frames.replies.len();
        // Latencies are recorded by runs, since the commands of one batch were submitted together.
        let mut run: Option<(Instant, u64)> = None;
        let mut breach = None;
        let mut marks = 0;
        let mut pinged = false;
        let mut told = Told::default();
        // Each owner, with the position at which a run of its replies begins.
        let mut owners: Vec<(usize, u32)> = Vec::new();
        let mut traffic = conduit.lock();
        traffic.active = now;
        traffic.heard = now;
        for root in &frames.replies {
            let error = frames.tape.get(*root as usize).filter(|node| is_error(node.kind));
            let Some(matched) = traffic.queue.answer(error.map(|node| frames.text(node))) else {
                breach = Some("the server sent a reply that nobody asked for");
                break;
            };
            if matched.early {
                breach = Some("the server answered a command before it had all of it");
            }
            errors += u64::from(error.is_some());
            traffic.doubt |= error.is_some();
            if let Some(node) = error {
                told.hear(frames.text(node));
                if tracks && frames.text(node).starts_with(b"MOVED ") {
                    // The node tells nothing of the keys of that slot any more.
                    conduit.lose_track();
                }
            }
            if owners.last().is_none_or(|(_, owner)| *owner != matched.owner) {
                owners.push((whose.len(), matched.owner));
            }
            whose.push(matched.whose);
            if matched.partial {
                continue;
            }
            gone += u64::from(matched.whose == Whose::NOBODY && !matched.held && !matched.internal);
            if matched.internal {
                pinged |=
                    !matched.mark && error.is_none() && !conduit.is_exclusive && !traffic.is_look;
                marks += u32::from(matched.mark);
                traffic.ping = None;
                self.found.news = true;
                if let Exit::Leaving { refused } = &mut traffic.exit {
                    *refused |= error.is_some();
                }
            }
            if let (Some(command), None) = (&matched.lasting, error) {
                home.pool.remember(command);
            }
            match &mut run {
                Some((submitted, count)) if *submitted == matched.submitted => *count += 1,
                other => {
                    let done = other.replace((matched.submitted, 1));
                    record(conduit, now, done);
                }
            }
        }
        record(conduit, now, run);
        let moved = traffic.queue.take_refused();
        traffic.moving = moved.len();
        if errors > 0 {
            traffic.heed(told, conduit, self.generation, self.refusals);
        }
        let drained = traffic.queue.drained(now, self.refusals, backoff::random());
        if traffic.queue.retry_at().is_some() {
            self.refusals = self.refusals.saturating_add(1);
            self.found.news = true;
        } else if !traffic.queue.is_holding() {
            self.refusals = 0;
        }
        match drained {
            Drained::Nothing => {}
            Drained::Reject(_) => {
                traffic.write(now, &home.metrics);
            }
            // Its caller may release a session before the driver has heard of the end.
            Drained::Reconnect(_) => {
                conduit.lose_track();
                traffic.link.fail(refused());
            }
        }
        self.found.news |= traffic.queue.is_retired();
        drop(traffic);
        whose.resize(frames.replies.len(), Whose::NOBODY);
        home.metrics.errors.add(errors);
        home.metrics.tombstones.add(gone);
        home.metrics.pushes_ignored.add(frames.pushes.len() as u64);
        pass_on(home, frames, whose, &owners);
        if pinged {
            home.outboxes.tell(Event::Pinged);
        }
        if let Some(router) = conduit.router().filter(|_| marks > 0 || !moved.is_empty()) {
            if !moved.is_empty() {
                router.refused(home.lane_id, moved);
                conduit.lock().moving = 0;
            }
            // The router takes what was refused before a mark, then it hears of the mark.
            (0..marks).for_each(|_| router.passed(home.lane_id));
        }
        match drained {
            Drained::Nothing => {}
            Drained::Reject(ended) => conduit.fail(ended, &refused()),
            Drained::Reconnect(ended) => {
                conduit.fail(ended, &refused());
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

/// Gives the replies to their owners. `owners`: each owner, with the position at which a run of its
/// replies begins.
fn pass_on(home: &Home, frames: Frames, whose: Vec<Whose>, owners: &[(usize, u32)]) {
    if whose.iter().all(|whose| *whose == Whose::NOBODY) {
        return;
    }
    let (lane_id, outboxes) = (home.lane_id, &home.outboxes);
    let Some(((_, first), others)) = owners.split_first() else { return };
    if others.iter().all(|(_, owner)| owner == first) {
        return outboxes.push(*first, Delivery::Replies { lane_id, frames, whose });
    }
    // Each owner gets all frames, since their bytes are shared, and takes only its own replies.
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
        // An owner is not woken up for nothing but replies to throw away.
        if whose.iter().any(|whose| *whose != Whose::NOBODY) {
            let frames = frames.clone();
            outboxes.push(owner, Delivery::Replies { lane_id, frames, whose });
        }
    }
}

fn record(conduit: &Conduit, now: Instant, run: Option<(Instant, u64)>) {
    if let Some((submitted, count)) = run {
        conduit.home.metrics.latency.record(now.saturating_duration_since(submitted), count);
    }
}

fn is_error(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Error | ValueKind::BulkError)
}
