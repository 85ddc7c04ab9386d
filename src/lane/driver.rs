//! Moves a lane's bytes on tokio: connects, reads, writes what did not fit, watches the clock.
//!
//! Owns the lease. Never decides what a reply or a loss means for a command: that is `state`.
//! Invariant: however a connection ends, its lease is dropped here, inside the runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, sleep_until, timeout, Instant};

use super::batch::{Batch, Command};
use super::wire::{Read, Wire};
use super::{Attendant, Exit, Inner, Link, Shared, DEADLINE_STEP};
use crate::backoff;
use crate::command;
use crate::connection::Reader;
use crate::error::{Error, ErrorClass, Result};
use crate::options::Reconnect;
use crate::outbox::Event;
use crate::pool::Lease;
use crate::stream::Stream;

/// A connection whose oldest command has been without a reply for this long, and is past its
/// deadline, is dead or as good as dead (reliability P5: closed within 10 s, less the time that a
/// timer may be late).
const DEAD_PEER: Duration = Duration::from_millis(9_800);
/// How long the PING of an idle lane may take (reliability P5).
const PING_BUDGET: Duration = Duration::from_secs(5);
/// When a lane cannot get a replacement at the end of its lifetime it goes on and asks again
/// after this long.
const RETIRE_AGAIN: Duration = Duration::from_secs(30);
/// A connection that served for as long as the longest reconnect delay was a success; one that
/// ends sooner, time and again, must not make a storm of reconnects (reliability P6).
const STABLE: Duration = Duration::from_secs(2);
/// The first delay between such connections, as between failed attempts (reliability P6).
const FLAP_BASE: Duration = Duration::from_millis(50);
/// How long what a dying connection said last is waited for. It is here already, but the runtime
/// may not have noticed yet.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// The look at the clock when nothing is due: as rare as deadlines are long.
const QUIET: Duration = Duration::from_secs(5);

/// Runs the lane; if its driver panics, that is a bug of ours which must cost no more than this
/// connection's commands.
pub(super) async fn supervise(shared: Arc<Shared>) {
    loop {
        let driver = tokio::spawn(drive(Arc::clone(&shared)));
        if driver.await.is_ok() {
            return;
        }
        let is_open = shared.fail_inside(|link| {
            if let Link::Up { stream, .. } = link {
                stream.close();
            }
            *link = Link::Dormant;
        });
        if !is_open {
            return;
        }
        if let Some(router) = shared.router() {
            router.lost(shared.place);
        }
    }
}

/// The same for an exclusive lane.
pub(super) async fn supervise_exclusive(shared: Arc<Shared>, lease: Lease) {
    let driver = tokio::spawn(drive_exclusive(Arc::clone(&shared), lease));
    if driver.await.is_err() {
        shared.fail_inside(|link| {
            if let Link::Up { stream, .. } = link {
                stream.close();
            }
            *link = Link::Closed;
        });
        shared.outboxes.tell(Event::Left(shared.place));
    }
}

async fn drive_exclusive(shared: Arc<Shared>, lease: Lease) {
    if let End::Lost(error) = Service::new(&shared, lease).run().await {
        shared.end(&error);
    }
    shared.outboxes.tell(Event::Left(shared.place));
}

/// How the service of one connection ended.
enum End {
    Lost(Error),
    /// An exclusive lane has given its connection back.
    Left,
    Replaced(Box<Lease>),
    Closed,
}

async fn drive(shared: Arc<Shared>) {
    let mut next = None;
    let mut flaps = 0;
    loop {
        let lease = match next.take() {
            Some(lease) => lease,
            None => match connect(&shared).await {
                Some(lease) => lease,
                None => return,
            },
        };
        let started = Instant::now();
        match Service::new(&shared, lease).run().await {
            End::Lost(error) => {
                shared.lose(&error);
                if shared.options.reconnect == Reconnect::Never {
                    shared.stop(&error);
                    continue;
                }
                flaps = if started.elapsed() < STABLE { flaps + 1 } else { 0 };
                if flaps > 1 {
                    let delay =
                        backoff::full_jitter(FLAP_BASE, STABLE, flaps - 2, backoff::random());
                    if shared.keep_time(sleep(delay)).await.is_none() {
                        return;
                    }
                }
            }
            End::Replaced(lease) => next = Some(*lease),
            End::Closed | End::Left => return,
        }
    }
}

