//! When to ask where everything is, and when to try again.
//!
//! One task for each router. It never answers commands: it looks at the clock, and starts at most
//! one look around at a time, at least [`APART`] after the one before (reliability P16).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout, Instant};

use super::source::Candidates;
use super::{Shared, PERIOD};
use crate::backoff;
use crate::error::{Error, ErrorClass};
use crate::options::{Endpoint, Reads};
use crate::outbox::Event;
use crate::pool::Pool;

/// The least time between two looks around (reliability P16).
const APART: Duration = Duration::from_millis(200);
/// The longest pause between looks while something is wrong: a promotion is to be seen within a
/// second (reliability P16).
const PATIENCE: Duration = Duration::from_millis(500);

/// The pause between looks while replicas are to be read from that nobody has named: a replica is
/// named once it has data, which it tells its primary each second.
const IMPATIENCE: Duration = Duration::from_secs(10);
/// Round trips of which the fastest counts: the first one may have to wake somebody up.
const PROBES: usize = 3;
/// How long all of that may take.
const PROBE: Duration = Duration::from_secs(1);

/// How often it is looked, while answers are due, whether they come.
const WATCH: Duration = Duration::from_millis(250);

struct Keeper {
    shared: Weak<Shared>,
    /// When somebody was asked last, and whether he has answered.
    looked: Option<Instant>,
    is_looking: Arc<AtomicBool>,
    /// Looks in a row that have found trouble.
    troubles: u32,
    period: Duration,
}

