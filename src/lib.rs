//! The Rust core of oxidis, a Redis and Valkey client for Node.js.
//!
//! # Layout
//!
//! The modules read like the path of a command; imports go down only.
//!
//! | layer | module | owns |
//! |---|---|---|
//! | 0 | [`error`], [`metrics`], [`backoff`] | error classes; counters; jittered delays |
//! | 1, pure | [`error_replies`], [`resp`], [`options`], [`command`] | what error replies mean; bytes; validated options; the command table |
//! | 2, I/O | [`stream`], [`connection`], [`outbox`] | a byte stream; its handshake and framing; the way back to a caller |
//! | 3 | [`pool`], [`lane`], [`session`], [`pubsub`] | the connections of a node; the shared one; an exclusive one; the one for messages |
//! | 4 | [`topology`], [`cluster`], [`sentinel`] | several nodes: which one gets a command; how a cluster and sentinels describe them |
//! | 5 | [`client`] | one client of the application |
//! | 6 | `binding` | N-API; the only module with `unsafe` |

#![deny(unsafe_op_in_unsafe_fn, unsafe_code)]

pub mod backoff;
#[cfg(feature = "binding")]
#[allow(unsafe_code)]
// What `#[napi]` exports is only used by the loader of a real addon.
#[cfg_attr(test, allow(dead_code))]
mod binding;
pub mod client;
pub mod cluster;
pub mod command;
pub mod connection;
pub mod error;
pub mod error_replies;
pub mod lane;
pub mod metrics;
pub mod options;
pub mod outbox;
pub mod pool;
pub mod pubsub;
pub mod resp;
pub mod sentinel;
pub mod session;
pub mod stream;
pub mod topology;
