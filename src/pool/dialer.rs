//! How a connection is made: one attempt after the other until one succeeds, as the reconnect
//! strategy says.
//!
//! Owns what all attempts at one node share: the count of failures, the last error, and whether
//! attempts have halted. It never decides about commands.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::doubts::Doubts;
use super::halt::{closed_error, Halt};
use super::lease::Pooled;
use super::questions::{Questions, Strategy};
use super::standing::Standing;
use crate::backoff;
use crate::command;
use crate::connection::{out_of_time, Connection, Credentials, Judge, Manner, Opening};
use crate::error::{Error, ErrorClass, Result};
use crate::error_replies::{ErrorReply, Reason};
use crate::metrics::Metrics;
use crate::options::{ClientOptions, Endpoint, Family, Reconnect};
use crate::outbox::{Event, Identity, Name, Outboxes};
use crate::resp::encode;
use crate::stream::{self, AddressBook, Progress, ServerAddress};

/// Makes the connections to one node.
pub(super) struct Dialer {
    pub(super) options: Arc<ClientOptions>,
    pub(super) metrics: Arc<Metrics>,
    tls: Option<Arc<rustls::ClientConfig>>,
    questions: Arc<Questions>,
    outboxes: Arc<Outboxes>,
    pub(super) halt: Halt,
    attempts: Semaphore,
    /// Held from an attempt to the next one while the server is away.
    turn: tokio::sync::Mutex<()>,
    pub(super) doubts: Doubts,
    history: Mutex<History>,
    /// What the server takes of the handshake. Asking for more would cost each connection a round
    /// trip, or another connection.
    manner: Mutex<Option<Known>>,
    /// What is known of the name's addresses.
    pub(super) book: AddressBook,
    /// What stands for the operating system's resolver.
    pub(super) lookup: OnceLock<Lookup>,
    /// The database that new connections select.
    database: AtomicU32,
    /// What commands of the application have changed.
    standing: Mutex<Standing>,
    /// How far the attempt that began last has come, while it is under way.
    progress: Mutex<Weak<Progress>>,
}

impl Dialer {
    pub(super) fn new(
        options: Arc<ClientOptions>,
        tls: Option<Arc<rustls::ClientConfig>>,
        questions: Arc<Questions>,
        outboxes: Arc<Outboxes>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let database = options.database;
        Self {
            tls,
            options,
            metrics,
            questions,
            outboxes,
            halt: Halt::new(),
            attempts: Semaphore::new(ATTEMPTS),
            turn: tokio::sync::Mutex::default(),
            doubts: Doubts::new(),
            history: Mutex::default(),
            manner: Mutex::default(),
            book: AddressBook::default(),
            lookup: OnceLock::new(),
            database: AtomicU32::new(database),
            standing: Mutex::default(),
            progress: Mutex::default(),
        }
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

    /// Notes that an established connection was lost. A server that ends takes all connections with
    /// it: the application is told of the first one.
    pub(super) fn lost(&self, error: &Error) {
        self.metrics.lost.add(1);
        let now = Instant::now();
        let is_news = {
            let mut history = self.history();
            history.last = Some(error.clone());
            // While attempts fail, the outage that was told of goes on.
            let is_over = history.failures == 0;
            let is_news = history.down.is_none_or(|since| is_over && now - since > ONE_LOSS);
            if is_news {
                history.down = Some(now);
            }
            is_news
        };
        if is_news {
            self.tell(error);
        }
    }

    /// Notes why a connection that stands cannot be used yet, or with None that it can.
    pub(super) fn note(&self, error: Option<Error>) {
        self.history().last = error;
    }

    /// The server has told over a connection of `generation` that it is a replica.
    pub(super) fn suspect(&self, generation: u32) {
        if self.doubts.end(generation, Instant::now(), backoff::random()) {
            // The name may lead to another server by now.
            self.forget_manner();
        }
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
            tokio::time::sleep_until(self.doubts.begins()).await;
            // While the server is away, one tries for all: the application is asked and told once.
            let mut turn = None;
            if self.is_down() {
                turn = Some(self.turn.lock().await);
            }
            if !self.is_down() {
                turn = None;
            }
            let error = {
                let Ok(_attempt) = self.attempts.acquire().await else {
                    return Err(closed_error());
                };
                // Another attempt may have met a fatal error while this one waited for its permit.
                if let Some(error) = self.halt.hopeless() {
                    return Err(error);
                }
                // The name is looked up after this, so that what is found is of this generation.
                let generation = self.doubts.generation();
                // Read first, so that what changes meanwhile makes it a connection of the past.
                let standing = self.standing().clone();
                let since = Instant::now();
                match self.attempt(&standing).await {
                    Ok(mut connection) => {
                        connection.took = since.elapsed();
                        self.succeeded();
                        let (lifetime, current) =
                            (self.options.pool.max_lifetime, self.doubts.current());
                        let epoch = standing.epoch();
                        return Ok(Pooled::new(connection, lifetime, generation, epoch, current));
                    }
                    Err(error) => error,
                }
            };
            let failures = self.failed(&error);
            if error.is_fatal() {
                return Err(self.give_up(error));
            }
            match self.delay(failures, &error).await {
                Ok(delay) => {
                    self.outboxes.tell(Event::Reconnecting(failures));
                    tokio::time::sleep(delay).await;
                }
                Err(reason) => {
                    let stopped = match reason {
                        Some(reason) => reason.with_cause(error).fatal(),
                        None => error.fatal(),
                    };
                    self.outboxes.tell(Event::Stopped(stopped.clone()));
                    return Err(self.give_up(stopped));
                }
            }
            drop(turn);
        }
    }

