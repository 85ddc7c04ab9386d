//! Where a client sends its commands: one server, or the nodes of a deployment.

use std::sync::atomic::AtomicUsize;
use std::sync::Arc;

use crate::cluster::Cluster;
use crate::error::Result;
use crate::lane::{Home, Lane};
use crate::options::ClientOptions;
use crate::pool::Pool;
use crate::sentinel::Sentinel;
use crate::topology::{Commons, Router, Source};

/// The servers of a client.
pub(super) enum Servers {
    /// One server. `lanes` have the ids from 0 on, and `home` has the id behind the last one.
    One { home: Home, lanes: Vec<Lane> },
    /// Several nodes.
    Several(Router),
}

impl Servers {
    /// The servers of `options`. Opens no connection. Must be called inside the runtime.
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work.
    pub(super) fn open(mut options: ClientOptions, commons: Commons) -> Result<Self> {
        if let Some(topology) = options.topology.take() {
            let source: Box<dyn Source> = match topology.sentinel.clone() {
                None => Box::new(Cluster),
                Some(sentinel) => {
                    Box::new(Sentinel::new(&options, &topology, sentinel, commons.clone()))
                }
            };
            return Ok(Self::Several(Router::start(options, topology, commons, source)));
        }
        let Commons { is_served_by_caller, questions, outboxes, metrics, .. } = commons;
        let options = Arc::new(options);
        let pool = Arc::new(Pool::new(
            Arc::clone(&options),
            questions,
            Arc::clone(&outboxes),
            Arc::clone(&metrics),
        )?);
        let lane_id = options.lanes as u32;
        let (router, company) = (None, Arc::new(AtomicUsize::new(1)));
        let home = Home {
            lane_id,
            is_served_by_caller,
            options,
            pool,
            outboxes,
            metrics,
            router,
            company,
        };
        let lane = |lane_id| Lane::start(Home { lane_id, ..home.clone() });
        let lanes = (0..lane_id).map(lane).collect();
        Ok(Self::One { home, lanes })
    }

    /// What sessions of the node at the place `node` get from the client, or those of the node that
    /// takes commands without a key. None if there is no such node.
    pub(super) fn home(&self, node: Option<u32>) -> Option<Home> {
        match self {
            Self::One { home, .. } => Some(home.clone()),
            Self::Several(router) => router.home(node.or_else(|| router.primary(None))?),
        }
    }
}
