//! Sentinel: asks those who watch over a primary and its replicas who they are.
//!
//! Owns the connections to the sentinels, and nothing of the nodes but the question for their role.
//! `opinion` reads what one sentinel says, `election` decides whom to believe; `watch` listens to
//! one of them, so that a look around follows each failover at once. Invariant: no node becomes the
//! primary here that has not said itself that it is one.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod election;
mod opinion;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{timeout, timeout_at, Instant};

use self::election::{Circle, Vote};
use self::opinion::{Opinion, ROLE};
use crate::backoff;
use crate::command::slot::SLOTS;
use crate::error::{Error, ErrorClass, Result};
use crate::metrics::Metrics;
use crate::options::{
    ClientOptions, Endpoint, Protocol, Reconnect, SentinelOptions, TopologyOptions,
};
use crate::pool::Pool;
use crate::topology::{
    unavailable, Candidates, Commons, Looking, Member, Prompt, Shard, Source, View,
};

/// The sentinels of one primary.
pub struct Sentinel {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    /// The options of a connection to a sentinel, but for the endpoint.
    options: ClientOptions,
    /// Those of a connection to a node.
    nodes: ClientOptions,
    addresses: HashMap<Endpoint, Endpoint>,
    commons: Commons,
    /// The sentinels' own: the application's are about its nodes.
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    /// A failover was announced: what is being asked is out of date.
    news: Notify,
}

struct State {
    circle: Circle,
    /// Of the sentinels that answered when they were asked last.
    pools: HashMap<Endpoint, Arc<Pool>>,
    /// Those that were right when they were asked last: worth listening to.
    trusted: Vec<Endpoint>,
    watched: Option<Endpoint>,
    watch: Option<AbortHandle>,
    prompt: Option<Prompt>,
    is_closed: bool,
}

