//! Drives a lane on the I/O thread: makes its connections, one after the other, for as long as the
//! lane exists.
//!
//! Owns the lease. Never decides what a reply or a loss means for a command: that is `queue`.
//! Invariant: however a connection ends, its lease is dropped here, inside the runtime.

mod outage;
mod service;
mod timers;

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio::time::{sleep, Instant};

use self::service::LaneDriver;
use super::conduit::{internal, Conduit};
use super::link::Link;
use super::loan::Lender;
use super::wire::Wire;
use crate::backoff::{self, Flaps};
use crate::error::Error;
use crate::options::Reconnect;
use crate::outbox::Event;
use crate::pool::Lease;

/// Runs a shared lane. If its driver panics, which is a bug in oxidis, the commands of this
/// connection fail, and the lane goes on.
pub(super) async fn supervise(conduit: Arc<Conduit>) {
    loop {
        let driver = tokio::spawn(drive(Arc::clone(&conduit)));
        if driver.await.is_ok() {
            return;
        }
        let is_open = conduit.fail_inside(|link| leave(link, Link::Dormant));
        if !is_open {
            return;
        }
        if let Some(router) = conduit.router() {
            router.lost(conduit.home.lane_id);
        }
    }
}

/// Runs an exclusive lane over `lease`. If its driver panics, the commands of this connection fail,
/// and the lane ends.
pub(super) async fn supervise_exclusive(conduit: Arc<Conduit>, lease: Lease) {
    let driver = tokio::spawn(drive_exclusive(Arc::clone(&conduit), lease));
    if driver.await.is_err() {
        conduit.fail_inside(|link| leave(link, Link::Closed));
        conduit.home.outboxes.tell(Event::Left(conduit.home.lane_id));
    }
}

/// Runs an exclusive lane over the connection that `lender` has lent, whose lease comes from the
/// driver of that lane. Panics end as for [`supervise_exclusive`].
pub(super) async fn supervise_borrower(
    conduit: Arc<Conduit>,
    lender: Lender,
    lease: oneshot::Receiver<Lease>,
    wire: Arc<Mutex<Wire>>,
) {
    let driver = tokio::spawn(drive_borrower(Arc::clone(&conduit), lease, wire));
    let lost = driver.await.unwrap_or_else(|_| {
        conduit.fail_inside(|link| leave(link, Link::Closed));
        None
    });
    conduit.home.outboxes.tell(Event::Left(conduit.home.lane_id));
    let Some(lender) = lender.upgrade() else { return };
    match lost {
        Some(error) => lender.lose_lent(&error),
        None => lender.reclaim(),
    }
}

/// How a connection ended.
enum LinkEnd {
    /// It was lost.
    Lost(Error),
    /// The server lacks what the client needs.
    Refused(Error),
    /// An exclusive lane has given it back.
    Left,
    /// Another one takes over.
    Replaced(Box<Lease>),
    /// It was lent to another lane.
    Lent,
    /// The lane is closed.
    Closed,
}

async fn drive(conduit: Arc<Conduit>) {
    let mut next = None;
    let mut flaps = Flaps::default();
    loop {
        let mut lease = match next.take() {
            Some(lease) => lease,
            // In a box, as the driver below: a lane that stands keeps nothing of its connecting, and
            // one that never connects, as many do, is small.
            None => match Box::pin(connect(&conduit)).await {
                Some(lease) => lease,
                None => return,
            },
        };
        let started = Instant::now();
        let end = match Box::pin(conduit.begin_tracking(&mut lease)).await {
            None => LinkEnd::Closed,
            Some(Ok(())) => Box::pin(LaneDriver::new(&conduit, lease).run()).await,
            Some(Err(error)) if error.is_fatal() => LinkEnd::Refused(error),
            Some(Err(error)) => LinkEnd::Lost(error),
        };
        conduit.lose_track();
        match end {
            LinkEnd::Lost(error) => {
                conduit.lose(&error);
                match conduit.home.options.reconnect {
                    Reconnect::Never => {
                        conduit.stop(&error);
                        continue;
                    }
                    Reconnect::Once => {
                        conduit.end(&error);
                        conduit.home.outboxes.tell(Event::Stopped(error));
                        return;
                    }
                    _ => {}
                }
                if let Some(delay) = flaps.ended(started.elapsed(), backoff::random()) {
                    if conduit.keep_time(sleep(delay)).await.is_none() {
                        return;
                    }
                }
            }
            LinkEnd::Refused(error) => conduit.refuse(error),
            LinkEnd::Replaced(lease) => next = Some(*lease),
            LinkEnd::Lent => {}
            LinkEnd::Closed | LinkEnd::Left => return,
        }
    }
}

async fn drive_exclusive(conduit: Arc<Conduit>, lease: Lease) {
    if let LinkEnd::Lost(error) = LaneDriver::new(&conduit, lease).run().await {
        conduit.end(&error);
    }
    conduit.home.outboxes.tell(Event::Left(conduit.home.lane_id));
}

/// Serves a connection that was lent. Returns why it was lost, if it was.
async fn drive_borrower(
    conduit: Arc<Conduit>,
    lease: oneshot::Receiver<Lease>,
    wire: Arc<Mutex<Wire>>,
) -> Option<Error> {
    let end = match lease.await {
        Ok(lease) => LaneDriver::of_borrower(&conduit, lease, wire).run_lent().await,
        // The lender's driver has panicked, and the lease went with it.
        Err(_) => LinkEnd::Lost(internal()),
    };
    let LinkEnd::Lost(error) = end else { return None };
    conduit.end(&error);
    Some(error)
}

/// Waits until a connection is wanted, and makes it. None once the lane is closed.
async fn connect(conduit: &Conduit) -> Option<Lease> {
    loop {
        while !conduit.is_wanted()? {
            conduit.wake.notified().await;
        }
        match conduit.keep_time(conduit.home.pool.lane_lease()).await? {
            Ok(lease) => return Some(lease),
            Err(error) => {
                let mut traffic = conduit.lock();
                if traffic.link.is_closed() {
                    return None;
                }
                traffic.link = Link::Dormant;
                let ended = traffic.queue.fail_all();
                drop(traffic);
                conduit.fail(ended, &error);
            }
        }
    }
}

/// Closes the connection of `link`, if there is one, and puts `next` in its place.
fn leave(link: &mut Link, next: Link) {
    if let Link::Up { stream, .. } = link {
        stream.close();
    }
    *link = next;
}
