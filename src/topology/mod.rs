//! Several nodes behind one client: which node gets which command, and how that is found out.
//!
//! A [`Router`] has a pool and a lane for each node. `table` says which node has which slot, `aim`
//! which slot a command wants. A [`Source`] asks servers where everything is: which nodes there
//! are, which slots they have, and which of them take writes. Such a question is called a look
//! around, and `keeper` decides when there is one. Commands that a node refuses come back from its
//! lane, and are sent on within their deadlines. A cluster has several shards; the primary and the
//! replicas that Sentinel watches are one shard with all slots.
//!
//! Invariant: everything about a router changes under its one lock, which is never held over an
//! await. A lane's lock may be taken under the router's lock, and never the other way round.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod addresses;
mod aim;
mod deployment;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod holds;
mod info;
mod keeper;
mod kinship;
mod look;
mod moves;
mod node;
mod parked;
mod proof;
mod reads;
mod redirect;
mod refused;
mod registry;
mod retry;
mod router;
mod routes;
mod source;
mod split;
mod submit;
mod table;
mod template;
mod upkeep;
mod view;

pub use self::addresses::Addresses;
pub use self::deployment::Prompt;
pub use self::info::{NodeInfo, ShardInfo};
pub use self::kinship::Kinship;
pub use self::redirect::is_plain;
pub use self::router::Router;
pub use self::source::{first_of, unavailable, Candidates, Identifying, Looking, Source};
pub use self::template::Commons;
pub use self::view::{Member, Shard, View};
