//! How a connection is made: one attempt after the other until one succeeds, as the reconnect
//! strategy says.
//!
//! Owns what all attempts at one node share: the count of failures, the last error, the verdict
//! that trying is hopeless. Never decides about commands.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{watch, Semaphore};
use tokio::time::Instant;

use crate::backoff;
use crate::connection::{Connection, Credentials};
use crate::error::{Applied, Error, ErrorClass, Result};
use crate::metrics::Metrics;
use crate::options::{ClientOptions, Protocol, Reconnect};
use crate::outbox::{Event, Outboxes};
use crate::stream;

use super::{Pooled, Questions};

/// Connection attempts at one node at the same time (reliability P6). More would only hit a
/// recovering server harder.
const ATTEMPTS: usize = 8;
/// After an error that trying again cannot mend, callers get that error for this long before the
/// next attempt, so that a wrong password does not become a storm (reliability, scenario 28).
const HOPELESS: Duration = Duration::from_secs(1);

/// What the attempts at one node share.
pub(super) struct Node {
    pub(super) options: Arc<ClientOptions>,
    pub(super) metrics: Arc<Metrics>,
    tls: Option<Arc<rustls::ClientConfig>>,
    questions: Arc<Questions>,
    outboxes: Arc<Outboxes>,
    attempts: Semaphore,
    history: Mutex<History>,
    verdict: watch::Sender<Option<Verdict>>,
    /// Whether the server turned out not to know HELLO: asking again would cost each connection
    /// a round trip. Forgotten when an attempt fails, for then the server may be another one.
    is_resp2: AtomicBool,
    /// The database that commands are to find.
    database: AtomicU32,
}

#[derive(Debug, Default)]
struct History {
    failures: u32,
    last: Option<Error>,
}

#[derive(Debug, Clone)]
enum Verdict {
    /// No attempt can succeed until something is changed; asked again after the instant.
    Hopeless(Error, Instant),
    Closed(Error),
}

impl Node {
    pub(super) fn new(
        options: Arc<ClientOptions>,
        questions: Arc<Questions>,
        outboxes: Arc<Outboxes>,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let database = options.database;
        Ok(Self {
            tls: options.tls.as_ref().map(stream::tls_config).transpose()?,
            options,
            metrics,
            questions,
            outboxes,
            attempts: Semaphore::new(ATTEMPTS),
            history: Mutex::default(),
            verdict: watch::Sender::new(None),
            is_resp2: AtomicBool::new(false),
            database: AtomicU32::new(database),
        })
    }

