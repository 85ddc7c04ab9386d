//! The engine of a client: what all event loops that share the client have in common.

use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use super::runtime;
use super::servers::Servers;
use super::sessions::Sessions;
use crate::error::{Error, Result};
use crate::lane::{Home, Lane};
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::{Outbox, Outboxes};
use crate::pool::Questions;
use crate::session::Session;
use crate::topology::Commons;

/// The connections of a client, and everything that its event loops share.
pub(super) struct Engine {
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) outboxes: Arc<Outboxes>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) questions: Arc<Questions>,
    pub(super) sessions: Sessions,
    pub(super) servers: Servers,
}

impl Engine {
    /// An engine with one owner, whose number is 0. `is_served_by_caller`: see
    /// [`crate::lane::Lane::start`].
    ///
    /// # Errors
    ///
    /// `USAGE` for options that can never work; `INTERNAL` if the I/O thread cannot be started.
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
            tls: Arc::default(),
        };
        let servers = Servers::open(options, commons)?;
        let sessions = Sessions::default();
        Ok(Self { runtime: runtime.clone(), outboxes, metrics, questions, sessions, servers })
    }

    /// Opens the session `id` of `owner` on the node at the place `node`, or on the node that takes
    /// commands without a key. Fails if `is_over` is set by then.
    pub(super) async fn open_session(
        &self,
        owner: u32,
        id: u32,
        node: Option<u32>,
        is_over: &AtomicBool,
    ) -> Result<()> {
        let home = self.servers.home(node).ok_or_else(super::lost)?;
        let node = home.lane_id;
        let lease = home.pool.acquire().await?;
        // A session delivers under its own number.
        let session = Session::start(Home { lane_id: id, ..home }, lease);
        self.sessions.open((owner, id), node, session, is_over)
    }

    /// Makes the connection of the only lane the session `id` of `owner`. False if that cannot be.
    pub(super) fn borrow_lane(&self, owner: u32, id: u32, is_over: &AtomicBool) -> bool {
        let Servers::One { home, lanes } = &self.servers else { return false };
        let [lane] = lanes.as_slice() else { return false };
        let _inside = self.runtime.enter();
        let Some(loan) = lane.lend(Home { lane_id: id, ..home.clone() }) else { return false };
        let session = Session::borrowed(Arc::clone(&home.pool), loan);
        self.sessions.open((owner, id), home.lane_id, session, is_over).is_ok()
    }

    /// Makes all connections begin anew, as the options say, once what is in flight is answered.
    /// Nothing is done for several nodes, whose connections nobody changes.
    pub(super) fn reset(&self) {
        if let Servers::One { home, lanes } = &self.servers {
            home.pool.forget();
            // In this order: a lane that had its next connection already would wait for another.
            lanes.iter().for_each(Lane::start_over);
            home.pool.suspect(home.pool.generation());
        }
    }

    /// Ends all commands and sessions of `owner`.
    pub(super) fn abandon(&self, owner: u32, error: &Error) {
        self.sessions.close(owner, error);
        match &self.servers {
            Servers::One { lanes, .. } => lanes.iter().for_each(|lane| lane.abandon(owner, error)),
            Servers::Several(router) => router.abandon(owner, error),
        }
    }

    /// Ends all lanes, for good: no owner is left.
    pub(super) fn close(&self, error: &Error) {
        match &self.servers {
            Servers::One { home, lanes } => {
                lanes.iter().for_each(|lane| lane.close(error));
                let pool = Arc::clone(&home.pool);
                self.runtime.spawn(async move { pool.close().await });
            }
            Servers::Several(router) => router.close(error),
        }
    }
}
