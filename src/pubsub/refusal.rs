//! What the refusals of shard channels mean: pure.

use std::time::Duration;

use crate::command::slot::SLOTS;
use crate::error::{Error, ErrorClass};

/// Where a shard channel is to be had that a node has refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Where this slot is now.
    Moved(u16),
    /// Nowhere at the moment.
    Later,
}

/// Moves in a row that are followed (reliability P16).
const MOST_MOVES: u32 = 5;
/// Of these, how many at once. More mean that nodes do not agree, as for some milliseconds when a
/// slot moves to and fro, and they need time for it.
const PLAIN_MOVES: u32 = 2;
/// The pause before a channel is looked for again that nobody can have now; doubled up to
/// [`LONGEST`] (reliability, scenario 25: 100 ms to 1 s).
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
/// How long the caller may take to hear where a slot is: the least time between two looks around.
pub(super) const REFRESH: Duration = Duration::from_millis(200);

/// The error for an error reply, without the names that servers repeat of a command which they do
/// not know.
pub(super) fn read(text: &[u8]) -> Error {
    let text = String::from_utf8_lossy(text);
    let ours = text.split(", with args beginning with:").next().unwrap_or_default();
    Error::reply(ours)
}

/// What a refusal says; None if it means the channel itself.
pub(super) fn way(error: &Error) -> Option<Way> {
    match error.code() {
        "MOVED" => {
            let slot = error.message().split(' ').nth(1).and_then(|slot| slot.parse().ok());
            Some(slot.filter(|slot| *slot < SLOTS).map_or(Way::Later, Way::Moved))
        }
        "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" | "LOADING" | "READONLY" => {
            Some(Way::Later)
        }
        _ => None,
    }
}

/// How long to wait after as many refusals in a row; None if not at all.
pub(super) fn pause(way: Way, tries: u32) -> Option<Duration> {
    let plain = match way {
        Way::Moved(_) => PLAIN_MOVES,
        Way::Later => 0,
    };
    let doublings = tries.checked_sub(plain + 1)?.min(8);
    Some(PAUSE.saturating_mul(1 << doublings).min(LONGEST))
}

/// Whether whoever waits for the channel has to be told that nobody wants to have it.
pub(super) fn is_enough(way: Way, tries: u32) -> bool {
    matches!(way, Way::Moved(_)) && tries > MOST_MOVES
}

/// What he is told.
pub(super) fn too_many(cause: &Error) -> Error {
    let text = format!(
        "the cluster has sent the subscription on {MOST_MOVES} times, and once more: its nodes do \
         not agree on who has its slot"
    );
    let error = Error::new(ErrorClass::Redirections, "MAX_REDIRECTIONS", text);
    error.retryable().with_cause(cause.clone())
}