/// Waits until a connection is wanted, and makes it. None once the lane is closed.
async fn connect(shared: &Shared) -> Option<Lease> {
    loop {
        while !shared.is_wanted()? {
            shared.wake.notified().await;
        }
        match shared.keep_time(shared.pool.lane_lease()).await? {
            Ok(lease) => return Some(lease),
            Err(error) => {
                let mut inner = shared.lock();
                if matches!(inner.link, Link::Closed) {
                    return None;
                }
                inner.link = Link::Dormant;
                let ended = inner.state.fail_all();
                drop(inner);
                shared.fail(ended, &error);
            }
        }
    }
}

impl Shared {
    /// Whether a connection is wanted; None once the lane is closed.
    fn is_wanted(&self) -> Option<bool> {
        let mut inner = self.lock();
        match inner.link {
            Link::Closed => return None,
            Link::Connecting => return Some(true),
            Link::Dormant | Link::Up { .. } => {}
        }
        let wanted = inner.state.commands() > 0;
        inner.link = if wanted { Link::Connecting } else { Link::Dormant };
        Some(wanted)
    }

    /// Awaits `future` while deadlines go on passing. None once the lane is closed.
    async fn keep_time<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(future);
        loop {
            let until = {
                let mut inner = self.lock();
                if matches!(inner.link, Link::Closed) {
                    return None;
                }
                let now = Instant::now();
                let due = inner.state.next_deadline().unwrap_or(now + QUIET);
                let until = due.max(now + DEADLINE_STEP);
                inner.armed = Some(until);
                until
            };
            tokio::select! {
                biased;
                done = &mut future => return Some(done),
                () = self.wake.notified() => {}
                () = sleep_until(until) => self.expire(Instant::now()),
            }
        }
    }

    /// The reconnect strategy wants no other connection: what waits for one ends.
    fn stop(&self, error: &Error) {
        let mut inner = self.lock();
        if matches!(inner.link, Link::Closed) {
            return;
        }
        inner.link = Link::Dormant;
        let ended = inner.state.fail_all();
        drop(inner);
        self.fail(ended, error);
        self.outboxes.tell(Event::Stopped(error.clone()));
    }

    /// The connection of an exclusive lane is gone, and so is the lane.
    fn end(&self, error: &Error) {
        let lost = lost(error);
        let mut inner = self.lock();
        if matches!(inner.link, Link::Closed) {
            return;
        }
        inner.link = Link::Closed;
        inner.exit = Exit::Lost(lost.clone());
        let ended = inner.state.fail_all();
        drop(inner);
        self.fail(ended, &lost);
    }

    /// The connection is gone: what may be written again stays, the rest ends.
    fn lose(&self, error: &Error) {
        let mut inner = self.lock();
        if matches!(inner.link, Link::Closed) {
            return;
        }
        inner.link = Link::Connecting;
        let (ended, retried) = inner.state.lose(is_repeatable);
        drop(inner);
        self.metrics.retries.add(retried as u64);
        self.pool.lost(error);
        if self.options.reconnect != Reconnect::Never {
            self.outboxes.tell(Event::Reconnecting(0));
        }
        self.fail(ended, &lost(error));
        if let Some(router) = self.router() {
            router.lost(self.place);
        }
    }
}

/// What the callers of a connection that was lost because of `error` are told.
fn lost(error: &Error) -> Error {
    if error.kind() == ErrorClass::Protocol {
        return error.clone();
    }
    let text = "the connection was lost before the reply came";
    Error::connection("CONNECTION_LOST", text).retryable().with_cause(error.clone())
}

