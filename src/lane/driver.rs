//! Moves a lane's bytes on tokio: connects, reads, writes what did not fit, watches the clock.
//!
//! Owns the lease. Never decides what a reply or a loss means for a command: that is `state`.
//! Invariant: however a connection ends, its lease is dropped here, inside the runtime.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep_until, Instant};

use super::batch::{Batch, Command};
use super::state::{Drained, Refusal};
use super::{Inner, Link, Shared, DEADLINE_STEP};
use crate::backoff;
use crate::command;
use crate::error::{Error, Result};
use crate::outbox::{Delivery, Event, Whose};
use crate::pool::Lease;
use crate::resp::{Frames, Kind as Resp};
use crate::stream::{self, Stream};

/// A connection whose oldest command has been without a reply for this long, and is past its
/// deadline, is dead or as good as dead (reliability P5: closed within 10 s, less the time that a
/// timer may be late).
const DEAD_PEER: Duration = Duration::from_millis(9_800);
/// How long the PING of an idle lane may take (reliability P5).
const PING_BUDGET: Duration = Duration::from_secs(5);
/// When a lane cannot get a replacement at the end of its lifetime it goes on and asks again
/// after this long.
const RETIRE_AGAIN: Duration = Duration::from_secs(30);
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
        let error = Error::connection("INTERNAL", "oxidis failed inside; this is a bug in oxidis");
        let mut inner = shared.lock();
        let ended = inner.state.fail_all();
        let closed = matches!(inner.link, Link::Closed);
        if let Link::Up { stream, .. } = &inner.link {
            stream.close();
        }
        if !closed {
            inner.link = Link::Dormant;
        }
        drop(inner);
        shared.fail(ended, &error);
        if closed {
            return;
        }
    }
}

/// How the service of one connection ended.
enum End {
    Lost(Error),
    Replaced(Lease),
    Closed,
}

