//! The driver's work on one connection: it reads, writes what did not fit, and keeps the clock.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{sleep, sleep_until, timeout, timeout_at, Instant};

use super::super::conduit::{unguarded, Conduit, Exit};
use super::super::findings::Findings;
use super::super::link::{Attendant, Link};
use super::super::wire::Wire;
use super::timers::LaneTimer;
use super::LinkEnd;
use crate::backoff;
use crate::connection::bounds::LAST_WORDS;
use crate::connection::{Budget, Reader};
use crate::error::Result;
use crate::outbox::Event;
use crate::pool::Lease;
use crate::stream::{Stream, Unread};

/// The driver's work on one connection of a lane.
pub(super) struct LaneDriver<'a> {
    pub(super) conduit: &'a Conduit,
    lease: Lease,
    /// The lease that takes over as soon as nothing is in flight.
    next: Option<Lease>,
    /// When to start looking for that one.
    pub(super) expires: Option<Instant>,
    pub(super) ping_interval: Duration,
    wire: Arc<Mutex<Wire>>,
    /// Whether the timer has to be computed again.
    rearm: bool,
    /// The pool's generation in which the connection was found to be suspect last.
    doubted_in: Option<u32>,
}

type Replacement<'a> = Option<Pin<Box<dyn Future<Output = Result<Lease>> + Send + 'a>>>;

impl<'a> LaneDriver<'a> {
    pub(super) fn new(conduit: &'a Conduit, mut lease: Lease) -> Self {
        // An exclusive connection is not exchanged while its caller uses it, and not pinged, since
        // the PING would become a part of a transaction that the caller has opened.
        let (expires, ping_interval) = match conduit.is_exclusive {
            true => (None, Duration::ZERO),
            // Spread by a tenth, so that the lanes of many processes do not ping together.
            false => {
                let interval = conduit.home.options.ping_interval;
                (lease.expires(), backoff::spread(interval, 0.1, backoff::random()))
            }
        };
        let reader = Reader::new(conduit.home.options.limits);
        let generation = lease.generation();
        let wire = Wire::new(std::mem::replace(&mut lease.reader, reader), generation);
        let wire = Arc::new(Mutex::new(wire));
        Self {
            conduit,
            lease,
            next: None,
            expires,
            ping_interval,
            wire,
            rearm: true,
            doubted_in: None,
        }
    }

    /// The driver of a lane to which a connection was lent, with its `wire`.
    pub(super) fn of_borrower(conduit: &'a Conduit, lease: Lease, wire: Arc<Mutex<Wire>>) -> Self {
        Self {
            conduit,
            lease,
            next: None,
            expires: None,
            ping_interval: Duration::ZERO,
            wire,
            rearm: true,
            doubted_in: None,
        }
    }

    /// Serves a connection that was lent until it ends.
    pub(super) async fn run_lent(mut self) -> LinkEnd {
        let home = &self.conduit.home;
        let stream = Arc::clone(&self.lease.stream);
        home.outboxes.tell(Event::Opened(home.lane_id));
        let end = self.serve(&stream).await.unwrap_or_else(LinkEnd::Lost);
        if let LinkEnd::Left = end {
            self.give_back();
        }
        end
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self) -> LinkEnd {
        // However this ends, even by a panic, nobody else may get the connection afterwards.
        self.lease.mark_broken();
        let home = &self.conduit.home;
        if home.is_served_by_caller {
            if let Err(error) = self.lease.detach() {
                return LinkEnd::Lost(error);
            }
        }
        let stream = Arc::clone(&self.lease.stream);
        // What has come before anything was asked is no reply.
        if let Err(error) = self.read(&stream) {
            return LinkEnd::Lost(error);
        }
        let now = Instant::now();
        let is_replacement;
        {
            let mut traffic = self.conduit.lock();
            if traffic.link.is_closed() {
                return LinkEnd::Closed;
            }
            let attendant = match stream.is_detached() {
                true => Attendant::Caller,
                false => Attendant::Driver,
            };
            let (stream, wire) = (Arc::clone(&stream), Arc::clone(&self.wire));
            let (blocked, unread, is_unwatched, failed) = (false, false, false, None);
            traffic.link =
                Link::Up { stream, wire, attendant, blocked, unread, is_unwatched, failed };
            traffic.active = now;
            traffic.expires = self.expires;
            is_replacement = std::mem::take(&mut traffic.is_lent);
            (traffic.heard, traffic.pinged) = (now, now);
            traffic.ping = None;
            traffic.queue.resume();
            let voided = traffic.queue.take_voided();
            traffic.write(now, &home.metrics);
            drop(traffic);
            self.conduit.fail(voided, &unguarded());
        }
        let lane_id = home.lane_id;
        // The application knows of the connection that was lent, and this one takes its place.
        let event = match self.conduit.is_exclusive || is_replacement {
            true => Event::Opened(lane_id),
            false => Event::Ready(lane_id, Some(self.lease.took)),
        };
        home.outboxes.tell(event);
        let end = self.serve(&stream).await.unwrap_or_else(LinkEnd::Lost);
        if let LinkEnd::Left = end {
            self.give_back();
        }
        match self.conduit.hand_over(self.lease) {
            None => LinkEnd::Lent,
            Some(_) => end,
        }
    }