/// The service of one connection.
struct Service<'a> {
    shared: &'a Shared,
    lease: Lease,
    /// The lease that takes over as soon as nothing is in flight.
    next: Option<Lease>,
    /// When to start looking for that one.
    expires: Option<Instant>,
    ping_interval: Duration,
    wire: Arc<Mutex<Wire>>,
    /// Whether the timer has to be computed again.
    rearm: bool,
}

/// What the driver has to look at when its timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    /// When to reject commands whose deadline has passed.
    Deadline,
    /// When to write refused commands again.
    Retry,
    /// When to ask an idle connection for a sign of life.
    Ping,
    /// When to give up on a peer that does not answer.
    Dead,
    /// When to start replacing a connection that has become old.
    Lifetime,
}

type Replacement<'a> = Option<Pin<Box<dyn Future<Output = Result<Lease>> + Send + 'a>>>;

impl<'a> Service<'a> {
    fn new(shared: &'a Shared, mut lease: Lease) -> Self {
        // A caller's connection is not exchanged under his hands, and a PING would become a part
        // of the transaction that he has opened.
        let (expires, ping_interval) = match shared.is_exclusive {
            true => (None, Duration::ZERO),
            // Spread by a tenth, so that the lanes of many processes do not ping together.
            false => {
                let spread = backoff::spread(shared.options.ping_interval, 0.1, backoff::random());
                (lease.expires(), spread)
            }
        };
        let reader = Reader::new(shared.options.limits);
        let wire = Wire::new(std::mem::replace(&mut lease.reader, reader));
        let wire = Arc::new(Mutex::new(wire));
        Self { shared, lease, next: None, expires, ping_interval, wire, rearm: true }
    }

    async fn run(mut self) -> End {
        // However this ends, even by a panic, nobody else may get the connection afterwards.
        self.lease.mark_broken();
        if self.shared.is_served_by_caller {
            if let Err(error) = self.lease.detach() {
                return End::Lost(error);
            }
        }
        let stream = Arc::clone(&self.lease.stream);
        let now = Instant::now();
        {
            let mut inner = self.shared.lock();
            if matches!(inner.link, Link::Closed) {
                return End::Closed;
            }
            let attendant = match stream.is_detached() {
                true => Attendant::Caller,
                false => Attendant::Driver,
            };
            let (stream, wire) = (Arc::clone(&stream), Arc::clone(&self.wire));
            inner.link = Link::Up { stream, wire, attendant, blocked: false, failed: None };
            inner.active = now;
            inner.ping = None;
            inner.state.resume();
            inner.write(now, &self.shared.metrics);
        }
        let (place, is_exclusive) = (self.shared.place, self.shared.is_exclusive);
        let event = if is_exclusive { Event::Opened(place) } else { Event::Ready(place) };
        self.shared.outboxes.tell(event);
        let end = self.serve(&stream).await.unwrap_or_else(End::Lost);
        if let End::Left = end {
            self.give_back();
        }
        end
    }

    /// Makes the connection fit for whoever leases it next.
    fn give_back(&mut self) {
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = wire.retire(Reader::new(self.shared.options.limits)) {
            self.lease.reader = reader;
            self.lease.mark_sound();
        }
    }

