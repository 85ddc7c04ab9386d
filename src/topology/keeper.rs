//! When to ask where everything is, and when to try again.
//!
//! One task for each router. It looks at the clock and never answers a command. It starts one look
//! around at a time, at least [`APART`] after the one before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep_until, Instant};

use super::deployment::Deployment;
use super::routes::Routes;
use crate::backoff;
use crate::error::{Error, ErrorClass};

/// Keeps a router up to date until it is closed or dropped.
pub(super) async fn keep(deployment: Weak<Deployment>, wake: Arc<Notify>) {
    let mut keeper = Keeper {
        deployment,
        looked: None,
        is_looking: Arc::default(),
        troubles: 0,
        period: Duration::ZERO,
    };
    while let Some(until) = keeper.tick() {
        tokio::select! {
            () = wake.notified() => {}
            () = sleep_until(until) => {}
        }
    }
}

struct Keeper {
    deployment: Weak<Deployment>,
    /// When the last look around began.
    looked: Option<Instant>,
    /// Whether it goes on.
    is_looking: Arc<AtomicBool>,
    /// How many looks around in a row were made because something was wrong.
    troubles: u32,
    /// When to look again after the last one although nothing has happened.
    period: Duration,
}

impl Keeper {
    /// Does what is due. Returns when to call it again, or None if the router has ended.
    fn tick(&mut self) -> Option<Instant> {
        let deployment = self.deployment.upgrade()?;
        let now = Instant::now();
        let mut routes = deployment.lock();
        if routes.closed.is_some() {
            return None;
        }
        routes.news.rearm = false;
        let ended = routes.parked.expire(now);
        if !ended.is_empty() {
            deployment.template.commons.metrics.timeouts.add(ended.len() as u64);
            let error = timeout_error(routes.obstacle());
            routes.end(ended, &error);
        }
        if routes.retry.at().is_some_and(|at| at <= now) {
            routes.retry_now();
        }
        let tidy = routes.tidy(now);
        let is_in_trouble = routes.is_in_trouble(now);
        if !is_in_trouble {
            self.troubles = 0;
        }
        let look_at = self.look_at(&routes, is_in_trouble, now);
        let deadline = routes.parked.next_deadline().map(|at| at.max(now + STEP));
        let watch = routes.is_watched().then_some(now + WATCH);
        let mut next = [deadline, routes.retry.at(), tidy, watch].into_iter().flatten().min();
        if !self.is_looking.load(Ordering::Acquire) {
            match look_at {
                Some(at) if at <= now => {
                    routes.news.look = false;
                    self.troubles = self.troubles.saturating_add(u32::from(is_in_trouble));
                    self.begin_look(&deployment, now);
                }
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        Some(next.unwrap_or(now + PERIOD))
    }

    /// When to look around next.
    fn look_at(&self, routes: &Routes, is_in_trouble: bool, now: Instant) -> Option<Instant> {
        let looked = self.looked;
        let pause = match self.troubles {
            0 | 1 => APART,
            n => (APART * n).min(PATIENCE),
        };
        let is_wanted = is_in_trouble || routes.news.look || routes.is_in_doubt();
        let wanted = is_wanted.then(|| looked.map_or(now, |at| at + pause));
        let between = if routes.lacks_replicas() { IMPATIENCE } else { self.period };
        let periodic = looked.filter(|_| routes.is_known).map(|at| at + between);
        [wanted, periodic].into_iter().flatten().min()
    }

    fn begin_look(&mut self, deployment: &Arc<Deployment>, now: Instant) {
        self.looked = Some(now);
        let period = deployment.template.topology.period.unwrap_or(PERIOD);
        // A tenth more or less, so that many clients do not ask at the same moment.
        self.period = backoff::spread(period, 0.1, backoff::random());
        self.is_looking.store(true, Ordering::Release);
        let ends = LookEnd(Arc::clone(&self.is_looking), Arc::clone(&deployment.wake));
        let deployment = Arc::clone(deployment);
        tokio::spawn(async move {
            deployment.look_around().await;
            drop(ends);
        });
    }
}

/// Says, when it is dropped, that a look around has ended, also if it has panicked.
struct LookEnd(Arc<AtomicBool>, Arc<Notify>);

impl Drop for LookEnd {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
        self.1.notify_one();
    }
}

fn timeout_error(cause: Option<Error>) -> Error {
    let text = "no node for the command was found before its deadline";
    let error = Error::new(ErrorClass::Timeout, "TIMEOUT", text).retryable();
    match cause {
        Some(cause) => error.with_cause(cause),
        None => error,
    }
}

/// How often servers are asked where everything is although nothing has happened, by default. A
/// redirect or a lost connection tells of nearly every change at once, so this only finds new
/// replicas and nodes without commands.
const PERIOD: Duration = Duration::from_secs(60);
/// The least time between the beginnings of two looks around: five questions a second are cheap
/// for the servers, and a promotion is followed soon enough.
const APART: Duration = Duration::from_millis(200);
/// The longest pause between looks around while something is wrong: a promotion is to be followed
/// within a second.
const PATIENCE: Duration = Duration::from_millis(500);
/// The pause between looks around while there are shards without a replica and reads could go to
/// one. Servers name a new replica once it has its data, which takes seconds.
const IMPATIENCE: Duration = Duration::from_secs(10);
/// How often the keeper looks, while answers are due, whether they come: twice in the time after
/// which a node that does not answer is doubted.
const WATCH: Duration = Duration::from_millis(250);
/// Deadlines of parked commands are looked at a hundred times a second at most, so that many of
/// them that differ by a microsecond do not keep the thread busy.
const STEP: Duration = Duration::from_millis(10);