/// Keeps a router up to date until it is closed or gone.
pub(super) async fn keep(shared: Weak<Shared>, wake: Arc<Notify>) {
    let mut keeper = Keeper {
        shared,
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

impl Keeper {
    /// Does what is due; says when to come again, or None if there is nothing to keep any more.
    fn tick(&mut self) -> Option<Instant> {
        let shared = self.shared.upgrade()?;
        let now = Instant::now();
        let mut routes = shared.lock();
        if routes.closed.is_some() {
            return None;
        }
        routes.news.rearm = false;
        let ended = routes.parked.expire(now);
        if !ended.is_empty() {
            shared.template.shared.metrics.timeouts.add(ended.len() as u64);
            let error = shared.timeout_error(routes.last_failure.clone());
            routes.end(ended, &error);
        }
        if routes.retry_at.is_some_and(|at| at <= now) {
            routes.retry_now();
        }
        let tidy = routes.tidy(now);
        let is_in_trouble = routes.is_in_trouble(now);
        if !is_in_trouble {
            self.troubles = 0;
        }
        let looked = self.looked;
        let pause = match self.troubles {
            0 | 1 => APART,
            n => (APART * n).min(PATIENCE),
        };
        let trouble =
            (is_in_trouble || routes.news.look).then(|| looked.map_or(now, |at| at + pause));
        let between = if routes.lacks_replicas() { IMPATIENCE } else { self.period };
        let periodic = looked.filter(|_| routes.is_known).map(|at| at + between);
        let look_at = [trouble, periodic].into_iter().flatten().min();
        let deadline = routes.parked.next_deadline().map(|at| at.max(now + STEP));
        let watch = routes.is_watched().then_some(now + WATCH);
        let mut next = [deadline, routes.retry_at, tidy, watch].into_iter().flatten().min();
        if !self.is_looking.load(Ordering::Acquire) {
            match look_at {
                Some(at) if at <= now => {
                    routes.news.look = false;
                    self.looked = Some(now);
                    self.period = period(&shared);
                    self.troubles = self.troubles.saturating_add(u32::from(is_in_trouble));
                    self.is_looking.store(true, Ordering::Release);
                    let (shared, is_looking) = (Arc::clone(&shared), Arc::clone(&self.is_looking));
                    tokio::spawn(async move {
                        let ends = Ends(is_looking, Arc::clone(&shared.wake));
                        shared.look_around().await;
                        drop(ends);
                    });
                }
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        Some(next.unwrap_or(now + PERIOD))
    }
}

/// Says that a look around has ended, however that was.
struct Ends(Arc<AtomicBool>, Arc<Notify>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
        self.1.notify_one();
    }
}

impl Shared {
    /// Asks where everything is, and follows the answer.
    async fn look_around(&self) {
        let (candidates, borrowed) = self.candidates();
        let budget = self.template.options.socket.connect_timeout;
        let is_close = self.lock().has_newcomers;
        let found = match is_close {
            true => self.source.look_closely(candidates, budget).await,
            false => self.source.look(candidates, budget).await,
        };
        for pool in borrowed {
            self.template.close(pool);
        }
        match found {
            Ok(view) => {
                let view = view.map(|endpoint| self.template.mapped(endpoint));
                let (is_first, is_news) = self.change(|routes| {
                    routes.last_failure = None;
                    if routes.closed.is_some() {
                        return (false, false);
                    }
                    if is_close {
                        routes.has_newcomers = view.has_newcomers();
                    }
                    let is_first = !routes.is_known;
                    (is_first, routes.apply(&view, Instant::now()))
                });
                if is_news {
                    self.template.tell(Event::Topology(is_first));
                }
                if matches!(self.template.topology.reads, Reads::Nearest | Reads::Zone(_)) {
                    self.measure().await;
                }
            }
            Err(error) => {
                self.template.tell(Event::Error(error.clone(), None));
                self.change(|routes| {
                    if error.is_fatal() {
                        routes.fail_parked(&error);
                    } else {
                        if error.kind() == ErrorClass::RootNodes {
                            routes.go_on_alone();
                        }
                        routes.news.look = routes.parked.commands() > 0;
                    }
                    routes.last_failure = Some(error);
                    routes.version += 1;
                });
            }
        }
    }

    /// Whom to ask: nodes that stand in any order, then the others, then the seeds. The second list
    /// are the pools that were made for this.
    fn candidates(&self) -> (Candidates, Vec<Arc<Pool>>) {
        let mut known: Vec<(bool, u64, Endpoint, Arc<Pool>)> = {
            let routes = self.lock();
            let nodes = routes.nodes.iter().flatten().filter(|node| node.leaves.is_none());
            let known = nodes.map(|node| {
                let chance = (backoff::random() * f64::from(u32::MAX)) as u64;
                (!node.is_up(), chance, node.endpoint.clone(), Arc::clone(node.pool()))
            });
            known.collect()
        };
        known.sort_by_key(|(is_down, chance, ..)| (*is_down, *chance));
        let mut all: Candidates =
            known.into_iter().map(|(_, _, endpoint, pool)| (endpoint, pool)).collect();
        let mut borrowed = Vec::new();
        for seed in &self.template.topology.seeds {
            if all.iter().any(|(endpoint, _)| endpoint == seed) {
                continue;
            }
            let options = crate::options::ClientOptions {
                endpoint: seed.clone(),
                ..self.template.options.clone()
            };
            if let Ok(pool) = self.template.pool(Arc::new(options)) {
                borrowed.push(Arc::clone(&pool));
                all.push((seed.clone(), pool));
            }
        }
        (all, borrowed)
    }

    /// Finds out how far away each node is, and in which zone.
    async fn measure(&self) {
        let nodes: Vec<_> = {
            let routes = self.lock();
            let nodes = routes.nodes.iter().flatten();
            nodes.map(|node| (node.endpoint.clone(), Arc::clone(node.pool()))).collect()
        };
        let mut asked = JoinSet::new();
        for (endpoint, pool) in nodes {
            asked.spawn(async move {
                let mut lease = pool.impatient_lease(1).await.ok()?;
                let mut best = None;
                for _ in 0..PROBES {
                    let sent = Instant::now();
                    lease.ping(PROBE).await.ok()?;
                    let took = sent.elapsed();
                    best = Some(best.map_or(took, |best: Duration| best.min(took)));
                }
                Some((endpoint, best?, lease.info.zone.clone()))
            });
        }
        let measured = timeout(PROBE, async {
            while let Some(found) = asked.join_next().await {
                if let Ok(Some((endpoint, latency, zone))) = found {
                    self.change(|routes| routes.measured(&endpoint, latency, zone));
                }
            }
        });
        // Who has not answered by now is far away.
        let _ = measured.await;
    }

    fn timeout_error(&self, cause: Option<Error>) -> Error {
        let text = "no node for the command was found before its deadline";
        let error = Error::new(ErrorClass::Timeout, "TIMEOUT", text).retryable();
        match cause {
            Some(cause) => error.with_cause(cause),
            None => error,
        }
    }
}

fn period(shared: &Shared) -> Duration {
    let period = shared.template.topology.period.unwrap_or(PERIOD);
    backoff::spread(period, 0.1, backoff::random())
}

/// Deadlines are looked at a hundred times a second at most.
const STEP: Duration = Duration::from_millis(10);
