//! The harness of the fuzz target `topology`.

use super::{read, read_closely};
use crate::command::slot::SLOTS;
use crate::options::Endpoint;
use crate::resp::fuzzing::values;
use crate::topology::{is_plain, View};

/// Reads `wire` as a node's answers to `CLUSTER SLOTS` and `CLUSTER NODES`.
///
/// # Panics
///
/// If a view that is accepted names an address that is none, more nodes than a cluster can have, or
/// slots that do not exist.
pub fn answers(wire: &[u8]) {
    let from = Endpoint::tcp("127.0.0.1", 7000);
    let values = values(wire);
    let Some(slots) = values.first() else { return };
    check(read(slots, &from));
    if let Some(nodes) = values.get(1) {
        check(read_closely(slots, nodes, &from));
    }
}

fn check(view: crate::error::Result<View>) {
    let Ok(view) = view.and_then(View::checked) else { return };
    assert!(view.members().count() <= View::MOST_NODES);
    for member in view.members() {
        let Endpoint::Tcp { host, port } = &member.endpoint else { panic!("a socket file") };
        assert!(is_plain(host) && *port != 0, "{}", member.endpoint);
    }
    let ranges: Vec<_> = view.shards.iter().flat_map(|shard| &shard.slots).collect();
    assert!(!ranges.is_empty());
    for range in ranges {
        assert!(range.start() <= range.end() && *range.end() < SLOTS);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_near_the_seeds_name_no_impossible_view() {
        crate::resp::fuzzing::try_seeds("topology", super::answers);
    }
}
