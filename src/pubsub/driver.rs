//! Moves the bytes of one of a subscriber's links on tokio: connects when something is wanted, reads,
//! writes, watches the clock, reconnects.
//!
//! Owns the lease. Never decides what is asked of the server: that is `state`; nor of which server:
//! that is `links`, whom it tells when a node does not answer. Invariant: a connection that was subscribed to anything is closed, never lent to somebody else.

use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until, timeout, Instant};

use super::{Budget, Link, Shared, DEADLINE_STEP};
use crate::backoff;
use crate::error::{Error, ErrorClass, Result};
use crate::options::Reconnect;
use crate::outbox::{Delivery, Event};
use crate::pool::Lease;
use crate::resp::Frames;
use crate::stream::{self, Stream};

/// A peer that says nothing for this long although an answer is due is dead or as good as dead
/// (reliability P5: closed within 10 s, less the time that a timer may be late).
const DEAD_PEER: Duration = Duration::from_millis(9_800);
/// How long the PING of a silent connection may take (reliability P5).
const PING_BUDGET: Duration = Duration::from_secs(5);
/// How long a connection without subscriptions is kept: who unsubscribes and subscribes in turn
/// should not pay for a connection each time.
const LINGER: Duration = Duration::from_secs(1);
/// The pause after an error that another attempt cannot mend: as long as the pool's own verdict
/// holds. Subscriptions are wanted for as long as nobody says otherwise, so it is asked again.
const HOPELESS: Duration = Duration::from_secs(1);
/// A connection that served for as long as the longest reconnect delay was a success; one that
/// ends sooner, time and again, must not make a storm of reconnects (reliability P6).
const STABLE: Duration = Duration::from_secs(2);
/// The first delay between such connections, as between failed attempts (reliability P6).
const FLAP_BASE: Duration = Duration::from_millis(50);
/// How long what a dying connection said last is waited for. It is here already, but the runtime
/// may not have noticed yet.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// The look at the clock when nothing is due.
const QUIET: Duration = Duration::from_secs(5);
/// Reads in a row, of up to 256 KiB each: about a millisecond of decoding.
const READS: usize = 16;
/// How long one of several nodes may take to connect before the others are asked for what they have
/// as well.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same once an attempt has failed: the next one is under way, and seldom any better.
const IMPATIENCE: Duration = Duration::from_millis(200);
/// How often somebody is asked where everything is, while a node cannot be connected: a promotion
/// is to be seen within a second (reliability P16).
const LOOK: Duration = Duration::from_millis(400);

/// Runs a link; if its driver panics, that is a bug of ours which must cost no more than the
/// requests under way and a gap.
pub(super) async fn supervise(shared: Arc<Shared>, link: Arc<Link>) {
    loop {
        let driver = tokio::spawn(drive(Arc::clone(&shared), Arc::clone(&link)));
        if driver.await.is_ok() {
            return;
        }
        let text = "a bug in oxidis ended this subscriber's connection; please report it";
        {
            let state = &mut shared.lock().state;
            state.fail_all(&Error::connection("INTERNAL", text));
            state.disconnect(link.id, Instant::now());
        }
        shared.report(Instant::now());
        // The same bytes may come again.
        sleep(HOPELESS).await;
    }
}

/// How the service of one connection ended.
enum End {
    /// Nothing is wanted any more.
    Needless,
    /// With the last instant that it was known to be alive.
    Lost(Error, Instant),
}

async fn drive(shared: Arc<Shared>, link: Arc<Link>) {
    let mut flaps = 0;
    while shared.is_needed(&link).await {
        let Some(lease) = connect(&shared, &link).await else { continue };
        let started = Instant::now();
        let end = Service::new(&shared, &link, lease).run().await;
        let (error, since) = match end {
            End::Needless => {
                shared.lock().state.disconnect(link.id, Instant::now());
                shared.report(Instant::now());
                continue;
            }
            End::Lost(error, since) => (error, since),
        };
        shared.lose(&link, &error, since);
        flaps = if started.elapsed() < STABLE { flaps + 1 } else { 0 };
        let is_flapping = flaps > 1 && !link.is_last_resort;
        if is_flapping || error.code() == "DEAD_PEER" {
            shared.evict(&link);
        }
        if flaps > 1 {
            let delay = backoff::full_jitter(FLAP_BASE, STABLE, flaps - 2, backoff::random());
            shared.keep_time(&link, sleep(delay)).await;
        }
    }
}