    /// Whether connections are lost or cannot be made at the moment, as far as is known.
    fn is_down(&self) -> bool {
        let history = self.history();
        history.failures > 0 || history.down.is_some()
    }

    /// Makes one attempt.
    async fn attempt(&self, standing: &Standing) -> Result<Connection> {
        let mut credentials = match self.options.ask_credentials {
            true => self.questions.credentials(self.options.socket.connect_timeout).await?,
            false => Credentials::from(&*self.options),
        };
        let database = self.database();
        let mut options = Cow::Borrowed(&*self.options);
        if database != options.database {
            options.to_mut().database = database;
        }
        if !standing.is_empty() {
            standing.apply(options.to_mut(), &mut credentials);
        }
        let known = *self.known();
        let manner = known.filter(|known| Instant::now() < known.until).map(|known| known.manner);
        let connection = match self.open(&options, credentials.clone(), manner).await {
            // A server that waits for a script refuses SELECT. In the database in which every
            // connection begins, the script can be ended.
            Err(error) if options.database != 0 && is_script_running(&error) => {
                options.to_mut().database = 0;
                self.open(&options, credentials, manner).await?
            }
            opened => opened?,
        };
        if manner != Some(connection.manner) {
            let until = Instant::now() + MANNER_KEPT;
            *self.known() = Some(Known { manner: connection.manner, until });
        }
        Ok(connection)
    }

    /// Opens a connection to a server that takes `manner`.
    async fn open(
        &self,
        options: &ClientOptions,
        credentials: Credentials,
        manner: Option<Manner>,
    ) -> Result<Connection> {
        let (tls, book) = (self.tls.as_ref(), &self.book);
        let function = options.tls.as_ref().and_then(|tls| tls.ask_identity);
        let judge = function.map(|function| self.judge(function, options));
        let opening = Opening { options, tls, credentials, manner, book, judge };
        let addresses = match self.lookup.get() {
            Some(lookup) => Some(lookup()),
            None => self.asked_addresses(options).await?,
        };
        let progress = Arc::new(Progress::default());
        *self.progress() = Arc::downgrade(&progress);
        opening.run_watched(addresses, &progress).await
    }

