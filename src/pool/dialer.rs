//! How a connection is made: one attempt after the other until one succeeds, as the reconnect
//! strategy says.
//!
//! Owns what all attempts at one node share: the count of failures, the last error, and whether
//! attempts have halted. It never decides about commands.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::halt::{closed_error, Halt};
use super::lease::Pooled;
use super::Questions;
use crate::backoff;
use crate::connection::{Connection, Credentials};
use crate::error::{Error, Result};
use crate::error_replies::{ErrorReply, Reason};
use crate::metrics::Metrics;
use crate::options::{ClientOptions, Protocol, Reconnect};
use crate::outbox::{Event, Outboxes};
use crate::stream;

/// Makes the connections to one node.
pub(super) struct Dialer {
    pub(super) options: Arc<ClientOptions>,
    pub(super) metrics: Arc<Metrics>,
    tls: Option<Arc<rustls::ClientConfig>>,
    questions: Arc<Questions>,
    outboxes: Arc<Outboxes>,
    pub(super) halt: Halt,
    attempts: Semaphore,
    history: Mutex<History>,
    /// Whether the server does not know HELLO. Sending it again would cost each connection a round
    /// trip. Forgotten when an attempt fails, because the next server may be another one.
    is_resp2: AtomicBool,
    /// The database that new connections select.
    database: AtomicU32,
}

impl Dialer {
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
            halt: Halt::new(),
            attempts: Semaphore::new(ATTEMPTS),
            history: Mutex::default(),
            is_resp2: AtomicBool::new(false),
            database: AtomicU32::new(database),
        })
    }

    /// The last error of an attempt, or of a lost connection, since the last success.
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

    /// Notes that an established connection was lost.
    pub(super) fn lost(&self, error: &Error) {
        self.metrics.lost.add(1);
        self.history().last = Some(error.clone());
        self.tell(error);
    }

    /// Notes why a connection that stands cannot be used yet, or with None that it can.
    pub(super) fn note(&self, error: Option<Error>) {
        self.history().last = error;
    }

    /// Makes one connection, however many attempts it takes.
    ///
    /// # Errors
    ///
    /// A fatal error, or the last one if the reconnect strategy stops; `CLOSED`.
    pub(super) async fn connect(&self) -> Result<Pooled> {
        let mut halt = self.halt.watch();
        tokio::select! {
            biased;
            error = halt.closed() => Err(error),
            made = self.keep_trying() => made,
        }
    }

    async fn keep_trying(&self) -> Result<Pooled> {
        loop {
            let error = {
                let Ok(_attempt) = self.attempts.acquire().await else {
                    return Err(closed_error());
                };
                // Another attempt may have met a fatal error while this one waited for its permit.
                if let Some(error) = self.halt.hopeless() {
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

    /// Makes one attempt.
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
        let connection = match Connection::open(&options, tls, credentials.clone()).await {
            // A server that waits for a script refuses SELECT. In the database in which every
            // connection begins, the script can be ended.
            Err(error) if options.database != 0 && is_script_running(&error) => {
                options.to_mut().database = 0;
                Connection::open(&options, tls, credentials).await?
            }
            opened => opened?,
        };
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
        self.halt.lift();
        self.metrics.connects.add(1);
    }

    /// Notes that an attempt has failed. Returns how many in a row have.
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

    /// Tells the application.
    fn tell(&self, error: &Error) {
        let address = self.options.endpoint.to_string();
        self.outboxes.tell(Event::Error(error.clone(), Some(address)));
    }

    /// Halts attempts for `error`.
    fn give_up(&self, error: Error) -> Error {
        self.halt.give_up(error.clone(), Instant::now() + HOPELESS);
        error
    }

    /// How long to wait after this number of failures in a row; `None` to stop.
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
        // The two fields are independent, so no panic can leave them out of step.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a step of the handshake was refused because the server waits for a script to end.
fn is_script_running(error: &Error) -> bool {
    let reply = error.cause().and_then(|cause| ErrorReply::of(cause.code().as_bytes()));
    reply.is_some_and(|reply| reply.reason == Reason::ScriptRunning)
}

/// What the attempts so far have come to.
#[derive(Debug, Default)]
struct History {
    /// Attempts in a row that have failed.
    failures: u32,
    /// The last error since the last success.
    last: Option<Error>,
}

/// Connection attempts at one node at the same time. More would only hit a recovering server harder.
const ATTEMPTS: usize = 8;
/// After a fatal error, callers get that error for this long before the next attempt is made. So a
/// wrong password does not become a storm of logins, and a password that was corrected is used
/// within a second.
const HOPELESS: Duration = Duration::from_secs(1);