/// Makes a connection; None if it is not needed any more, or could not be made.
async fn connect(shared: &Arc<Shared>, link: &Link) -> Option<Lease> {
    let lease = async {
        match shared.budget {
            Budget::Subscribers => link.pool.subscriber_lease().await,
            Budget::Sessions => link.pool.acquire().await,
        }
    };
    match shared.keep_time(link, shared.impatiently(link, lease)).await? {
        Ok(lease) => Some(lease),
        Err(error) if shared.nodes.is_some() && error.kind() == ErrorClass::Closed => {
            shared.forget(link);
            None
        }
        Err(error) => {
            {
                let state = &mut shared.lock().state;
                let names = state.at(link.id);
                state.fail_those(&names, &error);
            }
            shared.report(Instant::now());
            if !link.is_last_resort {
                shared.evict(link);
            }
            // A new request gets its answer at once.
            let _ = timeout(HOPELESS, link.wake.notified()).await;
            shared.evict(link);
            None
        }
    }
}

impl Shared {
    /// Waits until something is wanted; false once the subscriber, or the link, is no more.
    async fn is_needed(&self, link: &Link) -> bool {
        loop {
            {
                let inner = self.lock();
                if inner.closed.is_some() || !inner.links.has(link.id) {
                    return false;
                }
                if inner.state.is_wanted(link.id) {
                    return true;
                }
            }
            if self.retire(link) {
                return false;
            }
            link.wake.notified().await;
        }
    }

    /// Awaits `future` while deadlines go on passing. None as soon as nothing is wanted.
    async fn keep_time<T>(&self, link: &Link, future: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(future);
        loop {
            let until = {
                let inner = self.lock();
                if !inner.state.is_wanted(link.id) {
                    return None;
                }
                let now = Instant::now();
                inner.state.next_deadline().unwrap_or(now + QUIET).max(now + DEADLINE_STEP)
            };
            tokio::select! {
                biased;
                done = &mut future => return Some(done),
                () = link.wake.notified() => {}
                () = sleep_until(until) => self.expire(Instant::now()),
            }
        }
    }

    /// Awaits a connection to one of several nodes. When that takes long, everything that can be
    /// had elsewhere is, and news of the rest are looked for.
    async fn impatiently<T>(self: &Arc<Self>, link: &Link, lease: impl Future<Output = T>) -> T {
        let Some(nodes) = &self.nodes else { return lease.await };
        tokio::pin!(lease);
        let code = || link.pool.last_error().map(|error| error.code().to_owned());
        // The loss of the connection before is no attempt.
        let before = code();
        let started = Instant::now();
        let mut looked = started;
        loop {
            tokio::select! {
                biased;
                done = &mut lease => return done,
                () = sleep(IMPATIENCE) => {}
            }
            let patience = match link.is_last_resort {
                true => self.options.socket.connect_timeout,
                false if code().is_some_and(|code| Some(code) != before) => IMPATIENCE,
                false => PATIENCE,
            };
            if started.elapsed() < patience {
                continue;
            }
            if looked.elapsed() >= LOOK || looked == started {
                looked = Instant::now();
                nodes.look();
            }
            self.evict(link);
        }
    }

    /// The connection is gone: what is wanted waits for the next one.
    fn lose(self: &Arc<Self>, link: &Link, error: &Error, since: Instant) {
        let is_wanted = {
            let mut inner = self.lock();
            inner.state.disconnect(link.id, since);
            inner.state.is_wanted(link.id)
        };
        self.report(Instant::now());
        if !is_wanted {
            return;
        }
        link.pool.lost(error);
        if let Some(nodes) = &self.nodes {
            nodes.look();
        }
        if self.options.reconnect == Reconnect::Never {
            self.close(error);
            self.outbox.push(Delivery::Event(Event::Stopped(error.clone())));
        }
    }
}

