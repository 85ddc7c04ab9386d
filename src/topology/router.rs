//! The router: what a client of several nodes calls.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};

use tokio::sync::watch;
use tokio::time::Instant;

use super::addresses::Addresses;
use super::deployment::{Deployment, Prompt};
use super::keeper;
use super::kinship::foreign;
use super::source::Source;
use super::template::{Commons, Template};
use crate::error::{Applied, Error, Result};
use crate::lane::{Batch, Home, Lane};
use crate::options::{ClientOptions, Reads, TopologyOptions};
use crate::pool::Pool;

/// The nodes of one deployment. Dropping it does not close it: see [`Router::close`].
#[derive(Clone)]
pub struct Router {
    pub(super) deployment: Arc<Deployment>,
}

impl Router {
    /// A router that knows no node yet; it asks when the first command comes. Must be called
    /// inside the runtime.
    pub fn start(
        mut options: ClientOptions,
        topology: TopologyOptions,
        commons: Commons,
        source: Box<dyn Source>,
    ) -> Self {
        // A replica of a cluster serves reads only to a connection that has said READONLY. Other
        // replicas serve them anyway.
        options.readonly |= topology.reads != Reads::Primary && !topology.is_one_shard();
        options.lanes = 1;
        let deployment = Arc::new_cyclic(|deployment: &Weak<Deployment>| {
            let deployment = Weak::clone(deployment);
            let company = Arc::new(AtomicUsize::new(1));
            let budget = options.socket.connect_timeout;
            let addresses = Addresses::new(&topology, &commons.questions, budget);
            let template = Template { options, topology, addresses, commons, company, deployment };
            Deployment::new(Arc::new(template), source)
        });
        deployment.source.attach(Prompt::new(&deployment));
        let wake = Arc::clone(&deployment.wake);
        tokio::spawn(keeper::keep(Arc::downgrade(&deployment), wake));
        Self { deployment }
    }

    /// Sends the commands of a batch to their nodes; returns the encoded bytes that wait where most
    /// wait. Commands that cannot be sent end with failures in their outboxes.
    pub fn submit(&self, batch: Batch) -> usize {
        let _inside = self.deployment.template.commons.runtime.enter();
        self.deployment.change(|routes| routes.submit(batch))
    }

    /// Sends a batch to the node at `place` and to no other: its refusals are for the caller.
    /// Returns the encoded bytes that wait there.
    ///
    /// # Errors
    ///
    /// `NODE_REMOVED`, `FOREIGN_NODE`, and those of [`Lane::submit`], with the batch, of which nothing was sent.
    pub fn submit_to(&self, place: u32, batch: Batch) -> Result<usize, (Batch, Error)> {
        let _inside = self.deployment.template.commons.runtime.enter();
        self.deployment.change(|routes| match routes.registry.get_mut(place) {
            Some(node) if node.is_stranger => Err((batch, foreign(&node.endpoint))),
            Some(node) => node.lane().submit(batch.pinned()).map(|submitted| submitted.queued),
            None => Err((batch, removed())),
        })
    }

    /// What of `batch` has its keys in `slot`, for a session; the ids of the rest with their
    /// errors. Without a slot that is all of it.
    pub fn within(&self, slot: Option<u16>, batch: Batch) -> (Batch, Vec<(u32, Error)>) {
        let Some(slot) = slot else { return (batch, Vec::new()) };
        self.deployment.lock().within(slot, batch)
    }

    /// Ends the command `id` of `owner`; see [`Lane::cancel`].
    pub fn cancel(&self, owner: u32, id: u32) -> Option<Applied> {
        self.deployment.change(|routes| routes.cancel(owner, id))
    }

    /// Ends all commands of `owner`.
    pub fn abandon(&self, owner: u32, error: &Error) {
        self.deployment.change(|routes| routes.abandon(owner, error));
    }

    /// Ends every command with `error` and closes all connections, for good.
    pub fn close(&self, error: &Error) {
        self.deployment.change(|routes| routes.close(error));
        self.deployment.source.close();
    }

    /// Makes the keeper ask where everything is.
    pub fn look(&self) {
        self.deployment.change(|routes| routes.news.look = true);
    }

