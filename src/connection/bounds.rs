//! How long a connection is waited for: the bounds that lanes and subscribers share.
//!
//! Owns the figures and the error for a server that went silent. Each driver keeps its own clock.

use std::time::Duration;

use crate::error::Error;

/// A server that has said nothing for this long, although a reply is due, counts as dead. Such a
/// connection is to be closed within 10 s; a timer may fire up to 200 ms late.
pub const DEAD_PEER: Duration = Duration::from_millis(9_800);
/// How long the answer to the `PING` that checks an idle connection may take. A live server answers
/// in milliseconds; 5 s are as long as a command's default deadline, and half of the 10 s within
/// which a dead connection is to be closed.
pub const PING_BUDGET: Duration = Duration::from_secs(5);
/// How long to read on after a connection has failed. What the server said last has arrived by
/// then, but the runtime may not have noticed it yet; 100 ms are enough for that, and short beside
/// a reconnect.
pub const LAST_WORDS: Duration = Duration::from_millis(100);
/// How long a driver sleeps at most when nothing is due: as long as a command's default deadline,
/// and rare enough to cost nothing.
pub const QUIET: Duration = Duration::from_secs(5);
/// Deadlines are rounded up to steps of this length, so that a queue with a million different
/// deadlines is looked at a hundred times a second at most. It is a tenth of the 100 ms by which a
/// deadline may be late.
pub const DEADLINE_STEP: Duration = Duration::from_millis(10);

/// The error of a connection whose server counts as dead (code `DEAD_PEER`).
pub fn dead_peer() -> Error {
    let text = "the server has not answered for too long: the connection is given up";
    Error::connection("DEAD_PEER", text).retryable()
}
