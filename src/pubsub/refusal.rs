//! What a subscriber does when a node of a cluster refuses a shard channel.
//!
//! Pure. [`crate::error_replies`] says what each reply means; this file says where the channel is
//! looked for next, and after which pause.

use std::time::Duration;

use crate::command::slot::SLOTS;
use crate::error::{Error, ErrorClass};
use crate::error_replies::{ErrorReply, Reason};

/// Where a shard channel can be subscribed to after a node has refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// At the node that has this slot now.
    Moved(u16),
    /// Nowhere at the moment: at the node of its slot, after a pause.
    Later,
}

/// A subscription is sent on this often in a row before its caller gets an error. As many as the
/// commands of a cluster's client follow by default (node-redis has 16).
const MOST_MOVES: u32 = 5;
/// So many of these moves are followed at once. If there are more, the nodes do not agree about the
/// slot, which takes some milliseconds when it moves to and fro, so the subscriber pauses.
const PLAIN_MOVES: u32 = 2;
/// The first pause before a channel is subscribed to again that no node serves now. The pause is
/// doubled up to [`LONGEST`]. A move of a slot ends in milliseconds, a failover in seconds: so the
/// first tries come quickly, and a long trouble costs one try a second.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
/// How long the router may take to tell where a slot is: the least time between two looks around.
pub(super) const REFRESH: Duration = Duration::from_millis(200);

/// The error for an error reply. Servers repeat the arguments of a command that they do not know;
/// these are left out, because they are names of the application.
pub(super) fn read(text: &[u8]) -> Error {
    let text = String::from_utf8_lossy(text);
    let ours = text.split(", with args beginning with:").next().unwrap_or_default();
    Error::reply(ours)
}

/// Where the channel is looked for next; None if the refusal is about the channel itself, so that
/// no other node would take it.
pub(super) fn way(error: &Error) -> Option<Way> {
    match ErrorReply::of(error.code().as_bytes())?.reason {
        Reason::SlotMoved => {
            let slot = error.message().split(' ').nth(1).and_then(|slot| slot.parse().ok());
            Some(slot.filter(|slot| *slot < SLOTS).map_or(Way::Later, Way::Moved))
        }
        Reason::SlotMoving
        | Reason::KeysSplit
        | Reason::ClusterDown
        | Reason::NotReady
        | Reason::NotPrimary => Some(Way::Later),
        Reason::NotLoggedIn | Reason::ScriptRunning | Reason::WritesRefused => None,
    }
}

/// How long to wait after `tries` refusals in a row; None if the next node is asked at once.
pub(super) fn pause(way: Way, tries: u32) -> Option<Duration> {
    let plain = match way {
        Way::Moved(_) => PLAIN_MOVES,
        Way::Later => 0,
    };
    let doublings = tries.checked_sub(plain + 1)?.min(8);
    Some(PAUSE.saturating_mul(1 << doublings).min(LONGEST))
}

/// Whether callers that wait for the subscription get an error, because `tries` nodes in a row have
/// sent it on.
pub(super) fn is_enough(way: Way, tries: u32) -> bool {
    matches!(way, Way::Moved(_)) && tries > MOST_MOVES
}

/// The error that these callers get.
pub(super) fn too_many(cause: &Error) -> Error {
    let text = format!(
        "the cluster has sent the subscription on {MOST_MOVES} times, and once more: its nodes do \
         not agree on who has its slot"
    );
    let error = Error::new(ErrorClass::Redirections, "MAX_REDIRECTIONS", text);
    error.retryable().with_cause(cause.clone())
}