    /// Makes the connection fit for another lease, unless a reply has come only in part.
    fn give_back(&mut self) {
        // A session that nobody has used for a while comes back as silent as it was, so that the pool
        // asks the server for a PING before it lends the connection again.
        let heard = self.conduit.lock().heard;
        self.lease.used_at(heard);
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = wire.retire(Reader::new(self.conduit.home.options.limits)) {
            self.lease.reader = reader;
            self.lease.mark_sound();
        }
    }

    async fn serve(&mut self, stream: &Arc<Stream>) -> Result<LinkEnd> {
        let conduit = self.conduit;
        let outboxes = &conduit.home.outboxes;
        let mut replacement: Replacement<'a> = None;
        let mut timer = std::pin::pin!(sleep_until(Instant::now()));
        // Another handle of a detached stream, which tokio watches while this thread attends to it.
        let mut attended: Option<Stream> = None;
        let mut told = (Attendant::Caller, false);
        loop {
            let (attendant, blocked, unread, failed) = {
                let mut traffic = conduit.lock();
                let seen = match &traffic.link {
                    Link::Up { attendant, blocked, unread, failed, .. } => {
                        (*attendant, *blocked, *unread, failed.clone())
                    }
                    _ => return Ok(LinkEnd::Closed),
                };
                let (.., unread, ref failed) = seen;
                if let Exit::Leaving { refused } = traffic.exit {
                    if traffic.queue.commands() == 0 {
                        traffic.link = Link::Closed;
                        // What the last look has found makes the connection unfit for others too.
                        let is_fit = !refused && !unread && failed.is_none();
                        return Ok(if is_fit { LinkEnd::Left } else { LinkEnd::Closed });
                    }
                }
                if self.next.is_some() && !traffic.queue.is_waiting() {
                    let next = self.next.take().map(Box::new);
                    return Ok(next.map_or(LinkEnd::Closed, LinkEnd::Replaced));
                }
                let generation = Some(conduit.home.pool.generation());
                let is_news = self.doubted_in != generation;
                if is_news && conduit.may_be_replaced() && self.lease.is_suspect() {
                    // Another connection has heard that the server is a replica, or there are new
                    // credentials: this one is replaced as if it were too old. Each generation gets
                    // its own attempt, since the last one may have failed for what has changed now.
                    (self.doubted_in, self.rearm) = (generation, true);
                    self.expires = Some(Instant::now());
                }
                if std::mem::take(&mut self.rearm) {
                    let due = self.next_timer(&traffic, Instant::now()).1;
                    traffic.armed = Some(due);
                    timer.as_mut().reset(due);
                }
                seen
            };
            if let Some(error) = failed {
                let _ = timeout(LAST_WORDS, self.hear_out(stream)).await;
                return Err(error);
            }
            let is_ours = attendant == Attendant::Driver;
            if stream.is_detached() {
                if (attendant, blocked) != told {
                    // The watcher on the caller's thread has to ask what to wait for now.
                    outboxes.tell(Event::Look(conduit.home.lane_id));
                    told = (attendant, blocked);
                }
                if is_ours != attended.is_some() {
                    attended = if is_ours { stream.attended()? } else { None };
                }
            }
            let full = outboxes.is_full();
            let handle: &Stream = attended.as_ref().unwrap_or(stream);
            if is_ours && unread {
                self.catch_up(handle, full).await?;
                continue;
            }
            tokio::select! {
                biased;
                ready = handle.readable(), if is_ours && !full => {
                    ready?;
                    let read = self.read(handle)?;
                    // The branches below would starve if the server never stopped sending.
                    if blocked {
                        self.write(handle);
                    }
                    if stream.is_detached() && read.is_light() {
                        self.hand_back();
                    }
                    if timer.deadline() <= Instant::now() {
                        self.tick(stream, &mut replacement)?;
                    }
                    if !read.is_drained {
                        // tokio by itself would let other tasks run only every 128 turns.
                        yield_now().await;
                    }
                }
                () = outboxes.room(), if full => {}
                ready = handle.writable(), if is_ours && blocked => {
                    ready?;
                    self.write(handle);
                }
                () = conduit.wake.notified() => {
                    self.rearm = true;
                    self.write(handle);
                }
                lease = next_lease(&mut replacement), if replacement.is_some() => {
                    replacement = None;
                    self.replace_with(lease);
                }
                () = &mut timer => self.tick(stream, &mut replacement)?,
            }
        }
    }

