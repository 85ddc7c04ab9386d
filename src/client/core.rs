//! What all event loops that share a client have in common: its nodes, its sessions.

use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::Arc;

use super::runtime;
use super::sessions::Sessions;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::lane::{Home, Lane};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Outbox, Outboxes};
use crate::pool::{Pool, Questions};
use crate::sentinel::Sentinel;
use crate::session::Session;
use crate::topology::{Commons, Router, Source};

pub(super) struct Core {
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) outboxes: Arc<Outboxes>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) questions: Arc<Questions>,
    pub(super) sessions: Sessions,
    pub(super) way: Way,
}

/// Where commands go.
pub(super) enum Way {
    /// To one server. The lane id of the home is the number of lanes.
    One { home: Home, lanes: Vec<Lane> },
    /// To several.
    Many(Router),
}

impl Core {
    /// A core with one owner, whose number is 0.
    pub(super) fn start(
        options: ClientOptions,
        outbox: Arc<Outbox>,
        is_served_by_caller: bool,
    ) -> Result<Self> {
        options.validate()?;
        let runtime = runtime::handle()?.clone();
        let _inside = runtime.enter();
        let outboxes = Arc::new(Outboxes::from(outbox));
        let metrics = Arc::new(Metrics::default());
        let questions = Arc::new(Questions::new(Arc::clone(&outboxes)));
        let commons = Commons {
            runtime: runtime.clone(),
            is_served_by_caller,
            questions: Arc::clone(&questions),
            outboxes: Arc::clone(&outboxes),
            metrics: Arc::clone(&metrics),
        };
        let way = Way::open(options, commons)?;
        let sessions = Sessions::default();
        Ok(Self { runtime: runtime.clone(), outboxes, metrics, questions, sessions, way })
    }

    /// Opens a session of `owner`, which is found at `place` then, unless `is_over` by then: on the
    /// node at `node`, or on the one that takes writes to the commands without a key.
    pub(super) async fn open_session(
        &self,
        owner: u32,
        place: u32,
        node: Option<u32>,
        is_over: &AtomicBool,
    ) -> Result<()> {
        let home = self.way.home(node).ok_or_else(super::lost)?;
        let node = home.lane_id;
        let lease = home.pool.acquire().await?;
        let session = Session::start(Home { lane_id: place, ..home }, lease);
        self.sessions.open((owner, place), node, session, is_over)
    }

    /// Ends everything that `owner` has under way.
    pub(super) fn abandon(&self, owner: u32, error: &Error) {
        self.sessions.close(owner, error);
        match &self.way {
            Way::One { lanes, .. } => lanes.iter().for_each(|lane| lane.abandon(owner, error)),
            Way::Many(router) => router.abandon(owner, error),
        }
    }

    /// Ends the core itself, when nobody is left.
    pub(super) fn close(&self, error: &Error) {
        match &self.way {
            Way::One { home, lanes } => {
                lanes.iter().for_each(|lane| lane.close(error));
                let pool = Arc::clone(&home.pool);
                self.runtime.spawn(async move { pool.close().await });
            }
            Way::Many(router) => router.close(error),
        }
    }
}

impl Way {
    fn open(mut options: ClientOptions, commons: Commons) -> Result<Self> {
        if let Some(topology) = options.topology.take() {
            let source: Box<dyn Source> = match topology.sentinel.clone() {
                None => Box::new(Cluster),
                Some(sentinel) => {
                    Box::new(Sentinel::new(&options, &topology, sentinel, commons.clone()))
                }
            };
            return Ok(Self::Many(Router::start(options, topology, commons, source)));
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

    /// What sessions of the node at `node` have of it; None if there is no such node.
    pub(super) fn home(&self, node: Option<u32>) -> Option<Home> {
        match self {
            Self::One { home, .. } => Some(home.clone()),
            Self::Many(router) => router.home(node.or_else(|| router.primary(None))?),
        }
    }
}