impl Sentinel {
    /// Knows nobody but the sentinels of `sentinel` yet. `options` are those of the nodes.
    pub fn new(
        options: &ClientOptions,
        topology: &TopologyOptions,
        sentinel: SentinelOptions,
        commons: Commons,
    ) -> Self {
        let SentinelOptions { name, seeds, options: own } = sentinel;
        // RESP2 is what every version speaks, and answers to SUBSCRIBE are replies there. Whoever
        // asks decides about another try, so no strategy of the application's is needed.
        let own = ClientOptions {
            protocol: Protocol::Resp2,
            reconnect: Reconnect::default(),
            topology: None,
            ..*own
        };
        let state = State {
            circle: Circle::new(seeds),
            pools: HashMap::new(),
            trusted: Vec::new(),
            watched: None,
            watch: None,
            prompt: None,
            is_closed: false,
        };
        let inner = Inner {
            name,
            options: own,
            nodes: options.clone(),
            addresses: topology.addresses.clone(),
            commons,
            metrics: Arc::default(),
            state: Mutex::new(state),
            news: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Source for Sentinel {
    fn look(&self, candidates: Candidates, budget: Duration) -> Looking<'_> {
        Box::pin(async move {
            let inner = &self.inner;
            inner.begin_watch();
            // Announcements that come in a row must not keep a look from ending.
            for _ in 0..RESTARTS {
                tokio::select! {
                    biased;
                    view = inner.look(&candidates, budget) => return view,
                    () = inner.news.notified() => {}
                }
            }
            inner.look(&candidates, budget).await
        })
    }

    fn attach(&self, prompt: Prompt) {
        self.inner.lock().prompt = Some(prompt);
    }

    fn witnesses(&self) -> (Vec<Endpoint>, Option<Endpoint>) {
        let state = self.inner.lock();
        (state.circle.all(), state.watched.clone())
    }

    fn close(&self) {
        let mut state = self.inner.lock();
        state.is_closed = true;
        state.prompt = None;
        if let Some(watch) = state.watch.take() {
            watch.abort();
        }
        for (_, pool) in state.pools.drain() {
            self.inner.close(pool);
        }
    }
}

impl Inner {
    async fn look(self: &Arc<Self>, candidates: &Candidates, budget: Duration) -> Result<View> {
        let until = Instant::now() + budget;
        let (votes, quorum) = self.gather(until, false).await?;
        let mut failed = Vec::new();
        for primary in election::candidates(&votes, quorum) {
            let mut confirmed = std::pin::pin!(self.confirm(&primary, candidates, until));
            let answer = loop {
                if let Ok(answer) = timeout(HEAD_START, &mut confirmed).await {
                    break answer;
                }
                // It may be slow, or be the one that is being replaced.
                if let Some(view) = self.succeed(&primary, candidates, until).await {
                    return Ok(view);
                }
            };
            match answer {
                Ok(()) => return self.settle(&votes, primary.clone()),
                Err(error) => {
                    if let Some(view) = self.succeed(&primary, candidates, until).await {
                        return Ok(view);
                    }
                    failed.push((primary.clone(), error));
                }
            }
        }
        Err(unconfirmed(&failed))
    }

    /// Asks all sentinels whether `primary`, which does not answer as one, was replaced: the one that
    /// has done it knows it before the others.
    async fn succeed(
        self: &Arc<Self>,
        primary: &Endpoint,
        candidates: &Candidates,
        until: Instant,
    ) -> Option<View> {
        let (votes, _) = self.gather(until, true).await.ok()?;
        for successor in election::successors(&votes, primary) {
            if self.confirm(&successor, candidates, until).await.is_ok() {
                return self.settle(&votes, successor).ok();
            }
        }
        None
    }

    /// Asks as many sentinels as make a majority at once, and one more whenever one has failed, or
    /// they do not agree, or take their time; until a majority agrees or nobody is left. Or asks
    /// `everybody`, and waits for all but those who take their time.
    async fn gather(
        self: &Arc<Self>,
        until: Instant,
        everybody: bool,
    ) -> Result<(Vec<Vote>, usize)> {
        let (order, quorum) = {
            let state = self.lock();
            (state.circle.order(backoff::random), state.circle.quorum())
        };
        let mut waiting = order.into_iter();
        let mut asked = JoinSet::new();
        let mut votes: Vec<Vote> = Vec::new();
        let mut failed: Vec<(Endpoint, Error)> = Vec::new();
        let mut ask = |asked: &mut JoinSet<_>| {
            let next = waiting.next();
            if let Some(from) = next.clone() {
                let inner = Arc::clone(self);
                asked.spawn(async move {
                    let answer = inner.ask(&from, until).await;
                    (from, answer)
                });
            }
            next.is_some()
        };
        for _ in 0..quorum {
            ask(&mut asked);
        }
        while everybody && ask(&mut asked) {}
        loop {
            let answer = timeout(HEAD_START, asked.join_next()).await;
            let is_silence = answer.is_err();
            match answer {
                Ok(Some(Ok((from, Ok(opinion))))) => {
                    election::cast(&mut votes, Vote { from, opinion });
                }
                Ok(Some(Ok((from, Err(error))))) => {
                    self.lock().circle.failed(&from);
                    failed.push((from, error));
                }
                Ok(Some(Err(_)) | None) | Err(_) => {}
            }
            if !everybody && election::winner(&votes, quorum).is_some() {
                break;
            }
            // What one of them is still to say may not be needed: those that are asked may agree.
            let is_open = !is_silence && votes.len() + asked.len() >= quorum && agree(&votes);
            if !is_open && ask(&mut asked) {
                continue;
            }
            if asked.is_empty() || (is_silence && !votes.is_empty()) {
                break;
            }
        }
        match votes.is_empty() {
            true => Err(unavailable(&failed)),
            false => Ok((votes, quorum)),
        }
    }

    async fn ask(self: &Arc<Self>, from: &Endpoint, until: Instant) -> Result<Opinion> {
        let mut trial = Trial { inner: Arc::clone(self), of: from, is_good: false };
        let pool = self.pool(from)?;
        let (questions, count) = opinion::questions(&self.name);
        let asking = async {
            let mut lease = pool.impatient_lease(CONNECT_TRIES).await?;
            Opinion::read(&lease.exchange(&questions, count).await?)
        };
        let answer = match timeout_at(until, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(pool.last_error().unwrap_or_else(silent)),
        };
        trial.is_good = answer.is_ok();
        answer
    }

    /// Asks the node at `endpoint`, as servers call it, whether it is a primary.
    async fn confirm(
        &self,
        endpoint: &Endpoint,
        candidates: &Candidates,
        until: Instant,
    ) -> Result<()> {
        match timeout_at(until, self.ask_node(endpoint, candidates)).await {
            Ok(answer) => answer,
            Err(_) => Err(silent()),
        }
    }

    async fn ask_node(&self, endpoint: &Endpoint, candidates: &Candidates) -> Result<()> {
        let endpoint = self.mapped(endpoint);
        let known = candidates.iter().find(|(known, _)| *known == endpoint);
        if let Some((_, pool)) = known {
            return ask_role(pool).await;
        }
        let options = ClientOptions { endpoint, ..self.nodes.clone() };
        let pool = self.open(options, &self.commons.metrics)?;
        let guard = Borrowed { inner: self, pool };
        ask_role(&guard.pool).await
    }

    /// Keeps what a look has taught.
    fn settle(&self, votes: &[Vote], primary: Endpoint) -> Result<View> {
        let right = votes.iter().filter(|vote| vote.opinion.primary == primary);
        let mut state = self.lock();
        state.trusted = right.map(|vote| vote.from.clone()).collect();
        let before = state.circle.all();
        state.circle.learn(votes);
        let is_news = state.circle.all() != before;
        let prompt = state.prompt.clone().filter(|_| is_news);
        drop(state);
        if let Some(prompt) = prompt {
            prompt.tell();
        }
        View { shards: vec![shard(votes, primary)] }.checked()
    }

    /// Begins to listen, unless that was done.
    fn begin_watch(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.watch.is_none() && !state.is_closed {
            let task = tokio::spawn(watch::watch(Arc::clone(self)));
            state.watch = Some(task.abort_handle());
        }
    }

    /// The pool of the sentinel at `endpoint`.
    fn pool(&self, endpoint: &Endpoint) -> Result<Arc<Pool>> {
        if let Some(pool) = self.lock().pools.get(endpoint) {
            return Ok(Arc::clone(pool));
        }
        let options = ClientOptions { endpoint: self.mapped(endpoint), ..self.options.clone() };
        let pool = self.open(options, &self.metrics)?;
        let mut state = self.lock();
        if state.is_closed {
            self.close(Arc::clone(&pool));
            return Ok(pool);
        }
        // Somebody else may have been faster.
        let before = state.pools.insert(endpoint.clone(), Arc::clone(&pool));
        drop(state);
        if let Some(before) = before {
            self.close(before);
        }
        Ok(pool)
    }

    fn open(&self, options: ClientOptions, metrics: &Arc<Metrics>) -> Result<Arc<Pool>> {
        let Commons { questions, outboxes, .. } = &self.commons;
        let (questions, outboxes) = (Arc::clone(questions), Arc::clone(outboxes));
        let pool = Pool::new(Arc::new(options), questions, outboxes, Arc::clone(metrics))?;
        Ok(Arc::new(pool))
    }

    /// The pool of a sentinel that did not answer would go on trying to connect.
    fn discard(&self, endpoint: &Endpoint) {
        let pool = self.lock().pools.remove(endpoint);
        if let Some(pool) = pool {
            self.close(pool);
        }
    }

    fn close(&self, pool: Arc<Pool>) {
        self.commons.runtime.spawn(async move { pool.close().await });
    }

    fn mapped(&self, endpoint: &Endpoint) -> Endpoint {
        self.addresses.get(endpoint).unwrap_or(endpoint).clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One question to a sentinel. Whoever stops waiting for it gives its connections up, too.
struct Trial<'a> {
    inner: Arc<Inner>,
    of: &'a Endpoint,
    is_good: bool,
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if !self.is_good {
            self.inner.discard(self.of);
        }
    }
}

/// The pool of a node that nobody but this look knows.
struct Borrowed<'a> {
    inner: &'a Inner,
    pool: Arc<Pool>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.inner.close(Arc::clone(&self.pool));
    }
}

