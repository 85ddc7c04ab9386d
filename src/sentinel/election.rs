//! Which node is the primary, when sentinels differ.
//!
//! Pure. A sentinel may be behind, because it was cut off while the others replaced the primary; or
//! it may lie. So what one of several sentinels says counts for nothing against what the others
//! say.

use std::collections::{HashMap, HashSet};

use super::opinion::{is_same, Opinion};
use crate::options::Endpoint;
use crate::topology::Member;

/// One sentinel's opinion.
#[derive(Debug, Clone)]
pub struct Vote {
    /// The sentinel.
    pub from: Endpoint,
    /// What it says.
    pub opinion: Opinion,
}

/// A node that may be the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nominee {
    /// Where it is, and its run id as far as votes tell.
    pub node: Member,
    /// Whether the votes that speak for it give it several names or addresses, so that the server
    /// there has to confirm the run id.
    pub is_by_id: bool,
}

/// The nodes that may be the primary, the most likely first. If at least `quorum` votes name the
/// same node, it is the only one. If not, they are the nodes that votes name, the newest failover
/// first. A node that votes give several names or addresses is in the list with each of them;
/// those in `known`, where the client has found nodes before, come first.
///
/// Without a quorum a node counts only if another vote names it as the primary or as a replica, or
/// if there is no other vote. A new primary was a replica before, so the others know it; a node
/// that one sentinel has made up is known to no other.
pub fn candidates(votes: &[Vote], quorum: usize, known: &[Endpoint]) -> Vec<Nominee> {
    let support = |vote: &Vote| supporters(votes, &vote.opinion.primary).count();
    let others = |vote: &Vote| {
        let from = vote.from.clone();
        votes.iter().filter(move |other| other.from != from).map(|other| &other.opinion)
    };
    let is_endorsed = |vote: &&Vote| {
        let name = &vote.opinion.primary;
        votes.len() == 1 || others(vote).any(|other| other.has(|node| is_same(node, name)))
    };
    let mut named: Vec<&Vote> = votes.iter().filter(|vote| support(vote) >= quorum).collect();
    let is_won = !named.is_empty();
    if is_won {
        let most = named.iter().map(|vote| support(vote)).max();
        named.retain(|vote| Some(support(vote)) == most);
    } else {
        named = votes.iter().filter(is_endorsed).collect();
    }
    named.sort_by_key(|vote| std::cmp::Reverse(vote.opinion.epoch));
    // Whether its address alone is enough.
    let is_by_address = |vote: &Vote| {
        let name = &vote.opinion.primary.endpoint;
        match is_won {
            true => named_at(votes, name) >= quorum,
            false => {
                votes.len() == 1
                    || others(vote).any(|other| other.has(|node| node.endpoint == *name))
            }
        }
    };
    let mut nominees: Vec<Nominee> = Vec::new();
    while let Some(first) = named.first().copied() {
        let is_it = |vote: &&Vote| is_same(&vote.opinion.primary, &first.opinion.primary);
        let (mut names, rest): (Vec<&Vote>, Vec<&Vote>) = named.into_iter().partition(is_it);
        names.sort_by_cached_key(|vote| {
            let name = &vote.opinion.primary.endpoint;
            let count = std::cmp::Reverse(named_at(votes, name));
            (!known.contains(name), count, name.to_string())
        });
        for vote in names {
            let node = vote.opinion.primary.clone();
            if !nominees.iter().any(|other| other.node.endpoint == node.endpoint) {
                nominees.push(Nominee { node, is_by_id: !is_by_address(vote) });
            }
        }
        named = rest;
    }
    nominees
}

/// The nodes that may have replaced `primary`, which does not answer as a primary: those that a
/// vote with a newer failover names, the newest first. A node that only one of several votes knows
/// does not count, as in [`candidates`] without a quorum.
pub fn successors(votes: &[Vote], primary: &Member, known: &[Endpoint]) -> Vec<Nominee> {
    let epoch = supporters(votes, primary).next().map_or(0, |vote| vote.opinion.epoch);
    let is_newer = |name: &Member| supporters(votes, name).any(|vote| vote.opinion.epoch > epoch);
    let mut newer = candidates(votes, usize::MAX, known);
    newer.retain(|nominee| !is_same(&nominee.node, primary) && is_newer(&nominee.node));
    newer
}

/// Whether at least `quorum` votes name the same address of a primary.
pub fn is_settled(votes: &[Vote], quorum: usize) -> bool {
    votes.iter().any(|vote| named_at(votes, &vote.opinion.primary.endpoint) >= quorum)
}

/// The votes for `primary`, under any of its names.
pub fn supporters<'a>(
    votes: &'a [Vote],
    primary: &'a Member,
) -> impl Iterator<Item = &'a Vote> + 'a {
    votes.iter().filter(move |vote| is_same(&vote.opinion.primary, primary))
}

