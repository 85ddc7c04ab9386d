//! The driver's work on one connection: it asks for what is wanted, reads messages, keeps the
//! clock.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{sleep_until, timeout, Instant};

use super::super::feeds::Feed;
use super::super::hub::Hub;
use super::FeedEnd;
use crate::backoff;
use crate::connection::bounds::LAST_WORDS;
use crate::connection::Budget;
use crate::error::{Error, Result};
use crate::outbox::Delivery;
use crate::pool::Lease;
use crate::resp::Frames;
use crate::stream::{self, Stream};

/// The driver's work on one connection of a subscriber.
pub(super) struct SubscriberDriver<'a> {
    pub(super) hub: &'a Arc<Hub>,
    pub(super) feed: &'a Feed,
    lease: Lease,
    /// Encoded bytes; those from `written` on are not written yet.
    pub(super) out: Vec<u8>,
    written: usize,
    /// Whether the kernel has all that was written (TLS keeps some for itself).
    is_flushed: bool,
    /// When the last byte came.
    pub(super) heard: Instant,
    /// Since when nothing is wanted.
    pub(super) needless: Option<Instant>,
    pub(super) ping_interval: Duration,
    /// The number of the credentials with which the connection is logged in.
    login: u32,
}

impl<'a> SubscriberDriver<'a> {
    pub(super) fn new(hub: &'a Arc<Hub>, feed: &'a Feed, lease: Lease) -> Self {
        // Spread by a tenth, so that the subscribers of many processes do not ping together.
        let ping_interval = backoff::spread(hub.options.ping_interval, 0.1, backoff::random());
        Self {
            hub,
            feed,
            lease,
            out: Vec::new(),
            written: 0,
            is_flushed: true,
            heard: Instant::now(),
            needless: None,
            ping_interval,
            login: hub.lock().login.0,
        }
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self) -> FeedEnd {
        // However this ends, even by a panic, nobody else may get the connection afterwards.
        self.lease.mark_broken();
        // A session may have used the connection before, and its stream may still be detached.
        if let Err(error) = self.lease.attach() {
            return FeedEnd::Lost(error);
        }
        self.hub.lock().ledger.connect(self.feed.id, Instant::now());
        match self.serve().await {
            Ok(()) => FeedEnd::Needless,
            Err(error) => FeedEnd::Lost(error),
        }
    }

    async fn serve(&mut self) -> Result<()> {
        let feed = self.feed;
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
                        // Other tasks have to run even if the server never stops sending.
                        yield_now().await;
                    }
                }
                ready = stream.writable(), if !self.is_flushed => ready?,
                () = feed.wake.notified() => {}
                () = &mut timer => if self.on_timer()? {
                    return Ok(());
                }
            }
        }
    }

    /// Encodes what is to be asked, once everything before it is written. False if the connection
    /// is to be closed.
    fn fill(&mut self) -> bool {
        let mut coverage = self.hub.lock();
        let id = self.feed.id;
        if coverage.closed.is_some() || coverage.ledger.is_over() || !coverage.feeds.has(id) {
            return false;
        }
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
            if coverage.login.0 != self.login {
                self.login = coverage.login.0;
                if self.lease.info.proto == 3 {
                    self.out.extend_from_slice(&coverage.login.1);
                }
            }
            coverage.ledger.encode(id, &mut self.out, Instant::now());
        }
        match coverage.ledger.is_wanted(id) {
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
                    self.hub.metrics.bytes_out.add(length as u64);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(stream::lost(error)),
            }
        }
        self.is_flushed = stream.try_flush().map_err(stream::lost)?;
        Ok(())
    }

    /// Reads what the socket holds, for one turn; true once it is empty.
    fn read(&mut self, stream: &Stream) -> Result<bool> {
        let mut budget = Budget::DRIVER;
        while !budget.is_spent() {
            match self.lease.reader.fill(stream) {
                Ok(0) => {
                    let text = "the server closed the connection";
                    return Err(Error::connection("UNEXPECTED_EOF", text).retryable());
                }
                Ok(length) => self.hub.metrics.bytes_in.add(length as u64),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(stream::lost(error)),
            }
            self.heard = Instant::now();
            while let Some(frames) = self.lease.reader.decode()? {
                self.hear(frames)?;
            }
            self.lease.reader.charge(&mut budget);
        }
        Ok(false)
    }

    fn hear(&self, frames: Frames) -> Result<()> {
        let hub = self.hub;
        let received = hub.lock().ledger.receive(self.feed.id, &frames, self.heard);
        hub.metrics.pushes_ignored.add(received.ignored);
        if !received.rows.is_empty() && hub.backlog.push(frames, received.rows) {
            hub.outbox.push(Delivery::Messages(Arc::clone(&hub.backlog)));
        }
        if let Some(nodes) = hub.nodes.as_ref().filter(|_| received.is_astray) {
            for (slot, error) in &received.redirects {
                self.feed.redirected(&**nodes, *slot, error);
            }
            nodes.look();
            hub.arrange();
        }
        hub.compare(self.feed, &received.slots);
        hub.report(self.heard);
        received.breach.map_or(Ok(()), Err)
    }

    /// Reads to the end of the stream: messages that came before the connection broke are valid.
    async fn hear_out(&mut self, stream: &Stream) -> Result<()> {
        loop {
            stream.readable().await?;
            if !self.read(stream)? {
                yield_now().await;
            }
        }
    }
}