async fn ask_role(pool: &Pool) -> Result<()> {
    let mut lease = pool.impatient_lease(CONNECT_TRIES).await?;
    if opinion::is_primary(&lease.request(ROLE).await?)? {
        return Ok(());
    }
    // Its name may lead elsewhere by now.
    lease.mark_broken();
    let text = "the node that the sentinels name does not say of itself that it is a primary";
    Err(Error::connection("NOT_A_PRIMARY", text).retryable())
}

/// Whether nobody contradicts anybody.
fn agree(votes: &[Vote]) -> bool {
    let mut named = votes.iter().map(|vote| &vote.opinion.primary);
    let first = named.next();
    named.all(|name| Some(name) == first)
}

fn shard(votes: &[Vote], primary: Endpoint) -> Shard {
    let member = |endpoint| Member { endpoint, id: String::new() };
    let replicas = election::replicas(votes, &primary).into_iter().map(member).collect();
    Shard { primary: member(primary), replicas, slots: vec![0..=SLOTS - 1] }
}

fn unconfirmed(failed: &[(Endpoint, Error)]) -> Error {
    let causes: Vec<String> =
        failed.iter().map(|(endpoint, error)| format!("{endpoint}: {error}")).collect();
    let text = match causes.is_empty() {
        true => "the sentinels do not agree on a primary".to_owned(),
        false => format!("the sentinels name a primary that cannot serve ({})", causes.join("; ")),
    };
    let error = Error::connection("NO_PRIMARY", text).retryable();
    let is_hopeless = !failed.is_empty() && failed.iter().all(|(_, error)| error.is_fatal());
    let error = if is_hopeless { error.fatal() } else { error };
    match failed.first() {
        Some((_, cause)) => error.with_cause(cause.clone()),
        None => error,
    }
}

fn silent() -> Error {
    Error::new(ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT", "the server did not answer")
        .retryable()
}

/// How long the sentinels that were asked are waited for before another one is asked as well, and
/// the last one before those that have answered decide (as `topology::source` does with nodes).
const HEAD_START: Duration = Duration::from_millis(200);
/// A server that has refused as many connections in a row is not waited for any longer.
const CONNECT_TRIES: u32 = 2;
/// How often one look begins again because of an announcement; a failover has one or two.
const RESTARTS: u32 = 3;
