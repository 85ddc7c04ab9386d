//! Sentinel: asks the servers that watch over a primary and its replicas which node is which.
//!
//! Owns the connections to the sentinels. Of the nodes it asks one thing only: their role.
//! `opinion` reads what one sentinel says, `election` decides between several, `circle` knows which
//! sentinels there are. `watch` listens to one of them, so that a look around follows each failover
//! at once. Invariant: a node becomes the primary here only if it has said itself that it is one.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod announcement;
mod circle;
mod election;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod look;
mod opinion;
mod panel;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use self::panel::Panel;
use crate::error::{Error, ErrorClass};
use crate::options::{ClientOptions, Endpoint, SentinelOptions, TopologyOptions};
use crate::topology::{Candidates, Commons, Kinship, Looking, Prompt, Source};

/// The sentinels of one primary.
pub struct Sentinel {
    panel: Arc<Panel>,
}

impl Sentinel {
    /// Knows only the sentinels that `sentinel` names. `options` are those of a connection to a
    /// node.
    pub fn new(
        options: &ClientOptions,
        topology: &TopologyOptions,
        sentinel: SentinelOptions,
        commons: Commons,
    ) -> Self {
        Self { panel: Arc::new(Panel::new(options, topology, sentinel, commons)) }
    }
}

impl Source for Sentinel {
    fn look<'a>(&'a self, candidates: Candidates, _: &'a Kinship, budget: Duration) -> Looking<'a> {
        Box::pin(async move {
            let panel = &self.panel;
            panel.begin_watch();
            // A look that began before a failover was announced may have old answers, so it begins
            // again; but not for ever, if announcements do not end.
            for _ in 0..RESTARTS {
                tokio::select! {
                    biased;
                    view = panel.look(&candidates, budget) => return (view, Vec::new()),
                    () = panel.news.notified() => {}
                }
            }
            (panel.look(&candidates, budget).await, Vec::new())
        })
    }

    fn attach(&self, prompt: Prompt) {
        self.panel.lock().prompt = Some(prompt);
    }

    fn witnesses(&self) -> (Vec<Endpoint>, Option<Endpoint>) {
        let roster = self.panel.lock();
        (roster.circle.all(), roster.watched.clone())
    }

    fn close(&self) {
        self.panel.close_all();
    }
}

fn silent() -> Error {
    Error::new(ErrorClass::ConnectionTimeout, "CONNECT_TIMEOUT", "the server did not answer")
        .retryable()
}

/// A server that has refused so many connections in a row is not waited for any longer: one failure
/// may be chance.
const CONNECT_TRIES: u32 = 2;
/// How often one look begins again because a failover was announced: one failover is announced once
/// or twice.
const RESTARTS: u32 = 3;
