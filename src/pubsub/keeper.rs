//! Watches several nodes for a subscriber: moves what has to be had elsewhere, and keeps the time
//! for what can be had nowhere.
//!
//! One task for each subscriber of several nodes. Never touches a connection: that is the drivers'.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, Instant};

use super::{Shared, DEADLINE_STEP};

/// The look at the clock when nothing is due.
const QUIET: Duration = Duration::from_secs(5);
/// How much later than the drivers deadlines are looked at, who read what has come before they do.
const BEHIND: Duration = Duration::from_millis(20);
/// The pause after a bug of ours.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps a subscriber until it is closed; a panic costs a pause.
pub(super) async fn supervise(shared: Arc<Shared>, changes: watch::Receiver<u64>) {
    while tokio::spawn(keep(Arc::clone(&shared), changes.clone())).await.is_err() {
        sleep(PAUSE).await;
    }
}

async fn keep(shared: Arc<Shared>, mut changes: watch::Receiver<u64>) {
    // Whatever has happened before is looked at first.
    changes.mark_changed();
    while let Some(until) = shared.next_look() {
        tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => shared.rearrange(),
                // Without nodes there is nothing to keep.
                Err(_) => return,
            },
            () = shared.news.notified() => {}
            () = sleep_until(until) => {
                let now = Instant::now();
                shared.expire(now);
                if shared.lock().state.retry_at().is_some_and(|at| at <= now) {
                    shared.lock().state.recall();
                    shared.arrange();
                }
            }
        }
    }
}

impl Shared {
    /// When something is due; None once the subscriber is closed.
    fn next_look(&self) -> Option<Instant> {
        let inner = self.lock();
        if inner.closed.is_some() {
            return None;
        }
        let now = Instant::now();
        let deadline = inner.state.next_deadline().map(|at| (at + BEHIND).max(now + DEADLINE_STEP));
        let next = [deadline, inner.state.retry_at()].into_iter().flatten().min();
        Some(next.unwrap_or(now + QUIET))
    }
}
