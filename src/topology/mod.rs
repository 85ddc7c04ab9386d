//! Several nodes behind one client: who gets which command, and how that is found out.
//!
//! A [`Router`] has a pool and a lane for each node. `table` says which node has which slot, `aim`
//! which slot a command wants; a [`Source`] asks the servers where everything is, and `keeper`
//! decides when. Refused commands come back from their lanes and are sent on within their
//! deadlines. The client of a cluster has as many shards as the cluster; one that Sentinel watches
//! over has one, with all slots. Invariant: everything about a router changes under its one lock,
//! which is never held over an await; a lane's lock may be taken under it, never the other way
//! round.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod aim;
mod keeper;
mod node;
mod parked;
mod redirect;
mod routes;
mod source;
mod split;
mod table;
mod upkeep;
mod view;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{watch, Notify};
use tokio::time::Instant;

pub use self::redirect::is_plain;
use self::routes::Routes;
pub use self::source::{first_of, unavailable, Candidates, Looking, Source};
pub use self::view::{Member, Shard, View};
use crate::error::{Applied, Error, Result};
use crate::lane::{self, Batch, Home, Lane, LaneStats, Refused};
use crate::metrics::Metrics;
use crate::options::{ClientOptions, Endpoint, Reads, TopologyOptions};
use crate::outbox::{Event, Outboxes};
use crate::pool::{Pool, PoolStats, Questions};

/// What all nodes of a router have in common.
struct Template {
    /// Options but for the endpoint.
    options: ClientOptions,
    /// What is known of the whole.
    topology: TopologyOptions,
    shared: Commons,
    /// Lanes that stand.
    company: Arc<AtomicUsize>,
    router: Weak<Shared>,
}

/// What a router has of its client.
#[derive(Clone)]
pub struct Commons {
    /// The runtime.
    pub runtime: Handle,
    /// Whether lanes are served by the caller's thread.
    pub is_served_by_caller: bool,
    /// Answers of the application.
    pub questions: Arc<Questions>,
    /// Where replies go.
    pub outboxes: Arc<Outboxes>,
    /// The client's counters.
    pub metrics: Arc<Metrics>,
}

/// The nodes of one deployment. Dropping it does not close it: see [`Router::close`].
#[derive(Clone)]
pub struct Router {
    shared: Arc<Shared>,
}

struct Shared {
    template: Arc<Template>,
    source: Box<dyn Source>,
    routes: Mutex<Routes>,
    /// Tells the keeper to look.
    wake: Arc<Notify>,
    /// How often the nodes, or who has which slot, may have changed.
    changes: watch::Sender<u64>,
}

/// By which a [`Source`] reaches the router that asks it.
#[derive(Clone)]
pub struct Prompt(Weak<Shared>);

impl Prompt {
    /// Makes the router ask, soon.
    pub fn look(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.change(|routes| routes.news.look = true);
        }
    }

    /// Tells the application that something else than the nodes has changed.
    pub fn tell(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.template.tell(Event::Topology(false));
        }
    }
}

/// A node, for the application.
#[derive(Debug, Clone)]
pub struct NodeInfo {
    /// By which it can be addressed.
    pub place: u32,
    /// Where it listens, as this client reaches it.
    pub endpoint: Endpoint,
    /// Its id in the cluster; empty where there is none.
    pub id: String,
    /// Whether its lane stands.
    pub is_up: bool,
}

/// A shard, for the application.
#[derive(Debug, Clone)]
pub struct ShardInfo {
    /// Who takes writes.
    pub primary: NodeInfo,
    /// Who has copies.
    pub replicas: Vec<NodeInfo>,
    /// First and last slot of each range.
    pub slots: Vec<(u16, u16)>,
}

impl Router {
    /// A router that knows nothing yet; it asks when the first command comes. Must be called
    /// inside the runtime.
    pub fn start(
        mut options: ClientOptions,
        topology: TopologyOptions,
        commons: Commons,
        source: Box<dyn Source>,
    ) -> Self {
        // A replica of a cluster has to be told that reads are wanted; others serve them anyway.
        options.readonly |= topology.reads != Reads::Primary && !topology.is_one_shard();
        options.lanes = 1;
        let shared = Arc::new_cyclic(|router: &Weak<Shared>| {
            let router = Weak::clone(router);
            let company = Arc::new(AtomicUsize::new(1));
            let template =
                Arc::new(Template { options, topology, shared: commons, company, router });
            let routes = Mutex::new(Routes::new(Arc::clone(&template)));
            let changes = watch::Sender::new(0);
            Shared { template, source, routes, wake: Arc::default(), changes }
        });
        shared.source.attach(Prompt(Arc::downgrade(&shared)));
        let wake = Arc::clone(&shared.wake);
        tokio::spawn(keeper::keep(Arc::downgrade(&shared), wake));
        Self { shared }
    }

    /// Sends the commands of a batch to their nodes; returns the bytes that wait where most wait.
    /// Those that cannot be sent end with failures.
    pub fn submit(&self, batch: Batch) -> usize {
        let _inside = self.shared.template.shared.runtime.enter();
        self.shared.change(|routes| routes.submit(batch))
    }

