//! What all event loops that share a client have in common: one pool, its lanes, its sessions.

use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use super::runtime;
use super::sessions::Sessions;
use crate::error::{Error, Result};
use crate::lane::{Home, Lane};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Outbox, Outboxes};
use crate::pool::{Pool, Questions};
use crate::session::Session;

pub(super) struct Core {
    pub(super) runtime: tokio::runtime::Handle,
    /// What lanes and sessions have of the client; the place is that of the next lane.
    pub(super) home: Home,
    pub(super) lanes: Vec<Lane>,
    pub(super) sessions: Sessions,
    pub(super) questions: Arc<Questions>,
}

impl Core {
    /// A core with one owner, whose number is 0.
    pub(super) fn start(
        options: ClientOptions,
        outbox: Arc<Outbox>,
        is_served_by_caller: bool,
    ) -> Result<Self> {
        options.validate()?;
        let runtime = runtime::handle()?;
        let _inside = runtime.enter();
        let options = Arc::new(options);
        let outboxes = Arc::new(Outboxes::from(outbox));
        let metrics = Arc::new(Metrics::default());
        let questions = Arc::new(Questions::new(Arc::clone(&outboxes)));
        let pool = Pool::new(
            Arc::clone(&options),
            Arc::clone(&questions),
            Arc::clone(&outboxes),
            Arc::clone(&metrics),
        )?;
        let pool = Arc::new(pool);
        let lanes = options.lanes as u32;
        let home = Home { place: lanes, is_served_by_caller, options, pool, outboxes, metrics };
        let lane = |place| Lane::start(Home { place, ..home.clone() });
        let lanes = (0..lanes).map(lane).collect();
        Ok(Self { runtime: runtime.clone(), lanes, sessions: Sessions::default(), home, questions })
    }

    /// Opens a session of `owner`, which is found at `place` then, unless `is_over` by then.
    pub(super) async fn open_session(
        &self,
        owner: u32,
        place: u32,
        is_over: &AtomicBool,
    ) -> Result<()> {
        let lease = self.home.pool.acquire().await?;
        let session = Session::start(Home { place, ..self.home.clone() }, lease);
        self.sessions.open(owner, place, session, is_over)
    }

    /// Ends everything that `owner` has under way.
    pub(super) fn abandon(&self, owner: u32, error: &Error) {
        self.sessions.close(owner, error);
        for lane in &self.lanes {
            lane.abandon(owner, error);
        }
    }

    /// Ends the core itself, when nobody is left.
    pub(super) fn close(&self, error: &Error) {
        for lane in &self.lanes {
            lane.close(error);
        }
        let pool = Arc::clone(&self.home.pool);
        self.runtime.spawn(async move { pool.close().await });
    }
}