    pub(super) fn verdict(&self) -> Watch<'_> {
        Watch { node: self, verdict: self.verdict.subscribe() }
    }

    pub(super) fn last_error(&self) -> Option<Error> {
        self.history().last.clone()
    }

    /// The last error, if at least `times` attempts in a row have failed.
    pub(super) fn failed_times(&self, times: u32) -> Option<Error> {
        let history = self.history();
        if history.failures >= times {
            history.last.clone()
        } else {
            None
        }
    }

    pub(super) fn lost(&self, error: &Error) {
        self.metrics.lost.add(1);
        self.history().last = Some(error.clone());
        self.tell(error);
    }

    pub(super) fn close(&self) {
        self.verdict.send_replace(Some(Verdict::Closed(self.closed_error())));
    }

    fn is_closed(&self) -> bool {
        matches!(*self.verdict.borrow(), Some(Verdict::Closed(_)))
    }

    /// The verdict that trying is hopeless, while it is fresh.
    fn hopeless(&self) -> Option<Error> {
        match &*self.verdict.borrow() {
            Some(Verdict::Hopeless(error, until)) if Instant::now() < *until => Some(error.clone()),
            _ => None,
        }
    }

    pub(super) fn closed_error(&self) -> Error {
        Error::new(ErrorClass::Closed, "CLOSED", "the client is closed").with_applied(Applied::No)
    }

    /// Makes one connection, however many attempts it takes.
    async fn connect(&self) -> Result<Pooled> {
        let mut verdict = self.verdict();
        tokio::select! {
            biased;
            error = verdict.closed() => Err(error),
            made = self.keep_trying() => made,
        }
    }

    async fn keep_trying(&self) -> Result<Pooled> {
        loop {
            let error = {
                let Ok(_attempt) = self.attempts.acquire().await else {
                    return Err(self.closed_error());
                };
                // Another attempt may have got the verdict while this one waited for its turn.
                if let Some(error) = self.hopeless() {
                    return Err(error);
                }
                match self.attempt().await {
                    Ok(connection) => {
                        self.succeeded();
                        return Ok(Pooled::new(connection, self.options.pool.max_lifetime));
                    }
                    Err(error) => error,
                }
            };
            let failures = self.failed(&error);
            if error.is_fatal() {
                return Err(self.give_up(error));
            }
            match self.delay(failures, &error).await {
                Some(delay) => {
                    self.outboxes.tell(Event::Reconnecting(failures));
                    tokio::time::sleep(delay).await;
                }
                None => {
                    let stopped = error.fatal();
                    self.outboxes.tell(Event::Stopped(stopped.clone()));
                    return Err(self.give_up(stopped));
                }
            }
        }
    }

    async fn attempt(&self) -> Result<Connection> {
        let credentials = match self.options.ask_credentials {
            true => self.questions.credentials(self.options.socket.connect_timeout).await?,
            false => Credentials::from(&*self.options),
        };
        let tls = self.tls.as_ref();
        let (is_resp2, database) = (self.is_resp2.load(Ordering::Relaxed), self.database());
        let mut options = Cow::Borrowed(&*self.options);
        if is_resp2 || database != options.database {
            let changed = options.to_mut();
            changed.database = database;
            if is_resp2 {
                changed.protocol = Protocol::Resp2;
            }
        }
        let connection = Connection::open(&options, tls, credentials).await?;
        if is_resp2 {
            return Ok(connection);
        }
        self.is_resp2.store(connection.info.proto == 2, Ordering::Relaxed);
        Ok(connection)
    }

    pub(super) fn database(&self) -> u32 {
        self.database.load(Ordering::Acquire)
    }

    pub(super) fn select(&self, database: u32) {
        self.database.store(database, Ordering::Release);
    }

    fn succeeded(&self) {
        *self.history() = History::default();
        self.verdict.send_if_modified(|verdict| {
            let lifted = matches!(verdict, Some(Verdict::Hopeless(..)));
            if lifted {
                *verdict = None;
            }
            lifted
        });
        self.metrics.connects.add(1);
    }

    fn failed(&self, error: &Error) -> u32 {
        self.metrics.connect_failures.add(1);
        self.is_resp2.store(false, Ordering::Relaxed);
        let failures = {
            let mut history = self.history();
            history.failures = history.failures.saturating_add(1);
            history.last = Some(error.clone());
            history.failures
        };
        self.tell(error);
        failures
    }

    fn tell(&self, error: &Error) {
        let address = self.options.endpoint.to_string();
        self.outboxes.tell(Event::Error(error.clone(), Some(address)));
    }

    fn give_up(&self, error: Error) -> Error {
        let until = Instant::now() + HOPELESS;
        self.verdict.send_if_modified(|verdict| {
            let open = !matches!(verdict, Some(Verdict::Closed(_)));
            if open {
                *verdict = Some(Verdict::Hopeless(error.clone(), until));
            }
            open
        });
        error
    }

    /// How long to wait after the `failures`-th failure in a row; None to stop.
    async fn delay(&self, failures: u32, error: &Error) -> Option<Duration> {
        match self.options.reconnect {
            Reconnect::Never => None,
            Reconnect::Fixed(delay) => Some(delay),
            Reconnect::Backoff { base, cap } => {
                Some(backoff::full_jitter(base, cap, failures - 1, backoff::random()))
            }
            // node-redis counts retries from 0.
            Reconnect::Ask => self.questions.delay(failures - 1, error).await,
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        // Two independent fields: no panic can leave them half-changed.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the news that waiting is useless.
pub(super) struct Watch<'a> {
    node: &'a Node,
    verdict: watch::Receiver<Option<Verdict>>,
}

impl Watch<'_> {
    /// Ends when no attempt can succeed, or the pool is closed.
    pub(super) async fn hopeless(&mut self) -> Error {
        // A verdict that comes while waiting counts however late it is noticed.
        let mut is_news = false;
        loop {
            let verdict = self.verdict.borrow_and_update().clone();
            match verdict {
                Some(Verdict::Closed(error)) => return error,
                Some(Verdict::Hopeless(error, until)) if is_news || Instant::now() < until => {
                    return error;
                }
                _ => {}
            }
            is_news = true;
            if self.verdict.changed().await.is_err() {
                return self.node.closed_error();
            }
        }
    }

    async fn closed(&mut self) -> Error {
        loop {
            if let Some(Verdict::Closed(error)) = self.verdict.borrow_and_update().clone() {
                return error;
            }
            if self.verdict.changed().await.is_err() {
                return self.node.closed_error();
            }
        }
    }
}

/// The bb8 side of a node.
pub struct Manager {
    node: Arc<Node>,
}

impl Manager {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }
}

impl bb8::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Error;

    async fn connect(&self) -> Result<Pooled> {
        self.node.connect().await
    }

    async fn is_valid(&self, pooled: &mut Pooled) -> Result<()> {
        pooled.ping(super::VALIDATION).await
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        // bb8 asks when a lease comes back.
        pooled.touch();
        pooled.is_broken() || pooled.is_expired() || self.node.is_closed()
    }
}
