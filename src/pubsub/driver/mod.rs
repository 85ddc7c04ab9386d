//! Drives one feed of a subscriber on tokio: makes a connection when something is wanted, and
//! another one when it is lost.
//!
//! Owns the lease. Never decides what is asked of the server (that is `ledger`), nor of which
//! server (that is `placement`, which is told when a node does not answer). Invariant: a connection
//! that was subscribed to anything is closed, never lent to somebody else.

mod outage;
mod service;
mod timers;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout, Instant};

use self::service::SubscriberDriver;
use super::feeds::Feed;
use super::hub::Hub;
use super::subscriber::Allotment;
use crate::backoff::{self, Flaps};
use crate::error::{Error, ErrorClass};
use crate::pool::Lease;

/// Drives a feed. If its driver panics, which is a bug in oxidis, all requests under way fail,
/// messages are missed, and the feed goes on.
pub(super) async fn supervise(hub: Arc<Hub>, feed: Arc<Feed>) {
    loop {
        let driver = tokio::spawn(drive(Arc::clone(&hub), Arc::clone(&feed)));
        if driver.await.is_ok() {
            return;
        }
        let text = "a bug in oxidis ended this subscriber's connection; please report it";
        {
            let ledger = &mut hub.lock().ledger;
            ledger.fail_all(&Error::connection("INTERNAL", text));
            ledger.disconnect(feed.id);
        }
        hub.report(Instant::now());
        // The server may send the bytes that led to the panic again.
        sleep(HOPELESS).await;
    }
}

/// How a connection ended.
enum FeedEnd {
    /// Nothing is wanted over it any more.
    Needless,
    /// It was lost.
    Lost(Error),
}

async fn drive(hub: Arc<Hub>, feed: Arc<Feed>) {
    let mut flaps = Flaps::default();
    while hub.is_needed(&feed).await {
        // In boxes, because every client has two feeds, and few ever need a connection.
        let Some(lease) = Box::pin(connect(&hub, &feed)).await else { continue };
        let started = Instant::now();
        let end = Box::pin(SubscriberDriver::new(&hub, &feed, lease).run()).await;
        let error = match end {
            FeedEnd::Needless => {
                hub.lock().ledger.disconnect(feed.id);
                hub.report(Instant::now());
                continue;
            }
            FeedEnd::Lost(error) => error,
        };
        hub.lose(&feed, &error);
        let delay = flaps.ended(started.elapsed(), backoff::random());
        let is_flapping = delay.is_some() && !feed.is_last_resort;
        if is_flapping || error.code() == "DEAD_PEER" {
            hub.evict(&feed);
        }
        if let Some(delay) = delay {
            hub.keep_time(&feed, sleep(delay)).await;
        }
    }
}

/// Makes a connection; None if it is not needed any more, or could not be made.
async fn connect(hub: &Arc<Hub>, feed: &Feed) -> Option<Lease> {
    let lease = async {
        match hub.budget {
            Allotment::Subscribers => feed.pool.subscriber_lease().await,
            Allotment::Sessions => feed.pool.acquire().await,
        }
    };
    match hub.keep_time(feed, hub.impatiently(feed, lease)).await? {
        Ok(lease) => Some(lease),
        Err(error) if hub.nodes.is_some() && error.kind() == ErrorClass::Closed => {
            hub.forget(feed);
            None
        }
        Err(error) => {
            hub.lock().ledger.fail_at(feed.id, &error);
            hub.report(Instant::now());
            if !feed.is_last_resort {
                hub.evict(feed);
            }
            // A new request ends the pause, so that it gets its answer at once.
            let _ = timeout(HOPELESS, feed.wake.notified()).await;
            hub.evict(feed);
            None
        }
    }
}

/// The pause after an error that another attempt cannot mend, which is as long as the pool keeps
/// its own verdict. Subscriptions stay wanted until the caller says otherwise, so they are asked
/// for again.
const HOPELESS: Duration = Duration::from_secs(1);
