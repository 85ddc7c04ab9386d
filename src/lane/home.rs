//! What a lane gets from its client: options, connections, and the way back for replies.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};

use super::outcome::Refused;
use crate::metrics::Metrics;
use crate::options::ClientOptions;
use crate::outbox::Outboxes;
use crate::pool::Pool;

/// What a lane gets from its client.
#[derive(Clone)]
pub struct Home {
    /// The number by which the client finds the lane. For a session it is the session id; for the
    /// lane of a cluster's node it is the node's place.
    pub lane_id: u32,
    /// Promises that somebody calls [`Lane::serve`](super::Lane::serve) whenever the stream of
    /// [`Lane::detached`](super::Lane::detached) is ready.
    pub is_served_by_caller: bool,
    /// The client's options.
    pub options: Arc<ClientOptions>,
    /// Where connections come from.
    pub pool: Arc<Pool>,
    /// Where replies go.
    pub outboxes: Arc<Outboxes>,
    /// The client's counters.
    pub metrics: Arc<Metrics>,
    /// Who decides about refused commands if there are several nodes.
    pub router: Option<Weak<dyn RefusalHandler>>,
    /// How many lanes the caller's thread attends to.
    pub company: Arc<AtomicUsize>,
}

/// Decides about refused commands, because it knows the other nodes.
///
/// The lane calls it without holding its own lock, one call after the other, in the order of the
/// replies.
pub trait RefusalHandler: Send + Sync {
    /// The server of the lane `lane_id` has not run these commands. They are in their order.
    fn refused(&self, lane_id: u32, refused: Vec<Refused>);

    /// The first [`Lane::mark`](super::Lane::mark) that was not reported yet is answered, and so is
    /// everything that was queued before it.
    fn passed(&self, lane_id: u32);

    /// The lane `lane_id` has lost its connection, and its marks with it.
    fn lost(&self, lane_id: u32);
}
