//! The sentinels of one primary as this client has them: who they are, and the pools of connections
//! to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::circle::Circle;
use super::election::{self, Vote};
use super::watch;
use crate::command::slot::SLOTS;
use crate::error::Result;
use crate::metrics::Metrics;
use crate::options::{
    ClientOptions, Endpoint, Protocol, Reconnect, SentinelOptions, TopologyOptions,
};
use crate::pool::Pool;
use crate::topology::{Addresses, Commons, Member, Prompt, Shard, View};

/// All sentinels of one primary.
pub(super) struct Panel {
    /// The name under which the sentinels know the primary.
    pub(super) name: String,
    /// The options of a connection to a sentinel, but for the endpoint.
    pub(super) options: ClientOptions,
    /// The options of a connection to a node, but for the endpoint.
    pub(super) node_options: ClientOptions,
    /// Where this client reaches the servers.
    pub(super) addresses: Addresses,
    pub(super) commons: Commons,
    /// Counts connections to sentinels. The application's counters are about its nodes.
    metrics: Arc<Metrics>,
    roster: Mutex<Roster>,
    /// A failover was announced, so that a look which goes on may have old answers.
    pub(super) news: Notify,
}

/// What is known about the sentinels, and what is open to them.
pub(super) struct Roster {
    pub(super) circle: Circle,
    /// The pools of the sentinels that answered when they were asked last.
    pools: HashMap<Endpoint, Arc<Pool>>,
    /// The sentinels that named the right primary when they were asked last: those that are worth
    /// listening to.
    pub(super) trusted: Vec<Endpoint>,
    /// The addresses of the primary and its replicas as the last look has found them. A node that
    /// has other names as well is called by this one, so that it is not taken for another.
    known: Vec<Endpoint>,
    /// The sentinel that is listened to.
    pub(super) watched: Option<Endpoint>,
    /// The task that listens.
    watch: Option<AbortHandle>,
    /// How the router is told of changes.
    pub(super) prompt: Option<Prompt>,
    is_closed: bool,
}

impl Panel {
    pub(super) fn new(
        options: &ClientOptions,
        topology: &TopologyOptions,
        sentinel: SentinelOptions,
        commons: Commons,
    ) -> Self {
        let SentinelOptions { name, seeds, options: of_sentinels } = sentinel;
        // RESP2 is what all versions speak, and answers to SUBSCRIBE are replies there. A look
        // decides itself about another try, so the application's strategy is not asked.
        let of_sentinels = ClientOptions {
            protocol: Protocol::Resp2,
            reconnect: Reconnect::default(),
            topology: None,
            ..*of_sentinels
        };
        let roster = Roster {
            circle: Circle::new(seeds),
            pools: HashMap::new(),
            trusted: Vec::new(),
            known: Vec::new(),
            watched: None,
            watch: None,
            prompt: None,
            is_closed: false,
        };
        Self {
            name,
            options: of_sentinels,
            node_options: options.clone(),
            addresses: Addresses::new(topology, &commons.questions, options.socket.connect_timeout),
            commons,
            metrics: Arc::default(),
            roster: Mutex::new(roster),
            news: Notify::new(),
        }
    }

    /// Begins to listen to a sentinel, unless that was done.
    pub(super) fn begin_watch(self: &Arc<Self>) {
        let mut roster = self.lock();
        if roster.watch.is_none() && !roster.is_closed {
            let task = tokio::spawn(watch::watch(Arc::clone(self)));
            roster.watch = Some(task.abort_handle());
        }
    }

    /// Keeps what a look has found out; the result is what the router has to know.
    pub(super) fn settle(&self, votes: &[Vote], primary: &Member) -> Result<View> {
        let right = election::supporters(votes, primary);
        let mut roster = self.lock();
        roster.trusted = right.map(|vote| vote.from.clone()).collect();
        let shard = shard(votes, primary, &roster.known);
        let members = std::iter::once(&shard.primary).chain(&shard.replicas);
        roster.known = members.map(|member| member.endpoint.clone()).collect();
        let before = roster.circle.all();
        roster.circle.learn(votes);
        let is_news = roster.circle.all() != before;
        let prompt = roster.prompt.clone().filter(|_| is_news);
        drop(roster);
        if let Some(prompt) = prompt {
            prompt.tell();
        }
        View { shards: vec![shard], gap: None }.checked()
    }

    /// The pool of the sentinel at `endpoint`, which is made if there is none.
    pub(super) fn pool(&self, endpoint: &Endpoint) -> Result<Arc<Pool>> {
        if let Some(pool) = self.lock().pools.get(endpoint) {
            return Ok(Arc::clone(pool));
        }
        let options =
            ClientOptions { endpoint: self.addresses.of(endpoint.clone()), ..self.options.clone() };
        let pool = self.open(options, &self.metrics)?;
        let mut roster = self.lock();
        if roster.is_closed {
            self.close(Arc::clone(&pool));
            return Ok(pool);
        }
        // Another task may have put one there meanwhile.
        let before = roster.pools.insert(endpoint.clone(), Arc::clone(&pool));
        drop(roster);
        if let Some(before) = before {
            self.close(before);
        }
        Ok(pool)
    }

    /// A pool that is kept nowhere; its connections are counted by `metrics`.
    pub(super) fn open(&self, options: ClientOptions, metrics: &Arc<Metrics>) -> Result<Arc<Pool>> {
        let Commons { questions, outboxes, .. } = &self.commons;
        let (questions, outboxes) = (Arc::clone(questions), Arc::clone(outboxes));
        let tls = options.tls.as_ref().map(|tls| self.commons.tls.of(tls)).transpose()?;
        let metrics = Arc::clone(metrics);
        let pool = Pool::with_tls(Arc::new(options), tls, questions, outboxes, metrics);
        Ok(Arc::new(pool))
    }

    /// Closes the pool of the sentinel at `endpoint`, which did not answer: otherwise the pool
    /// would go on trying to connect.
    pub(super) fn discard(&self, endpoint: &Endpoint) {
        let pool = self.lock().pools.remove(endpoint);
        if let Some(pool) = pool {
            self.close(pool);
        }
    }

    /// Closes a pool in the background.
    pub(super) fn close(&self, pool: Arc<Pool>) {
        self.commons.runtime.spawn(async move { pool.close().await });
    }

    /// Stops listening and closes all pools, for good.
    pub(super) fn close_all(&self) {
        let mut roster = self.lock();
        roster.is_closed = true;
        roster.prompt = None;
        if let Some(watch) = roster.watch.take() {
            watch.abort();
        }
        for (_, pool) in roster.pools.drain() {
            self.close(pool);
        }
    }

    /// The addresses of the nodes as the last look has found them.
    pub(super) fn known(&self) -> Vec<Endpoint> {
        self.lock().known.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Roster> {
        // A panic leaves nothing in here half done.
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the router has to know. It gets no run ids: by the id of a node it would take a server that
/// was started again for a stranger.
fn shard(votes: &[Vote], primary: &Member, known: &[Endpoint]) -> Shard {
    let member = |endpoint| Member { endpoint, id: String::new() };
    let replicas = election::replicas(votes, primary, known).into_iter().map(member).collect();
    Shard { primary: member(primary.endpoint.clone()), replicas, slots: vec![0..=SLOTS - 1] }
}