/// How many votes name this address of a primary.
fn named_at(votes: &[Vote], name: &Endpoint) -> usize {
    votes.iter().filter(|vote| vote.opinion.primary.endpoint == *name).count()
}

/// The replicas of `primary`: those that more than half of the votes for it name. An address in
/// `known`, where the client has found a node before, also counts if most of those votes name a
/// node with the same run id elsewhere.
///
/// Nobody asks a replica who it is before it gets the password, so a run id alone brings no address
/// in.
pub fn replicas(votes: &[Vote], primary: &Member, known: &[Endpoint]) -> Vec<Endpoint> {
    let votes: Vec<&Opinion> =
        supporters(votes, primary).map(|vote| &vote.opinion).take(MOST_VOTES).collect();
    // Which votes have named an address, or an id: one bit for each.
    let mut by_endpoint: HashMap<&Endpoint, u128> = HashMap::new();
    let mut by_id: HashMap<&str, u128> = HashMap::new();
    for (at, opinion) in votes.iter().enumerate() {
        for replica in &opinion.replicas {
            *by_endpoint.entry(&replica.endpoint).or_default() |= 1 << at;
            if !replica.id.is_empty() {
                *by_id.entry(&replica.id).or_default() |= 1 << at;
            }
        }
    }
    let is_most = |votes_for: u128| votes_for.count_ones() as usize * 2 > votes.len();
    let known: HashSet<&Endpoint> = known.iter().collect();
    let mut all: Vec<(bool, bool, &Member)> = Vec::new();
    for replica in votes.iter().flat_map(|opinion| &opinion.replicas) {
        let named = by_endpoint.get(&replica.endpoint).copied().unwrap_or_default();
        let with_id = by_id.get(replica.id.as_str()).copied().unwrap_or_default();
        let is_known = known.contains(&replica.endpoint);
        let is_named_by_most = is_most(named);
        if is_named_by_most || (is_known && is_most(named | with_id)) {
            all.push((!is_known, !is_named_by_most, replica));
        }
    }
    // One address for each node: a known one, if there is one.
    all.sort_by_key(|(is_new, is_by_id, _)| (*is_new, *is_by_id));
    let (mut seen, mut seen_ids) = (HashSet::new(), HashSet::new());
    all.retain(|(_, _, replica)| {
        let is_first = seen.insert(&replica.endpoint) && !seen_ids.contains(&replica.id);
        if is_first && !replica.id.is_empty() {
            seen_ids.insert(&replica.id);
        }
        is_first && !is_same(replica, primary)
    });
    all.into_iter().map(|(_, _, replica)| replica.endpoint.clone()).collect()
}

/// Adds a vote, unless that sentinel has voted already, under another address.
pub fn cast(votes: &mut Vec<Vote>, vote: Vote) {
    let id = vote.opinion.id.as_ref();
    let is_double = id.is_some() && votes.iter().any(|other| other.opinion.id.as_ref() == id);
    if !is_double {
        votes.push(vote);
    }
}

