//! What a subscriber of several nodes asks of the client's router.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::Error;
use crate::pool::Pool;

/// Says where names are to be subscribed to. It is called under the subscriber's lock, so it must
/// not call back.
pub trait Nodes: Send + Sync {
    /// The places of the nodes that have the messages of all channels, each with whether the node
    /// is known to answer. Empty before anything is known.
    fn members(&self) -> Vec<(u32, bool)>;

    /// The place of the node that has the shard channels of `slot`.
    fn owner(&self, slot: u16) -> Option<u32>;

    /// Whether several primaries have parts of the keys each, so that each of them sends the
    /// notifications of its own keys only.
    fn is_split(&self) -> bool;

    /// The places of all primaries that have slots. Empty before anything is known.
    fn primaries(&self) -> Vec<u32>;

    /// When the servers were asked where everything is, if the answer to that is the last that is
    /// known.
    fn viewed(&self) -> Option<Instant>;

    /// The pool of the node at `place`; None if the node is not a part of the deployment any more.
    /// A place may be given to another node, which has another pool.
    fn pool(&self, place: u32) -> Option<Arc<Pool>>;

    /// The node at `place` has said `error`, a MOVED, about `slot`.
    fn redirected(&self, place: u32, slot: u16, error: &Error);

    /// Asks where everything is, soon.
    fn look(&self);

    /// Why the last question where everything is has failed, if it has.
    fn failure(&self) -> Option<Error>;

    /// Changes whenever the answers of the other methods may have changed.
    fn changes(&self) -> watch::Receiver<u64>;
}
