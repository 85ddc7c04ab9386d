//! A subscriber: the connections that carry a client's Pub/Sub, or the one of its MONITOR.
//!
//! A *feed* is the way to one node: a connection, and those that come after it. `ledger` is pure
//! and knows what is wanted and what the servers have confirmed; `driver` moves the bytes of one
//! feed. A connection is opened with the first subscription and closed some time after the last.
//! When it is lost, everything wanted is asked for again, and the gap is reported.
//!
//! If there are several nodes, a shard channel is subscribed to on the node that has its slot, a
//! name of keyspace notifications on each primary (`spread`), and everything else on any one node
//! (`placement`); `keeper` moves it when that changes. Messages wait for the caller in a bounded
//! backlog, so sockets are read whatever the caller does.
//!
//! Invariant: everything about a subscriber changes under its one lock, which is never held over an
//! await. The locks of pools and nodes may be taken under it, never the other way round.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod driver;
mod feeds;
mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hub;
mod keeper;
mod ledger;
mod nodes;
mod notifications;
mod placement;
mod refusal;
mod spread;
mod subscriber;
#[cfg(test)]
mod tests;
mod topic;

pub use self::ledger::Request;
pub use self::nodes::Nodes;
pub use self::subscriber::{Allotment, Subscriber, SubscriberStats};
pub use self::topic::Topic;
