//! Watches several nodes for a subscriber: moves names that belong to another node now, and keeps
//! the time for names that no node can be asked for.
//!
//! One task for each subscriber of several nodes. Never touches a connection: that is for the
//! drivers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, Instant};

use super::hub::Hub;
use crate::connection::bounds::{DEADLINE_STEP, QUIET};

/// Keeps a subscriber until it is closed. After a panic, which is a bug in oxidis, it goes on.
pub(super) async fn supervise(hub: Arc<Hub>, changes: watch::Receiver<u64>) {
    while tokio::spawn(keep(Arc::clone(&hub), changes.clone())).await.is_err() {
        sleep(PAUSE).await;
    }
}

async fn keep(hub: Arc<Hub>, mut changes: watch::Receiver<u64>) {
    // What has changed before this task ran is looked at first.
    changes.mark_changed();
    while let Some(until) = hub.next_look() {
        tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => hub.rearrange(),
                // The nodes are gone, so there is nothing to keep.
                Err(_) => return,
            },
            () = hub.news.notified() => {}
            () = sleep_until(until) => {
                let now = Instant::now();
                hub.expire(now);
                if hub.lock().ledger.retry_at().is_some_and(|at| at <= now) {
                    hub.lock().ledger.recall();
                    hub.arrange();
                }
                hub.survey(now);
            }
        }
    }
}

impl Hub {
    /// When something is due; None once the subscriber is closed.
    fn next_look(&self) -> Option<Instant> {
        let coverage = self.lock();
        if coverage.closed.is_some() {
            return None;
        }
        let now = Instant::now();
        let deadline = coverage.ledger.next_deadline();
        let deadline = deadline.map(|at| (at + BEHIND).max(now + DEADLINE_STEP));
        let survey = coverage.next_survey(now);
        let next = [deadline, coverage.ledger.retry_at(), survey].into_iter().flatten().min();
        Some(next.unwrap_or(now + QUIET))
    }
}

/// How much later than a driver the keeper looks at a deadline: a driver first reads a confirmation
/// that has arrived in time. Two steps of [`DEADLINE_STEP`], by which a driver may be late.
const BEHIND: Duration = Duration::from_millis(20);
/// The pause after a panic, so that a bug that comes again at once does not take a whole core.
const PAUSE: Duration = Duration::from_secs(1);