/// The votes whose lists of replicas are compared: as many as fit into the bits of a number, and
/// more than there are sentinels anywhere.
const MOST_VOTES: usize = 128;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::sentinel) fn node(port: u16) -> Endpoint {
        Endpoint::tcp("n", port)
    }

    pub(in crate::sentinel) fn sentinel(port: u16) -> Endpoint {
        Endpoint::tcp("s", port)
    }

    /// The node with this port; it has no run id.
    pub(in crate::sentinel) fn member(port: u16) -> Member {
        Member { endpoint: node(port), id: String::new() }
    }

    fn names(nominees: &[Nominee]) -> Vec<Endpoint> {
        nominees.iter().map(|nominee| nominee.node.endpoint.clone()).collect()
    }

    /// The vote of the sentinel with port `from` for the primary with port `primary`. The nodes
    /// have the ports 1 to 3 of the host `n`, the sentinels the ports 1 to 3 of the host `s`.
    pub(in crate::sentinel) fn vote(from: u16, primary: u16, epoch: u64) -> Vote {
        let replicas = (1..=3).filter(|port| *port != primary).map(member).collect();
        let others = (1..=3).filter(|port| *port != from);
        let sentinels = others.map(|port| (sentinel(port), Some(port.to_string()))).collect();
        let id = Some(from.to_string());
        let opinion = Opinion { id, primary: member(primary), epoch, replicas, sentinels };
        Vote { from: sentinel(from), opinion }
    }

    #[test]
    fn the_majority_decides() {
        let votes = [vote(1, 1, 9), vote(2, 2, 5), vote(3, 2, 5)];
        assert_eq!(names(&candidates(&votes, 2, &[])), [node(2)], "a stale one does not win");
        assert!(is_settled(&votes, 2) && !is_settled(&votes[..2], 2));
    }

    #[test]
    fn without_a_majority_the_newest_failover_counts() {
        let votes = [vote(1, 1, 4), vote(2, 2, 5)];
        assert_eq!(names(&candidates(&votes, 2, &[])), [node(2), node(1)]);
        let alone = names(&candidates(&votes[..1], 2, &[]));
        assert_eq!(alone, [node(1)], "who is left alone is believed");
    }

    #[test]
    fn a_stranger_never_wins_by_its_number() {
        let mut liar = vote(3, 9, 1000);
        liar.opinion.replicas = vec![member(1), member(2)];
        let votes = [vote(1, 1, 4), vote(2, 2, 5), liar];
        assert_eq!(names(&candidates(&votes, 2, &[])), [node(2), node(1)]);
    }

    #[test]
    fn a_silent_primary_gives_way_to_its_successor_and_to_no_other() {
        let mut liar = vote(3, 9, 1000);
        liar.opinion.replicas = vec![member(1), member(2)];
        let votes = [vote(1, 1, 4), vote(2, 2, 5), liar];
        assert_eq!(names(&successors(&votes, &member(1), &[])), [node(2)]);
        assert!(
            successors(&votes, &member(2), &[]).is_empty(),
            "a sentinel that is behind replaces no primary"
        );
    }

    #[test]
    fn replicas_are_those_that_most_name() {
        let mut other = vote(2, 1, 1);
        other.opinion.replicas = vec![member(2), member(9), member(9), member(1)];
        assert_eq!(replicas(&[vote(1, 1, 1), other], &member(1), &[]), [node(2)]);
    }

    /// The vote of a sentinel that calls all nodes by the host `host` and knows their run ids.
    fn vote_by(host: &str, from: u16, primary: u16, epoch: u64) -> Vote {
        let mut vote = vote(from, primary, epoch);
        let Opinion { primary, replicas, .. } = &mut vote.opinion;
        for node in std::iter::once(primary).chain(replicas) {
            let Endpoint::Tcp { port, .. } = node.endpoint else { unreachable!() };
            *node = Member { endpoint: Endpoint::tcp(host, port), id: format!("run-{port}") };
        }
        vote
    }

    #[test]
    fn a_name_and_an_address_of_one_server_count_as_one() {
        let votes = [vote_by("name", 1, 1, 3), vote_by("127.0.0.1", 2, 1, 3)];
        let (name, address) = (Endpoint::tcp("name", 1), Endpoint::tcp("127.0.0.1", 1));
        let nominees = candidates(&votes, 2, &[]);
        assert_eq!(names(&nominees), [address.clone(), name.clone()]);
        assert!(nominees.iter().all(|nominee| nominee.is_by_id), "the server has to confirm it");
        let known = candidates(&votes, 2, std::slice::from_ref(&name));
        assert_eq!(names(&known), [name.clone(), address], "a client stays where it is");
        let three = [votes[0].clone(), votes[1].clone(), vote_by("name", 3, 1, 3)];
        let nominees = candidates(&three, 2, &[]);
        assert_eq!((&nominees[0].node.endpoint, nominees[0].is_by_id), (&name, false));
        assert!(successors(&votes, &votes[0].opinion.primary, &[]).is_empty());
    }

    #[test]
    fn a_stale_sentinel_is_outvoted_under_any_name() {
        let stale = vote_by("name", 3, 2, 9);
        let votes = [vote_by("name", 1, 1, 3), stale, vote_by("127.0.0.1", 2, 1, 3)];
        let named = names(&candidates(&votes, 2, &[]));
        assert_eq!(named, [Endpoint::tcp("127.0.0.1", 1), Endpoint::tcp("name", 1)]);
    }

    #[test]
    fn a_run_id_alone_brings_no_replica_in() {
        let votes = [vote_by("name", 1, 1, 3), vote_by("127.0.0.1", 2, 1, 3)];
        let primary = votes[0].opinion.primary.clone();
        assert!(replicas(&votes, &primary, &[]).is_empty());
        let known = [Endpoint::tcp("name", 2), Endpoint::tcp("name", 3)];
        assert_eq!(replicas(&votes, &primary, &known), known);
    }

    #[test]
    fn thousands_of_replicas_are_compared_at_once() {
        let votes: Vec<Vote> = (1..=64)
            .map(|from| {
                let mut vote = vote(from, 1, 1);
                vote.opinion.replicas = (2..1000).map(member).collect();
                vote
            })
            .collect();
        let started = std::time::Instant::now();
        assert_eq!(replicas(&votes, &member(1), &[]).len(), 998);
        // Minutes, if each of 64,000 names were looked for among them all.
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
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