    async fn serve(&mut self, link: &Arc<Stream>) -> Result<End> {
        let shared = self.shared;
        let mut replacement: Replacement<'a> = None;
        let mut timer = std::pin::pin!(sleep_until(Instant::now()));
        // A handle that tokio watches, while this thread attends to a detached stream.
        let mut attended: Option<Stream> = None;
        let mut told = (Attendant::Caller, false);
        loop {
            let (attendant, blocked, failed) = {
                let mut inner = shared.lock();
                let seen = match &inner.link {
                    Link::Up { attendant, blocked, failed, .. } => {
                        (*attendant, *blocked, failed.clone())
                    }
                    _ => return Ok(End::Closed),
                };
                if let Exit::Leaving { refused } = inner.exit {
                    if inner.state.commands() == 0 {
                        inner.link = Link::Closed;
                        return Ok(if refused { End::Closed } else { End::Left });
                    }
                }
                if self.next.is_some() && !inner.state.is_waiting() {
                    let next = self.next.take().map(Box::new);
                    return Ok(next.map_or(End::Closed, End::Replaced));
                }
                if std::mem::take(&mut self.rearm) {
                    let due = self.next_timer(&inner, Instant::now()).1;
                    inner.armed = Some(due);
                    timer.as_mut().reset(due);
                }
                seen
            };
            if let Some(error) = failed {
                let _ = timeout(LAST_WORDS, self.hear_out(link)).await;
                return Err(error);
            }
            let is_ours = attendant == Attendant::Driver;
            if link.is_detached() {
                if (attendant, blocked) != told {
                    // The watcher on the caller's thread is to ask what to wait for now.
                    shared.outboxes.tell(Event::Look(shared.place));
                    told = (attendant, blocked);
                }
                if is_ours != attended.is_some() {
                    attended = if is_ours { link.attended()? } else { None };
                }
            }
            let full = shared.outboxes.is_full();
            let handle: &Stream = attended.as_ref().unwrap_or(link);
            tokio::select! {
                biased;
                ready = handle.readable(), if is_ours && !full => {
                    ready?;
                    let read = self.read(handle)?;
                    // A server that never stops talking must not keep the rest from its turn.
                    if blocked {
                        self.write(handle);
                    }
                    if link.is_detached() && read.is_light() {
                        self.hand_back();
                    }
                    if timer.deadline() <= Instant::now() {
                        self.tick(link, &mut replacement)?;
                    }
                    if !read.is_drained {
                        // tokio by itself would take turns with others only every 128 reads.
                        tokio::task::yield_now().await;
                    }
                }
                () = shared.outboxes.room(), if full => {}
                ready = handle.writable(), if is_ours && blocked => {
                    ready?;
                    self.write(handle);
                }
                () = shared.wake.notified() => {
                    self.rearm = true;
                    self.write(handle);
                }
                lease = next_lease(&mut replacement), if replacement.is_some() => {
                    replacement = None;
                    self.replace_with(lease);
                }
                () = &mut timer => self.tick(link, &mut replacement)?,
            }
        }
    }

    fn write(&self, handle: &Stream) {
        let now = Instant::now();
        self.shared.lock().write_through(Some(handle), now, &self.shared.metrics);
    }

    /// Lets the caller's thread attend to the connection again.
    fn hand_back(&self) {
        let mut inner = self.shared.lock();
        if let Link::Up { attendant, blocked: false, .. } = &mut inner.link {
            *attendant = Attendant::Caller;
        }
    }

    fn tick(&mut self, link: &Stream, replacement: &mut Replacement<'a>) -> Result<()> {
        self.rearm = true;
        if link.is_detached() {
            // The caller's thread may be busy: what has arrived by now is in time.
            self.read(link)?;
        }
        if self.on_timer(Instant::now())? == Timer::Lifetime {
            *replacement = Some(Box::pin(self.shared.pool.lane_lease()));
        }
        Ok(())
    }

    /// Reads to the end: replies that came before the connection broke are valid.
    async fn hear_out(&mut self, link: &Stream) -> Result<()> {
        loop {
            if link.is_detached() {
                sleep(DETACHED_LOOK).await;
            } else {
                link.readable().await?;
            }
            self.read(link)?;
        }
    }

    fn read(&mut self, link: &Stream) -> Result<Read> {
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        let read = wire.read(self.shared, link, READS, 0)?;
        self.rearm |= read.news;
        Ok(read)
    }

