//! Whom to believe when sentinels differ, and who they are.
//!
//! Pure. A sentinel may be behind, because it was cut off while the others replaced the primary, or
//! may lie; so the word of one of several counts for nothing against that of the others.

use std::collections::{HashMap, HashSet};

use super::opinion::Opinion;
use crate::options::Endpoint;

/// One sentinel's opinion.
#[derive(Debug, Clone)]
pub struct Vote {
    /// Who has it.
    pub from: Endpoint,
    /// What it is.
    pub opinion: Opinion,
}

/// Those who may be the primary, the most likely first: the one that `quorum` votes name, and
/// nobody else; without such a one those that votes name, the newest first.
///
/// Without a majority a name counts only if another vote has it as a part of the set, or if there
/// is no other vote: a new primary was a replica before, and so is known; a stranger is not.
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

/// Those who may have replaced `primary`, which does not answer as one: those that a vote with a
/// newer failover names, the newest first. As without a majority, one vote alone cannot bring a
/// stranger in.
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

/// The primary that at least `quorum` votes name.
pub fn winner(votes: &[Vote], quorum: usize) -> Option<&Endpoint> {
    let mut counts: HashMap<&Endpoint, usize> = HashMap::new();
    for vote in votes {
        *counts.entry(&vote.opinion.primary).or_default() += 1;
    }
    counts.into_iter().find(|(_, count)| *count >= quorum).map(|(winner, _)| winner)
}

/// The replicas of `primary`: those that most of the votes for it name.
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

/// The sentinels that are known.
#[derive(Debug, Clone)]
pub struct Circle {
    given: Vec<Endpoint>,
    learned: Vec<Endpoint>,
    ids: HashMap<Endpoint, String>,
    /// Those that did not answer when they were asked last.
    silent: HashSet<Endpoint>,
}

/// More sentinels than anybody runs; a vote for more is not believed.
const MOST: usize = 64;

impl Circle {
    /// The sentinels that the application has named.
    pub fn new(given: Vec<Endpoint>) -> Self {
        let mut seen = HashSet::new();
        let given = given.into_iter().filter(|name| seen.insert(name.clone())).collect();
        Self { given, learned: Vec::new(), ids: HashMap::new(), silent: HashSet::new() }
    }

    /// All of them.
    pub fn all(&self) -> Vec<Endpoint> {
        self.given.iter().chain(&self.learned).cloned().collect()
    }

    /// In which order to ask: by chance, so that all get their share, but those that were silent
    /// last. `chance` is different each time.
    pub fn order(&self, mut chance: impl FnMut() -> f64) -> Vec<Endpoint> {
        let mut all: Vec<(bool, u64, Endpoint)> = self
            .all()
            .into_iter()
            .map(|name| (self.silent.contains(&name), (chance() * 1e9) as u64, name))
            .collect();
        all.sort_by_key(|(is_silent, chance, _)| (*is_silent, *chance));
        all.into_iter().map(|(_, _, name)| name).collect()
    }

    /// How many are more than half of them. One that is known by a name and by an address is one.
    pub fn quorum(&self) -> usize {
        let all = self.all();
        let mut ids = HashSet::new();
        let count = all.iter().filter(|name| match self.ids.get(*name) {
            Some(id) => ids.insert(id.as_str()),
            None => true,
        });
        count.count() / 2 + 1
    }

    /// Learns from `votes` whom else to ask: those that most of the others know and reach.
    pub fn learn(&mut self, votes: &[Vote]) {
        for vote in votes {
            self.silent.remove(&vote.from);
            match &vote.opinion.id {
                Some(id) => self.ids.insert(vote.from.clone(), id.clone()),
                None => self.ids.remove(&vote.from),
            };
        }
        let mut counts: HashMap<&Endpoint, usize> = HashMap::new();
        for (name, id) in votes.iter().flat_map(|vote| &vote.opinion.sentinels) {
            *counts.entry(name).or_default() += 1;
            if let Some(id) = id.as_ref().filter(|id| !id.is_empty()) {
                self.ids.entry(name.clone()).or_insert_with(|| id.clone());
            }
        }
        let has_voted = |name: &Endpoint| votes.iter().any(|vote| vote.from == *name);
        // None of them names itself.
        let is_known = |name: &Endpoint| {
            let others = votes.iter().filter(|vote| vote.from != *name).count();
            counts.get(name).is_some_and(|count| count * 2 > others)
        };
        self.learned.retain(|name| has_voted(name) || is_known(name));
        for (name, _) in votes.iter().flat_map(|vote| &vote.opinion.sentinels) {
            let is_new = !self.given.contains(name) && !self.learned.contains(name);
            if is_new && is_known(name) && self.learned.len() < MOST {
                self.learned.push(name.clone());
            }
        }
        let all = self.all();
        self.ids.retain(|name, _| all.contains(name));
    }

