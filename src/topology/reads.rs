//! Which node of a shard serves a read.

use std::time::Duration;

use super::registry::Registry;
use super::table::Places;
use crate::options::Reads;

/// Chooses nodes for reads.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// Counts reads, so that replicas take turns.
    turn: usize,
}

impl Readers {
    /// The place of the node that serves the next read, as the strategy `reads` says; None for the
    /// primary. A replica whose lane is not connected is left out.
    pub(super) fn choose(
        &mut self,
        reads: &Reads,
        shard: &Places,
        registry: &Registry,
    ) -> Option<u32> {
        self.turn = self.turn.wrapping_add(1);
        let turn = self.turn;
        let Places { primary, replicas } = shard;
        let is_up = |place: &u32| {
            registry.get(*place).is_some_and(|node| node.is_up() && !node.is_stranger)
        };
        let take_turns =
            |among: Vec<u32>| -> Option<u32> { among.get(turn.checked_rem(among.len())?).copied() };
        let up: Vec<u32> = replicas.iter().copied().filter(is_up).collect();
        match reads {
            Reads::Primary => None,
            Reads::Replica => take_turns(up),
            Reads::Nearest => {
                let latency = |place: &u32| registry.get(*place).and_then(|node| node.latency);
                let all = up.into_iter().chain([*primary]);
                all.min_by_key(|place| latency(place).unwrap_or(UNMEASURED))
            }
            Reads::Zone(zone) => {
                let zone_of = |place: &u32| registry.get(*place).and_then(|n| n.zone.as_ref());
                let is_near = |place: &u32| zone_of(place) == Some(zone);
                let near: Vec<u32> = up.iter().copied().filter(is_near).collect();
                let near = take_turns(near);
                near.or_else(|| Some(*primary).filter(is_near)).or_else(|| take_turns(up))
            }
        }
    }
}

/// The latency of a node that was not measured: more than any that was, so that it comes last.
const UNMEASURED: Duration = Duration::from_secs(3600);