    /// Sends a batch to the node at `place` and no other: its refusals are for the caller.
    pub fn submit_to(&self, place: u32, batch: Batch) -> Result<usize, (Batch, Error)> {
        let _inside = self.shared.template.shared.runtime.enter();
        self.shared.change(|routes| match routes.node_mut(place) {
            Some(node) => node.lane().submit(batch.pinned()).map(|submitted| submitted.queued),
            None => Err((batch, gone())),
        })
    }

    /// What of `batch` has its keys in `slot`, for a session; the rest with its errors.
    pub fn within(&self, slot: Option<u16>, batch: Batch) -> (Batch, Vec<(u32, Error)>) {
        let Some(slot) = slot else { return (batch, Vec::new()) };
        self.shared.lock().within(slot, batch)
    }

    /// Ends the command `id` of `owner`; see [`Lane::cancel`].
    pub fn cancel(&self, owner: u32, id: u32) -> Option<Applied> {
        self.shared.change(|routes| routes.cancel(owner, id))
    }

    /// Ends all commands of `owner`.
    pub fn abandon(&self, owner: u32, error: &Error) {
        self.shared.change(|routes| routes.abandon(owner, error));
    }

    /// Finds out where everything is.
    pub fn look(&self) {
        self.shared.change(|routes| routes.news.look = true);
    }

    /// Changes whenever the nodes, or who has which slot, may have changed, and when nobody could
    /// say.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// The node at `place` has said `error`, a MOVED, about `slot`: believes it, if it names a node
    /// of the deployment; asks where everything is in any case.
    pub fn redirected(&self, place: u32, slot: u16, error: &Error) {
        let _inside = self.shared.template.shared.runtime.enter();
        self.shared.change(|routes| routes.moved(place, slot, error, Instant::now()));
    }

    /// Why nobody could say where everything is, when somebody was asked last.
    pub fn failure(&self) -> Option<Error> {
        self.shared.lock().last_failure.clone()
    }

    /// The options of all nodes, with any endpoint.
    pub fn options(&self) -> &ClientOptions {
        &self.shared.template.options
    }

    /// The places of the nodes that see the messages of all channels, each with whether its lane
    /// stands: of several shards all nodes, of one its primary.
    pub fn listeners(&self) -> Vec<(u32, bool)> {
        let routes = self.shared.lock();
        let only = match routes.table.shards() {
            [only] => Some(only.primary),
            _ => None,
        };
        let nodes = (0..).zip(&routes.nodes).filter_map(|(place, node)| {
            let node = node.as_ref().filter(|node| node.leaves.is_none())?;
            only.is_none_or(|only| only == place).then(|| (place, node.is_up()))
        });
        nodes.collect()
    }

    /// The pool of the node at `place`, if that is a part of the deployment.
    pub fn pool(&self, place: u32) -> Option<Arc<Pool>> {
        let routes = self.shared.lock();
        let node = routes.node(place).filter(|node| node.leaves.is_none())?;
        Some(Arc::clone(node.pool()))
    }

    /// Ends every command with `error` and closes all connections, for good.
    pub fn close(&self, error: &Error) {
        self.shared.change(|routes| routes.close(error));
        self.shared.source.close();
    }

    /// One more than the highest place of a node.
    pub fn places(&self) -> u32 {
        self.shared.lock().nodes.len() as u32
    }

    /// The lane of the node at `place`, if there is one yet.
    pub fn lane(&self, place: u32) -> Option<Lane> {
        self.shared.lock().node(place)?.open_lane().cloned()
    }

    /// The place of the node that takes writes to `slot`, or to any; None before anything is
    /// known.
    pub fn primary(&self, slot: Option<u16>) -> Option<u32> {
        self.shared.lock().primary(slot)
    }

    /// The same, if all commands of the slot that are under way are there.
    pub fn settled(&self, slot: u16) -> Option<u32> {
        self.shared.lock().settled(slot)
    }

    /// The place of the node that `refusal` names, an ASK of the one that has `slot`; None if it is
    /// no ASK, or leads to a node that no server has named yet.
    pub fn asked(&self, slot: u16, refusal: &str) -> Option<u32> {
        let refusal = Error::reply(refusal);
        self.shared.change(|routes| routes.asked(routes.primary(Some(slot))?, &refusal))
    }

    /// Encoded bytes of the commands that are not answered yet where one of `slot` would wait.
    pub fn queued_bytes_at(&self, slot: u16) -> usize {
        self.shared.lock().queued_at(slot)
    }

    /// What lanes, sessions and subscribers of the node at `place` have of it.
    pub fn home(&self, place: u32) -> Option<Home> {
        Some(self.shared.lock().node(place)?.home.clone())
    }

    /// Whether the node at `place` takes writes, so that it may be given to somebody else.
    pub fn is_primary(&self, place: u32) -> bool {
        self.shared.lock().table.is_primary(place)
    }