    /// The error of a caller that has waited for a connection for `waited`: with the step in which
    /// an attempt is stuck, and what was met before.
    pub(super) fn late(&self, waited: Duration) -> Error {
        let endpoint = &self.options.endpoint;
        let error = match self.progress().upgrade() {
            Some(progress) => out_of_time(endpoint, waited, &progress),
            None => {
                let text = format!(
                    "could not connect to {endpoint} within {} ms: waiting for the next attempt",
                    waited.as_millis()
                );
                Error::new(ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT", text).retryable()
            }
        };
        match self.last_error() {
            Some(cause) => error.with_cause(cause),
            None => error,
        }
    }

    fn progress(&self) -> MutexGuard<'_, Weak<Progress>> {
        // One value, which is replaced as a whole.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What asks the application's `function` about servers' certificates.
    fn judge<'a>(&'a self, function: u32, options: &'a ClientOptions) -> Judge<'a> {
        Box::new(move |chain| {
            let tls = options.tls.as_ref();
            let host = tls.map(|tls| tls.identity(&options.endpoint)).unwrap_or_default();
            let asked = Identity { function, host: host.to_owned(), chain };
            Box::pin(self.questions.identity(asked))
        })
    }

    /// The addresses of a host name that the application resolves; None if it does not.
    async fn asked_addresses(&self, options: &ClientOptions) -> Result<Option<Vec<ServerAddress>>> {
        let (Some(function), Endpoint::Tcp { host, port }) =
            (options.socket.ask_lookup, &options.endpoint)
        else {
            return Ok(None);
        };
        // Node does not ask for the address of an address either.
        if host.parse::<IpAddr>().is_ok() {
            return Ok(None);
        }
        let family = match options.socket.family {
            Family::Any => 0,
            Family::V4 => 4,
            Family::V6 => 6,
        };
        let asked = Name { function, host: host.clone(), family };
        let found = self.questions.lookup(asked, options.socket.connect_timeout).await;
        let found = found.map_err(|error| stream::unreachable(&options.endpoint, error))?;
        let address = |address| ServerAddress::Tcp((address, *port).into());
        Ok(Some(found.into_iter().map(address).collect()))
    }

    /// The next server may be another one, which takes more of the handshake.
    fn forget_manner(&self) {
        *self.known() = None;
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        // One value, which is replaced as a whole.
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn database(&self) -> u32 {
        self.database.load(Ordering::Acquire)
    }

    /// Notes what `encoded`, a command that has succeeded, has changed on its connection.
    pub(super) fn remember(&self, encoded: &Bytes) {
        match selected(encoded) {
            Some(database) => self.database.store(database, Ordering::Release),
            None => self.standing().note(encoded, self.options.ask_credentials),
        }
    }

    /// Forgets what commands have changed.
    pub(super) fn forget(&self) {
        self.database.store(self.options.database, Ordering::Release);
        self.standing().clear();
        self.forget_manner();
    }

    pub(super) fn epoch(&self) -> u32 {
        self.standing().epoch()
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Each change is one call, so a panic leaves what was there before.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn succeeded(&self) {
        *self.history() = History::default();
        self.halt.lift();
        self.metrics.connects.add(1);
    }

    /// Notes that an attempt has failed. Returns how many in a row have.
    pub(super) fn failed(&self, error: &Error) -> u32 {
        self.metrics.connect_failures.add(1);
        self.forget_manner();
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
    pub(super) fn give_up(&self, error: Error) -> Error {
        self.halt.give_up(error.clone(), Instant::now() + HOPELESS);
        error
    }

    /// How long to wait after this number of failures in a row.
    ///
    /// # Errors
    ///
    /// There is to be no other attempt; the reason, if the application has given one.
    async fn delay(&self, failures: u32, error: &Error) -> Result<Duration, Option<Error>> {
        // node-redis counts retries from 0.
        let retries = failures - 1;
        let strategy = match self.options.reconnect {
            Reconnect::Ask => match self.questions.delay(retries, error).await {
                Strategy::Delay(delay) => return Ok(delay),
                Strategy::Stop(reason) => return Err(reason),
                Strategy::DefaultDelay => Reconnect::default(),
            },
            given => given,
        };
        match strategy {
            Reconnect::Fixed(delay) => Ok(delay),
            Reconnect::Backoff { base, cap } => {
                Ok(backoff::full_jitter(base, cap, retries, backoff::random()))
            }
            Reconnect::Never | Reconnect::Once | Reconnect::Ask => Err(None),
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        // The fields are independent, so no panic can leave them out of step.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The database that `encoded` selects; None if it is no SELECT.
fn selected(encoded: &[u8]) -> Option<u32> {
    let spec = command::of(encoded).filter(|spec| spec.name == "SELECT");
    let database = spec.and_then(|_| encode::args(encoded).nth(1))?;
    std::str::from_utf8(database).ok()?.parse().ok()
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
    /// When the application was told of a lost connection, if there was no success since.
    down: Option<Instant>,
    /// The last error since the last success.
    last: Option<Error>,
}

/// What the server takes of the handshake.
#[derive(Debug, Clone, Copy)]
struct Known {
    manner: Manner,
    /// From then on everything is asked for again, since the server may know more by now.
    until: Instant,
}

/// Says which addresses the name has now.
pub(super) type Lookup = Box<dyn Fn() -> Vec<ServerAddress> + Send + Sync>;

/// Connection attempts at one node at the same time. More would only hit a recovering server harder.
const ATTEMPTS: usize = 8;
/// Losses that follow one another as closely as this are one to the application. A server that is
/// killed closes its connections within milliseconds; a busy machine hears of the last one later.
const ONE_LOSS: Duration = Duration::from_secs(1);
/// After a fatal error, callers get that error for this long before the next attempt is made. So a
/// wrong password does not become a storm of logins, and a password that was corrected is used
/// within a second.
const HOPELESS: Duration = Duration::from_secs(1);
/// For how long a node is only asked for what it took of the handshake. A proxy that was upgraded
/// is noticed within ten minutes, and asking for more costs two connections at most in that time.
const MANNER_KEPT: Duration = Duration::from_secs(600);