    /// Reads what has come during a pause, and then writes what has waited for that: the server may
    /// have said goodbye. `full`: nothing may be read now.
    async fn catch_up(&mut self, handle: &Stream, full: bool) -> Result<()> {
        let until = Instant::now() + LAST_WORDS;
        while !full && handle.look()? == Unread::Some {
            // The runtime hears of the bytes a moment later than the kernel.
            if timeout_at(until, handle.readable()).await.is_err() {
                break;
            }
            self.read(handle)?;
        }
        if let Link::Up { unread, .. } = &mut self.conduit.lock().link {
            *unread = false;
        }
        self.rearm = true;
        self.write(handle);
        Ok(())
    }

    fn write(&self, handle: &Stream) {
        let now = Instant::now();
        self.conduit.lock().write_through(Some(handle), now, &self.conduit.home.metrics);
    }

    /// Lets the caller's thread attend to the connection again.
    fn hand_back(&self) {
        let mut traffic = self.conduit.lock();
        if let Link::Up { attendant, blocked: false, is_unwatched: false, .. } = &mut traffic.link {
            *attendant = Attendant::Caller;
        }
    }

    fn tick(&mut self, stream: &Stream, replacement: &mut Replacement<'a>) -> Result<()> {
        self.rearm = true;
        if stream.is_detached() {
            // The caller's thread may be busy; a reply that has arrived by now is in time.
            self.read(stream)?;
        }
        if self.on_timer(Instant::now())? == LaneTimer::Lifetime {
            *replacement = Some(Box::pin(self.conduit.home.pool.lane_lease()));
        }
        Ok(())
    }

    /// Reads to the end of the stream: replies that came before the connection broke are valid.
    async fn hear_out(&mut self, stream: &Stream) -> Result<()> {
        loop {
            if stream.is_detached() {
                sleep(DETACHED_LOOK).await;
            } else {
                stream.readable().await?;
            }
            if !self.read(stream)?.is_drained {
                yield_now().await;
            }
        }
    }

    fn read(&mut self, stream: &Stream) -> Result<Findings> {
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let read = wire.read(self.conduit, stream, Budget::DRIVER, 0)?;
        self.rearm |= read.news;
        Ok(read)
    }

    fn replace_with(&mut self, lease: Result<Lease>) {
        match lease {
            Ok(lease) => {
                self.next = Some(lease);
                self.conduit.lock().queue.retire();
            }
            Err(_) => self.expires = Some(Instant::now() + RETIRE_AGAIN),
        }
        self.rearm = true;
    }
}

async fn next_lease(replacement: &mut Replacement<'_>) -> Result<Lease> {
    match replacement {
        Some(lease) => lease.await,
        None => std::future::pending().await,
    }
}

/// How long a lane goes on with an old connection before it asks for a replacement again. The old
/// one still works, so this may be long: the server is spared while it has no room for more.
const RETIRE_AGAIN: Duration = Duration::from_secs(30);
/// How often a detached connection that has failed is read for what the server said last. tokio
/// does not watch it; 5 ms are short beside [`LAST_WORDS`].
const DETACHED_LOOK: Duration = Duration::from_millis(5);