    /// All shards.
    pub fn shards(&self) -> Vec<ShardInfo> {
        let routes = self.shared.lock();
        let info = |place: u32| {
            let node = routes.node(place)?;
            let (endpoint, id) = (node.endpoint.clone(), node.id.clone());
            Some(NodeInfo { place, endpoint, id, is_up: node.is_up() })
        };
        let shards = routes.table.shards().iter().zip(routes.table.ranges());
        let shards = shards.filter_map(|(places, slots)| {
            let replicas = places.replicas.iter().filter_map(|place| info(*place)).collect();
            Some(ShardInfo { primary: info(places.primary)?, replicas, slots })
        });
        shards.collect()
    }

    /// Servers that are no nodes and say where the nodes are: all, and the one listened to.
    pub fn witnesses(&self) -> (Vec<Endpoint>, Option<Endpoint>) {
        self.shared.source.witnesses()
    }

    /// The lanes and pools of all nodes.
    pub fn stats(&self) -> (PoolStats, Vec<LaneStats>) {
        let routes = self.shared.lock();
        let mut total = PoolStats::default();
        for node in routes.nodes.iter().flatten() {
            let PoolStats { total: open, idle, in_use, waiting, max } = node.pool().stats();
            total.total += open;
            total.idle += idle;
            total.in_use += in_use;
            total.waiting += waiting;
            total.max += max;
        }
        let lanes = routes.nodes.iter().flatten().filter_map(node::Node::open_lane);
        (total, lanes.map(Lane::stats).collect())
    }

    /// Encoded bytes of the commands that are not answered yet, where most are.
    pub fn queued_bytes(&self) -> usize {
        let routes = self.shared.lock();
        let lanes = routes.nodes.iter().flatten().filter_map(node::Node::open_lane);
        let fullest = lanes.map(Lane::queued_bytes).max().unwrap_or_default();
        fullest.max(routes.parked.bytes())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Routes> {
        // A panic under it is a bug; the commands that it cost end by their deadlines.
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Routes) -> T) -> T {
        let mut routes = self.lock();
        let before = routes.news;
        let version = routes.version;
        let result = change(&mut routes);
        let after = routes.news;
        if routes.version != version {
            self.changes.send_replace(routes.version);
        }
        let is_news = (after.look && !before.look) || (after.rearm && !before.rearm);
        drop(routes);
        if is_news {
            self.wake.notify_one();
        }
        result
    }
}

impl lane::RefusalHandler for Shared {
    fn refused(&self, place: u32, refused: Vec<Refused>) {
        let _inside = self.template.shared.runtime.enter();
        self.template.shared.metrics.redirects.add(refused.len() as u64);
        self.change(|routes| routes.refused(place, refused, Instant::now()));
    }

    fn passed(&self, place: u32) {
        let _inside = self.template.shared.runtime.enter();
        self.change(|routes| routes.passed(place, Instant::now()));
    }

    fn lost(&self, place: u32) {
        let _inside = self.template.shared.runtime.enter();
        self.change(|routes| routes.lost(place));
    }
}

impl Template {
    /// What lanes and sessions of the node at `endpoint` have of it.
    fn home(&self, endpoint: &Endpoint, place: u32) -> Result<Home> {
        let options =
            Arc::new(ClientOptions { endpoint: endpoint.clone(), ..self.options.clone() });
        let pool = self.pool(Arc::clone(&options))?;
        let router: Weak<dyn lane::RefusalHandler> = Weak::<Shared>::clone(&self.router);
        Ok(Home {
            lane_id: place,
            is_served_by_caller: self.shared.is_served_by_caller,
            options,
            pool,
            outboxes: Arc::clone(&self.shared.outboxes),
            metrics: Arc::clone(&self.shared.metrics),
            router: Some(router),
            company: Arc::clone(&self.company),
        })
    }

    fn pool(&self, options: Arc<ClientOptions>) -> Result<Arc<Pool>> {
        let _inside = self.shared.runtime.enter();
        let pool = Pool::new(
            options,
            Arc::clone(&self.shared.questions),
            Arc::clone(&self.shared.outboxes),
            Arc::clone(&self.shared.metrics),
        )?;
        Ok(Arc::new(pool))
    }

    /// The address by which this client reaches the node that calls itself `endpoint`.
    fn mapped(&self, endpoint: Endpoint) -> Endpoint {
        self.topology.addresses.get(&endpoint).cloned().unwrap_or(endpoint)
    }

    fn close(&self, pool: Arc<Pool>) {
        self.shared.runtime.spawn(async move { pool.close().await });
    }

    fn tell(&self, event: Event) {
        self.shared.outboxes.tell(event);
    }
}

fn gone() -> Error {
    let text = "the node is not part of the deployment any more";
    Error::connection("NODE_REMOVED", text).retryable().with_applied(Applied::No)
}

/// How often everything is asked for again although nothing has happened (reliability P16), less
/// or more a tenth.
const PERIOD: Duration = Duration::from_secs(60);