/// The service of one connection.
struct Service<'a> {
    shared: &'a Arc<Shared>,
    link: &'a Link,
    lease: Lease,
    /// Encoded and not written yet, from `written` on.
    out: Vec<u8>,
    written: usize,
    /// Whether all that was written is with the kernel (TLS keeps some for itself).
    is_flushed: bool,
    /// When the last byte came.
    heard: Instant,
    /// Since when nothing is wanted.
    needless: Option<Instant>,
    ping_interval: Duration,
}

/// What the driver has to look at when its timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timer {
    /// When to fail requests whose deadline has passed.
    Deadline,
    /// When to ask a silent connection for a sign of life.
    Ping,
    /// When to give up on a peer that does not answer.
    Dead,
    /// When to close a connection that nobody needs.
    Linger,
}

impl<'a> Service<'a> {
    fn new(shared: &'a Arc<Shared>, link: &'a Link, lease: Lease) -> Self {
        // Spread by a tenth, so that the subscribers of many processes do not ping together.
        let ping_interval = backoff::spread(shared.options.ping_interval, 0.1, backoff::random());
        let heard = Instant::now();
        Self {
            shared,
            link,
            lease,
            out: Vec::new(),
            written: 0,
            is_flushed: true,
            heard,
            needless: None,
            ping_interval,
        }
    }

    async fn run(mut self) -> End {
        // However this ends, even by a panic, nobody else may get the connection afterwards.
        self.lease.mark_broken();
        // A session may have had it before, and its stream detached.
        if let Err(error) = self.lease.attach() {
            return End::Lost(error, Instant::now());
        }
        self.shared.lock().state.connect(self.link.id);
        match self.serve().await {
            Ok(()) => End::Needless,
            Err(error) => {
                // Silence has lasted since the last byte; any other end is noticed at once.
                let is_silent = error.code() == "DEAD_PEER";
                End::Lost(error, if is_silent { self.heard } else { Instant::now() })
            }
        }
    }