async fn drive(shared: Arc<Shared>) {
    let mut next = None;
    loop {
        let lease = match next.take() {
            Some(lease) => lease,
            None => match connect(&shared).await {
                Some(lease) => lease,
                None => return,
            },
        };
        match Service::new(&shared, lease).run().await {
            End::Lost(error) => shared.lose(&error),
            End::Replaced(lease) => next = Some(lease),
            End::Closed => return,
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

    /// The connection is gone: what may be written again stays, the rest ends.
    fn lose(&self, error: &Error) {
        let mut inner = self.lock();
        if matches!(inner.link, Link::Closed) {
            return;
        }
        inner.link = Link::Connecting;
        let (ended, retried) = inner.state.lose(is_read_only);
        drop(inner);
        self.metrics.retries.add(retried as u64);
        self.pool.lost(error);
        self.outbox.push(Delivery::Event(Event::Reconnecting(0)));
        let text = "the connection was lost before the reply came";
        let lost = Error::connection("CONNECTION_LOST", text).retryable().with_cause(error.clone());
        self.fail(ended, &lost);
    }
}

/// The service of one connection.
struct Service<'a> {
    shared: &'a Shared,
    lease: Lease,
    /// The lease that takes over as soon as nothing is in flight.
    next: Option<Lease>,
    /// When to start looking for that one.
    expires: Option<Instant>,
    /// When the PING that is under way was written.
    ping: Option<Instant>,
    ping_interval: Duration,
    /// Refusals in a row, for the delay before the next try.
    refusals: u32,
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
    fn new(shared: &'a Shared, lease: Lease) -> Self {
        let expires = lease.expires();
        // Spread by a tenth, so that the lanes of many processes do not ping together.
        let ping_interval = backoff::spread(shared.options.ping_interval, 0.1, backoff::random());
        let (next, ping, refusals) = (None, None, 0);
        Self { shared, lease, next, expires, ping, ping_interval, refusals, rearm: true }
    }

    async fn run(mut self) -> End {
        let stream = Arc::clone(&self.lease.stream);
        let now = Instant::now();
        {
            let mut inner = self.shared.lock();
            if matches!(inner.link, Link::Closed) {
                return End::Closed;
            }
            inner.link = Link::Up { stream: Arc::clone(&stream), blocked: false, failed: None };
            inner.active = now;
            inner.state.resume();
            inner.write(now, &self.shared.metrics);
        }
        self.shared.outbox.push(Delivery::Event(Event::Ready));
        let end = self.serve(&stream).await;
        // Lost, too old, or in an unknown state: in no case may somebody else get it.
        self.lease.mark_broken();
        end.unwrap_or_else(End::Lost)
    }

    async fn serve(&mut self, link: &Stream) -> Result<End> {
        let shared = self.shared;
        let mut replacement: Replacement<'a> = None;
        let mut timer = std::pin::pin!(sleep_until(Instant::now()));
        loop {
            let blocked = {
                let mut inner = shared.lock();
                let blocked = match &mut inner.link {
                    Link::Up { failed: Some(error), .. } => return Err(error.clone()),
                    Link::Up { blocked, .. } => *blocked,
                    _ => return Ok(End::Closed),
                };
                if self.next.is_some() && !inner.state.is_waiting() {
                    return Ok(self.next.take().map_or(End::Closed, End::Replaced));
                }
                if std::mem::take(&mut self.rearm) {
                    let due = self.next_timer(&inner, Instant::now()).1;
                    inner.armed = Some(due);
                    timer.as_mut().reset(due);
                }
                blocked
            };
            let full = shared.outbox.is_full();
            tokio::select! {
                biased;
                ready = link.readable(), if !full => {
                    ready?;
                    self.read(link)?;
                }
                () = shared.outbox.room(), if full => {}
                ready = link.writable(), if blocked => {
                    ready?;
                    shared.lock().write(Instant::now(), &shared.metrics);
                }
                () = shared.wake.notified() => {
                    self.rearm = true;
                    shared.lock().write(Instant::now(), &shared.metrics);
                }
                lease = next_lease(&mut replacement), if replacement.is_some() => {
                    replacement = None;
                    self.replace_with(lease);
                }
                () = &mut timer => {
                    self.rearm = true;
                    if self.on_timer(Instant::now())? == Timer::Lifetime {
                        replacement = Some(Box::pin(shared.pool.lane_lease()));
                    }
                }
            }
        }
    }

    /// Reads what the socket holds, for at most [`READS`] turns so that other lanes of the same
    /// thread get theirs.
    fn read(&mut self, link: &Stream) -> Result<()> {
        for _ in 0..READS {
            match self.lease.reader.fill(link) {
                Ok(0) => return Err(self.end_of_stream()),
                Ok(n) => self.shared.metrics.bytes_in.add(n as u64),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(stream::lost(error)),
            }
            while let Some(frames) = self.lease.reader.decode()? {
                self.deliver(frames)?;
            }
            if self.shared.outbox.is_full() {
                break;
            }
        }
        Ok(())
    }

    /// Matches replies with commands and passes them on.
    fn deliver(&mut self, frames: Frames) -> Result<()> {
        let shared = self.shared;
        let now = Instant::now();
        let (mut errors, mut gone, mut held) = (0, 0, 0);
        let mut whose = Vec::with_capacity(frames.replies.len());
        // Latencies are counted by runs: the replies of one batch were submitted together.
        let mut run: Option<(Instant, u64)> = None;
        let mut inner = shared.lock();
        inner.active = now;
        for root in &frames.replies {
            let error = frames.tape.get(*root as usize).filter(|node| is_error(node.kind));
            let refusal = || error.and_then(|node| Refusal::read(frames.text(node)));
            let Some(answer) = inner.state.answer(refusal) else {
                return Err(Error::protocol("the server sent a reply that nobody asked for"));
            };
            errors += u64::from(error.is_some());
            held += u64::from(answer.held);
            gone += u64::from(answer.whose == Whose::NOBODY && !answer.held && !answer.internal);
            if answer.internal {
                self.ping = None;
            }
            match &mut run {
                Some((submitted, count)) if *submitted == answer.submitted => *count += 1,
                other => {
                    let done = other.replace((answer.submitted, 1));
                    record(shared, now, done);
                }
            }
            whose.push(answer.whose);
        }
        record(shared, now, run);
        let drained = inner.state.drained(now, self.refusals, backoff::random());
        match &drained {
            Drained::Nothing if held > 0 => self.refusals = self.refusals.saturating_add(1),
            Drained::Nothing if inner.state.retry_at().is_none() => self.refusals = 0,
            Drained::Reject(_) => {
                inner.write(now, &shared.metrics);
            }
            _ => {}
        }
        self.rearm |= inner.state.retry_at().is_some();
        drop(inner);
        shared.metrics.errors.add(errors);
        shared.metrics.tombstones.add(gone);
        shared.metrics.pushes_ignored.add(frames.pushes.len() as u64);
        if whose.iter().any(|whose| *whose != Whose::NOBODY) {
            shared.outbox.push(Delivery::Replies { frames, whose });
        }
        match drained {
            Drained::Nothing => Ok(()),
            Drained::Reject(failures) => {
                shared.outbox.push(Delivery::Failures(failures));
                Ok(())
            }
            Drained::Reconnect => Err(Error::connection(
                "READONLY",
                "the server has become a read-only replica: connecting anew",
            )),
        }
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
        let is_idle = !state.is_waiting() && self.ping.is_none() && !self.ping_interval.is_zero();
        let idle = is_idle.then_some(idle);
        let dead = match self.ping {
            Some(sent) => Some(sent + PING_BUDGET),
            None => state.overdue_since().map(|since| since + DEAD_PEER),
        };
        let silent = self.shared.options.socket.socket_timeout.filter(|_| state.is_waiting());
        let silent = silent.map(|timeout| inner.active + timeout);
        let timers = [
            (Timer::Deadline, deadline),
            (Timer::Retry, state.retry_at()),
            (Timer::Dead, dead),
            (Timer::Dead, silent),
            (Timer::Ping, idle),
            (Timer::Lifetime, self.expires),
        ];
        let due = timers.into_iter().filter_map(|(timer, at)| Some((timer, at?)));
        let quiet = (Timer::Deadline, now + QUIET);
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
                let ping = Command {
                    id: 0,
                    len: PING.len() as u32,
                    mode: Command::INTERNAL,
                    timeout: 0,
                };
                inner.state.push(Batch::new(Bytes::from_static(PING), vec![ping], now));
                inner.write(now, &shared.metrics);
                self.ping = Some(now);
            }
            Timer::Dead => {
                let text = "the server has not answered for too long: the connection is given up";
                return Err(Error::connection("DEAD_PEER", text).retryable());
            }
            Timer::Lifetime => self.expires = None,
        }
        Ok(timer)
    }

    fn end_of_stream(&self) -> Error {
        let text = match self.lease.reader.is_mid_value() {
            true => "the server closed the connection in the middle of a reply",
            false => "the server closed the connection",
        };
        Error::connection("UNEXPECTED_EOF", text).retryable()
    }
}

async fn next_lease(replacement: &mut Replacement<'_>) -> Result<Lease> {
    match replacement {
        Some(lease) => lease.await,
        None => std::future::pending().await,
    }
}

fn record(shared: &Shared, now: Instant, run: Option<(Instant, u64)>) {
    if let Some((submitted, count)) = run {
        shared.metrics.latency.record(now.saturating_duration_since(submitted), count);
    }
}

/// Whether an encoded command may be written again without harm.
fn is_read_only(encoded: &[u8]) -> bool {
    command::of(encoded).is_some_and(|spec| spec.is_read_only())
}

fn is_error(kind: Resp) -> bool {
    matches!(kind, Resp::Error | Resp::BulkError)
}

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
/// Sixteen reads of up to 256 KiB are about a millisecond of decoding.
const READS: usize = 16;