    /// It did not answer: it is asked last for now.
    pub fn failed(&mut self, name: &Endpoint) {
        self.silent.insert(name.clone());
    }
}

/// Adds a vote, unless it is of a sentinel that has voted already, by another name.
pub fn cast(votes: &mut Vec<Vote>, vote: Vote) {
    let id = vote.opinion.id.as_ref();
    let is_double = id.is_some() && votes.iter().any(|other| other.opinion.id.as_ref() == id);
    if !is_double {
        votes.push(vote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(port: u16) -> Endpoint {
        Endpoint::tcp("n", port)
    }

    fn sentinel(port: u16) -> Endpoint {
        Endpoint::tcp("s", port)
    }

    /// The vote of sentinel `from` for a primary; the nodes are 1, 2 and 3, the sentinels 1 to 3.
    fn vote(from: u16, primary: u16, epoch: u64) -> Vote {
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
    fn a_silent_primary_gives_way_to_its_successor_and_to_nobody_else() {
        let mut liar = vote(3, 9, 1000);
        liar.opinion.replicas = vec![node(1), node(2)];
        let votes = [vote(1, 1, 4), vote(2, 2, 5), liar];
        assert_eq!(successors(&votes, &node(1)), [node(2)]);
        assert!(successors(&votes, &node(2)).is_empty(), "one that is behind replaces nobody");
    }

    #[test]
    fn replicas_are_those_that_most_name() {
        let mut other = vote(2, 1, 1);
        other.opinion.replicas = vec![node(2), node(9), node(1)];
        assert_eq!(replicas(&[vote(1, 1, 1), other], &node(1)), [node(2)]);
    }

    #[test]
    fn nobody_votes_twice() {
        let mut votes = vec![vote(1, 1, 1)];
        let mut again = vote(1, 1, 1);
        again.from = Endpoint::tcp("by-name", 26379);
        cast(&mut votes, again);
        assert_eq!(votes.len(), 1);
        cast(&mut votes, vote(2, 1, 1));
        assert_eq!(votes.len(), 2);
    }

    #[test]
    fn sentinels_learn_of_each_other() {
        let mut circle = Circle::new(vec![Endpoint::tcp("by-name", 26379)]);
        assert_eq!(circle.quorum(), 1);
        let mut first = vote(1, 1, 1);
        first.from = Endpoint::tcp("by-name", 26379);
        circle.learn(&[first.clone()]);
        assert_eq!(circle.all().len(), 3);
        // The others know the first by its address: it is still the same.
        circle.learn(&[first, vote(2, 1, 1), vote(3, 1, 1)]);
        assert_eq!((circle.all().len(), circle.quorum()), (4, 2));
    }

    #[test]
    fn one_alone_cannot_bring_others_in() {
        let mut circle = Circle::new((1..=3).map(sentinel).collect());
        let mut liar = vote(3, 1, 1);
        liar.opinion.sentinels.extend((7..=99).map(|port| (sentinel(port), None)));
        circle.learn(&[vote(1, 1, 1), vote(2, 1, 1), liar]);
        assert_eq!((circle.all().len(), circle.quorum()), (3, 2));
    }

    #[test]
    fn who_has_gone_is_forgotten_unless_it_was_given() {
        let mut circle = Circle::new(vec![sentinel(1)]);
        circle.learn(&[vote(1, 1, 1)]);
        let mut alone = vote(1, 1, 1);
        alone.opinion.sentinels.clear();
        circle.learn(&[alone]);
        assert_eq!(circle.all(), [sentinel(1)]);
    }

    #[test]
    fn the_silent_are_asked_last() {
        let mut circle = Circle::new((1..=3).map(sentinel).collect());
        circle.failed(&sentinel(1));
        let mut chances = [0.1, 0.9, 0.5].into_iter();
        let order = circle.order(|| chances.next().unwrap());
        assert_eq!(order, [sentinel(3), sentinel(2), sentinel(1)]);
    }
}
