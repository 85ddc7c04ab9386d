//! What the nodes of a deployment have in common, and how a node gets its pool.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};

use tokio::runtime::Handle;

use super::addresses::Addresses;
use super::deployment::Deployment;
use crate::error::Result;
use crate::lane::{self, Home};
use crate::metrics::Metrics;
use crate::options::{ClientOptions, Endpoint, TopologyOptions};
use crate::outbox::{Event, Outboxes};
use crate::pool::{Pool, Questions};
use crate::stream::TlsConfigs;

/// What a router has of its client.
#[derive(Clone)]
pub struct Commons {
    /// The runtime.
    pub runtime: Handle,
    /// Whether lanes are served by the caller's thread.
    pub is_served_by_caller: bool,
    /// Answers of the application's functions.
    pub questions: Arc<Questions>,
    /// Where replies go.
    pub outboxes: Arc<Outboxes>,
    /// The client's counters.
    pub metrics: Arc<Metrics>,
    /// The TLS configurations that the nodes share.
    pub tls: Arc<TlsConfigs>,
}

/// What all nodes of a deployment have in common.
pub(super) struct Template {
    /// The options of a connection to any node; the endpoint in them is not used.
    pub(super) options: ClientOptions,
    /// The options that are about several nodes.
    pub(super) topology: TopologyOptions,
    /// Where this client reaches the nodes.
    pub(super) addresses: Addresses,
    pub(super) commons: Commons,
    /// How many lanes the caller's thread has to attend to.
    pub(super) company: Arc<AtomicUsize>,
    /// Where lanes report refused commands, marks and losses.
    pub(super) deployment: Weak<Deployment>,
}

impl Template {
    /// What lanes and sessions of the node at `endpoint` get from the client.
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work.
    pub(super) fn home(&self, endpoint: &Endpoint, place: u32) -> Result<Home> {
        let options =
            Arc::new(ClientOptions { endpoint: endpoint.clone(), ..self.options.clone() });
        let pool = self.pool(Arc::clone(&options))?;
        let router: Weak<dyn lane::RefusalHandler> = Weak::<Deployment>::clone(&self.deployment);
        Ok(Home {
            lane_id: place,
            is_served_by_caller: self.commons.is_served_by_caller,
            options,
            pool,
            outboxes: Arc::clone(&self.commons.outboxes),
            metrics: Arc::clone(&self.commons.metrics),
            router: Some(router),
            company: Arc::clone(&self.company),
        })
    }

    /// A pool of connections with these options.
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work.
    pub(super) fn pool(&self, options: Arc<ClientOptions>) -> Result<Arc<Pool>> {
        let _inside = self.commons.runtime.enter();
        let tls = options.tls.as_ref().map(|tls| self.commons.tls.of(tls)).transpose()?;
        let pool = Pool::with_tls(
            options,
            tls,
            Arc::clone(&self.commons.questions),
            Arc::clone(&self.commons.outboxes),
            Arc::clone(&self.commons.metrics),
        );
        Ok(Arc::new(pool))
    }

    /// Closes a pool in the background.
    pub(super) fn close(&self, pool: Arc<Pool>) {
        self.commons.runtime.spawn(async move { pool.close().await });
    }

    /// Tells the application.
    pub(super) fn tell(&self, event: Event) {
        self.commons.outboxes.tell(event);
    }
}