    /// Changes whenever the nodes, or which of them have which slots, may have changed, and when no
    /// server could say.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.deployment.changes.subscribe()
    }

    /// Whether any server has said where everything is.
    pub fn is_known(&self) -> bool {
        self.deployment.lock().is_known
    }

    /// The node at `place` has said `error`, a MOVED, about `slot`. The router follows it if it
    /// names a node of the deployment, and asks where everything is in any case.
    pub fn redirected(&self, place: u32, slot: u16, error: &Error) {
        let _inside = self.deployment.template.commons.runtime.enter();
        self.deployment.change(|routes| routes.moved(place, slot, error, Instant::now()));
    }

    /// The place of the node that `refusal` names, an ASK of the node that has `slot`. None if it
    /// is no ASK, or names a node that no server has named yet.
    pub fn asked(&self, slot: u16, refusal: &str) -> Option<u32> {
        let refusal = Error::reply(refusal);
        self.deployment.change(|routes| routes.asked(routes.primary(Some(slot))?, &refusal))
    }

    /// Why no server could say where everything is; None if one could when they were asked last.
    pub fn failure(&self) -> Option<Error> {
        self.deployment.lock().last_failure.clone()
    }

    /// The options of a connection to any node; the endpoint in them is not used.
    pub fn options(&self) -> &ClientOptions {
        &self.deployment.template.options
    }

    /// Replaces the connections to all nodes by others, which log in anew.
    pub fn renew_logins(&self) {
        let pools: Vec<_> = {
            let routes = self.deployment.lock();
            routes.registry.nodes().map(|node| Arc::clone(node.pool())).collect()
        };
        pools.iter().for_each(|pool| pool.renew());
    }

    /// The places of the nodes that see the messages of all channels, each with whether its lane is
    /// connected. These are all nodes of a cluster, and only the primary where there is one shard.
    pub fn listeners(&self) -> Vec<(u32, bool)> {
        let routes = self.deployment.lock();
        let only = match routes.table.shards() {
            [only] => Some(only.primary),
            _ => None,
        };
        let nodes = routes.registry.iter().filter(|(place, node)| {
            node.leaves.is_none() && !node.is_stranger && only.is_none_or(|only| only == *place)
        });
        nodes.map(|(place, node)| (place, node.is_up())).collect()
    }

    /// The places of all nodes that take writes to any slot.
    pub fn primaries(&self) -> Vec<u32> {
        self.deployment.lock().table.primaries().collect()
    }

    /// When the look around began that has given the nodes and their slots; None before the first.
    pub fn viewed(&self) -> Option<Instant> {
        self.deployment.lock().viewed
    }

    /// Whether one primary has all keys.
    pub fn is_one_shard(&self) -> bool {
        self.deployment.template.topology.is_one_shard()
    }

    /// One more than the highest place of a node.
    pub fn places(&self) -> u32 {
        self.deployment.lock().registry.places() as u32
    }

    /// The pool of the node at `place`; None if that is not part of the deployment any more.
    pub fn pool(&self, place: u32) -> Option<Arc<Pool>> {
        let routes = self.deployment.lock();
        let node = routes.registry.get(place).filter(|node| node.leaves.is_none())?;
        Some(Arc::clone(node.pool()))
    }

    /// The lane of the node at `place`, if anything was sent to it.
    pub fn lane(&self, place: u32) -> Option<Lane> {
        self.deployment.lock().registry.get(place)?.open_lane().cloned()
    }

    /// What lanes, sessions and subscribers of the node at `place` get from the client.
    pub fn home(&self, place: u32) -> Option<Home> {
        Some(self.deployment.lock().registry.get(place)?.home.clone())
    }

    /// The place of the node that takes writes to `slot`, or those of commands without a key. None
    /// before anything is known.
    pub fn primary(&self, slot: Option<u16>) -> Option<u32> {
        self.deployment.lock().primary(slot)
    }

    /// The place of the node that takes writes to `slot`; None if commands of the slot are parked
    /// or may still be at another node.
    pub fn settled(&self, slot: u16) -> Option<u32> {
        self.deployment.lock().settled(slot)
    }

    /// Whether the node at `place` takes writes, so that a session of it may go on to another
    /// caller.
    pub fn is_primary(&self, place: u32) -> bool {
        self.deployment.lock().table.is_primary(place)
    }
}

fn removed() -> Error {
    let text = "the node is not part of the deployment any more";
    Error::connection("NODE_REMOVED", text).retryable().with_applied(Applied::No)
}
