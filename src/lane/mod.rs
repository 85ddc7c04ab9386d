//! A lane: one connection that carries commands through pipelining. The hot path.
//!
//! A shared lane is kept alive for as long as it exists: it connects, reconnects, retries and
//! replaces old connections. An exclusive lane serves a lease that one caller has to itself: it
//! never retries and ends with its connection.
//!
//! `queue` is pure and knows what is queued, written and answered. `front` is what callers call,
//! `link` is the connection and who attends to it, `writer` writes, `wire` reads, and `driver` does
//! the rest on the I/O thread. Any thread may submit: the bytes are written at once if the socket
//! takes them, so that a batch costs no thread hop on its way out. Invariant: everything about a
//! lane changes under its one lock, which is never held over an await.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod batch;
mod command;
mod conduit;
mod detached;
mod driver;
mod findings;
mod front;
mod home;
mod link;
mod loan;
mod outcome;
mod queue;
mod refusal;
mod routed;
#[cfg(test)]
mod tests;
mod told;
mod tracking;
mod wire;
mod writer;

pub use self::batch::Batch;
pub use self::command::Command;
pub use self::front::{Lane, LaneStats, Submitted};
pub use self::home::{Home, RefusalHandler};
pub use self::link::Wait;
pub use self::loan::Loan;
pub use self::outcome::{Ended, Refused};
pub use self::routed::Marked;
