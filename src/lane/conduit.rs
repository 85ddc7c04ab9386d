//! The lane itself, which its handles and its driver share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::home::{Home, RefusalHandler};
use super::link::Link;
use super::loan::Handover;
use super::outcome::Ended;
use super::queue::Queue;
use crate::error::{Applied, Error, ErrorClass};
use crate::options::Reconnect;
use crate::outbox::Outboxes;

/// The lane itself, which its handles and its driver share.
pub(super) struct Conduit {
    pub(super) home: Home,
    /// Whether one caller has the connection to itself.
    pub(super) is_exclusive: bool,
    traffic: Mutex<Traffic>,
    /// Makes the driver look at the traffic again.
    pub(super) wake: Notify,
}

/// Everything about a lane that changes.
pub(super) struct Traffic {
    pub(super) queue: Queue,
    pub(super) link: Link,
    /// The driver looks at the deadlines at this instant at the latest.
    pub(super) armed: Option<Instant>,
    /// When the last byte was read or written.
    pub(super) active: Instant,
    /// Where caches learn that their connection is lost; None if the lane tracks no keys.
    pub(super) tracked: Option<Arc<Outboxes>>,
    /// When the server was heard last.
    pub(super) heard: Instant,
    /// Whether the PING under way only asks whether the server still tells of changed keys.
    pub(super) is_look: bool,
    /// When a PING was sent last of which the application is told, or the connection was made.
    pub(super) pinged: Instant,
    /// When the connection was looked at last because of a pause.
    pub(super) looked: Instant,
    /// When the lane's own PING was written, while its answer is due.
    pub(super) ping: Option<Instant>,
    pub(super) exit: Exit,
    /// Whether a PING must wait, since it would become a part of a transaction.
    pub(super) holds_pings: bool,
    /// When the connection should be replaced.
    pub(super) expires: Option<Instant>,
    /// Whether the last connection was lent, and there is no other one yet.
    pub(super) is_lent: bool,
    /// Where the lease goes of a connection that was lent, until the driver has seen it.
    pub(super) handover: Option<Handover>,
    /// How many refused commands are on their way to the router.
    pub(super) moving: usize,
    /// Whether a command has failed, or ended without its reply, since
    /// [`Lane::take_doubt`](super::Lane::take_doubt) was called last.
    pub(super) doubt: bool,
}

/// How a lane that has one connection only is to end, or has ended.
pub(super) enum Exit {
    /// It goes on.
    No,
    /// It ends as soon as nothing is queued. The connection then goes back to the pool, unless a
    /// command that was to clean it was refused.
    Leaving { refused: bool },
    /// Its connection was lost for this reason.
    Lost(Error),
}

impl Conduit {
    pub(super) fn new(home: Home, is_exclusive: bool) -> Self {
        let is_single = is_exclusive || home.options.reconnect == Reconnect::Once;
        let queue = match (is_single, &home.router) {
            (true, _) => Queue::without_retries(),
            (false, Some(_)) => Queue::routed(),
            (false, None) => Queue::default(),
        };
        let tracked = !is_exclusive && home.options.cache.is_some();
        let traffic = Traffic {
            queue,
            link: if is_exclusive { Link::Connecting } else { Link::Dormant },
            armed: None,
            active: Instant::now(),
            tracked: tracked.then(|| Arc::clone(&home.outboxes)),
            heard: Instant::now(),
            is_look: false,
            pinged: Instant::now(),
            looked: Instant::now(),
            ping: None,
            exit: Exit::No,
            holds_pings: false,
            expires: None,
            is_lent: false,
            handover: None,
            moving: 0,
            doubt: false,
        };
        Self { home, is_exclusive, traffic: Mutex::new(traffic), wake: Notify::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Traffic> {
        // After a panic the supervisor ends every command and starts from an empty queue.
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another connection may take over from one that stands. Not where the state of the
    /// connection is its caller's, who makes the next one himself.
    pub(super) fn may_be_replaced(&self) -> bool {
        !self.is_exclusive && self.home.options.reconnect != Reconnect::Once
    }

    pub(super) fn router(&self) -> Option<Arc<dyn RefusalHandler>> {
        self.home.router.as_ref()?.upgrade()
    }

    /// Tells the callers of `ended` that their commands end: with the server's refusal if there is
    /// one, else with `error`.
    pub(super) fn fail(&self, ended: Vec<Ended>, error: &Error) {
        let failures = ended.into_iter().map(|Ended { owner, id, applied, refusal }| {
            (owner, id, refusal.unwrap_or_else(|| error.clone().with_applied(applied)))
        });
        self.home.outboxes.fail(failures);
    }

    /// Ends every command after a panic, since the queue may be wrong, and lets `change` repair the
    /// link. Returns false if the lane is closed.
    pub(super) fn fail_inside(&self, change: impl FnOnce(&mut Link)) -> bool {
        let mut traffic = self.lock();
        let ended = traffic.queue.fail_all();
        let is_open = !traffic.link.is_closed();
        if is_open {
            change(&mut traffic.link);
        }
        drop(traffic);
        self.lose_track();
        self.fail(ended, &internal());
        is_open
    }

    /// Ends the commands whose deadline has passed.
    pub(super) fn expire(&self, now: Instant) {
        let mut traffic = self.lock();
        let connected = matches!(traffic.link, Link::Up { .. });
        let ended = traffic.queue.expire(now);
        traffic.doubt |= !ended.is_empty();
        drop(traffic);
        if ended.is_empty() {
            return;
        }
        self.home.metrics.timeouts.add(ended.len() as u64);
        let text = if connected {
            "the server did not answer before the command's deadline"
        } else {
            "no connection to the server before the command's deadline"
        };
        let mut error = Error::new(ErrorClass::Timeout, "TIMEOUT", text).retryable();
        if !connected {
            if let Some(cause) = self.home.pool.last_error() {
                error = error.with_cause(cause);
            }
        }
        self.fail(ended, &error);
    }
}

impl Exit {
    /// What later commands fail with, once the connection is lost.
    pub(super) fn error(&self) -> Option<Error> {
        match self {
            Self::Lost(error) => {
                let text = "the session has lost its connection: acquire another one";
                let lost = Error::connection("SESSION_LOST", text).retryable();
                Some(lost.with_applied(Applied::No).with_cause(error.clone()))
            }
            Self::No | Self::Leaving { .. } => None,
        }
    }
}

/// The error of commands that a panic of our own costs.
pub(super) fn internal() -> Error {
    Error::connection("INTERNAL", "oxidis failed inside; this is a bug in oxidis")
}

/// The error of a transaction that must not run, because what guarded it was watched on a connection
/// that is gone.
pub(super) fn unguarded() -> Error {
    Error::new(ErrorClass::Watch, "WATCH", "Client reconnected after WATCH").retryable()
}

/// Why a connection is exchanged although it works.
pub(super) fn refused() -> Error {
    let text = "the server's role, or this connection's login, has changed";
    Error::connection("REFUSED", text).retryable()
}