    fn replace_with(&mut self, lease: Result<Lease>) {
        match lease {
            Ok(lease) => {
                self.next = Some(lease);
                self.shared.lock().state.retire();
            }
            Err(_) => self.expires = Some(Instant::now() + RETIRE_AGAIN),
        }
        self.rearm = true;
    }

    fn next_timer(&self, inner: &Inner, now: Instant) -> (Timer, Instant) {
        let state = &inner.state;
        let deadline = state.next_deadline().map(|at| at.max(now + DEADLINE_STEP));
        let idle = inner.active + self.ping_interval;
        let is_idle = !state.is_waiting() && inner.ping.is_none() && !self.ping_interval.is_zero();
        let idle = is_idle.then_some(idle);
        let dead = match inner.ping {
            Some(sent) => Some(sent + PING_BUDGET),
            None => state.overdue_since().map(|since| since + DEAD_PEER),
        };
        // On an exclusive connection silence is what a blocking command asks for.
        let silent = self.shared.options.socket.socket_timeout;
        let silent = silent.filter(|_| state.is_waiting() && !self.shared.is_exclusive);
        let silent = silent.map(|timeout| inner.active + timeout);
        // Replies that are not read for want of room do not make the peer dead.
        let (dead, silent) =
            if self.shared.outboxes.is_full() { (None, None) } else { (dead, silent) };
        let timers = [
            (Timer::Deadline, deadline),
            (Timer::Retry, state.retry_at()),
            (Timer::Dead, dead),
            (Timer::Dead, silent),
            (Timer::Ping, idle),
            (Timer::Lifetime, self.expires),
        ];
        let due = timers.into_iter().filter_map(|(timer, at)| Some((timer, at?)));
        let look = self.shared.options.socket.socket_timeout.unwrap_or(QUIET).min(QUIET);
        let look = if self.ping_interval.is_zero() { look } else { look.min(self.ping_interval) };
        let quiet = (Timer::Deadline, now + look);
        due.chain([quiet]).min_by_key(|(_, at)| *at).unwrap_or(quiet)
    }

    /// Does what is due, and says what it was.
    fn on_timer(&mut self, now: Instant) -> Result<Timer> {
        let shared = self.shared;
        shared.expire(now);
        let mut inner = shared.lock();
        // Replies may have moved the timer on since it was set.
        let (timer, at) = self.next_timer(&inner, now);
        if at > now {
            return Ok(Timer::Deadline);
        }
        match timer {
            Timer::Deadline => {}
            Timer::Retry => {
                let retried = inner.state.retry_held();
                shared.metrics.retries.add(retried as u64);
                inner.write(now, &shared.metrics);
            }
            Timer::Ping => {
                inner.state.push(ping(Command::INTERNAL, now));
                inner.write(now, &shared.metrics);
                inner.ping = Some(now);
            }
            Timer::Dead => {
                let text = "the server has not answered for too long: the connection is given up";
                return Err(Error::connection("DEAD_PEER", text).retryable());
            }
            Timer::Lifetime => self.expires = None,
        }
        Ok(timer)
    }
}

/// A PING of the lane itself.
pub(super) fn ping(mode: u32, now: Instant) -> Batch {
    let command = Command { id: 0, len: PING.len() as u32, mode, timeout: 0 };
    Batch::new(Bytes::from_static(PING), vec![command], now)
}

async fn next_lease(replacement: &mut Replacement<'_>) -> Result<Lease> {
    match replacement {
        Some(lease) => lease.await,
        None => std::future::pending().await,
    }
}

/// Whether an encoded command may be written again without harm. SELECT does nothing but to the
/// connection, and what was queued behind it must find its database.
fn is_repeatable(encoded: &[u8]) -> bool {
    command::of(encoded).is_some_and(|spec| spec.is_repeatable() || spec.name == "SELECT")
}

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
/// How often a detached connection that has failed is looked at for its last words.
const DETACHED_LOOK: Duration = Duration::from_millis(5);
/// Sixteen reads of up to 256 KiB are about a millisecond of decoding.
const READS: usize = 16;
