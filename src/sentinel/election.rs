//! Which node is the primary, when sentinels differ.
//!
//! Pure. A sentinel may be behind, because it was cut off while the others replaced the primary; or
//! it may lie. So what one of several sentinels says counts for nothing against what the others
//! say.

use std::collections::{HashMap, HashSet};

use super::opinion::Opinion;
use crate::options::Endpoint;

/// One sentinel's opinion.
#[derive(Debug, Clone)]
pub struct Vote {
    /// The sentinel.
    pub from: Endpoint,
    /// What it says.
    pub opinion: Opinion,
}

/// The nodes that may be the primary, the most likely first. If at least `quorum` votes name the
/// same node, it is the only one. If not, they are the nodes that votes name, the newest failover
/// first.
///
/// Without a quorum a node counts only if another vote names it as the primary or as a replica, or
/// if there is no other vote. A new primary was a replica before, so the others know it; a node
/// that one sentinel has made up is known to no other.
pub fn candidates(votes: &[Vote], quorum: usize) -> Vec<Endpoint> {
    if let Some(winner) = winner(votes, quorum) {
        return vec![winner.clone()];
    }
    let is_endorsed = |vote: &&Vote| {
        let name = &vote.opinion.primary;
        let mut others = votes.iter().filter(|other| other.from != vote.from);
        votes.len() == 1 || others.any(|other| other.opinion.names(name))
    };
    let mut named: Vec<&Opinion> =
        votes.iter().filter(is_endorsed).map(|vote| &vote.opinion).collect();
    named.sort_by_key(|opinion| std::cmp::Reverse(opinion.epoch));
    let mut seen = HashSet::new();
    named.retain(|opinion| seen.insert(&opinion.primary));
    named.into_iter().map(|opinion| opinion.primary.clone()).collect()
}

/// The nodes that may have replaced `primary`, which does not answer as a primary: those that a
/// vote with a newer failover names, the newest first. A node that only one of several votes knows
/// does not count, as in [`candidates`] without a quorum.
pub fn successors(votes: &[Vote], primary: &Endpoint) -> Vec<Endpoint> {
    let mut epochs = votes.iter().filter(|vote| vote.opinion.primary == *primary);
    let epoch = epochs.next().map_or(0, |vote| vote.opinion.epoch);
    let newer: Vec<Endpoint> = candidates(votes, usize::MAX);
    let is_newer = |name: &Endpoint| {
        let mut named = votes.iter().filter(|vote| vote.opinion.primary == *name);
        named.any(|vote| vote.opinion.epoch > epoch)
    };
    newer.into_iter().filter(|name| name != primary && is_newer(name)).collect()
}

/// The node that at least `quorum` votes name as the primary.
pub fn winner(votes: &[Vote], quorum: usize) -> Option<&Endpoint> {
    let mut counts: HashMap<&Endpoint, usize> = HashMap::new();
    for vote in votes {
        *counts.entry(&vote.opinion.primary).or_default() += 1;
    }
    counts.into_iter().find(|(_, count)| *count >= quorum).map(|(winner, _)| winner)
}

/// The replicas of `primary`: those that more than half of the votes for it name.
pub fn replicas(votes: &[Vote], primary: &Endpoint) -> Vec<Endpoint> {
    let votes: Vec<&Opinion> = votes
        .iter()
        .map(|vote| &vote.opinion)
        .filter(|opinion| opinion.primary == *primary)
        .collect();
    let mut named: Vec<&Endpoint> = votes
        .iter()
        .flat_map(|opinion| &opinion.replicas)
        .filter(|name| *name != primary)
        .collect();
    let mut seen = HashSet::new();
    named.retain(|name| seen.insert(*name));
    let is_named_by_most = |name: &&Endpoint| {
        let count = votes.iter().filter(|opinion| opinion.replicas.contains(name)).count();
        count * 2 > votes.len()
    };
    named.into_iter().filter(is_named_by_most).cloned().collect()
}

/// Adds a vote, unless that sentinel has voted already, under another address.
pub fn cast(votes: &mut Vec<Vote>, vote: Vote) {
    let id = vote.opinion.id.as_ref();
    let is_double = id.is_some() && votes.iter().any(|other| other.opinion.id.as_ref() == id);
    if !is_double {
        votes.push(vote);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::sentinel) fn node(port: u16) -> Endpoint {
        Endpoint::tcp("n", port)
    }

    pub(in crate::sentinel) fn sentinel(port: u16) -> Endpoint {
        Endpoint::tcp("s", port)
    }

    /// The vote of the sentinel with port `from` for the primary with port `primary`. The nodes
    /// have the ports 1 to 3 of the host `n`, the sentinels the ports 1 to 3 of the host `s`.
    pub(in crate::sentinel) fn vote(from: u16, primary: u16, epoch: u64) -> Vote {
        let replicas = (1..=3).filter(|port| *port != primary).map(node).collect();
        let others = (1..=3).filter(|port| *port != from);
        let sentinels = others.map(|port| (sentinel(port), Some(port.to_string()))).collect();
        let id = Some(from.to_string());
        let opinion = Opinion { id, primary: node(primary), epoch, replicas, sentinels };
        Vote { from: sentinel(from), opinion }
    }

    #[test]
    fn the_majority_decides() {
        let votes = [vote(1, 1, 9), vote(2, 2, 5), vote(3, 2, 5)];
        assert_eq!(candidates(&votes, 2), [node(2)], "one that is behind or lies does not win");
        assert_eq!(winner(&votes[..2], 2), None);
    }

    #[test]
    fn without_a_majority_the_newest_failover_counts() {
        let votes = [vote(1, 1, 4), vote(2, 2, 5)];
        assert_eq!(candidates(&votes, 2), [node(2), node(1)]);
        assert_eq!(candidates(&votes[..1], 2), [node(1)], "who is left alone is believed");
    }

    #[test]
    fn a_stranger_never_wins_by_its_number() {
        let mut liar = vote(3, 9, 1000);
        liar.opinion.replicas = vec![node(1), node(2)];
        let votes = [vote(1, 1, 4), vote(2, 2, 5), liar];
        assert_eq!(candidates(&votes, 2), [node(2), node(1)]);
    }

    #[test]
    fn a_silent_primary_gives_way_to_its_successor_and_to_no_other() {
        let mut liar = vote(3, 9, 1000);
        liar.opinion.replicas = vec![node(1), node(2)];
        let votes = [vote(1, 1, 4), vote(2, 2, 5), liar];
        assert_eq!(successors(&votes, &node(1)), [node(2)]);
        assert!(
            successors(&votes, &node(2)).is_empty(),
            "a sentinel that is behind replaces no primary"
        );
    }

    #[test]
    fn replicas_are_those_that_most_name() {
        let mut other = vote(2, 1, 1);
        other.opinion.replicas = vec![node(2), node(9), node(1)];
        assert_eq!(replicas(&[vote(1, 1, 1), other], &node(1)), [node(2)]);
    }

    #[test]
    fn no_sentinel_votes_twice() {
        let mut votes = vec![vote(1, 1, 1)];
        let mut again = vote(1, 1, 1);
        again.from = Endpoint::tcp("by-name", 26379);
        cast(&mut votes, again);
        assert_eq!(votes.len(), 1);
        cast(&mut votes, vote(2, 1, 1));
        assert_eq!(votes.len(), 2);
    }
}