    async fn serve(&mut self) -> Result<()> {
        let link = self.link;
        let stream = Arc::clone(&self.lease.stream);
        let mut timer = std::pin::pin!(sleep_until(Instant::now()));
        loop {
            if !self.fill() {
                return Ok(());
            }
            if let Err(error) = self.write(&stream) {
                let _ = timeout(LAST_WORDS, self.hear_out(&stream)).await;
                return Err(error);
            }
            let now = Instant::now();
            let due = self.next_timer(now).1;
            if due < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(due);
            }
            tokio::select! {
                biased;
                ready = stream.readable() => {
                    ready?;
                    let is_drained = self.read(&stream)?;
                    if timer.deadline() <= Instant::now() && self.on_timer()? {
                        return Ok(());
                    }
                    if !is_drained {
                        // A server that never stops talking must not keep others from their turn.
                        tokio::task::yield_now().await;
                    }
                }
                ready = stream.writable(), if !self.is_flushed => ready?,
                () = link.wake.notified() => {}
                () = &mut timer => if self.on_timer()? {
                    return Ok(());
                }
            }
        }
    }

    /// Encodes what is to be asked, once everything before is written. False if the connection is
    /// to be closed.
    fn fill(&mut self) -> bool {
        let mut inner = self.shared.lock();
        if inner.closed.is_some() || inner.state.is_over() || !inner.links.has(self.link.id) {
            return false;
        }
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
            inner.state.encode(self.link.id, &mut self.out, Instant::now());
        }
        match inner.state.is_wanted(self.link.id) {
            true => self.needless = None,
            false => _ = self.needless.get_or_insert_with(Instant::now),
        }
        true
    }

    /// Writes what the socket takes.
    fn write(&mut self, stream: &Stream) -> Result<()> {
        self.is_flushed = false;
        while let Some(unwritten) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match stream.try_write(unwritten) {
                Ok(length) => {
                    self.written += length;
                    self.shared.metrics.bytes_out.add(length as u64);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(stream::lost(error)),
            }
        }
        self.is_flushed = stream.try_flush().map_err(stream::lost)?;
        Ok(())
    }

    /// Reads what the socket holds; true once it is empty.
    fn read(&mut self, stream: &Stream) -> Result<bool> {
        for _ in 0..READS {
            match self.lease.reader.fill(stream) {
                Ok(0) => {
                    let text = "the server closed the connection";
                    return Err(Error::connection("UNEXPECTED_EOF", text).retryable());
                }
                Ok(length) => self.shared.metrics.bytes_in.add(length as u64),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(stream::lost(error)),
            }
            self.heard = Instant::now();
            while let Some(frames) = self.lease.reader.decode()? {
                self.hear(frames)?;
            }
        }
        Ok(false)
    }

    fn hear(&self, frames: Frames) -> Result<()> {
        let shared = self.shared;
        let received = shared.lock().state.receive(self.link.id, &frames, self.heard);
        shared.metrics.pushes_ignored.add(received.ignored);
        if !received.rows.is_empty() && shared.backlog.push(frames, received.rows) {
            shared.outbox.push(Delivery::Messages(Arc::clone(&shared.backlog)));
        }
        if let Some(nodes) = shared.nodes.as_ref().filter(|_| received.is_astray) {
            for (slot, error) in &received.redirects {
                self.link.redirected(&**nodes, *slot, error);
            }
            nodes.look();
            shared.arrange();
        }
        shared.report(self.heard);
        received.breach.map_or(Ok(()), Err)
    }

    /// Reads to the end: messages that came before the connection broke are valid.
    async fn hear_out(&mut self, stream: &Stream) -> Result<()> {
        loop {
            stream.readable().await?;
            self.read(stream)?;
        }
    }

    fn next_timer(&self, now: Instant) -> (Timer, Instant) {
        let inner = self.shared.lock();
        let deadline = inner.state.next_deadline().map(|at| at.max(now + DEADLINE_STEP));
        let oldest = inner.state.oldest(self.link.id);
        // Messages are a sign of life, and an answer may have to wait for its turn behind them.
        let dead = oldest.map(|(asked, is_ping)| {
            let budget = if is_ping { PING_BUDGET } else { DEAD_PEER };
            let budget = self.shared.options.socket.socket_timeout.unwrap_or(budget).min(budget);
            asked.max(self.heard) + budget
        });
        let is_quiet = oldest.is_none() && !self.ping_interval.is_zero();
        let ping = is_quiet.then(|| self.heard + self.ping_interval);
        let linger = self.needless.filter(|_| oldest.is_none()).map(|since| since + LINGER);
        let timers = [
            (Timer::Deadline, deadline),
            (Timer::Dead, dead),
            (Timer::Ping, ping),
            (Timer::Linger, linger),
        ];
        let due = timers.into_iter().filter_map(|(timer, at)| Some((timer, at?)));
        let quiet = (Timer::Deadline, now + QUIET);
        due.chain([quiet]).min_by_key(|(_, at)| *at).unwrap_or(quiet)
    }

    /// Does what is due; true if the connection is to be closed.
    fn on_timer(&mut self) -> Result<bool> {
        let now = Instant::now();
        self.shared.expire(now);
        // Bytes may have moved the timer on since it was set.
        let (timer, at) = self.next_timer(now);
        if at > now {
            return Ok(false);
        }
        match timer {
            Timer::Deadline => {}
            Timer::Ping => self.shared.lock().state.ping(self.link.id, &mut self.out, now),
            Timer::Dead => {
                let text = "the server has not answered for too long: the connection is given up";
                return Err(Error::new(ErrorClass::Connection, "DEAD_PEER", text).retryable());
            }
            Timer::Linger => return Ok(true),
        }
        Ok(false)
    }
}
